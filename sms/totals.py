"""How much stands in each view: counted along an index and up to a limit, so that it costs the same at any size.

An exact count of 100,000 conversations takes milliseconds on every page, and a kept counter would be one row for which
all writers of an account wait. Above the limit a page says "999+". Written as SQL: partial indexes serve only literals.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sms.db import database, from_ms, is_sqlite
from sms.models import User

MOST = 1_000
"""Nothing is counted further; a page shows one less and a plus. Unread are looked for in so many open ones, newest first."""
COUNTED = ("mine", "open", "unassigned", "pending", "snoozed", "failed", "check")


@dataclass(frozen=True)
class Waiting:
    """Open conversations in which the other side spoke last: how many, and the one that waits longest."""

    count: int = 0
    id: int = 0
    name: str = ""
    number: str = ""
    since: datetime | None = None


class Unread(NamedTuple):
    """Open conversations with something this agent has not read: how many, and whether older ones were not looked at."""

    number: int
    more: bool


def counts(user: User) -> dict[str, int]:
    """Return how many stand in each of COUNTED, at most MOST each, in one query."""
    *found, unknown, held = _rows(_COUNTS, user)[0]
    return dict(zip(_TALKS, found, strict=True)) | {"check": min(MOST, unknown + held)}


def unread_total(user: User) -> Unread:
    """Return how many of the MOST newest open conversations this agent has not read to the end."""
    found, looked_at = _rows(f"SELECT {_UNREAD}, {_ANSWERED}", user)[0]
    return Unread(found, looked_at == MOST)


def waiting(user: User) -> Waiting:
    """Return what waits for an answer by this agent or by nobody in particular, at most MOST, in one query."""
    rows = _rows(_WAITING, user)
    if not rows:
        return Waiting()
    mine, nobodys, row_id, since, name, number = rows[0]
    return Waiting(min(MOST, mine + nobodys), row_id, name, number, from_ms(since))


def _rows(sql: str, user: User) -> list[tuple[Any, ...]]:
    marks = (":account", ":person") if is_sqlite() else ("%(account)s", "%(person)s")
    values = {"account": user.account_id, "person": user.id}
    return database.execute_sql(
        sql.replace("ACCOUNT", marks[0]).replace("PERSON", marks[1]), values
    ).fetchall()  # type: ignore[no-any-return]


def _number_of(table: str, where: str) -> str:
    few = f"SELECT 1 FROM {table} WHERE account_id = ACCOUNT AND {where} LIMIT {MOST}"
    return f"(SELECT COUNT(*) FROM ({few}) AS few)"


_TALKS = {
    "mine": "assignee_id = PERSON AND status = 'open'",
    "open": "status = 'open'",
    "unassigned": "assignee_id IS NULL AND status = 'open'",
    "pending": "status = 'pending'",
    "snoozed": "status = 'snoozed'",
    "failed": "failed ORDER BY last_activity_at DESC, id DESC",  # the order of its index, which is taken for that
}
_UNREAD = (
    "(SELECT COUNT(*) FROM (SELECT id, incoming FROM conversation WHERE account_id = ACCOUNT"
    f" AND status = 'open' AND incoming > 0 ORDER BY last_activity_at DESC, id DESC LIMIT {MOST}) AS newest"
    " WHERE incoming > COALESCE("
    "(SELECT seen FROM reading WHERE user_id = PERSON AND conversation_id = newest.id), 0))"
)
_ANSWERED = _number_of("conversation", "status = 'open' AND incoming > 0")
_TO_CHECK = ("status = 'unknown'", "status = 'scheduled' AND next_at IS NULL")
_COUNTS = "SELECT " + ", ".join(
    [
        *(_number_of("conversation", where) for where in _TALKS.values()),
        *(_number_of("message", where) for where in _TO_CHECK),
    ]
)
_CAME_IN = "status = 'open' AND preview_kind IN ('in', 'voicemail', 'callback', 'call')"
_HALVES = [f"assignee_id = PERSON AND {_CAME_IN}", f"assignee_id IS NULL AND {_CAME_IN}"]
_LONGEST = [
    f"SELECT id FROM conversation WHERE account_id = ACCOUNT AND {where} ORDER BY last_activity_at, id LIMIT 1"
    for where in _HALVES
]
_WAITING = (
    f"SELECT {', '.join(_number_of('conversation', where) for where in _HALVES)},"
    " conversation.id, conversation.last_activity_at, contact.name, contact.number"
    " FROM conversation JOIN contact ON contact.id = conversation.contact_id"
    f" WHERE conversation.id IN (({_LONGEST[0]}), ({_LONGEST[1]}))"
    " ORDER BY conversation.last_activity_at, conversation.id LIMIT 1"
)
