"""POST /understand: what surveys and reminders make of an answer. Nothing is stored."""

from datetime import date
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from sms.clock import now
from sms.models import Account
from sms.refusal import Refused
from sms.understanding import KINDS, understand
from sms.views.api.frame import Answer, call
from sms.views.api.inputs import Input, Line, Name, Text

MOST_OPTIONS = 200
MOST_WORDS = 50
LARGEST_BOUND = 10**15


def _number(value: Any) -> Any:
    if value is None or (
        isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= LARGEST_BOUND
    ):
        return value
    raise PydanticCustomError("not_a_number", "number")


Bound = Annotated[int | float | None, BeforeValidator(_number), WithJsonSchema({"type": ["number", "null"]})]
CodeWords = Annotated[list[Name], Field(max_length=MOST_WORDS)]


class Words(Input):
    """The code words that a reminder named, by what they mean."""

    confirm: CodeWords = []
    cancel: CodeWords = []
    reschedule: CodeWords = []


class UnderstandRequest(Input):
    """An answer, and what was asked."""

    kind: Annotated[Literal[KINDS], Field(description="What was asked for.")]  # type: ignore[valid-type]
    text: Annotated[Text, Field(description="The answer as it came.")]
    locale: Annotated[
        Literal["de", "en"] | None,
        Field(
            description="How figures and hours are written; without it the account's. Words count in both languages."
        ),
    ] = None
    options: Annotated[
        list[Line] | None,
        Field(max_length=MOST_OPTIONS, description="Of `choice` and `multichoice`, in order."),
    ] = None
    min: Annotated[Bound, Field(description="Smallest possible value of `scale` and `number`.")] = None
    max: Annotated[Bound, Field(description="Largest possible value of `scale` and `number`.")] = None
    words: Annotated[
        Words | None,
        Field(description="Of `appointment`; without it JA or 1, NEIN or 2, VERSCHIEBEN or 3."),
    ] = None
    today: Annotated[
        str | None,
        Field(max_length=100, description="Of `date`: the day of the answer.", examples=["2026-03-27"]),
    ] = None
    zone: Annotated[
        Name | None, Field(description="Where `today` is left out: the zone whose day it is.")
    ] = None


class UnderstoodShape(TypedDict):
    """What the answer means; `value` is null unless `outcome` is `value`."""

    outcome: Literal["value", "unclear", "opt_out"]
    value: Annotated[
        str | int | list[int] | None,
        Field(
            description="`yesno`: yes, no. `choice`: number from 1. `multichoice`: sorted list of them, empty for none. "
            "`scale`: whole number. `number`: decimal as text. `date`: 2026-03-28. `time`: 14:15. `appointment`: confirm, "
            "cancel, reschedule. `optout`: stop, start, help, none."
        ),
    ]
    why: Annotated[str, Field(description="How it was read, or why it is unclear: a stable code.")]


@call(
    "POST", "/understand", "Read an answer as a survey or a reminder would",
    body=UnderstandRequest, shapes={200: UnderstoodShape}, problems=(413, 415, 422),
    example={"kind": "choice", "text": "die zweite", "locale": "de", "options": ["Sehr zufrieden", "Zufrieden", "Unzufrieden"]},
)  # fmt: skip
def understand_answer(account: Account, body: UnderstandRequest) -> Answer:
    """What people mean by "jo", "Note 2", "die zweite" or "nächsten Dienstag", German or English.

    A wrong value is worse than asking again: an answer that a reader would not call clear ("1 oder 2") is `unclear`.
    A whole message that opts out ("STOP") is `opt_out` whatever was asked.
    """
    if body.kind in ("choice", "multichoice") and not body.options:
        raise Refused("options", "missing")
    found = understand(
        body.kind,
        body.text,
        locale=body.locale or _language(account),
        options=body.options or (),
        min=body.min,
        max=body.max,
        words=None if body.words is None else body.words.model_dump(),
        today=_today(body.today, body.zone or account.zone),
    )
    return Answer(200, {"outcome": found.outcome, "value": found.value, "why": found.why})


def _language(account: Account) -> str:
    return "en" if account.locale.startswith("en") else "de"


def _today(given: str | None, zone: str) -> date:
    """Return the day that was given, else the one it is now in the zone."""
    try:
        place = ZoneInfo(zone)
    except (KeyError, OSError, ValueError):  # a name that is unknown, a folder, or a path
        raise Refused("zone", "unknown_zone") from None
    if given is None:
        return now().astimezone(place).date()
    try:
        return date.fromisoformat(given)
    except ValueError:
        raise Refused("today", "bad_date") from None
