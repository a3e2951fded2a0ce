"""The numbers of a month: every appointment is in one of them, and they are read from the index alone."""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from sms import clock
from sms.db import database
from sms.modules.appointment import answers, diary, numbers, reminding, schemes
from sms.modules.appointment.found import Found
from sms.modules.appointment.models import Appointment
from sms.modules.appointment.numbers import Missed
from tests.conftest import sign_in
from tests.survey.surveys_for_tests import take_everything

BERLIN = ZoneInfo("Europe/Berlin")
NINE = datetime(2027, 3, 30, 7, 0, tzinfo=UTC)
MARCH = date(2027, 3, 1)


@pytest.fixture
def month(account):
    """Eight appointments of a morning, six of them reminded, and what became of each."""
    clock.shift(NINE - timedelta(hours=30) - clock.now())
    schemes.create(account, schemes.usual(account).rules)
    for n in range(6):
        _put(account, f"T-{n}", n)
    clock.shift(timedelta(hours=8))
    reminding.work()
    take_everything()
    clock.shift(timedelta(hours=1))
    _put(account, "T-6", 6, zone_hours=-1)
    _put(account, "T-7", 7, zone_hours=-1)
    for n, state in {
        0: "confirmed",
        1: "confirmed",
        2: "declined",
        3: "wants_to_move",
        5: "cancelled",
    }.items():
        answers.set_state(Appointment.get(Appointment.reference == f"T-{n}"), state, "reply", None)
    clock.shift(timedelta(days=2))
    for n in (1, 4, 6):
        answers.set_state(Appointment.get(Appointment.reference == f"T-{n}"), "no_show", "agent", None)
    return numbers.of_month(account, MARCH)


def _put(account, reference, n, zone_hours=0) -> None:
    start = NINE + timedelta(minutes=n, hours=zone_hours)
    diary.put(account, Found(reference, start, BERLIN, f"+4917139{20100 + n}"), "csv")


def test_every_appointment_is_counted_once(month):
    parts = (
        month.confirmed,
        month.declined,
        month.wants_to_move,
        month.no_answer,
        month.not_reminded,
        month.cancelled,
    )
    assert parts == (2, 1, 1, 1, 2, 1)
    assert month.all == sum(parts) == 8


def test_who_did_not_come_is_counted_with_a_reminder_and_without(month):
    assert month.missed_reminded == Missed(2, 4)
    assert month.missed_unreminded == Missed(1, 2)
    assert month.missed_reminded.percent == 50


def test_what_is_still_to_come_is_in_no_rate(account):
    clock.shift(NINE - timedelta(hours=1) - clock.now())
    _put(account, "T-1", 1)
    found = numbers.of_month(account, MARCH)
    assert (found.all, found.missed_unreminded) == (1, Missed(0, 0))
    assert found.missed_unreminded.percent is None


def test_a_month_is_a_month_of_the_accounts_zone(account):
    clock.shift(datetime(2027, 3, 1, tzinfo=UTC) - clock.now())
    for n, start in enumerate(
        (datetime(2027, 3, 31, 21, 59, tzinfo=UTC), datetime(2027, 3, 31, 22, 0, tzinfo=UTC))
    ):
        diary.put(account, Found(f"T-{n}", start, BERLIN, None), "csv")
    assert [numbers.of_month(account, date(2027, m, 1)).all for m in (3, 4)] == [1, 1]


def test_moved_to_another_time_what_was_said_and_sent_counts_no_more(account, month):
    one = Appointment.get(Appointment.reference == "T-0")
    assert (one.answered, one.reminded) == ("confirmed", True)
    diary.put(account, Found("T-0", NINE + timedelta(days=20), BERLIN, "+491713920100"), "api")
    one = Appointment.get(Appointment.reference == "T-0")
    assert (one.answered, one.reminded) == ("", False)


@pytest.mark.sqlite  # PostgreSQL chooses by its statistics; the index is the same
def test_the_counting_reads_the_index_alone(account):
    plan = database.execute_sql(
        "EXPLAIN QUERY PLAN SELECT state, answered, reminded, count(*) FROM appointment"
        " WHERE account_id = 1 AND start >= 0 AND start < 9 GROUP BY state, answered, reminded"
    ).fetchall()
    assert any("COVERING INDEX" in str(row) for row in plan)


def test_the_page_and_the_file_say_the_same(month, client):
    page = client.get("/appointments/numbers?year=2027").text
    assert "2 (50 %)" in page
    assert "März" in page
    assert "<svg" in page
    file = client.get("/appointments/numbers.csv?year=2027")
    assert 'filename="appointments-2027.csv"' in file.headers["Content-Disposition"]
    rows = list(csv.reader(io.StringIO(file.data.decode("utf-8-sig")), delimiter=";"))
    assert rows[3] == ["2027-03", "8", "2", "1", "1", "1", "2", "1", "2", "4", "1", "2"]
    assert len(rows) == 13


@pytest.mark.parametrize("year", ["", "x", "0", "99999", "9001", "２０２７"])
def test_a_year_that_is_none_is_this_one(client, year):
    assert client.get("/appointments/numbers", query_string={"year": year}).status_code == 200
    assert client.get("/appointments/numbers.csv", query_string={"year": year}).status_code == 200


def test_another_account_counts_nothing_of_it(app, month, stranger):
    assert "2 (50 %)" not in sign_in(app, stranger).get("/appointments/numbers?year=2027").text
