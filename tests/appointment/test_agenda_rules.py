"""The rules of reminding that nobody forgives: after an outage, at a clock change, in another zone, while rules change."""

import threading
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from peewee import IntegrityError

from sms import clock
from sms.db import database
from sms.modules.appointment import agenda, answers, diary, planning, reminding, renewing, schemes
from sms.modules.appointment.found import Found
from sms.modules.appointment.models import Appointment, Reminder, Scheme
from tests.survey.surveys_for_tests import MARGARETHE, NELE, TORSTEN, take_everything, told

BERLIN = ZoneInfo("Europe/Berlin")
NINE = datetime(2027, 3, 30, 7, 0, tzinfo=UTC)


def _rule(key: str, before: str, at: str = "", when: str = "open") -> dict[str, str]:
    return {"key": key, "before": before, "at": at, "channel": "sms", "when": when}


DAY_BEFORE, HOUR_BEFORE = _rule("day", "P1D", "10:00"), _rule("hour", "PT1H", when="always")


def _is(moment: datetime) -> None:
    clock.shift(moment - clock.now())


@pytest.fixture(autouse=True)
def _days_before(app):
    _is(NINE - timedelta(days=10))


@pytest.fixture
def scheme(account) -> Scheme:
    return schemes.create(account, [DAY_BEFORE, HOUR_BEFORE])


def _put(account, reference="T-1", number=MARGARETHE, start=NINE, zone=BERLIN) -> Appointment:
    return diary.put(account, Found(reference, start, zone, number), "api")[0]


def _work() -> None:
    reminding.work()
    take_everything()


def _states(appointment) -> dict[str, tuple[str, str]]:
    rows = Reminder.select().where(Reminder.appointment == appointment, Reminder.start == appointment.start)
    return {row.rule: (row.state, row.reason) for row in rows}


def _moments(appointment) -> dict[str, str]:
    rows = Reminder.select().where(Reminder.appointment == appointment)
    return {row.rule: f"{row.at:%Y-%m-%dT%H:%MZ}" for row in rows}


def test_there_is_no_second_reminder_of_one_rule_for_one_time(account, scheme):
    reminder = Reminder.get(Reminder.appointment == _put(account))
    with pytest.raises(IntegrityError), database.atomic():
        Reminder.create(
            appointment=reminder.appointment_id, rule=reminder.rule, start=reminder.start, at=clock.now()
        )


@pytest.mark.parametrize(("words", "heard"), [("Abgesagt: {Termin}", 2), ("", 1)])
def test_who_was_reminded_of_it_hears_of_the_cancelling_where_the_practice_has_words_for_it(
    account, scheme, words, heard
):
    Scheme.update(cancelled_text=words).execute()
    _put(account)
    _put(account, "T-2", TORSTEN, NINE + timedelta(days=3))
    _is(NINE - timedelta(hours=22))
    _work()
    diary.cancel(account, "T-1")
    diary.cancel(account, "T-2")
    take_everything()
    assert len(told(MARGARETHE)) == heard
    assert told(MARGARETHE)[1:] == ["Abgesagt: Dienstag, 30. März, um 09:00 Uhr"][: heard - 1]
    assert told(TORSTEN) == []


def test_moved_before_anybody_was_reminded_nobody_hears_of_it(account, scheme):
    Scheme.update(moved_text="Neu: {Termin}").execute()
    _put(account)
    _put(account, start=NINE + timedelta(days=1))
    take_everything()
    assert told(MARGARETHE) == []


def test_after_two_hours_of_outage_what_still_helps_goes_out_and_the_rest_is_shown_as_missed(account, scheme):
    begun = _put(account, "T-1", MARGARETHE, NINE)
    soon = _put(account, "T-2", TORSTEN, NINE + timedelta(minutes=95))
    later = _put(account, "T-3", NELE, NINE + timedelta(hours=2))
    _is(NINE - timedelta(hours=22))
    _work()
    for number in (MARGARETHE, TORSTEN, NELE):
        assert len(told(number)) == 1
    _is(
        NINE - timedelta(minutes=30)
    )  # from half an hour before the first until an hour and a half after it: nothing runs
    _is(NINE + timedelta(minutes=90))
    _work()
    assert _states(begun)["hour"] == ("missed", "too_late")
    assert _states(soon)["hour"] == ("missed", "too_late")
    assert _states(later)["hour"] == ("sent", "")
    assert [len(told(number)) for number in (MARGARETHE, TORSTEN, NELE)] == [1, 1, 2]


def test_created_too_late_for_every_rule_the_agenda_says_so(account, scheme):
    _is(NINE - timedelta(minutes=50))
    appointment = _put(account)
    assert _states(appointment) == {"day": ("skipped", "too_late"), "hour": ("skipped", "too_late")}
    (row,) = agenda.day(account, NINE.date())
    assert (row.standing.kind, row.standing.reason) == ("not_reminded", "too_late")


@pytest.mark.parametrize(
    ("start", "planned"),
    [
        # Sunday, 28 March 2027: 02:00 becomes 03:00. A day before is the same hour on the clock, 23 hours earlier.
        ("2027-03-28T09:00", {"same": "2027-03-27T08:00Z", "ten": "2027-03-27T09:00Z", "hours": "2027-03-27T07:00Z"}),
        # The day after: 02:30 of the Sunday does not exist, the reminder goes at 03:00.
        ("2027-03-29T02:30", {"same": "2027-03-28T01:00Z", "ten": "2027-03-28T08:00Z", "hours": "2027-03-28T00:30Z"}),
        # Sunday, 31 October 2027: 03:00 becomes 02:00. 02:30 comes twice, the first is meant.
        ("2027-10-31T09:00", {"same": "2027-10-30T07:00Z", "ten": "2027-10-30T08:00Z", "hours": "2027-10-30T08:00Z"}),
        ("2027-11-01T02:30", {"same": "2027-10-31T00:30Z", "ten": "2027-10-31T09:00Z", "hours": "2027-10-31T01:30Z"}),
    ],
)  # fmt: skip
def test_both_clock_changes_are_kept_from_the_diary_to_the_plan(account, start, planned):
    rules = [_rule("same", "P1D"), _rule("ten", "P1D", "10:00"), _rule("hours", "PT24H")]
    schemes.create(account, rules)
    Scheme.update(quiet="").execute()
    moment = datetime.fromisoformat(start).replace(tzinfo=BERLIN).astimezone(UTC)
    assert _moments(_put(account, start=moment)) == planned


def test_an_appointment_elsewhere_is_reminded_of_by_its_own_clock(account, scheme):
    new_york = ZoneInfo("America/New_York")
    start = datetime(2027, 3, 30, 9, 0, tzinfo=new_york).astimezone(UTC)
    there = _put(account, start=start, zone=new_york)
    assert _moments(there) == {"day": "2027-03-29T14:00Z", "hour": "2027-03-30T12:00Z"}
    _is(datetime(2027, 3, 29, 14, 1, tzinfo=UTC))
    _work()
    assert "Dienstag, 30. März, um 09:00 Uhr" in told(MARGARETHE)[0]


def test_what_is_sent_while_it_is_planned_anew_stays_sent(account, scheme, monkeypatch):
    appointment = _put(account)
    reminder = Reminder.get(Reminder.rule == "day")
    write = planning._write

    def sent_meanwhile(changes):
        # Between reading and writing of the planning another process has sent it.
        Reminder.update(state="sent", done_at=clock.now()).where(Reminder.id == reminder.id).execute()
        write(changes)

    monkeypatch.setattr(planning, "_write", sent_meanwhile)
    later = Scheme.get()
    later.rules = [{**DAY_BEFORE, "at": "12:00"}]
    schemes.save(account, later)
    reminding.work()
    assert _states(appointment) == {"day": ("sent", ""), "hour": ("cancelled", "not_wanted")}


def test_rules_that_change_while_reminders_go_out_lose_nobody_and_tell_nobody_twice(account, scheme):
    numbers = [f"+4917139{20000 + n}" for n in range(30)]
    for n, number in enumerate(numbers):
        _put(account, f"T-{n}", number)
    _is(NINE - timedelta(hours=23) + timedelta(seconds=1))

    def remind() -> None:
        with database.connection_context():
            reminding.work()

    workers = [threading.Thread(target=remind) for _ in range(2)]
    for worker in workers:
        worker.start()
    for n in range(5):
        changed = schemes.of(account)
        changed.text = f"Fassung {n}: morgen um {{Uhrzeit}}"
        schemes.save(account, changed)
    for worker in workers:
        worker.join()
    _work()
    assert [len(told(number)) for number in numbers] == [1] * len(numbers)


def test_once_everything_is_planned_nobody_looks_through_the_appointments(account, scheme):
    appointment = _put(account)
    reminding.work()
    assert renewing.unsettled().exists()
    clock.shift(renewing.SETTLES_AFTER + timedelta(seconds=1))
    reminding.work()
    assert not renewing.unsettled().exists()
    changed = schemes.of(account)
    changed.rules = [DAY_BEFORE]
    schemes.save(account, changed)
    assert renewing.unsettled().exists()
    reminding.work()
    assert _states(appointment)["hour"] == ("cancelled", "not_wanted")


def test_an_import_that_ends_while_somebody_answers_does_not_undo_the_answer(account, scheme):
    appointment = _put(account)
    stale = Appointment.get_by_id(appointment.id)
    answers.set_state(appointment, "confirmed", "reply", None)
    assert answers.set_state(stale, "confirmed", "reply", None) is False
    for _ in diary.put_many(account, [Found("T-1", NINE, BERLIN, MARGARETHE, "Neuer Anlass")], "csv"):
        pass
    fresh = Appointment.get_by_id(appointment.id)
    assert (fresh.state, fresh.title) == ("confirmed", "Neuer Anlass")


def test_an_import_takes_the_same_number_of_statements_however_many_it_brings(account, scheme):
    def statements(count: int) -> int:
        seen = []
        execute = type(database.obj).execute_sql
        database.obj.execute_sql = lambda sql, params=None: (
            seen.append(sql) or execute(database.obj, sql, params)
        )
        try:
            found = [
                Found(f"{count}-{n}", NINE + timedelta(minutes=n), BERLIN, f"+4917139{20000 + n}")
                for n in range(count)
            ]
            for _ in diary.put_many(account, found, "csv"):
                pass
        finally:
            del database.obj.execute_sql
        return len(seen)

    assert statements(150) == statements(30)
