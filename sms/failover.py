"""Messages that wait for a carrier that takes nothing move to the next one; what may have been taken never does."""

import logging
from collections.abc import Collection, Sequence
from typing import NamedTuple

from peewee import fn

from sms import delivery, exchange, health, queue, routing
from sms.carriers.contract import Outcome, OutcomeKind
from sms.clock import now
from sms.db import database
from sms.models import Call, Message

log = logging.getLogger(__name__)

AT_ONCE = 200
"""Messages a transaction: short enough that nobody waits for it."""
A_SWEEP = 2000
"""Messages looked at in a sweep; the next second brings the next."""
AFTER_ATTEMPTS = 2
"""One that was not taken so often, provably, moves although its carrier seems well."""


class _Group(NamedTuple):
    """Messages that are moved together: of one account, from one sender, at one carrier."""

    account: int
    ours: str
    channel: str
    carrier: str


def sweep() -> None:
    """Move what waits for closed carriers: called every second by every worker."""
    reroute()
    reroute_calls()


def reroute(names: Collection[str] | None = None) -> int:
    """Move queued messages of these carriers (of all closed ones) to others that are better off; returns how many.

    Own numbers wait for their carrier, and so does everything where no other carrier takes messages.
    """
    from_ = _to_leave(names)
    moved = 0
    for name in from_:
        for channel in ("sms", "voice"):
            looked, stay = 0, 0
            while looked < A_SWEEP and (waiting := _waiting(name, channel, stay)):
                now_moved = move(waiting, from_)
                looked, stay = looked + len(waiting), stay + len(waiting) - now_moved
                moved += now_moved
    return moved


def _to_leave(names: Collection[str] | None = None) -> list[str]:
    """Return the carriers that messages are to leave; none where no other would take them."""
    there, closed = set(exchange.carriers()), health.closed()
    # What has once been probed and is configured no more will never take them.
    gone = set(health.standings()) - there
    from_ = gone | (there & closed) if names is None else set(names)
    return [] if there <= closed | from_ else sorted(from_)


def _waiting(name: str, channel: str, skip: int) -> list[Message]:
    """Return the next that are due or are to be tried again, but for those from numbers that live at the carrier."""
    own = [n.number for n in exchange.numbers() if not n.pool]
    return list(
        Message.select()
        .where(Message.status == "queued", Message.channel == channel, Message.carrier == name)
        .where(Message.ours.not_in(own or ["-"]), (Message.next_at <= now()) | (Message.reason != ""))
        .order_by(Message.priority.desc(), Message.next_at, Message.id)
        .limit(AT_ONCE)
        .offset(skip)
    )


def after_outcomes(answers: Sequence[tuple[Message, Outcome]]) -> int:
    """Move what was provably not taken: after a second attempt, or at once from a closed carrier; returns how many.

    For the engine, once the outcomes are written and the messages are queued again.
    """
    refused = [m for m, outcome in answers if outcome.kind in (OutcomeKind.temporary, OutcomeKind.auth)]
    if not refused or len(exchange.carriers()) == 1:
        return 0
    closed = health.closed()
    stuck = [m for m in refused if m.attempts >= AFTER_ATTEMPTS or m.carrier in closed]
    return sum(
        move([m for m in stuck if m.carrier == name], closed | {name}) for name in {m.carrier for m in stuck}
    )


def move(messages: Sequence[Message], avoid: Collection[str]) -> int:
    """Move queued messages away from carriers, in one transaction, as far as others are better off; returns how many."""
    groups: dict[_Group, list[Message]] = {}
    for message in messages:
        key = _Group(message.account_id, message.ours, message.channel, message.carrier)
        groups.setdefault(key, []).append(message)
    with database.atomic():
        moved = sum(_move(group, members, avoid) for group, members in groups.items())
    if moved:
        queue.later("deliver")
        queue.later("make_calls")
    return moved


def _move(group: _Group, members: Sequence[Message], avoid: Collection[str]) -> int:
    theirs = sorted({m.theirs for m in members})
    ways = routing.moved(members[0].account, group.ours, theirs, group.channel, group.carrier, avoid)
    by_way: dict[routing.Way, list[Message]] = {}
    for message in members:
        if (way := ways.get(message.theirs)) is not None:
            by_way.setdefault(way, []).append(message)
    return sum(_take(group.carrier, way, those) for way, those in by_way.items())


def _take(before: str, way: routing.Way, messages: Sequence[Message]) -> int:
    """Give messages another carrier by a guarded UPDATE: one that was claimed meanwhile stays where it is."""
    still = (Message.status == "queued") & (Message.carrier == before)
    ids = Message.id.in_([m.id for m in messages])
    taken = {
        row.id
        for row in Message.update(carrier=way.carrier, ours=way.ours)
        .where(still, ids)
        .returning(Message.id)
        .execute()
    }
    # What was to be tried again later need not wait: that was the other carrier's trouble.
    soon = (Message.reason != "") & (Message.next_at > now())
    Message.update(next_at=now()).where(Message.id.in_(list(taken) or [0]), soon).execute()
    moved = [m for m in messages if m.id in taken]
    _tell(moved, way.carrier)
    log.info("%d messages moved from %s to %s", len(moved), before, way.carrier)
    return len(moved)


def _tell(messages: Sequence[Message], carrier: str) -> None:
    """Write it into each message's history and show it on open pages."""
    for message in messages:
        message.carrier = carrier
    delivery.note_all([(message, f"moved to {carrier}") for message in messages])
    delivery.show_all(messages)


def reroute_calls() -> int:
    """Move calls that are planned, and so certainly have not rung, from closed carriers; returns how many."""
    from_ = _to_leave()
    if not from_:
        return 0
    waiting = Call.select().where(
        Call.status == "planned", Call.ended_at.is_null(), Call.due_at <= now(), Call.carrier.in_(from_)
    )
    return sum(_move_call(call, from_) for call in list(waiting.order_by(Call.due_at).limit(AT_ONCE)))


def _move_call(call: Call, avoid: Collection[str]) -> bool:
    message = call.message
    with database.atomic():
        ways = routing.moved(message.account, call.ours, [call.theirs], "voice", call.carrier, avoid)
        if (way := ways.get(call.theirs)) is None:
            return False
        planned = (Call.id == call.id) & (Call.status == "planned") & (Call.carrier == call.carrier)
        if not Call.update(carrier=way.carrier, ours=way.ours).where(planned).execute():
            return False
        Message.update(carrier=way.carrier, ours=way.ours).where(Message.id == message.id).execute()
        _tell([message], way.carrier)
        queue.later("make_calls")
    return True


def waiting_by_carrier() -> dict[str, int]:
    """Count the messages that wait in the queue, by carrier."""
    counted = Message.select(Message.carrier, fn.COUNT(Message.id)).where(Message.status == "queued")
    return dict(counted.group_by(Message.carrier).tuples())
