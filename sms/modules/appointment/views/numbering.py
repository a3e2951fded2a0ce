"""The page of the rule by which phone numbers are found in calendars: chosen, tried on a text, kept."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from sms.modules.appointment import numbering, subscribing
from sms.modules.appointment.found import NumberRule
from sms.modules.appointment.views import blueprint
from sms.modules.appointment.wording import N_
from sms.refusal import Refused
from sms.views.gate import requires
from sms.wording import sentence

PART_WORDS = {
    "anywhere": N_("in title, description or contact"),
    "title": N_("in the title"),
    "description": N_("in the description"),
    "location": N_("in the location"),
    "contact": N_("in the contact"),
}
LONGEST_SAMPLE = 2_000


@blueprint.get("/import/number")
@requires("owner")
def number_rule() -> ResponseReturnValue:
    """The rule as it is kept."""
    return _page(numbering.of(current_user.account))


@blueprint.post("/import/number")
@requires("owner")
def save_number_rule() -> ResponseReturnValue:
    """Keep the rule; the button for trying changes nothing."""
    part, word = request.form.get("part", "")[:20], request.form.get("word", "")[:200]
    try:
        rule = numbering.checked(part, word)
    except Refused as no:
        return _page(NumberRule(part, word), {no.field: sentence(no.code, **no.params)}, 422)
    if request.form.get("do") == "try":
        return _page(rule)
    numbering.save(current_user.account, rule)
    subscribing.read_all_anew(current_user.account)
    flash(_("From now on phone numbers are looked for like this."))
    return redirect(url_for("appointment.choose_file"), 303)


@blueprint.post("/import/number/try")
@requires("owner")
def try_number_rule() -> ResponseReturnValue:
    """What the rule finds in the sample, while somebody types."""
    word = " ".join(request.form.get("word", "")[:200].split())
    return render_template("appointment/_number_found.html", **_tried(NumberRule("anywhere", word)))


def _page(rule: NumberRule, errors: dict[str, str] | None = None, status: int = 200) -> ResponseReturnValue:
    return render_template(
        "appointment/number.html", rule=rule, errors=errors or {}, part_words=PART_WORDS, **_tried(rule)
    ), status


def _tried(rule: NumberRule) -> dict[str, str | None]:
    sample = request.form.get("sample", "")[:LONGEST_SAMPLE]
    found = numbering.tried(current_user.account, rule, sample) if sample.strip() else None
    return {"sample": sample, "number": found}
