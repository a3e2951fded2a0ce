"""The page of what a person should look at: unknown ends and held doubles, and what can be done about them."""

import pytest

from sms import delivery, exchange, sending, to_check, totals
from sms.carriers.contract import Outcome, OutcomeKind
from sms.models import Account, Conversation, Message
from tests.conftest import sign_in
from tests.views.practice import MOBILE, conversation, later, write_out


@pytest.fixture(autouse=True)
def _carriers(settings, database_file):
    exchange.connect(settings)


def text_of(response) -> str:
    assert response.status_code == 200, response.status_code
    return response.get_data(as_text=True)


@pytest.fixture
def unknown(account, anna) -> Message:
    """A text of which nobody knows whether the carrier has it."""
    message = write_out(conversation(account), "Ihr Rezept liegt bereit.", anna)
    message.advance("sending")
    delivery.settle(message, Outcome(OutcomeKind.unknown, detail="read timeout"))
    return message


@pytest.fixture
def held(account) -> Message:
    """The second of two equal texts that a machine wanted to send within a minute."""
    for _ in range(2):
        sending.send(account, MOBILE, "Denken Sie an morgen!", automated=True, source="appointment")
    return Message.select().where(Message.status == "scheduled", Message.next_at.is_null()).get()


def test_the_page_says_what_to_whom_since_when_and_what_happens_by_itself(client, unknown):
    page = text_of(client.get("/to-check"))
    for words in ("Zu prüfen", "Margarethe Schößler", "00491713920042", "Ihr Rezept liegt bereit.",
                  "Gesendet? Prüfen oder erneut senden", "seit heute, ", "Der Anbieter wird wieder gefragt",
                  "kommt sie vielleicht doppelt an"):  # fmt: skip
        assert words in page, words
    for verb in ("check", "retry", "sent", "give-up"):
        assert f'formaction="/messages/{unknown.id}/{verb}"' in page, verb


def test_a_message_that_the_carrier_cannot_tell_of_waits_for_a_person(client, unknown):
    Message.update(lease_until=None).execute()
    assert "Der Anbieter wird nicht mehr gefragt" in text_of(client.get("/to-check"))


def test_a_held_double_is_shown_released_and_discarded(client, account, held):
    page = text_of(client.get("/to-check"))
    assert "Zurückgehalten: Der gleiche Text ging gerade erst hinaus" in page
    assert "Sie bleibt hier, bis jemand entscheidet." in page
    thread = text_of(client.get(f"/conversations/{held.conversation_id}"))
    assert f'formaction="/messages/{held.id}/release"' in thread
    assert f'formaction="/messages/{held.id}/now"' not in thread
    client.post(f"/messages/{held.id}/release", headers={"HX-Request": "true"})
    assert Message.get_by_id(held.id).status == "queued"
    assert client.post(f"/messages/{held.id}/release", headers={"HX-Request": "true"}).status_code == 409
    assert "Nichts zu prüfen" in text_of(client.get("/to-check"))


def test_a_held_double_can_be_discarded(client, held):
    answer = client.post(
        f"/messages/{held.id}/cancel", data={"from": "to-check"}, headers={"HX-Request": "true"}
    )
    assert "Nichts zu prüfen" in text_of(answer)
    assert Message.get_by_id(held.id).status == "cancelled"


def test_a_person_says_that_it_was_sent_and_a_report_still_moves_it_on(client, unknown):
    answer = client.post(f"/messages/{unknown.id}/sent", data={"from": "to-check"})
    assert (answer.status_code, answer.location) == (303, "/to-check")
    message = Message.get_by_id(unknown.id)
    assert (message.status, message.lease_until, message.reason) == ("sent", None, "")
    assert message.sent_at is not None
    assert message.status_events.order_by(-Message.id).count() >= 3
    assert message.advance("delivered")


def test_given_up_it_counts_as_not_sent_and_calls_for_nobody_else(client, unknown):
    client.post(f"/messages/{unknown.id}/give-up", headers={"HX-Request": "true"})
    message = Message.get_by_id(unknown.id)
    assert (message.status, message.reason) == ("failed", "given_up")
    assert not Conversation.get_by_id(message.conversation_id).failed
    thread = text_of(client.get(f"/conversations/{message.conversation_id}"))
    assert "Nicht zugestellt: von einer Person verworfen" in thread


@pytest.mark.parametrize("verb", ["sent", "give-up"])
def test_what_has_been_settled_meanwhile_stays_as_it_is(client, unknown, verb):
    Message.get_by_id(unknown.id).advance("delivered")
    assert client.post(f"/messages/{unknown.id}/{verb}", headers={"HX-Request": "true"}).status_code == 409
    assert Message.get_by_id(unknown.id).status == "delivered"


def test_the_list_counts_what_is_to_be_checked_and_leads_there(client, anna, unknown, held):
    assert totals.counts(anna)["check"] == 2
    page = text_of(client.get("/inbox?view=all"))
    assert 'href="/to-check">' in page
    assert [case.message.id for case in to_check.cases(anna.account_id)] == [unknown.id, held.id]


def test_nothing_to_check_is_said(client):
    assert "Nichts zu prüfen" in text_of(client.get("/to-check"))


def test_another_account_sees_nothing_of_it(app, stranger, other_account: Account, unknown):
    theirs = sign_in(app, stranger)
    assert "Nichts zu prüfen" in text_of(theirs.get("/to-check"))
    assert theirs.post(f"/messages/{unknown.id}/sent").status_code == 404


def test_operators_see_it_in_their_account(app, operator, unknown):
    assert "Ihr Rezept liegt bereit." in text_of(sign_in(app, operator).get("/to-check"))


def test_more_than_a_page_is_shown_in_pages_oldest_first(client, account, anna):
    talk = conversation(account)
    for n in range(53):
        message = write_out(talk, f"Nachricht {n:02d}", anna)
        Message.update(status="unknown").where(Message.id == message.id).execute()
    first = text_of(client.get("/to-check"))
    assert first.count('class="check-item"') == 50
    assert "Nachricht 00" in first
    more = first.partition("/to-check?after=")[2].partition('"')[0]
    second = text_of(client.get(f"/to-check?after={more}"))
    assert second.count('class="check-item"') == 3
    assert "Nachricht 52" in second
    assert client.get("/to-check?after=x").status_code == 200


def test_it_is_told_since_when_the_end_is_unknown(client, unknown):
    later(days=2)
    assert "seit heute" not in text_of(client.get("/to-check"))


@pytest.mark.parametrize(
    ("verb", "words"),
    [("sent", "gilt als gesendet"), ("give-up", "ist verworfen"), ("retry", "noch einmal gesendet")],
)
def test_each_button_says_what_it_did(client, unknown, verb, words):
    answer = client.post(
        f"/messages/{unknown.id}/{verb}", data={"from": "to-check"}, headers={"HX-Request": "true"}
    )
    assert words in text_of(answer)
