"""GET /events: the live stream, native on the event loop; no thread and no database connection is held."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

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
log = logging.getLogger(__name__)


class Inbox:
    """What waits to be sent to one page; filled by the feed's thread, emptied on the event loop."""

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self._loop = asyncio.get_running_loop()
        self._waiting: list[Change] = []
        self._ready = asyncio.Event()

    def __call__(self, changes: list[Change]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended: nobody listens any more
            self._loop.call_soon_threadsafe(self._put, changes)

    def _put(self, changes: list[Change]) -> None:
        self._waiting.extend(changes)
        self._ready.set()

    async def take(self, seconds: float, gone: "asyncio.Future[None]") -> list[Change]:
        """Return what has come in, waiting so long for the first of it or until the page has gone; empty then."""
        ready = asyncio.ensure_future(self._ready.wait())
        await asyncio.wait((ready, gone), timeout=max(0, seconds), return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        taken, self._waiting = self._waiting, []
        self._ready.clear()
        return taken


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
        cursor = await _catch_up(app, send, listener, since)
        await _follow(app, scope, send, box, cursor, gone)
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


async def _catch_up(app: Flask, send: Send, listener: Listener, since: int | None) -> int:
    """Send what was missed and return the cursor reached; a page that names none starts now."""
    cursor, told = await asyncio.to_thread(_missed, app, listener, since)
    first = f"id: {cursor}\nevent: faden:ready\ndata: {cursor}\n\n".encode()
    await _send(send, b"".join(n.frame() for n in told) + first)
    return cursor


async def _follow(
    app: Flask, scope: Scope, send: Send, box: Inbox, cursor: int, gone: "asyncio.Future[None]"
) -> None:
    loop = asyncio.get_running_loop()
    look_again, ping = loop.time() + LOOK_AGAIN_EVERY, loop.time() + PING_EVERY
    while True:
        changes = [c for c in await box.take(ping - loop.time(), gone) if c.id > cursor]
        if gone.done():
            return
        if loop.time() > look_again:
            if not await _may_listen(app, scope, box.listener):
                return
            look_again = loop.time() + LOOK_AGAIN_EVERY
        told = await _told(app, changes, box.listener)
        cursor = changes[-1].id if changes else cursor
        if told:
            await _send(send, b"".join(n.frame() for n in told))
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


async def _told(app: Flask, changes: list[Change], listener: Listener) -> list[News]:
    """Render bubbles in a thread; a batch of mere pings needs neither thread nor database."""
    if any({"bubble", "tick"} & set(live.concerns(c, listener)) for c in changes):
        return await asyncio.to_thread(_in_context, app, changes, listener)
    return news(changes, listener)


def _in_context(app: Flask, changes: list[Change], listener: Listener) -> list[News]:
    with app.test_request_context("/events"), database.connection_context():
        return news(changes, listener)


def _missed(app: Flask, listener: Listener, since: int | None) -> tuple[int, list[News]]:
    with app.test_request_context("/events"), database.connection_context():
        cursor = live.newest()
        if since is None:
            return cursor, []
        changes = live.missed(listener, since)
        if changes is None:
            return cursor, [News(cursor, "faden:reload", "")]
        return max(cursor, changes[-1].id if changes else 0), news(changes, listener)


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
