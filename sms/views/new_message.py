"""The page of a new message: what is understood of its recipient, what it costs, what is wrong beside its field."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_login import current_user

from sms import contacts, routing, sending, wallclock
from sms.gsm import msisdn
from sms.models import Account, Contact
from sms.refusal import Refused
from sms.views.composer import Choice, Composer, Filled, filled_templates, meter, sender_choices, soonest
from sms.views.inbox import listing, newest_change, words
from sms.views.thread_parts import is_fragment, vary
from sms.wording import sentence

blueprint = Blueprint("new_message", __name__)

SHORTEST_NUMBER = 6
"""Digits from which a part of what was typed is taken for a number of its own."""


@dataclass(frozen=True)
class Hint:
    """What is understood of a typed number: kind, country and channel, or why it cannot be used."""

    icon: str
    words: str
    wrong: bool = False


@dataclass
class NewMessage:
    """The form of a new message with what is wrong in it."""

    to: str = ""
    text: str = ""
    sender: str = ""
    channel: str = ""
    at: str = ""
    errors: dict[str, str] = field(default_factory=dict)
    senders: list[Choice] = field(default_factory=list)
    templates: list[Filled] = field(default_factory=list)
    contacts: list[Contact] = field(default_factory=list)
    hint: Hint | None = None


@blueprint.get("/new")
def new() -> ResponseReturnValue:
    """The page of a new message; `to` may be given in the address."""
    return _new_page(NewMessage(to=request.args.get("to", "")[:300]))


def _new_page(form: NewMessage, status: int = 200) -> ResponseReturnValue:
    account = current_user.account
    form.senders = sender_choices(account, "")
    form.sender = form.sender or routing.default_sender(account)
    form.templates = filled_templates(account, {"praxis": account.name})
    form.contacts = contacts.listing(account, "", 200)
    form.hint = number_hint(account, form.to) if form.to.strip() else None
    values = Composer(meter=meter(account, form.text, form.to or None, form.channel))
    facts = {"writing": True, "new": form, "composer": values, "soonest": soonest(account.zone)}
    if is_fragment():
        return vary(render_template("inbox/_new.html", **facts, **words(current_user)), status)
    page = render_template(
        "inbox/page.html",
        title=_("New message"),
        body_class="view-thread view-none",
        since=newest_change(),
        **facts,
        **listing(),
    )
    return vary(page, status)


@blueprint.get("/new/number")
def understood() -> ResponseReturnValue:
    """What is understood of the number or name that is being typed."""
    typed = request.args.get("to", "")[:300]
    form = NewMessage(to=typed, hint=number_hint(current_user.account, typed) if typed.strip() else None)
    return render_template("inbox/_number_hint.html", new=form)


def number_hint(account: Account, typed: str) -> Hint:
    """Say kind, country and channel of a typed number, and whose it is; or why it cannot be used."""
    if _names_several(typed):
        return Hint("circle-x", _("One number at a time, please."), True)
    number = recipient(account, typed)
    if number.e164 is None or number.channel is None:
        if any(c.isalpha() for c in typed):
            return Hint("circle-x", _name_trouble(account, typed), True)
        return Hint("circle-x", sentence(number.error or "invalid"), True)
    known = contacts.find(account, number.e164)
    country = get_locale().territories.get(number.region or "", number.region or "")
    kinds = {"mobile": _("Mobile"), "landline": _("Landline"), "landline_or_mobile": _("Mobile or landline")}
    channel = _("gets a text message") if number.channel == "sms" else _("is called, the text read aloud")
    words = [f"{number.number}", f"{kinds.get(number.kind, _('Internet phone'))}, {country}: {channel}"]
    if known is not None and known.name:
        words.insert(0, known.name)
    return Hint("smartphone" if number.channel == "sms" else "phone", " · ".join(words))


def _names_several(typed: str) -> bool:
    whole = [part for part in re.split(r"[;,\n]", typed) if sum(c.isdigit() for c in part) >= SHORTEST_NUMBER]
    return len(whole) > 1


def _name_trouble(account: Account, typed: str) -> str:
    if len(_named(account, typed)) > 1:
        return _("Several contacts have this name: please choose the number.")
    return _("No contact of this name, and no phone number.")


def _named(account: Account, typed: str) -> list[Contact]:
    wanted = " ".join(typed.split()).casefold()
    return [c for c in contacts.listing(account, typed, 20) if c.name.casefold() == wanted]


def recipient(account: Account, typed: str) -> msisdn.Number:
    """Return the number that was typed, or the one of the only contact of this name."""
    number = msisdn.parse(typed, account.region)
    if number.e164 is not None or not any(c.isalpha() for c in typed):
        return number
    named = _named(account, typed)
    return msisdn.parse(named[0].number, account.region) if len(named) == 1 else number


@blueprint.post("/new/preview")
def new_preview() -> ResponseReturnValue:
    """The meter of a new message."""
    form = request.form
    to = recipient(current_user.account, form.get("to", "")[:300])
    found = meter(current_user.account, form.get("text", ""), to.e164, form.get("channel") or "auto")
    return render_template("inbox/_meter.html", composer=Composer(meter=found))


@blueprint.post("/new")
def send_new() -> ResponseReturnValue:
    """Send a new message and go to its thread; what is wrong is shown beside its field."""
    form = request.form
    typed = NewMessage(
        to=form.get("to", "")[:300], text=form.get("text", ""), sender=form.get("sender", ""),
        channel=form.get("channel", ""), at=form.get("at", ""),
    )  # fmt: skip
    account = current_user.account
    if form.get("template"):
        typed.text = _with_template(account, typed.text, form["template"], {"praxis": account.name})
        return _new_page(typed)
    hint = number_hint(account, typed.to) if typed.to.strip() else None
    if hint is not None and hint.wrong:
        typed.errors = {"to": hint.words}
        return _new_page(typed, 422)
    number = recipient(account, typed.to)
    try:
        send_at = wallclock.read(typed.at, account.zone, "send_at") if typed.at.strip() else None
        message = sending.send(
            account, number.e164 or typed.to, typed.text, sender=typed.sender,
            channel=typed.channel or "auto", send_at=send_at, by=current_user, undo=send_at is None,
        )  # fmt: skip
    except Refused as refused:
        name = refused.field if refused.field in ("to", "text", "sender", "channel", "send_at") else "text"
        typed.errors = {name: sentence(refused.code, **refused.params)}
        return _new_page(typed, 422)
    address = f"/conversations/{message.conversation_id}"
    return ("", 204, {"HX-Redirect": address}) if is_fragment() else redirect(address, 303)


def _with_template(account: Account, text: str, chosen: str, values: Mapping[str, Any]) -> str:
    """Return a text with a template put after it, for pages without script."""
    for template in filled_templates(account, values):
        if str(template.id) == chosen:
            return f"{text.rstrip()} {template.text}".strip()
    return text
