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
from functools import lru_cache
from typing import Any, NamedTuple

_in_braces = re.compile(r"(?<!\{)(\{++)([^{}\r\n]{1,80})(\}++)")


class Filled(NamedTuple):
    """A text with its placeholders filled, and the names without a value, which stay in it as written."""

    text: str
    missing: tuple[str, ...]


class _Hole(NamedTuple):
    """A placeholder in a text: as written, its name, and the braces that stay left and right of a value."""

    written: str
    name: str
    key: str
    left: str
    right: str


def names(text: str) -> tuple[str, ...]:
    """Return the names in a text as first written, in order; two spellings of one name count once."""
    found: dict[str, str] = {}
    for _, hole in _pieces(text):
        if hole is not None:
            found.setdefault(hole.key, hole.name)
    return tuple(found.values())


def fill(text: str, fields: Mapping[str, Any]) -> Filled:
    """Insert the values of `fields`; a name without one, or whose value is None, is reported as missing."""
    values = {_key(str(name)): str(value) for name, value in fields.items() if value is not None}
    missing: dict[str, str] = {}
    filled = []
    for before, hole in _pieces(text):
        filled.append(before)
        if hole is None:
            continue
        if hole.key in values:
            filled += (hole.left, values[hole.key], hole.right)
        else:
            missing.setdefault(hole.key, hole.name)
            filled.append(hole.written)
    return Filled("".join(filled), tuple(missing.values()))


@lru_cache(maxsize=64)
def _pieces(text: str) -> tuple[tuple[str, _Hole | None], ...]:
    """Take a text apart, once for however many people it is filled: what stands before each placeholder, and it."""
    pieces: list[tuple[str, _Hole | None]] = []
    end = 0
    for match in _in_braces.finditer(text):
        before, hole = _read(match)
        pieces.append((text[end : match.start()] + before, hole))
        end = match.end()
    return (*pieces, (text[end:], None))


def _read(match: re.Match[str]) -> tuple[str, _Hole | None]:
    """Return what braces and what is in them mean: a text, or a placeholder."""
    name = match[2].strip()
    if not name or not all(_in_names(c) for c in name):
        return match[0], None
    pairs = min(len(match[1]), len(match[3]))
    # One pair of braces is written for every two; braces without a counterpart stay.
    left, right = (braces[pairs - pairs // 2 :] for braces in (match[1], match[3]))
    if pairs % 2 == 0:
        return f"{left}{match[2]}{right}", None
    return "", _Hole(match[0], name, _key(name), left, right)


def _in_names(c: str) -> bool:
    return c.isalnum() or c in "_- " or unicodedata.category(c).startswith("M")


@lru_cache(maxsize=1024)
def _key(name: str) -> str:
    """Return what two spellings of a name share: composed, casefolded, single blanks."""
    return " ".join(unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold()).split())
