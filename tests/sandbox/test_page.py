"""The handset page in a real browser: live, audible, keyboard, narrow, dark, English, and without JavaScript."""

import re
from collections.abc import Iterator

import pytest
import requests
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from sms.sandbox import sound
from tests.crowd import PATIENCE
from tests.sandbox.pretend import HERTA, ILSE, KURT, MARGARETHE, OUR_NUMBER, OUR_VOICE, TORSTEN, until

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture
def open_page(chromium, sandbox) -> Iterator:
    contexts, troubles = [], []

    def opened(path="/", **options) -> Page:
        context = chromium.new_context(
            **{"locale": "de-DE", "viewport": {"width": 1440, "height": 900}} | options
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE * 1000)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
        page.goto(sandbox.url + path)
        return page

    yield opened
    for context in contexts:
        context.close()
    unexpected = [t for t in troubles if not re.search("422|net::ERR_", t)]
    assert unexpected == []


@pytest.fixture
def page(open_page) -> Page:
    page = open_page()
    expect(page.get_by_text("live", exact=True)).to_be_visible()
    return page


def phone(page, name):
    return page.locator("section.phone", has=page.get_by_role("heading", name=name))


def speed(page, rate):
    """Let animations and their delays pass so much faster."""
    page.context.new_cdp_session(page).send("Animation.setPlaybackRate", {"playbackRate": rate})


def send(sdk, body, to=MARGARETHE, sender=OUR_NUMBER):
    return sdk.messages.create(to=to, from_=sender, body=body)


def call(sdk, customer, to=ILSE, **more):
    return sdk.calls.create(to=to, from_=OUR_VOICE, url=f"{customer.url}/twiml", **more)


def test_the_three_handsets_lie_there(page):
    names = page.locator("section.phone h2").all_inner_texts()
    assert names == ["Margarethe Schößler", "Torsten Wieczorek", "Ilse Brömmelkamp"]
    assert page.locator("html").get_attribute("lang") == "de"
    expect(phone(page, "Ilse Brömmelkamp")).to_contain_text("00493023125640 · Festnetz")


def test_a_text_arrives_without_a_reload_and_is_answered(page, sdk, customer):
    send(sdk, "Passt Ihnen 14:15?\nGruß <b>Lindner</b>")
    margarethe = phone(page, "Margarethe Schößler")
    expect(margarethe.get_by_role("listitem").last).to_have_text("Passt Ihnen 14:15? Gruß <b>Lindner</b>")
    expect(margarethe.locator(".screen-from")).to_contain_text("0171 39200 10")
    margarethe.get_by_placeholder("SMS").fill("Ja, danke!")
    page.keyboard.press("Enter")
    expect(margarethe.locator("li.mine")).to_have_text("Ja, danke!")
    expect(margarethe.get_by_placeholder("SMS")).to_have_value("")
    [posted] = until(lambda: customer.at("/carriers/sandbox/inbound"))
    assert (posted.form["Body"], posted.form["To"]) == ("Ja, danke!", OUR_NUMBER)
    expect(page.locator("tbody tr").filter(has_text="SMS gesendet")).to_contain_text(
        "Eingang, 10 Zeichen, 1 SMS"
    )


def test_a_draft_stays_with_its_thread_when_another_sender_writes(page, sdk):
    send(sdk, "eins")
    margarethe = phone(page, "Margarethe Schößler")
    expect(margarethe.get_by_text("eins")).to_be_visible()
    field = margarethe.get_by_placeholder("SMS")
    field.fill("noch nicht fer")
    send(sdk, "zwei")
    expect(margarethe.get_by_text("zwei")).to_be_visible()
    send(sdk, "Werbung", sender="MUELLER")
    expect(page.locator("tbody tr").filter(has_text="SMS zugestellt")).to_have_count(3)
    expect(field).to_have_value("noch nicht fer")
    expect(field).to_be_focused()
    expect(margarethe.locator(".screen-from")).to_contain_text("0171 39200 10")
    field.fill("")
    send(sdk, "Werbung 2", sender="MUELLER")
    expect(margarethe.locator(".screen-from")).to_contain_text("nicht antwortfähig")
    margarethe.locator(".screen-from summary").click()
    margarethe.get_by_role("button", name="0171 39200 10").click()
    expect(margarethe.get_by_text("zwei")).to_be_visible()


def test_a_draft_survives_a_call_and_the_tab_says_that_it_rings(page, sdk, customer):
    customer.twiml("/twiml", "<Pause length='60'/>")
    torsten = phone(page, "Torsten Wieczorek")
    torsten.get_by_placeholder("SMS").fill("Mitten im Sa")
    call(sdk, customer, to=TORSTEN)
    torsten.get_by_role("button", name="Annehmen").wait_for()
    assert page.title() == "☎ Ein Telefon klingelt · Telefonnetz · Faden"
    page.keyboard.press("Enter")
    torsten.get_by_role("button", name="Annehmen").click()
    torsten.get_by_role("button", name="Auflegen").click()
    expect(torsten.get_by_placeholder("SMS")).to_have_value("Mitten im Sa")
    expect(page).to_have_title("Telefonnetz · Faden")


def test_a_ringing_landline_is_answered_heard_and_its_keys_work(page, sdk, customer):
    customer.answers["/sprache.wav"] = (sound.tone(30), 200, "audio/wav")
    customer.twiml("/twiml", "<Gather numDigits='1' action='/keys'><Play>/sprache.wav</Play></Gather>")
    customer.twiml("/keys", "<Say language='de-DE'>Sie werden zurückgerufen.</Say><Pause length='30'/>")
    ilse = phone(page, "Ilse Brömmelkamp")
    call(sdk, customer, call_reason="Praxis Dr. Lindner, Sprach-SMS")
    expect(ilse.get_by_role("status")).to_have_text("Klingelt, Versuch 1")
    expect(ilse).to_contain_text("030 23125 100")
    expect(ilse).to_contain_text("Praxis Dr. Lindner, Sprach-SMS")
    with page.expect_request("**/sounds/*.wav"):
        ilse.get_by_role("button", name="Annehmen").click()
    expect(ilse).to_contain_text("Verbunden")
    expect(ilse.locator("time")).to_have_text(re.compile(r"0:0[1-9] / 0:30"))
    assert ilse.locator(".wave path:not(.off)").count() >= 1
    page.keyboard.press("2")
    expect(ilse.locator("mark")).to_have_text("Sie werden zurückgerufen.")
    assert customer.at("/keys")[0].form["Digits"] == "2"
    ilse.get_by_role("button", name="Auflegen").click()
    expect(ilse).to_contain_text("Aufgelegt")
    row = page.locator("tbody tr").filter(has_text="Anruf 1 beendet")
    expect(row).to_contain_text("completed nach")


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_second_press_of_a_double_click_on_answer_is_no_key(open_page, sandbox, sdk, customer, motion):
    customer.twiml("/twiml", "<Gather numDigits='1' action='/keys'><Pause length='60'/></Gather>")
    page = open_page(reduced_motion=motion)
    speed(page, 0.01)
    torsten = phone(page, "Torsten Wieczorek")
    call(sdk, customer, to=TORSTEN)
    answer = torsten.get_by_role("button", name="Annehmen")
    answer.wait_for()
    box = answer.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.click(x, y)
    pad = torsten.locator(".keypad")
    pad.wait_for()
    page.mouse.click(x, y)
    nine = pad.get_by_role("button", name="9")
    key = nine.bounding_box()
    page.mouse.click(key["x"] + 8, key["y"] + 8)
    page.wait_for_timeout(300)
    assert customer.at("/keys") == []
    speed(page, 1)
    nine.click()
    until(lambda: customer.at("/keys"))
    assert customer.at("/keys")[0].form["Digits"] == "9"


def test_a_declined_call_is_engaged_and_the_next_is_attempt_two(page, sdk, customer):
    torsten = phone(page, "Torsten Wieczorek")
    call(sdk, customer, to=TORSTEN)
    torsten.get_by_role("button", name="Ablehnen").click()
    expect(torsten.get_by_role("log")).to_be_visible()
    expect(page.locator("tbody tr").first).to_contain_text("Anruf 1: besetzt")
    call(sdk, customer, to=TORSTEN, timeout=1)
    expect(torsten.get_by_role("status")).to_have_text("Klingelt, Versuch 2")
    expect(page.locator("tbody tr").first).to_contain_text("no-answer nach 1 s")
    expect(torsten.get_by_role("log")).to_be_visible()


def test_ilse_calls_and_leaves_a_message(page, sandbox, customer):
    path = "/carriers/sandbox/voice/incoming"
    customer.twiml(path, "<Say language='de-DE'>Ja?</Say><Record action='/recorded' playBeep='false'/>")
    ilse = phone(page, "Ilse Brömmelkamp")
    ilse.get_by_role("button", name="030 23125 100 anrufen").click()
    said = ilse.get_by_role("textbox", name="Was Sie nach dem Ton sagen")
    expect(said).to_have_accessible_description(
        "Tippen Sie, was Sie nach dem Ton sagen. Aufgenommen wird es als Sprache."
    )
    assert said.evaluate(
        """(field) => {
            const ruler = document.createElement("canvas").getContext("2d");
            ruler.font = getComputedStyle(field).font;
            const room = field.clientWidth - 2 * parseFloat(getComputedStyle(field).paddingLeft);
            return ruler.measureText(field.placeholder).width <= room;
        }"""
    )
    said.fill("Bitte rufen Sie mich zurück.")
    ilse.get_by_role("button", name="Sagen").click()
    expect(ilse).to_contain_text("Aufgelegt")
    [made] = sandbox.phone(ILSE)["calls"]
    assert made["recorded"][0]["seconds"] > 0.5
    assert customer.at("/recorded")[0].form["RecordingUrl"] == made["recorded"][0]["url"]


def test_the_state_is_switched_with_the_keyboard_and_the_focus_stays(page, sandbox):
    margarethe = phone(page, "Margarethe Schößler")
    margarethe.get_by_label("Erreichbar").focus()
    for state in ("busy", "no-network", "off"):
        page.keyboard.press("ArrowRight")
        until(lambda state=state: sandbox.phone(MARGARETHE)["state"] == state)
    expect(margarethe.get_by_label("Aus")).to_be_focused()
    expect(margarethe.get_by_placeholder("Ausgeschaltet")).to_be_disabled()
    sandbox.set(MARGARETHE, state="on")
    expect(margarethe.get_by_label("Erreichbar")).to_be_checked()


def test_a_phone_is_added_and_a_bad_number_is_explained_beside_its_field(page, sandbox):
    page.get_by_text("Telefon", exact=True).click()
    number = page.get_by_label("Rufnummer")
    for typed, sentence in (
        ("0171", "keine Rufnummer"),
        ("110", "keine Rufnummer"),
        ("0043 664 1234567", "deutsche"),
    ):
        number.fill(typed)
        page.keyboard.press("Enter")
        expect(page.locator("#new-error")).to_contain_text(sentence)
        expect(number).to_be_focused()
    number.fill("0171 39200 77")
    page.get_by_label("Name, wenn Sie mögen").fill("Kurt Öhler")
    page.get_by_role("button", name="Hierher legen").click()
    expect(phone(page, "Kurt Öhler")).to_contain_text("00491713920077 · Mobil")
    assert sandbox.phone(KURT)["answer"] == "manual"
    phone(page, "Kurt Öhler").get_by_label("Verhalten").click()
    phone(page, "Kurt Öhler").get_by_role("button", name="Wegräumen").click()
    expect(page.locator("section.phone")).to_have_count(3)


def test_behaviour_is_set_and_bad_keys_are_explained(page, sandbox):
    ilse = phone(page, "Ilse Brömmelkamp")
    ilse.get_by_label("Verhalten des Telefons").click()
    ilse.get_by_label("Anrufe", exact=True).select_option("Hebt von selbst ab")
    ilse.get_by_label("Zustellberichte").select_option("Verspätet")
    ilse.get_by_label("Tasten, die es drückt").fill("1x")
    ilse.get_by_role("button", name="Übernehmen").click()
    expect(ilse.get_by_role("alert").filter(has_text="Nur Tasten")).to_be_visible()
    ilse.get_by_label("Tasten, die es drückt").fill("19")
    ilse.get_by_role("button", name="Übernehmen").click()
    expect(ilse.get_by_label("Anrufe", exact=True)).to_be_hidden()
    set_to = sandbox.phone(ILSE)
    assert (set_to["answer"], set_to["reports"], set_to["digits"]) == ("auto", "late", "19")


def test_the_page_says_when_it_is_not_connected_and_catches_up(page, sandbox, sdk):
    sandbox.stop()
    expect(page.get_by_text("nicht verbunden")).to_be_visible()
    sandbox.start()
    send(sandbox.client(), "Wieder da")
    expect(page.get_by_text("live", exact=True)).to_be_visible()
    expect(phone(page, "Margarethe Schößler").get_by_text("Wieder da")).to_be_visible()


def test_columns_of_the_events_stay_where_they_are(page, sdk):
    def edges():
        return [round(th.bounding_box()["x"]) for th in page.locator(".log th").all()]

    send(sdk, "x")
    expect(page.get_by_text("SMS zugestellt")).to_be_visible()
    before = edges()
    sdk.messages.create(to=KURT, from_="ABSENDERNAM", body="Ein langer Text. " * 40)
    expect(page.locator("tbody tr").filter(has_text="00491713920077").first).to_be_visible()
    assert edges() == before


def test_events_are_cleared(page, sdk):
    send(sdk, "x")
    expect(page.get_by_text("SMS zugestellt")).to_be_visible()
    page.get_by_role("button", name="Leeren").click()
    expect(page.get_by_text("Noch ist nichts geschehen.")).to_be_visible()


def test_without_javascript_texts_are_read_and_sent_and_errors_are_shown(open_page, sandbox, sdk, customer):
    send(sdk, "Ohne Skript")
    until(lambda: sandbox.phone(MARGARETHE)["messages"])
    page = open_page(java_script_enabled=False)
    margarethe = phone(page, "Margarethe Schößler")
    expect(margarethe.get_by_text("Ohne Skript")).to_be_visible()
    margarethe.get_by_placeholder("SMS").fill("Geht auch so")
    margarethe.get_by_role("button", name="SMS senden").click()
    expect(phone(page, "Margarethe Schößler").locator("li.mine")).to_have_text("Geht auch so")
    assert page.url.endswith("#p00491713920042")
    page.locator(".add-phone summary").click()
    page.get_by_label("Rufnummer").fill("12")
    page.get_by_role("button", name="Hierher legen").click()
    expect(page.locator("#new-error")).to_contain_text("keine Rufnummer")


def test_english_by_the_browsers_language_and_by_choice(open_page):
    page = open_page(locale="en-GB")
    expect(page.get_by_role("heading", level=1)).to_have_text("Phone network")
    page.get_by_role("link", name="Deutsch").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Telefonnetz")
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("Telefonnetz")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_nothing_and_nothing_scrolls_sideways(open_page, sandbox, sdk, customer, width, scheme):
    customer.twiml("/twiml", "<Say language='de-DE'>Guten Tag, Frau Brömmelkamp.</Say><Pause length='60'/>")
    send(sdk, "Guten Tag")
    call(sdk, customer, to=TORSTEN)
    call(sdk, customer, to=ILSE)
    sandbox.set(HERTA, state="off")
    page = open_page(viewport={"width": width, "height": 844}, color_scheme=scheme, reduced_motion="reduce")
    phone(page, "Ilse Brömmelkamp").get_by_role("button", name="Annehmen").click()
    expect(phone(page, "Ilse Brömmelkamp").locator(".said")).to_contain_text("Guten Tag")
    page.locator(".add-phone summary").click()
    for _ in range(2):
        found = Axe().run(page, options={"runOnly": RULES})
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.keyboard.press("Escape")
        phone(page, "Margarethe Schößler").get_by_label("Verhalten").click()


def test_every_answer_forbids_scripts_and_styles_from_elsewhere(sandbox):
    policy = requests.get(sandbox.url, timeout=5).headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    html = requests.get(sandbox.url, timeout=5).text
    assert " style=" not in html
    assert not re.search(r"<script(?![^>]*src=)", html)
