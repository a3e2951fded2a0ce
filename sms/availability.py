"""How much of the last 30 days each carrier stood: by its turns (out of order, refusing us), in the time in which it was watched."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from peewee import fn

from sms.clock import now
from sms.db import from_ms, to_ms
from sms.models import CarrierProbe, CarrierTurn

DAYS = 30
"""So many days availability is told for."""
CLOSED = ("sick", "stopped")
HOUR = 3_600_000
A_PROBE = 60_000
"""Milliseconds that one probe says something about: there is at least one a minute."""


class Day(NamedTuple):
    """A day: its probes and how many were answered; milliseconds in which the carrier was watched, and stood of them."""

    day: date
    asked: int = 0
    answered: int = 0
    watched: int = 0
    stood: int = 0

    @property
    def share(self) -> float | None:
        """The availability in per cent; None where nobody watched: Faden did not run, or a person had paused it."""
        return share([self])


class _Span(NamedTuple):
    """A time in which a carrier was in one state; milliseconds since 1970, the end not included."""

    begin: int
    end: int
    state: str


class _Watched(NamedTuple):
    """An hour with probes: how many, how many were answered, and the time from the first to the last."""

    asked: int
    answered: int
    begin: int
    end: int


def days(name: str, zone: str) -> list[Day]:
    """Return the last 30 days of a carrier, oldest first, days of the wall clock in `zone`."""
    local = ZoneInfo(zone)
    today = now().astimezone(local).date()
    first = today - timedelta(days=DAYS - 1)
    since = datetime(first.year, first.month, first.day, tzinfo=local)
    found = {day: Day(day) for day in (first + timedelta(days=n) for n in range(DAYS))}
    spans = _spans(name, to_ms(since))
    for hour in _hours(name, since):
        day = from_ms(hour.begin).astimezone(local).date()
        if day in found:
            found[day] = _with(found[day], hour, spans)
    return list(found.values())


def share(of: Iterable[Day]) -> float | None:
    """Return the availability over some days in per cent, of the time in which it was watched; None without any."""
    listed = list(of)
    watched = sum(day.watched for day in listed)
    return 100 * sum(day.stood for day in listed) / watched if watched else None


def _with(day: Day, hour: _Watched, spans: Sequence[_Span]) -> Day:
    """Return a day with one more hour of it."""
    paused, closed = _common(hour, spans, ("paused",)), _common(hour, spans, CLOSED)
    watched = hour.end - hour.begin - paused
    return Day(
        day.day, day.asked + hour.asked, day.answered + hour.answered,
        day.watched + watched, day.stood + watched - closed,
    )  # fmt: skip


def _common(hour: _Watched, spans: Sequence[_Span], states: Sequence[str]) -> int:
    """Return how much of an hour lies in spans of these states."""
    common, place = 0, bisect_left(spans, hour.begin, key=lambda span: span.end)
    while place < len(spans) and spans[place].begin < hour.end:
        span = spans[place]
        if span.state in states:
            common += max(0, min(span.end, hour.end) - max(span.begin, hour.begin))
        place += 1
    return common


def _spans(name: str, since: int) -> list[_Span]:
    """Return the states of a carrier from a moment to now, as its turns tell them: without any it stands."""
    moment, state, spans = since, "up", []
    for at, after in _turns(name):
        if at > since:
            spans.append(_Span(moment, at, state))
            moment = at
        state = after
    return [*spans, _Span(moment, to_ms(now()), state)]


def _turns(name: str) -> list[tuple[int, str]]:
    rows = CarrierTurn.select(CarrierTurn.at, CarrierTurn.after).where(CarrierTurn.carrier == name)
    return [(to_ms(at), after) for at, after in rows.order_by(CarrierTurn.at, CarrierTurn.id).tuples()]


def _hours(name: str, since: datetime) -> list[_Watched]:
    """Return the hours (of the clock in UTC) in which a carrier was probed."""
    # Written out twice, as PostgreSQL takes two parameters of equal value for two expressions.
    hour = CarrierProbe.at.cast("bigint") / HOUR
    rows = (
        CarrierProbe.select(
            fn.COUNT(CarrierProbe.id),
            fn.SUM(CarrierProbe.ok.cast("integer")),
            fn.MIN(CarrierProbe.at).converter(int),
            fn.MAX(CarrierProbe.at).converter(int),
            hour.alias("hour"),
        )
        .where(CarrierProbe.carrier == name, CarrierProbe.at >= since)
        .group_by(hour.alias("hour"))
        .tuples()
    )
    latest = to_ms(now())
    return [
        _Watched(asked, answered, first, min(last + A_PROBE, (hour + 1) * HOUR, max(latest, last + 1)))
        for asked, answered, first, last, hour in rows
    ]
