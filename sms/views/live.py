"""What a live page is told: the same markup for the stream, for a reconnect and for polling."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from flask import Blueprint, Response, request
from flask_login import current_user
from markupsafe import Markup

from sms import inbox, live
from sms.db import database
from sms.live import Listener
from sms.models import Change, Message
from sms.views import bubble

blueprint = Blueprint("live", __name__)


@dataclass(frozen=True)
class News:
    """One thing to tell: a named event with its data, or markup to swap (no name)."""

    id: int
    event: str
    data: str

    def frame(self, settled: int) -> bytes:
        """Return it as a server-sent event; the page goes on after `settled` where that is before it."""
        lines = [f"id: {min(self.id, settled)}"]
        if self.event:
            lines.append(f"event: {self.event}")
        lines += [f"data: {line}" for line in self.data.split("\n")]
        return ("\n".join(lines) + "\n\n").encode()


def news(changes: Sequence[Change], listener: Listener) -> list[News]:
    """Turn changes into what this listener's page is told: each bubble once, each ping once a batch.

    Needs an application context and a database connection.
    """
    told: dict[tuple[str, int], News] = {}
    for change in changes:
        for meaning in live.concerns(change, listener):
            item = _news(change, meaning, listener)
            if item is not None:
                # A later change of the same thing replaces the earlier one, at the later one's place.
                told.pop(key := _key(change, meaning), None)
                told[key] = item
    return sorted(told.values(), key=lambda n: n.id)


def _key(change: Change, meaning: str) -> tuple[str, int]:
    if meaning == "bubble":
        return "bubble", change.message or 0
    if meaning == "tick":
        return "tick", change.message or 0
    return meaning, change.conversation or 0 if meaning == "list" else 0


def _news(change: Change, meaning: str, listener: Listener) -> News | None:
    if meaning not in ("bubble", "tick"):
        return News(change.id, f"faden:{meaning}", str(change.conversation or ""))
    which = (change.id, change.conversation or 0, change.message or 0, meaning)
    markup = _rendered(str(database.obj.database), *which, listener.locale, listener.zone)
    return News(change.id, "", markup) if markup else None


@lru_cache(maxsize=512)
def _rendered(
    source: str, change: int, conversation: int, message_id: int, meaning: str, locale: str, zone: str
) -> str:
    """Render a bubble once for everybody who has it open in this language; database and change are the key."""
    # In the change's own conversation only: SQLite gives the id of an erased message to the next one.
    message = Message.get_or_none(Message.id == message_id, Message.conversation == conversation)
    if message is None:
        return ""
    inbox.with_calls([message])
    markup = bubble.render_bubble(message, locale, zone)
    day = bubble.render_day(message, locale, zone)
    if meaning == "tick":
        # What is taken back moves from its future day to this one, which may have no divider yet.
        moved = message.status == "cancelled"
        below = f'<hx-upsert hx-target="#thread" key="data-seq">{day}</hx-upsert>' if moved else ""
        return f'<hx-partial hx-target="#m-{message_id}" hx-swap="outerMorph">{markup}</hx-partial>{below}'
    return f'<hx-upsert hx-target="#thread" key="data-seq">{day}{markup}</hx-upsert>'


@blueprint.get("/sync")
def sync() -> Response:
    """Tell a page without a stream what has happened after a cursor; 204 where nothing has."""
    since = whole(request.args.get("after", "")) or 0
    listener = listener_of(whole(request.args.get("conversation", "")))
    cursor = max(since, live.cursor())
    missed = live.missed(listener, since)
    if missed is None:
        return _answer([News(cursor, "faden:reload", "")], cursor)
    return _answer(news(missed, listener), cursor)


def whole(text: str) -> int | None:
    """Return a number of a query or header, None for anything that is no id and no cursor of ours."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def listener_of(conversation: int | None) -> Listener:
    """Return who listens in this request: the signed-in person, on a thread of their own account or none."""
    account = current_user.account
    if conversation is not None:
        inbox.open_conversation(account, conversation)
    locale = current_user.locale or account.locale
    return Listener(account.id, current_user.id, conversation, locale, account.zone)


def _answer(told: Iterable[News], cursor: int) -> Response:
    told = list(told)
    if not told:
        return Response(status=204, headers={"X-Cursor": str(cursor)})
    answer = Response(str(Markup("\n").join(Markup(n.data) for n in told if not n.event)))  # noqa: S704 - our templates
    answer.headers["X-Cursor"] = str(cursor)
    events = dict.fromkeys(n.event for n in told if n.event)
    if events:
        answer.headers["HX-Trigger"] = ", ".join(events)
    return answer
