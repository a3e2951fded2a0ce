"""Quiet hours: what a machine starts waits for the morning in the recipient's zone; people may always answer."""

import re
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
from phonenumbers import timezone as zones

from sms import wallclock
from sms.models import Account
from sms.refusal import Refused

Span = tuple[time, time]
_GERMANY, _BERLIN = "+49", ZoneInfo("Europe/Berlin")
"""What most numbers are; asking the tables for each takes 100 us."""
_clock = re.compile(r"(\d{1,2})(?:[:.](\d\d))?(?: ?Uhr)?", re.ASCII | re.IGNORECASE)


def read_span(text: str) -> Span | None:
    """Return (from, to) of "20:00-08:00"; None for an empty or useless text: no quiet hours."""
    start, _, end = text.partition("-")
    try:
        span = time.fromisoformat(start.strip()), time.fromisoformat(end.strip())
    except ValueError:
        return None
    return None if span[0] == span[1] else span


def written_span(start: str, end: str, field: str) -> str:
    """Return "20:00-08:00" for two times of day as people write them (20:00, 20.00, 20, 20 Uhr); "" for two empty ones.

    Raises Refused at `field`: quiet_half where one is missing, bad_clock for what is no time of day, quiet_same
    where both are the same.
    """
    if not start.strip() and not end.strip():
        return ""
    if not start.strip() or not end.strip():
        raise Refused(field, "quiet_half")
    span = [time_of_day(text, field) for text in (start, end)]
    if span[0] == span[1]:
        raise Refused(field, "quiet_same")
    return "-".join(f"{moment:%H:%M}" for moment in span)


def time_of_day(text: str, field: str) -> time:
    """Return a time of day as people write it (20:00, 20.00, 20, 20 Uhr); raises Refused at `field`."""
    match = _clock.fullmatch(text.strip())
    if match is None or int(match[1]) > 23 or int(match[2] or 0) > 59:
        raise Refused(field, "bad_clock")
    return time(int(match[1]), int(match[2] or 0))


def zone_of(number: str, account: Account) -> ZoneInfo:
    """Return the recipient's zone: that of the number (E.164) where its country has only one, else the account's."""
    if number.startswith(_GERMANY):
        return _BERLIN
    try:
        found = zones.time_zones_for_number(phonenumbers.parse(number))
        if len(found) == 1 and "/" in found[0]:
            return ZoneInfo(found[0])
    except (phonenumbers.NumberParseException, ZoneInfoNotFoundError):
        pass
    return ZoneInfo(account.zone)


def allowed_from(account: Account, channel: str, number: str, moment: datetime) -> datetime:
    """Return the first moment, `moment` or later, at which a machine may write to or call this number."""
    return allowed_in(account, channel, zone_of(number, account), moment)


def allowed_in(account: Account, channel: str, zone: ZoneInfo, moment: datetime) -> datetime:
    """Return the first moment, `moment` or later, at which a machine may write to or call people of a zone."""
    return out_of(read_span(account.quiet_voice if channel == "voice" else account.quiet_text), zone, moment)


def out_of(span: Span | None, zone: ZoneInfo, moment: datetime) -> datetime:
    """Return the first moment, `moment` or later, at which the clock of a zone shows no time of a span."""
    if span is None or not within(moment.astimezone(zone).time(), span):
        return moment
    return min(
        end
        for end in _ends(moment, span[1], zone)
        if end > moment and not within(end.astimezone(zone).time(), span)
    )


def within(at: time, span: Span) -> bool:
    """True where a time of day lies in the span; its start belongs to it, its end does not."""
    start, end = span
    return start <= at < end if start < end else at >= start or at < end


def _ends(moment: datetime, end: time, zone: ZoneInfo) -> Iterator[datetime]:
    """Yield the moments (UTC) of the next days at which the quiet hours can end: once, and twice where clocks go back."""
    first = moment.astimezone(zone).date()
    for day in (first + timedelta(days=n) for n in range(3)):
        for fold in (0, 1):
            yield wallclock.existing(datetime.combine(day, end), zone, fold)
