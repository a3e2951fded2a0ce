"""Bring the database to this release's tables: the core's migrations first, then each module's own."""

from pathlib import Path

from playhouse.migrations import Runner

from sms.db import database

HERE = Path(__file__).parent


def folders() -> list[tuple[str, Path]]:
    """Return (history table, folder) of the core and of every module that brings migrations."""
    modules = sorted(p for p in (HERE / "modules").glob("*/migrations") if p.is_dir())
    own = [(f"migration_{p.parent.name}", p) for p in modules]
    return [("migration", HERE / "migrations"), *own]


def up() -> list[str]:
    """Apply what is missing and return the names, oldest first."""
    with database.connection_context():
        return [name for table, folder in folders() for name in _runner(table, folder).up()]


def missing() -> list[str]:
    """Return the names of migrations that this database has not had yet."""
    return [
        m.name for table, folder in folders() for m in _runner(table, folder).status() if m.applied is None
    ]


def _runner(table: str, folder: Path) -> Runner:
    return Runner(database.obj, str(folder), table_name=table)
