"""A call script beside the TwiML it becomes."""

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms.carriers import twiml
from voice.script import Gather, Hangup, Pause, Play, Record, Redirect, Say, Step

HEAD = '<?xml version="1.0" encoding="UTF-8"?>'
MEDIA = "https://sms.praxis.example/media/a.wav?until=1&sig=x"


def address(state: str) -> str:
    return f"https://sms.praxis.example/voice/{state}?key=k&turns=1"


ROWS: list[tuple[str, tuple[Step, ...], str]] = [
    ("nothing", (), "<Response />"),
    ("hang up", (Hangup(),), "<Response><Hangup /></Response>"),
    ("a pause in whole seconds", (Pause(0.8),), '<Response><Pause length="1" /></Response>'),
    ("a longer pause", (Pause(2.1),), '<Response><Pause length="3" /></Response>'),
    (
        "audio",
        (Play(MEDIA),),
        "<Response><Play>https://sms.praxis.example/media/a.wav?until=1&amp;sig=x</Play></Response>",
    ),
    (
        "German",
        (Say("Müller & Söhne", "de"),),
        '<Response><Say language="de-DE">Müller &amp; Söhne</Say></Response>',
    ),
    ("English", (Say("<b>", "en"),), '<Response><Say language="en-GB">&lt;b&gt;</Say></Response>'),
    ("another language", (Say("Ciao", "it-IT"),), '<Response><Say language="it-IT">Ciao</Say></Response>'),
    (
        "no control characters",
        (Say("a\x00b\x1bc", "de"),),
        '<Response><Say language="de-DE">a b c</Say></Response>',
    ),
    ("no half characters", (Say("a\ud83d", "de"),), '<Response><Say language="de-DE">a </Say></Response>'),
    ("emoji", (Say("a😀", "de"),), '<Response><Say language="de-DE">a😀</Say></Response>'),
    (
        "keys, # among them",
        (Gather((Play(MEDIA), Say("1 oder 2?", "de")), "keys"), Redirect("heard")),
        '<Response><Gather action="https://sms.praxis.example/voice/keys?key=k&amp;turns=1" finishOnKey="" '
        'input="dtmf" method="POST" numDigits="1" timeout="5">'
        "<Play>https://sms.praxis.example/media/a.wav?until=1&amp;sig=x</Play>"
        '<Say language="de-DE">1 oder 2?</Say></Gather>'
        '<Redirect method="POST">https://sms.praxis.example/voice/heard?key=k&amp;turns=1</Redirect></Response>',
    ),
    (
        "several keys, ended by #",
        (Gather((), "keys", digits=4, timeout=9),),
        '<Response><Gather action="https://sms.praxis.example/voice/keys?key=k&amp;turns=1" '
        'input="dtmf" method="POST" numDigits="4" timeout="9" /></Response>',
    ),
    (
        "audio with a caption",
        (Play("https://sms.praxis.example/media/a.wav", "Guten Tag -- <b>"),),
        "<Response><!-- Guten Tag - - <b> --><Play>https://sms.praxis.example/media/a.wav</Play></Response>",
    ),
    (
        "a recording",
        (Record("recorded", 120), Hangup()),
        '<Response><Record action="https://sms.praxis.example/voice/recorded?key=k&amp;turns=1" finishOnKey="#" '
        'maxLength="120" method="POST" playBeep="true" /><Hangup /></Response>',
    ),
]


@pytest.mark.parametrize(("script", "expected"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_a_script_becomes_twiml(script: tuple[Step, ...], expected: str) -> None:
    answer = twiml.render(script, address)
    assert answer.body.decode() == HEAD + expected
    assert (answer.status, answer.content_type) == (200, "text/xml; charset=utf-8")


def test_nothing_to_say_is_an_empty_response() -> None:
    assert twiml.nothing().body.decode() == HEAD + "<Response />"


@given(st.text(alphabet=st.characters(codec=None)))
def test_whatever_is_said_stays_well_formed(text: str) -> None:
    said = ElementTree.fromstring(twiml.render((Say(text, "de"),), address).body)[0]
    assert said.tag == "Say"
    assert len(said) == 0


@given(st.text(alphabet=st.characters(codec=None)))
def test_whatever_a_caption_says_stays_well_formed(words: str) -> None:
    response = ElementTree.fromstring(twiml.render((Play("https://a.example/b.wav", words),), address).body)
    assert [child.tag for child in response] == ["Play"]
