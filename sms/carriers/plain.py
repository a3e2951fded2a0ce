"""What a carrier answers that cannot be asked and never asks us: the parts of the contract that it lacks."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from sms.carriers.contract import (
    CallAnswer,
    CallKeys,
    CallRecording,
    CannotSay,
    Carrier,
    FindResult,
    IncomingCall,
    OutgoingCall,
    OutgoingText,
    RecordingError,
    WebhookAnswer,
    WebhookError,
    WebhookRequest,
)
from voice.script import Step


class PlainCarrier(Carrier):
    """A carrier that takes texts, keeps no list that can be searched, and holds no conversation in a call."""

    def find_sent(
        self, text: OutgoingText, since: datetime, known: Collection[str] = frozenset()
    ) -> FindResult:
        return CannotSay("it has no list of what was sent", for_now=False)

    def find_call(
        self, call: OutgoingCall, since: datetime, known: Collection[str] = frozenset()
    ) -> FindResult:
        return CannotSay("it has no list of calls", for_now=False)

    def parse_call_answer(self, request: WebhookRequest) -> CallAnswer:
        raise _never("what to say in a call")

    def parse_incoming_call(self, request: WebhookRequest) -> IncomingCall:
        raise _never("what to say to a caller")

    def parse_keys(self, request: WebhookRequest) -> CallKeys:
        raise _never("about keys")

    def parse_recording(self, request: WebhookRequest) -> CallRecording:
        raise _never("about recordings")

    def fetch_recording(self, url: str) -> bytes:
        raise RecordingError("it records nothing")

    def render(self, script: Sequence[Step], url_for: Callable[[str], str]) -> WebhookAnswer:
        raise _never("for a script")


def _never(what: str) -> WebhookError:
    return WebhookError(f"this carrier never asks {what}")
