"""Tables as they come out of practices' programs and out of Excel."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms.modules.appointment.table import NotATable, read

BERLIN = ZoneInfo("Europe/Berlin")


def _one(text: str, encoding: str = "utf-8"):
    reading = read(text.encode(encoding), BERLIN)
    assert not reading.mistakes, reading.mistakes
    (found,) = reading.appointments
    return found


@pytest.mark.parametrize(
    "text",
    [
        "reference;start;number;title\nA1;30.03.2026 09:00;0171 3920054;Füllung\n",
        "title,number,start,reference\nFüllung,+49 171 3920054,2026-03-30T09:00,A1\n",
        "Referenz;Beginn;Telefonnummer;Titel\r\nA1;Mo., 30.03.2026, 9:00 Uhr;00491713920054;Füllung\r\n",
        "Nr.\tDatum\tUhrzeit\tHandy-Nr\tBehandlung\nA1\t30.3.26\t9.00\t0171/3920054\tFüllung\n".replace(
            "Handy-Nr", "Handy"
        ),
        "sep=;\nID;Termin;Mobil;Betreff\n\nA1;30.03.2026 um 9 Uhr;(0171) 3920054;Füllung\n;;;\n",
        'ID;Start;Tel.;Titel\n"A1";"2026-03-30 07:00:00Z";"1713920054";"Füllung"\n',
        "ID;Startdatum;Start;Nummer;Titel\nA1;30.03.2026;09:00:00;0171-3920054;Füllung\n",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_one_appointment_in_many_dresses(text, encoding):
    found = _one(text, encoding)
    assert (found.reference, found.number, found.title) == ("A1", "+491713920054", "Füllung")
    assert found.start == datetime(2026, 3, 30, 7, tzinfo=UTC)


MISTAKES = [
    ("A;30.02.2026 09:00;0171 3920054;x", "bad_time"),
    ("A;bald;0171 3920054;x", "bad_time"),
    ("A;30.03.2026;0171 3920054;x", "no_hour"),
    ("A;;0171 3920054;x", "empty"),
    ("A;29.03.2026 02:30;0171 3920054;x", "time_gap"),
    ("A;30.03.2026 09:00;12ab;x", "letters"),
    ("A;30.03.2026 09:00;0043 1 5125555;x", "foreign_landline"),
    ("A;30.03.2026 09:00;112;x", "emergency"),
    ("A;30.03.2026 09:00;;x", "without_number"),
]


@pytest.mark.parametrize(("line", "code"), MISTAKES)
def test_each_wrong_line_is_named_and_spoils_no_other(line, code):
    good = "B;31.03.2026 09:00;0171 3920054;gut"
    reading = read(f"reference;start;number;title\n{line}\n{good}\n".encode(), BERLIN)
    assert [(m.place, m.code) for m in reading.mistakes] == [(2, code)]
    assert reading.appointments[-1].reference == "B"
    assert len(reading.appointments) == (2 if code == "without_number" else 1)


def test_a_reference_twice_counts_once_and_is_named():
    reading = read(
        b"reference;start;number\nA;30.03.2026 09:00;01713920054\nA;31.03.2026 09:00;01713920054\n", BERLIN
    )
    assert [m.code for m in reading.mistakes] == ["twice"]
    assert len(reading.appointments) == 1


def test_without_references_the_same_file_is_the_same_appointments():
    data = b"start;number;title\n30.03.2026 09:00;01713920054;x\n30.03.2026 09:30;01713920054;x\n"
    first, again = read(data, BERLIN).appointments, read(data, BERLIN).appointments
    assert [a.reference for a in first] == [a.reference for a in again]
    assert len({a.reference for a in first}) == 2


def test_other_columns_become_fields_of_the_appointment():
    found = _one(
        "reference;start;number;title;Nachname;Dauer\nA;30.03.2026 09:00;01713920054;x;Schößler;45 min\n"
    )
    assert found.fields == {"Nachname": "Schößler"}
    assert (found.end - found.start).total_seconds() == 45 * 60


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty_file"),
        (b"<!DOCTYPE html><html></html>", "no_start_column"),
        (b"Name;Telefon\nA;0171\n", "no_start_column"),
        (b"\x89PNG\r\n\x1a\n\0\0\0", "not_a_table"),
    ],
)
def test_what_is_no_table_is_refused(data, code):
    with pytest.raises(NotATable) as refused:
        read(data, BERLIN)
    assert refused.value.code == code


@given(st.binary(max_size=400) | st.text(max_size=300).map(lambda t: ("start;number\n" + t).encode()))
def test_no_file_breaks_the_reader(data):
    try:
        read(data, BERLIN)
    except NotATable:
        pass
