"""Starting a survey: numbers pasted or contacts chosen, looked through before anything leaves, now or at a time."""

from datetime import datetime
from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import current_user

from sms import contacts, prices
from sms.modules.survey import checking, enrolling, flow, surveys
from sms.modules.survey.models import Survey
from sms.modules.survey.views.frame import blueprint, done, mine, trigger_words
from sms.refusal import Conflict, Refused
from sms.views.composer import chosen_time
from sms.views.gate import requires
from sms.wording import sentence

MOST_SHOWN = 500
"""Lines of the table of what is wrong; a paste with more of them is the wrong paste."""
MOST_CONTACTS = 50


@blueprint.get("/<int:survey_id>/start")
@requires("owner")
def start(survey_id: int) -> ResponseReturnValue:
    """Ask who is to be asked."""
    survey = mine(survey_id)
    try:
        surveys.demand_startable(survey)
    except surveys.Unfinished:
        return redirect(url_for("survey.edit", survey_id=survey.id, check=1, _anchor="problems"), 303)
    except Refused as refused:
        return _page(survey, {refused.field: sentence(refused.code, **refused.params)})
    return _page(survey)


@blueprint.post("/<int:survey_id>/start")
@requires("owner")
def begin(survey_id: int) -> ResponseReturnValue:
    """Look through the numbers (do=check), add chosen contacts (do=add, do=find), or start (do=start, do=open)."""
    survey = mine(survey_id)
    do = request.form.get("do", "check")
    numbers = request.form.get("numbers", "")
    if do in ("add", "find"):
        return _page(survey, numbers=_with_chosen(numbers) if do == "add" else numbers)
    try:
        if do == "open":
            enrolling.open_door(survey, current_user)
            return done(_opened(survey), "survey.results", survey_id=survey.id)
        at = chosen_time(request.form, survey.account.zone, "at")
        if do == "start":
            return _start(survey, numbers, at)
        reading = enrolling.read_lines(survey, numbers)
        if not reading.people and not reading.wrong:
            raise Refused("numbers", "empty")
        return _page(survey, numbers=numbers, reading=reading)
    except surveys.Unfinished:
        return redirect(url_for("survey.edit", survey_id=survey.id, check=1, _anchor="problems"), 303)
    except Conflict as conflict:
        return _page(
            survey, {"numbers": sentence(conflict.code, **conflict.params)}, numbers=numbers, status=409
        )
    except Refused as refused:
        errors = {refused.field: sentence(refused.code, **refused.params)}
        return _page(survey, errors, numbers=numbers, reading=_reading(survey, numbers), status=422)


def _opened(survey: Survey) -> str:
    if survey.keyword:
        return _("Started. People take part by sending the keyword.")
    return _("Started. Asked by itself: %(when)s.", when=trigger_words(survey))


def _start(survey: Survey, numbers: str, at: datetime | None) -> ResponseReturnValue:
    started = enrolling.start(survey, numbers, by=current_user, at=at)
    n = len(started.reading.people)
    words = ngettext("One person is being asked.", "%(num)d people are being asked.", n)
    if at is not None:
        words = ngettext("One person will be asked.", "%(num)d people will be asked.", n)
    return done(words, "survey.results", survey_id=survey.id)


def _reading(survey: Survey, numbers: str) -> enrolling.Reading | None:
    try:
        return enrolling.read_lines(survey, numbers) if numbers.strip() else None
    except Refused:
        return None


def _with_chosen(numbers: str) -> str:
    ids = {int(i) for i in request.form.getlist("contact") if i.isascii() and i.isdigit() and len(i) < 19}
    chosen = [c for c in _found() if c.id in ids]
    return "\n".join(
        [*numbers.splitlines(), *(f"{c.number}; {c.name}" if c.name else c.number for c in chosen)]
    )


def _found() -> list[Any]:
    query = request.form.get("q", "")
    return contacts.listing(current_user.account, query, MOST_CONTACTS)


def _page(
    survey: Survey,
    errors: dict[str, str] | None = None,
    *,
    numbers: str = "",
    reading: enrolling.Reading | None = None,
    status: int = 200,
) -> ResponseReturnValue:
    left_out = sorted([*reading.wrong, *reading.twice], key=lambda w: w.line) if reading else []
    lines = [(w.line, w.text, sentence(w.code, **w.params)) for w in left_out[:MOST_SHOWN]]
    people = len(reading.people) if reading else 0
    cost = checking.cost(flow.read(survey.draft), survey.account.locale)
    return render_template(
        "survey/start.html",
        survey=survey,
        errors=errors or {},
        numbers=numbers,
        reading=reading,
        lines=lines,
        left_out=len(left_out),
        people=people,
        cost=cost,
        price=prices.about(survey.account, cost.parts * people),
        highest_price=prices.about(survey.account, cost.most * people),
        at=request.form.get("at", ""),
        q=request.form.get("q", ""),
        found=_found() if request.form.get("do") in ("find", "add") else [],
    ), status
