"""When the reminders of an appointment go out. Pure: no database, no clock of its own.

A day is a day on the wall clock of the appointment's zone, hours are elapsed time (RFC 5545, 3.3.6). A moment that a
clock change leaves out moves to the next that exists; of two equal wall clock times the first is meant.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from sms import wallclock
from sms.quiet import Span, within

OnQuiet = Literal["earlier", "later", "skip"]
Skipped = Literal["quiet", "too_late", "after_start"]

LONGEST = timedelta(days=366)
_period = re.compile(
    r"P(?:(\d{1,3})W)?(?:(\d{1,4})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,6})M)?(?:(\d{1,8})S)?)?", re.ASCII
)


class BadPeriod(ValueError):
    """A text is no period before an appointment."""


@dataclass(frozen=True)
class Before:
    """How long before an appointment: days on the wall clock, then elapsed time."""

    days: int = 0
    elapsed: timedelta = timedelta()
    at: time | None = None
    """The hour on that day where it is not the appointment's own."""


@dataclass(frozen=True)
class Reminder:
    """One reminder as planned: `moment` in UTC, `moved_from` on the wall clock, or why it does not go out."""

    before: Before
    moment: datetime
    moved_from: datetime | None = None
    skipped: Skipped | None = None


def read_period(text: str) -> Before:
    """Read an ISO 8601 duration in weeks, days and time ("P1D", "PT2H"), at most a year; raises BadPeriod."""
    match = _period.fullmatch(text.strip().upper())
    if match is None or not any(match.groups()):
        raise BadPeriod(text)
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    before = Before(weeks * 7 + days, timedelta(hours=hours, minutes=minutes, seconds=seconds))
    if timedelta(days=before.days) + before.elapsed > LONGEST:
        raise BadPeriod(text)
    return before


def plan(
    start: datetime,
    zone: ZoneInfo,
    rules: Iterable[Before],
    quiet: Span | None = None,
    on_quiet: OnQuiet = "later",
    now: datetime | None = None,
) -> list[Reminder]:
    """Plan the reminders of an appointment at `start` (aware), in the order of the rules.

    What would fall before `now` (aware) is too late, and nothing goes out once the appointment has begun.
    """
    return [
        _in_time(_out_of_quiet(_wished(start, zone, rule), zone, quiet, on_quiet), start, now)
        for rule in rules
    ]


def _wished(start: datetime, zone: ZoneInfo, rule: Before) -> Reminder:
    """Return a rule's own moment; where the clock change leaves it out, the next that exists."""
    local = start.astimezone(zone).replace(tzinfo=None)
    if not rule.days and rule.at is None:
        return Reminder(rule, start.astimezone(UTC) - rule.elapsed)
    wall = local - timedelta(days=rule.days)
    if rule.at is not None:
        wall = datetime.combine(wall.date(), rule.at)
    moment = wallclock.existing(wall, zone)
    moved = moment.astimezone(zone).replace(tzinfo=None) != wall
    return Reminder(rule, moment - rule.elapsed, wall if moved and not rule.elapsed else None)


def _out_of_quiet(reminder: Reminder, zone: ZoneInfo, quiet: Span | None, on_quiet: OnQuiet) -> Reminder:
    local = reminder.moment.astimezone(zone).replace(tzinfo=None)
    if quiet is None or not within(local.time(), quiet):
        return reminder
    if on_quiet == "skip":
        return replace(reminder, skipped="quiet")
    edge = _before(local, quiet[0]) if on_quiet == "earlier" else _after(local, quiet[1])
    return replace(reminder, moment=wallclock.existing(edge, zone), moved_from=reminder.moved_from or local)


def _before(local: datetime, edge: time) -> datetime:
    """Return the last time at or before `local` at which the clock showed `edge`."""
    today = datetime.combine(local.date(), edge)
    return today if today <= local else today - timedelta(days=1)


def _after(local: datetime, edge: time) -> datetime:
    """Return the next time after `local` at which the clock shows `edge`."""
    today = datetime.combine(local.date(), edge)
    return today if today > local else today + timedelta(days=1)


def _in_time(reminder: Reminder, start: datetime, now: datetime | None) -> Reminder:
    if reminder.skipped is not None:
        return reminder
    late = reminder.moment - start
    if late > timedelta() or (not late and reminder.moved_from is not None):
        return replace(reminder, skipped="after_start")
    if now is not None and reminder.moment < now:
        return replace(reminder, skipped="too_late")
    return reminder
