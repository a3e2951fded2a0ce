"""What a thread says of an appointment that has moved or is cancelled, and by whom."""

from zoneinfo import ZoneInfo

from sms.models import Conversation, User, log_change
from sms.models.event import add_event
from sms.modules.appointment import saying
from sms.modules.appointment.models import Appointment

MODULE = "appointment"
BY = {"form": "agent", "agent": "agent", "api": "api"}
"""Who is named for where a change came from; what is not listed came with a file or a calendar."""


def moved(thread: int | None, appointment: Appointment, source: str, by: User | None = None) -> None:
    """Say in the thread (None: there is none) that an appointment has another time, inside the caller's transaction."""
    _say(thread, appointment, "moved", source, by)


def cancelled(thread: int | None, appointment: Appointment, source: str, by: User | None = None) -> None:
    """Say in the thread (None: there is none) that an appointment is cancelled, inside the caller's transaction."""
    _say(thread, appointment, "cancelled", source, by)


def _say(thread: int | None, appointment: Appointment, what: str, source: str, by: User | None) -> None:
    if thread is None:
        return
    kind = f"appointment_{what}_by_{BY.get(source, 'calendar')}"
    add_event(
        Conversation.get_by_id(thread),
        kind,
        by,
        MODULE,
        appointment=appointment.id,
        strong=in_words(appointment),
    )
    log_change(appointment.account_id, "conversation", thread)


def in_words(appointment: Appointment) -> str:
    """Return when an appointment is, as it is said in its account's language."""
    local = appointment.start.astimezone(ZoneInfo(appointment.zone))
    return saying.in_words(local, appointment.account.locale)
