"""What an account pays for a part and for a minute of a call; as long as nobody has said so, no cost is shown."""

from typing import Any

from peewee import Database, IntegerField


def up(migrator: Any, db: Database) -> None:
    """Add the columns."""
    for column in ("price_part", "price_minute"):
        migrator.migrate(migrator.add_column("account", column, IntegerField(null=True)))
