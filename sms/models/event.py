"""What happened: loops in the thread between the bubbles, and the history of one message."""

from typing import Any

from sms.clock import now
from sms.models.account import User
from sms.models.change import log_change
from sms.models.conversation import Conversation
from sms.models.message import Message, StatusEvent


def add_event(
    conversation: Conversation, kind: str, by: User | None = None, source: str = "system", **facts: Any
) -> Message:
    """Write an event into a thread, inside the caller's transaction: its kind, who did it, and the facts it names."""
    moment = now()
    event = Message.create(
        account=conversation.account_id, conversation=conversation, direction="internal", channel="event",
        data={"kind": kind, **facts}, status="received", author=by, source=source, created_at=moment, at=moment,
    )  # fmt: skip
    log_change(conversation.account_id, "message", conversation.id, event.id, by.id if by else None)
    return event


def log_status(message: Message, detail: str = "") -> None:
    """Note the message's present status in its history (the API's `events`), inside the caller's transaction."""
    StatusEvent.create(
        message=message, at=now(), status=message.status, carrier=message.carrier or "", detail=detail[:200]
    )
