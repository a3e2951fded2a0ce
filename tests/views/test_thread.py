"""A conversation and everything agents do in it, over HTTP, with and without script."""

import re
from datetime import timedelta

import pytest

from sms import contacts, health, inbox, sending, suppression
from sms.clock import now
from sms.db import database
from sms.models import Conversation, Message, Template
from sms.models.event import add_event
from sms.views.bubble import render_bubble, render_day
from tests.views import practice
from tests.views.counting import queries

HTMX = {"HX-Request": "true"}


def text_of(answer):
    return answer.get_data(as_text=True)


def bubbles_of(answer):
    return re.findall(r'<p class="bubble"[^>]*>(.*?)</p>', text_of(answer), re.S)


@pytest.fixture
def talk(account, app):
    return practice.conversation(account)


def post(client, path, htmx=True, **form):
    return client.post(path, data=form, headers=HTMX if htmx else {})


def fresh(talk):
    return Conversation.get_by_id(talk.id)


# Reading.


def test_a_thread_shows_both_sides_with_day_author_and_status(client, talk, anna):
    practice.write_in("Muss ich nüchtern kommen?")
    practice.settle(
        practice.write_out(talk, "Nein, frühstücken Sie ruhig.", anna), "sending", "sent", "delivered"
    )
    page = client.get(f"/conversations/{talk.id}")
    assert bubbles_of(page) == ["Muss ich nüchtern kommen?", "Nein, frühstücken Sie ruhig."]
    assert "Heute, " in text_of(page)
    assert "<span>Anna</span>" in text_of(page)
    assert "Zugestellt" in text_of(page)
    assert "Margarethe Schößler" in text_of(page)
    assert "00491713920042" in text_of(page)


def test_texts_are_shown_as_text_and_links_open_elsewhere(client, talk):
    practice.write_in('<b onclick="x">fett</b> https://example.com/a?b=1')
    page = text_of(client.get(f"/conversations/{talk.id}"))
    assert "&lt;b onclick" in page
    assert '<a href="https://example.com/a?b=1" rel="noopener noreferrer" target="_blank">' in page.replace(
        " nofollow", ""
    )


def test_bubbles_of_one_voice_stand_together(client, talk, anna, jonas):
    practice.write_in("Eins")
    practice.write_in("Zwei")
    for who in (anna, anna, jonas):
        practice.write_out(talk, "Antwort", who)
    classes = re.findall(r'<li class="(msg [^"]*)"', text_of(client.get(f"/conversations/{talk.id}")))
    assert classes == [
        "msg in",
        "msg in with",
        "msg out is-sending",
        "msg out with is-sending",
        "msg out is-sending",
    ]


def test_a_whole_page_is_read_but_no_prefetch_and_no_fragment(client, talk, anna):
    practice.write_in("Hallo")
    for headers in ({"Sec-Purpose": "prefetch"}, {"Purpose": "prefetch"}, HTMX):
        page = text_of(client.get(f"/conversations/{talk.id}", headers=headers))
        assert 'id="new-line"' in page
        assert inbox.first_unread(anna, fresh(talk)) is not None, headers
    client.get(f"/conversations/{talk.id}")
    assert inbox.first_unread(anna, fresh(talk)) is None


def test_unread_is_each_agent_s_own(client, talk, anna, jonas):
    practice.write_in("Hallo")
    client.get(f"/conversations/{talk.id}")
    assert inbox.first_unread(anna, fresh(talk)) is None
    assert inbox.first_unread(jonas, fresh(talk)) is not None


def test_reading_and_unreading_by_hand(client, talk, anna):
    practice.write_in("Hallo")
    assert post(client, f"/conversations/{talk.id}/read").status_code == 204
    assert inbox.first_unread(anna, fresh(talk)) is None
    assert post(client, f"/conversations/{talk.id}/unread").headers["HX-Trigger"] == "faden:unread"
    assert inbox.first_unread(anna, fresh(talk)) is not None
    assert post(client, f"/conversations/{talk.id}/unread", htmx=False).location == "/inbox"


@pytest.mark.parametrize(
    ("status", "values", "words", "state"),
    [
        ("sent", {}, "Gesendet, kein Zustellbericht", ""),
        ("delivered", {}, "Zugestellt", ""),
        ("undelivered", {"reason": "unreachable"}, "Nicht zugestellt: Gerät nicht erreichbar", ""),
        ("failed", {"reason": "bad_number"}, "Nicht zugestellt: diese Nummer gibt es nicht", "is-failed"),
        ("unknown", {}, "Gesendet? Prüfen oder erneut senden", ""),
    ],
)
def test_every_status_has_words_and_what_can_be_done(client, talk, anna, status, values, words, state):
    message = practice.settle(practice.write_out(talk, "Hallo", anna), "sending", status, **values)
    page = text_of(client.get(f"/conversations/{talk.id}"))
    item = re.search(rf'<li class="msg out[^>]*id="m-{message.id}".*?</li>', page, re.S)[0]
    assert words in item
    assert state in item
    assert ("Erneut senden" in item) == (status in ("undelivered", "failed", "unknown"))
    assert ("Als Sprachanruf" in item) == (status in ("undelivered", "failed"))
    assert (">Prüfen<" in item.replace("</svg>", ">")) == (status == "unknown")


def test_a_direct_reply_can_be_undone_for_five_seconds(client, talk, anna):
    practice.write_out(talk, "Hallo", anna)
    assert "Rückgängig, noch 5 s" in text_of(client.get(f"/conversations/{talk.id}"))
    practice.later(seconds=6)
    assert "Rückgängig" not in text_of(client.get(f"/conversations/{talk.id}"))


def test_a_waiting_message_says_until_when(client, talk, anna):
    message = practice.write_out(talk, "Hallo", anna)
    Message.update(next_at=now() + timedelta(hours=2), undo_until=None).where(
        Message.id == message.id
    ).execute()
    assert "Verschoben auf " in text_of(client.get(f"/conversations/{talk.id}"))
    Message.update(attempts=2).where(Message.id == message.id).execute()
    assert "Verzögert, nächster Versuch " in text_of(client.get(f"/conversations/{talk.id}"))


def test_an_answer_names_the_message_it_belongs_to_where_that_is_not_above_it(client, talk, anna):
    first = practice.settle(practice.write_out(talk, "Passt Donnerstag?", anna), "sending", "sent")
    second = practice.settle(practice.write_out(talk, "Und der Befund?", anna), "sending", "sent")
    answer = practice.write_in("Ja", to=first.ours)
    assert answer.answers == second.id
    assert "antwortet auf" not in text_of(client.get(f"/conversations/{talk.id}"))
    Message.update(answers=first.id).where(Message.id == answer.id).execute()
    page = text_of(client.get(f"/conversations/{talk.id}"))
    assert f'<a class="answer" href="#m-{first.id}">' in page
    assert "„Passt Donnerstag?“" in page


@pytest.mark.parametrize(
    ("kind", "facts", "words"),
    [
        ("assigned", {"to": "Jonas Krüger"}, "Anna Weber hat an <strong>Jonas Krüger</strong> übergeben"),
        ("assigned", {"to": "Anna Weber"}, "<strong>Anna Weber</strong> hat übernommen"),
        ("assigned", {"to": None}, "<strong>Anna Weber</strong> hat die Zuweisung aufgehoben"),
        ("status", {"status": "closed"}, "<strong>Anna Weber</strong> hat das Gespräch abgeschlossen"),
        ("callback_wanted", {}, "<strong>Rückruf gewünscht</strong>: bitte anrufen"),
        ("opted_out", {}, "<strong>Anna Weber</strong> hat die Nummer gesperrt"),
        (
            "appointment",
            {"text": "Termin Do., 08:30 bestätigt", "strong": "Do., 08:30"},
            "Termin <strong>Do., 08:30</strong> bestätigt",
        ),
    ],
)
def test_events_are_loops_with_their_words(client, talk, anna, kind, facts, words):
    with database.atomic():
        add_event(talk, kind, by=anna, **facts)
    page = text_of(client.get(f"/conversations/{talk.id}"))
    assert words in page
    assert 'class="knot"' in page


def test_a_name_that_looks_like_markup_stays_a_name(client, talk, anna):
    with database.atomic():
        add_event(talk, "assigned", by=anna, to="<script>x</script>")
    assert "<script>x" not in text_of(client.get(f"/conversations/{talk.id}"))


def test_api_and_modules_are_named_as_authors(client, account, talk):
    sending.send(account, practice.MOBILE, "Vom Programm", source="api")
    page = text_of(client.get(f"/conversations/{talk.id}"))
    assert "<span>API</span>" in page


def test_older_pages_come_one_after_the_other_with_one_divider_a_day(client, talk):
    for n in range(120):
        practice.write_in(f"Text {n}")
    page = client.get(f"/conversations/{talk.id}")
    texts = bubbles_of(page)
    while more := re.search(r'hx-get="(/conversations/\d+/messages\?before=[\d-]+)"', text_of(page)):
        page = client.get(more[1], headers=HTMX)
        texts = bubbles_of(page) + texts
        assert '<hx-partial hx-target="#day-' in text_of(page)
    assert texts == [f"Text {n}" for n in range(120)]


@pytest.mark.parametrize(
    "before", ["", "x", "1", "1-2-3", "-1--1", "99999999999999999999-1", "1-99999999999999999999"]
)
def test_a_place_that_is_none_is_refused(client, talk, before):
    assert (
        client.get(f"/conversations/{talk.id}/messages", query_string={"before": before}).status_code == 422
    )


def test_a_bubble_is_rendered_without_a_request_as_on_the_page(app, client, talk, anna):
    message = practice.write_in("Hallo")
    page = text_of(client.get(f"/conversations/{talk.id}"))
    with app.app_context():
        inbox.with_calls([message])
        alone = render_bubble(message, "de", "Europe/Berlin").strip()
        day = render_day(message, "de", "Europe/Berlin").strip()
        english = render_day(message, "en", "Europe/Berlin")
    assert alone in page
    assert day in page
    assert "Today, " in english


def test_the_thread_takes_the_same_queries_for_3_and_300_messages(client, account, talk, anna, monkeypatch):
    for _ in range(3):
        practice.write_in("Hallo")
        practice.write_out(talk, "Guten Tag", anna)
    address = f"/conversations/{talk.id}"
    client.get(address)
    with queries(monkeypatch) as few:
        client.get(address)
    for n in range(150):
        practice.write_in(f"Hallo {n}")
        practice.write_out(talk, f"Guten Tag {n}", anna)
    practice.many(account, anna, 60)
    client.get(address)
    with queries(monkeypatch) as many:
        client.get(address)
    assert len(few) == len(many) <= 36, "\n".join(many)


# Answering.


def test_an_answer_is_sent_and_comes_back_as_a_bubble(client, talk, anna):
    inbox.save_draft(anna, talk, "reply", "Ja gern")
    answer = post(client, f"/conversations/{talk.id}/messages", text="Ja gern", kind="reply", seen="0")
    message = Message.get(Message.conversation == talk)
    assert (message.text, message.status, message.author) == ("Ja gern", "queued", anna)
    assert answer.headers["HX-Trigger"] == "faden:sent"
    assert '<hx-upsert hx-target="#thread" key="data-seq">' in text_of(answer)
    assert f'id="m-{message.id}"' in text_of(answer)
    assert inbox.drafts(anna, talk) == {}


def test_without_script_an_answer_leads_back_to_its_thread(client, talk):
    answer = post(
        client, f"/conversations/{talk.id}/messages", htmx=False, text="Ja gern", query="?view=all&evil=1"
    )
    assert (answer.status_code, answer.location) == (303, f"/conversations/{talk.id}?view=all")


def test_send_and_close_does_both(client, talk):
    post(client, f"/conversations/{talk.id}/messages", text="Erledigt", then="close")
    assert fresh(talk).status == "closed"


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"text": ""}, "Bitte füllen Sie dieses Feld aus"),
        ({"text": "x" * 1501}, "höchstens 1500"),
        ({"text": "Hallo {Unbekannt}"}, "Unbekannt"),
        ({"text": "Hallo", "sender": "Müller"}, "Umlaute"),
        ({"text": "Hallo", "channel": "pigeon"}, "auto, sms"),
        ({"text": "Hallo", "when": "2020-01-01T10:00"}, "vergangen"),
        ({"text": "Hallo", "when": "2027-03-28T02:30"}, "2027-03-28 03:00"),
        ({"text": "Hallo", "when": "at", "at": ""}, "Bitte füllen Sie dieses Feld aus"),
        ({"text": "Hallo", "when": "morgen"}, "Zeit"),
    ],
)
def test_what_cannot_be_sent_is_said_above_the_text_and_the_text_stays(client, talk, form, words):
    answer = post(client, f"/conversations/{talk.id}/messages", **form)
    assert answer.status_code == 422
    assert "composer-error" in text_of(answer)
    assert Message.select().count() == 0
    page = post(client, f"/conversations/{talk.id}/messages", htmx=False, **form)
    assert page.status_code == 422
    if form["text"]:
        assert form["text"] in text_of(page).replace("&#39;", "'")


def test_an_answer_goes_to_a_number_of_this_contact_only(client, talk):
    assert (
        post(client, f"/conversations/{talk.id}/messages", text="Hallo", to="+491713920099").status_code
        == 404
    )
    assert Message.select().count() == 0


def test_a_later_answer_stands_at_the_bottom_with_its_time(client, talk, anna):
    at = (now() + timedelta(days=1)).astimezone().strftime("%Y-%m-%dT%H:%M")
    post(client, f"/conversations/{talk.id}/messages", text="Bis morgen", when=at, unless_answered="1")
    message = Message.get()
    assert (message.status, message.unless_answered) == ("scheduled", True)
    page = text_of(client.get(f"/conversations/{talk.id}"))
    assert "Geplant, nur wenn keine Antwort kommt" in page
    assert "is-planned" in page


def test_a_colleague_was_faster_so_nothing_is_sent_and_both_texts_are_shown(client, talk, anna, jonas):
    seen = practice.write_in("Geht 14:15?").id
    theirs = practice.write_out(talk, "Ja, 14:15 Uhr ist reserviert.", jonas)
    answer = post(client, f"/conversations/{talk.id}/messages", text="14:15 ist frei.", seen=str(seen))
    assert answer.status_code == 409
    assert "Jonas hat gerade geantwortet" in text_of(answer)
    assert "Ja, 14:15 Uhr ist reserviert." in text_of(answer)
    page = post(
        client, f"/conversations/{talk.id}/messages", htmx=False, text="14:15 ist frei.", seen=str(seen)
    )
    assert page.status_code == 409
    assert "14:15 ist frei." in text_of(page)
    assert Message.select().where(Message.author == anna).count() == 0
    post(
        client,
        f"/conversations/{talk.id}/messages",
        text="14:15 ist frei.",
        seen=str(seen),
        anyway=str(theirs.id),
    )
    assert Message.select().where(Message.author == anna).count() == 1


def test_a_note_is_kept_inside_and_never_sent(client, talk, anna):
    answer = post(client, f"/conversations/{talk.id}/notes", note="Hat Angst vor Spritzen")
    assert answer.headers["HX-Trigger"] == "faden:noted"
    note = Message.get()
    assert (note.channel, note.direction, note.author) == ("note", "internal", anna)
    assert "Notiz von Anna" in text_of(client.get(f"/conversations/{talk.id}"))
    assert post(client, f"/conversations/{talk.id}/notes", note=" ").status_code == 422


def test_an_opted_out_number_locks_the_field_with_its_reason(client, account, talk):
    practice.write_in("STOP")
    page = text_of(client.get(f"/conversations/{talk.id}"))
    assert "is-locked" in page
    assert "Abgemeldet mit STOP am " in page
    assert f'action="/conversations/{talk.id}/notes"' in page
    assert post(client, f"/conversations/{talk.id}/messages", text="Trotzdem").status_code == 422
    post(client, f"/conversations/{talk.id}/unblock")
    assert not suppression.is_suppressed(account, practice.MOBILE)


# Drafts, templates, meter.


def test_a_draft_is_kept_for_its_agent_alone(client, talk, anna, jonas):
    assert post(client, f"/conversations/{talk.id}/draft", text="Halb", note="Fertig").status_code == 204
    assert inbox.drafts(anna, talk) == {"reply": "Halb", "note": "Fertig"}
    assert inbox.drafts(jonas, talk) == {}
    assert "Halb</textarea>" in text_of(client.get(f"/conversations/{talk.id}"))
    post(client, f"/conversations/{talk.id}/draft", text="Halb", discard="1")
    assert inbox.drafts(anna, talk) == {"note": "Fertig"}


def test_without_script_a_template_is_put_into_the_draft_with_the_contact_s_values(
    client, account, talk, anna
):
    template = Template.create(
        account=account, name="Karte", text="Guten Tag {name}, {Tag} ist frei.", created_at=now()
    )
    answer = post(
        client, f"/conversations/{talk.id}/draft", htmx=False, text="Hallo.", template=str(template.id)
    )
    assert answer.location.endswith("#composer")
    assert inbox.drafts(anna, talk)["reply"] == "Hallo. Guten Tag Margarethe Schößler, {Tag} ist frei."
    switched = post(client, f"/conversations/{talk.id}/draft", htmx=False, text="x", switch="note")
    assert "compose=note" in switched.location
    assert 'class="composer is-note"' in text_of(client.get(switched.location.split("#")[0]))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "0/160"),
        ("a" * 160, "160/160 · 1 SMS"),
        ("a" * 212, "212/306 · 2 SMS"),
        ("ğ" + "a" * 70, "71/134 · 2 SMS · „ğ“ erzwingt Unicode"),
        ("€" * 80, "160/160 · 1 SMS"),
        ("Hallo {Tag}", "Kein Wert für Tag"),
        ("Hallo {name}", "25/160 · 1 SMS"),
        ("a" * 1501, "1501 von 1500 Zeichen: zu lang"),
    ],
)
def test_the_meter_says_what_a_text_costs(client, talk, text, words):
    assert f"<span>{words}</span>" in text_of(post(client, f"/conversations/{talk.id}/preview", text=text))


def test_the_meter_of_a_call_counts_no_parts(client, talk):
    answer = text_of(post(client, f"/conversations/{talk.id}/preview", text="Hallo", channel="voice"))
    assert "wird vorgelesen, 5 Zeichen" in answer


# What agents do with a conversation.


def test_assigning_answers_with_head_and_event(client, talk, jonas):
    answer = post(client, f"/conversations/{talk.id}/assign", assignee=str(jonas.id))
    assert fresh(talk).assignee == jonas
    assert '<hx-partial hx-target="#talk-head" hx-swap="outerMorph">' in text_of(answer)
    assert "übergeben" in text_of(answer)
    post(client, f"/conversations/{talk.id}/assign", assignee="")
    assert fresh(talk).assignee is None


def test_nobody_of_another_account_can_be_assigned(client, talk, stranger):
    for wrong in (str(stranger.id), "x", "9" * 30):
        assert post(client, f"/conversations/{talk.id}/assign", assignee=wrong).status_code == 404


def test_status_changes_and_a_snooze_needs_a_future(client, talk):
    for status in ("closed", "open", "pending"):
        assert post(client, f"/conversations/{talk.id}/status", status=status).status_code == 200
        assert fresh(talk).status == status
    assert post(client, f"/conversations/{talk.id}/status", status="gone").status_code == 422
    for until in ("", "gestern", "2020-01-01T08:00"):
        assert post(client, f"/conversations/{talk.id}/snooze", until=until).status_code == 422
    until = (now() + timedelta(days=2)).strftime("%Y-%m-%dT08:00")
    answer = post(client, f"/conversations/{talk.id}/snooze", htmx=False, until=until)
    assert (answer.status_code, fresh(talk).status) == (303, "snoozed")


def test_labels_are_put_on_and_taken_off(client, talk):
    answer = post(client, f"/conversations/{talk.id}/labels", add="Rezept")
    [(label, _)] = inbox.labels_of(talk)
    assert label.name == "Rezept"
    assert "Rezept" in text_of(answer)
    post(client, f"/conversations/{talk.id}/labels", remove=str(label.id))
    assert not any(on for _, on in inbox.labels_of(talk))
    for wrong in ("", "x" * 41, "a\tb\x01"):
        assert post(client, f"/conversations/{talk.id}/labels", add=wrong).status_code == 422


def test_presence_is_told_to_the_others(app, client, talk, jonas):
    from tests.conftest import sign_in

    other = sign_in(app, jonas)
    post(client, f"/conversations/{talk.id}/presence", typing="1")
    assert "Anna schreibt" in text_of(other.get(f"/conversations/{talk.id}/presence"))
    post(client, f"/conversations/{talk.id}/presence", typing="0")
    assert "Anna liest" in text_of(other.get(f"/conversations/{talk.id}/presence"))
    post(client, f"/conversations/{talk.id}/presence", left="1")
    assert "Anna" not in text_of(other.get(f"/conversations/{talk.id}/presence"))


def test_panels_bring_the_field_only_where_its_lock_has_changed(client, account, talk):
    address = f"/conversations/{talk.id}/panels"
    assert "#composer" not in text_of(client.get(f"{address}?locked=0"))
    suppression.suppress(account, practice.MOBILE, "agent")
    assert 'hx-target="#composer"' in text_of(client.get(f"{address}?locked=0"))
    assert "#composer" not in text_of(client.get(f"{address}?locked=1"))


# What agents do with a message.


def test_an_undone_reply_is_a_draft_again(client, talk, anna):
    message = practice.write_out(talk, "Zu früh", anna)
    answer = post(client, f"/messages/{message.id}/cancel")
    assert "Zurückgezogen" in text_of(answer)
    assert inbox.drafts(anna, talk)["reply"] == "Zu früh"
    again = post(client, f"/messages/{message.id}/cancel")
    assert again.status_code == 409


def test_a_failed_message_is_sent_again_or_read_aloud(client, talk, anna):
    message = practice.settle(
        practice.write_out(talk, "Hallo", anna), "sending", "failed", reason="unreachable"
    )
    answer = post(client, f"/messages/{message.id}/voice")
    call = Message.get(Message.channel == "voice")
    assert f'id="m-{call.id}"' in text_of(answer)
    assert "Sprachanruf an" in text_of(answer)
    post(client, f"/messages/{message.id}/retry")
    assert Message.get_by_id(message.id).status == "queued"
    assert post(client, f"/messages/{message.id}/retry").status_code == 409
    assert post(client, f"/messages/{message.id}/check").status_code == 409


def test_a_planned_message_is_changed_and_sent_at_once(client, talk, anna):
    message = practice.write_out(talk, "Bis morgen", anna, send_at=now() + timedelta(days=1))
    form = text_of(client.get(f"/messages/{message.id}/edit", headers=HTMX))
    at = re.search(r'name="at" value="([^"]+)"', form)[1]
    post(client, f"/messages/{message.id}/edit", text="Bis übermorgen", at=at)
    changed = Message.get_by_id(message.id)
    assert changed.text == "Bis übermorgen"
    assert abs(changed.next_at - message.next_at) < timedelta(milliseconds=1)
    wrong = post(client, f"/messages/{message.id}/edit", text="", at=at)
    assert wrong.status_code == 422
    assert post(client, f"/messages/{message.id}/edit", text="x", at="").status_code == 422
    assert post(client, f"/messages/{message.id}/now", htmx=False).status_code == 303
    assert Message.get_by_id(message.id).status == "queued"
    assert client.get(f"/messages/{message.id}/edit", headers=HTMX).status_code == 409


# Other people's things.

ROUTES = (
    ("GET", "/conversations/{c}"), ("GET", "/conversations/{c}/messages?before=1-1"), ("GET", "/conversations/{c}/thread"),
    ("GET", "/conversations/{c}/panels"), ("GET", "/conversations/{c}/presence"), ("POST", "/conversations/{c}/presence"),
    ("POST", "/conversations/{c}/read"), ("POST", "/conversations/{c}/unread"), ("POST", "/conversations/{c}/messages"),
    ("POST", "/conversations/{c}/notes"), ("POST", "/conversations/{c}/draft"), ("POST", "/conversations/{c}/preview"),
    ("POST", "/conversations/{c}/assign"), ("POST", "/conversations/{c}/status"), ("POST", "/conversations/{c}/snooze"),
    ("POST", "/conversations/{c}/labels"), ("GET", "/conversations/{c}/contact"), ("GET", "/conversations/{c}/contact/edit"),
    ("POST", "/conversations/{c}/contact"), ("POST", "/conversations/{c}/block"), ("POST", "/conversations/{c}/unblock"),
    ("GET", "/messages/{m}"), ("POST", "/messages/{m}/cancel"), ("POST", "/messages/{m}/retry"), ("POST", "/messages/{m}/voice"),
    ("POST", "/messages/{m}/now"), ("POST", "/messages/{m}/check"), ("GET", "/messages/{m}/edit"), ("POST", "/messages/{m}/edit"),
)  # fmt: skip


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_another_account_s_conversations_and_messages_do_not_exist(
    client, app, other_account, stranger, method, path
):
    theirs = contacts.find_or_add(other_account, "+491713920099", "Geheim")[1]
    message = sending.reply(theirs, "Geheim", by=stranger)
    for c, m in ((theirs.id, message.id), (2**63, 2**63), (10**30, 10**30)):
        assert client.open(path.format(c=c, m=m), method=method).status_code == 404


@pytest.mark.parametrize(("method", "path"), [r for r in ROUTES if r[0] == "POST"])
def test_a_write_without_token_changes_nothing(client, talk, anna, method, path):
    message = practice.write_out(talk, "Hallo", anna)
    before = (Message.select().count(), fresh(talk).status, Message.get_by_id(message.id).status)
    answer = client.post(path.format(c=talk.id, m=message.id), data={"text": "x", "note": "x"}, csrf=False)
    assert answer.status_code == 400
    assert (Message.select().count(), fresh(talk).status, Message.get_by_id(message.id).status) == before


def test_what_a_caller_has_said_stands_in_the_thread_with_a_player(client, account, talk):
    moment = now()
    heard = {"digest": "a" * 64, "seconds": 8.4, "peaks": [0.1, 0.9, 0.4]}
    message = Message.create(
        account=account, conversation=talk, direction="incoming", channel="voice", theirs=practice.LANDLINE,
        data={"audio": heard}, status="received", source="recipient", created_at=moment, at=moment,
    )  # fmt: skip
    page = text_of(client.get(f"/conversations/{talk.id}"))
    assert "Sprachnachricht von 030 23125 417" in page
    assert f'src="/messages/{message.id}/audio.wav"' in page
    assert ">0:08</time>" in page
    assert page.count("<path d=") - page.count('<path d="', 0, page.index('id="thread"')) == 3


@pytest.mark.parametrize(
    ("status", "values", "words"),
    [
        ("busy", {}, "besetzt"),
        ("no-answer", {"seconds": 25}, "keine Antwort nach 25 s"),
        ("completed", {"heard": True, "digits": "2"}, "wünscht Rückruf"),
        ("completed", {}, "angenommen, vorher aufgelegt"),
        ("completed", {"answered_by": "machine_start"}, "Anrufbeantworter"),
        ("in-progress", {}, "wird vorgelesen"),
        ("planned", {}, "geplant"),
    ],
)
def test_each_attempt_of_a_call_says_what_came_of_it(client, account, talk, anna, status, values, words):
    from sms.models import Call

    contacts.add_number(talk.contact, practice.LANDLINE)
    message = practice.write_out(talk, "Ihre Einlagen sind da", anna, to=practice.LANDLINE)
    Call.create(
        message=message, account=account, direction="outgoing", key="k1", carrier="sandbox", ours="+493023125100",
        theirs=practice.LANDLINE, status=status, started_at=now(), **values,
    )  # fmt: skip
    page = text_of(client.get(f"/conversations/{talk.id}"))
    tries = re.search(r'<ol class="tries".*?</ol>', page, re.S)[0]
    assert words in tries
    assert "Sie haben eine Sprach-SMS erhalten" in page


def test_a_message_that_waits_for_a_closed_carrier_says_so(client, talk, anna, operator):
    message = practice.write_out(talk, "Geht das hinaus?", anna)
    Message.update(next_at=now(), undo_until=None).where(Message.id == message.id).execute()
    health.pause(message.carrier, operator.id)
    health.forget()
    assert "Wartet: Der Anbieter nimmt gerade nichts an" in text_of(client.get(f"/conversations/{talk.id}"))
