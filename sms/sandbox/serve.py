"""Run the sandbox until it is told to end.

Werkzeug's threaded server carries it, not granian: a pretend network has to misbehave on the wire, and only
here does a view get hold of the socket to close it without an answer (`cut`) or to sit on it for a minute
without holding up anybody else (`timeout`, `lost-answer`). It is one process by design.
"""

import logging
import signal
import threading
from collections.abc import Callable
from types import FrameType

from flask import Flask
from werkzeug.serving import BaseWSGIServer, ThreadedWSGIServer, WSGIRequestHandler

from sms.config import ConfigError, Settings
from sms.sandbox.app import create_app
from sms.sandbox.network import Network

REAL_CREDENTIALS = ("TWILIO_AUTH_TOKEN", "TWILIO_ACCOUNT_SID", "TWILIO_API_KEY", "TWILIO_API_SECRET")


class Quiet(WSGIRequestHandler):
    """HTTP/1.1 without a line in the log for every request: addresses here contain phone numbers."""

    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing."""


class Server(ThreadedWSGIServer):
    """A thread for every connection; none of them holds up the end."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 512


class Running:
    """The sandbox with its server in a thread; `url` is where it listens."""

    def __init__(self, app: Flask, host: str, port: int) -> None:
        self.app = app
        self.network: Network = app.extensions["network"]
        self.server: BaseWSGIServer = Server(host, port, app, Quiet)
        self.url = f"http://{host}:{self.server.server_port}"
        self._thread = threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True
        )

    def start(self) -> "Running":
        """Serve and work, with whatever the last run has left to do."""
        self.network.start()
        self._thread.start()
        return self

    def stop(self) -> None:
        """End within about two seconds."""
        self.server.shutdown()
        self.server.server_close()
        self.network.stop()


def refuse_beside_a_real_carrier(settings: Settings) -> None:
    """Raise ConfigError where a real carrier is configured: pretend and real texts must never mix."""
    if not settings.sandbox:
        raise ConfigError("The sandbox does not start beside real carriers: FADEN_CARRIERS is set")
    for name in REAL_CREDENTIALS:
        if settings.environ.get(name):
            raise ConfigError(
                f"The sandbox does not start beside a real carrier's credentials: {name} is set"
            )


def serve(settings: Settings) -> None:
    """Serve on settings.port + 1 until SIGTERM or SIGINT; raises ConfigError before it begins."""
    refuse_beside_a_real_carrier(settings)
    logging.basicConfig(level=logging.INFO, format="sandbox: %(message)s")
    try:
        running = Running(create_app(settings), settings.host, settings.port + 1)
    except (OSError, SystemExit):
        raise ConfigError(f"The sandbox cannot listen on port {settings.port + 1}: it is taken") from None
    end = threading.Event()
    _on_signals(end.set)
    running.start()
    end.wait()
    running.stop()


def _on_signals(act: Callable[[], None]) -> None:
    def handler(number: int, frame: FrameType | None) -> None:
        act()

    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, handler)
