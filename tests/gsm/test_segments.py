"""Parts of a text: known cases, and properties against a naive reference that packs one character at a time."""

import re
import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sms.gsm import segments

# Written down a second time, from 3GPP TS 23.038 section 6.2.1, so that a slip in the module is seen here.
BASIC = set(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = set("\f^{}\\[~]|€")

gsm_text = st.text(st.sampled_from(sorted(BASIC - {"\r"}) + sorted(EXTENSION) * 3), max_size=700)
unicode_text = st.text(
    st.one_of(st.sampled_from("aä€ñ😀👩🏽‍🚀\u200d中\n\r"), st.characters(exclude_categories=["Cs"])),
    max_size=300,
)
any_text = st.one_of(gsm_text, unicode_text, st.text(st.characters(), max_size=200))


def reference(text: str) -> tuple[str, int, list[str]]:
    """Encoding, units and parts by the book, one character after the other."""
    text = unicodedata.normalize("NFC", re.sub("\r\n?", "\n", text))
    if all(c in BASIC or c in EXTENSION for c in text):
        encoding, alone, joined = "GSM-7", 160, 153
        widths = [2 if c in EXTENSION else 1 for c in text]
    else:
        encoding, alone, joined = "UCS-2", 70, 67
        widths = [2 if ord(c) > 0xFFFF else 1 for c in text]
    if sum(widths) <= alone:
        return encoding, sum(widths), [text] if text else []
    parts, room = [""], joined
    for character, width in zip(text, widths, strict=True):
        if width > room:
            parts.append("")
            room = joined
        parts[-1] += character
        room -= width
    return encoding, sum(widths), parts


@given(any_text)
@settings(max_examples=400)
def test_count_agrees_with_packing_one_character_at_a_time(text: str) -> None:
    counted = segments.count(text)

    assert (counted.encoding, counted.units, list(counted.texts)) == reference(text)
    assert counted.parts == len(counted.texts)


@given(any_text)
def test_joined_parts_are_the_normalised_text(text: str) -> None:
    assert "".join(segments.count(text).texts) == segments.normalise(text)


@given(any_text)
def test_every_part_fits_and_the_meter_is_never_overfull(text: str) -> None:
    counted = segments.count(text)
    alone, joined = (160, 153) if counted.encoding == "GSM-7" else (70, 67)

    assert counted.units <= counted.unit_limit
    assert counted.unit_limit == (alone if counted.parts <= 1 else joined * counted.parts)
    for part in counted.texts:
        size = (
            segments.count(part).units
            if counted.encoding == "GSM-7"
            else len(part.encode("utf-16-le", "surrogatepass")) // 2
        )
        assert 0 < size <= (alone if counted.parts == 1 else joined)


@given(unicode_text)
def test_no_part_begins_or_ends_within_a_surrogate_pair(text: str) -> None:
    for part in segments.count(text).texts:
        part.encode("utf-16-le")  # raises on half a pair


@given(any_text)
def test_reasons_for_unicode_are_each_character_once_in_order(text: str) -> None:
    foreign = [c for c in segments.normalise(text) if c not in BASIC | EXTENSION]

    assert list(segments.count(text).unicode_because) == sorted(set(foreign), key=foreign.index)


@given(any_text)
def test_normalising_twice_changes_nothing_more(text: str) -> None:
    once = segments.normalise(text)

    assert segments.normalise(once) == once
    assert "\r" not in once


@pytest.mark.parametrize(
    ("text", "encoding", "units", "parts", "limit"),
    [
        ("", "GSM-7", 0, 0, 160),
        ("a", "GSM-7", 1, 1, 160),
        ("a" * 160, "GSM-7", 160, 1, 160),
        ("a" * 161, "GSM-7", 161, 2, 306),
        ("a" * 306, "GSM-7", 306, 2, 306),
        ("a" * 307, "GSM-7", 307, 3, 459),
        ("€" * 80, "GSM-7", 160, 1, 160),
        ("€" * 81, "GSM-7", 162, 2, 306),
        # 153 is odd: a part of nothing but escape pairs holds 76 of them, 152 septets
        ("€" * 152, "GSM-7", 304, 2, 306),
        ("€" * 153, "GSM-7", 306, 3, 459),
        ("a" * 152 + "€" + "a" * 152, "GSM-7", 306, 3, 459),
        ("a" * 152 + "€" + "a" * 151, "GSM-7", 305, 2, 306),
        ("ж" * 70, "UCS-2", 70, 1, 70),
        ("ж" * 71, "UCS-2", 71, 2, 134),
        ("ж" * 134, "UCS-2", 134, 2, 134),
        ("ж" * 135, "UCS-2", 135, 3, 201),
        ("😀" * 35, "UCS-2", 70, 1, 70),
        ("😀" * 36, "UCS-2", 72, 2, 134),
        # 67 is odd: 33 pairs a part
        ("😀" * 66, "UCS-2", 132, 2, 134),
        ("😀" * 67, "UCS-2", 134, 3, 201),
        ("ж" * 66 + "😀" + "ж" * 66, "UCS-2", 134, 3, 201),
        # a euro sign is one code unit in Unicode
        ("ж" + "€" * 69, "UCS-2", 70, 1, 70),
        ("Zeile\r\nZeile\rZeile\n", "GSM-7", 18, 1, 160),
        ("ÄÖÜäöüß", "GSM-7", 7, 1, 160),
        ("[{}]\\^~|€", "GSM-7", 18, 1, 160),
        ("a\fb", "GSM-7", 4, 1, 160),
        ("\x1b", "UCS-2", 1, 1, 70),
        ("\t", "UCS-2", 1, 1, 70),
        ("ç", "UCS-2", 1, 1, 70),
        ("Ç", "GSM-7", 1, 1, 160),
        ("„Zitat“", "UCS-2", 7, 1, 70),
        ("u\u0308", "GSM-7", 1, 1, 160),
        ("\u2126\u212b", "GSM-7", 2, 1, 160),
    ],
)
def test_known_texts_cost(text: str, encoding: str, units: int, parts: int, limit: int) -> None:
    counted = segments.count(text)

    assert (counted.encoding, counted.units, counted.parts, counted.unit_limit) == (
        encoding,
        units,
        parts,
        limit,
    )


def test_every_single_character_of_unicode_is_sorted_as_the_standard_says() -> None:
    for code in range(0x11000):
        character = chr(code)
        composed = unicodedata.normalize("NFC", character).replace("\r", "\n")
        expected = "GSM-7" if all(c in BASIC | EXTENSION for c in composed) else "UCS-2"
        assert segments.count(character).encoding == expected, hex(code)


def test_tables_have_the_size_the_standard_gives_them() -> None:
    assert len(segments.BASIC) == len(set(segments.BASIC)) == 128
    assert segments.BASIC.index("@") == 0x00
    assert segments.BASIC.index("\x1b") == 0x1B
    assert segments.BASIC.index("¡") == 0x40
    assert segments.BASIC.index("à") == 0x7F
    assert segments.BASIC[0x30:0x3A] == "0123456789"
    assert segments.BASIC[0x41:0x5B] == "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    assert segments.BASIC[0x61:0x7B] == "abcdefghijklmnopqrstuvwxyz"
    assert len(segments.EXTENSION) == 10


def test_decomposed_text_of_macos_costs_what_the_composed_one_costs() -> None:
    text = "Schöne Grüße aus der Österreicher Straße"

    assert segments.count(unicodedata.normalize("NFD", text)) == segments.count(text)


def test_ceil_would_count_too_few_parts_for_a_text_with_extension_characters() -> None:
    counted = segments.count("a" * 152 + "{" + "b" * 152)

    assert counted.units == 2 * 153
    assert counted.parts == 3
    assert counted.texts == ("a" * 152, "{" + "b" * 151, "b")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Hallo", None),
        ("Zeile\nZeile\r\nZeile\rEnde", None),
        ("", "empty"),
        (" \n\r\n ", "empty"),
        ("\u00a0\u2003\u200b\ufeff", "empty"),
        ("\u00ad", "empty"),
        ("\x00", "control_character"),
        ("a\x00b", "control_character"),
        ("a\tb", "control_character"),
        ("a\fb", "control_character"),
        ("a\x1bb", "control_character"),
        ("a\x7fb", "control_character"),
        ("a\x85b", "control_character"),
        ("a\x9fb", "control_character"),
        ("a\ud83d", "surrogate"),
        ("\ude00", "surrogate"),
        ("\ud83d\ude00", "surrogate"),
        ("😀", None),
        ("👩🏽‍🚀", None),
        ("a" * 1500, None),
        ("a" * 1501, "too_long"),
        ("😀" * 1500, None),
        ("😀" * 1501, "too_long"),
        ("u\u0308" * 1500, None),
        ("\u03b1\u0313\u0300\u0345" * 1500, None),
        ("\u03b1\u0313\u0300\u0345" * 1501, "too_long"),
        ("\r\n" * 1400 + "a" * 100, None),
        (" " * 1501, "empty"),
    ],
)
def test_what_cannot_be_sent_is_told_by_its_code(text: str, code: str | None) -> None:
    assert segments.problem(text) == code


def test_no_character_decomposes_into_more_than_the_four_that_bound_the_work() -> None:
    assert max(len(unicodedata.normalize("NFD", chr(c))) for c in range(0x110000)) == 4


@given(st.text(st.characters(), max_size=2000))
def test_what_has_no_problem_encodes_and_is_within_the_limit(text: str) -> None:
    if segments.problem(text) is None:
        segments.normalise(text).encode("utf-8")
        assert 0 < segments.characters(text) <= segments.MAX_CHARACTERS


@pytest.mark.parametrize(
    "megabyte", ["a" * 1_000_000, "\r\n" * 500_000, "a" + "\u0300\u0316" * 500_000, "😀" * 250_000]
)
def test_a_megabyte_is_refused_at_once(megabyte: str) -> None:
    began = time.process_time()

    assert segments.problem(megabyte) == "too_long"
    assert segments.characters(megabyte) > segments.MAX_CHARACTERS
    assert segments.count(megabyte).parts > 1000
    assert time.process_time() - began < 3


def test_twenty_thousand_personal_texts_are_counted_within_a_second() -> None:
    texts = [
        f"Guten Tag Herr Müller {n}, Ihr Termin ist am Montag um 9:00 Uhr. Bitte antworten Sie JA."
        for n in range(20_000)
    ]
    began = time.process_time()

    assert sum(segments.count(text).parts for text in texts) == 20_000
    assert time.process_time() - began < 1
