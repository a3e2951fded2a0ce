"""Two carriers: what waits for a closed one goes by the other; nothing is lost, nothing goes twice, replies thread."""

from contextlib import contextmanager
from datetime import timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from sms import (
    accounts,
    calling,
    clock,
    delivery,
    failover,
    health,
    outbox,
    pump,
    receiving,
    routing,
    sending,
)
from sms.carriers.contract import IncomingText
from sms.db import database
from sms.models import (
    Account,
    Attempt,
    Call,
    CarrierHealth,
    Change,
    Message,
    Route,
    Sender,
    StatusEvent,
)  # fmt: skip
from sms.refusal import Refused
from tests.carrier_side import sid
from tests.counterpart import FIRST, OWN, POOL, SECOND, VOICE, both, first, second, settings  # noqa: F401
from tests.machines import Practice, play

MARGARETHE, TORSTEN, ILSE = "+491713920042", "+491713920033", "+493023125640"


def judge(name: str, state: str, share: int = 100) -> None:
    """Let a carrier stand like this, as judging would."""
    CarrierHealth.insert(carrier=name, since=clock.now(), state=state, share=share).on_conflict(
        conflict_target=[CarrierHealth.carrier],
        update={CarrierHealth.state: state, CarrierHealth.share: share},
    ).execute()
    health.forget()


def again(message: Message) -> Message:
    return Message.get_by_id(message.id)


def moves(message: Message) -> list[str]:
    events = StatusEvent.select().where(StatusEvent.message == message).order_by(StatusEvent.id)
    return [e.detail for e in events if e.detail.startswith("moved to")]


# At acceptance


@pytest.mark.parametrize("state", ["sick", "stopped", "paused"])
def test_a_message_takes_the_first_carrier_that_takes_messages(both, account, operator, state):  # noqa: F811
    assert sending.send(account, MARGARETHE, "Eins").carrier == FIRST
    if state == "paused":
        health.pause(FIRST, operator.id)
    else:
        judge(FIRST, state)
    moved = sending.send(account, MARGARETHE, "Zwei")
    assert (moved.carrier, moved.ours in POOL[SECOND]) == (SECOND, True)


def test_a_slower_carrier_is_not_passed_over(both, account):  # noqa: F811
    judge(FIRST, "degraded")
    assert sending.send(account, MARGARETHE, "Eins").carrier == FIRST


def test_a_person_is_written_to_from_the_same_number_before_and_after_an_outage(both, account):  # noqa: F811
    before = sending.send(account, MARGARETHE, "Eins")
    judge(FIRST, "sick")
    during = {sending.send(account, MARGARETHE, "Zwei").ours for _ in range(3)}
    judge(FIRST, "up")
    after = sending.send(account, MARGARETHE, "Drei")
    assert len(during) == 1
    assert after.ours == before.ours
    assert during.isdisjoint({before.ours})


def test_who_has_answered_on_the_other_number_stays_there(both, account):  # noqa: F811
    sending.send(account, MARGARETHE, "Eins")
    judge(FIRST, "sick")
    during = sending.send(account, MARGARETHE, "Zwei")
    receiving.receive_text(SECOND, IncomingText(sid(), MARGARETHE, during.ours, "Ja"))
    judge(FIRST, "up")
    assert sending.send(account, MARGARETHE, "Drei").ours == during.ours


def test_replies_to_either_number_come_into_the_same_thread(both, account, other_account):  # noqa: F811
    before = sending.send(account, MARGARETHE, "Eins")
    judge(FIRST, "sick")
    during = sending.send(account, MARGARETHE, "Zwei")
    for message, carrier in ((before, FIRST), (during, SECOND)):
        answer = receiving.receive_text(carrier, IncomingText(sid(), MARGARETHE, message.ours, "Antwort"))
        assert answer.conversation == before.conversation
    taken = {r.our for r in Route.select().where(Route.account == account)}
    assert sending.send(other_account, MARGARETHE, "Autohaus").ours not in taken


def test_a_name_goes_by_the_other_carrier_and_stays_the_same_name(both, account):  # noqa: F811
    judge(FIRST, "sick")
    sent = sending.send(account, MARGARETHE, "Eins", sender="PRAXIS")
    assert (sent.ours, sent.carrier) == ("PRAXIS", SECOND)


def test_an_own_number_waits_for_its_carrier(both, account):  # noqa: F811
    Sender.create(account=account, kind="virtual", value=OWN, created_at=clock.now())
    judge(FIRST, "sick")
    sent = sending.send(account, MARGARETHE, "Eins", sender=OWN)
    assert (sent.ours, sent.carrier) == (OWN, FIRST)
    assert failover.reroute() == 0
    assert again(sent).carrier == FIRST


def test_a_call_goes_by_the_other_carriers_number(both, account):  # noqa: F811
    judge(FIRST, "sick")
    sent = sending.send(account, ILSE, "Guten Tag")
    assert (sent.carrier, sent.ours) == (SECOND, VOICE[SECOND])


def test_where_all_are_closed_the_least_bad_gets_it_and_keeps_it(both, account, operator):  # noqa: F811
    health.pause(FIRST, operator.id)
    judge(SECOND, "sick")
    sent = sending.send(account, MARGARETHE, "Eins")
    assert sent.carrier == SECOND
    assert failover.reroute() == 0


def test_a_carrier_that_recovers_gets_its_share_of_the_people(both, account):  # noqa: F811
    judge(FIRST, "recovering", share=30)
    sender = routing.classify(account, "")
    people = [f"+4917139{n:05d}" for n in range(400)]
    by = [way.carrier for way in routing.ways(account, sender, people).values()]
    assert 60 < by.count(FIRST) < 180
    assert by.count(FIRST) + by.count(SECOND) == 400


def test_many_ways_at_once_are_those_of_one_after_the_other(both, account, other_account):  # noqa: F811
    people = [f"+4917139{n:05d}" for n in range(60)]
    for n, their in enumerate(people[:40]):
        writer = (account, other_account)[n % 2]
        sending.send(writer, their, "Hallo", sender=("", POOL[FIRST][1])[n % 3 == 0])
    judge(FIRST, "recovering", share=50)
    sender = routing.classify(account, "")
    with rolled_back():
        singly = {their: routing.ways(account, sender, [their])[their] for their in people}
        rows = routes()
    with rolled_back():
        at_once = routing.ways(account, sender, people)
        assert routes() == rows
    assert at_once == singly


def test_an_exhausted_pool_is_told_for_whom_it_is(both, account, other_account):  # noqa: F811
    writers = [other_account, *(accounts.add_account(f"Firma {n}") for n in range(3))]
    for writer in writers:
        sending.send(writer, MARGARETHE, "Hallo")
    found = routing.ways(account, routing.classify(account, ""), [MARGARETHE, TORSTEN])
    assert isinstance(found[MARGARETHE], Refused)
    assert found[TORSTEN].carrier == FIRST


@contextmanager
def rolled_back():
    """Take back what is written within."""
    with database.atomic() as transaction:
        yield
        transaction.rollback()


def routes() -> set[tuple]:
    return {(r.our, r.their, r.account_id, r.carrier, r.current) for r in Route.select()}


# What waits


def test_what_waits_for_a_sick_carrier_goes_by_the_next(both, account, second):  # noqa: F811
    waiting = [sending.send(account, f"+4917139{n:05d}", f"Nr. {n}") for n in range(30)]
    judge(FIRST, "sick")
    assert failover.reroute() == 30
    assert {again(m).carrier for m in waiting} == {SECOND}
    assert {again(m).ours for m in waiting} <= set(POOL[SECOND])
    pump.work()
    assert sorted(second.bodies()) == sorted(m.text for m in waiting)
    assert moves(waiting[0]) == [f"moved to {SECOND}"]
    told = Change.select().where(Change.message == waiting[0].id, Change.kind == "status").count()
    assert told >= 1


def test_where_it_has_gone_is_in_the_history_that_programs_read(both, account, app):  # noqa: F811
    waiting = sending.send(account, MARGARETHE, "Hallo")
    judge(FIRST, "sick")
    failover.reroute()
    event = StatusEvent.select().order_by(StatusEvent.id.desc()).get()
    assert (event.message_id, event.status, event.carrier) == (waiting.id, "queued", SECOND)


def test_what_is_planned_for_later_is_left_where_it_is(both, account):  # noqa: F811
    later = sending.send(account, MARGARETHE, "Später", send_at=clock.now() + timedelta(hours=1))
    judge(FIRST, "sick")
    assert failover.reroute() == 0
    assert again(later).carrier == FIRST
    clock.shift(timedelta(hours=1, seconds=1))
    outbox.sweep()
    assert again(later).carrier == SECOND, "it finds its way anew when its time has come"


def test_with_one_carrier_everything_waits(both, account):  # noqa: F811
    judge(FIRST, "sick")
    judge(SECOND, "stopped")
    CarrierHealth.update(until=clock.now() + timedelta(hours=1)).where(
        CarrierHealth.carrier == SECOND
    ).execute()
    health.forget()
    waiting = sending.send(account, MARGARETHE, "Eins")
    assert failover.reroute() == 0
    assert again(waiting).status == "queued"


def test_a_sick_carrier_without_another_is_tried_gently(both, account, first, second):  # noqa: F811
    judge(FIRST, "sick")
    judge(SECOND, "sick")
    for n in range(10):
        sending.send(account, f"+4917139{n:05d}", f"Nr. {n}")
    for _ in range(61):
        clock.shift(timedelta(seconds=1))
        pump.work()
    assert 3 <= len(first.taken) <= 4


@pytest.mark.parametrize("status", ["sending", "unknown", "sent"])
def test_what_the_carrier_may_have_is_never_moved(both, account, status):  # noqa: F811
    message = sending.send(account, MARGARETHE, "Eins")
    assert outbox.claim(FIRST, 1).texts
    if status != "sending":
        assert again(message).advance(status)
    judge(FIRST, "sick")
    clock.shift(timedelta(hours=1))
    assert failover.reroute() == 0
    assert failover.move([again(message)], {FIRST}) == 0
    assert again(message).carrier == FIRST


def test_a_message_that_was_claimed_meanwhile_stays(both, account):  # noqa: F811
    message = sending.send(account, MARGARETHE, "Eins")
    seen = again(message)
    assert outbox.claim(FIRST, 1).texts
    assert failover.move([seen], {FIRST}) == 0
    assert again(message).carrier == FIRST


def test_what_was_not_taken_twice_goes_by_the_next_although_the_carrier_seems_well(
    both, account, first, second
):  # noqa: F811
    message = sending.send(account, MARGARETHE, "Hallo")
    first.off()
    pump.work()
    assert (again(message).status, again(message).carrier) == ("queued", FIRST)
    clock.shift(timedelta(seconds=6))
    pump.work()
    assert again(message).carrier == SECOND
    pump.work()
    assert second.bodies() == ["Hallo"]
    outcomes = [a.outcome for a in Attempt.select().order_by(Attempt.id)]
    assert outcomes == ["temporary", "temporary", "accepted"]


def test_what_was_not_taken_by_a_sick_carrier_goes_by_the_next_at_once(both, account, first, second):  # noqa: F811
    message = sending.send(account, MARGARETHE, "Hallo")
    first.off()
    claimed = outbox.claim(FIRST, 1).texts
    judge(FIRST, "sick")
    outcome = outbox.hand_over(both.carriers[FIRST], claimed[0])
    delivery.settle(claimed[0], outcome)
    assert failover.after_outcomes([(again(message), outcome)]) == 1
    pump.work()
    assert second.bodies() == ["Hallo"]


def test_a_call_that_is_planned_goes_by_the_next_and_one_that_may_ring_does_not(both, account):  # noqa: F811
    message = sending.send(account, ILSE, "Guten Tag")
    other = sending.send(account, "+493023125641", "Guten Tag")
    for m in (message, other):
        calling._start(again(m))
    Call.update(status="queued").where(Call.message == other).execute()
    judge(FIRST, "sick")
    assert failover.reroute_calls() == 1
    call = Call.get(Call.message == message)
    assert (call.carrier, call.ours, again(message).carrier) == (SECOND, VOICE[SECOND], SECOND)
    assert Call.get(Call.message == other).carrier == FIRST


def test_what_waits_for_a_carrier_that_is_configured_no_more_goes_by_one_that_is(both, account, settings):  # noqa: F811
    waiting = [
        sending.send(account, MARGARETHE, "Eins"),
        sending.send(account, TORSTEN, "Zwei", sender="PRAXIS"),
    ]
    judge(FIRST, "up")
    del both.carriers[FIRST], both.configs[FIRST]
    object.__setattr__(both, "numbers", tuple(n for n in both.numbers if n.carrier != FIRST))
    assert failover.reroute() == 2
    assert {again(m).carrier for m in waiting} == {SECOND}
    assert again(waiting[1]).ours == "PRAXIS"


class TwoCarriersOnePool(Practice):
    """Carriers fall ill and recover, two accounts write, people answer: whoever wrote last from a number is answered."""

    people = st.sampled_from((MARGARETHE, TORSTEN))
    names = st.sampled_from((FIRST, SECOND))

    @initialize()
    def found(self) -> None:
        health.forget()
        self.accounts = list(Account.select().order_by(Account.id))
        self.sent: list[Message] = []

    @rule(name=names, state=st.sampled_from(("up", "sick", "recovering", "degraded")))
    def turn(self, name: str, state: str) -> None:
        judge(name, state, 50 if state == "recovering" else 100)

    @rule(writer=st.integers(0, 1), person=people)
    def send(self, writer: int, person: str) -> None:
        self.sent.append(sending.send(self.accounts[writer], person, "Hallo"))

    @rule()
    def sweep(self) -> None:
        failover.sweep()

    @rule(data=st.data())
    def answer(self, data: st.DataObject) -> None:
        if not self.sent:
            return
        message = again(data.draw(st.sampled_from(self.sent)))
        answer = receiving.receive_text(
            message.carrier, IncomingText(sid(), message.theirs, message.ours, "Antwort")
        )
        assert answer.account_id == message.account_id
        assert answer.conversation_id == message.conversation_id

    @invariant()
    def every_message_leaves_from_a_number_of_its_carrier_and_of_its_account(self) -> None:
        owners = {(r.our, r.their): r.account_id for r in Route.select()}
        for message in map(again, self.sent):
            assert message.ours in POOL[message.carrier]
            assert owners[message.ours, message.theirs] == message.account_id
            assert message.status == "queued"


def test_whatever_the_carriers_do_replies_find_their_thread(both, template, settings):  # noqa: F811
    play(TwoCarriersOnePool, template[0], settings, runs=12, steps=20)


def test_calls_wait_for_a_paused_carrier_and_a_sick_one_is_tried_gently(both, account, operator):  # noqa: F811
    for name in (FIRST, SECOND):
        health.pause(name, operator.id)
    messages = [sending.send(account, f"+4930231256{n:02d}", "Guten Tag") for n in range(5)]
    assert calling.pump() == 0
    assert {again(m).status for m in messages} == {"queued"}
    for name in (FIRST, SECOND):
        health.resume(name, operator.id)
        judge(name, "sick")
    placed = 0
    for _ in range(21):
        clock.shift(timedelta(seconds=1))
        placed += calling.pump()
    assert placed == 2


def test_a_call_that_the_carrier_refuses_us_stops_it_for_all(both, account, first):  # noqa: F811
    first.refusal = (401, 20003)
    sending.send(account, ILSE, "Guten Tag")
    calling.pump()
    health.forget()
    assert health.closed() == {FIRST}
    assert failover.reroute_calls() == 0, "it waits for its time first"
    clock.shift(timedelta(seconds=31))
    judge(FIRST, "sick")
    assert failover.reroute_calls() == 1
