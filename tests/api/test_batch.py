"""POST /api/v1/messages/batch: each message with a result of its own."""

import pytest

from sms.models import Message
from sms.views.api import shapes
from tests.api.answers import conforms, problem_of

GOOD = {"to": "0171 3920054", "text": "Hallo"}


def post(api, messages):
    return api.post("/api/v1/messages/batch", {"messages": messages})


def test_each_message_has_its_own_result_in_order_and_a_bad_one_spoils_no_other(api):
    bad = [
        {**GOOD, "to": "110"},
        {"to": 7},
        "x",
        None,
        {**GOOD, "sender": "ä"},
        {**GOOD, "send_at": "gestern"},
    ]
    answer = post(api, [GOOD, *bad, {**GOOD, "text": "Noch eine"}])
    assert answer.status_code == 200
    results = answer.json["results"]
    conforms(results[0], shapes.BatchAccepted)
    assert results[0]["status"] == "queued"
    assert [sorted(r) for r in results] == [["id", "status"], *[["errors"]] * 6, ["id", "status"]]
    for refused in results[1:7]:
        conforms(refused, shapes.BatchRefused)
    assert [r["errors"][0]["field"] for r in results[1:7]] == ["to", "to", "", "", "sender", "send_at"]
    assert [m.text for m in Message.select().order_by(Message.id)] == ["Hallo", "Noch eine"]


def test_an_empty_batch_is_done_at_once(api):
    assert post(api, []).json == {"results": []}


def test_a_batch_of_1000_is_taken_and_1001_are_refused(api, account):
    account.daily_parts = 2_000
    account.save()
    results = post(api, [{**GOOD, "text": f"Nummer {n}"} for n in range(1000)]).json["results"]
    assert len({r["id"] for r in results}) == 1000
    problem = problem_of(post(api, [GOOD] * 1001), 422)
    assert (problem["errors"][0]["field"], problem["errors"][0]["code"]) == ("messages", "too_many")
    assert Message.select().count() == 1000


def test_a_batch_that_is_none_is_refused(api):
    for body in ({}, {"messages": {}}, {"messages": None}, {"messages": [], "x": 1}):
        problem_of(api.post("/api/v1/messages/batch", body), 422)


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "halved"}])
def test_half_a_character_spoils_only_its_own_message(api, headers):
    body = b'{"messages": [{"to": "01713920042", "text": "gut"}, {"to": "01713920042", "text": "\\ud800"}, {"\\ufffdflaw": [1, 2, 3]}]}'
    answer = api.open(
        "POST", "/api/v1/messages/batch", data=body, content_type="application/json", headers=headers
    )
    good, halved, forged = answer.json["results"]
    assert good["status"] == "queued"
    assert [(e["field"], e["code"]) for e in halved["errors"]] == [("text", "surrogate")]
    assert "errors" in forged
