"""The web server: granian, with Flask in threads (sms.bridge) and live streams beside it on the event loop."""

import asyncio
import logging
import os
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server

from sms.bridge import Bridge
from sms.logbook import adopt, loggable_path, sane_trace, tracing
from sms.ports import refuse_taken

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Handler = Callable[[Scope, Receive, Send], Awaitable[None]]

THREADS = 24
CONNECTIONS = 4096
BODY_LIMIT = 1_000_000
"""Bytes of a request's body that are read before Flask is asked; Flask refuses more with 413. BODY_LIMITS names others by path."""
SWALLOWED = 16_000_000
"""Bytes over the limit that are read and thrown away: most clients read the 413 only when they have sent all."""
BODY_SECONDS = 30
DRAIN_SECONDS = 2.0
"""How long requests that are running get when the server is told to stop."""

log = logging.getLogger("web")


class Site:
    """Gives live streams to the event loop and every other request to the WSGI application's threads."""

    def __init__(self, wsgi: Any, streams: Mapping[str, Handler] | None = None, threads: int = THREADS):
        self.pages = Bridge(wsgi, threads)
        self.streams = dict(streams or {})
        settings = getattr(wsgi, "config", {})
        self.limit: int = settings.get("MAX_CONTENT_LENGTH") or BODY_LIMIT
        self.limits: Mapping[str, int] = settings.get("BODY_LIMITS", {})
        self.wsgi = wsgi
        self.open_streams: set[asyncio.Task[None]] = set()
        self.open_pages: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["type"] == "http":
            with tracing(sane_trace(_header(scope, b"x-request-id"))):
                await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        started, status, answered = time.perf_counter(), 0, ""

        async def noting(event: dict[str, Any]) -> None:
            nonlocal status, answered
            if event["type"] == "http.response.start":
                status, answered = event["status"], _header(event, b"x-request-id")
            await send(event)

        stream = self.streams.get(scope["path"]) if scope["method"] == "GET" else None
        try:
            if stream is not None:
                await self._stream(stream, scope, receive, noting)
            else:
                await self._page(scope, receive, noting)
        finally:
            adopt(answered)  # a carrier's report belongs to the request that brought the message
            _note(scope, status, time.perf_counter() - started)

    async def _stream(self, stream: Handler, scope: Scope, receive: Receive, send: Send) -> None:
        task = asyncio.ensure_future(stream({**scope, "app": self.wsgi}, receive, send))
        self.open_streams.add(task)
        try:
            await task
        except asyncio.CancelledError:
            task.cancel()
        except Exception:
            log.exception("a live stream failed")
        finally:
            self.open_streams.discard(task)

    async def _page(self, scope: Scope, receive: Receive, send: Send) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.open_pages.add(task)
        try:
            limit = self.limits.get(scope["path"], self.limit)
            body = await asyncio.wait_for(_body(receive, limit), BODY_SECONDS)
            if body is not None:
                await self.pages.answer(scope, body, send)
        except TimeoutError:
            await _refuse_slow(send)
        finally:
            self.open_pages.discard(task)

    def end_streams(self) -> None:
        """Close every live stream; the pages reconnect by themselves."""
        for task in self.open_streams:
            task.cancel()

    async def drain(self, seconds: float) -> bool:
        """Wait for running requests; False where some still run after so many seconds."""
        waiting = self.open_pages | self.open_streams
        if not waiting:
            return True
        _, late = await asyncio.wait(waiting, timeout=seconds)
        return not late


def _header(message: Mapping[str, Any], wanted: bytes) -> str:
    return next((value.decode("latin-1") for name, value in message.get("headers", ()) if name == wanted), "")


async def _body(receive: Receive, limit: int) -> bytes | None:
    """Read a request's body and keep at most just over the limit; None where the client has hung up half-way."""
    body, came = bytearray(), 0
    while came <= limit + SWALLOWED:
        event = await receive()
        if event["type"] == "http.disconnect":
            return None
        chunk = event.get("body", b"")
        came += len(chunk)
        if len(body) <= limit:
            body += chunk
        if not event.get("more_body"):
            break
    return bytes(body)


async def _refuse_slow(send: Send) -> None:
    await send({"type": "http.response.start", "status": 408, "headers": [(b"connection", b"close")]})
    await send({"type": "http.response.body", "body": b""})


async def _lifespan(receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})


def _note(scope: Scope, status: int, seconds: float) -> None:
    if not scope["path"].startswith("/static/"):
        path = loggable_path(scope["raw_path"].decode("latin-1"))
        log.info("%s %s %s %d ms", scope["method"], path, status or "hung up", round(seconds * 1000))


def serve(wsgi: Any, host: str, port: int, streams: Mapping[str, Handler] | None = None) -> None:
    """Serve a WSGI application and its live streams until SIGTERM or SIGINT; raises PortTaken."""
    refuse_taken(host, port)
    site = Site(wsgi, streams)
    if not asyncio.run(_serve(site, host, port)):
        log.warning("ending with requests still running")
        logging.shutdown()
        os._exit(0)  # a thread that hangs would keep the process for ever


async def _serve(site: Site, host: str, port: int) -> bool:
    server = Server(
        site,
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        websockets=False,
        backlog=1024,
        backpressure=CONNECTIONS,
        log_enabled=False,
    )
    stopping = asyncio.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signum, stopping.set)
    serving = asyncio.ensure_future(server.serve())
    ended = asyncio.ensure_future(stopping.wait())
    await asyncio.wait((serving, ended), return_when=asyncio.FIRST_COMPLETED)
    log.info("stopping")
    site.end_streams()
    server.stop()
    drained = await site.drain(DRAIN_SECONDS)
    await asyncio.wait((serving,), timeout=0.5)
    return drained
