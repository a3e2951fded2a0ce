"""What all pages of the setup share: the blueprint, the menu at the side, and refusals shown at their field."""

from datetime import datetime
from typing import Any, NamedTuple

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_login import current_user
from flask_wtf import FlaskForm

from sms.clock import now
from sms.models.account import ROLES
from sms.refusal import Refused
from sms.views import moments
from sms.wording import N_, sentence

blueprint = Blueprint("settings", __name__, url_prefix="/settings")


class Entry(NamedTuple):
    """A line of the menu: its endpoint, its words, and the role from which on it is seen."""

    endpoint: str
    word: str
    role: str


MENU = (
    Entry("settings.profile", N_("Your profile"), "agent"),
    Entry("settings.account", N_("Account"), "owner"),
    Entry("settings.team", N_("Team"), "owner"),
    Entry("settings.carriers", N_("Carriers"), "operator"),
    Entry("settings.senders", N_("Senders"), "owner"),
    Entry("settings.templates", N_("Templates"), "owner"),
    Entry("settings.labels", N_("Labels"), "owner"),
    Entry("settings.suppressions", N_("Opt-outs"), "owner"),
    Entry("settings.keys", N_("Interface"), "owner"),
)


@blueprint.app_template_global()
def settings_menu() -> list[Entry]:
    """Return the lines of the menu that the signed-in person may follow."""
    return [e for e in MENU if ROLES.index(current_user.role) >= ROLES.index(e.role)]


@blueprint.app_template_filter("day_and_time")
def day_and_time(moment: datetime) -> str:
    """Return a moment as tables show it: 21 Nov, 23:05, with its year where that is another one."""
    zone, locale = current_user.account.zone, get_locale().language
    day, today = (moments.local(at, zone).date() for at in (moment, now()))
    return f"{moments.short_date(day, today, locale)}, {moments.clock(moment, zone)}"


@blueprint.get("")
def start() -> ResponseReturnValue:
    """Go to the first page: the account for who looks after it, else the person's own profile."""
    return redirect(url_for("settings.profile" if current_user.role == "agent" else "settings.account"))


def page(template: str, status: int = 200, /, **facts: Any) -> ResponseReturnValue:
    """Render a page of the setup."""
    return render_template(f"settings/{template}.html", **facts), status


def place(form: FlaskForm, refused: Refused) -> None:
    """Put a refusal's sentence beside the field it names, or beside the first one."""
    field = form[refused.field] if refused.field in form else next(iter(form))
    field.errors = [*field.errors, sentence(refused.code, **refused.params)]


def done(words: str, endpoint: str, anchor: str | None = None) -> ResponseReturnValue:
    """Say what was done and show the page anew, so that a reload does not do it twice."""
    flash(words)
    return redirect(url_for(endpoint, _anchor=anchor), 303)


def saved(endpoint: str) -> ResponseReturnValue:
    """Say that it is saved and show the page anew."""
    return done(_("Saved."), endpoint)
