"""A time that becomes free is offered to who waits, the first yes gets it, and the others are told."""

import threading
from datetime import timedelta

import pytest

from sms import accounts, awaiting, clock, contacts, exchange, mornings, receiving, suppression
from sms.carriers.contract import IncomingText
from sms.db import database
from sms.models import Account, Conversation, Expectation, Message
from sms.modules.appointment import answers, diary, phoning, reminding, waiting
from sms.modules.appointment.models import Appointment, Offer, Reminder, Slot, Waiting
from sms.refusal import Conflict, NotFound, Refused
from tests.appointment.phones import NINE, as_now, events, it_is, put, reminders, scheme_of
from tests.carrier_side import sid
from tests.survey.surveys_for_tests import MARGARETHE, NELE, TORSTEN, says, take_everything, told

HAGEN, FATMA = "+491713920045", "+491713920012"
THREE = (MARGARETHE, NELE, FATMA)
OFFER = "Am Dienstag, 30. März, um 09:00 Uhr ist bei Praxis Dr. Lindner ein Termin frei geworden."
TAKEN = "Der Termin am Dienstag, 30. März, um 09:00 Uhr ist leider schon vergeben."
YOURS = "Danke, der Termin am Dienstag, 30. März, um 09:00 Uhr gehört Ihnen."


@pytest.fixture
def freed(app, account) -> Appointment:
    """Torsten has declined his appointment in five days' time; three people wait."""
    it_is(NINE - timedelta(days=5))
    appointment = put(account, TORSTEN)
    for number in THREE:
        waiting.add(account, number)
    answers.set_state(appointment, "declined", "reply", None)
    return appointment


def work(minutes: float = 0) -> None:
    clock.shift(timedelta(minutes=minutes))
    waiting.work()
    take_everything()


def says_to_offer(number: str, text: str) -> Message:
    sent = Message.select().where(Message.theirs == number, Message.direction == "outgoing")
    return says(number, text, sent.order_by(Message.id.desc()).get().ours)


def hears(number: str, text: str, to: str) -> None:
    """A text comes in, in a thread of its own."""
    assert receiving.receive_text("sandbox", IncomingText(sid(), number, to, text)) is not None


def offers() -> list[str]:
    return [offer.state for offer in Offer.select().order_by(Offer.id)]


def owners(start=NINE) -> list[str]:
    """Who has a standing appointment at this time."""
    rows = Appointment.select().where(Appointment.start == start, Appointment.state.not_in(waiting.FREE))
    return [row.number for row in rows.order_by(Appointment.id)]


def test_the_first_is_asked_at_once_and_nobody_else(freed):
    work()
    assert told(MARGARETHE)[0].startswith(OFFER)
    assert told(NELE) == told(FATMA) == []


def test_the_next_is_asked_where_the_one_before_says_nothing_for_a_quarter_of_an_hour(freed):
    work()
    work(14)
    assert told(NELE) == []
    work(1)
    assert told(NELE)[0].startswith(OFFER)
    work(15)
    assert told(FATMA)[0].startswith(OFFER)
    assert offers() == ["open", "open", "open"]


def test_a_no_brings_the_next_at_once_and_keeps_the_place_on_the_list(freed, account):
    work()
    says_to_offer(MARGARETHE, "Nein danke")
    work()
    assert told(MARGARETHE)[-1] == "In Ordnung. Sie bleiben auf unserer Warteliste."
    assert told(NELE)[0].startswith(OFFER)
    assert [w.number for w in waiting.listing(account)] == list(THREE)


def test_the_first_yes_gets_it_and_the_others_are_told(freed, account):
    scheme_of(account, "sms")
    work()
    work(15)
    work(15)
    says_to_offer(NELE, "Ja, sehr gerne!")
    assert owners() == [NELE]
    assert told(NELE)[-1] == YOURS
    for other in (MARGARETHE, FATMA):
        assert told(other)[-1].startswith(TAKEN)
    assert offers() == ["taken", "accepted", "taken"]
    assert [w.number for w in waiting.listing(account)] == [MARGARETHE, FATMA]
    assert Expectation.select().where(Expectation.subject.startswith(waiting.SUBJECT)).count() == 0
    new = Appointment.get(Appointment.number == NELE)
    assert (new.source, new.state, new.start, new.end) == ("waiting", "open", freed.start, freed.end)
    assert reminders(new) == {"r1": ("planned", "")}
    assert Slot.get().given_to == new.id
    work(60)
    assert offers() == ["taken", "accepted", "taken"]


def test_both_threads_say_what_happened_and_the_new_one_is_open_for_an_agent(freed, account):
    contacts.find_or_add(account, TORSTEN)
    work()
    says_to_offer(MARGARETHE, "ja")
    assert sorted(events()) == ["appointment_from_waiting_list", "appointment_given_away"]
    thread = contacts.threads(account, [MARGARETHE])[MARGARETHE]
    assert Conversation.get_by_id(thread).status == "open"


def test_a_yes_after_which_no_reminder_would_go_out_is_a_confirmation(freed):
    work()
    says_to_offer(MARGARETHE, "ja")
    new = Appointment.get(Appointment.number == MARGARETHE)
    assert (new.state, new.how) == ("confirmed", "reply")


def test_a_yes_that_comes_second_is_an_ordinary_message(freed):
    work()
    work(15)
    sent = {n: Message.get(Message.theirs == n, Message.direction == "outgoing").ours for n in THREE[:2]}
    says(MARGARETHE, "JA", sent[MARGARETHE])
    says(NELE, "JA", sent[NELE])
    assert owners() == [MARGARETHE]
    assert len([t for t in told(NELE) if t.startswith(TAKEN)]) == 1


def test_two_yes_at_the_same_moment_make_one_owner(freed):
    work()
    work(15)
    work(15)
    sent = {n: Message.get(Message.theirs == n, Message.direction == "outgoing").ours for n in THREE}
    gate = threading.Barrier(3)

    def answer(number: str) -> None:
        with database.connection_context():
            gate.wait(60)
            hears(number, "JA", sent[number])

    threads = [threading.Thread(target=answer, args=(number,)) for number in THREE]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(owners()) == 1
    assert sorted(offers()) == ["accepted", "taken", "taken"]
    assert len(waiting.listing(Slot.get().account)) == 2


def test_a_change_of_mind_and_a_yes_at_the_same_moment_make_one_owner(freed, account):
    work()
    ours = Message.get(Message.theirs == MARGARETHE, Message.direction == "outgoing").ours
    gate = threading.Barrier(2)

    def change_of_mind() -> None:
        with database.connection_context():
            gate.wait(60)
            try:
                answers.set_state(as_now(freed), "confirmed", "agent", None)
            except Conflict as conflict:
                refused.append(conflict.code)

    def yes() -> None:
        with database.connection_context():
            gate.wait(60)
            hears(MARGARETHE, "JA", ours)

    refused: list[str] = []
    threads = [threading.Thread(target=work) for work in (change_of_mind, yes)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(owners()) == 1
    assert refused == (["given_away"] if owners() == [MARGARETHE] else [])


def test_who_declined_may_change_their_mind_while_nobody_has_said_yes(account, app):
    it_is(NINE - timedelta(hours=30))
    scheme_of(account, "sms", cutoff_minutes=60)
    torsten = put(account, TORSTEN)
    it_is(NINE - timedelta(hours=23))
    reminding.work()
    take_everything()
    waiting.add(account, MARGARETHE)
    waiting.add(account, NELE)
    says_to_offer(TORSTEN, "Nein")
    work()
    says_to_offer(TORSTEN, "Doch, ja")
    assert as_now(torsten).state == "confirmed"
    assert told(MARGARETHE)[-1].startswith(TAKEN)
    says_to_offer(TORSTEN, "Nein")
    work()
    assert told(MARGARETHE)[-1].startswith(OFFER)
    says_to_offer(MARGARETHE, "ja")
    says_to_offer(TORSTEN, "Ja")
    assert owners() == [MARGARETHE]
    assert as_now(torsten).state == "declined"
    assert told(TORSTEN)[-1] == "Dieser Termin ist leider schon vergeben. Wir melden uns bei Ihnen."
    with pytest.raises(Conflict):
        answers.set_state(as_now(torsten), "open", "agent", None)


def test_an_offer_expires_after_a_day_and_the_answer_is_left_to_a_person(freed):
    work()
    work(24 * 60)
    assert offers()[0] == "expired"
    says_to_offer(MARGARETHE, "ja")
    assert owners() == []


def test_nobody_is_asked_so_late_that_they_cannot_come(freed):
    it_is(NINE - timedelta(minutes=119))
    work()
    assert offers() == []
    it_is(NINE - timedelta(minutes=59))
    work()
    assert Slot.get().state == "closed"


def test_an_hour_before_it_begins_a_time_is_offered_no_more(freed):
    Account.update(quiet_text="").execute()
    it_is(NINE - timedelta(hours=2, minutes=5))
    work()
    assert offers() == ["open"]
    it_is(NINE - timedelta(minutes=60))
    work()
    assert offers() == ["expired"]
    assert Slot.get().state == "closed"


def test_no_time_that_is_about_to_begin_is_offered_at_all(app, account):
    it_is(NINE - timedelta(minutes=90))
    waiting.add(account, MARGARETHE)
    answers.set_state(put(account, TORSTEN), "declined", "reply", None)
    assert Slot.select().count() == 0


def test_quiet_hours_hold_an_offer_back_until_the_morning(app, account):
    it_is(NINE - timedelta(days=4, hours=10))  # 22:00, it is still winter
    appointment = put(account, TORSTEN)
    waiting.add(account, MARGARETHE)
    answers.set_state(appointment, "declined", "reply", None)
    work()
    assert Offer.select().count() == 0
    it_is(NINE - timedelta(days=4) + timedelta(minutes=1))  # 8:01
    work()
    assert told(MARGARETHE)[0].startswith(OFFER)


def test_an_offer_held_back_by_quiet_hours_goes_out_once_there_are_none_any_more(app, account):
    it_is(NINE - timedelta(days=4, hours=10))  # 22:00
    appointment = put(account, TORSTEN)
    waiting.add(account, MARGARETHE)
    answers.set_state(appointment, "declined", "reply", None)
    work()
    mornings.sweep()
    accounts.change_account(account, quiet_text="")
    mornings.sweep()
    work()
    assert told(MARGARETHE)[0].startswith(OFFER)


def test_who_has_opted_out_is_asked_nothing_and_leaves_the_list(freed, account):
    work()
    says_to_offer(MARGARETHE, "STOP")
    assert [w.number for w in waiting.listing(account)] == [NELE, FATMA]
    work()
    assert offers() == ["withdrawn", "open"]
    with pytest.raises(Refused) as refused:
        waiting.add(account, MARGARETHE)
    assert refused.value.code == "opted_out"


def test_who_is_taken_off_the_list_holds_no_offer_any_more(freed, account):
    work()
    waiting.remove(account, waiting.listing(account)[0].id)
    work()
    says_to_offer(MARGARETHE, "ja")
    assert owners() == []
    assert told(NELE)[0].startswith(OFFER)


def test_an_offer_that_is_not_delivered_goes_to_the_next(freed):
    work()
    lost = Message.get(Message.theirs == MARGARETHE)
    assert lost.advance("undelivered", reason="unreachable")
    phoning.on_report(lost)
    work()
    assert offers() == ["failed", "open"]


def test_anything_but_yes_or_no_is_an_ordinary_message_and_the_offer_stands(freed):
    work()
    says_to_offer(MARGARETHE, "Wie lange würde das dauern?")
    assert offers() == ["open"]
    says_to_offer(MARGARETHE, "ok, ja")
    assert owners() == [MARGARETHE]


def test_a_person_holds_one_offer_at_a_time(freed, account):
    second = put(account, HAGEN, NINE + timedelta(hours=1), "T-2")
    answers.set_state(second, "declined", "reply", None)
    work()
    held = [(o.waiting.number, o.slot.appointment_id) for o in Offer.select().order_by(Offer.id)]
    assert held == [(MARGARETHE, freed.id), (NELE, second.id)]


def test_who_is_asked_something_else_on_every_number_is_passed_over_and_asked_later(
    freed, account, monkeypatch
):
    for number in exchange.numbers():
        Expectation.create(
            account=account,
            ours=number.number,
            theirs=MARGARETHE,
            module="survey",
            subject="1",
            since=clock.now(),
        )
    work()
    assert told(MARGARETHE) == []
    assert told(NELE)[0].startswith(OFFER)
    awaiting.forget(MARGARETHE, "survey", "1")
    work(15)
    assert told(MARGARETHE)[0].startswith(OFFER)


@pytest.mark.parametrize(
    ("wish", "suits"),
    [
        ({}, True),
        ({"days": [2]}, True),
        ({"days": [1, 3]}, False),
        ({"since": "9", "until": "12"}, True),
        ({"since": "9:01"}, False),
        ({"until": "9"}, False),
        ({"days": [2], "until": "9:30"}, True),
    ],
)
def test_a_time_is_offered_to_whom_it_suits(app, account, wish, suits):
    it_is(NINE - timedelta(days=5))
    waiting.add(account, MARGARETHE, **wish)
    answers.set_state(put(account, TORSTEN), "declined", "reply", None)
    work()
    assert bool(told(MARGARETHE)) is suits


def test_a_cancelled_appointment_frees_its_time_too(app, account):
    it_is(NINE - timedelta(days=5))
    put(account, TORSTEN)
    waiting.add(account, MARGARETHE)
    diary.cancel(account, "T-1")
    work()
    assert told(MARGARETHE)[0].startswith(OFFER)


def test_a_calendar_that_still_has_it_does_not_take_a_given_time_back(app, account):
    it_is(NINE - timedelta(days=5))
    torsten = put(account, TORSTEN)
    waiting.add(account, MARGARETHE)
    diary.cancel(account, "T-1", "agent")
    work()
    says_to_offer(MARGARETHE, "ja")
    put(account, TORSTEN)
    assert as_now(torsten).state == "cancelled"
    assert owners() == [MARGARETHE]


@pytest.mark.parametrize(
    ("wanted", "state", "offered"),
    [("declined", "cancelled", False), ("declined", "declined", True), ("never", "declined", False)],
)
def test_what_is_offered_by_itself_is_set_up(app, account, wanted, state, offered):
    it_is(NINE - timedelta(days=5))
    scheme_of(account, offer_freed=wanted)
    appointment = put(account, TORSTEN)
    waiting.add(account, MARGARETHE)
    answers.set_state(appointment, state, "agent", None)
    assert Slot.select().exists() is offered
    waiting.offer_by_hand(appointment)
    assert Slot.select().count() == 1


def test_only_a_free_time_is_offered_by_hand_and_only_to_somebody(app, account):
    it_is(NINE - timedelta(days=5))
    appointment = put(account, TORSTEN)
    with pytest.raises(Conflict) as stands:
        waiting.offer_by_hand(appointment)
    diary.cancel(account, "T-1")
    with pytest.raises(Conflict) as nobody:
        waiting.offer_by_hand(appointment)
    assert (stands.value.code, nobody.value.code) == ("time_is_not_free", "nobody_to_offer_to")


def test_what_was_said_of_the_one_before_is_not_handed_on(app, account):
    it_is(NINE - timedelta(days=5))
    fields = {"Behandler": "Dr. Hahn", "name": "Torsten Wieczorek", "Diagnose": "geheim"}
    appointment = put(account, TORSTEN)
    Appointment.update(title="Wurzelbehandlung", fields=fields).execute()
    waiting.add(account, MARGARETHE, "Margarethe Schößler")
    answers.set_state(as_now(appointment), "declined", "reply", None)
    work()
    says_to_offer(MARGARETHE, "ja")
    new = Appointment.get(Appointment.number == MARGARETHE)
    assert new.title == ""
    assert new.fields == {"Behandler": "Dr. Hahn", "name": "Margarethe Schößler"}


@pytest.mark.parametrize(
    ("given", "field", "code"),
    [
        ({"number": "030 23125640"}, "number", "offers_are_texts"),
        ({"number": "abc"}, "number", "letters"),
        ({"number": MARGARETHE, "since": "25"}, "hours", "bad_clock"),
        ({"number": MARGARETHE, "since": "12", "until": "9"}, "hours", "hours_reversed"),
        ({"number": MARGARETHE, "name": "x" * 101}, "name", "too_long"),
    ],
)
def test_what_cannot_be_put_on_the_list_is_refused(app, account, given, field, code):
    with pytest.raises(Refused) as refused:
        waiting.add(account, **given)
    assert (refused.value.field, refused.value.code) == (field, code)
    assert waiting.listing(account) == []


def test_a_number_is_on_the_list_once_and_can_come_back(app, account, other_account):
    first = waiting.add(account, MARGARETHE)
    with pytest.raises(Refused) as refused:
        waiting.add(account, "0171 392 00 42")
    assert refused.value.code == "waits_already"
    with pytest.raises(NotFound):
        waiting.remove(other_account, first.id)
    waiting.remove(account, first.id)
    waiting.add(account, MARGARETHE)
    assert len(waiting.listing(account)) == 1


def test_who_is_erased_is_forgotten_by_the_list(freed, account, anna):
    work()
    thread = Conversation.get_by_id(contacts.threads(account, [MARGARETHE])[MARGARETHE])
    contacts.erase(thread.contact, by=anna)
    assert Waiting.select().where(Waiting.number == MARGARETHE).count() == 0
    work()
    assert told(NELE)[0].startswith(OFFER)


def test_a_reminder_and_an_offer_wait_for_their_answers_on_two_numbers(freed, account):
    scheme_of(account, "sms")
    own = put(account, MARGARETHE, NINE - timedelta(days=3), "M-1")
    it_is(NINE - timedelta(days=3, hours=22))
    reminding.work()
    work()
    first, second = Message.select().where(Message.theirs == MARGARETHE).order_by(Message.id)
    assert first.ours != second.ours
    says(MARGARETHE, "Nein", second.ours)
    assert as_now(own).state == "open"
    says(MARGARETHE, "Ja", first.ours)
    assert as_now(own).state == "confirmed"
    assert offers()[0] == "declined"
    assert Reminder.select().where(Reminder.state == "sent").count() == 1
    assert not suppression.is_suppressed(account, MARGARETHE)


def test_a_number_whose_appointment_is_over_asks_again(freed, account):
    scheme_of(account, "sms")
    put(account, MARGARETHE, NINE - timedelta(days=4), "M-1")
    it_is(NINE - timedelta(days=4, hours=22))
    reminding.work()
    take_everything()
    it_is(NINE - timedelta(days=3))
    work()
    first, second = Message.select().where(Message.theirs == MARGARETHE).order_by(Message.id)
    assert second.text.startswith(OFFER)
    assert first.ours == second.ours
