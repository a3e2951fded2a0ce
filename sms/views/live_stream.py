"""GET /events: the live stream, native on the event loop; no thread and no database connection is held."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs
from weakref import WeakKeyDictionary

from flask import Flask
from flask_login import current_user

from sms import live
from sms.db import database
from sms.live import Listener
from sms.models import Change
from sms.refusal import NotFound
from sms.views.live import News, listener_of, news, whole

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

PING_EVERY = 20.0
LOOK_AGAIN_EVERY = 60.0
"""Seconds after which a stream asks again whether its reader may still listen."""
PING = b"event: ping\ndata: .\n\n"
SHARED = 256
"""Rendered batches that are kept for pages that have not sent them yet."""
log = logging.getLogger(__name__)

_shared: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Any, "asyncio.Future[bytes]"]] = (
    WeakKeyDictionary()
)


class Inbox:
    """What waits to be sent to one page; filled by the feed's thread, emptied on the event loop."""

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self._loop = asyncio.get_running_loop()
        self._waiting: list[Change] = []
        self._bell: asyncio.Future[None] | None = None
        self._settled = 0

    def __call__(self, changes: list[Change]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended: nobody listens any more
            self._loop.call_soon_threadsafe(self._put, changes, live.feed.settled or 0)

    def _put(self, changes: list[Change], settled: int) -> None:
        self._waiting.extend(changes)
        self._settled = settled
        self._ring()

    def _ring(self, *_: object) -> None:
        if self._bell is not None and not self._bell.done():
            self._bell.set_result(None)

    async def take(self, seconds: float, gone: "asyncio.Future[None]") -> tuple[list[Change], int]:
        """Return what has come in and up to where that is all, waiting so long for it or until the page has gone."""
        if not self._waiting and not gone.done():
            # A future and a timer: a task for each of a thousand pages would cost more than what it waits for.
            self._bell = self._loop.create_future()
            timer = self._loop.call_later(max(0, seconds), self._ring)
            gone.add_done_callback(self._ring)
            try:
                await self._bell
            finally:
                timer.cancel()
                gone.remove_done_callback(self._ring)
        taken, self._waiting = self._waiting, []
        return taken, self._settled


async def events(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve one stream: what was missed since Last-Event-ID (or ?since=), then everything as it happens."""
    app: Flask = scope["app"]
    query = parse_qs(scope["query_string"].decode("latin-1"))
    conversation = whole(query.get("conversation", [""])[0])
    last = whole(_header(scope, b"last-event-id"))
    since = whole(query.get("since", [""])[0]) if last is None else last
    try:
        listener = await asyncio.to_thread(_listener, app, scope, conversation)
    except NotFound:
        await _refuse(send, 404)
        return
    if listener is None:
        await _refuse(send, 401)
        return
    await _stream(app, scope, receive, send, listener, since)


async def _stream(
    app: Flask, scope: Scope, receive: Receive, send: Send, listener: Listener, since: int | None
) -> None:
    box = Inbox(listener)
    await asyncio.to_thread(_listen, box)
    gone = asyncio.ensure_future(_until_gone(receive))
    try:
        await send(_START)
        told = await _catch_up(app, send, listener, since)
        await _follow(app, scope, send, box, told, gone)
    finally:
        live.feed.leave(box)
        gone.cancel()


_START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [
        (b"content-type", b"text/event-stream"),
        (b"cache-control", b"no-store"),
        (b"x-accel-buffering", b"no"),
        (b"x-content-type-options", b"nosniff"),
    ],
}


async def _catch_up(app: Flask, send: Send, listener: Listener, since: int | None) -> frozenset[int]:
    """Send what was missed and return the ids of it; a page that names no cursor starts now."""
    cursor, missed, told = await asyncio.to_thread(_missed, app, listener, since)
    first = f"id: {cursor}\nevent: faden:ready\ndata: {cursor}\n\n".encode()
    await _send(send, b"".join(n.frame(cursor) for n in told) + first)
    return missed


async def _follow(
    app: Flask, scope: Scope, send: Send, box: Inbox, told: frozenset[int], gone: "asyncio.Future[None]"
) -> None:
    loop = asyncio.get_running_loop()
    look_again, ping = loop.time() + LOOK_AGAIN_EVERY, loop.time() + PING_EVERY
    while True:
        # What was committed while the page caught up is in both.
        taken, settled = await box.take(ping - loop.time(), gone)
        changes = [c for c in taken if c.id not in told]
        if gone.done():
            return
        if loop.time() > look_again:
            if not await _may_listen(app, scope, box.listener):
                return
            look_again = loop.time() + LOOK_AGAIN_EVERY
        if found := await _frames(app, changes, settled, box.listener):
            await _send(send, found)
        elif loop.time() >= ping:
            await _send(send, PING)
        else:
            continue
        # Whatever was sent shows the page that the line is open; changes that mean nothing to it do not.
        ping = loop.time() + PING_EVERY


async def _may_listen(app: Flask, scope: Scope, listener: Listener) -> bool:
    try:
        return await asyncio.to_thread(_listener, app, scope, listener.conversation) is not None
    except NotFound:
        return False


async def _frames(app: Flask, changes: list[Change], settled: int, listener: Listener) -> bytes:
    """Return what to send for some changes: made once for all pages to which they mean the same."""
    meanings = tuple((change.id, live.concerns(change, listener)) for change in changes)
    if not any(meaning for _, meaning in meanings):
        return b""
    shared = _shared.setdefault(asyncio.get_running_loop(), {})
    key = (meanings, settled, listener.account, listener.conversation, listener.locale, listener.zone)
    making = shared.get(key)
    if making is None:
        while len(shared) >= SHARED:
            del shared[next(iter(shared))]
        making = shared[key] = asyncio.ensure_future(_made(app, changes, settled, listener))
        making.add_done_callback(
            lambda done: (done.cancelled() or done.exception()) and shared.pop(key, None)
        )
    # Whoever hangs up meanwhile leaves it to the others.
    return making.result() if making.done() else await asyncio.shield(making)


async def _made(app: Flask, changes: list[Change], settled: int, listener: Listener) -> bytes:
    told = await _told(app, changes, listener)
    return b"".join(n.frame(settled) for n in told)


async def _told(app: Flask, changes: list[Change], listener: Listener) -> list[News]:
    """Render bubbles in a thread; a batch of mere pings needs neither thread nor database."""
    if any({"bubble", "tick"} & set(live.concerns(c, listener)) for c in changes):
        return await asyncio.to_thread(_in_context, app, changes, listener)
    return news(changes, listener)


def _in_context(app: Flask, changes: list[Change], listener: Listener) -> list[News]:
    with app.test_request_context("/events"), database.connection_context():
        return news(changes, listener)


def _missed(app: Flask, listener: Listener, since: int | None) -> tuple[int, frozenset[int], list[News]]:
    """Return the cursor that is reached, the ids of what was missed, and what to tell of it."""
    with app.test_request_context("/events"), database.connection_context():
        cursor = live.cursor()
        if since is None:
            return cursor, frozenset(), []
        cursor = max(cursor, since)
        changes = live.missed(listener, since)
        if changes is None:
            return cursor, frozenset(), [News(cursor, "faden:reload", "")]
        return cursor, frozenset(change.id for change in changes), news(changes, listener)


def _listen(box: Inbox) -> None:
    with database.connection_context():
        live.feed.listen(box)


def _listener(app: Flask, scope: Scope, conversation: int | None) -> Listener | None:
    """Return who asks, by the same session cookie as any page; None where nobody is signed in."""
    cookies = b"; ".join(value for name, value in scope["headers"] if name == b"cookie").decode("latin-1")
    with app.test_request_context("/events", headers={"Cookie": cookies}), database.connection_context():
        return listener_of(conversation) if current_user.is_authenticated else None


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send(send: Send, data: bytes) -> None:
    await send({"type": "http.response.body", "body": data, "more_body": True})


async def _refuse(send: Send, status: int) -> None:
    headers = [(b"content-type", b"text/plain"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def _header(scope: Scope, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")
