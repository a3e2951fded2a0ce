"""Senders: what is one, whose it is, whether it can be answered, and what to offer instead."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sms.gsm import sender_id

OWNED = {"+491713920010": "pool", "+493023125100": "virtual", "+491713920077": "own_mobile"}


def test_no_sender_means_the_pool() -> None:
    assert sender_id.classify("") == sender_id.SenderId("pool", None, can_reply=True, can_call=False)


@pytest.mark.parametrize(
    ("raw", "kind", "value", "can_reply", "can_call"),
    [
        ("+491713920010", "pool", "+491713920010", True, False),
        ("0171 39200 10", "pool", "+491713920010", True, False),
        ("0049 171 3920010", "pool", "+491713920010", True, False),
        ("491713920010", "pool", "+491713920010", True, False),
        ("030 23125 100", "virtual", "+493023125100", True, True),
        ("0171–39200–77", "own_mobile", "+491713920077", True, True),
        ("MUELLER", "alphanumeric", "MUELLER", False, False),
        ("ZahnLindner", "alphanumeric", "ZahnLindner", False, False),
        ("a", "alphanumeric", "a", False, False),
        ("24h", "alphanumeric", "24h", False, False),
        ("1234567890A", "alphanumeric", "1234567890A", False, False),
    ],
)
def test_usable_sender_says_who_reaches_it(
    raw: str, kind: str, value: str, can_reply: bool, can_call: bool
) -> None:
    assert sender_id.classify(raw, OWNED) == sender_id.SenderId(kind, value, can_reply, can_call)


@pytest.mark.parametrize(
    ("raw", "error", "suggestion"),
    [
        (" ", "empty", None),
        ("\u00a0", "empty", None),
        ("Müller", "bad_character", "MUELLER"),
        ("Mu\u0308ller", "bad_character", "MUELLER"),
        ("MÜLLER", "bad_character", "MUELLER"),
        ("Groß", "bad_character", "GROSS"),
        ("Zähne Lindner", "bad_character", "ZAEHLINDNER"),
        ("Zahn Lindner", "bad_character", "ZahnLindner"),
        ("Zahn-Lindner", "bad_character", "ZahnLindner"),
        ("Zahnarztpraxis Lindner", "bad_character", "ZahnLindner"),
        ("Café", "bad_character", "Cafe"),
        ("FADEN ", "bad_character", "FADEN"),
        ("FADEN!", "bad_character", "FADEN"),
        ("A_B", "bad_character", "AB"),
        ("Praxis\x00", "bad_character", "Praxis"),
        ("\ud800Praxis", "bad_character", "Praxis"),
        ("ＰＲＡＸＩＳ", "bad_character", "PRAXIS"),
        ("Практика", "bad_character", None),
        ("😀", "bad_character", None),
        ("1-2-😀", "bad_character", None),
        ("Zahnarztpraxis", "too_long", "Zahnarztpra"),
        ("ABCDEFGHIJKL", "too_long", "ABCDEFGHIJK"),
        ("A" * 1_000_000, "too_long", None),
        ("12345", "only_digits", None),
        ("110", "only_digits", None),
        ("１２３", "only_digits", None),
        ("1234567890123456", "only_digits", None),
        ("12345678901234567", "too_long", None),
        ("+49 171 3920054", "not_owned", None),
        ("01713920054", "not_owned", None),
        ("030 23125417", "not_owned", None),
        ("0900 1234567", "not_owned", None),
    ],
)
def test_unusable_sender_says_why_and_what_would_do(raw: str, error: str, suggestion: str | None) -> None:
    found = sender_id.classify(raw, OWNED)

    assert (found.kind, found.value, found.can_reply, found.can_call) == ("invalid", None, False, False)
    assert (found.error, found.suggestion) == (error, suggestion)


def test_own_number_that_no_country_has_given_out_is_still_found() -> None:
    assert sender_id.classify("0044 7700 900123", {"+447700900123": "virtual"}).kind == "virtual"


@given(st.text(st.characters(), max_size=40))
@settings(max_examples=500)
def test_classify_never_raises_and_what_it_suggests_is_usable(raw: str) -> None:
    found = sender_id.classify(raw, OWNED)

    assert (found.kind == "invalid") == (found.error is not None)
    assert (found.can_reply, found.can_call) == sender_id.CAN_REPLY_AND_CALL[found.kind]
    if found.suggestion is not None:
        assert sender_id.classify(found.suggestion).kind == "alphanumeric"


@given(st.from_regex(r"[A-Za-z0-9]{0,10}[A-Za-z][A-Za-z0-9]{0,10}", fullmatch=True))
def test_letters_and_digits_are_a_sender_exactly_up_to_eleven(raw: str) -> None:
    assert (sender_id.classify(raw).kind == "alphanumeric") == (len(raw) <= 11)


@given(st.text("0123456789", min_size=1, max_size=30))
def test_digits_alone_are_never_a_sender_unless_owned(raw: str) -> None:
    assert sender_id.classify(raw).kind == "invalid"
