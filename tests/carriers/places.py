"""A whole Faden at a carrier of each kind: its web server, its worker and the network beyond it, over real wires."""

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.serving import make_server

from sms import calling, clock, config, outbox, pump, receiving, unknown
from sms.models import Message
from sms.sandbox.app import create_app as create_sandbox
from sms.sandbox.serve import Running
from tests.carriers.smpp.bound import Practice
from tests.carriers.websms_network import WebsmsNetwork
from tests.conftest import SECRET
from tests.crowd import PATIENCE
from tests.database import url
from tests.network import Town
from tests.peers.smsc import Centre
from tests.ports import free_port

SECRET_OF_CALLBACKS = "a-secret_of-32-letters-or-so"
POOL, VOICE = "+491713920010", "+493023125100"
WEBSMS = f"""
[[carrier]]
name = "websms"
kind = "websms"
rate = 500
numbers = [{{ number = "{POOL}", sms = true, voice = false }}, {{ number = "{VOICE}", sms = false, voice = true }}]
base_url = "%s"
access_token_env = "WEBSMS_TOKEN"
callback_secret_env = "WEBSMS_SECRET"
callback_addresses = "127.0.0.0/8"
read_timeout = 1.0
"""
CENTRE = f"""
[[carrier]]
name = "centre"
kind = "smpp"
rate = 500
numbers = ["{POOL}"]
host = "127.0.0.1"
port = %d
system_id = "sms"
password_env = "CENTRE_PASSWORD"
response_seconds = 2
reconnect_seconds = 0.1
"""
ENVIRONMENT = {
    "WEBSMS_TOKEN": "t0ken",
    "WEBSMS_SECRET": SECRET_OF_CALLBACKS,
    "CENTRE_PASSWORD": "secret",
    "FADEN_SECRET_KEY": SECRET,
    "FADEN_VOICE_ENGINES": "espeak",
}


def settings_of(folder: Path, carriers: str = "") -> config.Settings:
    """Settings whose ports are free; without carriers the pretend network is the only one."""
    environment = {
        **ENVIRONMENT,
        "FADEN_DATA": str(folder / "data"),
        "FADEN_DATABASE_URL": url(folder / "data"),
        "PORT": str(free_port(2)),
    }
    if carriers:
        (folder / "carriers.toml").write_text(carriers, "utf-8")
        environment["FADEN_CARRIERS"] = str(folder / "carriers.toml")
    return config.load(environment)


class Place(ABC):
    """Faden at one carrier; the test is its worker."""

    NUMBERS: Mapping[str, Any]
    """How it can go here; what each means is the place's own affair."""

    def __init__(self, app: Flask, settings: config.Settings) -> None:
        app.test_client_class = None
        self.settings = settings
        self._web = make_server("127.0.0.1", settings.port, app, threaded=True)
        self._serving = threading.Thread(target=self._web.serve_forever, args=(0.05,), daemon=True)
        self._serving.start()

    def stop(self) -> None:
        self._web.shutdown()
        self._serving.join(5)
        self._web.server_close()

    @abstractmethod
    def number(self, how: str) -> str:
        """A recipient, as E.164, with whom it goes like this."""

    @abstractmethod
    def texts(self, number: str) -> list[str]:
        """What a phone shows."""

    @abstractmethod
    def text(self, number: str, body: str) -> None:
        """A phone writes to our number."""

    def work(self) -> None:
        """Do what the worker does, its sweeps included."""
        pump.work()
        calling.pump()
        outbox.sweep()
        calling.sweep()
        receiving.sweep()
        unknown.ask_about_unknown()

    def until(self, true: Callable[[], Any], seconds: float = PATIENCE, hurry: bool = False) -> Any:
        """Work until something is so; in a hurry the clock runs faster than the machine's."""
        end = time.monotonic() + seconds
        while not (found := true()):
            assert time.monotonic() < end, "it did not happen"
            self.work()
            time.sleep(0.02)
            if hurry:
                clock.shift(timedelta(seconds=0.2))
        return found

    def becomes(self, message: Message, status: str, hurry: bool = False) -> Message:
        """Work until a message has a status, and return it as it is then."""
        try:
            self.until(lambda: Message.get_by_id(message.id).status == status, hurry=hurry)
        except AssertionError:
            found = Message.get_by_id(message.id)
            raise AssertionError(f"is {found.status} ({found.reason} {found.error}), not {status}") from None
        return Message.get_by_id(message.id)


class AtTheSandbox(Place):
    """Twilio's adapter and the official SDK, at the pretend network."""

    NUMBERS = {
        "delivered": {},
        "no report": {"reports": "never"},
        "report twice": {"reports": "twice"},
        "later told less": {"reports": "reversed"},
        "cut": {},
        "too fast": {},
    }

    def __init__(self, app: Flask, settings: config.Settings) -> None:
        super().__init__(app, settings)
        self._sandbox = Running(create_sandbox(settings), "127.0.0.1", settings.port + 1).start()
        self.town = Town(self._sandbox.url, settings.public_url)

    def stop(self) -> None:
        self._sandbox.stop()
        super().stop()

    def number(self, how: str) -> str:
        number = f"+4917139200{list(self.NUMBERS).index(how):02d}"
        self.town.set(number, **self.NUMBERS[how])
        fault = {"cut": "cut", "too fast": "429"}.get(how)
        if fault:
            self.town.misbehave(messages=fault, count=1)
        return number

    def texts(self, number: str) -> list[str]:
        return self.town.texts(number)

    def text(self, number: str, body: str) -> None:
        self.town.text(number, body, POOL)


class ByDigits(Place):
    """A network to which the last two digits of a number say how it goes."""

    def number(self, how: str) -> str:
        return f"+4917139200{self.NUMBERS[how]}"


class AtWebsms(ByDigits):
    NUMBERS = {
        "delivered": "00",
        "not reached": "01",
        "refused on the way": "03",
        "no report": "04",
        "bad number": "05",
        "too fast": "06",
        "lost answer": "07",
        "cut": "08",
        "report first": "09",
        "report twice": "10",
        "later told less": "12",
        "in trouble": "17",
        "opted out": "19",
    }

    def __init__(self, app: Flask, settings: config.Settings, network: WebsmsNetwork) -> None:
        super().__init__(app, settings)
        self.network = network
        network.inbound_url = f"{settings.public_url}/carriers/websms/inbound?secret={SECRET_OF_CALLBACKS}"

    def texts(self, number: str) -> list[str]:
        return self.network.texts(number)

    def text(self, number: str, body: str) -> None:
        assert self.network.text(number, POOL, body).answer["statusCode"] == 2000


class AtTheCentre(ByDigits):
    """The bind runs in a thread of the test, as it otherwise does in a process of its own."""

    NUMBERS = {
        "delivered": "00",
        "not reached": "01",
        "refused on the way": "03",
        "no report": "04",
        "bad number": "05",
        "too fast": "06",
        "lost answer": "07",
        "cut": "08",
        "report first": "09",
        "report twice": "10",
        "in trouble": "17",
    }

    def __init__(self, app: Flask, settings: config.Settings, centre: Centre) -> None:
        super().__init__(app, settings)
        self.centre = centre
        self._practice = Practice(settings).start()

    def stop(self) -> None:
        self._practice.stop()
        super().stop()

    def texts(self, number: str) -> list[str]:
        return self.centre.texts(number)

    def text(self, number: str, body: str) -> None:
        assert set(self.centre.text(number.removeprefix("+"), POOL[1:], body)["acks"]) == {0}
