"""What happened at Praxis Dr. Lindner: people, texts and times, as data. All names and numbers are invented.

Numbers come from the ranges that the Bundesnetzagentur keeps free for fiction.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/Berlin")
WEEKDAYS = ("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag")
ANNA, JONAS, MIRIAM = "demo@faden.example", "jonas@faden.example", "miriam@faden.example"


@dataclass(frozen=True)
class Patient:
    """A contact of the practice; `more` are further numbers, `name` may be missing."""

    number: str
    name: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    more: tuple[str, ...] = ()


@dataclass(frozen=True)
class Act:
    """One thing that happened: when, with whom, what (a word that sms.demo.conversations knows) and its words."""

    at: datetime
    number: str
    what: str
    text: str = ""
    by: str = ANNA
    until: datetime | None = None
    sender: str = ""
    phone: str = "on"
    """The state of the recipient's phone meanwhile; `silent` is one that is on without ever reporting."""


SCHOESSLER = "+491713920042"
BRANDT = "+491713920066"
WIECZOREK = "+491713920033"
NEWCOMER = "+491713920058"
OKONKWO = "+491713920071"
AYDIN = "+491713920025"
BROEMMELKAMP = "+493023125640"
FISCHER = "+491713920081"
HAGEDORN = "+491713920029"
LEFT = "+491713920047"
SONNENHOF = "+491713920090"
RADEMACHER = "+491713920051"
PETROVIC = "+491713920037"
APOTHEKE = "+491713920060"

PATIENTS = (
    Patient(
        SCHOESSLER,
        "Margarethe Schößler",
        {
            "Patient-Nr.": "4471",
            "Geboren": "02.04.1951",
            "Kasse": "AOK Nordost",
            "Einwilligung": "SMS seit 03.02.2025",
        },
        ("+493023125417",),
    ),
    Patient(BRANDT, "Elektro Brandt GmbH", {"Ansprechpartner": "Herr Pohl"}),
    Patient(WIECZOREK, "Torsten Wieczorek", {"Patient-Nr.": "3902", "Kasse": "TK"}),
    Patient(OKONKWO, "Familie Okonkwo-Reuter", {"Kinder": "Ada (7), Ben (4)", "Kasse": "Barmer"}),
    Patient(AYDIN, "Hüseyin Aydın", {"Patient-Nr.": "4118", "Kasse": "AOK Nordost"}),
    Patient(BROEMMELKAMP, "Ilse Brömmelkamp", {"Patient-Nr.": "1207", "Geboren": "19.11.1938"}),
    Patient(FISCHER, "Dentallabor Fischer & Söhne"),
    Patient(HAGEDORN, "Nele Hagedorn", {"Patient-Nr.": "4530", "Kasse": "DAK"}),
    Patient(SONNENHOF, "Pflegedienst Sonnenhof", {"Ansprechpartnerin": "Frau Matuschek"}),
    Patient(RADEMACHER, "Karl-Heinz Rademacher", {"Patient-Nr.": "2764", "Kasse": "privat"}),
    Patient(PETROVIC, "Sofija Petrović", {"Patient-Nr.": "4499", "Kinder": "Luka (2)"}),
    Patient(APOTHEKE, "Apotheke am Markt"),
    Patient(LEFT),
)

TEMPLATES = (
    ("Termin bestätigen", "Guten Tag {name}, Ihr Termin steht. Bitte bringen Sie Ihre Gesundheitskarte mit."),
    ("Rezept fertig", "Guten Tag {name}, Ihr Rezept ist fertig. Sie können es bis 18 Uhr bei uns abholen."),
    ("Bitte zurückrufen", "Guten Tag {name}, bitte rufen Sie uns unter 030 23125 100 zurück. Ihre {praxis}"),
    ("Nüchtern kommen", "Bitte kommen Sie zur Blutabnahme nüchtern. Wasser dürfen Sie trinken."),
)

SENDER, SPOKEN = "DrLindner", "Doktor Lindner"


def acts(now: datetime) -> list[Act]:
    """Return the story that leads up to `now`, oldest first."""
    return sorted([*_schoessler(now), *_today(now), *_days_before(now)], key=lambda act: act.at)


def appointment_day(now: datetime) -> date:
    """Return the working day that the texts speak of: two or more days ahead."""
    day = now.astimezone(ZONE).date() + timedelta(days=2)
    return day + timedelta(days=max(0, 7 - day.weekday()) if day.weekday() > 4 else 0)


def _day(now: datetime, days_ago: int, clock: str) -> datetime:
    day = now.astimezone(ZONE).date() - timedelta(days=days_ago)
    return datetime.combine(day, time.fromisoformat(clock), ZONE)


def _schoessler(now: datetime) -> list[Act]:
    who, day = SCHOESSLER, appointment_day(now)
    weekday, before = WEEKDAYS[day.weekday()], datetime.combine(day - timedelta(days=1), time(17), ZONE)

    def ago(minutes: float) -> datetime:
        return now - timedelta(minutes=minutes)

    return [
        Act(
            _day(now, 4, "16:02"), who, "write",
            "Guten Tag Frau Schößler, wie zufrieden waren Sie mit Ihrer Behandlung gestern? "
            "Antworten Sie mit einer Zahl von 1 (sehr) bis 5 (gar nicht).",
        ),
        Act(_day(now, 4, "16:40"), who, "answer", "1, alles prima. Danke!"),
        Act(
            _day(now, 1, "10:00"), who, "write",
            f"Erinnerung: Ihr Termin bei Dr. Lindner ist am {weekday[:2]}., {day:%d.%m.} um 08:30 Uhr. "
            "Bitte antworten Sie mit JA oder NEIN.",
            by=MIRIAM, phone="silent",
        ),
        Act(_day(now, 1, "10:12"), who, "answer", "Ja"),
        Act(
            _day(now, 1, "11:30"), who, "note",
            "Hat Angst vor Spritzen. Wenn möglich bei Miriam einplanen und die längere Sitzung nehmen.", by=JONAS,
        ),
        Act(_day(now, 1, "11:31"), who, "label", "Angstpatientin", by=JONAS),
        Act(
            ago(55), who, "answer",
            f"Guten Morgen, kann ich {weekday} auf den Nachmittag schieben? Mein Zug kommt erst um 11 an.",
        ),
        Act(ago(52), who, "assign"),
        Act(ago(51), who, "label", "Terminwunsch"),
        Act(
            ago(49), who, "write",
            f"Guten Morgen Frau Schößler, am {weekday} ist um 14:15 Uhr noch frei. Passt Ihnen das?",
        ),
        Act(ago(35), who, "write", "Den Röntgenbefund vom Kollegen brauchen wir auch, haben Sie ihn noch?"),
        Act(
            ago(20), who, "write",
            f"Bitte bringen Sie am {weekday} Ihre Gesundheitskarte und den letzten Röntgenbefund mit.", phone="off",
        ),
        Act(ago(18), who, "speak"),
        Act(ago(17), who, "read"),
        Act(ago(2.5), who, "answer", "14:15 passt wunderbar, danke!"),
        Act(ago(2), who, "answer", "Muss ich nüchtern kommen?"),
        Act(
            ago(1), who, "plan",
            "Denken Sie bitte an die Gesundheitskarte. Bis morgen um 14:15 Uhr!", by=JONAS, until=before,
        ),
    ]  # fmt: skip


def _today(now: datetime) -> list[Act]:
    def ago(minutes: float) -> datetime:
        return now - timedelta(minutes=minutes)

    return [
        Act(ago(59), NEWCOMER, "answer", "Hallo, nehmen Sie noch neue Patienten auf? Bin gerade nach Pankow gezogen."),
        Act(
            _day(now, 1, "14:05"), BRANDT, "write",
            "Guten Tag, die Absauganlage in Zimmer 2 pfeift wieder. Wann könnte jemand kommen?",
        ),
        Act(_day(now, 1, "14:31"), BRANDT, "answer", "Morgen früh um 8 ist der Kollege Pohl bei Ihnen."),
        Act(_day(now, 1, "14:33"), BRANDT, "assign"),
        Act(_day(now, 1, "14:34"), BRANDT, "write", "Wunderbar, er soll bitte am Hintereingang klingeln."),
        Act(_day(now, 1, "14:34"), BRANDT, "label", "Technik"),
        Act(_day(now, 1, "14:35"), BRANDT, "read"),
        Act(
            ago(11), BRANDT, "answer",
            "Die Steuerung der Absauganlage ist wieder in Ordnung. Rechnung folgt per Mail.",
        ),
        Act(_day(now, 1, "15:40"), WIECZOREK, "answer", "Brauche ich für den Orthopäden eine Überweisung?"),
        Act(_day(now, 1, "15:52"), WIECZOREK, "assign", by=JONAS),
        Act(ago(31), WIECZOREK, "read", by=JONAS),
        Act(ago(30), WIECZOREK, "write", "Ja. Die Überweisung liegt am Empfang.", by=JONAS, phone="off"),
        Act(ago(29), WIECZOREK, "read"),
        Act(ago(40), PETROVIC, "answer", "Danke für die schnelle Hilfe gestern 🙏 Luka schläft endlich."),
        Act(ago(38), PETROVIC, "assign", by=MIRIAM),
        Act(ago(37), PETROVIC, "write", "Sehr gern! Gute Besserung an Luka 🍀", by=MIRIAM),
        Act(ago(37), PETROVIC, "read", by=MIRIAM),
        Act(ago(36), PETROVIC, "read"),
    ]  # fmt: skip


def _days_before(now: datetime) -> list[Act]:
    tomorrow = datetime.combine(now.astimezone(ZONE).date() + timedelta(days=1), time(8), ZONE)
    return [
        Act(_day(now, 6, "09:14"), HAGEDORN, "write", "Guten Tag Frau Hagedorn, die Bescheinigung ist in der Post.", by=MIRIAM),
        Act(_day(now, 6, "12:03"), HAGEDORN, "answer", "Danke, das hat super geklappt!"),
        Act(_day(now, 6, "12:05"), HAGEDORN, "assign", by=MIRIAM),
        Act(_day(now, 6, "12:06"), HAGEDORN, "read", by=MIRIAM),
        Act(_day(now, 6, "12:07"), HAGEDORN, "close", by=MIRIAM),
        Act(_day(now, 5, "10:20"), FISCHER, "answer", "Krone 36 ist fertig und kommt morgen mit dem Boten."),
        Act(_day(now, 5, "10:26"), FISCHER, "assign", by=JONAS),
        Act(_day(now, 5, "10:27"), FISCHER, "label", "Labor", by=JONAS),
        Act(_day(now, 5, "10:27"), FISCHER, "write", "Vielen Dank! Bitte auch die Farbprobe für Frau Brömmelkamp mitgeben.", by=JONAS),
        Act(_day(now, 5, "10:28"), FISCHER, "read", by=JONAS),
        Act(_day(now, 5, "10:29"), FISCHER, "pend", by=JONAS),
        Act(
            _day(now, 3, "17:30"), LEFT, "write",
            "Die Praxis Dr. Lindner bleibt am Freitag ab 12 Uhr geschlossen. Schönes Wochenende!", by=MIRIAM,
        ),
        Act(_day(now, 3, "17:48"), LEFT, "answer", "STOP"),
        Act(_day(now, 2, "09:05"), LEFT, "read"),
        Act(
            _day(now, 2, "16:10"), RADEMACHER, "write",
            "Guten Tag Herr Rademacher, Ihre Laborwerte sind da. Bitte rufen Sie uns unter 030 23125 100 an. "
            "Ihre Praxis Dr. Lindner", sender=SENDER,
        ),
        Act(_day(now, 2, "16:11"), RADEMACHER, "close"),
        Act(
            _day(now, 2, "11:45"), APOTHEKE, "answer",
            "Guten Tag, das Ramipril für Herrn Wieczorek ist in der verordneten Stärke bis Ende der Woche nicht "
            "lieferbar. Dürfen wir zwei Packungen der halben Stärke abgeben, oder möchte Frau Dr. Lindner umstellen?",
        ),
        Act(_day(now, 2, "12:02"), APOTHEKE, "assign", by=JONAS),
        Act(_day(now, 2, "12:03"), APOTHEKE, "note", "Frau Doktor fragt heute Nachmittag zurück.", by=JONAS),
        Act(_day(now, 2, "12:04"), APOTHEKE, "read", by=JONAS),
        Act(_day(now, 2, "12:04"), APOTHEKE, "pend", by=JONAS),
        Act(
            _day(now, 1, "09:10"), AYDIN, "write",
            "Guten Tag Herr Aydın, wir erinnern an Ihren Termin morgen um 09:30 Uhr. Bitte antworten Sie mit JA oder NEIN.",
            by=MIRIAM,
        ),
        Act(_day(now, 1, "09:22"), AYDIN, "answer", "JA"),
        Act(_day(now, 1, "09:30"), AYDIN, "assign", by=MIRIAM),
        Act(_day(now, 1, "09:30"), AYDIN, "label", "Bestätigt", by=MIRIAM),
        Act(_day(now, 1, "09:31"), AYDIN, "read", by=MIRIAM),
        Act(_day(now, 1, "11:05"), BROEMMELKAMP, "assign"),
        Act(
            _day(now, 1, "11:06"), BROEMMELKAMP, "call",
            "Guten Tag Frau Brömmelkamp, Ihre neuen Einlagen sind da. Sie können sie ab morgen bei uns abholen.",
            sender=SENDER,
        ),
        Act(_day(now, 1, "11:12"), BROEMMELKAMP, "label", "Festnetz"),
        Act(_day(now, 1, "13:20"), SONNENHOF, "answer", "Bitte an das Folgerezept für Herrn Matthes denken, es eilt nicht."),
        Act(_day(now, 1, "13:24"), SONNENHOF, "assign"),
        Act(_day(now, 1, "13:25"), SONNENHOF, "write", "Liegt morgen früh bereit, Frau Matuschek."),
        Act(_day(now, 1, "13:25"), SONNENHOF, "read"),
        Act(_day(now, 1, "13:26"), SONNENHOF, "snooze", until=tomorrow),
        Act(_day(now, 1, "17:12"), OKONKWO, "answer", "Kann Ben morgen gleich mit Ada zusammen kommen?"),
        Act(_day(now, 1, "17:20"), OKONKWO, "assign"),
        Act(_day(now, 1, "17:20"), OKONKWO, "label", "Kinder"),
        Act(_day(now, 1, "17:20"), OKONKWO, "read"),
        Act(
            _day(now, 1, "17:21"), OKONKWO, "draft",
            "Beide Kinder um 15 Uhr, das passt. Bitte bringen Sie gleich die",
        ),
    ]  # fmt: skip
