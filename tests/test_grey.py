"""Texts that nobody has reported: the carrier is asked, less and less often, and what it says counts as its report."""

from datetime import timedelta

import pytest

from sms import clock, grey, health, probing, pump, sending
from sms.models import CarrierHealth, Message, StatusEvent
from tests.counterpart import FIRST, both, first, second, settings  # noqa: F401

MARGARETHE = "+491713920042"


@pytest.fixture
def message(both, account, first):  # noqa: F811
    """A text that the carrier has taken, and of which it never reports anything by itself."""
    sent = sending.send(account, MARGARETHE, "Ihr Rezept liegt bereit.")
    pump.work()
    health.row_of(FIRST)
    assert again(sent).status == "sent"
    return sent


def again(message: Message) -> Message:
    return Message.get_by_id(message.id)


def ask_for(hours: float) -> int:
    """Let hours pass in steps, asking when it is time; returns how many questions there were."""
    asked, step = 0, 1 if hours < 1 else 10
    for _ in range(round(hours * 60 / step)):
        clock.shift(timedelta(minutes=step))
        if grey.to_ask_about(FIRST, 1):
            asked += grey.ask_about_grey(FIRST)
    return asked


@pytest.mark.parametrize(
    ("said", "status"), [("delivered", "delivered"), ("undelivered", "undelivered"), ("failed", "failed")]
)
def test_after_ten_minutes_the_carrier_is_asked_and_believed(message, first, said, status):  # noqa: F811
    first.taken[0].status = said
    assert ask_for(9 / 60) == 0
    assert ask_for(2 / 60) == 1
    assert again(message).status == status
    event = StatusEvent.select().order_by(StatusEvent.id.desc()).get()
    assert (event.status, event.detail) == (status, "asked for")
    assert ask_for(24) == 0, "it is settled"


def test_one_that_is_still_on_its_way_is_asked_about_less_and_less(message, first):  # noqa: F811
    assert 1 <= ask_for(0.3) <= 2
    assert 5 <= ask_for(24) <= 8
    first.taken[0].status = "delivered"
    ask_for(24)
    assert again(message).status == "delivered"


def test_it_is_asked_about_as_late_as_the_carrier_knows(message, both, first):  # noqa: F811
    kept = both.carriers[FIRST].reports_kept
    ask_for(0.2)
    for _ in range(70):
        clock.shift(timedelta(hours=18))
        grey.ask_about_grey(FIRST)
    assert again(message).ask_at == grey.NEVER
    assert again(message).status == "sent", "nobody knows: it stays grey, it has not failed"
    assert kept / 2 < timedelta(days=30) <= kept


def test_what_the_carrier_does_not_know_stays_as_it_is(message, first):  # noqa: F811
    first.taken.clear()
    assert ask_for(1) >= 1
    assert again(message).status == "sent"


def test_a_carrier_that_does_not_answer_is_asked_again(message, first):  # noqa: F811
    first.taken[0].status = "delivered"
    first.off()
    ask_for(0.5)
    assert again(message).status == "sent"
    first.on()
    ask_for(2)
    assert again(message).status == "delivered"


def test_of_two_workers_one_asks(message, first):  # noqa: F811
    clock.shift(grey.FIRST_AFTER)
    before = first.reads
    assert grey.ask_about_grey(FIRST) == 1
    assert grey.ask_about_grey(FIRST) == 0
    assert first.reads == before + 1


def test_a_text_without_the_carriers_reference_is_not_asked_about(message, first):  # noqa: F811
    Message.update(carrier_reference=None).execute()
    before = first.reads
    assert ask_for(3) == 0
    assert first.reads == before


def test_questions_are_few_beside_what_the_carrier_takes(both, account, first):  # noqa: F811
    for n in range(120):
        sending.send(account, f"+4917139{n:05d}", "Hallo")
    pump.work()
    health.row_of(FIRST)
    clock.shift(grey.FIRST_AFTER)
    assert grey.ask_about_grey(FIRST) == grey.MOST
    assert grey.ask_about_grey(FIRST) == 0
    clock.shift(grey.ROUND)
    assert grey.ask_about_grey(FIRST) == grey.MOST


def test_nobody_is_asked_where_it_could_not_answer_or_is_closed(message, operator):
    clock.shift(grey.FIRST_AFTER)
    assert grey.to_ask_about(FIRST, 5) == [message]
    rung = []
    real, probing.queue.later = probing.queue.later, lambda name, *args, **more: rung.append((name, *args))
    try:
        grey.sweep()
        health.pause(FIRST, operator.id)
        grey.sweep()
    finally:
        probing.queue.later = real
    assert rung == [("ask_about_grey", FIRST)]
    assert CarrierHealth.get(CarrierHealth.carrier == FIRST).grey_at is None
