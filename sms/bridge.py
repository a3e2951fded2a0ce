"""Pages for an ASGI server: a WSGI application in threads, one turn to a thread and back for each answer.

The common bridges send each part of an answer through the event loop while the thread waits: four turns a request,
which cost twice what a Flask view with an insert does. Here a thread collects the answer; only a long one takes more.
"""

import asyncio
import contextvars
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from io import BytesIO
from ipaddress import ip_address
from typing import Any
from urllib.parse import quote_from_bytes

Scope = MutableMapping[str, Any]
Send = Callable[[dict[str, Any]], Awaitable[None]]

AT_ONCE = 256 * 1024
"""Bytes of an answer that a thread collects before they are sent."""


@dataclass
class _Answer:
    """What the application has said: its status and headers, and the parts it still has."""

    status: int = 500
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    written: list[bytes] = field(default_factory=list)
    parts: Any = ()
    rest: Iterator[bytes] = field(default_factory=lambda: iter(()))

    def start(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        """Take status and headers: WSGI's `start_response`."""
        self.status = int(status.partition(" ")[0])
        self.headers = [
            (name.strip().lower().encode("latin-1"), value.strip().encode("latin-1"))
            for name, value in headers
        ]
        return self.written.append

    def collect(self) -> tuple[bytes, bool]:
        """Return the next bytes, and whether there are more."""
        parts, length = self.written, 0
        self.written = []
        for part in self.rest:
            parts.append(part)
            length += len(part)
            if length >= AT_ONCE:
                return b"".join(parts), True
        self.close()
        return b"".join(parts), False

    def close(self) -> None:
        """Let the application tidy up; a second time is harmless."""
        parts, self.parts = self.parts, ()
        if close := getattr(parts, "close", None):
            close()


class Bridge:
    """Asks a WSGI application from an event loop, in so many threads."""

    def __init__(self, wsgi: Any, threads: int) -> None:
        self.wsgi = wsgi
        self.pool = ThreadPoolExecutor(threads, thread_name_prefix="page")

    async def answer(self, scope: Scope, body: bytes, send: Send) -> None:
        """Have a request answered; whatever the application raises propagates."""
        loop, context = asyncio.get_running_loop(), contextvars.copy_context()
        answer = _Answer()
        try:
            first, more = await loop.run_in_executor(
                self.pool, context.run, self._begin, environ_of(scope, body), answer
            )
            await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
            await send({"type": "http.response.body", "body": first, "more_body": more})
            while more:
                part, more = await loop.run_in_executor(self.pool, context.run, answer.collect)
                await send({"type": "http.response.body", "body": part, "more_body": more})
        finally:
            if answer.parts:  # the client has gone while there was more
                await loop.run_in_executor(self.pool, context.run, answer.close)

    def _begin(self, environ: dict[str, Any], answer: _Answer) -> tuple[bytes, bool]:
        answer.parts = self.wsgi(environ, answer.start)
        answer.rest = iter(answer.parts)
        try:
            return answer.collect()
        except BaseException:
            answer.close()
            raise


def environ_of(scope: Scope, body: bytes) -> dict[str, Any]:
    """Return a request as WSGI wants it, with the raw target and the client's own address; X_Y never passes for X-Y."""
    raw, query = scope["raw_path"], scope["query_string"]
    server, client = scope.get("server") or ("localhost", 80), scope.get("client") or ("", 0)
    target = (raw + b"?" + query if query else raw).decode("latin-1")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": scope["path"].encode("utf-8", "replace").decode("latin-1"),
        "QUERY_STRING": query.decode() if query.isascii() else quote_from_bytes(query, safe=_ASCII),
        "RAW_URI": target,
        "REQUEST_URI": target,
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1] or 0),
        "REMOTE_ADDR": client[0],
        "REMOTE_PORT": str(client[1]),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in scope["headers"]:
        if b"_" not in name:
            _add_header(environ, name, value.decode("latin-1"))
    if environ.pop("HTTP_TRANSFER_ENCODING", None):
        environ["CONTENT_LENGTH"] = str(len(body))  # the chunks are joined by now
    environ["REMOTE_ADDR"] = client_address(environ)
    return environ


_ASCII = "".join(map(chr, range(0x21, 0x7F)))
_PLAIN = {b"content-length": "CONTENT_LENGTH", b"content-type": "CONTENT_TYPE"}


def _add_header(environ: dict[str, Any], name: bytes, value: str) -> None:
    key = _PLAIN.get(name) or f"HTTP_{name.decode('latin-1').upper().replace('-', '_')}"
    environ[key] = f"{environ[key]},{value}" if key in environ else value


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
