"""websms (LINK Mobility): texts, and texts that the carrier itself reads aloud over the telephone.

What its codes and words mean is in websms_codes.py, its callbacks are read in websms_callbacks.py. A request is
sent once, whatever the wire does; the answer's body is read before its status, as errors come with 200 too.
"""

import ipaddress
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import quote

from sms.carriers import websms_callbacks as callbacks
from sms.carriers import wire
from sms.carriers.contract import (
    CallReport,
    CarrierConfigError,
    Feature,
    IncomingText,
    Outcome,
    OutcomeKind,
    OutgoingCall,
    OutgoingText,
    Reason,
    Setting,
    TextReport,
    WebhookAnswer,
    WebhookRequest,
)
from sms.carriers.plain import PlainCarrier
from sms.carriers.websms_codes import CODES, verdict
from sms.carriers.wire import Answer, Unsendable, basic, failure, masked, retry_after

HOME = "https://api.websms.com"
PATH = "/rest/smsmessaging/text"
JSON = {"Content-Type": "application/json", "Accept": "application/json"}

SETTINGS = (
    Setting("access_token", "an API access token", secret=True, pattern=r"[\x21-\x7e]+"),
    Setting("user", "the user name, where there is no access token", pattern=r"[^:\x00-\x1f]+"),
    Setting("password", "the user's password", secret=True, pattern=r"[^\x00-\x1f]+"),
    Setting(
        "callback_secret",
        "16 or more letters, digits, - and _ that our callback addresses carry; during a change new and old",
        secret=True,
        required=True,
        many=True,
        pattern=r"[A-Za-z0-9_-]{16,100}",
    ),
    Setting(
        "callback_addresses",
        "networks like 192.0.2.0/24 that callbacks come from; without it the secret alone decides",
        many=True,
        pattern=r"[0-9a-fA-F.:]+(/[0-9]{1,3})?",
    ),
    *wire.settings(HOME),
)


def build(name: str, numbers: Sequence[Any], options: Mapping[str, Any]) -> "Websms":
    """Make the adapter from options that `sms.carriers.read_options` has checked."""
    where = f"carrier {name}"
    if bool(options["user"]) != bool(options["password"]):
        raise CarrierConfigError(f"{where}: user and password belong together")
    if bool(options["access_token"]) == bool(options["user"]):
        raise CarrierConfigError(f"{where}: either access_token or user and password, one of them")
    return Websms(name, options, _networks(where, options["callback_addresses"]), _asked_about(numbers))


class Websms(PlainCarrier):
    """The adapter; one for each configured account, shared by all threads of a process."""

    features: ClassVar[frozenset[Feature]] = frozenset(
        {
            Feature.sms,
            Feature.voice,
            Feature.speaks,
            Feature.alpha_sender,
            Feature.reports,
            Feature.incoming,
        }
    )
    settings: ClassVar[tuple[Setting, ...]] = SETTINGS
    max_window: ClassVar[int] = 20

    def __init__(
        self, name: str, options: Mapping[str, Any], networks: Sequence[callbacks.Network], asked_about: str
    ) -> None:
        """`asked_about` is the number, E.164, that `probe` pretends to write to."""
        self.name = name
        self.asked_about = asked_about
        token: str | None = options["access_token"]
        self.lines = {
            **JSON,
            "Authorization": f"Bearer {token}" if token else basic(options["user"], options["password"]),
        }
        self.secret: str = options["callback_secret"][0]
        self.guard = callbacks.Guard(options["callback_secret"], networks)
        self.wire = wire.connect(options, self.max_window)

    # Going out

    def send_text(self, text: OutgoingText) -> Outcome:
        return self._post(
            {**self._message(text.to, text.text, text.key, text.status_url), **_from(text.sender)}
        )

    def place_call(self, call: OutgoingCall) -> Outcome:
        if not call.words:
            return Outcome(
                OutcomeKind.rejected, reason=Reason.setup, detail="no words for the carrier to speak"
            )
        message = self._message(call.to, call.words, call.key, call.status_url)
        return self._post({**message, **_from(call.caller_id), "messageType": "voice"})

    def probe(self) -> Outcome:
        # With `test` a message is checked and answered like any other, and not sent.
        return self._post({**self._message(self.asked_about, "OK", "", ""), "test": True}, _checked)

    def close(self) -> None:
        self.wire.close()

    # Coming in

    def verify(self, request: WebhookRequest) -> bool:
        return self.guard.verify(request)

    def parse_text(self, request: WebhookRequest) -> IncomingText:
        return callbacks.read_text(request)

    def parse_report(self, request: WebhookRequest) -> TextReport:
        return callbacks.read_report(request)

    def parse_call_report(self, request: WebhookRequest) -> CallReport:
        return callbacks.read_call_report(request)

    def acknowledge(self) -> WebhookAnswer:
        body = json.dumps({"statusCode": 2000, "statusMessage": "OK"}).encode()
        return WebhookAnswer(200, "application/json", body)

    # Within

    def _message(self, to: str, text: str, key: str, status_url: str) -> dict[str, Any]:
        message: dict[str, Any] = {"recipientAddressList": [to.removeprefix("+")], "messageContent": text}
        if key:
            message["clientMessageId"] = key
        if status_url:
            message["notificationCallbackUrl"] = self._with_secret(status_url)
        return message

    def _with_secret(self, url: str) -> str:
        return f"{url}{'&' if '?' in url else '?'}{callbacks.SECRET}={quote(self.secret)}"

    def _post(
        self, message: dict[str, Any], taken: Callable[[dict[str, Any]], Outcome] | None = None
    ) -> Outcome:
        """Send once; whatever happens is an outcome, and `taken` reads the answer that says yes."""
        try:
            body = _written(message)
            answer = self.wire.fetch("POST", HOME + PATH, data=body, headers=self.lines)
            return _outcome(answer, (message["messageContent"], self.secret), taken or _taken)
        except Exception as error:
            return failure(error)


def _written(message: dict[str, Any]) -> bytes:
    try:
        return json.dumps(message, ensure_ascii=False).encode()
    except ValueError as error:
        raise Unsendable(type(error).__name__) from None


def _outcome(answer: Answer, private: tuple[str, str], taken: Callable[[dict[str, Any]], Outcome]) -> Outcome:
    found = _object(answer.body)
    code = _whole(found.get("statusCode"))
    kind, reason = verdict(answer.status, code)
    if kind is OutcomeKind.accepted:
        return taken(found)
    meaning = CODES.get(code or 0)
    text, secret = private
    said = masked(str(found.get("statusMessage") or "").replace(secret, "..."), text)
    return Outcome(
        kind,
        code=str(code or answer.status),
        reason=reason,
        detail=meaning.text if meaning else said or f"HTTP {answer.status}",
        retry_after=retry_after(answer.headers.get("Retry-After")),
    )


def _taken(found: dict[str, Any]) -> Outcome:
    reference = found.get("transferId")
    if isinstance(reference, str) and re.fullmatch(r"[\x21-\x7e]{1,64}", reference):
        return Outcome(OutcomeKind.accepted, reference)
    return Outcome(OutcomeKind.unknown, reason=Reason.other, detail="an answer without a transferId")


def _checked(found: dict[str, Any]) -> Outcome:
    """Read the answer to a message that was only to be checked: it went nowhere, so it needs no reference."""
    return Outcome(OutcomeKind.accepted)


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _whole(value: object) -> int | None:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{4}", value):
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _from(sender: str) -> dict[str, str]:
    """Return the sender as the carrier wants it; nothing where the account's own is to be used."""
    if not sender:
        return {}
    digits = sender.removeprefix("+")
    if not re.fullmatch(r"[0-9]+", digits):
        return {"senderAddress": sender, "senderAddressType": "alphanumeric"}
    kind = "international" if sender.startswith("+") else "shortcode"
    return {"senderAddress": digits, "senderAddressType": kind}


def _networks(where: str, texts: Sequence[str]) -> tuple[callbacks.Network, ...]:
    try:
        return tuple(ipaddress.ip_network(text, strict=False) for text in texts)
    except ValueError as error:
        raise CarrierConfigError(f"{where}: callback_addresses is not right: {error}") from None


def _asked_about(numbers: Sequence[Any]) -> str:
    """Return a number of ours, else one that the Bundesnetzagentur keeps for fiction."""
    return str(numbers[0].number) if numbers else "+4917139200000"
