"""Whether a form is one that Twilio's REST API would take: the table of its OpenAPI document, and its error codes.

The document is twilio_api_v2010.json of twilio-oai; what Prism refuses with it is refused here. Field formats
that Prism lets through (phone numbers) are checked where they are used.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from urllib.parse import urlsplit

from werkzeug.datastructures import MultiDict

MORE = "https://www.twilio.com/docs/errors/"


class Refused(Exception):
    """Twilio's error answer: HTTP status, code and message."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message

    def body(self) -> dict[str, str | int]:
        """Return the JSON body as Twilio writes it."""
        return {
            "code": self.code,
            "message": self.message,
            "more_info": f"{MORE}{self.code}",
            "status": self.status,
        }


Check = Callable[[str], bool]


def is_uri(text: str) -> bool:
    """Return whether the text is an absolute http or https address without spaces or control characters."""
    if not text.isascii() or re.search(r"[\x00-\x20\x7f<>\"{}|\\^`]|%(?![0-9a-fA-F]{2})", text):
        return False
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def is_moment(text: str) -> bool:
    """Return whether the text is an RFC 3339 date-time."""
    if not re.fullmatch(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", text):
        return False
    try:
        moment(text)
    except (ValueError, OverflowError):
        return False
    return True


def moment(text: str) -> float:
    """Return a checked date-time as seconds since 1970."""
    return datetime.fromisoformat(text.upper()).timestamp()


def is_sid(prefix: str) -> Check:
    """Return a check for ids of one kind: the prefix and 32 hexadecimal digits."""
    return lambda text: re.fullmatch(f"(?:{prefix})[0-9a-fA-F]{{32}}", text) is not None


def one_of(*words: str) -> Check:
    """Return a check for a closed list of words."""
    return lambda text: text in words


def anything(text: str) -> bool:
    """Accept every string."""
    return True


def is_integer(text: str) -> bool:
    """Return whether the text is a whole number in decimal digits."""
    return re.fullmatch(r"-?\d{1,18}", text, re.ASCII) is not None


def is_number(text: str) -> bool:
    """Return whether the text is a decimal number."""
    return re.fullmatch(r"-?\d{1,18}(\.\d+)?", text, re.ASCII) is not None


is_boolean = one_of("true", "false")
is_method = one_of("GET", "POST")

MESSAGE: Mapping[str, Check] = {
    "To": anything,
    "StatusCallback": is_uri,
    "ApplicationSid": is_sid("AP"),
    "MaxPrice": is_number,
    "ProvideFeedback": is_boolean,
    "Attempt": is_integer,
    "ValidityPeriod": is_integer,
    "ForceDelivery": is_boolean,
    "ContentRetention": one_of("retain", "discard"),
    "AddressRetention": one_of("retain", "obfuscate", "discard"),
    "SmartEncoded": is_boolean,
    "PersistentAction": anything,
    "TrafficType": one_of("free"),
    "ShortenUrls": is_boolean,
    "ScheduleType": one_of("fixed"),
    "SendAt": is_moment,
    "SendAsMms": is_boolean,
    "ContentVariables": anything,
    "RiskCheck": one_of("enable", "disable"),
    "From": anything,
    "FallbackFrom": anything,
    "MessagingServiceSid": is_sid("MG"),
    "Body": anything,
    "MediaUrl": is_uri,
    "ContentSid": is_sid("HX"),
}
MESSAGE_UPDATE: Mapping[str, Check] = {"Body": anything, "Status": one_of("canceled")}
MESSAGE_LIST: Mapping[str, Check] = {
    "To": anything,
    "From": anything,
    "DateSent": is_moment,
    "DateSent<": is_moment,
    "DateSent>": is_moment,
}
CALL: Mapping[str, Check] = {
    "To": anything,
    "From": anything,
    "Method": is_method,
    "FallbackUrl": is_uri,
    "FallbackMethod": is_method,
    "StatusCallback": is_uri,
    "StatusCallbackEvent": one_of("initiated", "ringing", "answered", "completed"),
    "StatusCallbackMethod": is_method,
    "SendDigits": anything,
    "Timeout": is_integer,
    "Record": is_boolean,
    "RecordingChannels": one_of("mono", "dual"),
    "RecordingStatusCallback": is_uri,
    "RecordingStatusCallbackMethod": is_method,
    "SipAuthUsername": anything,
    "SipAuthPassword": anything,
    "MachineDetection": one_of("Enable", "DetectMessageEnd"),
    "MachineDetectionTimeout": is_integer,
    "RecordingStatusCallbackEvent": one_of("in-progress", "completed", "absent"),
    "Trim": one_of("trim-silence", "do-not-trim"),
    "CallerId": anything,
    "MachineDetectionSpeechThreshold": is_integer,
    "MachineDetectionSpeechEndThreshold": is_integer,
    "MachineDetectionSilenceTimeout": is_integer,
    "AsyncAmd": is_boolean,
    "AsyncAmdStatusCallback": is_uri,
    "AsyncAmdStatusCallbackMethod": is_method,
    "Byoc": is_sid("BY"),
    "CallReason": anything,
    "CallToken": anything,
    "RecordingTrack": one_of("inbound", "outbound", "both"),
    "TimeLimit": is_integer,
    "ClientNotificationUrl": is_uri,
    "Url": is_uri,
    "Twiml": anything,
    "ApplicationSid": is_sid("AP"),
}
CALL_UPDATE: Mapping[str, Check] = {
    "Url": is_uri,
    "Method": is_method,
    "Status": one_of("canceled", "completed"),
    "FallbackUrl": is_uri,
    "FallbackMethod": is_method,
    "StatusCallback": is_uri,
    "StatusCallbackMethod": is_method,
    "Twiml": anything,
    "TimeLimit": is_integer,
}
CALL_LIST: Mapping[str, Check] = {
    "To": anything,
    "From": anything,
    "ParentCallSid": is_sid("CA"),
    "Status": one_of(
        "queued", "ringing", "in-progress", "completed", "busy", "failed", "no-answer", "canceled"
    ),
    **{f"{edge}Time{sign}": is_moment for edge in ("Start", "End") for sign in ("", "<", ">")},
}
RECORDING_LIST: Mapping[str, Check] = {
    "CallSid": is_sid("CA"),
    "ConferenceSid": is_sid("CF"),
    "IncludeSoftDeleted": is_boolean,
    **{f"DateCreated{sign}": is_moment for sign in ("", "<", ">")},
}
PAGE: Mapping[str, Check] = {
    "PageSize": lambda text: is_integer(text) and 1 <= int(text) <= 1000,
    "Page": lambda text: is_integer(text) and int(text) >= 0,
    "PageToken": anything,
}

CODES = {
    "StatusCallback": 21609,
    "StatusCallbackEvent": 21626,
    "Url": 21205,
    "SendDigits": 21206,
    "MediaUrl": 21620,
}
INVALID_PARAMETER = 20422
BAD_REQUEST = 20001


def check(form: MultiDict[str, str], table: Mapping[str, Check]) -> None:
    """Raise Refused for the first field that Twilio's document does not allow; unknown fields pass, as there."""
    for name, rule in table.items():
        for value in form.getlist(name):
            if "\x00" in value or not rule(value):
                code = CODES.get(name, INVALID_PARAMETER)
                raise Refused(400, code, f"Invalid '{name}' parameter: {value[:80]!r}")
        repeatable = name in (
            "StatusCallbackEvent",
            "RecordingStatusCallbackEvent",
            "MediaUrl",
            "PersistentAction",
        )
        if not repeatable and len(form.getlist(name)) > 1:
            raise Refused(400, BAD_REQUEST, f"'{name}' may be given once")
