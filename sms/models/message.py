"""Messages: one bubble each, with its status, its attempts and its calls."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from peewee import (
    SQL,
    BooleanField,
    CharField,
    FloatField,
    ForeignKeyField,
    IntegerField,
    JSONField,
    TextField,
)

from sms.db import Moment, Table
from sms.models.account import Account, User
from sms.models.conversation import Conversation

STATUSES = (
    "scheduled", "queued", "sending", "sent", "delivered", "undelivered", "failed", "unknown", "cancelled", "received",
)  # fmt: skip

BEFORE: dict[str, tuple[str, ...]] = {
    "queued": ("scheduled",),
    "sending": ("queued",),
    "sent": ("queued", "sending", "unknown"),
    "delivered": ("queued", "sending", "sent", "unknown"),
    "undelivered": ("queued", "sending", "sent", "unknown"),
    "failed": ("scheduled", "queued", "sending", "sent", "unknown"),
    "unknown": ("sending",),
    "cancelled": ("scheduled", "queued"),
}
"""From which statuses a message may come into a status. Anything else is late or repeated and changes nothing.
The one way back is `Message.put_back`: the carrier has provably not taken it. Where a report says otherwise before
it has gone out once more, `queued -> sent` keeps it from going out twice."""

AGAIN = ("undelivered", "failed", "unknown", "cancelled")
"""Statuses from which a person may ask for one more try."""

CARRIED = ("sms", "voice")
"""Channels that a carrier carries; notes and thread events are for the agents alone."""

PERSON, ANSWER, MACHINE = LANES = 10, 5, 0
"""Priorities, and no others: the outbox has one lane for each; a person's first, then what answers somebody."""

FINAL = ("delivered", "undelivered", "failed", "cancelled", "received")


class Message(Table):
    """One bubble: outgoing (MT), incoming (MO) or internal (a private note, a thread event)."""

    account = ForeignKeyField(Account, on_delete="CASCADE", index=False)
    conversation = ForeignKeyField(Conversation, backref="messages", on_delete="CASCADE", index=False)
    direction = CharField(max_length=8)  # outgoing | incoming | internal
    channel = CharField(max_length=5)  # sms | voice | note | event
    ours = CharField(max_length=20, default="")  # our number or alphanumeric sender, as the carrier gets it
    theirs = CharField(max_length=20, default="")  # the recipient's number, E.164
    text = TextField(default="")
    data = JSONField(null=True)  # an event's facts; a recording's media; the modules' answer chip
    encoding = CharField(max_length=5, default="")
    parts = IntegerField(default=0)
    status = CharField(max_length=11)
    reason = CharField(max_length=20, default="")  # a stable word for what went wrong
    error = CharField(max_length=200, default="")  # the carrier's code and words
    author = ForeignKeyField(User, null=True, on_delete="SET NULL", index=False)
    source = CharField(max_length=40, default="agent")  # agent | api | system | a module's name
    automated = BooleanField(default=False)
    unless_answered = BooleanField(default=False)  # a scheduled message that an answer makes superfluous
    answers = IntegerField(null=True)  # id of the outgoing message that an incoming one answers
    reference = CharField(max_length=100, null=True)  # the integrator's own
    carrier = CharField(max_length=40, default="")
    carrier_reference = CharField(max_length=80, null=True)
    key = CharField(
        max_length=32, null=True
    )  # our reference of the current attempt, in its callback addresses
    trace = CharField(max_length=36, default="")  # the id that the logs of request and carrier call share
    attempts = IntegerField(default=0)
    priority = IntegerField(default=PERSON)
    created_at = Moment()
    at = Moment()  # its place in the thread: when it was written, or for a scheduled one when it is to go out
    next_at = Moment(null=True)  # when queued: not before; when scheduled: the chosen time
    undo_until = Moment(null=True)
    lease_until = Moment(null=True)  # when sending: after this, somebody must look
    sent_at = Moment(null=True)
    delivered_at = Moment(null=True)
    ask_at = Moment(null=True)  # when sent: ask the carrier what became of it; null: not asked yet

    class Meta:
        indexes = (
            (("conversation", "at", "id"), False),
            (("account", "id"), False),
            (("key",), True),
        )

    def advance(self, to: str, **values: Any) -> bool:
        """Move this row forward to a status by a guarded UPDATE; False where it is late or repeated and nothing changed."""
        return self._move(to, BEFORE[to], values)

    def withdraw(self, moment: datetime, reason: str = "") -> bool:
        """Cancel a message that has not left; a planned one moves from its future place in the thread to `moment`."""
        return self.advance("cancelled", reason=reason, undo_until=None, at=min(self.at, moment))

    def put_back(self, **values: Any) -> bool:
        """Queue a message again that the carrier has provably not taken; False where something else is known by now."""
        return self._move("queued", ("sending", "unknown"), values)

    def again(self, **values: Any) -> bool:
        """Put a message that did not get through back in the queue because a person asked; False where it is not one."""
        return self._move("queued", AGAIN, values)

    def _move(self, to: str, before: tuple[str, ...], values: dict[str, Any]) -> bool:
        changed = (
            Message.update(status=to, **values)
            .where(Message.id == self.id, Message.status.in_(before))
            .execute()
        )
        if not changed:
            return False
        self.status = to
        for name, value in values.items():
            setattr(self, name, value)
        return True

    def undoable(self, now: datetime) -> bool:
        """True while a direct reply can still be taken back."""
        return self.status == "queued" and self.undo_until is not None and now < self.undo_until


Message.add_index(
    Message.index(
        *(Message.channel, Message.carrier, Message.priority.desc(), Message.next_at, Message.id),
        where=SQL("status = 'queued'"),
        name="message_due",
    )
)
Message.add_index(Message.index(Message.next_at, where=SQL("status = 'scheduled'")))
Message.add_index(
    Message.index(
        *(Message.channel, Message.carrier, Message.lease_until),
        where=SQL("status = 'sending'"),
        name="message_on_its_way",
    )
)
Message.add_index(Message.index(Message.lease_until, Message.id, where=SQL("status = 'unknown'")))
Message.add_index(
    Message.index(
        Message.carrier, Message.ask_at, Message.sent_at, where=SQL("status = 'sent'"), name="message_grey"
    )
)
Message.add_index(
    Message.index(Message.ours, Message.theirs, Message.id, where=SQL("direction = 'outgoing'"))
)
Message.add_index(
    Message.index(
        *(Message.carrier, Message.direction, Message.carrier_reference),
        unique=True,
        where=SQL("carrier_reference IS NOT NULL"),
        name="message_reference",
    )
)
Message.add_index(
    Message.index(Message.account, Message.id, where=SQL("status = 'unknown'"), name="message_unknown")
)
Message.add_index(
    Message.index(
        Message.account,
        Message.id,
        where=SQL("status = 'scheduled' AND next_at IS NULL"),
        name="message_held",
    )
)


class StatusEvent(Table):
    """What happened to a message, oldest first: the API's `events`."""

    message = ForeignKeyField(Message, backref="status_events", on_delete="CASCADE")
    at = Moment()
    status = CharField(max_length=11)
    carrier = CharField(max_length=40, default="")
    detail = CharField(max_length=200, default="")


class Attempt(Table):
    """One handing over to a carrier, written before the call and completed after it."""

    message = ForeignKeyField(Message, backref="tries", on_delete="CASCADE")
    key = CharField(max_length=32, unique=True)
    carrier = CharField(max_length=40)
    started_at = Moment()
    ended_at = Moment(null=True)
    outcome = CharField(max_length=10, null=True)  # the closed list of carriers.contract
    carrier_reference = CharField(max_length=80, null=True)
    detail = CharField(max_length=200, default="")
    asked = IntegerField(default=0)  # how often the carrier was asked about an unknown outcome


Attempt.add_index(Attempt.index(Attempt.ended_at, where=SQL("ended_at IS NOT NULL"), name="attempt_ended"))


class Call(Table):
    """One ringing of a telephone: an attempt of a voice message, or a call that came in (message is the bubble)."""

    message = ForeignKeyField(Message, backref="calls", null=True, on_delete="CASCADE")
    account = ForeignKeyField(Account, on_delete="CASCADE", index=False)
    direction = CharField(max_length=8)  # outgoing | incoming
    attempt = IntegerField(default=1)
    key = CharField(max_length=32, unique=True)
    carrier = CharField(max_length=40)
    carrier_reference = CharField(max_length=80, null=True, index=True)
    ours = CharField(max_length=20)
    theirs = CharField(max_length=20)
    status = CharField(
        max_length=11
    )  # planned | placing | queued | ringing | in-progress | busy | no-answer | failed | completed | canceled
    answered_by = CharField(max_length=20, default="")
    started_at = Moment(null=True)
    answered_at = Moment(null=True)
    ended_at = Moment(null=True)
    due_at = Moment(null=True)  # planned: when to place it; placed: when to ask what became of it
    seconds = FloatField(null=True)
    heard = BooleanField(default=False)  # the recipient stayed to the end of the text
    tries = IntegerField(
        default=0
    )  # how often it was handed over; more than once only where it was not taken
    asked = IntegerField(default=0)  # how often the carrier was asked about an unknown outcome
    turns = IntegerField(default=0)  # keys this call has answered
    digits = CharField(max_length=20, default="")
    detail = CharField(max_length=200, default="")


Call.add_index(Call.index(Call.due_at, where=SQL("ended_at IS NULL")))
Call.add_index(Call.index(Call.ended_at, where=SQL("ended_at IS NOT NULL"), name="call_ended"))
Call.add_index(
    Call.index(
        Call.started_at, where=SQL("direction = 'incoming' AND message_id IS NULL"), name="call_recording"
    )
)
# Never two calls at once for one message: the database itself refuses the second open one. It needs a name of
# its own: under the usual one the foreign key's plain index is there already, and this one would be left out.
Call.add_index(
    Call.index(
        Call.message, unique=True, where=SQL("ended_at IS NULL AND message_id IS NOT NULL"), name="call_open"
    )
)
