"""Times as people and programs write them: RFC 3339, or the wall clock of a zone with its clock changes.

Rule (CONTRACT.md): a time that a clock change leaves out is refused with both neighbours named; one that
exists twice means the first.
"""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sms.refusal import Refused

_written = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?([Zz]|[+-]\d\d:\d\d)?", re.ASCII
)
_LATEST_YEAR = 9998
"""One year short of what datetime can hold, so that no change of zone leaves its range; 9999 is read as it."""


def read(text: str, zone: str, field: str) -> datetime:
    """Return the aware UTC moment of an RFC 3339 time; without offset it is the wall clock of `zone`.

    Raises Refused at `field`: bad_time, or time_gap with `time`, `earlier` and `later` on the wall clock, the
    latter two the last minute before the clock change and the first after it.
    """
    match = _written.fullmatch(text.strip())
    if not match:
        raise Refused(field, "bad_time")
    day, minute, second, fraction, offset = match.groups()
    micro = (fraction or "0")[:6].ljust(6, "0")
    offset = "+00:00" if offset in ("Z", "z") else offset or ""
    try:
        moment = datetime.fromisoformat(f"{day}T{minute}:{second or '00'}.{micro}{offset}")
    except ValueError:
        raise Refused(field, "bad_time") from None
    if moment.year < 1970:
        raise Refused(field, "bad_time")
    moment = moment.replace(year=min(moment.year, _LATEST_YEAR))
    return moment.astimezone(UTC) if offset else from_local(moment, zone, field)


def from_local(local: datetime, zone: str, field: str) -> datetime:
    """Return the UTC moment of a naive wall clock time; raises Refused at `field` in the gap of a clock change."""
    place = ZoneInfo(zone)
    moment = existing(local, place)
    if moment.astimezone(place).replace(tzinfo=None) == local:
        return moment
    earlier = (moment - timedelta(minutes=1)).astimezone(place).replace(tzinfo=None)
    later = moment.astimezone(place).replace(tzinfo=None)
    raise Refused(field, "time_gap", time=local, earlier=earlier, later=later, zone=zone)


def existing(local: datetime, place: ZoneInfo, fold: int = 0) -> datetime:
    """Return a naive wall clock time as UTC; one that a clock change leaves out means the moment of the change.

    `fold` 1 takes the second of two equal times where the clock goes back.
    """
    moment = local.replace(tzinfo=place, fold=fold).astimezone(UTC)
    if moment.astimezone(place).replace(tzinfo=None) == local:
        return moment
    # In a gap, fold=1 reads with the offset after the change and falls before it, fold=0 after it: the change
    # lies between the two, and halving finds it to the second.
    before, after = (local.replace(tzinfo=place, fold=f).astimezone(UTC) for f in (1, 0))
    offset = before.astimezone(place).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) / 2
        if middle.astimezone(place).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)
