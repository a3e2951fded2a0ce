"""What programs get: one shape and one builder for each thing. The shapes are the answers of the OpenAPI document."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, NotRequired

from flask_babel import gettext as _
from pydantic import Field
from typing_extensions import TypedDict

from sms.checking import Preview
from sms.db import from_ms, to_ms
from sms.gsm import msisdn, sender_id
from sms.models import Call, Contact, Conversation, Label, Labelling, Message, StatusEvent
from sms.views.api.problem import later, worded

Time = Annotated[str, Field(json_schema_extra={"format": "date-time"}, examples=["2026-11-21T09:00:00.000Z"])]
Number = Annotated[str, Field(examples=["00491713920054"])]
NumberKind = Literal[
    "mobile", "landline", "landline_or_mobile", "voip", "toll_free", "premium", "shared_cost", "short_code",
    "emergency", "other", "invalid",
]  # fmt: skip
Status = Literal[
    "scheduled", "queued", "sending", "sent", "delivered", "undelivered", "failed", "unknown", "cancelled", "received",
]  # fmt: skip
CallStatus = Literal["busy", "no-answer", "failed", "completed", "canceled"]
REASONS = {
    "bad_number": later("The network does not know this number."),
    "landline": later("This is a landline, which cannot receive texts."),
    "bad_sender": later("The network did not accept the sender."),
    "opted_out": later("This number has opted out. Nothing is sent to it."),
    "too_long": later("The text is too long for the network."),
    "bad_text": later("The carrier did not accept the text."),
    "region": later("The carrier does not send to this country."),
    "filtered": later("The network held the message back."),
    "unreachable": later("The phone could not be reached."),
    "network": later("The network could not deliver the message."),
    "setup": later("The connection to the carrier is not set up correctly."),
    "other": later("The carrier gave no clear reason."),
    "busy": later("The line was busy at every attempt."),
    "no_answer": later("Nobody answered the call."),
    "machine": later("An answering machine took the call."),
    "no_audio": later("The text could not be read aloud."),
    "cancelled": later("The call was cancelled."),
    "duplicate": later("The same text went to this number less than 3 minutes ago. It waits for a person."),
    "answered": later("An answer came first, so it was not sent."),
    "given_up": later("Nobody knows whether it was sent. A person has given it up."),
}
"""Why a message did not get through: the words of Message.reason."""

NOBODY_KNOWS = later(
    "It may have been sent: the carrier's answer did not come. Do not send it again blindly."
)

FINISHED = ("busy", "no-answer", "failed", "completed", "canceled")


class NumberShape(TypedDict):
    """A number as understood; `error` says why it cannot be used and is absent where it can."""

    number: Number | None
    e164: str | None
    kind: NumberKind
    region: str | None
    channel: Literal["sms", "voice"] | None
    error: NotRequired[str]
    error_code: NotRequired[str]


class SenderShape(TypedDict):
    """A sender as understood; `error` says why it cannot be used, `suggestion` one that can."""

    kind: Literal["pool", "virtual", "own_mobile", "alphanumeric", "invalid"]
    can_reply: bool
    can_call: bool
    error: NotRequired[str]
    error_code: NotRequired[str]
    suggestion: NotRequired[str]


class PreviewShape(TypedDict):
    """What would be sent and what it costs."""

    text: Annotated[str, Field(description="What would be sent: placeholders filled, NFC, line ends LF.")]
    encoding: Literal["GSM-7", "UCS-2"]
    units: Annotated[int, Field(description="Septets (GSM-7) or UTF-16 code units (UCS-2).")]
    parts: Annotated[int, Field(description="How many SMS are billed.")]
    unicode_because: Annotated[list[str], Field(description="The characters that force UCS-2.")]
    missing: Annotated[list[str], Field(description="Placeholders without a value.")]
    to: NumberShape | None
    sender: SenderShape


class EventShape(TypedDict):
    """What happened to a message."""

    at: Time
    status: str
    carrier: str
    detail: str


class CallShape(TypedDict):
    """One finished attempt to reach somebody by telephone."""

    attempt: int
    started_at: Time | None
    ended_at: Time | None
    status: CallStatus
    answered_by: str | None
    seconds: float | None


MessageShape = TypedDict(
    "MessageShape",
    {
        "id": int,
        "conversation_id": int,
        "direction": Literal["outgoing", "incoming"],
        "channel": Literal["sms", "voice"],
        "to": Number | None,
        "from": Annotated[
            str | None,
            Field(description="The number or alphanumeric sender it comes from; of a call its caller id."),
        ],
        "sender": Annotated[
            str | None, Field(description="What the recipient sees, or hears named in a call.")
        ],
        "text": str,
        "encoding": Literal["GSM-7", "UCS-2"] | None,
        "parts": int,
        "status": Status,
        "error": Annotated[str | None, Field(description="A sentence in the language of Accept-Language.")],
        "error_code": str | None,
        "created_at": Time,
        "send_at": Annotated[Time | None, Field(description="The chosen time of a scheduled message.")],
        "sent_at": Time | None,
        "delivered_at": Time | None,
        "answers": Annotated[
            int | None, Field(description="Id of the outgoing message that this one answers.")
        ],
        "reference": Annotated[str | None, Field(description="Your own reference.")],
        "events": list[EventShape],
        "calls": list[CallShape],
    },
)
MessageShape.__doc__ = "A message with everything that happened to it."


class ConversationShape(TypedDict):
    """The thread with one contact."""

    id: int
    number: Number
    name: str
    status: Literal["open", "pending", "snoozed", "closed"]
    assignee: Annotated[str | None, Field(description="E-mail address of the person who looks after it.")]
    labels: list[str]
    unread: Annotated[int, Field(description="Incoming messages that nobody has read yet.")]
    last_message_at: Time | None


class ContactShape(TypedDict):
    """What the account knows about a person."""

    number: Number
    numbers: list[Number]
    name: str
    fields: dict[str, str]
    opted_out: bool
    conversation_id: int | None
    created_at: Time


class ErrorShape(TypedDict):
    """What is wrong; `field` is a dotted path and empty where no field is at fault."""

    field: str
    code: str
    message: str


class ProblemShape(TypedDict):
    """RFC 9457 problem details."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[ErrorShape]


class BatchAccepted(TypedDict):
    """A message of a batch that was taken."""

    id: int
    status: Status


class BatchRefused(TypedDict):
    """A message of a batch that was not taken."""

    errors: list[ErrorShape]


class BatchAnswerShape(TypedDict):
    """One result for each message, in order."""

    results: list[BatchAccepted | BatchRefused]


class MessagePage(TypedDict):
    """A page of messages."""

    items: list[MessageShape]
    next_cursor: str | None


class ConversationPage(TypedDict):
    """A page of conversations."""

    items: list[ConversationShape]
    next_cursor: str | None


for _shape in (
    NumberShape, SenderShape, PreviewShape, EventShape, CallShape, MessageShape, ConversationShape, ContactShape,
    ErrorShape, ProblemShape, BatchAnswerShape,
):  # fmt: skip
    # Programs read "Message" in the OpenAPI document; in here that is the table.
    _shape.__name__ = _shape.__qualname__ = _shape.__name__.removesuffix("Shape")


def time(moment: datetime | None) -> Any:
    """Return a moment as RFC 3339 in UTC with milliseconds, None for none."""
    if moment is None:
        return None
    seconds, thousandths = divmod(to_ms(moment), 1000)  # rounded as the database does it
    return f"{from_ms(seconds * 1000):%Y-%m-%dT%H:%M:%S}.{thousandths:03d}Z"


def shown(value: str) -> str | None:
    """Return a stored number as "0049...", an alphanumeric sender as it is, None for nothing."""
    return f"00{value[1:]}" if value.startswith("+") else value or None


def preview(made: Preview) -> PreviewShape:
    """Build the answer of POST /preview."""
    assert made.sender is not None
    return PreviewShape(
        text=made.text,
        encoding=made.segments.encoding,
        units=made.segments.units,
        parts=made.segments.parts,
        unicode_because=list(made.segments.unicode_because),
        missing=list(made.missing),
        to=None if made.to is None else number(made.to),
        sender=sender(made.sender),
    )


def number(found: msisdn.Number) -> NumberShape:
    """Build a number as understood."""
    shape = NumberShape(
        number=found.number, e164=found.e164, kind=found.kind, region=found.region, channel=found.channel
    )  # type: ignore[typeddict-item]
    if found.error:
        shape["error"], shape["error_code"] = worded(found.error, {}), found.error
    return shape


def sender(found: sender_id.SenderId) -> SenderShape:
    """Build a sender as understood."""
    shape = SenderShape(kind=found.kind, can_reply=found.can_reply, can_call=found.can_call)
    if found.error:
        code = f"sender_{found.error}"
        shape["error"], shape["error_code"] = worded(code, {"suggestion": found.suggestion}), code
    if found.suggestion:
        shape["suggestion"] = found.suggestion
    return shape


def messages(rows: Sequence[Message]) -> list[MessageShape]:
    """Build messages with their events and calls, in two queries whatever their number."""
    ids = [row.id for row in rows]
    events: defaultdict[int, list[StatusEvent]] = defaultdict(list)
    calls: defaultdict[int, list[Call]] = defaultdict(list)
    if ids:
        for event in StatusEvent.select().where(StatusEvent.message.in_(ids)).order_by(StatusEvent.id):
            events[event.message_id].append(event)
        for call in Call.select().where(Call.message.in_(ids)).order_by(Call.attempt, Call.id):
            calls[call.message_id].append(call)
    return [message(row, events[row.id], calls[row.id]) for row in rows]


def message(row: Message, events: Iterable[StatusEvent], calls: Sequence[Call] = ()) -> MessageShape:
    """Build one message from what is known of it."""
    outgoing = row.direction == "outgoing"
    ours, theirs = shown(_caller_id(row, calls)), shown(row.theirs)
    seen = (row.data or {}).get("sender") or row.ours if outgoing else row.theirs
    return {
        "id": row.id,
        "conversation_id": row.conversation_id,
        "direction": row.direction,
        "channel": row.channel,
        "to": theirs if outgoing else ours,
        "from": ours if outgoing else theirs,
        "sender": shown(seen),
        "text": row.text,
        "encoding": row.encoding or None,
        "parts": row.parts,
        "status": row.status,
        "error": _error(row),
        "error_code": row.reason or None,
        "created_at": time(row.created_at),
        "send_at": time(row.next_at) if row.status == "scheduled" else None,
        "sent_at": time(row.sent_at),
        "delivered_at": time(row.delivered_at),
        "answers": row.answers,
        "reference": row.reference,
        "events": [_event(event) for event in events],
        "calls": [_call(call) for call in calls if call.status in FINISHED],
    }


def _caller_id(row: Message, calls: Sequence[Call]) -> str:
    return calls[-1].ours if row.channel == "voice" and calls else row.ours


def _error(row: Message) -> str | None:
    if row.status == "unknown":
        return _(NOBODY_KNOWS)
    if row.reason in REASONS:
        return _(REASONS[row.reason])
    return worded(row.reason, {}) if row.reason else row.error or None


def _event(event: StatusEvent) -> EventShape:
    return EventShape(at=time(event.at), status=event.status, carrier=event.carrier, detail=event.detail)


def _call(call: Call) -> CallShape:
    return CallShape(
        attempt=call.attempt,
        started_at=time(call.started_at),
        ended_at=time(call.ended_at),
        status=call.status,
        answered_by=call.answered_by or None,
        seconds=call.seconds,
    )


def conversations(rows: Sequence[Conversation]) -> list[ConversationShape]:
    """Build conversations, their contact and assignee joined already, in one further query."""
    ids = [row.id for row in rows]
    labels: defaultdict[int, list[str]] = defaultdict(list)
    if ids:
        stuck = Labelling.select(Labelling, Label).join(Label).where(Labelling.conversation.in_(ids))
        for labelling in stuck.order_by(Label.name):
            labels[labelling.conversation_id].append(labelling.label.name)
    return [_conversation(row, labels[row.id]) for row in rows]


def _conversation(row: Conversation, labels: list[str]) -> ConversationShape:
    return ConversationShape(
        id=row.id,
        number=shown(row.contact.number) or "",
        name=row.contact.name,
        status=row.status,
        assignee=None if row.assignee is None else row.assignee.email,
        labels=labels,
        unread=row.unread_by_all,
        last_message_at=time(row.last_activity_at),
    )


def contact(row: Contact, opted_out: bool) -> ContactShape:
    """Build a contact with its numbers and its conversation."""
    conversation = Conversation.get_or_none(Conversation.contact == row)
    numbers = [entry.number for entry in row.numbers]
    return ContactShape(
        number=shown(row.number) or "",
        numbers=[shown(number) or "" for number in sorted(numbers, key=lambda n: (n != row.number, n))],
        name=row.name,
        fields={name: str(value) for name, value in (row.fields or {}).items()},
        opted_out=opted_out,
        conversation_id=None if conversation is None else conversation.id,
        created_at=time(row.created_at),
    )
