"""The tables of appointments: what stands in the diary, how people are reminded, and each reminder that is due."""

from peewee import SQL, BooleanField, CharField, ForeignKeyField, IntegerField, JSONField, TextField

from sms.db import Moment, Table
from sms.models import Account

STATES = ("open", "confirmed", "declined", "wants_to_move", "cancelled", "no_show", "attended")
REMINDED = ("open", "confirmed", "wants_to_move")
"""States in which a reminder may still go out; `confirmed` only by a rule that reminds always."""


class Scheme(Table):
    """How an account reminds: when (`rules`), with what words, and what follows each answer.

    A rule is {key, before: "P1D"|"PT2H", at: "10:00"|"", channel: sms|voice|both, when: always|open}.
    """

    account = ForeignKeyField(Account, on_delete="CASCADE")
    name = CharField(max_length=100)
    active = BooleanField(default=True)
    sender = CharField(max_length=20, default="")  # own number, E.164; nothing: the pool
    rules = JSONField(default=list)
    text = TextField(default="")
    answers = JSONField(default=dict)  # confirm, cancel, reschedule: {words: [...], text: what is answered}
    cutoff_minutes = IntegerField(
        default=0
    )  # after this long before the start a cancellation is for a person
    quiet = CharField(max_length=11, default="20:00-08:00")
    on_quiet = CharField(max_length=7, default="later")  # earlier | later | skip
    moved_text = TextField(default="")  # to who has been reminded of the old time; nothing: says nothing
    cancelled_text = TextField(default="")
    version = IntegerField(default=1)  # counts changes: reminders planned by an older one are planned anew
    created_at = Moment()
    updated_at = Moment()

    class Meta:
        table_name = "appointment_scheme"


class Appointment(Table):
    """One appointment under the caller's own reference. `start` and `end` are moments, `zone` shows them."""

    account = ForeignKeyField(Account, on_delete="CASCADE", index=False)
    reference = CharField(max_length=200)
    number = CharField(max_length=20, default="")  # E.164; empty: nobody can be reminded
    start = Moment()
    end = Moment(null=True)
    zone = CharField(max_length=64)
    title = CharField(max_length=200, default="")
    fields = JSONField(default=dict)
    state = CharField(max_length=13, default="open")
    state_at = Moment()
    how = CharField(max_length=20, default="")  # what brought it there: reply | key | agent | api | import
    source = CharField(max_length=20, default="")  # form | api | csv | ics
    planned_by = IntegerField(default=0)  # version of the scheme that has planned its reminders
    created_at = Moment()
    moved_at = Moment(null=True)

    class Meta:
        table_name = "appointment"
        indexes = (
            (("account", "reference"), True),
            (("account", "start", "id"), False),
            (("account", "number", "start"), False),
        )


class Reminder(Table):
    """One reminder of one rule for one start time: planned, and looked at again at the moment of sending."""

    appointment = ForeignKeyField(Appointment, backref="reminders", on_delete="CASCADE", index=False)
    rule = CharField(max_length=40)  # the key of the scheme's rule
    start = Moment()  # the start it reminds of: moved appointments are planned anew
    at = Moment()
    moved_from = CharField(max_length=16, default="")  # wall clock, 2026-03-29T02:30
    channel = CharField(max_length=5, default="sms")
    state = CharField(max_length=9, default="planned")  # planned | sent | skipped | missed | cancelled
    reason = CharField(max_length=30, default="")
    message = IntegerField(null=True)
    done_at = Moment(null=True)

    class Meta:
        table_name = "appointment_reminder"
        indexes = ((("appointment", "rule", "start"), True),)


Reminder.add_index(
    Reminder.index(Reminder.at, Reminder.id, where=SQL("state = 'planned'"), name="reminder_due")
)
Reminder.add_index(
    Reminder.index(Reminder.message, where=SQL("message IS NOT NULL"), name="reminder_message")
)


class Choice(Table):
    """A person was asked which of several appointments an answer means: their ids in the order of the question."""

    account = ForeignKeyField(Account, on_delete="CASCADE", index=False)
    number = CharField(max_length=20)
    meaning = CharField(max_length=10)  # confirm | cancel | reschedule
    offered = JSONField()
    at = Moment()

    class Meta:
        table_name = "appointment_choice"
        indexes = ((("account", "number"), True),)


TABLES = (Scheme, Appointment, Reminder, Choice)
