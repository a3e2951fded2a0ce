"""A web process shows that it lives, with its open pages, until it ends."""

import threading
import time

import pytest

from sms import figures, heart
from sms.db import database
from sms.models import Heartbeat
from tests.crowd import PATIENCE


def soon(what) -> object:
    deadline = time.monotonic() + PATIENCE
    while not (found := what()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return found


def test_a_heart_beats_with_its_detail_and_is_taken_back(database_file, monkeypatch):
    monkeypatch.setattr(heart, "HEARTBEAT_SECONDS", 0.02)
    pages = iter(range(1, 10_000))
    with heart.beating("web", lambda: str(next(pages))):
        soon(lambda: figures.live_pages() >= 3)
        assert Heartbeat.select().where(Heartbeat.name.startswith("web:")).count() == 1
        database.close()  # the heart has its own connection
    database.connect(reuse_if_open=True)
    assert not Heartbeat.select().exists()
    assert not [t for t in threading.enumerate() if t.name == "heart"]


def test_a_heart_survives_what_its_detail_raises(database_file, monkeypatch):
    monkeypatch.setattr(heart, "HEARTBEAT_SECONDS", 0.02)
    answers = iter(["fail", "fail"])

    def detail() -> str:
        if next(answers, None):
            raise RuntimeError("on purpose")
        return "5"

    with heart.beating("web", detail):
        soon(lambda: figures.live_pages() == 5)
        database.close()


@pytest.mark.parametrize("detail", ["", "many", "-3"])
def test_a_detail_that_is_no_number_of_pages_counts_as_none(database_file, detail):
    from sms.worker import beat

    beat("web:here:1", detail)
    beat("web:here:2", "4")
    assert figures.live_pages() == 4
