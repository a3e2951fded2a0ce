"""Counters over everything that ever happened: right over all processes, cheap with millions of rows.

What ended a while ago is added to the table `tally` by whichever worker is first, and never counted again; the newest
is counted when somebody asks. Erasing a person later changes no counter.
"""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from sms.clock import now
from sms.db import database, to_ms
from sms.models import TallyMark
from sms.statements import run

STEPS = (50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 20_000)
"""Upper limits in milliseconds; a step beyond the last has none."""
SETTLED = timedelta(seconds=60)
"""After so long no open transaction can bring another row of that time."""
EVERY, MORE = timedelta(seconds=20), timedelta(seconds=1)
AT_ONCE = 5_000
"""Rows that are added in one transaction: it takes some ten milliseconds."""


_next_at = datetime.min.replace(tzinfo=UTC)


class Counted(NamedTuple):
    """How many rows say a word of a carrier within a step of length, and their milliseconds together."""

    carrier: str
    word: str
    step: int
    number: int
    ms: int


class _Source(NamedTuple):
    table: str
    place: str  # what rises from row to row
    word: str
    ms: str
    only: str
    final: str  # what no later news can change into another word


_SOURCES = {
    "attempt": _Source(
        "attempt",
        "ended_at",
        "outcome",
        "ended_at - started_at",
        "outcome IS NOT NULL",
        "outcome <> 'unknown'",
    ),
    "call": _Source(
        "call", "ended_at", "status", "COALESCE(ended_at - answered_at, 0)", "direction = 'outgoing'", "1 = 1"
    ),
    "status": _Source("status_event", "id", "status", "0", "carrier <> ''", "1 = 1"),
}
_LAST_ENDED = """SELECT MAX(place) FROM (SELECT ended_at AS place FROM {table}
    WHERE ended_at > ? AND ended_at <= ? ORDER BY ended_at LIMIT ?) AS next"""
_LAST_ID = """SELECT MAX(place) FROM (SELECT id AS place, at FROM {table} WHERE id > ? ORDER BY id LIMIT ?) AS next
    WHERE at <= ?"""


def counts(source: str) -> list[Counted]:
    """Return all there is to say of `attempt` (outcomes), `call` (results, seconds of talk) or `status`; not of one moment each."""
    # One statement sees one state of the database: what moves into the table meanwhile is counted once. An unknown
    # outcome may be followed by the answer itself: it waits for the table, as a counter never goes back.
    since = "COALESCE((SELECT place FROM tally_mark WHERE source = ?), 0)"
    rows = run(
        f"""SELECT carrier, word, step, SUM(count), SUM(ms) FROM (
            SELECT carrier, word, step, count, ms FROM tally WHERE source = ?
            UNION ALL {_grouped(source, f"{{place}} > {since} AND {_SOURCES[source].final}")}) AS together GROUP BY 1, 2, 3""",
        source,
        source,
    ).fetchall()
    return [Counted(carrier, word, step, int(count), int(ms)) for carrier, word, step, count, ms in rows]


def sweep() -> None:
    """Add up now and then; every worker does, and whichever is first has it."""
    global _next_at
    if now() >= _next_at:
        _next_at = now() + (MORE if add_up() else EVERY)


def add_up() -> bool:
    """Add some rows of each source that have ended a while ago to the table; True where there are more."""
    return max([_add(source) for source in _SOURCES]) >= AT_ONCE


def _add(source: str) -> int:
    mark, _ = TallyMark.get_or_create(source=source)
    place = _next_place(source, mark.place)
    if place is None:
        return 0
    with database.atomic():
        mine = (TallyMark.source == source) & (TallyMark.place == mark.place)
        if not TallyMark.update(place=place).where(mine).execute():
            return 0  # another worker was faster
        rows = run(_grouped(source, "{place} > ? AND {place} <= ?"), mark.place, place).fetchall()
        for carrier, word, step, count, ms in rows:
            run(
                """INSERT INTO tally (source, carrier, word, step, count, ms) VALUES (?, ?, ?, ?, ?, ?)
                ON CONFLICT (source, carrier, word, step)
                DO UPDATE SET count = tally.count + excluded.count, ms = tally.ms + excluded.ms""",
                *(source, carrier, word, step, count, ms),
            )
    return sum(row[3] for row in rows)


def _next_place(source: str, after: int) -> int | None:
    before = to_ms(now() - SETTLED)
    table, place, *_ = _SOURCES[source]
    if place == "id":
        found = run(_LAST_ID.format(table=table), after, AT_ONCE, before)
    else:
        found = run(_LAST_ENDED.format(table=table), after, before, AT_ONCE)
    return found.fetchone()[0]  # type: ignore[no-any-return]


def _grouped(source: str, where: str) -> str:
    table, place, word, ms, only, _ = _SOURCES[source]
    steps = " ".join(f"WHEN {ms} <= {limit} THEN {step}" for step, limit in enumerate(STEPS))
    return f"""SELECT carrier, {word} AS word, CASE {steps} ELSE {len(STEPS)} END AS step, COUNT(*) AS count,
        SUM({ms}) AS ms FROM {table} WHERE {where.format(place=place)} AND {only} GROUP BY 1, 2, 3"""
