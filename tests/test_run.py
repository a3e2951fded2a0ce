"""`make run` as a person and a machine use it: real processes, real ports, real signals."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.crowd import PATIENCE, crowd
from tests.ports import free_port

ROOT = Path(__file__).parent.parent
PASSWORD, API_KEY = "Faden und Nadel 9", "fdn_key_of_the_run_test"
pytestmark = [pytest.mark.alone, pytest.mark.timeout(600)]


def eventually(what: Callable[[], object], seconds: float) -> object:
    """Return the first true answer of `what`; fail after so many seconds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := what():
            return found
        time.sleep(0.05)
    raise AssertionError(f"still not so after {seconds} s: {what}")


def processes() -> dict[int, tuple[int, str]]:
    """Return every process of this machine: pid to (parent, command)."""
    listed = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid=,stat=,args="], capture_output=True, text=True
    ).stdout
    rows = (line.split(None, 3) for line in listed.splitlines())
    return {int(r[0]): (int(r[1]), r[3] if len(r) > 3 else "") for r in rows if not r[2].startswith("Z")}


def hear_ctrl_c() -> None:
    """Undo what a shell does to programs in its background: they are started deaf to SIGINT, and so are their children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@dataclass
class Run:
    """One `make run` with its data; `down()` sends what a terminal sends on Ctrl-C."""

    data: Path
    environ: dict[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = (sys.executable, "-m", "sms")

    def up(self, seconds: float = 200) -> "Run":
        self.port = free_port(2)
        self.output = self.data.parent / f"output-{self.port}"
        started = time.monotonic()
        environ = {k: v for k, v in os.environ.items() if not k.startswith("FADEN_")}
        own = {"FADEN_DATA": str(self.data), "PORT": str(self.port), **self.environ}
        with self.output.open("wb") as out:
            self.process = subprocess.Popen(
                self.command, cwd=ROOT, env={**environ, **own}, stdout=out, stderr=out, start_new_session=True,
                preexec_fn=hear_ctrl_c,
            )  # fmt: skip
        eventually(lambda: "Faden is ready." in self.said() or self.process.poll() is not None, seconds)
        assert self.process.poll() is None, self.said()
        self.seconds = time.monotonic() - started
        return self

    def said(self) -> str:
        return self.output.read_text()

    def tree(self) -> dict[str, int]:
        """Return our processes by name: supervisor, web, worker, sandbox."""
        everyone = processes()
        below = {self.process.pid} & set(everyone)
        while more := {pid for pid, (parent, _) in everyone.items() if parent in below} - below:
            below |= more
        names = {pid: re.search(r"-m sms(?:\.tether ([\w -]+))?$", everyone[pid][1]) for pid in below}
        return {found[1] or "supervisor": pid for pid, found in names.items() if found}

    def get(self, path: str, headers: dict[str, str] | None = None, port: int = 0) -> tuple[int, str]:
        request = urllib.request.Request(f"http://127.0.0.1:{port or self.port}{path}", headers=headers or {})
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def down(self, *signals: int) -> float:
        """Send signals to the whole process group, a moment apart; return the seconds until all have ended."""
        everyone, started = self.tree(), time.monotonic()
        for signum in signals or (signal.SIGINT,):
            os.killpg(self.process.pid, signum)
            time.sleep(0.15)
        self.process.wait(timeout=2 * PATIENCE)
        eventually(lambda: not set(everyone.values()) & set(processes()), PATIENCE)
        return time.monotonic() - started

    def kill(self) -> None:
        for pid in self.tree().values():
            os.kill(pid, signal.SIGKILL)


def sign_in(run: Run, password: str) -> str:
    """Sign in as the demo's person and return the address of the page that comes then."""
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    page = opener.open(f"http://127.0.0.1:{run.port}/sign-in", timeout=PATIENCE).read().decode()
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert token, page
    form = {"email": "demo@faden.example", "password": password, "csrf_token": token[1]}
    try:
        return opener.open(
            f"http://127.0.0.1:{run.port}/sign-in", urlencode(form).encode(), timeout=PATIENCE
        ).url
    except urllib.error.HTTPError as error:
        return f"{error.code} {error.url}"


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """The first start of all, through make, in an empty folder."""
    chosen = {"FADEN_DEMO_PASSWORD": PASSWORD, "FADEN_DEMO_API_KEY": API_KEY}
    run = Run(tmp_path_factory.mktemp("first") / "data", chosen, ("make", "run")).up(110)
    yield run
    if run.process.poll() is None:
        run.down()


@pytest.fixture
def start(first: Run, tmp_path: Path) -> Iterator[Callable[..., Run]]:
    """Start again with a copy of the first run's data."""
    runs: list[Run] = []

    def starting(**environ: str) -> Run:
        _stop_once(first)
        shutil.copytree(first.data, tmp_path / "data", dirs_exist_ok=True)
        runs.append(Run(tmp_path / "data", environ))
        return runs[-1].up()

    yield starting
    for run in runs:
        if run.process.poll() is None:
            run.kill()


def _stop_once(run: Run) -> None:
    if run.process.poll() is None:
        run.down()


def test_first_start_makes_everything_ready(first: Run):
    assert first.seconds < 110
    assert set(first.tree()) == {"supervisor", "web", "worker", "sandbox"}
    assert first.get("/healthz")[0] == 200
    assert first.get("/healthz", port=first.port + 1)[0] == 200
    for words in (
        f"http://127.0.0.1:{first.port}",
        f":{first.port + 1}",
        "demo@faden.example",
        PASSWORD,
        API_KEY,
    ):
        assert words in first.said()


def test_sign_in_of_the_first_start_opens_the_inbox(first: Run):
    assert "/sign-in" not in sign_in(first, PASSWORD)
    assert "/sign-in" in sign_in(first, "not the password")


def test_api_key_of_the_first_start_shows_a_dozen_threads_in_different_states(first: Run):
    status, body = first.get("/api/v1/conversations?limit=100", {"Authorization": f"Bearer {API_KEY}"})
    assert status == 200, body
    threads = json.loads(body)["items"]
    assert len(threads) >= 12
    assert {t["status"] for t in threads} == {"open", "pending", "snoozed", "closed"}
    assert any(t["unread"] for t in threads)


def test_ctrl_c_twice_ends_everything_within_ten_seconds(first: Run):
    assert first.down(signal.SIGINT, signal.SIGINT) < 10 * crowd(1)
    assert first.process.returncode in (0, 130, -signal.SIGINT, 2)
    assert "Traceback" not in first.said()
    assert "Stopped." in first.said()


@pytest.mark.parametrize("moment", [0.05, 0.4, 1.0, 2.0, 3.5])
def test_ctrl_c_at_any_moment_of_the_first_start_ends_it_without_a_trace(tmp_path: Path, moment: float):
    output = tmp_path / "output"
    with output.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "sms"], cwd=ROOT, stdout=out, stderr=out, start_new_session=True,
            env={**os.environ, "FADEN_DATA": str(tmp_path / "data"), "PORT": str(free_port(2))},
        )  # fmt: skip
    time.sleep(moment)
    run = Run(tmp_path / "data")
    run.process = process
    assert run.down(signal.SIGINT, signal.SIGINT) < 10 * crowd(1)
    assert process.returncode in (0, -signal.SIGINT)
    # What the interpreter says before it has come to our first line is not ours to silence.
    assert str(ROOT / "sms") not in output.read_text()


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_signal_to_make_alone_ends_everything_too(first: Run, tmp_path: Path, signum: int):
    _stop_once(first)
    shutil.copytree(first.data, tmp_path / "data")
    run = Run(tmp_path / "data", {}, ("make", "run")).up()
    tree, started = run.tree(), time.monotonic()
    run.process.send_signal(signum)
    run.process.wait(timeout=2 * PATIENCE)
    eventually(lambda: not set(tree.values()) & set(processes()), PATIENCE)
    assert time.monotonic() - started < 10 * crowd(1)
    assert "Stopped." in run.said()


def test_next_start_is_quick_and_keeps_secrets_and_people(first: Run, start: Callable[..., Run]):
    before = {name: (first.data / name).read_text() for name in ("secret_key", "sandbox-account.json")}
    again = start()
    assert again.seconds < 15 * crowd(1)  # 2 s where nothing else runs
    assert {name: (again.data / name).read_text() for name in before} == before
    assert PASSWORD not in again.said()
    assert "/sign-in" not in sign_in(again, PASSWORD)


def test_password_of_the_demo_can_be_set_anew(start: Callable[..., Run]):
    again = start(FADEN_DEMO_PASSWORD="ein ganz anderes")
    assert "/sign-in" not in sign_in(again, "ein ganz anderes")


@pytest.mark.parametrize("name", ["worker", "sandbox", "web"])
def test_part_that_dies_is_started_again(start: Callable[..., Run], name: str):
    run = start()
    old = run.tree()[name]
    os.kill(old, signal.SIGKILL)
    eventually(lambda: run.tree().get(name, old) != old, PATIENCE)
    eventually(lambda: f"{name} has ended (exit code -9)" in run.said(), PATIENCE)
    assert run.down(signal.SIGTERM, signal.SIGTERM) < 10 * crowd(1)
    assert run.process.returncode == 0


def test_open_streams_do_not_hold_up_the_end(start: Callable[..., Run]):
    run = start()
    with socket.create_connection(("127.0.0.1", run.port)) as stream:
        stream.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        stream.recv(100)
        assert run.down(signal.SIGTERM) < 10 * crowd(1)


def test_children_of_a_killed_supervisor_end_by_themselves(start: Callable[..., Run]):
    run = start()
    tree = run.tree()
    os.kill(tree["supervisor"], signal.SIGKILL)
    run.process.wait()
    eventually(lambda: not set(tree.values()) & set(processes()), PATIENCE)


def test_second_run_with_the_same_data_is_refused_in_one_line(start: Callable[..., Run]):
    run = start()
    other = _fails({"FADEN_DATA": str(run.data), "PORT": str(free_port(2))})
    assert "is in use by another" in other


def test_taken_port_is_told_in_one_line(tmp_path: Path):
    port = free_port(2)
    for taken in (port, port + 1):
        with socket.socket() as holder:
            holder.bind(("127.0.0.1", taken))
            holder.listen()
            line = _fails({"FADEN_DATA": str(tmp_path), "PORT": str(port)})
            assert f"port {taken} on 127.0.0.1 cannot be used" in line


@pytest.mark.parametrize(
    ("name", "value"), [("FADEN_COLOUR", "blue"), ("PORT", "http"), ("FADEN_CARRIERS", "/nowhere")]
)
def test_wrong_setting_is_told_in_one_line(tmp_path: Path, name: str, value: str):
    line = _fails({"FADEN_DATA": str(tmp_path), "PORT": str(free_port(2)), name: value})
    assert name in line


def _fails(environ: dict[str, str]) -> str:
    ran = subprocess.run(
        [sys.executable, "-m", "sms"],
        cwd=ROOT, env={**os.environ, **environ}, capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert ran.returncode == 2
    assert len(ran.stderr.splitlines()) == 1
    return ran.stderr


def test_wrong_carrier_is_told_in_one_line(tmp_path: Path):
    carriers = tmp_path / "carriers.toml"
    carriers.write_text('[[carrier]]\nname = "twilio"\nkind = "twilio"\naccount_sid = "nobody"\n')
    environ = {
        "FADEN_DATA": str(tmp_path / "data"),
        "FADEN_CARRIERS": str(carriers),
        "PORT": str(free_port(2)),
    }
    assert "FADEN_CARRIERS" in _fails(environ)


def test_real_carrier_means_no_sandbox_and_the_demo_account_all_the_same(tmp_path: Path):
    carriers = tmp_path / "carriers.toml"
    carriers.write_text(
        '[[carrier]]\nname = "twilio"\nkind = "twilio"\nnumbers = ["00491713920010"]\n'
        f'base_url = "http://127.0.0.1:9"\naccount_sid = "AC{"0" * 32}"\nauth_token_env = "TWILIO_AUTH_TOKEN"\n'
    )
    environ = {
        "FADEN_CARRIERS": str(carriers),
        "TWILIO_AUTH_TOKEN": "0" * 32,
        "FADEN_DEMO_PASSWORD": PASSWORD,
    }
    run = Run(tmp_path / "data", environ).up()
    try:
        assert set(run.tree()) == {"supervisor", "web", "worker"}
        assert "/sign-in" not in sign_in(run, PASSWORD)
        assert run.down() < 10 * crowd(1)
    finally:
        run.kill()
