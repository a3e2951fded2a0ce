"""Contacts through the API."""

import pytest

from sms import suppression
from sms.models import Contact, ContactNumber, Message
from sms.views.api import shapes
from tests.api.answers import conforms, problem_of

KOCH = "00491713920054"


def test_putting_a_contact_adds_it_and_putting_it_again_changes_it(api):
    added = api.put(
        f"/api/v1/contacts/{KOCH}", {"name": "Sabine Koch", "fields": {"Anrede": "Frau Koch", "Nr": 10234}}
    )
    assert added.status_code == 201
    contact = conforms(added.json, shapes.ContactShape)
    assert (contact["number"], contact["name"]) == (KOCH, "Sabine Koch")
    assert contact["fields"] == {"Anrede": "Frau Koch", "Nr": "10234"}
    changed = api.put(f"/api/v1/contacts/{KOCH}", {"name": "Sabine Koch-Braun"})
    assert changed.status_code == 200
    assert changed.json == contact | {"name": "Sabine Koch-Braun"}
    assert Contact.select().count() == 1


@pytest.mark.parametrize(
    "spelling",
    [
        "0171%203920054",
        "0171/3920054",
        "0171%2F39200-54",
        "+491713920054",
        "%2B49%20171%203920054",
        KOCH,
        "491713920054",
    ],
)
def test_a_contact_is_found_by_any_spelling_of_its_number(api, spelling):
    api.put(f"/api/v1/contacts/{KOCH}", {"name": "Sabine Koch"})
    assert api.get(f"/api/v1/contacts/{spelling}").json["name"] == "Sabine Koch"


def test_a_contact_tells_all_its_numbers_and_its_opt_out(api, account):
    api.put(f"/api/v1/contacts/{KOCH}", {})
    row = Contact.get(Contact.account == account)
    ContactNumber.create(account=account, contact=row, number="+493023125417", kind="landline", region="DE")
    suppression.suppress(account, "+491713920054", "sms", "STOP")
    shown = api.get("/api/v1/contacts/030-23125417").json
    assert shown["numbers"] == [KOCH, "00493023125417"]
    assert shown["opted_out"] is True


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize(
    "number", [KOCH, "110", "nobody", "%00", "%F0%9F%98%80", "x" * 3000, "..", "0171/../1"]
)
def test_an_unknown_number_is_404(api, method, number):
    problem_of(api.open(method, f"/api/v1/contacts/{number}"), 404)


def test_contacts_of_another_account_are_404_and_stay(api, other_api):
    api.put(f"/api/v1/contacts/{KOCH}", {"name": "Sabine Koch"})
    problem_of(other_api.get(f"/api/v1/contacts/{KOCH}"), 404)
    problem_of(other_api.delete(f"/api/v1/contacts/{KOCH}"), 404)
    assert other_api.put(f"/api/v1/contacts/{KOCH}", {"name": "Jemand"}).status_code == 201
    assert api.get(f"/api/v1/contacts/{KOCH}").json["name"] == "Sabine Koch"


def test_erasing_takes_thread_and_messages_along_and_keeps_the_opt_out(api, account):
    sent = api.post("/api/v1/messages", {"to": KOCH, "text": "Hallo"}).json
    suppression.suppress(account, "+491713920054", "sms", "STOP")
    answer = api.delete(f"/api/v1/contacts/{KOCH}")
    assert (answer.status_code, answer.data) == (204, b"")
    problem_of(api.get(f"/api/v1/contacts/{KOCH}"), 404)
    problem_of(api.get(f"/api/v1/messages/{sent['id']}"), 404)
    problem_of(api.get(f"/api/v1/conversations/{sent['conversation_id']}"), 404)
    assert Message.select().count() == 0
    assert suppression.is_suppressed(account, "+491713920054")


@pytest.mark.parametrize(
    ("number", "body", "field"),
    [
        ("110", {}, "number"),
        ("niemand", {}, "number"),
        ("+43158058", {}, "number"),
        (KOCH, {"name": 7}, "name"),
        (KOCH, {"name": "x" * 101}, "name"),
        (KOCH, {"name": "a\x00"}, "name"),
        (KOCH, {"fields": {"a": {"b": 1}}}, "fields.a"),
        (KOCH, {"fields": {"a": "x" * 501}}, "fields"),
        (KOCH, {"fields": {"": "x"}}, "fields"),
        (KOCH, {"fields": {str(n): "x" for n in range(41)}}, "fields"),
        (KOCH, {"vorname": "Sabine"}, "vorname"),
    ],
)
def test_what_cannot_be_kept_is_refused_and_adds_nothing(api, number, body, field):
    problem = problem_of(api.put(f"/api/v1/contacts/{number}", body), 422)
    assert [e["field"] for e in problem["errors"]] == [field]
    assert Contact.select().count() == 0
