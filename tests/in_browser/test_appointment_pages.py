"""The pages of the appointments in a real browser: without faults for assistive technology, live, by keyboard."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from sms import clock
from sms.models import Account, User
from sms.modules.appointment import demo, diary
from sms.modules.appointment.models import Appointment
from tests.in_browser.conftest import Site, Visitors, connected, shot
from tests.in_browser.test_setup_pages import faults, sideways

PAGES = {"agenda": "/appointments/", "new": "/appointments/new", "setup": "/appointments/setup"}


@pytest.fixture
def owner(site: Site) -> User:
    return User.get_by_id(site.people.owner)


@pytest.fixture
def furnished(account: Account) -> Account:
    demo.prepare(account)
    return account


def _tomorrow(account: Account) -> str:
    return f"{clock.now() + timedelta(days=1):%Y-%m-%d}"


@pytest.mark.parametrize(
    ("width", "theme"), [(1440, "light"), (1440, "dark"), (1024, "light"), (390, "light")]
)
def test_axe_finds_nothing_in_the_appointments(
    visitors: Visitors, furnished: Account, owner: User, width: int, theme: str
) -> None:
    page = visitors.open(
        owner,
        "/appointments/",
        viewport={"width": width, "height": 900},
        color_scheme=theme,
        has_touch=width < 400,
    )
    found = []
    for name, address in (PAGES | {"tomorrow": f"/appointments/?day={_tomorrow(furnished)}"}).items():
        page.goto(address)
        found += faults(page)
        assert sideways(page) <= 0, name
        shot(page, f"appointment-{name}-{width}-{theme}")
    page.locator(".ap-act summary").first.click()
    found += faults(page)
    shot(page, f"appointment-menu-{width}-{theme}")
    assert found == []


def test_a_table_is_taken_in_from_the_page(visitors: Visitors, furnished: Account, owner: User) -> None:
    for width in (1440, 390):
        page = visitors.open(owner, "/appointments/import", viewport={"width": width, "height": 900})
        found = faults(page)
        rows = [f"i-{n};01.06.2099 {8 + n % 10:02}:{n % 60:02};0171 39{n:05};Kontrolle" for n in range(1500)]
        table = "\n".join(["nr;start;telefon;anlass", *rows, "x;31.02.2099 09:00;0171 3920042;Krone"])
        file = {"name": "termine.csv", "mimeType": "text/csv", "buffer": table.encode("cp1252")}
        page.set_input_files("#file", files=[file])
        page.get_by_role("button", name="Ansehen").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("1500 Termine gefunden")
        found += faults(page)
        assert sideways(page) <= 0
        shot(page, f"appointment-import-{width}")
        page.get_by_role("button", name="Übernehmen").click()
        page.wait_for_url("**/appointments/?day=2099-06-01", timeout=30_000)
        assert found == []
    assert Appointment.select().where(Appointment.source == "csv").count() == 1500


def test_the_agenda_follows_what_others_do(visitors: Visitors, furnished: Account, owner: User) -> None:
    page = visitors.open(owner, "/appointments/")
    connected(page)
    one = Appointment.get(Appointment.account == furnished, Appointment.reference == "demo-4")
    row = page.locator(f"#a-{one.id}")
    expect(row).not_to_contain_text("abgesagt")
    diary.cancel(furnished, one.reference)
    expect(row).to_contain_text("abgesagt")
