"""Opt-out: the words, the one confirmation, and that every channel obeys."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms import clock, contacts, delivery, pump, queue, receiving, sending, suppression
from sms import modules as module_registry
from sms.carriers.contract import Outcome, OutcomeKind, Reason
from sms.models import Contact, Conversation, Expectation, Message, Suppression
from sms.modules import Module
from sms.refusal import Refused
from sms.understanding import optout
from tests.carrier_side import ILSE, MARGARETHE, POOL, CarrierSide, sid
from tests.outbox import claim_one


@pytest.fixture
def carrier(app) -> CarrierSide:
    return CarrierSide(app)


def outgoing() -> list[Message]:
    return list(Message.select().where(Message.direction == "outgoing").order_by(Message.id))


@pytest.mark.parametrize(
    "text",
    [
        "STOP", "stop", "Stopp", " Stopp!! ", "STOPP.", "»Stop«", "ＳＴＯＰ", "s t o p", "Abmelden", "ABBESTELLEN",
        "Austragen", "END", "Ende", "quit", "Cancel", "UNSUBSCRIBE", "Löschen", "kündigen", "Ku\u0308ndigen",
        "STOP 😡", "Keine SMS", "\u200bSTOP\ufeff", "STOP\n",
    ],
)  # fmt: skip
def test_a_word_for_opting_out_is_understood(text):
    assert optout.is_stop(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "Stopp den Termin", "Bitte nicht stoppen", "Stop it, please", "Nonstop", "unstop", "Start", "Weekend",
        "Das Ende", "Ich möchte kündigen", "STOP" + " " * 300 + "bitte morgen anrufen",
    ],
)  # fmt: skip
def test_anything_else_is_no_opting_out(text):
    assert not optout.is_stop(text)


@given(st.text(max_size=60))
def test_reading_any_text_never_fails_and_only_whole_words_count(text):
    word = optout.normalised(text)
    assert optout.is_stop(text) or word not in optout.STOP_WORDS
    assert not optout.is_stop(f"{text} Termin")


def test_stop_is_confirmed_once_and_then_nothing_is_sent(account, carrier):
    carrier.text("STOP")
    assert [m.text for m in outgoing()] == [
        "Sie erhalten keine Nachrichten mehr von Praxis Dr. Lindner. Zum Wiederanmelden antworten Sie START."
    ]
    confirmation = claim_one()
    assert confirmation is not None
    assert confirmation.ours == POOL[0]
    with pytest.raises(Refused) as refused:
        sending.send(account, MARGARETHE, "Hallo")
    assert (refused.value.field, refused.value.code) == ("to", "opted_out")
    with pytest.raises(Refused):
        sending.send(account, MARGARETHE, "Hallo", channel="voice")


def test_the_confirmation_passes_the_block_that_it_announces(account, carrier, monkeypatch):
    from sms import exchange

    sent = []
    monkeypatch.setattr(
        exchange.carriers()["sandbox"], "send_text",
        lambda text: sent.append(text) or Outcome(OutcomeKind.accepted, sid()),
    )  # fmt: skip
    carrier.text("Stopp!")
    pump.work()
    assert len(sent) == 1
    assert outgoing()[0].status == "sent"


def test_a_second_stop_is_not_answered(account, carrier):
    for _ in range(3):
        carrier.text("STOP")
    assert len(outgoing()) == 1
    assert Suppression.select().count() == 1


def test_start_lets_messages_come_again(account, carrier):
    carrier.text("STOP")
    carrier.text("start")
    assert not suppression.is_suppressed(account, MARGARETHE)
    assert outgoing()[-1].text.startswith("Sie erhalten wieder Nachrichten von Praxis Dr. Lindner.")
    sending.send(account, MARGARETHE, "Schön, dass Sie wieder da sind")
    carrier.text("STOP")
    assert suppression.is_suppressed(account, MARGARETHE)
    assert len(outgoing()) == 4


def test_start_from_somebody_who_never_stopped_is_an_ordinary_text(account, carrier):
    carrier.text("Start")
    assert outgoing() == []
    assert Conversation.get().incoming == 1


def test_a_number_that_an_agent_has_blocked_does_not_unblock_itself(account, anna, carrier):
    suppression.suppress(account, MARGARETHE, "agent", by=anna)
    carrier.text("START")
    assert suppression.is_suppressed(account, MARGARETHE)
    assert outgoing() == []
    assert suppression.unsuppress(account, MARGARETHE, by=anna)
    assert sending.send(account, MARGARETHE, "Hallo").status == "queued"


def test_what_waits_for_somebody_who_opts_out_is_cancelled_at_once(account, anna, carrier):
    later = sending.send(account, MARGARETHE, "Morgen", send_at=clock.now() + timedelta(days=1))
    now = sending.send(account, MARGARETHE, "Jetzt")
    call = sending.send(account, MARGARETHE, "Vorgelesen", channel="voice")
    other = sending.send(account, "+491713920043", "Jemand anderes", send_at=clock.now() + timedelta(days=1))
    carrier.text("STOP")
    for message in (later, now, call):
        found = Message.get_by_id(message.id)
        assert (found.status, found.reason) == ("cancelled", "opted_out")
    assert Message.get_by_id(other.id).status == "scheduled"


def test_what_is_released_while_somebody_opts_out_never_leaves(account, carrier):
    message = sending.send(account, MARGARETHE, "Hallo")
    carrier.text("STOP")
    # As if it had been released between the two: what waits is cancelled with the opt-out itself.
    Message.update(status="queued").where(Message.id == message.id).execute()
    confirmation = claim_one()
    assert confirmation.source == "system"
    assert claim_one() is None
    assert (Message.get_by_id(message.id).status, Message.get_by_id(message.id).reason) == (
        "failed",
        "opted_out",
    )


def test_an_opt_out_at_the_carrier_is_ours_too(account, carrier):
    message = sending.send(account, MARGARETHE, "Hallo")
    waiting = sending.send(account, MARGARETHE, "Später", send_at=clock.now() + timedelta(hours=1))
    delivery.settle(
        claim_one(),
        Outcome(OutcomeKind.blocked, code="21610", reason=Reason.opted_out, detail="opted out"),
    )
    assert Suppression.get().source == "carrier"
    assert Message.get_by_id(message.id).reason == "opted_out"
    assert Message.get_by_id(waiting.id).status == "cancelled"
    carrier.text("START")
    assert not suppression.is_suppressed(account, MARGARETHE)


def test_an_opt_out_told_by_a_report_is_ours_too(account, carrier):
    message = sending.send(account, MARGARETHE, "Hallo")
    claim_one()
    carrier.report(message, "failed", sid(), ErrorCode="21610")
    assert suppression.is_suppressed(account, MARGARETHE)


def test_a_confirmation_that_the_carrier_refuses_puts_nothing_before_the_agents(account, carrier):
    carrier.text("STOP")
    delivery.settle(claim_one(), Outcome(OutcomeKind.blocked, code="21610", reason=Reason.opted_out))
    assert outgoing()[0].status == "failed"
    assert not Conversation.get().failed


def test_one_account_s_opt_out_is_not_another_s(account, other_account, carrier):
    sending.send(account, MARGARETHE, "Praxis")
    sending.send(other_account, MARGARETHE, "Autohaus")
    carrier.text("STOP", to=outgoing()[1].ours)
    assert not suppression.is_suppressed(account, MARGARETHE)
    assert suppression.is_suppressed(other_account, MARGARETHE)


def test_the_thread_shows_who_opted_out_and_how(account, anna, carrier):
    carrier.text("Abmelden")
    suppression.unsuppress(account, MARGARETHE, by=anna)
    events = list(Message.select().where(Message.channel == "event").order_by(Message.id))
    assert [(e.data["kind"], e.source) for e in events] == [("opted_out", "sms"), ("opted_in", "agent")]
    assert events[1].author == anna


def module_that(monkeypatch, **hooks) -> None:
    known = {"fragile": Module(name="fragile", **hooks), **module_registry.modules()}
    for place in (suppression, receiving):
        monkeypatch.setattr(place, "modules", lambda: known)


def test_stop_comes_before_every_module(account, carrier, monkeypatch):
    asked = []
    module_that(monkeypatch, on_incoming=lambda m, c: asked.append(m) or True)
    carrier.text("STOP")
    assert asked == []
    carrier.text("Hallo")
    assert len(asked) == 1


def test_a_module_that_fails_does_not_undo_an_opt_out(account, carrier, monkeypatch):
    told = []

    def on_opt_out(account, number):
        told.append(number)
        raise RuntimeError("broken")

    module_that(monkeypatch, on_opt_out=on_opt_out)
    carrier.text("STOP")
    assert told == [MARGARETHE]
    assert suppression.is_suppressed(account, MARGARETHE)
    assert len(outgoing()) == 1


def test_an_opt_out_ends_what_modules_wait_for(account, carrier):
    contact = Contact.create(account=account, number=MARGARETHE, created_at=clock.now())
    Expectation.create(
        account=account, ours=POOL[0], theirs=contact.number, module="survey", subject="1", since=clock.now()
    )
    suppression.suppress(account, MARGARETHE, "agent")
    assert Expectation.select().count() == 0


def test_a_landline_that_opts_out_gets_no_text_in_answer(account, carrier, monkeypatch):
    monkeypatch.setattr(queue, "_huey", None)
    carrier.text("STOP", sender=ILSE)
    assert outgoing() == []
    with pytest.raises(Refused):
        sending.send(account, ILSE, "Hallo")


def test_stop_from_one_number_of_a_person_is_stop_for_all_of_them(account, carrier):
    contact, conversation = contacts.find_or_add(account, MARGARETHE)
    contacts.add_number(contact, ILSE)
    carrier.text("STOP")
    with pytest.raises(Refused):
        sending.send(account, ILSE, "Hallo")
    events = [m.data["kind"] for m in Message.select().where(Message.conversation == conversation) if m.data]
    assert events == ["opted_out"]
    carrier.text("START", reference="SM-start")
    assert not suppression.is_suppressed(account, ILSE)


def test_a_number_added_to_somebody_who_has_opted_out_is_blocked_too(account, carrier):
    contact, _ = contacts.find_or_add(account, MARGARETHE)
    carrier.text("STOP")
    contacts.add_number(contact, ILSE)
    assert suppression.is_suppressed(account, ILSE)


def test_a_number_that_an_agent_blocks_leaves_the_person_s_others(account, anna, carrier):
    contact, _ = contacts.find_or_add(account, MARGARETHE)
    contacts.add_number(contact, ILSE)
    suppression.suppress(account, MARGARETHE, "agent", by=anna)
    assert not suppression.is_suppressed(account, ILSE)
