"""Conversations through the API."""

from datetime import timedelta

import pytest

from sms import accounts, clock, inbox
from sms.clock import now
from sms.models import Conversation, Message
from sms.views.api import shapes
from tests.api.answers import conforms, problem_of


def write(api, number, text="Hallo"):
    return api.post("/api/v1/messages", {"to": number, "text": text}).json


@pytest.fixture
def threads(api):
    """Three threads, the third with the newest activity."""
    found = []
    for number in ("0171 3920051", "0171 3920052", "0171 3920053"):
        found.append(write(api, number)["conversation_id"])
        clock.shift(timedelta(minutes=1))
    return found


def listed(api, query=""):
    page = conforms(api.get(f"/api/v1/conversations?{query}").json, shapes.ConversationPage)
    return [c["id"] for c in page["items"]]


def test_conversations_are_listed_with_the_newest_activity_first(api, threads):
    assert listed(api) == threads[::-1]
    write(api, "0171 3920051")
    assert listed(api) == [threads[0], threads[2], threads[1]]


def test_a_conversation_tells_who_looks_after_it_and_what_is_unread(api, account, anna, threads):
    conversation = inbox.open_conversation(account, threads[0])
    inbox.assign(conversation, anna, anna)
    inbox.add_label(conversation, "Rückruf", anna)
    inbox.add_label(conversation, "Eilig", anna)
    Conversation.update(incoming=3, seen=1).where(Conversation.id == threads[0]).execute()
    shown = conforms(api.get(f"/api/v1/conversations/{threads[0]}").json, shapes.ConversationShape)
    assert shown["number"] == "00491713920051"
    assert shown["assignee"] == "anna.weber@praxis-lindner.example"
    assert shown["labels"] == ["Eilig", "Rückruf"]
    assert shown["unread"] == 2
    assert shown["last_message_at"].endswith("Z")


def test_conversations_are_filtered_by_status_and_assignee(api, account, anna, jonas, threads):
    inbox.assign(inbox.open_conversation(account, threads[0]), anna, anna)
    inbox.set_status(inbox.open_conversation(account, threads[1]), "closed", anna)
    assert listed(api, "status=closed") == [threads[1]]
    assert listed(api, f"assignee={anna.email}") == listed(api, f"assignee={anna.id}") == [threads[0]]
    assert listed(api, f"assignee={jonas.id}") == []
    assert listed(api, "assignee=none&status=open") == [threads[2]]
    problem_of(api.get("/api/v1/conversations?status=lost"), 422)
    problem_of(api.get("/api/v1/conversations?assignee=%00"), 422)


@pytest.mark.parametrize("assignee", ["nobody", "99999999999999999999999999", "0", "jo@elsewhere.example"])
def test_an_assignee_whom_the_account_does_not_have_is_refused_by_name(api, threads, assignee):
    elsewhere = accounts.add_account("Anderswo")
    stranger = accounts.add_user(elsewhere, "jo@elsewhere.example", "Jo")
    for asked in (assignee, str(stranger.id)):
        problem = problem_of(api.get(f"/api/v1/conversations?assignee={asked}"), 422)
        assert [(e["field"], e["code"]) for e in problem["errors"]] == [("assignee", "unknown_person")]


def test_pages_of_conversations_hold_each_of_them_once(api, threads):
    first = api.get("/api/v1/conversations?limit=2").json
    second = api.get(f"/api/v1/conversations?limit=2&cursor={first['next_cursor']}").json
    assert [c["id"] for c in first["items"] + second["items"]] == threads[::-1]
    assert second["next_cursor"] is None


def test_a_cursor_of_another_list_is_refused(api, threads):
    cursor = api.get("/api/v1/conversations?limit=1").json["next_cursor"]
    problem_of(api.get(f"/api/v1/messages?cursor={cursor}"), 422)
    problem_of(api.get(f"/api/v1/conversations/{threads[0]}/messages?cursor={cursor}"), 422)


def test_a_thread_is_read_oldest_first_or_newest_first_page_by_page(api, threads):
    texts = ["Hallo", "Zweite", "Dritte", "Vierte"]
    for text in texts[1:]:
        write(api, "0171 3920051", text)

    def walk(order):
        cursor, found = "", []
        while cursor is not None:
            address = f"/api/v1/conversations/{threads[0]}/messages?order={order}&limit=3&cursor={cursor}"
            page = conforms(api.get(address).json, shapes.MessagePage)
            found += [m["text"] for m in page["items"]]
            cursor = page["next_cursor"]
        return found

    assert walk("asc") == texts
    assert walk("desc") == texts[::-1]
    problem_of(api.get(f"/api/v1/conversations/{threads[0]}/messages?order=random"), 422)


def test_messages_of_one_millisecond_are_on_one_page_only(api, threads):
    for text in "abcde":
        write(api, "0171 3920051", text)
    Message.update(at=now()).execute()
    first = api.get(f"/api/v1/conversations/{threads[0]}/messages?limit=3").json
    second = api.get(
        f"/api/v1/conversations/{threads[0]}/messages?limit=3&cursor={first['next_cursor']}"
    ).json
    assert [m["text"] for m in first["items"] + second["items"]] == ["Hallo", *"abcde"]


@pytest.mark.parametrize("tail", ["", "/messages"])
def test_conversations_of_another_account_are_404(other_api, threads, tail):
    problem_of(other_api.get(f"/api/v1/conversations/{threads[0]}{tail}"), 404)
    problem_of(other_api.get(f"/api/v1/conversations/999{tail}"), 404)


def test_lists_need_a_fixed_number_of_queries(api, threads, account, anna, count_queries):
    api.get("/api/v1/conversations")  # notes the use of the key
    with count_queries() as few:
        api.get("/api/v1/conversations")
    with count_queries() as few_in_thread:
        api.get(f"/api/v1/conversations/{threads[0]}/messages")
    for n in range(20):
        write(api, f"0171 39200{n:02}")
        write(api, "0171 3920051", f"Nummer {n}")
    inbox.add_label(inbox.open_conversation(account, threads[0]), "Eilig", anna)
    with count_queries() as many:
        assert len(api.get("/api/v1/conversations").json["items"]) == 23
    with count_queries() as many_in_thread:
        assert len(api.get(f"/api/v1/conversations/{threads[0]}/messages").json["items"]) == 21
    assert many.number == few.number <= 4
    assert many_in_thread.number == few_in_thread.number <= 5


def test_a_message_planned_for_next_year_is_no_activity_yet(api, account):
    api.post("/api/v1/messages", {"to": "0171 39200 42", "text": "Hallo", "send_at": "2027-01-05T10:00:00Z"})
    assert api.get("/api/v1/conversations").json["items"][0]["last_message_at"] < "2027-01-01"
