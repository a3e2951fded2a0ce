"""Who is sick, who recovers: the rules, without a carrier."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms import judging
from sms.judging import Evidence, Verdict, verdict
from sms.models.carrier import STATES

LONG, HOLD = timedelta(hours=1), judging.HOLD
GOOD, BAD = (True,), (False,)


def judged(state: str = "up", elapsed: timedelta = LONG, **evidence) -> Verdict:
    return verdict(state, elapsed, HOLD, Evidence(**evidence))


TAKING = [
    # what there is to see -> state, reason
    ("nothing", {}, "up", ""),
    ("all well", {"outcomes": GOOD * 20, "probes": (True, True)}, "up", ""),
    ("one bad of four", {"outcomes": GOOD * 3 + BAD}, "up", ""),
    ("one bad of twenty", {"outcomes": BAD + GOOD * 19}, "up", ""),
    ("one bad of ten", {"outcomes": BAD + GOOD * 9}, "degraded", "errors"),
    ("half bad", {"outcomes": (GOOD + BAD) * 3}, "sick", "errors"),
    ("the last five bad after many good", {"outcomes": GOOD * 95 + BAD * 5}, "sick", "errors"),
    ("four bad, too few to tell", {"outcomes": BAD * 4}, "up", ""),
    ("slow", {"outcomes": GOOD * 5, "seconds": 3.5}, "degraded", "slow"),
    ("far too slow", {"outcomes": GOOD * 5, "seconds": 12.0}, "sick", "slow"),
    ("slow, but only one", {"outcomes": GOOD, "seconds": 12.0}, "up", ""),
    ("one probe failed", {"probes": (False, True)}, "degraded", "probe"),
    ("two probes failed", {"probes": (False, False, True)}, "sick", "probe"),
    (
        "two probes failed, but it takes texts",
        {"probes": (False, False), "outcomes": GOOD * 2},
        "degraded",
        "probe",
    ),
    ("two failed, but not the last", {"probes": (True, False, False)}, "up", ""),
    ("a slow probe", {"probes": (True,), "probe_ms": 4000}, "degraded", "slow"),
]


@pytest.mark.parametrize("state", ["up", "degraded"])
@pytest.mark.parametrize(
    ("evidence", "after", "reason"), [row[1:] for row in TAKING], ids=[row[0] for row in TAKING]
)
def test_a_carrier_that_takes_messages_is_judged_by_what_became_of_the_last(
    state: str, evidence: dict, after: str, reason: str
) -> None:
    assert judged(state, **evidence)[:2] == (after, reason)


def test_a_sick_carrier_stays_so_for_a_while_and_until_it_has_answered_twice() -> None:
    well = {"probes": (True, True)}
    assert judged("sick", HOLD - timedelta(seconds=1), **well).state == "sick"
    assert judged("sick", HOLD, probes=(True,)).state == "sick"
    assert judged("sick", HOLD, probes=(True, False)).state == "sick"
    assert judged("sick", HOLD, **well) == Verdict("recovering", share=judging.FIRST_SHARE)


def test_a_sick_carrier_that_answers_but_does_not_take_the_text_tried_stays_sick() -> None:
    well = {"probes": (True, True, True)}
    assert judged("sick", outcomes=BAD, **well).state == "sick"
    assert judged("sick", outcomes=BAD + GOOD, **well).state == "recovering"


def test_a_sick_carrier_that_takes_the_texts_tried_need_not_answer_probes() -> None:
    assert judged("sick", outcomes=GOOD, probes=(False, False)).state == "sick"
    assert judged("sick", outcomes=GOOD * 2, probes=(False, False)).state == "recovering"


def test_a_carrier_that_recovers_is_given_more_and_more() -> None:
    shares = [judged("recovering", judging.RECOVERY * part / 10).share for part in range(10)]
    assert shares[0] == 10
    assert shares == sorted(shares)
    assert 50 < shares[5] < 60
    assert judged("recovering", judging.RECOVERY).state == "up"


def test_a_relapse_is_seen_sooner_than_a_first_failure() -> None:
    minute = timedelta(minutes=1)
    assert judged("recovering", minute, outcomes=GOOD + BAD).state == "recovering"
    assert judged("recovering", minute, outcomes=GOOD * 9 + BAD * 2)[:2] == ("sick", "errors")
    assert judged("recovering", minute, probes=(False, False))[:2] == ("sick", "probe")


def test_a_stopped_carrier_comes_back_unless_it_still_refuses_us() -> None:
    assert verdict("stopped", LONG, timedelta(0), Evidence(probes=(False,))).state == "stopped"
    assert verdict("stopped", LONG, timedelta(0), Evidence(probes=(True,))).state == "recovering"
    assert verdict("stopped", LONG, timedelta(0), Evidence()).state == "recovering"


outcomes = st.lists(st.booleans(), max_size=12).map(tuple)


@given(
    state=st.sampled_from(STATES),
    elapsed=st.timedeltas(timedelta(0), timedelta(days=3)),
    hold=st.timedeltas(timedelta(0), judging.LONGEST_HOLD),
    evidence=st.builds(
        Evidence,
        outcomes=outcomes,
        probes=outcomes,
        seconds=st.floats(0, 60),
        probe_ms=st.integers(0, 60_000),
    ),
)
def test_whatever_is_seen_the_verdict_is_one_that_can_follow(
    state: str, elapsed: timedelta, hold: timedelta, evidence: Evidence
) -> None:
    after = verdict(state, elapsed, hold, evidence)
    may_follow = {
        "up": ("up", "degraded", "sick"),
        "degraded": ("up", "degraded", "sick"),
        "recovering": ("recovering", "up", "sick"),
        "sick": ("sick", "recovering"),
        "stopped": ("stopped", "recovering"),
    }
    assert after.state in may_follow[state]
    assert after.share == 100 if after.state != "recovering" else 10 <= after.share < 100
    if after.state in ("sick", "degraded") and state not in ("sick", "stopped"):
        assert after.reason in ("probe", "errors", "slow")


@given(good=st.integers(0, 200), elapsed=st.timedeltas(judging.RECOVERY, timedelta(days=1)))
def test_a_carrier_that_does_everything_well_ends_up(good: int, elapsed: timedelta) -> None:
    evidence = Evidence(outcomes=GOOD * good, probes=(True, True, True), seconds=0.1)
    state = "sick"
    for _ in range(3):
        state = verdict(state, elapsed, HOLD, evidence).state
    assert state == "up"
