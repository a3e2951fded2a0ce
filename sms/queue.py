"""Huey as a doorbell: jobs are registered by name, rung after commit, and find their work by state."""

import logging
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from huey import Huey, PostgresHuey, PriorityRedisHuey, SqliteHuey
from huey.api import TaskWrapper

from sms.db import database

F = TypeVar("F", bound=Callable[..., Any])

log = logging.getLogger(__name__)

_registered: dict[str, Callable[..., Any]] = {}
_wrapped: dict[str, TaskWrapper] = {}
_huey: Huey | None = None

HIGH, LOW = 10, 0
"""Priorities: a person's message never waits behind a machine's."""


def job(function: F) -> F:
    """Register a function under its name, so that verbs can ring it without importing the tasks."""
    _registered[function.__name__] = function
    if _huey is not None:
        _wrap(function.__name__)
    return function


def connect(url: str, data: Path, immediate: bool = False) -> Huey:
    """Open the queue at 'sqlite' (its own file in `data`), postgresql://... or redis://...; `immediate` runs jobs inline."""
    global _huey
    _huey = _open(url, data)
    _huey.immediate = immediate
    _wrapped.clear()
    for name in _registered:
        _wrap(name)
    return _huey


def _open(url: str, data: Path) -> Huey:
    if url == "sqlite":
        # Not synced to disk: a nudge that a power cut loses is found again by the sweep, from the row's state.
        return SqliteHuey("faden", filename=str(data / "queue.db"), results=False, timeout=10, fsync=False)
    if url.startswith("postgresql://"):
        return PostgresHuey("faden", dsn=url, results=False)
    return PriorityRedisHuey("faden", url=url, results=False)


def _wrap(name: str) -> None:
    assert _huey is not None
    _wrapped[name] = _huey.task(name=name)(_registered[name])


def later(name: str, *args: Any, delay: timedelta | None = None, priority: int = HIGH) -> None:
    """Ring the job `name` once the open transaction has committed (at once where there is none)."""
    database.after_commit(lambda: _ring(name, args, delay, priority))


def _ring(name: str, args: tuple[Any, ...], delay: timedelta | None, priority: int) -> None:
    if _huey is None:  # a command-line verb without a queue: the worker's sweep finds the row by its state
        return
    seconds = 0.0 if delay is None else delay.total_seconds()
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
