"""Calendars as they are exported: what starts when, in which zone, and what is left out."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms.modules.appointment.ics import MOST_OF_ONE, NotACalendar, read

BERLIN = ZoneInfo("Europe/Berlin")
SINCE, UNTIL = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 30, tzinfo=UTC)
OWN_ZONE = """BEGIN:VTIMEZONE
TZID:Praxis
BEGIN:STANDARD
DTSTART:19701025T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:19700329T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
END:DAYLIGHT
END:VTIMEZONE
"""


def _calendar(*events: str, head: str = "") -> bytes:
    body = "".join(f"BEGIN:VEVENT\n{event.strip()}\nEND:VEVENT\n" for event in events)
    return f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//x//\n{head}{body}END:VCALENDAR\n".replace(
        "\n", "\r\n"
    ).encode()


def _starts(*events: str, head: str = "", zone: ZoneInfo = BERLIN) -> list[str]:
    reading = read(_calendar(*events, head=head), zone, SINCE, since=SINCE, until=UNTIL)
    assert {m.code for m in reading.mistakes} <= {"without_number"}, reading.mistakes
    return [f"{one.start:%m-%d %H:%M}" + (" x" if one.cancelled else "") for one in reading.appointments]


SERIES = "UID:s\nDTSTART;TZID=Europe/Berlin:20260326T090000\nDTEND;TZID=Europe/Berlin:20260326T093000\n"

CASES = {
    "utc": (["UID:1\nDTSTART:20260330T070000Z"], ["03-30 07:00"]),
    "named zone": (["UID:1\nDTSTART;TZID=Europe/Berlin:20260330T090000"], ["03-30 07:00"]),
    "windows zone": (["UID:1\nDTSTART;TZID=W. Europe Standard Time:20260330T090000"], ["03-30 07:00"]),
    "another zone": (["UID:1\nDTSTART;TZID=America/New_York:20260330T090000"], ["03-30 13:00"]),
    "floating": (["UID:1\nDTSTART:20260330T090000"], ["03-30 07:00"]),
    "all day": (["UID:1\nDTSTART;VALUE=DATE:20260330"], ["03-29 22:00"]),
    "in the gap": (["UID:1\nDTSTART;TZID=Europe/Berlin:20260329T023000"], ["03-29 01:30"]),
    "cancelled": (["UID:1\nSTATUS:CANCELLED\nDTSTART:20260330T070000Z"], ["03-30 07:00 x"]),
    "over the clock change": ([SERIES + "RRULE:FREQ=DAILY;COUNT=5"], ["03-26 08:00", "03-27 08:00", "03-28 08:00", "03-29 07:00", "03-30 07:00"]),
    "exception": ([SERIES + "RRULE:FREQ=DAILY;COUNT=3\nEXDATE;TZID=Europe/Berlin:20260327T090000"], ["03-26 08:00", "03-28 08:00"]),
    "exception in utc": ([SERIES + "RRULE:FREQ=DAILY;COUNT=3\nEXDATE:20260327T080000Z"], ["03-26 08:00", "03-28 08:00"]),
    "moved and cancelled ones": (
        [
            SERIES + "RRULE:FREQ=DAILY;COUNT=3",
            "UID:s\nRECURRENCE-ID;TZID=Europe/Berlin:20260327T090000\nDTSTART;TZID=Europe/Berlin:20260327T150000",
            "UID:s\nRECURRENCE-ID;TZID=Europe/Berlin:20260328T090000\nDTSTART;TZID=Europe/Berlin:20260328T090000\nSTATUS:CANCELLED",
        ],
        ["03-26 08:00", "03-27 14:00", "03-28 08:00 x"],
    ),
    "moved out of the time in question": (
        [SERIES + "RRULE:FREQ=DAILY;COUNT=2", "UID:s\nRECURRENCE-ID;TZID=Europe/Berlin:20260327T090000\nDTSTART;TZID=Europe/Berlin:20270327T150000"],
        ["03-26 08:00"],
    ),
    "moved into it": (
        [
            "UID:s\nDTSTART;TZID=Europe/Berlin:20260128T090000\nRRULE:FREQ=DAILY;COUNT=2",
            "UID:s\nRECURRENCE-ID;TZID=Europe/Berlin:20260129T090000\nDTSTART;TZID=Europe/Berlin:20260327T150000",
        ],
        ["03-27 14:00"],
    ),
    "more dates": ([SERIES + "RDATE;TZID=Europe/Berlin:20260402T100000,20260403T100000"], ["03-26 08:00", "04-02 08:00", "04-03 08:00"]),
    "first monday": (["UID:s\nDTSTART;TZID=Europe/Berlin:20260302T090000\nRRULE:FREQ=MONTHLY;BYDAY=1MO"], ["03-02 08:00", "04-06 07:00"]),
    "last day of the month": (["UID:s\nDTSTART;TZID=Europe/Berlin:20260131T090000\nRRULE:FREQ=MONTHLY;BYMONTHDAY=-1;UNTIL=20260501T000000Z"], ["03-31 07:00"]),
    "every other week": (["UID:s\nDTSTART;TZID=Europe/Berlin:20260303T090000\nRRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,TH"], ["03-03 08:00", "03-05 08:00", "03-17 08:00", "03-19 08:00", "03-31 07:00", "04-02 07:00", "04-14 07:00", "04-16 07:00", "04-28 07:00"]),
    "a later version of the same": (["UID:1\nSEQUENCE:0\nDTSTART:20260330T070000Z", "UID:1\nSEQUENCE:2\nDTSTART:20260331T070000Z"], ["03-31 07:00"]),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_a_calendar_says(name):
    events, starts = CASES[name]
    assert _starts(*events) == starts


def test_a_zone_that_the_file_defines_itself_is_used():
    assert _starts("UID:1\nDTSTART;TZID=Praxis:20260330T090000", head=OWN_ZONE) == ["03-30 07:00"]


def test_the_calendars_own_zone_is_meant_where_an_event_names_none():
    head = "X-WR-TIMEZONE:America/New_York\n"
    assert _starts("UID:1\nDTSTART:20260330T090000\nRRULE:FREQ=DAILY;COUNT=1", head=head)[0] in (
        "03-30 13:00",
        "03-30 07:00",
    )


def test_an_occurrence_that_is_moved_keeps_its_reference():
    moved = (
        "UID:s\nRECURRENCE-ID;TZID=Europe/Berlin:20260327T090000\nDTSTART;TZID=Europe/Berlin:20260327T150000"
    )
    before = read(_calendar(SERIES + "RRULE:FREQ=DAILY;COUNT=3"), BERLIN, SINCE).appointments
    after = read(_calendar(SERIES + "RRULE:FREQ=DAILY;COUNT=3", moved), BERLIN, SINCE).appointments
    assert [a.reference for a in before] == [a.reference for a in after]
    assert before[1].start != after[1].start


NUMBERS = [
    ("SUMMARY:Schößler 0171 3920054 Kontrolle", "+491713920054"),
    ("SUMMARY:Kontrolle\nDESCRIPTION:Tel. 030 23125417\\, Handy 0171/3920054", "+491713920054"),
    ("SUMMARY:Kontrolle\nDESCRIPTION:Tel. 030 23125417", "+493023125417"),
    ("SUMMARY:491713920054", "+491713920054"),
    ("SUMMARY:Rechnung 4711 vom 30.03.2026", None),
    ("SUMMARY:x\nATTENDEE:tel:+491713920054", "+491713920054"),
    ("SUMMARY:x\nLOCATION:Praxis\\, Tel. 030 23125417", None),
    ("SUMMARY:Notruf 112", None),
]


@pytest.mark.parametrize(("lines", "number"), NUMBERS)
def test_the_number_is_found_in_title_or_description(lines, number):
    (one,) = read(_calendar(f"UID:1\nDTSTART:20260330T070000Z\n{lines}"), BERLIN, SINCE).appointments
    assert one.number == number


def test_an_event_that_cannot_be_read_spoils_no_other():
    reading = read(
        _calendar("UID:bad\nDTSTART:kaputt", "UID:none\nSUMMARY:x", "UID:ok\nDTSTART:20260330T070000Z"),
        BERLIN,
        SINCE,
    )
    assert [one.reference for one in reading.appointments] == ["ok"]
    assert [(m.place, m.code) for m in reading.mistakes] == [
        ("bad", "bad_event"),
        ("none", "no_start"),
        ("ok", "without_number"),
    ]


@pytest.mark.parametrize("rule", ["FREQ=SECONDLY", "FREQ=MINUTELY;COUNT=10", "FREQ=HOURLY"])
def test_a_series_that_never_pauses_is_refused(rule):
    reading = read(_calendar(SERIES + f"RRULE:{rule}"), BERLIN, SINCE, since=SINCE, until=UNTIL)
    assert [m.code for m in reading.mistakes] == ["too_many_occurrences"]


def test_a_series_without_end_stops_a_year_ahead():
    reading = read(_calendar(SERIES + "RRULE:FREQ=WEEKLY"), BERLIN, SINCE)
    assert 45 <= len(reading.appointments) <= 53
    endless = read(
        _calendar(SERIES + "RRULE:FREQ=DAILY"),
        BERLIN,
        SINCE,
        since=SINCE,
        until=datetime(2046, 1, 1, tzinfo=UTC),
    )
    assert [m.params for m in endless.mistakes] == [{"limit": MOST_OF_ONE}]


@pytest.mark.parametrize(
    "data", [b"", b"<html>", b"reference;start\n", b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n\r\n;;;:\r\n"]
)
def test_what_is_no_calendar_is_refused(data):
    with pytest.raises(NotACalendar):
        read(data, BERLIN, SINCE)


lines = st.lists(
    st.sampled_from([
        "BEGIN:VEVENT", "END:VEVENT", "UID:1", "UID:2", "DTSTART:20260330T070000Z", "DTSTART;TZID=Nowhere:20260330T070000",
        "DTSTART;VALUE=DATE:20260330", "RRULE:FREQ=DAILY", "RRULE:FREQ=NEVER", "RRULE:FREQ=YEARLY;UNTIL=x", "EXDATE:x", "DURATION:-P1D",
        "RECURRENCE-ID:20260330T070000Z", "STATUS:CANCELLED", "SUMMARY:{name}", "RDATE:20260330", "DTEND:19000101T000000Z",
    ]) | st.text(max_size=30), max_size=20,
)  # fmt: skip


@given(lines)
def test_no_calendar_breaks_the_reader(lines):
    data = "\r\n".join(["BEGIN:VCALENDAR", *lines, "END:VCALENDAR", ""]).encode("utf-8", "replace")
    try:
        read(data, BERLIN, SINCE, since=SINCE, until=UNTIL)
    except NotACalendar:
        pass
