"""The parts of a conversation's page: what each pane shows, and how a write is answered with those that it changed."""

from datetime import datetime
from typing import Any

from flask import make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_login import current_user
from peewee import JOIN, fn

from sms import accounts, inbox
from sms.clock import now
from sms.models import Conversation, Message, User
from sms.modules import Panel, banners
from sms.modules import panels as panels_of
from sms.refusal import NotFound, Refused
from sms.views import bubble, moments
from sms.views.bubble import render_bubble, render_day
from sms.views.composer import Composer, composer, numbers_of, send_times, snooze_times, soonest, ways
from sms.views.event_words import event_words
from sms.views.inbox import People, display, listing, newest_change, words

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


def vary(page: str, status: int = 200, trigger: str = "") -> ResponseReturnValue:
    """Answer with a page or a fragment of it, and the named event that goes with a fragment."""
    answer = make_response(page, status)
    answer.headers["Vary"] = "HX-Request"
    if trigger:
        answer.headers["HX-Trigger"] = trigger
    return answer


def list_beside(conversation: Conversation, people: People | None = None) -> dict[str, Any]:
    """Return what the list beside a thread shows, without what the thread brings itself."""
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
