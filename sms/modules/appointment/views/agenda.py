"""The agenda: a day of appointments, live, with what a practice does about each."""

from datetime import date, timedelta
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_login import current_user

from sms import contacts
from sms.clock import now
from sms.gsm import msisdn
from sms.models import Conversation
from sms.modules.appointment import agenda, answers, diary, planning, reminding
from sms.modules.appointment.models import Appointment
from sms.modules.appointment.views import blueprint
from sms.modules.appointment.wording import N_
from sms.refusal import Conflict, Refused
from sms.views import moments
from sms.views.inbox import newest_change
from sms.wording import sentence

FILTERS = ("", "open", "todo")
MARKS = {
    "confirmed": ("ok", "calendar-check-2", N_("Confirmed")),
    "declined": ("none", "calendar-x-2", N_("Declined")),
    "cancelled": ("none", "calendar-x-2", N_("Cancelled")),
    "wants_to_move": ("warn", "triangle-alert", N_("Wants another time")),
    "no_show": ("fail", "circle-x", N_("Did not come")),
    "attended": ("ok", "check", N_("Came")),
    "unreachable": ("fail", "circle-x", N_("Cannot be reached")),
    "no_answer": ("none", "circle-dashed", N_("No answer")),
    "planned": ("none", "clock", N_("Reminder planned")),
    "not_reminded": ("warn", "triangle-alert", N_("Will not be reminded")),
}
"""Kind, icon and word of each standing."""
HOW = {
    "reply": N_("by text"),
    "key": N_("in the call"),
    "agent": N_("by the team"),
    "api": N_("by another program"),
    "import": N_("by an import"),
}
WHY_NOT = {
    "no_number": N_("no phone number"),
    "opted_out": N_("has opted out"),
    "too_late": N_("came too late for it"),
    "quiet": N_("falls into the quiet hours"),
    "no_rule": N_("no reminder is set up"),
}
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
    which, only = _asked_day(), request.args.get("show", "")
    only = only if only in FILTERS else ""
    rows = agenda.day(account, which)
    tomorrow = today + timedelta(days=1)
    ahead = rows if which == tomorrow else agenda.day(account, tomorrow)
    return {
        "day": which, "today": today, "before": which - timedelta(days=1), "after": which + timedelta(days=1),
        "title": moments.day_title(which, today, get_locale().language), "only": only,
        "rows": agenda.shown(rows, only), "sums": _sums(rows),
        "counts": {name: len(agenda.shown(rows, name)) for name in FILTERS},
        "tomorrow": tomorrow, "unconfirmed": sum(agenda.is_to_do(row) for row in ahead),
        "mark": MARKS, "told": _told, "scheme": planning.scheme_for(account.id), "has_any": _has_any(),
        "may_set_up": current_user.role != "agent",
    }  # fmt: skip


def _has_any() -> bool:
    return bool(Appointment.select().where(Appointment.account == current_user.account_id).exists())


def _today() -> date:
    return moments.local(now(), current_user.account.zone).date()


def _asked_day() -> date:
    """Return the day of the address; today for what is none, or lies where no calendar goes."""
    try:
        asked = date.fromisoformat(request.values.get("day", "")[:10])
    except ValueError:
        return _today()
    return asked if 1971 <= asked.year <= 9000 else _today()


def _sums(rows: list[agenda.Row]) -> list[tuple[str, int]]:
    """Return how many stand where, in the order of MARKS, those without any left out."""
    kinds = [row.standing.kind for row in rows]
    return [(kind, kinds.count(kind)) for kind in MARKS if kind in kinds]


def _told(row: agenda.Row) -> str:
    """Say since when and how an appointment stands where it does."""
    standing, zone = row.standing, current_user.account.zone
    if standing.kind == "not_reminded":
        return _(WHY_NOT[standing.reason]) if standing.reason in WHY_NOT else sentence(standing.reason)
    if standing.at is None:
        return ""
    when = moments.planned(standing.at, now(), zone, get_locale().language)
    if standing.kind in ("no_answer", "unreachable"):
        return _("called %(when)s", when=when) if standing.by_call else _("reminded %(when)s", when=when)
    if standing.kind == "planned":
        return _("by call, %(when)s", when=when) if standing.by_call else when
    return f"{when}, {_(HOW[standing.reason])}" if standing.reason in HOW else when


@blueprint.app_template_filter("shown_number")
def shown_number(e164: str) -> str:
    """Return a number as tables show it: 0049..."""
    return msisdn.shown(e164) if e164 else ""


@blueprint.post("/<int:appointment_id>/state")
def set_state(appointment_id: int) -> ResponseReturnValue:
    """Note what became of an appointment: confirmed, declined, cancelled, came, did not come, open again."""
    appointment = agenda.find(current_user.account, appointment_id)
    state = request.form.get("state", "")
    if state == "cancelled":
        diary.cancel(current_user.account, appointment.reference, "agent")
    elif state in SETTABLE:
        answers.set_state(appointment, state, "agent", _thread(appointment))
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


def back(appointment: Appointment) -> ResponseReturnValue:
    """Show the day of an appointment again, so that a reload does nothing twice."""
    local = moments.local(appointment.start, current_user.account.zone)
    only = request.form.get("show", "")
    return redirect(
        url_for(
            "appointment.show",
            day=f"{local:%Y-%m-%d}",
            show=only if only in FILTERS and only else None,
            _anchor=f"a-{appointment.id}",
        ),
        303,
    )
