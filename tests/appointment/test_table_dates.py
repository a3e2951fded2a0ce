"""Days and hours in tables as people and programs write them, and the encodings that tables come in."""

from zoneinfo import ZoneInfo

import pytest

from sms.modules.appointment import table

BERLIN = ZoneInfo("Europe/Berlin")
WRITTEN = {
    "19.11.26 14:15": "2026-11-19 13:15",
    "19.11.2026 14:15:00": "2026-11-19 13:15",
    "Do, 19.11.2026 14:15": "2026-11-19 13:15",
    "19. November 2026 14:15": "2026-11-19 13:15",
    "19. Nov. 2026, 14:15 Uhr": "2026-11-19 13:15",
    "Donnerstag, 19. November 2026 um 14:15 Uhr": "2026-11-19 13:15",
    "Thursday, 19 November 2026 at 2:15 pm": "2026-11-19 13:15",
    "19.11.2026 12:00 AM": "2026-11-18 23:00",
    "1. März 2027 8 Uhr": "2027-03-01 07:00",
    "1. Mai 2027 8.30": "2027-05-01 06:30",
    "24. Dez 26, 9:00": "2026-12-24 08:00",
    "2026-11-19T14:15": "2026-11-19 13:15",
    "2026-11-19T14:15:00-05:00": "2026-11-19 19:15",
    "25.10.2026 02:30": "2026-10-25 00:30",
}
WRONG = {
    "29.03.2026 02:30": "time_gap",
    "31. Februar 2027 8:00": "bad_time",
    "19. Brumaire 2026 8:00": "bad_time",
    "19. November 2026": "no_hour",
    "19.11.2026 14:15 PM": "bad_time",
    "19.11.2026 25:00": "bad_time",
    "morgen um acht": "bad_time",
}


def _read(start: str) -> table.Reading:
    return table.read(f'start;number\n"{start}";0171 3920042\n'.encode(), BERLIN)


@pytest.mark.parametrize("written", WRITTEN)
def test_a_day_and_an_hour_as_they_are_written(written):
    assert [f"{one.start:%Y-%m-%d %H:%M}" for one in _read(written).appointments] == [WRITTEN[written]]


@pytest.mark.parametrize("written", WRONG)
def test_what_is_no_moment_is_told(written):
    assert [(m.place, m.code) for m in _read(written).mistakes] == [(2, WRONG[written])]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_a_table_in_any_encoding_and_with_any_delimiter(encoding, delimiter, end):
    rows = [["Beginn", "Handy", "Behandlung"], ["19.11.2026 14:15", "0171 3920042", "Prüfung"]]
    data = "".join(delimiter.join(row) + end for row in rows).encode(encoding)
    (one,) = table.read(data, BERLIN).appointments
    assert (one.title, one.number) == ("Prüfung", "+491713920042")
