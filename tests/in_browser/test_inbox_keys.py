"""Keys, focus, notices and small windows: nobody is lost, nothing that stays covers the answer field."""

import pytest
from playwright.sync_api import expect

from sms import contacts, inbox, inbox_list
from sms.clock import now
from sms.models import Template
from tests.in_browser import morning
from tests.in_browser.conftest import connected, shot
from tests.views.practice import write_in

WIDE = {"width": 1440, "height": 900}


def person(account, text="Guten Morgen, haben Sie geöffnet?"):
    number = morning.fresh_number()
    talk = contacts.find_or_add(account, number, f"Person {number[-3:]}")[1]
    write_in(text, number)
    return talk


@pytest.fixture
def talk(site, account):
    return person(account)


def test_arrow_keys_go_through_a_menu_and_escape_goes_back(visitors, anna, talk):
    page = visitors.open(anna, f"/conversations/{talk.id}", viewport=WIDE)
    page.locator("#menu-more > summary").focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#menu-more .menu-item:focus")).to_contain_text("Auf Antwort warten")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#menu-more .menu-item:focus")).to_contain_text("Label")
    page.keyboard.press("End")
    expect(page.locator("#menu-more .menu-item:focus")).to_contain_text("Tastenkürzel")
    page.keyboard.press("ArrowUp")
    expect(page.locator("#menu-more .menu-item:focus")).to_contain_text("ungelesen")
    page.keyboard.press("Escape")
    expect(page.locator("#menu-more")).not_to_have_attribute("open", "")
    expect(page.locator("#menu-more > summary")).to_be_focused()


def test_one_template_is_marked_by_key_and_mouse_alike(visitors, anna, account, talk):
    for name in ("Anfahrt", "Befund"):
        Template.create(account=account, name=name, text=f"{name} kommt mit der Post.", created_at=now())
    page = visitors.open(anna, f"/conversations/{talk.id}", viewport=WIDE)
    page.locator("#answer").press_sequentially("/post")
    options = page.locator("#slash [role=option]")
    expect(options).to_have_count(2)
    options.nth(1).hover()
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    expect(options.nth(0)).to_have_attribute("aria-selected", "false")
    page.keyboard.press("Enter")
    expect(page.locator("#answer")).to_have_value("Befund kommt mit der Post.")


def test_snoozing_and_closing_leave_the_focus_in_the_page(visitors, anna, account, talk):
    page = visitors.open(anna, f"/conversations/{talk.id}?view=open", viewport=WIDE)
    connected(page)
    page.locator("#talk-name").focus()
    page.keyboard.press("s")
    expect(page.locator("#menu-snooze .menu-item").first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#thread")).to_contain_text("zurückgestellt")
    expect(page.locator("#talk-head")).to_contain_text("zurückgestellt bis")
    expect(page.locator("#menu-snooze > summary")).to_be_focused()
    for other in list(inbox_list.rows(anna, "open").items):
        if other.id != talk.id:
            inbox.set_status(inbox.open_conversation(account, other.id), "closed", anna)
    inbox.set_status(inbox.open_conversation(account, talk.id), "open", anna)
    row = page.locator(f"#row-{talk.id}")
    expect(page.locator("#rows [data-row]")).to_have_count(1)
    # The key closes what stands in the head as open: so long as it stands there as snoozed, it would open it again.
    expect(page.locator("#talk-head")).not_to_contain_text("zurückgestellt bis")
    row.focus()
    page.keyboard.press("e")
    expect(row).to_have_count(0)
    expect(page.locator("#talk-name")).to_be_focused()


def test_snoozing_on_a_phone_gives_the_focus_back_to_the_menu(visitors, anna, talk):
    page = visitors.open(anna, f"/conversations/{talk.id}", viewport={"width": 390, "height": 844})
    connected(page)
    page.locator("#menu-more > summary").click()
    page.locator("#menu-more .submenu > summary", has_text="Zurückstellen").click()
    page.locator("#menu-more .submenu[open] .menu-item", has_text="Morgen, 08:00").click()
    expect(page.locator("#thread")).to_contain_text("zurückgestellt")
    expect(page.locator("#menu-more > summary")).to_be_focused()


def test_a_row_clicked_without_a_connection_opens_once_there_is_one(visitors, anna, account, talk):
    page = visitors.open(anna, "/inbox?view=open", viewport=WIDE)
    connected(page)
    page.context.set_offline(True)
    page.locator(f"#row-{talk.id}").click()
    expect(page.locator("#offline")).to_be_visible()
    expect(page.locator(f"#row-{talk.id}")).to_have_attribute("aria-busy", "true")
    page.context.set_offline(False)
    expect(page.locator("#talk-name")).to_have_text(talk.contact.name)


def test_a_network_lost_soon_after_a_poll_is_said_as_well(visitors, anna, talk):
    page = visitors.open(anna, "/inbox?view=open", viewport=WIDE)
    page.route("**/events?*", lambda route: route.abort())
    page.clock.install()
    page.reload()
    with page.expect_response("**/sync?*"):
        page.clock.fast_forward(10_500)
    expect(page.locator("#offline")).to_be_hidden()
    page.context.set_offline(True)
    expect(page.locator("#offline")).to_be_visible()


@pytest.mark.parametrize("width", [1440, 390])
def test_no_notice_covers_the_answer_field(visitors, anna, talk, width):
    page = visitors.open(anna, f"/conversations/{talk.id}", viewport={"width": width, "height": 844})
    connected(page)
    page.context.set_offline(True)
    expect(page.locator("#offline")).to_be_visible()
    page.evaluate(
        "document.getElementById('notices').innerHTML = '<div class=\"notice notice-warn\">Ihre Sitzung ist beendet.</div>'"
    )
    field = page.locator("#composer").bounding_box()
    shot(page, f"inbox-notices-{width}")
    for notice in ("#offline", "#notices"):
        box = page.locator(notice).bounding_box()
        assert box["y"] + box["height"] <= field["y"], notice
    first, second = (page.locator(n).bounding_box() for n in ("#offline", "#notices"))
    assert first["y"] + first["height"] <= second["y"]


@pytest.mark.parametrize(("width", "height"), [(390, 844), (720, 900), (320, 640)])
def test_on_a_narrow_page_number_and_voice_call_can_be_chosen(visitors, anna, account, talk, width, height):
    contacts.add_number(talk.contact, f"030 23125{int(talk.contact.number[-3:]):03d}")
    page = visitors.open(
        anna, f"/conversations/{talk.id}", viewport={"width": width, "height": height}, has_touch=True
    )
    page.locator("#composer select[name=to]").select_option(index=1)
    page.locator("label:has(#as-call)").click()
    expect(page.locator("#as-call")).to_be_checked()
    expect(page.locator("#meter")).to_contain_text("vorgelesen")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    send, meter = page.locator("#send").bounding_box(), page.locator("#meter").bounding_box()
    assert meter["x"] + meter["width"] <= send["x"]
    assert send["x"] + send["width"] <= width


@pytest.mark.parametrize(("width", "height"), [(320, 256), (720, 450)])
def test_in_a_low_window_thread_and_field_scroll_as_one(visitors, anna, talk, width, height):
    page = visitors.open(anna, f"/conversations/{talk.id}", viewport={"width": width, "height": height})
    connected(page)
    field = page.locator("#composer").bounding_box()
    assert field["y"] + field["height"] <= height + 1
    page.locator("#thread .bubble").first.scroll_into_view_if_needed()
    bubble = page.locator("#thread .bubble").first.bounding_box()
    assert -1 <= bubble["y"] < height
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    shot(page, f"inbox-low-{width}")


def test_editing_a_contact_and_menus_break_no_rule_of_the_page(visitors, anna, talk):
    page = visitors.open(anna, f"/conversations/{talk.id}", viewport=WIDE)
    connected(page)
    for menu in ("menu-assign", "menu-snooze", "menu-more", "menu-send", "menu-templates"):
        page.locator(f"#{menu} > summary").click()
    page.keyboard.press("Escape")
    page.locator("#edit-contact").click()
    page.locator("#contact-name").fill("Neuer Name")
    page.locator("button[name=save]").click()
    expect(page.locator("#contact h2")).to_have_text("Neuer Name")
    page.locator("#menu-block > summary").click()
    page.locator("#menu-block").get_by_role("button", name="Sperren", exact=True).click()
    expect(page.locator("#composer.is-locked")).to_be_visible()
    page.locator("#contact").get_by_role("button", name="Sperre aufheben").click()
    expect(page.locator("#answer")).to_be_visible()
    assert visitors.complaints == []
