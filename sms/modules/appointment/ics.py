"""Appointments out of an iCalendar file (RFC 5545): recurrence, exceptions, cancelled ones, all-day, time zones. Pure."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import recurring_ical_events
from icalendar import Calendar

from sms import wallclock
from sms.modules.appointment.found import LONGEST_REFERENCE, Found, Mistake, Reading, number_in, one_line

MOST_OF_ONE = 2_000
"""Occurrences of one series: every day for five years."""
TOO_OFTEN = ("SECONDLY", "MINUTELY", "HOURLY")
FAR_AHEAD = timedelta(days=366)
"""So far a series without end is followed where nobody says until when."""
LONG_AGO = datetime(1970, 1, 2, tzinfo=UTC)
NUMBER_IN = ("X-PHONE", "X-TELEPHONE", "SUMMARY", "DESCRIPTION", "CONTACT", "ATTENDEE")
"""Properties in which a phone number is looked for, in this order."""
SERIES = ("RRULE", "RDATE", "RECURRENCE-ID")

Event = Any
"""A component of icalendar, which has no types of its own for what is in it."""


class NotACalendar(ValueError):
    """The bytes are no iCalendar file: a web page, a table, or a broken one."""


class TooMany(ValueError):
    """There are more occurrences than the caller takes."""


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
) -> Reading:
    """Return every occurrence that starts from `since` to before `until` (aware), in the order of time.

    `zone` is meant where the file names none; without `until` a series is followed for a year from `now`. An event
    that cannot be read is a mistake and spoils no other. Raises NotACalendar, and TooMany for more than `most`.
    """
    first = since or LONG_AGO
    last = until or max(now, first) + FAR_AHEAD
    found: list[Found] = []
    mistakes: list[Mistake] = []
    for calendar in _parse(data):
        for uid, events in _by_uid(calendar).items():
            try:
                ones = _of_one(uid, events, calendar, zone, region, first, last)
            except _Refused as refused:
                mistakes.append(refused.mistake)
            except Exception:  # whatever a library makes of a broken event, it is that event's
                mistakes.append(Mistake(uid, "bad_event"))
            else:
                single_and_open = until is None and not _is_series(events)
                found += [one for one in ones if first <= one.start and (one.start < last or single_and_open)]
            if most is not None and len(found) > most:
                raise TooMany
    found.sort(key=lambda one: (one.start, one.reference))
    mistakes += [
        Mistake(one.reference, "without_number") for one in found if not one.number and not one.cancelled
    ]
    return Reading(found, mistakes)


def _of_one(
    uid: str,
    events: list[Event],
    calendar: Event,
    zone: ZoneInfo,
    region: str,
    first: datetime,
    last: datetime,
) -> list[Found]:
    if any("DTSTART" not in event for event in events):
        raise _Refused(Mistake(uid, "no_start"))
    series = _is_series(events)
    cancelled = str(calendar.get("METHOD", "")).upper() == "CANCEL"
    occurrences = list(islice(_occurrences(uid, calendar, events, first, last), MOST_OF_ONE + 1))
    if len(occurrences) > MOST_OF_ONE:
        raise _too_many(uid)
    return [_found(uid, event, zone, region, series, cancelled) for event in occurrences]


def _parse(data: bytes) -> list[Event]:
    text = data.removeprefix(b"\xef\xbb\xbf").lstrip()
    # A file that breaks off in the middle would look like many cancelled appointments.
    if not text[:15].upper() == b"BEGIN:VCALENDAR" or not text.rstrip()[-13:].upper() == b"END:VCALENDAR":
        raise NotACalendar
    try:
        return list(Calendar.from_ical(_utf8(text), multiple=True))
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


def _is_series(events: list[Event]) -> bool:
    return len(events) > 1 or any(name in events[0] for name in SERIES)


def _occurrences(
    uid: str, calendar: Event, events: list[Event], first: datetime, last: datetime
) -> Iterator[Event]:
    """Yield the occurrences of one UID; a single event is its own and needs no library."""
    if not _is_series(events):
        yield from events
        return
    if any(_frequency(event) in TOO_OFTEN for event in events):
        raise _too_many(uid)
    alone = Calendar()
    for name in ("VERSION", "PRODID", "X-WR-TIMEZONE"):
        if name in calendar:
            alone.add(name, calendar[name])
    for event in events:
        alone.add_component(event)
    # One series can have millions of occurrences: they are asked for month by month, until there are enough.
    query = recurring_ical_events.of(alone)
    seen: set[str] = set()
    moment = max(first, _earliest(events))
    while moment < last:
        end = min(moment + timedelta(days=92), last)
        for event in query.between(moment, end):
            mark = f"{event['RECURRENCE-ID'].dt}" if "RECURRENCE-ID" in event else f"{event['DTSTART'].dt}"
            if mark not in seen:
                seen.add(mark)
                yield event
        moment = end


def _frequency(event: Event) -> str:
    rule = event.get("RRULE")
    rules = rule if isinstance(rule, list) else [rule]
    return next((str(r["FREQ"][0]).upper() for r in rules if r and "FREQ" in r), "")


def _earliest(events: list[Event]) -> datetime:
    """Return a moment before every start of the series, whatever its zone."""
    return min(_moment(event["DTSTART"].dt, ZoneInfo("UTC")) for event in events) - timedelta(days=1)


def _too_many(uid: str) -> "_Refused":
    return _Refused(Mistake(uid, "too_many_occurrences", {"limit": MOST_OF_ONE}))


def _found(uid: str, event: Event, zone: ZoneInfo, region: str, series: bool, cancelled: bool) -> Found:
    start = event["DTSTART"].dt
    place = _zone(start, zone)
    texts = [str(value) for name in NUMBER_IN for value in _values(event, name)]
    title = one_line(str(event.get("SUMMARY", "")))
    return Found(
        reference=_reference(uid, event, place) if series else uid[:LONGEST_REFERENCE],
        start=_moment(start, place),
        zone=place,
        number=number_in((text.removeprefix("tel:") for text in texts), region),
        title=title,
        end=_end(event, place),
        cancelled=cancelled or str(event.get("STATUS", "")).upper() == "CANCELLED",
    )


def _reference(uid: str, event: Event, zone: ZoneInfo) -> str:
    """Name one occurrence by the moment at which the series has it: one that is moved keeps its reference."""
    original = event["RECURRENCE-ID"].dt if "RECURRENCE-ID" in event else event["DTSTART"].dt
    return f"{uid[: LONGEST_REFERENCE - 17]}/{_moment(original, zone):%Y%m%dT%H%M%SZ}"


def _values(event: Event, name: str) -> list[Any]:
    value = event.get(name)
    return [] if value is None else value if isinstance(value, list) else [value]


def _zone(start: date | datetime, usual: ZoneInfo) -> ZoneInfo:
    """Return the zone to show a start in: its own where that has a name; UTC is what programs write for any."""
    own = getattr(start, "tzinfo", None)
    return own if isinstance(own, ZoneInfo) and own.key not in ("UTC", "Etc/UTC") else usual


def _moment(value: date | datetime, zone: ZoneInfo) -> datetime:
    """Return a date (its midnight), a floating time or an aware one as UTC.

    RFC 5545, 3.3.5: a local time that a clock change leaves out is read with the offset before the change, and of
    two equal ones the first is meant. So does Python with fold 0.
    """
    if not isinstance(value, datetime):
        return wallclock.existing(datetime.combine(value, time()), zone)
    return (value if value.tzinfo else value.replace(tzinfo=zone)).replace(fold=0).astimezone(UTC)


def _end(event: Event, zone: ZoneInfo) -> datetime | None:
    if "DTEND" in event:
        return _moment(event["DTEND"].dt, zone)
    if "DURATION" in event:
        return _moment(event["DTSTART"].dt, zone) + event["DURATION"].dt
    return None
