"""What the drawings of the results page are made of: a line over days, columns over days, months or years. Numbers and words only."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import NamedTuple

from babel.dates import format_date
from flask_babel import get_locale
from flask_babel import gettext as _

from sms.views import moments

LONGEST_LINE = 366
"""Days of a line: one that is longer begins so many days before its end."""
DAYS, MONTHS = 45, 48
"""Dates that lie no further apart than so many days (months) have a column a day (a month); else one a year."""
LABELS = 4


class Line(NamedTuple):
    """A line over days: its points in a drawing `width` wide and `top` high, what stands at its axes, and its table."""

    width: int
    top: int
    path: str
    labels: list[tuple[float, str]]
    peak: tuple[float, float, int]
    newest: tuple[float, int] | None
    rows: list[tuple[str, int]]


class Columns(NamedTuple):
    """Columns over time: (x, height in per cent) of each in a drawing `width` wide, what 100 per cent are, its two ends in
    words, its table.
    """

    width: int
    top: int
    columns: list[tuple[int, float]]
    first: str
    last: str
    rows: list[tuple[str, int]]


def line(days: Mapping[date, int], today: date) -> Line | None:
    """Return the counts of days as a line; None where fewer than two days would be seen."""
    if not days:
        return None
    last = max(days)
    first = max(min(days), last - timedelta(days=LONGEST_LINE))
    every = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    if len(every) < 2:
        return None
    width, counts = len(every) - 1, [days.get(day, 0) for day in every]
    top, locale = _round_above(max(counts)), get_locale().language
    most = counts.index(max(counts))
    step = max(1, -(-width // LABELS))
    labels = [(100 * n / width, _short(every[n], today, locale)) for n in range(0, width, step)]
    # The last label has room of its own.
    labels = [label for label in labels if label[0] < 100 - 60 / LABELS] + [
        (100.0, _short(last, today, locale))
    ]
    return Line(
        width, top, " L".join(f"{x} {top - n}" for x, n in enumerate(counts)), labels,
        (100 * most / width, 100 * counts[most] / top, counts[most]),
        (100 * counts[-1] / top, counts[-1]) if last == today and most != width else None,
        [(moments.in_words(day, today, locale), days[day]) for day in every if days.get(day)],
    )  # fmt: skip


def _short(day: date, today: date, locale: str) -> str:
    return _("Today") if day == today else moments.short_date(day, today, locale)


def _round_above(n: int) -> int:
    """Return the next even number that people like at an axis: 2, 4, 6, 8, 10, 20, 40 ..."""
    power = 1
    while True:
        for step in (2, 4, 6, 8, 10):
            if step * power >= n:
                return step * power
        power *= 10


def columns(values: Mapping[str, int]) -> Columns | None:
    """Return how often dates (2026-12-24) came, by day, month or year as far as they lie apart; None without any."""
    found: dict[date, int] = {}
    for value, n in values.items():
        try:
            found[date.fromisoformat(value)] = n
        except ValueError:
            continue
    if not found:
        return None
    first, last = min(found), max(found)
    unit = _unit(first, last)
    counts: dict[int, int] = {}
    for day, n in found.items():
        at = _place(day, unit)
        counts[at] = counts.get(at, 0) + n
    start, end, top = _place(first, unit), _place(last, unit), max(counts.values())
    return Columns(
        (end - start + 1) * 10,
        top,
        [((at - start) * 10 + 1, round(100 * n / top, 1)) for at, n in sorted(counts.items())],
        _called(start, unit), _called(end, unit),
        [(_called(at, unit), n) for at, n in sorted(counts.items())],
    )  # fmt: skip


def _unit(first: date, last: date) -> str:
    if (last - first).days <= DAYS:
        return "day"
    return "month" if _place(last, "month") - _place(first, "month") <= MONTHS else "year"


def _place(day: date, unit: str) -> int:
    """Return a whole number that grows by one from each day, month or year to the next."""
    if unit == "day":
        return day.toordinal()
    return day.year * 12 + day.month - 1 if unit == "month" else day.year


def _called(at: int, unit: str) -> str:
    locale = get_locale().language
    if unit == "day":
        return format_date(date.fromordinal(at), "d. MMMM y" if locale == "de" else "d MMMM y", locale)
    return format_date(date(at // 12, at % 12 + 1, 1), "MMMM y", locale) if unit == "month" else str(at)
