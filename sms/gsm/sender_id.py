"""What a recipient sees as the sender, and whether the recipient can reply to it and call it.

An alphanumeric sender is 1 to 11 of A-Z a-z 0-9 and not only digits (3GPP TS 23.040, section 9.1.2.5: 11
characters fit the address field); a numeric one has at most 16 digits and must belong to the account.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from sms.gsm import msisdn

Kind = Literal["pool", "virtual", "own_mobile", "alphanumeric", "invalid"]

LONGEST_ALPHANUMERIC = 11
LONGEST_NUMERIC = 16
_SHORTEST_WORD = 3

CAN_REPLY_AND_CALL: dict[str, tuple[bool, bool]] = {
    "pool": (True, False),
    "virtual": (True, True),
    "own_mobile": (True, True),
    "alphanumeric": (False, False),
    "invalid": (False, False),
}
"""Whether a recipient can (reply, call), for each kind.

A pool number is shared, a call to it finds nobody in particular; what answers on a number that takes voice
is for the calling code to say. On an own mobile both reach the mobile itself, not the inbox.
"""

_OWN_KINDS: dict[str, Kind] = {"pool": "pool", "virtual": "virtual", "own_mobile": "own_mobile"}

_alphanumeric = re.compile("[A-Za-z0-9]+").fullmatch
_numeric = re.compile(r"[\s+\d()/.\-]*\d[\s\d()/.\-]*").fullmatch
_LETTERS = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss", "ẞ": "SS"}
    | {"æ": "ae", "Æ": "Ae", "œ": "oe", "Œ": "Oe", "ø": "oe", "Ø": "Oe", "ł": "l", "Ł": "L", "ı": "i"}
)


@dataclass(frozen=True, slots=True)
class SenderId:
    """A sender as understood; `value` is what the carrier gets, None for the pool and where `error` is set.

    Errors: empty (white space only), too_long, bad_character, only_digits (and no telephone number),
    not_owned. `suggestion` is an alphanumeric sender that would do.
    """

    kind: Kind
    value: str | None
    can_reply: bool
    can_call: bool
    error: str | None = None
    suggestion: str | None = None


def classify(raw: str, owned: Mapping[str, str] = {}) -> SenderId:
    """Tell what kind of sender `raw` is; `owned` maps the account's numbers (E.164) to their kinds.

    An empty `raw` means the default sender, the pool.
    """
    if not raw:
        return _known("pool", None)
    if len(raw) > msisdn.LONGEST_RAW:
        return _invalid("too_long")
    if not raw.strip():
        return _invalid("empty")
    if _numeric(raw) or msisdn.parse(raw).e164:
        return _classify_number(raw, owned)
    if not _alphanumeric(raw):
        return _invalid("bad_character", _suggestion(raw))
    if len(raw) > LONGEST_ALPHANUMERIC:
        return _invalid("too_long", _suggestion(raw))
    return _known("alphanumeric", raw)


def _classify_number(raw: str, owned: Mapping[str, str]) -> SenderId:
    e164 = msisdn.parse(raw).e164 or f"+{_digits(raw)}"
    if e164 in owned:
        return _known(_OWN_KINDS[owned[e164]], e164)
    if len(e164) > len("+") + LONGEST_NUMERIC:
        return _invalid("too_long")
    return _invalid("only_digits" if raw.isdigit() and not msisdn.parse(raw).e164 else "not_owned")


def _digits(raw: str) -> str:
    """Return the digits of a number that no country has given out, without the international prefix."""
    return "".join(str(unicodedata.decimal(c)) for c in raw if c.isdecimal()).removeprefix("00")


def _known(kind: Kind, value: str | None) -> SenderId:
    can_reply, can_call = CAN_REPLY_AND_CALL[kind]
    return SenderId(kind, value, can_reply, can_call)


def _invalid(error: str, suggestion: str | None = None) -> SenderId:
    return SenderId("invalid", None, False, False, error, suggestion)


def _suggestion(raw: str) -> str | None:
    """Return a sender near to `raw`, None where no letter is left.

    "Zahn-Lindner" keeps its spelling, "ZahnLindner". Letters that have to be written out make all of it
    capitals, "Müller" -> "MUELLER". What is too long loses the ends of its first words, down to three
    letters, since the last one is mostly the name: "Zahnarztpraxis Lindner" -> "ZahnLindner".
    """
    composed = unicodedata.normalize("NFC", raw)
    spelled = composed.translate(_LETTERS)
    if spelled != composed:
        spelled = spelled.upper()
    words = re.findall("[A-Za-z0-9]+", _unaccented(spelled))
    name = "".join(_shortened(words))[:LONGEST_ALPHANUMERIC]
    return name if name and not name.isdigit() else None


def _unaccented(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


def _shortened(words: list[str]) -> list[str]:
    excess = sum(map(len, words)) - LONGEST_ALPHANUMERIC
    shorter = []
    for word in words:
        cut = max(0, min(excess, len(word) - _SHORTEST_WORD))
        shorter.append(word[: len(word) - cut])
        excess -= cut
    return shorter
