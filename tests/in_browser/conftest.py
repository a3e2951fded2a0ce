"""A real server in a process of its own, a real browser, and the test's own connection to the same database."""

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from playwright.sync_api import Browser, BrowserContext, Page

from sms import accounts, config, db, exchange, queue
from sms.models import Account, User
from tests import database
from tests.conftest import SECRET, People
from tests.crowd import PATIENCE
from tests.ports import free_port

T = TypeVar("T")
ARTIFACTS = Path(__file__).parents[1] / ".artifacts"


@dataclass(frozen=True)
class Site:
    """A running server: its address, its settings, and how to start it again."""

    url: str
    settings: config.Settings
    people: People
    environment: dict[str, str]
    processes: list[subprocess.Popen[bytes]]

    def restart(self) -> None:
        """Stop the server as an update does, and start it again at the same address."""
        stop(self.processes.pop())
        self.processes.append(start(self.environment))


def stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait(PATIENCE)


def start(environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """Start the web server and wait until it answers."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.in_browser.server"],
        env={**os.environ, **environment},
        cwd=Path(__file__).parents[2],
        stdout=subprocess.DEVNULL,
        stderr=(Path(environment["FADEN_DATA"]) / "web.log").open("ab"),
    )
    address = f"http://127.0.0.1:{environment['PORT']}/healthz"
    end = time.monotonic() + 2 * PATIENCE
    while process.poll() is None and time.monotonic() < end:
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return process
        except OSError:
            time.sleep(0.02)
    process.kill()
    raise RuntimeError((Path(environment["FADEN_DATA"]) / "web.log").read_text())


@pytest.fixture(scope="module")
def site(
    template: tuple[database.Source, People], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    data = tmp_path_factory.mktemp("site")
    environment = {
        "FADEN_DATA": str(data),
        "FADEN_DATABASE_URL": database.url(data),
        "FADEN_SECRET_KEY": SECRET,
        "PORT": str(free_port(2)),
        "HOST": "127.0.0.1",
    }
    settings = config.load(environment)
    template[0].fresh(settings)
    processes = [start(environment)]
    db.connect(settings.database_url)
    exchange.connect(settings)
    accounts.use_secret(SECRET)
    db.database.connect()
    try:
        yield Site(f"http://127.0.0.1:{environment['PORT']}", settings, template[1], environment, processes)
    finally:
        db.database.close()
        db.database.close_all()
        stop(processes.pop())
        template[0].done(settings)


@pytest.fixture(autouse=True)
def _no_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is delivered: the tests themselves move messages on."""
    monkeypatch.setattr(queue, "_huey", None)


@pytest.fixture
def account(site: Site) -> Account:
    return Account.get_by_id(site.people.account)


@pytest.fixture
def anna(site: Site) -> User:
    return User.get_by_id(site.people.anna)


@pytest.fixture
def jonas(site: Site) -> User:
    return User.get_by_id(site.people.jonas)


def session_of(user: User) -> str:
    """Return the cookie of a signed-in person, made as Flask makes it."""
    app = Flask("sms")
    app.secret_key = SECRET
    signer = SecureCookieSessionInterface().get_signing_serializer(app)
    assert signer is not None
    return str(signer.dumps({"_user_id": user.get_id(), "_fresh": True}))


class Visitors:
    """Signs people in, each in a browser of their own, and notes what the console complains of."""

    def __init__(self, chromium: Browser, site: Site) -> None:
        self._chromium, self._site = chromium, site
        self._contexts: list[BrowserContext] = []
        self.complaints: list[str] = []

    def open(self, user: User, path: str = "/inbox?view=open", **options) -> Page:
        """Return a page on which this person is signed in; nothing moves on it, so what is looked at is at rest."""
        usual = {"locale": "de-DE", "reduced_motion": "reduce"}
        context = self._chromium.new_context(base_url=self._site.url, **{**usual, **options})
        self._contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE * 1000)
        page.on("console", self._listen)
        page.on(
            "response",
            lambda r: (
                r.status >= 400
                and self.complaints.append(f"{r.status} {r.url} {r.request.headers} {r.request.post_data}")
            ),
        )
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        context.add_cookies([{"name": "faden", "value": session_of(user), "url": self._site.url}])
        page.goto(path)
        return page

    def _listen(self, message) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.text} ({message.location.get('url', '')})")

    def leave(self) -> None:
        for context in self._contexts:
            context.close()


@pytest.fixture
def visitors(chromium: Browser, site: Site) -> Iterator[Visitors]:
    made = Visitors(chromium, site)
    yield made
    made.leave()


def connected(page: Page) -> None:
    """Wait until the page's stream is open."""
    until(page, "document.getElementById('live')?._htmx?.sse?.status === 200")


def until(page: Page, script: str) -> None:
    """Wait until a script says yes; Playwright's own `wait_for_function` is refused by the policy of our pages."""
    soon(lambda: page.evaluate(script) or page.wait_for_timeout(30))


def soon(true: Callable[[], T]) -> T:
    """Return the first true answer of what the server brings about, a moment after the page shows it perhaps."""
    end = time.monotonic() + PATIENCE
    while not (found := true()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)
    return found


def shot(page: Page, name: str) -> None:
    """Keep a picture in tests/.artifacts, for people who want to see the pages: FADEN_TEST_PICTURES=1."""
    if os.environ.get("FADEN_TEST_PICTURES"):
        ARTIFACTS.mkdir(exist_ok=True)
        page.screenshot(path=ARTIFACTS / f"{name}.png")
