"""The feed of changes for live pages: one watcher a process reads every change once and hands it to who listens."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from peewee import fn

from sms import wake
from sms.clock import now
from sms.db import database, is_sqlite
from sms.gaps import Gaps
from sms.models import Change

log = logging.getLogger(__name__)

AT_ONCE = 1000
"""Changes read in one go; a burst takes several."""
KEPT = timedelta(days=7)
"""A page that was away for longer reloads."""
AT_MOST = 200
"""Whoever has missed more changes than this reloads instead."""
LOOK_BACK = 200
"""Ids before the newest among which a feed that starts looks for some that are still to come."""


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
        self._seen = Gaps()
        self.for_pages = False
        """Whether the first page that is rendered starts it: set by the web server, whose pages will listen."""

    def __len__(self) -> int:
        return sum(len(sinks) for sinks in self._sinks.values())

    @property
    def settled(self) -> int | None:
        """The id up to which every change has been handed out and none can come any more; None before it starts."""
        return self._seen.settled if self._thread else None

    def listen(self, sink: Sink) -> None:
        """Hand every further change of the sink's account to it; the first listener starts the watcher."""
        with self._lock:
            self._sinks.setdefault(sink.listener.account, set()).add(sink)
        self.start()

    def start(self) -> None:
        """Watch from now on, on a thread of its own; again is harmless. Needs an open connection."""
        with self._lock:
            if self._thread is None:
                self._seen = _what_is_there()
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
            late = _late(self._seen)
            fresh = after(self._seen.cursor, limit=AT_ONCE)
        self._seen.saw((change.id for change in fresh), time.monotonic())
        return late + fresh

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
    where = database.obj.database
    return wake.look(where, stop) if is_sqlite() else wake.hear(where, stop)


def _what_is_there() -> Gaps:
    """Return what a reader has seen who starts now: all that is there, but not what is still to come before the newest."""
    if is_sqlite():
        return Gaps(newest())
    seen = Gaps(max(0, newest() - LOOK_BACK))
    seen.saw((change.id for change in after(seen.cursor)), time.monotonic())
    return seen


def _late(seen: Gaps) -> list[Change]:
    """Return changes that have come into the gaps, oldest first, and leave the gaps into which nothing can come.

    SQLite has none: there a change gets its id while nobody else can write.
    """
    if not seen.open:
        return []
    # Before the reading: what ended before this moment is in it.
    oldest, following = database.execute_sql(
        "SELECT pg_snapshot_xmin(s)::text::bigint, pg_snapshot_xmax(s)::text::bigint FROM pg_current_snapshot() s"
    ).fetchone()
    spans = [gap.first for gap in seen.open], [gap.last for gap in seen.open]
    late = Change.raw(
        "SELECT c.* FROM unnest(%s::bigint[], %s::bigint[]) AS gap (lowest, highest) "
        "JOIN change AS c ON c.id BETWEEN gap.lowest AND gap.highest ORDER BY c.id",
        *spans,
    )
    found = list(late)
    seen.saw((change.id for change in found), time.monotonic())
    seen.close(oldest, following, time.monotonic())
    return found


def cursor() -> int:
    """Return after which change a page goes on that is rendered now; needs an open connection.

    Before the newest where an earlier one may still come: such a page is told some things twice, and misses none.
    """
    if is_sqlite():
        return newest()
    if feed.for_pages:
        feed.start()
    settled = feed.settled
    return newest() if settled is None else settled


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
    "appointment": lambda here, own: ("list",),
}


feed = Feed()
