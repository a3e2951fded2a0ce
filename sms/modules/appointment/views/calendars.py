"""Calendars by address: those that are read, and the one that is given out."""

from dataclasses import dataclass, field
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale, ngettext
from flask_babel import gettext as _
from flask_login import current_user

from sms import exchange, outside
from sms.clock import now
from sms.modules.appointment import feed, subscribing
from sms.modules.appointment.models import Calendar
from sms.modules.appointment.views import blueprint
from sms.refusal import Conflict, Refused
from sms.views import moments
from sms.views.gate import requires
from sms.views.inbox import newest_change
from sms.wording import NUMBERS, sentence


@dataclass
class Typed:
    """What stands in the form of a calendar, with what is wrong in it by field."""

    name: str = ""
    address: str = ""
    errors: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Shown:
    """A calendar as the page shows it: its standing as (kind, icon, sentence), and what follows from it."""

    row: Calendar
    address: str
    standing: tuple[str, str, str]
    more: str


@blueprint.get("/calendars")
@requires("owner")
def show_calendars() -> ResponseReturnValue:
    """The calendars that are read, a form for another one, and the address of the one that is given out."""
    return _page(Typed())


def _page(typed: Typed, status: int = 200) -> ResponseReturnValue:
    given = feed.of_account(current_user.account)
    return render_template(
        "appointment/calendars.html",
        typed=typed, given=given, given_address=_given_address(), since=newest_change(), conversation=None, **_facts(),
    ), status  # fmt: skip


def _facts() -> dict[str, Any]:
    return {"calendars": [_shown(row) for row in subscribing.of_account(current_user.account)]}


def _given_address() -> str:
    given = feed.of_account(current_user.account)
    path = "" if given is None else url_for("appointment.give_out", token=feed.token(given))
    return path and exchange.current().public_url + path


@blueprint.get("/calendars/list")
@requires("owner")
def list_calendars() -> ResponseReturnValue:
    """The calendars alone, for a live update."""
    return render_template("appointment/_calendars.html", **_facts())


def _shown(row: Calendar) -> Shown:
    moment, locale, zone = now(), get_locale().language, current_user.account.zone

    def when(at: Any) -> str:
        return moments.planned(at, moment, zone, locale)

    again = _("Read again: %(when)s.", when=when(row.next_at))
    last = _("Last read: %(when)s.", when=when(row.good_at)) if row.good_at else _("Not read yet.")
    address = outside.shown(row.address)
    if row.claimed_until is not None and row.claimed_until > moment:
        return Shown(row, address, ("live", "loader-circle", _("Is being read")), last)
    if row.fault:
        words = sentence(row.fault, **(row.facts or {}))
        since = _("Since %(when)s.", when=when(row.failing_since))
        return Shown(row, address, ("fail", "circle-x", words), f"{since} {last} {again}")
    if row.doubted:
        words = ngettext(
            "%(num)d appointment is missing all at once", "%(num)d appointments are missing all at once", row.doubted
        )  # fmt: skip
        more = _("If the next reading says so too, they are called off. Until then nothing changes.")
        return Shown(row, address, ("warn", "triangle-alert", words), f"{more} {again}")
    if row.good_at is None:
        return Shown(row, address, ("plan", "clock", _("Will be read in a moment")), "")
    return Shown(row, address, ("ok", "check", _("Is up to date")), f"{last} {again}")


@blueprint.post("/calendars")
@requires("owner")
def add_calendar() -> ResponseReturnValue:
    """Read a calendar from now on."""
    typed = _typed()
    try:
        subscribing.read_soon(subscribing.add(current_user.account, typed.name, typed.address))
    except (Refused, Conflict) as no:
        typed.errors[getattr(no, "field", "address")] = sentence(no.code, **no.params)
        return _page(typed, 422)
    flash(_("The calendar is read now, and then every quarter of an hour."))
    return redirect(url_for("appointment.show_calendars"), 303)


def _typed() -> Typed:
    return Typed(request.form.get("name", "")[:300], request.form.get("address", "")[:3000])


@blueprint.get("/calendars/<int:calendar_id>")
@requires("owner")
def show_calendar(calendar_id: int) -> ResponseReturnValue:
    """One calendar: what its last readings have brought, what is wrong in it, its name, its end."""
    row = subscribing.find(current_user.account, calendar_id)
    return _calendar_page(row, Typed(row.name))


def _calendar_page(row: Calendar, typed: Typed, status: int = 200) -> ResponseReturnValue:
    mistakes = [
        (what, sentence(code, **params), code == "without_number" or code in NUMBERS)
        for what, code, params in row.mistakes
    ]
    return render_template(
        "appointment/calendar.html",
        shown=_shown(row), typed=typed, mistakes=mistakes, more=row.mistaken - len(mistakes),
        coming=subscribing.coming(row),
    ), status  # fmt: skip


@blueprint.post("/calendars/<int:calendar_id>")
@requires("owner")
def change_calendar(calendar_id: int) -> ResponseReturnValue:
    """Give a calendar another name or address."""
    row, typed = subscribing.find(current_user.account, calendar_id), _typed()
    try:
        subscribing.change(row, typed.name, typed.address)
    except Refused as no:
        typed.errors[no.field] = sentence(no.code, **no.params)
        return _calendar_page(row, typed, 422)
    flash(_("The calendar is changed."))
    return redirect(url_for("appointment.show_calendars"), 303)


@blueprint.post("/calendars/<int:calendar_id>/read")
@requires("owner")
def read_calendar(calendar_id: int) -> ResponseReturnValue:
    """Read a calendar now."""
    subscribing.read_soon(subscribing.find(current_user.account, calendar_id))
    flash(_("The calendar is read now."))
    return redirect(url_for("appointment.show_calendars"), 303)


@blueprint.post("/calendars/<int:calendar_id>/remove")
@requires("owner")
def remove_calendar(calendar_id: int) -> ResponseReturnValue:
    """Read a calendar no more, and do with its appointments what was chosen."""
    off = subscribing.remove(
        subscribing.find(current_user.account, calendar_id), keep=request.form.get("appointments") != "off"
    )
    said = ngettext("%(num)d appointment is called off.", "%(num)d appointments are called off.", off)
    flash(_("The calendar is removed.") + (f" {said}" if off else ""))
    return redirect(url_for("appointment.show_calendars"), 303)


@blueprint.post("/feed")
@requires("owner")
def make_feed() -> ResponseReturnValue:
    """Give the calendar out at a new secret address; the last one ends."""
    feed.make_new(current_user.account)
    flash(_("The calendar has a new address."))
    return redirect(url_for("appointment.show_calendars", _anchor="out"), 303)


@blueprint.post("/feed/end")
@requires("owner")
def end_feed() -> ResponseReturnValue:
    """Give the calendar out no more."""
    feed.end(current_user.account)
    flash(_("The calendar is given out no more."))
    return redirect(url_for("appointment.show_calendars", _anchor="out"), 303)
