"""The rule for phone numbers in calendars, in a real browser: tried while it is typed, kept by its button."""

import pytest
from playwright.sync_api import expect

from sms.models import Account, User
from sms.modules.appointment import numbering
from sms.modules.appointment.found import NumberRule
from tests.in_browser.conftest import Site, Visitors, shot, until
from tests.in_browser.test_setup_pages import faults, sideways


@pytest.fixture
def owner(site: Site) -> User:
    return User.get_by_id(site.people.owner)


@pytest.mark.parametrize("width", [1440, 390])
def test_the_rule_is_tried_while_it_is_typed(
    visitors: Visitors, account: Account, owner: User, width: int
) -> None:
    page = visitors.open(owner, "/appointments/import", viewport={"width": width, "height": 900})
    found = faults(page)
    page.get_by_role("link", name="Wo die Rufnummer steht").click()
    until(page, "document.getElementById('number-found')?._htmx")  # what is typed before is lost
    page.get_by_label("Hinter diesem Wort").fill("")
    page.get_by_label("Ein Text zum Ausprobieren").fill("Fax 030 23125417\nTel: 0171 3920042")
    expect(page.locator("#number-found")).to_have_text("Gefunden: 0171 39200 42")
    page.get_by_label("Hinter diesem Wort").fill("Fax")
    expect(page.locator("#number-found")).to_have_text("Gefunden: 030 23125 417")
    found += faults(page)
    assert sideways(page) <= 0
    shot(page, f"reminder-number-{width}")
    page.get_by_role("button", name="Speichern").click()
    expect(page.get_by_text("Ab jetzt werden Rufnummern so gesucht.")).to_be_visible()
    assert numbering.of(account) == NumberRule("anywhere", "Fax")
    assert found == []
