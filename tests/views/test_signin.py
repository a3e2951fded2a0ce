"""Signing in and out, wrong passwords, one-time links, and sessions that end."""

import re
from datetime import timedelta
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient

from sms import accounts, clock, contacts, inbox, mail
from sms.config import Settings
from sms.models import Account, Conversation, Draft, Message, User
from tests.conftest import PASSWORD, sign_in

ANNA = "anna.weber@praxis-lindner.example"


def enter(visitor: FlaskClient, email: str = ANNA, password: str = PASSWORD, **more: str):
    return visitor.post("/sign-in", data={"email": email, "password": password, **more})


def is_signed_in(browser: FlaskClient) -> bool:
    return browser.get("/settings/profile").status_code == 200


def link_in_newest_mail(settings: Settings) -> str:
    _, newest = mail.kept(settings)[0]
    found = re.search(r"https?://[^/\s]+(/password/\S+)", newest.get_content())
    assert found
    return found[1]


def test_right_password_opens_the_page_that_was_asked_for(visitor: FlaskClient, anna: User) -> None:
    asked = visitor.get("/settings/profile?x=1")
    assert asked.headers["Location"] == "/sign-in?next=/settings/profile?x%3D1"
    page = visitor.get(asked.headers["Location"])
    assert 'value="/settings/profile?x=1"' in page.get_data(as_text=True)
    answer = enter(visitor, next="/settings/profile?x=1")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/settings/profile?x=1")
    assert is_signed_in(visitor)


def test_address_may_be_typed_in_any_case_and_with_blanks(visitor: FlaskClient, anna: User) -> None:
    assert enter(visitor, f"  {ANNA.upper()} ").status_code == 303


def test_password_may_hold_an_umlaut_as_two_characters(visitor: FlaskClient, anna: User) -> None:
    accounts.set_password(anna, "grüne Wolle 7")
    assert enter(visitor, password="gru\u0308ne Wolle 7").status_code == 303


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "javascript:alert(1)",
        "http://[",
        "",
    ],
)
def test_sign_in_never_leads_to_another_site(visitor: FlaskClient, anna: User, elsewhere: str) -> None:
    assert enter(visitor, next=elsewhere).headers["Location"] == "/"


def test_wrong_password_says_how_many_attempts_are_left(visitor: FlaskClient, anna: User) -> None:
    page = enter(visitor, password="falsch").get_data(as_text=True)
    assert "E-Mail-Adresse oder Passwort stimmt nicht. Noch vier Versuche." in page
    assert f'value="{ANNA}"' in page
    assert 'aria-describedby="password-e"' in page
    for _ in range(2):
        enter(visitor, password="falsch")
    assert "Noch ein Versuch." in enter(visitor, password="falsch").get_data(as_text=True)


def test_unknown_address_reads_like_a_wrong_password(visitor: FlaskClient, anna: User) -> None:
    known = enter(visitor, password="falsch").get_data(as_text=True)
    unknown = enter(visitor, "niemand@praxis-lindner.example").get_data(as_text=True)
    sentence = "E-Mail-Adresse oder Passwort stimmt nicht. Noch vier Versuche."
    assert sentence in known
    assert sentence in unknown


def test_five_wrong_passwords_close_the_door_and_say_for_how_long(visitor: FlaskClient, anna: User) -> None:
    for _ in range(5):
        last = enter(visitor, password="falsch")
    assert "in 15 Minuten wieder" in last.get_data(as_text=True)
    clock.shift(timedelta(minutes=4))
    answer = enter(visitor)
    assert answer.status_code == 429
    assert "Zu viele Versuche. Bitte versuchen Sie es in 11 Minuten wieder" in answer.get_data(as_text=True)
    assert not is_signed_in(visitor)


def test_door_opens_again_after_a_quarter_of_an_hour(visitor: FlaskClient, anna: User) -> None:
    for _ in range(5):
        enter(visitor, password="falsch")
    clock.shift(timedelta(minutes=15, seconds=1))
    assert enter(visitor).status_code == 303


def test_closed_door_is_closed_for_one_address_and_one_place_only(
    visitor: FlaskClient, app: Flask, anna: User, owner: User
) -> None:
    for _ in range(5):
        enter(visitor, password="falsch")
    elsewhere = {"REMOTE_ADDR": "192.0.2.7"}
    data = {"email": ANNA, "password": PASSWORD}
    assert app.test_client().post("/sign-in", data=data, environ_base=elsewhere).status_code == 303
    assert enter(visitor, owner.email).status_code == 303


def test_one_place_cannot_try_all_addresses(visitor: FlaskClient, anna: User) -> None:
    for number in range(50):
        enter(visitor, f"person{number}@praxis-lindner.example", "falsch")
    assert enter(visitor).status_code == 429


def test_right_password_forgives_the_wrong_ones(visitor: FlaskClient, anna: User) -> None:
    for _ in range(4):
        enter(visitor, password="falsch")
    assert enter(visitor).status_code == 303
    visitor.post("/sign-out")
    assert "Noch vier Versuche." in enter(visitor, password="falsch").get_data(as_text=True)


def test_attempts_outlive_a_restart(visitor: FlaskClient, settings: Settings, anna: User) -> None:
    from app import create_app
    from sms.db import database

    for _ in range(5):
        enter(visitor, password="falsch")
    database.close()
    again = create_app(settings)
    database.connect(reuse_if_open=True)
    again.test_client_class = type(visitor)
    assert enter(again.test_client()).status_code == 429


def test_locked_out_people_cannot_sign_in_and_their_sessions_end(
    client: FlaskClient, visitor: FlaskClient, anna: User, owner: User
) -> None:
    assert is_signed_in(client)
    accounts.deactivate(anna)
    assert not is_signed_in(client)
    assert enter(visitor).status_code == 422


def test_remembered_device_is_signed_in_without_its_session(visitor: FlaskClient, anna: User) -> None:
    enter(visitor, stay="y")
    visitor.delete_cookie("faden")
    assert is_signed_in(visitor)


def test_other_devices_forget_with_the_browser(visitor: FlaskClient, anna: User) -> None:
    enter(visitor)
    visitor.delete_cookie("faden")
    assert not is_signed_in(visitor)


def test_sign_out_ends_the_session_and_the_remembered_device(visitor: FlaskClient, anna: User) -> None:
    enter(visitor, stay="y")
    assert visitor.post("/sign-out").headers["Location"] == "/sign-in"
    assert not is_signed_in(visitor)


def test_sign_out_is_no_link(client: FlaskClient) -> None:
    assert client.get("/sign-out").status_code == 405
    assert is_signed_in(client)


def test_password_change_ends_every_other_session(app: Flask, client: FlaskClient, anna: User) -> None:
    phone = sign_in(app, anna)
    answer = client.post(
        "/settings/profile/password", data={"current": PASSWORD, "password": "rote Wolle und 3 Nadeln"}
    )
    assert answer.status_code == 303
    assert is_signed_in(client)
    assert not is_signed_in(phone)


def test_wrong_current_password_changes_nothing(client: FlaskClient, anna: User) -> None:
    answer = client.post(
        "/settings/profile/password", data={"current": "falsch", "password": "rote Wolle und 3 Nadeln"}
    )
    assert answer.status_code == 422
    assert "Das ist nicht Ihr Passwort." in answer.get_data(as_text=True)
    assert accounts.verify_password(User.get_by_id(anna.id), PASSWORD)


def test_forgotten_password_is_set_by_the_link_in_the_mail(
    visitor: FlaskClient, settings: Settings, anna: User
) -> None:
    sent = visitor.post("/password", data={"email": ANNA})
    assert sent.status_code == 200
    link = link_in_newest_mail(settings)
    assert visitor.get(link).status_code == 200
    answer = visitor.post(link, data={"password": "ganz neue Wolle"})
    assert answer.status_code == 303
    assert is_signed_in(visitor)
    assert accounts.verify_password(User.get_by_id(anna.id), "ganz neue Wolle")


def test_link_works_once(visitor: FlaskClient, settings: Settings, anna: User) -> None:
    visitor.post("/password", data={"email": ANNA})
    link = link_in_newest_mail(settings)
    visitor.post(link, data={"password": "ganz neue Wolle"})
    assert visitor.get(link).status_code == 410
    assert visitor.post(link, data={"password": "noch neuere Wolle"}).status_code == 410
    assert accounts.verify_password(User.get_by_id(anna.id), "ganz neue Wolle")


def test_link_dies_after_two_days(visitor: FlaskClient, settings: Settings, anna: User) -> None:
    visitor.post("/password", data={"email": ANNA})
    clock.shift(timedelta(hours=48, seconds=2))
    page = visitor.get(link_in_newest_mail(settings))
    assert page.status_code == 410
    assert "Dieser Link gilt nicht mehr" in page.get_data(as_text=True)


@pytest.mark.parametrize("token", ["x", "WzEsMF0.aaaa.bbbb", "%00", "%ff", "9" * 500])
def test_forged_links_are_ended_links(visitor: FlaskClient, token: str) -> None:
    assert visitor.get(f"/password/{token}").status_code == 410


@pytest.mark.parametrize(
    ("password", "sentence"),
    [
        ("kurz", "Bitte nehmen Sie mindestens 10 Zeichen."),
        ("a" * 201, "Bitte nehmen Sie höchstens 200 Zeichen."),
        ("aaaaaaaaaaaa", "Das ist zu leicht zu erraten."),
        ("", "Bitte nehmen Sie mindestens 10 Zeichen."),
    ],
)
def test_bad_new_password_is_told_at_its_field_and_keeps_the_link(
    visitor: FlaskClient, settings: Settings, anna: User, password: str, sentence: str
) -> None:
    visitor.post("/password", data={"email": ANNA})
    link = link_in_newest_mail(settings)
    answer = visitor.post(link, data={"password": password})
    assert answer.status_code == 422
    assert sentence in answer.get_data(as_text=True)
    assert visitor.get(link).status_code == 200


def test_unknown_address_gets_no_mail_and_the_same_page(
    visitor: FlaskClient, settings: Settings, anna: User
) -> None:
    unknown = visitor.post("/password", data={"email": "niemand@praxis-lindner.example"})
    assert mail.kept(settings) == []
    known = visitor.post("/password", data={"email": ANNA})
    assert len(mail.kept(settings)) == 1
    without_nonce = [
        re.sub(r'nonce="[^"]*"|value="[^"]*"', "", a.get_data(as_text=True)) for a in (unknown, known)
    ]
    assert without_nonce[0] == without_nonce[1]


def test_nobody_is_flooded_with_links(visitor: FlaskClient, settings: Settings, anna: User) -> None:
    for _ in range(6):
        assert visitor.post("/password", data={"email": ANNA}).status_code == 200
    assert len(mail.kept(settings)) == 3


def test_mail_goes_to_the_public_address_whatever_host_was_asked(
    visitor: FlaskClient, settings: Settings, anna: User
) -> None:
    evil = "http://evil.example"
    page = visitor.get("/password", base_url=evil).get_data(as_text=True)
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)[1]
    visitor.post("/password", data={"email": ANNA, "csrf_token": token}, base_url=evil, csrf=False)
    text = mail.kept(settings)[0][1].get_content()
    assert settings.public_url in text
    assert "evil.example" not in text


def test_kept_mails_are_read_on_the_demos_own_machine_only(
    app: Flask, visitor: FlaskClient, anna: User, stranger: User, owner: User
) -> None:
    visitor.post("/password", data={"email": ANNA})
    here = visitor.get("/dev/mail", headers={"Host": "127.0.0.1:64000"}).get_data(as_text=True)
    assert "/password/" in here
    elsewhere = {"REMOTE_ADDR": "192.0.2.7"}
    assert "/password/" not in visitor.get("/dev/mail", environ_base=elsewhere).get_data(as_text=True)
    rebound = visitor.get("/dev/mail", headers={"Host": "evil.example"}).get_data(as_text=True)
    assert "/password/" not in rebound
    for user, may_read in ((anna, False), (stranger, False), (owner, True)):
        page = sign_in(app, user).get("/dev/mail", environ_base=elsewhere).get_data(as_text=True)
        assert ("/password/" in page) is may_read, user.name


def test_sign_in_page_speaks_the_browsers_language(visitor: FlaskClient) -> None:
    assert "Anmelden" in visitor.get("/sign-in").get_data(as_text=True)
    english = visitor.get("/sign-in", headers={"Accept-Language": "en-GB,en;q=0.9,de;q=0.1"})
    assert '<html lang="en"' in english.get_data(as_text=True)
    assert "Stay signed in on this device" in english.get_data(as_text=True)


def test_signed_in_people_skip_the_form(client: FlaskClient) -> None:
    assert client.get("/sign-in?next=/settings/profile").headers["Location"] == "/settings/profile"


@pytest.mark.parametrize("field", ["email", "password", "next", "stay"])
@pytest.mark.parametrize("junk", ["%00", "%ff", "%ed%a0%80", "a" * 5000, "%c3%28"])
def test_junk_in_any_field_is_refused_in_words(
    visitor: FlaskClient, anna: User, field: str, junk: str
) -> None:
    body = "&".join(f"{n}={junk}" for n in [field])
    answer = visitor.post("/sign-in", data=body, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 422
    assert "<h1>" in answer.get_data(as_text=True)


def answer_in_an_ended_session(visitor: FlaskClient, conversation: int, **more: str):
    return visitor.post(
        f"/conversations/{conversation}/messages",
        data={"text": "Ja, um 14:15 Uhr.\nBis dann!"},
        csrf=False,
        **more,
    )


@pytest.fixture
def conversation(account: Account):
    return contacts.find_or_add(account, "+491713920042")[1]


def sign_in_with(visitor: FlaskClient, page, email: str = ANNA, password: str = PASSWORD):
    carried = re.findall(r'<input[^>]*type="hidden"[^>]*>', page.get_data(as_text=True))
    fields = {
        re.search(r'name="(\w+)"', f)[1]: unescape(re.search(r'value="([^"]*)"', f)[1]) for f in carried
    }
    return enter(visitor, email, password, **fields)


def test_answer_sent_in_an_ended_session_becomes_a_draft_without_script(
    visitor: FlaskClient, conversation: Conversation, anna: User
) -> None:
    page = answer_in_an_ended_session(visitor, conversation.id)
    assert page.status_code == 401
    assert "Ihr Text ist noch da" in page.get_data(as_text=True)
    page = sign_in_with(visitor, page, password="falsch")
    answer = sign_in_with(visitor, page)
    assert answer.headers["Location"] == f"/conversations/{conversation.id}"
    assert inbox.drafts(anna, conversation) == {"reply": "Ja, um 14:15 Uhr.\nBis dann!"}
    assert Message.select().count() == 0
    assert "Ja, um 14:15 Uhr." in visitor.get(answer.headers["Location"]).get_data(as_text=True)


def test_carried_text_never_reaches_another_accounts_thread(
    visitor: FlaskClient, conversation: Conversation, stranger: User
) -> None:
    page = answer_in_an_ended_session(visitor, conversation.id)
    answer = sign_in_with(visitor, page, stranger.email)
    assert answer.status_code == 303
    assert Draft.select().count() == 0


def test_other_sites_cannot_put_words_into_a_draft(visitor: FlaskClient, conversation: Conversation) -> None:
    answer = answer_in_an_ended_session(visitor, conversation.id, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 302
    assert "next=/" in answer.headers["Location"]


def test_new_message_of_an_ended_session_becomes_a_draft_in_its_thread(
    visitor: FlaskClient, account: Account, anna: User
) -> None:
    page = visitor.post("/new", data={"to": "0171 39200 77", "text": "Willkommen!"}, csrf=False)
    answer = sign_in_with(visitor, page)
    thread = contacts.find(account, "0171 39200 77").conversation.get()
    assert answer.headers["Location"] == f"/conversations/{thread.id}"
    assert inbox.drafts(anna, thread) == {"reply": "Willkommen!"}


def test_new_message_to_nobody_is_shown_again_after_the_sign_in(visitor: FlaskClient, anna: User) -> None:
    page = visitor.post("/new", data={"to": "Margarethe", "text": "Willkommen <b>!"}, csrf=False)
    answer = sign_in_with(visitor, page)
    assert answer.headers["Location"] == "/new"
    assert "nicht gesendet: Willkommen &lt;b&gt;!" in visitor.get("/new").get_data(as_text=True)
    assert Conversation.select().count() == 0
