"""A conversation: its thread, what agents do with it and with its messages, and who else is there.

Every write answers a fragment's request with the parts of the page that it changed, and any other with a redirect,
so that the same forms work without script.
"""

from datetime import datetime
from typing import Any

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_login import current_user

from sms import accounts, inbox, sending, wallclock
from sms.models import Conversation, Message
from sms.refusal import Conflict, NotFound, Refused
from sms.views import bubble
from sms.views.composer import (
    chosen_time,
    composer,
    filled_templates,
    numbers_of,
    values_of,
)
from sms.views.thread_parts import (
    back_to,
    changed,
    everything,
    is_fragment,
    is_prefetch,
    link_query,
    list_beside,
    message_of,
    newest_message,
    opened,
    place,
    presence_facts,
    render_panels,
    thread_facts,
    vary,
)
from sms.wording import sentence

blueprint = Blueprint("thread", __name__)


@blueprint.get("/conversations/<int:conversation_id>")
def show(conversation_id: int) -> ResponseReturnValue:
    """A thread: a whole page, or for a click in the list the panes that change.

    A whole page marks it read. A fragment does not, as it may be a preload: its script says so once it is seen.
    """
    conversation = opened(conversation_id)
    facts = everything(conversation)
    if facts["unread"] and not is_fragment() and not is_prefetch():
        inbox.mark_read(current_user, conversation)
    if is_fragment():
        return vary(render_template("inbox/_thread_answer.html", **facts))
    return vary(render_template("inbox/page.html", **facts, **list_beside(conversation, facts["people"])))


@blueprint.get("/conversations/<int:conversation_id>/messages")
def older(conversation_id: int) -> ResponseReturnValue:
    """The page of the thread before a place, to stand above it; a day that goes on has one divider."""
    conversation = opened(conversation_id)
    before = place(request.args.get("before", ""))
    facts = thread_facts(conversation, before)
    zone, locale = current_user.account.zone, get_locale().language
    page = render_template("inbox/_entries.html", **facts)
    last = Message.select().where(Message.conversation == conversation, Message.id == before[1]).first()
    days = [what.id for kind, what in facts["entries"] if kind == "day"]
    if last is not None and days and bubble.day(last, locale, zone).id == days[-1]:
        page += f'<hx-partial hx-target="#{days[-1]}" hx-swap="delete"></hx-partial>'
    return page


@blueprint.get("/conversations/<int:conversation_id>/thread")
def reload(conversation_id: int) -> ResponseReturnValue:
    """The newest page of the thread, for a page that missed too much to be told it one by one."""
    return render_template("inbox/_entries.html", **thread_facts(opened(conversation_id)))


@blueprint.get("/conversations/<int:conversation_id>/panels")
def panels(conversation_id: int) -> ResponseReturnValue:
    """Head, contact and, where it has been locked or unlocked, the answer field: asked for by a live update."""
    conversation = opened(conversation_id)
    return render_panels(conversation, request.args.get("locked", ""), only_field="field" in request.args)


@blueprint.get("/conversations/<int:conversation_id>/presence")
def presence(conversation_id: int) -> ResponseReturnValue:
    """Who else is here, in words."""
    return render_template("inbox/_presence.html", **presence_facts(opened(conversation_id)))


@blueprint.post("/conversations/<int:conversation_id>/presence")
def be_present(conversation_id: int) -> ResponseReturnValue:
    """Note that this agent reads, types, or has left."""
    conversation = opened(conversation_id)
    typing, left = request.form.get("typing") == "1", request.form.get("left") == "1"
    inbox.show_presence(current_user, conversation, typing=typing, reading=not left)
    return "", 204


@blueprint.post("/conversations/<int:conversation_id>/read")
def read(conversation_id: int) -> ResponseReturnValue:
    """Note that this agent has seen everything there is."""
    conversation = opened(conversation_id)
    inbox.mark_read(current_user, conversation)
    return ("", 204) if is_fragment() else back_to(conversation)


@blueprint.post("/conversations/<int:conversation_id>/unread")
def unread(conversation_id: int) -> ResponseReturnValue:
    """Make the newest message unread again and go back to the list."""
    conversation = opened(conversation_id)
    inbox.mark_unread(current_user, conversation)
    if is_fragment():
        return "", 204, {"HX-Trigger": "faden:unread"}
    return redirect(f"/inbox{link_query()}", 303)


@blueprint.post("/conversations/<int:conversation_id>/messages")
def send(conversation_id: int) -> ResponseReturnValue:
    """Send the answer, now or later; what is wrong and who was faster is told above the text, which stays."""
    conversation = opened(conversation_id)
    form = request.form
    if form.get("kind") == "note":
        return note(conversation_id)
    before = newest_message(conversation)
    if _is_gone(conversation, form.get("to", "")):
        return again(conversation, 422, [_("This number has been removed. Please choose another one.")])
    try:
        sending.reply(
            conversation, form.get("text", ""), by=current_user,
            sender=form.get("sender", ""), to=form.get("to", ""),
            channel=form.get("channel") or "auto",
            send_at=chosen_time(form, current_user.account.zone),
            unless_answered=form.get("unless_answered") == "1", seen=_seen_on_page(),
        )  # fmt: skip
    except Refused as refused:
        trigger = "faden:lock" if refused.code == "opted_out" else ""
        return again(conversation, 422, [sentence(refused.code, **refused.params)], trigger=trigger)
    except Conflict as conflict:
        return again(conversation, 409, conflict=conflict)
    inbox.save_draft(current_user, conversation, "reply", "")
    if form.get("then") == "close":
        inbox.set_status(conversation, "closed", current_user)
    return changed(conversation, before, "faden:sent")


def _is_gone(conversation: Conversation, to: str) -> bool:
    """Tell whether this page still offers a number that a colleague has removed from the contact; others are 404."""
    if not to or to in {n.number for n in numbers_of(conversation)}:
        return False
    written = (Message.conversation == conversation) & (Message.theirs == to)
    return bool(Message.select().where(written).exists())


def _seen_on_page() -> int | None:
    """Return the newest message the agent has seen; "send anyway" has seen the colleague's answer too."""
    for name in ("anyway", "seen"):
        text = request.form.get(name, "")
        if text.isascii() and text.isdigit() and len(text) < 16:
            return int(text)
    return None


def again(
    conversation: Conversation,
    status: int,
    errors: list[str] | None = None,
    conflict: Conflict | None = None,
    trigger: str = "",
) -> ResponseReturnValue:
    """Show what stands in the way, with everything that was typed still there."""
    form = request.form
    typed = composer(conversation, current_user, numbers_of(conversation), newest_message(conversation))
    typed.errors = errors or []
    if conflict is not None:
        typed.conflict = _conflict(conversation, conflict)
        if typed.conflict is None:
            typed.errors = [sentence(conflict.code, **conflict.params)]
    if is_fragment():
        answer = render_template("inbox/_composer_errors.html", conversation=conversation, composer=typed)
        return vary(answer, status, trigger)
    typed.reply, typed.note = form.get("text", typed.reply), form.get("note", typed.note)
    typed.kind = "note" if form.get("kind") == "note" else "reply"
    typed.at, typed.channel = form.get("at", ""), form.get("channel", "")
    typed.sender, typed.to = form.get("sender", typed.sender), form.get("to", typed.to)
    typed.unless_answered = form.get("unless_answered") == "1"
    inbox.save_draft(
        current_user, conversation, typed.kind, typed.note if typed.kind == "note" else typed.reply
    )
    page = render_template("inbox/page.html", **everything(conversation, typed), **list_beside(conversation))
    return vary(page, status)


def _conflict(conversation: Conversation, conflict: Conflict) -> dict[str, Any] | None:
    """Return who has answered meanwhile and what, None for any other conflict."""
    if conflict.code != "answered_meanwhile":
        return None
    newest = message_of(int(conflict.params["message"]))
    text = " ".join(newest.text.split())
    name = conflict.params.get("name") or _("A colleague")
    return {"name": name.split()[0] if newest.author_id else name, "text": text, "message": newest.id}


@blueprint.post("/conversations/<int:conversation_id>/notes")
def note(conversation_id: int) -> ResponseReturnValue:
    """Put a private note into the thread."""
    conversation = opened(conversation_id)
    before = newest_message(conversation)
    try:
        sending.add_note(conversation, request.form.get("note", ""), current_user)
    except Refused as refused:
        return again(conversation, 422, [sentence(refused.code, **refused.params)])
    inbox.save_draft(current_user, conversation, "note", "")
    return changed(conversation, before, "faden:noted")


@blueprint.post("/conversations/<int:conversation_id>/draft")
def draft(conversation_id: int) -> ResponseReturnValue:
    """Keep what is typed. Without script this also changes the tab, inserts a template, or drops the draft."""
    conversation = opened(conversation_id)
    form = request.form
    text, noted = form.get("text"), form.get("note")
    if form.get("discard"):
        text = ""
    elif form.get("template") or form.get("placeholder"):
        text = _inserted(conversation, text or "")
    if text is not None:
        inbox.save_draft(current_user, conversation, "reply", text)
    if noted is not None:
        inbox.save_draft(current_user, conversation, "note", noted)
    if is_fragment():
        return "", 204
    tab = "&compose=note" if form.get("switch") == "note" else ""
    query = (link_query() or "?") + tab
    return redirect(f"/conversations/{conversation.id}{query if len(query) > 1 else ''}#composer", 303)


def _inserted(conversation: Conversation, text: str) -> str:
    """Return the text with what was chosen put after it."""
    name = request.form.get("placeholder")
    if name:
        return f"{text.rstrip()} {{{name}}}".strip()
    account = current_user.account
    for template in filled_templates(account, values_of(conversation, account)):
        if str(template.id) == request.form.get("template"):
            return f"{text.rstrip()} {template.text}".strip()
    return text


@blueprint.post("/conversations/<int:conversation_id>/assign")
def assign(conversation_id: int) -> ResponseReturnValue:
    """Give the conversation to a colleague or to nobody."""
    conversation = opened(conversation_id)
    before = newest_message(conversation)
    chosen = request.form.get("assignee", "")
    if chosen and not (chosen.isascii() and chosen.isdigit() and len(chosen) < 16):
        raise NotFound
    assignee = accounts.colleague(current_user.account, int(chosen)) if chosen else None
    inbox.assign(conversation, assignee, current_user)
    return changed(conversation, before)


@blueprint.post("/conversations/<int:conversation_id>/status")
def status(conversation_id: int) -> ResponseReturnValue:
    """Open, close, or set to waiting."""
    conversation = opened(conversation_id)
    before = newest_message(conversation)
    wanted = request.form.get("status", "")
    until = None
    if wanted == "snoozed":
        until = _until()
    inbox.set_status(conversation, wanted, current_user, until)
    return changed(conversation, before)


def _until() -> datetime:
    text = request.form.get("until", "")
    if not text.strip():
        raise Refused("until", "empty")
    return wallclock.read(text, current_user.account.zone, "until")


@blueprint.post("/conversations/<int:conversation_id>/snooze")
def snooze(conversation_id: int) -> ResponseReturnValue:
    """Put the conversation aside until a moment, or until an answer comes."""
    conversation = opened(conversation_id)
    before = newest_message(conversation)
    inbox.set_status(conversation, "snoozed", current_user, _until())
    return changed(conversation, before)


@blueprint.post("/conversations/<int:conversation_id>/labels")
def label(conversation_id: int) -> ResponseReturnValue:
    """Put a label on the conversation or take one off."""
    conversation = opened(conversation_id)
    before = newest_message(conversation)
    off = request.form.get("remove", "")
    if off:
        if not (off.isascii() and off.isdigit() and len(off) < 16):
            raise NotFound
        inbox.remove_label(conversation, int(off), current_user)
    else:
        inbox.add_label(conversation, request.form.get("add", ""), current_user)
    return changed(conversation, before)
