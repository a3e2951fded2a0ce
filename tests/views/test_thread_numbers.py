"""To which number an answer goes, what a block locks, and what was taken back: the page and the server agree."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from sms import clock, contacts, inbox, sending, suppression
from sms.clock import now
from sms.db import database
from sms.models import Conversation, Message
from sms.views.inbox import display
from tests.views import practice

HTMX = {"HX-Request": "true"}
LANDLINE = practice.LANDLINE


def text_of(answer):
    return answer.get_data(as_text=True)


@pytest.fixture
def talk(account, app):
    return practice.conversation(account)


def page_of(client, talk):
    return text_of(client.get(f"/conversations/{talk.id}"))


def post(client, path, **form):
    return client.post(path, data=form, headers=HTMX)


def item_of(page, message):
    return re.search(rf'<li [^>]*id="m-{message.id}".*?</li>', page, re.S)[0]


def test_the_form_always_names_the_number_it_shows(client, talk, account):
    assert f'<input type="hidden" name="to" value="{practice.MOBILE}">' in page_of(client, talk)
    contacts.add_number(talk.contact, LANDLINE)
    page = page_of(client, talk)
    assert f'<option value="{practice.MOBILE}" selected>' in page
    suppression.suppress(account, practice.MOBILE, "agent")
    page = page_of(client, talk)
    assert f'<input type="hidden" name="to" value="{LANDLINE}">' in page
    assert f"an {display(LANDLINE)}" in page
    assert post(client, f"/conversations/{talk.id}/messages", text="Hallo", to=LANDLINE).status_code == 200
    assert Message.get(Message.channel == "voice").theirs == LANDLINE


def test_a_live_update_brings_the_numbers_and_keeps_what_was_chosen(client, talk, account):
    address = f"/conversations/{talk.id}/panels"
    contacts.add_number(talk.contact, LANDLINE)
    page = text_of(client.get(address, query_string={"locked": "0", "to": LANDLINE}))
    assert 'hx-target="#ways"' in page
    assert f'<option value="{LANDLINE}" selected>' in page
    contacts.remove_number(talk.contact, LANDLINE)
    page = text_of(client.get(address, query_string={"locked": "0", "to": LANDLINE}))
    assert f'<input type="hidden" name="to" value="{practice.MOBILE}">' in page


def test_an_open_menu_hides_no_lock(client, talk, account):
    suppression.suppress(account, practice.MOBILE, "agent")
    page = text_of(client.get(f"/conversations/{talk.id}/panels?locked=0&field=1"))
    assert 'hx-target="#composer"' in page
    assert "#talk-head" not in page
    assert 'hx-target="#contact"' not in page


def test_a_refused_answer_to_a_blocked_number_locks_the_page(client, talk, account):
    suppression.suppress(account, practice.MOBILE, "agent")
    answer = post(client, f"/conversations/{talk.id}/messages", text="Trotzdem", to=practice.MOBILE)
    assert answer.status_code == 422
    assert answer.headers["HX-Trigger"] == "faden:lock"


def test_a_number_that_a_colleague_has_removed_is_named_as_such(client, talk, account):
    contacts.add_number(talk.contact, practice.OTHER_MOBILE)
    practice.write_in("Hallo", practice.OTHER_MOBILE)
    contacts.remove_number(talk.contact, practice.OTHER_MOBILE)
    answer = post(client, f"/conversations/{talk.id}/messages", text="Hallo", to=practice.OTHER_MOBILE)
    assert answer.status_code == 422
    assert "Diese Nummer wurde entfernt" in text_of(answer)


def test_skip_links_lead_somewhere_also_where_the_field_is_locked(client, talk):
    practice.write_in("STOP")
    page = page_of(client, talk)
    targets = re.findall(r'<a class="skip" href="#([^"]+)"', page)
    assert len(targets) == 3
    assert all(f'id="{target}"' in page for target in targets)


def test_a_blocked_contact_cannot_be_called_and_the_page_says_why(client, talk):
    assert "no-call" not in page_of(client, talk)
    practice.write_in("STOP")
    page = page_of(client, talk)
    assert re.search(r'<button[^>]* disabled aria-describedby="no-call">.*?Anrufen lassen', page, re.S)
    assert '<p class="hint" id="no-call">Gesperrt: weder SMS noch Anrufe.</p>' in page
    assert 'id="call-them"' not in page


def test_blocking_asks_in_the_page(client, talk):
    page = page_of(client, talk)
    assert "hx-confirm" not in page
    assert "Diese Nummer sperren?" in page


def test_what_was_undone_offers_no_second_way_to_send_it(client, talk, anna):
    message = practice.write_out(talk, "Zu früh", anna)
    post(client, f"/messages/{message.id}/cancel")
    item = item_of(page_of(client, talk), message)
    assert "is-withdrawn" in item
    assert "Doch senden" not in item
    assert inbox.drafts(anna, talk) == {"reply": "Zu früh"}


def test_a_planned_text_that_was_taken_back_can_be_sent_after_all(client, talk, anna):
    message = practice.write_out(talk, "Bis morgen", anna, send_at=now() + timedelta(days=1))
    post(client, f"/messages/{message.id}/cancel")
    item = item_of(page_of(client, talk), message)
    assert "is-withdrawn" in item
    assert "Doch senden" in item


def test_taking_back_brings_the_day_it_moves_to(client, talk, anna, jonas):
    message = practice.write_out(talk, "Bis morgen", anna, send_at=now() + timedelta(days=1))
    before = client.get(f"/sync?after=0&conversation={talk.id}").headers["X-Cursor"]
    sending.cancel(message, jonas)
    told = text_of(client.get(f"/sync?after={before}&conversation={talk.id}"))
    assert f'hx-target="#m-{message.id}"' in told
    assert "Heute, " in told


@pytest.mark.parametrize(
    ("status", "look"), [("undelivered", "st-warn"), ("failed", "st-fail"), ("delivered", "")]
)
def test_one_trouble_has_one_colour_in_list_and_thread(client, talk, anna, status, look):
    from sms import delivery

    message = practice.write_out(talk, "Hallo", anna)
    with database.atomic():
        practice.settle(message, "sending", status)
        delivery.tell(message)
    row = re.search(rf'id="c-{talk.id}".*?</li>', text_of(client.get("/inbox?view=open")), re.S)[0]
    item = item_of(page_of(client, talk), message)
    for part in (row, item):
        assert not look or f'class="st {look}"' in part
    assert ("Nicht zugestellt" in row) == bool(look)


def test_an_event_after_waking_says_what_happened(client, talk, anna):
    inbox.set_status(talk, "snoozed", anna, now() + timedelta(hours=1))
    practice.later(hours=2)
    inbox.wake(now())
    page = page_of(client, talk)
    assert "<span>Wieder geöffnet</span>" in page


def test_closing_is_said_in_whole_words(client, talk, anna):
    inbox.set_status(talk, "closed", anna)
    assert "Anna Weber</strong> hat das Gespräch abgeschlossen" in page_of(client, talk)


def test_a_note_leaves_time_and_text_of_the_row_as_they_are(client, talk, anna):
    practice.write_in("Bis gleich")
    before = Conversation.get_by_id(talk.id)
    practice.later(hours=1)
    sending.add_note(before, "Nur für uns", anna)
    after = Conversation.get_by_id(talk.id)
    assert (after.preview, after.last_activity_at) == (before.preview, before.last_activity_at)


@pytest.mark.parametrize(
    ("hour", "offered"), [(23, "08:00"), (3, "08:00"), (8, "12:00"), (20, None)], ids=["0", "4", "9", "21"]
)
def test_nobody_is_offered_to_wake_up_at_night(app, hour, offered):
    from sms.views.composer import snooze_times

    moment = datetime(2026, 11, 16, hour, 5, tzinfo=UTC)
    with app.test_request_context():
        clock.shift(moment - now())
        times = snooze_times("Europe/Berlin")
    today = [at for _words, at in times if at.endswith(offered or "never")]
    assert bool(today) == bool(offered)
    assert all(int(at[11:13]) >= 8 for _words, at in times)
