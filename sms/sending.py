"""Sending: a text is checked, stored with everything it needs, and only then is the worker's doorbell rung."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sms import bulk, checking, gathering, quota, routing, search, statements, suppression
from sms.bulk import DUPLICATE
from sms.bulk import PREVIEW as PREVIEW
from sms.bulk import UNDO as UNDO
from sms.bulk import new_key as new_key
from sms.checking import Desk, Wanted
from sms.clock import now
from sms.db import database
from sms.gsm import msisdn, segments
from sms.models import Account, ContactNumber, Conversation, Message, User, log_change
from sms.models.event import log_status
from sms.modules import modules
from sms.refusal import Conflict, NotFound, Refused


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
    answering: bool = False,
    again: bool = False,
) -> Message:
    """Accept one message: stored `queued` (or `scheduled`) with its Change, and the worker is told after commit.

    `seen` is the newest message the agent's page shows; where a colleague has written since, nothing is stored and
    Conflict("answered_meanwhile") is raised. `exempt` is for the one confirmation of an opt-out, `answering` for what
    a module says to somebody who has just written, `again` for what may be said twice. Raises Refused at the field
    that cannot be used.
    """
    wanted = Wanted(
        to=to, text=text, sender=sender, channel=channel, send_at=send_at, fields=fields, reference=reference, by=by,
        source=source, automated=automated, unless_answered=unless_answered, undo=undo, conversation=conversation,
        seen=seen, exempt=exempt, answering=answering, again=again,
    )  # fmt: skip
    return accepted(account, wanted).message()


def accepted(account: Account, wanted: Wanted) -> bulk.Accepted:
    """Accept one message and return what was stored of it; raises Refused or Conflict."""
    if wanted.by is None:
        outcome = gathering.accept(account, wanted)
    else:
        (outcome,) = bulk.accept(account, [wanted], _tell_modules)
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def _tell_modules(outcomes: Sequence[bulk.Outcome]) -> None:
    """Let the modules know that a person writes now: whatever they have begun in the thread steps back."""
    for outcome in outcomes:
        if (
            isinstance(outcome, bulk.Accepted)
            and outcome.status == "queued"
            and outcome.wanted.source == "agent"
        ):
            for module in modules().values():
                if module.on_sent_by_person is not None:
                    module.on_sent_by_person(outcome.message())


def ring(message: Message) -> None:
    """Tell the worker that a queued message waits."""
    if message.status == "queued" and message.next_at is not None:
        bulk.ring(message.channel, message.priority, message.next_at)


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
    number, own = answering(conversation, channel)
    if to and not _belongs(conversation, to):
        raise NotFound
    return send(
        conversation.account,
        to or number,
        text,
        sender=sender or own,
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


def answering(conversation: Conversation, channel: str = "auto") -> tuple[str, str]:
    """Return the number (E.164) an answer goes to and the own number it comes from, nothing for the pool.

    To the number that wrote last, else the contact's first; from the number that was written to.
    """
    newest = _newest_incoming(conversation)
    if newest is None:
        return conversation.contact.number, ""
    to = newest.theirs if channel != "voice" and _belongs(conversation, newest.theirs) else None
    own = routing.owned_numbers(conversation.account).get(newest.ours) == "virtual"
    return to or conversation.contact.number, newest.ours if own else ""


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
    account, held = message.account, is_held(message)
    moment = checking.time_for(send_at, now()) if send_at != message.next_at else send_at
    (checked,) = Desk(account).check([Wanted(to=message.theirs, text=text, channel=message.channel)])
    if isinstance(checked, Refused):
        raise checked
    with database.atomic():
        values: dict[str, Any] = {
            "text": checked.text,
            "encoding": checked.encoding,
            "parts": checked.parts,
            "next_at": moment or message.next_at,
            "at": moment or message.at,
            "reason": DUPLICATE if held and moment is None else "",
        }
        quota.count(account, max(0, checked.parts - (0 if held else message.parts)))
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


def is_held(message: Message) -> bool:
    """True for what a machine wanted to say twice; it waits for a person, not for a time."""
    return message.status == "scheduled" and message.next_at is None and message.reason == DUPLICATE


def release_held(message: Message, by: User | None = None) -> None:
    """Send a held duplicate after all, because a person asked; raises Conflict where it is held no more."""
    if not is_held(message):
        raise Conflict("too_late_to_edit", status=message.status)
    send_now(message, by)


def release(message: Message, by: User | None = None) -> None:
    """Move a scheduled message into the queue, inside the caller's transaction; its place in the thread is now.

    Raises Conflict where it has gone out already, Refused where no number is left to send it from.
    """
    moment = now()
    if is_held(message):
        quota.count(message.account, message.parts, 1 if message.channel == "voice" else 0)
    if not message.advance("queued", next_at=moment, at=moment, reason=""):
        raise Conflict("too_late_to_edit", status=message.status)
    _route_again(message)
    log_status(message)
    # A clock that releases it is no person: a conversation that was closed meanwhile stays closed.
    row = {"id": message.id, "conversation_id": message.conversation_id, "channel": message.channel}
    bulk.touch([({**row, "status": "queued", "text": message.text}, by is not None)])
    log_change(message.account_id, "message", message.conversation_id, message.id, by.id if by else None)
    ring(message)


def _route_again(message: Message) -> None:
    """Find the way once more for a message that has waited: its pool number may serve another account by now."""
    way = routing.renew(message.account, message.ours, message.theirs, message.channel)
    message.ours, message.carrier = way.ours, way.carrier
    Message.update(ours=way.ours, carrier=way.carrier).where(Message.id == message.id).execute()


def answered(conversation: Conversation) -> None:
    """Cancel scheduled messages that were to go out only if no answer came, inside the receiving transaction."""
    found = statements.run(
        "SELECT id FROM message WHERE conversation_id = ? AND status = 'scheduled' AND unless_answered",
        conversation.id,
    )
    ids = [row[0] for row in found.fetchall()]
    for message in Message.select().where(Message.id.in_(ids)) if ids else ():
        if message.withdraw(now(), "answered"):
            log_status(message, "an answer came")
            log_change(message.account_id, "status", conversation.id, message.id)
