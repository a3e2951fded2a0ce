"""The page of what is to be checked, in a real browser: live, by keyboard, without faults, without script."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from sms import contacts, delivery, sending
from sms.carriers.contract import Outcome, OutcomeKind
from sms.models import Message
from tests.in_browser import morning
from tests.in_browser.conftest import connected, shot


@pytest.fixture(autouse=True)
def _nothing_left(site):
    yield
    Message.update(status="cancelled").where(Message.status.in_(("unknown", "scheduled"))).execute()


def unknown(account, anna, text: str) -> Message:
    """A text of which nobody knows whether the carrier has it."""
    talk = contacts.find_or_add(account, morning.fresh_number(), "Margarethe Schößler")[1]
    message = sending.reply(talk, text, by=anna)
    message.advance("sending")
    delivery.settle(message, Outcome(OutcomeKind.unknown, detail="read timeout"))
    return message


def held(account) -> None:
    number = morning.fresh_number()
    for _ in range(2):
        sending.send(account, number, "Denken Sie an Ihren Termin!", automated=True, source="appointment")


@pytest.mark.parametrize(
    ("width", "theme"), [(1440, "light"), (1440, "dark"), (1024, "light"), (390, "light"), (390, "dark")]
)
def test_axe_finds_nothing_on_it(visitors, account, anna, width, theme):
    unknown(account, anna, "Ihr Rezept liegt bereit. " * 9)
    Message.update(lease_until=None).where(Message.status == "unknown").execute()
    asked = unknown(account, anna, "Können Sie um 14:15 Uhr?")
    held(account)
    page = visitors.open(anna, "/to-check", viewport={"width": width, "height": 900}, color_scheme=theme)
    expect(page.locator(".check-item")).to_have_count(3)
    found = Axe().run(page)
    assert not found.response["violations"], found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    shot(page, f"to-check-{width}-{theme}")
    page.goto(f"/conversations/{asked.conversation_id}?view=all")
    expect(page.locator("#thread .acts-hint")).to_be_visible()
    found = Axe().run(page)
    assert not found.response["violations"], found.generate_report()
    shot(page, f"to-check-thread-{width}-{theme}")
    assert not visitors.complaints


def test_it_follows_what_happens_and_its_buttons_settle(visitors, account, anna):
    page = visitors.open(anna, "/to-check")
    expect(page.get_by_role("heading", name="Nichts zu prüfen")).to_be_visible()
    connected(page)
    message = unknown(account, anna, "Das Labor ist da.")
    expect(page.locator(".check-item")).to_contain_text("Das Labor ist da.")
    page.get_by_role("button", name="Als gesendet markieren").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Nichts zu prüfen")).to_be_visible()
    assert Message.get_by_id(message.id).status == "sent"
    assert not visitors.complaints


def test_the_list_says_that_there_is_something_and_leads_to_it(visitors, account, anna):
    page = visitors.open(anna, "/inbox?view=all")
    expect(page.locator("#list a#to-check")).to_have_count(0)
    connected(page)
    unknown(account, anna, "Bitte rufen Sie an.")
    expect(page.locator("#list a#to-check")).to_be_visible(timeout=4000)
    shot(page, "to-check-in-the-list")
    page.locator("#list a#to-check").click()
    expect(page).to_have_url("/to-check")
    page.locator(".check-who a").click()
    expect(page.locator("#thread")).to_contain_text("Bitte rufen Sie an.")


def test_without_script_the_buttons_are_forms(visitors, account, anna):
    unknown(account, anna, "Ohne Skript.")
    page = visitors.open(anna, "/to-check", java_script_enabled=False)
    page.get_by_role("button", name="Verwerfen").click()
    expect(page.get_by_role("heading", name="Nichts zu prüfen")).to_be_visible()
