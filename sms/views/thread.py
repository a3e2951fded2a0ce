"""A conversation: its thread, what agents do with it and with its messages, and who else is there.

Every write answers a fragment's request with the parts of the page that it changed, and any other with a redirect,
so that the same forms work without script.
"""

from datetime import datetime
from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_login import current_user
from peewee import JOIN, fn

from sms import accounts, inbox, sending, wallclock
from sms.clock import now
from sms.models import Conversation, Message, User
from sms.modules import Panel, banners
from sms.modules import panels as panels_of
from sms.refusal import Conflict, NotFound, Refused
from sms.views import bubble, moments
from sms.views.bubble import render_bubble, render_day
from sms.views.composer import (
    Composer,
    chosen_time,
    composer,
    filled_templates,
    numbers_of,
    send_times,
    snooze_times,
    soonest,
    values_of,
    ways,
)
from sms.views.event_words import event_words
from sms.views.inbox import People, display, listing, newest_change, words
from sms.wording import sentence

__all__ = ["blueprint", "render_bubble", "render_day"]

blueprint = Blueprint("thread", __name__)

PAGE = 50
PREFETCH = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")
HISTORY = 6


def opened(conversation_id: int) -> Conversation:
    """Return a conversation of the signed-in agent's account; raises NotFound."""
    if conversation_id >= 2**63:
        raise NotFound
    conversation = inbox.open_conversation(current_user.account_id, conversation_id)
    conversation.account = current_user.account  # known already: what asks for it below needs no query
    return conversation


def message_of(message_id: int) -> Message:
    """Return a message of the signed-in agent's account; raises NotFound."""
    if message_id >= 2**63:
        raise NotFound
    return inbox.message_of(current_user.account_id, message_id)


def is_fragment() -> bool:
    """Tell whether a part of the page is asked for; the browser's way back asks for all of it."""
    headers = request.headers
    return bool(headers.get("HX-Request")) and not headers.get("HX-History-Restore-Request")


def is_prefetch() -> bool:
    """Tell whether a browser only fetches in advance; nobody has seen anything then."""
    return any("prefetch" in request.headers.get(name, "").lower() for name in PREFETCH)


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
    return vary(render_template("inbox/page.html", **facts, **_list_beside(conversation, facts["people"])))


def vary(page: str, status: int = 200, trigger: str = "") -> ResponseReturnValue:
    """Answer with a page or a fragment of it, and the named event that goes with a fragment."""
    answer = make_response(page, status)
    answer.headers["Vary"] = "HX-Request"
    if trigger:
        answer.headers["HX-Trigger"] = trigger
    return answer


def _list_beside(conversation: Conversation, people: People | None = None) -> dict[str, Any]:
    shown = listing(current=conversation.id, people=people)
    own = ("colleagues", "all_labels", "link_query", "people", *words(current_user))
    return {k: v for k, v in shown.items() if k not in own}


def everything(conversation: Conversation, form: Composer | None = None) -> dict[str, Any]:
    """Return what the panes of one conversation show, in a fixed number of queries."""
    since, newest = newest_change(), newest_message(conversation)  # before anything else is read
    user = current_user
    numbers = numbers_of(conversation)
    read = inbox.seen(user, conversation)
    return {
        "since": since,
        "title": who(conversation),
        "body_class": "view-contact" if request.args.get("panel") == "contact" else "view-thread",
        "unread": max(0, conversation.incoming - read),
        **thread_facts(conversation, read=read),
        **head_facts(conversation),
        **presence_facts(conversation),
        **contact_facts(conversation, numbers),
        "composer": form or composer(conversation, user, numbers, newest),
    }


def who(conversation: Conversation) -> str:
    """Return what a conversation is called: the contact's name, else the number."""
    contact = conversation.contact
    return str(contact.name or display(contact.number))


def newest_message(conversation: Conversation) -> int:
    """Return the id of the newest message there is: what the agent's page has seen."""
    newest = Message.select(fn.COALESCE(fn.MAX(Message.id), 0)).where(Message.conversation == conversation)
    return int(newest.scalar())


def thread_facts(
    conversation: Conversation, before: tuple[datetime, int] | None = None, read: int | None = None
) -> dict[str, Any]:
    """Return one page of the thread in words and the way to the one before it."""
    zone, locale = current_user.account.zone, get_locale().language
    if before is None and (asked := request.args.get("before")):
        before = place(asked)
    messages = inbox.thread(conversation, before, PAGE)
    new = inbox.first_unread(current_user, conversation, read) if before is None else None
    return {
        "conversation": conversation,
        "entries": bubble.entries(messages, locale, zone, new),
        "older": bubble.seq(messages[0]) if len(messages) == PAGE else "",
    }


def place(text: str) -> tuple[datetime, int]:
    """Read a place in a thread from an address; raises Refused for anything else."""
    try:
        return bubble.read_seq(text)
    except ValueError:
        raise Refused("before", "bad_cursor") from None


def head_facts(conversation: Conversation) -> dict[str, Any]:
    """Return what the head of a thread and its menus show."""
    account = current_user.account
    people, labels = accounts.colleagues(account), inbox.labels_of(conversation)
    return {
        "conversation": conversation,
        "banners": banners(conversation),
        "who": who(conversation),
        "people": People(people, [label for label, _ in labels]),
        "colleagues": [u for u in people if u.active],
        "all_labels": [label for label, _ in labels],
        "labels": [label for label, on in labels if on],
        "snooze_times": snooze_times(account.zone),
        "send_times": send_times(account.zone),
        "soonest": soonest(account.zone),
        "link_query": link_query(),
        **words(current_user),
    }


def link_query() -> str:
    """Carry view, search and filters of the list along; a form brings them as one field."""
    from urllib.parse import parse_qsl, urlencode

    known = ("view", "q", "label", "assignee", "unread")
    given = request.form.get("query") if request.method == "POST" else None
    pairs = parse_qsl((given or "").lstrip("?")) if given is not None else list(request.args.items())
    kept = [(k, v[:200]) for k, v in pairs if k in known and v]
    return "?" + urlencode(kept) if kept else ""


def presence_facts(conversation: Conversation) -> dict[str, Any]:
    """Return who else has the conversation open."""
    present = inbox.present(conversation, current_user)
    said = [
        _("%(name)s is typing", name=p.user.first_name)
        if p.typing
        else _("%(name)s is reading", name=p.user.first_name)
        for p in present
    ]
    return {"present": present, "presence_words": ", ".join(said)}


def contact_facts(conversation: Conversation, numbers: list[Any] | None = None) -> dict[str, Any]:
    """Return what the contact's pane shows."""
    numbers = numbers_of(conversation) if numbers is None else numbers
    return {
        "conversation": conversation,
        "numbers": numbers,
        "beside": [(p, _when(p)) for p in panels_of(conversation, [n.number for n in numbers])],
        "all_blocked": bool(numbers) and all(n.blocked for n in numbers),
        "history": history(conversation),
        "may_erase": current_user.role in ("owner", "operator"),
    }


def _when(panel: Panel) -> str:
    return moments.planned(panel.at, now(), panel.zone, get_locale().language)


def history(conversation: Conversation) -> list[tuple[str, str]]:
    """Return the newest events of a thread, date and words, and last of all when it began."""
    zone, locale = current_user.account.zone, get_locale().language
    today = moments.local(now(), zone).date()
    events = (
        Message.select(Message, User)
        .join(User, JOIN.LEFT_OUTER)
        .where(Message.conversation == conversation, Message.channel == "event")
        .order_by(Message.at.desc(), Message.id.desc())
        .limit(HISTORY)
    )
    told = []
    for event in events:
        by = event.author.name if event.author_id and event.author else ""
        date = moments.short_date(moments.local(event.at, zone).date(), today, locale)
        told.append((date, "".join(event_words(event.data or {}, by, event.source, locale, zone))))
    began = moments.local(conversation.created_at, zone).date()
    return [*told, (moments.short_date(began, today, locale), _("Conversation begun"))]


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


def render_panels(
    conversation: Conversation, locked: str = "", beside_contact: bool = False, only_field: bool = False
) -> str:
    """Return the panes around the thread as partials; `locked` is what the page's answer field says of itself.

    Where it is as before, only the numbers and senders in it are brought, as what is being typed must stay.
    `only_field` leaves the other panes alone, while somebody has a menu or a form open in them.
    """
    numbers = numbers_of(conversation)
    facts = {**head_facts(conversation), **contact_facts(conversation, numbers)}
    is_locked = "1" if facts["all_blocked"] else "0"
    form, choice = None, None
    if locked and locked != is_locked:
        form = composer(conversation, current_user, numbers, newest_message(conversation))
    elif locked == "0":
        choice = ways(conversation, numbers, request.args.get("to", ""), request.args.get("sender", ""))
    return render_template(
        "inbox/_panels.html",
        **facts,
        composer=form,
        ways=choice,
        beside_contact=beside_contact,
        only_field=only_field,
    )


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


def back_to(conversation: Conversation) -> ResponseReturnValue:
    """Go back to the page of a conversation after a form without script."""
    return redirect(f"/conversations/{conversation.id}{link_query()}", 303)


def changed(conversation: Conversation, before: int, trigger: str = "") -> ResponseReturnValue:
    """Answer a write: the panes and what has come into the thread since message `before`, or a redirect."""
    if not is_fragment():
        return back_to(conversation)
    conversation = opened(conversation.id)
    answer = make_response(render_panels(conversation) + render_new(conversation, before))
    answer.headers["Vary"] = "HX-Request"
    if trigger:
        answer.headers["HX-Trigger"] = trigger
    return answer


def render_new(conversation: Conversation, before: int) -> str:
    """Return the bubbles with an id above `before`, as the stream would bring them."""
    messages = list(
        Message.select()
        .where(Message.conversation == conversation, Message.id > before)
        .order_by(Message.id)
        .limit(20)
    )
    return upsert(inbox.with_calls(messages))


def upsert(messages: list[Message]) -> str:
    """Return bubbles, each below its day's divider, to be put at their places in the open thread."""
    if not messages:
        return ""
    zone, locale = current_user.account.zone, get_locale().language
    days = {bubble.day(m, locale, zone).id: render_day(m, locale, zone) for m in messages}
    entries = [render_bubble(message, locale, zone) for message in messages]
    inside = "".join([*days.values(), *entries])
    return f'<hx-upsert hx-target="#thread" key="data-seq">{inside}</hx-upsert>'


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
    page = render_template("inbox/page.html", **everything(conversation, typed), **_list_beside(conversation))
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
