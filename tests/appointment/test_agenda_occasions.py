"""Who came and who did not is told to the other modules: once, when it is sure enough, and taken back where it was wrong."""

import dataclasses
import threading
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

import sms.modules as registry
from sms import clock, contacts, queue
from sms.db import database
from sms.modules import Module
from sms.modules.appointment import answers, diary, occasions, schemes
from sms.modules.appointment.found import Found
from sms.modules.appointment.models import Appointment
from sms.modules.survey import enrolling
from sms.modules.survey.models import Run
from tests.survey.surveys_for_tests import MARGARETHE, NELE, TORSTEN, made, told
from tests.survey.surveys_for_tests import work as survey_work

BERLIN = ZoneInfo("Europe/Berlin")
NINE = datetime(2027, 3, 30, 7, 0, tzinfo=UTC)
HALF_TEN = NINE + timedelta(minutes=30)


def _is(moment: datetime) -> None:
    clock.shift(moment - clock.now())


@pytest.fixture(autouse=True)
def _the_day_before(app):
    _is(NINE - timedelta(days=1))


@pytest.fixture
def heard(monkeypatch) -> list[str]:
    """What another module hears, one line an occasion."""
    lines: list[str] = []
    listener = Module(
        name="listener",
        on_occasion=lambda account, o: lines.append(
            f"{'gone ' if o.gone else ''}{o.kind[12:]} {o.number[-4:]} {o.at:%d %H}"
        ),
    )
    found = {**registry.modules(), "listener": listener}
    monkeypatch.setattr(registry, "modules", lambda: found)
    return lines


def _put(account, reference="T-1", number=MARGARETHE, start=NINE, **more) -> Appointment:
    found = Found(reference, start, BERLIN, number, "Kontrolle", start + timedelta(minutes=30), **more)
    return diary.put(account, found, "api")[0]


def _later() -> None:
    """The practice has had its time to note who did not come."""
    _is(HALF_TEN + occasions.GRACE + timedelta(minutes=1))


def _mark(appointment, state) -> None:
    answers.set_state(Appointment.get_by_id(appointment.id), state, "agent", None)


def test_who_was_there_is_told_once_some_hours_after_the_end(account, heard):
    _put(account)
    _is(HALF_TEN + occasions.GRACE - timedelta(minutes=1))
    assert occasions.work() == 0
    _later()
    assert occasions.work() == 1
    assert occasions.work() == 0
    assert heard == ["attended 0042 30 07"]


@pytest.mark.parametrize(
    ("state", "lines"),
    [
        ("confirmed", ["attended 0042 30 07"]),
        ("attended", ["attended 0042 30 07"]),
        ("no_show", ["missed 0042 30 07"]),
        ("declined", []),
        ("wants_to_move", []),
    ],
)
def test_what_became_of_it_decides_what_is_told(account, heard, state, lines):
    _mark(_put(account), state)
    _later()
    occasions.work()
    assert heard == lines


def test_a_cancelled_one_and_one_without_a_person_tell_nothing(account, heard):
    _put(account)
    diary.cancel(account, "T-1")
    _put(account, "T-2", None)
    _later()
    occasions.work()
    assert heard == []


def test_an_appointment_of_long_ago_that_is_imported_tells_nothing(account, heard):
    _is(NINE + timedelta(days=30))
    _put(account)
    _is(NINE + timedelta(days=60))
    occasions.work()
    assert heard == []
    assert Appointment.get().settles_at is None


def test_a_mark_that_comes_late_takes_back_what_was_told_and_can_be_undone_for_some_minutes(account, heard):
    one, other = _put(account), _put(account, "T-2", NELE)
    _later()
    occasions.work()
    _mark(one, "no_show")
    _mark(other, "no_show")
    _mark(other, "open")
    occasions.work()
    assert len(heard) == 2
    clock.shift(occasions.UNDO)
    occasions.work()
    assert heard[2:] == ["gone attended 0042 30 07", "missed 0042 30 07"]


def test_moved_after_it_was_told_it_is_taken_back_and_told_for_the_new_time(account, heard):
    _put(account)
    _later()
    occasions.work()
    _put(account, start=NINE + timedelta(days=2))
    assert heard == ["attended 0042 30 07", "gone attended 0042 30 07"]
    clock.shift(timedelta(days=2))
    occasions.work()
    assert heard[2:] == ["attended 0042 01 07"]


def test_whatever_fails_in_another_module_holds_up_no_other_and_is_tried_again(account, heard, monkeypatch):
    def refuse(account, occasion):
        if occasion.number == MARGARETHE and not clock.now() > NINE + timedelta(hours=6):
            raise RuntimeError("not now")
        heard.append(occasion.number[-4:])

    found = dict(registry.modules())
    found["listener"] = dataclasses.replace(found["listener"], on_occasion=refuse)
    monkeypatch.setattr(registry, "modules", lambda: found)
    _put(account)
    _put(account, "T-2", NELE)
    _later()
    occasions.work()
    assert heard == ["0029"]
    clock.shift(timedelta(hours=2))
    occasions.work()
    assert heard == ["0029", "0042"]


def test_the_workers_tick_has_it_told(account, heard, settings):
    queue.connect("sqlite", settings.data, immediate=True)
    _put(account)
    registry.modules()["appointment"].tick()
    assert heard == []
    _later()
    registry.modules()["appointment"].tick()
    assert heard == ["attended 0042 30 07"]


def test_two_workers_tell_of_each_appointment_once(account, heard):
    for n in range(20):
        _put(account, f"T-{n}", f"+4917139{20000 + n}")
    _later()

    def work() -> None:
        with database.connection_context():
            occasions.work()

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(heard) == len(set(heard)) == 20


def test_a_survey_asks_the_day_after_who_came_and_nobody_who_did_not(account):
    schemes.create(account, [])
    survey = made(account, {"questions": [{"key": "q", "type": "yesno", "text": "War am {Termin} alles gut?"}]},
                  trigger={"event": "appointment_attended", "days": 1, "time": "16:00"})  # fmt: skip
    enrolling.open_door(survey)
    for n, number in enumerate((MARGARETHE, NELE, TORSTEN)):
        contacts.find_or_add(account, number)
        _put(account, f"T-{n}", number)
    _mark(Appointment.get(Appointment.number == NELE), "no_show")
    _later()
    occasions.work()
    _mark(Appointment.get(Appointment.number == TORSTEN), "no_show")
    clock.shift(occasions.UNDO)
    occasions.work()
    survey_work()
    assert told(MARGARETHE) == []
    _is(datetime(2027, 3, 31, 14, 1, tzinfo=UTC))
    survey_work()
    assert told(MARGARETHE) == ["War am Dienstag, 30. März, um 09:00 Uhr alles gut?"]
    assert (told(NELE), told(TORSTEN)) == ([], [])
    assert Run.get(Run.number == TORSTEN).why == "called_off"
