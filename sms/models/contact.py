"""Contacts and everything an account knows about a number."""

from peewee import BooleanField, CharField, ForeignKeyField, JSONField

from sms.db import Moment, Table
from sms.models.account import Account


class Contact(Table):
    """A recipient within one account; `number` (E.164) is the one the thread was opened with."""

    account = ForeignKeyField(Account, backref="contacts", on_delete="CASCADE")
    number = CharField(max_length=20)
    name = CharField(max_length=100, default="")
    fields = JSONField(default=dict)
    created_at = Moment()

    class Meta:
        indexes = ((("account", "number"), True),)


class ContactNumber(Table):
    """Every number of a contact, the first one included; a number leads to one contact of an account."""

    account = ForeignKeyField(Account, on_delete="CASCADE")
    contact = ForeignKeyField(Contact, backref="numbers", on_delete="CASCADE")
    number = CharField(max_length=20)
    kind = CharField(max_length=20)
    region = CharField(max_length=2, null=True)

    class Meta:
        indexes = ((("account", "number"), True),)


class Suppression(Table):
    """A number that must not be written to or called by this account; who asked for it and how."""

    account = ForeignKeyField(Account, on_delete="CASCADE")
    number = CharField(max_length=20)
    source = CharField(max_length=20)  # sms | voice | agent | carrier
    word = CharField(max_length=40, default="")
    created_at = Moment()

    class Meta:
        indexes = ((("account", "number"), True),)


class Route(Table):
    """Which account a reply (from `their`, to our pool number `our`) belongs to, and which pool number sticks to a contact."""

    our = CharField(max_length=20)
    their = CharField(max_length=20)
    account = ForeignKeyField(Account, on_delete="CASCADE")
    carrier = CharField(max_length=40)
    current = BooleanField(default=True)
    used_at = Moment()

    class Meta:
        indexes = ((("our", "their"), True), (("account", "their"), False))
