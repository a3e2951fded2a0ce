"""The outbox against the pretend network: every message once, and the truth about it."""

from datetime import timedelta

import pytest

from sms import clock, outbox, sending
from sms.models import Attempt, Change, Conversation, Message, StatusEvent
from sms.refusal import Conflict
from tests.network import MARGARETHE, Town, settings, town  # noqa: F401
from tests.outbox import claim_one


@pytest.fixture
def waiting(account, town: Town):  # noqa: F811
    """A message to Margarethe that waits for the worker."""
    return sending.send(account, MARGARETHE, "Ihr Rezept liegt bereit.")


def test_a_text_arrives_and_its_report_comes_back(waiting, town):
    town.work()
    message = town.becomes(waiting, "delivered")
    assert town.texts(MARGARETHE) == ["Ihr Rezept liegt bereit."]
    assert message.sent_at and message.delivered_at and message.carrier_reference.startswith("SM")
    told = [
        e.status for e in StatusEvent.select().where(StatusEvent.message == waiting).order_by(StatusEvent.id)
    ]
    assert told[:2] == ["queued", "sending"]
    assert told[-1] == "delivered"


def test_every_step_that_looks_different_is_on_the_feed_of_the_open_pages(waiting, town):
    town.work()
    town.becomes(waiting, "delivered")
    kinds = [c.kind for c in Change.select().where(Change.message == waiting.id).order_by(Change.id)]
    assert kinds == ["message", "status", "status"], "written, sent, delivered"


def test_a_page_that_offers_to_take_a_reply_back_hears_that_it_is_too_late(account, anna, town):
    conversation = sending.send(account, MARGARETHE, "Guten Morgen").conversation
    reply = sending.reply(conversation, "Bis gleich", by=anna)
    clock.shift(sending.UNDO)
    outbox.claim("sandbox", 5)
    told = Change.select().where(Change.message == reply.id, Change.kind == "status")
    assert told.count() == 1


def test_two_workers_never_take_the_same_message(waiting, town):
    claimed = claim_one()
    assert claimed is not None
    assert claim_one() is None
    assert not waiting.advance("sending")


def test_a_persons_message_goes_before_a_machines(account, town):
    machine = sending.send(account, MARGARETHE, "Sammelnachricht", source="survey")
    Message.update(priority=0).where(Message.id == machine.id).execute()
    person = sending.send(account, MARGARETHE, "Antwort")
    assert claim_one() == person


def test_a_direct_reply_waits_for_its_undo_window(account, anna, town):
    conversation = sending.send(account, MARGARETHE, "Guten Morgen").conversation
    town.work()
    reply = sending.reply(conversation, "Bis gleich", by=anna)
    town.work()
    assert town.status(reply) == "queued"
    clock.shift(sending.UNDO)
    town.work()
    town.becomes(reply, "delivered")


def test_an_undone_reply_never_leaves(account, anna, town):
    conversation = sending.send(account, MARGARETHE, "Guten Morgen").conversation
    reply = sending.reply(conversation, "Das war falsch", by=anna)
    sending.cancel(reply, by=anna)
    clock.shift(timedelta(minutes=1))
    town.work()
    town.until(lambda: town.texts(MARGARETHE))
    assert town.texts(MARGARETHE) == ["Guten Morgen"]
    assert Conversation.get_by_id(conversation.id).preview == "Guten Morgen"


def test_what_has_left_cannot_be_taken_back(waiting, town):
    town.work()
    with pytest.raises(Conflict):
        sending.cancel(waiting)


def test_a_refusal_fails_the_message_and_puts_it_before_a_person(account, town):
    town.set(MARGARETHE, state="off")
    message = sending.send(account, MARGARETHE, "Hallo?")
    town.work()
    undelivered = town.becomes(message, "undelivered", 20)
    assert undelivered.reason == "unreachable"
    assert Conversation.get_by_id(message.conversation_id).failed


def test_a_late_report_never_moves_a_message_backwards(account, town):
    town.set(MARGARETHE, reports="reversed")
    message = sending.send(account, MARGARETHE, "Hallo")
    town.work()
    town.becomes(message, "delivered")
    assert not Message.get_by_id(message.id).advance("sent")
    assert town.status(message) == "delivered"


def test_a_doubled_report_is_told_once(account, town):
    town.set(MARGARETHE, reports="twice")
    message = sending.send(account, MARGARETHE, "Hallo")
    town.work()
    town.becomes(message, "delivered")
    delivered = StatusEvent.select().where(StatusEvent.message == message, StatusEvent.status == "delivered")
    assert delivered.count() == 1


def test_a_message_without_report_stays_sent_and_is_no_failure(account, town):
    town.set(MARGARETHE, reports="never")
    message = sending.send(account, MARGARETHE, "Hallo")
    town.work()
    assert town.status(message) == "sent"
    assert not Conversation.get_by_id(message.conversation_id).failed


def test_too_many_requests_slow_down_and_count_no_attempt(waiting, town):
    town.misbehave(messages="429", count=1)
    town.work()
    throttled = Message.get_by_id(waiting.id)
    assert (throttled.status, throttled.attempts) == ("queued", 0)
    clock.shift(timedelta(minutes=2))
    town.work()
    town.becomes(waiting, "delivered")
    assert len(town.texts(MARGARETHE)) == 1


def test_an_error_of_the_carriers_server_is_unknown_and_asked_about(waiting, town):
    town.misbehave(messages="500", count=1)
    town.work()
    assert town.status(waiting) == "unknown"
    assert town.texts(MARGARETHE) == []


def test_a_message_the_carrier_twice_knows_nothing_of_goes_out_again(waiting, town):
    town.misbehave(messages="500", count=1)
    town.work()
    for minutes in (2, 10):
        clock.shift(timedelta(minutes=minutes))
        town.sweep()
    assert town.status(waiting) == "queued"
    town.work()
    town.becomes(waiting, "delivered")
    assert len(town.texts(MARGARETHE)) == 1


def test_a_message_whose_answer_was_cut_off_is_never_sent_twice(account, town):
    town.set(MARGARETHE, reports="never")
    town.misbehave(messages="cut", count=1)
    message = sending.send(account, MARGARETHE, "Nur einmal")
    town.work()
    assert town.status(message) == "unknown"
    for minutes in (2, 10, 30):
        clock.shift(timedelta(minutes=minutes))
        town.sweep()
        town.work()
    assert town.status(message) in ("sent", "delivered"), "the carrier knows of it, perhaps by now of more"
    assert town.until(lambda: town.texts(MARGARETHE)) == ["Nur einmal"]


def test_a_report_settles_an_unknown_outcome_by_itself(waiting, town):
    town.misbehave(messages="cut", count=1)
    town.work()
    message = town.becomes(waiting, "delivered")
    assert message.carrier_reference
    assert len(town.texts(MARGARETHE)) == 1


def test_a_message_whose_worker_died_is_asked_about_and_never_simply_resent(waiting, town):
    claimed = claim_one()
    assert claimed == waiting  # and here the worker dies
    clock.shift(outbox.LEASE)
    town.sweep()
    assert town.status(waiting) == "unknown"
    assert town.texts(MARGARETHE) == []


def test_an_unreachable_carrier_is_tried_again_later(waiting, town, app):
    from dataclasses import replace

    from sms import exchange

    there = exchange.current().settings
    exchange.connect(replace(there, port=1))  # nothing listens there
    town.work()
    tried = Message.get_by_id(waiting.id)
    assert (tried.status, tried.attempts) == ("queued", 1)
    assert tried.next_at > clock.now()
    exchange.connect(there)
    clock.shift(timedelta(seconds=6))
    town.work()
    town.becomes(waiting, "delivered")


def test_each_attempt_is_written_before_the_call_and_completed_after_it(waiting, town):
    town.misbehave(messages="429", count=1)
    town.work()
    clock.shift(timedelta(minutes=2))
    town.work()
    tries = list(Attempt.select().where(Attempt.message == waiting).order_by(Attempt.id))
    assert [t.outcome for t in tries] == ["throttled", "accepted"]
    assert len({t.key for t in tries}) == 2


def test_a_scheduled_message_goes_out_at_its_time(account, town):
    message = sending.send(account, MARGARETHE, "Später", send_at=clock.now() + timedelta(hours=2))
    town.sweep()
    town.work()
    assert town.status(message) == "scheduled"
    clock.shift(timedelta(hours=2, seconds=1))
    town.sweep()
    town.work()
    town.becomes(message, "delivered")


def test_a_person_may_try_a_failed_message_again(account, anna, town):
    town.set(MARGARETHE, state="off")
    message = sending.send(account, MARGARETHE, "Hallo?")
    town.work()
    town.becomes(message, "undelivered", 20)
    town.set(MARGARETHE, state="on")
    sending.retry(Message.get_by_id(message.id), by=anna)
    town.work()
    town.becomes(message, "delivered")
    assert not Conversation.get_by_id(message.conversation_id).failed


def test_a_delivered_message_cannot_be_tried_again(waiting, anna, town):
    town.work()
    delivered = town.becomes(waiting, "delivered")
    with pytest.raises(Conflict):
        sending.retry(delivered, by=anna)


def test_a_planned_message_that_is_taken_back_leaves_the_future(account, anna, town):
    planned = sending.send(account, MARGARETHE, "Später", send_at=clock.now() + timedelta(days=3))
    sending.cancel(planned, by=anna)
    assert Message.get_by_id(planned.id).at <= clock.now()
