"""Twilio: texts and calls through the official SDK, callbacks checked against its signature.

What its codes and words mean is in twilio_codes.py, its callbacks are read in twilio_callbacks.py, and calls
are spoken in twiml.py. Whatever the wire does ends in one outcome; nothing is ever sent twice.
"""

import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from email.message import Message
from typing import Any, ClassVar

from twilio.base.exceptions import TwilioException
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from twilio.rest import Client

from sms.carriers import twilio_callbacks as callbacks
from sms.carriers import twiml, wire
from sms.carriers.contract import (
    CallAnswer,
    CallKeys,
    CallRecording,
    CallReport,
    CannotSay,
    Carrier,
    CarrierConfigError,
    Feature,
    FindResult,
    Found,
    IncomingCall,
    IncomingText,
    NotThere,
    Outcome,
    OutcomeKind,
    OutgoingCall,
    OutgoingText,
    Reason,
    RecordingError,
    Setting,
    TextReport,
    WebhookAnswer,
    WebhookRequest,
)
from sms.carriers.twilio_codes import (
    CALL_STATUS,
    CODES,
    FAILED_AT_ONCE,
    error_code,
    report_reason,
    text_status,
    verdict,
)
from sms.carriers.wire import Broken, Unreached, Unsendable, Wire, failure, masked, retry_after
from voice.script import Step

HOME = "https://api.twilio.com"

SETTINGS = (
    Setting("account_sid", "AC and 32 hex digits", required=True, pattern=r"AC[0-9a-fA-F]{32}"),
    Setting(
        "auth_token",
        "the account's auth token; during a rotation old and new, separated by a comma",
        secret=True,
        required=True,
        many=True,
        pattern=r"[\x21-\x7e]+",
    ),
    Setting(
        "api_key_sid", "SK and 32 hex digits: send with an API key instead", pattern=r"SK[0-9a-fA-F]{32}"
    ),
    Setting("api_key_secret", "the API key's secret", secret=True, pattern=r"[\x21-\x7e]+"),
    Setting(
        "shared_key",
        "the secret of a shared key, where webhooks are signed with HMAC_SHA256",
        secret=True,
        many=True,
        pattern=r"[\x21-\x7e]+",
    ),
    *wire.settings(HOME),
)

MAX_RECORDING = 25_000_000
"""Bytes of a recording: 8 kHz, 16 bit, mono is 16,000 a second, so 26 minutes."""
PAGE = 200
"""Messages looked at when one is searched for: those to one number from one sender, newest first."""
CLOCK_SKEW = timedelta(seconds=60)
"""So much may Twilio's clock be behind ours."""
CALL_EVENTS = ["initiated", "ringing", "answered", "completed"]


def build(name: str, numbers: Sequence[Any], options: Mapping[str, Any]) -> "Twilio":
    """Make the adapter from options that `sms.carriers.read_options` has checked."""
    if bool(options["api_key_sid"]) != bool(options["api_key_secret"]):
        raise CarrierConfigError(f"carrier {name}: api_key_sid and api_key_secret belong together")
    return Twilio(name, options)


class Refused(TwilioException):  # type: ignore[misc] # the SDK is untyped
    """Twilio, or something before it, answered with an HTTP status from 300 on."""

    def __init__(self, status: int, code: str | None, message: str, retry_after: float | None) -> None:
        super().__init__(f"HTTP {status}, code {code}")
        self.status, self.code, self.message, self.retry_after = status, code, message, retry_after


class TwilioHttp(TwilioHttpClient):  # type: ignore[misc]
    """The SDK's HTTP client on our own wire: another origin, limits, and no trace of what it sent."""

    def __init__(self, wire: Wire) -> None:
        super().__init__()
        self.wire = wire

    def request(
        self,
        method: str,
        url: str,
        params: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        """Send one request, once; raises Refused for every status from 300 on, else what the wire raises."""
        answer = self.wire.fetch(method, url, params=params, data=data, headers=headers, auth=auth)
        text = answer.body.decode("utf-8", "replace")
        if answer.status >= 300:
            raise _refused(answer.status, text, answer.headers)
        return Response(answer.status, text, answer.headers)


class Twilio(Carrier):
    """The adapter; one for each configured account, shared by all threads of a process."""

    features: ClassVar[frozenset[Feature]] = frozenset(Feature) - {Feature.own_id, Feature.speaks}
    settings: ClassVar[tuple[Setting, ...]] = SETTINGS
    max_window: ClassVar[int] = 20
    reports_kept: ClassVar[timedelta] = timedelta(days=30)

    def __init__(self, name: str, options: Mapping[str, Any]) -> None:
        self.name = name
        self.account_sid: str = options["account_sid"]
        self.wire = wire.connect(options, self.max_window)
        tokens: tuple[str, ...] = options["auth_token"]
        user, password = options["api_key_sid"], options["api_key_secret"]
        self.auth = (user, password) if user and password else (self.account_sid, tokens[0])
        self.signatures = callbacks.Signatures(tokens, options["shared_key"])
        # An explicit environment: TWILIO_EDGE and TWILIO_REGION of the process would move the address.
        self.client = Client(
            *self.auth, account_sid=self.account_sid, http_client=TwilioHttp(self.wire), environment={"": ""}
        )

    # Going out

    def send_text(self, text: OutgoingText) -> Outcome:
        return _attempt(lambda: self._create_text(text), private=text.text)

    def place_call(self, call: OutgoingCall) -> Outcome:
        return _attempt(lambda: self._create_call(call))

    def probe(self) -> Outcome:
        # Not the account itself: a standard API key may not read that.
        return _attempt(self._look)

    def find_sent(
        self, text: OutgoingText, since: datetime, known: Collection[str] = frozenset()
    ) -> FindResult:
        def same(message: Any) -> bool:
            return _outgoing(message) and _plain(message.body) == _plain(text.text)

        return _search(
            lambda: self.client.messages.page(to=text.to, from_=text.sender, page_size=PAGE),
            same,
            _text_found,
            since,
            known,
        )

    def find_call(
        self, call: OutgoingCall, since: datetime, known: Collection[str] = frozenset()
    ) -> FindResult:
        return _search(
            lambda: self.client.calls.page(to=call.to, from_=call.caller_id, page_size=PAGE),
            _outgoing,
            _call_found,
            since,
            known,
        )

    def find_report(self, reference: str, sender: str = "") -> FindResult:
        try:
            return _text_found(self.client.messages(reference).fetch(), ())
        except Refused as refusal:
            return NotThere() if refusal.status == 404 else CannotSay(str(refusal))
        except Exception as error:
            return CannotSay(_trouble(error))

    def fetch_recording(self, url: str) -> bytes:
        path = self._recording_path(url)
        try:
            answer = self.wire.fetch("GET", HOME + path, limit=MAX_RECORDING, auth=self.auth)
        except (OSError, Unsendable) as error:
            raise RecordingError(_trouble(error), temporary=True) from None
        if answer.status != 200:
            # 404 at first: Twilio calls us before the file is ready.
            passing = answer.status in (404, 429) or answer.status >= 500
            raise RecordingError(f"HTTP {answer.status}", temporary=passing)
        return answer.body

    def close(self) -> None:
        self.wire.close()

    # Coming in

    def verify(self, request: WebhookRequest) -> bool:
        return self.signatures.verify(request)

    def parse_text(self, request: WebhookRequest) -> IncomingText:
        return callbacks.read_text(request)

    def parse_report(self, request: WebhookRequest) -> TextReport:
        return callbacks.read_report(request)

    def parse_call_report(self, request: WebhookRequest) -> CallReport:
        return callbacks.read_call_report(request)

    def parse_call_answer(self, request: WebhookRequest) -> CallAnswer:
        return callbacks.read_call_answer(request)

    def parse_incoming_call(self, request: WebhookRequest) -> IncomingCall:
        return callbacks.read_incoming_call(request)

    def parse_keys(self, request: WebhookRequest) -> CallKeys:
        return callbacks.read_keys(request)

    def parse_recording(self, request: WebhookRequest) -> CallRecording:
        return callbacks.read_recording(request)

    # Answers

    def render(self, script: Sequence[Step], url_for: Callable[[str], str]) -> WebhookAnswer:
        return twiml.render(script, url_for)

    def acknowledge(self) -> WebhookAnswer:
        return twiml.nothing()

    # Within

    def _look(self) -> Outcome:
        self.client.messages.page(page_size=1)
        return Outcome(OutcomeKind.accepted)

    def _create_text(self, text: OutgoingText) -> Outcome:
        message = self.client.messages.create(
            to=text.to, from_=text.sender, body=text.text, status_callback=text.status_url
        )
        return _taken(message.sid, message.status, message.error_code)

    def _create_call(self, call: OutgoingCall) -> Outcome:
        extras = {"machine_detection": "DetectMessageEnd"} if call.detect_machine else {}
        if call.reason:
            extras["call_reason"] = call.reason[:50]
        placed = self.client.calls.create(
            to=call.to,
            from_=call.caller_id,
            url=call.answer_url,
            method="POST",
            status_callback=call.status_url,
            status_callback_method="POST",
            status_callback_event=CALL_EVENTS,
            timeout=call.ring_seconds,
            **extras,
        )
        return _taken(placed.sid, placed.status, None)

    def _recording_path(self, url: str) -> str:
        """Return the path to fetch, so that nothing but our own recordings at Twilio is ever asked for."""
        own = re.escape(f"/2010-04-01/Accounts/{self.account_sid}/Recordings/")
        origin = f"(?:{re.escape(HOME)}|{re.escape(self.wire.origin)})"
        match = re.fullmatch(rf"{origin}({own}RE[0-9a-zA-Z]{{1,64}})(?:\.wav|\.mp3|\.json)?", url)
        if match is None:
            raise RecordingError("not the address of a recording of ours")
        return match[1] + ".wav"


# Outcomes


def _refused(status: int, text: str, headers: Message) -> Refused:
    try:
        body = json.loads(text)
    except ValueError:
        body = None
    found = body if isinstance(body, dict) else {}
    message = found.get("message") or found.get("detail") or found.get("title") or ""
    return Refused(
        status, error_code(found.get("code")), str(message), retry_after(headers.get("Retry-After"))
    )


def _attempt(ask: Callable[[], Outcome], private: str = "") -> Outcome:
    """Ask once; whatever is raised is an outcome, and what has no place in the tables is unknown."""
    try:
        return ask()
    except Refused as refusal:
        return _refusal(refusal, private)
    except Exception as error:
        return failure(error)


def _refusal(refusal: Refused, private: str) -> Outcome:
    kind, reason = verdict(refusal.status, refusal.code)
    meaning = CODES.get(refusal.code or "")
    return Outcome(
        kind,
        code=refusal.code or str(refusal.status),
        reason=reason,
        detail=meaning.text if meaning else masked(refusal.message, private) or f"HTTP {refusal.status}",
        retry_after=refusal.retry_after,
    )


def _taken(sid: object, status: object, code: object) -> Outcome:
    """Read a 201: with an id it was taken, unless it says at once that it failed."""
    reference = sid if isinstance(sid, str) and sid else None
    if reference is None:
        return Outcome(OutcomeKind.unknown, reason=Reason.other, detail="an answer without a sid")
    if status not in FAILED_AT_ONCE:
        return Outcome(OutcomeKind.accepted, reference)
    kind, reason = verdict(400, error_code(code))
    return Outcome(
        kind, reference, code=error_code(code), reason=reason, detail=f"taken, but at once {status}"
    )


# Searching


def _trouble(error: Exception) -> str:
    """Say in a few words why there is no answer; what others than we raise may tell text or number."""
    return str(error) if isinstance(error, Refused | Unreached | Broken) else type(error).__name__


def _search(
    fetch: Callable[[], Any],
    same: Callable[[Any], bool],
    found: Callable[[Any, tuple[str, ...]], Found],
    since: datetime,
    known: Collection[str],
) -> FindResult:
    """Look one page through, newest first. Not by DateSent: it is empty until a message has left."""
    try:
        page = fetch()
        records = list(page)
    except Exception as error:
        return CannotSay(_trouble(error))
    start = since - CLOCK_SKEW
    if any(not isinstance(record.date_created, datetime) or not record.sid for record in records):
        return CannotSay("a record without date or sid")
    hits = [r for r in records if r.date_created >= start and r.sid not in known and same(r)]
    if hits:
        nearest, *others = sorted(hits, key=lambda record: abs(record.date_created - since))
        return found(nearest, tuple(record.sid for record in others))
    if page.next_page_url and all(record.date_created >= start for record in records):
        return CannotSay(f"more than {PAGE} since then")
    return NotThere()


def _text_found(message: Any, others: tuple[str, ...]) -> Found:
    code = error_code(message.error_code)
    status = text_status(message.status or "", code)
    return Found(message.sid, status, code, report_reason(status, code), others)


def _call_found(call: Any, others: tuple[str, ...]) -> Found:
    return Found(call.sid, CALL_STATUS.get(call.status or ""), others=others)


def _outgoing(record: Any) -> bool:
    return not str(record.direction or "").startswith("inbound")


def _plain(text: str | None) -> str:
    """Return a text as it survives the way there and back: line ends and white space round it do not."""
    return "\n".join((text or "").split("\r\n")).strip()
