"""A host on loopback that gives out calendars, well or badly: what stands at a path is a function or an answer."""

import gzip
import hashlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest

ICS = "text/calendar; charset=utf-8"


@dataclass
class Asked:
    """A request that came."""

    path: str
    headers: dict[str, str]


@dataclass
class CalendarHost:
    """Answers GET; every request is noted."""

    asked: list[Asked] = field(default_factory=list)
    places: dict[str, Callable[["Handler"], None]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        host = self

        class Mine(Handler):
            owner = host

        self.server = _Server(("127.0.0.1", 0), Mine)
        self.port = self.server.server_port
        self.ending = threading.Event()
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def url(self, path: str = "/praxis.ics", name: str = "127.0.0.1") -> str:
        return f"http://{name}:{self.port}{path}"

    def close(self) -> None:
        self.ending.set()
        self.server.shutdown()
        self.server.server_close()

    def serve(
        self,
        body: bytes | str,
        path: str = "/praxis.ics",
        status: int = 200,
        kind: str = ICS,
        headers: dict[str, str] | None = None,
    ) -> None:
        """Answer with this; a calendar has an ETag, and who names it is told that nothing is new."""
        data = body.encode() if isinstance(body, str) else body
        etag = f'"{hashlib.sha256(data).hexdigest()[:16]}"'

        def answer(handler: Handler) -> None:
            if status == 200 and handler.headers.get("If-None-Match") == etag:
                handler.say(304, b"", {"ETag": etag})
                return
            own = {"Content-Type": kind} | ({"ETag": etag} if status == 200 else {})
            handler.say(status, data, own | (headers or {}))

        self.places[path] = answer

    def serve_each_time(self, made: Callable[[int], str], path: str = "/praxis.ics") -> None:
        """Answer the nth request (from 0) with what `made` says, without any mark of a version."""
        counted = iter(range(10_000))

        def answer(handler: Handler) -> None:
            handler.say(200, made(next(counted)).encode(), {"Content-Type": ICS})

        self.places[path] = answer

    def redirect(self, path: str, to: str, status: int = 302) -> None:
        self.places[path] = lambda handler: handler.say(status, b"", {"Location": to})

    def zipped(self, body: bytes, path: str = "/praxis.ics") -> None:
        data = gzip.compress(body)
        self.places[path] = lambda h: h.say(200, data, {"Content-Type": ICS, "Content-Encoding": "gzip"})


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that is cut is what the tests want."""


class Handler(BaseHTTPRequestHandler):
    owner: CalendarHost

    def do_GET(self) -> None:
        self.owner.asked.append(Asked(self.path, dict(self.headers.items())))
        place = self.owner.places.get(urlsplit(self.path).path)
        if place is None:
            self.say(404, b"<html>nothing</html>", {"Content-Type": "text/html"})
            return
        place(self)

    def say(self, status: int, body: bytes, headers: dict[str, str], length: int | None = None) -> None:
        """Answer; `length` is what is promised where that is not what comes."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 304:
            self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def host() -> Iterator[CalendarHost]:
    made = CalendarHost()
    yield made
    made.close()


def calendar(*events: str, **properties: str) -> str:
    """A calendar file of events that `event` has written."""
    more = "".join(f"{name}:{value}\r\n" for name, value in properties.items())
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Praxis//Test//DE\r\n{more}{''.join(events)}END:VCALENDAR\r\n"


def event(uid: str, start: str, summary: str, *more: str) -> str:
    """An event of half an hour on Berlin's wall clock; `start` is 20270330T090000."""
    lines = [
        "BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20261101T080000Z", f"DTSTART;TZID=Europe/Berlin:{start}",
        "DURATION:PT30M", f"SUMMARY:{summary}", *more, "END:VEVENT",
    ]  # fmt: skip
    return "\r\n".join(lines) + "\r\n"
