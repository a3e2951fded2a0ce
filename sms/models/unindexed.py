"""What the text index does not know yet."""

from peewee import IntegerField

from sms.db import Table


class Unindexed(Table):
    """A row that waits to be indexed: a message id, or minus a contact id."""

    entry = IntegerField(primary_key=True)
