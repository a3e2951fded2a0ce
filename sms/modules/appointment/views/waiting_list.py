"""The waiting list: who would come at a time that becomes free, what was offered, and what came of it."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_date, get_locale
from flask_babel import gettext as _
from flask_login import current_user

from sms import contacts
from sms.clock import now
from sms.modules.appointment import planning, saying, waiting
from sms.modules.appointment.models import Offer, Slot, Waiting
from sms.modules.appointment.views import blueprint
from sms.modules.appointment.wording import N_
from sms.refusal import Refused
from sms.views import moments
from sms.views.gate import requires
from sms.views.inbox import newest_change
from sms.wording import sentence

A_MONDAY = date(2024, 1, 1)
OFFERS = {
    "open": ("none", "clock", N_("asked")),
    "accepted": ("ok", "check", N_("has said yes")),
    "declined": ("none", "x", N_("has said no")),
    "expired": ("none", "circle-dashed", N_("has not answered")),
    "taken": ("none", "circle-dashed", N_("was told that it is taken")),
    "withdrawn": ("none", "x", N_("withdrawn")),
    "failed": ("fail", "circle-x", N_("not reached")),
}
"""Kind, icon and word of what came of an offer."""
SLOTS = {"open": N_("is being offered"), "given": N_("given"), "closed": N_("not offered any more")}
CHOICES = {
    "all": N_("every time that becomes free"),
    "declined": N_("only times that somebody has called off"),
    "never": N_("none, only by hand"),
}


@dataclass
class Typed:
    """What stands in the form, with what is wrong in it by field."""

    number: str = ""
    name: str = ""
    days: list[int] = field(default_factory=list)
    since: str = ""
    until: str = ""
    errors: dict[str, str] = field(default_factory=dict)


@blueprint.get("/waiting")
def waiting_list() -> ResponseReturnValue:
    """Who waits, the form for one more, and the times that have become free."""
    return _page(Typed(number=request.args.get("number", "")[:40]))


@blueprint.get("/waiting/rows")
def waiting_rows() -> ResponseReturnValue:
    """Who waits and what is free, for a live update."""
    return render_template("appointment/_waiting.html", **_facts())


@blueprint.post("/waiting")
def add_waiting() -> ResponseReturnValue:
    """Put somebody on the list."""
    form = request.form
    number, name, since, until = (form.get(key, "")[:300] for key in ("number", "name", "since", "until"))
    days = [int(day) for day in form.getlist("day") if day in list("1234567")]
    typed = Typed(number, name, days, since, until)
    try:
        waiting.add(current_user.account, number, name, days, since, until)
    except Refused as no:
        typed.errors[no.field] = sentence(no.code, **no.params)
        return _page(typed, 422)
    flash(_("On the waiting list."))
    return redirect(url_for("appointment.waiting_list"), 303)


@blueprint.post("/waiting/<int:waiting_id>/remove")
def remove_waiting(waiting_id: int) -> ResponseReturnValue:
    """Take somebody off the list."""
    waiting.remove(current_user.account, waiting_id)
    flash(_("Not on the waiting list any more."))
    return redirect(url_for("appointment.waiting_list"), 303)


@blueprint.post("/waiting/rule")
@requires("owner")
def set_offered() -> ResponseReturnValue:
    """Set which freed times are offered by themselves."""
    waiting.offer_by_itself(current_user.account, request.form.get("offer_freed", ""))
    flash(_("Saved."))
    return redirect(url_for("appointment.waiting_list"), 303)


def _page(typed: Typed, status: int = 200) -> ResponseReturnValue:
    scheme = planning.scheme_for(current_user.account_id)
    may_set_up = current_user.role != "agent" and scheme is not None
    return render_template(
        "appointment/waiting.html", typed=typed, weekdays=_weekdays("EEEE"), choices=CHOICES, since=newest_change(),
        conversation=None, offer_freed=scheme.offer_freed if scheme else "all", may_set_up=may_set_up, **_facts(),
    ), status  # fmt: skip


def _facts() -> dict[str, Any]:
    account = current_user.account
    people, free = waiting.listing(account), waiting.coming(account)
    numbers = {row.number for row in people} | {o.waiting.number for _slot, offers in free for o in offers}
    known = contacts.filling(account, numbers - {""})
    return {
        "people": people, "held": waiting.open_offers(account), "free": free, "threads": contacts.threads(account, numbers),
        "who": lambda row: row.name or (known.get(row.number) or {}).get("name") or "",
        "wish": _wish, "when": _when, "start": _start, "offer_marks": OFFERS, "slot_words": SLOTS,
    }  # fmt: skip


def _weekdays(form: str) -> dict[int, str]:
    return {n: format_date(A_MONDAY.replace(day=n), form) for n in range(1, 8)}


def _wish(row: Waiting) -> str:
    """Say on which days and at what hours somebody would come."""
    short = _weekdays("EEE")
    days = ", ".join(short[day] for day in row.days) or _("any day")
    if row.from_hour and row.until_hour:
        return _("%(days)s, %(since)s to %(until)s", days=days, since=row.from_hour, until=row.until_hour)
    if row.from_hour:
        return _("%(days)s, from %(since)s", days=days, since=row.from_hour)
    return _("%(days)s, before %(until)s", days=days, until=row.until_hour) if row.until_hour else days


def _when(row: Waiting | Offer) -> str:
    account = current_user.account
    return moments.recent(row.created_at, now(), account.zone, get_locale().language)


def _start(slot: Slot) -> str:
    return saying.in_words(slot.start.astimezone(ZoneInfo(current_user.account.zone)), get_locale().language)
