"""TwiML documents: anything may come, only Twilio's codes leave."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms.sandbox import twiml
from sms.sandbox.twiml import BadTwiml

NAMES = st.sampled_from([*twiml.KNOWN, "Dial", "say"])
PIECES = st.recursive(
    st.text(alphabet="ab <>&\"'é😀\x00", max_size=8),
    lambda inside: st.builds(
        lambda name, body: f"<{name} a='1'>{''.join(body)}</{name}>", NAMES, st.lists(inside, max_size=3)
    ),
    max_leaves=6,
)


def outcome(body):
    try:
        twiml.parse(body, "http://customer.example/twiml")
    except BadTwiml as wrong:
        return wrong.code
    return None


@given(st.one_of(st.binary(max_size=200), PIECES.map(lambda text: f"<Response>{text}</Response>".encode())))
def test_whatever_comes_is_a_document_or_a_code(body):
    assert outcome(body) in (None, 11750, 12100, 12102, 12200)


@pytest.mark.parametrize(
    ("relative", "absolute"),
    [
        ("", "http://a.example/voice/7?x=1"),
        ("keys", "http://a.example/voice/keys"),
        ("/keys?d=1", "http://a.example/keys?d=1"),
        ("?d=1", "http://a.example/voice/7?d=1"),
        (" http://b.example/ ", "http://b.example/"),
    ],
)
def test_addresses_are_relative_to_the_document(relative, absolute):
    assert twiml.Document("http://a.example/voice/7?x=1", ()).address(relative) == absolute


def test_numbers_keep_within_their_limits_and_words_are_refused():
    [verb] = twiml.parse(b"<Response><Gather numDigits='0' timeout='99999' x='drei'/></Response>", "").verbs
    assert (verb.number("numDigits", 9, least=1), verb.number("timeout", 5, most=600)) == (1, 600)
    assert verb.number("absent", 5) == 5
    with pytest.raises(BadTwiml):
        verb.number("x", 1)


def test_a_document_of_more_than_64_kb_is_too_large():
    with pytest.raises(BadTwiml) as wrong:
        twiml.parse(b"<Response>" + b" " * 70_000 + b"</Response>", "")
    assert wrong.value.code == 11750
