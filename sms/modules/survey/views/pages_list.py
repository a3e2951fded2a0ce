"""The list of surveys, and what is done with one as a whole: new, copied, paused, resumed, ended, deleted."""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user
from peewee import fn

from sms.modules.survey import asking, surveys
from sms.modules.survey.models import Count, Start, Survey, Version
from sms.modules.survey.views.frame import blueprint, done, mine
from sms.refusal import Refused
from sms.views.gate import requires
from sms.wording import sentence


@blueprint.get("", strict_slashes=False)
def index() -> ResponseReturnValue:
    """Show all surveys of the account with what has come of them."""
    return _show("")


def _show(error: str, name: str = "", status: int = 200) -> ResponseReturnValue:
    rows = surveys.listing(current_user.account)
    counts, starts = _counted(rows), _last_starts(rows)
    page = render_template(
        "survey/index.html", rows=rows, counts=counts, starts=starts, error=error, name=name
    )
    return page, status


def _counted(rows: list[Survey]) -> dict[int, dict[str, int]]:
    """Return by survey how many were asked and how many have answered."""
    found: dict[int, dict[str, int]] = {}
    query = (
        Count.select(Version.survey, Count.name, fn.SUM(Count.n))
        .join(Version)
        .where(Version.survey.in_([s.id for s in rows] or [0]), Count.question == "")
        .where(Count.name.in_(("sent", "answered")))
        .group_by(Version.survey, Count.name)
    )
    for survey, name, n in query.tuples():
        found.setdefault(survey, {})[name] = int(n)
    return found


def _last_starts(rows: list[Survey]) -> dict[int, object]:
    newest = (
        Start.select(fn.MAX(Start.id))
        .where(Start.survey.in_([s.id for s in rows] or [0]), Start.kind != "test")
        .group_by(Start.survey)
    )
    return {s.survey_id: s.created_at for s in Start.select().where(Start.id.in_(newest))}


@blueprint.post("")
@requires("owner")
def create() -> ResponseReturnValue:
    """Make an empty survey and open its form."""
    name = request.form.get("name", "")
    try:
        survey = surveys.create(current_user.account, name)
    except Refused as refused:
        return _show(sentence(refused.code, **refused.params), name, 422)
    return redirect(url_for("survey.edit", survey_id=survey.id), 303)


@blueprint.post("/<int:survey_id>/copy")
@requires("owner")
def copy(survey_id: int) -> ResponseReturnValue:
    """Make a new survey with the same questions."""
    survey = mine(survey_id)
    name = _("Copy of %(name)s", name=survey.name)[: surveys.LONGEST_NAME]
    return redirect(url_for("survey.edit", survey_id=surveys.copy(survey, name).id), 303)


@blueprint.post("/<int:survey_id>/pause")
@requires("owner")
def pause(survey_id: int) -> ResponseReturnValue:
    """Send nothing more by itself until it is resumed."""
    asking.pause(mine(survey_id), current_user)
    return done(_("The survey is paused. Answers are still kept."), "survey.results", survey_id=survey_id)


@blueprint.post("/<int:survey_id>/resume")
@requires("owner")
def resume(survey_id: int) -> ResponseReturnValue:
    """Go on where the pause has stopped."""
    asking.resume(mine(survey_id), current_user)
    return done(_("The survey goes on."), "survey.results", survey_id=survey_id)


@blueprint.post("/<int:survey_id>/end")
@requires("owner")
def end(survey_id: int) -> ResponseReturnValue:
    """End a survey for everybody."""
    asking.end(mine(survey_id), current_user)
    return done(_("The survey has ended."), "survey.results", survey_id=survey_id)


@blueprint.post("/<int:survey_id>/delete")
@requires("owner")
def delete(survey_id: int) -> ResponseReturnValue:
    """Remove a survey that does not run, with its answers."""
    asking.delete(mine(survey_id))
    return done(_("The survey is deleted."), "survey.index")
