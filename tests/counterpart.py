"""Two carriers on loopback that speak Twilio's REST interface for texts, each of which can be switched off."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from sms import clock, config, exchange
from tests import database

FIRST, SECOND = "first", "second"
POOL = {FIRST: ("+491713920010", "+491713920011"), SECOND: ("+491713920020", "+491713920021")}
VOICE = {FIRST: "+493023125100", SECOND: "+493023125200"}
OWN = "+491713920019"
"""Lives at the first carrier and is in no pool."""


@dataclass
class Taken:
    """A text that a carrier has taken."""

    sid: str
    to: str
    sender: str
    body: str
    at: datetime
    status: str = "sent"


@dataclass
class Counterpart:
    """One carrier: takes texts, lists them, and is switched off and on again at the same address."""

    taken: list[Taken] = field(default_factory=list)
    refusal: tuple[int, int] | None = None
    """HTTP status and error code of every answer while it is set."""
    refuses_texts_only: bool = False
    reads: int = 0

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._open: set[Any] = set()
        self._port = 0
        self._server: ThreadingHTTPServer | None = None
        self.on()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def on(self) -> None:
        """Listen; where it did before."""
        counterpart = self

        class Handler(_Handler):
            other = counterpart

        self._server = _Server(("127.0.0.1", self._port), Handler)
        self._port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def off(self) -> None:
        """End in the middle of everything: what is being asked is cut, whoever comes is refused."""
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()
        with self._lock:
            for connection in list(self._open):
                connection.close_request()
            self._open.clear()

    def bodies(self) -> list[str]:
        return [text.body for text in self.taken]

    def to(self, number: str) -> list[Taken]:
        return [text for text in self.taken if text.to == number]

    def take(self, form: dict[str, str]) -> Taken:
        with self._lock:
            sid = f"SM{self._port:08x}{len(self.taken):024x}"
            text = Taken(sid, form["To"], form["From"], form["Body"], clock.now())
            self.taken.append(text)
        return text


class _Server(ThreadingHTTPServer):
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that was cut is what the tests want."""


class _Handler(BaseHTTPRequestHandler):
    other: Counterpart
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.other._open.add(self)

    def finish(self) -> None:
        self.other._open.discard(self)
        super().finish()

    def close_request(self) -> None:
        try:
            self.connection.shutdown(2)
        except OSError:
            pass

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if self.other.refusal is not None:
            self._answer(*_error(*self.other.refusal))
            return
        text = self.other.take({name: values[0] for name, values in parse_qs(body).items()})
        self._answer(201, _record(text) | {"status": "queued"})

    def do_GET(self) -> None:
        self.other.reads += 1
        if self.other.refusal is not None and not self.other.refuses_texts_only:
            self._answer(*_error(*self.other.refusal))
            return
        parts = urlsplit(self.path)
        last = parts.path.rsplit("/", 1)[-1].removesuffix(".json")
        if last != "Messages":
            found = [text for text in self.other.taken if text.sid == last]
            self._answer(200, _record(found[0])) if found else self._answer(*_error(404, 20404))
            return
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        listed = [
            text
            for text in reversed(self.other.taken)
            if query.get("To", text.to) == text.to and query.get("From", text.sender) == text.sender
        ]
        listed = listed[: int(query.get("PageSize", 50))]
        self._answer(200, {"messages": [_record(text) for text in listed], "next_page_uri": None})

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


def _error(status: int, code: int) -> tuple[int, dict[str, Any]]:
    return status, {"code": code, "message": "no", "status": status}


def _record(text: Taken) -> dict[str, Any]:
    at = format_datetime(text.at)
    return {
        "sid": text.sid, "to": text.to, "from": text.sender, "body": text.body, "status": text.status,
        "direction": "outbound-api", "date_created": at, "date_sent": at, "date_updated": at, "error_code": None,
    }  # fmt: skip


def carriers_file(folder: Path, first: Counterpart, second: Counterpart) -> Path:
    """Write the FADEN_CARRIERS of both: numbers of their own, and one that only the first has."""
    tables = []
    for priority, (name, other) in enumerate(((FIRST, first), (SECOND, second)), 1):
        numbers = [f'{{ number = "{n}", voice = false }}' for n in POOL[name]]
        numbers.append(f'{{ number = "{VOICE[name]}", sms = false }}')
        if name == FIRST:
            numbers.append(f'{{ number = "{OWN}", voice = false, pool = false }}')
        tables.append(
            f'[[carrier]]\nname = "{name}"\nkind = "twilio"\npriority = {priority}\nrate = 1000\n'
            f"numbers = [{', '.join(numbers)}]\n"
            f'base_url = "{other.url}"\naccount_sid = "AC{priority:032x}"\nauth_token_env = "TOKEN"\n'
        )
    path = folder / "carriers.toml"
    path.write_text("\n".join(tables))
    return path


@pytest.fixture
def first() -> Iterator[Counterpart]:
    """The carrier that comes first by priority."""
    made = Counterpart()
    yield made
    made.off()


@pytest.fixture
def second() -> Iterator[Counterpart]:
    made = Counterpart()
    yield made
    made.off()


@pytest.fixture
def settings(tmp_path: Path, first: Counterpart, second: Counterpart) -> config.Settings:
    """Settings of an installation with both carriers."""
    data = tmp_path / "data"
    loaded = config.load(
        {
            "FADEN_DATA": str(data),
            "FADEN_DATABASE_URL": database.url(data),
            "FADEN_CARRIERS": str(carriers_file(tmp_path, first, second)),
            "FADEN_PUBLIC_URL": "https://sms.praxis.example",
            "TOKEN": "t0ken",
            "PORT": "64000",
        }
    )
    return replace(loaded, secret_key="only-for-tests-0123456789abcdefghij")


@pytest.fixture
def both(settings: config.Settings, database_file: str) -> Iterator[exchange.Exchange]:
    """Both carriers, connected to a fresh database."""
    made = exchange.connect(settings)
    yield made
    for carrier in made.carriers.values():
        carrier.close()
