"""POST /api/v1/preview: what a text would become; nothing is stored."""

import pytest

from sms.models import TABLES
from tests.api.answers import problem_of


def test_preview_counts_a_text_and_looks_at_number_and_sender(api):
    answer = api.post("/api/v1/preview", {"text": "Guten Tag €", "to": "0171/39 200-54", "sender": "PRAXIS"})
    assert answer.status_code == 200
    body = answer.json
    assert (body["encoding"], body["units"], body["parts"], body["unicode_because"]) == ("GSM-7", 12, 1, [])
    assert body["to"] == {
        "number": "00491713920054",
        "e164": "+491713920054",
        "kind": "mobile",
        "region": "DE",
        "channel": "sms",
    }
    assert body["sender"] == {"kind": "alphanumeric", "can_reply": False, "can_call": False}


def test_preview_names_the_characters_that_force_unicode(api):
    body = api.post("/api/v1/preview", {"text": "Ça va 👍 – ç"}).json
    assert body["encoding"] == "UCS-2"
    assert body["unicode_because"] == ["👍", "–", "ç"]
    assert body["units"] == 12


def test_preview_shows_the_text_as_it_would_be_sent(api):
    body = api.post(
        "/api/v1/preview", {"text": "Gru\u0308ße\r\n{name}", "fields": {"Name": "Frau Koch"}}
    ).json
    assert body["text"] == "Grüße\nFrau Koch"
    assert body["missing"] == []


def test_preview_lists_placeholders_without_a_value(api):
    assert api.post("/api/v1/preview", {"text": "Hallo {Anrede}"}).json["missing"] == ["Anrede"]


def test_preview_without_sender_tells_about_the_accounts_default(api):
    sender = api.post("/api/v1/preview", {"text": "Hallo"}).json["sender"]
    assert sender == {"kind": "pool", "can_reply": True, "can_call": False}


@pytest.mark.parametrize(
    ("number", "kind", "error"),
    [("110", "emergency", "emergency"), ("+43 1 58058", "landline", "foreign_landline"), ("0900 5 123456", "premium", "premium"),
     ("abc", "invalid", "letters"), ("", "invalid", "empty")],
)  # fmt: skip
def test_a_number_that_cannot_be_used_is_told_with_200(api, number, kind, error):
    answer = api.post("/api/v1/preview", {"text": "Hallo", "to": number})
    assert answer.status_code == 200
    to = answer.json["to"]
    assert (to["kind"], to["channel"], to["error_code"]) == (kind, None, error)
    assert len(to["error"]) > 10
    assert "%(" not in to["error"]


def test_a_sender_with_an_umlaut_is_told_with_a_suggestion(api):
    sender = api.post("/api/v1/preview", {"text": "Hallo", "sender": "Müller"}).json["sender"]
    assert sender["kind"] == "invalid"
    assert sender["suggestion"] == "MUELLER"
    assert sender["error"]


def test_an_empty_text_costs_nothing(api):
    body = api.post("/api/v1/preview", {"text": ""}).json
    assert (body["units"], body["parts"]) == (0, 0)


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({}, "text", "missing"),
        ({"text": 7}, "text", "not_a_text"),
        ({"text": None}, "text", "not_a_text"),
        ({"text": "a" * 1501}, "text", "too_long"),
        ({"text": "a" * 100_000}, "text", "too_long"),
        ({"text": "{a}" * 2, "fields": {"a": "x" * 800}}, "text", "too_long"),
        ({"text": "a\0b"}, "text", "control_character"),
        ({"text": "a", "to": 171}, "to", "not_a_text"),
        ({"text": "a", "sender": ["x"]}, "sender", "not_a_text"),
        ({"text": "a", "fields": {"a": []}}, "fields.a", "not_a_value"),
        ({"text": "a", "fields": {"a": True}}, "fields.a", "not_a_value"),
        ({"text": "a", "fields": []}, "fields", "not_an_object"),
        ({"text": "a", "colour": "red"}, "colour", "unknown_field"),
    ],
)
def test_malformed_input_is_refused_at_its_field(api, body, field, code):
    problem = problem_of(api.post("/api/v1/preview", body), 422)
    assert [(e["field"], e["code"]) for e in problem["errors"]] == [(field, code)]


def test_exactly_1500_characters_are_accepted(api):
    assert api.post("/api/v1/preview", {"text": "ü" * 1500}).json["parts"] == 10


def test_an_unpaired_surrogate_is_refused_at_its_field(api):
    answer = api.post(
        "/api/v1/preview", data=b'{"text": "a", "fields": {"n": "\\ud83d"}}', content_type="application/json"
    )
    assert problem_of(answer, 422)["errors"][0]["field"] == "fields.n"


def test_preview_stores_nothing(api, account):
    def rows():
        return {table.__name__: table.select().count() for table in TABLES}

    api.post("/api/v1/preview", {"text": "Hallo"})  # notes the first use of the key
    before = rows()
    api.post("/api/v1/preview", {"text": "Hallo {x}", "to": "0171 3920054", "sender": "PRAXIS"})
    assert rows() == before
