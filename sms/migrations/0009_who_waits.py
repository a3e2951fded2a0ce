"""What waits for a person's answer is looked for by the person's number."""

from typing import Any

from peewee import Database


def up(migrator: Any, db: Database) -> None:
    """Add the index."""
    migrator.migrate(migrator.add_index("expectation", ("theirs",)))
