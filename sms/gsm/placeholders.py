"""Placeholders in texts: `{name}` is replaced, `{{` and `}}` are braces, any other brace is itself.

A name is 1 to 64 letters, digits, `_`, `-` and inner blanks of any script, case-insensitive; blanks around
it do not count. Values are inserted as they are and never read again, so a value may contain `{name}`.
"""

import re
import unicodedata
from collections.abc import Mapping
from typing import Any, NamedTuple

_token = re.compile(r"\{\{|\}\}|\{ {0,8}(\w(?:[\w \-]{0,62}[\w\-])?) {0,8}\}")


class Filled(NamedTuple):
    """A text with its placeholders filled, and the names no value was found for, which stay as written."""

    text: str
    missing: tuple[str, ...]


def names(text: str) -> tuple[str, ...]:
    """Return the names in a text, as first written, in order; two spellings of one name count once."""
    found: dict[str, str] = {}
    for match in _token.finditer(text):
        if name := match[1]:
            found.setdefault(_key(name), name)
    return tuple(found.values())


def fill(text: str, fields: Mapping[str, Any]) -> Filled:
    """Insert the values of `fields`; a name without one, or whose value is None, is reported as missing."""
    values = {_key(str(name)): value for name, value in fields.items() if value is not None}
    missing: dict[str, str] = {}

    def replacement(match: re.Match[str]) -> str:
        name = match[1]
        if not name:
            return match[0][0]
        key = _key(name)
        if key in values:
            return str(values[key])
        missing.setdefault(key, name)
        return match[0]

    return Filled(_token.sub(replacement, text), tuple(missing.values()))


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name.strip().casefold())
