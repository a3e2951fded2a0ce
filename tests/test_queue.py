"""The doorbell on SQLite, Redis and PostgreSQL: a person's ring first, only after the commit, and never an error."""

import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from huey import Huey

from sms import config, queue
from sms.db import database
from tests import database as databases
from tests.queues import queue_url  # noqa: F401 - a fixture

ROOT = Path(__file__).parent.parent


@pytest.fixture
def settings(settings: config.Settings, queue_url: str | None) -> config.Settings:
    return replace(settings, queue_url=queue_url or settings.database_url)


@pytest.fixture
def huey(settings, database_file, monkeypatch) -> Iterator[Huey]:
    """An empty queue with one job, `heard`, that nobody works off."""
    monkeypatch.setattr(queue, "_registered", dict(queue._registered))
    queue.job(heard)
    opened = queue.connect(settings.queue_url, settings.data)
    opened.storage.blocking = False
    opened.flush()
    yield opened
    opened.flush()
    opened.storage.close()


def heard(word: str) -> None:
    """Do nothing."""


def words(huey: Huey) -> list[str]:
    """Take everything out of the queue, as a worker would."""
    taken = iter(huey.dequeue, None)
    return [task.args[0] for task in taken]


def test_a_persons_ring_overtakes_every_machines(huey):
    for n in range(20):
        queue.later("heard", f"machine {n}", priority=queue.LOW)
    queue.later("heard", "person", priority=queue.HIGH)
    assert queue.depth() == 21
    assert words(huey) == ["person", *(f"machine {n}" for n in range(20))]
    assert queue.depth() == 0


def test_the_bell_rings_after_the_commit_and_not_at_all_without_it(huey):
    with database.atomic() as transaction:
        queue.later("heard", "lost")
        transaction.rollback()
    with database.atomic():
        queue.later("heard", "kept")
        assert queue.depth() == 0
    assert words(huey) == ["kept"]


def test_what_is_for_later_waits_outside_the_queue(huey):
    queue.later("heard", "tomorrow", delay=timedelta(days=1))
    huey.execute(huey.dequeue())  # a worker that takes it out puts it aside
    assert words(huey) == []
    assert [task.args for task in huey.scheduled()] == [("tomorrow",)]


@pytest.mark.postgresql
def test_processes_that_start_together_all_open_a_new_queue(template):
    program = (
        "import sys, time; from pathlib import Path; from sms import queue; import psycopg, huey.storage\n"
        "time.sleep(max(0, float(sys.argv[2]) - time.time())); queue._open(sys.argv[1], Path())"
    )
    for _ in range(3):
        with databases.empty() as url:
            command = [sys.executable, "-c", program, url, str(time.time() + 2)]
            opening = [subprocess.Popen(command, cwd=ROOT) for _ in range(6)]
            assert [process.wait(60) for process in opening] == [0] * 6


def test_a_queue_that_cannot_be_reached_spoils_nothing(huey, monkeypatch):
    def unreachable(*args: object) -> None:
        raise ConnectionError("no queue")

    monkeypatch.setattr(huey.storage, "enqueue", unreachable)
    with database.atomic():
        queue.later("heard", "nobody")
    assert words(huey) == []
