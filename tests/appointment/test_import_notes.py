"""Before a file is taken in, the page says of what nobody will be reminded, and why."""

from datetime import UTC, datetime, timedelta

import pytest

from sms import clock
from sms.modules.appointment.models import Appointment
from tests.appointment.test_importing import _looked_at, _send

NINE = datetime(2027, 3, 30, 7, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _days_before(app):
    clock.shift(NINE - timedelta(days=10) - clock.now())


def _calendar(*events: tuple[str, str, str]) -> bytes:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//x//DE"]
    for n, (start, title, more) in enumerate(events):
        lines += ["BEGIN:VEVENT", f"UID:{n}@praxis", "DTSTAMP:20270101T000000Z", f"DTSTART:{start}"]
        lines += [f"SUMMARY:{title}", *filter(None, [more]), "END:VEVENT"]
    return "\r\n".join([*lines, "END:VCALENDAR", ""]).encode()


def test_a_number_that_cannot_be_reached_is_not_called_missing(account, client):
    page = client.get(_looked_at(client, _calendar(("20270330T070000Z", "Koch +41 44 668 18 00", "")))).text
    assert "Festnetznummern im Ausland sind nicht erreichbar" in page
    assert "keine Telefonnummer" not in page
    assert "1 Termin gefunden" in page


def test_appointments_of_a_table_that_are_over_are_named_before_they_are_taken_in(account, client):
    table = "Datum;Uhrzeit;Telefon\n01.03.2027;09:00;0171 3920042\n30.03.2027;09:00;0171 3920042\n"
    page = client.get(_looked_at(client, table.encode())).text
    assert "1 Termin liegt in der Vergangenheit, es wird nicht erinnert." in page
    assert page.count("in der Vergangenheit</span>") == 1
    fine = client.get(_looked_at(client, b"Datum;Uhrzeit;Telefon\n30.03.2027;09:00;0171 3920042\n")).text
    assert "Vergangenheit" not in fine


def test_events_of_a_calendar_that_are_over_are_counted(account, client):
    data = _calendar(
        ("20270301T070000Z", "Koch 0171 3920042", ""),
        ("20270101T070000Z", "Jeden Tag bis Februar", "RRULE:FREQ=DAILY;UNTIL=20270201T000000Z"),
        ("20270101T070000Z", "Jeden Montag", "RRULE:FREQ=WEEKLY;UNTIL=20270401T000000Z"),
        ("20270330T070000Z", "Koch 0171 3920042", ""),
    )
    page = client.get(_looked_at(client, data)).text
    assert "2 Einträge liegen in der Vergangenheit und werden ausgelassen." in page


def test_whoever_writes_down_what_is_over_is_told_that_nobody_is_reminded(account, client):
    over = {"number": "0171 3920042", "start": "2027-03-01T09:00", "minutes": "30", "title": ""}
    assert client.post("/appointments/new", data=over).status_code == 303
    assert Appointment.select().count() == 1
    page = client.get("/appointments/").text
    assert "Er liegt in der Vergangenheit, es wird nicht erinnert." in page
    client.post("/appointments/new", data=over | {"start": "2027-03-30T09:00"})
    assert "Vergangenheit" not in client.get("/appointments/").text


def test_a_bad_time_is_told_as_germans_write_times(account, client):
    page = client.get(_looked_at(client, b"Termin;Telefon\n31.02.2027 09:00;0171 3920042\n")).text
    assert "Das ist keine Zeit wie 30.03.2026 09:00." in page


@pytest.mark.parametrize(
    "data", [b"<!DOCTYPE html><html>\n<p>a;b</p></html>", b"\xef\xbb\xbf\n <html></html>"]
)
def test_a_web_page_is_called_one(account, client, data):
    answer = _send(client, data, "termine.html")
    assert answer.status_code == 422
    assert "Das ist eine Webseite" in answer.text
