"""Reminders are due at the right moment, whatever the clocks do: a table of wishes and what becomes of them."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms import wallclock
from sms.modules.appointment.plan import BadPeriod, Before, plan, read_period
from sms.quiet import read_span, within

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = read_span("20:00-08:00")

# start, rule, -> wall clock, UTC, moved from
CLOCK = [
    ("2026-03-30T09:00", "P1D", "2026-03-29T09:00", "07:00Z", None),
    ("2026-03-29T09:00", "P1D", "2026-03-28T09:00", "08:00Z", None),
    ("2026-03-29T09:00", "PT24H", "2026-03-28T08:00", "07:00Z", None),
    ("2026-03-30T02:30", "P1D", "2026-03-29T03:00", "01:00Z", "2026-03-29T02:30"),
    ("2026-03-29T03:30", "PT1H", "2026-03-29T01:30", "00:30Z", None),
    ("2026-03-29T03:00", "PT2H", "2026-03-29T00:00", "23:00Z", None),
    ("2026-10-26T02:30", "P1D", "2026-10-25T02:30", "00:30Z", None),
    ("2026-10-25T09:00", "PT12H", "2026-10-24T22:00", "20:00Z", None),
    ("2026-10-25T03:30", "PT2H", "2026-10-25T02:30", "00:30Z", None),
    ("2026-10-25T03:30", "PT1H", "2026-10-25T02:30", "01:30Z", None),
    ("2026-03-01T10:00", "P1D", "2026-02-28T10:00", "09:00Z", None),
    ("2028-03-01T10:00", "P1D", "2028-02-29T10:00", "09:00Z", None),
    ("2026-01-01T00:15", "PT30M", "2025-12-31T23:45", "22:45Z", None),
    ("2026-04-06T09:00", "P1W", "2026-03-30T09:00", "07:00Z", None),
    ("2026-03-30T12:00", "P1DT2H", "2026-03-29T10:00", "08:00Z", None),
]


def _start(text: str, zone: ZoneInfo = BERLIN) -> datetime:
    return wallclock.read(text, zone.key, "start")


def _wall(moment: datetime, zone: ZoneInfo = BERLIN) -> str:
    return moment.astimezone(zone).strftime("%Y-%m-%dT%H:%M")


@pytest.mark.parametrize(("start", "before", "at", "utc", "moved"), CLOCK)
def test_a_day_is_one_of_the_wall_clock_and_an_hour_is_an_hour(start, before, at, utc, moved):
    (reminder,) = plan(_start(start), BERLIN, [read_period(before)])
    assert (_wall(reminder.moment), f"{reminder.moment:%H:%M}Z") == (at, utc)
    assert (None if reminder.moved_from is None else reminder.moved_from.isoformat()[:16]) == moved


def test_a_day_before_has_an_hour_of_its_own_where_the_rule_names_one():
    (reminder,) = plan(_start("2026-11-19T14:15"), BERLIN, [Before(days=3, at=time(10))])
    assert _wall(reminder.moment) == "2026-11-16T10:00"


QUIET = [
    ("2026-11-19T07:00", "PT2H", "later", "2026-11-19T05:00", None, "after_start"),
    ("2026-11-19T07:00", "PT2H", "earlier", "2026-11-18T20:00", "2026-11-19T05:00", None),
    ("2026-11-19T07:00", "PT2H", "skip", "2026-11-19T05:00", None, "quiet"),
    ("2026-11-19T09:00", "PT2H", "later", "2026-11-19T08:00", "2026-11-19T07:00", None),
    ("2026-11-19T08:00", "PT1H", "later", "2026-11-19T08:00", "2026-11-19T07:00", "after_start"),
    ("2026-11-19T22:00", "P1D", "later", "2026-11-19T08:00", "2026-11-18T22:00", None),
    ("2026-11-19T22:00", "P1D", "earlier", "2026-11-18T20:00", "2026-11-18T22:00", None),
    ("2026-11-19T20:00", "P1D", "later", "2026-11-19T08:00", "2026-11-18T20:00", None),
    ("2026-11-19T08:00", "P1D", "later", "2026-11-18T08:00", None, None),
    ("2026-11-19T12:00", "P1D", "later", "2026-11-18T12:00", None, None),
]


@pytest.mark.parametrize(("start", "before", "on_quiet", "at", "moved", "skipped"), QUIET)
def test_what_falls_into_the_quiet_hours_goes_earlier_later_or_not_at_all(
    start, before, on_quiet, at, moved, skipped
):
    (reminder,) = plan(_start(start), BERLIN, [read_period(before)], NIGHT, on_quiet)
    assert reminder.skipped == skipped
    if skipped != "after_start":
        assert _wall(reminder.moment) == at
        assert (None if reminder.moved_from is None else reminder.moved_from.isoformat()[:16]) == moved


def test_a_rule_whose_moment_is_past_is_too_late_and_the_others_still_make_sense():
    start = _start("2026-11-19T14:15")
    days, hours = plan(
        start, BERLIN, [read_period("P1D"), read_period("PT2H")], now=start - timedelta(hours=5)
    )
    assert (days.skipped, hours.skipped) == ("too_late", None)


@pytest.mark.parametrize(
    "text", ["", "P", "PT", "1D", "P1M", "P1Y", "P-1D", "P1.5D", "P367D", "PT1D", "P1D P2D", "PT9999999H"]
)
def test_what_is_no_period_is_refused(text):
    with pytest.raises(BadPeriod):
        read_period(text)


zones = st.sampled_from(
    ["Europe/Berlin", "Europe/London", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "UTC"]
)
starts = st.datetimes(datetime(2024, 1, 1), datetime(2030, 12, 31), timezones=st.just(UTC))
rules = st.builds(Before, st.integers(0, 30), st.integers(0, 48).map(lambda h: timedelta(hours=h)))


@given(starts, zones, rules, st.sampled_from(["earlier", "later", "skip"]))
def test_no_reminder_is_in_the_middle_of_the_quiet_hours_or_after_the_start(start, zone_name, rule, on_quiet):
    zone = ZoneInfo(zone_name)
    start = start.replace(second=0, microsecond=0)
    (reminder,) = plan(start, zone, [rule], NIGHT, on_quiet)
    if reminder.skipped is None:
        at = reminder.moment.astimezone(zone).time()
        assert not within(at, NIGHT) or at == time(20)
        assert reminder.moment <= start


@given(starts, zones, st.integers(1, 30))
def test_a_day_before_has_the_same_hour_or_says_where_it_was_moved_from(start, zone_name, days):
    zone = ZoneInfo(zone_name)
    start = start.replace(second=0, microsecond=0)
    (reminder,) = plan(start, zone, [Before(days=days)])
    wanted = start.astimezone(zone).replace(tzinfo=None) - timedelta(days=days)
    got = reminder.moment.astimezone(zone).replace(tzinfo=None)
    assert got == wanted or (reminder.moved_from == wanted and got > wanted)
