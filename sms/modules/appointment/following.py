"""The call that follows a text: planned with it, and looked at once more before the telephone rings.

It is a reminder of its own beside that of the text, so an answer, a move and a cancellation end it like any other.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sms import quiet
from sms.clock import now
from sms.models import Account, Message
from sms.modules.appointment import planning
from sms.modules.appointment.models import CALL, Appointment, Reminder, Scheme

AT_LEAST = timedelta(minutes=10)
"""So much before the appointment a reminder still helps; later it is shown as missed."""
CALLS_LAST = timedelta(minutes=3)
"""So long three calls and the pauses between them may take: the last one must not ring in the quiet hours."""


def is_call(reminder: Reminder) -> bool:
    """Tell whether a reminder is the call that follows a text."""
    return str(reminder.rule).endswith(CALL)


def plan_call(reminder: Reminder, scheme: Scheme, text: Message) -> None:
    """Plan the call after a text that goes out now, or once its quiet hours are over."""
    appointment = reminder.appointment
    sent = max(now(), text.next_at or now())
    at = moment_for(appointment, scheme, sent + timedelta(minutes=scheme.call_after_minutes))
    Reminder.insert(
        appointment=appointment, rule=reminder.rule + CALL, start=reminder.start, at=at or sent, channel="voice",
        state="planned" if at is not None else "skipped", reason="" if at is not None else "quiet",
    ).on_conflict_ignore().execute()  # fmt: skip


def look_again(account: Account) -> None:
    """Plan the calls that are still to come anew, as the account's quiet hours are now."""
    scheme = planning.scheme_for(account.id)
    if scheme is None:
        return
    calls = (
        Reminder.select(Reminder, Appointment)
        .join(Appointment)
        .where(
            Appointment.account == account,
            Reminder.state == "planned",
            Reminder.at > now(),
            Reminder.rule.endswith(CALL),
        )
    )
    for call in list(calls):
        text = _text_before(call)
        if text is None:
            continue
        sent = max(text.at, text.next_at or text.at)
        wanted = max(now(), sent + timedelta(minutes=scheme.call_after_minutes))
        at = moment_for(call.appointment, scheme, wanted)
        if at is not None and at != call.at:
            same = (Reminder.id == call.id) & (Reminder.state == "planned")
            Reminder.update(at=at).where(same).execute()


def _text_before(call: Reminder) -> Message | None:
    """Return the text that a call follows."""
    same = (Reminder.appointment == call.appointment_id) & (Reminder.start == call.start)
    text = Reminder.get_or_none(same, Reminder.rule == str(call.rule).removesuffix(CALL))
    return None if text is None else Message.get_or_none(Message.id == text.message)


def moment_for(appointment: Appointment, scheme: Scheme, moment: datetime) -> datetime | None:
    """Return when, from `moment` on, somebody may be called; None where that helps nobody any more.

    The scheme's quiet hours are on the appointment's clock, the account's on the recipient's; both are kept.
    """
    allowed = _allowed(appointment, scheme, moment)
    ended = _allowed(appointment, scheme, allowed + CALLS_LAST)
    if ended != allowed + CALLS_LAST:
        allowed = ended
    if allowed > appointment.start - AT_LEAST or (allowed != moment and scheme.on_quiet == "skip"):
        return None
    return allowed


def _allowed(appointment: Appointment, scheme: Scheme, moment: datetime) -> datetime:
    span, zone = quiet.read_span(scheme.quiet), ZoneInfo(appointment.zone)
    while True:
        own = quiet.out_of(span, zone, moment)
        both = quiet.allowed_from(appointment.account, "voice", appointment.number, own)
        if both in (own, moment) or both > appointment.start:
            return both
        moment = both


def verdict(reminder: Reminder, appointment: Appointment) -> tuple[str, str] | None:
    """Return why nobody is called after a text, as (state, reason); None where the call is still right."""
    text = text_before(reminder)
    if text is None or text.status == "cancelled":
        return "cancelled", "not_wanted"
    if appointment.state != "open" or has_spoken_since(text):
        return "cancelled", "answered"
    if now() > appointment.start - AT_LEAST:
        return "missed", "too_late"
    return None


def text_before(reminder: Reminder) -> Message | None:
    """Return the text that a call follows."""
    return (  # type: ignore[no-any-return]
        Message.select()
        .join(Reminder, on=(Reminder.message == Message.id))
        .where(
            Reminder.appointment == reminder.appointment_id,
            Reminder.start == reminder.start,
            Reminder.rule == str(reminder.rule).removesuffix(CALL),
        )
        .first()
    )


def has_spoken_since(text: Message) -> bool:
    """Tell whether a person has written or called since a text: whatever was said is an answer."""
    return bool(
        Message.select()
        .where(
            Message.conversation == text.conversation_id,
            Message.direction == "incoming",
            Message.id > text.id,
        )
        .exists()
    )


def hasten(reminder: Reminder, scheme: Scheme) -> None:
    """Call at once, as the text did not get through."""
    appointment = reminder.appointment
    at = moment_for(appointment, scheme, now())
    if at is not None:
        Reminder.update(at=at).where(
            Reminder.appointment == appointment, Reminder.start == reminder.start,
            Reminder.rule == reminder.rule + CALL, Reminder.state == "planned", Reminder.at > at,
        ).execute()  # fmt: skip
