"""How carriers stand: what closes one, what all processes agree on, and what a person's pause does."""

from datetime import timedelta

import pytest

from sms import availability, clock, health, judging, probing, pump, sending
from sms.models import Attempt, CarrierHealth, CarrierProbe, CarrierTurn, Heartbeat, Message, Sender
from sms.models.carrier import STATES
from tests.counterpart import FIRST, OWN, SECOND, both, first, second, settings  # noqa: F401

MARGARETHE = "+491713920042"
SECONDS, MINUTES = timedelta(seconds=1), timedelta(minutes=1)

pytestmark = pytest.mark.usefixtures("both")


def state(name: str = FIRST) -> str:
    health.forget()
    standing = health.standings().get(name)
    return "up" if standing is None else standing.state


def history(name: str = FIRST) -> list[tuple[str, str, str]]:
    turns = CarrierTurn.select().where(CarrierTurn.carrier == name).order_by(CarrierTurn.id)
    return [(turn.before, turn.after, turn.reason) for turn in turns]


def look_after(seconds: float = 0) -> None:
    """Let time pass second by second, and do in each what the worker does."""
    for _ in range(max(1, round(seconds))):
        clock.shift(SECONDS if seconds else timedelta(0))
        for name in (FIRST, SECOND):
            row = CarrierHealth.get_or_none(CarrierHealth.carrier == name)
            if row is None or probing.due_at(row) <= clock.now():
                probing.probe_if_due(name)
        judging.sweep()


def attempts(outcome: str, how_many: int, name: str = FIRST, seconds: float = 0.1, account: int = 1) -> None:
    """So many attempts have ended like this just now."""
    message = Message.select().first() or sending.send(_account(account), MARGARETHE, "Hallo")
    for _ in range(how_many):
        began = clock.now() - timedelta(seconds=seconds)
        Attempt.create(
            message=message, key=sending.new_key(), carrier=name, started_at=began, ended_at=clock.now(),
            outcome=outcome, detail="HTTP 503",
        )  # fmt: skip


def _account(id: int):
    from sms.models import Account

    return Account.get_by_id(id)


def test_a_carrier_of_which_nothing_is_known_is_open(both):  # noqa: F811
    assert health.closed() == frozenset()
    assert health.rank(FIRST, MARGARETHE) == 0


def test_the_states_of_the_table_are_those_that_are_judged(both):  # noqa: F811
    assert set(STATES) == {"up", "degraded", "recovering", "sick", "stopped"}


def test_a_stopped_carrier_is_closed_for_every_process_until_its_time_has_passed(both):  # noqa: F811
    health.stop(FIRST, clock.now() + 30 * SECONDS, "20003 authentication")
    assert health.closed() == {FIRST}
    assert history() == [("up", "stopped", "auth")]
    clock.shift(31 * SECONDS)
    assert health.closed() == frozenset()


def test_a_carrier_that_goes_on_refusing_is_left_alone_longer_each_time(both):  # noqa: F811
    waits = []
    for _ in range(9):
        health.stop(FIRST, clock.now() + 30 * SECONDS, "refused")
        waits.append((CarrierHealth.get().until - clock.now()).total_seconds())
        clock.shift(timedelta(seconds=waits[-1]))
    assert [round(w) for w in waits[:3]] == [30, 30, 30]
    assert [round(w) for w in waits] == sorted(round(w) for w in waits)
    assert round(waits[-1]) <= health.LONGEST_STOP.total_seconds()
    assert waits[-1] > 100
    assert history() == [("up", "stopped", "auth")], "one stop, not nine"


def test_a_paused_carrier_is_closed_whatever_it_is_judged_and_opens_as_it_is_judged(both, operator):  # noqa: F811
    assert health.pause(FIRST, operator.id)
    assert not health.pause(FIRST, operator.id), "it was paused already"
    assert health.closed() == {FIRST}
    assert state() == "paused"
    attempts("unknown", 10)
    look_after(30)
    assert state() == "paused"
    assert health.resume(FIRST, operator.id)
    assert not health.resume(FIRST, operator.id)
    assert state() == "up"
    assert history() == [("up", "paused", "person"), ("paused", "up", "person")]
    assert {turn.user_id for turn in CarrierTurn.select()} == {operator.id}


def test_what_a_process_knows_is_half_a_second_old_at_most(both):  # noqa: F811
    assert health.closed() == frozenset()
    CarrierHealth.insert(carrier=FIRST, since=clock.now(), state="sick").execute()
    clock.shift(health.FRESH)
    assert health.closed() == {FIRST}


def test_a_sick_carrier_gets_one_text_every_twenty_seconds(both):  # noqa: F811
    CarrierHealth.insert(carrier=FIRST, since=clock.now(), state="sick").execute()
    health.forget()
    assert [health.may_try(FIRST) for _ in range(3)] == [True, False, False]
    clock.shift(health.TRY_EVERY)
    assert [health.may_try(FIRST) for _ in range(3)] == [True, False, False]
    assert not health.may_try(SECOND), "it is well: nobody has to ask"


def test_nobody_tries_a_carrier_that_a_person_has_paused(both, operator):  # noqa: F811
    CarrierHealth.insert(carrier=FIRST, since=clock.now(), state="sick").execute()
    health.pause(FIRST, operator.id)
    assert not health.may_try(FIRST)


def test_each_carrier_is_asked_once_a_minute(both, first, second):  # noqa: F811
    look_after(180)
    assert 3 <= first.reads <= 4
    assert 3 <= second.reads <= 4
    assert {p.ok for p in CarrierProbe.select()} == {True}
    assert state() == "up"


def test_of_two_processes_one_asks(both, first):  # noqa: F811
    assert probing.probe_if_due(FIRST) is not None
    assert probing.probe_if_due(FIRST) is None
    assert first.reads == 1


def test_a_carrier_that_is_switched_off_is_sick_within_a_minute_without_any_text(both, first):  # noqa: F811
    look_after(52)
    first.off()
    look_after(59)
    assert state() == "sick"
    assert history() == [("up", "degraded", "probe"), ("degraded", "sick", "probe")]
    assert state(SECOND) == "up"


def test_a_carrier_whose_answers_fail_is_sick_within_seconds(both):  # noqa: F811
    look_after(1)
    attempts("temporary", 5)
    look_after(10)
    assert state() == "sick"
    row = CarrierHealth.get(CarrierHealth.carrier == FIRST)
    assert (row.reason, row.detail) == ("errors", "HTTP 503")


def test_a_sick_carrier_recovers_bit_by_bit(both, first):  # noqa: F811
    first.off()
    look_after(30)
    assert state() == "sick"
    assert health.rank(FIRST, MARGARETHE) == health.SICK
    first.on()
    look_after(60)
    assert state() == "recovering"
    health.forget()
    people = [f"+4917139{n:05d}" for n in range(1000)]
    taken = sum(not health.rank(FIRST, their) for their in people)
    assert 50 < taken < 500, taken
    again = {their for their in people if not health.rank(FIRST, their)}
    look_after(60)
    assert again < {their for their in people if not health.rank(FIRST, their)}, "nobody goes to and fro"
    look_after(140)
    assert state() == "up"
    assert [after for _, after, _ in history()] == ["degraded", "sick", "recovering", "up"]


def test_every_relapse_doubles_the_time_that_a_carrier_is_left_alone(both):  # noqa: F811
    lengths = []
    for _ in range(3):
        clock.shift(SECONDS)
        attempts("temporary", 5)
        look_after(10)
        assert state() == "sick"
        clock.shift(3 * MINUTES)  # what went wrong before is forgotten
        CarrierHealth.update(since=clock.now(), probe_at=None).execute()
        begun = clock.now()
        while state() == "sick":
            look_after(1)
        lengths.append(round((clock.now() - begun).total_seconds()))
    assert lengths[0] <= 45
    assert lengths[1] >= 60
    assert lengths[2] >= 120


def test_a_worker_that_was_killed_speaks_against_no_carrier(both):  # noqa: F811
    look_after(1)
    attempts("unknown", 20, seconds=61)
    look_after(15)
    assert state() == "up"


def test_refused_recipients_speak_against_no_carrier(both):  # noqa: F811
    look_after(1)
    attempts("rejected", 20)
    attempts("blocked", 20)
    attempts("throttled", 20)
    look_after(15)
    assert state() == "up"


def test_a_slow_carrier_is_told_and_a_far_too_slow_one_is_passed_over(both):  # noqa: F811
    look_after(1)
    attempts("accepted", 6, seconds=4)
    look_after(10)
    assert state() == "degraded"
    assert health.closed() == frozenset()
    attempts("accepted", 20, seconds=12)
    look_after(10)
    assert state() == "sick"


def test_a_refused_account_is_stopped_then_asked_and_taken_back(both, first, account):  # noqa: F811
    Sender.create(account=account, kind="virtual", value=OWN, created_at=clock.now())
    first.refusal = (401, 20003)
    sending.send(account, MARGARETHE, "Hallo", sender=OWN)
    pump.work()
    assert state() == "stopped"
    look_after(40)
    assert state() == "stopped", "the probe is refused as well"
    assert FIRST in health.closed()
    first.refusal = None
    look_after(90)
    assert state() in ("recovering", "up")
    pump.work()
    assert first.bodies() == ["Hallo"]


def test_a_key_that_may_send_but_not_read_does_its_work(both, first):  # noqa: F811
    first.refusal = (401, 20003)
    for _ in range(8):
        attempts("accepted", 2)
        look_after(25)
    assert state() == "degraded"
    assert health.closed() == frozenset()


def test_a_carrier_with_a_process_of_its_own_is_asked_by_its_heartbeat(both, monkeypatch):  # noqa: F811
    carrier = both.carriers[FIRST]
    monkeypatch.setattr(type(carrier), "own_process", True)
    assert "does not run" in probing.probe(FIRST).detail
    Heartbeat.insert(name=f"smpp:{FIRST}", at=clock.now(), detail="bound").execute()
    assert probing.probe(FIRST).ok
    Heartbeat.update(detail="temporary: no link").execute()
    assert "no link" in probing.probe(FIRST).detail
    Heartbeat.update(detail="bound").execute()
    clock.shift(16 * SECONDS)
    assert not probing.probe(FIRST).ok


def test_the_restart_of_a_process_that_keeps_a_link_is_no_sickness(both, monkeypatch):  # noqa: F811
    monkeypatch.setattr(type(both.carriers[FIRST]), "own_process", True)
    health.row_of(FIRST)
    probing.let_restart(FIRST)
    look_after(12)
    Heartbeat.insert(name=f"smpp:{FIRST}", at=clock.now(), detail="bound").execute()
    look_after(10)
    assert history() == []


def test_a_link_that_does_not_come_back_after_a_restart_is_sick_within_a_minute(both, monkeypatch):  # noqa: F811
    monkeypatch.setattr(type(both.carriers[FIRST]), "own_process", True)
    health.row_of(FIRST)
    probing.let_restart(FIRST)
    look_after(60)
    assert state() == "sick"


def watch(minutes: int, ago: timedelta, ok: bool = True) -> None:
    """Probe once a minute for so long, beginning so long ago."""
    begun = clock.now() - ago
    rows = [
        {"carrier": FIRST, "at": begun + timedelta(minutes=n), "ok": ok, "ms": 20} for n in range(minutes)
    ]
    CarrierProbe.insert_many(rows).execute()


def turned(after: str, ago: timedelta) -> None:
    CarrierTurn.create(carrier=FIRST, at=clock.now() - ago, before="up", after=after)


def test_availability_is_the_time_in_which_a_carrier_took_messages(both):  # noqa: F811
    hour, minute = timedelta(hours=1), timedelta(minutes=1)
    watch(120, 2 * hour)  # it answers every probe, and refuses texts for a quarter of the time
    turned("degraded", 70 * minute)
    turned("sick", 60 * minute)
    turned("recovering", 30 * minute)
    turned("up", 20 * minute)
    days = availability.days(FIRST, "Europe/Berlin")
    assert len(days) == 30
    assert (sum(d.asked for d in days), sum(d.answered for d in days)) == (120, 120)
    assert availability.share(days) == pytest.approx(75, abs=0.5)
    turned("stopped", 10 * minute)
    assert availability.share(availability.days(FIRST, "Europe/Berlin")) == pytest.approx(66.7, abs=0.5)


def test_one_that_does_not_answer_is_unavailable_by_time_and_not_by_how_often_it_was_asked(both):  # noqa: F811
    watch(60, timedelta(hours=2))
    turned("sick", timedelta(hours=1))
    for n in range(240):  # a closed carrier is asked four times as often
        at = clock.now() - timedelta(hours=1) + timedelta(seconds=15 * n)
        CarrierProbe.create(carrier=FIRST, at=at, ok=False, ms=20)
    assert availability.share(availability.days(FIRST, "Europe/Berlin")) == pytest.approx(50, abs=1.5)


def test_the_time_in_which_faden_did_not_run_or_it_was_paused_does_not_count(both):  # noqa: F811
    day, hour = timedelta(days=1), timedelta(hours=1)
    turned("sick", 8 * day)
    watch(60, 5 * day)  # a day's outage that is seen for an hour only, as Faden did not run
    turned("up", 3 * day)
    watch(180, 3 * hour)
    turned("paused", 2 * hour)
    turned("up", hour)
    days = availability.days(FIRST, "Europe/Berlin")
    assert days[0].share is None
    assert availability.share(days) == pytest.approx(100 * 2 / 3, abs=1)
    assert availability.share(availability.days(SECOND, "Europe/Berlin")) is None


def test_old_probes_are_tidied_away(both):  # noqa: F811
    for days in (1, 34, 36, 90):
        CarrierProbe.create(carrier=FIRST, at=clock.now() - timedelta(days=days), ok=True, ms=1)
    assert probing.forget_old() == 2
    assert CarrierProbe.select().count() == 2
