"""The set-up of reminders in a real browser: what is typed is shown at once, and nothing is lost without script."""

import pytest
from playwright.sync_api import expect

from sms.models import Account, User
from sms.modules.appointment import demo
from tests.in_browser.conftest import Site, Visitors, shot, until
from tests.in_browser.test_setup_pages import faults, sideways


@pytest.fixture
def owner(site: Site) -> User:
    return User.get_by_id(site.people.owner)


@pytest.fixture
def furnished(account: Account) -> Account:
    demo.prepare(account)
    return account


def test_what_is_typed_is_seen_on_the_handset_and_on_the_line(
    visitors: Visitors, furnished: Account, owner: User
) -> None:
    page = visitors.open(owner, "/appointments/setup", viewport={"width": 1440, "height": 1600})
    until(page, "document.getElementById('preview')?._htmx")  # a press before is lost
    page.get_by_label("Vorlage", exact=True).fill("Also am {Termin}!")
    expect(page.locator("#preview .sms")).to_contain_text("Also am ")
    page.locator("[name=rule_amount]").first.fill("5")
    expect(page.locator("#timeline")).to_contain_text("5 Tage")
    chosen = page.get_by_label("Vorschau für")
    before = page.locator("#preview .sms li:not(.when)").first.inner_text()
    chosen.select_option(index=3)
    expect(page.locator("#preview .sms li:not(.when)").first).not_to_have_text(before)
    shot(page, "reminder-setup-1440")


def test_meter_and_longest_case_follow_what_is_typed(
    visitors: Visitors, furnished: Account, owner: User
) -> None:
    page = visitors.open(owner, "/appointments/setup", viewport={"width": 1440, "height": 900})
    until(page, "document.getElementById('preview')?._htmx")  # a press before is lost
    page.get_by_label("Vorlage", exact=True).fill("Bis bald!")
    expect(page.locator("#meter")).to_contain_text("9/160 · 1 SMS")
    expect(page.locator("#longest")).to_be_empty()
    page.get_by_label("Vorlage", exact=True).fill("Bis bald: {Titel}")
    expect(page.locator("#longest")).to_contain_text("Im längsten Fall (Kinder, 2 Kontrollen)")
    chip, meter = page.get_by_role("button", name="Termin", exact=True), page.locator("#meter")
    beside, right = chip.bounding_box(), meter.bounding_box()
    assert beside is not None and right is not None
    assert beside["y"] <= right["y"] + right["height"] / 2 <= beside["y"] + beside["height"]
    assert right["x"] > beside["x"] + beside["width"]


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (1440, "dark"), (390, "light"), (390, "dark")])
def test_the_form_with_every_fault_in_it_is_whole(
    visitors: Visitors, furnished: Account, owner: User, width: int, theme: str
) -> None:
    page = visitors.open(
        owner, "/appointments/setup", viewport={"width": width, "height": 900}, color_scheme=theme
    )
    found = faults(page)
    page.get_by_label("Vorlage", exact=True).fill("{Unbekannt}")
    page.get_by_label("Anrufen nach").fill("0")
    page.get_by_label("Wörter für JA").fill("STOP")
    page.get_by_label("Rückmeldung auf NEIN").fill("{Niemand}")
    page.get_by_role("button", name="Speichern").click()
    expect(page.locator("#call_after-e")).to_be_visible()
    expect(page.locator("#text-e")).to_contain_text("Unbekannt")
    expect(page.get_by_label("Vorlage", exact=True)).to_have_value("{Unbekannt}")
    expect(page.locator("#words_confirm-e")).to_be_visible()
    expect(page.get_by_label("Wörter für JA")).to_have_value("STOP")
    expect(page.locator("#said_cancel-e")).to_contain_text("Niemand")
    expect(page.get_by_label("Rückmeldung auf NEIN")).to_have_value("{Niemand}")
    assert found + faults(page) == []
    assert sideways(page) <= 0
    notice, heading = page.get_by_role("alert").bounding_box(), page.locator("#h-when").bounding_box()
    assert notice is not None and heading is not None
    assert heading["y"] - (notice["y"] + notice["height"]) >= 16
    shot(page, f"reminder-setup-wrong-{width}-{theme}")


def test_without_script_the_preview_has_a_button(visitors: Visitors, furnished: Account, owner: User) -> None:
    page = visitors.open(owner, "/appointments/setup", java_script_enabled=False)
    page.get_by_label("Vorlage", exact=True).fill("Bis bald: {Uhrzeit}")
    page.get_by_role("button", name="Vorschau aktualisieren").click()
    expect(page.locator("#preview .sms")).to_contain_text("Bis bald: ")
    expect(page.get_by_label("Vorlage", exact=True)).to_have_value("Bis bald: {Uhrzeit}")
