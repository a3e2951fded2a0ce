"""The list of the shared inbox: its views, and its rows in a fixed number of queries however many there are."""

import base64
import binascii
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from peewee import JOIN, Expression, fn

from sms import search
from sms.db import from_ms, to_ms
from sms.models import Contact, Conversation, Draft, Label, Labelling, Message, Reading, User
from sms.refusal import NotFound, Refused

VIEWS = ("mine", "open", "all", "unassigned", "pending", "snoozed", "closed", "failed")


@dataclass
class Row:
    """One line of the conversation list, complete: rendering it needs no further query.

    `failed`: the newest outgoing message needs a person; `undelivered`: because of a trouble that may pass.
    """

    id: int
    name: str
    number: str
    preview: str
    preview_kind: str
    preview_author: str
    last_activity_at: datetime
    unread: int
    status: str
    assignee: User | None
    failed: bool
    undelivered: bool
    snoozed_until: datetime | None
    labels: list[Label] = field(default_factory=list)
    draft: str = ""


@dataclass(frozen=True)
class Page:
    """Rows and the cursor of the next page, None on the last."""

    items: list[Row]
    next_cursor: str | None


def _view(view: str, user: User) -> Expression:
    live = Conversation.status == "open"
    return {
        "mine": (Conversation.assignee == user) & live,
        "open": live,
        "unassigned": Conversation.assignee.is_null() & live,
        "pending": Conversation.status == "pending",
        "snoozed": Conversation.status == "snoozed",
        "closed": Conversation.status == "closed",
        "failed": Conversation.failed,
    }[view]


def rows(
    user: User,
    view: str,
    *,
    query: str = "",
    label: int | None = None,
    assignee: int | None = None,
    unread: bool = False,
    cursor: str | None = None,
    limit: int = 50,
    people: Collection[User] | None = None,
) -> Page:
    """Return one page of the list, newest activity first, in four queries (with a search at most six more).

    `people` is everybody of the account, where the caller knows them already: one query less.
    """
    if view not in VIEWS:
        raise NotFound
    unseen = Conversation.incoming - fn.COALESCE(Reading.seen, 0)
    found = (
        Conversation.select(
            Conversation.id, Contact.name, Contact.number, Conversation.preview, Conversation.preview_kind,
            Conversation.last_activity_at, unseen.alias("unread"), Conversation.status,
            Conversation.assignee, Conversation.failed, Conversation.snoozed_until,
            Message.author, Message.status.alias("newest"),
        )
        .join(Contact)
        .join(Reading, JOIN.LEFT_OUTER, src=Conversation, on=_read_by(user))
        .join(Message, JOIN.LEFT_OUTER, src=Conversation, on=(Message.id == Conversation.last_outgoing))
    )  # fmt: skip
    # A search names its rows: `+ 0` keeps SQLite from walking all of the account's instead, for the sake of their order.
    account = Conversation.account + 0 if query.strip() else Conversation.account
    found = found.where(account == user.account_id)
    for condition in _conditions(user, view, query, label, assignee, unread, unseen):
        found = found.where(condition)
    if cursor:
        found = found.where(_after(cursor))
    ordered = found.order_by(Conversation.last_activity_at.desc(), Conversation.id.desc()).limit(limit + 1)
    conversations = list(ordered.namedtuples())
    last = conversations[limit - 1] if len(conversations) > limit else None
    items = _rows(user, conversations[:limit], people)
    return Page(items, _cursor(last.last_activity_at, last.id) if last is not None else None)


def _read_by(user: User) -> Expression:
    return (Reading.conversation == Conversation.id) & (Reading.user == user)


def _conditions(
    user: User, view: str, query: str, label: int | None, assignee: int | None, unread: bool, unseen: Any
) -> list[Expression]:
    conditions: list[Expression] = []
    if not query.strip() and view != "all":
        conditions.append(_view(view, user))
    if query.strip():
        conditions.append(Conversation.id.in_(search.conversations_matching(user.account_id, query) or [0]))
    if label is not None:
        labelled = Labelling.select(Labelling.conversation).where(Labelling.label == label)
        conditions.append(Conversation.id.in_(labelled))
    if assignee is not None:
        conditions.append(Conversation.assignee == assignee)
    if unread:
        conditions.append(unseen > 0)
    return conditions


def _rows(user: User, conversations: list[Any], people: Collection[User] | None) -> list[Row]:
    ids = [c.id for c in conversations] or [0]
    labels: dict[int, list[Label]] = defaultdict(list)
    pairs = (
        Labelling.select(Labelling.conversation, Label)
        .join(Label)
        .where(Labelling.conversation.in_(ids))
        .order_by(Label.name)
    )
    for pair in pairs:
        labels[pair.conversation_id].append(pair.label)
    own_drafts = Draft.select(Draft.conversation, Draft.text).where(
        Draft.user == user, Draft.conversation.in_(ids), Draft.kind == "reply", Draft.text != ""
    )
    drafts = dict(own_drafts.tuples())
    if people is None:
        people = list(User.select().where(User.account == user.account_id))
    names = {u.id: u for u in people}
    return [_row(user, c, labels[c.id], drafts.get(c.id, ""), names) for c in conversations]


def _row(user: User, c: Any, labels: list[Label], draft: str, names: dict[int, User]) -> Row:
    author = names.get(c.author)
    return Row(
        id=c.id,
        name=c.name,
        number=c.number,
        preview=c.preview,
        preview_kind=c.preview_kind,
        preview_author="" if author is None else "you" if author.id == user.id else author.first_name,
        last_activity_at=c.last_activity_at,
        unread=max(0, c.unread),
        status=c.status,
        assignee=names.get(c.assignee),
        failed=c.failed,
        undelivered=c.failed and c.newest == "undelivered",
        snoozed_until=c.snoozed_until,
        labels=labels,
        draft=" ".join(draft.split())[:160],
    )


def _cursor(moment: datetime, row_id: int) -> str:
    return base64.urlsafe_b64encode(f"{to_ms(moment)}-{row_id}".encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> tuple[datetime, int]:
    """Return (moment, id) of a cursor; raises Refused for anything that is none of ours."""
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
        moment, row_id = (int(part) for part in text.split("-"))
        if not 0 <= row_id < 2**63:
            raise ValueError
        return from_ms(moment), row_id
    except (ValueError, binascii.Error, OverflowError, OSError):
        raise Refused("cursor", "bad_cursor") from None


def _after(cursor: str) -> Expression:
    moment, row_id = read_cursor(cursor)
    # The first condition alone is a place in the index; an OR of two would be none.
    earlier = (Conversation.last_activity_at < moment) | (Conversation.id < row_id)
    return (Conversation.last_activity_at <= moment) & earlier
