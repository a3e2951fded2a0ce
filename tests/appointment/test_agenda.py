"""The agenda says where every appointment stands, and what a person does there counts."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from sms import clock, contacts, suppression
from sms.models import Message
from sms.modules.appointment import agenda, demo, diary, reminding, schemes
from sms.modules.appointment.found import Found
from sms.modules.appointment.models import Appointment, Reminder
from tests.conftest import sign_in
from tests.survey.surveys_for_tests import MARGARETHE, NELE, TORSTEN, take_everything, told

BERLIN = ZoneInfo("Europe/Berlin")
NINE = datetime(2027, 3, 30, 7, 0, tzinfo=UTC)
DAY = NINE.date()


@pytest.fixture(autouse=True)
def _the_day_before(app):
    clock.shift(NINE - timedelta(hours=25) - clock.now())


@pytest.fixture
def scheme(account):
    return schemes.create(account, schemes.usual(account).rules)


def _put(account, reference="T-1", number=MARGARETHE, hours=0, **more) -> Appointment:
    return diary.put(account, Found(reference, NINE + timedelta(hours=hours), BERLIN, number, **more), "api")[
        0
    ]


def _kinds(account) -> dict[str, str]:
    return {row.appointment.reference: row.standing.kind for row in agenda.day(account, DAY)}


def _press(client, appointment, name="state", **form):
    return client.post(f"/appointments/{appointment.id}/{name}", data=form)


def test_every_appointment_says_where_it_stands(account, scheme):
    for n, number in enumerate((MARGARETHE, NELE, TORSTEN, "")):
        _put(account, f"T-{n}", number, hours=n)
    suppression.suppress(account, TORSTEN, "sms", "STOP")
    assert _kinds(account) == {
        "T-0": "planned", "T-1": "planned", "T-2": "not_reminded", "T-3": "not_reminded",
    }  # fmt: skip
    clock.shift(timedelta(hours=4))
    reminding.work()
    take_everything()
    lost = Message.get(Message.theirs == NELE)
    Message.update(status="undelivered").where(Message.id == lost.id).execute()
    kinds = _kinds(account)
    assert (kinds["T-0"], kinds["T-1"]) == ("no_answer", "unreachable")
    rows = agenda.day(account, DAY)
    assert [r.appointment.reference for r in agenda.shown(rows, "todo")] == ["T-0", "T-1", "T-2", "T-3"]


def test_the_page_shows_name_time_word_and_the_counts(account, client, scheme):
    contacts.find_or_add(account, MARGARETHE, "Margarethe <Schößler>")
    _put(account, title="Kontrolle")
    page = client.get("/appointments/?day=2027-03-30").text
    assert "Margarethe &lt;Schößler&gt;" in page
    assert "09:00" in page
    assert "Erinnerung geplant" in page
    assert "Offen 1" in page
    assert "Zu tun 0" in page
    assert "Termine" in client.get("/").text


@pytest.mark.parametrize("day", ["", "2027-02-31", "0001-01-01", "9999-12-31", "x" * 300, "-5"])
def test_a_day_that_is_none_is_today(account, client, day):
    assert client.get("/appointments/", query_string={"day": day, "show": day}).status_code == 200


def test_a_person_notes_what_became_of_it(account, client, scheme):
    appointment = _put(account)
    contacts.find_or_add(account, MARGARETHE, "Margarethe")
    for state in ("confirmed", "no_show", "attended", "open", "cancelled"):
        assert _press(client, appointment, state=state).status_code == 303
        assert Appointment.get_by_id(appointment.id).state == state
    assert _press(client, appointment, state="gone").status_code == 422


def test_one_click_reminds_again_and_the_answer_still_counts(account, client, scheme):
    appointment = _put(account)
    assert _press(client, appointment, "remind").status_code == 303
    take_everything()
    assert len(told(MARGARETHE)) == 1
    assert _kinds(account) == {"T-1": "no_answer"}
    diary.cancel(account, "T-1")
    assert _press(client, appointment, "remind").status_code == 303
    assert len(told(MARGARETHE)) == 1


def test_an_appointment_is_put_in_moved_and_kept_when_wrong(account, client, scheme):
    form = {
        "number": "0171 3920042",
        "name": "Margarethe",
        "start": "2027-03-30T09:00",
        "minutes": "30",
        "title": "Kontrolle",
    }
    assert client.post("/appointments/new", data=form).status_code == 303
    appointment = Appointment.get()
    assert (appointment.start, appointment.number) == (NINE, MARGARETHE)
    assert Reminder.select().where(Reminder.state == "planned").count() == 1
    page = client.get(f"/appointments/{appointment.id}").text
    assert 'value="2027-03-30T09:00"' in page
    client.post(f"/appointments/{appointment.id}", data=form | {"start": "2027-03-31T09:00"})
    assert Appointment.get().start == NINE + timedelta(days=1)
    wrong = client.post(
        "/appointments/new", data=form | {"number": "12", "start": "2027-03-28T02:30", "minutes": "x"}
    )
    assert wrong.status_code == 422
    assert wrong.text.count('aria-invalid="true"') == 2
    assert 'value="Kontrolle"' in wrong.text
    assert Appointment.select().count() == 1


def test_the_demo_holds_a_rule_and_a_diary(app, account, client, people):
    clock.reset()
    demo.prepare(account)
    demo.prepare(account)
    assert not Reminder.select().where(Reminder.state == "planned", Reminder.at < clock.now()).exists()
    assert schemes.of(account).active
    assert Appointment.select().count() == len(demo.DIARY)
    today = clock.now().astimezone(BERLIN).date()
    page = client.get("/appointments/").text
    assert page.count('class="ap') > 3
    assert agenda.day(account, today)


def test_another_account_sees_nothing_of_it(app, account, stranger, scheme):
    _put(account)
    assert 'id="a-' not in sign_in(app, stranger).get("/appointments/?day=2027-03-30").text
