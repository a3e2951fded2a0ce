"""How fast each carrier may be given texts, kept in the database because all processes together keep to it."""

from peewee import BigIntegerField, CharField

from sms.db import Moment, Table


class Pace(Table):
    """One row a carrier: until when its permits are used up, and whether it has asked for a pause."""

    carrier = CharField(max_length=40, primary_key=True)
    used_until = BigIntegerField(default=0)  # microseconds since 1970 UTC
    slow_until = Moment(null=True)  # it said that we are too fast: nothing before
