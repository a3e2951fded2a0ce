"""The calendar file that is given out follows RFC 5545 where the library that writes it does not."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar

from sms.modules.appointment.writing import Written, calendar


@pytest.mark.parametrize(
    "name", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca"]
)
def test_every_clock_change_stands_at_the_local_time_before_it(name):
    """RFC 5545, 3.6.5: the onset is on the clock of TZOFFSETFROM."""
    zone = ZoneInfo(name)
    start = datetime(2027, 3, 30, 7, 0, tzinfo=UTC)
    data = calendar([Written("1@x", start, None, zone, "Termin", "CONFIRMED", start)])
    looked_at = 0
    for change in Calendar.from_ical(data).timezones[0].subcomponents:
        before, after = change["TZOFFSETFROM"].td, change["TZOFFSETTO"].td
        later = [one.dt for one in change["RDATE"].dts] if "RDATE" in change else []
        for onset in [change.DTSTART, *later] if before != after else []:
            moment = (onset - before).replace(tzinfo=UTC)
            assert (moment - timedelta(seconds=1)).astimezone(zone).utcoffset() == before
            assert moment.astimezone(zone).utcoffset() == after
            looked_at += 1
    assert looked_at > 50
