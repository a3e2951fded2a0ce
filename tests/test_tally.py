"""Counters that only grow: whoever adds up, whenever somebody asks, every row is counted once."""

import threading
from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as profile
from hypothesis import strategies as st

from sms import clock, exchange, sending, tally
from sms.db import database
from sms.models import Attempt, Message, StatusEvent, Tally, TallyMark
from sms.models.event import log_status


@pytest.fixture
def message(account, settings) -> Message:
    exchange.connect(settings)
    return sending.send(account, "0171 3920042", "Ihr Rezept liegt bereit.")


def answered(message: Message, outcome: str, ms: int = 40, key: str = "") -> None:
    ended = clock.now()
    Attempt.create(
        message=message, key=key or sending.new_key(), carrier="sandbox", outcome=outcome, ended_at=ended,
        started_at=ended - timedelta(milliseconds=ms),
    )  # fmt: skip


def told(source: str = "attempt") -> dict[tuple[str, int], int]:
    return {(row.word, row.step): row.number for row in tally.counts(source)}


def test_outcomes_are_counted_by_carrier_word_and_length(message):
    answered(message, "accepted", 40)
    answered(message, "accepted", 60)
    answered(message, "temporary", 30_000)
    assert told() == {("accepted", 0): 1, ("accepted", 1): 1, ("temporary", 9): 1}
    assert sum(row.ms for row in tally.counts("attempt")) == 30_100


def test_an_attempt_without_an_outcome_is_not_counted_yet(message):
    Attempt.create(message=message, key="k", carrier="sandbox", started_at=clock.now())
    assert told() == {}


def test_adding_up_changes_no_count(message):
    answered(message, "accepted")
    before = told()
    clock.shift(timedelta(minutes=2))
    answered(message, "accepted")
    tally.add_up()
    assert Tally.get(Tally.source == "attempt").count == 1
    assert told() == {("accepted", 0): before["accepted", 0] + 1}
    clock.shift(timedelta(minutes=2))
    tally.add_up()
    tally.add_up()
    assert told() == {("accepted", 0): 2}
    assert Tally.get(Tally.source == "attempt").count == 2


@pytest.mark.parametrize("seconds", [5, 90])
def test_an_answer_that_comes_after_an_unknown_outcome_never_makes_a_counter_go_back(message, seconds):
    answered(message, "unknown", key="late")
    before = Counter(told())
    clock.shift(timedelta(seconds=seconds))
    tally.add_up()
    between = Counter(told())
    Attempt.update(outcome="accepted", ended_at=clock.now()).where(Attempt.key == "late").execute()
    after = Counter(told())
    assert before <= between <= after
    assert sum(count for (word, _), count in after.items() if word == "accepted") == 1
    clock.shift(timedelta(minutes=2))
    tally.add_up()
    assert Counter(told()) == after


def test_an_unknown_outcome_is_counted_once_it_has_stayed_one(message):
    answered(message, "unknown")
    assert told() == {}
    clock.shift(timedelta(minutes=2))
    tally.add_up()
    assert told() == {("unknown", 0): 1}


def test_what_has_just_ended_is_left_to_later(message):
    answered(message, "accepted")
    tally.add_up()
    assert not Tally.select().where(Tally.source == "attempt").exists()


def test_a_counter_never_goes_back_when_a_person_is_erased(message):
    answered(message, "accepted")
    clock.shift(timedelta(minutes=2))
    tally.add_up()
    Message.delete().where(Message.id == message.id).execute()
    assert not Attempt.select().exists()
    assert told() == {("accepted", 0): 1}


def test_statuses_are_counted_as_they_are_reached(message):
    Message.update(carrier="sandbox").execute()
    for status in ("sent", "delivered"):
        message.status = status
        with database.atomic():
            log_status(message)
    assert told("status")["delivered", 0] == 1
    clock.shift(timedelta(minutes=2))
    tally.add_up()
    assert told("status")["delivered", 0] == 1
    assert (
        TallyMark.get_by_id("status").place == StatusEvent.select().order_by(StatusEvent.id.desc()).get().id
    )


def test_a_burst_is_added_in_several_goes(message, monkeypatch):
    monkeypatch.setattr(tally, "AT_ONCE", 3)
    for n in range(8):
        answered(message, "accepted", key=f"k{n}")
        clock.shift(timedelta(milliseconds=5))
    clock.shift(timedelta(minutes=2))
    goes = 1
    while tally.add_up():
        assert told() == {("accepted", 0): 8}
        goes += 1
    assert goes >= 3
    assert Tally.get(Tally.source == "attempt").count == 8


def test_rows_of_one_moment_stay_together(message, monkeypatch):
    monkeypatch.setattr(tally, "AT_ONCE", 2)
    moment = clock.now()
    for n in range(5):
        Attempt.create(
            message=message, key=f"k{n}", carrier="sandbox", outcome="accepted", started_at=moment, ended_at=moment
        )  # fmt: skip
    clock.shift(timedelta(minutes=2))
    tally.add_up()
    assert told() == {("accepted", 0): 5}


def test_of_several_workers_one_adds_a_row(message):
    for n in range(30):
        answered(message, "accepted", key=f"k{n}")
    clock.shift(timedelta(minutes=2))

    def work() -> None:
        with database.connection_context():
            tally.add_up()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert told() == {("accepted", 0): 30}
    assert Tally.get(Tally.source == "attempt").count == 30


@profile(
    max_examples=15,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=st.lists(st.sampled_from(["answer", "add", "wait", "wait long"]), max_size=25))
def test_whenever_it_is_added_up_the_count_is_right(message, steps):
    Tally.delete().execute()
    TallyMark.delete().execute()
    Attempt.delete().execute()
    answers = 0
    for step in steps:
        if step == "answer":
            answered(message, "accepted")
            answers += 1
        elif step == "add":
            tally.add_up()
        else:
            clock.shift(timedelta(seconds=7 if step == "wait" else 70))
        assert told() == ({("accepted", 0): answers} if answers else {})
