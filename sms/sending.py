"""Sending: a text is checked, stored with everything it needs, and only then is the worker's doorbell rung."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sms import contacts, queue, quiet, quota, routing, search, suppression
from sms.clock import now
from sms.db import database, to_ms
from sms.gsm import msisdn, placeholders, segments, sender_id
from sms.models import Account, ContactNumber, Conversation, Message, User, log_change
from sms.models.event import log_status
from sms.refusal import Conflict, NotFound, Refused

UNDO = timedelta(seconds=5)
"""A direct reply can be taken back for so long."""

FURTHEST = timedelta(days=366)
LONGEST_REFERENCE = 100
PREVIEW = 160


@dataclass(frozen=True)
class Preview:
    """What a text would become: the one computation behind the meter, the API's preview and the stored message."""

    text: str
    segments: segments.Segments
    missing: tuple[str, ...]
    to: msisdn.Number | None
    sender: sender_id.SenderId | None


@dataclass(frozen=True)
class Sending:
    """A checked request, ready to be stored."""

    number: msisdn.Number
    channel: str
    sender: sender_id.SenderId
    text: str
    segments: segments.Segments


def preview(
    account: Account,
    text: str,
    to: str | None = None,
    sender: str | None = None,
    fields: Mapping[str, Any] | None = None,
) -> Preview:
    """Compute what would be sent, storing nothing; never refuses a number or sender, it tells about them."""
    number = None if to is None else msisdn.parse(to, account.region)
    filled = placeholders.fill(segments.normalise(text), _fields(account, number, fields))
    whole = segments.normalise(filled.text)
    kind = None if sender is None else routing.classify(account, sender)
    return Preview(whole, segments.count(whole), filled.missing, number, kind)


def _fields(
    account: Account, number: msisdn.Number | None, given: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return what placeholders may name: the contact's own fields and name, then what the request brings."""
    known: dict[str, Any] = {"account": account.name, "praxis": account.name}
    contact = contacts.find(account, number.e164) if number and number.e164 else None
    if contact is not None:
        known |= {"name": contact.name or None, **(contact.fields or {})}
    return known | dict(given or {})


def send(
    account: Account,
    to: str,
    text: str,
    *,
    sender: str = "",
    channel: str = "auto",
    send_at: datetime | None = None,
    fields: Mapping[str, Any] | None = None,
    reference: str | None = None,
    by: User | None = None,
    source: str = "agent",
    automated: bool = False,
    unless_answered: bool = False,
    undo: bool = False,
    conversation: Conversation | None = None,
    seen: int | None = None,
    exempt: bool = False,
) -> Message:
    """Accept one message: stored `queued` (or `scheduled`) with its Change, and the worker is told after commit.

    `seen` is the newest message the agent's page shows; where a colleague has written since, nothing is stored and
    Conflict("answered_meanwhile") is raised. `exempt` is for the one confirmation of an opt-out. Raises Refused at
    the field that cannot be used.
    """
    sending = _checked(
        account, to, text, sender, channel, fields, strict=source != "api" or fields is not None
    )
    wanted = _moment(send_at)
    moment = _in_the_day(account, sending, wanted) if automated else wanted
    if reference is not None and len(reference) > LONGEST_REFERENCE:
        raise Refused("reference", "too_long", limit=LONGEST_REFERENCE)
    with database.atomic():
        assert sending.number.e164 is not None
        if not exempt and suppression.is_suppressed(account, sending.number.e164):
            raise Refused("to", "opted_out")
        conversation = conversation or contacts.find_or_add(account, sending.number.e164)[1]
        _demand_nobody_was_faster(conversation, seen, by)
        message = _stored(
            account, conversation, sending, moment,
            author=by, source=source, automated=automated, reference=reference,
            unless_answered=unless_answered and moment is not None, exempt=exempt,
            moved_from=(wanted or now()) if moment != wanted else None,
            undo_until=now() + UNDO if undo and moment is None else None,
        )  # fmt: skip
        _show(conversation, message, by)
    return message


def _checked(
    account: Account,
    to: str,
    text: str,
    sender: str,
    channel: str,
    fields: Mapping[str, Any] | None,
    strict: bool = True,
) -> Sending:
    """Check a request field by field; a program that names no fields may send braces as they are (not `strict`)."""
    number = msisdn.parse(to, account.region)
    if number.e164 is None or number.channel is None:
        raise Refused("to", number.error or "invalid")
    shown = preview(account, text, to, sender, fields)
    if shown.missing and strict:
        raise Refused("text", "placeholder_unknown", names=", ".join(shown.missing))
    trouble = segments.problem(shown.text)
    if trouble:
        raise Refused("text", trouble, limit=segments.MAX_CHARACTERS)
    assert shown.sender is not None
    if shown.sender.error:
        raise Refused("sender", f"sender_{shown.sender.error}", suggestion=shown.sender.suggestion)
    return Sending(number, _channel(number, channel), shown.sender, shown.text, shown.segments)


def _channel(number: msisdn.Number, wanted: str) -> str:
    if wanted == "auto":
        return number.channel or "sms"
    if wanted not in ("sms", "voice"):
        raise Refused("channel", "unknown_channel")
    if wanted == "sms" and number.channel == "voice":
        raise Refused("channel", "landline_needs_voice")
    return wanted


def _moment(send_at: datetime | None) -> datetime | None:
    if send_at is None:
        return None
    if send_at <= now():
        raise Refused("send_at", "in_the_past")
    if send_at > now() + FURTHEST:
        raise Refused("send_at", "too_far")
    return send_at


def _in_the_day(account: Account, sending: Sending, wanted: datetime | None) -> datetime | None:
    """Move what a machine starts out of the quiet hours; None where it may go out at once."""
    start = wanted or now()
    moment = quiet.allowed_from(account, sending.channel, sending.number.e164 or "", start)
    return wanted if moment == start else moment


def _demand_nobody_was_faster(conversation: Conversation, seen: int | None, by: User | None) -> None:
    if seen is None:
        return
    newer = (
        Message.select()
        .where(
            Message.conversation == conversation,
            Message.id > seen,
            Message.direction == "outgoing",
            (Message.author != by) | Message.author.is_null(),
            Message.status != "cancelled",
            Message.source == "agent",
        )
        .order_by(Message.id.desc())
        .first()
    )
    if newer is not None:
        raise Conflict("answered_meanwhile", message=newer.id, name=newer.author.name if newer.author else "")


def _stored(
    account: Account,
    conversation: Conversation,
    sending: Sending,
    send_at: datetime | None,
    exempt: bool,
    moved_from: datetime | None,
    **values: Any,
) -> Message:
    their = sending.number.e164 or ""
    way = (routing.way_for_call if sending.channel == "voice" else routing.way_for_text)(
        account, sending.sender, their
    )
    voice = sending.channel == "voice"
    if not exempt:
        quota.count(account, 0 if voice else sending.segments.parts, 1 if voice else 0)
    moment = now()
    undo_until = values.get("undo_until")
    facts: dict[str, Any] = {}
    if voice and sending.sender.kind == "alphanumeric":
        facts["sender"] = sending.sender.value
    if moved_from is not None:
        facts["moved_from"] = to_ms(moved_from)
    message = Message.create(
        account=account, conversation=conversation, direction="outgoing", channel=sending.channel,
        ours=way.ours, theirs=their, carrier=way.carrier, text=sending.text,
        encoding=sending.segments.encoding, parts=0 if voice else sending.segments.parts,
        data=facts or None,
        status="scheduled" if send_at else "queued",
        priority=0 if values["automated"] else 10, key=new_key(),
        created_at=moment, at=send_at or moment, next_at=send_at or undo_until or moment, **values,
    )  # fmt: skip
    log_status(message, "moved out of the quiet hours" if moved_from is not None else "")
    search.index_message(message)
    return message


def new_key() -> str:
    """Make up our own reference for one attempt: 22 URL-safe characters that nobody can guess."""
    return secrets.token_urlsafe(16)


def _show(conversation: Conversation, message: Message, by: User | None) -> None:
    """Bring a new outgoing message to the list and the open pages, and ring the worker for it."""
    touch(conversation, message, reopens=message.source == "agent")
    log_change(message.account_id, "message", conversation.id, message.id, by.id if by else None)
    ring(message)


def touch(conversation: Conversation, message: Message, reopens: bool) -> None:
    """Move a conversation to the top with this message as its preview; a future one leaves the order alone.

    `reopens`: a person acts in it now, so it does not stay closed or snoozed.
    """
    values: dict[str, Any] = {"last_message": message.id}
    if message.status != "scheduled":
        values |= {
            "preview": " ".join(message.text.split())[:PREVIEW],
            "preview_kind": preview_kind(message),
            "last_activity_at": now(),
            "last_outgoing": message.id,
            "failed": False,
        }
        if reopens and conversation.status in ("closed", "snoozed"):
            values |= {"status": "open", "snoozed_until": None}
    Conversation.update(**values).where(Conversation.id == conversation.id).execute()


def ring(message: Message) -> None:
    """Tell the worker that a queued message waits; one with an undo window is rung when that has passed."""
    if message.status != "queued" or message.next_at is None:
        return
    queue.later(
        "make_calls" if message.channel == "voice" else "deliver",
        delay=message.next_at - now() if message.next_at > now() else None,
        priority=queue.HIGH if message.priority else queue.LOW,
    )


def reply(
    conversation: Conversation,
    text: str,
    *,
    by: User,
    sender: str = "",
    channel: str = "auto",
    send_at: datetime | None = None,
    unless_answered: bool = False,
    seen: int | None = None,
    to: str = "",
) -> Message:
    """Answer in a thread, to the number that wrote last unless another one is named; sent now, it can be undone.

    Raises what `send` raises, and NotFound where `to` is none of this contact's numbers.
    """
    account = conversation.account
    number = to or number_to_answer(conversation, channel)
    if to and not _belongs(conversation, to):
        raise NotFound
    return send(
        account,
        number,
        text,
        sender=sender or sender_to_answer(conversation),
        channel=channel,
        send_at=send_at,
        by=by,
        unless_answered=unless_answered,
        undo=send_at is None,
        conversation=conversation,
        seen=seen,
    )


def _belongs(conversation: Conversation, number: str) -> bool:
    e164 = msisdn.parse(number, conversation.account.region).e164
    where = (ContactNumber.contact == conversation.contact_id) & (ContactNumber.number == e164)
    return bool(ContactNumber.select().where(where).exists())


def _newest_incoming(conversation: Conversation) -> Message | None:
    return (
        Message.select()
        .where(
            Message.conversation == conversation, Message.direction == "incoming", Message.channel == "sms"
        )
        .order_by(Message.at.desc(), Message.id.desc())
        .first()
    )


def number_to_answer(conversation: Conversation, channel: str = "auto") -> str:
    """Return the number (E.164) an answer goes to: the one that wrote last, else the contact's first."""
    newest = _newest_incoming(conversation)
    if newest is not None and channel != "voice" and _belongs(conversation, newest.theirs):
        return str(newest.theirs)
    return str(conversation.contact.number)


def sender_to_answer(conversation: Conversation) -> str:
    """Return the own number that was written to last, so that the answer comes from it; nothing for the pool."""
    newest = _newest_incoming(conversation)
    if newest is None:
        return ""
    return newest.ours if routing.owned_numbers(conversation.account).get(newest.ours) == "virtual" else ""


def add_note(conversation: Conversation, text: str, by: User) -> Message:
    """Put a private note into the thread; raises Refused for text that cannot be kept."""
    text = segments.normalise(text)
    trouble = segments.problem(text)
    if trouble:
        raise Refused("text", trouble, limit=segments.MAX_CHARACTERS)
    moment = now()
    with database.atomic():
        note = Message.create(
            account=conversation.account_id, conversation=conversation, direction="internal", channel="note",
            text=text, status="received", author=by, created_at=moment, at=moment,
        )  # fmt: skip
        search.index_message(note)
        log_change(conversation.account_id, "message", conversation.id, note.id, by.id)
    return note


def cancel(message: Message, by: User | None = None) -> None:
    """Take back a scheduled message or one still in its undo window; raises Conflict where it is on its way."""
    with database.atomic():
        if not message.withdraw(now()):
            raise Conflict("too_late_to_cancel", status=message.status)
        log_status(message, "cancelled by a person" if by else "")
        restore_preview(message.conversation_id)
        log_change(message.account_id, "status", message.conversation_id, message.id, by.id if by else None)


def restore_preview(conversation_id: int) -> None:
    """Let the list show the newest message that was not taken back, and whether the newest of ours got through."""
    left = (
        Message.select()
        .where(
            Message.conversation == conversation_id,
            Message.direction != "internal",
            Message.status.not_in(("cancelled", "scheduled")),
        )
        .order_by(Message.at.desc(), Message.id.desc())
    )
    newest, ours = left.first(), left.where(Message.direction == "outgoing").first()
    Conversation.update(
        preview="" if newest is None else " ".join(newest.text.split())[:PREVIEW],
        preview_kind="" if newest is None else preview_kind(newest),
        last_outgoing=0 if ours is None else ours.id,
        failed=ours is not None and ours.status in ("failed", "undelivered"),
    ).where(Conversation.id == conversation_id).execute()


def preview_kind(message: Message) -> str:
    """Return what the list says of a message: in, out, voice, voicemail, callback or call."""
    if message.direction == "outgoing":
        return "voice" if message.channel == "voice" else "out"
    if message.channel == "event":
        return "callback" if (message.data or {}).get("kind") == "callback_wanted" else "call"
    return "voicemail" if message.channel == "voice" else "in"


def retry(message: Message, by: User | None = None, channel: str | None = None) -> Message:
    """Try a message once more because a person asked; as a voice call it becomes a message of its own.

    Raises Conflict where it is on its way or was delivered, Refused where it may not be sent (any more).
    """
    if message.direction != "outgoing":
        raise Conflict("not_outgoing")
    if channel == "voice" and message.channel != "voice":
        return _as_call(message, by)
    with database.atomic():
        if suppression.is_suppressed(message.account_id, message.theirs):
            raise Refused("to", "opted_out")
        moment = now()
        again = message.again(
            key=new_key(), carrier_reference=None, reason="", error="", attempts=0, next_at=moment,
            lease_until=None, sent_at=None, delivered_at=None,
        )  # fmt: skip
        if not again:
            raise Conflict("too_late_to_retry", status=message.status)
        _route_again(message)
        quota.count(message.account, message.parts, 1 if message.channel == "voice" else 0)
        log_status(message, "tried again by a person" if by else "tried again")
        Conversation.update(failed=False).where(Conversation.id == message.conversation_id).execute()
        log_change(message.account_id, "status", message.conversation_id, message.id, by.id if by else None)
        ring(message)
    return message


def _as_call(message: Message, by: User | None) -> Message:
    if message.status not in ("undelivered", "failed", "unknown", "cancelled"):
        raise Conflict("too_late_to_retry", status=message.status)
    conversation = message.conversation
    return send(
        message.account,
        _number_to_call(message),
        message.text,
        channel="voice",
        by=by,
        conversation=conversation,
        source=message.source,
    )


def _number_to_call(message: Message) -> str:
    """Prefer the contact's landline, where a voice is at home."""
    for entry in message.conversation.contact.numbers:
        if entry.kind == "landline":
            return str(entry.number)
    return message.theirs


def edit_scheduled(message: Message, text: str, send_at: datetime | None, by: User | None = None) -> None:
    """Change text and time of a scheduled message; raises Conflict where it has gone out, Refused at the field."""
    account = message.account
    moment = _moment(send_at) if send_at != message.next_at else send_at
    sending = _checked(account, message.theirs, text, "", message.channel, None)
    voice = message.channel == "voice"
    with database.atomic():
        values: dict[str, Any] = {
            "text": sending.text,
            "encoding": sending.segments.encoding,
            "parts": 0 if voice else sending.segments.parts,
            "next_at": moment or message.next_at,
            "at": moment or message.at,
        }
        quota.count(account, max(0, values["parts"] - message.parts))
        same = (Message.id == message.id) & (Message.status == "scheduled")
        if not Message.update(**values).where(same).execute():
            raise Conflict("too_late_to_edit", status=message.status)
        for name, value in values.items():
            setattr(message, name, value)
        search.index_message(message)
        log_change(message.account_id, "status", message.conversation_id, message.id, by.id if by else None)


def send_now(message: Message, by: User | None = None) -> None:
    """Send a scheduled message at once; raises Conflict where it has gone out already."""
    with database.atomic():
        release(message, by)


def release(message: Message, by: User | None = None) -> None:
    """Move a scheduled message into the queue, inside the caller's transaction; its place in the thread is now.

    Raises Conflict where it has gone out already, Refused where no number is left to send it from.
    """
    moment = now()
    if not message.advance("queued", next_at=moment, at=moment):
        raise Conflict("too_late_to_edit", status=message.status)
    _route_again(message)
    log_status(message)
    # A clock that releases it is no person: a conversation that was closed meanwhile stays closed.
    touch(message.conversation, message, reopens=by is not None)
    log_change(message.account_id, "message", message.conversation_id, message.id, by.id if by else None)
    ring(message)


def _route_again(message: Message) -> None:
    """Find the way once more for a message that has waited: its pool number may serve another account by now."""
    way = routing.renew(message.account, message.ours, message.theirs, message.channel)
    message.ours, message.carrier = way.ours, way.carrier
    Message.update(ours=way.ours, carrier=way.carrier).where(Message.id == message.id).execute()


def wait_for_the_day(message: Message) -> bool:
    """Move a machine's message that comes due in the quiet hours (a backlog, a retry) to their end; True if it was."""
    moment = now()
    if not message.automated:
        return False
    allowed = quiet.allowed_from(message.account, message.channel, message.theirs, moment)
    if allowed <= moment:
        return False
    facts = {**(message.data or {}), "moved_from": to_ms(moment)}
    with database.atomic():
        still = (Message.id == message.id) & (Message.status == "queued") & (Message.next_at <= moment)
        if Message.update(next_at=allowed, data=facts).where(still).execute():
            log_status(message, "moved out of the quiet hours")
            log_change(message.account_id, "status", message.conversation_id, message.id)
    return True


def answered(conversation: Conversation) -> None:
    """Cancel scheduled messages that were to go out only if no answer came, inside the receiving transaction."""
    waiting = Message.select().where(
        Message.conversation == conversation, Message.status == "scheduled", Message.unless_answered
    )
    for message in waiting:
        if message.withdraw(now(), "answered"):
            log_status(message, "an answer came")
            log_change(message.account_id, "status", conversation.id, message.id)
