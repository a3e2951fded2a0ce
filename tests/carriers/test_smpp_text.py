"""Texts as octets: every text that goes out comes back as it was, however it is cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms.carriers.smpp_text import (
    EXTENSION,
    Fragment,
    NotInAlphabet,
    Part,
    decode,
    decode_gsm,
    encode_gsm,
    join,
    parts,
    unwrap,
)
from sms.gsm import segments

GSM = st.text(st.sampled_from(segments.BASIC.replace("\x1b", "") + "^{}\\[~]|€"), max_size=600)
ANY = st.text(max_size=400).filter(lambda text: not any("\ud800" <= c <= "\udfff" for c in text))


def put_together(sent: tuple[Part, ...], alphabet: str = "gsm") -> str:
    """Read parts as a phone would: header off, octets joined, then made characters."""
    found = [
        unwrap(
            part.udh + part.content,
            0x40 if part.udh else 0,
            part.sar and (part.sar[0], part.sar[1], part.sar[2]),
        )
        for part in sent
    ]
    if isinstance(found[0], bytes):
        assert len(found) == 1
        return decode(found[0], sent[0].coding, alphabet)  # type: ignore[arg-type]
    return join(found[::-1], sent[0].coding, alphabet)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "octets"),
    [
        ("@£$¥", "00010203"),
        ("hello", "68656c6c6f"),
        ("Grüße", "47727e1e65"),
        ("ÄÖÜäöü§", "5b5c5e7b7c7e5f"),
        ("€", "1b65"),
        ("{}[]~^|\\", "1b281b291b3c1b3e1b3d1b141b401b2f"),
        ("\n", "0a"),
        ("¿à", "607f"),
    ],
)
def test_the_octets_are_those_of_the_specification(text: str, octets: str) -> None:
    assert encode_gsm(text).hex() == octets
    assert decode_gsm(bytes.fromhex(octets)) == text


def test_a_backtick_is_no_paragraph_sign() -> None:
    for foreign in ("`", "ş", "😀", "\t"):
        with pytest.raises(NotInAlphabet):
            encode_gsm(foreign)


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        ("1b", ""),
        ("1b1b", " "),
        ("1b1b65", " e"),
        ("1b41", "A"),
        ("411b", "A"),
        ("c1", "A"),
        ("", ""),
    ],
)
def test_what_the_alphabet_leaves_open_is_shown_somehow(octets: str, text: str) -> None:
    assert decode_gsm(bytes.fromhex(octets)) == text


@given(GSM)
def test_the_alphabet_comes_back_as_it_was(text: str) -> None:
    assert decode_gsm(encode_gsm(text)) == text


@given(st.binary(max_size=300))
def test_any_septets_are_some_text(octets: bytes) -> None:
    assert "\x1b" not in decode_gsm(octets)


@given(st.one_of(GSM, ANY), st.integers(0, 255), st.sampled_from(["udh", "sar", "payload"]))
def test_a_text_of_any_length_arrives_as_it_was_counted(text: str, reference: int, long_by: str) -> None:
    counted = segments.count(text)
    sent = parts(text, reference, "gsm", long_by) if counted.parts else ()  # type: ignore[arg-type]
    if not sent:
        return
    assert len(sent) == (1 if long_by == "payload" else counted.parts)
    assert put_together(sent) == segments.normalise(text)


@given(st.one_of(GSM, ANY))
def test_no_part_is_longer_than_a_message(text: str) -> None:
    for part in parts(text, 7, "gsm", "udh") if segments.count(text).parts else ():
        assert len(part.udh + part.content) <= (140 if part.coding == 8 else 160)


@given(st.one_of(GSM, ANY), st.sampled_from(["udh", "sar", "payload"]))
def test_a_centre_that_reads_latin1_gets_latin1_or_unicode(text: str, long_by: str) -> None:
    if not segments.count(text).parts:
        return
    sent = parts(text, 1, "latin1", long_by)  # type: ignore[arg-type]
    assert {part.coding for part in sent} <= {3, 8}
    assert put_together(sent, "latin1") == segments.normalise(text)


def test_no_escape_and_no_surrogate_is_cut() -> None:
    assert all(part.content.endswith(b"\x1b\x65") for part in parts("€" * 100, 1, "gsm", "udh"))
    for part in parts("😀" * 40, 1, "gsm", "udh"):
        part.content.decode("utf-16-be")


def test_parts_are_tied_together_by_reference_total_and_number() -> None:
    first, second = parts("a" * 200, 0xAB, "gsm", "udh")
    assert first.udh == bytes((5, 0, 3, 0xAB, 2, 1))
    assert second.udh == bytes((5, 0, 3, 0xAB, 2, 2))
    assert (len(first.content), len(second.content)) == (153, 47)
    assert [part.sar for part in parts("a" * 200, 0xAB, "gsm", "sar")] == [(0xAB, 1, 2), (0xAB, 2, 2)]
    (whole,) = parts("a" * 200, 0xAB, "gsm", "payload")
    assert (whole.payload, len(whole.content)) == (True, 200)


UNWRAPPED = [
    ("8 bit", "050003ab0201" + "41", 0x40, None, Fragment(0xAB, 2, 1, b"A")),
    ("16 bit", "060804abcd0302" + "41", 0x40, None, Fragment(0xABCD, 3, 2, b"A")),
    ("after a port", "0b0504158a00000003ab0201" + "41", 0x40, None, Fragment(0xAB, 2, 1, b"A")),
    ("only a port", "060504158a0000" + "41", 0x40, None, b"A"),
    ("no header without the flag", "050003ab020141", 0x00, None, bytes.fromhex("050003ab020141")),
    ("the flag without a header", "", 0x40, None, b""),
    ("a header longer than all", "ff0003", 0x40, None, bytes.fromhex("ff0003")),
    ("one of one", "050003ab0101" + "41", 0x40, None, b"A"),
    ("none of two", "050003ab0200" + "41", 0x40, None, b"A"),
    ("three of two", "050003ab0203" + "41", 0x40, None, b"A"),
    ("an element cut short", "0400 03ab 02" + "41", 0x40, None, b"A"),
    ("by parameters", "41", 0x00, (9, 2, 3), Fragment(9, 3, 2, b"A")),
    ("parameters of a single one", "41", 0x00, (9, 1, 1), b"A"),
    ("nonsense parameters", "41", 0x00, (9, 0, 0), b"A"),
]


@pytest.mark.parametrize(
    ("octets", "esm_class", "sar", "expected"), [r[1:] for r in UNWRAPPED], ids=[r[0] for r in UNWRAPPED]
)
def test_headers_are_taken_off(octets: str, esm_class: int, sar, expected) -> None:
    assert unwrap(bytes.fromhex(octets), esm_class, sar) == expected


@given(st.binary(max_size=40), st.integers(0, 255))
def test_any_header_is_a_fragment_or_a_text(content: bytes, esm_class: int) -> None:
    found = unwrap(content, esm_class, None)
    if isinstance(found, Fragment):
        assert 1 <= found.number <= found.total


CODINGS = [
    (0x00, "7e", "ü"),
    (0x10, "7e", "ü"),
    (0xF0, "7e", "ü"),
    (0xF1, "7e", "ü"),
    (0xC8, "7e", "ü"),
    (0x01, "41", "A"),
    (0x03, "fc", "ü"),
    (0x08, "00fc", "ü"),
    (0x18, "00fc", "ü"),
    (0x48, "00fc", "ü"),
    (0xE0, "00fc", "ü"),
    (0x08, "d83dde00", "😀"),
    (0x08, "d83d", "\ufffd"),
    (0x08, "00", "\ufffd"),
    (0x06, "b0", "А"),
    (0x07, "e0", "א"),
    (0x04, "fc", "ü"),
    (0xF4, "fc", "ü"),
    (0x14, "fc", "ü"),
]


@pytest.mark.parametrize(("coding", "octets", "text"), CODINGS)
def test_every_coding_is_read(coding: int, octets: str, text: str) -> None:
    assert decode(bytes.fromhex(octets), coding, "gsm") == text


@given(st.binary(max_size=200), st.integers(0, 255), st.sampled_from(["gsm", "latin1"]))
def test_any_octets_in_any_coding_are_some_text(content: bytes, coding: int, alphabet: str) -> None:
    decode(content, coding, alphabet).encode("utf-8")  # type: ignore[arg-type]


def test_a_character_across_a_cut_is_whole_again() -> None:
    emoji = "😀".encode("utf-16-be")
    cut = [Fragment(1, 2, 2, emoji[2:]), Fragment(1, 2, 1, emoji[:2])]
    assert join(cut, 8, "gsm") == "😀"
    assert join([Fragment(1, 2, 1, b"\x1b"), Fragment(1, 2, 2, b"\x65")], 0, "gsm") == "€"


def test_what_never_came_leaves_a_gap() -> None:
    have = [Fragment(1, 3, 1, b"A"), Fragment(1, 3, 3, b"C")]
    assert join(have, 0, "gsm", " … ") == "A … C"


def test_the_extension_is_in_the_order_of_its_codes() -> None:
    assert list(EXTENSION.values()) == sorted(EXTENSION.values())
