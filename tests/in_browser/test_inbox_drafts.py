"""What is typed and what was sent: no text is lost, and none that was sent comes back."""

import re

import pytest
from playwright.sync_api import expect

from sms import contacts, inbox, sending, suppression
from sms.models import Message
from tests.in_browser import morning
from tests.in_browser.conftest import connected, soon, until
from tests.views.practice import write_in


@pytest.fixture
def talk(site, account):
    number = morning.fresh_number()
    talk = contacts.find_or_add(account, number, f"Person {number[-3:]}")[1]
    write_in("Guten Morgen, haben Sie geöffnet?", number)
    return talk


def test_a_text_that_was_sent_after_an_outage_does_not_come_back(visitors, anna, talk):
    page = visitors.open(anna, f"/conversations/{talk.id}")
    connected(page)
    page.context.set_offline(True)
    page.locator("#answer").fill("Kommen Sie um drei.")
    page.locator("#scroller").focus()
    until(page, "Object.keys(sessionStorage).some((key) => key.startsWith('faden:draft:'))")
    page.context.set_offline(False)
    page.get_by_role("button", name="Senden", exact=True).click()
    expect(page.locator(".msg.out .bubble", has_text="Kommen Sie um drei.")).to_be_visible()
    expect(page.locator("#answer")).to_have_value("")
    until(page, "Object.keys(sessionStorage).length === 0")
    soon(lambda: inbox.drafts(anna, talk) == {})
    page.wait_for_timeout(1500)
    assert page.evaluate("Object.keys(sessionStorage)") == []
    assert inbox.drafts(anna, talk) == {}
    page.reload()
    expect(page.locator("#answer")).to_have_value("")


def test_a_draft_on_its_way_is_not_brought_back_by_the_sending(visitors, anna, talk):
    page = visitors.open(anna, f"/conversations/{talk.id}")
    connected(page)
    slow = []
    page.route("**/draft", lambda route: slow.append(route) if not slow else route.continue_())
    page.locator("#answer").fill("Bis morgen.")
    page.get_by_role("button", name="Senden", exact=True).click()
    expect(page.locator(".msg.out .bubble", has_text="Bis morgen.")).to_be_visible()
    # It arrives late and would be back; the page takes it away once more.
    with page.expect_response(
        lambda answer: answer.url.endswith("/draft") and slow[0].request != answer.request
    ):
        slow[0].continue_()
    soon(lambda: inbox.drafts(anna, talk) == {})


def test_a_draft_follows_into_another_tab_and_leaves_it_with_the_sending(visitors, anna, talk):
    page = visitors.open(anna, f"/conversations/{talk.id}")
    connected(page)
    other = page.context.new_page()
    other.goto(page.url)
    connected(other)
    other.locator("#talk-name").focus()
    page.locator("#answer").fill("Im ersten Fenster")
    expect(other.locator("#answer")).to_have_value("Im ersten Fenster")
    page.locator("#answer").press("Control+Enter")
    expect(other.locator("#answer")).to_have_value("")


def test_an_undone_answer_is_in_the_field_and_stays_there(visitors, anna, talk):
    page = visitors.open(anna, f"/conversations/{talk.id}")
    connected(page)
    page.locator("#answer").fill("Zu früh abgeschickt")
    page.locator("#answer").press("Control+Enter")
    page.get_by_role("button", name=re.compile("Rückgängig")).click()
    withdrawn = page.locator(".msg.is-withdrawn", has_text="Zu früh abgeschickt")
    expect(withdrawn).to_contain_text("Zurückgezogen")
    expect(page.locator("#answer")).to_have_value("Zu früh abgeschickt")
    assert withdrawn.get_by_role("button").count() == 0
    page.reload()
    expect(page.locator("#answer")).to_have_value("Zu früh abgeschickt")


def test_a_stop_locks_the_field_even_while_a_menu_is_open(visitors, anna, talk):
    page = visitors.open(anna, f"/conversations/{talk.id}")
    connected(page)
    page.locator("#menu-more > summary").click()
    write_in("STOP", talk.contact.number)
    expect(page.locator("#composer.is-locked")).to_be_visible()
    expect(page.locator("#menu-more")).to_have_attribute("open", "")
    page.keyboard.press("Escape")
    expect(page.locator("#contact")).to_contain_text("Gesperrt: weder SMS noch Anrufe.")


def test_a_menu_opened_while_news_are_on_their_way_stays_open(visitors, anna, jonas, talk):
    page = visitors.open(anna, f"/conversations/{talk.id}")
    connected(page)
    late = []
    page.route("**/panels?*", lambda route: late.append(route) if not late else route.continue_())
    with page.expect_request("**/panels?*"):
        inbox.assign(talk, jonas, jonas)
    page.locator("#menu-snooze > summary").click()
    with page.expect_response("**/panels?*"):
        late[0].continue_()
    page.wait_for_timeout(300)
    expect(page.locator("#menu-snooze")).to_have_attribute("open", "")
    page.keyboard.press("Escape")
    expect(page.locator("#menu-assign summary")).to_contain_text("Jonas")


def test_numbers_that_come_and_go_are_in_the_field_at_once(visitors, anna, jonas, talk):
    page = visitors.open(anna, f"/conversations/{talk.id}")
    connected(page)
    page.locator("#answer").fill("Wird noch geschrieben")
    landline = f"030 23125{int(talk.contact.number[-3:]):03d}"
    contacts.add_number(talk.contact, landline, jonas)
    choice = page.locator("#composer select[name=to]")
    expect(choice.locator("option")).to_have_count(2)
    expect(page.locator("#answer")).to_have_value("Wird noch geschrieben")
    choice.select_option(index=1)
    page.get_by_role("button", name="Senden", exact=True).click()
    expect(page.locator(".voice-head")).to_contain_text("Sprachanruf an 030")
    suppression.suppress(talk.account, talk.contact.number, "agent", by=jonas)
    expect(choice).to_have_count(0)
    assert Message.get(Message.text == "Wird noch geschrieben").channel == "voice"


def test_a_planned_message_that_is_taken_back_moves_to_its_new_place(visitors, anna, talk):
    from datetime import timedelta

    from sms.clock import now

    planned = sending.reply(talk, "Morgen früh", by=anna, send_at=now() + timedelta(days=1))
    sending.reply(talk, "Gerade eben", by=anna)
    page = visitors.open(anna, f"/conversations/{talk.id}")
    connected(page)
    bubbles = page.locator(".msg.out .bubble")
    expect(bubbles).to_have_text(["Gerade eben", "Morgen früh"])
    days = page.locator(".day").count()
    page.locator(f"#m-{planned.id}").get_by_role("button", name="Zurückziehen").click()
    expect(page.locator(f"#m-{planned.id}.is-withdrawn")).to_be_visible()
    expect(page.locator(".day")).to_have_count(days - 1)
    sending.reply(talk, "Danach", by=anna)
    expect(bubbles).to_have_text(["Gerade eben", "Morgen früh", "Danach"])
