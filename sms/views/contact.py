"""The contact beside a thread: name, own fields, numbers, block and erasure."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from sms import contacts, suppression
from sms.models import Conversation
from sms.refusal import Refused
from sms.views.composer import numbers_of
from sms.views.gate import requires
from sms.views.inbox import listing, words
from sms.views.thread_parts import (
    changed,
    contact_facts,
    everything,
    head_facts,
    is_fragment,
    newest_message,
    opened,
    render_panels,
)
from sms.wording import sentence

blueprint = Blueprint("contact", __name__)

EMPTY_FIELDS = 2
"""How many empty lines the form offers for further details."""


@blueprint.get("/conversations/<int:conversation_id>/contact")
def show(conversation_id: int) -> ResponseReturnValue:
    """The pane as it is, for leaving its form."""
    conversation = opened(conversation_id)
    return _pane(conversation)


def _pane(conversation: Conversation) -> str:
    return render_template("inbox/_contact.html", **head_facts(conversation) | contact_facts(conversation))


@blueprint.get("/conversations/<int:conversation_id>/contact/edit")
def edit(conversation_id: int) -> ResponseReturnValue:
    """The form of a contact."""
    conversation = opened(conversation_id)
    contact = conversation.contact
    fields = list((contact.fields or {}).items())
    return _form(conversation, {"name": contact.name, "fields": fields, "number": "", "errors": {}})


def _form(conversation: Conversation, form: dict[str, Any], status: int = 200) -> ResponseReturnValue:
    form["fields"] = [*form["fields"], *[("", "")] * EMPTY_FIELDS]
    facts = {"form": form, **contact_facts(conversation)}
    if is_fragment():
        return render_template("inbox/_contact_form.html", **head_facts(conversation) | facts), status
    page = everything(conversation) | facts | {"body_class": "view-contact", "editing": True}
    beside = {
        k: v for k, v in listing().items() if k not in ("colleagues", "all_labels", *words(current_user))
    }
    return render_template("inbox/page.html", **page | beside | {"current": conversation.id}), status


@blueprint.post("/conversations/<int:conversation_id>/contact")
def save(conversation_id: int) -> ResponseReturnValue:
    """Keep name, own fields and a further number; what is wrong is told at its field."""
    conversation = opened(conversation_id)
    contact = conversation.contact
    form = request.form
    if form.get("remove"):
        contacts.remove_number(contact, form["remove"], current_user)
        return _after(conversation, editing=True)
    pairs = [(k.strip(), v.strip()) for k, v in zip(form.getlist("key"), form.getlist("value"), strict=False)]
    name, number = form.get("name", ""), form.get("number", "")
    try:
        contacts.save(contact, name, {k: v for k, v in pairs if v}, current_user)
        if number.strip():
            contacts.add_number(contact, number, current_user)
    except Refused as refused:
        field = refused.field if refused.field in ("name", "fields", "number") else "fields"
        errors = {field: sentence(refused.code, **refused.params)}
        fields = [p for p in pairs if any(p)]
        return _form(conversation, {"name": name, "fields": fields, "number": number, "errors": errors}, 422)
    return _after(conversation)


def _after(conversation: Conversation, editing: bool = False) -> ResponseReturnValue:
    if not is_fragment():
        tail = "/contact/edit" if editing else "?panel=contact"
        return redirect(f"/conversations/{conversation.id}{tail}", 303)
    fresh = opened(conversation.id)
    if editing:
        return edit(conversation.id)
    return _pane(fresh) + render_panels(fresh, beside_contact=True)


@blueprint.post("/conversations/<int:conversation_id>/block")
def block(conversation_id: int) -> ResponseReturnValue:
    """Block every number of the contact: nothing is sent or called any more."""
    conversation = opened(conversation_id)
    before = newest_message(conversation)
    for number in numbers_of(conversation):
        suppression.suppress(conversation.account, number.number, "agent", by=current_user)
    return changed(conversation, before, "faden:lock")


@blueprint.post("/conversations/<int:conversation_id>/unblock")
def unblock(conversation_id: int) -> ResponseReturnValue:
    """Allow the contact's numbers again, because consent was given anew."""
    conversation = opened(conversation_id)
    before = newest_message(conversation)
    for number in numbers_of(conversation):
        suppression.unsuppress(conversation.account, number.number, "agent", by=current_user)
    return changed(conversation, before, "faden:lock")


@blueprint.post("/conversations/<int:conversation_id>/erase")
@requires("owner")
def erase(conversation_id: int) -> ResponseReturnValue:
    """Erase the person with the whole thread; the block, where there is one, stays."""
    conversation = opened(conversation_id)
    if request.form.get("sure") != "1":
        errors = {"sure": _("Please confirm that everything is to be erased.")}
        contact = conversation.contact
        fields = list((contact.fields or {}).items())
        return _form(
            conversation, {"name": contact.name, "fields": fields, "number": "", "errors": errors}, 422
        )
    contacts.erase(conversation.contact, current_user)
    flash(_("The person and the conversation are erased."))
    return redirect("/inbox", 303)
