"""A day in the inbox: two agents, a phone, a real server; what one does the other sees."""

import re

import pytest
from playwright.sync_api import Page, expect

from sms import inbox, sending
from sms.models import Conversation, Message
from tests.in_browser import morning
from tests.in_browser.conftest import connected, session_of, soon, until
from tests.views.practice import settle, write_in


@pytest.fixture
def number():
    return morning.fresh_number()


@pytest.fixture
def talk(site, account, number):
    from sms import contacts

    talk = contacts.find_or_add(account, number, f"Person {number[-3:]}")[1]
    write_in("Guten Morgen, haben Sie geöffnet?", number)
    return talk


def thread_of(page):
    return page.locator("#thread")


def write(page, text):
    # What is written while an answer is on its way would be taken for a part of it.
    expect(page.locator("form#composer:not(.is-sending)")).to_be_visible()
    page.locator("#answer").fill(text)
    page.keyboard.press("Control+Enter")


def test_an_answer_appears_once_and_the_field_is_empty(visitors, anna, talk):
    page = visitors.open(anna, f"/conversations/{talk.id}")
    connected(page)
    write(page, "Ja, bis 18 Uhr.")
    bubble = page.locator(".msg.out .bubble", has_text="Ja, bis 18 Uhr.")
    expect(bubble).to_be_visible()
    expect(page.locator("#answer")).to_have_value("")
    soon(lambda: inbox.drafts(anna, talk) == {})
    page.wait_for_timeout(600)
    assert bubble.count() == 1
    expect(page.locator("#answer")).to_be_focused()
    assert visitors.complaints == []


@pytest.mark.both
def test_thirty_rapid_answers_stand_once_each_and_in_order(visitors, anna, jonas, talk):
    page = visitors.open(anna, f"/conversations/{talk.id}")
    other = visitors.open(jonas, f"/conversations/{talk.id}")
    connected(page)
    connected(other)
    for n in range(30):
        sending.reply(talk, f"Nachricht {n}", by=anna)
    for shown in (page, other):
        expect(shown.locator(".msg.out .bubble")).to_have_text([f"Nachricht {n}" for n in range(30)])


@pytest.mark.both
def test_a_text_from_a_phone_appears_without_reload_and_is_read_only_when_seen(visitors, anna, talk, number):
    page = visitors.open(anna, "/inbox?view=open")
    connected(page)
    write_in("Noch eine Frage", number)
    row = page.locator(f"#row-{talk.id}")
    expect(row).to_contain_text("Noch eine Frage")
    expect(row.locator(".count")).to_have_text(re.compile("^2"))
    row.click()
    expect(thread_of(page)).to_contain_text("Noch eine Frage")
    expect(page.locator("#new-line")).to_be_visible()
    expect(row).not_to_have_attribute("data-unread", "")
    write_in("Und noch eine", number)
    expect(thread_of(page)).to_contain_text("Und noch eine")
    expect(row).to_contain_text("Und noch eine")
    expect(row).not_to_have_attribute("data-unread", "")
    assert visitors.complaints == []


def test_pressing_a_row_preloads_it_and_leaves_it_unread(visitors, anna, talk):
    page = visitors.open(anna, "/inbox?view=open")
    row = page.locator(f"#row-{talk.id}")
    # The scripts may still be on their way: somebody who sees nothing happen presses again.
    with page.expect_response(re.compile(f"/conversations/{talk.id}")):
        row.evaluate(
            """row => { row.pressing = setInterval(() => row.dispatchEvent(
                new MouseEvent("mousedown", {bubbles: true, cancelable: true})), 200) }"""
        )
    row.evaluate("row => clearInterval(row.pressing)")
    page.wait_for_timeout(300)
    assert inbox.first_unread(anna, Conversation.get_by_id(talk.id)) is not None


def test_ticks_change_in_place(visitors, anna, talk):
    message = sending.reply(talk, "Bis gleich", by=anna)
    page = visitors.open(anna, f"/conversations/{talk.id}")
    connected(page)
    item = page.locator(f"#m-{message.id}")
    page.evaluate("id => { window.kept = document.getElementById(id) }", f"m-{message.id}")
    expect(item).to_contain_text("Wird gesendet")
    from sms import delivery

    with morning.transaction():
        settle(message, "sending", "sent", "delivered")
        delivery.tell(message)
    expect(item).to_contain_text("Zugestellt")
    assert page.evaluate("id => window.kept === document.getElementById(id)", f"m-{message.id}")


def test_a_reply_can_be_undone_and_is_in_the_field_again(visitors, anna, talk):
    page = visitors.open(anna, f"/conversations/{talk.id}")
    connected(page)
    write(page, "Zu früh abgeschickt")
    undo = page.get_by_role("button", name=re.compile(r"Rückgängig, noch \d+ s"))
    expect(undo).to_be_visible()
    undo.click()
    expect(page.locator(".msg.out", has_text="Zu früh abgeschickt")).to_contain_text("Zurückgezogen")
    expect(page.locator("#answer")).to_have_value("Zu früh abgeschickt")
    assert Message.get(Message.conversation == talk, Message.direction == "outgoing").status == "cancelled"


def test_a_colleague_s_answer_while_typing_stops_the_sending_and_the_text_stays(visitors, anna, jonas, talk):
    page = visitors.open(anna, f"/conversations/{talk.id}")
    connected(page)
    page.locator("#answer").fill("14:15 Uhr ist noch frei.")
    sending.reply(talk, "Ja, 14:15 Uhr ist für Sie reserviert.", by=jonas)
    expect(thread_of(page)).to_contain_text("für Sie reserviert")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".composer-conflict")).to_contain_text("Jonas hat gerade geantwortet")
    expect(page.locator(".composer-conflict")).to_contain_text("Ja, 14:15 Uhr ist für Sie reserviert.")
    expect(page.locator("#answer")).to_have_value("14:15 Uhr ist noch frei.")
    assert Message.select().where(Message.conversation == talk, Message.author == anna).count() == 0
    page.get_by_role("button", name="Trotzdem senden").click()
    expect(page.locator(".msg.out .bubble", has_text="14:15 Uhr ist noch frei.")).to_be_visible()
    expect(page.locator(".composer-conflict")).to_have_count(0)


def test_the_draft_is_there_on_another_machine_and_in_the_list(visitors, anna, talk):
    page = visitors.open(anna, f"/conversations/{talk.id}")
    page.locator("#answer").press_sequentially("Das schreibe ich spä")
    page.locator("#scroller").focus()
    soon(lambda: "Das schreibe ich spä" in inbox.drafts(anna, talk).values())
    other = visitors.open(anna, f"/conversations/{talk.id}?view=open")
    expect(other.locator("#answer")).to_have_value("Das schreibe ich spä")
    expect(other.locator(f"#row-{talk.id}")).to_contain_text("Entwurf: Das schreibe ich spä")


def test_an_ended_session_keeps_what_is_typed_through_the_sign_in(visitors, anna, talk):
    page = visitors.open(anna, f"/conversations/{talk.id}")
    page.locator("#answer").fill("Halb fertig")
    page.context.clear_cookies()
    page.locator("#answer").press_sequentially(" und weiter")
    page.locator("#scroller").focus()
    until(page, "Object.values(sessionStorage).some((kept) => kept.includes('Halb fertig und weiter'))")
    page.context.add_cookies(
        [{"name": "faden", "value": session_of(anna), "url": page.url.split("/conv")[0]}]
    )
    page.reload()
    expect(page.locator("#answer")).to_have_value("Halb fertig und weiter")


def test_a_lost_network_is_said_keeps_the_text_and_heals_by_itself(visitors, anna, talk, number):
    page = visitors.open(anna, f"/conversations/{talk.id}")
    connected(page)
    page.context.set_offline(True)
    expect(page.locator("#offline")).to_be_visible()
    write(page, "Ohne Netz")
    expect(page.locator("#composer-errors")).to_contain_text("keine Verbindung")
    expect(page.locator("#answer")).to_have_value("Ohne Netz")
    write_in("Während Sie weg waren", number)
    page.context.set_offline(False)
    expect(thread_of(page)).to_contain_text("Während Sie weg waren")
    expect(page.locator("#offline")).to_be_hidden()
    assert page.locator(".bubble", has_text="Während Sie weg waren").count() == 1


def test_who_types_and_who_reads_is_shown(visitors, anna, jonas, talk):
    page = visitors.open(anna, f"/conversations/{talk.id}")
    connected(page)
    other = visitors.open(jonas, f"/conversations/{talk.id}")
    expect(page.locator("#presence")).to_contain_text("Jonas liest")
    # He goes on until it is seen: some seconds after the last key he only reads.
    other.locator("#answer").evaluate(
        """field => { setInterval(() => {
            field.value += ".";
            field.dispatchEvent(new InputEvent("input", { bubbles: true }));
        }, 500) }"""
    )
    expect(page.locator("#presence")).to_contain_text("Jonas schreibt")
    other.goto("/inbox?view=open")
    expect(page.locator("#presence")).not_to_contain_text("Jonas")


def test_assigning_moves_on_every_page(visitors, anna, jonas, talk):
    page = visitors.open(anna, f"/conversations/{talk.id}?view=open")
    other = visitors.open(jonas, f"/conversations/{talk.id}?view=open")
    connected(other)
    page.locator("#menu-assign summary").click()
    page.locator("#menu-assign").get_by_role("button", name="Jonas Krüger").click()
    expect(page.locator("#menu-assign summary")).to_contain_text("Jonas")
    expect(thread_of(page)).to_contain_text("Anna Weber hat an Jonas Krüger übergeben")
    expect(thread_of(other)).to_contain_text("Anna Weber hat an Jonas Krüger übergeben")
    expect(other.locator("#menu-assign summary")).to_contain_text("Jonas")


def test_closing_and_snoozing_by_keyboard(visitors, anna, talk):
    page = visitors.open(anna, f"/conversations/{talk.id}?view=open")
    connected(page)
    page.keyboard.press("e")
    expect(page.locator("#close")).to_have_text("Wieder öffnen")
    expect(page.locator(f"#row-{talk.id}")).to_have_count(0)
    page.keyboard.press("e")
    expect(page.locator("#close")).to_have_text("Erledigt")
    page.keyboard.press("s")
    expect(page.locator("#menu-snooze .menu-item").first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#talk-head")).to_contain_text("zurückgestellt bis")
    expect(page.locator("#menu-snooze > summary")).to_be_focused()
    assert Conversation.get_by_id(talk.id).status == "snoozed"


def test_a_day_s_work_by_keyboard_alone(visitors, anna, account, talk, number):
    second = morning.fresh_number()
    write_in("Zweite Person", second)
    page = visitors.open(anna, "/inbox?view=open")
    connected(page)
    page.keyboard.press("j")
    expect(page.locator("#rows [data-row]").first).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    expect(page.locator("#talk-name")).to_be_focused()
    page.keyboard.press("n")
    expect(page.locator("#note")).to_be_focused()
    page.keyboard.type("Nur für uns")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".note", has_text="Nur für uns")).to_be_visible()
    # The page may hear of it before its own request is answered, and only then the field is as before.
    expect(page.locator("#answer")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("r")
    expect(page.locator("#answer")).to_be_focused()
    page.keyboard.type("Guten Tag")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".msg.out .bubble", has_text="Guten Tag")).to_be_visible()
    expect(page.locator("#answer")).to_have_value("")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("Zweite")
    expect(page.locator("#rows [data-row]")).to_have_count(1)
    page.keyboard.press("ArrowDown")
    expect(page.locator("#rows [data-row]").first).to_be_focused()


def test_the_search_finds_a_word_inside_a_word(visitors, anna, talk, number):
    write_in("Danke für die Terminbestätigung!", number)
    page = visitors.open(anna, "/inbox?view=open")
    page.locator("#q").fill("termin")
    row = page.locator(f"#row-{talk.id}")
    expect(row).to_be_visible()
    page.locator("#q").fill("gibt es nirgends")
    expect(page.locator("#rows")).to_contain_text("Nichts gefunden")


def test_a_template_is_chosen_with_a_slash_and_the_meter_counts(visitors, anna, account, talk):
    from sms.clock import now
    from sms.models import Template

    Template.get_or_create(
        account=account,
        name="Karte",
        defaults={"text": "Bitte denken Sie an die Karte, {name}.", "created_at": now()},
    )
    page = visitors.open(anna, f"/conversations/{talk.id}")
    page.locator("#answer").press_sequentially("Hallo /kar")
    expect(page.locator("#slash [role=option]").first).to_contain_text("Karte")
    page.keyboard.press("Enter")
    expect(page.locator("#answer")).to_have_value(re.compile("^Hallo Bitte denken Sie an die Karte, Person"))
    expect(page.locator("#meter")).to_contain_text(re.compile(r"\d+/160 · 1 SMS"))
    page.locator("#answer").fill("Grüße an Frau Doğan")
    expect(page.locator("#meter")).to_contain_text("„ğ“ erzwingt Unicode")


def test_older_pages_load_while_scrolling_up_and_the_place_stays(visitors, anna, account):
    from sms import contacts

    number = morning.fresh_number()
    talk = contacts.find_or_add(account, number, "Lange Bekannte")[1]
    for n in range(130):
        write_in(f"Text Nummer {n}", number)
    page = visitors.open(anna, f"/conversations/{talk.id}")
    connected(page)
    expect(page.locator(".msg")).to_have_count(50)
    seen = page.locator(".msg", has_text="Text Nummer 80")
    page.evaluate("document.getElementById('scroller').scrollTop = -1e6")
    before = seen.bounding_box()["y"]
    expect(page.locator(".msg")).to_have_count(100)
    page.wait_for_timeout(400)
    assert page.locator(".msg").count() == 100
    assert abs(seen.bounding_box()["y"] - before) <= 40  # no more than the line that asked for them
    here = seen.bounding_box()["y"]
    write_in("Ganz unten, ganz neu", number)
    expect(page.locator("#jump button")).to_be_visible()
    assert abs(seen.bounding_box()["y"] - here) < 1
    page.evaluate("document.getElementById('scroller').scrollTop = -1e6")
    expect(page.locator(".msg")).to_have_count(131)
    texts = page.locator(".msg .bubble").all_inner_texts()
    assert texts == [f"Text Nummer {n}" for n in range(130)] + ["Ganz unten, ganz neu"]
    days = page.locator(".day").all_inner_texts()
    assert len(days) == len(set(days))


def test_the_list_sorts_anew_and_the_focus_stays_on_its_row(visitors, anna, account, talk, number):
    other = morning.fresh_number()
    write_in("Ich war zuerst oben", other)
    page = visitors.open(anna, "/inbox?view=open")
    connected(page)
    page.locator(f"#row-{talk.id}").focus()
    write_in("Jetzt bin ich oben", number)
    expect(page.locator("#rows [data-row]").first).to_have_attribute("id", f"row-{talk.id}")
    expect(page.locator(f"#row-{talk.id}")).to_be_focused()


def test_a_planned_message_can_be_changed_sent_at_once_and_stands_in_order(visitors, anna, talk):
    page = visitors.open(anna, f"/conversations/{talk.id}")
    connected(page)
    page.locator("#answer").fill("Bis morgen!")
    page.locator("#menu-send > summary").click()
    page.get_by_role("button", name="Morgen, 08:00").click()
    planned = page.locator(".msg.is-planned", has_text="Bis morgen!")
    expect(planned).to_be_visible()
    write(page, "Das kommt vorher")
    expect(page.locator(".msg.out .bubble")).to_have_text(["Das kommt vorher", "Bis morgen!"])
    planned.get_by_role("link", name="Bearbeiten").click()
    form = page.locator(".edit-form textarea")
    form.fill("Bis morgen früh!")
    page.locator(".edit-form").get_by_role("button", name="Speichern").click()
    planned = page.locator(".msg.is-planned", has_text="Bis morgen früh!")
    expect(planned).to_be_visible()
    planned.get_by_role("button", name="Jetzt senden").click()
    expect(page.locator(".msg.is-planned")).to_have_count(0)
    expect(page.locator(".msg.out .bubble")).to_have_text(["Das kommt vorher", "Bis morgen früh!"])


def test_a_failed_message_goes_out_as_a_call(visitors, anna, talk):
    message = settle(
        sending.reply(talk, "Bitte zurückrufen", by=anna), "sending", "failed", reason="unreachable"
    )
    page = visitors.open(anna, f"/conversations/{talk.id}")
    item = page.locator(f"#m-{message.id}")
    expect(item).to_contain_text("Nicht zugestellt: Gerät nicht erreichbar")
    item.get_by_role("button", name="Als Sprachanruf").click()
    expect(page.locator(".voice")).to_contain_text("Bitte zurückrufen")
    expect(page.locator(".voice")).to_contain_text("Guten Tag. Sie haben eine Sprach-SMS erhalten")


def test_an_opted_out_number_locks_the_answer_field_on_open_pages(visitors, anna, talk, number):
    page = visitors.open(anna, f"/conversations/{talk.id}")
    connected(page)
    write_in("STOP", number)
    expect(page.locator("#composer.is-locked")).to_contain_text("Abgemeldet mit STOP")
    page.get_by_role("button", name="Einwilligung neu eintragen").click()
    expect(page.locator("form#composer")).to_be_visible()
    expect(page.locator("#answer")).to_be_editable()


def test_another_view_beside_an_open_thread_leaves_it_open(visitors, anna, talk):
    page = visitors.open(anna, f"/conversations/{talk.id}?view=open")
    page.locator("#answer").fill("Noch nicht fertig")
    page.locator("#view-all").click()
    expect(page.locator("#view-all")).to_have_attribute("aria-current", "page")
    expect(page).to_have_url(re.compile(rf"/conversations/{talk.id}\?view=all$"))
    expect(page.locator("#answer")).to_have_value("Noch nicht fertig")
    expect(page.locator(f"#row-{talk.id}")).to_have_attribute("aria-current", "true")
    with page.expect_response(re.compile("q=Person")):
        page.locator("#q").fill("Person")
    expect(page.locator(f"#row-{talk.id}")).to_have_attribute("aria-current", "true")
    assert "view=all" in page.url


def test_the_way_back_shows_the_thread_before(visitors, anna, talk, account):
    second = morning.fresh_number()
    other = write_in("Zweites Gespräch", second).conversation
    page = visitors.open(anna, f"/conversations/{talk.id}?view=open")
    page.locator(f"#row-{other.id}").click()
    expect(thread_of(page)).to_contain_text("Zweites Gespräch")
    expect(page).to_have_url(re.compile(rf"/conversations/{other.id}\?view=open$"))
    page.go_back()
    expect(thread_of(page)).to_contain_text("Guten Morgen, haben Sie geöffnet?")
    expect(page.locator(f"#row-{talk.id}")).to_have_attribute("aria-current", "true")
    expect(page).to_have_title(re.compile("^Person"))


def test_enter_in_the_date_field_plans_and_does_not_send(visitors, anna, talk):
    page = visitors.open(anna, f"/conversations/{talk.id}")
    page.locator("#answer").fill("Bis bald")
    page.locator("#menu-send > summary").click()
    page.locator("#menu-date > summary").click()
    page.locator("#send-at").fill(
        "2026-12-24T10:00" if page.evaluate("new Date().getFullYear()") == 2026 else "2030-12-24T10:00"
    )
    page.locator("#send-at").press("Enter")
    expect(page.locator(".msg.is-planned", has_text="Bis bald")).to_be_visible()


@pytest.mark.both
def test_after_a_restart_of_the_server_the_page_goes_on_by_itself(visitors, anna, talk, number, site):
    page = visitors.open(anna, f"/conversations/{talk.id}")
    connected(page)
    site.restart()
    write_in("Nach dem Neustart", number)
    expect(thread_of(page)).to_contain_text("Nach dem Neustart")
    assert page.locator(".bubble", has_text="Nach dem Neustart").count() == 1


def test_a_page_whose_first_connection_fails_connects_later(visitors, anna, talk, number):
    page = visitors.open(anna, "/inbox?view=open")
    page.context.route("**/events*", lambda route: route.abort())
    with page.expect_event("requestfailed", lambda request: "/events" in request.url):
        page.goto(f"/conversations/{talk.id}")
    page.context.unroute("**/events*")
    write_in("Später verbunden", number)
    expect(thread_of(page)).to_contain_text("Später verbunden")


def late_extensions(visitors, anna) -> Page:
    """A page on which htmx has begun long before its extensions come."""
    page = visitors.open(anna, "/inbox?view=open")

    def late(route):
        page.wait_for_timeout(700)
        route.continue_()

    page.context.route("**/hx-sse*", late)
    return page


def test_extensions_that_come_late_still_open_the_stream(visitors, anna, talk, number):
    page = late_extensions(visitors, anna)
    page.goto(f"/conversations/{talk.id}")
    connected(page)
    write_in("Trotz langsamer Leitung", number)
    expect(thread_of(page)).to_contain_text("Trotz langsamer Leitung")


@pytest.mark.parametrize("path", ["/to-check", "/appointments/"])
def test_extensions_that_come_late_open_the_stream_of_the_other_live_pages(visitors, anna, path):
    page = late_extensions(visitors, anna)
    page.goto(path)
    connected(page)


@pytest.mark.both
def test_where_no_stream_comes_through_the_page_asks_every_ten_seconds(visitors, anna, talk, number):
    page = visitors.open(anna, "/inbox?view=open")
    page.context.route("**/events*", lambda route: route.abort())
    page.clock.install()
    page.goto(f"/conversations/{talk.id}?view=open")
    page.clock.pause_at(page.evaluate("Date.now()") / 1000 + 7)
    page.clock.run_for(500)
    expect(page.locator("#offline")).to_be_visible()
    write_in("Ohne Strom", number)
    page.clock.resume()
    with page.expect_response("**/sync?*"):
        page.clock.fast_forward(10_000)
    expect(thread_of(page)).to_contain_text("Ohne Strom")
    expect(page.locator("#offline")).to_be_hidden()
    expect(page.locator(f"#row-{talk.id}")).to_contain_text("Ohne Strom")
    with page.expect_response("**/sync?*"):
        page.clock.fast_forward(9_000)
    expect(page.locator("#offline")).to_be_hidden()


def test_a_second_tab_shows_the_same(visitors, anna, talk, number):
    page = visitors.open(anna, f"/conversations/{talk.id}")
    tab = page.context.new_page()
    tab.goto(f"/conversations/{talk.id}")
    connected(page)
    connected(tab)
    write(tab, "Aus dem zweiten Reiter")
    expect(page.locator(".msg.out .bubble", has_text="Aus dem zweiten Reiter")).to_be_visible()
    expect(tab.locator(".msg.out .bubble", has_text="Aus dem zweiten Reiter")).to_be_visible()


def test_on_a_phone_list_thread_and_contact_follow_each_other(visitors, anna, talk):
    page = visitors.open(anna, "/inbox?view=open", viewport={"width": 390, "height": 844}, has_touch=True)
    expect(page.locator("#talk")).to_be_hidden()
    page.locator(f"#row-{talk.id}").tap()
    expect(page.locator("#talk-name")).to_be_visible()
    expect(page.locator("#list")).to_be_hidden()
    page.locator("#show-contact").tap()
    expect(page.locator("#contact")).to_be_visible()
    expect(page.locator("#talk")).to_be_hidden()
    page.locator("#hide-contact").tap()
    expect(page.locator("#answer")).to_be_visible()
    page.locator("#talk-head .back").tap()
    expect(page.locator(f"#row-{talk.id}")).to_be_visible()


def test_a_new_message_explains_the_number_and_goes_to_its_thread(visitors, anna, site):
    page = visitors.open(anna, "/new")
    page.locator("#to").fill("0171 3920")
    page.locator("#new-text").fill("Guten Tag, Ihre Einlagen sind da.")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#e-to")).to_be_visible()
    expect(page.locator("#to")).to_be_focused()
    expect(page.locator("#new-text")).to_have_value("Guten Tag, Ihre Einlagen sind da.")
    page.locator("#to").fill("0171 39200 77")
    expect(page.locator("#to-hint")).to_contain_text("Mobil, Deutschland: erhält eine SMS")
    page.get_by_role("button", name="Senden").click()
    expect(page.locator(".msg.out .bubble", has_text="Ihre Einlagen")).to_be_visible()


def test_an_expired_session_does_not_lose_a_new_message(visitors, anna, site):
    page = visitors.open(anna, "/new")
    page.locator("#to").fill("0171 39200 78")
    page.locator("#new-text").fill("Lange geschrieben")
    page.context.clear_cookies()
    page.get_by_role("button", name="Senden").click()
    expect(page.locator("#notices")).to_contain_text("Anmelden")
    expect(page.locator("#new-text")).to_have_value("Lange geschrieben")


def test_without_script_reading_and_sending_work(visitors, anna, talk):
    page = visitors.open(anna, "/inbox?view=open", java_script_enabled=False)
    page.locator(f"#row-{talk.id}").click()
    expect(thread_of(page)).to_contain_text("Guten Morgen, haben Sie geöffnet?")
    page.locator("#answer").fill("Ohne Skript")
    page.locator("#send").click()
    expect(page.locator(".msg.out .bubble", has_text="Ohne Skript")).to_be_visible()
    page.get_by_role("button", name="Notiz", exact=True).click()
    page.locator("#note").fill("Auch das geht")
    page.get_by_role("button", name="Notiz speichern").click()
    expect(page.locator(".note", has_text="Auch das geht")).to_be_visible()


def test_two_people_at_one_server_are_told_apart(visitors, anna, jonas, talk):
    for user in (anna, jonas, anna, jonas):
        page = visitors.open(user, f"/conversations/{talk.id}")
        expect(page.locator(".rail-me .avatar")).to_have_text(user.initials)
        expect(page.locator(".rail-person .menu-label strong")).to_have_text(user.name)


def test_a_read_out_message_can_be_heard(visitors, anna, jonas, account):
    talk = morning.thread_of_states(account, anna, jonas)
    page = visitors.open(anna, f"/conversations/{talk.id}")
    page.get_by_role("button", name="Abspielen").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    expect(page.locator("[data-player] time").first).to_contain_text(" / 0:")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Abspielen")).to_be_visible()
