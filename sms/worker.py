"""The worker: Huey's consumer in threads, and one ticker that looks once a second for work nobody was told of."""

import logging
import math
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from types import FrameType
from typing import Any

from huey import Huey
from huey.consumer import Consumer, Worker
from huey.exceptions import CancelExecution

from sms import pump
from sms.clock import now
from sms.db import database
from sms.models import Heartbeat

THREADS = 6
POLL_SECONDS = 0.05
"""How often an idle worker looks into a SQLite queue; Redis and PostgreSQL wake it by themselves."""
TICK_SECONDS = 1.0
HEARTBEAT_SECONDS = 5.0
FORGOTTEN_AFTER = timedelta(days=1)
"""A process that was killed leaves its heartbeat behind."""
STOP_SECONDS = 5
"""How long jobs that are running get when the worker is told to stop."""

log = logging.getLogger("worker")


class PatientWorker(Worker):
    """Waits for its turn to look into the queue, so that more threads cost an idle machine nothing."""

    turn = threading.Lock()

    def sleep(self) -> None:
        with self.turn:
            self.stop_flag.wait(POLL_SECONDS)


class GracefulConsumer(Consumer):
    """Ends on SIGTERM and SIGINT alike: what runs is finished, nothing new starts, a second signal changes nothing."""

    worker_class = PatientWorker
    deadline = math.inf
    """Until when what is running may be finished, by the machine's monotonic clock."""

    def listen_to_signals(self) -> None:
        """Take SIGTERM and SIGINT from now on; the consumer does it only once its threads run."""
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, self._end)

    _set_signal_handlers = listen_to_signals

    def _end(self, signum: int, frame: FrameType | None) -> None:
        self._signum, self._restart, self._graceful = signum, False, True
        self.deadline = min(self.deadline, time.monotonic() + STOP_SECONDS)
        pump.end()


class Ticker(threading.Thread):
    """Calls `tick` every second on a connection of its own and shows by a heartbeat that this process lives.

    `trouble` tells what in this process does not work though it lives; empty where all is well.
    """

    def __init__(self, tick: Callable[[], Any], name: str, trouble: Callable[[], str] = str):
        super().__init__(name="ticker", daemon=True)
        self.tick, self.heart, self.trouble = tick, name, trouble
        self.ending = threading.Event()
        self._beat_at = 0.0

    def run(self) -> None:
        """Tick until told to stop; whatever a tick raises is logged."""
        while not self.ending.is_set():
            started = time.monotonic()
            try:
                self._once(started)
            except Exception:  # a tick that fails must not be the last one
                log.exception("the sweep failed")
            self.ending.wait(max(0.05, TICK_SECONDS - (time.monotonic() - started)))

    def _once(self, started: float) -> None:
        with database.connection_context():
            if started - self._beat_at >= HEARTBEAT_SECONDS:
                beat(self.heart, self.trouble()[:200])
                self._beat_at = started
            self.tick()

    def stop(self) -> None:
        """End after the tick that is running and take the heartbeat back, so that nobody counts on this process."""
        self.ending.set()
        self.join(timeout=2)
        with database.connection_context():
            Heartbeat.delete().where(Heartbeat.name == self.heart).execute()


def beat(name: str, detail: str = "") -> None:
    """Note that the process of this name lives."""
    Heartbeat.delete().where(Heartbeat.at < now() - FORGOTTEN_AFTER).execute()
    Heartbeat.insert(name=name, at=now(), detail=detail).on_conflict(
        conflict_target=[Heartbeat.name], update={Heartbeat.at: now(), Heartbeat.detail: detail}
    ).execute()


def work(huey: Huey, threads: int = THREADS) -> None:
    """Run jobs and pumps until SIGTERM or SIGINT; what is running then has STOP_SECONDS to finish."""
    from sms.tasks.sweeps import tick

    consumer = GracefulConsumer(
        huey,
        workers=threads,
        periodic=False,
        shutdown_timeout=STOP_SECONDS,
        graceful_signal="TERM",
    )
    _leave_to_others(huey, consumer)
    _connect_each_job(huey)
    consumer.listen_to_signals()
    ticker = Ticker(tick, f"worker:{socket.gethostname()}:{os.getpid()}"[:60], pump.hanging)
    pump.start()
    ticker.start()
    log.info("working with %d threads", threads)
    consumer.run()
    pump.stop(max(1.0, consumer.deadline - time.monotonic()))
    ticker.stop()
    log.info("stopped")


def _leave_to_others(huey: Huey, consumer: GracefulConsumer) -> None:
    """Put back what a thread takes out after the signal: at Redis and PostgreSQL it waits in the queue for a second."""

    @huey.pre_execute()
    def put_back(task: Any) -> None:
        if consumer.deadline < math.inf:
            huey.enqueue(task)
            raise CancelExecution


def _connect_each_job(huey: Huey) -> None:
    @huey.pre_execute()
    def open_connection(task: Any) -> None:
        database.connect(reuse_if_open=True)

    @huey.post_execute()
    def close_connection(task: Any, value: Any, error: Exception | None) -> None:
        if not database.is_closed():
            database.close()
