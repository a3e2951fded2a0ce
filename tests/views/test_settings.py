"""The setup, as its owner uses it: without JavaScript, with every refusal beside its field."""

import re
import socket
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient

from sms import accounts, clock, labelling, senders, suppression, template_texts
from sms.config import Settings
from sms.mail import kept
from sms.models import Account, ApiKey, Label, Sender, Suppression, Template, User
from tests.conftest import PASSWORD, Program, sign_in


@pytest.fixture
def browser(owner_client: FlaskClient) -> FlaskClient:
    """The owner's browser."""
    return owner_client


def text(answer) -> str:
    """The words of an answer, tags gone and blanks joined."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", answer.get_data(as_text=True)))


def error_at(answer, field: str) -> str:
    """The error sentence that the control `field` is described by."""
    html = answer.get_data(as_text=True)
    control = re.search(rf'<(?:input|textarea|select)[^>]*id="{field}"[^>]*>', html)
    assert control, field
    assert 'aria-invalid="true"' in control[0]
    assert f"{field}-e" in re.search(r'aria-describedby="([^"]*)"', control[0])[1].split()
    return re.sub(r"<[^>]+>", "", re.search(rf'id="{field}-e">(.*?)</p>', html, re.DOTALL)[1]).strip()


def test_every_page_of_the_setup_is_well_made(app: Flask, operator: User, account: Account) -> None:
    senders.add_name(account, "DrLindner", "Doktor Lindner")
    template_texts.save(account, "Rezept", "Ihr Rezept liegt bereit, {name}. Grüße 😀")
    labelling.save(account, "Technik", 2)
    suppression.suppress(account, "+491713920054", "sms", "STOPP")
    browser = sign_in(app, operator)
    for language in ("de", "en"):
        browser.post("/settings/quick", data={"locale": language})
        for page in (
            "profile", "account", "team", "carriers", "senders", "templates", "labels", "opt-outs", "interface",
            "senders/1", "templates/1", "labels/1",
        ):  # fmt: skip
            answer = browser.get(f"/settings/{page}")
            assert answer.status_code == 200, page
            assert f'<html lang="{language}"' in answer.get_data(as_text=True)


def test_agents_see_their_profile_and_nothing_else(client: FlaskClient) -> None:
    assert client.get("/settings").headers["Location"] == "/settings/profile"
    menu = re.search(
        r'class="subnav".*?</nav>', client.get("/settings/profile").get_data(as_text=True), re.DOTALL
    )
    assert re.findall(r'href="([^"]+)"', menu[0]) == ["/settings/profile"]


def test_owners_see_the_account_but_not_the_carriers(browser: FlaskClient) -> None:
    assert browser.get("/settings").headers["Location"] == "/settings/account"
    assert "/settings/carriers" not in browser.get("/settings/account").get_data(as_text=True)


# Profile


def test_profile_is_saved_and_says_so(client: FlaskClient, anna: User) -> None:
    client.post("/settings/profile", data={"name": "Anna Weber-Groß", "locale": "en", "theme": "dark"})
    saved = User.get_by_id(anna.id)
    assert (saved.name, saved.locale, saved.theme) == ("Anna Weber-Groß", "en", "dark")
    assert "Saved." in text(client.get("/settings/profile"))


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("", "Bitte füllen Sie dieses Feld aus."),
        ("   ", "Bitte füllen Sie dieses Feld aus."),
        ("A" * 101, "Zu lang: höchstens 100 Zeichen."),
        ("Anna\x07Weber", "Hier steht ein Zeichen, das man weder sehen noch senden kann."),
    ],
)
def test_bad_name_is_told_at_its_field_and_kept(
    client: FlaskClient, anna: User, name: str, sentence: str
) -> None:
    answer = client.post("/settings/profile", data={"name": name})
    assert answer.status_code == 422
    assert error_at(answer, "name").startswith(sentence)
    assert User.get_by_id(anna.id).name == "Anna Weber"


def test_unknown_language_and_theme_are_not_taken(client: FlaskClient, anna: User) -> None:
    assert client.post("/settings/profile", data={"name": "A", "locale": "xx"}).status_code == 422
    client.post("/settings/quick", data={"locale": "xx", "theme": "pink"})
    assert (User.get_by_id(anna.id).locale, User.get_by_id(anna.id).theme) == (None, None)


# Account

ACCOUNT = {
    "name": "Praxis am Park",
    "zone": "Europe/Vienna",
    "locale": "en",
    "region": "AT",
    "daily_parts": "2.500",
}


def test_account_is_saved(browser: FlaskClient, account: Account) -> None:
    assert browser.post("/settings/account", data=ACCOUNT).status_code == 303
    saved = Account.get_by_id(account.id)
    assert (saved.name, saved.zone, saved.locale, saved.region) == (
        "Praxis am Park",
        "Europe/Vienna",
        "en",
        "AT",
    )
    assert saved.daily_parts == 2500
    assert not saved.gtts_consent


def test_google_speaks_only_where_the_owner_has_agreed_to_clear_words(
    browser: FlaskClient, account: Account
) -> None:
    page = text(browser.get("/settings/account"))
    assert "geht der ganze Text jeder Sprachnachricht an Server von Google" in page
    browser.post("/settings/account", data={**ACCOUNT, "gtts_consent": "y"})
    assert Account.get_by_id(account.id).gtts_consent
    browser.post("/settings/account", data=ACCOUNT)
    assert not Account.get_by_id(account.id).gtts_consent


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("zone", "Europe/Bielefeld"),
        ("zone", "../../etc/passwd"),
        ("locale", "xx"),
        ("region", "ZZ"),
        ("daily_parts", "viele"),
        ("daily_parts", "-1"),
        ("daily_parts", "9" * 40),
        ("daily_parts", "٣"),
        ("daily_parts", ""),
    ],
)
def test_bad_account_setting_is_told_at_its_field(
    browser: FlaskClient, account: Account, field: str, value: str
) -> None:
    answer = browser.post("/settings/account", data={**ACCOUNT, field: value})
    assert answer.status_code == 422
    assert error_at(answer, field)
    assert Account.get_by_id(account.id).name == "Praxis Dr. Lindner"


def test_quiet_hours_are_saved_shown_and_taken_away(browser: FlaskClient, account: Account) -> None:
    page = browser.get("/settings/account").get_data(as_text=True)
    assert re.search(r'<input[^>]*id="text_from"[^>]*value="20:00"', page)
    form = {"text_from": "21.30 Uhr", "text_to": "7", "voice_from": "", "voice_to": ""}
    assert browser.post("/settings/account/quiet-hours", data=form).status_code == 303
    saved = Account.get_by_id(account.id)
    assert (saved.quiet_text, saved.quiet_voice) == ("21:30-07:00", "")
    page = browser.get("/settings/account").get_data(as_text=True)
    assert re.search(r'<input[^>]*id="text_to"[^>]*value="07:00"', page)
    assert re.search(r'<input[^>]*id="voice_to"[^>]*value=""', page)


QUIET = {"text_from": "20:00", "text_to": "08:00", "voice_from": "20:00", "voice_to": "08:00"}


@pytest.mark.parametrize(
    ("change", "field", "sentence"),
    [
        ({"text_from": ""}, "text_from", "Bitte geben Sie beide Uhrzeiten an"),
        ({"voice_to": " "}, "voice_from", "Bitte geben Sie beide Uhrzeiten an"),
        ({"voice_to": "24:00"}, "voice_from", "Das ist keine Uhrzeit wie 20:00."),
        ({"text_to": "8 bis 9"}, "text_from", "Das ist keine Uhrzeit wie 20:00."),
        ({"text_to": "8:60"}, "text_from", "Das ist keine Uhrzeit wie 20:00."),
        ({"text_to": "٠٨:٠٠"}, "text_from", "Das ist keine Uhrzeit wie 20:00."),
        ({"text_to": "19:00"}, "text_from", "Anfang und Ende sind gleich."),
    ],
)
def test_bad_quiet_hours_are_told_at_their_field_and_change_nothing(
    browser: FlaskClient, account: Account, change: dict[str, str], field: str, sentence: str
) -> None:
    answer = browser.post("/settings/account/quiet-hours", data={**QUIET, "text_from": "19:00", **change})
    assert answer.status_code == 422
    assert error_at(answer, field).startswith(sentence)
    assert Account.get_by_id(account.id).quiet_text == "20:00-08:00"


def test_prices_are_saved_as_typed_shown_and_taken_away(browser: FlaskClient, account: Account) -> None:
    form = {"price_part": "0,075 €", "price_minute": "10 ct"}
    assert browser.post("/settings/account/prices", data=form).status_code == 303
    saved = Account.get_by_id(account.id)
    assert (saved.price_part, saved.price_minute) == (7_500, 10_000)
    page = browser.get("/settings/account").get_data(as_text=True)
    assert re.search(r'<input[^>]*id="price_part"[^>]*value="0,075"', page)
    assert re.search(r'<input[^>]*id="price_minute"[^>]*value="0,10"', page)
    browser.post("/settings/quick", data={"locale": "en"})
    page = browser.get("/settings/account").get_data(as_text=True)
    assert re.search(r'<input[^>]*id="price_part"[^>]*value="0.075"', page)
    assert (
        browser.post("/settings/account/prices", data={"price_part": "", "price_minute": " "}).status_code
        == 303
    )
    saved = Account.get_by_id(account.id)
    assert (saved.price_part, saved.price_minute) == (None, None)


def test_a_bad_price_is_told_at_its_field_and_changes_nothing(browser: FlaskClient, account: Account) -> None:
    answer = browser.post(
        "/settings/account/prices", data={"price_part": "0,08", "price_minute": "zehn Cent"}
    )
    assert answer.status_code == 422
    assert (
        error_at(answer, "price_minute") == "Das ist kein Preis von 0 bis 100 Euro, wie zum Beispiel 0,075."
    )
    page = answer.get_data(as_text=True)
    assert 'value="zehn Cent"' in page
    assert 'value="0,08"' in page
    assert Account.get_by_id(account.id).price_part is None


@pytest.mark.parametrize(("locale", "shown"), [("de", "03.05., 16:07"), ("en", "3 May, 16:07")])
def test_moments_in_tables_are_days_and_hours_as_in_the_inbox(
    app: Flask, owner: User, locale: str, shown: str
) -> None:
    clock.shift(datetime(2027, 5, 4, 10, tzinfo=UTC) - clock.now())
    User.update(locale=locale, signed_in_at=datetime(2027, 5, 3, 14, 7, tzinfo=UTC)).execute()
    page = text(sign_in(app, owner).get("/settings/team"))
    assert shown in page


# Team


def test_invited_colleague_sets_a_password_and_is_in(
    browser: FlaskClient, app: Flask, settings: Settings, account: Account
) -> None:
    answer = browser.post(
        "/settings/team", data={"email": "Miriam@Praxis.example", "name": "Miriam Aydın", "role": "agent"}
    )
    assert answer.status_code == 201
    link = re.search(r'value="(http[^"]+/password/[^"]+)"', answer.get_data(as_text=True))[1]
    _name, invitation = kept(settings)[0]
    assert invitation["To"] == "miriam@praxis.example"
    assert "Dr. Maria Lindner lädt Sie ein" in invitation.get_content()
    assert link in invitation.get_content()
    miriam = User.get(User.email == "miriam@praxis.example")
    assert (miriam.account_id, miriam.role, miriam.password_hash) == (account.id, "agent", None)
    phone = sign_in(app, miriam)
    phone.delete_cookie("faden")
    assert phone.post(link.partition("64000")[2], data={"password": "bunte Wolle 12"}).status_code == 303
    assert phone.get("/settings/profile").status_code == 200


def test_link_of_an_invitation_is_shown_once(browser: FlaskClient) -> None:
    browser.post("/settings/team", data={"email": "miriam@praxis.example", "role": "agent"})
    assert "/password/" not in browser.get("/settings/team").get_data(as_text=True)


def test_link_for_a_colleague_with_a_password_is_mailed_and_shown_to_nobody(
    browser: FlaskClient, settings: Settings, anna: User
) -> None:
    answer = browser.post(f"/settings/team/{anna.id}/link")
    assert answer.status_code == 200
    assert "/password/" not in answer.get_data(as_text=True)
    assert "/password/" in kept(settings)[0][1].get_content()


def test_failed_mail_is_told_and_the_link_still_shown(
    app: Flask, browser: FlaskClient, settings: Settings
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    app.extensions["faden"] = replace(settings, mail_url=f"smtp://127.0.0.1:{port}")
    answer = browser.post("/settings/team", data={"email": "miriam@praxis.example", "role": "agent"})
    assert "Die Mail ließ sich nicht senden. Bitte geben Sie den Link selbst weiter." in text(answer)
    assert "/password/" in answer.get_data(as_text=True)


@pytest.mark.parametrize(
    ("email", "sentence"),
    [
        ("", "Bitte füllen Sie dieses Feld aus."),
        ("miriam", "Das ist keine E-Mail-Adresse."),
        ("a@b@c.example", "Das ist keine E-Mail-Adresse."),
        ("a b@c.example", "Das ist keine E-Mail-Adresse."),
        ("x\r\nBcc: y@z.example", "Das ist keine E-Mail-Adresse."),
        ("m" * 300 + "@praxis.example", "Das ist keine E-Mail-Adresse."),
        ("anna.weber@praxis-lindner.example", "Mit dieser Adresse meldet sich schon jemand an."),
        ("kai.brandt@autohaus.example", "Mit dieser Adresse meldet sich schon jemand an."),
    ],
)
def test_bad_address_is_told_at_its_field(browser: FlaskClient, email: str, sentence: str) -> None:
    people = User.select().count()
    answer = browser.post("/settings/team", data={"email": email, "role": "agent"})
    assert answer.status_code == 422
    assert error_at(answer, "email") == sentence
    assert User.select().count() == people


def test_owners_cannot_make_operators(browser: FlaskClient, anna: User, operator: User) -> None:
    assert (
        browser.post("/settings/team", data={"email": "x@y.example", "role": "operator"}).status_code == 422
    )
    assert browser.post(f"/settings/team/{anna.id}/role", data={"role": "operator"}).status_code == 422
    assert browser.post(f"/settings/team/{operator.id}/role", data={"role": "agent"}).status_code == 422
    assert browser.post(f"/settings/team/{operator.id}/out").status_code == 422
    assert browser.post(f"/settings/team/{operator.id}/link").status_code == 422
    assert {User.get_by_id(anna.id).role, User.get_by_id(operator.id).role} == {"agent", "operator"}


def test_role_changes_at_once(browser: FlaskClient, app: Flask, anna: User) -> None:
    hers = sign_in(app, anna)
    assert hers.get("/settings/senders").status_code == 403
    assert browser.post(f"/settings/team/{anna.id}/role", data={"role": "owner"}).status_code == 303
    assert hers.get("/settings/senders").status_code == 200


def test_nobody_locks_herself_out(browser: FlaskClient, owner: User) -> None:
    assert browser.post(f"/settings/team/{owner.id}/out").status_code == 422
    assert browser.post(f"/settings/team/{owner.id}/role", data={"role": "agent"}).status_code == 422
    assert User.get_by_id(owner.id).role == "owner"


def test_account_keeps_an_owner_who_can_sign_in(owner: User, operator: User) -> None:
    from sms.refusal import Refused

    accounts.set_role(operator, "agent")
    with pytest.raises(Refused, match="last_owner"):
        accounts.set_role(User.get_by_id(owner.id), "agent")
    with pytest.raises(Refused, match="last_owner"):
        accounts.deactivate(User.get_by_id(owner.id))


def test_locked_out_colleague_is_let_in_again(browser: FlaskClient, anna: User) -> None:
    browser.post(f"/settings/team/{anna.id}/out")
    assert "gesperrt" in text(browser.get("/settings/team"))
    assert not accounts.verify_password(User.get_by_id(anna.id), PASSWORD)
    browser.post(f"/settings/team/{anna.id}/in")
    assert accounts.verify_password(User.get_by_id(anna.id), PASSWORD)


# Senders


def test_name_is_added_and_tells_what_a_recipient_can_do(browser: FlaskClient, account: Account) -> None:
    answer = browser.post(
        "/settings/senders", data={"kind": "name", "value": "DrLindner", "spoken": "Doktor Lindner"}
    )
    assert answer.status_code == 303
    row = re.search(
        r"DrLindner</strong>.*?</tr>", browser.get("/settings/senders").get_data(as_text=True), re.DOTALL
    )
    words = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", row[0]))
    assert "9 von 11 Zeichen" in words
    assert "gesprochen „Doktor Lindner“" in words
    assert "nicht möglich" in words


def test_umlaut_is_refused_with_a_name_that_would_do_one_press_away(
    browser: FlaskClient, account: Account
) -> None:
    answer = browser.post("/settings/senders", data={"kind": "name", "value": "Müller"})
    assert answer.status_code == 422
    assert error_at(answer, "value") == "„ü“ ist nicht zugelassen. MUELLER nehmen"
    assert 'name="take" value="MUELLER"' in answer.get_data(as_text=True)
    browser.post("/settings/senders", data={"kind": "name", "value": "Müller", "take": "MUELLER"})
    assert Sender.get(Sender.account == account).value == "MUELLER"


def test_everything_that_is_wrong_with_a_name_is_said(browser: FlaskClient) -> None:
    answer = browser.post("/settings/senders", data={"kind": "name", "value": "Zähne Lindner"})
    assert error_at(answer, "value").startswith(
        "13 Zeichen, erlaubt sind 11. „ä“ und das Leerzeichen sind nicht zugelassen."
    )
    assert 'value="Zähne Lindner"' in answer.get_data(as_text=True)


@pytest.mark.parametrize(
    ("kind", "value", "sentence"),
    [
        ("name", "", "Bitte geben Sie einen Absender an."),
        ("name", "12345", "Ziffern allein sind kein Name"),
        ("name", "+", "„+“ ist nicht zugelassen."),
        ("name", "A" * 5000, "5000 Zeichen, erlaubt sind 11."),
        ("number", "", "Bitte füllen Sie dieses Feld aus."),
        ("number", "abc", "In dieser Telefonnummer stehen Buchstaben."),
        ("number", "110", "Notrufnummern"),
        ("number", "0171 3920010", "Diese Nummer gehört zum Pool"),
        ("number", "0171 3920055", "Diese Nummer ist bei keinem Anbieter dieser Installation eingerichtet."),
    ],
)
def test_bad_sender_is_told_at_its_field(
    browser: FlaskClient, account: Account, kind: str, value: str, sentence: str
) -> None:
    answer = browser.post("/settings/senders", data={"kind": kind, "value": value})
    assert answer.status_code == 422
    assert error_at(answer, "value").startswith(sentence)
    assert not Sender.select().where(Sender.account == account).exists()


def test_same_sender_twice_is_told(browser: FlaskClient) -> None:
    browser.post("/settings/senders", data={"kind": "name", "value": "DrLindner"})
    answer = browser.post("/settings/senders", data={"kind": "name", "value": "DrLindner"})
    assert error_at(answer, "value") == "Diesen Absender gibt es schon."


def test_operator_vouches_for_an_own_mobile(app: Flask, operator: User, account: Account) -> None:
    answer = sign_in(app, operator).post(
        "/settings/senders", data={"kind": "number", "value": "0171 39200 55"}
    )
    assert answer.status_code == 303
    assert Sender.get(Sender.account == account).kind == "own_mobile"


def test_number_of_a_carrier_belongs_to_one_account(
    app: Flask, account: Account, other_account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    from sms import exchange
    from sms.exchange import OurNumber
    from sms.refusal import Refused

    own = OurNumber("+491713920077", "sandbox", sms=True, voice=False, pool=False)
    monkeypatch.setattr(exchange, "_exchange", replace(exchange.current(), numbers=(own,)))
    sender = senders.add_number(account, "0171 3920077")
    assert sender.kind == "virtual"
    assert senders.reach(sender) == senders.Reach(can_reply=True, can_call=False)
    with pytest.raises(Refused, match="number_elsewhere"):
        senders.add_number(other_account, "0171 3920077")


def test_default_sender_is_one_of_them_or_the_pool(browser: FlaskClient, account: Account) -> None:
    first, second = senders.add_name(account, "DrLindner"), senders.add_name(account, "Praxis")
    for chosen in (first, second):
        browser.post(f"/settings/senders/{chosen.id}/default")
        assert [s.id for s in Sender.select().where(Sender.is_default)] == [chosen.id]
    browser.post("/settings/senders/pool/default")
    assert not Sender.select().where(Sender.is_default).exists()


def test_spoken_form_is_in_the_announcement(browser: FlaskClient, account: Account) -> None:
    sender = senders.add_name(account, "MUELLER")
    browser.post(f"/settings/senders/{sender.id}", data={"spoken": " Müller "})
    assert Sender.get_by_id(sender.id).spoken == "Müller"
    page = text(browser.get(f"/settings/senders/{sender.id}"))
    assert (
        "„Guten Tag. Sie haben eine Sprach-SMS von Müller erhalten, die Ihnen nun vorgelesen wird.“" in page
    )


def test_too_long_spoken_form_is_told_at_its_field(browser: FlaskClient, account: Account) -> None:
    sender = senders.add_name(account, "MUELLER")
    answer = browser.post(f"/settings/senders/{sender.id}", data={"spoken": "M" * 61})
    assert error_at(answer, "spoken") == "Zu lang: höchstens 60 Zeichen."


def test_announcement_can_be_heard(browser: FlaskClient) -> None:
    answer = browser.get("/settings/senders/preview.wav?spoken=Müller")
    assert answer.status_code == 200
    assert answer.mimetype == "audio/wav"
    assert answer.data[:4] == b"RIFF"
    assert len(answer.data) > 16_000 * 3
    assert browser.get("/settings/senders/preview.wav?spoken=" + "M" * 61).status_code == 422


def test_removed_sender_is_gone(browser: FlaskClient, account: Account) -> None:
    sender = senders.add_name(account, "DrLindner")
    browser.post(f"/settings/senders/{sender.id}/remove")
    assert not Sender.select().exists()
    assert browser.get(f"/settings/senders/{sender.id}").status_code == 404


# Templates


def test_template_is_added_changed_and_removed(browser: FlaskClient, account: Account) -> None:
    browser.post(
        "/settings/templates", data={"name": "Termin", "text": "Ihr Termin am {datum}\r\num {zeit}."}
    )
    row = Template.get(Template.account == account)
    assert row.text == "Ihr Termin am {datum}\num {zeit}."
    browser.post(f"/settings/templates/{row.id}", data={"name": "Termin", "text": "Neu"})
    assert Template.get_by_id(row.id).text == "Neu"
    browser.post(f"/settings/templates/{row.id}/remove")
    assert not Template.select().exists()


@pytest.mark.parametrize(
    ("data", "field", "sentence"),
    [
        ({"name": "", "text": "x"}, "name", "Bitte füllen Sie dieses Feld aus."),
        ({"name": "N" * 61, "text": "x"}, "name", "Zu lang: höchstens 60 Zeichen."),
        ({"name": "N", "text": " "}, "text", "Bitte füllen Sie dieses Feld aus."),
        ({"name": "N", "text": "x" * 1501}, "text", "Zu lang: höchstens 1500 Zeichen."),
        ({"name": "N", "text": "a\x07b"}, "text", "Hier steht ein Zeichen, das man weder sehen"),
        ({"name": "REZEPT", "text": "x"}, "name", None),
    ],
)
def test_bad_template_is_told_at_its_field_and_kept(
    browser: FlaskClient, account: Account, data: dict[str, str], field: str, sentence: str | None
) -> None:
    template_texts.save(account, "Rezept", "Ihr Rezept liegt bereit.")
    answer = browser.post("/settings/templates", data=data)
    if sentence is None:
        assert answer.status_code == 303
        return
    assert answer.status_code == 422
    assert error_at(answer, field).startswith(sentence)


def test_same_template_name_twice_is_told(browser: FlaskClient, account: Account) -> None:
    template_texts.save(account, "Rezept", "Ihr Rezept liegt bereit.")
    answer = browser.post("/settings/templates", data={"name": "Rezept", "text": "Anders"})
    assert error_at(answer, "name") == "Diesen Namen gibt es schon."
    assert "Anders</textarea>" in answer.get_data(as_text=True)


def test_two_accounts_may_use_the_same_name(account: Account, other_account: Account) -> None:
    template_texts.save(account, "Rezept", "A")
    template_texts.save(other_account, "Rezept", "B")
    assert [t.text for t in template_texts.listing(account)] == ["A"]


def test_meter_counts_as_the_bill_does(browser: FlaskClient) -> None:
    def cost(typed: str) -> str:
        return text(browser.post("/settings/templates/meter", data={"text": typed})).strip()

    assert cost("a" * 160) == "160 von 1.500 Zeichen · 1 SMS"
    assert cost("a" * 161) == "161 von 1.500 Zeichen · 2 SMS"
    assert cost("a" * 70 + "”") == "71 von 1.500 Zeichen · 2 SMS · teurer wegen ”"
    assert cost("Hallo {name}").endswith("name")


# Labels


def test_label_is_added_changed_and_removed(browser: FlaskClient, account: Account) -> None:
    browser.post("/settings/labels", data={"name": " Termin  wunsch ", "dye": "3"})
    row = Label.get(Label.account == account)
    assert (row.name, row.dye) == ("Termin wunsch", 3)
    browser.post(f"/settings/labels/{row.id}", data={"name": "Technik", "dye": "77"})
    assert (Label.get_by_id(row.id).name, Label.get_by_id(row.id).dye) == ("Technik", 1)
    browser.post(f"/settings/labels/{row.id}/remove")
    assert not Label.select().exists()


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("", "Bitte füllen Sie dieses Feld aus."),
        ("L" * 41, "Zu lang: höchstens 40 Zeichen."),
        ("Technik", "Diesen Namen gibt es schon."),
        ("a\x07b", "Hier steht ein Zeichen, das man weder sehen"),
    ],
)
def test_bad_label_is_told_at_its_field(
    browser: FlaskClient, account: Account, name: str, sentence: str
) -> None:
    labelling.save(account, "Technik", 1)
    answer = browser.post("/settings/labels", data={"name": name})
    assert error_at(answer, "name").startswith(sentence)


# Opt-outs


def test_number_is_blocked_in_any_spelling_and_allowed_again(browser: FlaskClient, account: Account) -> None:
    browser.post("/settings/opt-outs", data={"number": "0171/39200-54"})
    row = Suppression.get(Suppression.account == account)
    assert (row.number, row.source) == ("+491713920054", "agent")
    page = text(browser.get("/settings/opt-outs"))
    assert "0171 39200 54" in page
    assert "durch das Team" in page
    browser.post(f"/settings/opt-outs/{row.id}/remove")
    assert not suppression.is_suppressed(account, "+491713920054")


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        ("", "Bitte füllen Sie dieses Feld aus."),
        ("Anna", "In dieser Telefonnummer stehen Buchstaben."),
        ("9" * 300, "Diese Telefonnummer ist zu lang."),
    ],
)
def test_bad_number_is_told_at_its_field(browser: FlaskClient, number: str, sentence: str) -> None:
    answer = browser.post("/settings/opt-outs", data={"number": number})
    assert error_at(answer, "number") == sentence


# Interface


def test_key_is_shown_once_opens_the_interface_and_can_be_revoked(browser: FlaskClient, app: Flask) -> None:
    answer = browser.post("/settings/interface", data={"name": "Kalender"})
    assert answer.status_code == 201
    key = re.search(r'id="new-key"[^>]* value="(fdn_[^"]+)"', answer.get_data(as_text=True))[1]
    assert key not in browser.get("/settings/interface").get_data(as_text=True)
    assert ApiKey.select().where(ApiKey.digest == key).count() == 0
    app.test_client_class = None
    program = Program(app.test_client(), key)
    assert program.get("/api/v1/messages").status_code == 200
    browser.post(f"/settings/interface/{ApiKey.get(ApiKey.name == 'Kalender').id}/revoke")
    assert program.get("/api/v1/messages").status_code == 401
    assert "widerrufen" in text(browser.get("/settings/interface"))


def test_key_needs_a_name(browser: FlaskClient) -> None:
    assert error_at(browser.post("/settings/interface", data={"name": " "}), "name")


def test_interface_names_the_addresses_for_the_carriers(browser: FlaskClient, settings: Settings) -> None:
    page = text(browser.get("/settings/interface"))
    for path in ("inbound", "status", "voice/incoming"):
        assert f"{settings.public_url}/carriers/sandbox/{path}" in page


# Carriers


def test_operator_sees_that_a_carrier_does_not_answer(app: Flask, operator: User) -> None:
    answer = sign_in(app, operator).post("/settings/carriers/sandbox/probe")
    assert answer.status_code == 200
    assert "antwortet nicht, wie er sollte" in text(answer)
    assert sign_in(app, operator).post("/settings/carriers/nobody/probe").status_code == 404
