"""The database: one proxy, one base table, times as UTC milliseconds."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from peewee import BigIntegerField, Database, DatabaseProxy, Model
from playhouse.pool import PooledPostgresqlDatabase, PooledSqliteDatabase

database = DatabaseProxy()

SQLITE_PRAGMAS = {
    "journal_mode": "wal",
    "synchronous": "normal",
    "foreign_keys": 1,
    # Milliseconds. SQLite's waiting is not fair: on a crowded machine one of many writers can lose for ten seconds.
    "busy_timeout": 30_000,
    "cache_size": -16_000,
    "temp_store": "memory",
}


def connect(url: str) -> Database:
    """Point the proxy at sqlite:///PATH or postgresql://... and return the pooled database (no connection yet)."""
    database.initialize(_pool(url))
    return database.obj  # type: ignore[no-any-return]


def _pool(url: str) -> Database:
    if url.startswith("sqlite:///"):
        return PooledSqliteDatabase(
            url.removeprefix("sqlite:///"),
            pragmas=SQLITE_PRAGMAS,
            max_connections=64,
            timeout=10,
            autoconnect=False,
            check_same_thread=False,
            # Taking the write lock at BEGIN waits for it; upgrading a read lock later fails at once.
            lock_type="IMMEDIATE",
        )
    parts = urlsplit(url)
    return PooledPostgresqlDatabase(
        parts.path.lstrip("/"),
        host=parts.hostname,
        port=parts.port or 5432,
        user=parts.username,
        password=parts.password,
        prefer_psycopg3=True,
        max_connections=32,
        timeout=10,
        autoconnect=False,
    )


def is_sqlite() -> bool:
    """True on SQLite; the few places where the two databases differ ask here."""
    return isinstance(database.obj, PooledSqliteDatabase)


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
