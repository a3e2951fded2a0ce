"""The page of the waiting list: who waits, what was offered; with mistakes beside their fields."""

from datetime import timedelta

from sms.models import Message
from sms.modules.appointment import answers, waiting
from sms.modules.appointment.models import Scheme, Slot, Waiting
from tests.appointment.phones import NINE, TORSTEN, it_is, put, scheme_of
from tests.appointment.test_waiting_list import says_to_offer, work
from tests.survey.surveys_for_tests import MARGARETHE, NELE

PAGE = "/appointments/waiting"


def test_somebody_is_put_on_the_list_with_days_and_hours(client, account):
    answer = client.post(
        PAGE,
        data={
            "number": "0171 39200 42",
            "name": "Fr. Schößler",
            "day": ["2", "5"],
            "since": "09:00",
            "until": "12:00",
        },
    )
    assert answer.status_code == 303
    row = Waiting.get()
    assert (row.number, row.name, row.days) == (MARGARETHE, "Fr. Schößler", [2, 5])
    text = client.get(PAGE).text
    assert "Fr. Schößler" in text
    assert "Di., Fr., 09:00 bis 12:00" in text
    assert "00491713920042" in text


def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_is_kept(client, account):
    answer = client.post(
        PAGE, data={"number": "030 23125640", "name": "{Anna}", "day": ["7", "9", "x"], "since": "12:00"}
    )
    assert answer.status_code == 422
    assert 'value="030 23125640"' in answer.text
    assert 'value="{Anna}"' in answer.text
    assert "Bitte geben Sie eine Mobilnummer an." in answer.text
    assert answer.text.count(" checked") == 1
    reversed_ = client.post(PAGE, data={"number": MARGARETHE, "since": "12:00", "until": "09:00"})
    assert "Die Uhrzeiten enden, bevor sie beginnen." in reversed_.text
    assert Waiting.select().count() == 0


def test_the_page_shows_what_was_offered_and_what_came_of_it(client, account):
    it_is(NINE - timedelta(days=5))
    appointment = put(account, TORSTEN)
    waiting.add(account, MARGARETHE)
    waiting.add(account, NELE, "Nele Hagedorn")
    answers.set_state(appointment, "declined", "reply", None)
    work()
    says_to_offer(MARGARETHE, "Nein")
    work()
    text = client.get(PAGE + "/rows").text
    assert "Dienstag, 30. März, um 09:00 Uhr" in text
    assert "wird gerade angeboten" in text
    assert "hat Nein gesagt" in text
    assert "ist gefragt" in text
    says_to_offer(NELE, "Ja")
    text = client.get(PAGE + "/rows").text
    assert "vergeben" in text
    assert "hat Ja gesagt" in text
    assert Slot.get().state == "given"


def test_somebody_is_taken_off_the_list(client, account):
    row = waiting.add(account, MARGARETHE)
    assert client.post(f"{PAGE}/{row.id}/remove").status_code == 303
    assert waiting.listing(account) == []
    assert "Niemand wartet." in client.get(PAGE).text


def test_the_owner_sets_what_is_offered_by_itself(owner_client, client, account):
    scheme_of(account)
    version = Scheme.get().version
    assert owner_client.post(PAGE + "/rule", data={"offer_freed": "never"}).status_code == 303
    assert (Scheme.get().offer_freed, Scheme.get().version) == ("never", version)
    assert owner_client.post(PAGE + "/rule", data={"offer_freed": "?"}).status_code == 422
    assert client.post(PAGE + "/rule", data={"offer_freed": "all"}).status_code == 403
    assert "Von selbst anbieten" not in client.get(PAGE).text


def test_an_empty_list_and_one_of_another_account_show_nothing_of_others(client, other_account):
    waiting.add(other_account, MARGARETHE, "Fremde Person")
    assert "Fremde Person" not in client.get(PAGE).text


def test_a_time_is_offered_only_after_the_page_has_said_how_many_are_asked(client, account):
    it_is(NINE - timedelta(days=5))
    appointment = put(account, TORSTEN)
    answers.set_state(appointment, "declined", "reply", None)
    waiting.add(account, MARGARETHE)
    waiting.add(account, NELE, "Nele Hagedorn", days=[5])
    day = "/appointments/?day=2027-03-30"
    text = client.get(day).text
    assert "1 Person der Warteliste kommt infrage und wird per SMS gefragt." in text
    assert "Der Warteliste anbieten" in text
    assert Message.select().where(Message.direction == "outgoing").count() == 0
    client.post(f"/appointments/{appointment.id}/give-again")
    work()
    assert [m.theirs for m in Message.select().where(Message.direction == "outgoing")] == [MARGARETHE]


def test_where_nobody_of_the_list_fits_the_time_is_given_by_hand(client, account):
    it_is(NINE - timedelta(days=5))
    appointment = put(account, TORSTEN)
    answers.set_state(appointment, "declined", "reply", None)
    waiting.add(account, NELE, "Nele Hagedorn", days=[5])
    text = client.get("/appointments/?day=2027-03-30").text
    assert "Der Warteliste anbieten" not in text
    assert f"instead={appointment.id}" in text
