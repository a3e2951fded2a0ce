"""Placeholders in texts: `{name}` is replaced, `{{name}}` is the text "{name}", any other brace is itself.

A name is made of letters and digits of any script, `_`, `-` and inner blanks; case and blanks around it do
not count, and it has at most 80 characters on one line. Braces mean something round a name only, so "{{{{"
is four braces and "{" no mistake; of several pairs round a name two make one, and an odd one makes it a
placeholder: "{{{name}}}" becomes "{Anna}". Values are inserted as they are and never read again, so a value
may itself contain `{name}`.
"""

import re
import unicodedata
from collections.abc import Mapping
from typing import Any, NamedTuple

_in_braces = re.compile(r"(?<!\{)(\{++)([^{}\r\n]{1,80})(\}++)")


class Filled(NamedTuple):
    """A text with its placeholders filled, and the names without a value, which stay in it as written."""

    text: str
    missing: tuple[str, ...]


def names(text: str) -> tuple[str, ...]:
    """Return the names in a text as first written, in order; two spellings of one name count once."""
    found: dict[str, str] = {}
    for match in _in_braces.finditer(text):
        name = _name(match)
        if name and _pairs(match) % 2:
            found.setdefault(_key(name), name)
    return tuple(found.values())


def fill(text: str, fields: Mapping[str, Any]) -> Filled:
    """Insert the values of `fields`; a name without one, or whose value is None, is reported as missing."""
    values = {_key(str(name)): str(value) for name, value in fields.items() if value is not None}
    missing: dict[str, str] = {}

    def replacement(match: re.Match[str]) -> str:
        name = _name(match)
        if name is None:
            return match[0]
        if _pairs(match) % 2 == 0:
            return _halved(match, match[2])
        key = _key(name)
        if key in values:
            return _halved(match, values[key])
        missing.setdefault(key, name)
        return match[0]

    return Filled(_in_braces.sub(replacement, text), tuple(missing.values()))


def _pairs(match: re.Match[str]) -> int:
    return min(len(match[1]), len(match[3]))


def _halved(match: re.Match[str], inside: str) -> str:
    """Write one pair of braces for every two; braces without a counterpart stay."""
    gone = _pairs(match) - _pairs(match) // 2
    return f"{match[1][gone:]}{inside}{match[3][gone:]}"


def _name(match: re.Match[str]) -> str | None:
    name = match[2].strip()
    return name if name and all(_in_names(c) for c in name) else None


def _in_names(c: str) -> bool:
    return c.isalnum() or c in "_- " or unicodedata.category(c).startswith("M")


def _key(name: str) -> str:
    """Return what two spellings of a name share: composed, casefolded, single blanks."""
    return " ".join(unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold()).split())
