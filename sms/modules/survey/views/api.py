"""Surveys over the API: list, start, results, export."""

from typing import Annotated, Any, Literal, NotRequired

from flask import request
from pydantic import Field
from typing_extensions import TypedDict

from sms import wallclock
from sms.models import Account
from sms.modules.survey import enrolling, export, flow, results, surveys
from sms.modules.survey.flow import Question
from sms.modules.survey.models import Survey
from sms.views.api import pages
from sms.views.api.body import LARGEST_BATCH, read_json
from sms.views.api.frame import Answer, call
from sms.views.api.inputs import Input, Number, Query
from sms.views.api.problem import worded

MOST_NUMBERS = 50_000
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class StartSurvey(Input):
    """Who is to be asked, now or at a time."""

    numbers: Annotated[
        list[Number], Field(max_length=MOST_NUMBERS, description="Any spelling; doubles are asked once.")
    ]
    at: Annotated[
        str | None,
        Field(max_length=100, description="When to ask (see `send_at` of a message); without it: now."),
    ] = None


class QuestionShape(TypedDict):
    """A question; `options` of `choice` and `multichoice` in order, `min` and `max` of `scale` and `number`."""

    key: str
    name: str
    type: Literal["yesno", "choice", "multichoice", "scale", "number", "date", "text"]
    text: str
    options: NotRequired[list[str]]
    min: NotRequired[float | None]
    max: NotRequired[float | None]


class SurveyShape(TypedDict):
    """A survey with its questions as the next start will ask them."""

    id: int
    name: str
    state: Literal["draft", "running", "paused", "ended"]
    questions: list[QuestionShape]


class SurveyPage(TypedDict):
    """Surveys, newest first."""

    items: list[SurveyShape]
    next_cursor: str | None


class WrongNumberShape(TypedDict):
    """A number that is not asked: its place in `numbers` from 1, and why."""

    line: int
    number: str
    code: str
    message: str


class StartedShape(TypedDict):
    """A start: how many are asked in the background, and who is left out."""

    id: int
    survey_id: int
    accepted: int
    errors: list[WrongNumberShape]


class QuestionResultShape(TypedDict):
    """Results of a question: `values` says how often each value came; a choice is its number from 1."""

    key: str
    name: str
    type: str
    asked: int
    answered: int
    unclear: int
    values: dict[str, int]
    mean: float | None
    median: float | None


class ResultsShape(TypedDict):
    """Results of a survey. `sent` are people asked, `answered` those of them with at least one answer."""

    sent: int
    answered: int
    finished: int
    opted_out: int
    expired: int
    failed: int
    median_seconds: Annotated[float | None, Field(description="Median time to the first answer, within 3 %.")]
    days: Annotated[dict[str, int], Field(description="First answers on each day.")]
    questions: list[QuestionResultShape]


@call("GET", "/surveys", "List surveys", query=Query, shapes={200: SurveyPage}, problems=(422,))
def list_surveys(account: Account, query: Query) -> Answer:
    """All surveys of the account, newest first."""
    found = Survey.select().where(Survey.account == account)
    if key := pages.decode(query.cursor, "s", 1):
        found = found.where(Survey.id < key[0])
    rows = list(found.order_by(Survey.id.desc()).limit(query.limit + 1))
    return Answer(
        200,
        pages.page(rows, query.limit, "s", lambda row: (row.id,), lambda some: [_survey(s) for s in some]),
    )


@call("GET", "/surveys/{id}", "Look at a survey", shapes={200: SurveyShape}, problems=(404,))
def show_survey(account: Account, id: int) -> Answer:
    """One survey with its questions."""
    return Answer(200, _survey(surveys.of(account, id)))


@call(
    "POST", "/surveys/{id}/start", "Start a survey",
    documented_body=StartSurvey, shapes={202: StartedShape}, problems=(400, 404, 409, 413, 415, 422), largest=LARGEST_BATCH,
    example={"numbers": ["0171 3920054", "0171 3920055"]},
)  # fmt: skip
def start_survey(account: Account, id: int) -> Answer:
    """Asks these people one question after the other, in the background. It counts as started by a machine: the first
    question and reminders wait for the end of the quiet hours. Whoever cannot be asked, or is being asked by this
    survey already, is left out and named in `errors`; where nobody is left it is 422.
    """
    survey = surveys.of(account, id)
    body = StartSurvey.model_validate(read_json(request, LARGEST_BATCH))
    at = wallclock.read(body.at, account.zone, "at") if body.at else None
    # In a list every line is one number, whatever it holds.
    numbers = [" ".join(number.split()) or "-" for number in body.numbers]
    started = enrolling.start(survey, numbers, kind="api", at=at)
    return Answer(202, _started(started))


@call("GET", "/surveys/{id}/results", "Read the results", shapes={200: ResultsShape}, problems=(404,))
def survey_results(account: Account, id: int) -> Answer:
    """What came of a survey so far, over all its starts. Tests with one's own phone do not count."""
    return Answer(200, _results(results.results(surveys.of(account, id))))


@call(
    "GET",
    "/surveys/{id}/export.csv",
    "Export as CSV",
    shapes={200: None},
    media="text/csv; charset=utf-8",
    problems=(404,),
)
def export_csv(account: Account, id: int) -> Answer:
    """One row a participant: words as they came, value, correction and time of each answer. Semicolons, UTF-8 with a
    mark, so that Excel in German opens it rightly; what could be a formula has an apostrophe before it.
    """
    survey = surveys.of(account, id)
    return Answer(200, export.as_csv(survey), _as_file(survey, "csv"))


@call("GET", "/surveys/{id}/export.xlsx", "Export as XLSX", shapes={200: None}, media=XLSX, problems=(404,))
def export_xlsx(account: Account, id: int) -> Answer:
    """The same as a workbook; texts are never formulas."""
    survey = surveys.of(account, id)
    return Answer(200, export.as_xlsx(survey), _as_file(survey, "xlsx"))


def _as_file(survey: Survey, ending: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="survey-{survey.id}.{ending}"'}


def _survey(survey: Survey) -> dict[str, Any]:
    questions = flow.read(survey.draft).questions
    return {
        "id": survey.id, "name": survey.name, "state": survey.state, "questions": [_question(q) for q in questions],
    }  # fmt: skip


def _question(question: Question) -> dict[str, Any]:
    kind = question.type if question.type in flow.TYPES else "text"
    shown: dict[str, Any] = {"key": question.key, "name": question.name, "type": kind, "text": question.text}
    if kind in ("choice", "multichoice"):
        shown["options"] = list(question.options)
    if kind in ("scale", "number"):
        shown["min"], shown["max"] = (None if bound is None else float(bound) for bound in question.bounds)
    return shown


def _started(started: enrolling.Started) -> dict[str, Any]:
    left_out = sorted([*started.reading.wrong, *started.reading.twice], key=lambda wrong: wrong.line)
    return {
        "id": started.start.id,
        "survey_id": started.start.survey_id,
        "accepted": len(started.reading.people),
        "errors": [
            {"line": w.line, "number": w.text, "code": w.code, "message": worded(w.code, w.params)}
            for w in left_out
        ],
    }


def _results(found: results.Results) -> dict[str, Any]:
    return {
        "sent": found.sent, "answered": found.answered, "finished": found.finished, "opted_out": found.opted_out,
        "expired": found.expired, "failed": found.failed, "median_seconds": found.seconds,
        "days": {day.isoformat(): n for day, n in found.days.items()},
        "questions": [_of_question(of) for of in found.questions],
    }  # fmt: skip


def _of_question(of: results.OfQuestion) -> dict[str, Any]:
    return {
        "key": of.question.key, "name": of.question.name, "type": of.question.type, "asked": of.asked,
        "answered": of.answered, "unclear": of.unclear, "values": dict(of.values), "mean": of.mean, "median": of.median,
    }  # fmt: skip
