"""The set-up form: everything is saved as one types, checked as a thread, tried out on a phone before it starts."""

from datetime import datetime
from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from sms import prices, routing, wallclock
from sms.clock import now
from sms.gsm import placeholders
from sms.modules import occasions
from sms.modules.survey import checking, enrolling, flow, moments, surveys
from sms.modules.survey.flow import Branch, Flow, Question
from sms.modules.survey.models import Survey
from sms.modules.survey.views import drafting
from sms.modules.survey.views.frame import blueprint, done, mine
from sms.refusal import Refused
from sms.views.composer import Meter, meter
from sms.views.gate import requires
from sms.views.moments import clock, for_input
from sms.wording import sentence

MOST_REPLIES, LONGEST_REPLY = 60, 1000
BY_HAND, BY_KEYWORD, ON = "hand", "keyword", "on:"
"""How people come to be asked, as the form sends it: by hand, by keyword, or after an event (on:KIND)."""
USUAL_DAYS, USUAL_TIME = 1, "16:00"
MOST_CHIPS = 4
OF_TRIGGER = ("trigger", "trigger_days", "trigger_time", "keyword")
HOURS = (1, 2, 4, 12, 24, 48, 72, 168, 336)
"""What is offered as a distance of reminders and as the patience of a question, in hours."""


@blueprint.get("/<int:survey_id>")
@requires("owner")
def edit(survey_id: int) -> ResponseReturnValue:
    """Show the form of a survey."""
    return page(mine(survey_id), checked="check" in request.args, focus=request.args.get("focus", ""))


@blueprint.post("/<int:survey_id>")
@requires("owner")
def save(survey_id: int) -> ResponseReturnValue:
    """Keep what was typed and do what a button asks; answers a fragment's request with what follows from it."""
    survey = mine(survey_id)
    before = flow.read(survey.draft)
    draft = drafting.read(request.form, before)
    do = request.form.get("do", "")
    kinds = {q.key: (q.type, q.scale) for q in before.questions}
    opened = drafting.change(draft, do)
    errors = _keep(survey, draft)
    if request.headers.get("HX-Request"):
        facts = _facts(survey, errors, False, _replies())
        return render_template("survey/_saved.html", **facts)
    if errors:
        return page(survey, errors, checked=True, typed=dict(request.form), status=422)
    if do == "start":
        if checking.problems(flow.read(survey.draft)):
            return redirect(url_for("survey.edit", survey_id=survey.id, check=1, _anchor="problems"), 303)
        return redirect(url_for("survey.start", survey_id=survey.id), 303)
    after = flow.read(survey.draft)
    opened = opened or next((q.key for q in after.questions if kinds.get(q.key) != (q.type, q.scale)), "")
    focus = _focus(do, opened)
    # A browser that jumps to an anchor does not move the focus there.
    anchor = None if focus else "questions" if do.startswith("remove") else "problems"
    check = 1 if do == "check" else None
    where = {"open": opened or None, "focus": focus or None, "check": check, "_anchor": anchor}
    return redirect(url_for("survey.edit", survey_id=survey.id, **where), 303)  # type: ignore[arg-type]


def _focus(do: str, opened: str) -> str:
    """Return what is focused once the page is there again: where the keyboard was, or what is to be filled in next."""
    if do.partition(":")[0] in ("up", "down", "rule"):
        return do
    if do == "add":
        return f"text:{opened}"
    return f"kind:{opened}" if opened and not do else ""


def _keep(survey: Survey, draft: drafting.Draft) -> dict[str, str]:
    """Save each setting by itself, so that one that cannot be used loses no other; returns sentences by field."""
    errors: dict[str, str] = {}
    for name, read in _READ.items():
        try:
            value = read(survey, draft)
            if value != getattr(survey, name):
                surveys.save(survey, **{name: value})
        except Refused as refused:
            errors[refused.field or name] = sentence(refused.code, **refused.params)
    return errors


def _way(survey: Survey) -> str:
    """Return how people come to be asked, as the select of the form holds it."""
    if survey.trigger:
        return f"{ON}{survey.trigger['event']}"
    return BY_KEYWORD if survey.keyword else BY_HAND


def _keyword(survey: Survey, draft: drafting.Draft) -> str:
    word, way = request.form.get("keyword", ""), request.form.get("trigger")
    if way == BY_KEYWORD and not word.strip():
        raise Refused("keyword", "empty")
    # A form that does not ask for the way in keeps the word that it holds.
    return word if way in (None, BY_KEYWORD) else ""


def _trigger(survey: Survey, draft: drafting.Draft) -> dict[str, Any] | None:
    way = request.form.get("trigger")
    if way is None:
        return survey.trigger  # type: ignore[no-any-return]
    if not way.startswith(ON):
        return None
    event = way.removeprefix(ON)
    if event not in occasions() and way != _way(survey):
        raise Refused("trigger", "unknown_event")
    days = _whole("trigger_days", surveys.MOST_DAYS)
    return {"event": event, "days": days, "time": request.form.get("trigger_time", "").strip()}


def _whole(name: str, most: int) -> int:
    """Return the whole number of a field, 0 where it is empty; raises Refused at the field."""
    text = request.form.get(name, "").strip()
    if text and not (text.isascii() and text.isdigit() and len(text) < 9):
        raise Refused(name, "bad_number", least=0, most=most)
    return int(text or 0)


def _quota(survey: Survey, draft: drafting.Draft) -> int:
    return _whole("quota", surveys.LARGEST_QUOTA)


def _ends_at(survey: Survey, draft: drafting.Draft) -> datetime | None:
    text, zone = request.form.get("ends_at", "").strip(), survey.account.zone
    if survey.ends_at is not None and text == for_input(survey.ends_at, zone):
        return survey.ends_at  # type: ignore[no-any-return]
    return wallclock.read(text, zone, "ends_at") if text else None


_READ: dict[str, Any] = {
    "draft": lambda survey, draft: flow.dump(flow.read(draft)),
    "name": lambda survey, draft: request.form.get("name", ""),
    "sender": lambda survey, draft: request.form.get("sender", ""),
    "trigger": _trigger,
    "keyword": _keyword,
    "quota": _quota,
    "ends_at": _ends_at,
}


def page(
    survey: Survey,
    errors: dict[str, str] | None = None,
    *,
    checked: bool = False,
    typed: dict[str, str] | None = None,
    replies: list[str] | None = None,
    focus: str = "",
    status: int = 200,
) -> ResponseReturnValue:
    """Render the form; `typed` holds what could not be saved, `replies` what was tried out on the phone."""
    facts = _facts(survey, errors or {}, checked, replies or [])
    opened = request.args.get("open", "")
    zone = survey.account.zone
    values = {
        "name": survey.name, "sender": survey.sender, "keyword": survey.keyword.upper(), "quota": survey.quota or "",
        "ends_at": for_input(survey.ends_at, zone) if survey.ends_at else "",
        "trigger": _way(survey), "trigger_days": (survey.trigger or {}).get("days", USUAL_DAYS),
        "trigger_time": (survey.trigger or {"time": USUAL_TIME})["time"],
        **{k: v for k, v in (typed or {}).items() if k in _to_show_again(errors or {})},
    }  # fmt: skip
    senders = [c for c in routing.senders(current_user.account) if not c.value or c.kind == "virtual"]
    return render_template(
        "survey/edit.html", **facts, opened=opened, values=values, senders=senders, focus=focus, HOURS=HOURS,
        ways=_ways(survey),
    ), status  # fmt: skip


def _ways(survey: Survey) -> list[tuple[str, str]]:
    """Return how people can come to be asked: value and words of each."""
    events = [(f"{ON}{each.kind}", _(each.words)) for each in occasions().values()]
    found = [(BY_HAND, _("By hand")), (BY_KEYWORD, _("By keyword")), *events]
    gone = _way(survey)
    return found if gone in dict(found) else [*found, (gone, gone.removeprefix(ON))]


def _to_show_again(errors: dict[str, str]) -> set[str]:
    """Return the fields that show what was typed: those that could not be kept, with those they belong to."""
    return {*errors, *(OF_TRIGGER if not errors.keys().isdisjoint(OF_TRIGGER) else ())}


def _facts(survey: Survey, errors: dict[str, str], checked: bool, replies: list[str]) -> dict[str, Any]:
    draft = flow.read(survey.draft)
    found, cost = checking.problems(draft), checking.cost(draft, survey.account.locale)
    said = [(p.question, p.field, sentence(p.code, **p.params)) for p in found]
    by_field: dict[tuple[str, str], str] = {}
    for key, name, words in said:
        by_field.setdefault((key, name), words)
    doubts = [(p.question, p.field, sentence(p.code, **p.params)) for p in enrolling.doubts(survey)]
    return {
        "survey": survey,
        "draft": draft,
        "doubts": doubts,
        "problems": said,
        "numbers": {q.key: n for n, q in enumerate(draft.questions, 1)},
        "wrong": by_field if checked else {},
        "checked": checked,
        "errors": errors,
        "cost": cost,
        "price": prices.about(survey.account, cost.parts),
        "meters": {q.key: _measured(survey, q.text) for q in draft.questions},
        "closing_meter": _measured(survey, draft.closing),
        "why": {q.key: reasons(draft, q) for q in draft.questions},
        "answers": {q.key: offered(survey, q) for q in draft.questions},
        "phone": _played(survey, draft, replies),
        "saved_at": now(),
        "brought": _brought(survey),
    }


def _brought(survey: Survey) -> tuple[str, ...]:
    """Return the placeholders for which the survey's event brings values."""
    kind = occasions().get((survey.trigger or {}).get("event", ""))
    return kind.fields[:MOST_CHIPS] if kind else ()


def _measured(survey: Survey, text: str) -> Meter:
    """Measure a text; placeholders count as they are written, as nobody is there yet to fill them."""
    as_written = {name: f"{{{name}}}" for name in placeholders.names(text)}
    return meter(survey.account, text, None, "sms", as_written)


def offered(survey: Survey, question: Question) -> list[tuple[str, str]]:
    """Return every value an answer can have with its words, for the rules of a question."""
    locale = survey.account.locale
    return [(value, flow.words.shown(question, value, locale)) for value in checking.answers_of(question)]


def reasons(draft: Flow, question: Question) -> list[str]:
    """Return after which answers alone a question is asked: the thread line leaves the straight way there.

    Nothing where the straight way leads to it too.
    """
    if not checking.is_by_the_way(draft, question):
        return []
    found = []
    for other in draft.questions:
        for rule in other.branches:
            if rule.to == question.key:
                found.append(f"{other.title}: {_answers_in_words(other, rule)}")
    return found


def _answers_in_words(question: Question, rule: Branch) -> str:
    """Return for which answers a rule counts: 4 or 5; Internet; 10 – 20."""
    scale, locale = question.type == "scale", current_user.locale or "de"
    answers = [a if scale else flow.words.shown(question, a, locale) for a in rule.answers]
    bounds = [flow.words.shown(question, b, locale) for b in (rule.least, rule.most) if b]
    return _(" or ").join([*answers, " – ".join(bounds)] if bounds else answers)


def _played(survey: Survey, draft: Flow, replies: list[str]) -> dict[str, Any]:
    account = survey.account
    today = moments.day_of(now(), account.zone)
    played = flow.play(draft, replies, account.locale, today)
    example = {"praxis": account.name, "account": account.name, "name": _("Mrs Example")}
    example |= {name: name for name in _brought(survey)}
    lines = [(who, placeholders.fill(text, example).text) for who, text in played.lines]
    meant = [
        (
            q.title,
            flow.words.shown(q, flow.value_text(a.value) if a.outcome == "value" else None, account.locale),
        )
        for q in draft.questions
        if (a := played.answers.get(q.key)) is not None
    ]
    return {
        "lines": lines, "state": played.state.phase, "replies": replies, "meant": meant, "who": example["name"],
        "clock": clock(now(), account.zone),
    }  # fmt: skip


def _replies() -> list[str]:
    """Return what was answered on the phone of the page so far."""
    given = [*request.form.getlist("replies"), request.form.get("reply", "")]
    return [r[:LONGEST_REPLY] for r in given if r.strip()][-MOST_REPLIES:]


@blueprint.post("/<int:survey_id>/preview")
@requires("owner")
def preview(survey_id: int) -> ResponseReturnValue:
    """Play the survey on the phone of the page with the replies so far: the very flow that will run, nothing is sent."""
    survey = mine(survey_id)
    replies = [] if "again" in request.form else _replies()
    if request.headers.get("HX-Request"):
        return render_template(
            "survey/_phone.html",
            survey=survey,
            phone=_played(survey, flow.read(survey.draft), replies),
            fresh=True,
        )
    return page(survey, replies=replies)


@blueprint.post("/<int:survey_id>/try")
@requires("owner")
def try_out(survey_id: int) -> ResponseReturnValue:
    """Send the survey to one's own phone; it counts nowhere."""
    survey = mine(survey_id)
    number = request.form.get("number", "")
    try:
        run = enrolling.try_out(survey, number, current_user)
    except surveys.Unfinished:
        return redirect(url_for("survey.edit", survey_id=survey.id, check=1, _anchor="problems"), 303)
    except Refused as refused:
        name = "number" if refused.field in ("number", "sender") else refused.field
        return page(
            survey, {name: sentence(refused.code, **refused.params)}, typed={"number": number}, status=422
        )
    words = _("The test goes to %(number)s. It does not count.", number=run.number)
    return done(words, "survey.edit", survey_id=survey.id)
