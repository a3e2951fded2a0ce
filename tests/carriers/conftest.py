"""Fixtures: the real Twilio adapter, and servers on loopback that it takes for Twilio."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from sms.carriers import build
from sms.carriers.contract import Carrier, OutgoingCall, OutgoingText
from sms.config import CarrierConfig
from tests.carriers.scripted import Scripted

SID = "AC" + "0123456789abcdef" * 2
TOKEN = "the-primary-token"
SINCE = datetime(2026, 3, 30, 9, 0, 0, tzinfo=UTC)

TEXT = OutgoingText(
    to="+4917139200540",
    sender="+4917139200100",
    text="Ihr Termin: morgen 9 Uhr, Raum 3 - Praxis Lindner €",
    key="k3y",
    status_url="https://sms.praxis.example/carriers/twilio/status?key=k3y",
)
CALL = OutgoingCall(
    to="+493023125001",
    caller_id="+493023125100",
    key="k3y",
    answer_url="https://sms.praxis.example/carriers/twilio/voice/answer?key=k3y",
    status_url="https://sms.praxis.example/carriers/twilio/voice/status?key=k3y",
)

Adapter = Callable[..., Carrier]


@pytest.fixture(autouse=True)
def _no_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a machine's environment says of proxies and of Twilio is no part of these tests."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "TWILIO_EDGE", "TWILIO_REGION"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def network() -> Iterator[Scripted]:
    """A server that answers byte for byte what a test says."""
    made = Scripted()
    yield made
    made.stop()


@pytest.fixture
def adapter() -> Iterator[Adapter]:
    """Make adapters that talk to an address; short time limits unless a test says otherwise."""
    made: list[Carrier] = []

    def make(base_url: str, **options: object) -> Carrier:
        common = {"account_sid": SID, "auth_token": TOKEN, "connect_timeout": 2.0, "read_timeout": 0.5}
        config = CarrierConfig("twilio", "twilio", options={**common, "base_url": base_url, **options})
        made.append(build(config))
        return made[-1]

    yield make
    for carrier in made:
        carrier.close()


@pytest.fixture
def carrier(network: Scripted, adapter: Adapter) -> Carrier:
    """The adapter, talking to `network`."""
    return adapter(network.url)
