"""A message remembers the id of the request that brought it, for the logs."""

from typing import Any

from peewee import CharField, Database


def up(migrator: Any, db: Database) -> None:
    """Add the column; what was there before has none."""
    migrator.migrate(migrator.add_column("message", "trace", CharField(max_length=36, default="")))
