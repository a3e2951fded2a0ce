"""Three calls, the next ten seconds after the end of the last, until one is answered."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.attempts import ATTEMPTS, PAUSE, Attempt, Next, next_attempt, verdict

NINE = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ENDED = ["busy", "no-answer", "failed"]
RUNNING = ["queued", "initiated", "ringing", "in-progress", "something-new"]


def call(status: str, minute: int = 0, answered_by: str | None = None) -> Attempt:
    start = NINE + timedelta(minutes=minute)
    ended = None if status in RUNNING else start + timedelta(seconds=25)
    return Attempt(start, ended, status, answered_by)


def test_the_first_call_is_made_at_once():
    assert next_attempt([]) == Next("call")


@pytest.mark.parametrize("status", ENDED)
def test_the_next_call_is_ten_seconds_after_the_end_of_the_last(status):
    assert next_attempt([call(status)]) == Next("call", NINE + timedelta(seconds=35))


@pytest.mark.parametrize("status", ENDED)
def test_after_three_calls_it_is_given_up(status):
    assert next_attempt([call(status, 0), call(status, 1)]).do == "call"
    assert next_attempt([call(status, 0), call(status, 1), call(status, 2)]) == Next("given_up")


@pytest.mark.parametrize("status", RUNNING)
def test_never_two_calls_at_once(status):
    assert next_attempt([call("busy"), call(status, 1)]) == Next("wait")


@pytest.mark.parametrize(
    "who", [None, "human", "unknown", "machine_end_beep", "machine_end_silence", "machine_end_other"]
)
def test_whoever_heard_the_message_has_answered(who):
    assert verdict(call("completed", answered_by=who)) == "answered"
    assert next_attempt([call("busy"), call("completed", 1, who)]) == Next("answered")


@pytest.mark.parametrize("who", ["machine_start", "fax"])
def test_a_machine_that_heard_nothing_is_called_again(who):
    assert next_attempt([call("completed", answered_by=who)]).do == "call"


def test_a_cancelled_call_is_not_made_again():
    assert next_attempt([call("canceled")]) == Next("given_up")


def test_a_call_without_an_end_counts_from_its_start():
    assert next_attempt([Attempt(NINE, None, "failed")]) == Next("call", NINE + PAUSE)


def test_ends_reported_out_of_order_still_leave_the_pause():
    early = Attempt(NINE, NINE + timedelta(seconds=50), "busy")
    late = Attempt(NINE + timedelta(seconds=20), NINE + timedelta(seconds=30), "busy")
    assert next_attempt([early, late]).at == NINE + timedelta(seconds=60)


@given(st.lists(st.sampled_from([*ENDED, *RUNNING, "completed", "canceled"]), max_size=8))
def test_a_call_is_made_only_when_none_runs_none_was_answered_and_fewer_than_three_were_made(statuses):
    attempts = [call(status, minute) for minute, status in enumerate(statuses)]
    todo = next_attempt(attempts)
    may_call = len(statuses) < ATTEMPTS and all(status in ENDED for status in statuses)
    assert (todo.do == "call") == may_call
    if todo.at:
        assert todo.at >= max(a.ended_at for a in attempts) + PAUSE
