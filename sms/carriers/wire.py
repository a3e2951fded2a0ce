"""HTTP as an adapter needs it: limits of time and size, and what a failure says about the other side.

Connecting is a step of its own here, so that what fails in it has provably not left this machine. Answers are read
by Python's own parser; a client with sessions, cookies and redirects took three times the processor's time.
"""

import base64
import http.client
import io
import math
import re
import select
import socket
import ssl
import time
import zlib
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPMessage, HTTPResponse
from typing import Any, NamedTuple
from urllib.parse import unquote, urlencode, urlsplit
from urllib.request import getproxies, proxy_bypass

import certifi

from sms.carriers.contract import Outcome, OutcomeKind, Reason, Setting

MAX_ANSWER = 1_000_000
"""Bytes of an answer; a page of 200 messages at Twilio has about 240,000."""
MAX_PATIENCE = 3600.0
"""Seconds; a longer Retry-After is a mistake or an attack."""
IDLE_SECONDS = 4.0
"""Less than the 5 s after which usual servers close an idle connection: a request that meets the close is in doubt."""
LOOPBACK = ("127.0.0.1", "localhost", "::1")
Dial = Callable[..., socket.socket]
"""Connects to (host, port) within so many seconds, like socket.create_connection."""
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_LINE = re.compile(r"[A-Z]+ [!-~]+")
_HEAD = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+: [^\x00-\x08\x0a-\x1f\x7f]*\r\n)*")


def settings(home: str) -> tuple[Setting, ...]:
    """Return the settings of every carrier with a wire; `home` is where it is reached by default."""
    return (
        Setting("base_url", f"an origin like {home}", default=home, pattern=r"https?://[^\s/?#@]+/?"),
        # The engine takes a claim for dead after 60 s: connecting, waiting and reading must end before.
        Setting("connect_timeout", "seconds to reach it", default=5.0, number=True, maximum=10.0),
        Setting("read_timeout", "seconds to wait for an answer", default=15.0, number=True, maximum=20.0),
    )


def connect(options: Mapping[str, Any], window: int) -> "Wire":
    """Make the wire of such settings; `window` requests may be under way at once."""
    return Wire(options["base_url"], (options["connect_timeout"], options["read_timeout"]), window)


class Unsendable(Exception):
    """The request could not even be written down; nothing has left."""


class Unreached(OSError):
    """There is no connection, or no TLS, to the other side; nothing of the request has left."""


class Broken(OSError):
    """The request has left, or a part of it, and no answer came that could be read."""


class TooLong(Broken):
    """The answer is longer than what was asked for."""


class Answer(NamedTuple):
    """What came back, whatever its status."""

    status: int
    headers: HTTPMessage
    body: bytes


class Wire:
    """One origin, one pool of connections for all threads; sends each request once, follows no redirect."""

    def __init__(
        self, base_url: str, timeouts: tuple[float, float], window: int, dial: Dial | None = None
    ) -> None:
        """`timeouts` in seconds: to connect, and to wait for an answer and again for its body.

        `window` connections at most are kept for the next request. `dial` connects instead of the system, then
        without any proxy: who watches where a connection leads must make it.
        """
        parts = urlsplit(base_url)
        self.scheme, self.netloc = parts.scheme, parts.netloc
        self.timeouts = timeouts
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._trust = _trust() if parts.scheme == "https" else None
        self._dial = dial
        self._proxy = None if dial else _proxy(parts.scheme, self._host)
        self._own_lines = {"Host": self.netloc, "Accept-Encoding": "identity", "User-Agent": "faden"}
        self._prefix = ""
        if self._proxy and self._trust is None:
            self._prefix = self.origin
            self._own_lines |= self._proxy.lines
        self._idle: deque[_Link] = deque()
        self._keep = window

    @property
    def origin(self) -> str:
        """Scheme and host, as in `https://api.twilio.com`."""
        return f"{self.scheme}://{self.netloc}"

    def fetch(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | bytes | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        limit: int = MAX_ANSWER,
    ) -> Answer:
        """Ask for the path and query of `url` at our own origin; at most `limit` bytes are read.

        `data` goes out as a form, or as it is where it is bytes. Raises Unsendable, Unreached or Broken; `failure`
        makes an outcome of each.
        """
        body = data if isinstance(data, bytes) else _form(data)
        lines = {**self._own_lines, **(_FORM if isinstance(data, Mapping) else {}), **(headers or {})}
        if auth is not None:
            lines["Authorization"] = basic(*auth)
        request = _written(method, self._target(url, params), lines, body)
        link = self._taken() or self._connected()
        try:
            answer, again = link.ask(method, request, self.timeouts[1], limit)
        except BaseException:
            link.close()
            raise
        if again and len(self._idle) < self._keep:
            self._idle.append(link)
        else:
            link.close()
        return answer

    def close(self) -> None:
        """Give the connections back; whoever is asking right now ends first."""
        self._keep = 0
        while self._idle:
            self._idle.pop().close()

    def _target(self, url: str, params: Mapping[str, Any] | None) -> str:
        parts = urlsplit(url)
        query = "&".join(part for part in (parts.query, _encoded(params)) if part)
        path = self._prefix + (parts.path or "/")
        return f"{path}?{query}" if query else path

    def _taken(self) -> "_Link | None":
        """Return a connection that is still good, the youngest first; None where there is none."""
        while True:
            try:
                link = self._idle.pop()
            except IndexError:
                return None
            if link.good():
                return link
            link.close()

    def _connected(self) -> "_Link":
        """Return a new connection, with TLS where the origin has it; raises Unreached."""
        proxy = self._proxy
        host, port = (proxy.host, proxy.port) if proxy else (self._host, self._port)
        connection = HTTPConnection(host, port, timeout=self.timeouts[0])
        if self._dial:
            connection._create_connection = self._dial  # type: ignore[attr-defined] # where http.client has it
        if proxy and self._trust:
            connection.set_tunnel(self._host, self._port, proxy.lines)
        try:
            connection.connect()
            plain: socket.socket = connection.sock
            return _Link(self._trust.wrap_socket(plain, server_hostname=self._host) if self._trust else plain)
        except (OSError, HTTPException) as error:
            connection.close()
            raise Unreached(type(error).__name__) from error


class _Link:
    """One connection: asks, and knows whether it can be used again."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._since = time.monotonic()

    def ask(self, method: str, request: bytes, seconds: float, limit: int) -> tuple[Answer, bool]:
        """Send a request and read its answer; tells as well whether the other side will take another."""
        timed = _Timed(self.sock)
        timed.allow(seconds)
        try:
            self.sock.settimeout(seconds)
            self.sock.sendall(request)
            response = HTTPResponse(timed, method=method)  # type: ignore[arg-type] # as much of a socket as it uses
            response.begin()
            timed.allow(seconds)
            body = _unpacked(response.headers, _body(response, limit), limit)
        except Broken:
            raise
        except (OSError, HTTPException, zlib.error) as error:
            raise Broken(type(error).__name__) from error
        self._since = time.monotonic()
        return Answer(response.status, response.headers, body), not response.will_close

    def good(self) -> bool:
        """Tell whether it was in use a moment ago and the other side has said nothing since, as it does to close."""
        return time.monotonic() - self._since < IDLE_SECONDS and not _readable(self.sock)

    def close(self) -> None:
        self.sock.close()


class _Timed(io.RawIOBase):
    """Reads a socket until a moment: a limit for every single read would start anew with every byte."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._end = 0.0

    def allow(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self.sock.settimeout(left)
        return self.sock.recv_into(buffer)


def failure(error: Exception) -> Outcome:
    """Tell what provably never left this machine from what may have arrived; anything odd is unknown."""
    if isinstance(error, Unsendable):
        return Outcome(
            OutcomeKind.rejected, reason=Reason.bad_text, detail=f"cannot be written down: {error}"
        )
    if isinstance(error.__cause__, ssl.SSLCertVerificationError):
        return Outcome(OutcomeKind.auth, reason=Reason.setup, detail="the certificate is not trusted")
    if isinstance(error, Unreached):
        return Outcome(OutcomeKind.temporary, reason=Reason.network, detail=str(error))
    if isinstance(error, Broken):
        return Outcome(OutcomeKind.unknown, reason=Reason.network, detail=str(error))
    return Outcome(OutcomeKind.unknown, reason=Reason.other, detail=type(error).__name__)


def retry_after(value: str | None) -> float | None:
    """Read Retry-After, seconds or an HTTP date (RFC 9110, 10.2.3), as seconds from 0 to an hour."""
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        seconds = _until(value)
    return None if math.isnan(seconds) else min(max(seconds, 0.0), MAX_PATIENCE)


def masked(message: str, private: str = "") -> str:
    """Return a carrier's sentence as one short line without our text `private` and without full numbers."""
    cleaned = message.replace(private, "...") if private else message
    return re.sub(r"\+?\d[\d ()/-]{4,}\d", "...", " ".join(cleaned.split()))[:200]


def basic(user: str, password: str) -> str:
    """Return the Authorization of user and password (RFC 7617, in UTF-8)."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def _written(method: str, target: str, lines: Mapping[str, str], body: bytes | None) -> bytes:
    """Write a request down as it goes over the wire, at once with its body; raises Unsendable."""
    if body is not None:
        lines = {**lines, "Content-Length": str(len(body))}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    # As many line ends as lines: none of them was broken into two.
    well = _LINE.fullmatch(f"{method} {target}") and _HEAD.fullmatch(head)
    if not well or head.count("\r\n") != len(lines):
        raise Unsendable("a control character or white space")
    try:
        return f"{method} {target} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + (body or b"")
    except ValueError as error:
        raise Unsendable(type(error).__name__) from None


def _form(data: Mapping[str, Any] | None) -> bytes | None:
    return None if data is None else _encoded(data).encode()


def _encoded(pairs: Mapping[str, Any] | None) -> str:
    """Return pairs as a form or query has them: a list gives several, None none; raises Unsendable."""
    if not pairs:
        return ""
    several = [
        (name, one)
        for name, value in pairs.items()
        for one in (value if isinstance(value, list | tuple) else (value,))
        if one is not None
    ]
    try:
        return urlencode(several)
    except ValueError as error:
        raise Unsendable(type(error).__name__) from None


def _body(response: HTTPResponse, limit: int) -> bytes:
    body = response.read(limit + 1)
    if len(body) > limit:
        raise TooLong("the answer is too long")
    if response.length:
        raise http.client.IncompleteRead(body, response.length)
    return body


def _unpacked(headers: HTTPMessage, body: bytes, limit: int) -> bytes:
    """Return what an answer says: some layers pack although we ask them not to."""
    if headers.get("Content-Encoding", "identity").lower() not in ("gzip", "x-gzip", "deflate"):
        return body
    unpacking = zlib.decompressobj(wbits=47)  # gzip or zlib, whichever it is
    unpacked = unpacking.decompress(body, limit + 1)
    if len(unpacked) > limit:
        raise TooLong("the answer is too long")
    if not unpacking.eof:
        raise Broken("the answer is cut")
    return unpacked


def _readable(sock: socket.socket) -> bool:
    waiting = select.poll()
    waiting.register(sock, select.POLLIN)
    return bool(waiting.poll(0))


def _trust() -> ssl.SSLContext:
    """Return what checks certificates: against the system's authorities and, as some systems have none, Mozilla's."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


class _Proxy(NamedTuple):
    host: str
    port: int
    lines: dict[str, str]


def _proxy(scheme: str, host: str) -> _Proxy | None:
    """Return the proxy that the environment names; it leads outside, never to this machine itself."""
    if host in LOOPBACK or proxy_bypass(host):
        return None
    named = getproxies()
    address = named.get(scheme) or named.get("all")
    if not address:
        return None
    parts = urlsplit(address if "://" in address else f"http://{address}")
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    lines = {"Proxy-Authorization": basic(user, password)} if user else {}
    return _Proxy(parts.hostname or "", parts.port or 80, lines)


def _until(value: str) -> float:
    """Return the seconds from now to an HTTP date: its clock and the network's are the real ones."""
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return math.nan
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - datetime.now(UTC)).total_seconds()
