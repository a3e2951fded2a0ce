"""What became of the appointments of a year, month by month: a table, a drawing, a file."""

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

from babel.dates import format_date
from flask import Response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_login import current_user

from sms import spreadsheet
from sms.clock import now
from sms.modules.appointment import numbers
from sms.modules.appointment.numbers import Missed, Month
from sms.modules.appointment.views import blueprint
from sms.views import moments

HIGH, WIDE = 100, 60
"""What the drawing gives the highest rate, and each month, in its own units."""
LEAST_SCALE = 10.0
"""Per cent that fill the drawing at least: a small rate looks small."""


class Bar(NamedTuple):
    """A rate in the drawing: where it stands, how high it is, and the words on top."""

    x: int
    height: float
    words: str


class Column(NamedTuple):
    """One month in the drawing."""

    x: int
    word: str
    reminded: Bar | None
    unreminded: Bar | None


@blueprint.get("/numbers")
def show_numbers() -> ResponseReturnValue:
    """The numbers of a year's months."""
    year = _year()
    months = numbers.of_year(current_user.account, year)
    return render_template(
        "appointment/numbers.html", year=year, this_year=_this_year(), months=months, columns=_columns(months),
        high=HIGH, wide=WIDE, month_word=_month, rate=_rate, has_any=any(month.all for month in months),
    )  # fmt: skip


@blueprint.get("/numbers.csv")
def export_numbers() -> ResponseReturnValue:
    """The same numbers as a file."""
    year = _year()
    content = spreadsheet.as_csv([_headings(), *map(_line, numbers.of_year(current_user.account, year))])
    disposition = f'attachment; filename="appointments-{year}.csv"'
    return Response(
        content, content_type="text/csv; charset=utf-8", headers={"Content-Disposition": disposition}
    )


def _headings() -> list[str]:
    return [
        _("Month"), _("Appointments"), _("Confirmed"), _("Called off"), _("Another time wanted"), _("No answer"),
        _("Not reminded"), _("Cancelled by us"), _("Did not come, reminded"), _("of those reminded"),
        _("Did not come, not reminded"), _("of those not reminded"),
    ]  # fmt: skip


def _line(month: Month) -> list[Any]:
    return [
        f"{month.first:%Y-%m}", month.all, month.confirmed, month.declined, month.wants_to_move, month.no_answer,
        month.not_reminded, month.cancelled, month.missed_reminded.n, month.missed_reminded.of,
        month.missed_unreminded.n, month.missed_unreminded.of,
    ]  # fmt: skip


def _columns(months: Sequence[Month]) -> list[Column]:
    rates = [m.percent or 0 for month in months for m in (month.missed_reminded, month.missed_unreminded)]
    scale = HIGH / max(LEAST_SCALE, *rates)
    return [
        Column(
            n * WIDE,
            _short(month.first),
            _bar(month.missed_reminded, n * WIDE + 8, scale),
            _bar(month.missed_unreminded, n * WIDE + 31, scale),
        )
        for n, month in enumerate(months)
    ]


def _bar(missed: Missed, x: int, scale: float) -> Bar | None:
    return (
        None if missed.percent is None else Bar(x, round(missed.percent * scale, 1), f"{missed.percent:.0f}")
    )


def _rate(missed: Missed) -> str:
    """Say how many did not come, with their share: 3 (4 %)."""
    if missed.percent is None:
        return "–"
    share = f"{missed.percent:.1f}".removesuffix(".0")
    return f"{missed.n} ({share.replace('.', ',') if get_locale().language == 'de' else share} %)"


def _month(first: date) -> str:
    return str(format_date(first, "LLLL", get_locale().language))


def _short(first: date) -> str:
    return str(format_date(first, "LLL", get_locale().language))


def _this_year() -> int:
    return moments.local(now(), current_user.account.zone).year


def _year() -> int:
    """Return the year of the address; this one for what is none."""
    text = request.args.get("year", "")
    asked = int(text) if text.isascii() and text.isdigit() and len(text) == 4 else 0
    return asked if 1971 <= asked <= 9000 else _this_year()
