"""The flask commands: what they print, and the one line they say when they cannot."""

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner

from app import create_app
from sms import accounts, clock, config, health
from sms.db import database
from sms.models import Account, ApiKey, User

ROOT = Path(__file__).parent.parent
Invoke = Callable[..., tuple[int, str, str]]


@pytest.fixture
def site(settings: config.Settings, database_file: Path) -> Flask:
    return create_app(settings)


@pytest.fixture
def invoke(site: Flask) -> Invoke:
    """Run a command; return exit code, standard output and standard error."""
    runner: FlaskCliRunner = site.test_cli_runner(mix_stderr=False)

    def run(*words: str, typed: str | None = None) -> tuple[int, str, str]:
        result = runner.invoke(args=words, input=typed)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.exit_code, result.stdout, result.stderr

    return run


@pytest.fixture
def look(site: Flask) -> Callable[[Callable[[], object]], object]:
    """Look into the database afterwards."""

    def looking(at: Callable[[], object]) -> object:
        with database.connection_context():
            return at()

    return looking


def test_account_add_prints_the_id_alone(invoke: Invoke, look: Callable[..., object]):
    code, said, _ = invoke("account", "add", "Autohaus Meyer")
    assert code == 0
    assert look(lambda: Account.get_by_id(int(said)).name) == "Autohaus Meyer"
    assert said == f"{int(said)}\n"


def test_account_without_a_name_is_refused_in_one_line(invoke: Invoke):
    code, said, told = invoke("account", "add", " ")
    assert (code, said) == (2, "")
    assert len(told.splitlines()) == 1
    assert "name" in told


def test_account_price_sets_what_it_is_given_and_prints_the_prices(
    invoke: Invoke, look: Callable[..., object]
):
    assert invoke("account", "price", "1") == (0, "SMS - minute -\n", "")
    assert invoke("account", "price", "1", "--sms", "0,075") == (0, "SMS 0.075 minute -\n", "")
    assert invoke("account", "price", "1", "--minute", "0.10") == (0, "SMS 0.075 minute 0.10\n", "")
    assert look(lambda: Account.get_by_id(1).price_part) == 7_500
    assert invoke("account", "price", "1", "--sms", "") == (0, "SMS - minute 0.10\n", "")
    code, said, told = invoke("account", "price", "1", "--sms", "cheap")
    assert (code, said, len(told.splitlines())) == (2, "", 1)
    assert invoke("account", "price", "99")[0] == 2


def test_user_add_prints_a_link_that_sets_the_password(
    invoke: Invoke, site: Flask, settings: config.Settings, look: Callable[..., object]
):
    code, said, _ = invoke(
        "user", "add", "eva@praxis.example", "--account", "1", "--role", "owner", "--name", "Eva"
    )
    assert code == 0
    assert said.startswith(settings.public_url + "/")
    token = said.strip().rpartition("/")[2]
    assert look(lambda: accounts.user_for_token(token).email) == "eva@praxis.example"
    assert site.test_client().get(said.strip().removeprefix(settings.public_url)).status_code == 200


def test_user_add_takes_a_password_from_standard_input(invoke: Invoke, look: Callable[..., object]):
    code, said, _ = invoke(
        "user", "add", "eva@praxis.example", "--account", "1", "--role", "agent", "--password-stdin",
        typed="Wolle und Nadel 7\n",
    )  # fmt: skip
    assert (code, said) == (0, "")
    assert look(
        lambda: accounts.verify_password(
            accounts.find_user_by_email("eva@praxis.example"), "Wolle und Nadel 7"
        )
    )


@pytest.mark.parametrize(
    "words",
    [
        ("user", "add", "eva@praxis.example", "--account", "999", "--role", "agent"),
        ("user", "add", "anna.weber@praxis-lindner.example", "--account", "1", "--role", "agent"),
        ("user", "add", "no address", "--account", "1", "--role", "agent"),
        ("user", "add", "eva@praxis.example", "--account", "1", "--role", "king"),
        ("api-key", "add", "--account", "999", "--name", "Kalender"),
        ("api-key", "add", "--account", "1", "--name", ""),
    ],
)
def test_command_that_cannot_be_done_says_so_and_changes_nothing(
    invoke: Invoke, look: Callable[..., object], words: tuple[str, ...]
):
    def count() -> tuple[int, int]:
        return User.select().count(), ApiKey.select().count()

    before = look(count)
    code, said, told = invoke(*words)
    assert (code, said) == (2, "")
    assert told.splitlines()[-1].startswith("Error: ")
    assert look(count) == before


def test_an_empty_password_makes_no_user(invoke: Invoke, look: Callable[..., object]):
    code, _, told = invoke(
        "user",
        "add",
        "eva@praxis.example",
        "--account",
        "1",
        "--role",
        "agent",
        "--password-stdin",
        typed="\n",
    )
    assert code == 2
    assert "password" in told
    assert look(lambda: accounts.find_user_by_email("eva@praxis.example")) is None


def test_api_key_add_prints_a_key_that_opens_the_account(invoke: Invoke, look: Callable[..., object]):
    code, said, _ = invoke("api-key", "add", "--account", "1", "--name", "Kalender")
    assert code == 0
    assert look(lambda: accounts.account_for_key(said.strip()).id) == 1


def test_migrating_twice_does_nothing_the_second_time(invoke: Invoke):
    assert invoke("db", "migrate") == (0, "Nothing to do.\n", "")


def test_smpp_keeps_no_link_that_nobody_has_configured(invoke: Invoke):
    code, _, told = invoke("smpp", "sandbox")
    assert code == 2
    assert told == "Error: FADEN_CARRIERS: there is no carrier sandbox of the kind smpp\n"


def test_carrier_check_fails_where_a_carrier_does_not_answer(invoke: Invoke):
    code, said, _ = invoke("carrier", "check")
    assert code == 1
    assert said.startswith("sandbox: ")
    assert "4 numbers" in said


def test_carrier_check_tells_how_a_carrier_stands(people, invoke: Invoke):
    with database.connection_context():
        health.stop("sandbox", clock.now() + timedelta(minutes=1), "20003 Authenticate")
    assert "4 numbers, stopped: 20003 Authenticate" in invoke("carrier", "check")[1]
    with database.connection_context():
        health.pause("sandbox", people.operator)
    assert "4 numbers, paused" in invoke("carrier", "check")[1]


def flask(data: Path, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("FADEN_")}
    return subprocess.run(
        [sys.executable, "-m", "flask", "--app", "app", *words],
        cwd=ROOT, env={**clean, "FADEN_DATA": str(data), **environ}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip


def test_command_on_an_empty_database_says_what_to_do_and_then_works(tmp_path: Path):
    early = flask(tmp_path, "account", "add", "Praxis")
    assert early.returncode == 2
    assert early.stderr == "Error: The database is not up to date. Run: flask --app app db migrate\n"
    assert flask(tmp_path, "db", "migrate").returncode == 0
    assert flask(tmp_path, "account", "add", "Praxis").stdout == "1\n"


def test_wrong_setting_stops_every_command_with_one_line(tmp_path: Path):
    ran = flask(tmp_path, "worker", FADEN_QUEUE_URL="carrier pigeons")
    assert ran.returncode == 2
    assert ran.stderr == "Error: FADEN_QUEUE_URL: expected sqlite, postgresql://... or redis://...\n"


def test_sandbox_refuses_to_start_beside_a_real_carrier(tmp_path: Path):
    ran = flask(tmp_path, "sandbox", TWILIO_AUTH_TOKEN="0" * 32)
    assert ran.returncode == 2
    assert "TWILIO_AUTH_TOKEN" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_web_on_a_taken_port_says_so(tmp_path: Path):
    import socket

    flask(tmp_path, "db", "migrate")
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        ran = flask(tmp_path, "web", PORT=str(holder.getsockname()[1]))
    assert ran.returncode == 2
    assert "cannot be used" in ran.stderr
