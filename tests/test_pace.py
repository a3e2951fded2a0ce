"""The token bucket of a carrier: never more than burst and rate allow, and nothing of it lost."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sms import clock, exchange, pace
from sms.db import database
from sms.models import Pace

LEASE = timedelta(seconds=60)
steps = st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 40)), min_size=1, max_size=30)


pytestmark = pytest.mark.usefixtures("still")


@pytest.fixture
def rate(app) -> float:
    """The rate of the sandbox, in texts a second."""
    return exchange.current().configs["sandbox"].rate


def taken(most: int) -> int:
    """Claim so many texts, as far as there is room."""
    moment = clock.now()
    with database.atomic():
        room = pace.room("sandbox", most, 0, LEASE, moment)
        pace.take("sandbox", room.texts, moment)
    return room.texts


@given(steps=steps)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_in_no_span_of_time_more_leave_than_burst_and_rate_allow(rate: float, steps: list[tuple[int, int]]):
    Pace.delete().execute()
    gone: list[tuple[float, int]] = []
    began = clock.now()
    for milliseconds, wanted in steps:
        clock.shift(timedelta(milliseconds=milliseconds))
        at = (clock.now() - began).total_seconds()
        gone.append((at, taken(wanted)))
    for first, (start, _) in enumerate(gone):
        total = 0
        for end, count in gone[first:]:
            total += count
            # A part of a text is rounded up to a whole one at either end.
            assert total <= rate * (end - start + pace.BURST.total_seconds()) + 2


def test_whoever_always_has_texts_waiting_gets_the_whole_rate(rate: float):
    taken(1000)
    began, total = clock.now(), 0
    for _ in range(40):
        clock.shift(timedelta(seconds=0.25))
        total += taken(1000)
    assert total >= int(rate * (clock.now() - began).total_seconds()) - 1


def test_after_a_rest_only_a_burst_leaves_at_once(rate: float):
    clock.shift(timedelta(hours=3))
    assert taken(1000) == int(rate * pace.BURST.total_seconds())
    assert taken(1000) == 0


def test_a_pause_that_a_carrier_asks_for_is_never_made_shorter(app):
    moment = clock.now()
    with database.atomic():
        pace.slow_down("sandbox", moment + timedelta(seconds=60))
        pace.slow_down("sandbox", moment + timedelta(seconds=5))
    clock.shift(timedelta(seconds=30))
    assert taken(1) == 0
    clock.shift(timedelta(seconds=31))
    assert taken(1) == 1
