"""Figures of the whole installation, right over all its processes: what /metrics shows. Is anything stuck?

Each is read along an index, however many messages there are. Written as SQL: partial indexes serve only literals.
"""

from datetime import timedelta
from typing import NamedTuple

from sms import exchange, health, tally
from sms.carriers.contract import OutcomeKind
from sms.clock import now
from sms.db import from_ms
from sms.health import Standing
from sms.models import Heartbeat
from sms.statements import run
from sms.tally import STEPS, Counted

LANES = {True: "person", False: "machine"}
FRESH = timedelta(seconds=15)
"""A process that has not shown for longer that it lives does not count as one."""
REACHED = ("sent", "delivered", "undelivered", "failed", "unknown", "cancelled")
"""Statuses that are counted as they are reached."""
RESULTS = ("completed", "busy", "no-answer", "failed", "canceled")

_NUMBERS = {
    "scheduled": "status = 'scheduled' AND next_at IS NOT NULL",
    "held": "status = 'scheduled' AND next_at IS NULL",
    "sending": "status = 'sending'",
    "asked": "status = 'unknown' AND lease_until IS NOT NULL",
    "to_check": "status = 'unknown' AND lease_until IS NULL",
}
_QUEUED = """SELECT channel, carrier, priority, COUNT(*), MIN(next_at) FROM message
    WHERE status = 'queued' GROUP BY channel, carrier, priority"""


class Queued(NamedTuple):
    """Messages of one lane that wait for a carrier, and for how many seconds the longest one is overdue (0: not yet due)."""

    carrier: str
    channel: str
    lane: str
    number: int
    oldest_seconds: float


class Kind(NamedTuple):
    """Processes of one kind that live, and how many seconds ago the last of them showed it."""

    name: str
    running: int
    silent_seconds: float


class Histogram(NamedTuple):
    """How often a carrier's answer had an outcome: cumulated by upper limit in seconds, and the seconds in all."""

    carrier: str
    outcome: str
    buckets: list[tuple[str, int]]
    seconds: float


def queued() -> list[Queued]:
    """Return what waits, by carrier, channel and lane; empty lanes of the configured carriers' texts are told as well."""
    lanes = {
        (name, "sms", lane): Queued(name, "sms", lane, 0, 0.0)
        for name in exchange.carriers()
        for lane in LANES.values()
    }
    for channel, carrier, priority, count, next_at in run(_QUEUED).fetchall():
        key = carrier, channel, LANES[priority > 0]
        before = lanes.get(key, Queued(*key, 0, 0.0))
        overdue = max(before.oldest_seconds, (now() - from_ms(next_at)).total_seconds())
        lanes[key] = Queued(*key, before.number + count, overdue)
    return list(lanes.values())


def open_messages() -> dict[str, int]:
    """Return how many messages are not done with, apart from queued ones.

    Of unknown ones, the carrier is `asked` or a person has `to_check`; `held` are duplicates that wait for a person.
    """
    columns = ", ".join(f"(SELECT COUNT(*) FROM message WHERE {where})" for where in _NUMBERS.values())
    return dict(zip(_NUMBERS, run(f"SELECT {columns}").fetchone(), strict=True))


def handed_over() -> list[Histogram]:
    """Return the carriers' answers to texts by outcome, with how long they took; those that never came are told as 0."""
    found: dict[tuple[str, str], list[Counted]] = {
        (name, kind.value): [] for name in exchange.carriers() for kind in OutcomeKind
    }
    for row in tally.counts("attempt"):
        found.setdefault((row.carrier, row.word), []).append(row)
    return [_histogram(carrier, outcome, rows) for (carrier, outcome), rows in found.items()]


def _histogram(carrier: str, outcome: str, rows: list[Counted]) -> Histogram:
    limits = [*(str(limit / 1000) for limit in STEPS), "+Inf"]
    buckets = [(limit, sum(r.number for r in rows if r.step <= step)) for step, limit in enumerate(limits)]
    return Histogram(carrier, outcome, buckets, sum(row.ms for row in rows) / 1000)


def statuses() -> dict[tuple[str, str], int]:
    """Return how many messages have reached a status at a carrier, ever."""
    return _by_word("status", REACHED)


def calls() -> dict[tuple[str, str], int]:
    """Return how many calls to recipients have ended with a result at a carrier, ever."""
    return _by_word("call", RESULTS)


def _by_word(source: str, words: tuple[str, ...]) -> dict[tuple[str, str], int]:
    found = {(name, word): 0 for name in exchange.carriers() for word in words}
    for row in tally.counts(source):
        if row.word in words:
            found[row.carrier, row.word] = found.get((row.carrier, row.word), 0) + row.number
    return found


def standings() -> dict[str, Standing]:
    """Return how each configured carrier stands."""
    known = health.standings()
    return {name: known.get(name, Standing("up", "", 100, None)) for name in exchange.carriers()}


def processes() -> list[Kind]:
    """Return the processes by kind; workers are told even where there has never been one."""
    kinds: dict[str, list[float]] = {"worker": []}
    for beat in Heartbeat.select():
        kinds.setdefault(beat.name.partition(":")[0], []).append((now() - beat.at).total_seconds())
    return [
        Kind(name, sum(age <= FRESH.total_seconds() for age in ages), min(ages, default=float("inf")))
        for name, ages in kinds.items()
    ]


def live_pages() -> int:
    """Return the open pages of all web processes, as each has told with its last heartbeat."""
    beats = Heartbeat.select(Heartbeat.detail).where(
        Heartbeat.name.startswith("web:"), Heartbeat.at > now() - FRESH
    )
    return sum(int(beat.detail) for beat in beats if beat.detail.isdigit())
