"""The tables of surveys: what was set up, the frozen versions, who takes part, what they answered, and counters."""

from peewee import (
    SQL,
    BooleanField,
    CharField,
    CompositeKey,
    DateField,
    ForeignKeyField,
    IntegerField,
    JSONField,
    TextField,
)

from sms.db import Moment, Table
from sms.models import Account, Contact, Conversation, User

STATES = ("draft", "running", "paused", "ended")
OPEN = ("planned", "asking", "paused")
"""States of a run that may still ask something; every other one is final."""


class Survey(Table):
    """A survey as its owner edits it. `draft` is the flow that the next start freezes."""

    account = ForeignKeyField(Account, on_delete="CASCADE", index=False)
    name = CharField(max_length=100)
    sender = CharField(max_length=20, default="")  # own number, E.164; nothing: the pool
    draft = JSONField(default=dict)
    state = CharField(max_length=8, default="draft")
    keyword = CharField(max_length=30, default="")  # folded; who sends it takes part
    trigger = JSONField(null=True)  # {event, days, time}: asked so many days after it, on the wall clock
    quota = IntegerField(default=0)  # after so many finished nobody new is asked; 0: no limit
    ends_at = Moment(null=True)
    version = IntegerField(null=True)  # id of the newest version that was really started
    created_at = Moment()
    updated_at = Moment()
    started_at = Moment(null=True)

    class Meta:
        table_name = "survey"
        indexes = ((("account", "id"), False),)


Survey.add_index(
    Survey.index(
        Survey.account, Survey.keyword, unique=True, where=SQL("keyword <> ''"), name="survey_keyword"
    )
)


class Version(Table):
    """A flow as it was when a survey started; it never changes, and an unchanged flow is the same version."""

    survey = ForeignKeyField(Survey, on_delete="CASCADE", index=False)
    number = IntegerField()
    flow = JSONField()
    digest = CharField(max_length=64)
    created_at = Moment()

    class Meta:
        table_name = "survey_version"
        indexes = ((("survey", "number"), True), (("survey", "digest"), True))


class Start(Table):
    """One start with its progress: `total` people, of whom `asked` got the first question and `skipped` never will."""

    survey = ForeignKeyField(Survey, on_delete="CASCADE")
    version = ForeignKeyField(Version, on_delete="CASCADE", index=False)
    kind = CharField(max_length=8)  # numbers | contacts | api | keyword | event | test
    by = ForeignKeyField(User, null=True, on_delete="SET NULL", index=False)
    at = Moment(null=True)  # the chosen time, None: at once
    total = IntegerField(default=0)
    asked = IntegerField(default=0)
    skipped = IntegerField(default=0)
    created_at = Moment()

    class Meta:
        table_name = "survey_start"

    @property
    def done(self) -> bool:
        """True once nobody of this start waits for the first question any more."""
        return self.asked + self.skipped >= self.total


class LeftOut(Table):
    """A line of a start with which nobody could be asked: what stood there and the code that says why."""

    start = ForeignKeyField(Start, on_delete="CASCADE", index=False)
    line = IntegerField()
    text = CharField(max_length=300)
    number = CharField(max_length=20, default="")  # E.164 where it is one
    code = CharField(max_length=40)
    params = JSONField(null=True)  # what fills the sentence

    class Meta:
        table_name = "survey_left_out"
        indexes = ((("start", "id"), False),)


class Run(Table):
    """One participant of one start: where they stand and when something is to be done about it."""

    survey = ForeignKeyField(Survey, on_delete="CASCADE", index=False)
    version = ForeignKeyField(Version, on_delete="CASCADE", index=False)
    start = ForeignKeyField(Start, on_delete="CASCADE", index=False)
    account = ForeignKeyField(Account, on_delete="CASCADE", index=False)
    contact = ForeignKeyField(Contact, null=True, on_delete="SET NULL")
    conversation = ForeignKeyField(Conversation, null=True, on_delete="SET NULL")
    number = CharField(max_length=20)  # E.164; empty once the person was erased
    occasion = CharField(max_length=60, default="")  # an event's reference: each asks once
    test = BooleanField(default=False)  # counts nowhere
    fields = JSONField(null=True)  # values for placeholders that an event has brought
    state = CharField(
        max_length=9, default="planned"
    )  # planned | asking | paused | finished | ended | opted_out | expired | failed | skipped
    why = CharField(max_length=40, default="")
    question = CharField(max_length=40, default="")  # the one that waits, or that is to be asked when planned
    tries = IntegerField(default=0)
    asked = IntegerField(default=0)  # questions so far
    reminded = IntegerField(default=0)  # reminders of the question that waits
    ours = CharField(max_length=20, default="")
    message = IntegerField(null=True)  # id of the newest message that asks
    due_at = Moment(null=True)  # when to ask (planned), to remind or to give up (asking)
    expires_at = Moment(null=True)
    asked_at = Moment(null=True)  # when the question that waits was asked
    started_at = Moment(null=True)
    answered_at = Moment(null=True)  # the first answer
    ended_at = Moment(null=True)
    created_at = Moment()

    class Meta:
        table_name = "survey_run"
        indexes = ((("account", "number"), False),)


_OPEN = SQL("state IN ('planned', 'asking', 'paused')")
Run.add_index(
    Run.index(Run.state, Run.due_at, where=SQL("state IN ('planned', 'asking')"), name="survey_run_due")
)
Run.add_index(Run.index(Run.start, Run.id, where=SQL("state = 'planned'"), name="survey_run_planned"))
Run.add_index(Run.index(Run.survey, Run.contact, unique=True, where=_OPEN, name="survey_run_open"))
Run.add_index(Run.index(Run.survey, Run.id, name="survey_run_listed"))
# Nobody is asked twice by one start, whatever was pasted; an erased person's number is empty and collides with nobody's.
Run.add_index(
    Run.index(
        Run.start, Run.number, Run.occasion, unique=True, where=SQL("number <> ''"), name="survey_run_once"
    )
)


class Answer(Table):
    """What somebody answered to one question: the words as they came, what was understood, what counts."""

    run = ForeignKeyField(Run, backref="answers", on_delete="CASCADE", index=False)
    version = ForeignKeyField(Version, on_delete="CASCADE", index=False)
    question = CharField(max_length=40)
    raw = TextField()
    understood = TextField(null=True)  # the value as it was read, None: unclear
    value = TextField(null=True)  # what counts: as understood, or as corrected
    why = CharField(max_length=20, default="")
    message = IntegerField(null=True)
    asked_at = Moment(null=True)
    answered_at = Moment()
    corrected_by = ForeignKeyField(User, null=True, on_delete="SET NULL", index=False)
    corrected_at = Moment(null=True)

    class Meta:
        table_name = "survey_answer"
        indexes = (
            (("run", "question"), True),
            (("version", "question", "id"), False),
        )


# Whoever gave one answer is looked for by its beginning: a long text would not fit into PostgreSQL's index.
Answer.add_index(
    Answer.index(Answer.version, Answer.question, SQL("substr(value, 1, 40)"), name="survey_answer_given")
)


class Count(Table):
    """How often something happened on one day of the account: the results page adds these up and reads no answers.

    `name`: for a question asked, answered, unclear or v:VALUE; for the survey itself (question "") sent, answered,
    finished, ended, opted_out, expired, failed, t:BUCKET (time to the first answer).
    """

    version = ForeignKeyField(Version, on_delete="CASCADE", index=False)
    day = DateField()
    question = CharField(max_length=40, default="")
    name = CharField(max_length=80)
    n = IntegerField(default=0)

    class Meta:
        table_name = "survey_count"
        primary_key = CompositeKey("version", "question", "name", "day")


TABLES = (Survey, Version, Start, LeftOut, Run, Answer, Count)
