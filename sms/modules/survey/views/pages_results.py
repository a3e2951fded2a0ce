"""The results page: counters in words and bars, live, with the texts and their threads, and the exports."""

from datetime import date, datetime
from typing import Any, NamedTuple

from flask import Response, abort, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import get_locale, ngettext
from flask_babel import gettext as _
from flask_login import current_user

from sms.clock import now
from sms.gsm import msisdn
from sms.modules.survey import answering, checking, export, flow, moments, unasked
from sms.modules.survey import results as figures
from sms.modules.survey.flow import Question
from sms.modules.survey.models import Answer, Survey
from sms.modules.survey.results import OfQuestion
from sms.modules.survey.views import charts
from sms.modules.survey.views.api import XLSX
from sms.modules.survey.views.frame import blueprint, done, mine
from sms.refusal import Refused
from sms.wording import N_, sentence

QUOTES, PAGE = 5, 50
MOST_STARTS = 5
WAITING = {
    "turn": N_("next in turn"),
    "time": N_("until the chosen time"),
    "paused": N_("until the survey goes on"),
    "in_line": N_("until another question is answered"),
    "daily_limit": N_("until tomorrow: the daily limit is reached"),
    "quiet": N_("until the quiet hours are over"),
    "carrier": N_("on the way to the carrier"),
}
"""For what people wait, behind their number (`unasked.WAITING`)."""
POOR = {"nps": ("0", "1", "2", "3", "4", "5", "6"), "grade": ("5", "6")}
"""Values of scales that everybody reads as bad: who would advise against, and the grades of a fail."""


class Bar(NamedTuple):
    """One value of a chart: its words, how often it came, its share in per cent; bad: one that asks to be looked at."""

    value: str
    words: str
    n: int
    percent: int
    bad: bool = False


class Quote(NamedTuple):
    """An answer in its own words: who said it and when, what it was taken for, and where its thread is."""

    id: int
    run: int
    raw: str
    who: str
    at: datetime
    value: str
    corrected: bool
    unclear: bool
    conversation: int | None


@blueprint.get("/<int:survey_id>/results")
def results(survey_id: int) -> ResponseReturnValue:
    """Show what came of a survey; a fragment's request gets the figures alone, every few seconds."""
    survey = mine(survey_id)
    template = "survey/_results.html" if request.headers.get("HX-Request") else "survey/results.html"
    return render_template(template, **_facts(survey))


def _facts(survey: Survey) -> dict[str, Any]:
    since, until = _day("since"), _day("until")
    like = _like()
    found = figures.results(survey, since, until, like)
    query = {k: v for k, v in request.args.items() if k in ("since", "until", "like") and v}
    newest = figures.newest(survey)
    return {
        "survey": survey,
        "found": found,
        "since": since,
        "until": until,
        "like": request.args.get("like", ""),
        "query": query,
        "progress": [_under_way(each) for each in unasked.progress(survey)[:MOST_STARTS]],
        "not_asked": unasked.count(survey),
        "newest": None if newest is None else _quote(survey, newest, None),
        "time": in_minutes(found.seconds),
        "days": charts.line(found.days, moments.day_of(now(), survey.account.zone)),
        "questions": [_of(survey, n, of) for n, of in enumerate(found.questions, 1)],
        "choices": _choices(survey, found.questions),
    }


def _under_way(each: unasked.Progress) -> dict[str, Any]:
    """Return a start that is not through yet, with what people wait for in words."""
    waiting = [f"{n} {_(WAITING[reason])}" for reason, n in each.waiting.items()]
    listed = not each.waiting.keys() <= set(unasked.ON_THE_WAY)
    return {"start": each.start, "done": each.done, "total": each.total, "waiting": waiting, "listed": listed}


def _day(name: str) -> date | None:
    try:
        return date.fromisoformat(request.args.get(name, ""))
    except ValueError:
        return None


def _like() -> tuple[str, str] | None:
    key, _, value = request.args.get("like", "").partition("=")
    return (key, value) if key and value else None


def in_minutes(seconds: float | None) -> str:
    """Return a length of time in the unit that people would use: 40 seconds, 14 minutes, 3 hours."""
    if seconds is None:
        return "–"
    if seconds < 90:
        return ngettext("%(num)d second", "%(num)d seconds", round(seconds))
    if seconds < 5400:
        return ngettext("%(num)d minute", "%(num)d minutes", round(seconds / 60))
    return ngettext("%(num)d hour", "%(num)d hours", round(seconds / 3600))


def _of(survey: Survey, number: int, of: OfQuestion) -> dict[str, Any]:
    question = of.question
    quotes = figures.texts(survey, of, QUOTES) if question.type in ("text", "date", "number") else []
    return {
        "n": number,
        "of": of,
        "q": question,
        "bars": [] if question.type in ("text", "date") else bars(survey, of),
        "columns": charts.columns(of.values) if question.type == "date" else None,
        "quotes": [_quote(survey, answer, question) for answer in quotes],
        "mean": None if of.mean is None else _rounded(of.mean),
        "median": None if of.median is None else _rounded(of.median),
        "nps": _nps(of),
    }


def _rounded(value: float) -> str:
    text = f"{value:.1f}".removesuffix(".0")
    return text.replace(".", ",") if get_locale().language == "de" else text


def _nps(of: OfQuestion) -> int | None:
    """Return the Net Promoter Score: per cent of 9 and 10 less per cent of 0 to 6."""
    whole = sum(of.values.values())
    if of.question.type != "scale" or of.question.scale != "nps" or not whole:
        return None
    good = sum(n for value, n in of.values.items() if value in ("9", "10"))
    bad = sum(n for value, n in of.values.items() if value in POOR["nps"])
    return round(100 * (good - bad) / whole)


def bars(survey: Survey, of: OfQuestion) -> list[Bar]:
    """Return one bar a value in order, the unclear ones last; several choices count against those who answered."""
    whole = (of.answered + of.unclear) or 1
    values = list(checking.answers_of(of.question)) or list(of.values)[:30]
    values += [v for v in of.values if v not in values][: 30 if of.question.type != "number" else 0]
    poor = POOR.get(of.question.scale, ()) if of.question.type == "scale" else ()
    found = [Bar(v, _shown(survey, of.question, v), of.values.get(v, 0), 0, v in poor) for v in values]
    if of.unclear:
        found.append(Bar("", _("Unclear"), of.unclear, 0, True))
    return [bar._replace(percent=round(100 * bar.n / whole)) for bar in found]


def _shown(survey: Survey, question: Question, value: str | None) -> str:
    return flow.words.shown(question, value, get_locale().language)


def _quote(survey: Survey, answer: Answer, question: Question | None) -> Quote:
    run = answer.run
    contact = run.contact if question is not None else None
    who = (contact.name if contact else "") or (
        msisdn.parse(run.number).display if run.number else _("Erased")
    )
    value = "" if question is None or question.type == "text" else _shown(survey, question, answer.value)
    return Quote(
        answer.id, run.id, answer.raw, who, answer.answered_at, value, answer.corrected_at is not None,
        answer.value is None, run.conversation_id,
    )  # fmt: skip


def _choices(survey: Survey, questions: Any) -> list[tuple[str, str]]:
    """Return what the answer filter offers: each answer to each question that has a countable number of them."""
    return [
        (f"{of.question.key}={value}", f"{of.question.title}: {_shown(survey, of.question, value)}")
        for of in questions
        for value in checking.answers_of(of.question)
    ]


@blueprint.get("/<int:survey_id>/answers/<key>")
def answers(survey_id: int, key: str) -> ResponseReturnValue:
    """Read all answers to one question, newest first, with their threads; a value can be corrected there."""
    survey = mine(survey_id)
    return _answers(survey, key)


def _answers(survey: Survey, key: str, wrong: tuple[int, str, str] | None = None) -> ResponseReturnValue:
    of = next((o for o in figures.results(survey).questions if o.question.key == key), None)
    if of is None:
        abort(404)
    place = request.args.get("before", "")
    before = int(place) if place.isascii() and place.isdigit() and len(place) < 19 else None
    rows = figures.texts(survey, of, PAGE + 1, before)
    return render_template(
        "survey/answers.html",
        survey=survey,
        q=of.question,
        of=of,
        wrong=wrong,
        rows=[_quote(survey, answer, of.question) for answer in rows[:PAGE]],
        older=rows[PAGE - 1].id if len(rows) > PAGE else None,
    ), 422 if wrong else 200


@blueprint.post("/answers/<int:answer_id>/correct")
def correct(answer_id: int) -> ResponseReturnValue:
    """Replace a value that was read wrongly; it is written as it would be answered, and logged in the thread."""
    value = request.form.get("value", "")
    try:
        answer = answering.correct(answer_id, current_user.account, value, current_user)
    except Refused as refused:
        answer = Answer.get_by_id(answer_id)
        wrong = (answer_id, value, sentence(refused.code, **refused.params))
        return _answers(mine(answer.run.survey_id), answer.question, wrong)
    return done(
        _("The answer is corrected."), "survey.answers",
        survey_id=answer.run.survey_id, key=answer.question, _anchor=f"a-{answer.id}",
    )  # fmt: skip


@blueprint.get("/<int:survey_id>/export.csv")
def export_csv(survey_id: int) -> ResponseReturnValue:
    """Give the results as CSV that a German Excel opens rightly."""
    survey = mine(survey_id)
    return _file(survey, export.as_csv(survey), "csv", "text/csv; charset=utf-8")


@blueprint.get("/<int:survey_id>/export.xlsx")
def export_xlsx(survey_id: int) -> ResponseReturnValue:
    """Give the results as a workbook."""
    survey = mine(survey_id)
    return _file(survey, export.as_xlsx(survey), "xlsx", XLSX)


def _file(survey: Survey, content: bytes, ending: str, kind: str) -> Response:
    disposition = f'attachment; filename="survey-{survey.id}.{ending}"'
    return Response(content, content_type=kind, headers={"Content-Disposition": disposition})
