"""The waiting list in a real browser: without faults for assistive technology, by form, and live."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from sms import clock
from sms.db import database
from sms.models import Account, Expectation, Message, User
from sms.modules.appointment import answers, phoning, reminding, waiting
from sms.modules.appointment.models import Appointment, Offer, Scheme, Slot, Waiting
from tests.appointment.phones import ILSE, MARGARETHE, TORSTEN, put, scheme_of
from tests.appointment.test_waiting_list import hears
from tests.in_browser.conftest import Site, Visitors, connected, shot
from tests.in_browser.test_setup_pages import faults, sideways


@pytest.fixture
def owner(site: Site) -> User:
    return User.get_by_id(site.people.owner)


def _noon(days: int):
    return clock.now().replace(hour=11, minute=0, second=0, microsecond=0) + timedelta(days=days)


@pytest.fixture(autouse=True)
def empty(site: Site) -> None:
    """The diary of this site's other tests is put away; quiet hours hold nobody back."""
    for table in (Offer, Slot, Waiting, Appointment, Scheme, Expectation):
        table.delete().execute()
    Account.update(quiet_text="", quiet_voice="").execute()


@pytest.fixture
def offered(site: Site, account: Account) -> Message:
    """Margarethe holds the offer of a freed time."""
    scheme_of(account, "sms")
    left = put(account, TORSTEN, _noon(3))
    waiting.add(account, MARGARETHE, "Margarethe Schößler", [1, 2, 3, 4, 5, 6, 7], "8", "18")
    answers.set_state(left, "declined", "reply", None)
    waiting.work()
    return Message.select().where(Message.theirs == MARGARETHE).order_by(Message.id.desc()).get()


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (1024, "dark"), (390, "light")])
def test_axe_finds_nothing_on_the_waiting_list(
    visitors: Visitors, offered: Message, owner: User, width: int, theme: str
) -> None:
    page = visitors.open(
        owner,
        "/appointments/waiting",
        viewport={"width": width, "height": 900},
        color_scheme=theme,
        has_touch=width < 400,
    )
    assert faults(page) == []
    assert sideways(page) <= 0
    shot(page, f"waiting-{width}-{theme}")
    page.get_by_role("button", name="Auf die Liste setzen").click()
    expect(page.locator("#number-e")).to_be_visible()
    assert faults(page) == []


def test_somebody_is_put_on_the_list_and_the_yes_of_another_shows_without_reload(
    visitors: Visitors, offered: Message, owner: User
) -> None:
    page = visitors.open(owner, "/appointments/waiting")
    connected(page)
    page.get_by_label("Mobilnummer").fill("0171 39200 29")
    page.get_by_label("Name").fill("Nele Hagedorn")
    page.get_by_label("Freitag").check()
    page.get_by_role("button", name="Auf die Liste setzen").click()
    expect(page.locator("#waiting")).to_contain_text("Nele Hagedorn")
    connected(page)
    expect(page.locator(".wl-slot")).to_contain_text("wird gerade angeboten")
    hears(MARGARETHE, "Ja, gerne", offered.ours)
    expect(page.locator(".wl-slot")).to_contain_text("hat Ja gesagt")
    expect(page.locator(".wl-slot h3")).to_contain_text("vergeben")
    expect(page.locator(".wl")).to_have_count(1)


def test_a_key_pressed_on_the_telephone_shows_in_the_agenda_without_reload(
    visitors: Visitors, site: Site, account: Account, owner: User
) -> None:
    scheme_of(account, "voice")
    appointment = put(account, ILSE, _noon(2))
    call = reminding.remind_now(appointment)
    page = visitors.open(owner, f"/appointments/?day={_noon(2):%Y-%m-%d}")
    connected(page)
    row = page.locator(f"#a-{appointment.id}")
    expect(row).not_to_contain_text("Bestätigt")
    with database.atomic():
        phoning.on_key(call, "1")
    expect(row).to_contain_text("Bestätigt")
    expect(row).to_contain_text("am Telefon")
