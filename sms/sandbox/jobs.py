"""What is still to be done, kept on disk: a job is forgotten only after it has been carried out."""

import json
import logging
import sqlite3
import threading
from collections.abc import Callable
from typing import Any

from sms import clock
from sms.sandbox.store import Row, Store

log = logging.getLogger(__name__)

Handler = Callable[[dict[str, Any]], None]

WORKERS = 16
"""Threads: a receiver of callbacks that hangs for its 15 s may hold up a few of them, never all the network."""
LONGEST_NAP = 0.25
"""Seconds until the clock is looked at again: tests move it."""
DUE = """
SELECT * FROM job WHERE due <= ? AND (lane IS NULL OR NOT EXISTS (
  SELECT 1 FROM job AS earlier WHERE earlier.lane = job.lane AND earlier.id < job.id))
ORDER BY due, id LIMIT ?
"""


class Jobs:
    """Due jobs in the order of their due time, carried out by a few threads, at least once each."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._handlers: dict[str, Handler] = {}
        self._running: set[int] = set()
        self._claiming = threading.Lock()
        self._wake = threading.Condition()
        self._nudges = 0
        self._stopped = False
        self._threads: list[threading.Thread] = []

    def handle(self, kind: str, handler: Handler) -> None:
        """Name the function that carries out a kind of job."""
        self._handlers[kind] = handler

    def add(self, kind: str, payload: dict[str, Any], delay: float = 0.0, lane: str | None = None) -> None:
        """Remember a job, due in `delay` seconds; inside a transaction it exists from its commit on.

        Jobs of one lane are carried out one after the other, in the order they were added.
        """
        due = clock.now().timestamp() + delay
        self._store.insert("job", due=due, kind=kind, payload=json.dumps(payload), lane=lane)
        self.nudge()

    def nudge(self) -> None:
        """Look for due jobs now; callers may hold the store's lock, so workers never wait for it in here."""
        with self._wake:
            self._nudges += 1
            self._wake.notify()

    def start(self) -> None:
        """Begin to work, with whatever an earlier run has left over."""
        for n in range(WORKERS):
            thread = threading.Thread(target=self._work, name=f"sandbox-job-{n}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self, timeout: float = 1.0) -> None:
        """Take no new job; a job that still runs after `timeout` seconds will be done again next time."""
        self._stopped = True
        with self._wake:
            self._wake.notify_all()
        for thread in self._threads:
            thread.join(timeout / max(len(self._threads), 1))

    def _work(self) -> None:
        while not self._stopped:
            seen = self._nudges
            job = self._claim()
            if job is not None:
                self._carry_out(job)
                continue
            nap = self._nap()
            with self._wake:
                if self._nudges == seen:
                    self._wake.wait(nap)

    def _claim(self) -> Row | None:
        now = clock.now().timestamp()
        with self._claiming:
            for job in self._store.rows(DUE, now, 2 * WORKERS):
                if job["id"] not in self._running:
                    self._running.add(job["id"])
                    return job
        return None

    def _nap(self) -> float:
        """Return the seconds until the next job is due, but never long: the clock may be moved."""
        now = clock.now().timestamp()
        row = self._store.row("SELECT MIN(due) AS due FROM job WHERE due > ?", now)
        return min(LONGEST_NAP, max(row["due"] - now, 0.001)) if row and row["due"] else LONGEST_NAP

    def _carry_out(self, job: Row) -> None:
        try:
            self._handlers[job["kind"]](json.loads(job["payload"]))
            self._store.run("DELETE FROM job WHERE id = ?", job["id"])
        except sqlite3.ProgrammingError:
            return  # the store was closed under us: the job is still in it
        except Exception:
            # Where everything was forgotten meanwhile, the job is gone too, and failing is no news.
            if self._store.run("DELETE FROM job WHERE id = ?", job["id"]):
                log.exception("sandbox job %s failed", job["kind"])
        finally:
            self._running.discard(job["id"])
            if job["lane"]:
                self.nudge()
