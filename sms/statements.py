"""SQL written by hand where many rows are written or one message must cost little.

peewee puts a query together anew each time, which takes ten times as long as SQLite needs to run it (0.3-0.6 ms
against 10-30 us). What is here speaks both databases' SQL; values are in their stored form (moments as milliseconds,
JSON as text).
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeVar

from peewee import JSONField, __exception_wrapper__

from sms.db import Table, database, is_sqlite

R = TypeVar("R", bound=Table)

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
    """Return the first row of a SELECT of columns of one table as its model, None where there is none."""
    cursor = run(sql, *values)
    found = cursor.fetchone()
    return None if found is None else _loaded(table, [column[0] for column in cursor.description], found)


def _loaded(table: type[Table], columns: Iterable[str], values: Iterable[Any]) -> Any:
    fields = table._meta.columns  # type: ignore[attr-defined]
    row = table(__no_default__=True)
    named = ((fields[column], value) for column, value in zip(columns, values, strict=True))
    row.__data__.update({field.name: field.python_value(value) for field, value in named})
    return row


def store(row: R) -> R:
    """Insert a new row and give it its id, in one statement: what a model's `create` does at a fraction of its cost."""
    sql, fields = _insertion(type(row))  # type: ignore[arg-type]
    values = [_stored(field, row.__data__.get(field.name)) for field in fields]
    # To its end: SQLite commits nothing while a statement is still being read.
    ((row.id,),) = run(sql, *values).fetchall()  # type: ignore[attr-defined]
    row._dirty.clear()  # type: ignore[attr-defined]
    return row


@lru_cache(maxsize=64)
def _insertion(table: type[Table]) -> tuple[str, tuple[Any, ...]]:
    meta = table._meta  # type: ignore[attr-defined]
    fields = tuple(field for field in meta.sorted_fields if field is not meta.primary_key)
    names = ", ".join(f'"{field.column_name}"' for field in fields)
    places = ", ".join("?" * len(fields))
    return f'INSERT INTO "{meta.table_name}" ({names}) VALUES ({places}) RETURNING id', fields


def _stored(field: Any, value: Any) -> Any:
    if isinstance(field, JSONField):
        return None if value is None else json.dumps(value)
    return field.db_value(value)


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
    meta = table._meta  # type: ignore[attr-defined]
    return _loaded(table, (field.column_name for field in meta.sorted_fields), values)
