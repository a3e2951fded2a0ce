"""The one thread of an account with a contact, and what each agent has of it."""

from peewee import SQL, BooleanField, CharField, ForeignKeyField, IntegerField, TextField

from sms.db import Moment, Table
from sms.models.account import Account, User
from sms.models.contact import Contact

STATUSES = ("open", "pending", "snoozed", "closed")


class Conversation(Table):
    """One thread. The newest message is kept as a preview, so that the list needs no query a row."""

    account = ForeignKeyField(Account, backref="conversations", on_delete="CASCADE")
    contact = ForeignKeyField(Contact, unique=True, backref="conversation", on_delete="CASCADE")
    status = CharField(max_length=8, default="open")
    assignee = ForeignKeyField(User, null=True, on_delete="SET NULL")
    snoozed_until = Moment(null=True)
    incoming = IntegerField(default=0)  # how many messages came in; unread = incoming - Reading.seen
    seen = IntegerField(default=0)  # the highest of any agent's Reading.seen
    failed = BooleanField(default=False)  # the newest outgoing message needs a person
    preview = CharField(max_length=160, default="")
    preview_kind = CharField(max_length=12, default="")  # in | out | voice | note | a thread event
    last_message = IntegerField(default=0)  # id of the newest text or call, whatever its direction
    last_outgoing = IntegerField(default=0)
    last_activity_at = Moment()
    created_at = Moment()

    class Meta:
        indexes = ((("account", "assignee", "status", "last_activity_at", "id"), False),)

    @property
    def unread_by_all(self) -> int:
        """How many incoming messages no agent has read yet."""
        return max(0, self.incoming - self.seen)


Conversation.add_index(
    Conversation.account, Conversation.status, Conversation.last_activity_at.desc(), Conversation.id.desc()
)
Conversation.add_index(Conversation.account, Conversation.last_activity_at.desc(), Conversation.id.desc())
Conversation.add_index(Conversation.index(Conversation.snoozed_until, where=SQL("status = 'snoozed'")))
_account, _newest = Conversation.account, (Conversation.last_activity_at.desc(), Conversation.id.desc())
# The status stands in the next two though all rows have the same: SQLite takes the index with more of what is asked.
_mine = (Conversation.assignee, Conversation.status, Conversation.last_activity_at, Conversation.id)
_came_in = SQL("status = 'open' AND preview_kind IN ('in', 'voicemail', 'callback', 'call')")
_answered = SQL("status = 'open' AND incoming > 0")
for _index in (
    Conversation.index(_account, *_mine, where=_came_in, name="conversation_waiting"),
    Conversation.index(
        _account,
        Conversation.status,
        *_newest,
        Conversation.incoming,
        where=_answered,
        name="conversation_unread",
    ),
    Conversation.index(_account, *_newest, where=SQL("failed"), name="conversation_failed"),
):
    Conversation.add_index(_index)


class Reading(Table):
    """How far one agent has read one conversation: `seen` of the conversation's `incoming` messages."""

    user = ForeignKeyField(User, on_delete="CASCADE")
    conversation = ForeignKeyField(Conversation, on_delete="CASCADE")
    seen = IntegerField(default=0)
    last_message = IntegerField(default=0)  # the "new" line stands below this message

    class Meta:
        indexes = ((("user", "conversation"), True),)


class Presence(Table):
    """Who has a conversation open and who types; older than its time it means nothing."""

    user = ForeignKeyField(User, on_delete="CASCADE")
    conversation = ForeignKeyField(Conversation, on_delete="CASCADE")
    reading_until = Moment()
    typing_until = Moment()

    class Meta:
        indexes = ((("user", "conversation"), True),)


class Draft(Table):
    """What an agent has typed and not sent, kept on the server so that nothing loses it."""

    user = ForeignKeyField(User, on_delete="CASCADE")
    conversation = ForeignKeyField(Conversation, on_delete="CASCADE")
    kind = CharField(max_length=5)  # reply | note
    text = TextField()
    updated_at = Moment()

    class Meta:
        indexes = ((("user", "conversation", "kind"), True),)


class Label(Table):
    """A word with a dye that agents put on conversations."""

    account = ForeignKeyField(Account, on_delete="CASCADE")
    name = CharField(max_length=40)
    dye = IntegerField(default=1)

    class Meta:
        indexes = ((("account", "name"), True),)


class Labelling(Table):
    """A label on a conversation."""

    conversation = ForeignKeyField(Conversation, on_delete="CASCADE")
    label = ForeignKeyField(Label, on_delete="CASCADE")

    class Meta:
        indexes = ((("conversation", "label"), True),)
