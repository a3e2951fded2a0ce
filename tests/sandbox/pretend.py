"""The sandbox on a free port, and a customer's server that checks every signature it receives."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import requests
from flask import Response, request
from twilio.http.http_client import TwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from sms.config import Settings
from sms.sandbox.app import create_app
from sms.sandbox.serve import Running
from tests.crowd import PATIENCE

MARGARETHE = "+491713920042"
TORSTEN = "+491713920033"
ILSE = "+493023125640"
KURT = "+491713920077"
"""Nobody has heard of Kurt's phone: it is on."""
HERTA = "+493023125777"
"""Nor of Herta's landline."""
OUR_NUMBER = "+491713920010"
OUR_VOICE = "+493023125100"


def until(condition: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """Return the first true value of a condition that another process brings about."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError("it never came true")


@dataclass
class Request:
    path: str
    form: dict[str, str]
    signed: bool


@dataclass
class Customer:
    """The customer's web server: hands out what tests put into `answers`, remembers every request."""

    url: str = ""
    token: str = ""
    requests: list[Request] = field(default_factory=list)
    answers: dict[str, Any] = field(default_factory=dict)

    def at(self, path: str) -> list[Request]:
        return [r for r in self.requests if r.path.partition("?")[0] == path]

    def statuses(self, path: str = "/status") -> list[str]:
        return [r.form.get("MessageStatus") or r.form.get("CallStatus", "") for r in self.at(path)]

    def take(self) -> Response:
        full = self.url + request.environ["RAW_URI"]
        signature = request.headers.get("X-Twilio-Signature", "")
        signed = RequestValidator(self.token).validate(full, request.form, signature)
        path = request.environ["RAW_URI"]
        self.requests.append(Request(path, request.form.to_dict(), signed))
        answer = self.answers.get(path, self.answers.get(request.path, ("", 204, "text/plain")))
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        body, status, kind = answer(request) if callable(answer) else answer
        return Response(body, status, mimetype=kind)

    def twiml(self, path: str, *verbs: str) -> str:
        """Serve a TwiML document; returns its address."""
        self.answers[path] = (
            f"<?xml version='1.0' encoding='UTF-8'?><Response>{''.join(verbs)}</Response>",
            200,
            "text/xml",
        )
        return self.url + path


class Sandbox:
    """The running sandbox as a test sees it: by HTTP alone."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.start()

    def start(self) -> None:
        self.running = Running(create_app(self.settings), "127.0.0.1", self.settings.port + 1).start()
        self.url = self.running.url
        self.account = requests.get(f"{self.url}/api/account", timeout=5).json()

    def stop(self) -> None:
        self.running.stop()

    def get(self, path: str) -> Any:
        return requests.get(self.url + path, timeout=30).json()

    def put(self, path: str, **body: Any) -> requests.Response:
        return requests.put(self.url + path, json=body, timeout=30)

    def post(self, path: str, **body: Any) -> requests.Response:
        return requests.post(self.url + path, json=body, timeout=90)

    def phone(self, number: str) -> Any:
        return self.get(f"/api/phones/{number}")

    def set(self, number: str, **properties: Any) -> None:
        assert self.put(f"/api/phones/{number}", **properties).status_code == 200

    @property
    def root(self) -> str:
        return f"{self.url}/2010-04-01/Accounts/{self.account['sid']}"

    @property
    def auth(self) -> tuple[str, str]:
        return self.account["sid"], self.account["token"]

    def client(self, timeout: float = 10) -> Client:
        client = Client(*self.auth, http_client=TwilioHttpClient(timeout=timeout))
        client.api.base_url = self.url
        return client
