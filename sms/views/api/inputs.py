"""What programs send: strict types, nothing unknown. The same models are the requests of the OpenAPI document."""

import unicodedata
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator
from pydantic.json_schema import WithJsonSchema
from pydantic_core import PydanticCustomError

from sms.gsm.segments import MAX_CHARACTERS
from sms.models.conversation import STATUSES as CONVERSATION_STATUSES
from sms.models.message import STATUSES as MESSAGE_STATUSES

LONGEST_TEMPLATE = 4 * MAX_CHARACTERS
"""Characters of a text before placeholders are filled; keeps what a short body can grow into small."""
LONGEST_VALUE = 1500
MOST_VALUES = 100
BATCH = 1000
MOST_ITEMS, USUAL_ITEMS = 1000, 50


def _text(value: Any) -> Any:
    if isinstance(value, str) and len(value) > LONGEST_TEMPLATE:
        raise PydanticCustomError("text_too_long", "too long", {"limit": MAX_CHARACTERS})
    return value


def _line(value: Any) -> Any:
    """Refuse what has no place in one line; the length is for the rule of the field to say."""
    if isinstance(value, str) and any(unicodedata.category(c) == "Cc" for c in value[:1000]):
        raise PydanticCustomError("control_character", "control character")
    return value


def _filling(value: Any) -> str | None:
    """Read a placeholder's value: a text, or a number as it is written."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise PydanticCustomError("not_a_value", "text or number")
    text = str(value)
    if len(text) > LONGEST_VALUE:
        raise PydanticCustomError("text_too_long", "too long", {"limit": LONGEST_VALUE})
    return text


Text = Annotated[
    str,
    BeforeValidator(_text),
    WithJsonSchema(
        {"type": "string", "maxLength": MAX_CHARACTERS, "examples": ["Ihr Termin: morgen, 9:30 Uhr."]}
    ),
]
Number = Annotated[str, Field(max_length=1000, examples=["0171 3920054"])]
Line = Annotated[str, Field(max_length=1000), BeforeValidator(_line)]
Name = Annotated[str, Field(max_length=200)]
Filling = Annotated[
    str | None,
    PlainValidator(_filling),
    WithJsonSchema({"type": ["string", "number", "null"], "maxLength": LONGEST_VALUE}),
]
Fields = Annotated[dict[Name, Filling], Field(max_length=MOST_VALUES)]


class Input(BaseModel):
    """A request body."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class PreviewRequest(Input):
    """A text to be counted, and optionally the number and the sender it is meant for."""

    text: Annotated[
        Text, Field(description="May hold {placeholders}, filled from the contact and from `fields`.")
    ]
    to: Annotated[Number | None, Field(description="Any spelling of a phone number.")] = None
    sender: Annotated[Name | None, Field(description="Without one: the account's default sender.")] = None
    fields: Annotated[Fields | None, Field(description="Values for {placeholders} in the text.")] = None


class NewMessage(Input):
    """A message to be sent."""

    to: Annotated[Number, Field(description="Any spelling of a phone number.")]
    text: Annotated[
        Text,
        Field(
            description="May hold {placeholders}, filled from the contact and from `fields`. Without `fields`, braces "
            "that name nothing known are sent as they are."
        ),
    ]
    sender: Annotated[
        Name | None,
        Field(
            description="A number of the account, or 1 to 11 letters and digits. Without one: the account's default.",
            examples=["PRAXIS"],
        ),
    ] = None
    channel: Annotated[
        Literal["auto", "sms", "voice"] | None,
        Field(description="`auto` takes SMS for mobiles and a call for German landlines."),
    ] = "auto"
    send_at: Annotated[
        str | None,
        Field(
            max_length=100,
            description="RFC 3339. Without an offset it is the wall clock of the account's time zone: a time that a "
            "clock change leaves out is refused, one that exists twice means the first. At most one year ahead.",
            examples=["2026-11-23T09:00:00+01:00"],
        ),
    ] = None
    fields: Annotated[
        Fields | None,
        Field(
            description="Values for {placeholders} in the text. Where it is given, even empty, a placeholder without a "
            "value is refused; where it is left out, unknown braces are sent as they are."
        ),
    ] = None
    reference: Annotated[
        Line | None, Field(description="Your own reference, given back with the message.")
    ] = None
    automated: Annotated[
        bool,
        Field(description="True for what a machine starts: it obeys quiet hours and waits behind people."),
    ] = False


class Batch(Input):
    """Up to 1,000 messages; each is read, judged and answered by itself."""

    messages: Annotated[list[Any], Field(max_length=BATCH)]


class NewMessages(Input):
    """Up to 1,000 messages; each is read, judged and answered by itself."""

    messages: Annotated[list[NewMessage], Field(max_length=BATCH)]


class ContactChange(Input):
    """What the account knows about a person; what is left out stays as it is."""

    name: Line | None = None
    fields: Annotated[Fields | None, Field(description="Replaces all own fields of the contact.")] = None


class Query(BaseModel):
    """Parameters of a list: an empty one counts as left out."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    limit: Annotated[int, Field(ge=1, le=MOST_ITEMS, description="How many at most.")] = USUAL_ITEMS
    cursor: Annotated[str | None, Field(max_length=500, description="`next_cursor` of the page before.")] = (
        None
    )


class MessagesQuery(Query):
    status: Annotated[Literal[MESSAGE_STATUSES] | None, Field(description="Only these.")] = None  # type: ignore[valid-type]
    direction: Annotated[
        Literal["outgoing", "incoming"] | None, Field(description="Only this direction.")
    ] = None
    since: Annotated[
        str | None,
        Field(
            max_length=100, description="Only those created at or after this time (RFC 3339, see `send_at`)."
        ),
    ] = None


class ConversationsQuery(Query):
    status: Annotated[Literal[CONVERSATION_STATUSES] | None, Field(description="Only these.")] = None  # type: ignore[valid-type]
    assignee: Annotated[
        Line | None, Field(description="Only those of this person (e-mail address or id), or `none`.")
    ] = None


class ThreadQuery(Query):
    order: Annotated[
        Literal["asc", "desc"], Field(description="`asc`: oldest first; `desc`: newest first.")
    ] = "asc"
