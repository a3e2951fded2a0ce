"""Times in the words of the inbox: 09:47, Yesterday, Mon, 12 Nov; day dividers; the moment of a planned message."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from babel.dates import format_date
from flask_babel import gettext as _

_DATE = {"de": "dd.MM.", "en": "d MMM"}
_DATE_WITH_YEAR = {"de": "dd.MM.yy", "en": "d MMM yyyy"}
_WEEKDAY_AND_DATE = {"de": "EEE, dd.MM.", "en": "EEE, d MMM"}
_TITLE = {"de": "EEEE, d. MMMM", "en": "EEEE, d MMMM"}
_TITLE_WITH_YEAR = {"de": "EEEE, d. MMMM y", "en": "EEEE, d MMMM y"}
_DAY_AND_MONTH = {"de": "d. MMMM", "en": "d MMMM"}


def local(moment: datetime, zone: str) -> datetime:
    """Return an aware UTC moment on the wall clock of a zone."""
    return moment.astimezone(ZoneInfo(zone))


def clock(moment: datetime, zone: str) -> str:
    """Return hours and minutes: 09:47."""
    return f"{local(moment, zone):%H:%M}"


def clock_with_seconds(moment: datetime, zone: str) -> str:
    """Return hours, minutes and seconds: 09:31:04."""
    return f"{local(moment, zone):%H:%M:%S}"


def in_a_row(moment: datetime, now: datetime, zone: str, locale: str) -> str:
    """Return the time as a list row shows it: 09:47, Yesterday, Mon, 12 Nov, 12 Nov 2025."""
    day, today = local(moment, zone).date(), local(now, zone).date()
    if day == today:
        return clock(moment, zone)
    if day == today - timedelta(days=1):
        return _("Yesterday")
    if timedelta() < today - day < timedelta(days=7):
        return format_date(day, "EEE", locale)
    return short_date(day, today, locale)


def short_date(day: date, today: date, locale: str) -> str:
    """Return 12 Nov, with its year where that is another one."""
    return format_date(day, (_DATE if day.year == today.year else _DATE_WITH_YEAR)[locale], locale)


def in_words(day: date, today: date, locale: str) -> str:
    """Return 15 November, with its year where that is another one, for use inside a sentence."""
    words = format_date(day, _DAY_AND_MONTH[locale], locale)
    return words if day.year == today.year else f"{words} {day.year}"


def day_title(day: date, today: date, locale: str) -> str:
    """Return the words of a day divider: Today, 17 November; Monday, 16 November."""
    if day == today:
        return _("Today, %(date)s", date=format_date(day, _DAY_AND_MONTH[locale], locale))
    return format_date(day, (_TITLE if day.year == today.year else _TITLE_WITH_YEAR)[locale], locale)


def planned(moment: datetime, now: datetime, zone: str, locale: str) -> str:
    """Return when something is to happen: 17:00 today, else Wed, 18 Nov, 17:00."""
    day, today = local(moment, zone).date(), local(now, zone).date()
    if day == today:
        return _("today, %(time)s", time=clock(moment, zone))
    if day.year != today.year:
        return f"{format_date(day, _DATE_WITH_YEAR[locale], locale)}, {clock(moment, zone)}"
    return f"{format_date(day, _WEEKDAY_AND_DATE[locale], locale)}, {clock(moment, zone)}"


def recent(moment: datetime, now: datetime, zone: str, locale: str) -> str:
    """Return when something happened: 17:00 today, yesterday, else as `planned`."""
    if local(now, zone).date() - local(moment, zone).date() == timedelta(days=1):
        return _("yesterday, %(time)s", time=clock(moment, zone))
    return planned(moment, now, zone, locale)


def for_input(moment: datetime, zone: str) -> str:
    """Return a moment as a datetime-local field writes it: 2026-11-21T17:00."""
    return f"{local(moment, zone):%Y-%m-%dT%H:%M}"
