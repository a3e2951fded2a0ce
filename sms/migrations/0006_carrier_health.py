"""How carriers stand, their probes and their turns; and when to ask about a text that nobody has reported."""

from typing import Any

from peewee import BigIntegerField, BooleanField, CharField, Database, ForeignKeyField, IntegerField, Model


def up(migrator: Any, db: Database) -> None:
    """Create the tables and add the column with its index."""

    class Base(Model):
        class Meta:
            database = db
            legacy_table_names = False

    class User(Base):
        pass

    class CarrierHealth(Base):
        carrier = CharField(max_length=40, primary_key=True)
        state = CharField(max_length=10, default="up")
        reason = CharField(max_length=10, default="")
        detail = CharField(max_length=200, default="")
        since = BigIntegerField()
        until = BigIntegerField(null=True)
        share = IntegerField(default=100)
        paused = BooleanField(default=False)
        paused_by = ForeignKeyField(User, null=True, on_delete="SET NULL", index=False)
        paused_at = BigIntegerField(null=True)
        probe_at = BigIntegerField(null=True)
        judge_at = BigIntegerField(null=True)
        try_at = BigIntegerField(null=True)
        grey_at = BigIntegerField(null=True)

    class CarrierProbe(Base):
        carrier = CharField(max_length=40)
        at = BigIntegerField()
        ok = BooleanField()
        ms = IntegerField()
        detail = CharField(max_length=200, default="")

        class Meta:
            indexes = ((("carrier", "at"), False), (("at",), False))

    class CarrierTurn(Base):
        carrier = CharField(max_length=40)
        at = BigIntegerField()
        before = CharField(max_length=10)
        after = CharField(max_length=10)
        reason = CharField(max_length=10, default="")
        detail = CharField(max_length=200, default="")
        user = ForeignKeyField(User, null=True, on_delete="SET NULL", index=False)

        class Meta:
            indexes = ((("carrier", "at"), False), (("at",), False))

    db.create_tables([CarrierHealth, CarrierProbe, CarrierTurn])
    migrator.migrate(migrator.add_column("message", "ask_at", BigIntegerField(null=True)))
    db.execute_sql("CREATE INDEX message_grey ON message (carrier, ask_at, sent_at) WHERE status = 'sent'")
