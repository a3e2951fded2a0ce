"""Twilio: texts and calls through the official SDK, callbacks checked against its signature.

What its codes, statuses and timings mean is in tables; the sources are Twilio's error dictionary and its
pages on status callbacks. Whatever the wire does ends in one outcome: this file never retries.
"""

import hmac
import json
import math
import re
import ssl
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any, ClassVar, NamedTuple, cast
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from twilio.base.exceptions import TwilioException
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from twilio.request_validator import (
    HMAC_SHA256,
    SIGNATURE_HEADER,
    SIGNATURE_SETTINGS_HEADER,
    RequestValidator,
    get_signature_algorithm,
)
from twilio.rest import Client
from twilio.twiml.voice_response import Gather as GatherVerb
from twilio.twiml.voice_response import VoiceResponse
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError
from urllib3.exceptions import ProxyError as NoProxyError

from sms.carriers.contract import (
    AnsweredBy,
    CallAnswer,
    CallKeys,
    CallRecording,
    CallReport,
    CallStatus,
    CannotSay,
    Carrier,
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
    Pairs,
    Reason,
    RecordingError,
    Setting,
    TextReport,
    TextStatus,
    WebhookAnswer,
    WebhookError,
    WebhookRequest,
)
from voice.script import Gather, Hangup, Pause, Play, Record, Redirect, Say, Step

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
    Setting(
        "base_url", "an origin like https://api.twilio.com", default=HOME, pattern=r"https?://[^\s/?#@]+/?"
    ),
    Setting("connect_timeout", "seconds to reach Twilio", default=5.0, number=True),
    Setting("read_timeout", "seconds to wait for an answer", default=15.0, number=True),
)

MAX_ANSWER = 1_000_000
"""Bytes of a JSON answer; a page of 50 messages has about 60,000."""
MAX_RECORDING = 25_000_000
"""Bytes of a recording: 8 kHz, 16 bit, mono is 16,000 a second, so 26 minutes."""
PAGE = 50
"""Messages looked at when one is searched for: those to one number from one sender, newest first."""
CLOCK_SKEW = timedelta(seconds=60)
"""So much may Twilio's clock be behind ours."""
MAX_PATIENCE = 3600.0
"""Seconds; a longer Retry-After is a mistake or an attack."""


class Code(NamedTuple):
    """What one of Twilio's error codes means, in an answer to our request and in a report."""

    kind: OutcomeKind
    reason: Reason
    text: str
    passing: bool = False
    """In a report: the trouble may pass."""
    resend: bool = False
    """In a report: the network's own trouble, a machine may send again."""


REJECTED, AUTH = OutcomeKind.rejected, OutcomeKind.auth
THROTTLED, TEMPORARY = OutcomeKind.throttled, OutcomeKind.temporary

CODES: Mapping[str, Code] = {
    # https://www.twilio.com/docs/api/errors - the account
    "10001": Code(AUTH, Reason.setup, "Account is not active"),
    "20003": Code(AUTH, Reason.setup, "Permission denied"),
    "20005": Code(AUTH, Reason.setup, "Account not active"),
    "20006": Code(AUTH, Reason.setup, "Access denied"),
    "20404": Code(AUTH, Reason.setup, "Account or address not found"),
    "20429": Code(THROTTLED, Reason.network, "Too many requests"),
    "11200": Code(AUTH, Reason.setup, "Our webhook could not be reached"),
    # calls
    "13223": Code(REJECTED, Reason.bad_number, "Dial: invalid phone number format"),
    "13224": Code(REJECTED, Reason.bad_number, "Dial: invalid phone number"),
    "13227": Code(AUTH, Reason.region, "Calls to this country are not permitted for the account"),
    "21201": Code(REJECTED, Reason.bad_number, "No 'To' number"),
    "21203": Code(AUTH, Reason.region, "International calling is not enabled"),
    "21205": Code(AUTH, Reason.setup, "Invalid callback address"),
    "21210": Code(AUTH, Reason.bad_sender, "Caller id is not verified"),
    "21212": Code(REJECTED, Reason.bad_sender, "Invalid 'From' number"),
    "21213": Code(AUTH, Reason.bad_sender, "A caller id is required"),
    "21214": Code(REJECTED, Reason.bad_number, "'To' number cannot be reached"),
    "21215": Code(AUTH, Reason.region, "Calls to this country are not permitted for the account"),
    "21216": Code(REJECTED, Reason.filtered, "Call blocked by Twilio's block list"),
    "21217": Code(REJECTED, Reason.bad_number, "Phone number does not appear to be valid"),
    "21219": Code(AUTH, Reason.setup, "'To' number is not verified: trial account"),
    # texts, at once
    "21211": Code(REJECTED, Reason.bad_number, "Invalid 'To' number"),
    "21265": Code(REJECTED, Reason.bad_number, "'To' is a short code"),
    "21266": Code(REJECTED, Reason.bad_number, "'To' and 'From' are the same number"),
    "21267": Code(AUTH, Reason.setup, "No alphanumeric sender with a trial account"),
    "21268": Code(REJECTED, Reason.bad_number, "'To' is a premium number"),
    "21269": Code(REJECTED, Reason.bad_number, "'To' is an information service"),
    "21408": Code(AUTH, Reason.region, "Texts to this country are not enabled for the account"),
    "21601": Code(AUTH, Reason.bad_sender, "'From' cannot send texts"),
    "21602": Code(REJECTED, Reason.other, "No text"),
    "21603": Code(AUTH, Reason.bad_sender, "'From' is required"),
    "21604": Code(REJECTED, Reason.bad_number, "'To' is required"),
    "21605": Code(REJECTED, Reason.too_long, "Text is too long"),
    "21606": Code(AUTH, Reason.bad_sender, "'From' cannot send to this destination"),
    "21608": Code(AUTH, Reason.setup, "'To' number is not verified: trial account"),
    "21609": Code(AUTH, Reason.setup, "Invalid address for status callbacks"),
    "21610": Code(OutcomeKind.blocked, Reason.opted_out, "Recipient has opted out"),
    "21611": Code(THROTTLED, Reason.network, "Too many messages are queued for 'From'"),
    "21612": Code(REJECTED, Reason.unreachable, "'To' cannot be reached by text"),
    "21614": Code(REJECTED, Reason.landline, "'To' is no mobile number"),
    "21617": Code(REJECTED, Reason.too_long, "Text is longer than 1,600 characters"),
    "21635": Code(REJECTED, Reason.landline, "'To' is a landline"),
    "21659": Code(AUTH, Reason.bad_sender, "'From' is no number of Twilio's"),
    "21660": Code(AUTH, Reason.bad_sender, "'From' belongs to another account"),
    "21661": Code(AUTH, Reason.bad_sender, "'From' cannot send texts"),
    # texts, in reports
    "30001": Code(TEMPORARY, Reason.network, "Queue overflow", passing=True, resend=True),
    "30002": Code(AUTH, Reason.setup, "Account suspended", passing=True),
    "30003": Code(REJECTED, Reason.unreachable, "Handset unreachable or switched off", passing=True),
    "30004": Code(REJECTED, Reason.filtered, "Message blocked"),
    "30005": Code(REJECTED, Reason.bad_number, "Unknown handset: no such number any more"),
    "30006": Code(REJECTED, Reason.landline, "Landline or unreachable network"),
    "30007": Code(REJECTED, Reason.filtered, "Message filtered"),
    "30008": Code(REJECTED, Reason.other, "Unknown error in the network", passing=True),
    "30017": Code(TEMPORARY, Reason.network, "Network congestion", passing=True, resend=True),
    "30018": Code(AUTH, Reason.bad_sender, "Sender must be registered with the network"),
    "30024": Code(AUTH, Reason.bad_sender, "Numeric sender is not provisioned with the network"),
    "30036": Code(REJECTED, Reason.unreachable, "Validity period expired", passing=True),
    "30037": Code(AUTH, Reason.setup, "Outbound messaging is disabled", passing=True),
    "30410": Code(TEMPORARY, Reason.network, "Provider timeout", passing=True, resend=True),
    # WhatsApp
    "63016": Code(REJECTED, Reason.setup, "Outside the 24 hours: use a template"),
    "63018": Code(THROTTLED, Reason.network, "Channel is too busy", passing=True, resend=True),
}

HTTP_STATUS: Mapping[int, tuple[OutcomeKind, Reason]] = {
    303: (OutcomeKind.unknown, Reason.other),
    401: (AUTH, Reason.setup),
    403: (AUTH, Reason.setup),
    404: (AUTH, Reason.setup),
    405: (AUTH, Reason.setup),
    407: (AUTH, Reason.setup),
    408: (OutcomeKind.unknown, Reason.network),
    409: (OutcomeKind.unknown, Reason.other),
    413: (REJECTED, Reason.too_long),
    415: (AUTH, Reason.setup),
    429: (THROTTLED, Reason.network),
}
"""What a status means where the body names no code we know. Other 3xx: the base_url is wrong; 4xx: rejected."""

TEXT_STATUS: Mapping[str, TextStatus | None] = {
    "accepted": None,
    "scheduled": None,
    "queued": None,
    "sending": "sent",
    "sent": "sent",
    "partially_delivered": "sent",
    "delivered": "delivered",
    "read": "delivered",
    "undelivered": "undelivered",
    "failed": "failed",
    "canceled": "failed",
}

CALL_STATUS: Mapping[str, CallStatus] = {
    "queued": "queued",
    "initiated": "queued",
    "ringing": "ringing",
    "in-progress": "in-progress",
    "answered": "in-progress",
    "completed": "completed",
    "busy": "busy",
    "no-answer": "no-answer",
    "canceled": "canceled",
    "failed": "failed",
}

ANSWERED_BY: Mapping[str, AnsweredBy] = {
    "human": "human",
    "machine": "machine_start",
    "machine_start": "machine_start",
    "machine_end_beep": "machine_end_beep",
    "machine_end_silence": "machine_end_silence",
    "machine_end_other": "machine_end_other",
    "fax": "fax",
}

SIP: Mapping[str, Reason] = {
    "404": Reason.bad_number,
    "410": Reason.bad_number,
    "484": Reason.bad_number,
    "604": Reason.bad_number,
    "403": Reason.filtered,
    "603": Reason.filtered,
    "607": Reason.filtered,
    "408": Reason.unreachable,
    "480": Reason.unreachable,
    "503": Reason.network,
}
"""RFC 3261 and 8197: why a call failed."""

VOICES: Mapping[str, str] = {"de": "de-DE", "en": "en-GB"}

CALL_EVENTS = ["initiated", "ringing", "answered", "completed"]


def build(name: str, numbers: Sequence[Any], options: Mapping[str, Any]) -> "Twilio":
    """Make the adapter from checked options (see `sms.carriers.read_options`)."""
    return Twilio(name, options)


class Refused(TwilioException):  # type: ignore[misc] # the SDK is untyped
    """Twilio, or something before it, answered with an HTTP status from 300 on."""

    def __init__(self, status: int, code: str | None, message: str, retry_after: float | None) -> None:
        super().__init__(f"HTTP {status}, code {code}")
        self.status, self.code, self.message, self.retry_after = status, code, message, retry_after


class Unsendable(TwilioException):  # type: ignore[misc]
    """The request could not even be written down; nothing has left."""


class Wire(TwilioHttpClient):  # type: ignore[misc]
    """The SDK's HTTP client with another origin, time limits, a limited answer and no trace of what it sent."""

    def __init__(self, base_url: str, timeouts: tuple[float, float], window: int) -> None:
        super().__init__()
        self.origin = urlsplit(base_url)
        self.timeouts = timeouts
        self.session = _session(self.origin.hostname or "", window)

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
        """Send one request, once; raises Refused for every status from 300 on, else what requests raises."""
        status, answer_headers, body = self.fetch(method, url, MAX_ANSWER, params, data, headers, auth)
        text = body.decode("utf-8", "replace")
        if status >= 300:
            raise _refused(status, text, answer_headers)
        return Response(status, text, answer_headers)

    def fetch(
        self,
        method: str,
        url: str,
        limit: int,
        params: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Return (status, headers, body of at most `limit` bytes); never follows a redirect."""
        try:
            request = requests.Request(method.upper(), self._here(url), headers, None, data, params, auth)
            prepared = self.session.prepare_request(request)
        except (ValueError, requests.RequestException) as error:
            raise Unsendable(type(error).__name__) from None
        surroundings = self.session.merge_environment_settings(prepared.url, {}, True, None, None)
        answer = self.session.send(
            prepared, timeout=self.timeouts, allow_redirects=False, **cast(Any, surroundings)
        )
        with answer:
            return answer.status_code, answer.headers, _body(answer, limit, sum(self.timeouts))

    def _here(self, url: str) -> str:
        return urlsplit(url)._replace(scheme=self.origin.scheme, netloc=self.origin.netloc).geturl()


class Twilio(Carrier):
    """The adapter; one for each configured account, shared by all threads of a process."""

    features: ClassVar[frozenset[Feature]] = frozenset(Feature) - {Feature.own_id}
    settings: ClassVar[tuple[Setting, ...]] = SETTINGS
    max_window: ClassVar[int] = 20

    def __init__(self, name: str, options: Mapping[str, Any]) -> None:
        self.name = name
        self.account_sid: str = options["account_sid"]
        self.wire = Wire(
            options["base_url"], (options["connect_timeout"], options["read_timeout"]), self.max_window
        )
        tokens: tuple[str, ...] = options["auth_token"]
        user, password = options["api_key_sid"], options["api_key_secret"]
        self.auth = (user, password) if user and password else (self.account_sid, tokens[0])
        self.validators = tuple(RequestValidator(token) for token in tokens)
        self.key_validators = tuple(RequestValidator(key) for key in options["shared_key"])
        # An explicit environment: TWILIO_EDGE and TWILIO_REGION of the process would move the address.
        self.client = Client(
            *self.auth, account_sid=self.account_sid, http_client=self.wire, environment={"": ""}
        )

    # Going out

    def send_text(self, text: OutgoingText) -> Outcome:
        return _attempt(lambda: self._create_text(text), private=text.text)

    def place_call(self, call: OutgoingCall) -> Outcome:
        return _attempt(lambda: self._create_call(call))

    def probe(self) -> Outcome:
        # Not the account itself: a standard API key may not read that.
        return _attempt(lambda: self._look(self.client.messages.page(page_size=1)))

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

    def fetch_recording(self, url: str) -> bytes:
        path = self._recording_path(url)
        try:
            status, _, body = self.wire.fetch("GET", HOME + path, MAX_RECORDING, auth=self.auth)
        except (OSError, TwilioException) as error:
            raise RecordingError(type(error).__name__, temporary=True) from None
        if status != 200:
            # 404 at first: Twilio calls us before the file is ready.
            raise RecordingError(f"HTTP {status}", temporary=status in (404, 429) or status >= 500)
        return body

    def close(self) -> None:
        self.wire.session.close()

    # Coming in

    def verify(self, request: WebhookRequest) -> bool:
        try:
            return self._signed(request)
        except (ValueError, TypeError, LookupError, AttributeError):
            return False

    def parse_text(self, request: WebhookRequest) -> IncomingText:
        return IncomingText(
            reference=_reference(request, "MessageSid", "SmsSid"),
            sender=_party(request, "From"),
            to=_party(request, "To"),
            text=_clean(request.value("Body") or ""),
            raw=_rest(request),
        )

    def parse_report(self, request: WebhookRequest) -> TextReport:
        word = request.value("MessageStatus") or request.value("SmsStatus") or ""
        code = _code(request.value("ErrorCode"))
        meaning = CODES.get(code or "")
        status = _text_status(word, code)
        return TextReport(
            reference=_reference(request, "MessageSid", "SmsSid"),
            key=request.param("key"),
            status=status,
            code=code,
            reason=_report_reason(status, meaning),
            detail=_report_detail(code, meaning),
            temporary=status == "undelivered" and meaning is not None and meaning.resend,
        )

    def parse_call_report(self, request: WebhookRequest) -> CallReport:
        word = request.value("CallStatus") or ""
        if word not in CALL_STATUS:
            raise WebhookError("CallStatus is missing or unknown")
        sip = _code(request.value("SipResponseCode")) if word == "failed" else None
        return CallReport(
            reference=_reference(request, "CallSid"),
            key=request.param("key"),
            status=CALL_STATUS[word],
            answered_by=_answered_by(request),
            seconds=_whole(request.value("CallDuration")),
            sequence=_whole(request.value("SequenceNumber")),
            code=sip,
            reason=SIP.get(sip or "", Reason.other) if word == "failed" else None,
        )

    def parse_call_answer(self, request: WebhookRequest) -> CallAnswer:
        return CallAnswer(
            reference=_reference(request, "CallSid"),
            key=request.param("key"),
            caller=_party(request, "From"),
            to=_party(request, "To"),
            answered_by=_answered_by(request),
        )

    def parse_incoming_call(self, request: WebhookRequest) -> IncomingCall:
        return IncomingCall(_reference(request, "CallSid"), _party(request, "From"), _party(request, "To"))

    def parse_keys(self, request: WebhookRequest) -> CallKeys:
        keys = request.value("Digits") or ""
        return CallKeys(_reference(request, "CallSid"), keys if re.fullmatch(r"[0-9*#A-D]*", keys) else "")

    def parse_recording(self, request: WebhookRequest) -> CallRecording:
        return CallRecording(
            reference=_reference(request, "CallSid"),
            url=request.value("RecordingUrl") or None,
            seconds=_whole(request.value("RecordingDuration")) or 0,
        )

    # Answers

    def render(self, script: Sequence[Step], url_for: Callable[[str], str]) -> WebhookAnswer:
        response = VoiceResponse()
        for step in script:
            _add(response, step, url_for)
        return _xml(response)

    def acknowledge(self) -> WebhookAnswer:
        return _xml(VoiceResponse())

    # Within

    def _create_text(self, text: OutgoingText) -> Outcome:
        message = self.client.messages.create(
            to=text.to, from_=text.sender, body=text.text, status_callback=text.status_url
        )
        return _taken(message.sid, message.status, message.error_code)

    def _create_call(self, call: OutgoingCall) -> Outcome:
        detection = {"machine_detection": "DetectMessageEnd"} if call.detect_machine else {}
        placed = self.client.calls.create(
            to=call.to,
            from_=call.caller_id,
            url=call.answer_url,
            method="POST",
            status_callback=call.status_url,
            status_callback_method="POST",
            status_callback_event=CALL_EVENTS,
            timeout=call.ring_seconds,
            **detection,
        )
        return _taken(placed.sid, placed.status, None)

    def _look(self, page: Iterable[Any]) -> Outcome:
        return Outcome(OutcomeKind.accepted)

    def _signed(self, request: WebhookRequest) -> bool:
        signature = request.header(SIGNATURE_HEADER)
        fields = _signed_fields(request)
        if not signature or fields is None:
            return False
        algorithm = get_signature_algorithm(request.header(SIGNATURE_SETTINGS_HEADER))
        validators = self.key_validators if algorithm == HMAC_SHA256 else self.validators
        good = [
            hmac.compare_digest(
                validator.compute_signature(url, fields, algorithm).encode(), signature.encode()
            )
            for validator in validators
            for url in _spellings(request.url)
        ]
        return any(good)

    def _recording_path(self, url: str) -> str:
        """Return the path to fetch, so that nothing but our own recordings at Twilio is ever asked for."""
        own = re.escape(f"/2010-04-01/Accounts/{self.account_sid}/Recordings/")
        origin = (
            f"(?:{re.escape(HOME)}|{re.escape(self.wire.origin.scheme + '://' + self.wire.origin.netloc)})"
        )
        match = re.fullmatch(rf"{origin}({own}RE[0-9a-zA-Z]{{1,64}})(?:\.wav|\.mp3|\.json)?", url)
        if match is None:
            raise RecordingError("not the address of a recording of ours")
        return match[1] + ".wav"


class Fields:
    """Form pairs as the SDK's validator reads them: every value of a repeated name counts."""

    def __init__(self, pairs: Pairs) -> None:
        self.pairs = pairs

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self.pairs)

    def getlist(self, name: str) -> list[str]:
        """Return all values of a name, as the SDK asks for them."""
        return [value for key, value in self.pairs if key == name]

    def __len__(self) -> int:
        return len(self.pairs)


# The wire


def _session(host: str, window: int) -> requests.Session:
    session = requests.Session()
    for scheme in ("https://", "http://"):
        session.mount(scheme, HTTPAdapter(pool_connections=1, pool_maxsize=window, max_retries=0))
    # One session for all threads is safe as long as nothing is kept in it.
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    # A proxy of the environment leads outside, never to this machine itself.
    session.trust_env = host not in ("127.0.0.1", "localhost", "::1")
    return session


def _body(answer: requests.Response, limit: int, seconds: float) -> bytes:
    """Read a body of limited size in limited time: requests' own limit starts anew with every byte."""
    end = time.monotonic() + seconds
    parts, size = [], 0
    for part in answer.iter_content(65536):
        parts.append(part)
        size += len(part)
        if size > limit or time.monotonic() > end:
            raise requests.ConnectionError("the answer is too long or too slow")
    return b"".join(parts)


def _refused(status: int, text: str, headers: Mapping[str, str]) -> Refused:
    try:
        body = json.loads(text)
    except ValueError:
        body = None
    found = body if isinstance(body, dict) else {}
    message = found.get("message") or found.get("detail") or found.get("title") or ""
    return Refused(status, _code(found.get("code")), str(message), _retry_after(headers.get("Retry-After")))


def _retry_after(value: str | None) -> float | None:
    """Read Retry-After, seconds or an HTTP date (RFC 9110, 10.2.3), as seconds from 0 to an hour."""
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        seconds = _until(value)
    return None if math.isnan(seconds) else min(max(seconds, 0.0), MAX_PATIENCE)


def _until(value: str) -> float:
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return math.nan
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - datetime.now(UTC)).total_seconds()


# Outcomes


def _attempt(ask: Callable[[], Outcome], private: str = "") -> Outcome:
    """Ask once; whatever is raised is an outcome, and what has no place in the tables is unknown."""
    try:
        return ask()
    except Refused as refusal:
        return _refusal(refusal, private)
    except Unsendable as error:
        return Outcome(REJECTED, reason=Reason.other, detail=f"cannot be written as a request: {error}")
    except requests.RequestException as error:
        return _failure(error)
    except Exception as error:
        return Outcome(OutcomeKind.unknown, reason=Reason.other, detail=type(error).__name__)


def _refusal(refusal: Refused, private: str) -> Outcome:
    kind, reason = _verdict(refusal.status, refusal.code)
    meaning = CODES.get(refusal.code or "")
    return Outcome(
        kind,
        code=refusal.code or str(refusal.status),
        reason=reason,
        detail=meaning.text if meaning else _masked(refusal.message, private) or f"HTTP {refusal.status}",
        retry_after=refusal.retry_after,
    )


def _verdict(status: int, code: str | None) -> tuple[OutcomeKind, Reason]:
    if status >= 500:
        return OutcomeKind.unknown, Reason.network
    if status != 429 and code is not None and code in CODES:
        return CODES[code].kind, CODES[code].reason
    if status in HTTP_STATUS:
        return HTTP_STATUS[status]
    return (AUTH, Reason.setup) if status < 400 else (REJECTED, Reason.other)


def _failure(error: requests.RequestException) -> Outcome:
    """Tell what provably never left this machine from what may have arrived."""
    causes = list(_causes(error))
    detail = type(causes[-1]).__name__
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return Outcome(AUTH, reason=Reason.setup, detail="the carrier's certificate is not trusted")
    if any(isinstance(cause, NewConnectionError | ConnectTimeoutError | NoProxyError) for cause in causes):
        return Outcome(TEMPORARY, reason=Reason.network, detail=detail)
    return Outcome(OutcomeKind.unknown, reason=Reason.network, detail=detail)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Walk from an exception of requests down into urllib3's and Python's own."""
    inner: Any = error
    while isinstance(inner, BaseException):
        yield inner
        inner = getattr(inner, "reason", None) or next(
            (part for part in inner.args if isinstance(part, BaseException)), None
        )


def _taken(sid: object, status: object, code: object) -> Outcome:
    """Read a 201: with an id it was taken, unless it says at once that it failed."""
    reference = sid if isinstance(sid, str) and sid else None
    if reference is None:
        return Outcome(OutcomeKind.unknown, reason=Reason.other, detail="an answer without a sid")
    if status not in ("failed", "undelivered", "canceled"):
        return Outcome(OutcomeKind.accepted, reference)
    kind, reason = _verdict(400, _code(code))
    return Outcome(kind, reference, code=_code(code), reason=reason, detail=f"taken, but at once {status}")


def _masked(message: str, private: str) -> str:
    """Return a carrier's sentence without our text and without full numbers, one short line."""
    cleaned = message.replace(private, "...") if private else message
    return re.sub(r"\+?\d[\d ()/-]{4,}\d", "...", " ".join(cleaned.split()))[:200]


def _code(value: object) -> str | None:
    """Return an error code as a string of digits, or None for anything else."""
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    return text if re.fullmatch(r"[0-9]{1,6}", text) and text.strip("0") else None


# Searching


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
        return CannotSay(type(error).__name__)
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
    code = _code(message.error_code)
    status = _text_status(message.status or "", code)
    return Found(message.sid, status, code, _report_reason(status, CODES.get(code or "")), others)


def _call_found(call: Any, others: tuple[str, ...]) -> Found:
    return Found(call.sid, CALL_STATUS.get(call.status or ""), others=others)


def _outgoing(record: Any) -> bool:
    return not str(record.direction or "").startswith("inbound")


def _plain(text: str | None) -> str:
    """Return a text as it survives the way there and back: line ends and white space round it do not."""
    return "\n".join((text or "").split("\r\n")).strip()


# Callbacks


def _signed_fields(request: WebhookRequest) -> Fields | None:
    """Return what a signature covers beside the address; None where the request has a part it would not."""
    method = request.method.upper()
    if method == "GET":
        return None if request.form or request.body else Fields(())
    if method != "POST" or (request.body and not request.form):
        return None
    return Fields(request.form)


def _spellings(url: str) -> list[str]:
    """Return an address as it is, without its port, and with the default one: Twilio signs any of these."""
    match = re.fullmatch(r"(https?)://([^/?#]*?)(:[0-9]+)?([/?#].*)?", url, re.DOTALL)
    if match is None:
        return [url]
    scheme, host, port, rest = match[1], match[2], match[3] or "", match[4] or ""
    default = ":443" if scheme == "https" else ":80"
    other = f"{scheme}://{host}{rest}" if port else f"{scheme}://{host}{default}{rest}"
    return [url, other]


def _reference(request: WebhookRequest, *names: str) -> str:
    for name in names:
        value = request.value(name)
        if value and re.fullmatch(r"[\x21-\x7e]{1,64}", value):
            return value
    raise WebhookError(f"{names[0]} is missing")


def _party(request: WebhookRequest, name: str) -> str:
    """Return a number as E.164, or what stands in its place: a short code, a name, nothing at all."""
    value = _clean(request.value(name) or "").strip()
    number = re.sub(r"[ ()-]", "", value)
    return number if re.fullmatch(r"\+[0-9]{6,15}", number) else value[:64]


def _clean(text: str) -> str:
    """Return text that every database takes: without NUL and unpaired surrogates."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


PERSONAL = frozenset({"Body", "From", "To", "Caller", "Called", "WaId", "ProfileName", "AccountSid"})


def _rest(request: WebhookRequest) -> dict[str, str]:
    pairs = request.query if request.method.upper() == "GET" else request.form
    return {_clean(name)[:64]: _clean(value)[:500] for name, value in pairs if name not in PERSONAL}


def _text_status(word: str, code: str | None) -> TextStatus | None:
    """Return our status; where Twilio's code is known, it decides whether the trouble may pass."""
    status = TEXT_STATUS.get(word)
    if status not in ("undelivered", "failed") or code is None or code not in CODES:
        return status
    return "undelivered" if CODES[code].passing else "failed"


def _report_reason(status: TextStatus | None, meaning: Code | None) -> Reason | None:
    if status not in ("undelivered", "failed"):
        return None
    return meaning.reason if meaning else Reason.other


def _report_detail(code: str | None, meaning: Code | None) -> str | None:
    if meaning is not None:
        return meaning.text
    return f"Twilio error {code}" if code else None


def _answered_by(request: WebhookRequest) -> AnsweredBy | None:
    word = request.value("AnsweredBy")
    return ANSWERED_BY.get(word, "unknown") if word else None


def _whole(value: str | None) -> int | None:
    return int(value) if value and re.fullmatch(r"[0-9]{1,9}", value) else None


# TwiML


def _add(parent: VoiceResponse | GatherVerb, step: Step, url_for: Callable[[str], str]) -> None:
    match step:
        case Pause(seconds):
            # TwiML knows whole seconds only.
            parent.pause(length=max(1, math.ceil(seconds)))
        case Play(url):
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


def _xml(response: VoiceResponse) -> WebhookAnswer:
    return WebhookAnswer(200, "text/xml; charset=utf-8", str(response).encode())
