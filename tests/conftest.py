"""People with names, a database of their own for every test, and browsers that are signed in."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from sms import accounts, clock, config, db, queue
from sms.models import Account, User
from tests import database
from tests.crowd import PATIENCE

CHROMIUM_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]
SECRET = "only-for-tests-0123456789abcdefghij"
PASSWORD = "Wolle und Garn 7"
API_KEY = "fdn_test_key_of_the_practice"
OTHER_API_KEY = "fdn_test_key_of_the_garage"


@dataclass(frozen=True)
class People:
    account: int
    anna: int
    jonas: int
    owner: int
    operator: int
    other_account: int
    stranger: int


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[database.Source, People]]:
    """A migrated database with a practice and a garage, made once; `fresh` gives a test its copy."""
    source = database.source(tmp_path_factory.mktemp("template"))
    people = source.fill(_settle)
    yield source, people
    source.close()


def _settle() -> People:
    accounts.use_secret(SECRET)
    practice = accounts.add_account("Praxis Dr. Lindner")
    anna = accounts.add_user(practice, "anna.weber@praxis-lindner.example", "Anna Weber")
    jonas = accounts.add_user(practice, "jonas.krueger@praxis-lindner.example", "Jonas Krüger")
    owner = accounts.add_user(practice, "dr.lindner@praxis-lindner.example", "Dr. Maria Lindner", "owner")
    operator = accounts.add_user(practice, "betrieb@praxis-lindner.example", "Ole Betrieb", "operator")
    garage = accounts.add_account("Autohaus Brandt")
    stranger = accounts.add_user(garage, "kai.brandt@autohaus.example", "Kai Brandt", "owner")
    accounts.set_password(anna, PASSWORD)
    for user in (jonas, owner, operator, stranger):
        User.update(password_hash=anna.password_hash, epoch=1).where(User.id == user.id).execute()
    accounts.add_api_key(practice, "Praxissoftware", API_KEY)
    accounts.add_api_key(garage, "Werkstattplaner", OTHER_API_KEY)
    return People(practice.id, anna.id, jonas.id, owner.id, operator.id, garage.id, stranger.id)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """The one real browser of a test process: Playwright cannot be started twice in it."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE * 1000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture(autouse=True)
def _machine_time() -> Iterator[None]:
    yield
    clock.reset()


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let time stand still where the test does not move it: what it counts does not hang on how fast it runs."""
    moment = datetime.now(UTC)
    monkeypatch.setattr(clock, "datetime", SimpleNamespace(now=lambda zone: moment.astimezone(zone)))


@pytest.fixture
def settings(tmp_path: Path) -> config.Settings:
    """Settings of a demo set-up whose data lie in a folder of this test."""
    data = tmp_path / "data"
    return config.load(
        {
            "FADEN_DATA": str(data),
            "FADEN_DATABASE_URL": database.url(data),
            "FADEN_SECRET_KEY": SECRET,
            "PORT": "64000",
        }
    )


@pytest.fixture
def database_file(
    settings: config.Settings, template: tuple[database.Source, People], monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """A fresh database with the people in it; the test's own connection is open until its end."""
    template[0].fresh(settings)
    db.connect(settings.database_url)
    monkeypatch.setattr(queue, "_huey", None)
    accounts.use_secret(SECRET)
    db.database.connect()
    yield settings.database_url
    db.database.close()
    db.database.close_all()
    template[0].done(settings)


@pytest.fixture
def people(template: tuple[database.Source, People]) -> People:
    return template[1]


@pytest.fixture
def account(database_file: str, people: People) -> Account:
    return Account.get_by_id(people.account)


@pytest.fixture
def other_account(database_file: str, people: People) -> Account:
    return Account.get_by_id(people.other_account)


@pytest.fixture
def anna(database_file: str, people: People) -> User:
    """An agent of the practice."""
    return User.get_by_id(people.anna)


@pytest.fixture
def jonas(database_file: str, people: People) -> User:
    """Another agent of the practice."""
    return User.get_by_id(people.jonas)


@pytest.fixture
def owner(database_file: str, people: People) -> User:
    """The owner of the practice's account."""
    return User.get_by_id(people.owner)


@pytest.fixture
def operator(database_file: str, people: People) -> User:
    """Who runs the installation."""
    return User.get_by_id(people.operator)


@pytest.fixture
def stranger(database_file: str, people: People) -> User:
    """The owner of another account."""
    return User.get_by_id(people.stranger)


class Shared:
    """One application for many tests: building it and compiling its templates takes longer than most of them."""

    def __init__(self) -> None:
        self._app: Flask | None = None
        self._as_built: tuple[Any, ...] = ()

    def point(self, settings: config.Settings) -> Flask:
        """Return it as if it had just been built for these settings."""
        from app import create_app, point

        if self._app is None or self._as_built != self._parts():
            self._app = create_app(settings)
            self._as_built = self._parts()
            self._config = dict(self._app.config)
            self._extensions = dict(self._app.extensions)
            return self._app
        self._app.config.clear()
        self._app.config.update(self._config)
        self._app.extensions.clear()
        self._app.extensions.update(self._extensions)
        self._app.test_client_class = None
        # Flask refuses routes after the first request; an application that a test gives some is not used again.
        self._app._got_first_request = False
        point(self._app, settings)
        return self._app

    def _parts(self) -> tuple[Any, ...]:
        app = self._app
        assert app is not None
        hooks = (
            app.before_request_funcs,
            app.after_request_funcs,
            app.teardown_request_funcs,
            app.error_handler_spec,
        )
        counted = tuple(sum(map(len, found.values())) for found in hooks)
        return len(app.view_functions), len(app.jinja_env.globals), len(app.jinja_env.filters), *counted


@pytest.fixture(scope="session")
def shared_app() -> Shared:
    return Shared()


@pytest.fixture
def app(settings: config.Settings, database_file: str, shared_app: Shared) -> Flask:
    made = shared_app.point(settings)
    db.database.connect(reuse_if_open=True)
    made.testing = True
    # Faults reach the test instead of becoming a page; the tests of the error pages switch this off.
    made.config["PROPAGATE_EXCEPTIONS"] = True
    return made


@pytest.fixture
def visitor(app: Flask) -> FlaskClient:
    """A browser without a session; it checks every page it is shown."""
    from tests.browser import Browser

    app.test_client_class = Browser
    return app.test_client()


@pytest.fixture
def client(app: Flask, anna: User) -> FlaskClient:
    """A browser in which Anna is signed in; it sends the CSRF token by itself and checks every page."""
    return sign_in(app, anna)


@pytest.fixture
def owner_client(app: Flask, owner: User) -> FlaskClient:
    return sign_in(app, owner)


def sign_in(app: Flask, user: User) -> FlaskClient:
    """A browser in which this user is signed in."""
    from tests.browser import Browser

    app.test_client_class = Browser
    browser = app.test_client()
    with browser.session_transaction() as session:
        session["_user_id"] = user.get_id()
        session["_fresh"] = True
    return browser


class Program:
    """A program that uses the API: JSON in, JSON out, with a bearer key."""

    def __init__(self, client: FlaskClient, key: str = API_KEY) -> None:
        self.client, self.key = client, key

    def open(
        self, method: str, path: str, json: Any = None, headers: dict[str, str] | None = None, **more: Any
    ):
        own = {"Authorization": f"Bearer {self.key}", **(headers or {})}
        if json is not None:
            more["json"] = json
        return self.client.open(path, method=method, headers=own, **more)

    def get(self, path: str, **more: Any):
        return self.open("GET", path, **more)

    def post(self, path: str, json: Any = None, **more: Any):
        return self.open("POST", path, json, **more)

    def put(self, path: str, json: Any = None, **more: Any):
        return self.open("PUT", path, json, **more)

    def delete(self, path: str, **more: Any):
        return self.open("DELETE", path, **more)


@pytest.fixture
def api(app: Flask) -> Program:
    """A program with the practice's key."""
    app.test_client_class = None
    return Program(app.test_client())


@pytest.fixture
def other_api(app: Flask) -> Program:
    """A program with another account's key."""
    app.test_client_class = None
    return Program(app.test_client(), OTHER_API_KEY)
