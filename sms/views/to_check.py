"""The page of what a person should look at, live: what it is, to whom, since when, and what happens by itself."""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_login import current_user

from sms import to_check, totals
from sms.clock import now
from sms.gsm import msisdn
from sms.models import Message
from sms.views import moments
from sms.views.bubble import acts_of
from sms.views.inbox import display, newest_change
from sms.views.status_words import Status, status_of

blueprint = Blueprint("to_check", __name__)

PAGE = 50


@dataclass(frozen=True)
class Item:
    """One message to check, in words."""

    id: int
    conversation: int
    name: str
    number: str
    text: str
    status: Status
    since: str
    iso: str
    itself: str
    acts: tuple[str, ...]
    is_call: bool


@blueprint.get("/to-check")
def show() -> ResponseReturnValue:
    """The whole page."""
    since = newest_change()
    return render_template("inbox/to_check.html", since=since, conversation=None, **listing())


@blueprint.get("/to-check/list")
def refresh() -> ResponseReturnValue:
    """Its list alone, for a live update and as the answer to a button on it."""
    return render_template("inbox/_to_check.html", **listing())


def after_an_act(message: Message) -> ResponseReturnValue:
    """Answer a button of this page: what it did, and the list as it is now or the way back to it."""
    did = _did(Message.get_by_id(message.id))
    if not request.headers.get("HX-Request"):
        flash(did)
        return redirect("/to-check", 303)
    return render_template("inbox/_to_check.html", did=did, **listing())


def _did(message: Message) -> str:
    """Say how a message stands after a button; what was asked about and is not there has gone out again."""
    asked = request.endpoint == "message.check"
    if asked and message.status in ("queued", "sending"):
        return _("The carrier does not know the message, so it is sent now.")
    if asked and message.status in ("failed", "undelivered"):
        return _("The message did not get through.")
    return {
        "queued": _("The message is sent again."),
        "sending": _("The message is sent again."),
        "sent": _("The message counts as sent."),
        "delivered": _("The message has arrived."),
        "unknown": _("The carrier cannot say yet."),
    }.get(message.status, _("The message is discarded."))


def listing() -> dict[str, Any]:
    """Return what the page shows: one page of items, oldest first, and where the next begins."""
    after = request.args.get("after", "")
    from_id = int(after) if after.isascii() and after.isdigit() and len(after) < 16 else 0
    found = to_check.cases(current_user.account_id, from_id, PAGE + 1)
    return {
        "items": [_item(case) for case in found[:PAGE]],
        "after": from_id,
        "more": found[PAGE - 1].message.id if len(found) > PAGE else 0,
        "total": totals.counts(current_user)["check"],
    }


def _item(case: to_check.Case) -> Item:
    message, zone, locale = case.message, current_user.account.zone, get_locale().language
    contact = message.conversation.contact
    return Item(
        id=message.id,
        conversation=message.conversation_id,
        name=contact.name or display(message.theirs),
        number=msisdn.shown(message.theirs) if message.theirs.startswith("+") else message.theirs,
        text=" ".join(message.text.split()),
        status=status_of(message, locale, zone),
        since=moments.planned(case.since, now(), zone, locale),
        iso=moments.local(case.since, zone).isoformat(timespec="seconds"),
        itself=_by_itself(case, zone, locale),
        acts=acts_of(message),
        is_call=message.channel == "voice",
    )


def _by_itself(case: to_check.Case, zone: str, locale: str) -> str:
    """Say what happens where nobody does anything."""
    if case.held:
        return _("It stays here until somebody decides.")
    if case.asked_at is None:
        return _("The carrier is not asked again. A delivery report would still settle it.")
    time = moments.planned(max(case.asked_at, now()), now(), zone, locale)
    return _("The carrier is asked again, %(time)s. A delivery report would settle it too.", time=time)
