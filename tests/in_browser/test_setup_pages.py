"""The frame and the setup in a real browser: drawn without faults for assistive technology, by keyboard, without script."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from sms import labelling, senders, suppression, template_texts
from sms.models import Account, ApiKey, User
from tests.conftest import PASSWORD
from tests.in_browser.conftest import Site, Visitors, shot, until

PAGES = ("profile", "account", "team", "carriers", "senders", "templates", "labels", "opt-outs", "interface")


@pytest.fixture
def owner(site: Site) -> User:
    return User.get_by_id(site.people.owner)


@pytest.fixture
def operator(site: Site) -> User:
    return User.get_by_id(site.people.operator)


@pytest.fixture
def furnished(account: Account) -> Account:
    """The practice's account with one of everything in its setup."""
    if not senders.listing(account):
        senders.add_name(account, "DrLindner", "Doktor Lindner")
        template_texts.save(
            account, "Terminbestätigung", "Guten Tag {name}, Ihr Termin am {datum} um {zeit} Uhr."
        )
        labelling.save(account, "Terminwunsch", 1)
        labelling.save(account, "Technik", 2)
        suppression.suppress(account, "+491713920054", "sms", "STOPP")
    return account


def faults(page: Page) -> list[str]:
    """What axe-core finds, with the place of each."""
    found = Axe().run(page).response["violations"]
    return [f"{page.url} {v['id']}: {[n['html'][:160] for n in v['nodes'][:3]]}" for v in found]


def sideways(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth - innerWidth"))


@pytest.mark.parametrize(
    ("width", "theme"), [(1440, "light"), (1440, "dark"), (1024, "light"), (390, "light"), (390, "dark")]
)
def test_axe_finds_nothing_in_the_setup(
    visitors: Visitors, furnished: Account, operator: User, width: int, theme: str
) -> None:
    page = visitors.open(
        operator,
        "/settings/profile",
        viewport={"width": width, "height": 900},
        color_scheme=theme,
        has_touch=width < 400,
    )
    found = []
    for name in PAGES:
        page.goto(f"/settings/{name}")
        found += faults(page)
        assert sideways(page) <= 0, name
        shot(page, f"setup-{name}-{width}-{theme}")
    page.click(".rail-me")
    found += faults(page)
    shot(page, f"setup-menu-{width}-{theme}")
    page.goto("/settings/senders")
    page.fill("#value", "Zähne Lindner")
    page.get_by_role("button", name="Anlegen").click()
    found += faults(page)
    shot(page, f"setup-senders-refused-{width}-{theme}")
    assert found == []


@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_nothing_before_the_sign_in(chromium: Browser, site: Site, width: int) -> None:
    context = chromium.new_context(
        base_url=site.url, locale="de-DE", viewport={"width": width, "height": 900}
    )
    page = context.new_page()
    found = []
    for path in ("/sign-in", "/password", "/password/alt", "/nowhere", "/dev/mail"):
        page.goto(path)
        found += faults(page)
    page.goto("/sign-in")
    page.fill("#email", "anna.weber@praxis-lindner.example")
    page.fill("#password", "falsch")
    page.keyboard.press("Enter")
    expect(page.locator("#password-e")).to_contain_text("stimmt nicht")
    found += faults(page)
    shot(page, f"sign-in-{width}")
    context.close()
    assert found == []


def test_language_and_appearance_change_by_keyboard_alone(visitors: Visitors, anna: User) -> None:
    page = visitors.open(anna, "/settings/profile")
    page.locator(".rail-me").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="English").focus()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Your profile")
    page.locator(".rail-me").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Dark").focus()
    page.keyboard.press("Enter")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.locator(".rail-me").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    expect(page.locator(".person-panel")).to_be_hidden()
    expect(page.locator(".rail-me")).to_be_focused()
    User.update(locale=None, theme=None).where(User.id == anna.id).execute()
    assert visitors.complaints == []


def test_text_typed_when_the_session_ended_is_back_after_the_sign_in(
    visitors: Visitors, site: Site, owner: User
) -> None:
    page = visitors.open(owner, "/settings/templates")
    page.fill("#text", "Guten")
    expect(page.locator("#cost")).to_contain_text("5 von 1.500")
    User.update(epoch=User.epoch + 1).where(User.id == owner.id).execute()
    page.locator("#text").press_sequentially(" Morgen")
    expect(page.locator("#notices")).to_contain_text("Ihre Sitzung ist beendet")
    expect(page.locator("#text")).to_have_value("Guten Morgen")
    page.get_by_role("link", name="Anmelden").click()
    page.fill("#email", owner.email)
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/settings/templates")
    expect(page.locator("#text")).to_have_value("Guten Morgen")
    expect(page.locator("#cost")).to_contain_text("12 von 1.500")


def test_announcement_is_heard_and_follows_what_is_typed(
    visitors: Visitors, furnished: Account, site: Site
) -> None:
    page = visitors.open(User.get_by_id(site.people.owner), "/settings/senders?value=MUELLER")
    # It goes on until it is stopped: that it plays is looked at in between.
    page.evaluate("() => { window.Audio = class extends Audio { loop = true } }")
    page.fill("#spoken", "Müller")
    expect(page.locator("#announced .ph")).to_have_text("Müller")
    with page.expect_response(lambda r: "preview.wav?spoken=M%C3%BCller" in r.url) as heard:
        page.locator("[data-play]").click()
    assert heard.value.status in (200, 206)
    expect(page.locator("[data-play]")).to_have_attribute("aria-pressed", "true")
    page.locator("[data-play]").click()
    expect(page.locator("[data-play]")).to_have_attribute("aria-pressed", "false")


def test_kind_of_a_new_sender_decides_what_is_asked(visitors: Visitors, owner: User, site: Site) -> None:
    page = visitors.open(User.get_by_id(site.people.owner), "/settings/senders")
    expect(page.locator("#spoken")).to_be_visible()
    page.get_by_label("Nummer", exact=True).first.check(force=True)
    expect(page.locator("#spoken")).to_be_hidden()
    expect(page.get_by_text("Eine Nummer, die ein Anbieter")).to_be_visible()


def expect_below_the_head(page: Page, selector: str) -> None:
    """Wait until an element is in view, and not under the head that stays."""
    until(
        page,
        f"""() => {{
            const [box, head] = ["{selector}", ".page-head"].map((s) => document.querySelector(s).getBoundingClientRect());
            return head.bottom <= box.top && box.bottom <= 700;
        }}""",
    )


def test_enter_after_a_refused_name_adds_what_is_typed_and_not_the_suggestion(
    visitors: Visitors, site: Site, account: Account
) -> None:
    page = visitors.open(User.get_by_id(site.people.owner), "/settings/senders")
    page.fill("#value", "Müller")
    page.keyboard.press("Enter")
    expect(page.locator("#value-e")).to_contain_text("MUELLER nehmen")
    page.locator("#spoken").fill("Müller")
    page.keyboard.press("Enter")
    expect(page.locator("#value-e")).to_contain_text("MUELLER nehmen")
    assert "MUELLER" not in [s.value for s in senders.listing(account)]


@pytest.mark.parametrize("width", [1440, 390])
def test_link_of_an_invitation_is_in_view_and_has_the_focus(
    visitors: Visitors, site: Site, width: int
) -> None:
    page = visitors.open(
        User.get_by_id(site.people.owner), "/settings/team", viewport={"width": width, "height": 700}
    )
    page.fill("#email", f"miriam{width}@praxis.example")
    page.keyboard.press("Enter")
    expect(page.locator("#invitation")).to_have_value(re.compile("/password/"))
    expect_below_the_head(page, "#invitation")
    expect(page.locator(".notice[role=status]")).to_be_focused()


def test_refused_field_is_in_view_and_has_the_focus(visitors: Visitors, site: Site) -> None:
    page = visitors.open(
        User.get_by_id(site.people.owner), "/settings/team", viewport={"width": 1440, "height": 700}
    )
    page.fill("#email", "miriam@praxis")
    page.fill("#email", "dr.lindner@praxis-lindner.example")
    page.keyboard.press("Enter")
    expect(page.locator("#email-e")).to_contain_text("meldet sich schon jemand an")
    expect(page.locator("#email")).to_be_focused()
    expect_below_the_head(page, "#email")
    expect_below_the_head(page, "#email-e")


def test_jump_to_the_form_stops_below_the_head(visitors: Visitors, furnished: Account, site: Site) -> None:
    page = visitors.open(
        User.get_by_id(site.people.owner), "/settings/senders", viewport={"width": 1440, "height": 700}
    )
    page.locator(".page-actions a").click()
    expect_below_the_head(page, "#new-h")


def test_nothing_scrolls_sideways_at_320(visitors: Visitors, furnished: Account, operator: User) -> None:
    page = visitors.open(operator, "/settings/profile", viewport={"width": 320, "height": 640})
    for name in PAGES:
        page.goto(f"/settings/{name}")
        assert sideways(page) <= 0, name


def test_setup_works_without_script(visitors: Visitors, site: Site, anna: User) -> None:
    page = visitors.open(User.get_by_id(site.people.owner), "/settings/team", java_script_enabled=False)
    row = page.locator("tr", has_text=anna.email)
    row.locator("select").select_option("owner")
    row.get_by_role("button", name="Speichern").click()
    expect(page.locator("#notices")).to_contain_text("hat jetzt eine andere Rolle")
    User.update(role="agent").where(User.id == anna.id).execute()
    page.goto("/settings/interface")
    page.fill("#name", "Kalender")
    page.get_by_role("button", name="Schlüssel anlegen").click()
    assert page.locator("#new-key").input_value().startswith("fdn_")
    row = page.locator("tr", has_text="Kalender")
    row.locator("summary").click()
    row.get_by_role("button", name="Widerrufen").click()
    expect(page.locator("tr", has_text="Kalender")).to_contain_text("widerrufen")
    assert ApiKey.get(ApiKey.name == "Kalender").revoked_at is not None
