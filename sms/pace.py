"""How many texts a carrier may be given now: its rate and its window, over all processes together.

The rate is a token bucket in the form of the generic cell rate algorithm (ITU-T I.371, annex A): one moment a
carrier, until which its permits are used up. Whoever reads it holds its row until the permits are taken, so two
processes never take the same ones, and what is not taken is not lost.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from sms import exchange, health, statements
from sms.db import from_ms, is_sqlite, to_ms

BURST = timedelta(seconds=0.5)
"""So much of the rate may go out at once after a rest; at least one text."""
ASTRAY = timedelta(seconds=10)
"""Permits used up for longer than this, beyond a burst, mean that a clock was put back."""
LONGEST_CALL = timedelta(seconds=25)
"""Longer than a carrier's answer takes (connect 5 s, read 15 s): a place in the window held longer is a dead worker's."""

CROWDED = 0.05
"""Seconds after which to look again where the window is full, be it with other processes' texts."""

_SECOND = 1_000_000


class Room(NamedTuple):
    """How many texts may be claimed now, and the seconds after which there may be room for more."""

    texts: int
    again: float


def room(name: str, most: int, window: int, lease: timedelta, moment: datetime) -> Room:
    """Return how many texts, at most `most`, a carrier may be given now, inside the claiming transaction.

    `window` texts may be with it at once, over all processes; 0 where whoever asks keeps the window itself. A claim
    leases a text for `lease`.
    """
    used_until, slow_until = _held(name)
    if slow_until is not None and slow_until > moment:
        return Room(0, (slow_until - moment).total_seconds())
    free = most
    if window:
        free = min(free, window - _on_their_way(name, moment + lease - LONGEST_CALL))
    if free <= 0:
        return Room(0, CROWDED)
    present, gap = _micro(moment), _gap(name)
    burst = max(gap, int(BURST.total_seconds() * _SECOND))
    if used_until > present + burst + ASTRAY.total_seconds() * _SECOND:
        statements.run("UPDATE pace SET used_until = 0 WHERE carrier = ?", name)
        used_until = 0
    spare = present + burst - max(used_until, present)
    permits = max(0, spare // gap)
    until_next = (gap - spare % gap if permits else gap - spare) / _SECOND
    return Room(min(free, permits), 0.0 if permits > free else until_next)


def take(name: str, texts: int, moment: datetime) -> None:
    """Use up so many permits, inside the transaction that has asked for room."""
    statements.run(
        "UPDATE pace SET used_until = CASE WHEN used_until > ? THEN used_until ELSE ? END + ? WHERE carrier = ?",
        *(_micro(moment), _micro(moment), texts * _gap(name), name),
    )


def slow_down(name: str, until: datetime) -> None:
    """Give a carrier nothing until a moment, in all processes, as it said that we are too fast."""
    _, slow_until = _held(name)
    if slow_until is None or slow_until < until:
        statements.run("UPDATE pace SET slow_until = ? WHERE carrier = ?", to_ms(until), name)


def _held(name: str) -> tuple[int, datetime | None]:
    """Return a carrier's row, kept from all others until the transaction ends; made where there is none."""
    # SQLite's transaction has kept out every other writer since it began.
    sql = "SELECT used_until, slow_until FROM pace WHERE carrier = ?" + ("" if is_sqlite() else " FOR UPDATE")
    row = statements.run(sql, name).fetchone()
    if row is None:
        statements.run("INSERT INTO pace (carrier, used_until) VALUES (?, 0) ON CONFLICT DO NOTHING", name)
        row = statements.run(sql, name).fetchone()
    return row[0], None if row[1] is None else from_ms(row[1])


def _on_their_way(name: str, lease_after: datetime) -> int:
    sql = (
        "SELECT count(*) FROM message "
        "WHERE status = 'sending' AND lease_until > ? AND channel = 'sms' AND carrier = ?"
    )
    return int(statements.run(sql, to_ms(lease_after), name).fetchone()[0])


def _gap(name: str) -> int:
    """Return the microseconds between two texts: by the configured rate and, while it recovers, the carrier's share."""
    config = exchange.current().configs.get(name)
    standing = health.standings().get(name)
    share = 100 if standing is None else min(100, max(1, standing.share))
    return max(1, round(_SECOND * 100 / ((config.rate if config else 1.0) * share)))


def _micro(moment: datetime) -> int:
    return to_ms(moment) * 1000
