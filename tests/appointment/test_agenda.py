"""The agenda says where every appointment stands, and what a person does there counts."""

import html
import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from sms import clock, contacts, suppression
from sms.models import Conversation, Message
from sms.modules.appointment import agenda, answers, demo, diary, reminding, schemes, waiting
from sms.modules.appointment.found import Found
from sms.modules.appointment.models import Appointment, Reminder
from sms.modules.appointment.views import agenda as views
from tests.appointment.phones import ILSE
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


def test_a_rule_that_was_removed_is_not_why_somebody_was_not_reminded(account, client, scheme):
    appointment = _put(account)
    rows = list(Reminder.select().where(Reminder.appointment == appointment).order_by(Reminder.id))
    Reminder.update(state="cancelled", reason="not_wanted").where(
        Reminder.appointment == appointment
    ).execute()
    page = client.get("/appointments/?day=2027-03-30").text
    assert "keine Erinnerung mehr vorgesehen" in page
    assert "not_wanted" not in page
    Reminder.update(state="missed", reason="too_late").where(Reminder.id == rows[0].id).execute()
    assert "für jede Erinnerung zu spät" in client.get("/appointments/?day=2027-03-30").text


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


def _texts(client, address="/appointments/?day=2027-03-30") -> str:
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", client.get(address).text)))


def test_a_time_in_which_nobody_comes_is_shown_and_what_is_called_off_leaves_it_free(account, client, scheme):
    _put(account, "T-1", end=NINE + timedelta(minutes=30))
    _put(account, "T-2", NELE, hours=1)
    _put(account, "T-3", TORSTEN, hours=2)
    diary.cancel(account, "T-2")
    assert "09:30 bis 11:00 frei" in _texts(client)
    rows = agenda.with_gaps(agenda.day(account, DAY))
    assert [type(row).__name__ for row in rows] == ["Row", "Gap", "Row", "Row"]
    assert "frei" not in _texts(client, "/appointments/?day=2027-03-30&show=open")
    _put(account, "T-1")  # nobody says any more how long it takes
    assert "frei" not in _texts(client)


def test_the_time_of_who_called_off_is_given_to_somebody_else(account, client, scheme):
    freed = _put(account, end=NINE + timedelta(minutes=45))
    answers.set_state(freed, "declined", "reply", None)
    assert f'href="/appointments/new?instead={freed.id}"' in client.get("/appointments/?day=2027-03-30").text
    form = client.get(f"/appointments/new?instead={freed.id}").text
    assert 'value="2027-03-30T09:00"' in form
    assert 'value="45"' in form
    waiting.add(account, "0171 3920029", "Nele")
    assert f"/appointments/{freed.id}/give-again" in client.get("/appointments/?day=2027-03-30").text
    assert _press(client, freed, "give-again").status_code == 303
    assert "die Zeit wird angeboten" in _texts(client)


def test_who_did_not_come_is_one_press_and_the_press_can_be_undone(account, client, scheme):
    appointment = _put(account)
    answers.set_state(appointment, "confirmed", "reply", None)
    clock.shift(timedelta(hours=26))
    assert 'value="no_show"' in client.get("/appointments/?day=2027-03-30").text
    _press(client, appointment, state="no_show")
    assert "Nicht erschienen" in _texts(client)
    assert 'value="undo"' in client.get("/appointments/?day=2027-03-30").text
    _press(client, appointment, state="undo")
    assert Appointment.get_by_id(appointment.id).state == "confirmed"


def test_what_is_over_and_nobody_was_reminded_of_is_no_warning(account, client, scheme):
    _put(account, number="")
    assert "keine Telefonnummer" in _texts(client)
    assert "Nummer ergänzen" in _texts(client)
    clock.shift(timedelta(hours=26))
    assert _kinds(account) == {"T-1": "was_not_reminded"}


def test_no_day_is_cut_however_full_it_is(account, client, scheme, monkeypatch):
    monkeypatch.setattr(agenda, "AT_ONCE", 7)
    monkeypatch.setattr(views, "SHOWN", 10)
    found = [Found(f"T-{n}", NINE + timedelta(minutes=n), BERLIN, f"+4917139{20000 + n}") for n in range(25)]
    for _ in diary.put_many(account, found, "csv"):
        pass
    seen = []
    for first in (0, 10, 20):
        page = client.get(f"/appointments/?day=2027-03-30&from={first}").text
        seen += re.findall(r'id="a-(\d+)"', page)
        assert "Alle 25" in page
    assert len(set(seen)) == 25
    assert "15 weitere" in _texts(client)
    assert client.get("/appointments/?day=2027-03-30&from=999").status_code == 200


def _all_pages(client, address: str, way: str) -> list[str]:
    """What the list shows from an address on, page after page by the link of this word."""
    seen: list[str] = []
    while address:
        page = client.get(address).text
        found = re.findall(r'id="a-(\d+)"', page)
        seen = seen + found if way == "Später" else found + seen
        link = re.search(
            r'<a class="btn btn-plain btn-s[^"]*" href="([^"]+)">(?:(?!</a>).)*' + way, page, re.S
        )
        address = html.unescape(link[1]) if link else ""
    return seen


def test_the_list_goes_on_over_many_days_and_back_without_losing_any(account, client, scheme, monkeypatch):
    monkeypatch.setattr(views, "LISTED", 4)
    # Three at each time: what parts the pages is start and id together.
    for n in range(21):
        _put(account, f"T-{n}", hours=24 * (n // 3))
    everything = [str(row.id) for row in Appointment.select().order_by(Appointment.start, Appointment.id)]
    assert _all_pages(client, "/appointments/list?since=2027-03-30", "Später") == everything
    assert _all_pages(client, "/appointments/list?since=2027-03-31", "Später") == everything[3:]
    assert _all_pages(client, "/appointments/list?since=2027-04-06", "Früher") == everything
    assert "Dienstag, 30. März" in client.get("/appointments/list?since=2027-03-30").text


def test_the_list_shows_one_state_and_a_press_there_leads_back_to_it(account, client, scheme):
    one, other = _put(account), _put(account, "T-2", NELE, hours=30)
    answers.set_state(other, "confirmed", "reply", None)
    address = "/appointments/list?since=2027-03-30&state=confirmed"
    page = client.get(address).text
    assert f'id="a-{other.id}"' in page
    assert f'id="a-{one.id}"' not in page
    answer = _press(client, other, state="open", back=address)
    assert answer.headers["Location"] == f"{address}#a-{other.id}"
    for elsewhere in (
        "https://elsewhere.example/appointments/list",
        "//x.example/",
        "/login",
        "http://[",
        "\\x",
    ):
        assert (
            _press(client, other, state="open", back=elsewhere)
            .headers["Location"]
            .startswith("/appointments/?day=")
        )


@pytest.mark.parametrize(
    "query", ["since=x", "state=gone", "since=0001-01-01", "state=" + "x" * 300, "since=9000-12-31"]
)
def test_a_list_of_nonsense_shows_what_there_is(account, client, query):
    assert client.get(f"/appointments/list?{query}").status_code == 200


def test_a_place_that_is_none_is_refused(account, client):
    for place in ("x", "W10", "é"):
        assert client.get("/appointments/list", query_string={"after": place}).status_code in (400, 422)


def test_beside_a_thread_stands_the_next_appointment_and_why_nobody_is_reminded(account, client, scheme):
    contact, _ = contacts.find_or_add(account, MARGARETHE, "Margarethe")
    thread = Conversation.get(Conversation.contact == contact)
    address = f"/conversations/{thread.id}"
    assert "Nächster Termin" not in client.get(address).text
    _put(account, "T-2", hours=48)
    one = _put(
        account, title="Kontrolle", end=NINE + timedelta(minutes=30), fields={"Behandler": "Miriam Aydın"}
    )
    shown = _texts(client, address)
    assert "Nächster Termin Di., 30.03., 09:00" in shown
    assert "Kontrolle, 30 Min. bei Miriam Aydın" in shown
    assert "Erinnerung geplant" in shown
    suppression.suppress(account, MARGARETHE, "sms", "STOP")
    assert "Wird nicht erinnert hat sich abgemeldet" in _texts(client, address)
    answers.set_state(one, "declined", "reply", None)
    assert "Do., 01.04., 09:00" in _texts(client, address)


def test_the_thread_says_who_has_moved_and_cancelled_an_appointment(account, client, scheme, anna):
    contact, _ = contacts.find_or_add(account, MARGARETHE, "Margarethe")
    thread = Conversation.get(Conversation.contact == contact)
    form = {"number": "0171 3920042", "start": "2027-03-30T09:00", "minutes": "30"}
    client.post("/appointments/new", data=form)
    appointment = Appointment.get()
    client.post(f"/appointments/{appointment.id}", data=form | {"start": "2027-03-30T11:00"})
    diary.put(account, Found(appointment.reference, NINE, BERLIN, MARGARETHE), "api")
    for _ in diary.put_many(
        account, [Found(appointment.reference, NINE + timedelta(hours=1), BERLIN, MARGARETHE)], "ics"
    ):
        pass
    _press(client, appointment, state="confirmed")
    _press(client, appointment, state="cancelled")
    said = _texts(client, f"/conversations/{thread.id}")
    for line in (
        "Anna Weber hat den Termin verlegt auf Dienstag, 30. März, um 11:00 Uhr",
        "Ein anderes Programm hat den Termin verlegt auf Dienstag, 30. März, um 09:00 Uhr",
        "Termin im Kalender verlegt auf Dienstag, 30. März, um 10:00 Uhr",
        "Anna Weber hat den Termin Dienstag, 30. März, um 10:00 Uhr als bestätigt vermerkt",
        "Anna Weber hat den Termin Dienstag, 30. März, um 10:00 Uhr gestrichen",
    ):
        assert line in said


def test_another_account_sees_nothing_of_it(app, account, stranger, scheme):
    _put(account)
    assert 'id="a-' not in sign_in(app, stranger).get("/appointments/?day=2027-03-30").text


def test_a_call_that_still_rings_is_not_called_unanswered(account, client, scheme):
    _put(account, number=ILSE)
    clock.shift(timedelta(hours=4))
    reminding.work()
    message = Message.get(Message.theirs == ILSE)
    for status in ("queued", "sending", "sent", "unknown"):
        Message.update(status=status).where(Message.id == message.id).execute()
        assert _kinds(account) == {"T-1": "calling"}
    assert "Wird angerufen" in client.get("/appointments/?day=2027-03-30").text
    for status, kind in (("delivered", "no_answer"), ("failed", "unreachable")):
        Message.update(status=status).where(Message.id == message.id).execute()
        assert _kinds(account) == {"T-1": kind}
