"""What the codes and words of websms (LINK Mobility) mean to us.

Source: https://developer.websms.com/rest-api. Where a line says "unconfirmed", the name comes from public
clients of the service and the meaning is read from the name alone.
"""

from collections.abc import Mapping
from typing import NamedTuple

from sms.carriers.contract import CallStatus, OutcomeKind, Reason, TextStatus


class Code(NamedTuple):
    """What a statusCode in an answer means; `confirmed` where the carrier's own page was seen to say so."""

    kind: OutcomeKind
    reason: Reason | None
    text: str
    confirmed: bool = False


class Ending(NamedTuple):
    """What a word in a delivery report means, for a text and for a call; no text status says nothing new."""

    text: TextStatus | None
    call: CallStatus
    reason: Reason | None = None


ACCEPTED, REJECTED, AUTH = OutcomeKind.accepted, OutcomeKind.rejected, OutcomeKind.auth
THROTTLED, TEMPORARY, UNKNOWN = OutcomeKind.throttled, OutcomeKind.temporary, OutcomeKind.unknown

CODES: Mapping[int, Code] = {
    2000: Code(ACCEPTED, None, "OK", confirmed=True),
    2001: Code(ACCEPTED, None, "OK, queued", confirmed=True),
    4001: Code(AUTH, Reason.setup, "Invalid credentials"),
    4002: Code(REJECTED, Reason.bad_number, "Invalid recipient"),
    4003: Code(AUTH, Reason.bad_sender, "Invalid sender"),
    4004: Code(REJECTED, Reason.setup, "Invalid message type"),  # unconfirmed
    4008: Code(REJECTED, Reason.setup, "Invalid message id"),  # unconfirmed
    4009: Code(REJECTED, Reason.bad_text, "Invalid text"),  # unconfirmed
    4013: Code(AUTH, Reason.setup, "Message limit exceeded: no credit left"),
    4014: Code(AUTH, Reason.setup, "Our address is not allowed"),
    4015: Code(REJECTED, Reason.setup, "Invalid message priority"),  # unconfirmed
    4016: Code(AUTH, Reason.setup, "Invalid callback address"),  # unconfirmed
    4019: Code(REJECTED, Reason.setup, "A parameter is missing"),
    4021: Code(AUTH, Reason.setup, "Invalid account"),
    4022: Code(AUTH, Reason.setup, "Access denied"),
    4023: Code(THROTTLED, Reason.network, "Too many requests from our address"),
    4025: Code(THROTTLED, Reason.network, "Too many recipients in one request"),
    4026: Code(REJECTED, Reason.too_long, "More parts than allowed"),
    4027: Code(REJECTED, Reason.bad_text, "Invalid message segment"),  # unconfirmed
    4029: Code(REJECTED, Reason.filtered, "Recipient is not allowed"),  # unconfirmed
    4031: Code(OutcomeKind.blocked, Reason.opted_out, "Recipient is on the block list"),
    4035: Code(AUTH, Reason.setup, "SMS is switched off for the account"),
    4040: Code(REJECTED, Reason.setup, "Invalid content category"),  # unconfirmed
    4041: Code(REJECTED, Reason.setup, "Invalid validity period"),  # unconfirmed
    4042: Code(REJECTED, Reason.filtered, "Blocked by the quality rating"),  # unconfirmed
    4043: Code(REJECTED, Reason.filtered, "Blocked by the spam check"),  # unconfirmed
    5000: Code(UNKNOWN, Reason.network, "Internal error"),
    5003: Code(TEMPORARY, Reason.network, "Service unavailable"),
}

HTTP_STATUS: Mapping[int, tuple[OutcomeKind, Reason]] = {
    303: (UNKNOWN, Reason.other),
    401: (AUTH, Reason.setup),
    403: (AUTH, Reason.setup),
    404: (AUTH, Reason.setup),
    405: (AUTH, Reason.setup),
    407: (AUTH, Reason.setup),
    408: (UNKNOWN, Reason.network),
    409: (UNKNOWN, Reason.other),
    413: (REJECTED, Reason.too_long),
    415: (AUTH, Reason.setup),
    429: (THROTTLED, Reason.network),
}
"""What a status means where the body names no code we know."""

ENDINGS: Mapping[str, Ending] = {
    "delivered": Ending("delivered", "completed"),
    "undelivered": Ending("undelivered", "no-answer", Reason.unreachable),
    "expired": Ending("undelivered", "no-answer", Reason.unreachable),
    "deleted": Ending("failed", "failed", Reason.other),
    "rejected": Ending("failed", "failed", Reason.filtered),
    "accepted": Ending(None, "queued"),
}
"""deliveryReportMessageStatus. That a voice message ends with the same words is unconfirmed."""


def verdict(status: int, code: int | None) -> tuple[OutcomeKind, Reason | None]:
    """Return what an HTTP status and a statusCode say of a request: the body first, as errors come with 200 too."""
    if status == 429:
        return HTTP_STATUS[429]
    if status >= 500 and code != 5003:
        # What stands in the body of a broken answer may be of another layer: only "not now" is believed.
        return UNKNOWN, Reason.network
    meaning = CODES.get(code or 0)
    if meaning is None:
        return _by_status(status, code)
    if meaning.kind is ACCEPTED and status >= 300:
        # Two answers in one: whichever is wrong, it may have been taken.
        return UNKNOWN, Reason.other
    return meaning.kind, meaning.reason


def _by_status(status: int, code: int | None) -> tuple[OutcomeKind, Reason]:
    if status in HTTP_STATUS:
        return HTTP_STATUS[status]
    if status >= 400 or (code is not None and 4000 <= code < 5000):
        return REJECTED, Reason.other
    return (AUTH, Reason.setup) if status >= 300 else (UNKNOWN, Reason.other)
