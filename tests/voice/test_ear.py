"""What is written becomes what is said, in German and English, whatever strangers write."""

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.voice.ear_corpus import ENGLISH, GERMAN
from voice.ear import prepare, readable

LOCALES = st.sampled_from(["de", "en", "de_DE", "en-GB", "xx", ""])
ANY_TEXT = st.text(st.characters(), max_size=300)
LIKELY_TEXT = st.text("0123456789.,:-/+€%<> \nabAB@#*()Uhr", max_size=120)


@pytest.mark.parametrize(("written", "spoken"), GERMAN)
def test_german_is_spoken_like_a_person_reads_it(written, spoken):
    assert prepare(written, "de") == spoken


@pytest.mark.parametrize(("written", "spoken"), ENGLISH)
def test_english_is_spoken_like_a_person_reads_it(written, spoken):
    assert prepare(written, "en") == spoken


@pytest.mark.parametrize(("locale", "corpus"), [("de", GERMAN), ("en", ENGLISH)])
def test_what_is_prepared_stays_as_it_is(locale, corpus):
    for _, spoken in corpus:
        assert prepare(spoken, locale) == spoken


def test_the_corpus_is_as_large_as_promised():
    assert len(GERMAN) >= 80
    assert len(ENGLISH) >= 40


@pytest.mark.parametrize("text", ["", " ", "\n\n", "???", "...", "\x00\x01", "\ud800", "\u200b\u200d", "---"])
def test_nothing_to_read_is_said_in_words(text):
    assert prepare(text, "de") == "Die Nachricht enthält keinen Text, der sich vorlesen lässt."
    assert prepare(text, "en") == "The message contains no text that can be read out."


@pytest.mark.parametrize("text", ["🙂", "😀😀😀", ":-)", "🚗 🚕", "👨‍👩‍👧"])
def test_pictures_alone_are_said_to_be_pictures(text):
    assert prepare(text, "de") == "Die Nachricht besteht nur aus Bildzeichen."
    assert readable(text, "en") == "The message consists of pictures only."


def test_a_readable_text_is_left_to_be_prepared_later():
    assert readable("Bis 14 Uhr 🙂", "de") == "Bis 14 Uhr 🙂"


def test_paragraphs_stay_apart_and_lines_become_sentences():
    assert prepare("Hallo\nFrau Sommer\r\n\r\nBis bald", "de") == "Hallo. Frau Sommer\n\nBis bald"


def test_an_unknown_language_is_read_as_german():
    assert prepare("12,50 €", "fr") == "zwölf Euro fünfzig"


def test_decomposed_umlauts_and_fancy_letters_are_plain_letters():
    assert prepare("Gru\u0308ße", "de") == "Grüße"
    assert prepare("𝗛𝗮𝗹𝗹𝗼 ①", "de") == "Hallo eins"


@settings(max_examples=300, deadline=None)
@given(st.one_of(ANY_TEXT, LIKELY_TEXT), LOCALES)
def test_any_text_gives_words_without_markup_digits_or_control_characters(text, locale):
    words = prepare(text, locale)
    assert words.strip()
    assert not re.search(r"[<>\\\[\]\x00-\x09\x0b-\x1f\x7f]", words)
    assert not re.search(r"\d", words)
    words.encode("utf-8")
    assert len(words) <= 40 * len(text) + 120


@settings(max_examples=200, deadline=None)
@given(st.one_of(ANY_TEXT, LIKELY_TEXT), st.sampled_from(["de", "en"]))
def test_preparing_twice_hardly_adds_anything(text, locale):
    once = prepare(text, locale)
    assert len(prepare(once, locale)) <= 4 * len(once) + 120


HOSTILE = [
    "a.",
    "1.",
    "1-",
    "0 ",
    "a@",
    "-",
    "1,",
    "12:",
    "A1-",
    "<",
    "9",
    "code ",
    "\n",
    " ",
    "Nr. ",
    "x@x",
    "+0",
    "1/",
]


@pytest.mark.parametrize("piece", HOSTILE)
def test_no_pattern_takes_long_over_a_repeated_piece(piece):
    text = (piece * 1500)[:1500]
    started = time.process_time()
    prepare(text, "de")
    prepare(text, "en")
    assert time.process_time() - started < 1
