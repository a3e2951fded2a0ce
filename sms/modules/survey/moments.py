"""When something of a survey is due: whole days are days on the wall clock of the account, hours are elapsed time."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sms import wallclock
from sms.refusal import Refused


def after_hours(moment: datetime, hours: int, zone: str) -> datetime:
    """Return the moment (UTC) so many hours later; 24 hours are a day, also where the clocks change in between."""
    days, rest = divmod(hours, 24)
    return (
        on_the_clock(moment, days, None, zone) + timedelta(hours=rest)
        if days
        else moment + timedelta(hours=rest)
    )


def on_the_clock(moment: datetime, days: int, clock: time | None, zone: str) -> datetime:
    """Return the moment (UTC) so many days later at a time of day (None: the same); in a gap the first that exists."""
    local = moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    wanted = datetime.combine(local.date() + timedelta(days=days), clock or local.time())
    try:
        return wallclock.from_local(wanted, zone, "")
    except Refused as gap:
        return wallclock.from_local(gap.params["later"], zone, "")


def next_day(moment: datetime, zone: str) -> datetime:
    """Return the beginning (UTC) of the account's next day."""
    return on_the_clock(moment, 1, time(0, 0), zone)


def begin_of(day: date, zone: str) -> datetime:
    """Return the beginning (UTC) of a day; where midnight is left out, the first moment that exists."""
    return on_the_clock(datetime.combine(day, time(12), ZoneInfo(zone)), 0, time(0, 0), zone)


def day_of(moment: datetime, zone: str) -> date:
    """Return the account's day on which a moment lies."""
    return moment.astimezone(ZoneInfo(zone)).date()
