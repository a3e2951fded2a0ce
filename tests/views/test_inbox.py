"""The list of conversations, as a browser without script sees it."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from sms import contacts, inbox, inbox_list, sending
from sms.clock import now
from sms.models import Conversation
from sms.views import moments
from tests.views import practice
from tests.views.counting import queries


def text_of(answer):
    return answer.get_data(as_text=True)


def rows_of(answer):
    return [int(n) for n in re.findall(r'id="row-(\d+)"', text_of(answer))]


def test_the_list_shows_a_conversation_with_its_newest_text(client, account, anna):
    talk = practice.conversation(account)
    practice.write_in("Muss ich nüchtern kommen?")
    page = text_of(client.get("/inbox?view=open"))
    assert f'href="/conversations/{talk.id}?view=open"' in page
    assert "Muss ich nüchtern kommen?" in page
    assert "data-unread" in page


def test_a_row_says_who_spoke_last_and_shows_a_draft_first(client, account, anna, jonas):
    talk = practice.conversation(account)
    practice.write_out(talk, "Bis Donnerstag", anna)
    assert "<b>Sie:</b> Bis Donnerstag" in text_of(client.get("/inbox?view=open"))
    practice.write_out(talk, "Doch Freitag", jonas)
    assert "<b>Jonas:</b> Doch Freitag" in text_of(client.get("/inbox?view=open"))
    inbox.save_draft(anna, talk, "reply", "Wie wäre es")
    assert '<span class="draft">Entwurf:</span> Wie wäre es' in text_of(client.get("/inbox?view=open"))


def test_each_view_shows_its_own_conversations(client, account, anna, jonas):
    talks = {}
    for place, name in enumerate(("mine", "unassigned", "pending", "snoozed", "closed", "failed")):
        talks[name] = contacts.find_or_add(account, f"+4917139200{place + 10}", name)[1]
    inbox.assign(talks["mine"], anna, anna)
    inbox.set_status(talks["pending"], "pending", anna)
    inbox.set_status(talks["snoozed"], "snoozed", anna, now() + timedelta(hours=3))
    inbox.set_status(talks["closed"], "closed", anna)
    inbox.assign(talks["failed"], jonas, jonas)
    Conversation.update(failed=True).where(Conversation.id == talks["failed"].id).execute()
    for view, talk in talks.items():
        assert rows_of(client.get(f"/inbox?view={view}")) == [talk.id], view
    assert set(rows_of(client.get("/inbox?view=open"))) == {
        talks[n].id for n in ("mine", "unassigned", "failed")
    }
    assert len(rows_of(client.get("/inbox?view=all"))) == 6
    assert '>Meine <span class="n">1</span>' in text_of(client.get("/inbox"))


def test_an_agent_without_own_conversations_starts_with_all_open_ones(client, account):
    talk = practice.conversation(account)
    assert rows_of(client.get("/")) == [talk.id]


def test_an_unknown_view_is_not_found_and_a_foreign_cursor_is_refused(client, account):
    assert client.get("/inbox?view=secret").status_code == 404
    assert client.get("/inbox/rows?view=open&cursor=abc").status_code == 422


def test_filters_combine_and_each_can_be_taken_away(client, account, anna):
    one, two = (contacts.find_or_add(account, f"+491713920{n}", "")[1] for n in ("021", "022"))
    label = inbox.add_label(one, "Rezept", anna)
    inbox.add_label(two, "Rezept", anna)
    practice.write_in("Hallo", "+491713920021")
    page = client.get(f"/inbox?view=open&label={label.id}&unread=1")
    assert rows_of(page) == [one.id]
    assert "Label: Rezept" in text_of(page)
    assert 'href="/inbox?view=open&amp;unread=1"' in text_of(page)
    assert f'href="/inbox?view=open&amp;label={label.id}"' in text_of(page)


def test_the_search_looks_into_texts_names_and_numbers_of_all_views(client, account, anna):
    talk = practice.conversation(account)
    practice.write_in("Danke für die Terminbestätigung")
    inbox.set_status(talk, "closed", anna)
    for asked in ("termin", "bestaetigung", "schoessler", "0171 39200 42", "00491713920042"):
        assert rows_of(client.get("/inbox", query_string={"view": "open", "q": asked})) == [talk.id], asked
    assert "Nichts gefunden für „Zahnrad“" in text_of(client.get("/inbox?q=Zahnrad"))


def test_pages_of_rows_follow_each_other_without_gap_or_repeat(client, account, anna):
    for n in range(120):
        contacts.find_or_add(account, f"+4917139{n + 20000:05d}", "")
    shown, address = [], "/inbox/rows?view=open"
    while address:
        page = client.get(address)
        shown += rows_of(page)
        more = re.search(r'hx-get="(/inbox/rows[^"]+)"', text_of(page))
        address = more[1].replace("&amp;", "&") if more else ""
    assert len(shown) == len(set(shown)) == 120


def test_a_live_refresh_shows_as_many_rows_as_were_scrolled_to(client, account):
    for n in range(120):
        contacts.find_or_add(account, f"+4917139{n + 20000:05d}", "")
    assert len(rows_of(client.get("/inbox/list?view=open&shown=100", headers={"HX-Request": "true"}))) == 100
    assert (
        len(rows_of(client.get("/inbox/list?view=open&shown=100000", headers={"HX-Request": "true"}))) == 120
    )


def test_a_refresh_brings_the_unread_total_of_the_rail(client, account):
    practice.conversation(account)
    practice.write_in("Hallo")
    page = text_of(client.get("/inbox/list?view=open&shown=1"))
    assert '<hx-partial hx-target="#rail-unread" hx-swap="innerHTML">' in page
    assert re.search(r'class="count">1<span class="vh"> ungelesen', page)


def test_searching_keeps_the_open_thread_in_the_address(client, account):
    talk = practice.conversation(account)
    headers = {"HX-Request": "true", "HX-Current-URL": f"http://localhost/conversations/{talk.id}"}
    answer = client.get("/inbox/list?view=open&q=abc", headers=headers)
    assert answer.headers["HX-Replace-Url"] == f"/conversations/{talk.id}?view=open&q=abc"


def test_the_page_says_what_waits_longest(client, account):
    practice.conversation(account)
    practice.write_in("Hallo?")
    practice.later(minutes=57)
    page = text_of(client.get("/inbox"))
    assert "Ein Gespräch wartet auf Sie" in page
    assert "seit 57 Minuten" in page


def test_another_account_s_conversations_are_nowhere(client, account, other_account):
    contacts.find_or_add(other_account, "+491713920099", "Geheim")
    for view in inbox_list.VIEWS:
        assert rows_of(client.get(f"/inbox?view={view}")) == []
    assert rows_of(client.get("/inbox?q=Geheim")) == []


def test_the_list_takes_the_same_queries_for_3_and_300_conversations(client, account, anna, monkeypatch):
    practice.many(account, anna, 3)
    client.get("/inbox?view=open")
    with queries(monkeypatch) as few:
        client.get("/inbox?view=open")
    practice.many(account, anna, 300)
    with queries(monkeypatch) as many:
        client.get("/inbox?view=open")
    assert len(few) == len(many) <= 14, "\n".join(many)


ZONE = "Europe/Berlin"
TUESDAY = datetime(2026, 11, 17, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ago", "german", "english"),
    [
        (timedelta(minutes=13), "09:47", "09:47"),
        (timedelta(days=1), "Gestern", "Yesterday"),
        (timedelta(days=2), "So.", "Sun"),
        (timedelta(days=7), "10.11.", "10 Nov"),
        (timedelta(days=400), "13.10.25", "13 Oct 2025"),
    ],
)
def test_times_of_rows_are_words_as_people_say_them(app, ago, german, english):
    from flask_babel import force_locale

    with app.test_request_context():
        for locale, words in (("de", german), ("en", english)):
            with force_locale(locale):
                assert moments.in_a_row(TUESDAY - ago, TUESDAY, ZONE, locale) == words


def test_a_day_is_called_today_until_midnight_of_the_account_s_zone(app):
    from flask_babel import force_locale

    with app.test_request_context(), force_locale("de"):
        late = datetime(2026, 11, 16, 23, 30, tzinfo=UTC)
        day = moments.local(late, ZONE).date()
        assert moments.day_title(day, moments.local(TUESDAY, ZONE).date(), "de") == "Heute, 17. November"
        assert moments.day_title(day - timedelta(days=1), day, "de") == "Montag, 16. November"


def test_the_page_of_an_english_reader_is_english(app, account, jonas):
    from sms.models import User
    from tests.conftest import sign_in

    User.update(locale="en").where(User.id == jonas.id).execute()
    practice.conversation(account)
    sending.reply(practice.conversation(account), "Bis gleich", by=jonas)
    page = text_of(sign_in(app, jonas).get("/inbox?view=open"))
    assert "<b>You:</b> Bis gleich" in page
    assert "Not assigned" in page
    assert "Nicht zugewiesen" not in page
