"""A file is shown as it is understood before it is taken in, and the same file twice changes nothing."""

import io
import os
import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from sms import clock
from sms.modules.appointment import diary, schemes
from sms.modules.appointment.found import Found
from sms.modules.appointment.models import Appointment, Reminder
from sms.modules.appointment.views import importing
from tests.conftest import sign_in

NINE = datetime(2027, 3, 30, 7, 0, tzinfo=UTC)
TABLE = """Datum;Uhrzeit;Telefon;Behandlung;Wer
30.03.2027;09:00;0171 3920042;Kontrolle;Dr. Lindner
30.03.2027;25:00;0171 3920033;Prophylaxe;Dr. Hahn
28.03.2027;02:30;0171 3920029;Beratung;Dr. Hahn
31.03.2027;10:00;;Krone;Dr. Hahn
"""


@pytest.fixture(autouse=True)
def _days_before(app):
    clock.shift(NINE - timedelta(days=10) - clock.now())


def _send(client, data: bytes, name="termine.csv"):
    return client.post(
        "/appointments/import", data={"file": (io.BytesIO(data), name)}, content_type="multipart/form-data"
    )


def _looked_at(client, data: bytes) -> str:
    answer = _send(client, data)
    assert answer.status_code == 303
    return answer.headers["Location"]


def test_a_table_is_shown_line_by_line_and_nothing_is_stored(account, client):
    page = client.get(_looked_at(client, TABLE.encode("cp1252"))).text
    assert "2 Termine gefunden" in page
    assert "30.03.2027 09:00" in page
    assert re.findall(r'<td class="num">(\d)</td>', page) == ["3", "4", "5"]
    assert Appointment.select().count() == 0


def test_what_is_looked_at_is_taken_in_and_again_changes_nothing(account, client):
    place = _looked_at(client, TABLE.encode())
    for _ in range(2):
        answer = client.post(place)
        assert answer.status_code == 303
        assert answer.headers["Location"].endswith("day=2027-03-30")
        assert Appointment.select().count() == 2
    one = Appointment.get(Appointment.number == "+491713920042")
    assert (one.start, one.title, one.fields) == (NINE, "Kontrolle", {"Wer": "Dr. Lindner"})


def test_columns_that_are_named_otherwise_can_be_told(account, client):
    place = _looked_at(client, b"wann;wen\n30.03.2027 09:00;0171 3920042\n")
    assert "0 Termine gefunden" in client.get(place).text
    told = {"column_0": "start", "column_1": "number"}
    assert "1 Termin gefunden" in client.get(place, query_string=told).text
    assert client.post(place, data=told).status_code == 303
    assert Appointment.get().number == "+491713920042"


def test_a_stretch_takes_no_less_time_than_reading_the_file_anew_for_it():
    assert importing._stretch(0.1) == importing.STRETCH_SECONDS
    assert importing._stretch(9.0) == 9.0


def test_a_column_with_names_says_who_comes_in_what_is_shown_and_in_the_agenda(account, client):
    table = "Nr;Datum;Uhrzeit;Telefon;Name;Ende\nN-1;30.03.2027;09:00;0171 3920042;Jürgen Größmann;09:30\n"
    place = _looked_at(client, table.encode("cp1252"))
    page = client.get(place).text
    assert "Jürgen Größmann" in page
    assert '<option value="end" selected>Ende</option>' in page
    client.post(place)
    assert "Jürgen Größmann" in client.get("/appointments/?day=2027-03-30").text


def test_what_is_wrong_in_a_calendar_is_told_by_when_and_what_for_and_not_by_its_uid(account, client):
    event = (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//DE\r\nBEGIN:VEVENT\r\nUID:0f3c9a@praxis\r\n"
        "DTSTAMP:20270101T000000Z\r\nDTSTART:20270330T070000Z\r\nSUMMARY:Teambesprechung\r\n"
        "END:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    page = client.get(_looked_at(client, event.encode())).text
    assert "30.03.2027 09:00 Teambesprechung" in page
    assert "0f3c9a" not in page


def test_a_large_file_goes_in_a_stretch_at_a_time(account, client, monkeypatch):
    monkeypatch.setattr(importing, "_stretch", lambda reading: 0.0)
    lines = [f"{n};30.03.2027 {8 + n % 10}:{n % 60:02};0171 39{n:05}" for n in range(450)]
    place = _looked_at(client, ("nr;start;telefon\n" + "\n".join(lines)).encode())
    first = client.post(place)
    assert first.status_code == 200
    assert 'name="done" value="200"' in first.text
    assert "200 von 450" in first.text
    second = client.post(place, data={"done": "200"}, headers={"HX-Request": "true"})
    assert "400 von 450" in second.text
    last = client.post(place, data={"done": "400"}, headers={"HX-Request": "true"})
    assert last.headers["HX-Redirect"].startswith("/appointments/")
    assert Appointment.select().count() == 450


@pytest.mark.parametrize(
    "data", [b"", b"  \n", b"BEGIN:VCALENDAR\nBEGIN:VEVENT\n", b"\x00\x01\x02", b"a;b\x00\n"]
)
def test_what_is_no_file_of_appointments_is_refused(account, client, data):
    answer = _send(client, data)
    assert answer.status_code == 422
    assert 'id="file-e"' in answer.text


def test_a_file_over_a_megabyte_is_read_and_one_over_eight_is_not(account, client):
    row = b"30.03.2027;09:00;0171 3920042;" + b"x" * 900_000 + b"\n"
    assert _send(
        client, b"Datum;Uhrzeit;Telefon;Behandlung\n" + row.replace(b"x" * 900_000, b"x" * 1_100_000)
    ).status_code in (303, 422)
    assert _send(client, b"x" * 8_100_000).status_code == 413


def test_another_accounts_file_is_not_there(app, account, client, stranger):
    place = _looked_at(client, TABLE.encode())
    other = sign_in(app, stranger)
    assert other.get(place).status_code == 404
    assert other.post(place).status_code == 404
    assert client.get("/appointments/import/..%2f..%2fx").status_code == 404


def test_a_moment_finer_than_the_database_keeps_is_the_same_moment_again(account):
    schemes.create(account, schemes.usual(account).rules)
    fine = Found("T-1", NINE + timedelta(microseconds=123_456), ZoneInfo("Europe/Berlin"), "+491713920042")
    for _ in range(2):
        assert list(diary.put_many(account, [fine], "csv")) == [1]
    assert Appointment.select().count() == 1
    assert Reminder.select().count() == 1
    assert Appointment.get().moved_at is None


def test_a_reference_twice_in_one_batch_is_one_appointment(account):
    ones = [
        Found("T-1", NINE + timedelta(hours=n), ZoneInfo("Europe/Berlin"), "+491713920042") for n in (0, 1)
    ]
    assert list(diary.put_many(account, ones, "csv")) == [2]
    assert Appointment.get().start == NINE + timedelta(hours=1)


def test_a_file_that_was_only_looked_at_is_gone_after_a_day(account, client, settings):
    place = _looked_at(client, TABLE.encode())
    (kept_file,) = (settings.data / "imports").iterdir()
    long_ago = kept_file.stat().st_mtime - 25 * 3600
    os.utime(kept_file, (long_ago, long_ago))
    _looked_at(client, TABLE.encode())
    assert client.get(place).status_code == 404
