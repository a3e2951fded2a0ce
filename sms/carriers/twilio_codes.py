"""What Twilio's codes and words mean to us.

Sources: the error dictionary (https://www.twilio.com/docs/api/errors) and the pages on status callbacks.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from sms.carriers.contract import AnsweredBy, CallStatus, OutcomeKind, Reason, TextStatus


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
    "21202": Code(REJECTED, Reason.bad_number, "'To' is a premium number"),
    "21203": Code(AUTH, Reason.region, "International calling is not enabled"),
    "21205": Code(AUTH, Reason.setup, "Invalid callback address"),
    "21210": Code(AUTH, Reason.bad_sender, "Caller id is not verified"),
    "21212": Code(REJECTED, Reason.bad_sender, "Invalid 'From' number"),
    "21213": Code(AUTH, Reason.bad_sender, "A caller id is required"),
    "21214": Code(REJECTED, Reason.bad_number, "'To' number cannot be reached"),
    "21215": Code(AUTH, Reason.region, "Calls to this country are not permitted for the account"),
    "21216": Code(REJECTED, Reason.filtered, "Call blocked by Twilio's block list"),
    "21217": Code(REJECTED, Reason.bad_number, "Phone number does not appear to be valid"),
    "21219": Code(REJECTED, Reason.setup, "'To' number is not verified: trial account"),
    "573005": Code(REJECTED, Reason.setup, "'To' number is not verified: trial account"),
    # texts, at once
    "21211": Code(REJECTED, Reason.bad_number, "Invalid 'To' number"),
    "21265": Code(REJECTED, Reason.bad_number, "'To' is a short code"),
    "21266": Code(REJECTED, Reason.bad_number, "'To' and 'From' are the same number"),
    "21267": Code(AUTH, Reason.setup, "No alphanumeric sender with a trial account"),
    "21268": Code(REJECTED, Reason.bad_number, "'To' is a premium number"),
    "21269": Code(REJECTED, Reason.bad_number, "'To' is an information service"),
    "21408": Code(AUTH, Reason.region, "Texts to this country are not enabled for the account"),
    "21601": Code(AUTH, Reason.bad_sender, "'From' cannot send texts"),
    "21602": Code(REJECTED, Reason.bad_text, "No text"),
    "21603": Code(AUTH, Reason.bad_sender, "'From' is required"),
    "21604": Code(REJECTED, Reason.bad_number, "'To' is required"),
    "21605": Code(REJECTED, Reason.too_long, "Text is too long"),
    "21606": Code(AUTH, Reason.bad_sender, "'From' cannot send to this destination"),
    "21608": Code(REJECTED, Reason.setup, "'To' number is not verified: trial account"),
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
    "572005": Code(REJECTED, Reason.setup, "'To' number is not verified: trial account"),
    # texts, in reports
    "30001": Code(TEMPORARY, Reason.network, "Queue overflow", passing=True, resend=True),
    "30002": Code(AUTH, Reason.setup, "Account suspended", passing=True),
    "30003": Code(REJECTED, Reason.unreachable, "Handset unreachable or switched off", passing=True),
    "30004": Code(REJECTED, Reason.filtered, "Message blocked"),
    "30005": Code(REJECTED, Reason.bad_number, "Unknown handset: no such number any more"),
    "30006": Code(REJECTED, Reason.landline, "Landline or unreachable network"),
    "30007": Code(REJECTED, Reason.filtered, "Message filtered"),
    "30008": Code(REJECTED, Reason.network, "Unknown error in the network", passing=True),
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

FAILED_AT_ONCE = ("failed", "undelivered", "canceled")
"""Statuses in the answer to a request that mean it will not happen."""

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


def verdict(status: int, code: str | None) -> tuple[OutcomeKind, Reason]:
    """Return what an HTTP status from 300 on with an error code says of a request."""
    if status >= 500:
        return OutcomeKind.unknown, Reason.network
    if status != 429 and code is not None and code in CODES:
        return CODES[code].kind, CODES[code].reason
    if status in HTTP_STATUS:
        return HTTP_STATUS[status]
    return (AUTH, Reason.setup) if status < 400 else (REJECTED, Reason.other)


def error_code(value: object) -> str | None:
    """Return an error code as a string of digits, or None for anything else."""
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    return text if re.fullmatch(r"[0-9]{1,6}", text) and text.strip("0") else None


def text_status(word: str, code: str | None) -> TextStatus | None:
    """Return our status; where Twilio's code is known, it decides whether the trouble may pass."""
    status = TEXT_STATUS.get(word)
    if status not in ("undelivered", "failed") or code is None or code not in CODES:
        return status
    return "undelivered" if CODES[code].passing else "failed"


def report_reason(status: TextStatus | None, code: str | None) -> Reason | None:
    """Return why a text did not arrive; None where it did, or may still."""
    if status not in ("undelivered", "failed"):
        return None
    return meaning.reason if (meaning := CODES.get(code or "")) else Reason.other


def report_detail(code: str | None) -> str | None:
    """Return a code in words."""
    meaning = CODES.get(code or "")
    if meaning is not None:
        return meaning.text
    return f"Twilio error {code}" if code else None


def resendable(status: TextStatus | None, code: str | None) -> bool:
    """Tell whether a machine may send the text again: the network had trouble of its own."""
    meaning = CODES.get(code or "")
    return status == "undelivered" and meaning is not None and meaning.resend
