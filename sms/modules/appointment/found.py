"""What an import finds in a file: appointments, and what is wrong with those that cannot be taken. Pure."""

import dataclasses
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from phonenumbers import PhoneNumberMatcher

from sms.gsm import msisdn

LONGEST_REFERENCE = 200
LONGEST_TITLE = 200
LOOKED_AT = 5_000
"""Characters of a description in which a number is looked for."""
NAMES = ("name", "patient", "patientin", "kunde", "kundin")
"""What an own field is called that names the person."""
FEWEST_DIGITS = 5
"""No phone number has fewer digits."""
BARE = re.compile(r"(?<![\d+])49\d{9,12}(?!\d)")
"""A German number without its plus, which the library's matcher does not see."""


@dataclass(frozen=True)
class Found:
    """One appointment: `start` and `end` in UTC, `zone` the one it is shown in, `number` E.164 or None.

    `unusable` says why the number that stands there cannot be taken, as a code of `msisdn.parse`.
    """

    reference: str
    start: datetime
    zone: ZoneInfo
    number: str | None = None
    title: str = ""
    end: datetime | None = None
    cancelled: bool = False
    fields: dict[str, str] = dataclasses.field(default_factory=dict)
    unusable: str = ""

    @property
    def local(self) -> datetime:
        """The wall clock of its zone at the start, naive."""
        return self.start.astimezone(self.zone).replace(tzinfo=None)


@dataclass(frozen=True)
class Mistake:
    """What is wrong, and where: the line of a table from 1, or the UID of a calendar's event."""

    place: int | str
    code: str
    params: dict[str, Any] = dataclasses.field(default_factory=dict)
    field: str = ""


@dataclass(frozen=True)
class Reading:
    """All that was found, in the order of time for a calendar and of lines for a table.

    `over`: events of a calendar that were left out because they lie before the span that was asked for.
    """

    appointments: list[Found]
    mistakes: list[Mistake]
    over: int = 0


@dataclass(frozen=True)
class NumberRule:
    """Where the phone number of an event stands: in which part, and behind which word on a line if in `word`."""

    part: str = "anywhere"
    word: str = ""


def own_name(fields: Mapping[str, Any] | None) -> str:
    """Return the name that an appointment's own fields give its person, however the column is spelled; "" where none does."""
    return next(
        (str(value) for name, value in (fields or {}).items() if name.casefold() in NAMES and value), ""
    )


def number_in(texts: Iterable[str], region: str, behind: str = "") -> tuple[str | None, str]:
    """Return the number (E.164) of the first text that holds one we can reach; in one text a mobile goes first.

    Where there is none: None, and why the first that stands there cannot be reached, "" where no number does. With
    `behind` only what stands behind that word on its line is looked at.
    """
    unusable = ""
    for text in texts:
        if behind:
            text = _behind(behind, text)
        there = _numbers(text, region)
        usable = [n for n in there if n.channel]
        mobile = next((n for n in usable if n.channel == "sms"), None)
        if chosen := mobile or next(iter(usable), None):
            return chosen.e164, ""
        unusable = unusable or next((n.error for n in there if n.error), "")
    return None, unusable


def is_page(data: bytes) -> bool:
    """Tell whether a file is a web page: neither a calendar nor a table begins with a tag."""
    return data.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<"


def without_numbers(title: str, region: str) -> str:
    """Return a title without the phone numbers in it, and without the signs that held them."""
    if sum(map(str.isdigit, title)) < FEWEST_DIGITS:
        return title
    for raw in [match.raw_string for match in PhoneNumberMatcher(title, region)] or BARE.findall(title):
        title = re.sub(rf"\s*\(?{re.escape(raw.strip('() '))}\)?", "", title)
    return one_line(title).strip(" ,;:/-–")


def _behind(word: str, text: str) -> str:
    found = re.findall(rf"(?<!\w){re.escape(word)}([^\n]*)", text[:LOOKED_AT], re.IGNORECASE)
    return "\n".join(found)


def _numbers(text: str, region: str) -> list[msisdn.Number]:
    text = text[:LOOKED_AT]
    raw = [match.raw_string for match in PhoneNumberMatcher(text, region)] or BARE.findall(text)
    found = (msisdn.parse(number, region) for number in raw)
    return [number for number in found if number.e164]


def minutes(moment: datetime) -> str:
    """Return a moment as 2026-03-30T07:00Z, with seconds only where it has some."""
    text = moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds")
    return text.removesuffix(":00") + "Z" if moment.second == 0 else text + "Z"


def one_line(text: str) -> str:
    """Return a title as one line of at most 200 characters."""
    return " ".join(text.split())[:LONGEST_TITLE]
