"""Twilio's callbacks: who signed them, and what they say."""

import hmac
import re
from collections.abc import Iterator, Sequence

from twilio.request_validator import (
    HMAC_SHA256,
    SIGNATURE_HEADER,
    SIGNATURE_SETTINGS_HEADER,
    RequestValidator,
    get_signature_algorithm,
)

from sms.carriers.callback import clean, is_reference, party, reference
from sms.carriers.contract import (
    AnsweredBy,
    CallAnswer,
    CallKeys,
    CallRecording,
    CallReport,
    IncomingCall,
    IncomingText,
    Pairs,
    Reason,
    TextReport,
    WebhookError,
    WebhookRequest,
)
from sms.carriers.twilio_codes import (
    ANSWERED_BY,
    CALL_STATUS,
    SIP,
    error_code,
    report_detail,
    report_reason,
    resendable,
    text_status,
)

PERSONAL = frozenset({"Body", "From", "To", "Caller", "Called", "WaId", "ProfileName", "AccountSid"})
"""What has a place of its own, or tells who somebody is: not kept a second time."""


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


class Signatures:
    """Tells Twilio's callbacks from others; several secrets count while one replaces the other."""

    def __init__(self, tokens: Sequence[str], shared_keys: Sequence[str]) -> None:
        self.by_token = tuple(RequestValidator(token) for token in tokens)
        self.by_key = tuple(RequestValidator(key) for key in shared_keys)

    def verify(self, request: WebhookRequest) -> bool:
        """Return whether one of the secrets has signed all of this; never raises."""
        try:
            return self._signed(request)
        except (ValueError, TypeError, LookupError, AttributeError):
            return False

    def _signed(self, request: WebhookRequest) -> bool:
        signature = request.header(SIGNATURE_HEADER).encode()
        fields = _signed_fields(request)
        if not signature or fields is None:
            return False
        algorithm = get_signature_algorithm(request.header(SIGNATURE_SETTINGS_HEADER))
        validators = self.by_key if algorithm.upper() == HMAC_SHA256 else self.by_token
        good = [
            hmac.compare_digest(validator.compute_signature(url, fields, algorithm).encode(), signature)
            for validator in validators
            for url in _spellings(request.url)
        ]
        return any(good)


def read_text(request: WebhookRequest) -> IncomingText:
    """Read a text that arrived."""
    return IncomingText(
        reference=_reference(request, "MessageSid", "SmsSid"),
        sender=_party(request, "From"),
        to=_party(request, "To"),
        text=clean(request.value("Body") or ""),
        raw=_rest(request),
    )


def read_report(request: WebhookRequest) -> TextReport:
    """Read a delivery report."""
    word = request.value("MessageStatus") or request.value("SmsStatus") or ""
    code = error_code(request.value("ErrorCode"))
    status = text_status(word, code)
    return TextReport(
        reference=_reference(request, "MessageSid", "SmsSid"),
        key=request.param("key"),
        status=status,
        code=code,
        reason=report_reason(status, code),
        detail=report_detail(code),
        temporary=resendable(status, code),
    )


def read_call_report(request: WebhookRequest) -> CallReport:
    """Read the progress of a call."""
    word = request.value("CallStatus") or ""
    if word not in CALL_STATUS:
        raise WebhookError("CallStatus is missing or unknown")
    sip = error_code(request.value("SipResponseCode")) if word == "failed" else None
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


def read_call_answer(request: WebhookRequest) -> CallAnswer:
    """Read the question what to say in a call of ours."""
    return CallAnswer(
        reference=_reference(request, "CallSid"),
        key=request.param("key"),
        caller=_party(request, "From"),
        to=_party(request, "To"),
        answered_by=_answered_by(request),
    )


def read_incoming_call(request: WebhookRequest) -> IncomingCall:
    """Read the question what to say to a caller."""
    return IncomingCall(_reference(request, "CallSid"), _party(request, "From"), _party(request, "To"))


def read_keys(request: WebhookRequest) -> CallKeys:
    """Read the keys pressed."""
    keys = request.value("Digits") or ""
    return CallKeys(_reference(request, "CallSid"), keys if re.fullmatch(r"[0-9*#A-D]*", keys) else "")


def read_recording(request: WebhookRequest) -> CallRecording:
    """Read that a recording is there."""
    return CallRecording(
        reference=_reference(request, "CallSid"),
        url=request.value("RecordingUrl") or None,
        seconds=_whole(request.value("RecordingDuration")) or 0,
    )


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
    values = [request.value(name) for name in names]
    return reference(next(filter(is_reference, values), None), names[0])


def _party(request: WebhookRequest, name: str) -> str:
    return party(request.value(name) or "", r"\+[0-9]{6,15}")


def _rest(request: WebhookRequest) -> dict[str, str]:
    pairs = request.query if request.method.upper() == "GET" else request.form
    return {clean(name)[:64]: clean(value)[:500] for name, value in pairs if name not in PERSONAL}


def _answered_by(request: WebhookRequest) -> AnsweredBy | None:
    word = request.value("AnsweredBy")
    return ANSWERED_BY.get(word, "unknown") if word else None


def _whole(value: str | None) -> int | None:
    return int(value) if value and re.fullmatch(r"[0-9]{1,9}", value) else None
