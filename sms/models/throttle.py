"""Counters of attempts, kept in the database because several processes answer the same person."""

from peewee import CharField, IntegerField

from sms.db import Moment, Table


class Throttle(Table):
    """How often something was tried since a window opened; after `until` the row means nothing."""

    key = CharField(max_length=200, primary_key=True)
    count = IntegerField(default=0)
    until = Moment()
