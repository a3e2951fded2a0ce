"""What people answer to a reminder, and what it does to the appointment."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sms import awaiting, inbox, sending
from sms.clock import now
from sms.db import database
from sms.models import Account, Contact, Conversation, Expectation, Message, User, log_change
from sms.models.event import add_event
from sms.modules.appointment import occasions, planning, reminding, saying, waiting
from sms.modules.appointment.models import Appointment, Choice, Reminder, Scheme
from sms.modules.appointment.reminding import MODULE
from sms.modules.appointment.telling import in_words
from sms.refusal import Conflict
from sms.understanding import understand
from sms.understanding.appointment import DEFAULT_WORDS

SAID = {"confirmed": "confirmed", "declined": "declined", "wants_to_move": "wants_to_move", "open": ""}
"""What somebody has said of an appointment, by the state that it leads to; the other states say nothing of it."""
STATE_COLUMNS = [
    Appointment.state, Appointment.how, Appointment.state_at, Appointment.answered, Appointment.settles_at
]  # fmt: skip
STATE_OF = {"confirm": "confirmed", "cancel": "declined", "reschedule": "wants_to_move"}
MOST_TO_CHOOSE_FROM = 5
CHOICE_COUNTS = timedelta(days=1)
"""So long a number may answer the question which appointment is meant."""


def on_reply(message: Message, expectation: Expectation) -> bool:
    """Take an answer to a reminder; False for anything else, which is an ordinary message with the appointment beside it."""
    account = message.account
    scheme = planning.scheme_for(account.id)
    candidates = reminding.reminded(account, message.theirs)
    if scheme is None or not candidates:
        return False
    if chosen := _chosen(message, candidates):
        return _answer(chosen[0], chosen[1], scheme, message)
    meaning = _meaning(message, scheme)
    if meaning is None:
        _mark(message, candidates[0], "")
        return False
    fresh = [one for one in candidates if one.state == "open"] or candidates
    if len(fresh) > 1:
        return _ask_which(fresh[:MOST_TO_CHOOSE_FROM], meaning, message)
    return _answer(fresh[0], meaning, scheme, message)


def _meaning(message: Message, scheme: Scheme) -> str | None:
    words = {role: tuple(a.get("words") or ()) for role, a in (scheme.answers or {}).items()}
    usable = {role: words.get(role) or DEFAULT_WORDS[role] for role in DEFAULT_WORDS}
    found = understand("appointment", message.text, locale=message.account.locale, words=usable)
    return str(found.value) if found.outcome == "value" else None


def _chosen(message: Message, candidates: list[Appointment]) -> tuple[Appointment, str] | None:
    """Return which appointment a number names, where the last question was which one is meant."""
    where = (Choice.account == message.account) & (Choice.number == message.theirs)
    choice = Choice.get_or_none(where, Choice.at > now() - CHOICE_COUNTS)
    if choice is None:
        return None
    by_id = {one.id: one for one in candidates}
    offered = [by_id.get(id) for id in choice.offered]
    options = [in_words(one) if one is not None else "-" for one in offered]
    found = understand("choice", message.text, locale=message.account.locale, options=options)
    chosen = offered[int(str(found.value)) - 1] if found.outcome == "value" else None
    if chosen is None:
        return None
    Choice.delete().where(where).execute()
    return chosen, choice.meaning


def _ask_which(candidates: list[Appointment], meaning: str, message: Message) -> bool:
    text = saying.usual("which", message.account.locale)
    listed = ", ".join(f"{n} = {in_words(one)}" for n, one in enumerate(candidates, 1))
    _say(message, text, {"Liste": listed, "list": listed})
    offered = [one.id for one in candidates]
    Choice.insert(
        account=message.account, number=message.theirs, meaning=meaning, offered=offered, at=now()
    ).on_conflict(
        conflict_target=[Choice.account, Choice.number],
        preserve=[Choice.meaning, Choice.offered, Choice.at],
    ).execute()
    return True


def _answer(appointment: Appointment, meaning: str, scheme: Scheme, message: Message) -> bool:
    """Do what a text says, put the appointment beside it, and answer it."""
    _mark(message, appointment, meaning)
    name = settle(appointment, meaning, "reply", scheme, message.conversation)
    _say(message, saying.reply(appointment, scheme, name), saying.fields(message.account, appointment))
    return True


def settle(
    appointment: Appointment, meaning: str, how: str, scheme: Scheme | None, conversation: Conversation
) -> str:
    """Let an answer do what it says, whether written or pressed: confirm, cancel, reschedule or callback.

    Returns the name of what is said back (`saying.reply`), as `outcome` does. Who asks to be called back wants another
    time or has a question: the state is the same, `how` tells them apart.
    """
    planning.hold(appointment)
    name = outcome(appointment, meaning, scheme)
    if name == "too_late":
        Appointment.update(answered="declined").where(Appointment.id == appointment.id).execute()
        to_agents(conversation, appointment, "appointment_late_cancellation")
    elif name == "given":
        to_agents(conversation, appointment, "appointment_given_away")
    elif name == "callback":
        if not waiting.is_given(appointment):
            set_state(appointment, "wants_to_move", "callback", None)
    else:
        set_state(appointment, STATE_OF[meaning], how, conversation)
    if name == "reschedule":
        inbox.reopen(conversation)
    return name


def outcome(appointment: Appointment, meaning: str, scheme: Scheme | None) -> str:
    """Return what an answer comes to at this moment: its meaning, too_late, or given (the time is somebody else's)."""
    cutoff = timedelta(minutes=scheme.cutoff_minutes if scheme is not None else 0)
    if meaning == "cancel" and now() > appointment.start - cutoff:
        return "too_late"
    if meaning in ("confirm", "reschedule") and waiting.is_given(appointment):
        return "given"
    return meaning


def set_state(
    appointment: Appointment, state: str, how: str, conversation: Conversation | None, by: User | None = None
) -> bool:
    """Bring an appointment into a state, with its event in the thread; False where it is there already."""
    with database.atomic():
        planning.hold(appointment)
        if appointment.state == state:
            return False
        if state not in (*waiting.FREE, "no_show", "attended") and waiting.is_given(appointment):
            raise Conflict("given_away")
        appointment.state, appointment.how, appointment.state_at = state, how, now()
        if state in SAID:
            appointment.answered = SAID[state]
        occasions.look_again(appointment)
        appointment.save(only=STATE_COLUMNS)
        planning.replan([appointment], planning.scheme_for(appointment.account_id))
        waiting.follow(appointment)
        log_change(appointment.account_id, "appointment")
        if conversation is not None:
            kind = f"appointment_{state}_by_agent" if by is not None else f"appointment_{state}"
            _tell(conversation, appointment, kind, by)
    return True


def to_agents(conversation: Conversation, appointment: Appointment, kind: str) -> None:
    """Leave an appointment to a person: the conversation is open, and says why."""
    inbox.reopen(conversation)
    _tell(conversation, appointment, kind)


def _tell(conversation: Conversation, appointment: Appointment, kind: str, by: User | None = None) -> None:
    add_event(conversation, kind, by, MODULE, appointment=appointment.id, strong=in_words(appointment))
    log_change(conversation.account_id, "conversation", conversation.id)


def _say(message: Message, text: str, fields: dict[str, Any]) -> None:
    sending.send(
        message.account, message.theirs, saying.addressed(text, fields), sender=message.ours, channel="sms",
        source=MODULE, fields=fields, answering=True, conversation=message.conversation,
    )  # fmt: skip


def _mark(message: Message, appointment: Appointment, meaning: str) -> None:
    """Put the appointment beside the bubble of an answer."""
    local = appointment.start.astimezone(ZoneInfo(appointment.zone))
    chip = {
        "icon": "calendar-check"
        if meaning == "confirm"
        else "calendar-x"
        if meaning == "cancel"
        else "calendar",
        "label": in_words(appointment),
        "value": meaning,
        "href": f"/appointments/?day={local:%Y-%m-%d}#a-{appointment.id}",
    }
    message.data = {**(message.data or {}), "chip": chip}
    Message.update(data=message.data).where(Message.id == message.id).execute()
    log_change(message.account_id, "message", message.conversation_id, message.id)


def on_opt_out(account: Account, number: str) -> None:
    """Remind this person of nothing more; the appointments stay, and show that nobody will be reminded."""
    coming = Appointment.select().where(
        Appointment.account == account, Appointment.number == number, Appointment.start > now()
    )
    ids = [one.id for one in coming]
    Reminder.update(state="skipped", reason="opted_out", done_at=now()).where(
        Reminder.appointment.in_(ids or [0]), Reminder.state == "planned"
    ).execute()
    awaiting.forget(number, MODULE, f"{account.id}/{number}")
    waiting.leave(account, number)


def on_erase(contact: Contact, numbers: list[str]) -> None:
    """Forget a person, inside the erasing transaction: number, title and fields go, the state of the slot stays."""
    theirs = (Appointment.account == contact.account_id) & Appointment.number.in_(numbers)
    ids = [one.id for one in Appointment.select(Appointment.id).where(theirs)]
    Reminder.update(state="cancelled", reason="erased", done_at=now()).where(
        Reminder.appointment.in_(ids or [0]), Reminder.state == "planned"
    ).execute()
    waiting.erase(contact.account, numbers)
    Choice.delete().where(Choice.account == contact.account_id, Choice.number.in_(numbers)).execute()
    Appointment.update(number="", title="", fields={}).where(Appointment.id.in_(ids or [0])).execute()
