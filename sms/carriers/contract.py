"""What every carrier adapter takes and gives back. Adapters translate; they never sleep, retry or store."""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, Literal

if TYPE_CHECKING:
    from voice.script import Step

Pairs = tuple[tuple[str, str], ...]
LONGEST_LINE = 200
CODE = re.compile(r"[0-9]{1,6}|0x[0-9A-F]+|[A-Z][A-Z_]{4,}")
"""What a carrier's error code looks like at the beginning of a line of `in_a_line`."""


class OutcomeKind(StrEnum):
    """How a call to a carrier ended: exactly one of these, whatever happened on the wire."""

    accepted = "accepted"
    """The carrier has it and named a reference."""
    rejected = "rejected"
    """It will never work like this: wrong number, wrong sender, too long."""
    blocked = "blocked"
    """The recipient opted out at the carrier; to be treated as our own opt-out."""
    throttled = "throttled"
    """Not taken because we are too fast; slow down, no attempt is counted. See `retry_after`."""
    temporary = "temporary"
    """Provably not taken, and the trouble may pass: retry with backoff."""
    unknown = "unknown"
    """It may have been taken: never send again blindly, ask with `find_sent` or wait for the report."""
    auth = "auth"
    """Not taken because our account or set-up is wrong: stop the channel, alert, keep the queue."""


class Reason(StrEnum):
    """Why something did not work, in words that stay the same across carriers."""

    bad_number = "bad_number"
    landline = "landline"
    bad_sender = "bad_sender"
    opted_out = "opted_out"
    too_long = "too_long"
    region = "region"
    filtered = "filtered"
    unreachable = "unreachable"
    network = "network"
    setup = "setup"
    bad_text = "bad_text"
    other = "other"


class Feature(StrEnum):
    """What an adapter can do; the engine asks this before it asks the adapter."""

    sms = "sms"
    voice = "voice"
    alpha_sender = "alpha_sender"
    """Texts may come from a word instead of a number."""
    find_sent = "find_sent"
    """Can be asked whether a text was taken."""
    find_call = "find_call"
    """Can be asked whether a call was taken."""
    find_report = "find_report"
    """Can be asked what became of a text that it took."""
    own_id = "own_id"
    """Takes our key as its own idempotency key: sending twice is harmless."""
    reports = "reports"
    """Sends delivery reports."""
    incoming = "incoming"
    """Receives texts and calls."""
    machine_detection = "machine_detection"
    """Tells an answering machine from a person."""
    recording = "recording"
    """Records what a caller says."""
    speaks = "speaks"
    """Reads a call's words itself; it asks nothing and hears no keys meanwhile: see `OutgoingCall.words`."""


def in_a_line(*said: str | None) -> str:
    """Return what a carrier said as one line to be kept: its code, then its words; once where they are the same."""
    return " ".join(dict.fromkeys(filter(None, said)))[:LONGEST_LINE]


def code_and_words(line: str) -> tuple[str, str]:
    """Take a line of `in_a_line` apart; either may be empty."""
    first_word, _, rest = line.partition(" ")
    return (first_word, rest) if CODE.fullmatch(first_word) else ("", line)


class CarrierConfigError(ValueError):
    """One line that says which carrier setting is wrong and what would be right."""


class WebhookError(ValueError):
    """A signed callback lacks what every such callback has; the view answers 400."""


class RecordingError(Exception):
    """A recording could not be fetched; `temporary` tells whether a later try may work."""

    def __init__(self, detail: str, *, temporary: bool = False) -> None:
        super().__init__(detail)
        self.temporary = temporary


@dataclass(frozen=True)
class Setting:
    """One setting of a kind of carrier: drives the form, the environment names and the redaction of logs."""

    name: str
    description: str
    secret: bool = False
    required: bool = False
    default: str | float | None = None
    pattern: str | None = None
    """A regular expression that the whole value must match."""
    many: bool = False
    """A list, or one string separated by commas; the adapter gets a tuple of str."""
    number: bool = False
    """A number above 0; the adapter gets a float."""
    maximum: float | None = None
    """The largest number allowed."""


@dataclass(frozen=True)
class Outcome:
    """The one result of asking a carrier to take something."""

    kind: OutcomeKind
    reference: str | None = None
    """The carrier's own id for it."""
    code: str | None = None
    """The carrier's error code, else the HTTP status."""
    reason: Reason | None = None
    detail: str | None = None
    """One line for people who look after the system: no message text, no full number, no secret."""
    retry_after: float | None = None
    """Seconds the carrier asks us to wait."""


@dataclass(frozen=True)
class OutgoingText:
    """A text to be sent; `to` is E.164, `sender` E.164 or alphanumeric, `key` our own random reference."""

    to: str
    sender: str
    text: str = field(repr=False)
    key: str
    status_url: str


@dataclass(frozen=True)
class OutgoingCall:
    """A call to be placed; both numbers E.164, `ring_seconds` until it counts as not answered."""

    to: str
    caller_id: str
    key: str
    answer_url: str
    status_url: str
    ring_seconds: int = 25
    detect_machine: bool = True
    reason: str = ""
    """What a telephone that can shows while it rings: at most 50 characters are used."""
    words: str = field(default="", repr=False)
    """All that is to be read aloud, prepared for the ear; only for a carrier that `speaks`."""


TextStatus = Literal["sent", "delivered", "undelivered", "failed"]
"""`undelivered`: the trouble may pass (orange); `failed`: it will not (red)."""

CallStatus = Literal[
    "queued", "ringing", "in-progress", "busy", "no-answer", "failed", "completed", "canceled"
]
"""The last five are final."""

AnsweredBy = Literal[
    "human",
    "machine_start",
    "machine_end_beep",
    "machine_end_silence",
    "machine_end_other",
    "fax",
    "unknown",
]
"""`machine_end_*`: an answering machine has said its own text and listens; `voice.script` knows these words."""


@dataclass(frozen=True)
class Found:
    """The carrier has it; `status` as in a report of the same kind, None while it knows nothing more."""

    reference: str
    status: TextStatus | CallStatus | None
    code: str | None = None
    reason: Reason | None = None
    others: tuple[str, ...] = ()
    """References of further equal ones: it was taken more than once, which someone should hear of."""


@dataclass(frozen=True)
class NotThere:
    """The carrier was asked, its list was complete for the time in question, and it knows nothing of it."""


@dataclass(frozen=True)
class CannotSay:
    """No answer to be relied on; `for_now` means that asking again later may help."""

    detail: str
    for_now: bool = True


FindResult = Found | NotThere | CannotSay


@dataclass(frozen=True)
class WebhookRequest:
    """A callback as it came: `url` absolute and exactly as signed, pairs in order and with duplicates."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    form: Pairs = ()
    query: Pairs = ()
    body: bytes = b""
    remote: str = ""
    """The network address that it came from, empty where that is not known."""

    def header(self, name: str) -> str:
        """Return a header whatever its case, or an empty string."""
        wanted = name.lower()
        return next((value for key, value in self.headers.items() if key.lower() == wanted), "")

    def value(self, name: str) -> str | None:
        """Return the first value a carrier sent: of the form, for GET of the query; None if absent."""
        return first(self.query if self.method.upper() == "GET" else self.form, name)

    def param(self, name: str) -> str | None:
        """Return the first value of the query, where our own callback addresses carry our key."""
        return first(self.query, name)


@dataclass(frozen=True)
class WebhookAnswer:
    """What a carrier wants to hear back."""

    status: int
    content_type: str
    body: bytes


@dataclass(frozen=True)
class IncomingText:
    """A text that arrived; `sender` is E.164 where it is a number, else as the carrier gave it."""

    reference: str
    sender: str
    to: str
    text: str = field(repr=False)
    at: datetime | None = None
    raw: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What else the carrier told, without text, numbers and secrets."""


@dataclass(frozen=True)
class TextReport:
    """A delivery report; `status` None says nothing new, `temporary` that a machine may send again."""

    reference: str
    key: str | None
    status: TextStatus | None
    code: str | None = None
    reason: Reason | None = None
    detail: str | None = None
    temporary: bool = False


@dataclass(frozen=True)
class CallReport:
    """The progress of a call; `seconds` spoken, `sequence` the carrier's own order of events."""

    reference: str
    key: str | None
    status: CallStatus
    answered_by: AnsweredBy | None = None
    seconds: int | None = None
    sequence: int | None = None
    code: str | None = None
    reason: Reason | None = None


@dataclass(frozen=True)
class CallAnswer:
    """Someone or something picked up our call and the carrier asks what to say."""

    reference: str
    key: str | None
    caller: str
    to: str
    answered_by: AnsweredBy | None = None


@dataclass(frozen=True)
class IncomingCall:
    """Someone calls one of our numbers and the carrier asks what to say; `caller` is raw if no number."""

    reference: str
    caller: str
    to: str


@dataclass(frozen=True)
class CallKeys:
    """Keys pressed in a call; an empty string where the time ran out."""

    reference: str
    digits: str


@dataclass(frozen=True)
class CallRecording:
    """Something said into the call `reference`, to be fetched with `fetch_recording`; `url` None if nothing was."""

    reference: str
    url: str | None
    seconds: int


class Carrier(ABC):
    """One carrier: safe to share between threads, never raises from a call but where it says so."""

    name: str
    features: ClassVar[frozenset[Feature]]
    settings: ClassVar[tuple[Setting, ...]]
    max_window: ClassVar[int]
    """How many requests may be in flight at once in one process."""
    own_process: ClassVar[bool] = False
    """Its texts are claimed by a process of its own (`flask --app app smpp NAME`), and by no worker."""
    reports_kept: ClassVar[timedelta] = timedelta(days=3)
    """So long after a text has left the carrier can say what became of it."""

    @abstractmethod
    def send_text(self, text: OutgoingText) -> Outcome:
        """Hand over one text, once; every failure is an outcome."""

    @abstractmethod
    def place_call(self, call: OutgoingCall) -> Outcome:
        """Have the carrier ring a number, once; every failure is an outcome."""

    @abstractmethod
    def find_sent(
        self, text: OutgoingText, since: datetime, known: Collection[str] = frozenset()
    ) -> FindResult:
        """Ask for a text whose outcome is unknown, handed over at `since` (aware).

        `known` are references that already belong to other messages: an equal text sent a moment
        before must not be mistaken for this one.
        """

    @abstractmethod
    def find_call(
        self, call: OutgoingCall, since: datetime, known: Collection[str] = frozenset()
    ) -> FindResult:
        """Ask for a call whose outcome is unknown; as `find_sent`."""

    def find_report(self, reference: str, sender: str = "") -> FindResult:
        """Ask what became of a text that the carrier took under `reference`; `sender` is what it left from.

        For those with Feature.find_report; asked again and again until `reports_kept` after the text has left.
        """
        return CannotSay("it keeps no list of what was delivered", for_now=False)

    @abstractmethod
    def verify(self, request: WebhookRequest) -> bool:
        """Tell whether the carrier itself sent this callback; False for anything odd, never an exception."""

    @abstractmethod
    def parse_text(self, request: WebhookRequest) -> IncomingText:
        """Read a text that arrived; raises WebhookError."""

    @abstractmethod
    def parse_report(self, request: WebhookRequest) -> TextReport:
        """Read a delivery report; raises WebhookError."""

    @abstractmethod
    def parse_call_report(self, request: WebhookRequest) -> CallReport:
        """Read the progress of a call; raises WebhookError."""

    @abstractmethod
    def parse_call_answer(self, request: WebhookRequest) -> CallAnswer:
        """Read the question what to say in a call of ours; raises WebhookError."""

    @abstractmethod
    def parse_incoming_call(self, request: WebhookRequest) -> IncomingCall:
        """Read the question what to say to someone who calls us; raises WebhookError."""

    @abstractmethod
    def parse_keys(self, request: WebhookRequest) -> CallKeys:
        """Read the keys pressed in a call; raises WebhookError."""

    @abstractmethod
    def parse_recording(self, request: WebhookRequest) -> CallRecording:
        """Read that a recording is there; raises WebhookError."""

    @abstractmethod
    def fetch_recording(self, url: str) -> bytes:
        """Return a recording's WAV from the carrier's own host, of limited size; raises RecordingError."""

    @abstractmethod
    def render(self, script: "Sequence[Step]", url_for: Callable[[str], str]) -> WebhookAnswer:
        """Put a call script into the carrier's language; `url_for` turns a state's name into its address."""

    @abstractmethod
    def acknowledge(self) -> WebhookAnswer:
        """Return what the carrier wants to hear when all is well and there is nothing to say."""

    @abstractmethod
    def probe(self) -> Outcome:
        """Ask something harmless: `accepted` says that the carrier answers and knows us."""

    @abstractmethod
    def close(self) -> None:
        """Give back connections; calls still running end first or fail with an outcome."""


def first(pairs: Iterable[tuple[str, str]], name: str) -> str | None:
    """Return the first value of a name in pairs, or None."""
    return next((value for key, value in pairs if key == name), None)
