"""What happens in the network, for the page: a table of events and a bell that open pages listen to."""

import json
import threading
from typing import Any

from sms import clock
from sms.sandbox.store import Row, Store

KEPT = 500
"""Events that are remembered; older ones are forgotten."""


class Feed:
    """Writes events and wakes whoever waits for news."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._news = threading.Condition()
        self._version = 0
        self._closed = False

    def log(self, kind: str, number: str, **details: Any) -> None:
        """Remember an event of one phone; `details` are what the table's words need."""
        at = clock.now().timestamp()
        key = self._store.insert("event", at=at, number=number, kind=kind, details=json.dumps(details))
        self._store.run("DELETE FROM event WHERE id <= ?", key - KEPT)
        self.ring()

    def latest(self, limit: int) -> list[Row]:
        """Return the newest events, newest first."""
        return self._store.rows("SELECT * FROM event ORDER BY id DESC LIMIT ?", limit)

    def clear(self) -> None:
        """Forget the events."""
        self._store.run("DELETE FROM event")
        self.ring()

    def ring(self) -> None:
        """Tell the open pages that something is new."""
        with self._news:
            self._version += 1
            self._news.notify_all()

    def wait(self, seen: int, timeout: float) -> int:
        """Return the present version, at once if it is not `seen`, else after news or `timeout` seconds."""
        with self._news:
            if self._version == seen and not self._closed:
                self._news.wait(timeout)
            return self._version

    @property
    def version(self) -> int:
        return self._version

    @property
    def closed(self) -> bool:
        """True once the sandbox is ending: streams finish."""
        return self._closed

    def close(self) -> None:
        """Let every stream end."""
        with self._news:
            self._closed = True
            self._news.notify_all()
