"""A carrier is switched off in the middle of many messages and comes back: none is lost, none goes twice."""

import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest

from sms import clock, failover, health, judging, outbox, probing, pump, sending, unknown
from sms.models import Account, Attempt, CarrierHealth, CarrierTurn, Message
from tests.counterpart import FIRST, SECOND, Counterpart, both, first, second, settings  # noqa: F401

OPEN = ("queued", "sending", "unknown")


@pytest.fixture(autouse=True)
def _by_day() -> None:
    """Ten o'clock in the morning: machines' messages do not wait for the quiet hours to end."""
    clock.shift(timedelta(hours=(33 - clock.now().hour) % 24))


@pytest.fixture
def pumps(both) -> Iterator[None]:  # noqa: F811
    """The engine's own threads, as a worker has them."""
    pump.start()
    yield
    pump.stop(10)


def look_after() -> None:
    """Do what a worker does in one second."""
    outbox.sweep()
    for name in (FIRST, SECOND):
        row = CarrierHealth.get_or_none(CarrierHealth.carrier == name)
        if row is None or probing.due_at(row) <= clock.now():
            probing.probe_if_due(name)
    judging.sweep()
    failover.sweep()
    unknown.ask_about_unknown()
    pump.ring()


def count(*statuses: str) -> int:
    return Message.select().where(Message.status.in_(statuses)).count()


def work_until_settled(seconds: float) -> None:
    """Let the engine work; time passes faster only while nothing is on its way."""
    end = time.monotonic() + seconds
    while count(*OPEN):
        assert time.monotonic() < end, Counter(m.status for m in Message.select())
        look_after()
        time.sleep(0.05)
        if not count("sending"):
            clock.shift(timedelta(seconds=5))


def switch_off_in_the_middle(
    account: Account, first: Counterpart, second: Counterpart, how_many: int
) -> None:  # noqa: F811
    for n in range(how_many):
        sending.send(account, f"+4917139{n:05d}", f"Nr. {n}", source="api", automated=n % 2 == 0)
    look_after()
    while len(first.taken) < how_many // 3:
        time.sleep(0.005)
    first.off()
    had = len(first.taken)
    work_for = time.monotonic() + 180
    while count("queued"):
        assert time.monotonic() < work_for, Counter((m.status, m.carrier) for m in Message.select())
        look_after()
        time.sleep(0.05)
        if not count("sending"):
            clock.shift(timedelta(seconds=1))
    assert len(second.taken) >= how_many - had - 2 * 20, "what was not on its way has gone by the other"
    first.on()
    work_until_settled(180)
    bodies = Counter(first.bodies() + second.bodies())
    assert len(bodies) == how_many, "none is lost"
    assert set(bodies.values()) == {1}, "none goes twice"
    assert count("sent") == how_many
    accepted = Attempt.select().where(Attempt.outcome.in_(("accepted", "unknown"))).count()
    assert accepted <= how_many + 2 * 20


def test_a_carrier_switched_off_in_the_middle_of_500_messages_costs_none(pumps, account, first, second):  # noqa: F811
    switch_off_in_the_middle(account, first, second, 500)
    for _ in range(24):
        clock.shift(timedelta(seconds=15))
        look_after()
    turns = CarrierTurn.select().where(CarrierTurn.carrier == FIRST).order_by(CarrierTurn.id)
    assert [t.after for t in turns][-3:] == ["sick", "recovering", "up"]
    health.forget()
    after = sending.send(account, "+491713900001", "Danach")
    assert after.carrier == FIRST, "it is used again"


@pytest.mark.alone
def test_a_carrier_switched_off_in_the_middle_of_5000_messages_costs_none(pumps, account, first, second):  # noqa: F811
    switch_off_in_the_middle(account, first, second, 5000)
