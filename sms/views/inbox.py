"""The list of conversations: views, filters, search, rows that load while scrolling, and what to do next."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, current_app, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale, ngettext
from flask_babel import gettext as _
from flask_login import current_user
from markupsafe import Markup, escape

from sms import accounts, inbox, inbox_list, live, search, totals
from sms.clock import now
from sms.gsm import msisdn
from sms.models import Label, User
from sms.refusal import NotFound
from sms.views import moments

blueprint = Blueprint("inbox", __name__)

PAGE = 50
MOST_SHOWN = 300
"""A live refresh shows again as many rows as had been scrolled to, up to this."""

LONGEST_QUERY = 200
BEFORE_HIT, AROUND_HIT = 24, 160
"""Characters of a message that a search result shows before the first hit, and in all."""


@dataclass(frozen=True)
class Asked:
    """What the list is asked to show; every link of the page carries it on."""

    view: str = "mine"
    q: str = ""
    label: int | None = None
    assignee: int | None = None
    unread: bool = False
    chips: tuple[tuple[str, str], ...] = ()

    @property
    def filtered(self) -> bool:
        return self.label is not None or self.assignee is not None or self.unread

    @property
    def query(self) -> str:
        """The address' query with its question mark."""
        return self.with_()

    def with_(self, **more: str) -> str:
        """Return the query with further or replaced parts; an empty one is left out."""
        parts = {
            "view": self.view,
            "q": self.q,
            "label": str(self.label or ""),
            "assignee": str(self.assignee or ""),
            "unread": "1" if self.unread else "",
        } | more
        return "?" + urlencode({k: v for k, v in parts.items() if v})


class People(NamedTuple):
    """Everybody of the account and its labels, for whoever has asked for them already."""

    users: list[User]
    labels: list[Label]


@dataclass(frozen=True)
class Waiting:
    """Open conversations in which the other side spoke last: how many, and the one that waits longest."""

    count: int = 0
    id: int = 0
    name: str = ""
    since: str = ""


@blueprint.get("/")
def start() -> ResponseReturnValue:
    """Show what the agent has to do: own conversations, or all open ones where there are none."""
    return show()


@blueprint.get("/inbox")
def show() -> ResponseReturnValue:
    """The page with the list and, beside it, what waits longest."""
    return render_template(
        "inbox/page.html",
        title=_("Inbox"),
        body_class="view-list view-none",
        waiting=waiting(current_user),
        since=newest_change(),
        **listing(),
    )


@blueprint.get("/inbox/list")
def refresh() -> ResponseReturnValue:
    """The views with counts and the rows, for a search as it is typed and for live updates."""
    shown = _whole(request.args.get("shown")) or PAGE
    page = listing(limit=min(max(PAGE, shown), MOST_SHOWN))
    if request.args.get("waiting") == "1":
        page["waiting"] = waiting(current_user)
    answer = make_response(render_template("inbox/_list_answer.html", **page))
    answer.headers["Vary"] = "HX-Request"
    if "shown" not in request.args:
        answer.headers["HX-Replace-Url"] = _address(page["asked"])
    return answer


@blueprint.get("/inbox/rows")
def rows() -> ResponseReturnValue:
    """The next page of rows, taking the place of the line that asked for it."""
    return render_template("inbox/_rows.html", **listing())


def _address(asked: Asked) -> str:
    """Keep the open thread in the address while the list beside it is searched."""
    path = urlsplit(request.headers.get("HX-Current-URL", "")).path
    return (path if path.startswith("/conversations/") else "/inbox") + asked.query


def asked_for(user: User, labels: list[Label], colleagues: list[User], counts: dict[str, int]) -> Asked:
    """Read view, search and filters from the address; what is unknown is left out."""
    usual = "mine" if counts["mine"] or not counts["open"] else "open"
    view = request.args.get("view") or usual
    if view not in inbox_list.VIEWS:
        raise NotFound
    label = _one_of(request.args.get("label"), {x.id for x in labels})
    assignee = _one_of(request.args.get("assignee"), {x.id for x in colleagues})
    q = request.args.get("q", "").strip()[:LONGEST_QUERY]
    asked = Asked(view, q, label, assignee, request.args.get("unread") == "1")
    return Asked(view, q, label, assignee, asked.unread, tuple(_chips(asked, labels, colleagues)))


def _chips(asked: Asked, labels: list[Label], colleagues: list[User]) -> Iterator[tuple[str, str]]:
    for label in labels:
        if label.id == asked.label:
            yield _("Label: %(name)s", name=label.name), asked.with_(label="")
    for user in colleagues:
        if user.id == asked.assignee:
            yield user.name, asked.with_(assignee="")
    if asked.unread:
        yield _("Unread only"), asked.with_(unread="")


def _whole(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else None


def _one_of(text: str | None, ids: set[int]) -> int | None:
    number = _whole(text)
    return number if number in ids else None


def listing(limit: int = PAGE, current: int | None = None, people: People | None = None) -> dict[str, Any]:
    """Return everything the list pane shows, in a fixed number of queries; `current` is the open conversation."""
    user = current_user
    counts = totals.counts(user)
    users, labels = people or People(accounts.colleagues(user.account), inbox.labels(user.account_id))
    colleagues = [u for u in users if u.active]
    asked = asked_for(user, labels, colleagues, counts)
    page = inbox_list.rows(
        user, asked.view, query=asked.q, label=asked.label, assignee=asked.assignee, unread=asked.unread,
        cursor=request.args.get("cursor") or None, limit=limit, people=users,
    )  # fmt: skip
    current = current or _whole(request.args.get("current"))
    return {
        "asked": asked,
        "page": page,
        "excerpts": search.excerpts(user.account_id, asked.q, [r.id for r in page.items]) if asked.q else {},
        "counts": counts,
        "all_labels": labels,
        "colleagues": colleagues,
        "current": current,
        "base": f"/conversations/{current}" if current else "/inbox",
        "link_query": asked.query,
        "more_query": lambda cursor: asked.with_(cursor=cursor),
        **words(user),
    }


def words(user: User) -> dict[str, Any]:
    """Return the small functions by which templates put times, numbers and previews into words."""
    zone, locale = user.account.zone, get_locale().language
    moment = now()
    return {
        "row_time": lambda at: moments.in_a_row(at, moment, zone, locale),
        "planned": lambda at: moments.planned(at, moment, zone, locale),
        "iso": lambda at: moments.local(at, zone).isoformat(timespec="seconds"),
        "display": display,
        "shown": lambda number: msisdn.shown(number) if number.startswith("+") else number,
        "preview": preview,
        "marked": marked,
        "script_addresses": script_addresses,
    }


def script_addresses() -> dict[str, dict[str, str]]:
    """Return the import map by which modules find each other under addresses that change with their content."""
    folder = Path(current_app.static_folder or "") / "js"
    asset = current_app.jinja_env.globals["asset"]
    named = sorted(path.name for path in folder.glob("*.js"))
    return {"imports": {url_for("static", filename=f"js/{n}"): asset(f"js/{n}") for n in named}}  # type: ignore[operator]


def display(number: str) -> str:
    """Return a stored number as people write it; a sender that is a word stays itself."""
    return msisdn.display(number) if number.startswith("+") else number


def preview(row: inbox_list.Row) -> Markup:
    """Return the newest message in a line: a draft first, "You:" before what went out, a word for what has no text."""
    if row.draft:
        return Markup('<span class="draft">{}</span> {}').format(_("Draft:"), row.draft)
    if row.preview_kind in ("out", "voice"):
        who = _("You:") if row.preview_author == "you" else f"{row.preview_author or _('Automatic')}:"
        before = _("Voice call:") if row.preview_kind == "voice" else who
        return Markup("<b>{}</b> {}").format(before, row.preview)
    without_text = {
        "voicemail": _("Voice message"),
        "callback": _("Wants to be called back"),
        "call": _("Has called"),
    }
    return escape(row.preview or without_text.get(row.preview_kind, ""))


def marked(text: str, query: str) -> Markup:
    """Return the stretch of a text around the first word that was searched for, every such word marked."""
    text = unicodedata.normalize("NFC", " ".join(text.split()))
    found = search.hits(text, query)
    start = max(0, found[0][0] - BEFORE_HIT) if found else 0
    # Not from the middle of a word, nor from "Guten" of "Guten Tag": the beginning is shown where it is near.
    start = 0 if start < BEFORE_HIT // 2 else text.find(" ", start, found[0][0]) + 1 or start
    end = start + AROUND_HIT
    pieces, place = [escape("… ") if start else Markup()], start
    for first, last in found:
        if first >= end:
            break
        pieces += [escape(text[place:first]), Markup("<mark>{}</mark>").format(text[first:last])]
        place = last
    return Markup().join([*pieces, escape(text[place : max(end, place)])])


def waiting(user: User) -> Waiting:
    """Return what waits for an answer by this agent or by nobody in particular, in words."""
    found = totals.waiting(user)
    if found.since is None:
        return Waiting()
    return Waiting(found.count, found.id, found.name or display(found.number), _since(found.since))


def _since(moment: datetime) -> str:
    minutes = max(1, int((now() - moment).total_seconds() // 60))
    if minutes < 60:
        return ngettext("for one minute", "for %(num)d minutes", minutes)
    if minutes < 48 * 60:
        return ngettext("for one hour", "for %(num)d hours", minutes // 60)
    return ngettext("for one day", "for %(num)d days", minutes // (24 * 60))


def newest_change() -> int:
    """Return the cursor from which the page's stream goes on: read before anything else is."""
    return live.cursor()
