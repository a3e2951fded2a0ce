"""Callbacks of websms: JSON without a signature, told from others by a secret in the address and by who calls."""

import hmac
import ipaddress
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import unquote, urlsplit

from sms.carriers.callback import clean, is_reference, party, reference
from sms.carriers.contract import CallReport, IncomingText, TextReport, WebhookError, WebhookRequest
from sms.carriers.websms_codes import ENDINGS, Ending

SECRET = "secret"  # noqa: S105 - the name of the query parameter, no secret
LARGEST = 200_000
"""Bytes of a callback; the longest text of 255 parts as JSON escapes has about 240,000, of ten parts 10,000."""
KEPT = ("messageType", "messageFlashSms", "userDataHeaderPresent", "recipientAddressType", "transferId")
"""What of an incoming text is worth keeping and tells nobody's number or words."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Guard:
    """Tells the carrier's callbacks from others: by a secret that only our addresses carry, and by who calls."""

    def __init__(self, secrets: Sequence[str], networks: Sequence[Network]) -> None:
        self.secrets = tuple(secret.encode() for secret in secrets)
        self.networks = tuple(networks)

    def verify(self, request: WebhookRequest) -> bool:
        """Return whether secret and caller are right; several secrets count while one replaces the other."""
        try:
            return self._knows_secret(request) and self._knows_caller(request)
        except ValueError:
            return False

    def _knows_secret(self, request: WebhookRequest) -> bool:
        """Look for it as one part of the path or as a parameter; every comparison takes the same time."""
        parts = [unquote(part) for part in urlsplit(request.url).path.split("/")]
        offered = [*parts, *(value for name, value in request.query if name == SECRET)]
        matches = [
            hmac.compare_digest(offer.encode("utf-8", "replace"), secret)
            for offer in offered
            for secret in self.secrets
        ]
        return any(matches)

    def _knows_caller(self, request: WebhookRequest) -> bool:
        if not self.networks:
            return True
        # Never a header: who is asked through a proxy is for the web server to find out, not for the caller to say.
        caller = ipaddress.ip_address(request.remote)
        plain = getattr(caller, "ipv4_mapped", None) or caller
        return any(plain in network for network in self.networks)


def read_text(request: WebhookRequest) -> IncomingText:
    """Read a text that arrived; the carrier has already joined its parts."""
    found = _body(request)
    if found.get("messageType") != "text":
        raise WebhookError("not a text")
    return IncomingText(
        reference=_reference(found, "notificationId"),
        sender=_party(found, "sender"),
        to=_party(found, "recipient"),
        text=clean(_word(found, "textMessageContent")),
        at=_moment(found.get("sentOn")),
        raw={name: clean(str(found[name]))[:100] for name in KEPT if found.get(name) is not None},
    )


def read_report(request: WebhookRequest) -> TextReport:
    """Read a delivery report of a text."""
    found = _body(request)
    word, ending = _ending(found)
    return TextReport(
        reference=_reference(found, "transferId"),
        key=_key(request, found),
        status=ending.text,
        code=word if ending.reason else None,
        reason=ending.reason,
    )


def read_call_report(request: WebhookRequest) -> CallReport:
    """Read a delivery report of a message that was read aloud."""
    found = _body(request)
    word, ending = _ending(found)
    return CallReport(
        reference=_reference(found, "transferId"),
        key=_key(request, found),
        status=ending.call,
        code=word if ending.reason else None,
        reason=ending.reason,
    )


def _body(request: WebhookRequest) -> dict[str, Any]:
    if len(request.body) > LARGEST:
        raise WebhookError("too large")
    try:
        found = json.loads(request.body)
    except (ValueError, RecursionError):
        raise WebhookError("no JSON") from None
    if not isinstance(found, dict):
        raise WebhookError("no JSON object")
    return found


def _ending(found: dict[str, Any]) -> tuple[str, Ending]:
    word = _word(found, "deliveryReportMessageStatus")
    if word not in ENDINGS:
        raise WebhookError("deliveryReportMessageStatus is missing or unknown")
    return word, ENDINGS[word]


def _key(request: WebhookRequest, found: dict[str, Any]) -> str | None:
    key = request.param("key") or _word(found, "clientMessageId")
    return key if is_reference(key) else None


def _reference(found: dict[str, Any], name: str) -> str:
    return reference(found.get(name), name)


def _party(found: dict[str, Any], who: str) -> str:
    international = found.get(f"{who}AddressType") in ("international", None)
    value = _word(found, f"{who}Address")
    return party(value, r"\+?[0-9]{6,15}") if international else clean(value).strip()[:64]


def _word(found: dict[str, Any], name: str) -> str:
    value = found.get(name)
    return value if isinstance(value, str) else ""


def _moment(value: object) -> datetime | None:
    """Read an ISO 8601 time; one that does not say its zone is no moment."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo else None
