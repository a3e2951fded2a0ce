"""Appointments out of an iCalendar file (RFC 5545): recurrence, exceptions, cancelled ones, all-day, time zones. Pure."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from hashlib import sha256
from itertools import islice
from math import prod
from time import thread_time
from typing import Any
from zoneinfo import ZoneInfo

from dateutil.rrule import rrule, rrulestr
from icalendar import Calendar
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from sms.modules.appointment.found import (
    LONGEST_REFERENCE,
    Found,
    Mistake,
    NumberRule,
    Reading,
    number_in,
    one_line,
)

MOST_OF_ONE = 2_000
"""Occurrences of one series: every day for five years."""
MOST_A_DAY = 24
"""Times of day of one rule: a rule may name 86,400 in one line."""
MOST_SECONDS = 20.0
"""Of the processor's time: 20,000 appointments need seven."""
TOO_OFTEN = ("SECONDLY", "MINUTELY", "HOURLY")
FAR_AHEAD = timedelta(days=366)
"""So far a series without end is followed where nobody says until when."""
LONG_AGO = datetime(1970, 1, 2, tzinfo=UTC)
PARTS = {
    "anywhere": ("X-PHONE", "X-TELEPHONE", "SUMMARY", "DESCRIPTION", "CONTACT", "ATTENDEE"),
    "title": ("SUMMARY",),
    "description": ("DESCRIPTION",),
    "location": ("LOCATION",),
    "contact": ("CONTACT", "ATTENDEE", "X-PHONE", "X-TELEPHONE"),
}
"""Properties in which a phone number is looked for by each choice, in this order."""
MOST_LOOKED_AT = 200_000
"""Steps of a rule that are taken to come to the time in question: every day for centuries."""
_folded = re.compile(rb"\r?\n[ \t]")  # in bytes: a line may be folded in the middle of a letter
_no_value = re.compile(
    r"^(?:RRULE|RDATE|EXDATE|EXRULE|DTEND|DURATION|RECURRENCE-ID)(?:;[^:\r\n]*)?:[ \t]*\r?\n",
    re.M | re.I,
)
_zone_beside_utc = re.compile(
    r"^((?:DTSTART|DTEND|EXDATE|RDATE|RECURRENCE-ID)[^:\r\n]*?);TZID=(?:\"[^\"\r\n]*\"|[^:;\"\r\n]*)(:\d{8}T\d{6}Z)",
    re.M | re.I,
)

Event = Any
"""A component of icalendar, which has no types of its own for what is in it."""
FindNumber = Callable[[Event], tuple[str | None, str]]


class NotACalendar(ValueError):
    """The bytes are no iCalendar file: a web page, a table, or a broken one."""


class TooMany(NotACalendar):
    """There are more occurrences than the caller takes."""


class TooHard(NotACalendar):
    """Working the file out takes longer than any real calendar does."""


class _Refused(Exception):
    """One event cannot be taken."""

    def __init__(self, mistake: Mistake) -> None:
        super().__init__(mistake.code)
        self.mistake = mistake


def read(
    data: bytes,
    zone: ZoneInfo,
    now: datetime,
    region: str = "DE",
    since: datetime | None = None,
    until: datetime | None = None,
    most: int | None = None,
    rule: NumberRule = NumberRule(),  # noqa: B008 - frozen
) -> Reading:
    """Return every occurrence that starts from `since` to before `until` (aware), in the order of time.

    `zone` is meant where the file names none; without `until` a series is followed for a year from `now`. An event
    that cannot be read is a mistake and spoils no other. Raises NotACalendar: TooMany for more than `most`, TooHard.
    """
    enough = thread_time() + MOST_SECONDS

    def find(event: Event) -> tuple[str | None, str]:
        texts = (str(value) for name in PARTS[rule.part] for value in _values(event, name))
        return number_in((text.removeprefix("tel:") for text in texts), region, rule.word)

    first = since or LONG_AGO
    last = until or max(now, first) + FAR_AHEAD
    found: list[Found] = []
    mistakes: list[Mistake] = []
    over = 0
    for calendar in _parse(data):
        place = _own_zone(calendar, zone)
        cancelled = str(calendar.get("METHOD", "")).upper() == "CANCEL"
        for uid, events in _by_uid(calendar).items():
            try:
                ones = _of_one(uid, events, cancelled, place, find, first, last)
                over += not ones and _is_over(events, place, first)
            except _Refused as refused:
                mistakes.append(refused.mistake)
            except Exception:  # whatever a library makes of a broken event, it is that event's
                mistakes.append(Mistake(uid, "bad_event"))
            else:
                open_end = until is None and len(ones) == 1  # a single one may be later than a year ahead
                found += [one for one in ones if first <= one.start and (one.start < last or open_end)]
            if most is not None and len(found) > most:
                raise TooMany
            if thread_time() > enough:
                raise TooHard
    found.sort(key=lambda one: (one.start, one.reference))
    mistakes += [
        Mistake(one.reference, one.unusable or "without_number")
        for one in found
        if not one.number and not one.cancelled
    ]
    return Reading(found, mistakes, over)


def _is_over(events: list[Event], zone: ZoneInfo, first: datetime) -> bool:
    starts = (event["DTSTART"].dt for event in events)
    return all(_moment(start, _zone(start, zone)) < first for start in starts)


def _of_one(
    uid: str,
    events: list[Event],
    cancelled: bool,
    zone: ZoneInfo,
    find: FindNumber,
    first: datetime,
    last: datetime,
) -> list[Found]:
    if any("DTSTART" not in event for event in events):
        raise _Refused(Mistake(uid, "no_start"))
    master, changed = _newest(events)
    if master is not None and not changed and not _repeats(master):
        start = master["DTSTART"].dt
        place = _zone(start, zone)
        moment = _moment(start, place)
        if moment < first:  # calendars go back for years: what is over is not looked through for numbers
            return []
        return [_found(uid[:LONGEST_REFERENCE], master, moment, place, find, cancelled)]
    found = [
        _found(_reference(uid, one), one.event, one.start, one.zone, find, cancelled)
        for one in islice(_occurrences(uid, master, changed, zone, first, last), MOST_OF_ONE + 1)
    ]
    if len(found) > MOST_OF_ONE:
        raise _too_many(uid)
    return found


def _parse(data: bytes) -> list[Event]:
    text = data.removeprefix(b"\xef\xbb\xbf").lstrip()
    # A file that breaks off in the middle would look like many cancelled appointments.
    if not text[:15].upper() == b"BEGIN:VCALENDAR" or not text.rstrip()[-13:].upper() == b"END:VCALENDAR":
        raise NotACalendar
    try:
        return list(Calendar.from_ical(_repaired(_utf8(_folded.sub(b"", text))), multiple=True))
    except (
        Exception
    ) as error:  # the library raises ValueError, KeyError, IndexError and others for broken files
        raise NotACalendar from error


def _utf8(text: bytes) -> str:
    """Decode as RFC 5545 demands; old exports come in the code page of Western Windows."""
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        return text.decode("cp1252", "replace")


def _by_uid(calendar: Event) -> dict[str, list[Event]]:
    """Return the events under their UID; one without gets one made of what it says."""
    events: dict[str, list[Event]] = defaultdict(list)
    for event in calendar.walk("VEVENT"):
        events[str(event.get("UID", "")).strip() or _made_up(event)].append(event)
    return events


def _made_up(event: Event) -> str:
    starts = b"".join(start.to_ical() for start in _values(event, "DTSTART")).decode()
    says = f"{event.get('SUMMARY', '')}|{starts}"
    return f"{sha256(says.encode()).hexdigest()[:24]}@made-up"


def _repaired(text: str) -> str:
    """Return a file without what programs write and the RFC has no meaning for: no value, a zone beside UTC."""
    return _zone_beside_utc.sub(r"\1\2", _no_value.sub("", text))


def _own_zone(calendar: Event, usual: ZoneInfo) -> ZoneInfo:
    """Return the zone that a calendar names for itself (X-WR-TIMEZONE), else the usual one."""
    name = str(calendar.get("X-WR-TIMEZONE", "")).strip().strip('"')
    try:
        return ZoneInfo(WINDOWS_TO_OLSON.get(name, name)) if name else usual
    except (KeyError, OSError, ValueError):  # a name that is unknown, a folder, or a path
        return usual


def _repeats(event: Event) -> bool:
    return "RRULE" in event or "RDATE" in event


def _newest(events: list[Event]) -> tuple[Event | None, list[Event]]:
    """Return the newest version of what a UID is, and the newest of each single occurrence that is changed."""
    versions: dict[Any, Event] = {}
    for event in events:
        key = event["RECURRENCE-ID"].dt if "RECURRENCE-ID" in event else None
        if key not in versions or _version(event) >= _version(versions[key]):
            versions[key] = event
    return versions.pop(None, None), list(versions.values())


def _version(event: Event) -> tuple[int, float]:
    """Return what tells versions apart (RFC 5546, 2.1.5): the sequence, then when it was written."""
    stamp = getattr(event.get("DTSTAMP"), "dt", None)
    return int(event.get("SEQUENCE", 0)), stamp.timestamp() if isinstance(stamp, datetime) else 0.0


@dataclass(frozen=True)
class _Occurrence:
    """One of a series: what it says, its start (UTC), the zone to show it in, and the moment the series has it at."""

    event: Event
    start: datetime
    zone: ZoneInfo
    original: datetime


def _occurrences(
    uid: str, master: Event | None, changed: list[Event], zone: ZoneInfo, first: datetime, last: datetime
) -> Iterator[_Occurrence]:
    """Yield what of a series starts from `first` to before `last`.

    Everything is compared on the wall clock of the series: so a date that is left out or changed means one
    occurrence, in whatever zone it is written.
    """
    start = (changed[0] if master is None else master)["DTSTART"].dt
    place, clock = _zone(start, zone), _clock(start, zone)
    by_wall = {_wall(event["RECURRENCE-ID"].dt, clock): event for event in changed}
    left_out = set() if master is None else _left_out(master, clock)
    for wall, event in by_wall.items():
        own = event["DTSTART"].dt
        moment = _moment(own, _zone(own, zone))
        if first <= moment < last and not {wall, wall.date()} & left_out:
            yield _Occurrence(event, moment, _zone(own, zone), _moment(wall, clock))
    if master is None:
        return
    onwards = {wall: event for wall, event in by_wall.items() if _is_for_all_later(event)}
    for wall in _recurrences(uid, master, clock, last):
        if wall in by_wall or {wall, wall.date()} & left_out:
            continue
        since = max((one for one in onwards if one <= wall), default=None)
        event = master if since is None else onwards[since]
        by = timedelta() if since is None else _wall(event["DTSTART"].dt, clock) - since
        moment = _moment(wall + by, clock)
        if first <= moment < last:
            yield _Occurrence(event, moment, place, _moment(wall, clock))


def _clock(start: date | datetime, zone: ZoneInfo) -> tzinfo:
    """Return the zone whose wall clock a series follows, which may be a table of the file's own."""
    return getattr(start, "tzinfo", None) or zone


def _wall(value: date | datetime, clock: tzinfo) -> datetime:
    """Return a date (its midnight), a floating or an aware time on a wall clock, naive."""
    if not isinstance(value, datetime):
        return datetime.combine(value, time())
    return (value.astimezone(clock) if value.tzinfo else value).replace(tzinfo=None, fold=0)


def _is_for_all_later(event: Event) -> bool:
    return str(event["RECURRENCE-ID"].params.get("RANGE", "")).upper() == "THISANDFUTURE"


def _left_out(event: Event, clock: tzinfo) -> set[date]:
    """Return the times that a series leaves out (naive), and the days on which it leaves out all."""
    return {
        _wall(one.dt, clock) if isinstance(one.dt, datetime) else one.dt
        for dates in _values(event, "EXDATE")
        for one in dates.dts
    }


def _recurrences(uid: str, event: Event, clock: tzinfo, last: datetime) -> Iterator[datetime]:
    """Yield the wall clock times (naive) of a series, each once, until after `last`."""
    start = _wall(event["DTSTART"].dt, clock)
    end = _wall(last, clock) + timedelta(days=2)  # a change of one occurrence may have moved the later ones
    dates = {start} | {
        _wall(one.dt[0] if isinstance(one.dt, tuple) else one.dt, clock)
        for several in _values(event, "RDATE")
        for one in several.dts
    }
    yield from sorted(dates)
    looked_at = 0
    for rule in _values(event, "RRULE"):
        for wall in _rule(uid, rule, start, clock):
            looked_at += 1
            if looked_at > MOST_LOOKED_AT:
                raise _too_many(uid)
            if wall > end:
                break
            if wall not in dates:
                dates.add(wall)
                yield wall


def _rule(uid: str, rule: Event, start: datetime, clock: tzinfo) -> rrule:
    """Return a rule by the library, on the wall clock; its end is of the day where it names no hour."""
    times_a_day = prod(len(rule.get(name, [0])) for name in ("BYHOUR", "BYMINUTE", "BYSECOND"))
    if str(rule["FREQ"][0]).upper() in TOO_OFTEN or times_a_day > MOST_A_DAY:
        raise _too_many(uid)
    parts = [part for part in rule.to_ical().decode().split(";") if part and not part.startswith("UNTIL=")]
    read = rrulestr(";".join(parts), dtstart=start)
    until = next(iter(rule.get("UNTIL", [])), None)
    if until is None:
        return read
    whole_day = not isinstance(until, datetime)
    return read.replace(
        until=_wall(until, clock) + (timedelta(days=1, seconds=-1) if whole_day else timedelta())
    )


def _too_many(uid: str) -> "_Refused":
    return _Refused(Mistake(uid, "too_many_occurrences", {"limit": MOST_OF_ONE}))


def _found(
    reference: str, event: Event, start: datetime, place: ZoneInfo, find: FindNumber, cancelled: bool
) -> Found:
    number, unusable = find(event)
    return Found(
        reference=reference,
        start=start,
        zone=place,
        number=number,
        unusable=unusable,
        title=one_line(str(event.get("SUMMARY", ""))),
        end=_end(event, start, place),
        cancelled=cancelled or str(event.get("STATUS", "")).upper() == "CANCELLED",
    )


def _reference(uid: str, one: _Occurrence) -> str:
    """Name one occurrence by the moment at which the series has it: one that is moved keeps its reference."""
    return f"{uid[: LONGEST_REFERENCE - 17]}/{one.original:%Y%m%dT%H%M%SZ}"


def _values(event: Event, name: str) -> list[Any]:
    value = event.get(name)
    return [] if value is None else value if isinstance(value, list) else [value]


def _zone(start: date | datetime, usual: ZoneInfo) -> ZoneInfo:
    """Return the zone to show a start in: its own where that has a name; UTC is what programs write for any."""
    own = getattr(start, "tzinfo", None)
    return own if isinstance(own, ZoneInfo) and own.key not in ("UTC", "Etc/UTC") else usual


def _moment(value: date | datetime, zone: tzinfo) -> datetime:
    """Return a date (its midnight), a floating time or an aware one as UTC.

    RFC 5545, 3.3.5: a local time that a clock change leaves out is read with the offset before the change, and of
    two equal ones the first is meant. So does Python with fold 0.
    """
    if not isinstance(value, datetime):
        value = datetime.combine(value, time())
    return (value if value.tzinfo else value.replace(tzinfo=zone)).replace(fold=0).astimezone(UTC)


def _end(event: Event, start: datetime, zone: ZoneInfo) -> datetime | None:
    """Return when an occurrence at `start` (UTC) ends: as long after it as its event says."""
    if "DURATION" in event:
        return start + event["DURATION"].dt
    if "DTEND" not in event:
        return None
    return start + (_moment(event["DTEND"].dt, zone) - _moment(event["DTSTART"].dt, zone))
