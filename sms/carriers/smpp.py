"""SMPP 3.4: texts over a link that one process of its own keeps bound (`flask --app app smpp NAME`).

In that process `open` makes the session and `send_text` goes over it; in every other process the adapter has
none and takes nothing. What the numbers mean is in smpp_codes.py, texts become octets in smpp_text.py.
"""

import asyncio
import re
import socket
import ssl
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import CancelledError
from hashlib import sha256
from itertools import count
from random import randrange
from typing import Any, ClassVar

from sms.carriers import smpp_pdu, smpp_text
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
    WebhookError,
    WebhookRequest,
)
from sms.carriers.plain import PlainCarrier
from sms.carriers.smpp_codes import OK, status
from sms.carriers.smpp_pdu import Address
from sms.carriers.smpp_session import Endpoint, LinkLost, Reply, Session, Store
from sms.carriers.smpp_text import Part

SETTINGS = (
    Setting("host", "the name or address of the message centre", required=True, pattern=r"[A-Za-z0-9.:_-]+"),
    Setting("port", "its port", default=2775.0, number=True, maximum=65535),
    Setting("tls", "on or off", default="off", pattern=r"on|off"),
    Setting("tls_ca_file", "a file with the certificates to trust, where the system's do not do"),
    # SMPP 3.4 allows 15 and 8 characters.
    Setting("system_id", "the name to bind as", required=True, pattern=r"[\x21-\x7e]{1,15}"),
    Setting("password", "its password", secret=True, pattern=r"[\x21-\x7e]{1,8}"),
    Setting("system_type", "what some centres want to hear", default="", pattern=r"[\x21-\x7e]{0,12}"),
    Setting("window", "unanswered submits at once", default=10.0, number=True, maximum=25),
    # The engine takes a claim for dead after 60 s: waiting for a turn and for the answer must end before.
    Setting("response_seconds", "seconds to wait for an answer", default=15.0, number=True, maximum=20.0),
    Setting("enquire_seconds", "seconds between signs of life", default=30.0, number=True, maximum=240.0),
    Setting("reconnect_seconds", "seconds, at least, before binding again", default=1.0, number=True),
    Setting("alphabet", "what data_coding 0 is: gsm or latin1", default="gsm", pattern=r"gsm|latin1"),
    Setting(
        "long_messages",
        "how parts are tied together: udh, sar or payload",
        default="udh",
        pattern=r"udh|sar|payload",
    ),
)

SEND_SECONDS = 30.0
"""For all parts of a text to leave; with the last answer it stays below the engine's lease of 60 s."""
RECEIPT, RECEIPT_OF_FAILURE = 1, 2


def build(name: str, numbers: Sequence[Any], options: Mapping[str, Any]) -> "Smpp":
    """Make the adapter from options that `sms.carriers.read_options` has checked."""
    for whole in ("port", "window"):
        if not float(options[whole]).is_integer():
            raise CarrierConfigError(f"carrier {name}: {whole} is a whole number")
    carrier = Smpp(name, options)
    try:
        carrier.tls_context()
    except OSError as error:
        raise CarrierConfigError(
            f"carrier {name}: tls_ca_file is not right: {error.strerror or 'no certificate in it'}"
        ) from None
    return carrier


def user_reference(key: str) -> int:
    """Return the 16 bits of our own that go with a submit and come back in its receipts."""
    return int.from_bytes(sha256(key.encode()).digest()[:2], "big")


def number_of(address: Address) -> str:
    """Return a number as E.164 where its type or its form says so, else as it came."""
    value = address.value.strip()
    if address.ton == 5 or not re.fullmatch(r"\+?[0-9]+", value):
        return value[:64]
    digits = value.removeprefix("+")
    if digits.startswith("00"):
        return "+" + digits[2:]
    international = address.ton == 1 or value.startswith("+")
    # Without a type, what has no trunk 0 and is too long for a short code is meant internationally.
    guessed = address.ton == 0 and not digits.startswith("0") and len(digits) >= 10
    return f"+{digits}" if international or guessed else digits


class Smpp(PlainCarrier):
    """The adapter; one for each bind."""

    features: ClassVar[frozenset[Feature]] = frozenset(
        {Feature.sms, Feature.alpha_sender, Feature.reports, Feature.incoming}
    )
    settings: ClassVar[tuple[Setting, ...]] = SETTINGS
    max_window: ClassVar[int] = 37
    """A window of 25 and what waits for it: a thread for each."""
    own_process: ClassVar[bool] = True
    """Its texts are claimed by the process that keeps the link, and by no worker."""

    def __init__(self, name: str, options: Mapping[str, Any]) -> None:
        self.name = name
        self.options = options
        self.alphabet = options["alphabet"]
        self.unanswered = int(options["window"])
        self.window = self.unanswered + max(1, self.unanswered // 2)
        """Texts at hand: some wait already when an answer makes room, so that the window is full all the time."""
        self.session: Session | None = None
        self._references = count(randrange(256))  # noqa: S311 - only to differ from the last start's

    def open(self, rate: float, store: Store) -> Session:
        """Bind and stay bound until `close`; `rate` submits a second, `store` takes what comes in."""
        self.session = Session(self._endpoint(rate), store).start()
        return self.session

    def close(self) -> None:
        if self.session is not None:
            self.session.stop()
            self.session = None

    # Going out

    def send_text(self, text: OutgoingText) -> Outcome:
        if self.session is None:
            detail = "another process keeps the link"
            return Outcome(OutcomeKind.throttled, reason=Reason.network, detail=detail, retry_after=5.0)
        try:
            writers = self._writers(text)
        except ValueError as error:
            return Outcome(OutcomeKind.rejected, reason=Reason.bad_text, detail=type(error).__name__)
        if self.session.refused is not None:
            return _refusal(self.session.refused)
        try:
            return self.session.run(_send(self.session, writers))
        except LinkLost as lost:
            return Outcome(OutcomeKind.temporary, reason=Reason.network, detail=str(lost))
        except (CancelledError, TimeoutError):
            return Outcome(OutcomeKind.unknown, reason=Reason.network, detail="the session ended")

    def place_call(self, call: OutgoingCall) -> Outcome:
        return Outcome(OutcomeKind.rejected, reason=Reason.setup, detail="SMPP carries texts only")

    def probe(self) -> Outcome:
        """Tell how the link is; where another process keeps it, only whether the centre can be reached."""
        if self.session is None:
            return self._reach()
        if self.session.bound.is_set():
            return Outcome(OutcomeKind.accepted)
        if self.session.refused is not None:
            return _refusal(self.session.refused)
        detail = type(self.session.trouble).__name__ if self.session.trouble else "not bound yet"
        return Outcome(OutcomeKind.temporary, reason=Reason.network, detail=detail)

    # Coming in: over the link, never by HTTP

    def verify(self, request: WebhookRequest) -> bool:
        return False

    def parse_text(self, request: WebhookRequest) -> IncomingText:
        raise WebhookError("SMPP has no webhooks")

    def parse_report(self, request: WebhookRequest) -> TextReport:
        raise WebhookError("SMPP has no webhooks")

    def parse_call_report(self, request: WebhookRequest) -> CallReport:
        raise WebhookError("SMPP has no webhooks")

    def acknowledge(self) -> WebhookAnswer:
        return WebhookAnswer(204, "text/plain", b"")

    # Within

    def _endpoint(self, rate: float) -> Endpoint:
        options = self.options
        return Endpoint(
            host=options["host"],
            port=int(options["port"]),
            system_id=options["system_id"],
            password=options["password"] or "",
            system_type=options["system_type"],
            tls=self.tls_context(),
            window=self.unanswered,
            rate=rate,
            response_seconds=options["response_seconds"],
            enquire_seconds=options["enquire_seconds"],
            reconnect_seconds=options["reconnect_seconds"],
        )

    def tls_context(self) -> ssl.SSLContext | None:
        """Return what checks the centre's certificate, None for a plain link; raises OSError for a bad file."""
        if self.options["tls"] != "on":
            return None
        return ssl.create_default_context(cafile=self.options["tls_ca_file"])

    def _reach(self) -> Outcome:
        try:
            socket.create_connection((self.options["host"], int(self.options["port"])), timeout=5.0).close()
        except OSError as error:
            return Outcome(OutcomeKind.temporary, reason=Reason.network, detail=type(error).__name__)
        return Outcome(OutcomeKind.accepted, detail="can be reached")

    def _writers(self, text: OutgoingText) -> list[Callable[[int], bytes]]:
        """Return what writes each submit of a text. A receipt is asked for the last part, of others only a failure."""
        parts = smpp_text.parts(
            text.text, next(self._references) % 256, self.alphabet, self.options["long_messages"]
        )
        if not parts:
            raise ValueError("an empty text")
        return [
            _writer(part, text, RECEIPT if number == len(parts) else RECEIPT_OF_FAILURE)
            for number, part in enumerate(parts, 1)
        ]


def _writer(part: Part, text: OutgoingText, report: int) -> Callable[[int], bytes]:
    def write(sequence: int) -> bytes:
        return smpp_pdu.submit(
            sequence,
            part,
            _source(text.sender),
            Address(1, 1, text.to.removeprefix("+")),
            user_reference=user_reference(text.key),
            report=report,
        )

    return write


def _source(sender: str) -> Address:
    if re.fullmatch(r"\+[0-9]+", sender):
        return Address(1, 1, sender[1:])
    if re.fullmatch(r"[0-9]+", sender):
        return Address(3, 0, sender)
    return Address(5, 0, sender)


async def _send(session: Session, writers: list[Callable[[int], bytes]]) -> Outcome:
    """Submit all parts. As long as the first is refused nothing was taken; after it there is no way back."""
    until = asyncio.get_running_loop().time() + SEND_SECONDS
    first, *rest = writers
    reply = await session.submit(first, until)
    if reply.status != OK or not rest:
        return _outcome(reply)
    replies = await asyncio.gather(*(_persist(session, write, until) for write in rest))
    missing = [reply for reply in replies if reply.status != OK]
    if not missing:
        return _outcome(replies[-1])
    worst = _outcome(missing[0])
    taken = len(writers) - len(missing)
    detail = f"{taken} of {len(writers)} parts were taken: {worst.code or worst.detail}"
    return Outcome(OutcomeKind.unknown, reason=worst.reason, code=worst.code, detail=detail)


async def _persist(session: Session, write: Callable[[int], bytes], until: float) -> Reply:
    """Submit a later part, and again while it is provably not taken: without it the phone shows nothing."""
    loop = asyncio.get_running_loop()
    while True:
        reply = await session.submit(write, until)
        kind = _outcome(reply).kind
        if kind not in (OutcomeKind.throttled, OutcomeKind.temporary) or loop.time() + 1 > until:
            return reply
        await asyncio.sleep(1.0)


def _outcome(reply: Reply) -> Outcome:
    if reply.status == OK:
        return Outcome(OutcomeKind.accepted, reply.reference or None)
    if reply.status is not None:
        return _refusal(reply.status)
    if reply.left:
        return Outcome(OutcomeKind.unknown, reason=Reason.network, detail=reply.detail)
    kind = OutcomeKind.temporary if reply.detail == "no link" else OutcomeKind.throttled
    return Outcome(kind, reason=Reason.network, detail=reply.detail)


def _refusal(code: int) -> Outcome:
    meaning = status(code)
    retry = 2.0 if meaning.kind is OutcomeKind.throttled else None
    return Outcome(
        meaning.kind, code=meaning.name, reason=meaning.reason, detail=meaning.name, retry_after=retry
    )
