"""Bring the database to this release's tables: the core's migrations first, then each module's own."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playhouse.migrations import Runner

from sms.db import database, is_sqlite

MIGRATING = 0x6661_6465
"""The number of PostgreSQL's advisory lock under which one process at a time migrates ("fade")."""
HERE = Path(__file__).parent


def folders() -> list[tuple[str, Path]]:
    """Return (history table, folder) of the core and of every module that brings migrations."""
    modules = sorted(p for p in (HERE / "modules").glob("*/migrations") if p.is_dir())
    own = [(f"migration_{p.parent.name}", p) for p in modules]
    return [("migration", HERE / "migrations"), *own]


def up() -> list[str]:
    """Apply what is missing and return the names, oldest first; who comes at the same time waits and finds it done."""
    with database.connection_context(), _one_at_a_time():
        return [name for table, folder in folders() for name in _runner(table, folder).up()]


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    if is_sqlite():
        with open(f"{database.obj.database}-migrating", "ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
        return
    database.execute_sql("SELECT pg_advisory_lock(%s)", (MIGRATING,))
    try:
        yield
    finally:
        database.execute_sql("SELECT pg_advisory_unlock(%s)", (MIGRATING,))


def missing() -> list[str]:
    """Return the names of migrations that this database has not had yet."""
    return [
        m.name for table, folder in folders() for m in _runner(table, folder).status() if m.applied is None
    ]


def _runner(table: str, folder: Path) -> Runner:
    return Runner(database.obj, str(folder), table_name=table)
