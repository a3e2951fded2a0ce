"""The shared inbox: a thread in a fixed number of queries, and what agents do with a conversation."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from peewee import JOIN, Expression

from sms.clock import now
from sms.db import database, to_ms
from sms.models import (
    Account,
    Call,
    Contact,
    Conversation,
    Draft,
    Label,
    Labelling,
    Message,
    Presence,
    Reading,
    User,
    log_change,
)
from sms.models.event import add_event
from sms.refusal import NotFound, Refused

READING_FOR = timedelta(seconds=45)
TYPING_FOR = timedelta(seconds=8)
LONGEST_LABEL, LONGEST_DRAFT = 40, 5_000


@dataclass(frozen=True)
class Person:
    """A colleague who has a conversation open."""

    user: User
    typing: bool


def open_conversation(account: Account | int, conversation_id: int) -> Conversation:
    """Return a conversation of this account with its contact; raises NotFound, also for another account's."""
    conversation = (
        Conversation.select(Conversation, Contact, User)
        .join(Contact)
        .switch(Conversation)
        .join(User, JOIN.LEFT_OUTER, on=(Conversation.assignee == User.id))
        .where(Conversation.id == conversation_id, Conversation.account == account)
        .first()
    )
    if conversation is None:
        raise NotFound
    return conversation  # type: ignore[no-any-return]


def thread(
    conversation: Conversation, before: tuple[datetime, int] | None = None, limit: int = 50
) -> list[Message]:
    """Return a page of the thread, oldest first, with authors and calls, in two queries.

    `before` is (Message.at, id) of the oldest entry shown. Calls are at `message.ringings`, first attempt first.
    """
    found = (
        Message.select(Message, User).join(User, JOIN.LEFT_OUTER).where(Message.conversation == conversation)
    )
    if before is not None:
        moment, message_id = before
        found = found.where(Message.at <= moment, (Message.at < moment) | (Message.id < message_id))
    page = list(found.order_by(Message.at.desc(), Message.id.desc()).limit(limit))[::-1]
    return with_calls(page)


def with_calls(messages: list[Message]) -> list[Message]:
    """Put each voice message's calls at `.ringings`, in one query for all of them."""
    spoken = [m.id for m in messages if m.channel == "voice"]
    calls: dict[int, list[Call]] = defaultdict(list)
    if spoken:
        for call in Call.select().where(Call.message.in_(spoken)).order_by(Call.attempt, Call.id):
            calls[call.message_id].append(call)
    for message in messages:
        message.ringings = calls[message.id]
    return messages


def message_of(account: Account | int, message_id: int) -> Message:
    """Return a message of this account; raises NotFound, also for another account's."""
    message = (
        Message.select(Message, User)
        .join(User, JOIN.LEFT_OUTER)
        .where(Message.id == message_id, Message.account == account)
        .first()
    )
    if message is None:
        raise NotFound
    return message  # type: ignore[no-any-return]


def seen(user: User, conversation: Conversation) -> int:
    """Return how many of a conversation's incoming messages this agent has read."""
    where = (Reading.user == user) & (Reading.conversation == conversation)
    return Reading.select(Reading.seen).where(where).scalar() or 0


def first_unread(user: User, conversation: Conversation, read: int | None = None) -> int | None:
    """Return the message (id) below which this agent's "new" line stands; None where all is read.

    `read` is what `seen` returns, where the caller has asked already.
    """
    unread = conversation.incoming - (seen(user, conversation) if read is None else read)
    if unread <= 0:
        return None
    newest = (
        Message.select(Message.id)
        .where(Message.conversation == conversation, Message.direction == "incoming")
        .order_by(Message.at.desc(), Message.id.desc())
        .limit(min(unread, 200))
        .tuples()
    )
    ids = [row[0] for row in newest]
    return ids[-1] if ids else None


def mark_read(user: User, conversation: Conversation) -> bool:
    """Note that this agent has read everything there is; False where that was so already."""
    return _set_seen(user, conversation, conversation.incoming)


def mark_unread(user: User, conversation: Conversation) -> bool:
    """Make the newest incoming message unread again for this agent."""
    return conversation.incoming > 0 and _set_seen(user, conversation, conversation.incoming - 1)


def _set_seen(user: User, conversation: Conversation, count: int) -> bool:
    if seen(user, conversation) == count:
        return False
    with database.atomic():
        Reading.insert(user=user, conversation=conversation, seen=count).on_conflict(
            conflict_target=[Reading.user, Reading.conversation], update={Reading.seen: count}
        ).execute()
        higher = (Conversation.id == conversation.id) & (Conversation.seen < count)
        Conversation.update(seen=count).where(higher).execute()
        log_change(conversation.account_id, "read", conversation.id, user=user.id)
    return True


def assign(conversation: Conversation, assignee: User | None, by: User) -> bool:
    """Give a conversation to a colleague, or to nobody; False where it was so already."""
    if conversation.assignee_id == (assignee.id if assignee else None):
        return False
    if assignee is not None and assignee.account_id != conversation.account_id:
        raise NotFound
    with database.atomic():
        Conversation.update(assignee=assignee).where(Conversation.id == conversation.id).execute()
        conversation.assignee = assignee
        add_event(conversation, "assigned", by=by, to=assignee.name if assignee else None)
        log_change(conversation.account_id, "conversation", conversation.id, user=by.id)
    return True


def set_status(
    conversation: Conversation, status: str, by: User | None, until: datetime | None = None
) -> bool:
    """Open, set pending, snooze until a moment, or close; raises Refused for a moment that has passed."""
    if status == "snoozed" and (until is None or until <= now()):
        raise Refused("until", "in_the_past")
    if status not in ("open", "pending", "snoozed", "closed"):
        raise Refused("status", "unknown_status")
    if status == "snoozed":
        return _set_status(conversation, status, by, until)
    return _set_status(conversation, status, by, None, Conversation.status != status)


def _set_status(
    conversation: Conversation,
    status: str,
    by: User | None,
    until: datetime | None,
    only: Expression | bool = True,
) -> bool:
    """Set a status where the row, which may be newer than what we hold, still asks for it; False where not."""
    with database.atomic():
        changed = (
            Conversation.update(status=status, snoozed_until=until)
            .where(Conversation.id == conversation.id, only)
            .execute()
        )
        conversation.status, conversation.snoozed_until = status, until
        if not changed:
            return False
        facts: dict[str, Any] = {"until": to_ms(until)} if until else {}
        add_event(conversation, "status", by=by, status=status, **facts)
        log_change(conversation.account_id, "conversation", conversation.id, user=by.id if by else None)
    return True


def reopen(conversation: Conversation) -> bool:
    """Open a conversation because a message came in, whatever its status was; False where it was open."""
    return _set_status(conversation, "open", None, None, Conversation.status != "open")


def wake(moment: datetime) -> int:
    """Open the conversations whose snooze has run out; returns how many."""
    due = (Conversation.status == "snoozed") & (Conversation.snoozed_until <= moment)
    return sum(_set_status(c, "open", None, None, due) for c in list(Conversation.select().where(due)))


def labels(account: Account | int) -> list[Label]:
    """Return the account's labels by name."""
    return list(Label.select().where(Label.account == account).order_by(Label.name))


def labels_of(conversation: Conversation) -> list[tuple[Label, bool]]:
    """Return the account's labels by name, and of each whether it is on this conversation."""
    on = (Labelling.label == Label.id) & (Labelling.conversation == conversation)
    found = (
        Label.select(Label, Labelling.id.alias("on"))
        .join(Labelling, JOIN.LEFT_OUTER, on=on)
        .where(Label.account == conversation.account_id)
        .order_by(Label.name)
        .objects()
    )
    return [(label, label.on is not None) for label in found]


def add_label(conversation: Conversation, name: str, by: User | None = None) -> Label:
    """Put a label on a conversation, made where there is none of that name; raises Refused for a bad name."""
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_LABEL or any(ord(c) < 32 or 0xD800 <= ord(c) <= 0xDFFF for c in name):
        raise Refused("label", "too_long" if len(name) > LONGEST_LABEL else "empty", limit=LONGEST_LABEL)
    with database.atomic():
        label = Label.get_or_none(Label.account == conversation.account_id, Label.name == name)
        if label is None:
            number = Label.select().where(Label.account == conversation.account_id).count()
            label = Label.create(account=conversation.account_id, name=name, dye=number % 4 + 1)
        Labelling.insert(conversation=conversation, label=label).on_conflict_ignore().execute()
        log_change(conversation.account_id, "conversation", conversation.id, user=by.id if by else None)
    return label  # type: ignore[no-any-return]


def remove_label(conversation: Conversation, label_id: int, by: User | None = None) -> None:
    """Take a label off a conversation; nothing happens where it was not on it."""
    with database.atomic():
        Labelling.delete().where(
            (Labelling.conversation == conversation) & (Labelling.label == label_id)
        ).execute()
        log_change(conversation.account_id, "conversation", conversation.id, user=by.id if by else None)


def save_draft(user: User, conversation: Conversation, kind: str, text: str) -> None:
    """Keep what an agent has typed ('reply' or 'note'); an empty text removes it. Longer than 5,000 is cut."""
    if kind not in ("reply", "note"):
        raise Refused("kind", "unknown_kind")
    text = text[:LONGEST_DRAFT]
    where = (Draft.user == user) & (Draft.conversation == conversation) & (Draft.kind == kind)
    with database.atomic():
        if not text.strip():
            changed = Draft.delete().where(where).execute()
        else:
            changed = not Draft.select().where(where, Draft.text == text).exists()
            Draft.insert(
                user=user, conversation=conversation, kind=kind, text=text, updated_at=now()
            ).on_conflict(
                conflict_target=[Draft.user, Draft.conversation, Draft.kind],
                update={Draft.text: text, Draft.updated_at: now()},
            ).execute()
        if changed:
            log_change(conversation.account_id, "draft", conversation.id, user=user.id)


def drafts(user: User, conversation: Conversation) -> dict[str, str]:
    """Return this agent's drafts in a conversation by kind."""
    found = Draft.select().where(Draft.user == user, Draft.conversation == conversation)
    return {d.kind: d.text for d in found}


def show_presence(user: User, conversation: Conversation, typing: bool = False, reading: bool = True) -> None:
    """Note that an agent has a conversation open, types, or has left; tells the others only what is new."""
    moment = now()
    before = Presence.get_or_none(Presence.user == user, Presence.conversation == conversation)
    was = (
        before is not None and before.reading_until > moment,
        before is not None and before.typing_until > moment,
    )
    values = {
        Presence.reading_until: moment + READING_FOR if reading else moment,
        Presence.typing_until: moment + TYPING_FOR if typing and reading else moment,
    }
    with database.atomic():
        Presence.insert({Presence.user: user, Presence.conversation: conversation, **values}).on_conflict(
            conflict_target=[Presence.user, Presence.conversation], update=values
        ).execute()
        if was != (reading, typing and reading):
            log_change(conversation.account_id, "presence", conversation.id, user=user.id)


def present(conversation: Conversation, besides: User) -> list[Person]:
    """Return the colleagues who have this conversation open now, those who type first."""
    moment = now()
    found = (
        Presence.select(Presence, User)
        .join(User)
        .where(
            Presence.conversation == conversation, Presence.reading_until > moment, Presence.user != besides
        )
    )
    people = [Person(p.user, p.typing_until > moment) for p in found]
    return sorted(people, key=lambda p: (not p.typing, p.user.name))
