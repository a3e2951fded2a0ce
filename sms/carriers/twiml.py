"""A call script in TwiML, written by Twilio's own library."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from xml.etree.ElementTree import Comment

from twilio.twiml import TwiML
from twilio.twiml.voice_response import Gather as GatherVerb
from twilio.twiml.voice_response import VoiceResponse

from sms.carriers.contract import WebhookAnswer
from voice.script import Gather, Hangup, Pause, Play, Record, Redirect, Say, Step

VOICES: Mapping[str, str] = {"de": "de-DE", "en": "en-GB"}


def render(script: Sequence[Step], url_for: Callable[[str], str]) -> WebhookAnswer:
    """Return the TwiML document of a script; `url_for` turns a state's name into its address."""
    response = VoiceResponse()
    for step in script:
        _add(response, step, url_for)
    return _xml(response)


def nothing() -> WebhookAnswer:
    """Return the empty document: all is well."""
    return _xml(VoiceResponse())


def _add(parent: VoiceResponse | GatherVerb, step: Step, url_for: Callable[[str], str]) -> None:
    match step:
        case Pause(seconds):
            # TwiML knows whole seconds only.
            parent.pause(length=max(1, math.ceil(seconds)))
        case Play(url, words):
            if words:
                parent.append(Caption(words))
            parent.play(url)
        case Say(text, locale):
            parent.say(_speakable(text), language=VOICES.get(locale[:2], locale))
        case Gather():
            parent.append(_gather(step, url_for))
        case Record():
            parent.record(
                action=url_for(step.action),
                method="POST",
                max_length=step.max_seconds,
                finish_on_key=step.finish_on,
                play_beep=step.beep,
            )
        case Redirect(to):
            parent.redirect(url_for(to), method="POST")
        case Hangup():
            parent.hangup()


def _gather(step: Gather, url_for: Callable[[str], str]) -> GatherVerb:
    # An empty finishOnKey lets # through as a key like any other, else it would end in silence.
    finish = {"finish_on_key": ""} if step.digits == 1 else {}
    verb = GatherVerb(
        input="dtmf",
        action=url_for(step.action),
        method="POST",
        num_digits=step.digits,
        timeout=step.timeout,
        **finish,
    )
    for inner in step.steps:
        _add(verb, inner, url_for)
    return verb


def _speakable(text: str) -> str:
    """Return text without the characters that XML 1.0 cannot hold."""
    return re.sub(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", " ", text)


class Caption(TwiML):  # type: ignore[misc]
    """The words of the audio that follows, as a comment: Twilio skips it, the pretend network shows it."""

    def __init__(self, words: str) -> None:
        super().__init__()
        self.words = words

    def xml(self) -> Any:
        """Return the comment, in which two hyphens must not meet (XML 1.0, section 2.5)."""
        return Comment(" " + re.sub("-(?=-)", "- ", _speakable(self.words)) + " ")


def _xml(response: VoiceResponse) -> WebhookAnswer:
    return WebhookAnswer(200, "text/xml; charset=utf-8", str(response).encode())
