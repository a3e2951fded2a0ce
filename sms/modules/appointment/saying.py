"""What a reminder says: the scheme's text with the appointment's own values, dates as people write them."""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date

from sms.models import Account
from sms.modules.appointment.models import Appointment

TEXTS = {
    "de": {
        "reminder": "Erinnerung an Ihren Termin am {Termin} bei {Praxis}. Bitte antworten Sie mit JA oder NEIN.",
        "confirm": "Danke, wir freuen uns auf Sie am {Termin}.",
        "cancel": "Ihr Termin am {Termin} ist abgesagt. Danke für die Nachricht.",
        "reschedule": "Danke. Wir melden uns mit einem neuen Termin.",
        "too_late": "Ihre Absage für {Termin} kommt sehr kurzfristig. Wir melden uns bei Ihnen.",
        "which": "Welchen Termin meinen Sie? Bitte antworten Sie mit der Zahl: {Liste}",
        "moved": "Ihr Termin wurde verlegt: neu am {Termin}.",
    },
    "en": {
        "reminder": "Reminder of your appointment on {appointment} with {account}. Please reply YES or NO.",
        "confirm": "Thank you, see you on {appointment}.",
        "cancel": "Your appointment on {appointment} is cancelled. Thank you for telling us.",
        "reschedule": "Thank you. We will get back to you with a new time.",
        "too_late": "Your cancellation for {appointment} comes very late. We will call you.",
        "which": "Which appointment do you mean? Please reply with its number: {list}",
        "moved": "Your appointment has moved to {appointment}.",
    },
}
"""What is said where the scheme has no words of its own."""


def usual(name: str, locale: str) -> str:
    """Return the text that is used where the scheme says nothing."""
    return TEXTS["en" if locale.startswith("en") else "de"][name]


def fields(account: Account, appointment: Appointment) -> dict[str, Any]:
    """Return the placeholders of an appointment, in German and in English, with its own fields beside them."""
    local = appointment.start.astimezone(ZoneInfo(appointment.zone))
    locale = "en" if account.locale.startswith("en") else "de"
    weekday = format_date(local, "EEEE", locale)
    day = written_day(local.date(), locale)
    hour = f"{local:%H:%M}"
    whole = in_words(local, locale)
    own = {name: value for name, value in (appointment.fields or {}).items() if value is not None}
    return own | {
        "Wochentag": weekday, "Datum": day, "Uhrzeit": hour, "Termin": whole, "Titel": appointment.title,
        "weekday": weekday, "date": day, "time": hour, "appointment": whole, "title": appointment.title,
    }  # fmt: skip


def written_day(day: date, locale: str) -> str:
    """Return a day without its year as people write it: 19. November, or 19 November."""
    return format_date(day, "d. MMMM" if locale == "de" else "d MMMM", locale)


def in_words(local: datetime, locale: str) -> str:
    """Return a wall clock time as it is said: Donnerstag, 19. November, um 14:15 Uhr."""
    weekday, day = format_date(local, "EEEE", locale), written_day(local.date(), locale)
    return (
        f"{weekday}, {day}, um {local:%H:%M} Uhr" if locale == "de" else f"{weekday}, {day}, at {local:%H:%M}"
    )
