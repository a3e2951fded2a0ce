"""A reminder is read on the telephone, and the keys do what the words of a text do."""

from datetime import timedelta

import pytest

from sms import clock, speaking, suppression
from sms.db import database
from sms.models import Call, Conversation, Message
from sms.modules.appointment import answers, phoning, reminding, saying
from sms.modules.appointment.models import Scheme
from tests.appointment.phones import (
    ILSE,
    NINE,
    TEN_THE_DAY_BEFORE,
    as_now,
    events,
    it_is,
    put,
    reminders,
    scheme_of,
)
from tests.network import Town, settings, town  # noqa: F401

pytestmark = pytest.mark.usefixtures("_days_before")


@pytest.fixture
def _days_before(app):
    it_is(NINE - timedelta(days=5))


@pytest.fixture
def appointment(account, town: Town):
    scheme_of(account)
    made = put(account)
    it_is(TEN_THE_DAY_BEFORE)
    return made


def _rings(town: Town) -> Message:
    """Have the reminder read to the phone, and return its message once the call is over."""
    reminding.work()
    message = Message.select().where(Message.channel == "voice").order_by(Message.id.desc()).get()
    town.work()
    town.until(lambda: town.calls(message)[0].ended_at, 60)
    return Message.get_by_id(message.id)


def _heard(town: Town) -> str:
    return " | ".join(h.get("text") or "" for call in town.phone(ILSE)["calls"] for h in call["heard"])


def test_the_call_names_the_sender_reads_the_reminder_and_explains_the_keys(appointment, town: Town):
    town.set(ILSE, answer="auto", digits="1")
    message = _rings(town)
    assert (
        message.text
        == "Erinnerung an Ihren Termin am Dienstag, 30. März, um 09:00 Uhr bei Praxis Dr. Lindner."
    )
    heard = _heard(town)
    assert heard.index("Sprach-SMS") < heard.index("Erinnerung an Ihren Termin")
    assert "JA oder NEIN" not in heard
    assert "Danke, wir freuen uns auf Sie am Dienstag, 30. März, um 09:00 Uhr. Auf Wiederhören." in heard
    prompt = phoning.menu(message).prompt
    assert prompt.startswith(
        "Drücken Sie die 1 zum Bestätigen, die 2 zum Absagen, die 3 für einen Rückruf, "
        "0 oder Stern zum Wiederholen."
    )


def test_one_confirms(appointment, town: Town):
    town.set(ILSE, answer="auto", digits="1")
    message = _rings(town)
    now = as_now(appointment)
    assert (now.state, now.how, message.status) == ("confirmed", "key", "delivered")
    assert events() == ["appointment_confirmed"]


def test_two_cancels(appointment, town: Town):
    town.set(ILSE, answer="auto", digits="2")
    _rings(town)
    now = as_now(appointment)
    assert (now.state, now.how) == ("declined", "key")
    assert "abgesagt" in _heard(town)


def test_two_after_the_cut_off_is_for_a_person_and_the_call_says_so(appointment, town: Town):
    Scheme.update(cutoff_minutes=48 * 60).execute()
    town.set(ILSE, answer="auto", digits="2")
    _rings(town)
    assert as_now(appointment).state == "open"
    assert events() == ["appointment_late_cancellation"]
    assert "kurzfristig" in _heard(town)


def test_three_asks_to_be_called_back(appointment, town: Town):
    town.set(ILSE, answer="auto", digits="3")
    _rings(town)
    now = as_now(appointment)
    assert (now.state, now.how) == ("wants_to_move", "callback")
    assert events() == ["callback_wanted"]
    thread = Conversation.get()
    assert (thread.status, thread.incoming, thread.preview_kind) == ("open", 1, "callback")
    assert "Wir rufen Sie zurück" in _heard(town)


@pytest.mark.parametrize("again", ["0", "*"])
def test_zero_and_star_read_it_again_before_the_choice(appointment, town: Town, again):
    town.set(ILSE, answer="auto", digits=f"{again}1")
    message = _rings(town)
    assert as_now(appointment).state == "confirmed"
    assert town.calls(message)[0].digits == f"{again}1"


def test_a_wrong_key_is_forgiven_once(appointment, town: Town):
    town.set(ILSE, answer="auto", digits="71")
    _rings(town)
    assert as_now(appointment).state == "confirmed"


def test_two_wrong_keys_end_the_call_and_change_nothing(appointment, town: Town):
    town.set(ILSE, answer="auto", digits="771")
    message = _rings(town)
    assert as_now(appointment).state == "open"
    assert town.calls(message)[0].digits == "77"
    assert message.status == "delivered"


def test_who_says_nothing_hears_it_twice_and_a_goodbye(appointment, town: Town):
    town.set(ILSE, answer="auto")
    message = _rings(town)
    assert as_now(appointment).state == "open"
    assert _heard(town).count("Erinnerung an Ihren Termin") == 2
    assert _heard(town).endswith("Vielen Dank. Auf Wiederhören.")
    assert message.status == "delivered"
    assert reminders(appointment) == {"r1": ("sent", "")}


def test_nine_opts_out(appointment, town: Town, account):
    town.set(ILSE, answer="auto", digits="9")
    _rings(town)
    assert suppression.is_suppressed(account, ILSE)
    assert as_now(appointment).state == "open"


def test_nobody_picks_up_three_times_and_the_thread_says_so(appointment, town: Town):
    town.set(ILSE, state="busy")
    message = _rings(town)
    for attempt in (2, 3):
        clock.shift(timedelta(seconds=10))
        town.until(lambda: town.work() or len(town.phone(ILSE)["calls"]) == attempt, 20)  # noqa: B023
        town.until(lambda: all(c.ended_at for c in town.calls(message)[:attempt]), 30)  # noqa: B023
    lost = town.becomes(message, "undelivered", 20)
    for _ in range(2):
        phoning.on_report(lost)
    assert events() == ["appointment_not_reached"]
    assert reminders(appointment) == {"r1": ("sent", "not_reached")}


def test_a_call_between_two_rings_does_not_ring_again_once_the_appointment_is_off(appointment, town: Town):
    town.set(ILSE, state="busy")
    message = _rings(town)
    answers.set_state(as_now(appointment), "declined", "agent", None)
    clock.shift(timedelta(seconds=10))
    town.work()
    assert len(town.phone(ILSE)["calls"]) == 1
    assert town.status(message) == "cancelled"
    phoning.on_report(Message.get_by_id(message.id))
    assert reminders(appointment)["r1"][0] == "cancelled"
    assert Call.select().where(Call.ended_at.is_null()).count() == 0


def test_a_key_for_an_appointment_that_has_moved_meanwhile_is_for_a_person(appointment, account, town: Town):
    reminding.work()
    message = Message.select().where(Message.channel == "voice").get()
    put(account, start=NINE + timedelta(days=1))
    assert "inzwischen geändert" in phoning.menu(message).replies["1"]
    assert "rufen Sie zurück" in phoning.menu(message).replies["3"]
    with database.atomic():
        phoning.on_key(message, "1")
    assert as_now(appointment).state == "open"
    assert events()[-1] == "appointment_answer_too_late"


def test_the_call_speaks_the_language_of_its_account(appointment, account, town: Town):
    account.locale = "en"
    account.save()
    reminding.work()
    message = Message.select().where(Message.channel == "voice").get()
    assert (
        message.text == "Reminder of your appointment on Tuesday, 30 March, at 09:00 with Praxis Dr. Lindner."
    )
    assert phoning.menu(message).prompt.startswith("Press 1 to confirm, 2 to cancel, 3 to be called back")


def test_a_carrier_that_reads_by_itself_says_nothing_of_keys(appointment, town: Town):
    reminding.work()
    message = Message.select().where(Message.channel == "voice").get()
    words = speaking.words_to_read(message)
    assert "Erinnerung an Ihren Termin" in words
    assert "drücken" not in words.lower()
    assert "antworten" not in words


@pytest.mark.parametrize(
    ("text", "spoken", "read"),
    [
        ("Ihr Termin: {Termin}. Bitte antworten Sie mit JA oder NEIN!", "", "Ihr Termin: {Termin}."),
        ("Your time: {date}. Reply YES.", "", "Your time: {date}."),
        ("Ihr Termin: {Termin}", "Guten Tag, {Termin}", "Guten Tag, {Termin}"),
        ("Antworten Sie JA oder NEIN", "", "Erinnerung an Ihren Termin am {Termin} bei {Praxis}."),
    ],
)
def test_a_call_does_not_ask_for_a_text(account, text, spoken, read):
    scheme = scheme_of(account, text=text, spoken_text=spoken)
    assert saying.to_read(scheme, "de") == read
