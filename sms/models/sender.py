"""Senders and templates of an account."""

from peewee import BooleanField, CharField, ForeignKeyField, TextField

from sms.db import Moment, Table
from sms.models.account import Account


class Sender(Table):
    """What the recipient may see instead of a pool number: own virtual number, own mobile, alphanumeric id."""

    account = ForeignKeyField(Account, backref="senders", on_delete="CASCADE")
    kind = CharField(max_length=12)  # virtual | own_mobile | alphanumeric
    value = CharField(max_length=20)  # E.164 or 1-11 letters and digits
    spoken = CharField(max_length=60, default="")  # MUELLER -> Müller
    is_default = BooleanField(default=False)
    created_at = Moment()

    class Meta:
        indexes = ((("account", "value"), True),)


class Template(Table):
    """A text an agent reaches with a slash."""

    account = ForeignKeyField(Account, backref="templates", on_delete="CASCADE")
    name = CharField(max_length=60)
    text = TextField()
    created_at = Moment()

    class Meta:
        indexes = ((("account", "name"), True),)
