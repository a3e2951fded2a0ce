"""Replies: threaded, tied to what they answer, and before the agents' eyes whatever goes wrong."""

from datetime import timedelta

import pytest

from sms import clock, contacts, delivery, inbox, outbox, receiving, routing, sending
from sms import modules as module_registry
from sms.carriers.contract import Outcome, OutcomeKind
from sms.models import Change, Contact, Conversation, Expectation, Inbound, Message, Sender
from sms.modules import Module
from tests.carrier_side import ILSE, MARGARETHE, POOL, CarrierSide, sid
from tests.outbox import claim_one


@pytest.fixture
def carrier(app) -> CarrierSide:
    return CarrierSide(app)


def sent(account, text: str, to: str = MARGARETHE, **more) -> Message:
    """A message that the carrier has taken."""
    message = sending.send(account, to, text, **more)
    delivery.settle(claim_one(), Outcome(OutcomeKind.accepted, sid()))
    return Message.get_by_id(message.id)


def newest() -> Message:
    return Message.select().where(Message.direction == "incoming").order_by(Message.id.desc()).get()


def test_a_text_from_an_unknown_number_opens_a_thread(account, carrier):
    carrier.text("Guten Morgen, haben Sie heute offen?")
    conversation = Conversation.get()
    assert conversation.account == account
    assert (conversation.status, conversation.incoming, conversation.preview_kind) == ("open", 1, "in")
    assert conversation.preview == "Guten Morgen, haben Sie heute offen?"
    assert conversation.contact.number == MARGARETHE
    assert newest().answers is None


def test_a_reply_stands_in_the_thread_of_what_it_answers(account, carrier):
    question = sent(account, "Passt Ihnen Dienstag?")
    carrier.text("Ja, gern", to=question.ours)
    assert newest().conversation == question.conversation
    assert newest().answers == question.id


def test_a_reply_is_tied_to_the_newest_message_from_the_number_it_was_sent_to(account, carrier):
    sent(account, "Eins")
    second = sent(account, "Zwei")
    sent(account, "Drei", sender="PRAXIS")
    carrier.text("Antwort", to=second.ours)
    assert newest().answers == second.id


def test_a_reply_after_a_week_answers_nothing_in_particular(account, carrier):
    question = sent(account, "Passt Ihnen Dienstag?")
    clock.shift(timedelta(days=7, minutes=1))
    carrier.text("Entschuldigung, erst jetzt gesehen", to=question.ours)
    assert newest().answers is None
    assert newest().conversation == question.conversation


def test_a_reply_to_a_message_written_long_before_it_went_out_is_tied_to_it(account, carrier):
    planned = sending.send(account, MARGARETHE, "Morgen", send_at=clock.now() + timedelta(days=10))
    clock.shift(timedelta(days=10, minutes=1))
    outbox.sweep()
    delivery.settle(claim_one(), Outcome(OutcomeKind.accepted, sid()))
    carrier.text("Danke", to=Message.get_by_id(planned.id).ours)
    assert newest().answers == planned.id


def test_a_message_that_never_left_is_not_answered(account, carrier):
    sending.send(account, MARGARETHE, "Noch nicht", send_at=clock.now() + timedelta(hours=1))
    carrier.text("Hallo?")
    assert newest().answers is None


def test_a_text_to_an_own_number_belongs_to_its_account(account, other_account, carrier):
    Sender.create(account=other_account, kind="virtual", value="+491713920019", created_at=clock.now())
    carrier.text("An das Autohaus", to="+491713920019")
    assert newest().account == other_account


def test_an_answer_leaves_from_the_own_number_that_was_written_to(account, anna, carrier):
    Sender.create(account=account, kind="virtual", value="+491713920019", created_at=clock.now())
    carrier.text("Hallo", to="+491713920019")
    assert sending.reply(Conversation.get(), "Guten Tag", by=anna).ours == "+491713920019"


def test_an_answer_goes_to_the_number_that_wrote_last(account, anna, carrier):
    contact, conversation = contacts.find_or_add(account, MARGARETHE)
    contacts.add_number(contact, "0171 3920043")
    carrier.text("Von meinem zweiten Telefon", sender="+491713920043")
    assert Conversation.select().count() == 1
    assert sending.reply(conversation, "Danke", by=anna).theirs == "+491713920043"


def test_an_answer_never_goes_to_a_number_that_was_taken_away(account, anna, carrier):
    contact, conversation = contacts.find_or_add(account, MARGARETHE)
    contacts.add_number(contact, "0171 3920043")
    carrier.text("Von meinem zweiten Telefon", sender="+491713920043")
    contacts.remove_number(contact, "+491713920043")
    assert sending.reply(conversation, "Danke", by=anna).theirs == MARGARETHE


@pytest.mark.parametrize("status", ["pending", "snoozed", "closed"])
def test_a_text_opens_a_conversation_whatever_its_status(account, anna, carrier, status):
    _, conversation = contacts.find_or_add(account, MARGARETHE)
    until = clock.now() + timedelta(days=1) if status == "snoozed" else None
    inbox.set_status(conversation, status, anna, until)
    carrier.text("Hallo")
    after = Conversation.get_by_id(conversation.id)
    assert (after.status, after.snoozed_until) == ("open", None)


def test_a_text_that_comes_while_somebody_closes_is_not_hidden(account, anna, carrier):
    _, conversation = contacts.find_or_add(account, MARGARETHE)
    stale = Conversation.get_by_id(conversation.id)
    inbox.set_status(conversation, "closed", anna)
    assert inbox.reopen(stale)
    assert Conversation.get_by_id(conversation.id).status == "open"


def test_an_answer_cancels_what_was_to_go_out_only_without_one(account, anna, carrier):
    _, conversation = contacts.find_or_add(account, MARGARETHE)
    tomorrow = clock.now() + timedelta(days=1)
    if_silent = sending.reply(conversation, "Erinnerung", by=anna, send_at=tomorrow, unless_answered=True)
    anyway = sending.reply(conversation, "Auf jeden Fall", by=anna, send_at=tomorrow)
    carrier.text("Ich komme")
    assert Message.get_by_id(if_silent.id).status == "cancelled"
    assert Message.get_by_id(anyway.id).status == "scheduled"


def waiting_module(monkeypatch, account, **hooks) -> None:
    known = {**module_registry.modules(), "survey": Module(name="survey", **hooks)}
    monkeypatch.setattr(receiving, "modules", lambda: known)
    Expectation.create(
        account=account, ours=POOL[0], theirs=MARGARETHE, module="survey", subject="7", since=clock.now()
    )


def test_the_module_that_waits_is_asked_first(account, carrier, monkeypatch):
    asked = []
    waiting_module(monkeypatch, account, on_reply=lambda m, e: asked.append((m.text, e.subject)) or True)
    _, conversation = contacts.find_or_add(account, MARGARETHE)
    Conversation.update(status="closed").where(Conversation.id == conversation.id).execute()
    carrier.text("4")
    assert asked == [("4", "7")]
    assert Conversation.get().status == "closed"


def test_what_a_module_leaves_goes_to_the_agents(account, carrier, monkeypatch):
    waiting_module(monkeypatch, account, on_reply=lambda m, e: False)
    _, conversation = contacts.find_or_add(account, MARGARETHE)
    Conversation.update(status="closed").where(Conversation.id == conversation.id).execute()
    carrier.text("Rufen Sie mich bitte an")
    assert Conversation.get().status == "open"


def test_a_text_that_breaks_a_module_is_before_the_agents_all_the_same(account, carrier, monkeypatch):
    def on_reply(message, expectation):
        Contact.delete().execute()
        raise RuntimeError("broken")

    waiting_module(monkeypatch, account, on_reply=on_reply)
    _, conversation = contacts.find_or_add(account, MARGARETHE)
    Conversation.update(status="closed").where(Conversation.id == conversation.id).execute()
    assert carrier.text("4").status_code == 200
    assert newest().text == "4"
    assert Conversation.get().status == "open"
    assert Inbound.get().handled_at is not None


def test_a_text_whose_process_died_before_it_was_considered_is_considered_later(
    account, carrier, monkeypatch
):
    with monkeypatch.context() as died:
        died.setattr(receiving, "_consider_all", lambda taken: None)
        carrier.text("STOP")
    receiving.sweep()
    assert not receiving.suppression.is_suppressed(account, MARGARETHE)
    clock.shift(receiving.ABANDONED + timedelta(seconds=1))
    receiving.sweep()
    receiving.sweep()
    assert receiving.suppression.is_suppressed(account, MARGARETHE)
    assert Message.select().where(Message.direction == "outgoing").count() == 1


def test_an_incoming_text_is_on_the_feed_in_its_own_transaction(account, carrier):
    carrier.text("Hallo")
    change = Change.select().where(Change.kind == "message").get()
    assert (change.account_id, change.message) == (account.id, newest().id)


def test_without_any_account_a_text_is_kept_and_nothing_breaks(app, database_file, carrier):
    from sms.models import Account, User

    User.delete().execute()
    Account.delete().execute()
    assert carrier.text("Ist da jemand?").status_code == 200
    assert Inbound.get().payload["text"] == "Ist da jemand?"


def test_a_landline_that_texts_has_a_thread(account, carrier):
    carrier.text("SMS vom Festnetz", sender=ILSE)
    assert newest().theirs == ILSE


def test_a_reply_goes_to_the_account_that_wrote_last_from_that_number(account, other_account, carrier):
    ours = sent(account, "Praxis").ours
    clock.shift(routing.RELEASED_AFTER + timedelta(minutes=1))
    taken_over = sent(other_account, "Autohaus")
    assert taken_over.ours == ours
    carrier.text("Wer ist da?", to=ours)
    assert newest().account == other_account
