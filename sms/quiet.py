"""Quiet hours: what a machine starts waits for the morning in the recipient's zone; people may always answer."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
from phonenumbers import timezone as zones

from sms.models import Account

Span = tuple[time, time]


def read_span(text: str) -> Span | None:
    """Return (from, to) of "20:00-08:00"; None for an empty or useless text: no quiet hours."""
    start, _, end = text.partition("-")
    try:
        span = time.fromisoformat(start.strip()), time.fromisoformat(end.strip())
    except ValueError:
        return None
    return None if span[0] == span[1] else span


def zone_of(number: str, account: Account) -> ZoneInfo:
    """Return the recipient's zone: that of the number (E.164) where its country has only one, else the account's."""
    try:
        found = zones.time_zones_for_number(phonenumbers.parse(number))
        if len(found) == 1 and "/" in found[0]:
            return ZoneInfo(found[0])
    except (phonenumbers.NumberParseException, ZoneInfoNotFoundError):
        pass
    return ZoneInfo(account.zone)


def allowed_from(account: Account, channel: str, number: str, moment: datetime) -> datetime:
    """Return the first moment, `moment` or later, at which a machine may write to or call this number."""
    span = read_span(account.quiet_voice if channel == "voice" else account.quiet_text)
    if span is None:
        return moment
    local = moment.astimezone(zone_of(number, account))
    if not _within(local.time(), span):
        return moment
    days = 1 if span[0] > span[1] and local.time() >= span[0] else 0
    day = local.date() + timedelta(days=days)
    return datetime.combine(day, span[1], local.tzinfo).astimezone(UTC)


def _within(at: time, span: Span) -> bool:
    start, end = span
    return start <= at < end if start < end else at >= start or at < end
