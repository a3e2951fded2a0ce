from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms import wallclock
from sms.refusal import Refused

BERLIN = "Europe/Berlin"


def test_an_offset_is_obeyed_and_the_zone_ignored():
    assert wallclock.read("2026-11-21T10:00:00+01:00", "Asia/Tokyo", "at") == datetime(
        2026, 11, 21, 9, tzinfo=UTC
    )


@pytest.mark.parametrize(
    "text", ["2026-11-21T09:00Z", "2026-11-21 09:00:00.000000001z", "2026-11-21T09:00:00.0Z"]
)
def test_every_spelling_of_rfc_3339_is_read(text):
    assert wallclock.read(text, BERLIN, "at") == datetime(2026, 11, 21, 9, tzinfo=UTC)


def test_without_an_offset_it_is_the_wall_clock_of_the_zone():
    assert wallclock.read("2026-07-01T09:00", BERLIN, "at") == datetime(2026, 7, 1, 7, tzinfo=UTC)


def test_a_time_that_exists_twice_means_the_first():
    assert wallclock.read("2026-10-25T02:30", BERLIN, "at") == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize("minute", ["02:00", "02:30", "02:59:59.9"])
def test_a_time_that_does_not_exist_is_refused_with_both_neighbours_named(minute):
    with pytest.raises(Refused) as refused:
        wallclock.read(f"2026-03-29T{minute}", BERLIN, "send_at")
    assert (refused.value.field, refused.value.code) == ("send_at", "time_gap")
    assert refused.value.params["earlier"] == datetime(2026, 3, 29, 1, 59)
    assert refused.value.params["later"] == datetime(2026, 3, 29, 3, 0)


def test_a_day_that_a_country_skipped_has_neighbours_too():
    with pytest.raises(Refused) as refused:
        wallclock.read("2011-12-30T12:00", "Pacific/Apia", "at")
    assert refused.value.params["earlier"] == datetime(2011, 12, 29, 23, 59)
    assert refused.value.params["later"] == datetime(2011, 12, 31)


@pytest.mark.parametrize(
    "text",
    ["", "now", "2026-02-30T10:00Z", "2026-11-21", "2026-11-21T24:00Z", "2026-11-21T10:00:60Z", "2026-11-21T10:00+25:00",
     "0001-01-01T00:00+14:00", "1969-12-31T23:59Z", "٢٠٢٦-11-21T10:00Z", "2026-11-21T10:00Z\n\0"],
)  # fmt: skip
def test_what_is_no_time_is_refused(text):
    with pytest.raises(Refused) as refused:
        wallclock.read(text, BERLIN, "at")
    assert refused.value.code == "bad_time"


@pytest.mark.parametrize("text", ["9999-12-31T23:59:59Z", "9999-12-31T23:59-14:00", "9999-12-31T23:59"])
def test_the_last_year_there_is_is_read_as_a_far_one(text):
    assert wallclock.read(text, BERLIN, "at").year >= 9998


@given(st.text())
def test_no_text_does_anything_but_be_read_or_refused(text):
    try:
        assert wallclock.read(text, BERLIN, "at").tzinfo is UTC
    except Refused:
        pass


@given(
    st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(2037, 1, 1)),
    st.sampled_from([BERLIN, "America/St_Johns", "Australia/Lord_Howe", "Africa/Casablanca", "UTC"]),
)
def test_every_wall_clock_time_is_itself_again_or_lies_between_its_neighbours(local, zone):
    local = local.replace(second=0, microsecond=0)
    try:
        moment = wallclock.from_local(local, zone, "at")
    except Refused as refused:
        earlier, later = (refused.params[k] for k in ("earlier", "later"))
        assert earlier < local < later
        there = [m.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) for m in (earlier, later)]
        assert there[1] - there[0] == timedelta(minutes=1)
    else:
        assert moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == local
