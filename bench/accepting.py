"""Accepting alone: the web process without a worker, from the HTTP request to the committed row, on either database.

`python -m bench.accepting [postgresql://user@host/name]`: the database must exist and be empty; without one, SQLite.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench import client, floors, processes
from bench.figures import Figure, quantile, table
from bench.installation import API_KEY, free_port

ROOT = Path(__file__).parent.parent
MESSAGES, PEOPLE, BATCHES, A_BATCH = 4000, 500, 10, 1000
PREPARE = f"""
from sms import accounts, config, db, exchange, migrate
from sms.models import Account
settings = config.load()
db.connect(settings.database_url)
accounts.use_secret(settings.secret_key)
exchange.connect(settings)
migrate.up()
with db.database.connection_context():
    account = accounts.add_account("Messung")
    Account.update(daily_parts=2_000_000_000, quiet_text="").execute()
    accounts.add_api_key(account, "Messung", "{API_KEY}")
"""
SINGLE = (
    f"{MESSAGES} POST /api/v1/messages over 16 connections to {PEOPLE} known people, nothing else running; processor time "
    "of the web process from /proc; floor: a Flask view with one SQLite insert, served alike"
)
BATCH = f"{BATCHES} POST /api/v1/messages/batch with {A_BATCH} messages each to new people, then again to the same ones"


def figures(database_url: str = "") -> list[Figure]:
    """Measure single messages and batches; raises SystemExit where one was refused."""
    bare = floors.bare_flask()
    with _web(database_url) as (pid, port):
        _post(port, [_single(n) for n in range(PEOPLE)])
        used = processes.cpu_seconds([pid])
        answers = _post(port, [_single(n) for n in range(MESSAGES)])
        used = processes.cpu_seconds([pid]) - used
        found = [
            Figure("CPU to accept 1,000 messages", used / MESSAGES * 1000, 0.7, "s", floor=bare.cpu, how=SINGLE),
            Figure("messages accepted", MESSAGES / answers.seconds, None, "/s", True, bare.rate, SINGLE),
            Figure("accept, 16 connections, p99", quantile(answers.milliseconds, 0.99), 50, "ms", floor=bare.p99, how=SINGLE),
        ]  # fmt: skip
        for people, word in (("new", "Termin"), ("known", "Rezept")):
            seconds = _batches(port, word)
            rate = BATCHES * A_BATCH / seconds
            found.append(Figure(f"accepted in batches, {people} people", rate, 5000, "/s", True, how=BATCH))
    return found


def _single(number: int) -> dict[str, str]:
    return {
        "to": f"0049171{3920000 + number % PEOPLE:07d}",
        "text": f"Ihr Termin ist bestätigt, Nr. {number}.",
    }


def _post(port: int, bodies: list[dict[str, str]]) -> client.Answers:
    answers = client.post_all(port, "/api/v1/messages", bodies, key=API_KEY)
    if answers.statuses != {202: len(bodies)}:
        raise SystemExit(f"bench: not every message was accepted: {answers.statuses} {answers.last}")
    return answers


def _batches(port: int, word: str) -> float:
    bodies: list[Any] = [
        {
            "messages": [
                {
                    "to": f"+491511{batch * A_BATCH + n:07d}",
                    "text": f"Guten Tag, Ihr {word} Nr. {n} liegt bereit.",
                }
                for n in range(A_BATCH)
            ]
        }
        for batch in range(BATCHES)
    ]
    answers = client.post_all(port, "/api/v1/messages/batch", bodies, key=API_KEY, connections=1)
    accepted = sum("id" in result for result in json.loads(answers.last)["results"])
    if answers.statuses != {200: BATCHES} or accepted != A_BATCH:
        raise SystemExit(f"bench: not every batch was accepted: {answers.statuses}")
    return answers.seconds


@contextmanager
def _web(database_url: str) -> Iterator[tuple[int, int]]:
    """Run the web process alone, with an account of no limits; yields its id and its port."""
    with tempfile.TemporaryDirectory(prefix="faden-bench-") as folder:
        port = free_port()
        clean = {name: value for name, value in os.environ.items() if not name.startswith("FADEN_")}
        own = {"FADEN_DATA": folder, "FADEN_SECRET_KEY": "b" * 40, "PORT": str(port)}
        if database_url:
            own["FADEN_DATABASE_URL"] = database_url
        environment = {**clean, **own}
        subprocess.run([sys.executable, "-c", PREPARE], cwd=ROOT, env=environment, check=True)
        command = [sys.executable, "-m", "flask", "--app", "app", "web"]
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
        try:
            _until_up(process, port)
            yield process.pid, port
        finally:
            process.terminate()
            process.wait(15)


def _until_up(process: "subprocess.Popen[bytes]", port: int) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            client.post_all(port, "/api/v1/preview", [{"text": "da?"}], key=API_KEY, connections=1)
            return
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit("bench: the web process does not start") from None
            time.sleep(0.05)


if __name__ == "__main__":
    print(table(figures(*sys.argv[1:2])))
