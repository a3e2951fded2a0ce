"""One table for all carriers: whoever carries a text, the engine hears the same words for the same things."""

import json
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from sms.carriers import build, smpp_receipt
from sms.carriers.contract import Carrier, Feature, Outcome, OutcomeKind, Reason, WebhookRequest
from sms.carriers.smpp import number_of
from sms.carriers.smpp_text import decode
from sms.config import CarrierConfig
from tests.carriers.conftest import SID, TEXT, TOKEN
from tests.carriers.scripted import CUT, SILENCE, Answer, Scripted, http, twilio_error
from tests.carriers.scripted_smsc import SUBMIT, ScriptedSmsc, message
from tests.crowd import PATIENCE

ACCEPTED, REJECTED, AUTH = OutcomeKind.accepted, OutcomeKind.rejected, OutcomeKind.auth
REFERENCE = "SM" + "a" * 32
SECRET = "a-secret_of-32-letters-or-so"
ORIGIN = "https://sms.praxis.example/carriers/first"


class Counterpart(ABC):
    """The other side of one kind of carrier, which can be told what to do next, and the adapter that talks to it."""

    carrier: Carrier

    @abstractmethod
    def behave(self, how: str) -> None:
        """Answer the next text like this."""

    @abstractmethod
    def asked(self) -> int:
        """How often a text came over the wire."""

    @abstractmethod
    def report(self, how: str) -> tuple[str, str | None, Reason | None]:
        """What our side reads in the carrier's report: reference, status, reason."""

    @abstractmethod
    def incoming(self, sender: str, text: str) -> tuple[str, str, str]:
        """What our side reads of a text: sender, our number, words."""

    @abstractmethod
    def gone(self) -> None:
        """Nobody listens any more."""

    @abstractmethod
    def stop(self) -> None: ...


class OverHttp(Counterpart):
    """Carriers with a REST interface: a scripted server."""

    answers: dict[str, Answer]
    options: dict[str, object]
    kind: str

    def __init__(self) -> None:
        self.network = Scripted()
        own = {"base_url": self.network.url, "connect_timeout": 2.0, "read_timeout": 0.4, **self.options}
        self.carrier = build(CarrierConfig("first", self.kind, options=own))

    def behave(self, how: str) -> None:
        self.network.answer = {"timeout": SILENCE, "cut": CUT, **self.answers}[how]

    def asked(self) -> int:
        return len(self.network.seen)

    def gone(self) -> None:
        self.network.stop()

    def stop(self) -> None:
        self.carrier.close()
        self.network.stop()


class Twilio(OverHttp):
    kind = "twilio"
    options = {"account_sid": SID, "auth_token": TOKEN}
    answers = {
        "accepted": http(201, {"sid": REFERENCE, "status": "queued"}),
        "bad number": twilio_error(400, 21211),
        "opted out": twilio_error(400, 21610),
        "bad sender": twilio_error(400, 21606),
        "too fast": twilio_error(429, 20429),
        "auth": twilio_error(401, 20003),
        "nonsense": http(201, "<html>"),
    }

    def report(self, how: str) -> tuple[str, str | None, Reason | None]:
        word, code = {
            "delivered": ("delivered", ""),
            "on its way": ("sent", ""),
            "unreachable": ("undelivered", "30003"),
            "refused": ("failed", "30007"),
        }[how]
        found = self.carrier.parse_report(
            _posted({"MessageSid": REFERENCE, "MessageStatus": word, "ErrorCode": code})
        )
        return found.reference, found.status, found.reason

    def incoming(self, sender: str, text: str) -> tuple[str, str, str]:
        body = {"MessageSid": REFERENCE, "From": sender, "To": TEXT.sender, "Body": text}
        found = self.carrier.parse_text(_posted(body))
        return found.sender, found.to, found.text


class Websms(OverHttp):
    kind = "websms"
    options = {"access_token": "t0ken", "callback_secret": SECRET}
    answers = {
        "accepted": http(200, {"statusCode": 2000, "transferId": REFERENCE}),
        "bad number": http(200, {"statusCode": 4002}),
        "opted out": http(200, {"statusCode": 4031}),
        "bad sender": http(200, {"statusCode": 4003}),
        "too fast": http(429, {"statusCode": 4023}),
        "in trouble": http(503, {"statusCode": 5003}),
        "auth": http(401, {"statusCode": 4001}),
        "nonsense": http(200, "<html>"),
    }

    def report(self, how: str) -> tuple[str, str | None, Reason | None]:
        word = {
            "delivered": "delivered",
            "on its way": "accepted",
            "unreachable": "undelivered",
            "refused": "rejected",
        }[how]
        body = {"transferId": REFERENCE, "deliveryReportMessageStatus": word}
        found = self.carrier.parse_report(_json(body))
        return found.reference, found.status, found.reason

    def incoming(self, sender: str, text: str) -> tuple[str, str, str]:
        body = {
            "messageType": "text",
            "notificationId": REFERENCE,
            "senderAddress": sender[1:],
            "senderAddressType": "international",
            "recipientAddress": TEXT.sender[1:],
            "recipientAddressType": "international",
            "textMessageContent": text,
        }
        found = self.carrier.parse_text(_json(body))
        return found.sender, found.to, found.text


class Smpp(Counterpart):
    """A scripted message centre and an open session."""

    def __init__(self) -> None:
        self.centre = ScriptedSmsc()
        self.came: list[object] = []
        options = {"host": "127.0.0.1", "port": self.centre.port, "system_id": "sms", "password": "secret"}
        self.carrier = build(CarrierConfig("first", "smpp", options={**options, "response_seconds": 0.4}))
        self._open()

    def _open(self, bound: bool = True) -> None:
        session = self.carrier.open(1000, lambda batch, link: self.came.extend(batch) or [0] * len(batch))
        assert not bound or session.bound.wait(5)

    def behave(self, how: str) -> None:
        if how == "auth":
            self.carrier.close()
            self.centre.bind = 0x0E
            self._open(bound=False)
            self._until(lambda: self.carrier.session.refused)
            return
        self.centre.answer = {
            "accepted": REFERENCE,
            "bad number": 0x0B,
            "bad sender": 0x0A,
            "too fast": 0x58,
            "in trouble": 0x08,
            "nonsense": b"HTTP/1.1 200 OK\r\n\r\n",
            "timeout": None,
            "cut": b"",
        }[how]

    def asked(self) -> int:
        return len(self.centre.of(SUBMIT))

    def gone(self) -> None:
        self.centre.stop()
        self._until(lambda: not self.carrier.session.bound.is_set())

    def report(self, how: str) -> tuple[str, str | None, Reason | None]:
        word = {
            "delivered": "DELIVRD",
            "on its way": "UNKNOWN",
            "unreachable": "UNDELIV",
            "refused": "REJECTD",
        }[how]
        assert self.centre.deliver(message(f"id:{REFERENCE} stat:{word}".encode(), esm_class=4)) == 0
        found = smpp_receipt.read(self.came[-1])
        return found.reference, found.state.status, found.state.reason

    def incoming(self, sender: str, text: str) -> tuple[str, str, str]:
        body = message(text.encode("utf-16-be"), source=(1, 1, sender[1:].encode()), coding=8)
        assert self.centre.deliver(body) == 0
        found = self.came[-1]
        return (
            number_of(found.source),
            number_of(found.destination),
            decode(found.content, found.coding, "gsm"),
        )

    def stop(self) -> None:
        self.carrier.close()
        self.centre.stop()

    @staticmethod
    def _until(true) -> None:
        end = time.monotonic() + PATIENCE
        while not true():
            assert time.monotonic() < end
            time.sleep(0.01)


KINDS: dict[str, type[Counterpart]] = {"twilio": Twilio, "websms": Websms, "smpp": Smpp}


@pytest.fixture(params=KINDS)
def other(request: pytest.FixtureRequest) -> Iterator[Counterpart]:
    made = KINDS[request.param]()
    yield made
    made.stop()


def _posted(form: dict[str, str]) -> WebhookRequest:
    body = urlencode(form).encode()
    return WebhookRequest(
        "POST", f"{ORIGIN}/status?key=k3y", form=tuple(form.items()), query=(("key", "k3y"),), body=body
    )


def _json(body: dict[str, object]) -> WebhookRequest:
    return WebhookRequest(
        "POST", f"{ORIGIN}/status?key=k3y", query=(("key", "k3y"),), body=json.dumps(body).encode()
    )


OUTCOMES = [
    # what the other side does -> kind, reason, how often it was asked
    ("accepted", ACCEPTED, None, 1),
    ("bad number", REJECTED, Reason.bad_number, 1),
    ("bad sender", AUTH, Reason.bad_sender, 1),
    ("opted out", OutcomeKind.blocked, Reason.opted_out, 1),
    ("too fast", OutcomeKind.throttled, Reason.network, 1),
    ("in trouble", OutcomeKind.temporary, Reason.network, 1),
    ("auth", AUTH, Reason.setup, None),
    ("timeout", OutcomeKind.unknown, Reason.network, 1),
    ("cut", OutcomeKind.unknown, Reason.network, 1),
    ("nonsense", OutcomeKind.unknown, None, 1),
]
CANNOT = {("twilio", "in trouble"), ("smpp", "opted out")}
"""Twilio has no word for "not taken, try later" but 429, and SMPP none for somebody who has opted out."""

CASES = [(kind, *row) for kind in KINDS for row in OUTCOMES if (kind, row[0]) not in CANNOT]


@pytest.mark.parametrize(
    ("other", "how", "kind", "reason", "asked"),
    CASES,
    ids=[f"{row[0]}: {row[1]}" for row in CASES],
    indirect=["other"],
)
def test_the_same_trouble_has_the_same_outcome(
    other: Counterpart, how: str, kind: OutcomeKind, reason: Reason | None, asked: int | None
) -> None:
    other.behave(how)
    outcome = other.carrier.send_text(TEXT)
    assert outcome.kind is kind
    assert reason is None or outcome.reason is reason
    assert asked is None or other.asked() == asked, "sent once, whatever happens"
    assert (outcome.reference == REFERENCE) is (kind is ACCEPTED)


def test_nobody_listening_means_that_nothing_was_taken(other: Counterpart) -> None:
    other.gone()
    outcome = other.carrier.send_text(TEXT)
    assert (outcome.kind, outcome.reason) == (OutcomeKind.temporary, Reason.network)


def test_after_trouble_the_next_text_goes_out(other: Counterpart) -> None:
    other.behave("bad number")
    assert other.carrier.send_text(TEXT).kind is REJECTED
    other.behave("accepted")
    assert other.carrier.send_text(TEXT) == Outcome(ACCEPTED, REFERENCE)


@pytest.mark.parametrize(
    ("how", "status", "reasons"),
    [
        ("delivered", "delivered", {None}),
        ("on its way", None, {None}),
        ("unreachable", "undelivered", {Reason.unreachable}),
        ("refused", "failed", {Reason.filtered}),
    ],
)
def test_a_report_says_the_same_everywhere(
    how: str, status: str | None, reasons: set[Reason | None], other: Counterpart
) -> None:
    reference, found, reason = other.report(how)
    assert reference == REFERENCE
    assert found == status or (how == "on its way" and found == "sent")
    assert reason in reasons


@pytest.mark.parametrize("text", ["Ja, gern", "Grüße 😀 €", "STOP", " \n "])
def test_a_text_comes_in_as_it_was_written(text: str, other: Counterpart) -> None:
    assert other.incoming("+4917139200540", text) == ("+4917139200540", TEXT.sender, text)


def test_every_carrier_takes_texts_and_gives_reports_and_answers(other: Counterpart) -> None:
    assert {Feature.sms, Feature.reports, Feature.incoming, Feature.alpha_sender} <= other.carrier.features


def test_no_outcome_tells_number_or_words(other: Counterpart) -> None:
    for how in ("bad number", "too fast", "nonsense"):
        other.behave(how)
        told = repr(other.carrier.send_text(TEXT))
        assert TEXT.text not in told
        assert "39200540" not in told


def test_a_stranger_is_never_believed(other: Counterpart) -> None:
    stranger = WebhookRequest("POST", f"{ORIGIN}/inbound", form=(("Body", "x"),), body=b"Body=x")
    assert other.carrier.verify(stranger) is False
