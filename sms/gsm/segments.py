"""How many parts a text costs, and which character makes it cost more.

Source: 3GPP TS 23.038 (formerly GSM 03.38), section 6.2.1 (default alphabet) and 6.2.1.1 (extension
table); 3GPP TS 23.040, section 9.2.3.24.1 (a concatenation header of 6 octets). A short message holds 140
octets: 160 septets or 70 UTF-16 code units alone, 153 septets or 67 code units as a part of a longer text.

What the tables hold besides letters: 0x0A is LF, the only control character a text may contain. 0x0D (CR)
pads the last septet and becomes LF in `normalise`. 0x1B (ESC) is the way into the extension table and no
character. The extension table's 0x0A (FF, a page break) can be counted, as an escape pair, but `problem`
refuses it like every other control character: phones show anything from a blank to nothing for it.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

MAX_CHARACTERS = 1500

BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅå"
    "Δ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    " !\"#¤%&'()*+,-./"
    "0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNO"
    "PQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmno"
    "pqrstuvwxyzäöñüà"
)
"""The default alphabet in code order, 0x00 to 0x7F; 0x1B stands for the escape itself."""

EXTENSION = "\f^{}\\[~]|€"
"""The extension table in code order; each costs an escape pair, two septets."""

_PLAIN = BASIC.replace("\x1b", "")
_only_plain = re.compile(f"[{re.escape(_PLAIN)}]*").fullmatch
_extended = re.compile(f"[{re.escape(EXTENSION)}]")
_foreign = re.compile(f"[^{re.escape(_PLAIN + EXTENSION)}]")
_astral = re.compile("[\U00010000-\U0010ffff]")
_surrogate = re.compile("[\ud800-\udfff]")
_control = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f]")

# NFC joins at most four code points into one (ᾂ), and CRLF is two for one: what is longer than this
# before normalisation is too long after it. It bounds the work, as NFC is quadratic in stacked accents.
_HOPELESS = 4 * MAX_CHARACTERS


@dataclass(frozen=True, slots=True)
class Segments:
    """What a text costs.

    `units` are septets (GSM-7) or UTF-16 code units (UCS-2); `unicode_because` the characters outside
    GSM 03.38 in order of first appearance; `texts` the text of each part; `unit_limit` what all parts
    together can hold (160, 306, 459 .. or 70, 134, 201 ..; of the first part for an empty text).
    """

    encoding: Literal["GSM-7", "UCS-2"]
    units: int
    parts: int
    unicode_because: tuple[str, ...]
    texts: tuple[str, ...]
    unit_limit: int


def normalise(text: str) -> str:
    """Return the text as it is sent: NFC with LF line ends; no character is replaced by another.

    A text that could never come under the limit of 1,500 characters keeps its composition: it is refused
    anyway, and composing it may take long.
    """
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if text.isascii() or len(text) > _HOPELESS:
        return text
    return unicodedata.normalize("NFC", text)


def characters(text: str) -> int:
    """Return the length that the limit of 1,500 applies to: Unicode code points after `normalise`."""
    return len(normalise(text))


def problem(text: str) -> str | None:
    """Return why a text cannot be sent: surrogate, control_character, empty, too_long; None if it can.

    Empty means that nothing would be seen: no character, only white space, or only invisible ones.
    """
    if len(text) > _HOPELESS:
        return "too_long"
    text = normalise(text)
    if _surrogate.search(text):
        return "surrogate"
    if _control.search(text):
        return "control_character"
    if not _visible(text):
        return "empty"
    return "too_long" if len(text) > MAX_CHARACTERS else None


def count(text: str) -> Segments:
    """Return encoding, units and parts of a text after `normalise`; an empty text has 0 units and 0 parts."""
    text = normalise(text)
    if _only_plain(text):
        return _segments("GSM-7", text, len(text), (), None, 160, 153)
    because = tuple(dict.fromkeys(_foreign.findall(text)))
    if not because:
        units = len(text) + len(_extended.findall(text))
        return _segments("GSM-7", text, units, (), _extended, 160, 153)
    units = len(text) + len(_astral.findall(text))
    wide = _astral if units > len(text) else None
    return _segments("UCS-2", text, units, because, wide, 70, 67)


def _visible(text: str) -> bool:
    if text.isascii():
        return not (not text or text.isspace())
    return any(not c.isspace() and unicodedata.category(c) != "Cf" for c in text)


def _segments(
    encoding: Literal["GSM-7", "UCS-2"],
    text: str,
    units: int,
    because: tuple[str, ...],
    wide: re.Pattern[str] | None,
    alone: int,
    joined: int,
) -> Segments:
    if units <= alone:
        return Segments(encoding, units, 1 if text else 0, because, (text,) if text else (), alone)
    texts = _pack(text, wide, joined) if wide else _slice(text, joined)
    return Segments(encoding, units, len(texts), because, texts, joined * len(texts))


def _slice(text: str, size: int) -> tuple[str, ...]:
    return tuple(text[i : i + size] for i in range(0, len(text), size))


def _pack(text: str, wide: re.Pattern[str], size: int) -> tuple[str, ...]:
    """Fill parts of `size` units one after the other; a wide character takes two and is never split."""
    texts = []
    start = used = 0
    is_wide = {match.start() for match in wide.finditer(text)}
    for at in range(len(text)):
        width = 2 if at in is_wide else 1
        if used + width > size:
            texts.append(text[start:at])
            start, used = at, 0
        used += width
    texts.append(text[start:])
    return tuple(texts)
