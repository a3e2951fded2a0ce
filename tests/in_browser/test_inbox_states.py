"""The answer field in its states, as the style guide draws them, and again nothing for axe to find."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from sms import contacts, sending
from tests.in_browser import morning
from tests.in_browser.conftest import connected, shot
from tests.views.practice import write_in


@pytest.fixture
def talk(site, account):
    number = morning.fresh_number()
    talk = contacts.find_or_add(account, number, "Margarethe Schößler")[1]
    write_in("Haben Sie morgen noch etwas frei?", number)
    return talk


def check(page, name):
    shot(page, f"inbox-state-{name}")
    found = Axe().run(page)
    assert not found.response["violations"], found.generate_report()


def conflict(page, talk, anna, jonas):
    page.locator("#answer").fill("14:15 Uhr ist noch frei.")
    sending.reply(talk, "Ja, 14:15 Uhr ist für Sie reserviert.", by=jonas)
    expect(page.locator("#thread")).to_contain_text("für Sie reserviert")
    page.locator("#answer").press("Control+Enter")
    expect(page.locator(".composer-conflict")).to_be_visible()


def locked(page, talk, anna, jonas):
    write_in("STOP", talk.contact.number)
    expect(page.locator("#composer.is-locked")).to_be_visible()


def note(page, talk, anna, jonas):
    page.keyboard.press("n")
    expect(page.locator("#note")).to_be_focused()
    page.keyboard.type("@Jonas bitte im Labor nachfragen.")


def wrong(page, talk, anna, jonas):
    page.locator("#answer").fill("Guten Tag {Anrede}")
    page.locator("#answer").press("Control+Enter")
    expect(page.locator(".composer-error")).to_be_visible()


def unicode(page, talk, anna, jonas):
    page.locator("#answer").fill("Grüße an Frau Doğan und einen schönen Feierabend, bis morgen früh um acht!")
    expect(page.locator("#meter.over")).to_be_visible()


def undo(page, talk, anna, jonas):
    page.locator("#answer").fill("Ja, um 14:15 Uhr.")
    page.locator("#answer").press("Control+Enter")
    expect(page.locator("[data-undo]")).to_be_visible()


def menus(page, talk, anna, jonas):
    page.locator("#menu-send > summary").click()
    page.locator("#menu-date > summary").click()


def labels(page, talk, anna, jonas):
    page.keyboard.press("l")
    expect(page.locator("#menu-label input[name=add]")).to_be_visible()


def keys(page, talk, anna, jonas):
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()


def offline(page, talk, anna, jonas):
    page.context.set_offline(True)
    expect(page.locator("#offline")).to_be_visible()


def editing(page, talk, anna, jonas):
    from datetime import timedelta

    from sms.clock import now

    sending.reply(talk, "Bis morgen!", by=anna, send_at=now() + timedelta(days=1))
    page.get_by_role("link", name="Bearbeiten", exact=True).click()
    expect(page.locator(".edit-form")).to_be_visible()


def filters(page, talk, anna, jonas):
    page.locator("#filter > summary").click()


def blocking(page, talk, anna, jonas):
    page.locator("#menu-block > summary").click()


def withdrawn(page, talk, anna, jonas):
    undo(page, talk, anna, jonas)
    page.locator("[data-undo]").click()
    expect(page.locator(".is-withdrawn")).to_be_visible()


def searching(page, talk, anna, jonas):
    page.locator("#q").fill("morgen noch")
    expect(page.locator("#rows mark").first).to_have_text("morgen")


STATES = (
    conflict,
    locked,
    note,
    wrong,
    unicode,
    undo,
    menus,
    labels,
    keys,
    offline,
    editing,
    filters,
    blocking,
    withdrawn,
    searching,
)


@pytest.mark.parametrize("state", STATES, ids=lambda s: s.__name__)
def test_axe_finds_nothing_in_a_state(visitors, anna, jonas, talk, state):
    page = visitors.open(anna, f"/conversations/{talk.id}?view=open", viewport={"width": 1440, "height": 900})
    connected(page)
    state(page, talk, anna, jonas)
    check(page, state.__name__)


@pytest.mark.parametrize(
    "state", [conflict, menus, labels, editing, wrong, withdrawn], ids=lambda s: s.__name__
)
def test_axe_finds_nothing_in_a_state_on_a_phone(visitors, anna, jonas, talk, state):
    size = {"width": 390, "height": 844}
    page = visitors.open(
        anna, f"/conversations/{talk.id}", viewport=size, color_scheme="dark", has_touch=True, is_mobile=True
    )
    connected(page)
    state(page, talk, anna, jonas)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    check(page, f"{state.__name__}-390")
