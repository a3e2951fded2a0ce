"""The tables of appointments: what stands in the diary, how people are reminded, and each reminder that is due."""

from peewee import SQL, BooleanField, CharField, ForeignKeyField, IntegerField, JSONField, TextField

from sms.db import Moment, Table
from sms.models import Account

STATES = ("open", "confirmed", "declined", "wants_to_move", "cancelled", "no_show", "attended")
REMINDED = ("open", "confirmed", "wants_to_move")
"""States in which a reminder may still go out; `confirmed` only by a rule that reminds always."""
CALL = "+call"
"""What the rule of a call is named with that follows the text of a rule."""


class Scheme(Table):
    """How an account reminds: when (`rules`), with what words, and what follows each answer.

    A rule is {key, before: "P1D"|"PT2H", at: "10:00"|"", channel: sms|voice|both, when: always|open}. `both` is a
    text and, `call_after_minutes` later, a call to whoever has not answered.
    """

    account = ForeignKeyField(Account, on_delete="CASCADE")
    name = CharField(max_length=100)
    active = BooleanField(default=True)
    sender = CharField(max_length=20, default="")  # own number, E.164; nothing: the pool
    rules = JSONField(default=list)
    text = TextField(default="")
    spoken_text = TextField(default="")  # read in a call; nothing: `text` without what asks for a reply
    call_after_minutes = IntegerField(default=30)  # channel `both`
    answers = JSONField(default=dict)  # confirm, cancel, reschedule: {words: [...], text: what is answered}
    cutoff_minutes = IntegerField(
        default=0
    )  # after this long before the start a cancellation is for a person
    quiet = CharField(max_length=11, default="20:00-08:00")
    on_quiet = CharField(max_length=7, default="later")  # earlier | later | skip
    moved_text = TextField(default="")  # to who has been reminded of the old time; nothing: says nothing
    cancelled_text = TextField(default="")
    offer_freed = CharField(max_length=8, default="all")  # all | declined | never: to whom waits for a time
    version = IntegerField(default=1)  # counts changes: reminders planned by an older one are planned anew
    settled = IntegerField(default=0)  # the version by which everything is planned: nothing is looked for
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
    how = CharField(
        max_length=20, default=""
    )  # what brought it there: reply | key | callback | agent | api | import
    answered = CharField(
        max_length=13, default=""
    )  # the last that was said of this time: a state, or nothing
    reminded = BooleanField(default=False)  # a reminder of this time has gone out
    announced = CharField(max_length=10, default="")  # what other modules were told of it: attended | missed
    settles_at = Moment(null=True)  # when what is to be told of it is looked at; nothing: told, or never
    source = CharField(max_length=20, default="")  # form | api | csv | ics | waiting
    planned_by = IntegerField(default=0)  # version of the scheme that has planned its reminders
    created_at = Moment()
    moved_at = Moment(null=True)

    class Meta:
        table_name = "appointment"
        indexes = (
            (("account", "reference"), True),
            # What a month's numbers count is in the index: nothing is read for them but the index.
            (("account", "start", "id", "state", "answered", "reminded"), False),
            (("account", "number", "start"), False),
        )


Appointment.add_index(
    Appointment.index(
        Appointment.settles_at, where=SQL("settles_at IS NOT NULL"), name="appointment_settling"
    )
)


class Reminder(Table):
    """One reminder of one rule for one start time: planned, and looked at again at the moment of sending.

    The call that follows a text nobody has answered is a row of its own, its rule "<key>+call".
    """

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


class Waiting(Table):
    """Somebody who would take a time that becomes free, with the days and hours wished for; `done_at` ends it."""

    account = ForeignKeyField(Account, on_delete="CASCADE", index=False)
    number = CharField(max_length=20)  # E.164, a number that takes texts
    name = CharField(max_length=100, default="")
    days = JSONField(default=list)  # ISO weekdays, 1 is Monday; none: any day
    from_hour = CharField(max_length=5, default="")  # wall clock of the account's zone, 08:00; nothing: any
    until_hour = CharField(max_length=5, default="")  # the time has to begin before
    created_at = Moment()
    done_at = Moment(null=True)

    class Meta:
        table_name = "appointment_waiting"


Waiting.add_index(
    Waiting.index(
        Waiting.account, Waiting.number, unique=True, where=SQL("done_at IS NULL"), name="waiting_number"
    )
)
Waiting.add_index(
    Waiting.index(Waiting.account, Waiting.created_at, where=SQL("done_at IS NULL"), name="waiting_list")
)


class Slot(Table):
    """A time that an appointment has left free: offered to who waits, and given to one of them."""

    account = ForeignKeyField(Account, on_delete="CASCADE", index=False)
    appointment = ForeignKeyField(Appointment, on_delete="CASCADE")
    start = Moment()
    state = CharField(max_length=6, default="open")  # open | given | closed
    given_to = IntegerField(null=True)  # the new appointment
    next_at = Moment()  # looked at again then, while it is open
    created_at = Moment()

    class Meta:
        table_name = "appointment_slot"
        indexes = ((("account", "start"), False),)


Slot.add_index(
    Slot.index(
        Slot.appointment, Slot.start, unique=True, where=SQL("state <> 'closed'"), name="slot_of_appointment"
    )
)
Slot.add_index(Slot.index(Slot.next_at, where=SQL("state = 'open'"), name="slot_due"))


class Offer(Table):
    """A free time offered to one person; at most one of a slot is accepted, at most one of a person is open."""

    slot = ForeignKeyField(Slot, on_delete="CASCADE", index=False)
    waiting = ForeignKeyField(Waiting, on_delete="CASCADE")
    state = CharField(
        max_length=9, default="open"
    )  # open | accepted | declined | expired | taken | withdrawn | failed
    message = IntegerField(null=True)
    until = Moment()  # an answer counts before
    created_at = Moment()
    done_at = Moment(null=True)

    class Meta:
        table_name = "appointment_offer"
        indexes = ((("slot", "waiting"), True),)


Offer.add_index(Offer.index(Offer.slot, unique=True, where=SQL("state = 'accepted'"), name="offer_accepted"))
Offer.add_index(Offer.index(Offer.waiting, unique=True, where=SQL("state = 'open'"), name="offer_open"))
Offer.add_index(Offer.index(Offer.message, where=SQL("message IS NOT NULL"), name="offer_message"))


class Calendar(Table):
    """A calendar that is read from an address again and again, with what its last readings have brought."""

    account = ForeignKeyField(Account, on_delete="CASCADE")
    name = CharField(max_length=100)
    address = TextField()  # https://... or http://...; who knows it can read the calendar
    next_at = Moment()  # read again then
    claimed_until = Moment(null=True)  # a process reads it until then at the latest, and nobody else
    etag = CharField(max_length=200, default="")
    modified = CharField(max_length=100, default="")  # Last-Modified, as it came
    digest = CharField(max_length=64, default="")  # of the bytes that were taken in last
    asked_at = Moment(null=True)
    good_at = Moment(null=True)  # the last answer that was a calendar, or said that nothing is new
    whole_at = Moment(null=True)  # the last time that every event was looked at
    failing_since = Moment(null=True)
    failures = IntegerField(default=0)  # in a row
    fault = CharField(max_length=30, default="")  # the code of its sentence
    facts = JSONField(default=dict)  # what the sentence is filled with
    events = IntegerField(default=0)  # found by the last whole reading, those without a number among them
    unnumbered = IntegerField(default=0)
    changed = IntegerField(default=0)  # new, changed and called off by the last whole reading
    mistakes = JSONField(default=list)  # the first of them: [what, code, params]
    mistaken = IntegerField(default=0)
    renews = BooleanField(default=False)  # its UIDs are new at every reading
    doubted = IntegerField(default=0)  # so many appointments were missing at once, which is not believed yet
    doubted_at = Moment(null=True)
    created_at = Moment()

    class Meta:
        table_name = "appointment_calendar"
        indexes = ((("next_at", "id"), False),)


class Entry(Table):
    """An appointment as a calendar has it: `uid` is its name there now, `seen` what it said when last taken in."""

    calendar = ForeignKeyField(Calendar, on_delete="CASCADE", index=False)
    appointment = ForeignKeyField(Appointment, on_delete="CASCADE")
    uid = CharField(max_length=200)
    seen = CharField(max_length=32, default="")  # a digest; nothing: not in the calendar any more

    class Meta:
        table_name = "appointment_entry"
        indexes = ((("calendar", "uid"), True),)


class Feed(Table):
    """The calendar that an account gives out; its secret address holds `edition`, so another one ends the last."""

    account = ForeignKeyField(Account, on_delete="CASCADE", unique=True)
    edition = IntegerField()
    active = BooleanField(default=True)
    made_at = Moment()
    read_at = Moment(null=True)

    class Meta:
        table_name = "appointment_feed"


class NumberPlace(Table):
    """Where the phone number stands in the events of an account's calendars."""

    account = ForeignKeyField(Account, on_delete="CASCADE", index=False)
    part = CharField(max_length=11)  # anywhere | title | description | location | contact
    word = CharField(max_length=30, default="")  # only what stands behind it on its line

    class Meta:
        table_name = "appointment_number_place"
        indexes = ((("account",), True),)


TABLES = (Scheme, Appointment, Reminder, Choice, NumberPlace, Waiting, Slot, Offer, Calendar, Entry, Feed)
