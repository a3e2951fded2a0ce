"""The pace of each carrier, and indexes by which its texts are found however many others there are."""

from typing import Any

from peewee import BigIntegerField, CharField, Database, Model


def up(migrator: Any, db: Database) -> None:
    """Create the table; the indexes of what waits and of what is on its way begin with channel and carrier."""

    class Pace(Model):
        carrier = CharField(max_length=40, primary_key=True)
        used_until = BigIntegerField(default=0)
        slow_until = BigIntegerField(null=True)

        class Meta:
            database = db
            legacy_table_names = False

    db.create_tables([Pace])
    db.execute_sql('DROP INDEX "message_priority_next_at_id"')
    db.execute_sql('DROP INDEX "message_lease_until"')
    db.execute_sql(
        "CREATE INDEX message_due ON message (channel, carrier, priority DESC, next_at, id) "
        "WHERE status = 'queued'"
    )
    db.execute_sql(
        "CREATE INDEX message_on_its_way ON message (channel, carrier, lease_until) WHERE status = 'sending'"
    )
