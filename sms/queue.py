"""Huey as a doorbell: jobs are registered by name, rung after commit, and find their work by state."""

import logging
import threading
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

from huey import Huey, PostgresHuey, PriorityRedisHuey, SqliteHuey
from huey.api import TaskWrapper

from sms.db import database
from sms.logbook import tracing

F = TypeVar("F", bound=Callable[..., Any])

TABLES = ("huey_",)
"""What the queue's tables in PostgreSQL begin with: a copy needs none, as what is not sent yet is found by its state."""

log = logging.getLogger(__name__)

_registered: dict[str, Callable[..., Any]] = {}
_wrapped: dict[str, TaskWrapper] = {}
_huey: Huey | None = None

HIGH, LOW = 10, 0
"""Priorities: a person's message never waits behind a machine's."""
GAP_SECONDS = 0.02
"""So long a job that was rung is not rung again."""


def job(function: F) -> F:
    """Register a function under its name, so that verbs can ring it without importing the tasks."""
    _registered[function.__name__] = function
    if _huey is not None:
        _wrap(function.__name__)
    return function


def single(function: F) -> F:
    """Let one thread of a process do this work at a time; who comes meanwhile leaves it, for work is found by its state."""
    working = threading.Lock()

    @wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        if not working.acquire(blocking=False):
            return None
        try:
            return function(*args, **kwargs)
        finally:
            working.release()

    return run  # type: ignore[return-value]


def connect(url: str, data: Path, immediate: bool = False) -> Huey:
    """Open the queue at 'sqlite' (its own file in `data`), postgresql://... or redis://...; `immediate` runs jobs inline."""
    global _huey
    _huey = _open(url, data)
    _huey.immediate = immediate
    _wrapped.clear()
    for name in _registered:
        _wrap(name)
    return _huey


def current() -> Huey:
    """Return the queue that `connect` has opened."""
    assert _huey is not None, "queue.connect(url, data) comes first"
    return _huey


def _open(url: str, data: Path) -> Huey:
    if url == "sqlite":
        # Not synced to disk: a nudge that a power cut loses is found again by the sweep, from the row's state.
        return SqliteHuey("faden", filename=str(data / "queue.db"), results=False, timeout=10, fsync=False)
    if url.startswith("postgresql://"):
        return _on_postgresql(url)
    return PriorityRedisHuey("faden", url=url, results=False)


def _on_postgresql(url: str) -> Huey:
    """Open the queue one process at a time: of two that create its tables at once, PostgreSQL lets one fail."""
    import psycopg

    with psycopg.connect(url) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(hashtext('faden queue'))")
        return PostgresHuey("faden", dsn=url, results=False)


def _wrap(name: str) -> None:
    assert _huey is not None
    _wrapped[name] = _huey.task(name=name)(_traced(_registered[name]))


def _traced(function: F) -> F:
    @wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        with tracing():
            return function(*args, **kwargs)

    return run  # type: ignore[return-value]


def later(name: str, *args: Any, delay: timedelta | None = None, priority: int = HIGH) -> None:
    """Ring the job `name` once the open transaction has committed (at once where there is none)."""
    database.after_commit(lambda: _ring(name, args, delay, priority))


class _Bells:
    """Rings in quick succession are one: a job without arguments finds all the work there is, whoever rang for it.

    The first is rung at once, those that follow are rung together when GAP_SECONDS are over. With a job for each
    message of a crowd, queue and worker cost more than sending the messages.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._silent: dict[str, int | None] = {}
        """Bells that have just rung, each with the highest priority it is to ring with again, if at all."""

    def may_ring(self, name: str, priority: int) -> bool:
        """Tell whether to ring now; where not, it is rung in a moment."""
        with self._lock:
            if name in self._silent:
                self._silent[name] = max(priority, self._silent[name] or LOW)
                return False
            self._silent[name] = None
        timer = threading.Timer(GAP_SECONDS, self._speak, (name,))
        timer.daemon = True
        timer.start()
        return True

    def _speak(self, name: str) -> None:
        with self._lock:
            priority = self._silent.pop(name)
        if priority is not None:
            _ring(name, (), None, priority)


_bells = _Bells()


def _ring(name: str, args: tuple[Any, ...], delay: timedelta | None, priority: int) -> None:
    if _huey is None:  # a command-line verb without a queue: the worker's sweep finds the row by its state
        return
    seconds = 0.0 if delay is None else delay.total_seconds()
    if not args and seconds <= 0 and not _huey.immediate and not _bells.may_ring(name, priority):
        return
    try:
        if seconds > 0:
            _wrapped[name].schedule(args=args, delay=seconds, priority=priority)
        else:
            _huey.enqueue(_wrapped[name].s(*args, priority=priority))
    except Exception:
        # The row is committed: whoever asked must not hear that it failed, and the worker's sweep finds it.
        log.exception("the doorbell %s does not ring", name)


def depth() -> int:
    """Return how many jobs wait in the queue."""
    return 0 if _huey is None else _huey.pending_count()
