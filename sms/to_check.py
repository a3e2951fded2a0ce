"""What a person should look at: messages whose sending has an unknown end, and machine-made doubles that are held."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from peewee import SQL, Expression, fn

from sms import delivery
from sms.clock import now
from sms.db import database
from sms.models import Account, Contact, Conversation, Message, StatusEvent, User
from sms.refusal import Conflict
from sms.sending import is_held

# Written out, as the partial indexes that serve them serve no parameter.
_UNKNOWN = Message.status == SQL("'unknown'")
_HELD = (Message.status == SQL("'scheduled'")) & Message.next_at.is_null()


@dataclass(frozen=True)
class Case:
    """One message to check, with its conversation and contact joined; `asked_at`: when the carrier is asked next."""

    message: Message
    held: bool
    since: datetime
    asked_at: datetime | None


def cases(account: Account | int, after: int = 0, limit: int = 50) -> list[Case]:
    """Return what is to be checked, oldest first, with message ids above `after`; three queries."""
    found = sorted(
        (message for where in (_UNKNOWN, _HELD) for message in _messages(account, where, after, limit)),
        key=lambda message: message.id,
    )[:limit]
    unknown = [message.id for message in found if message.status == "unknown"]
    since = dict(_turned_unknown(unknown)) if unknown else {}
    return [
        Case(m, is_held(m), since.get(m.id, m.created_at), None if is_held(m) else m.lease_until)
        for m in found
    ]


def _messages(account: Account | int, where: Expression, after: int, limit: int) -> Iterator[Message]:
    return iter(
        Message.select(Message, Conversation, Contact)
        .join(Conversation)
        .join(Contact)
        .where(Message.account == account, where, Message.id > after)
        .order_by(Message.id)
        .limit(limit)
    )


def _turned_unknown(ids: list[int]) -> Iterator[tuple[int, datetime]]:
    return iter(
        StatusEvent.select(StatusEvent.message, fn.MAX(StatusEvent.at).converter(StatusEvent.at.python_value))
        .where(StatusEvent.message.in_(ids), StatusEvent.status == "unknown")
        .group_by(StatusEvent.message)
        .tuples()
    )


def mark_sent(message: Message, by: User) -> None:
    """Take a person's word that a message went out; a delivery report still moves it on. Raises Conflict where it is settled."""
    with database.atomic():
        if message.status != "unknown" or not message.advance(
            "sent", sent_at=now(), lease_until=None, reason="", error=""
        ):
            raise Conflict("settled_meanwhile", status=message.status)
        delivery.tell(message, "marked as sent by a person")


def give_up(message: Message, by: User) -> None:
    """Ask no more what became of a message; it counts as not sent. Raises Conflict where it is settled."""
    with database.atomic():
        if message.status != "unknown" or not message.advance("failed", lease_until=None, reason="given_up"):
            raise Conflict("settled_meanwhile", status=message.status)
        delivery.tell(message, "given up by a person")
        # Somebody has just looked at it: it needs nobody else.
        Conversation.update(failed=False).where(
            Conversation.id == message.conversation_id, Conversation.last_outgoing == message.id
        ).execute()
