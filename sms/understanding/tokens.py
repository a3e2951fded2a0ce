"""An answer cut into words, numbers, emoji and marks, as far as possible free of how it was typed."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from sms.gsm.fold import fold

Kind = Literal["word", "number", "emoji", "mark"]

LONGEST = 1600
"""Characters of an answer that is read at all; a text message holds less."""

_MARKS = str.maketrans(
    {
        **dict.fromkeys("−‐‑‒–—―", "-"),
        **dict.fromkeys("’‘´`‚′", "'"),
        **dict.fromkeys("“”„«»‹›″", '"'),
        "⁄": "/",
        "×": "x",
        "\r": "\n",
        # What is there but not seen: soft hyphen, zero width, direction marks.
        **dict.fromkeys(
            map(
                chr,
                (0xAD, 0x61C, 0xFEFF, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A)),
            )
        ),
        "🔟": " 10 ",
        # Skin tones, gender signs, presentation selectors, joiners and keycaps change no meaning.
        **dict.fromkeys("\ufe0e\ufe0f\u200d\u20e3♀♂🏻🏼🏽🏾🏿", ""),
    }
)
_area = re.compile(r"\b([cdk]?m)[²³]")
_initials = re.compile(r"\b([^\W\d_])\.([^\W\d_])(?:\.|\b)(?!\w)")
_token = re.compile(
    r"(?P<number>\d+(?:[.,:'/-]\d+)*)"
    r"|(?P<word>(?<![^\W_])[^\W\d_]-[^\W\d_]{2,}|[^\W\d_]+(?:'[^\W\d_]+)*'?)"
    r"|(?P<smiley>(?<!\w)[:;=]-?[)(DP](?!\w)|\^\^)"
    r"|(?P<mark>[^\S\n]*\n\s*|\S)"
)


@dataclass(frozen=True)
class Token:
    """One piece: `key` is what it is compared by; `glued` where no space parts it from the piece before."""

    kind: Kind
    key: str
    raw: str
    glued: bool

    @property
    def capital(self) -> bool:
        return self.raw[:1].isupper()


def tokens_of(text: str) -> list[Token]:
    """Return the pieces of an answer in order; white space counts only where it parts, a line break is a mark."""
    found: list[Token] = []
    end = 0
    plain = _plain(text)
    for match in _token.finditer(plain):
        glued = match.start() == end and end > 0
        end = match.end()
        found.append(_token_of(match, glued))
    return found


def _token_of(match: re.Match[str], glued: bool) -> Token:
    raw = match.group()
    if match.lastgroup == "word":
        return Token("word", key_of(raw), raw, glued)
    if match.lastgroup == "number":
        return Token("number", raw, raw, glued)
    if match.lastgroup == "smiley":
        return Token("emoji", "🙂", raw, glued)
    raw = "\n" if "\n" in raw else raw
    is_picture = unicodedata.category(raw) in ("So", "Sk") and raw not in "°^`"
    return Token("emoji" if is_picture else "mark", raw, raw, glued)


@lru_cache(maxsize=8192)
def key_of(word: str) -> str:
    """Return the form by which words are compared: folded, without apostrophes; "E-Mail" is "email"."""
    return fold(word).replace("'", "").replace("-", "")


def _plain(text: str) -> str:
    if not text.isascii():
        text = _area.sub("qm", text.translate(_MARKS))
        text = "".join(_digit(c) for c in text)
        text = unicodedata.normalize("NFKC", text)
    return _initials.sub(r"\1\2", text)


def _digit(c: str) -> str:
    """Return a digit of any script as 0-9; what is a number without being one digit stays unreadable."""
    if c.isascii():
        return c
    category = unicodedata.category(c)
    if category == "Nd":
        return str(unicodedata.decimal(c))
    if category in ("No", "Nl"):
        value = unicodedata.numeric(c, -1.0)
        circled = 0x2460 <= ord(c) <= 0x2473 or 0x2776 <= ord(c) <= 0x277F or 0x2780 <= ord(c) <= 0x2793
        return f" {int(value)} " if circled and value > 0 else " ^ "
    return c
