"""A practice on the pretend phone network: Faden's web server and the sandbox, both real and on loopback."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.request import Request, urlopen

import pytest
from werkzeug.serving import make_server

from sms import calling, config, outbox, pump, queue, receiving, unknown
from sms.models import Call, Message
from sms.sandbox.app import create_app as create_sandbox
from sms.sandbox.serve import Running
from tests import database
from tests.conftest import SECRET
from tests.crowd import PATIENCE
from tests.ports import free_port

OUR = "00491713920010"
ILSE, MARGARETHE, TORSTEN = "00493023125640", "00491713920042", "00491713920033"


class Town:
    """What a test does on the network: phones text and call, the worker works, time is waited for in events."""

    def __init__(self, sandbox_url: str, faden_url: str) -> None:
        self.sandbox_url, self.url = sandbox_url, faden_url

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        request = Request(
            self.sandbox_url + path,
            None if body is None else json.dumps(body).encode(),
            {"Content-Type": "application/json"},
            method=method,
        )
        with urlopen(request, timeout=60) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def phone(self, number: str) -> Any:
        return self.ask("GET", f"/api/phones/{number}")

    def texts(self, number: str) -> list[str]:
        """Bodies of the texts that have arrived on a phone."""
        return [m["body"] for m in self.phone(number)["messages"] if m["direction"] == "incoming"]

    def set(self, number: str, **state: Any) -> Any:
        return self.ask("PUT", f"/api/phones/{number}", state)

    def text(self, number: str, body: str, to: str = OUR) -> Any:
        return self.ask("POST", f"/api/phones/{number}/messages", {"to": to, "body": body})

    def call(self, number: str, to: str) -> Any:
        return self.ask("POST", f"/api/phones/{number}/calls", {"to": to})

    def misbehave(self, **faults: Any) -> None:
        self.ask("PUT", "/api/faults", faults)

    def work(self) -> int:
        """Do what the worker would do now; returns how much there was."""
        return pump.work() + calling.pump()

    def sweep(self) -> None:
        """Do what the worker does once a second, and the questions to the carrier that it leaves to a job."""
        outbox.sweep()
        calling.sweep()
        receiving.sweep()
        unknown.ask_about_unknown()
        calling.ask_about_unknown()

    def until(self, true: Callable[[], Any], seconds: float = PATIENCE, working: bool = False) -> Any:
        """Wait for something that the network brings about, and return it."""
        end = time.monotonic() + seconds
        while not (found := true()):
            assert time.monotonic() < end, "it did not happen"
            if working:
                self.work()
            time.sleep(0.02)
        return found

    def status(self, message: Message) -> str:
        return str(Message.get_by_id(message.id).status)

    def becomes(self, message: Message, status: str, seconds: float = PATIENCE) -> Message:
        """Wait until a message has a status, and return it as it is then."""
        self.until(lambda: self.status(message) == status, seconds)
        return Message.get_by_id(message.id)

    def calls(self, message: Message) -> list[Call]:
        return list(Call.select().where(Call.message == message).order_by(Call.id))


@pytest.fixture
def settings(tmp_path_factory: pytest.TempPathFactory) -> config.Settings:
    """Settings whose ports are free."""
    port = free_port(2)
    data = tmp_path_factory.mktemp("town")
    return config.load(
        {
            "FADEN_DATA": str(data),
            "FADEN_DATABASE_URL": database.url(data),
            "FADEN_SECRET_KEY": SECRET,
            "PORT": str(port),
            "FADEN_VOICE_ENGINES": "pico,espeak",
        }
    )


@pytest.fixture
def town(app: Any, settings: config.Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    """The practice and its phones, running; the test itself is the worker."""
    monkeypatch.setattr(queue, "_huey", None)
    sandbox = Running(create_sandbox(settings), "127.0.0.1", settings.port + 1).start()
    app.test_client_class = None
    web = make_server("127.0.0.1", settings.port, app, threaded=True)
    serving = threading.Thread(target=web.serve_forever, daemon=True)
    serving.start()
    yield Town(sandbox.url, settings.public_url)
    sandbox.stop()
    web.shutdown()
    serving.join(5)
    web.server_close()
