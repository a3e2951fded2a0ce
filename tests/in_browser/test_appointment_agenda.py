"""The agenda in a real browser: live, by keyboard, on a phone, beside a thread, and its numbers."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect

from sms import clock, contacts
from sms.models import Account, Conversation, User
from sms.modules.appointment import answers, diary, schemes, waiting
from sms.modules.appointment.found import Found
from sms.modules.appointment.models import Appointment
from tests.in_browser.conftest import Site, Visitors, connected, shot
from tests.in_browser.test_setup_pages import faults, sideways

BERLIN = ZoneInfo("Europe/Berlin")
NINE = datetime(2090, 3, 30, 7, 0, tzinfo=UTC)
DAY = "/appointments/?day=2090-03-30"
WAYS = [(1440, "light"), (1440, "dark"), (1024, "light"), (390, "light")]


@pytest.fixture
def anna(site: Site) -> User:
    return User.get_by_id(site.people.anna)


@pytest.fixture(autouse=True)
def full_day(account: Account) -> Account:
    """Four appointments of a morning, one of them called off; the same at the beginning of each test."""
    if schemes.of(account) is None:
        schemes.create(account, schemes.usual(account).rules)
    for n in range(4):
        start = NINE + timedelta(hours=n)
        found = Found(f"B-{n}", start, BERLIN, f"+49171392010{n}", "Kontrolle", start + timedelta(minutes=30))
        one = diary.put(account, found, "form")[0]
        answers.set_state(one, "declined" if n == 2 else "open", "agent", None)
    return account


def _one(n: int) -> Appointment:
    return Appointment.get(Appointment.reference == f"B-{n}")


@pytest.mark.parametrize(("width", "theme"), WAYS)
def test_axe_finds_nothing_in_list_numbers_and_a_past_day(
    visitors: Visitors, account: Account, anna: User, width: int, theme: str
) -> None:
    last_month = clock.now() - timedelta(days=35)
    for n in range(6):
        diary.put(
            account, Found(f"P-{n}", last_month + timedelta(hours=n), BERLIN, f"+49171392011{n}"), "form"
        )
    answers.set_state(Appointment.get(Appointment.reference == "P-1"), "no_show", "agent", None)
    page = visitors.open(
        anna, DAY, viewport={"width": width, "height": 900}, color_scheme=theme, has_touch=width < 400
    )
    past = f"{last_month.astimezone(BERLIN):%Y-%m-%d}"
    found = []
    for name, address in {
        "day": DAY,
        "list": f"/appointments/list?since={past}",
        "past": f"/appointments/?day={past}",
        "numbers": f"/appointments/numbers?year={past[:4]}",
    }.items():
        page.goto(address)
        found += faults(page)
        assert sideways(page) <= 0, name
        shot(page, f"agenda-{name}-{width}-{theme}")
    assert found == []


def test_an_answer_arrives_in_the_agenda_without_a_reload(
    visitors: Visitors, account: Account, anna: User
) -> None:
    for address in (DAY, "/appointments/list?since=2090-03-30"):
        page = visitors.open(anna, address)
        connected(page)
        row = page.locator(f"#a-{_one(0).id}")
        expect(row).to_contain_text("Erinnerung geplant")
        answers.set_state(_one(0), "confirmed", "reply", None)
        expect(row.locator(".st-ok")).to_have_text("Bestätigt")
        answers.set_state(_one(0), "open", "agent", None)
        expect(row).to_contain_text("Erinnerung geplant")


def test_arrows_go_from_appointment_to_appointment_and_from_day_to_day(
    visitors: Visitors, anna: User
) -> None:
    page = visitors.open(anna, DAY)
    page.wait_for_load_state("load")
    names = page.locator(".ap-who a")
    names.nth(0).focus()
    page.keyboard.press("ArrowDown")
    expect(names.nth(1)).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(names.nth(0)).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("heading", level=2).first).to_contain_text("31. März")
    expect(page).to_have_url(re.compile("day=2090-03-31"))


def test_who_did_not_come_is_noted_and_undone_on_a_phone(
    visitors: Visitors, account: Account, anna: User
) -> None:
    yesterday = clock.now() - timedelta(days=1)
    one = diary.put(account, Found("Y-1", yesterday, BERLIN, "+491713920120"), "form")[0]
    page = visitors.open(
        anna,
        f"/appointments/?day={yesterday.astimezone(BERLIN):%Y-%m-%d}",
        viewport={"width": 390, "height": 844},
        has_touch=True,
    )
    row = page.locator(f"#a-{one.id}")
    row.get_by_role("button", name="Nicht erschienen").first.click()
    expect(row.locator(".st-fail")).to_have_text("Nicht erschienen")
    row.get_by_role("button", name="Rückgängig").click()
    expect(row.locator(".st-fail")).to_have_count(0)
    assert Appointment.get_by_id(one.id).state == "open"


@pytest.mark.parametrize("width", [390, 1024, 1440])
def test_where_nobody_knows_the_name_the_title_says_who_comes_at_any_width(
    visitors: Visitors, account: Account, anna: User, width: int
) -> None:
    """A calendar has the name in its title, and the column of titles is not there on a phone."""
    found = Found("B-9", NINE + timedelta(hours=6), BERLIN, "+491713920109", "Frau Becker")
    diary.put(account, found, "import")
    page = visitors.open(anna, DAY, viewport={"width": width, "height": 844})
    expect(page.get_by_text("Frau Becker").filter(visible=True)).to_have_count(1)
    assert not sideways(page)


def test_a_time_that_is_free_again_is_given_to_somebody_else(visitors: Visitors, anna: User) -> None:
    page = visitors.open(anna, DAY)
    page.locator(f"#a-{_one(2).id}").get_by_role("link", name="Zeit neu vergeben").click()
    expect(page.get_by_label("Tag und Uhrzeit")).to_have_value("2090-03-30T11:00")
    page.get_by_label("Telefonnummer").fill("0171 39201 77")
    page.get_by_role("button", name="Speichern").click()
    expect(page.locator(".agenda .ap").filter(has_text="00491713920177")).to_contain_text("11:00")


@pytest.mark.parametrize("width", [390, 1440])
def test_nobody_of_the_waiting_list_is_asked_before_the_question_is_read(
    visitors: Visitors, account: Account, anna: User, width: int
) -> None:
    waiting.offer_by_itself(account, "never")
    row = waiting.add(account, "+491713920188")
    try:
        page = visitors.open(anna, DAY, viewport={"width": width, "height": 900})
        freed = page.locator(f"#a-{_one(2).id}")
        offer = freed.get_by_role("button", name="Der Warteliste anbieten")
        expect(offer).to_be_hidden()
        freed.get_by_text("Zeit neu vergeben").click()
        expect(freed).to_contain_text("1 Person der Warteliste kommt infrage und wird per SMS gefragt.")
        expect(offer).to_be_visible()
        assert faults(page) == []
        assert sideways(page) <= 0
        shot(page, f"agenda-give-{width}")
    finally:
        waiting.remove(account, row.id)
        waiting.offer_by_itself(account, "all")


def test_the_next_appointment_beside_a_thread_follows_what_happens(
    visitors: Visitors, account: Account, anna: User
) -> None:
    contact, _ = contacts.find_or_add(account, "+491713920103", "Lieselotte Krämer")
    thread = Conversation.get(Conversation.contact == contact)
    page = visitors.open(anna, f"/conversations/{thread.id}")
    connected(page)
    beside = page.locator("#contact section", has_text="Nächster Termin")
    expect(beside).to_contain_text("Erinnerung geplant")
    answers.set_state(_one(3), "confirmed", "reply", thread)
    expect(beside).to_contain_text("Bestätigt")
    diary.cancel(account, "B-3", "agent", anna)
    expect(beside).to_have_count(0)
    expect(page.locator("#thread")).to_contain_text(
        "hat den Termin Donnerstag, 30. März, um 12:00 Uhr gestrichen"
    )
