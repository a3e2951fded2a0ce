"""Everybody is asked once: two starts, several workers, a worker that dies, many people at once."""

import threading
from datetime import UTC, datetime

import pytest

from sms import clock, contacts, suppression
from sms.clock import now
from sms.db import database
from sms.models import Change, Contact, Expectation, Message
from sms.modules.survey import answering, asking, enrolling, surveys
from sms.modules.survey.models import Answer, Count, Run, Start
from tests.survey.surveys_for_tests import (
    MARGARETHE,
    NELE,
    TORSTEN,
    TWO,
    YES_NO,
    made,
    run_of,
    started,
    take_everything,
    told,
    work,
)


@pytest.fixture(autouse=True)
def _noon(app):
    """Surveys are asked by day."""
    clock.shift(datetime(2026, 11, 23, 11, tzinfo=UTC) - now())


def test_two_starts_at_once_ask_everybody_once(account):
    survey = made(account, YES_NO)
    enrolling.start(survey, [MARGARETHE, TORSTEN])
    second = enrolling.start(surveys.of(account, survey.id), [MARGARETHE, TORSTEN, NELE])
    assert [w.code for w in second.reading.wrong] == ["already_asked", "already_asked"]
    work()
    assert [told(n) for n in (MARGARETHE, TORSTEN, NELE)] == [["Kommen Sie wieder?"]] * 3


def test_one_person_with_two_numbers_is_asked_once(account):
    contact, _ = contacts.find_or_add(account, MARGARETHE)
    contacts.add_number(contact, TORSTEN)
    enrolling.start(made(account, YES_NO), [MARGARETHE, TORSTEN])
    work()
    assert [r.state for r in Run.select().order_by(Run.id)] == ["asking", "skipped"]
    assert Run.get(Run.state == "skipped").why == "already_asked"


def test_a_worker_that_dies_in_the_middle_leaves_nobody_out_and_asks_nobody_twice(account, monkeypatch):
    enrolling.start(made(account, YES_NO), [MARGARETHE, TORSTEN, NELE])
    from sms.modules.survey import launching

    class Killed(BaseException):
        pass

    real = launching._tell

    def dies(*given):
        real(*given)
        raise Killed

    monkeypatch.setattr(launching, "_tell", dies)
    with pytest.raises(Killed):
        asking.work()
    assert not Message.select().exists()
    monkeypatch.setattr(launching, "_tell", real)
    work()
    work()
    assert [told(n) for n in (MARGARETHE, TORSTEN, NELE)] == [["Kommen Sie wieder?"]] * 3


def test_a_fault_at_one_person_keeps_nobody_else_waiting_and_is_tried_again(account, monkeypatch, caplog):
    enrolling.start(made(account, TWO), [MARGARETHE, TORSTEN])
    from sms.modules.survey import launching

    real = answering.begin

    def breaks(run, message=None):
        if run.number == MARGARETHE:
            raise ZeroDivisionError
        real(run, message)

    monkeypatch.setattr(launching, "ask_first", lambda ids: ids)
    monkeypatch.setattr(answering, "begin", breaks)
    work()
    assert (told(MARGARETHE), told(TORSTEN)) == ([], ["Eins?"])
    monkeypatch.setattr(answering, "begin", real)
    clock.shift(asking.FAULT)
    work()
    assert told(MARGARETHE) == ["Eins?"]


def test_many_at_once_and_one_by_one_store_the_same(account, monkeypatch):
    from sms.modules.survey import launching

    contacts.find_or_add(account, TORSTEN)
    suppression.suppress(account, NELE, "agent")
    rows = []
    for lot in (True, False):
        with database.atomic() as trial:
            if not lot:
                monkeypatch.setattr(launching, "ask_first", lambda ids: ids)
            survey = made(account, {**YES_NO, "reminders": 1})
            enrolling.start(survey, f"{MARGARETHE}; Margarethe\n{TORSTEN}\n{NELE}")
            asking.work()
            rows.append((
                [(r.number, r.state, r.question, r.asked, r.reminded, r.why, bool(r.ours), r.contact.number, r.conversation.contact.number,
                  r.expires_at - r.asked_at, r.due_at - r.asked_at, r.started_at is not None) for r in Run.select().order_by(Run.id)],
                [(m.theirs, m.channel, m.status, m.text, m.source, m.automated, m.priority, (m.data or {}).get("kind"))
                 for m in Message.select().order_by(Message.conversation, Message.channel)],
                sorted((c.question, c.name, c.n) for c in Count.select()),
                [(s.total, s.asked, s.skipped) for s in Start.select()],
                sorted((e.theirs, e.module) for e in Expectation.select()),
                sorted((c.number, c.name, c.conversation.get().status) for c in Contact.select()),
                Change.select().where(Change.kind == "message").count(),
            ))  # fmt: skip
            trial.rollback()
    assert rows[0] == rows[1]


def side_by_side(*works):
    """Do several things at once, each on a connection of its own; what one raises is raised here."""
    found: list[BaseException] = []

    def run(one):
        try:
            with database.connection_context():
                one()
        except BaseException as error:
            found.append(error)

    threads = [threading.Thread(target=run, args=(one,)) for one in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not found, found


def test_two_workers_at_once_ask_everybody_once(account):
    numbers = [f"+4917139200{n:02d}" for n in range(10, 100)]
    enrolling.start(made(account, YES_NO), numbers)
    side_by_side(asking.work, asking.work, asking.work)
    take_everything()
    asked = Message.select().where(Message.direction == "outgoing", Message.channel == "sms")
    assert sorted(m.theirs for m in asked) == numbers
    assert (Start.get().asked, Count.get(Count.name == "sent").n) == (90, 90)


def test_two_answers_at_once_are_one_answer_and_everybodys_count(account):
    numbers = [f"+4917139200{n:02d}" for n in range(10, 30)]
    started(account, *numbers, draft=TWO)
    from sms import receiving
    from sms.carriers.contract import IncomingText
    from tests.carrier_side import sid

    texts = [IncomingText(sid(), number, run_of(number).ours, "ja") for number in numbers for _ in range(2)]
    shares = [texts[at::4] for at in range(4)]
    side_by_side(
        *(lambda few=few: [receiving.receive_text("sandbox", text) for text in few] for few in shares)
    )
    assert Answer.select().where(Answer.question == "a").count() == 20
    assert Answer.select().where(Answer.question == "b").count() == 0
    counted = {(c.question, c.name): c.n for c in Count.select()}
    assert (counted["a", "v:yes"], counted["b", "asked"], counted["", "answered"]) == (20, 20, 20)
