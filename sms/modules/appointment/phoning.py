"""Reminders on the telephone: the keys of a reminder that is read aloud, and what becomes of the call."""

from sms import answering, quiet
from sms.clock import now
from sms.db import database
from sms.models import Message, log_change
from sms.models.event import add_event
from sms.modules.appointment import answers, following, planning, saying, waiting
from sms.modules.appointment.models import REMINDED, Appointment, Reminder
from sms.modules.appointment.reminding import ANSWERABLE, MODULE
from voice.script import Menu

KEYS = {"1": "confirm", "2": "cancel", "3": "callback"}
LOST = ("failed", "undelivered")
BY_HAND = "hand-"


def reminder_of(message: Message) -> Reminder | None:
    """Return the reminder that a message is, None for anything else that is said of appointments."""
    return Reminder.get_or_none(Reminder.message == message.id)  # type: ignore[no-any-return]


def menu(message: Message) -> Menu | None:
    """Return the keys of a reminder in the language of its call, with what each is answered."""
    reminder = reminder_of(message)
    if reminder is None:
        return None
    locale = message.account.locale
    goodbye = saying.usual("goodbye", locale)
    said = {key: f"{_reply(reminder, meaning)} {goodbye}" for key, meaning in KEYS.items()}
    return Menu(saying.usual("keys", locale), said)


def _reply(reminder: Reminder, meaning: str) -> str:
    appointment = reminder.appointment
    scheme = planning.scheme_for(appointment.account_id)
    name = answers.outcome(appointment, meaning, scheme)
    if meaning != "callback" and not _still_asks(reminder):
        name = "changed"
    return saying.said(appointment, saying.reply(appointment, scheme, name))


def _still_asks(reminder: Reminder) -> bool:
    """Tell whether the appointment is still the one that somebody is asked about."""
    appointment = reminder.appointment
    same = appointment.start == reminder.start and appointment.start > now()
    return same and appointment.state in ANSWERABLE


def on_key(message: Message, key: str) -> None:
    """Let a key do what the same word in a text does; a wish for a call back is for a person."""
    reminder = reminder_of(message)
    if reminder is None:
        return
    if KEYS[key] == "callback":
        answering.want_call_back(message)
    if _still_asks(reminder):
        appointment = reminder.appointment
        scheme = planning.scheme_for(appointment.account_id)
        answers.settle(appointment, KEYS[key], "key", scheme, message.conversation)
    elif KEYS[key] != "callback":
        answers.to_agents(message.conversation, reminder.appointment, "appointment_answer_too_late")


def still_right(message: Message) -> bool:
    """Tell whether a reminder should still ring: nobody is called after an answer, a move, or in the quiet hours."""
    reminder = reminder_of(message)
    if reminder is None:
        return True
    appointment = Appointment.get_by_id(reminder.appointment_id)
    if appointment.start != reminder.start or appointment.start <= now():
        return False
    if str(reminder.rule).startswith(BY_HAND):
        return appointment.state in REMINDED
    if quiet.allowed_from(appointment.account, "voice", appointment.number, now()) > now():
        return False
    if following.is_call(reminder):
        return following.verdict(reminder, appointment) is None
    return appointment.state == "open" or (appointment.state in REMINDED and _always(reminder))


def _always(reminder: Reminder) -> bool:
    scheme = planning.scheme_for(reminder.appointment.account_id)
    rules = [] if scheme is None else planning.rules_of(scheme)
    return any(rule.always for rule in rules if rule.key == reminder.rule)


def on_report(message: Message) -> None:
    """Go on where a reminder or an offer is lost: call instead of the text, ask the next one, show it."""
    if message.status not in (*LOST, "delivered", "cancelled"):
        return
    with database.atomic():
        if message.status in LOST:
            waiting.not_delivered(message)
        reminder = reminder_of(message)
        if reminder is None:
            return
        if message.status == "cancelled":
            _called_off(reminder)
        elif message.status in LOST:
            _lost(reminder, message)
        log_change(message.account_id, "appointment")


def _called_off(reminder: Reminder) -> None:
    Reminder.update(state="cancelled", reason="not_wanted").where(
        Reminder.id == reminder.id, Reminder.state == "sent"
    ).execute()


def _lost(reminder: Reminder, message: Message) -> None:
    """Note once that a reminder did not get through, in the thread where it was the call."""
    first = Reminder.update(reason="not_reached").where(
        Reminder.id == reminder.id, Reminder.reason != "not_reached"
    )
    if not first.execute():
        return
    scheme = planning.scheme_for(reminder.appointment.account_id)
    if message.channel != "voice" and scheme is not None:
        following.hasten(reminder, scheme)
    elif message.channel == "voice":
        strong = answers.in_words(reminder.appointment)
        add_event(message.conversation, "appointment_not_reached", source=MODULE, strong=strong)
