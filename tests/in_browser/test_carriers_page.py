"""The operator's carriers in a real browser: what is wrong is seen and heard, refreshed by itself, paused by keyboard."""

import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from sms import clock, health
from sms.models import CarrierHealth, CarrierProbe, CarrierTurn, User
from tests.in_browser.conftest import Site, Visitors, shot
from tests.in_browser.test_setup_pages import faults, sideways


@pytest.fixture
def operator(site: Site) -> User:
    return User.get_by_id(site.people.operator)


@pytest.fixture
def month(site: Site, operator: User) -> Iterator[None]:
    """A carrier with a month behind it: a bad day, a day on which nobody asked, and a history."""
    health.row_of("sandbox")
    rows = []
    for day in range(30):
        for n in range(0 if day == 12 else 24):
            at = clock.now() - timedelta(days=day, minutes=n * 3)
            ok = not (day == 4 and n < 6)
            rows.append(
                {"carrier": "sandbox", "at": at, "ok": ok, "ms": 80 + n, "detail": "" if ok else "temporary"}
            )
    for start in range(0, len(rows), 100):
        CarrierProbe.insert_many(rows[start : start + 100]).execute()
    for hours, before, after, reason in (
        (96, "up", "sick", "probe"), (95, "sick", "recovering", ""), (94.9, "recovering", "up", ""),
    ):  # fmt: skip
        CarrierTurn.create(
            carrier="sandbox", at=clock.now() - timedelta(hours=hours), before=before, after=after, reason=reason,
            detail="temporary ConnectionRefusedError" if after == "sick" else "",
        )  # fmt: skip
    yield
    for table in (CarrierProbe, CarrierTurn, CarrierHealth):
        table.delete().execute()


def stands(state: str, reason: str = "", detail: str = "", share: int = 100) -> None:
    """Write how the carrier stands, and let the server's knowledge of before grow old."""
    CarrierHealth.update(
        state=state, reason=reason, detail=detail, share=share, since=clock.now() - timedelta(minutes=7)
    ).execute()
    time.sleep(health.FRESH.total_seconds())


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (1024, "dark"), (390, "light"), (390, "dark")])
def test_axe_finds_nothing_however_a_carrier_stands(
    visitors: Visitors, month: None, operator: User, width: int, theme: str
) -> None:
    page = visitors.open(
        operator, "/settings/carriers", viewport={"width": width, "height": 1000}, color_scheme=theme
    )
    found = []
    for state, reason, detail, share in (
        ("up", "", "", 100), ("sick", "errors", "HTTP 503", 100), ("recovering", "", "", 40),
        ("stopped", "auth", "20003 Authenticate", 100), ("degraded", "slow", "3.4 s", 100),
    ):  # fmt: skip
        stands(state, reason, detail, share)
        page.reload()
        found += faults(page)
        assert sideways(page) <= 0, state
        shot(page, f"carriers-{state}-{width}-{theme}")
    page.get_by_text("Tag für Tag").click()
    page.get_by_text("Anhalten", exact=True).click()
    found += faults(page)
    assert sideways(page) <= 0
    shot(page, f"carriers-open-{width}-{theme}")
    assert found == []


def test_a_carrier_that_falls_ill_is_seen_without_a_reload(
    visitors: Visitors, month: None, operator: User
) -> None:
    page = visitors.open(operator, "/settings/carriers")
    expect(page.locator("#standing-sandbox .st")).to_have_text("bereit")
    page.get_by_text("Tag für Tag").click()
    stands("sick", "probe", "temporary ConnectionRefusedError")
    expect(page.locator("#standing-sandbox .st")).to_have_text("gestört")
    expect(page.locator("#standing-sandbox")).to_contain_text("Er antwortet nicht auf Anfragen.")
    expect(page.locator("#days-sandbox")).to_have_attribute("open", "")
    assert visitors.complaints == []


def test_a_carrier_is_paused_and_resumed_by_keyboard_alone(
    visitors: Visitors, month: None, operator: User
) -> None:
    page = visitors.open(operator, "/settings/carriers")
    page.locator("summary", has_text="Anhalten").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#standing-sandbox .st")).to_have_text("angehalten")
    expect(page.locator("#standing-sandbox")).to_contain_text("durch Ole Betrieb")
    assert health.shown(CarrierHealth.get()) == "paused"
    page.goto("/inbox")
    expect(page.locator("#carriers-closed")).to_contain_text("Der Versand ist angehalten.")
    page.get_by_role("link", name="Zu den Anbietern").click()
    page.get_by_role("button", name="Fortsetzen").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#standing-sandbox .st")).to_have_text("bereit")


def test_without_script_everything_can_be_done(visitors: Visitors, month: None, operator: User) -> None:
    page = visitors.open(operator, "/settings/carriers", java_script_enabled=False)
    page.locator("summary", has_text="Anhalten").click()
    page.get_by_role("button", name="sandbox anhalten").click()
    expect(page.locator("#standing-sandbox .st")).to_have_text("angehalten")
    page.get_by_role("button", name="Fortsetzen").click()
    page.get_by_role("button", name="Prüfen").click()
    expect(page.locator("main")).to_contain_text("antwortet nicht, wie er sollte")


@pytest.mark.parametrize(("state", "words"), [("sick", "Gerade nimmt kein Anbieter"), ("up", "")])
def test_an_agent_is_told_where_nothing_goes_out(
    visitors: Visitors, month: None, site: Site, anna: User, state: str, words: str
) -> None:
    stands(state)
    page = visitors.open(anna, "/inbox?view=open")
    notice = page.locator("#carriers-closed")
    if words:
        expect(notice).to_contain_text(words)
        expect(notice).not_to_contain_text("Zu den Anbietern")
        assert sideways(page) <= 0
        shot(page, "inbox-carriers-closed")
    else:
        expect(page.locator("#list-body .tabs")).to_be_visible()
        expect(notice).to_have_count(0)
