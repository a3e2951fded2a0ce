"""The worker in a process of its own: jobs start at once, a running one is finished, a heartbeat tells of it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sms import clock, config, db, queue
from sms.models import Heartbeat
from sms.worker import Ticker
from tests import database, worker_program  # noqa: F401 - its jobs are rung by name
from tests.crowd import PATIENCE, crowd
from tests.queues import queue_url  # noqa: F401 - a fixture

ROOT = Path(__file__).parent.parent


@pytest.fixture
def settings(settings: config.Settings, queue_url: str | None) -> config.Settings:
    return replace(settings, queue_url=queue_url or settings.database_url)


@pytest.fixture
def worker(settings: config.Settings, database_file: str) -> Iterator[subprocess.Popen[bytes]]:
    queue.connect(settings.queue_url, settings.data)
    environ = {**os.environ, **database.environment(settings), "PYTHONPATH": str(ROOT)}
    with (settings.data / "worker.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", "from tests.worker_program import main; main()"],
            cwd=ROOT,
            env=environ,
            stdout=log,
            stderr=log,
        )
    soon(lambda: Heartbeat.select().exists())
    yield process
    if process.poll() is None:
        process.kill()
        process.wait()


def soon(what: Callable[[], object], seconds: float = PATIENCE) -> object:
    deadline = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < deadline, what
        time.sleep(0.02)
    return found


def done(settings: config.Settings) -> list[str]:
    path = settings.data / "done"
    return path.read_text().splitlines() if path.exists() else []


def test_job_starts_within_a_moment(worker: subprocess.Popen[bytes], settings: config.Settings):
    for n in range(10):
        queue.later("note", f"job{n}", 0.0, time.time())
        time.sleep(0.07)
    soon(lambda: len(done(settings)) == 20)
    waits = sorted(float(line.split()[1]) for line in done(settings) if "finished" not in line)
    assert waits[5] < 0.1 * crowd()


def test_running_job_is_finished_when_the_worker_is_told_to_stop_twice(
    worker: subprocess.Popen[bytes], settings: config.Settings
):
    queue.later("note", "long", 1.5)
    soon(lambda: done(settings))
    worker.send_signal(signal.SIGINT)
    soon(lambda: "told to stop" in done(settings))
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(timeout=PATIENCE) == 0
    assert done(settings)[-1] == "long finished"


def test_nothing_new_starts_once_the_worker_is_told_to_stop(
    worker: subprocess.Popen[bytes], settings: config.Settings
):
    queue.later("note", "long", 1.0)
    soon(lambda: done(settings))
    worker.send_signal(signal.SIGTERM)
    soon(lambda: "told to stop" in done(settings))
    queue.later("note", "too late")
    worker.wait(timeout=PATIENCE)
    assert not [line for line in done(settings) if line.startswith("too late")]
    # Beside what the worker's own tick has rung for.
    left = queue.connect(settings.queue_url, settings.data).storage.enqueued_items()
    assert sum(b"too late" in job for job in left) == 1


def test_job_that_fails_does_not_take_the_worker_along(
    worker: subprocess.Popen[bytes], settings: config.Settings
):
    queue.later("fail")
    queue.later("note", "afterwards")
    soon(lambda: "afterwards finished" in done(settings))
    soon(lambda: "on purpose" in (settings.data / "worker.log").read_text())
    assert worker.poll() is None


def test_heartbeat_is_taken_back_at_the_end(worker: subprocess.Popen[bytes]):
    beat = Heartbeat.select().get()
    assert beat.name.startswith("worker:")
    assert abs((clock.now() - beat.at).total_seconds()) < 30
    worker.send_signal(signal.SIGTERM)
    worker.wait(timeout=PATIENCE)
    assert not Heartbeat.select().exists()


def test_sweep_that_fails_is_not_the_last_one(database_file: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sms.worker.TICK_SECONDS", 0.01)
    swept: list[int] = []

    def sweep() -> None:
        swept.append(1)
        raise RuntimeError("on purpose")

    ticker = Ticker(sweep, "worker:test")
    ticker.start()
    soon(lambda: len(swept) > 2)
    ticker.stop()
    db.database.connect(reuse_if_open=True)
    assert not Heartbeat.select().where(Heartbeat.name == "worker:test").exists()


def test_each_tick_gives_its_connection_back(database_file: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sms.worker.TICK_SECONDS", 0.01)
    open_in_tick: list[bool] = []
    ticker = Ticker(lambda: open_in_tick.append(not db.database.is_closed()), "worker:test")
    ticker.start()
    soon(lambda: len(open_in_tick) > 2)
    ticker.stop()
    assert all(open_in_tick)


def test_a_crowd_that_rings_is_two_jobs_one_at_once_and_one_for_those_who_came_later(
    settings: config.Settings, database_file: str
):
    queue.connect("sqlite", settings.data)
    for _ in range(50):
        queue.later("count")
    assert queue.depth() == 1
    soon(lambda: queue.depth() == 2)
    time.sleep(queue.GAP_SECONDS * 3)
    assert queue.depth() == 2
    queue.later("count")
    assert queue.depth() == 3


def test_the_heartbeat_tells_what_hangs_in_a_process_that_lives(
    database_file: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("sms.worker.HEARTBEAT_SECONDS", 0.01)
    monkeypatch.setattr("sms.worker.TICK_SECONDS", 0.01)
    trouble = ["nothing moves to twilio for 20 seconds"]
    ticker = Ticker(lambda: None, "worker:test", lambda: trouble[0])
    ticker.start()

    def told() -> list[str]:
        return [row.detail for row in Heartbeat.select().where(Heartbeat.name == "worker:test")]

    soon(lambda: told() == trouble)
    trouble[0] = ""
    soon(lambda: told() == [""])
    ticker.stop()
