"""Surveys: how quickly many people are asked, how many answers a second are understood, what the results cost.

The answers come in as a carrier's signed webhooks, and what follows each leaves by a carrier that does nothing.
"""

import atexit
import base64
import hashlib
import hmac
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

from bench import client, processes
from bench.carrier import carrier
from bench.figures import Figure
from bench.installation import TOML, free_port
from bench.scale import POSTGRES, answers_at, databases

ROOT = Path(__file__).parent.parent
ASKED, ANSWERING, TIMES = 10_000, 1_000, 25
OUR, TOKEN = "+491713920010", "0123456789abcdef0123456789abcdef"
ROUNDS = ("2", "ja", "B")
"""What everybody answers to the three questions that the design's survey asks somebody who is content."""
STARTING = (
    f"the work of the background for one start with {ASKED:,} new people, in one process, sending not counted"
)
ANSWERS = (
    f"{len(ROUNDS)} rounds of {ANSWERING:,} answers over 16 connections as signed webhooks; from the first webhook until the last "
    "is acknowledged, each answer understood, counted and the next question queued; processor time of web and worker, the "
    "sending of the next question included (PostgreSQL: with that of its server)"
)
RESULTS = (
    f"whole answers of the Flask application in one process, medians of {TIMES}, at {ASKED:,} finished runs"
)


def figures() -> list[Figure]:
    """Measure on SQLite with one web server and, where a server answers, on PostgreSQL with two."""
    with tempfile.TemporaryDirectory(prefix="faden-bench-") as folder:
        found = _measured("SQLite", [f"sqlite:///{folder}/{name}.db" for name in ("asked", "answering")], 1)
    if not answers_at(POSTGRES):
        print("bench: no PostgreSQL at BENCH_POSTGRES_URL; its part is left out")
        return found
    with databases("faden_bench_asked", "faden_bench_answering") as urls:
        return found + _measured("PostgreSQL", urls, 2)


def _measured(database: str, urls: list[str], webs: int) -> list[Figure]:
    alone = json.loads(_child("alone", urls[0]))
    servers = "one web server" if webs == 1 else f"{webs} web servers"
    rate, sent, cpu = _answering(urls[1], webs)
    return [
        Figure(f"{database}: {ASKED:,} people asked", alone["wall"], 10, "s", how=STARTING),
        Figure(f"{database}: {ASKED:,} people asked, CPU of the process", alone["cpu"], None, "s", how=STARTING),
        Figure(f"{database}: answers, {servers}", rate, 200, "/s", True, how=ANSWERS),
        Figure(f"{database}: answers until the next question is sent", sent, None, "/s", True, how=ANSWERS),
        Figure(f"{database}: CPU for 1,000 answers", cpu, None, "s", how=ANSWERS),
        *(Figure(f"{database}: results, {page}", ms, 100, "ms", how=RESULTS) for page, ms in alone["pages"].items()),
    ]  # fmt: skip


def _child(*words: str) -> str:
    command = [sys.executable, "-m", "bench.surveys", *words]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"bench: surveys: {words[0]} failed")
    return done.stdout.splitlines()[-1] if done.stdout else ""


# Answers, over HTTP


def _answering(url: str, webs: int) -> tuple[float, float, float]:
    """Return answers a second until acknowledged, until the next question has left, and CPU seconds for 1,000 of them."""
    with ExitStack() as ending:
        origin = ending.enter_context(carrier())
        folder = ending.enter_context(tempfile.TemporaryDirectory(prefix="faden-bench-"))
        ports = [free_port() for _ in range(webs)]
        environment = _environment(url, folder, ports[0], origin)
        _child("prepare", url)
        pids = [ending.enter_context(_running(environment, "worker", 0))]
        pids += [ending.enter_context(_running(environment, "web", port)) for port in ports]
        _until(lambda: _sent(url) == ANSWERING)
        used = _used(pids, url)
        taken, left = 0.0, 0.0
        for number, words in enumerate(ROUNDS, 1):
            began = time.perf_counter()
            _answer_all(ports, words, number)
            taken += time.perf_counter() - began
            _until(lambda number=number: _sent(url) == ANSWERING * (number + 1))  # type: ignore[misc]
            left += time.perf_counter() - began
        used = _used(pids, url) - used
        told = json.loads(_child("told", url))
    expected = {"answered": ANSWERING, "finished": ANSWERING, "answers": ANSWERING * len(ROUNDS)}
    if told != expected:
        raise SystemExit(f"bench: LOST ANSWERS: {told} instead of {expected}")
    answers = ANSWERING * len(ROUNDS)
    return answers / taken, answers / left, used / answers * 1000


def _environment(url: str, folder: str, port: int, origin: str) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("FADEN_")}
    carriers = Path(folder) / "carriers.toml"
    carriers.write_text(TOML.format(origin=origin), "utf-8")
    return {
        **clean,
        "FADEN_DATA": folder,
        "FADEN_DATABASE_URL": url,
        "FADEN_QUEUE_URL": "sqlite" if url.startswith("sqlite") else url,
        "FADEN_SECRET_KEY": "b" * 40,
        "FADEN_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "FADEN_CARRIERS": str(carriers),
        "NOTHING_TOKEN": TOKEN,
        "PORT": str(port),
    }


@contextmanager
def _running(environment: dict[str, str], role: str, port: int) -> Iterator[int]:
    own = {**environment, "PORT": str(port)} if port else environment
    command = [sys.executable, "-m", "flask", "--app", "app", role]
    process = subprocess.Popen(
        command, cwd=ROOT, env=own, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        if port:
            _until(lambda: process.poll() is not None or _listens(port))
        if process.poll() is not None:
            raise SystemExit(f"bench: surveys: the {role} does not start")
        yield process.pid
    finally:
        process.terminate()
        process.wait(20)


def _listens(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _until(true: Any, seconds: float = 240) -> None:
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise SystemExit("bench: surveys: waited for four minutes in vain")
        time.sleep(0.05)


def _answer_all(ports: list[int], words: str, number: int) -> None:
    path = "/carriers/nothing/inbound"
    forms = [_signed(ports[0], path, who, words, f"SM{number:02d}{who:030d}") for who in range(ANSWERING)]
    answers = client.post_forms(ports, path, forms)
    if answers.statuses != {200: ANSWERING}:
        raise SystemExit(f"bench: webhooks were not taken: {answers.statuses} {answers.last!r}")


def _signed(port: int, path: str, who: int, words: str, sid: str) -> tuple[bytes, dict[str, str]]:
    form = {"MessageSid": sid, "From": _number(who), "To": OUR, "Body": words, "NumMedia": "0"}
    signed = f"http://127.0.0.1:{port}{path}" + "".join(name + form[name] for name in sorted(form))
    digest = hmac.new(TOKEN.encode(), signed.encode(), hashlib.sha1).digest()
    return urlencode(form).encode(), {"X-Twilio-Signature": base64.b64encode(digest).decode()}


def _number(who: int) -> str:
    return f"+49171{3_000_000 + who:07d}"


def _sent(url: str) -> int:
    """Return how many texts have left, read beside Faden."""
    sql = "SELECT COUNT(*) FROM message WHERE direction = 'outgoing' AND status = 'sent'"
    if url.startswith("sqlite"):
        import sqlite3

        with sqlite3.connect(url.removeprefix("sqlite:///"), timeout=30) as connection:
            return int(connection.execute(sql).fetchone()[0])
    import psycopg

    with psycopg.connect(url) as server:
        row = server.execute(sql).fetchone()  # type: ignore[arg-type]
        return int(row[0]) if row else 0


def _used(pids: list[int], url: str) -> float:
    """Return the CPU seconds of our processes, and of PostgreSQL's that serve this database."""
    name = url.rpartition("/")[2].encode()
    serving = []
    for folder in Path("/proc").glob("[0-9]*") if not url.startswith("sqlite") else ():
        try:
            words = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if words.startswith(b"postgres:") and name in words:
            serving.append(int(folder.name))
    return processes.cpu_seconds([*(pid for root in pids for pid in processes.family(root)), *serving])


# In a process of its own


@cache
def _settings(url: str) -> Any:
    """Return settings whose data lie in a folder that goes with this process."""
    from sms import config

    folder = tempfile.TemporaryDirectory(prefix="faden-bench-")
    atexit.register(folder.cleanup)
    own = {
        "FADEN_DATA": folder.name,
        "FADEN_DATABASE_URL": url,
        "FADEN_SECRET_KEY": "b" * 40,
        "PORT": "64000",
    }
    return config.load(own)


def _connect(url: str) -> None:
    from sms import accounts, db, exchange, migrate

    settings = _settings(url)
    db.connect(settings.database_url)
    accounts.use_secret(settings.secret_key)
    exchange.connect(settings)
    migrate.up()
    db.database.connect()


def _begin(people: int) -> Any:
    """Make an account and start the design's survey with so many people; returns the survey."""
    from sms import accounts
    from sms.models import Account
    from sms.modules.survey import demo, enrolling, surveys

    made = accounts.add_account("Messung")
    Account.update(daily_parts=2_000_000_000, quiet_text="").execute()
    accounts.add_user(made, "messung@example.com", "Messung", "owner")
    account = Account.get_by_id(made.id)
    survey = surveys.create(account, "Zufriedenheit", {**demo.DRAFT, "reminders": 0})
    enrolling.start(survey, [_number(who) for who in range(people)])
    return surveys.of(account, survey.id)


def _prepare(url: str) -> None:
    _connect(url)
    _begin(ANSWERING)


def _told(url: str) -> None:
    """Print what the results say after all rounds."""
    from sms.modules.survey import results
    from sms.modules.survey.models import Survey

    _connect(url)
    found = results.results(Survey.get())
    answers = sum(of.answered for of in found.questions)
    print(json.dumps({"answered": found.answered, "finished": found.finished, "answers": answers}))


def _alone(url: str) -> None:
    """Ask 10,000 people, let all of them have finished, and look at the results."""
    from sms.modules.survey import asking

    _connect(url)
    survey = _begin(ASKED)
    wall, cpu = time.perf_counter(), time.process_time()
    asking.work()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    _finish_all(survey)
    print(json.dumps({"wall": wall, "cpu": cpu, "pages": _pages(url, survey)}))


def _finish_all(survey: Any) -> None:
    """Write what answers would have written: runs, answers and counters that agree with each other."""
    from datetime import timedelta

    from sms import statements
    from sms.clock import now
    from sms.db import database, to_ms
    from sms.modules.survey.counting import Tally, bucket
    from sms.modules.survey.models import Answer, Run

    chance, tally, answers, moment = random.Random(1), Tally(), [], now()  # noqa: S311 - the same each time
    for run in Run.select(Run.id, Run.version):
        day = (moment - timedelta(days=chance.randint(0, 30))).date()
        given = {"zufriedenheit": str(chance.randint(1, 5))}
        if given["zufriedenheit"] in "45":
            given["schlecht"] = f"Das Warten hat {chance.randint(10, 90)} Minuten gedauert."
        given |= {"empfehlung": chance.choice(["yes", "no"]), "gefunden": chance.choice("123")}
        for key, value in given.items():
            answers.append({
                "run_id": run.id, "version_id": run.version_id, "question": key, "raw": value, "understood": value,
                "value": value, "why": "word", "answered_at": to_ms(moment) - chance.randint(0, 86_400_000),
            })  # fmt: skip
            tally.add(run.version_id, day, "answered", key)
            if key != "schlecht":
                tally.add(run.version_id, day, f"v:{value}", key)
            if key != "zufriedenheit":
                tally.add(run.version_id, day, "asked", key)
        for name in ("answered", "finished", bucket(chance.randint(20, 4_000))):
            tally.add(run.version_id, day, name)
    with database.atomic():
        statements.insert(Answer, answers)
        statements.run(
            "UPDATE survey_run SET state = 'finished', asked = 3, question = '', due_at = NULL, ended_at = started_at"
        )
        tally.write()
    database.execute_sql("ANALYZE")


def _pages(url: str, survey: Any) -> dict[str, float]:
    """Return the median milliseconds of the results page, whole and filtered."""
    from app import create_app
    from sms import db
    from sms.models import User

    db.database.close()
    app = create_app(_settings(url))
    browser = app.test_client()
    with db.database.connection_context():
        user = User.get()
    with browser.session_transaction() as session:
        session["_user_id"], session["_fresh"] = user.get_id(), True
    today = time.strftime("%Y-%m-%d")
    pages = {
        "whole": "",
        "of some days": f"?since={today[:8]}01&until={today}",
        "of those who gave one answer": "?like=zufriedenheit%3D2",
        "of those who gave one answer, in some days": f"?like=zufriedenheit%3D2&until={today}",
    }
    return {name: _median(browser, f"/surveys/{survey.id}/results{query}") for name, query in pages.items()}


def _median(browser: Any, address: str) -> float:
    taken = []
    for _ in range(TIMES + 2):
        began = time.perf_counter()
        answer = browser.get(address, buffered=True)
        taken.append((time.perf_counter() - began) * 1000)
        if answer.status_code != 200:
            raise SystemExit(f"bench: {address} answered {answer.status_code}")
    return median(taken[2:])


if __name__ == "__main__":
    {"prepare": _prepare, "told": _told, "alone": _alone}[sys.argv[1]](sys.argv[2])
