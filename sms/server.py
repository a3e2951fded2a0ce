"""The web server: granian, with Flask in threads through a2wsgi and live streams beside it on the event loop."""

import asyncio
import logging
import os
import signal
import socket
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from ipaddress import ip_address
from typing import Any, cast
from urllib.parse import quote_from_bytes

from a2wsgi import WSGIMiddleware
from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server

from sms.logbook import adopt, loggable_path, sane_trace, tracing

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


class PortTaken(Exception):
    """Another program listens on the address already."""


class Site:
    """Gives live streams to the event loop and every other request to the WSGI application's threads."""

    def __init__(self, wsgi: Any, streams: Mapping[str, Handler] | None = None, threads: int = THREADS):
        # a2wsgi's own types are narrower than what an ASGI server hands over.
        self.pages: Any = WSGIMiddleware(cast(Any, _WsgiDoor(wsgi)), workers=threads)
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
                await self.pages(_for_wsgi(scope, len(body)), _once(body), send)
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


class _WsgiDoor:
    """The WSGI application as the server calls it: with the raw target and the client's own address."""

    def __init__(self, wsgi: Any):
        self.wsgi = wsgi

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        scope = environ["asgi.scope"]
        environ["RAW_URI"] = environ["REQUEST_URI"] = scope["faden.target"]
        environ["REMOTE_ADDR"] = client_address(environ)
        return self.wsgi(environ, start_response)  # type: ignore[no-any-return]


def client_address(environ: Mapping[str, Any]) -> str:
    """Return who asks: the peer, or what a proxy on this machine has added to X-Forwarded-For."""
    peer = str(environ.get("REMOTE_ADDR", ""))
    named = str(environ.get("HTTP_X_FORWARDED_FOR", "")).rpartition(",")[2].strip()
    try:
        if named and ip_address(peer).is_loopback:
            return str(ip_address(named))
    except ValueError:
        pass
    return peer


def _for_wsgi(scope: Scope, length: int) -> Scope:
    """Prepare a scope for a2wsgi, which trips over bytes beyond ASCII, lets X_Y pass for X-Y, and loses chunked bodies."""
    raw, query = scope["raw_path"], scope["query_string"]
    headers = [(name, value) for name, value in scope["headers"] if b"_" not in name]
    unchunked = [(name, value) for name, value in headers if name != b"transfer-encoding"]
    if len(unchunked) < len(headers):
        unchunked.append((b"content-length", str(length).encode()))
    return {
        **scope,
        "path": scope["path"].encode("utf-8", "replace").decode("utf-8"),
        "query_string": query if query.isascii() else quote_from_bytes(query, safe=_ASCII).encode(),
        "headers": unchunked,
        "faden.target": (raw + b"?" + query if query else raw).decode("latin-1"),
    }


def _header(message: Mapping[str, Any], wanted: bytes) -> str:
    return next((value.decode("latin-1") for name, value in message.get("headers", ()) if name == wanted), "")


_ASCII = "".join(map(chr, range(0x21, 0x7F)))


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


def _once(body: bytes) -> Receive:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


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


def refuse_taken(host: str, port: int) -> None:
    """Raise PortTaken, with a sentence for the operator, where host:port cannot be listened on."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
            trial.listen(1)
        except OSError as error:
            raise PortTaken(
                f"port {port} on {host} cannot be used: {os.strerror(error.errno or 0)}"
            ) from None


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
