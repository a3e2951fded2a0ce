"""A stage for the demo: the real app and the pretend network in this process, on free ports and a movable clock.

The story began days ago. So that every report and every answer gets the moment at which it happened, the verbs,
the network and the webhooks run beside each other in one process whose clock is moved through the story.
"""

import dataclasses
import socket
import threading
import time
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any

import requests
from werkzeug.serving import WSGIRequestHandler, make_server

from sms import clock, queue
from sms.config import Settings
from sms.db import database
from sms.models import Call, Message
from sms.sandbox import app as network
from sms.sandbox.serve import Running
from sms.tasks.sweeps import tick

UNDER_WAY = ("queued", "sending")
OPEN_CALLS = ("planned", "placing", "queued", "ringing", "in-progress")


class _Silent(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing: this is no server that anybody visits."""


class Stage:
    """Web, network and clock of the story; use it in a `with`."""

    def __init__(self, settings: Settings):
        from app import create_app

        self.settings = _elsewhere(settings)
        self.web = make_server(
            self.settings.host,
            self.settings.port,
            create_app(self.settings),
            threaded=True,
            request_handler=_Silent,
        )
        queue.connect(self.settings.queue_url, self.settings.data, immediate=True)
        self.network = Running(network.create_app(self.settings), self.settings.host, self.settings.port + 1)
        self.http = requests.Session()

    def __enter__(self) -> "Stage":
        threading.Thread(target=self.web.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        self.network.start()
        database.connect(reuse_if_open=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        clock.reset()
        self.web.shutdown()
        self.network.stop()
        database.close()

    def travel(self, moment: datetime) -> None:
        """Move the clock on to a moment; what has happened in between is over, so never back."""
        if moment > clock.now() or not self._travelled:
            clock.shift(moment - clock.now())
            self._travelled = True

    _travelled = False

    def phone(self, number: str, **state: Any) -> None:
        """Change how a handset behaves."""
        self.http.put(f"{self.network.url}/api/phones/{number}", json=state, timeout=10).raise_for_status()

    def text_from(self, number: str, to: str, body: str) -> None:
        """Let a handset write; returns when its webhook has been answered."""
        answer = self.http.post(
            f"{self.network.url}/api/phones/{number}/messages", json={"to": to, "body": body}, timeout=20
        )
        if not answer.ok:
            raise RuntimeError(f"the handset could not write: {answer.text}")

    def settle(self, message: Message, report: bool = True, seconds: float = 12.0) -> None:
        """Let time pass until a message is sent and reported (a call: is over), at most so many real seconds."""
        self.travel(message.next_at or clock.now())
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self._is_under_way(message, report):
            self._pass_time()

    def first_try(self, message: Message, seconds: float = 6.0) -> None:
        """Let time pass until the first call of a voice message is over."""
        deadline = time.monotonic() + seconds
        over = Call.select().where(Call.message == message.id, Call.ended_at.is_null(False))
        while time.monotonic() < deadline and not over.exists():
            self._pass_time()

    def _pass_time(self) -> None:
        clock.shift(timedelta(seconds=0.15))
        tick()
        time.sleep(0.015)

    def _is_under_way(self, message: Message, report: bool) -> bool:
        status = Message.select(Message.status).where(Message.id == message.id).scalar()
        waiting = (*UNDER_WAY, "sent") if report else UNDER_WAY
        if message.channel != "voice":
            return status in waiting
        open_calls = Call.select().where(Call.message == message.id, Call.status.in_(OPEN_CALLS))
        return status in waiting or bool(open_calls.exists())


def _elsewhere(settings: Settings) -> Settings:
    """Return the settings with two neighbouring free ports of this machine."""
    while True:
        with socket.socket() as one, socket.socket() as two:
            one.bind(("127.0.0.1", 0))
            port = one.getsockname()[1]
            try:
                two.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
        return dataclasses.replace(
            settings, host="127.0.0.1", port=port, public_url=f"http://127.0.0.1:{port}"
        )
