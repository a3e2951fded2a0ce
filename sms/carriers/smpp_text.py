"""Texts as octets: alphabets, the parts of a long text on its way out, and the parts of one that came in.

Sources: 3GPP TS 23.038 (alphabets, data coding groups), 3GPP TS 23.040, 9.2.3.24 (user data header) and SMPP
v3.4, 5.2.19 (data_coding). Parts are cut by `sms.gsm.segments` alone, so what is sent is what was counted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sms.gsm import segments

Alphabet = Literal["gsm", "latin1"]
"""What a carrier reads data_coding 0 as: GSM 03.38 with one septet an octet, or ISO 8859-1."""
LongBy = Literal["udh", "sar", "payload"]

DEFAULT, LATIN1, UCS2 = 0x00, 0x03, 0x08
UDHI = 0x40
"""esm_class: the content begins with a user data header."""

ESCAPE = 0x1B
EXTENSION: Mapping[str, int] = dict(
    zip(
        segments.EXTENSION,
        (0x0A, 0x14, 0x28, 0x29, 0x2F, 0x3C, 0x3D, 0x3E, 0x40, 0x65),
        strict=True,
    )
)
_SEPTET = {character: code for code, character in enumerate(segments.BASIC) if code != ESCAPE}
_EXTENDED = {code: character for character, code in EXTENSION.items()}

CODECS: Mapping[int, str] = {
    0x01: "ascii",
    LATIN1: "latin-1",
    0x06: "iso8859-5",
    0x07: "iso8859-8",
    0x0E: "euc-kr",
}
"""Alphabets of data_coding beside GSM and UCS-2; octets that none of them explains are read as ISO 8859-1."""


class NotInAlphabet(ValueError):
    """A character that the alphabet does not have."""


@dataclass(frozen=True)
class Part:
    """One submit_sm: `content` without its header, which `udh` holds; `sar` is reference, number and total."""

    content: bytes
    coding: int
    udh: bytes = b""
    sar: tuple[int, int, int] | None = None
    payload: bool = False


@dataclass(frozen=True)
class Fragment:
    """One part of a text that came in: its place, and octets that make sense only with the others'."""

    reference: int
    total: int
    number: int
    content: bytes


def encode_gsm(text: str) -> bytes:
    """Return text as septets of GSM 03.38, one an octet; raises NotInAlphabet."""
    septets = bytearray()
    for character in text:
        if character in _SEPTET:
            septets.append(_SEPTET[character])
        elif character in EXTENSION:
            septets += bytes((ESCAPE, EXTENSION[character]))
        else:
            raise NotInAlphabet(f"U+{ord(character):04X}")
    return bytes(septets)


def decode_gsm(septets: bytes) -> str:
    """Return the text of unpacked septets; an unknown escape shows its basic character (23.038, 6.2.1.1)."""
    characters, escaped = [], False
    for septet in septets:
        code = septet & 0x7F
        if code == ESCAPE:
            escaped = not escaped
            if not escaped:
                characters.append(" ")
            continue
        basic = segments.BASIC[code]
        characters.append(_EXTENDED.get(code, basic) if escaped else basic)
        escaped = False
    return "".join(characters)


def parts(text: str, reference: int, alphabet: Alphabet, long_by: LongBy) -> tuple[Part, ...]:
    """Return a text as the submits it takes, none for an empty one.

    `reference` (0 to 255) ties the parts of a long one together. Raises ValueError for half a surrogate pair.
    """
    counted = segments.count(text)
    coding = _coding(text, counted.encoding, alphabet)
    contents = [_encode(part, coding, alphabet) for part in counted.texts]
    if len(contents) == 1:
        return (Part(contents[0], coding),)
    if long_by == "payload":
        return (Part(b"".join(contents), coding, payload=True),)
    total = len(contents)
    if long_by == "sar":
        return tuple(Part(c, coding, sar=(reference, n, total)) for n, c in enumerate(contents, 1))
    return tuple(Part(c, coding, udh=_header(reference, n, total)) for n, c in enumerate(contents, 1))


def decode(content: bytes, coding: int, alphabet: Alphabet) -> str:
    """Return text that came in; nothing is lost silently: what cannot be read shows as U+FFFD."""
    kind = _group(coding)
    if kind == DEFAULT:
        return decode_gsm(content) if alphabet == "gsm" else content.decode("latin-1")
    if kind == UCS2:
        return content.decode("utf-16-be", "replace")
    return content.decode(CODECS.get(kind, "latin-1"), "replace")


def unwrap(content: bytes, esm_class: int, sar: tuple[int, int, int] | None) -> Fragment | bytes:
    """Take a user data header off: a part of a longer text, or all of a short one."""
    if esm_class & UDHI and content and content[0] < len(content):
        header, content = content[1 : content[0] + 1], content[content[0] + 1 :]
        place = _place(header)
    else:
        place = sar
    if place is None or not 1 <= place[1] <= place[2] or place[2] == 1:
        return content
    return Fragment(place[0], place[2], place[1], content)


def join(fragments: Sequence[Fragment], coding: int, alphabet: Alphabet, missing: str = "") -> str:
    """Return the text of all parts; octets are joined first, as a character may lie across a cut.

    Where a part never came, `missing` stands in its place.
    """
    have = {fragment.number: fragment.content for fragment in fragments}
    total = fragments[0].total
    if len(have) == total:
        return decode(b"".join(have[n] for n in range(1, total + 1)), coding, alphabet)
    pieces = [decode(have[n], coding, alphabet) if n in have else missing for n in range(1, total + 1)]
    return "".join(pieces)


def _header(reference: int, number: int, total: int) -> bytes:
    return bytes((5, 0x00, 3, reference & 0xFF, total, number))


def _coding(text: str, encoding: str, alphabet: Alphabet) -> int:
    if encoding == "UCS-2":
        return UCS2
    if alphabet == "gsm":
        return DEFAULT
    # A centre that reads the default as Latin-1 has no € and no Greek: such a text goes out as UCS-2.
    return LATIN1 if all(ord(character) < 0x100 for character in text) else UCS2


def _encode(text: str, coding: int, alphabet: Alphabet) -> bytes:
    if coding == UCS2:
        return text.encode("utf-16-be")
    return text.encode("latin-1") if coding == LATIN1 else encode_gsm(text)


def _group(coding: int) -> int:
    """Return the alphabet that a data_coding names, whatever class or indication the octet carries besides."""
    if coding < 0x10:
        return coding
    group = coding >> 4
    if group in (0xC, 0xD):
        return DEFAULT
    if group == 0xE:
        return UCS2
    if group == 0xF:
        return 0x04 if coding & 0x04 else DEFAULT
    # General groups 00xx and 01xx of 23.038: bits 3 and 2 are the alphabet.
    return {0b00: DEFAULT, 0b10: UCS2}.get((coding >> 2) & 0b11, 0x04)


def _place(header: bytes) -> tuple[int, int, int] | None:
    """Return reference, number and total of a concatenation element (0x00 or 0x08), None where there is none."""
    at = 0
    while at + 2 <= len(header):
        element, value = header[at], header[at + 2 : at + 2 + header[at + 1]]
        if element == 0x00 and len(value) == 3:
            return value[0], value[2], value[1]
        if element == 0x08 and len(value) == 4:
            return int.from_bytes(value[:2], "big"), value[3], value[2]
        at += 2 + header[at + 1]
    return None
