"""SQL written by hand where many rows are written or one message must cost little.

peewee puts a query together anew each time, which takes ten times as long as SQLite needs to run it (0.3-0.6 ms
against 10-30 us). What is here speaks both databases' SQL; values are in their stored form (moments as milliseconds,
JSON as text).
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from peewee import __exception_wrapper__

from sms.db import Table, database, is_sqlite

FEW = 20
"""Rows from which on COPY is worth its two more turns with PostgreSQL."""


def run(sql: str, *values: Any) -> Any:
    """Execute SQL whose places are written `?`, on the open connection; returns the cursor."""
    return database.execute_sql(sql if is_sqlite() else _for_postgres(sql), values)


@lru_cache(maxsize=256)
def _for_postgres(sql: str) -> str:
    return sql.replace("?", "%s")


def among(column: str) -> str:
    """Return the condition that a column is in a list of any length, given as one value (see `listed`)."""
    return f"{column} IN (SELECT value FROM json_each(?))" if is_sqlite() else f"{column} = ANY(?)"


def listed(values: Iterable[Any]) -> Any:
    """Return numbers or texts as the one value that `among` takes."""
    return json.dumps(list(values)) if is_sqlite() else list(values)


def one(table: type[Table], sql: str, *values: Any) -> Any:
    """Return the first row of a SELECT of all columns as the table's model, None where there is none."""
    return next(iter(table.raw(sql if is_sqlite() else _for_postgres(sql), *values)), None)


def run_many(sql: str, rows: Sequence[Sequence[Any]]) -> None:
    """Execute the same SQL for each row of values."""
    if rows:
        with __exception_wrapper__:
            database.cursor().executemany(sql if is_sqlite() else _for_postgres(sql), rows)


def reserve_ids(table: type[Table], count: int) -> Sequence[int]:
    """Return that many free ids in rising order, inside the transaction that uses them.

    SQLite: the write lock is held since BEGIN, so what follows the highest id is free. PostgreSQL: the sequence's.
    """
    if count == 0:
        return ()
    name = table._meta.table_name  # type: ignore[attr-defined]
    if is_sqlite():
        highest = run(f'SELECT coalesce(max(id), 0) FROM "{name}"').fetchone()[0]
        return range(highest + 1, highest + 1 + count)
    sequence = "SELECT nextval(pg_get_serial_sequence(?, 'id')) FROM generate_series(1, ?)"
    return sorted(row[0] for row in run(sequence, name, count))


def insert(table: type[Table], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows given by column name; what a row does not name gets the default that the table declares."""
    if rows:
        columns = _columns(table._meta, "id" in rows[0])  # type: ignore[attr-defined]
        values = [tuple([row.get(column, default) for column, default in columns]) for row in rows]
        insert_values(table, [column for column, _ in columns], values)


def insert_values(table: type[Table], columns: Iterable[str], rows: Sequence[Sequence[Any]]) -> None:
    """Insert rows given as values of these columns; the others stay empty."""
    if not rows:
        return
    name = table._meta.table_name  # type: ignore[attr-defined]
    names = ", ".join(f'"{column}"' for column in columns)
    if is_sqlite() or len(rows) < FEW:
        places = ", ".join("?" * len(rows[0]))
        run_many(f'INSERT INTO "{name}" ({names}) VALUES ({places})', rows)
        return
    with __exception_wrapper__, database.cursor().copy(f'COPY "{name}" ({names}) FROM STDIN') as copy:
        for row in rows:
            copy.write_row(row)


@lru_cache(maxsize=64)
def _columns(meta: Any, with_id: bool) -> tuple[tuple[str, Any], ...]:
    """Return each column of a table with its default; an id that no row names is the database's to give."""
    fields = [
        f for f in meta.sorted_fields if with_id or f is not meta.primary_key or not meta.auto_increment
    ]
    return tuple((f.column_name, None if callable(f.default) else f.default) for f in fields)


@lru_cache(maxsize=64)
def columns(table: type[Table], alias: str) -> str:
    """Return all columns of a table as a SELECT names them, in the order that `load` takes."""
    meta = table._meta  # type: ignore[attr-defined]
    return ", ".join(f'{alias}."{field.column_name}"' for field in meta.sorted_fields)


def load(table: type[Table], values: Sequence[Any]) -> Any:
    """Return a row of a table as peewee would, from the values of `columns`."""
    fields = table._meta.sorted_fields  # type: ignore[attr-defined]
    row = table(__no_default__=True)
    row.__data__.update({f.name: f.python_value(v) for f, v in zip(fields, values, strict=True)})
    return row
