"""Fixtures: the sandbox on a free port and the customer's server beside it."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from twilio.rest import Client
from werkzeug.serving import make_server

from sms import clock
from sms.config import Settings, load
from tests.ports import free_port
from tests.sandbox.pretend import Customer, Sandbox


@pytest.fixture
def customer() -> Iterator[Customer]:
    made = Customer()
    app = Flask("customer")
    app.add_url_rule("/", "root", made.take, methods=["GET", "POST"])
    app.add_url_rule("/<path:_>", "any", lambda _: made.take(), methods=["GET", "POST"])
    server = make_server("127.0.0.1", 0, app, threaded=True)
    made.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield made
    server.shutdown()
    server.server_close()


@pytest.fixture
def settings(tmp_path: Path, customer: Customer) -> Settings:
    port = free_port(2)
    return load({"FADEN_DATA": str(tmp_path), "PORT": str(port), "FADEN_PUBLIC_URL": customer.url})


@pytest.fixture
def sandbox(settings: Settings, customer: Customer) -> Iterator[Sandbox]:
    made = Sandbox(settings)
    customer.token = made.account["token"]
    yield made
    made.stop()
    clock.reset()


@pytest.fixture
def sdk(sandbox: Sandbox) -> Client:
    return sandbox.client()
