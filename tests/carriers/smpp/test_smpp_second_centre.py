"""The link against a second centre, written by others in Rust: what two strangers understand is probably right."""

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from typing import Any

import pytest
import smpp34

from sms.carriers import build, smpp_receipt
from sms.carriers.contract import Outcome, OutcomeKind
from sms.carriers.smpp import Smpp, number_of, user_reference
from sms.carriers.smpp_pdu import Delivered
from sms.carriers.smpp_text import Fragment, decode, join, unwrap
from sms.config import CarrierConfig
from tests.carriers.conftest import TEXT
from tests.crowd import PATIENCE, crowd
from tests.ports import free_port


class SecondCentre:
    """smpp34's server, driven from the test's own thread."""

    def __init__(self) -> None:
        self.submits: list[Any] = []
        self.binds: list[Any] = []
        self.accept: Callable[[Any], None] = lambda submit: submit.accept(
            message_id=f"id-{len(self.submits)}"
        )
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()
        self.port = self._start()
        self._serving = asyncio.run_coroutine_threadsafe(self._serve(), self.loop)

    def _start(self) -> int:
        port = free_port()
        self.run(self._open(port))
        return port

    async def _open(self, port: int) -> None:
        self.server = smpp34.Server(host="127.0.0.1", port=port, system_id="second")
        await self.server.start()

    async def _serve(self) -> None:
        while True:
            event = await self.server.next()
            if isinstance(event, smpp34.Esme):
                self.binds.append(event)
            elif isinstance(event, smpp34.SubmitSmEvent):
                self.submits.append(event)
                self.accept(event)

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(PATIENCE)

    def deliver(self, text: bytes, **fields: Any) -> int:
        """Send a deliver_sm over the newest bind and return the status it is answered with."""
        own = {"source_addr": "4917139200540", "destination_addr": "4917139200100", "source_addr_ton": 1}
        return int(self.run(self._deliver({**own, "short_message": text, **fields})).command_status)

    async def _deliver(self, fields: dict[str, Any]) -> Any:
        # The other side may know that it is bound before this one has been told.
        while not self.binds:
            await asyncio.sleep(0.01)
        return await self.binds[-1].deliver_sm(**fields)

    def stop(self) -> None:
        self._serving.cancel()
        self.run(self._close())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(5)

    async def _close(self) -> None:
        await self.server.stop()


@pytest.fixture
def centre() -> Iterator[SecondCentre]:
    made = SecondCentre()
    yield made
    made.stop()


@pytest.fixture
def came() -> list[Delivered]:
    return []


@pytest.fixture
def carrier(centre: SecondCentre, came: list[Delivered]) -> Iterator[Smpp]:
    options = {"host": "127.0.0.1", "port": centre.port, "system_id": "sms", "password": "secret"}
    made = build(CarrierConfig("second", "smpp", options=options))
    assert isinstance(made, Smpp)
    session = made.open(1000, lambda batch, link: came.extend(batch) or [0] * len(batch))  # type: ignore[func-returns-value]
    assert session.bound.wait(5)
    yield made
    made.close()


def phone(submits: list[Any]) -> str:
    """What a phone shows of these submits."""
    found = [unwrap(submit.short_message, submit.esm_class, None) for submit in submits]
    if isinstance(found[0], bytes):
        return decode(found[0], submits[0].data_coding, "gsm")
    return join([one for one in found if isinstance(one, Fragment)], submits[0].data_coding, "gsm")


TEXTS = ["Grüße € {x} @£", "a" * 160, "ä€" * 200, "😀" * 100, "Привет", "Zeile\nund noch eine"]


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
@pytest.mark.parametrize("sender", ["+4917139200100", "MUELLER"])
def test_a_text_arrives_as_it_was_written(
    text: str, sender: str, carrier: Smpp, centre: SecondCentre
) -> None:
    outcome = carrier.send_text(replace(TEXT, text=text, sender=sender))
    (reported,) = [n for n, submit in enumerate(centre.submits, 1) if submit.registered_delivery == 1]
    assert outcome == Outcome(OutcomeKind.accepted, f"id-{reported}")
    assert phone(centre.submits) == text
    for submit in centre.submits:
        assert (submit.destination_addr, submit.dest_addr_ton) == ("4917139200540", 1)
        assert (submit.source_addr, submit.source_addr_ton) == (
            (sender, 5) if sender == "MUELLER" else (sender[1:], 1)
        )
        (own,) = [
            parameter for parameter in submit.tlvs if parameter.tag == smpp34.TLV_USER_MESSAGE_REFERENCE
        ]
        assert own.as_int() == user_reference(TEXT.key)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("ESME_RTHROTTLED", OutcomeKind.throttled),
        ("ESME_RMSGQFUL", OutcomeKind.throttled),
        ("ESME_RSYSERR", OutcomeKind.temporary),
        ("ESME_RINVDSTADR", OutcomeKind.rejected),
        ("ESME_RINVSRCADR", OutcomeKind.auth),
        ("ESME_RINVMSGLEN", OutcomeKind.rejected),
    ],
)
def test_a_refusal_is_understood(status: str, kind: OutcomeKind, carrier: Smpp, centre: SecondCentre) -> None:
    centre.accept = lambda submit: submit.reject(getattr(smpp34, status))
    outcome = carrier.send_text(TEXT)
    assert (outcome.kind, outcome.code) == (kind, status)


def test_texts_and_receipts_come_in(carrier: Smpp, centre: SecondCentre, came: list[Delivered]) -> None:
    assert centre.deliver("Ja, gern 😀".encode("utf-16-be"), data_coding=8) == 0
    tlvs = [
        smpp34.Tlv(smpp34.TLV_RECEIPTED_MESSAGE_ID, b"id-1\0"),
        smpp34.Tlv(smpp34.TLV_MESSAGE_STATE, b"\x02"),
        smpp34.Tlv(0x1401, b"the carrier's own"),
    ]
    assert centre.deliver(b"", esm_class=4, tlvs=tlvs) == 0
    text, report = came
    assert number_of(text.source) == "+4917139200540"
    assert decode(text.content, text.coding, "gsm") == "Ja, gern 😀"
    receipt = smpp_receipt.read(report)
    assert smpp_receipt.is_receipt(report)
    assert (receipt.reference, receipt.state and receipt.state.status) == ("id-1", "delivered")


def test_leaving_is_noticed(carrier: Smpp, centre: SecondCentre) -> None:
    began = time.monotonic()
    carrier.close()
    assert time.monotonic() - began < 3 * crowd(), "the unbind was answered"
