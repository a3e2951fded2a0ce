"""Calendars by address in a real browser: live, without faults for assistive technology, and without script."""

from dataclasses import replace
from ipaddress import ip_network

import pytest
from playwright.sync_api import expect

from sms import exchange
from sms.models import User
from sms.modules.appointment import subscribing
from sms.modules.appointment.models import Calendar
from tests.calendar_host import CalendarHost, calendar, event, host  # noqa: F401
from tests.in_browser.conftest import Site, Visitors, connected, shot
from tests.in_browser.test_setup_pages import faults, sideways

TWO = calendar(event("a", "20990330T090000", "Kontrolle 0171 3920041"), event("b", "20990331T090000", "Team"))


@pytest.fixture
def owner(site: Site) -> User:
    return User.get_by_id(site.people.owner)


@pytest.fixture(autouse=True)
def _this_machine_may_be_read(site: Site, monkeypatch: pytest.MonkeyPatch):
    there = exchange.current()
    here = replace(there.settings, inside_networks=(ip_network("127.0.0.1/32"),))
    monkeypatch.setattr(exchange, "_exchange", replace(there, settings=here))
    yield
    Calendar.delete().execute()


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (1024, "dark"), (390, "light")])
def test_a_calendar_is_followed_before_ones_eyes(
    visitors: Visitors, owner: User, host: CalendarHost, width: int, theme: str
) -> None:
    page = visitors.open(
        owner, "/appointments/calendars", viewport={"width": width, "height": 900}, color_scheme=theme
    )
    page.get_by_label("Adresse", exact=True).fill(host.url())
    page.get_by_label("Name").fill("Dr. Lindner")
    page.get_by_role("button", name="Diesen Kalender lesen").click()
    shown = page.locator(".cal", has_text="Dr. Lindner")
    expect(shown).to_contain_text("Wird gleich gelesen")
    connected(page)
    host.redirect("/praxis.ics", "/login")
    host.serve("<html>Anmelden", "/login", kind="text/html")
    subscribing.work()
    expect(shown.locator(".st-fail")).to_contain_text("Die Adresse leitet zu einer Webseite")
    assert faults(page) == []
    assert sideways(page) <= 0
    shot(page, f"calendars-fault-{width}-{theme}")
    host.serve(TWO)
    Calendar.update(next_at=Calendar.created_at).execute()
    subscribing.work()
    expect(shown.locator(".st-ok")).to_be_visible()
    expect(shown).to_contain_text("2 Termine")
    shown.get_by_role("link", name="Dr. Lindner").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Dr. Lindner")
    expect(page.get_by_role("row", name="Team")).to_contain_text("keine Telefonnummer")
    assert faults(page) == []
    assert sideways(page) <= 0
    shot(page, f"calendar-{width}-{theme}")


def test_without_script_a_calendar_is_added_and_removed(
    visitors: Visitors, owner: User, host: CalendarHost
) -> None:
    host.serve(TWO)
    page = visitors.open(owner, "/appointments/calendars", java_script_enabled=False)
    page.get_by_label("Adresse", exact=True).fill(host.url())
    page.get_by_role("button", name="Diesen Kalender lesen").click()
    subscribing.work()
    page.reload()
    page.locator(".cal a").first.click()
    page.get_by_label("Sie gelten als abgesagt", exact=False).check()
    page.get_by_role("button", name="Entfernen").click()
    expect(page.get_by_text("Noch wird kein Kalender gelesen.")).to_be_visible()
