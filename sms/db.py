"""The database: one proxy, one base table, times as UTC milliseconds."""

import fcntl
import re
import select
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from peewee import BigIntegerField, Database, DatabaseProxy, Model
from playhouse.pool import PooledPostgresqlDatabase, PooledSqliteDatabase

from sms.wake import Bell

database = DatabaseProxy()

SQLITE_PRAGMAS = {
    "journal_mode": "wal",
    # A power cut may lose the last moments, never more and nothing in part; a killed process loses nothing.
    "synchronous": "normal",
    "foreign_keys": 1,
    # Milliseconds; only for who writes without the turn, such as another program. SQLite's waiting is not fair.
    "busy_timeout": 30_000,
    "cache_size": -16_000,
    "temp_store": "memory",
}
POSTGRES_CONNECTIONS = 16
"""Connections of one process at most. Python computes on one core: more would only wait inside the server."""


class Sqlite(PooledSqliteDatabase):
    """SQLite lets one write at a time. Who has to wait is woken in turn instead of trying again and again.

    SQLite itself makes a waiter sleep for 1 to 100 ms and forget its place; under a crowd some lost for ten seconds.
    """

    def __init__(self, path: str, **options: Any) -> None:
        super().__init__(path, **options)
        self._turn = _Turn(Path(path + "-turn"))

    def begin(self, lock_type: str | None = None) -> None:
        self._turn.take()
        try:
            super().begin(lock_type)
        except BaseException:
            self._turn.give()
            raise

    def commit(self) -> None:
        super().commit()  # where it fails the transaction is still open, and peewee rolls it back
        self._turn.give()

    def rollback(self) -> None:
        try:
            super().rollback()
        finally:
            self._turn.give()

    def execute_sql(self, sql: str, params: Any = None) -> Any:
        if self.in_transaction() or not _WRITES.match(sql):
            return super().execute_sql(sql, params)
        self._turn.take()
        try:
            return super().execute_sql(sql, params)
        finally:
            self._turn.give()

    def close_all(self) -> None:
        super().close_all()
        self._turn.close()


_WRITES = re.compile(r"\s*(INSERT|UPDATE|DELETE|REPLACE)\b", re.IGNORECASE)
"""What begins so is a transaction of its own where none is open."""


class _Turn:
    """A lock over all threads of all processes, held by a transaction; the kernel frees it where a process dies."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._threads = threading.Lock()
        self._holder: int | None = None
        self._file: IO[bytes] | None = None

    def take(self) -> None:
        self._threads.acquire()
        try:
            if self._file is None:
                self._file = self._path.open("ab")
            fcntl.flock(self._file, fcntl.LOCK_EX)
        except BaseException:
            self._threads.release()
            raise
        self._holder = threading.get_ident()

    def give(self) -> None:
        """Let the next one write; harmless for who does not hold it."""
        if self._holder != threading.get_ident():
            return
        self._holder = None
        if self._file is not None:
            fcntl.flock(self._file, fcntl.LOCK_UN)
        self._threads.release()

    def close(self) -> None:
        if self._threads.acquire(timeout=1):
            if self._file is not None:
                self._file.close()
                self._file = None
            self._threads.release()


class Postgres(PooledPostgresqlDatabase):
    """Rings the bell after each commit, and hands out no connection that the server has ended meanwhile."""

    def __init__(self, url: str, **options: Any) -> None:
        super().__init__(url, **options)
        self._bell = Bell(url)

    def commit(self) -> None:
        super().commit()
        self._bell.ring()

    def close_all(self) -> None:
        super().close_all()
        self._bell.close()

    def _is_closed(self, conn: Any) -> bool:
        return bool(super()._is_closed(conn) or _has_said_good_bye(conn))


def _has_said_good_bye(conn: Any) -> bool:
    """True where the server has something to say on an idle connection: that is always its end."""
    line = select.poll()
    line.register(conn.fileno(), select.POLLIN)
    return bool(line.poll(0))


def connect(url: str) -> Database:
    """Point the proxy at sqlite:///PATH or postgresql://... and return the pooled database (no connection yet)."""
    database.initialize(_pool(url))
    return database.obj  # type: ignore[no-any-return]


def _pool(url: str) -> Database:
    if url.startswith("sqlite:///"):
        return Sqlite(
            url.removeprefix("sqlite:///"),
            pragmas=SQLITE_PRAGMAS,
            max_connections=64,
            timeout=10,
            autoconnect=False,
            check_same_thread=False,
            # Taking the write lock at BEGIN waits for it; upgrading a read lock later fails at once.
            lock_type="IMMEDIATE",
        )
    return Postgres(
        url,
        prefer_psycopg3=True,
        max_connections=POSTGRES_CONNECTIONS,
        timeout=10,
        autoconnect=False,
        application_name="faden",
        # A process that stops in the middle must not hold up the others for ever.
        options="-c idle_in_transaction_session_timeout=60000",
    )


def is_sqlite() -> bool:
    """True on SQLite; the few places where the two databases differ ask here."""
    return isinstance(database.obj, Sqlite)


def to_ms(moment: datetime) -> int:
    """Turn an aware datetime into whole milliseconds since 1970 UTC."""
    return round(moment.timestamp() * 1000)


def from_ms(value: int) -> datetime:
    """Turn milliseconds since 1970 UTC into an aware UTC datetime."""
    return datetime.fromtimestamp(value / 1000, UTC)


class MomentField(BigIntegerField):
    """An aware UTC datetime, stored as milliseconds: sorts, compares and indexes alike on both databases."""

    def db_value(self, value: Any) -> Any:
        return to_ms(value) if isinstance(value, datetime) else value

    def python_value(self, value: Any) -> Any:
        return None if value is None else from_ms(value)


Moment: Any = MomentField
"""What tables write; to mypy a column of it is Any, like every column of peewee's."""


class Table(Model):
    """The base of every table."""

    class Meta:
        database = database
        legacy_table_names = False
