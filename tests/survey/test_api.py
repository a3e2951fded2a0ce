"""Surveys over the API: list, start, results, export."""

import io
import zipfile
from datetime import UTC, datetime

import pytest

from sms import clock
from sms.clock import now
from sms.modules.survey import asking, demo, enrolling, surveys
from sms.modules.survey.models import Run, Start
from sms.modules.survey.views import api as shapes
from tests.api.answers import conforms, problem_of
from tests.survey.surveys_for_tests import MARGARETHE, TORSTEN, made, run_of, says, told, work


@pytest.fixture(autouse=True)
def _noon(app):
    """Surveys are asked by day."""
    clock.shift(datetime(2026, 11, 23, 11, tzinfo=UTC) - now())


@pytest.fixture
def survey(account):
    return made(account)


def test_the_surveys_are_listed_with_their_questions(api, survey, account):
    newer = made(account, {"questions": [{"key": "km", "type": "number", "least": "1", "text": "Wie weit?"}]})
    page = conforms(api.get("/api/v1/surveys").json, shapes.SurveyPage)
    assert [s["id"] for s in page["items"]] == [newer.id, survey.id]
    assert page["items"][0]["questions"] == [
        {"key": "km", "name": "", "type": "number", "text": "Wie weit?", "min": 1.0, "max": None}
    ]
    assert page["items"][1]["state"] == "draft"
    assert page["items"][1]["questions"][3]["options"] == ["Empfehlung", "Internet", "Krankenkasse"]
    first = api.get("/api/v1/surveys?limit=1").json
    second = api.get(f"/api/v1/surveys?limit=1&cursor={first['next_cursor']}").json
    assert [first["items"][0]["id"], second["items"][0]["id"], second["next_cursor"]] == [
        newer.id,
        survey.id,
        None,
    ]
    assert (
        conforms(api.get(f"/api/v1/surveys/{survey.id}").json, shapes.SurveyShape)["name"] == "Zufriedenheit"
    )


def test_a_start_asks_the_good_ones_and_names_the_rest(api, survey):
    numbers = ["0171 39200 42", "+49 171 39200 33", "110", "0171/3920042", "030 23125640"]
    answer = api.post(f"/api/v1/surveys/{survey.id}/start", {"numbers": numbers})
    assert answer.status_code == 202
    started = conforms(answer.json, shapes.StartedShape)
    assert started["accepted"] == 2
    assert [(e["line"], e["code"]) for e in started["errors"]] == [
        (3, "emergency"),
        (4, "number_twice"),
        (5, "landline_not_asked"),
    ]
    assert all(e["message"] and "%(" not in e["message"] for e in started["errors"])
    work()
    assert len(told(MARGARETHE)) == len(told(TORSTEN)) == 1
    assert api.get("/api/v1/surveys").json["items"][0]["state"] == "running"


def test_a_start_counts_as_machine_made_and_waits_for_the_day(api, survey):
    clock.shift(datetime(2026, 11, 23, 22, tzinfo=UTC) - now())
    api.post(f"/api/v1/surveys/{survey.id}/start", {"numbers": ["0171 39200 42"]})
    work()
    assert api.get("/api/v1/messages").json["items"][0]["status"] == "scheduled"


def test_a_start_at_a_time(api, survey):
    answer = api.post(
        f"/api/v1/surveys/{survey.id}/start", {"numbers": ["0171 39200 42"], "at": "2026-11-24T09:00"}
    )
    assert answer.status_code == 202
    assert Start.get().at == datetime(2026, 11, 24, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "numbers"), ({"numbers": []}, "numbers"), ({"numbers": ["110"]}, "numbers"), ({"numbers": "0171 3920042"}, "numbers"),
        ({"numbers": [1]}, "numbers.0"), ({"numbers": ["0171 3920042"], "at": "gestern"}, "at"), ({"numbers": ["0171 3920042"], "at": "2020-01-01T00:00"}, "at"),
        ({"numbers": ["0171 3920042"], "who": 1}, "who"), ({"numbers": ["\n", "", "a\0b"]}, "numbers"),
    ],
)  # fmt: skip
def test_a_bad_start_is_refused_at_the_field_and_starts_nothing(api, survey, body, field):
    problem = problem_of(api.post(f"/api/v1/surveys/{survey.id}/start", body), 422)
    assert problem["errors"][0]["field"] == field
    assert not Start.select().exists()
    assert surveys.of(survey.account, survey.id).state == "draft"


def test_an_unfinished_survey_is_refused_and_a_paused_one_is_a_conflict(api, account):
    empty = made(account, {"questions": []})
    problem_of(api.post(f"/api/v1/surveys/{empty.id}/start", {"numbers": ["0171 3920042"]}), 422)
    running = made(account)
    enrolling.start(running, [MARGARETHE])
    asking.pause(surveys.of(account, running.id))
    problem_of(api.post(f"/api/v1/surveys/{running.id}/start", {"numbers": ["0171 3920033"]}), 409)


def test_a_line_break_in_a_number_does_not_make_two_of_it(api, survey):
    answer = api.post(
        f"/api/v1/surveys/{survey.id}/start", {"numbers": ["0171 3920042\n0171 3920033", "0171 3920029"]}
    )
    assert [e["line"] for e in answer.json["errors"]] == [1]
    assert Run.select().count() == 1


def test_results_and_files_say_what_was_answered(api, survey):
    api.post(f"/api/v1/surveys/{survey.id}/start", {"numbers": ["0171 39200 42"]})
    work()
    for answer in ("Note 4", "Zu lange gewartet", "ja", "B"):
        says(MARGARETHE, answer, run_of(MARGARETHE).ours)
    found = conforms(api.get(f"/api/v1/surveys/{survey.id}/results").json, shapes.ResultsShape)
    assert (found["sent"], found["answered"], found["finished"], found["opted_out"]) == (1, 1, 1, 0)
    assert [(q["key"], q["answered"], q["values"]) for q in found["questions"]] == [
        ("zufriedenheit", 1, {"4": 1}), ("schlecht", 1, {}), ("empfehlung", 1, {"yes": 1}), ("gefunden", 1, {"2": 1}),
    ]  # fmt: skip
    as_csv = api.get(f"/api/v1/surveys/{survey.id}/export.csv")
    assert (as_csv.status_code, as_csv.mimetype) == (200, "text/csv")
    assert "attachment" in as_csv.headers["Content-Disposition"]
    assert "Zu lange gewartet" in as_csv.data.decode("utf-8-sig")
    as_xlsx = api.get(f"/api/v1/surveys/{survey.id}/export.xlsx")
    assert as_xlsx.mimetype == shapes.XLSX
    assert zipfile.ZipFile(io.BytesIO(as_xlsx.data)).testzip() is None


def test_another_accounts_surveys_are_not_there(other_api, survey):
    for method, path in (
        ("GET", ""),
        ("POST", "/start"),
        ("GET", "/results"),
        ("GET", "/export.csv"),
        ("GET", "/export.xlsx"),
    ):
        problem_of(
            other_api.open(method, f"/api/v1/surveys/{survey.id}{path}", json={"numbers": ["0171 3920042"]}),
            404,
        )
    assert other_api.get("/api/v1/surveys").json["items"] == []


def test_the_demo_holds_the_survey_of_the_design_once(account):
    for _ in range(2):
        demo.prepare(account)
    (survey,) = surveys.listing(account)
    assert surveys.demand_startable(survey).questions[0].type == "scale"
