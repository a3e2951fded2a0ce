"""A text, and then a call to whoever has not answered: never in quiet hours, never after any answer."""

from datetime import timedelta

import pytest

from sms import accounts, calling, clock, mornings, suppression
from sms.models import Call, Message
from sms.modules.appointment import diary, following, phoning, reminding
from sms.modules.appointment.found import Found
from sms.modules.appointment.models import Reminder, Scheme
from tests.appointment.phones import (
    BERLIN,
    ILSE,
    MARGARETHE,
    NINE,
    TEN_THE_DAY_BEFORE,
    it_is,
    put,
    reminders,
    scheme_of,
)
from tests.survey.surveys_for_tests import says, take_everything

HALF_AN_HOUR = timedelta(minutes=30)


@pytest.fixture
def scheme(app, account) -> Scheme:
    it_is(NINE - timedelta(days=5))
    return scheme_of(account, "both")


def _texted(account, number=MARGARETHE, **more):
    """An appointment whose text has gone out."""
    appointment = put(account, number, **more)
    it_is(TEN_THE_DAY_BEFORE)
    _work()
    return appointment


def _work() -> None:
    reminding.work()
    take_everything()


def _later(minutes: float = 30) -> None:
    clock.shift(timedelta(minutes=minutes))
    _work()


def _calls() -> list[Message]:
    return list(Message.select().where(Message.channel == "voice").order_by(Message.id))


def _texts() -> list[Message]:
    return list(Message.select().where(Message.channel == "sms", Message.direction == "outgoing"))


def test_half_an_hour_after_a_text_without_answer_the_telephone_rings(account, scheme):
    appointment = _texted(account)
    assert reminders(appointment) == {"r1": ("sent", ""), "r1+call": ("planned", "")}
    _later(29)
    assert _calls() == []
    _later(1)
    (call,) = _calls()
    assert "JA oder NEIN" not in call.text
    assert phoning.menu(call) is not None
    assert reminders(appointment) == {"r1": ("sent", ""), "r1+call": ("sent", "")}
    _later(300)
    assert len(_calls()) == len(_texts()) == 1


def test_the_wait_is_the_one_that_was_set(account, scheme):
    Scheme.update(call_after_minutes=90).execute()
    appointment = _texted(account)
    row = Reminder.get(Reminder.appointment == appointment, Reminder.rule == "r1+call")
    assert abs(row.at - TEN_THE_DAY_BEFORE - timedelta(minutes=90)) < timedelta(minutes=1)


@pytest.mark.parametrize("words", ["Ja", "NEIN", "verschieben", "Ich frage noch meine Frau"])
def test_nobody_is_called_after_any_answer(account, scheme, words):
    appointment = _texted(account)
    says(MARGARETHE, words, _texts()[0].ours)
    _later()
    assert _calls() == []
    assert reminders(appointment)["r1+call"] == ("cancelled", "answered")


def test_nobody_is_called_after_an_opt_out(account, scheme):
    appointment = _texted(account)
    says(MARGARETHE, "STOP", _texts()[0].ours)
    _later()
    assert suppression.is_suppressed(account, MARGARETHE)
    assert _calls() == []
    assert reminders(appointment)["r1+call"] == ("skipped", "opted_out")


def test_nobody_is_called_of_a_cancelled_appointment(account, scheme):
    appointment = _texted(account)
    diary.cancel(account, "T-1")
    _later()
    assert _calls() == []
    assert reminders(appointment)["r1+call"] == ("cancelled", "cancelled")


def test_nobody_is_called_of_the_old_time_of_a_moved_appointment(account, scheme):
    appointment = _texted(account)
    put(account, MARGARETHE, NINE + timedelta(days=4))
    _later()
    assert _calls() == []
    rows = Reminder.select().where(Reminder.appointment == appointment, Reminder.rule == "r1+call")
    assert [(r.state, r.reason) for r in rows] == [("cancelled", "moved")]


def test_nobody_is_called_after_a_text_that_an_agent_has_taken_back(account, scheme):
    appointment = put(account, MARGARETHE)
    it_is(TEN_THE_DAY_BEFORE)
    reminding.work()
    (text,) = _texts()
    assert text.withdraw(clock.now())
    phoning.on_report(text)
    _later()
    assert _calls() == []
    assert {name: state for name, (state, _) in reminders(appointment).items()} == {
        "r1": "cancelled", "r1+call": "cancelled"
    }  # fmt: skip


def test_a_landline_is_called_at_once(account, scheme):
    appointment = _texted(account, ILSE)
    assert len(_calls()) == 1
    assert _texts() == []
    assert reminders(appointment) == {"r1": ("sent", "")}


def test_a_text_that_cannot_be_delivered_is_followed_by_a_call_at_once(account, scheme):
    _texted(account)
    (text,) = _texts()
    assert text.advance("undelivered", reason="unreachable")
    phoning.on_report(text)
    _work()
    assert len(_calls()) == 1


def test_a_delivered_text_hastens_nothing(account, scheme):
    _texted(account)
    (text,) = _texts()
    assert text.advance("delivered")
    phoning.on_report(text)
    _work()
    assert _calls() == []


@pytest.mark.parametrize(
    ("quiet", "account_quiet"), [("10:15-13:00", "20:00-08:00"), ("20:00-08:00", "10:15-13:00")]
)
def test_a_call_that_falls_into_quiet_hours_waits_for_their_end(account, scheme, quiet, account_quiet):
    Scheme.update(quiet=quiet).execute()
    account.quiet_voice = account_quiet
    account.save()
    appointment = _texted(account)
    row = Reminder.get(Reminder.appointment == appointment, Reminder.rule == "r1+call")
    assert row.at.astimezone(BERLIN).strftime("%H:%M") == "13:00"


def test_a_call_whose_third_ring_would_be_in_quiet_hours_waits_as_well(account, scheme):
    Scheme.update(quiet="10:32-13:00").execute()
    appointment = _texted(account)
    row = Reminder.get(Reminder.appointment == appointment, Reminder.rule == "r1+call")
    assert row.at.astimezone(BERLIN).strftime("%H:%M") == "13:00"


def test_quiet_hours_that_begin_meanwhile_put_the_call_off(account, scheme):
    appointment = _texted(account)
    Scheme.update(quiet="10:15-13:00").execute()
    _later()
    assert _calls() == []
    assert reminders(appointment)["r1+call"] == ("planned", "")
    _later(150)
    assert len(_calls()) == 1


def test_a_call_that_was_put_off_is_planned_anew_when_the_accounts_quiet_hours_change(account, scheme):
    accounts.change_account(account, quiet_voice="10:15-13:00")
    appointment = _texted(account)
    mornings.sweep()
    accounts.change_account(account, quiet_voice="")
    mornings.sweep()
    row = Reminder.get(Reminder.appointment == appointment, Reminder.rule == "r1+call")
    assert row.at.astimezone(BERLIN).strftime("%H:%M") == "10:30"
    _later()
    assert len(_calls()) == 1


def test_the_wait_begins_when_a_text_leaves_that_had_to_wait_itself(account, scheme):
    account.quiet_text = "09:30-11:00"
    account.save()
    appointment = _texted(account)
    row = Reminder.get(Reminder.appointment == appointment, Reminder.rule == "r1+call")
    assert row.at.astimezone(BERLIN).strftime("%H:%M") == "11:30"


def test_an_answer_in_the_last_second_keeps_the_telephone_from_ringing(account, scheme):
    _texted(account)
    _later()
    (call,) = _calls()
    says(MARGARETHE, "ja", _texts()[0].ours)
    calling.pump()
    assert Message.get_by_id(call.id).status == "cancelled"
    assert [c.status for c in Call.select()] == ["canceled"]


def test_where_quiet_hours_skip_the_call_is_skipped_visibly(account, scheme):
    Scheme.update(quiet="10:15-13:00", on_quiet="skip").execute()
    appointment = _texted(account)
    assert reminders(appointment)["r1+call"] == ("skipped", "quiet")
    _later(200)
    assert _calls() == []


def test_no_call_comes_so_late_that_it_helps_nobody(account, scheme):
    Scheme.update(call_after_minutes=24 * 60).execute()
    appointment = _texted(account)
    assert reminders(appointment)["r1+call"][0] == "skipped"


def test_a_worker_that_was_down_until_the_appointment_calls_nobody(account, scheme):
    appointment = _texted(account)
    it_is(NINE - timedelta(minutes=5))
    _work()
    assert _calls() == []
    assert reminders(appointment)["r1+call"] == ("missed", "too_late")


def test_a_changed_rule_without_a_call_takes_the_planned_call_back(account, scheme):
    appointment = _texted(account)
    rules = [{**scheme.rules[0], "key": "r2"}]
    Scheme.update(rules=rules, version=Scheme.version + 1).execute()
    _later()
    assert _calls() == []
    assert reminders(appointment)["r1+call"][0] == "cancelled"


def test_planning_anew_keeps_the_call_of_a_text_that_is_out(account, scheme):
    appointment = _texted(account)
    diary.put(account, Found("T-1", NINE, BERLIN, MARGARETHE, title="Kontrolle"), "api")
    assert reminders(appointment) == {"r1": ("sent", ""), "r1+call": ("planned", "")}


def test_looking_twice_plans_one_call(account, scheme):
    appointment = _texted(account)
    row = Reminder.get(Reminder.appointment == appointment, Reminder.rule == "r1")
    following.plan_call(row, Scheme.get(), _texts()[0])
    _later()
    assert len(_calls()) == 1
