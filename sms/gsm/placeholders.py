"""Placeholders in texts: `{name}` is replaced, `{{` and `}}` are braces, any other brace is itself.

A name is made of letters and digits of any script, `_`, `-` and inner blanks; case and blanks around it do
not count, and it has at most 80 characters on one line. Values are inserted as they are and never read
again, so a value may itself contain `{name}`.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

_token = re.compile(r"\{\{|\}\}|\{([^{}\r\n]{1,80})\}")


class Filled(NamedTuple):
    """A text with its placeholders filled, and the names without a value, which stay in it as written."""

    text: str
    missing: tuple[str, ...]


def names(text: str) -> tuple[str, ...]:
    """Return the names in a text as first written, in order; two spellings of one name count once."""
    found: dict[str, str] = {}
    for _, name in _pieces(text):
        if name:
            found.setdefault(_key(name), name)
    return tuple(found.values())


def fill(text: str, fields: Mapping[str, Any]) -> Filled:
    """Insert the values of `fields`; a name without one, or whose value is None, is reported as missing."""
    values = {_key(str(name)): str(value) for name, value in fields.items() if value is not None}
    filled: list[str] = []
    missing: dict[str, str] = {}
    for written, name in _pieces(text):
        if name is None:
            filled.append(written)
            continue
        key = _key(name)
        filled.append(values.get(key, written))
        if key not in values:
            missing.setdefault(key, name)
    return Filled("".join(filled), tuple(missing.values()))


def _pieces(text: str) -> Iterator[tuple[str, str | None]]:
    """Yield (text, None) for what stands as it is and (as written, name) for each placeholder."""
    at = 0
    while match := _token.search(text, at):
        yield text[at : match.start()], None
        if match[1] is None:
            yield match[0][0], None
            at = match.end()
        elif name := _name(match[1]):
            yield match[0], name
            at = match.end()
        else:  # the brace opens nothing, but what follows it may
            yield "{", None
            at = match.start() + 1
    yield text[at:], None


def _name(inside: str) -> str | None:
    name = inside.strip()
    return name if name and all(_in_names(c) for c in name) else None


def _in_names(c: str) -> bool:
    return c.isalnum() or c in "_- " or unicodedata.category(c).startswith("M")


def _key(name: str) -> str:
    """Return what two spellings of a name share: composed, casefolded, single blanks."""
    return " ".join(unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold()).split())
