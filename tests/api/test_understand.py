"""POST /api/v1/understand: the understanding of answers, over HTTP. What is understood: tests/understanding."""

from datetime import UTC, datetime

import pytest

from sms import clock
from sms.models import TABLES
from tests.api.answers import problem_of


@pytest.mark.parametrize(
    ("question", "text", "value"),
    [
        ({"kind": "yesno"}, "Jo, gerne 😊", "yes"),
        ({"kind": "choice", "options": ["Gut", "Schlecht"]}, "die zweite", 2),
        ({"kind": "multichoice", "options": ["Rot", "Grün", "Blau"]}, "1 und 3", [1, 3]),
        ({"kind": "scale", "min": 1, "max": 6}, "Note 2", 2),
        ({"kind": "number", "min": 0, "max": 2000.5}, "1.234,50 €", "1234.5"),
        ({"kind": "date", "today": "2026-03-27"}, "morgen", "2026-03-28"),
        ({"kind": "time"}, "14.15 Uhr", "14:15"),
        ({"kind": "appointment"}, "kann leider nicht kommen", "cancel"),
        ({"kind": "appointment", "words": {"confirm": ["BLEIBT"], "cancel": ["WEG"]}}, "Weg!", "cancel"),
        ({"kind": "optout"}, "Abmelden", "stop"),
    ],
)
def test_a_clear_answer_of_each_kind_gets_its_value(api, question, text, value):
    answer = api.post("/api/v1/understand", {"text": text, "locale": "de", **question})
    assert answer.status_code == 200
    assert (answer.json["outcome"], answer.json["value"]) == ("value", value)
    assert set(answer.json) == {"outcome", "value", "why"}


def test_an_unclear_answer_says_why_and_has_no_value(api):
    body = {"kind": "scale", "text": "1 oder 2", "locale": "de", "min": 1, "max": 6}
    assert api.post("/api/v1/understand", body).json == {
        "outcome": "unclear",
        "value": None,
        "why": "several",
    }


def test_a_whole_message_that_opts_out_is_no_answer(api):
    body = {"kind": "yesno", "text": "Stopp!", "locale": "de"}
    assert api.post("/api/v1/understand", body).json["outcome"] == "opt_out"


def test_without_today_a_day_counts_from_the_accounts_own(api):
    clock.shift(datetime(2030, 3, 27, 23, 30, tzinfo=UTC) - clock.now())  # already the 28th in Berlin
    body = {"kind": "date", "text": "morgen", "locale": "de"}
    assert api.post("/api/v1/understand", body).json["value"] == "2030-03-29"
    assert api.post("/api/v1/understand", {**body, "zone": "America/New_York"}).json["value"] == "2030-03-28"


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"kind": "poem"}, "kind", "not_a_choice"),
        ({"kind": "choice"}, "options", "missing"),
        ({"kind": "choice", "options": []}, "options", "missing"),
        ({"kind": "choice", "options": ["x"] * 201}, "options", "too_many"),
        ({"min": "1"}, "min", "not_a_number"),
        ({"max": True}, "max", "not_a_number"),
        ({"today": "31.2.2026"}, "today", "bad_date"),
        ({"zone": "Mars/Olympus"}, "zone", "unknown_zone"),
        ({"zone": "../etc/passwd"}, "zone", "unknown_zone"),
        ({"locale": "fr"}, "locale", "not_a_choice"),
        ({"words": {"maybe": ["x"]}}, "words.maybe", "unknown_field"),
        ({"text": None}, "text", "not_a_text"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused_at_its_field(api, change, field, code):
    body = {"kind": "yesno", "text": "ja", "locale": "de"} | change
    problem = problem_of(api.post("/api/v1/understand", body), 422)
    assert [(e["field"], e["code"]) for e in problem["errors"]] == [(field, code)]
    assert len(problem["errors"][0]["message"]) > 10


def test_nothing_is_stored(api):
    before = [table.select().count() for table in TABLES]
    api.post("/api/v1/understand", {"kind": "yesno", "text": "ja", "locale": "de"})
    assert [table.select().count() for table in TABLES] == before
