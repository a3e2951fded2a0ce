"""What keeps repeated requests from counting twice, and what was used."""

from peewee import (
    SQL,
    CharField,
    CompositeKey,
    DateField,
    ForeignKeyField,
    IntegerField,
    JSONField,
    TextField,
)

from sms.db import Moment, Table
from sms.models.account import Account


class Idempotency(Table):
    """An integrator's Idempotency-Key with the answer it got; kept for 24 hours."""

    account = ForeignKeyField(Account, on_delete="CASCADE")
    key = CharField(max_length=255)
    digest = CharField(max_length=64)
    status = IntegerField()
    answer = TextField()
    created_at = Moment()

    class Meta:
        indexes = ((("account", "key"), True),)


class Inbound(Table):
    """A carrier's webhook, stored before anything is made of it; unique, so that a replay changes nothing."""

    carrier = CharField(max_length=40)
    kind = CharField(max_length=10)  # text | report | call
    reference = CharField(max_length=120)
    payload = JSONField()
    received_at = Moment()
    handled_at = Moment(null=True)

    class Meta:
        indexes = ((("carrier", "kind", "reference"), True),)


Inbound.add_index(Inbound.index(Inbound.received_at, where=SQL("handled_at IS NULL")))


class Usage(Table):
    """Parts and calls an account has sent on one day of its own zone."""

    account = ForeignKeyField(Account, on_delete="CASCADE")
    day = DateField()
    parts = IntegerField(default=0)
    calls = IntegerField(default=0)

    class Meta:
        primary_key = CompositeKey("account", "day")


class Heartbeat(Table):
    """When a process of a kind last showed that it lives: the truth behind /readyz."""

    name = CharField(max_length=60, primary_key=True)
    at = Moment()
    detail = CharField(max_length=200, default="")


class Expectation(Table):
    """The module that waits for an answer from a contact on one of our numbers: at most one for each pair."""

    account = ForeignKeyField(Account, on_delete="CASCADE")
    ours = CharField(max_length=20)
    theirs = CharField(max_length=20)
    module = CharField(max_length=20)
    subject = CharField(max_length=60)  # the module's own key
    since = Moment()
    until = Moment(null=True)

    class Meta:
        indexes = ((("ours", "theirs"), True), (("theirs",), False))
