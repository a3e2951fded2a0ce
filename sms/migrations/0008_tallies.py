"""Counts that only grow, and what finds the rows that are not in them yet."""

from typing import Any

from peewee import BigIntegerField, CharField, Database, IntegerField, Model


def up(migrator: Any, db: Database) -> None:
    """Create the tables and the indexes by end."""

    class Base(Model):
        class Meta:
            database = db
            legacy_table_names = False

    class Tally(Base):
        source = CharField(max_length=10)
        carrier = CharField(max_length=40)
        word = CharField(max_length=11)
        step = IntegerField(default=0)
        count = BigIntegerField(default=0)
        ms = BigIntegerField(default=0)

        class Meta:
            indexes = ((("source", "carrier", "word", "step"), True),)

    class TallyMark(Base):
        source = CharField(max_length=10, primary_key=True)
        place = BigIntegerField(default=0)

    db.create_tables([Tally, TallyMark])
    db.execute_sql("CREATE INDEX attempt_ended ON attempt (ended_at) WHERE ended_at IS NOT NULL")
    db.execute_sql("CREATE INDEX call_ended ON call (ended_at) WHERE ended_at IS NOT NULL")
