"""Moving an installation from SQLite to PostgreSQL: every row of every table, verified before it counts.

The source is held by a write transaction and only read, so nothing changes while it is copied and nothing afterwards.
The target is filled in one transaction: it has everything, or it is as empty as before.
"""

import hashlib
import json
import sqlite3
import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from graphlib import TopologicalSorter
from typing import Any

import psycopg
from peewee import PeeweeException
from psycopg import sql

from sms import migrate
from sms.clock import now
from sms.db import connect, database, is_sqlite, to_ms
from sms.queue import TABLES
from sms.refusal import Impossible

ALIVE = timedelta(seconds=20)
"""A process whose heartbeat is not older than this runs."""
AT_ONCE = 5_000
"""Rows read in one go."""


@dataclass(frozen=True)
class Copied:
    """A table that was copied: its rows, and the checksum that both databases have."""

    table: str
    rows: int
    checksum: str


@dataclass(frozen=True)
class _Table:
    name: str
    columns: tuple[str, ...]
    kinds: tuple[str, ...]
    """PostgreSQL's types, by column."""


def copy_to(url: str, report: Callable[[Copied], None] = lambda copied: None) -> list[Copied]:
    """Copy the connected SQLite database to the empty PostgreSQL database at `url`; raises Impossible."""
    if not is_sqlite():
        raise Impossible("Only a SQLite database is copied; this installation is on PostgreSQL already.")
    if not url.startswith("postgresql://"):
        raise Impossible("Expected an address like postgresql://USER@HOST/NAME.")
    path, here = database.obj.database, f"sqlite:///{database.obj.database}"
    with closing(sqlite3.connect(path, isolation_level=None, timeout=30)) as source:
        source.execute("BEGIN IMMEDIATE")  # from here on nobody writes, and nothing is written here
        _refuse_running(source)
        try:
            tables = _prepare(url)
            with psycopg.connect(url) as target:
                copied = [_copy(source, target, table, report) for table in tables]
        except (psycopg.Error, PeeweeException) as error:
            raise Impossible(f"PostgreSQL says: {str(error).strip()}") from None
        finally:
            connect(here)
            source.execute("ROLLBACK")
    with psycopg.connect(url, autocommit=True) as target:
        target.execute("ANALYZE")
    return copied


def _refuse_running(source: sqlite3.Connection) -> None:
    alive = to_ms(now() - ALIVE)
    row = source.execute("SELECT name FROM heartbeat WHERE at > ? LIMIT 1", (alive,)).fetchone()
    if row is not None:
        raise Impossible(
            f"Faden is running ({row[0]}). Stop it first: what it took from now on would stay behind."
        )


def _prepare(url: str) -> list[_Table]:
    """Bring the target's tables to this release and return them, each after those that it refers to."""
    connect(url)
    with database.connection_context():
        _refuse_filled()
        migrate.up()
        tables = [t for t in database.get_tables() if not t.startswith(TABLES)]
        refers = {t: {k.dest_table for k in database.get_foreign_keys(t)} - {t} for t in tables}
        found = [_described(table) for table in TopologicalSorter(refers).static_order()]
    database.close_all()
    return found


def _refuse_filled() -> None:
    histories = {table for table, _ in migrate.folders()}
    for table in database.get_tables():
        if table in histories or table.startswith(TABLES):
            continue
        if database.execute_sql(f'SELECT EXISTS (SELECT FROM "{table}")').fetchone()[0]:
            raise Impossible(f"The target is not empty: there are rows in {table}. Give it a new database.")


def _described(table: str) -> _Table:
    columns = database.get_columns(table)
    return _Table(table, tuple(c.name for c in columns), tuple(c.data_type for c in columns))


def _copy(
    source: sqlite3.Connection, target: psycopg.Connection, table: _Table, report: Callable[[Copied], None]
) -> Copied:
    names = sql.SQL(", ").join(map(sql.Identifier, table.columns))
    here = sql.Identifier(table.name)
    cursor = target.cursor()
    cursor.execute(sql.SQL("TRUNCATE {} CASCADE").format(here))  # what the migrations themselves wrote
    with cursor.copy(sql.SQL("COPY {} ({}) FROM STDIN").format(here, names)) as stream:
        for row in _rows(source, table):
            stream.write_row([_for_postgres(v, kind) for v, kind in zip(row, table.kinds, strict=True)])
    _continue_sequences(cursor, table)
    before = _sum(table, _rows(source, table))
    with target.cursor(name="copied") as reading:
        reading.execute(sql.SQL("SELECT {} FROM {}").format(names, here))
        after = _sum(table, reading)
    if before != after:
        raise Impossible(f"{table.name} did not arrive as it was; the target stays empty.")
    copied = Copied(table.name, *after)
    report(copied)
    return copied


def _rows(source: sqlite3.Connection, table: _Table) -> Iterator[Sequence[Any]]:
    names = ", ".join(f'"{column}"' for column in table.columns)
    cursor = source.execute(f'SELECT {names} FROM "{table.name}"')
    while rows := cursor.fetchmany(AT_ONCE):
        yield from rows


def _continue_sequences(cursor: psycopg.Cursor, table: _Table) -> None:
    """Let the next row get the id after the last: COPY leaves the counter where it was."""
    if "id" not in table.columns:
        return
    cursor.execute("SELECT pg_get_serial_sequence(%s, 'id')", (f'"{table.name}"',))
    sequence = cursor.fetchone()
    if sequence and sequence[0]:
        last = sql.SQL("SELECT setval(%s, COALESCE(MAX(id), 1), MAX(id) IS NOT NULL) FROM {}")
        cursor.execute(last.format(sql.Identifier(table.name)), sequence)


def _for_postgres(value: Any, kind: str) -> Any:
    if value is None:
        return None
    if kind == "boolean":
        return bool(value)
    if isinstance(value, str):
        # PostgreSQL has no NUL, neither in a text nor, escaped, in JSON.
        return (value.replace("\\u0000", "") if kind == "jsonb" else value).replace("\0", "")
    return value


def _sum(table: _Table, rows: Iterator[Sequence[Any]] | psycopg.Cursor) -> tuple[int, str]:
    """Return (rows, checksum): the same for the same rows in whatever order and on whichever database."""
    count = total = 0
    for row in rows:
        canonical = [_canonical(v, kind) for v, kind in zip(row, table.kinds, strict=True)]
        digest = hashlib.blake2b(repr(canonical).encode(), digest_size=8).digest()
        total = (total + int.from_bytes(digest)) % 2**64
        count += 1
    return count, f"{total:016x}"


def _canonical(value: Any, kind: str) -> Any:
    value = _for_postgres(value, kind)
    if value is None:
        return None
    if kind == "jsonb":
        return json.dumps(json.loads(value) if isinstance(value, str) else value, sort_keys=True)
    if kind == "real":
        return struct.pack("f", value).hex()
    if kind.startswith(("timestamp", "date")):
        return str(value)[:19]
    return bytes(value) if isinstance(value, memoryview) else value
