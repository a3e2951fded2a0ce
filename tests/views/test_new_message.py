"""The page of a new message and the contact's pane."""

import re

import pytest

from sms import contacts, inbox, suppression
from sms.models import Contact, ContactNumber, Conversation, Message
from tests.views import practice

HTMX = {"HX-Request": "true"}


def text_of(answer):
    return answer.get_data(as_text=True)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("0171 3920042", "00491713920042 · Mobil, Deutschland: erhält eine SMS"),
        ("030 23125417", "Festnetz, Deutschland: wird angerufen, der Text vorgelesen"),
        ("+43 664 1234567", "Mobil, Österreich: erhält eine SMS"),
        ("110", "Notruf"),
        ("0900 1234567", "is-wrong"),
        ("Niemand Bekanntes", "Kein Kontakt mit diesem Namen"),
        ("", "Mobilnummern erhalten eine SMS"),
    ],
)
def test_what_is_typed_as_recipient_is_explained(client, typed, words):
    assert words in text_of(client.get("/new/number", query_string={"to": typed}))


@pytest.mark.parametrize(
    "typed", ["Marg", "0171 3920042; 0171 3920043", "0171 39200 42, 030 23125417", "110"]
)
def test_the_form_refuses_a_recipient_with_the_words_of_its_hint(client, typed):
    hint = re.search(
        r'class="is-wrong">([^<]+)', text_of(client.get("/new/number", query_string={"to": typed}))
    )[1]
    page = text_of(client.post("/new", data={"to": typed, "text": "Guten Tag"}))
    error = re.search(r'id="e-to">.*?<span>([^<]+)', page, re.S)[1]
    assert error == hint
    assert ("nur eine Nummer" in error) == (";" in typed or "," in typed)


def test_a_placeholder_without_a_value_is_said_beside_the_text(client):
    page = client.post("/new", data={"to": "0171 3920055", "text": "Guten Tag {name}"}, headers=HTMX)
    assert page.status_code == 422
    assert re.search(r'<textarea[^>]*id="new-text"[^>]*aria-invalid="true"', text_of(page))
    assert re.search(r'id="e-text">.*?Kein Wert für name', text_of(page), re.S)


def test_a_contact_can_be_written_to_by_name(client, account):
    talk = practice.conversation(account)
    assert "Margarethe Schößler" in text_of(client.get("/new/number?to=margarethe schößler"))
    answer = client.post("/new", data={"to": "margarethe  SCHÖSSLER", "text": "Guten Tag"})
    if answer.status_code == 422:
        answer = client.post("/new", data={"to": "margarethe schößler", "text": "Guten Tag"})
    assert (answer.status_code, answer.location) == (303, f"/conversations/{talk.id}")
    assert Message.get().text == "Guten Tag"


def test_a_new_number_opens_a_thread(client):
    answer = client.post("/new", data={"to": "0171 3920055", "text": "Guten Tag"})
    talk = Conversation.get()
    assert answer.location == f"/conversations/{talk.id}"
    assert talk.contact.number == "+491713920055"


def test_a_landline_is_called(client):
    client.post("/new", data={"to": "030 23125417", "text": "Guten Tag"})
    assert Message.get().channel == "voice"


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"to": "", "text": "x"}, "to"),
        ({"to": "0171", "text": "x"}, "to"),
        ({"to": "+4930" + "1" * 300, "text": "x"}, "to"),
        ({"to": "0171 3920055", "text": ""}, "text"),
        ({"to": "0171 3920055", "text": "{x}"}, "text"),
        ({"to": "0171 3920055", "text": "x", "sender": "Zahnarztpraxis"}, "sender"),
        ({"to": "0171 3920055", "text": "x", "at": "2020-01-01T10:00"}, "send_at"),
        ({"to": "0171 3920055", "text": "x", "at": "bald"}, "send_at"),
        ({"to": "0171 3920055", "text": "x", "channel": "fax"}, "channel"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_all_that_was_typed_stays(client, form, field):
    page = client.post("/new", data=form)
    assert page.status_code == 422
    assert f'id="e-{field}"' in text_of(page)
    assert Message.select().count() == 0
    if len(form["text"]) > 1:
        assert form["text"] in text_of(page)


def test_with_script_only_the_form_comes_back_and_the_thread_is_gone_to(client):
    wrong = client.post("/new", data={"to": "12", "text": "Guten Tag"}, headers=HTMX)
    assert wrong.status_code == 422
    assert "<html" not in text_of(wrong)
    assert 'id="e-to"' in text_of(wrong)
    sent = client.post("/new", data={"to": "0171 3920055", "text": "Guten Tag"}, headers=HTMX)
    assert sent.headers["HX-Redirect"] == f"/conversations/{Conversation.get().id}"


def test_the_meter_of_a_new_message(client):
    answer = client.post("/new/preview", data={"to": "0171 3920055", "text": "Hallo"}, headers=HTMX)
    assert "5/160 · 1 SMS" in text_of(answer)
    answer = client.post("/new/preview", data={"to": "030 23125417", "text": "Hallo"}, headers=HTMX)
    assert "wird vorgelesen, 5 Zeichen" in text_of(answer)


def test_the_contact_s_pane_shows_fields_numbers_and_history(client, account, anna):
    talk = practice.conversation(account)
    contacts.save(talk.contact, "Margarethe Schößler", {"Kasse": "AOK"})
    contacts.add_number(talk.contact, "030 23125417")
    inbox.assign(talk, anna, anna)
    page = text_of(client.get(f"/conversations/{talk.id}"))
    for words in (
        "<dt>Kasse</dt><dd>AOK</dd>",
        "Festnetz, Vorlesen",
        "00493023125417",
        "Anna Weber hat übernommen",
        "Gespräch begonnen",
    ):
        assert words in page


@pytest.mark.parametrize("htmx", [True, False])
def test_a_contact_is_edited(client, account, htmx):
    talk = practice.conversation(account)
    form = {
        "name": "Greta Schößler",
        "key": ["Kasse", "", "Alt"],
        "value": ["AOK", "", ""],
        "number": "030 23125417",
    }
    answer = client.post(f"/conversations/{talk.id}/contact", data=form, headers=HTMX if htmx else {})
    assert answer.status_code == (200 if htmx else 303)
    contact = Contact.get_by_id(talk.contact_id)
    assert (contact.name, contact.fields) == ("Greta Schößler", {"Kasse": "AOK"})
    assert ContactNumber.select().where(ContactNumber.contact == contact).count() == 2
    if htmx:
        assert 'hx-target="#talk-head"' in text_of(answer)
        assert text_of(answer).count('id="contact"') == 1


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"name": "x" * 101}, "name"),
        ({"name": "a", "number": "12"}, "number"),
        ({"name": "a", "key": "{b}", "value": "c"}, "fields"),
    ],
)
def test_a_bad_field_of_a_contact_is_named_and_nothing_typed_is_lost(client, account, form, field):
    talk = practice.conversation(account)
    for headers in (HTMX, {}):
        page = client.post(f"/conversations/{talk.id}/contact", data=form, headers=headers)
        assert page.status_code == 422
        assert f'id="e-{field}"' in text_of(page)
        assert form["name"] in text_of(page)


def test_a_further_number_is_removed_and_the_first_one_stays(client, account):
    talk = practice.conversation(account)
    contacts.add_number(talk.contact, "030 23125417")
    client.post(f"/conversations/{talk.id}/contact", data={"remove": practice.LANDLINE}, headers=HTMX)
    assert ContactNumber.select().where(ContactNumber.contact == talk.contact).count() == 1
    answer = client.post(f"/conversations/{talk.id}/contact", data={"remove": practice.MOBILE}, headers=HTMX)
    assert answer.status_code == 409


def test_blocking_and_allowing_a_number(client, account):
    talk = practice.conversation(account)
    client.post(f"/conversations/{talk.id}/block", headers=HTMX)
    assert suppression.is_suppressed(account, practice.MOBILE)
    page = text_of(client.get(f"/conversations/{talk.id}"))
    assert "Im Team gesperrt am " in page
    assert "Anna Weber</strong> hat die Nummer gesperrt" in page
    client.post(f"/conversations/{talk.id}/unblock")
    assert not suppression.is_suppressed(account, practice.MOBILE)


def test_only_an_owner_erases_and_only_when_sure(client, owner_client, account):
    talk = practice.conversation(account)
    practice.write_in("Persönliches")
    address = f"/conversations/{talk.id}/erase"
    assert client.post(address, data={"sure": "1"}).status_code == 403
    assert "Endgültig" not in text_of(client.get(f"/conversations/{talk.id}/contact/edit"))
    assert owner_client.post(address).status_code == 422
    assert Message.select().count() == 1
    assert owner_client.post(address, data={"sure": "1"}).location == "/inbox"
    assert Message.select().count() == Contact.select().count() == 0
    assert client.get(f"/conversations/{talk.id}").status_code == 404


def test_have_them_called_chooses_the_landline_and_the_call(client, account):
    talk = practice.conversation(account)
    contacts.add_number(talk.contact, "030 23125417")
    page = text_of(client.get(f"/conversations/{talk.id}?channel=voice"))
    assert f'<option value="{practice.LANDLINE}" selected>' in page
    assert 'id="as-call" aria-label="Als Sprachanruf senden" checked' in page
