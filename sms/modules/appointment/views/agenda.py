"""The agenda: a day, or a list over many, live, with what a practice does about each appointment."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlsplit

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_login import current_user

from sms import contacts
from sms.clock import now
from sms.db import from_ms, to_ms
from sms.gsm import msisdn
from sms.models import Account, Conversation
from sms.modules.appointment import agenda, answers, diary, marks, planning, reminding, waiting
from sms.modules.appointment.models import Appointment
from sms.modules.appointment.views import blueprint
from sms.refusal import Conflict, Refused
from sms.views import moments
from sms.views.api import pages
from sms.views.inbox import newest_change
from sms.wording import sentence

FILTERS = ("", "open", "todo")
SHOWN = 200
"""Appointments of a day on one page; the others are a press away."""
LISTED = 50
"""Appointments of the list on one page."""
CHOICES = ("confirmed", "wants_to_move", "declined", "cancelled", "no_show", "attended", "open")
"""States by which the list can be narrowed."""
SETTABLE = ("open", "confirmed", "declined", "no_show", "attended")


@blueprint.get("/")
def show() -> ResponseReturnValue:
    """The agenda of a day, today's by default."""
    return render_template("appointment/agenda.html", since=newest_change(), conversation=None, **_facts())


@blueprint.get("/day")
def day() -> ResponseReturnValue:
    """The day alone, for a live update."""
    return render_template("appointment/_day.html", **_facts())


def _facts() -> dict[str, Any]:
    account, today = current_user.account, _today()
    which, only = _asked_day("day"), request.args.get("show", "")
    only = only if only in FILTERS else ""
    rows = agenda.day(account, which)
    tomorrow = today + timedelta(days=1)
    ahead = rows if which == tomorrow else agenda.day(account, tomorrow)
    chosen = agenda.shown(rows, only)
    first = min(_whole(request.args.get("from", "")), len(chosen))
    visible = chosen[first : first + SHOWN]
    return {
        "day": which, "today": today, "before": which - timedelta(days=1), "after": which + timedelta(days=1),
        "title": moments.day_title(which, today, get_locale().language), "only": only,
        "rows": visible if only else agenda.with_gaps(visible), "sums": _sums(rows),
        "first": first, "behind": len(chosen) - first - len(visible), "page_size": SHOWN,
        "counts": {name: len(agenda.shown(rows, name)) for name in FILTERS},
        "tomorrow": tomorrow, "unconfirmed": sum(agenda.is_to_do(row) for row in ahead),
        "has_any": bool(rows) or _has_any(), "may_set_up": current_user.role != "agent",
        "back": url_for("appointment.show", day=which, show=only or None),
        **_of_rows(visible),
    }  # fmt: skip


def _of_rows(rows: Sequence[agenda.Row]) -> dict[str, Any]:
    """Return what a row of the agenda is drawn with."""
    freed = [row.appointment for row in rows if row.standing.kind in agenda.OVER]
    slots = agenda.slots([one.id for one in freed])
    waits = bool(freed) and agenda.anybody_waits(current_user.account)
    return {
        "mark": marks.MARKS, "counted": marks.COUNTED, "told": _told, "slots": slots,
        "scheme": planning.scheme_for(current_user.account_id),
        "to_be_asked": {one.id: waiting.to_be_asked(one) for one in freed if waits and one.id not in slots},
    }  # fmt: skip


@blueprint.get("/list")
def listing() -> ResponseReturnValue:
    """Appointments over many days in pages, from a day on, all of them or those of one state."""
    facts = _list_facts()
    return render_template("appointment/list.html", since=newest_change(), conversation=None, **facts)


@blueprint.get("/list/rows")
def list_rows() -> ResponseReturnValue:
    """The page of the list alone, for a live update."""
    return render_template("appointment/_list.html", **_list_facts())


def _list_facts() -> dict[str, Any]:
    account, today = current_user.account, _today()
    since, state = _asked_day("since"), request.args.get("state", "")
    state = state if state in CHOICES else ""
    place, backwards = _place()
    found = agenda.stretch(account, agenda.beginning(account, since), state or None, place, backwards, LISTED)
    asked: dict[str, Any] = {"since": since, "state": state or None}
    here = asked | {name: request.args.get(name) for name in ("after", "before")}
    rows = found.rows
    return {
        "since_day": since, "state": state, "states": {name: marks.STATES[name] for name in CHOICES},
        "days": _days(rows, today), "here": here, "today": today, "only": "",
        "later": url_for("appointment.listing", **asked, after=_word(_key(rows[-1]))) if found.later and rows else "",
        "earlier": url_for("appointment.listing", **asked, before=_word(_first(rows, account, since)))
        if found.earlier else "",
        "back": url_for("appointment.listing", **here), "may_set_up": current_user.role != "agent",
        **_of_rows(rows),
    }  # fmt: skip


def _first(rows: Sequence[agenda.Row], account: Account, since: date) -> agenda.Key:
    return _key(rows[0]) if rows else (agenda.beginning(account, since), 0)


def _key(row: agenda.Row) -> agenda.Key:
    return row.appointment.start, row.appointment.id


def _word(key: agenda.Key) -> str:
    return pages.encode("a", to_ms(key[0]), key[1])


def _place() -> tuple[agenda.Key | None, bool]:
    """Return where the list goes on, and whether backwards; raises Refused for a place that is none."""
    backwards = bool(request.args.get("before"))
    key = pages.decode(request.args.get("before") or request.args.get("after"), "a", 2)
    return (None if key is None else (from_ms(key[0]), key[1])), backwards


def _days(rows: Sequence[agenda.Row], today: date) -> list[tuple[str, date, list[agenda.Row]]]:
    """Return the rows of a list by day, each with its title."""
    by_day: dict[date, list[agenda.Row]] = {}
    for row in rows:
        by_day.setdefault(row.local.date(), []).append(row)
    locale = get_locale().language
    return [(moments.day_title(which, today, locale), which, those) for which, those in by_day.items()]


def _has_any() -> bool:
    return bool(Appointment.select().where(Appointment.account == current_user.account_id).exists())


def _today() -> date:
    return moments.local(now(), current_user.account.zone).date()


def _asked_day(name: str) -> date:
    """Return the day of the address; today for what is none, or lies where no calendar goes."""
    try:
        asked = date.fromisoformat(request.values.get(name, "")[:10])
    except ValueError:
        return _today()
    return asked if 1971 <= asked.year <= 9000 else _today()


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0


def _sums(rows: list[agenda.Row]) -> list[tuple[str, int]]:
    """Return how many stand where, in the order of MARKS, those without any left out."""
    kinds = [row.standing.kind for row in rows]
    return [(kind, kinds.count(kind)) for kind in marks.MARKS if kind in kinds]


def _told(row: agenda.Row) -> str:
    """Say since when and how an appointment stands where it does."""
    standing = row.standing
    if standing.kind in ("not_reminded", "was_not_reminded"):
        return marks.why_not(standing.reason)
    if standing.at is None:
        return ""
    when = moments.recent(standing.at, now(), current_user.account.zone, get_locale().language)
    if standing.kind in ("calling", "no_answer", "unreachable"):
        return _("called %(when)s", when=when) if standing.by_call else _("reminded %(when)s", when=when)
    if standing.kind == "call_planned" and msisdn.parse(row.appointment.number).channel == "voice":
        return _("%(when)s, landline", when=when)
    return f"{when}, {_(marks.HOW[standing.reason])}" if standing.reason in marks.HOW else when


@blueprint.app_template_filter("shown_number")
def shown_number(e164: str) -> str:
    """Return a number as tables show it: 0049..."""
    return msisdn.shown(e164) if e164 else ""


@blueprint.post("/<int:appointment_id>/state")
def set_state(appointment_id: int) -> ResponseReturnValue:
    """Note what became of an appointment: confirmed, declined, cancelled, came, did not come, open again, undone."""
    appointment = agenda.find(current_user.account, appointment_id)
    state = request.form.get("state", "")
    if state == "undo":
        # What was said before it was noted whether somebody came.
        state = appointment.answered or "open"
    if state == "cancelled":
        diary.cancel(current_user.account, appointment.reference, "agent", current_user)
    elif state in SETTABLE or (state and state == appointment.answered):
        answers.set_state(appointment, state, "agent", _thread(appointment), current_user)
    else:
        raise Refused("state", "unknown_state")
    return back(appointment)


def _thread(appointment: Appointment) -> Conversation | None:
    threads = contacts.threads(current_user.account, [appointment.number] if appointment.number else [])
    found = threads.get(appointment.number)
    return None if found is None else Conversation.get_by_id(found)


@blueprint.post("/<int:appointment_id>/remind")
def remind(appointment_id: int) -> ResponseReturnValue:
    """Remind of an appointment now, by text or by call."""
    appointment = agenda.find(current_user.account, appointment_id)
    try:
        reminding.remind_now(appointment, request.form.get("by") == "call")
    except (Refused, Conflict) as no:
        flash(sentence(no.code, **no.params), "error")
        return back(appointment)
    flash(_("The reminder goes out."))
    return back(appointment)


@blueprint.post("/<int:appointment_id>/give-again")
def give_again(appointment_id: int) -> ResponseReturnValue:
    """Offer the time that an appointment has left to those who wait for one."""
    appointment = agenda.find(current_user.account, appointment_id)
    try:
        waiting.offer_by_hand(appointment)
    except (Refused, Conflict) as no:
        flash(sentence(no.code, **no.params), "error")
        return back(appointment)
    flash(_("The time is offered to those who wait for one."))
    return back(appointment)


def back(appointment: Appointment) -> ResponseReturnValue:
    """Show the agenda again where somebody was, at the appointment, so that a reload does nothing twice."""
    local = moments.local(appointment.start, current_user.account.zone)
    only = request.form.get("show", "")
    usual = url_for(
        "appointment.show", day=f"{local:%Y-%m-%d}", show=only if only in FILTERS and only else None
    )
    return redirect(f"{_came_from() or usual}#a-{appointment.id}", 303)


def _came_from() -> str:
    """Return the page of the list that a form names; nothing for any other address."""
    path = request.form.get("back", "")[:500]
    try:
        parts = urlsplit(path)
    except ValueError:
        return ""
    ours = not parts.scheme and not parts.netloc and parts.path == url_for("appointment.listing")
    return path.partition("#")[0] if ours else ""
