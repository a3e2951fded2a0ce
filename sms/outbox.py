"""The outbox: due texts are claimed with their attempt, in one transaction; then each is handed to its carrier.

The row is the truth and the queue a nudge: whatever dies in between leaves a row in a state from which `sweep`
moves it on. Who calls `claim`, `hand_over` and `delivery.settle_all` in turn is in `pump`.
"""

import json
import logging
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from peewee import BooleanField, JSONField

from sms import (
    delivery,
    exchange,
    health,
    logbook,
    pace,
    queue,
    quiet,
    sending,
    statements,
    suppression,
    unknown,
)
from sms.carriers.contract import Carrier, Outcome, OutcomeKind, Reason
from sms.clock import now
from sms.db import Moment, database, is_sqlite, to_ms
from sms.models import Account, Attempt, Message
from sms.models.message import LANES
from sms.refusal import Conflict, Refused
from sms.statements import among, listed

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)
"""Longer than any carrier call may take, with the wait for it: after it, whoever claimed the row is gone."""
FRESH = timedelta(seconds=10)
"""A text that was claimed longer ago is not handed over any more: its lease might end during the call."""
HELD_AT_ONCE = 200
"""Texts looked at in one transaction where the first ones may not leave."""
RELEASED_A_SECOND, RELEASED_AT_ONCE = 500, 25
"""Planned messages released by one sweep, and in one transaction."""

NOT_HANDED_OVER = Outcome(OutcomeKind.throttled, detail="not handed over in time", retry_after=0.001)

_COLUMNS = ", ".join(f"m.{field.column_name}" for field in Message._meta.sorted_fields)
_DUE = f"""
SELECT {_COLUMNS}, m.source <> 'system' AND EXISTS (
    SELECT 1 FROM suppression s WHERE s.account_id = m.account_id AND s.number = m.theirs
) FROM message m
WHERE m.status = 'queued' AND m.channel = 'sms' AND m.carrier = ? AND m.priority = ? AND m.next_at <= ?
ORDER BY m.next_at, m.id LIMIT ?
"""
_FIELDS = tuple(field.name for field in Message._meta.sorted_fields)
_READERS = tuple(
    (field.name, field.python_value)
    for field in Message._meta.sorted_fields
    if isinstance(field, BooleanField | JSONField | Moment)
)


class Claimed(NamedTuple):
    """The texts that whoever asked has to hand over now."""

    texts: list[Message]
    again: float | None
    """Seconds after which to ask for more; None where nothing more is due."""


class Due(NamedTuple):
    """A text whose time has come, and whether its recipient has opted out meanwhile."""

    message: Message
    blocked: bool


NOTHING = Claimed([], None)


def is_waiting(name: str, moment: datetime) -> bool:
    """True while a carrier has texts that are due."""
    sql = (
        "SELECT 1 FROM message WHERE status = 'queued' AND channel = 'sms' AND carrier = ? AND priority = ? "
        "AND next_at <= ? LIMIT 1"
    )
    return any(statements.run(sql, name, lane, to_ms(moment)).fetchone() for lane in LANES)


def claim(name: str, most: int, window: int = 0) -> Claimed:
    """Claim at most so many of a carrier's due texts, a person's first: queued -> sending, each with its attempt.

    `window` texts may be with the carrier over all processes; 0 where whoever asks keeps to it. What may not leave
    (opted out, quiet hours) is written down as such.
    """
    moment = now()
    if most <= 0 or not is_waiting(name, moment):
        return NOTHING
    if name in health.closed():
        if not health.may_try(name):
            return NOTHING
        most = 1
    look = 0
    while True:
        with database.atomic():
            room = pace.room(name, most, window, LEASE, moment)
            if not room.texts:
                return Claimed([], room.again)
            wanted = max(look, room.texts)
            due = _due(name, moment, wanted)
            ready = _hold_back(due, moment)[: room.texts]
            if ready:
                _take(ready, moment)
                pace.take(name, len(ready), moment)
        if ready or not due:
            return Claimed(ready, room.again if len(due) == wanted else None)
        look = HELD_AT_ONCE


def _due(name: str, moment: datetime, most: int) -> list[Due]:
    sql = _DUE if is_sqlite() else f"{_DUE} FOR UPDATE OF m SKIP LOCKED"
    due: list[Due] = []
    for lane in LANES:
        if len(due) < most:
            rows = statements.run(sql, name, lane, to_ms(moment), most - len(due)).fetchall()
            due += [Due(_message(row), bool(row[-1])) for row in rows]
    return due


def _message(row: Sequence[Any]) -> Message:
    """Make a message of its columns: what peewee does, for a seventh of the time."""
    message = Message(__no_default__=True)
    message.__data__ = dict(zip(_FIELDS, row, strict=False))
    for name, read in _READERS:
        message.__data__[name] = read(message.__data__[name])
    return message


def _hold_back(due: Iterable[Due], moment: datetime) -> list[Message]:
    """Let the texts fail whose recipients have opted out, move a machine's out of the quiet hours; return the others."""
    blocked = [message for message, is_blocked in due if is_blocked]
    for message in blocked:
        if message.advance("failed", reason="opted_out", error="opted out meanwhile"):
            delivery.tell(message, "opted out meanwhile")
    return keep_to_the_day([message for message, is_blocked in due if not is_blocked], moment)


def keep_to_the_day(due: Sequence[Message], moment: datetime) -> list[Message]:
    """Move a machine's messages that come due in the quiet hours (a backlog, a retry) to their end; return the others.

    In a transaction in which nobody else can have them.
    """
    machines = [message for message in due if message.automated]
    if not machines:
        return list(due)
    accounts = {a.id: a for a in Account.select().where(Account.id.in_({m.account_id for m in machines}))}
    days: dict[tuple[int, str, str], datetime] = {}
    later: dict[int, tuple[Message, datetime]] = {}
    for message in machines:
        account = accounts[message.account_id]
        zone = quiet.zone_of(message.theirs, account)
        kind = account.id, message.channel, zone.key
        if kind not in days:
            days[kind] = quiet.allowed_in(account, message.channel, zone, moment)
        if days[kind] > moment:
            later[message.id] = message, days[kind]
    _move(list(later.values()), moment)
    return [message for message in due if message.id not in later]


def _move(later: Sequence[tuple[Message, datetime]], moment: datetime) -> None:
    if not later:
        return
    for message, day in later:
        moved = {"moved_from": to_ms(moment), "moved_to": to_ms(day)}
        message.next_at, message.data = day, {**(message.data or {}), **moved}
    statements.run_many(
        "UPDATE message SET next_at = ?, data = ? WHERE id = ?",
        [(to_ms(day), json.dumps(message.data), message.id) for message, day in later],
    )
    delivery.note_all([(message, "moved out of the quiet hours") for message, _ in later])
    delivery.show_all(message for message, _ in later)


def _take(messages: Sequence[Message], moment: datetime) -> None:
    """Claim texts that nobody else can have, and write their attempts before the calls."""
    lease = moment + LEASE
    statements.run(
        "UPDATE message SET status = 'sending', lease_until = ?, attempts = attempts + 1, undo_until = NULL "
        f"WHERE {among('id')}",
        to_ms(lease),
        listed(message.id for message in messages),
    )
    _give_new_keys(messages)
    started = to_ms(moment)
    statements.insert(
        Attempt,
        [{"message_id": m.id, "key": m.key, "carrier": m.carrier, "started_at": started} for m in messages],
    )
    changed = [message for message in messages if _looks_different(message)]
    for message in messages:
        message.status, message.lease_until, message.undo_until = "sending", lease, None
        message.attempts += 1
    delivery.note_all([(message, "") for message in messages])
    delivery.show_all(changed)


def _give_new_keys(messages: Sequence[Message]) -> None:
    """Every attempt has a key of its own, so that a late report finds the right one."""
    keys = listed(message.key for message in messages)
    used = {row[0] for row in statements.run(f"SELECT key FROM attempt WHERE {among('key')}", keys)}
    again = [message for message in messages if message.key in used]
    for message in again:
        message.key = sending.new_key()
    statements.run_many("UPDATE message SET key = ? WHERE id = ?", [(m.key, m.id) for m in again])


def _looks_different(message: Message) -> bool:
    """True where an open page shows more of a waiting message than that it is being sent: an undo, a later time."""
    return bool(message.undo_until or message.attempts or "moved_from" in (message.data or {}))


def hand_over(carrier: Carrier, message: Message) -> Outcome:
    """Hand one claimed text to its carrier and return what it says; needs no database, and raises nothing."""
    with logbook.tracing(message.trace):
        if now() > message.lease_until - LEASE + FRESH:
            return NOT_HANDED_OVER
        try:
            outcome = carrier.send_text(delivery.outgoing(message))
        except Exception as error:
            # An exception that an adapter does not map may have happened after the carrier took the message.
            log.exception("carrier %s raised on message %s", carrier.name, message.id)
            outcome = Outcome(OutcomeKind.unknown, detail=type(error).__name__)
        log.info("message %s, %s: %s", message.id, carrier.name, outcome.kind.value)
        return outcome


def sweep() -> None:
    """Move on, by state, whatever a dead process or the time itself has left: called every second, idempotent."""
    moment = now()
    _release_scheduled(moment)
    _find_abandoned(moment)
    if any(
        is_waiting(name, moment) for name, carrier in exchange.carriers().items() if not carrier.own_process
    ):
        queue.later("deliver")
    if unknown.to_ask_about(moment).exists():
        queue.later("ask_carriers", priority=queue.LOW)


def _release_scheduled(moment: datetime) -> None:
    due = (
        Message.select()
        .where(Message.status == "scheduled", Message.next_at <= moment)
        .order_by(Message.priority.desc(), Message.next_at)
        .limit(RELEASED_A_SECOND)
    )
    waiting = list(due)
    for start in range(0, len(waiting), RELEASED_AT_ONCE):
        with database.atomic():
            for message in waiting[start : start + RELEASED_AT_ONCE]:
                _try_to_release(message)


def _try_to_release(message: Message) -> None:
    try:
        with database.atomic():
            _release(message)
    except Conflict:
        return  # another worker or a person was faster
    except Refused as refusal:
        if message.advance("failed", reason=Reason.setup.value, error=refusal.code):
            delivery.tell(message, refusal.code)


def _release(message: Message) -> None:
    if not suppression.is_suppressed(message.account_id, message.theirs):
        sending.release(message)
    elif message.withdraw(now(), "opted_out"):
        delivery.tell(message, "opted out meanwhile")


def _find_abandoned(moment: datetime) -> None:
    """A text whose worker died may be with the carrier or not: its outcome is unknown, never simply resent."""
    lost = Message.select().where(
        Message.status == "sending", Message.channel == "sms", Message.lease_until <= moment
    )
    for message in list(lost):
        delivery.settle(message, Outcome(OutcomeKind.unknown, detail="the worker ended during the call"))
