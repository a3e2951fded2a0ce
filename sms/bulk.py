"""Accepting messages: one or a hundred thousand are looked at and stored in the same way, a lot at a time.

A lot is one short transaction with the same dozen statements however many messages are in it, so SQLite's one write
lock is never held for long, and a hundred thousand messages need no more memory than one lot.
"""

import json
import secrets
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from peewee import IntegrityError, chunked

from sms import contacts, queue, quota, routing, search, statements, suppression
from sms.checking import Checked, Desk, Wanted
from sms.clock import now
from sms.db import database, from_ms, to_ms
from sms.models import Account, Change, Message, StatusEvent
from sms.models.message import ANSWER, MACHINE, PERSON
from sms.refusal import Conflict, Refused

LOT = 500
"""Messages a transaction: some 25 ms of SQLite's write lock."""
UNDO = timedelta(seconds=5)
"""A direct reply can be taken back for so long."""
DUPLICATE_WITHIN = timedelta(seconds=180)
DUPLICATE = "duplicate"
"""Message.reason of what a machine wanted to say twice: `scheduled` without a time until a person decides."""
PEOPLE = ("agent", "api", "system")
"""Sources that are no module."""
PREVIEW = 160


@dataclass(slots=True)
class Accepted:
    """A message as it was stored: what its row holds, by column; times in milliseconds."""

    wanted: Wanted
    row: Mapping[str, Any]
    detail: str

    @property
    def id(self) -> int:
        return self.row["id"]  # type: ignore[no-any-return]

    @property
    def status(self) -> str:
        return self.row["status"]  # type: ignore[no-any-return]

    def message(self) -> Message:
        """Return the message without asking the database for it."""
        row = self.row
        values = {name: _loaded(name, row[column]) for name, column in _FIELDS if column in row}
        return Message(**values)

    def status_event(self) -> StatusEvent:
        """Return the first entry of its history."""
        row = self.row
        at = from_ms(row["created_at"])
        return StatusEvent(
            message=row["id"], at=at, status=row["status"], carrier=row["carrier"], detail=self.detail
        )


Outcome = Accepted | Refused | Conflict
Within = Callable[[Sequence[Outcome]], None]

_FIELDS = tuple((field.name, field.column_name) for field in Message._meta.sorted_fields)
_MOMENTS = frozenset(("created_at", "at", "next_at", "undo_until"))


def _loaded(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name in _MOMENTS:
        return from_ms(value)
    return json.loads(value) if name == "data" else value


def send_many(
    account: Account, wanted: Iterable[Wanted], within: Within | None = None, lot: int = LOT
) -> Iterator[Outcome]:
    """Accept messages, a lot at a time, and yield for each, in order, what became of it.

    Each lot is committed before its first outcome is yielded. `within` gets the outcomes of a lot inside its
    transaction, to store with them what belongs to them.
    """
    for some in chunked(wanted, lot):
        yield from accept(account, list(some), within)


def accept(account: Account, lot: Sequence[Wanted], within: Within | None = None) -> list[Outcome]:
    """Check and store one lot in one transaction; a message that is refused spoils no other."""
    desk = Desk(account)
    checked = desk.check(lot)
    for last in (False, True):
        try:
            with database.atomic():
                outcomes = _outcomes(desk, checked)
                if within is not None:
                    within(outcomes)
                return outcomes
        except IntegrityError:
            # Somebody has written to us from a number in the lot while its contact was being made.
            if last or database.in_transaction():
                raise
    raise AssertionError("unreachable")


def _outcomes(desk: Desk, checked: Sequence[Checked | Refused]) -> list[Outcome]:
    good = {place: one for place, one in enumerate(checked) if isinstance(one, Checked)}
    stored = _stored(desk, good)
    return [stored.get(place) or one for place, one in enumerate(checked)]  # type: ignore[misc]


def _stored(desk: Desk, lot: dict[int, Checked]) -> dict[int, Outcome]:
    """Store what may be sent; returns by place what became of each."""
    account, outcomes = desk.account, dict[int, Outcome]()
    room = quota.room(account) if any(not one.wanted.exempt for one in lot.values()) else 0
    blocked = suppression.among(account, list(dict.fromkeys(one.their for one in lot.values())))
    threads = _threads(account, lot.values())
    for place, one in lot.items():
        if refusal := _refusal(one, blocked):
            outcomes[place] = refusal
    held = _held(desk, {p: one for p, one in lot.items() if p not in outcomes}, threads)
    outcomes |= _over_quota(desk, {p: one for p, one in lot.items() if p not in outcomes}, held, room)
    left = {place: one for place, one in lot.items() if place not in outcomes}
    ways = _ways(account, left)
    outcomes |= {place: way for place, way in ways.items() if isinstance(way, Refused)}
    sendable = {place: one for place, one in left.items() if place not in outcomes}
    new: dict[str, str] = {}
    for one in sendable.values():
        if one.wanted.conversation is None and one.their not in threads:
            # What a machine begins is nobody's work until somebody answers: the agents' list of open threads stays theirs.
            new.setdefault(one.their, "closed" if one.wanted.automated else "open")
    threads |= contacts.open_threads(account, new)
    written = [
        _row(desk, one, way, threads, place in held)
        for place, one in sendable.items()
        if isinstance(way := ways[place], routing.Way)
    ]
    accepted = _write(account, list(sendable.values()), written)
    if any(costs := _costs(one for place, one in sendable.items() if place not in held)):
        quota.add(account, *costs)
    return outcomes | dict(zip(sendable, accepted, strict=True))


def _threads(account: Account, lot: Collection[Checked]) -> dict[str, int]:
    """Return the conversations that these recipients have, by number; one that is named needs no looking for."""
    unnamed = dict.fromkeys(one.their for one in lot if one.wanted.conversation is None)
    found = contacts.threads(account, unnamed) if unnamed else {}
    return {one.their: one.wanted.conversation.id for one in lot if one.wanted.conversation} | found


def _refusal(one: Checked, blocked: set[str]) -> Refused | Conflict | None:
    if one.their in blocked and not one.wanted.exempt:
        return Refused("to", "opted_out")
    if one.wanted.seen is not None and one.wanted.conversation is not None:
        return _somebody_was_faster(one.wanted)
    return None


def _somebody_was_faster(wanted: Wanted) -> Conflict | None:
    """Return the conflict where a colleague has answered since the agent's page was shown."""
    newer = (
        Message.select()
        .where(
            Message.conversation == wanted.conversation,
            Message.id > wanted.seen,
            Message.direction == "outgoing",
            (Message.author != wanted.by) | Message.author.is_null(),
            Message.status != "cancelled",
            Message.source == "agent",
        )
        .order_by(Message.id.desc())
        .first()
    )
    if newer is None:
        return None
    name = newer.author.name if newer.author else ""
    return Conflict("answered_meanwhile", message=newer.id, name=name)


def machine_made(wanted: Wanted) -> bool:
    """True for what no person has written: automated, or a module's."""
    return (wanted.automated or wanted.source not in PEOPLE) and not wanted.exempt


def _may_repeat(wanted: Wanted) -> bool:
    return wanted.answering or wanted.again


def _held(desk: Desk, lot: Mapping[int, Checked], threads: Mapping[str, int]) -> set[int]:
    """Return the places of messages that a machine says twice: same text, number and source within 180 seconds.

    What counts is when they reach the phone, not when they were asked for: two reminders of different days may read
    the same. What failed or was taken back has not been said.
    """
    machine = {
        place: one for place, one in lot.items() if machine_made(one.wanted) and not _may_repeat(one.wanted)
    }
    if not machine:
        return set()
    times = _said_before(desk, machine, threads)
    held = set()
    for place, one in lot.items():
        said = times.setdefault((one.their, one.wanted.source, one.text), [])
        at = to_ms(one.moment or desk.moment)
        if place in machine and any(abs(at - other) < _APART for other in said):
            held.add(place)
        said.append(at)
    return held


_APART = DUPLICATE_WITHIN // timedelta(milliseconds=1)


def _said_before(
    desk: Desk, machine: Mapping[int, Checked], threads: Mapping[str, int]
) -> dict[tuple[str, str, str], list[int]]:
    """Return when the texts that stand in these threads went or go out, by number, source and text."""
    known = {threads[one.their] for one in machine.values() if one.their in threads}
    if not known:
        return {}
    times = [to_ms(one.moment or desk.moment) for one in machine.values()]
    rows = statements.run(
        "SELECT theirs, source, text, at FROM message "
        f"WHERE {statements.among('conversation_id')} AND at > ? AND at < ? AND direction = 'outgoing' "
        "AND status IN ('scheduled', 'queued', 'sending', 'sent', 'delivered', 'unknown')",
        statements.listed(known), min(times) - _APART, max(times) + _APART,
    )  # fmt: skip
    found: dict[tuple[str, str, str], list[int]] = {}
    for theirs, source, text, at in rows:
        found.setdefault((theirs, source, text), []).append(at)
    return found


def _over_quota(desk: Desk, lot: Mapping[int, Checked], held: set[int], room: int) -> dict[int, Outcome]:
    """Return what the account may not send any more today; what has no way at all takes no room."""
    counting = {p: one for p, one in lot.items() if p not in held and not one.wanted.exempt}
    if sum(_costs(counting.values())) <= room:
        return {}
    with database.atomic() as trial:
        ways = _ways(desk.account, counting)
        trial.rollback()
    refused: dict[int, Outcome] = {}
    for place, one in counting.items():
        cost = sum(_costs([one]))
        if isinstance(way := ways[place], Refused):
            refused[place] = way
        elif cost > room:
            refused[place] = Refused("text", "daily_limit", limit=desk.account.daily_parts)
        else:
            room -= cost
    return refused


def _costs(lot: Iterable[Checked]) -> tuple[int, int]:
    """Return the parts and the calls that count against the day's quota."""
    parts = calls = 0
    for one in lot:
        if not one.wanted.exempt:
            parts += one.parts
            calls += one.channel == "voice"
    return parts, calls


def _ways(account: Account, lot: Mapping[int, Checked]) -> dict[int, routing.Way | Refused]:
    """Find the way of each message; those with the same sender are looked up together."""
    alike: dict[tuple[Any, str], dict[int, str]] = {}
    for place, one in lot.items():
        alike.setdefault((one.sender, one.channel), {})[place] = one.their
    ways: dict[int, routing.Way | Refused] = {}
    for (sender, channel), places in alike.items():
        found = routing.ways(account, sender, list(dict.fromkeys(places.values())), channel == "voice")
        ways |= {place: found[their] for place, their in places.items()}
    return ways


def _row(
    desk: Desk, one: Checked, way: routing.Way, threads: Mapping[str, int], held: bool
) -> dict[str, Any]:
    wanted, moment = one.wanted, to_ms(desk.moment)
    at = moment if one.moment is None else to_ms(one.moment)
    undo = to_ms(desk.moment + UNDO) if wanted.undo and one.moment is None else None
    facts: dict[str, Any] = {}
    if one.channel == "voice" and one.sender.kind == "alphanumeric":
        facts["sender"] = one.sender.value
    if one.moved_from is not None:
        facts |= {"moved_from": to_ms(one.moved_from), "moved_to": at}
    return {
        "account_id": desk.account.id,
        "conversation_id": wanted.conversation.id if wanted.conversation else threads[one.their],
        "direction": "outgoing",
        "channel": one.channel,
        "ours": way.ours,
        "theirs": one.their,
        "carrier": way.carrier,
        "text": one.text,
        "encoding": one.encoding,
        "parts": one.parts,
        "data": json.dumps(facts) if facts else None,
        "status": "queued" if one.moment is None and not held else "scheduled",
        "reason": DUPLICATE if held else "",
        "author_id": wanted.by and wanted.by.id,
        "source": wanted.source,
        "automated": wanted.automated,
        "unless_answered": wanted.unless_answered and one.moment is not None,
        "reference": wanted.reference,
        "priority": MACHINE if wanted.automated else ANSWER if wanted.answering else PERSON,
        "key": new_key(moment),
        "trace": wanted.trace,
        "created_at": moment,
        "at": at,
        "next_at": None if held else undo or at,
        "undo_until": undo,
    }


def new_key(moment: int | None = None) -> str:
    """Make up our own reference for one attempt: 22 URL-safe characters that nobody can guess.

    It begins with the time in milliseconds, so that the keys of one lot lie side by side in their index; 80 bits are
    random.
    """
    time = to_ms(now()) if moment is None else moment
    return f"{time & 0xFFFFFFFF:08x}{secrets.token_urlsafe(10)}"


def _write(account: Account, lot: Sequence[Checked], rows: Sequence[dict[str, Any]]) -> list[Accepted]:
    """Write messages with all that belongs to them: history, list entry, change, a note for the index, the doorbell."""
    if not rows:
        return []
    for row, id in zip(rows, statements.reserve_ids(Message, len(rows)), strict=True):
        row["id"] = id
    details = [_detail(one, row) for one, row in zip(lot, rows, strict=True)]
    statements.insert(Message, rows)
    statements.insert_values(
        StatusEvent,
        ("message_id", "at", "status", "carrier", "detail"),
        [
            (row["id"], row["created_at"], row["status"], row["carrier"], d)
            for row, d in zip(rows, details, strict=True)
        ],
    )
    search.note(row["id"] for row in rows)
    touch((row, row["source"] == "agent") for row in rows)
    statements.insert_values(
        Change,
        ("account_id", "kind", "conversation", "message", "user", "at"),
        [
            (account.id, "message", row["conversation_id"], row["id"], row["author_id"], row["created_at"])
            for row in rows
        ],
    )
    for channel, priority, next_at in dict.fromkeys(
        (row["channel"], row["priority"], row["next_at"]) for row in rows if row["status"] == "queued"
    ):
        ring(channel, priority, from_ms(next_at))
    return [Accepted(one.wanted, row, d) for one, row, d in zip(lot, rows, details, strict=True)]


def _detail(one: Checked, row: Mapping[str, Any]) -> str:
    """Return what a message's history says of its beginning."""
    if row["reason"] == DUPLICATE:
        return "held: the same text went to this number less than 3 minutes ago"
    return "moved out of the quiet hours" if one.moved_from is not None else ""


_PLANNED = "UPDATE conversation SET last_message = ? WHERE id = ?"
_TOUCHED = (
    "UPDATE conversation SET last_message = ?, preview = ?, preview_kind = ?, last_activity_at = ?, last_outgoing = ?, "
    "failed = ?{reopened} WHERE id = ?"
)
_BY_ITSELF = _TOUCHED.format(reopened="")
_BY_A_PERSON = _TOUCHED.format(
    reopened=", status = CASE WHEN status IN ('closed', 'snoozed') THEN 'open' ELSE status END, "
    "snoozed_until = CASE WHEN status IN ('closed', 'snoozed') THEN NULL ELSE snoozed_until END"
)


def touch(rows: Iterable[tuple[Mapping[str, Any], bool]]) -> None:
    """Move conversations to the top with an outgoing message as preview; a future one leaves the order alone.

    Where a person acts in it now (the second of each pair), a conversation does not stay closed or snoozed.
    """
    newest: dict[int, int] = {}
    shown: dict[int, Mapping[str, Any]] = {}
    reopened: set[int] = set()
    for row, acts in rows:
        newest[row["conversation_id"]] = row["id"]
        if row["status"] != "scheduled":
            shown[row["conversation_id"]] = row
            if acts:
                reopened.add(row["conversation_id"])
    planned = [(id, conversation) for conversation, id in newest.items() if conversation not in shown]
    touched: dict[str, list[Sequence[Any]]] = {_BY_ITSELF: [], _BY_A_PERSON: []}
    moment = to_ms(now())
    for conversation, row in shown.items():
        kind = "voice" if row["channel"] == "voice" else "out"
        preview = " ".join(row["text"].split())[:PREVIEW]
        values = (newest[conversation], preview, kind, moment, row["id"], False, conversation)
        touched[_BY_A_PERSON if conversation in reopened else _BY_ITSELF].append(values)
    statements.run_many(_PLANNED, planned)
    for sql, values_of_all in touched.items():
        statements.run_many(sql, values_of_all)


def ring(channel: str, priority: int, next_at: datetime) -> None:
    """Tell the worker that a queued message waits; one with an undo window is rung when that has passed."""
    moment = now()
    queue.later(
        "make_calls" if channel == "voice" else "deliver",
        delay=next_at - moment if next_at > moment else None,
        priority=queue.HIGH if priority else queue.LOW,
    )
