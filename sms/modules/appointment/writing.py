"""Appointments written as iCalendar (RFC 5545) by the library that reads them. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event

PRODUCT = "-//Faden//Faden//EN"


@dataclass(frozen=True)
class Written:
    """One event: `start` and `end` are moments shown in `zone`, `stamp` is when it changed last."""

    uid: str
    start: datetime
    end: datetime | None
    zone: ZoneInfo
    summary: str
    status: str  # CONFIRMED | TENTATIVE | CANCELLED
    stamp: datetime
    location: str = ""


def calendar(events: Iterable[Written], name: str = "", refresh: str = "") -> bytes:
    """Return a calendar file; `name` is what programs call it, `refresh` a duration such as PT15M to ask again."""
    made = Calendar()
    made.add("prodid", PRODUCT)
    made.add("version", "2.0")
    made.add("method", "PUBLISH")
    if name:
        made.add("x-wr-calname", name)
    if refresh:
        made.add("x-published-ttl", refresh)
    for one in events:
        made.add_component(_event(one))
    made.add_missing_timezones()
    _set_right(made)
    return made.to_ical()


def _set_right(made: Calendar) -> None:
    """Let zones spring forward at the local time before the change (RFC 5545, 3.6.5): the library names the one after."""
    changes: list[Any] = [part for zone in made.timezones for part in zone.subcomponents]
    for change in changes:
        by = change["TZOFFSETTO"].td - change["TZOFFSETFROM"].td
        if by <= timedelta():
            continue
        change.DTSTART -= by
        if "RDATE" in change:
            later = [one.dt - by for one in change.pop("RDATE").dts]
            change.add("RDATE", later)


def _event(one: Written) -> Event:
    event = Event()
    event.add("uid", one.uid)
    event.add("dtstamp", one.stamp.replace(microsecond=0))
    # Rises with every change: seconds, as programs compare it with what they have.
    event.add("sequence", int(one.stamp.timestamp()) % 2**31)
    event.add("dtstart", _local(one.start, one.zone))
    if one.end is not None and one.end > one.start:
        event.add("dtend", _local(one.end, one.zone))
    event.add("summary", one.summary)
    event.add("status", one.status)
    if one.location:
        event.add("location", one.location)
    return event


def _local(moment: datetime, zone: ZoneInfo) -> datetime:
    """Return a moment on a zone's wall clock; the second of two equal times can only be said in UTC (RFC 5545, 3.3.5)."""
    local = moment.astimezone(zone)
    return moment.astimezone(UTC) if local.fold else local
