"""Conversations: the thread of the account with each contact."""

from peewee import JOIN, Expression, ModelSelect

from sms.db import from_ms, to_ms
from sms.models import Account, Contact, Conversation, Message, User
from sms.models.message import CARRIED
from sms.refusal import NotFound, Refused
from sms.views.api import pages, shapes
from sms.views.api.frame import LARGEST_ID, Answer, call
from sms.views.api.inputs import ConversationsQuery, ThreadQuery

LATEST = 253_370_764_800_000
"""Milliseconds: 9999-01-01, beyond which no datetime can be made of a cursor."""


@call(
    "GET", "/conversations", "List conversations",
    query=ConversationsQuery, shapes={200: shapes.ConversationPage}, problems=(422,),
)  # fmt: skip
def list_conversations(account: Account, query: ConversationsQuery) -> Answer:
    """All threads of the account, the newest activity first."""
    found = _joined(account)
    if query.status:
        found = found.where(Conversation.status == query.status)
    if query.assignee:
        found = found.where(_of(account, query.assignee))
    if key := pages.decode(query.cursor, "c", 2):
        at, id = from_ms(min(key[0], LATEST)), key[1]
        same = (Conversation.last_activity_at == at) & (Conversation.id < id)
        found = found.where((Conversation.last_activity_at < at) | same)
    newest = found.order_by(Conversation.last_activity_at.desc(), Conversation.id.desc())
    rows = list(newest.limit(query.limit + 1))
    return Answer(200, pages.page(rows, query.limit, "c", _activity, shapes.conversations))


@call(
    "GET", "/conversations/{id}", "Look at a conversation",
    shapes={200: shapes.ConversationShape}, problems=(404,),
)  # fmt: skip
def show_conversation(account: Account, id: int) -> Answer:
    """One thread."""
    return Answer(200, shapes.conversations([_find(account, id)])[0])


@call(
    "GET", "/conversations/{id}/messages", "List the messages of a conversation",
    query=ThreadQuery, shapes={200: shapes.MessagePage}, problems=(404, 422),
)  # fmt: skip
def list_thread(account: Account, id: int, query: ThreadQuery) -> Answer:
    """Messages of one thread, oldest first (`order=desc`: newest first); a scheduled one stands at its time."""
    found = Message.select().where(Message.conversation == _find(account, id), Message.channel.in_(CARRIED))
    descending = query.order == "desc"
    if key := pages.decode(query.cursor, query.order, 2):
        at, last = from_ms(min(key[0], LATEST)), key[1]
        beyond = (Message.at < at) if descending else (Message.at > at)
        within = (Message.id < last) if descending else (Message.id > last)
        found = found.where(beyond | ((Message.at == at) & within))
    order = (Message.at.desc(), Message.id.desc()) if descending else (Message.at, Message.id)
    rows = list(found.order_by(*order).limit(query.limit + 1))
    return Answer(200, pages.page(rows, query.limit, query.order, _place, shapes.messages))


def _joined(account: Account) -> ModelSelect:
    joined = Conversation.select(Conversation, Contact, User).join(Contact).switch(Conversation)
    return joined.join(User, JOIN.LEFT_OUTER).where(Conversation.account == account)


def _of(account: Account, assignee: str) -> Expression:
    """Understand an assignee: nobody, a person's id or e-mail address; raises Refused for nobody of this account."""
    if assignee == "none":
        return Conversation.assignee.is_null()
    if assignee.isascii() and assignee.isdigit():
        meant = User.id == min(int(assignee[:20]), LARGEST_ID)
    else:
        meant = User.email == assignee.strip().lower()
    person = User.get_or_none(meant, User.account == account)
    if person is None:
        raise Refused("assignee", "unknown_person")
    return Conversation.assignee == person


def _find(account: Account, id: int) -> Conversation:
    found = _joined(account).where(Conversation.id == id).first()
    if found is None:
        raise NotFound
    return found  # type: ignore[no-any-return]


def _activity(row: Conversation) -> tuple[int, ...]:
    return to_ms(row.last_activity_at), row.id


def _place(row: Message) -> tuple[int, ...]:
    return to_ms(row.at), row.id
