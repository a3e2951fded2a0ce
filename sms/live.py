"""The feed of changes for live pages: one watcher a process reads every change once and hands it to who listens."""

import logging
import sqlite3
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from peewee import fn

from sms.clock import now
from sms.db import database, is_sqlite
from sms.models import Change

log = logging.getLogger(__name__)

LOOK_EVERY = 0.05
"""Seconds between two looks at `PRAGMA data_version`, which costs microseconds and no lock."""
POLL_EVERY = 0.2
"""Seconds between two looks at the newest change where the database has no such pragma."""
AT_ONCE = 1000
"""Changes read in one go; a burst takes several."""
KEPT = timedelta(days=7)
"""A page that was away for longer reloads."""
AT_MOST = 200
"""Whoever has missed more changes than this reloads instead."""


@dataclass(frozen=True)
class Listener:
    """Who listens: the account whose changes matter, the reader, the open thread, and the language to render in."""

    account: int
    user: int
    conversation: int | None
    locale: str
    zone: str


class Sink(Protocol):
    """Takes changes on any thread; must not block."""

    listener: Listener

    def __call__(self, changes: list[Change]) -> None: ...


class Feed:
    """The watcher of one process and everybody who listens to it."""

    def __init__(self) -> None:
        self._sinks: dict[int, set[Sink]] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self.cursor = 0

    def __len__(self) -> int:
        return sum(len(sinks) for sinks in self._sinks.values())

    def listen(self, sink: Sink) -> None:
        """Hand every further change of the sink's account to it; the first listener starts the watcher."""
        with self._lock:
            self._sinks.setdefault(sink.listener.account, set()).add(sink)
            if self._thread is None:
                self.cursor = newest()
                self._stop.clear()
                self._thread = threading.Thread(target=self._watch, name="live", daemon=True)
                self._thread.start()

    def leave(self, sink: Sink) -> None:
        """Stop handing changes to this sink."""
        with self._lock:
            sinks = self._sinks.get(sink.listener.account, set())
            sinks.discard(sink)
            if not sinks:
                self._sinks.pop(sink.listener.account, None)

    def close(self) -> None:
        """End the watcher; for tests and a graceful stop."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(2)
        self._thread = None

    def _watch(self) -> None:
        for _ in _signs(self._stop):
            try:
                self._hand_out()
            except Exception:
                log.exception("the live feed could not be read")

    def _hand_out(self) -> None:
        while changes := self._new():
            self._give(changes)

    def _new(self) -> list[Change]:
        with database.connection_context():
            changes = after(self.cursor, limit=AT_ONCE)
        if changes:
            self.cursor = changes[-1].id
        return changes

    def _give(self, changes: list[Change]) -> None:
        by_account: dict[int, list[Change]] = {}
        for change in changes:
            by_account.setdefault(change.account_id, []).append(change)
        for account, theirs in by_account.items():
            with self._lock:
                sinks = list(self._sinks.get(account, ()))
            for sink in sinks:
                try:
                    sink(theirs)
                except Exception:
                    log.exception("a listener failed")


def _signs(stop: threading.Event) -> Iterator[None]:
    """Yield whenever something may have been written, by this or any other process, until `stop`."""
    if not is_sqlite():
        while not stop.wait(POLL_EVERY):
            yield
        return
    eye = sqlite3.connect(database.obj.database, check_same_thread=False)
    try:
        seen = None
        while not stop.wait(LOOK_EVERY):
            version = eye.execute("PRAGMA data_version").fetchone()[0]
            if version != seen:
                seen = version
                yield
    finally:
        eye.close()


def newest() -> int:
    """Return the id of the newest change, 0 where there is none; needs an open connection."""
    change = Change.select(Change.id).order_by(Change.id.desc()).first()
    return 0 if change is None else int(change.id)


def oldest() -> int:
    """Return the id of the oldest change that is kept, 0 where there is none."""
    return int(Change.select(fn.MIN(Change.id)).scalar() or 0)


def forget_old() -> int:
    """Remove changes that no page will ask for any more, a few at a time; returns how many."""
    last = Change.select(fn.MAX(Change.id)).where(Change.at < now() - KEPT).scalar() or 0
    # The newest stays, however old: SQLite would give its id, which is a cursor, to the next one.
    last, removed = min(last, newest() - 1), 0
    while (first := oldest()) and first <= last:
        removed += Change.delete().where(Change.id <= min(last, first + AT_ONCE)).execute()
    return removed


def after(cursor: int, account: int | None = None, limit: int = AT_ONCE) -> list[Change]:
    """Return changes after a cursor, oldest first, of one account or of all."""
    found = Change.select().where(Change.id > cursor)
    if account is not None:
        found = found.where(Change.account == account)
    return list(found.order_by(Change.id).limit(limit))


def missed(listener: Listener, since: int) -> list[Change] | None:
    """Return what a listener has missed since a cursor; None where it is too much to replay."""
    if since < oldest() - 1:
        return None
    changes = after(since, listener.account, AT_MOST + 1)
    return None if len(changes) > AT_MOST else changes


def concerns(change: Change, listener: Listener) -> tuple[str, ...]:
    """Return what a change means to a page: bubble, tick, list, conversation, presence, reload."""
    here = listener.conversation is not None and change.conversation == listener.conversation
    own = change.user == listener.user
    rule: Callable[[bool, bool], tuple[str, ...]] | None = _RULES.get(change.kind)
    return () if rule is None else rule(here, own)


_RULES: dict[str, Callable[[bool, bool], tuple[str, ...]]] = {
    "message": lambda here, own: ("bubble", "list") if here else ("list",),
    "status": lambda here, own: ("tick", "list") if here else ("list",),
    "conversation": lambda here, own: ("conversation", "list") if here else ("list",),
    "contact": lambda here, own: ("conversation", "list") if here else ("list",),
    "presence": lambda here, own: ("presence",) if here and not own else (),
    "read": lambda here, own: ("list",) if own else (),
    "draft": lambda here, own: ("list",) if own else (),
    "erased": lambda here, own: ("reload", "list") if here else ("list",),
}


feed = Feed()
