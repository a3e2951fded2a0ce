"""The work of the background: what is due is looked at once more, sent or left out, and rules that changed are applied.

Everything is found by state, so a worker that dies in the middle leaves nothing behind but work: a reminder and the
note that it has gone out are one transaction.
"""

import logging
from datetime import datetime, timedelta

from peewee import fn

from sms import awaiting, queue, quiet, sending, suppression
from sms.clock import now
from sms.db import database, is_sqlite
from sms.gsm import msisdn
from sms.models import Account, Message, log_change
from sms.modules.appointment import following, planning, renewing, saying
from sms.modules.appointment.following import AT_LEAST
from sms.modules.appointment.models import CALL, REMINDED, Appointment, Reminder, Scheme
from sms.refusal import Conflict, Refused

log = logging.getLogger(__name__)

MODULE = "appointment"
ANSWERABLE = ("open", "confirmed", "declined", "wants_to_move")
"""States in which an answer still does something."""
BATCH = 50
LATE = timedelta(minutes=15)
"""A reminder that goes out so much after its time was held up: of several held up only the last one helps."""
AGAIN = timedelta(minutes=5)
"""So long a reminder waits where every number waits for another answer of this person."""


def tick() -> None:
    """Have done what is due; once a second in the worker."""
    if _due(now()).exists() or renewing.unsettled().exists():
        queue.later("remind_of_appointments", priority=queue.LOW)


@queue.job
@queue.single
def remind_of_appointments() -> None:
    """Send what is due now."""
    work()


def work() -> int:
    """Plan anew what an older version of the rules has planned, then remind until nothing is due; returns how many."""
    done, moment, outdated = 0, now(), renewing.Pass()
    while True:
        # What is due waits for no more than one stretch, however much is planned anew.
        replanned = outdated.some()
        while few := [row.id for row in _due(moment).limit(BATCH)]:
            done += sum(_look_at(reminder_id) for reminder_id in few)
        if not replanned:
            return done


def _due(moment: datetime):  # type: ignore[no-untyped-def]
    return (
        Reminder.select(Reminder.id)
        .where(Reminder.state == "planned", Reminder.at <= moment)
        .order_by(Reminder.at, Reminder.id)
    )


def _look_at(reminder_id: int) -> int:
    """Look at one due reminder in a transaction of its own; whatever fails is shown as missed."""
    try:
        with database.atomic():
            return _remind(reminder_id)
    except Exception:
        log.exception("reminder %s cannot go out", reminder_id)
    with database.atomic():
        planning.end(Reminder.get_by_id(reminder_id), "missed", "fault")
    return 1


def _remind(reminder_id: int) -> int:
    """Send one reminder where it is still right at this moment; 0 where somebody else was faster or it is planned anew."""
    query = Reminder.select().where(Reminder.id == reminder_id, Reminder.state == "planned")
    reminder = (query if is_sqlite() else query.for_update()).first()
    if reminder is None:
        return 0
    appointment = reminder.appointment
    scheme = planning.scheme_for(appointment.account_id)
    if scheme is not None and appointment.planned_by != scheme.version:
        planning.replan([appointment], scheme)
        return 0
    if verdict := _verdict(reminder, appointment, scheme):
        planning.end(reminder, *verdict)
        return 1
    assert scheme is not None
    if following.is_call(reminder) and _waits_for_the_day(reminder, appointment, scheme):
        return 1
    channel = channel_of(appointment, reminder.channel)
    try:
        message = _send(appointment, scheme, words(scheme, appointment, channel), channel)
    except awaiting.Busy:
        Reminder.update(at=now() + AGAIN, reason="in_line").where(Reminder.id == reminder.id).execute()
        return 1
    except Refused as refusal:
        planning.end(reminder, "skipped", refusal.code[:30])
        return 1
    planning.end(reminder, "sent", "", message.id)
    log_change(appointment.account_id, "conversation", message.conversation_id)
    if reminder.channel == "both" and channel == "sms":
        following.plan_call(reminder, scheme, message)
    return 1


def words(scheme: Scheme, appointment: Appointment, channel: str) -> str:
    """Return the text of a reminder for a channel, its placeholders still in it."""
    locale = appointment.account.locale
    if channel == "voice":
        return saying.to_read(scheme, locale)
    return scheme.text or saying.usual("reminder", locale)


def _waits_for_the_day(reminder: Reminder, appointment: Appointment, scheme: Scheme) -> bool:
    """Put a call off that would ring in the quiet hours, or leave it out where the day comes too late."""
    moment = now()
    at = following.moment_for(appointment, scheme, moment)
    if at is None:
        planning.end(reminder, "skipped", "quiet")
    elif at > moment:
        Reminder.update(at=at).where(Reminder.id == reminder.id, Reminder.state == "planned").execute()
    return at != moment


def _verdict(reminder: Reminder, appointment: Appointment, scheme: Scheme | None) -> tuple[str, str] | None:
    """Return why a reminder does not go out, as (state, reason); None where it does."""
    moment = now()
    rule = (
        None
        if scheme is None
        else next((r for r in planning.rules_of(scheme) if r.key == reminder.rule.removesuffix(CALL)), None)
    )
    if rule is None or reminder.start != appointment.start:
        return "cancelled", "not_wanted"
    if appointment.state not in REMINDED or (appointment.state != "open" and not rule.always):
        return "cancelled", "answered"
    if suppression.is_suppressed(appointment.account_id, appointment.number):
        return "skipped", "opted_out"
    if moment > appointment.start - AT_LEAST and moment > reminder.at + LATE:
        return "missed", "too_late"
    if moment > reminder.at + LATE and _another_is_due(reminder, moment):
        return "missed", "another_goes_out"
    if following.is_call(reminder):
        return following.verdict(reminder, appointment)
    if _allowed_from(appointment, rule.channel, moment) >= appointment.start:
        return "skipped", "quiet"
    return None


def _another_is_due(reminder: Reminder, moment: datetime) -> bool:
    later = (
        Reminder.select()
        .where(Reminder.appointment == reminder.appointment_id, Reminder.state == "planned")
        .where(Reminder.at <= moment, (Reminder.at > reminder.at) | (Reminder.id > reminder.id))
    )
    return bool(later.exists())


def _allowed_from(appointment: Appointment, channel: str, moment: datetime) -> datetime:
    return quiet.allowed_from(
        appointment.account, channel_of(appointment, channel), appointment.number, moment
    )


def channel_of(appointment: Appointment, wanted: str) -> str:
    """Return how a number is reached: a landline by voice whatever the rule says, `both` begins with a text."""
    if msisdn.parse(appointment.number).channel == "voice":
        return "voice"
    return "voice" if wanted == "voice" else "sms"


def remind_now(appointment: Appointment, by_call: bool = False) -> Message:
    """Remind of an appointment at once, because a person wants it; raises Refused or Conflict."""
    scheme = planning.scheme_for(appointment.account_id)
    if scheme is None or appointment.state not in REMINDED or appointment.start <= now():
        raise Conflict("not_to_be_reminded")
    channel = channel_of(appointment, "voice" if by_call else "sms")
    try:
        with database.atomic():
            message = _send(appointment, scheme, words(scheme, appointment, channel), channel)
            Reminder.create(
                appointment=appointment, rule=f"hand-{message.id}", start=appointment.start, at=now(), channel=channel,
                state="sent", message=message.id, done_at=now(),
            )  # fmt: skip
            planning.note_reminded(appointment.id, appointment.start)
            log_change(appointment.account_id, "conversation", message.conversation_id)
    except awaiting.Busy:
        raise Conflict("numbers_wait") from None
    return message


def subject_of(appointment: Appointment) -> str:
    """Return what an answer to a reminder leads to: the person, who may have several appointments."""
    return f"{appointment.account_id}/{appointment.number}"


def reminded(account: Account, number: str) -> list[Appointment]:
    """Return the coming appointments of a number of which somebody was reminded, in the order of time."""
    told = Reminder.select(Reminder.appointment).where(
        Reminder.appointment == Appointment.id, Reminder.start == Appointment.start, Reminder.state == "sent"
    )
    found = Appointment.select().where(
        Appointment.account == account,
        Appointment.number == number,
        Appointment.start > now(),
        Appointment.state.in_(ANSWERABLE),
        fn.EXISTS(told),
    )
    return list(found.order_by(Appointment.start, Appointment.id))


def _send(appointment: Appointment, scheme: Scheme, text: str, channel: str) -> Message:
    """Send a text about an appointment and wait for the answer on its number; raises Refused or Busy."""
    account: Account = appointment.account
    values = saying.fields(account, appointment)
    text = saying.addressed(text, values)
    if channel == "voice":
        return sending.send(
            account, appointment.number, text, sender=scheme.sender, channel="voice", source=MODULE,
            fields=values, automated=True,
        )  # fmt: skip
    subject = subject_of(appointment)

    def send(sender: str) -> Message:
        return sending.send(
            account, appointment.number, text, sender=sender, channel="sms", source=MODULE,
            fields=values, automated=True,
        )  # fmt: skip

    possible = awaiting.senders(account, appointment.number, MODULE, subject, scheme.sender, scheme.sender)
    return awaiting.ask(possible, send, lambda sent: awaiting.expect(sent, MODULE, subject))


def tell_of_change(appointment: Appointment, before: datetime | None = None) -> None:
    """Tell who has been reminded that the appointment has moved or is cancelled, where the scheme has words for it."""
    scheme = planning.scheme_for(appointment.account_id)
    start = before or appointment.start
    told = Reminder.select().where(
        Reminder.appointment == appointment.id, Reminder.start == start, Reminder.state == "sent"
    )
    if scheme is None or start <= now() or not told.exists():
        return
    text = scheme.cancelled_text if appointment.state == "cancelled" else scheme.moved_text
    if not text:
        return
    try:
        _send(appointment, scheme, text, channel_of(appointment, "sms"))
    except (Refused, awaiting.Busy) as error:
        log.warning("appointment %s: nobody is told of its change: %s", appointment.id, error)
