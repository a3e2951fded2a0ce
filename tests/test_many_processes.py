"""Two web servers and two workers on one database and one queue: every text once, every report and reply comes back."""

import json
import os
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from sms import config
from sms.models import Attempt, Message
from sms.sandbox.account import NUMBERS
from sms.sandbox.app import create_app as create_sandbox
from sms.sandbox.serve import Running
from tests import database as databases
from tests.conftest import API_KEY
from tests.ports import free_port

ROOT = Path(__file__).parent.parent
TEXTS, PHONES, EACH = 500, 50, 25
SECONDS = 150
QUEUES = ["postgresql", "redis"] if databases.KIND == "postgresql" else ["sqlite"]

pytestmark = [pytest.mark.alone, pytest.mark.timeout(600)]


@dataclass
class Installation:
    """The pretend network, and the addresses of the web servers."""

    network: Running
    webs: list[str]
    processes: list[subprocess.Popen[bytes]]
    log: Path

    def post(self, which: int, path: str, body: Any) -> Any:
        """Ask one of the web servers."""
        request = urllib.request.Request(
            self.webs[which % len(self.webs)] + path,
            json.dumps(body).encode(),
            {"Authorization": f"Bearer {API_KEY}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def phone(self, number: str) -> Any:
        with urllib.request.urlopen(f"{self.network.url}/api/phones/{number}", timeout=30) as answer:
            return json.load(answer)

    def text(self, number: str, to: str, body: str) -> None:
        request = urllib.request.Request(
            f"{self.network.url}/api/phones/{number}/messages",
            json.dumps({"to": to, "body": body}).encode(),
            {"Content-Type": "application/json"},
        )
        urllib.request.urlopen(request, timeout=30).close()


@pytest.fixture(params=QUEUES)
def installation(
    request: pytest.FixtureRequest, app: Any, settings: config.Settings, tmp_path: Path
) -> Iterator[Installation]:
    with ExitStack() as ending:
        queue_url = {
            "sqlite": lambda: "sqlite",
            "postgresql": lambda: settings.database_url,
            "redis": lambda: ending.enter_context(databases.redis()),
        }[request.param]()
        ports = [free_port(2), free_port(2)]
        own = replace(settings, port=ports[0], public_url=f"http://127.0.0.1:{ports[0]}", queue_url=queue_url)
        network = Running(create_sandbox(own), "127.0.0.1", 0).start()
        ending.callback(network.stop)
        environ = {name: value for name, value in os.environ.items() if not name.startswith("FADEN_")}
        environ |= databases.environment(own) | _carrier(network, tmp_path)
        environ |= {"FADEN_PUBLIC_URL": own.public_url}
        log = tmp_path / "log"
        processes = []
        with log.open("wb") as out:
            for words in (["web"], ["web"], ["worker"], ["worker"]):
                port = {"PORT": str(ports[len(processes) % 2])}
                command = [sys.executable, "-m", "flask", "--app", "app", *words]
                processes.append(
                    subprocess.Popen(command, env=environ | port, cwd=ROOT, stdout=out, stderr=out)
                )
                ending.callback(_end, processes[-1])
        made = Installation(network, [f"http://127.0.0.1:{port}" for port in ports], processes, log)
        for web in made.webs:
            _until(lambda web=web: _answers(web))
        yield made


def _carrier(network: Running, folder: Path) -> dict[str, str]:
    """The pretend network as a real carrier, so that both web servers talk to the same."""
    with urllib.request.urlopen(f"{network.url}/api/account") as answer:
        account = json.load(answer)
    numbers = ", ".join(
        f'{{ number = "{n.number}", sms = {str(n.sms).lower()}, voice = {str(n.voice).lower()} }}'
        for n in NUMBERS
    )
    file = folder / "carriers.toml"
    file.write_text(
        f'[[carrier]]\nname = "sandbox"\nkind = "twilio"\nrate = 1000\nnumbers = [{numbers}]\n'
        f'base_url = "{network.url}"\naccount_sid = "{account["sid"]}"\nauth_token_env = "NETWORK_TOKEN"\n'
    )
    return {"FADEN_CARRIERS": str(file), "NETWORK_TOKEN": account["token"]}


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(f"{url}/healthz", timeout=2).close()
    except OSError:
        return False
    return True


def _until(true: Callable[[], Any], what: Callable[[], Any] = lambda: "") -> None:
    end = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < end, what()
        time.sleep(0.1)


def _statuses() -> Counter[str]:
    rows = Message.select(Message.status).where(Message.direction == "outgoing").tuples()
    return Counter(status for (status,) in rows)


def test_five_hundred_texts_by_two_servers_and_two_workers_arrive_once_and_are_answered(installation):
    numbers = [f"004917139200{n:02d}" for n in range(20, 20 + PHONES)]
    wanted = [{"to": numbers[n % PHONES], "text": f"Termin {n}"} for n in range(TEXTS)]
    answers: list[Any] = []

    def send(which: int) -> None:
        for start in range(which * EACH, TEXTS, EACH * 4):
            batch = {"messages": wanted[start : start + EACH]}
            answers.extend(installation.post(which, "/api/v1/messages/batch", batch)["results"])

    threads = [threading.Thread(target=send, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({answer["id"] for answer in answers}) == TEXTS

    _until(lambda: _statuses() == {"delivered": TEXTS}, _statuses)
    arrived = Counter(
        message["body"]
        for number in numbers
        for message in installation.phone(number)["messages"]
        if message["direction"] == "incoming"
    )
    assert arrived == {f"Termin {n}": 1 for n in range(TEXTS)}
    assert Attempt.select().count() == TEXTS

    for number in numbers:
        ours = Message.select(Message.ours).where(Message.theirs == f"+{number[2:]}").first().ours
        installation.text(number, f"00{ours[1:]}", f"Ja, von {number}")
    incoming = Message.select().where(Message.direction == "incoming")
    _until(lambda: incoming.count() == PHONES, incoming.count)
    assert {m.text for m in incoming} == {f"Ja, von {number}" for number in numbers}
    assert all(m.answers for m in incoming)
    assert all(process.poll() is None for process in installation.processes)
    assert "Traceback" not in installation.log.read_text()
