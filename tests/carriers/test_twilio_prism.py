"""Twilio's own OpenAPI document judges what the adapter sends: what Prism refuses, Twilio would refuse."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from sms.carriers import build
from sms.carriers.contract import Carrier, NotThere, OutcomeKind
from sms.config import CarrierConfig
from tests.carriers.conftest import CALL, SID, SINCE, TEXT, TOKEN
from tests.peers.prism import missing, prism


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if reason := missing():
        pytest.skip(reason)
    with prism(tmp_path_factory.mktemp("prism") / "log") as url:
        yield url


@pytest.fixture(scope="module")
def twilio(origin: str) -> Iterator[Carrier]:
    options = {"account_sid": SID, "auth_token": TOKEN, "base_url": origin}
    carrier = build(CarrierConfig("twilio", "twilio", options=options))
    yield carrier
    carrier.close()


@pytest.mark.parametrize("sender", [TEXT.sender, "MUELLER"])
@pytest.mark.parametrize("text", [TEXT.text, "ü" * 1500, "😀\n€[]", " "])
def test_twilio_takes_our_texts(sender: str, text: str, twilio: Carrier) -> None:
    outcome = twilio.send_text(replace(TEXT, sender=sender, text=text))
    assert outcome.kind is OutcomeKind.accepted
    assert (outcome.reference or "").startswith(("SM", "MM"))


@pytest.mark.parametrize("detect_machine", [True, False])
def test_twilio_takes_our_calls(detect_machine: bool, twilio: Carrier) -> None:
    outcome = twilio.place_call(replace(CALL, detect_machine=detect_machine))
    assert outcome.kind is OutcomeKind.accepted
    assert (outcome.reference or "").startswith("CA")


def test_twilio_takes_our_questions(twilio: Carrier) -> None:
    assert twilio.probe().kind is OutcomeKind.accepted
    # The document's examples are years old: a complete answer, and nothing of ours in it.
    assert twilio.find_sent(TEXT, SINCE) == NotThere()
    assert twilio.find_call(CALL, SINCE) == NotThere()


def test_prism_would_refuse_what_twilio_refuses(twilio: Carrier) -> None:
    wrong = twilio.send_text(replace(TEXT, status_url="no address at all"))
    assert (wrong.kind, wrong.code) == (OutcomeKind.rejected, "422")
