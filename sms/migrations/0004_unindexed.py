"""What is stored now and indexed a moment later is noted in between."""

from typing import Any

from peewee import Database, IntegerField, Model


def up(migrator: Any, db: Database) -> None:
    """Create the table of notes."""

    class Unindexed(Model):
        entry = IntegerField(primary_key=True)

        class Meta:
            database = db
            legacy_table_names = False

    db.create_tables([Unindexed])
