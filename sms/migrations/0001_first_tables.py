"""The first tables, as they were: every later change is a migration of its own."""

from pathlib import Path
from typing import Any

from peewee import Database, SqliteDatabase


def up(migrator: Any, db: Database) -> None:
    """Create every table, index and full-text index of the first release."""
    kind = "sqlite" if isinstance(db, SqliteDatabase) else "postgresql"
    script = Path(__file__).with_name(f"0001_{kind}.sql").read_text()
    for statement in script.split(";\n"):
        if statement.strip():
            db.execute_sql(statement)
