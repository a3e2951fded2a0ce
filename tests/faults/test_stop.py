"""SIGTERM in the middle of a carrier call: it is finished and written down, and nothing new begins."""

import threading
import time
from collections.abc import Iterator

import pytest

from sms import sending
from sms.models import Attempt, Message
from tests.crowd import crowd
from tests.faults.processes import Mortals, settings, town  # noqa: F401
from tests.network import MARGARETHE, TORSTEN, Town

CALL_SECONDS = 2.5


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Set when the carrier has a request; it answers, like a slow one, after CALL_SECONDS."""
    from sms.sandbox.texts import Texts

    event, accept = threading.Event(), Texts.accept

    def slowly(*words, **more):
        taken = accept(*words, **more)
        event.set()
        time.sleep(CALL_SECONDS)
        return taken

    monkeypatch.setattr(Texts, "accept", slowly)
    return event


@pytest.fixture
def faden(asked, town: Town, settings) -> Iterator[Mortals]:  # noqa: F811
    both = Mortals(settings, {"web": [], "worker": []})
    yield both
    if both.program.poll() is None:
        both.stop()
    both.program.kill()


@pytest.mark.alone
def test_a_worker_that_is_told_to_stop_finishes_the_call_it_is_in(faden, asked, account, town: Town):  # noqa: F811
    from sms import config, exchange

    exchange.connect(faden.settings)
    assert isinstance(faden.settings, config.Settings)
    first = sending.send(account, MARGARETHE, "Diese noch")
    assert asked.wait(20), "the worker's tick finds it"
    stopping = threading.Thread(target=faden.stop)
    began = time.monotonic()
    stopping.start()
    time.sleep(1)  # until the signal has come there
    second = sending.send(account, TORSTEN, "Diese nicht mehr")
    stopping.join(15)
    assert sorted(faden.ended) == [["web", 0], ["worker", 0]]
    assert CALL_SECONDS - 0.5 < time.monotonic() - began < 9 * crowd()
    assert Message.get_by_id(first.id).status in ("sent", "delivered")
    assert Attempt.get(Attempt.message == first).outcome == "accepted"
    assert Message.get_by_id(second.id).status == "queued"
    assert (town.texts(MARGARETHE), town.texts(TORSTEN)) == (["Diese noch"], [])
