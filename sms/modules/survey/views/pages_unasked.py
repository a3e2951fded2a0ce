"""Who was not asked and why: a page to read and a file to keep."""

from datetime import datetime
from zoneinfo import ZoneInfo

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from sms import spreadsheet
from sms.gsm import msisdn
from sms.modules.survey import unasked
from sms.modules.survey.models import Survey
from sms.modules.survey.unasked import Unasked
from sms.modules.survey.views.frame import blueprint, mine
from sms.views.carrier_words import REASONS
from sms.wording import N_, sentence

PAGE = 100

WAITS = {
    "turn": N_("is asked in a moment"),
    "time": N_("is asked at the chosen time"),
    "paused": N_("waits until the survey goes on"),
    "in_line": N_("waits: another question to this person is not answered yet"),
    "daily_limit": N_("waits for tomorrow: the daily limit is reached"),
    "quiet": N_("waits for the end of the quiet hours"),
    "carrier": N_("is about to leave"),
}
"""For what somebody waits, in words (`unasked.WAITING`)."""

WHY = {
    "opted_out": N_("has unsubscribed"),
    "quota": N_("enough people had finished already"),
    "called_off": N_("the event was called off"),
    "survey_over": N_("the survey ended before"),
    "expired": N_("the survey ended before"),
    "agent": N_("ended by a colleague"),
    "erased": N_("the person was erased"),
    "failed": N_("the question did not get through"),
    "placeholder_unknown": N_("there was no value for a placeholder of the question"),
}
"""Why somebody was not asked, in words, where it is no refusal that has a sentence of its own."""


def words_of(code: str, failed: bool = False, **params: object) -> str:
    """Return in words why somebody is not asked."""
    if code in WAITS:
        return _(WAITS[code])
    if failed and code in REASONS:
        return f"{_(WHY['failed'])}: {_(REASONS[code])}"
    if code in WHY or code == "other":
        return _(WHY.get(code, WHY["failed"]))
    return sentence(code, **params)


@blueprint.get("/<int:survey_id>/not-asked")
def not_asked(survey_id: int) -> ResponseReturnValue:
    """List who was not asked, with the reason and the way to the thread."""
    survey = mine(survey_id)
    code = request.args.get("why", "")
    rows = unasked.listed(survey, PAGE + 1, request.args.get("before", ""), code)
    return render_template(
        "survey/not_asked.html",
        survey=survey,
        code=code,
        reasons=[(c, words_of(c, c in REASONS), n) for c, n in unasked.reasons(survey).items()],
        rows=[(row, _who(row), words_of(row.code, row.failed, **row.params)) for row in rows[:PAGE]],
        older=rows[PAGE - 1].place if len(rows) > PAGE else "",
    )


def _who(row: Unasked) -> str:
    return row.text or row.name or (msisdn.parse(row.number).display if row.number else _("Erased"))


@blueprint.get("/<int:survey_id>/not-asked.csv")
def not_asked_csv(survey_id: int) -> ResponseReturnValue:
    """Give the same list as CSV that a German Excel opens rightly."""
    survey = mine(survey_id)
    disposition = f'attachment; filename="survey-{survey.id}-not-asked.csv"'
    return Response(
        spreadsheet.as_csv(_rows(survey)),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": disposition},
    )


def _rows(survey: Survey) -> list[list[object]]:
    zone = ZoneInfo(survey.account.zone)

    def local(moment: datetime) -> datetime:
        return moment.astimezone(zone).replace(tzinfo=None, microsecond=0)

    heading: list[object] = [_("Line"), _("As written"), _("Number"), _("Name"), _("Why"), _("Date")]
    return [heading] + [
        [
            row.line, row.text, msisdn.shown(row.number) if row.number else "", row.name,
            words_of(row.code, row.failed, **row.params), local(row.at),
        ]
        for row in unasked.everybody(survey)
    ]  # fmt: skip
