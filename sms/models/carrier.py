"""What is known of a carrier's health: how it stands now, every probe, and how it came to stand so."""

from peewee import BooleanField, CharField, ForeignKeyField, IntegerField

from sms.db import Moment, Table
from sms.models.account import User

STATES = ("up", "degraded", "recovering", "sick", "stopped")
"""What the machine judges; `paused`, a person's word, stands above all of them."""


class CarrierHealth(Table):
    """One row a carrier; all processes read it, and who may do something next is decided by an UPDATE of it."""

    carrier = CharField(max_length=40, primary_key=True)
    state = CharField(max_length=10, default="up")
    reason = CharField(max_length=10, default="")  # probe | errors | slow | auth
    detail = CharField(max_length=200, default="")
    since = Moment()
    until = Moment(null=True)  # stopped: nothing goes out before
    share = IntegerField(default=100)  # recovering: how much of what it could take it is given, in per cent
    paused = BooleanField(default=False)
    paused_by = ForeignKeyField(User, null=True, on_delete="SET NULL", index=False)
    paused_at = Moment(null=True)
    probe_at = Moment(null=True)  # when the next probe is due
    judge_at = Moment(null=True)  # when its health is to be judged next
    try_at = Moment(null=True)  # sick: when one text may be tried next
    grey_at = Moment(null=True)  # when it may be asked next about texts that nobody has reported


class CarrierProbe(Table):
    """One question to a carrier whether it answers and knows us."""

    carrier = CharField(max_length=40)
    at = Moment()
    ok = BooleanField()
    ms = IntegerField()
    detail = CharField(max_length=200, default="")

    class Meta:
        indexes = ((("carrier", "at"), False), (("at",), False))


class CarrierTurn(Table):
    """A carrier came from one state to another."""

    carrier = CharField(max_length=40)
    at = Moment()
    before = CharField(max_length=10)
    after = CharField(max_length=10)
    reason = CharField(max_length=10, default="")
    detail = CharField(max_length=200, default="")
    user = ForeignKeyField(User, null=True, on_delete="SET NULL", index=False)

    class Meta:
        indexes = ((("carrier", "at"), False), (("at",), False))
