"""Drawings of the results page: what they are made of, without a page."""

from datetime import date, timedelta

import pytest
from flask import Flask

from sms.modules.survey.views import charts


@pytest.fixture(autouse=True)
def _german(app: Flask):
    with app.test_request_context(headers={"Accept-Language": "de"}):
        yield


def test_a_line_shows_days_without_answers_its_peak_and_today() -> None:
    today = date(2026, 11, 17)
    found = charts.line({date(2026, 11, 10): 19, date(2026, 11, 14): 3, today: 8}, today)
    assert found is not None
    assert (found.width, found.top) == (7, 20)
    assert found.path == "0 1 L1 20 L2 20 L3 20 L4 17 L5 20 L6 20 L7 12"
    assert found.peak == (0, 95, 19)
    assert found.newest == (40, 8)
    assert found.labels[0] == (0, "10.11.")
    assert found.labels[-1] == (100, "Heute")
    assert found.rows == [("10. November", 19), ("14. November", 3), ("17. November", 8)]


def test_one_day_is_no_line() -> None:
    assert charts.line({date(2026, 11, 17): 3}, date(2026, 11, 17)) is None
    assert charts.line({}, date(2026, 11, 17)) is None


def test_a_line_ends_at_a_year() -> None:
    last = date(2026, 11, 17)
    found = charts.line({last - timedelta(days=900): 1, last: 2}, last)
    assert found is not None
    assert found.width == charts.LONGEST_LINE


@pytest.mark.parametrize(
    ("n", "top"), [(0, 2), (1, 2), (3, 4), (9, 10), (19, 20), (41, 60), (100, 100), (101, 200)]
)
def test_an_axis_ends_at_a_round_number(n: int, top: int) -> None:
    assert charts._round_above(n) == top


@pytest.mark.parametrize(
    ("values", "first", "last", "width", "rows"),
    [
        ({"2026-12-24": 3, "2026-12-31": 1}, "24. Dezember 2026", "31. Dezember 2026", 80,
         [("24. Dezember 2026", 3), ("31. Dezember 2026", 1)]),
        ({"2026-01-03": 3, "2026-01-30": 1, "2026-12-31": 2}, "Januar 2026", "Dezember 2026", 120,
         [("Januar 2026", 4), ("Dezember 2026", 2)]),
        ({"1948-05-01": 1, "1948-07-01": 1, "2001-01-01": 1}, "1948", "2001", 540, [("1948", 2), ("2001", 1)]),
        ({"2026-12-24": 2}, "24. Dezember 2026", "24. Dezember 2026", 10, [("24. Dezember 2026", 2)]),
    ],
)  # fmt: skip
def test_dates_are_columns_by_day_month_or_year(values, first, last, width, rows) -> None:
    found = charts.columns(values)
    assert found is not None
    assert (found.first, found.last, found.width, found.rows) == (first, last, width, rows)
    assert max(height for _, height in found.columns) == 100


def test_without_dates_there_are_no_columns() -> None:
    assert charts.columns({}) is None
    assert charts.columns({"bald": 1}) is None
