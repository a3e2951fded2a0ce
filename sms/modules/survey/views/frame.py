"""What all pages of surveys share: the blueprint, the words of states and kinds, who may set up."""

from datetime import datetime

from flask import Blueprint, flash, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale, ngettext
from flask_babel import gettext as _
from flask_login import current_user

from sms.clock import now
from sms.gsm import msisdn
from sms.models.account import ROLES
from sms.modules import occasions
from sms.modules.survey import flow, surveys
from sms.modules.survey.flow import Question
from sms.modules.survey.models import Survey
from sms.views import moments
from sms.wording import N_

blueprint = Blueprint("survey", __name__, url_prefix="/surveys", template_folder="../templates")

STATES = {
    "draft": ("none", "pen-line", N_("Draft")),
    "running": ("ok", "play", N_("Running")),
    "paused": ("warn", "pause", N_("Paused")),
    "ended": ("none", "flag", N_("Ended")),
}
"""By state: the kind of its mark, its icon and its word."""

KINDS = {
    "yesno": N_("Yes or no"),
    "scale:1-5": N_("Scale 1 to 5"),
    "scale:1-10": N_("Scale 1 to 10"),
    "scale:nps": N_("Recommendation 0 to 10 (NPS)"),
    "scale:grade": N_("School grade 1 to 6"),
    "choice": N_("One choice"),
    "multichoice": N_("Several choices"),
    "number": N_("A number"),
    "date": N_("Date"),
    "text": N_("Free text"),
}
"""What an answer can be, as the form offers it: type, with its scale where it has one."""


def kind_of(question: Question) -> str:
    """Return the entry of `KINDS` that a question is."""
    return f"scale:{question.scale}" if question.type == "scale" else question.type


def mine(survey_id: int) -> Survey:
    """Return a survey of the signed-in person's account; raises NotFound."""
    survey = surveys.of(current_user.account_id, survey_id)
    survey.account = current_user.account
    return survey


def may_set_up() -> bool:
    """Tell whether the signed-in person may change and start surveys."""
    return current_user.is_authenticated and ROLES.index(current_user.role) >= ROLES.index("owner")


def trigger_words(survey: Survey) -> str:
    """Return after what and when somebody is asked: After the appointment: 1 day later, 16:00."""
    trigger = survey.trigger or {}
    kind = occasions().get(trigger.get("event", ""))
    days = ngettext("%(num)d day later", "%(num)d days later", trigger.get("days") or 0)
    when = ", ".join(
        part for part in (days if trigger.get("days") else "", trigger.get("time") or "") if part
    )
    return f"{_(kind.words) if kind else trigger.get('event', '')}: {when or _('at once')}"


def sender_words(survey: Survey) -> str:
    """Return the number from which a survey is asked, in words."""
    return msisdn.parse(survey.sender).display if survey.sender else _("A number of the pool")


@blueprint.app_template_filter("moment_in_words")
def moment_in_words(moment: datetime) -> str:
    """Return a moment as people say it: 09:47 today, else the day with its time."""
    zone, locale = current_user.account.zone, get_locale().language
    day, today = (moments.local(at, zone).date() for at in (moment, now()))
    clock = moments.clock(moment, zone)
    return clock if day == today else f"{moments.short_date(day, today, locale)}, {clock}"


@blueprint.context_processor
def _words() -> dict[str, object]:
    return {
        "STATES": STATES,
        "KINDS": KINDS,
        "kind_of": kind_of,
        "may_set_up": may_set_up(),
        "SCALES": flow.SCALES,
        "trigger_words": trigger_words,
    }


def done(words: str, endpoint: str, **values: object) -> ResponseReturnValue:
    """Say what was done and show a page anew, so that a reload does not do it twice."""
    flash(words)
    return redirect(url_for(endpoint, **values), 303)  # type: ignore[arg-type]
