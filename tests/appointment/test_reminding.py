"""A reminder is right at the moment at which it goes out, and the answer does something."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from sms import clock, contacts, suppression
from sms.models import Message
from sms.modules.appointment import diary, planning, reminding
from sms.modules.appointment.found import Found
from sms.modules.appointment.models import Appointment, Reminder, Scheme
from tests.survey.surveys_for_tests import MARGARETHE, TORSTEN, says, take_everything, told

BERLIN = ZoneInfo("Europe/Berlin")
NINE = datetime(2027, 3, 30, 7, 0, tzinfo=UTC)
RULES = [
    {"key": "days", "before": "P1D", "at": "10:00", "channel": "sms", "when": "open"},
    {"key": "hours", "before": "PT1H", "at": "", "channel": "sms", "when": "always"},
]


def _is(moment: datetime) -> None:
    clock.shift(moment - clock.now())


@pytest.fixture(autouse=True)
def _days_before():
    _is(NINE - timedelta(days=10))


@pytest.fixture
def scheme(app, account) -> Scheme:
    moment = clock.now()
    return Scheme.create(
        account=account, name="Standard", rules=RULES, quiet="20:00-08:00", cutoff_minutes=24 * 60,
        created_at=moment, updated_at=moment, moved_text="Neu: {Termin}",
    )  # fmt: skip


def _put(account, number=MARGARETHE, start=NINE, reference="T-1", **more) -> Appointment:
    return diary.put(account, Found(reference, start, BERLIN, number, **more), "api")[0]


def _states(appointment) -> dict[str, str]:
    rows = Reminder.select().where(Reminder.appointment == appointment).order_by(Reminder.id)
    return {f"{r.rule} {r.start:%d %H}": r.state for r in rows}


def _work() -> None:
    reminding.work()
    take_everything()


def _now(appointment) -> Appointment:
    return Appointment.get_by_id(appointment.id)


def test_the_text_says_when_as_people_say_it(account, scheme):
    _put(account)
    _is(NINE - timedelta(hours=22))
    _work()
    assert told(MARGARETHE) == [
        "Erinnerung an Ihren Termin am Dienstag, 30. März, um 09:00 Uhr bei Praxis Dr. Lindner. Bitte antworten Sie mit JA oder NEIN."
    ]
    _work()
    assert len(told(MARGARETHE)) == 1


def test_whoever_has_confirmed_hears_only_what_is_always_said(account, scheme):
    appointment = _put(account)
    _is(NINE - timedelta(hours=22))
    _work()
    ours = Message.select().where(Message.theirs == MARGARETHE).get().ours
    answer = says(MARGARETHE, "ja, gerne!", ours)
    assert answer.data["chip"]["value"] == "confirm"
    assert _now(appointment).state == "confirmed"
    assert told(MARGARETHE)[-1] == "Danke, wir freuen uns auf Sie am Dienstag, 30. März, um 09:00 Uhr."
    _is(NINE - timedelta(hours=1))
    _work()
    assert len(told(MARGARETHE)) == 3
    assert set(_states(appointment).values()) == {"sent"}


def test_a_moved_appointment_is_planned_anew_and_who_was_reminded_is_told(account, scheme):
    appointment = _put(account)
    _is(NINE - timedelta(hours=22))
    _work()
    _put(account, start=NINE + timedelta(days=3))
    take_everything()
    assert told(MARGARETHE)[-1] == "Neu: Freitag, 2. April, um 09:00 Uhr"
    assert _states(appointment) == {
        "days 30 07": "sent",
        "hours 30 07": "cancelled",
        "days 02 07": "planned",
        "hours 02 07": "planned",
    }


def test_a_cancelled_one_reminds_nobody(account, scheme):
    appointment = _put(account)
    diary.cancel(account, "T-1")
    _is(NINE - timedelta(hours=1))
    _work()
    assert told(MARGARETHE) == []
    assert set(_states(appointment).values()) == {"cancelled"}


def test_after_the_cut_off_a_cancellation_is_for_a_person(account, scheme):
    appointment = _put(account)
    _is(NINE - timedelta(hours=22))
    _work()
    ours = Message.select().where(Message.theirs == MARGARETHE).get().ours
    says(MARGARETHE, "Nein", ours)
    assert _now(appointment).state == "open"
    events = [
        m.data["kind"]
        for m in Message.select().where(Message.source == reminding.MODULE, Message.channel == "event")
    ]
    assert events == ["appointment_late_cancellation"]


def test_a_changed_mind_counts_until_the_cut_off(account, scheme):
    Scheme.update(cutoff_minutes=60).execute()
    appointment = _put(account)
    _is(NINE - timedelta(hours=22))
    _work()
    ours = Message.select().where(Message.theirs == MARGARETHE).get().ours
    for word, state in (
        ("ja", "confirmed"),
        ("Muss leider doch absagen", "declined"),
        ("JA", "confirmed"),
    ):
        says(MARGARETHE, word, ours)
        assert _now(appointment).state == state


def test_with_two_appointments_the_answer_is_asked_for_its_own(account, scheme):
    first, second = _put(account), _put(account, start=NINE + timedelta(hours=3), reference="T-2")
    _is(NINE - timedelta(hours=21))
    _work()
    ours = Message.select().where(Message.theirs == MARGARETHE).order_by(Message.id.desc()).first().ours
    says(MARGARETHE, "ja", ours)
    assert (
        "1 = Dienstag, 30. März, um 09:00 Uhr, 2 = Dienstag, 30. März, um 12:00 Uhr" in told(MARGARETHE)[-1]
    )
    says(MARGARETHE, "die zweite", ours)
    assert (_now(first).state, _now(second).state) == ("open", "confirmed")
    says(MARGARETHE, "ja", ours)
    assert _now(first).state == "confirmed"


def test_anything_else_is_an_ordinary_message_with_the_appointment_beside_it(account, scheme):
    appointment = _put(account)
    _is(NINE - timedelta(hours=22))
    _work()
    ours = Message.select().where(Message.theirs == MARGARETHE).get().ours
    message = says(MARGARETHE, "Muss ich nüchtern kommen?", ours)
    assert message.data["chip"]["label"] == "Dienstag, 30. März, um 09:00 Uhr"
    assert (message.conversation.status, _now(appointment).state) == ("open", "open")
    assert len(told(MARGARETHE)) == 1


def test_who_has_opted_out_is_not_reminded_and_it_shows(account, scheme):
    appointment = _put(account)
    suppression.opt_out(account, MARGARETHE, "sms")
    assert set(_states(appointment).values()) == {"skipped"}
    _is(NINE - timedelta(hours=1))
    _work()
    assert [m for m in told(MARGARETHE) if "Termin" in m] == []


def test_after_an_outage_only_what_still_helps_goes_out(account, scheme):
    near = _put(account, TORSTEN, reference="near")
    _is(NINE - timedelta(minutes=55))
    _work()
    assert _states(near) == {"days 30 07": "missed", "hours 30 07": "sent"}
    assert len(told(TORSTEN)) == 1


def test_created_late_the_rule_that_still_makes_sense_remains(account, scheme):
    _is(NINE - timedelta(hours=10))
    appointment = _put(account)
    assert _states(appointment) == {"days 30 07": "skipped", "hours 30 07": "planned"}


def test_editing_the_rules_plans_anew_what_is_open(account, scheme):
    appointment = _put(account)
    Scheme.update(rules=RULES[1:], version=2).execute()
    _work()
    assert _states(appointment) == {"days 30 07": "cancelled", "hours 30 07": "planned"}
    Scheme.update(rules=RULES, version=3).execute()
    _work()
    assert set(_states(appointment).values()) == {"planned"}


def test_the_same_reminder_never_goes_out_twice_however_often_it_is_planned(account, scheme):
    appointment = _put(account)
    _is(NINE - timedelta(hours=22))
    _work()
    for _ in range(3):
        _put(account)
        planning.replan([_now(appointment)], scheme)
        _work()
    assert len(told(MARGARETHE)) == 1


def test_erasing_a_person_takes_number_and_words_out_of_the_diary(account, scheme):
    appointment = _put(account, title="Wurzelbehandlung", fields={"Nachname": "Schößler"})
    contact, _ = contacts.find_or_add(account, MARGARETHE)
    contacts.erase(contact)
    there = _now(appointment)
    assert (there.number, there.title, there.fields) == ("", "", {})
    assert reminding.reminded(account, MARGARETHE) == []


def test_what_is_due_while_the_rules_change_is_planned_anew_first_and_still_goes_out(account, scheme):
    appointment = _put(account)
    other = _put(account, TORSTEN, NINE, "T-2")
    _is(NINE - timedelta(hours=23))
    later = [{**RULES[0], "at": "12:00"}, RULES[1]]
    Scheme.update(rules=later, version=2).where(Scheme.id == scheme.id).execute()
    planning.replan([other], planning.scheme_for(account.id))
    Reminder.update(at=NINE - timedelta(hours=23)).where(Reminder.rule == "days").execute()
    reminder = Reminder.get(Reminder.appointment == appointment, Reminder.rule == "days")
    assert reminding._look_at(reminder.id) == 0
    assert Reminder.get_by_id(reminder.id).at == NINE - timedelta(hours=21)
    _work()
    assert told(MARGARETHE) == []
    assert len(told(TORSTEN)) == 1


def test_a_reminder_that_is_due_is_not_too_late_because_the_words_change(account, scheme):
    _put(account)
    _is(NINE - timedelta(hours=23) + timedelta(seconds=2))
    Scheme.update(text="Morgen um {Uhrzeit}", version=2).where(Scheme.id == scheme.id).execute()
    _work()
    assert told(MARGARETHE) == ["Morgen um 09:00"]
