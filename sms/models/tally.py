"""Counts that only grow, kept when the rows that were counted are long gone: what /metrics shows as counters."""

from peewee import BigIntegerField, CharField, IntegerField

from sms.db import Table


class Tally(Table):
    """How many rows of a source said a word at a carrier, and how long they took in all, by length (`step`)."""

    source = CharField(max_length=10)  # attempt | status | call
    carrier = CharField(max_length=40)
    word = CharField(max_length=11)
    step = IntegerField(default=0)
    count = BigIntegerField(default=0)
    ms = BigIntegerField(default=0)

    class Meta:
        indexes = ((("source", "carrier", "word", "step"), True),)


class TallyMark(Table):
    """Up to which place a source's rows are in the tallies: milliseconds, or an id."""

    source = CharField(max_length=10, primary_key=True)
    place = BigIntegerField(default=0)
