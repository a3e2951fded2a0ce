"""What agents do with one message: take it back, change it, send it again, read it aloud, ask about it."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_login import current_user

from sms import inbox, sending, unknown, wallclock
from sms import to_check as cases
from sms.models import Message, User
from sms.refusal import Conflict, Refused
from sms.views import bubble, moments, to_check
from sms.views.bubble import render_bubble
from sms.views.composer import soonest
from sms.views.thread_parts import back_to, is_fragment, link_query, message_of, opened, upsert, vary
from sms.wording import sentence

blueprint = Blueprint("message", __name__)


def replaced(message: Message, *also: Message) -> ResponseReturnValue:
    """Answer a write to one message: its bubble as it is now and what came of it, or a redirect to it.

    A button on the page of what is to be checked brings that page back.
    """
    if request.form.get("from") == "to-check":
        return to_check.after_an_act(message)
    if not is_fragment():
        return redirect(f"/conversations/{message.conversation_id}{link_query()}#m-{message.id}", 303)
    fresh = [message_of(m.id) for m in (message, *also)]
    answer = make_response(upsert(inbox.with_calls(fresh)))
    answer.headers["Vary"] = "HX-Request"
    return answer


@blueprint.get("/messages/<int:message_id>")
def one(message_id: int) -> ResponseReturnValue:
    """One bubble, for leaving its edit form; without script its thread."""
    message = inbox.with_calls([message_of(message_id)])[0]
    if not is_fragment():
        return redirect(f"/conversations/{message.conversation_id}#m-{message.id}")
    return render_bubble(message, get_locale().language, current_user.account.zone)


@blueprint.post("/messages/<int:message_id>/cancel")
def cancel(message_id: int) -> ResponseReturnValue:
    """Take back a planned message, or one in its undo window: its text is in the answer field again."""
    message = message_of(message_id)
    undone = message.status == "queued"
    sending.cancel(message, current_user)
    if undone and message.author_id == current_user.id:
        _back_to_draft(message)
    return replaced(message)


def _back_to_draft(message: Message) -> None:
    conversation = opened(message.conversation_id)
    if not inbox.drafts(current_user, conversation).get("reply"):
        inbox.save_draft(current_user, conversation, "reply", message.text)


@blueprint.post("/messages/<int:message_id>/retry")
def retry(message_id: int) -> ResponseReturnValue:
    """Send a message once more that did not get through."""
    return _once_more(message_id, None)


@blueprint.post("/messages/<int:message_id>/voice")
def as_call(message_id: int) -> ResponseReturnValue:
    """Read a message aloud on the telephone that did not get through as a text."""
    return _once_more(message_id, "voice")


def _once_more(message_id: int, channel: str | None) -> ResponseReturnValue:
    message = message_of(message_id)
    made = sending.retry(message, current_user, channel)
    if not is_fragment() or made.id == message.id:
        return replaced(made)
    return replaced(message, made)


def _decided(message_id: int, verb: Callable[[Message, User], object]) -> ResponseReturnValue:
    """Do what the signed-in person has decided about a message."""
    message = message_of(message_id)
    verb(message, current_user)
    return replaced(message)


@blueprint.post("/messages/<int:message_id>/release")
def release(message_id: int) -> ResponseReturnValue:
    """Send a double after all that was held back."""
    return _decided(message_id, sending.release_held)


@blueprint.post("/messages/<int:message_id>/sent")
def mark_sent(message_id: int) -> ResponseReturnValue:
    """Take a person's word that a message with an unknown end was sent."""
    return _decided(message_id, cases.mark_sent)


@blueprint.post("/messages/<int:message_id>/give-up")
def give_up(message_id: int) -> ResponseReturnValue:
    """Leave a message with an unknown end as one that was not sent."""
    return _decided(message_id, cases.give_up)


@blueprint.post("/messages/<int:message_id>/now")
def send_now(message_id: int) -> ResponseReturnValue:
    """Send a planned message at once."""
    return _decided(message_id, sending.send_now)


@blueprint.post("/messages/<int:message_id>/check")
def check(message_id: int) -> ResponseReturnValue:
    """Ask the carrier what became of a message whose sending has an unknown end."""
    message = message_of(message_id)
    if message.status != "unknown" or message.channel != "sms":
        raise Conflict("too_late_to_retry", status=message.status)
    unknown.ask(message)
    return replaced(message)


@blueprint.get("/messages/<int:message_id>/edit")
def edit(message_id: int) -> ResponseReturnValue:
    """The form of a planned message, in its place in the thread."""
    message = message_of(message_id)
    if message.status != "scheduled":
        raise Conflict("too_late_to_edit", status=message.status)
    at = moments.for_input(message.next_at or message.at, current_user.account.zone)
    return _edit_form(message, {"text": message.text, "at": at, "errors": {}})


def _edit_form(message: Message, form: dict[str, Any], status: int = 200) -> ResponseReturnValue:
    facts = {
        "message": message,
        "form": form,
        "seq": bubble.seq(message),
        "soonest": soonest(current_user.account.zone),
    }
    return vary(render_template("inbox/_edit.html" if is_fragment() else "inbox/edit.html", **facts), status)


@blueprint.post("/messages/<int:message_id>/edit")
def change(message_id: int) -> ResponseReturnValue:
    """Change text and time of a planned message."""
    message = message_of(message_id)
    text, at = request.form.get("text", ""), request.form.get("at", "")
    try:
        sending.edit_scheduled(message, text, _new_time(message, at), current_user)
    except Refused as refused:
        field = refused.field if refused.field in ("text", "send_at") else "text"
        errors = {field: sentence(refused.code, **refused.params)}
        return _edit_form(message, {"text": text, "at": at, "errors": errors}, 422)
    if not is_fragment():
        return back_to(message.conversation)
    return one(message_id)


def _new_time(message: Message, at: str) -> datetime | None:
    """Return the chosen time; the field holds whole minutes, so an untouched one means the time as it was."""
    zone = current_user.account.zone
    if not at.strip():
        raise Refused("send_at", "empty")
    if message.next_at is not None and at == moments.for_input(message.next_at, zone):
        return message.next_at  # type: ignore[no-any-return]
    return wallclock.read(at, zone, "send_at")
