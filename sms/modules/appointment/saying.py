"""What a reminder says: the scheme's text with the appointment's own values, dates as people write them."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date

from sms import checking, contacts
from sms.models import Account
from sms.modules.appointment import feed
from sms.modules.appointment.found import own_name
from sms.modules.appointment.models import Appointment, Scheme

TEXTS = {
    "de": {
        "reminder": "Erinnerung an Ihren Termin am {Termin} bei {Praxis}. Bitte antworten Sie mit JA oder NEIN.",
        "confirm": "Danke, wir freuen uns auf Sie am {Termin}.",
        "cancel": "Ihr Termin am {Termin} ist abgesagt. Danke für die Nachricht.",
        "reschedule": "Danke. Wir melden uns mit einem neuen Termin.",
        "too_late": "Ihre Absage für {Termin} kommt sehr kurzfristig. Wir melden uns bei Ihnen.",
        "which": "Welchen Termin meinen Sie? Bitte antworten Sie mit der Zahl: {Liste}",
        "moved": "Ihr Termin wurde verlegt: neu am {Termin}.",
        "spoken": "Erinnerung an Ihren Termin am {Termin} bei {Praxis}.",
        "keys": "Drücken Sie die 1 zum Bestätigen, die 2 zum Absagen, die 3 für einen Rückruf, 0 oder Stern zum "
        "Wiederholen. Um keine Anrufe mehr zu erhalten, drücken Sie die 9.",
        "callback": "Danke. Wir rufen Sie zurück.",
        "changed": "Dieser Termin hat sich inzwischen geändert. Wir melden uns bei Ihnen.",
        "goodbye": "Auf Wiederhören.",
        "given": "Dieser Termin ist leider schon vergeben. Wir melden uns bei Ihnen.",
        "offer": "Am {Termin} ist bei {Praxis} ein Termin frei geworden. Möchten Sie ihn? Bitte antworten Sie mit JA "
        "oder NEIN. Wer zuerst JA sagt, bekommt ihn.",
        "yours": "Danke, der Termin am {Termin} gehört Ihnen.",
        "taken": "Der Termin am {Termin} ist leider schon vergeben. Sie bleiben auf unserer Warteliste.",
        "not_this": "In Ordnung. Sie bleiben auf unserer Warteliste.",
    },
    "en": {
        "reminder": "Reminder of your appointment on {appointment} with {account}. Please reply YES or NO.",
        "confirm": "Thank you, see you on {appointment}.",
        "cancel": "Your appointment on {appointment} is cancelled. Thank you for telling us.",
        "reschedule": "Thank you. We will get back to you with a new time.",
        "too_late": "Your cancellation for {appointment} comes very late. We will call you.",
        "which": "Which appointment do you mean? Please reply with its number: {list}",
        "moved": "Your appointment has moved to {appointment}.",
        "spoken": "Reminder of your appointment on {appointment} with {account}.",
        "keys": "Press 1 to confirm, 2 to cancel, 3 to be called back, 0 or star to hear this again. To receive no "
        "more calls, press 9.",
        "callback": "Thank you. We will call you back.",
        "changed": "This appointment has changed in the meantime. We will get back to you.",
        "goodbye": "Goodbye.",
        "given": "Sorry, this appointment has been given to somebody else. We will get back to you.",
        "offer": "A time has become free at {account}: {appointment}. Would you like it? Please reply YES or NO. "
        "Whoever says YES first gets it.",
        "yours": "Thank you, the appointment on {appointment} is yours.",
        "taken": "Sorry, the appointment on {appointment} is taken. You stay on our waiting list.",
        "not_this": "All right. You stay on our waiting list.",
    },
}
"""What is said where the scheme has no words of its own."""


_sentence = re.compile(r"(?<=[.!?])\s+")
_asks_for_text = re.compile(
    r"\b(antworten|antworte|antwort|zurückschreiben|rückantwort|reply|respond|text back|kalenderlink|calendar_link)\b",
    re.I,
)


_name = re.compile(r"[ \t]*(?<!\{)\{[ \t]*name[ \t]*\}(?!\})", re.I)
_name_first = re.compile(r"^[ \t]*\{[ \t]*name[ \t]*\}(?!\})[ \t,;:!–-]*(\w?)", re.I | re.M)


def usual(name: str, locale: str) -> str:
    """Return the text that is used where the scheme says nothing."""
    return TEXTS["en" if locale.startswith("en") else "de"][name]


def to_read(scheme: Scheme, locale: str) -> str:
    """Return what a call reads: the scheme's own words for it, else its text without what asks for a reply by text or is an address."""
    if scheme.spoken_text.strip():
        return scheme.spoken_text
    sentences = _sentence.split(scheme.text.strip())
    return " ".join(s for s in sentences if not _asks_for_text.search(s)) or usual("spoken", locale)


def reply(appointment: Appointment, scheme: Scheme | None, name: str) -> str:
    """Return what follows an answer, with its placeholders: the scheme's own words, else the usual ones."""
    own = ((scheme.answers if scheme is not None else None) or {}).get(name, {}).get("text", "")
    return own or usual(name, appointment.account.locale)


def said(appointment: Appointment, text: str) -> str:
    """Return a text with its placeholders filled for an appointment and its person."""
    account = appointment.account
    values = fields(account, appointment)
    return checking.preview(
        account, addressed(text, values), to=appointment.number or None, fields=values
    ).text


def addressed(text: str, values: Mapping[str, Any]) -> str:
    """Return a text as it is where there is a name, else without {name} and the blank or comma that it leaves behind."""
    if values.get("name", "-"):
        return text
    return _name.sub("", _name_first.sub(lambda match: match[1].upper(), text))


def fields(account: Account, appointment: Appointment, contact_name: str | None = None) -> dict[str, Any]:
    """Return the placeholders of an appointment, in German and in English, with its own fields beside them.

    {name} is the contact's (looked up where it is not given), else the appointment's own, and "" where nobody knows it.
    """
    if contact_name is None:
        contact_name = _contact_name(account, appointment.number)
    local = appointment.start.astimezone(ZoneInfo(appointment.zone))
    locale = "en" if account.locale.startswith("en") else "de"
    weekday = format_date(local, "EEEE", locale)
    day = written_day(local.date(), locale)
    hour = f"{local:%H:%M}"
    whole = in_words(local, locale)
    link = feed.card_address(appointment)
    own = {name: value for name, value in (appointment.fields or {}).items() if value is not None}
    who = contact_name or own_name(own)
    return {name: value for name, value in own.items() if name.strip().casefold() != "name"} | {
        "name": who,
        "Wochentag": weekday, "Datum": day, "Uhrzeit": hour, "Termin": whole, "Titel": appointment.title,
        "weekday": weekday, "date": day, "time": hour, "appointment": whole, "title": appointment.title,
        "Kalenderlink": link, "calendar_link": link,
    }  # fmt: skip


def _contact_name(account: Account, number: str) -> str:
    known = contacts.filling(account, [number]) if number else {}
    return str((known.get(number) or {}).get("name") or "")


def written_day(day: date, locale: str) -> str:
    """Return a day without its year as people write it: 19. November, or 19 November."""
    return format_date(day, "d. MMMM" if locale == "de" else "d MMMM", locale)


def in_words(local: datetime, locale: str) -> str:
    """Return a wall clock time as it is said: Donnerstag, 19. November, um 14:15 Uhr."""
    weekday, day = format_date(local, "EEEE", locale), written_day(local.date(), locale)
    return (
        f"{weekday}, {day}, um {local:%H:%M} Uhr" if locale == "de" else f"{weekday}, {day}, at {local:%H:%M}"
    )
