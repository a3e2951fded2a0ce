"""The form of one appointment: put into the diary by hand, moved, changed."""

import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from zoneinfo import ZoneInfo

from flask import flash, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from sms import contacts, wallclock
from sms.clock import now
from sms.gsm import msisdn
from sms.models import Account
from sms.modules.appointment import agenda, diary
from sms.modules.appointment.found import LONGEST_TITLE, Found, one_line
from sms.modules.appointment.models import Appointment
from sms.modules.appointment.views import blueprint
from sms.modules.appointment.views.agenda import back
from sms.refusal import Refused
from sms.views import moments
from sms.wording import sentence

LONGEST_MINUTES = 24 * 60


@dataclass
class Typed:
    """What stands in the form, with what is wrong in it by field."""

    name: str = ""
    number: str = ""
    start: str = ""
    minutes: str = "30"
    title: str = ""
    errors: dict[str, str] = field(default_factory=dict)


@blueprint.get("/new")
def new() -> ResponseReturnValue:
    """The empty form; number and day may be given in the address, or an appointment whose time is free again."""
    if freed := request.args.get("instead", type=int):
        return _page(_instead(agenda.find(current_user.account, freed)))
    day = request.args.get("day", "")[:10]
    start = f"{day}T09:00" if day else ""
    return _page(Typed(number=request.args.get("number", "")[:40], start=start))


def _instead(freed: Appointment) -> Typed:
    """Return the form for somebody else at the time that an appointment has left."""
    return Typed(start=moments.for_input(freed.start, freed.zone), minutes=_minutes_of(freed))


def _minutes_of(there: Appointment) -> str:
    return "" if there.end is None else str(int((there.end - there.start).total_seconds() // 60))


@blueprint.post("/new")
def add() -> ResponseReturnValue:
    """Put an appointment into the diary."""
    return _save(None)


@blueprint.get("/<int:appointment_id>")
def edit(appointment_id: int) -> ResponseReturnValue:
    """The form of one appointment."""
    there = agenda.find(current_user.account, appointment_id)
    known = contacts.filling(current_user.account, [there.number] if there.number else [])
    return _page(
        Typed(
            name=(known.get(there.number) or {}).get("name") or "",
            number=msisdn.display(there.number) if there.number else "",
            start=moments.for_input(there.start, there.zone),
            minutes=_minutes_of(there),
            title=there.title,
        ),
        there,
    )


@blueprint.post("/<int:appointment_id>")
def change(appointment_id: int) -> ResponseReturnValue:
    """Change or move an appointment."""
    return _save(agenda.find(current_user.account, appointment_id))


def _page(typed: Typed, there: Appointment | None = None, status: int = 200) -> ResponseReturnValue:
    return render_template("appointment/form.html", typed=typed, there=there), status


def _save(there: Appointment | None) -> ResponseReturnValue:
    form, account = request.form, current_user.account
    name, number, start, minutes, title = (
        form.get(name, "")[:300] for name in ("name", "number", "start", "minutes", "title")
    )
    typed = Typed(name, number, start, minutes, title)
    found = _read(account, typed, there)
    if found is None:
        return _page(typed, there, 422)
    if found.number:
        contacts.find_or_add(account, found.number, one_line(typed.name)[: contacts.LONGEST_NAME], "closed")
    appointment, new = diary.put(account, found, "form", current_user)
    said = _("The appointment is in the diary.") if new else _("The appointment is changed.")
    flash(said if found.start > now() else f"{said} {_('It is in the past: nobody is reminded of it.')}")
    return back(appointment)


def _read(account: Account, typed: Typed, there: Appointment | None) -> Found | None:
    """Return what the form says; None where something is wrong, which then stands in `typed.errors`."""
    zone = ZoneInfo(there.zone if there else account.zone)
    start = end = number = None
    try:
        if not typed.start.strip():
            raise Refused("start", "empty")
        start = wallclock.read(typed.start, zone.key, "start")
        end = start + timedelta(minutes=length) if (length := _minutes(typed.minutes)) else None
    except Refused as no:
        typed.errors[no.field] = sentence(no.code, **no.params)
    try:
        if not typed.number.strip():
            raise Refused("number", "empty")
        number = diary.checked_number(account, typed.number)
    except Refused as no:
        typed.errors["number"] = sentence(no.code, **no.params)
    if len(typed.title.strip()) > LONGEST_TITLE:
        typed.errors["title"] = sentence("too_long", limit=LONGEST_TITLE)
    if typed.errors or start is None:
        return None
    reference = there.reference if there else f"f-{secrets.token_hex(8)}"
    fields = dict(there.fields or {}) if there else {}
    return Found(reference, start, zone, number, typed.title, end, fields=fields)


def _minutes(text: str) -> int:
    if not text.strip():
        return 0
    if not (text.strip().isascii() and text.strip().isdigit() and 0 < int(text) <= LONGEST_MINUTES):
        raise Refused("minutes", "bad_minutes")
    return int(text)
