"""An answered call: fetches the customer's TwiML and walks it verb by verb, as Twilio does."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from sms.sandbox import sound, twiml
from sms.sandbox.line import HungUp, Line, Moved, never
from sms.sandbox.twiml import BadTwiml, Document, Verb
from sms.sandbox.webhooks import Params, Unreachable

if TYPE_CHECKING:
    from sms.sandbox.call import Call

MAX_DOCUMENTS = 100
MAX_LOOPS = 10
"""Repetitions of a Play or Say with loop=0, which means for ever."""
MANUAL_SPEECH = 90.0
"""Seconds a person at the page has for typing what they say; a real silence would end after `timeout`."""

Next = Document | None


class Failed(Exception):
    """The call cannot go on: Twilio's error code, noted in the call."""


class Conversation:
    """What is heard and said in one call; `run` returns when it is over."""

    def __init__(self, call: "Call", line: Line) -> None:
        self._call = call
        self._line = line
        self._documents = 0
        self._verbs: dict[str, Callable[[Verb, Document], Next]] = {
            "Play": self._sound,
            "Say": self._sound,
            "Pause": self._sound,
            "Gather": self._gather,
            "Record": self._record,
            "Redirect": self._redirect,
            "Hangup": self._hang_up,
            "Reject": self._hang_up,  # a call that has been answered can only be ended
        }

    def open(self) -> Document:
        """Fetch the call's first document, from the fallback where that fails; raises Failed."""
        settings = self._call.settings
        if settings.get("twiml") and not settings.get("url"):
            return self._parse(settings["twiml"].encode(), self._call.net.settings.public_url)
        try:
            return self._fetch(settings["url"], settings.get("method", "POST"), {})
        except Failed:
            if not settings.get("fallback_url"):
                raise
        return self._fetch(settings["fallback_url"], settings.get("fallback_method", "POST"), {})

    def run(self, document: Document) -> None:
        """Walk documents until one ends; raises HungUp, Interrupted and Failed."""
        at: Next = document
        while at is not None:
            try:
                at = self._walk(at)
            except Moved:
                at = self._moved()

    def _walk(self, document: Document) -> Next:
        for verb in document.verbs:
            try:
                following = self._verbs[verb.name](verb, document)
            except BadTwiml as wrong:
                raise self._failed(wrong.code, str(wrong)) from None
            if following is not None:
                return following
        return None

    def _moved(self) -> Document:
        kind, value = self._line.document or ("", "")
        self._line.document = None
        if kind == "twiml":
            return self._parse(value.encode(), self._call.net.settings.public_url)
        return self._fetch(value, "POST", {})

    # Documents

    def _fetch(self, url: str, method: str, more: Params) -> Document:
        self._documents += 1
        if self._documents > MAX_DOCUMENTS:
            raise self._failed(11750, f"more than {MAX_DOCUMENTS} documents in one call")
        try:
            answer = self._call.net.webhooks.ask(method, url, self._call.params() | more)
        except Unreachable as error:
            raise self._failed(11200, f"HTTP retrieval failure: {error}") from None
        if answer.status >= 400:
            raise self._failed(11200, f"HTTP retrieval failure: status {answer.status}")
        if answer.status == 204 or not answer.body:
            return Document(url, ())
        if not answer.kind.endswith(("/xml", "+xml", "/html")):
            raise self._failed(12300, f"Invalid Content-Type: {answer.kind or 'none'}")
        return self._parse(answer.body, url)

    def _parse(self, body: bytes, url: str) -> Document:
        try:
            return twiml.parse(body, url)
        except BadTwiml as wrong:
            raise self._failed(wrong.code, str(wrong)) from None

    def _failed(self, code: int, message: str) -> Failed:
        self._call.note_error(code, message)
        return Failed(message)

    # Verbs

    def _sound(self, verb: Verb, document: Document, ready: Callable[[], bool] = never) -> Next:
        """Play, say or be silent, as often as `loop` wants; stops early when `ready`."""
        if verb.name == "Pause":
            self._pass(float(verb.number("length", 1)), ready)
            return None
        for _ in range(verb.number("loop", 1) or MAX_LOOPS):
            if verb.name == "Play":
                self._play(document.address(verb.text), verb.words, ready)
            elif verb.text:
                self._say(verb.text, verb.get("language", "en-US"), ready)
            if ready():
                break
        return None

    def _play(self, url: str, words: str, ready: Callable[[], bool]) -> None:
        try:
            answer = self._call.net.webhooks.fetch(url)
        except Unreachable as error:
            return self._call.note_error(11200, f"HTTP retrieval failure: {error}")
        if answer.status != 200:
            return self._call.note_error(11200, f"HTTP retrieval failure: status {answer.status}")
        if answer.kind not in sound.KINDS:
            return self._call.note_error(12300, f"Invalid Content-Type: {answer.kind or 'none'}")
        try:
            kept = self._call.net.sounds.keep(answer.body)
        except sound.NoSound as wrong:
            return self._call.note_error(12300, f"no sound that can be played: {wrong}")
        key = self._call.hear("play", kept.seconds, url=url, text=words or None, media=kept.digest)
        return self._listen(key, kept.seconds, ready)

    def _say(self, text: str, language: str, ready: Callable[[], bool]) -> None:
        seconds, media = sound.reckoned(text), None
        if self._line.real_time:
            chain = self._call.net.settings.voice_engines
            audio = sound.spoken(text, chain, "de" if language.startswith("de") else "en")
            if audio:
                kept = self._call.net.sounds.keep(audio)
                seconds, media = kept.seconds, kept.digest
        key = self._call.hear("say", seconds, text=text, media=media)
        self._listen(key, seconds, ready)

    def _listen(self, key: int, seconds: float, ready: Callable[[], bool]) -> None:
        """Let a sound play; where it is cut short, remember how much of it was heard."""
        begun = self._call.elapsed()
        whole = False
        try:
            whole = not self._pass(seconds, ready)
        finally:
            if not whole:
                self._call.cut_short(key, self._call.elapsed() - begun)

    def _pass(self, seconds: float, ready: Callable[[], bool] = never) -> bool:
        """Let time pass on the call's own clock; True where `ready` ended it early."""
        with self._call.passing(seconds, self._line.real_time):
            return self._line.wait(seconds, ready)

    def _gather(self, verb: Verb, document: Document) -> Next:
        wanted = verb.number("numDigits", 100, least=1)
        finish = verb.get("finishOnKey", "#")
        self._line.keys.clear()
        for inner in verb.inside:
            if self._line.keys:
                break
            self._sound(inner, document, lambda: bool(self._line.keys))
        digits, finished = self._collect(wanted, finish, float(verb.number("timeout", 5)))
        if not digits and not verb.flag("actionOnEmptyResult", False):
            return None
        more = {"Digits": digits, "msg": "Gather End"} | ({"FinishedOnKey": finished} if finished else {})
        return self._fetch(document.address(verb.get("action")), _method(verb), more)

    def _collect(self, wanted: int, finish: str, timeout: float) -> tuple[str, str]:
        """Return the keys pressed, and the key that ended them."""
        if not self._line.real_time:
            self._line.keys.extend(self._call.next_digits(wanted))
        digits = ""
        while len(digits) < wanted:
            if not self._line.keys and not self._pass(timeout, lambda: bool(self._line.keys)):
                break
            key = self._line.keys.popleft()
            self._call.note_digit(key)
            if finish and key in finish:
                return digits, key
            digits += key
        return digits, ""

    def _record(self, verb: Verb, document: Document) -> Next:
        longest = float(verb.number("maxLength", 3600, least=1))
        if verb.flag("playBeep", True):
            self._pass(1.0)
        self._line.keys.clear()
        self._line.speech.clear()
        try:
            how = self._speak(verb, longest)
        except HungUp:
            self._leave(verb, document, longest, "hangup")
            raise
        if how is None:
            return None
        return self._leave(verb, document, longest, how)

    def _speak(self, verb: Verb, longest: float) -> str | None:
        """Wait for the person to say something; returns the key that ended it, None for silence."""
        if not self._line.real_time:
            return ""
        finish = verb.get("finishOnKey", "1234567890*#")
        with self._call.recording():
            patience = min(longest, MANUAL_SPEECH)
            self._pass(patience, lambda: bool(self._line.speech or self._line.keys))
        key = self._line.keys.popleft() if self._line.keys else ""
        if key:
            self._call.note_digit(key)
        if not self._line.speech:
            return None
        return key if key in finish else ""

    def _leave(self, verb: Verb, document: Document, longest: float, digits: str) -> Next:
        """Store what was said and tell the customer; returns what comes next."""
        words = " ".join(self._line.speech) if self._line.real_time else self._call.phone().speech
        if self._line.real_time and not words:
            return None
        audio = (
            sound.spoken(words, self._call.net.settings.voice_engines) if words else None
        ) or sound.tone()
        recording = self._call.keep_recording(audio, longest)
        if digits != "hangup":
            with self._call.passing(recording.seconds, real=False):
                self._line.wait(0)
        fields = {
            "RecordingSid": recording.sid,
            "RecordingUrl": recording.url,
            "RecordingDuration": str(max(1, round(recording.seconds))),
        }
        if verb.get("recordingStatusCallback"):
            address = document.address(verb.get("recordingStatusCallback"))
            self._call.report_recording(address, fields)
        ended = {"CallStatus": "completed"} if digits == "hangup" else {}
        action = document.address(verb.get("action"))
        return self._fetch(action, _method(verb), fields | {"Digits": digits} | ended)

    def _redirect(self, verb: Verb, document: Document) -> Next:
        return self._fetch(document.address(verb.text), _method(verb), {})

    def _hang_up(self, verb: Verb, document: Document) -> Next:
        raise HungUp


def _method(verb: Verb) -> str:
    return "GET" if verb.get("method").upper() == "GET" else "POST"
