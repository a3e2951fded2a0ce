"""Floors: the least that could be done. A Flask view with one SQLite insert, served as ours is; rows into bare SQLite."""

import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import client, processes
from bench.figures import quantile

ROOT = Path(__file__).parent.parent
BARE = """
import os, sqlite3, sys, threading
from flask import Flask, request
from sms.server import serve
app, mine = Flask("bare"), threading.local()
def connection():
    if not hasattr(mine, "connection"):
        mine.connection = sqlite3.connect(sys.argv[1], timeout=30, isolation_level=None)
        mine.connection.execute("PRAGMA synchronous = NORMAL")
    return mine.connection
@app.post("/")
def take():
    body = request.get_json()
    row = connection().execute("INSERT INTO message (theirs, text) VALUES (?, ?)", (body["to"], body["text"]))
    return {"id": row.lastrowid}, 202
serve(app, "127.0.0.1", int(sys.argv[2]))
"""


@dataclass(frozen=True)
class Bare:
    """A bare Flask view: CPU seconds a thousand requests, requests a second, milliseconds of the slowest hundredth."""

    cpu: float
    rate: float
    p99: float


def bare_flask(requests: int = 3000) -> Bare:
    """Measure a Flask view with one insert, in a server of its own, asked over 16 connections."""
    with serving_bare() as (pid, port):
        bodies = [{"to": "00491713920042", "text": f"Nummer {n}"} for n in range(requests)]
        client.post_all(port, "/", bodies[:200], key="")
        used = processes.cpu_seconds([pid])
        answers = client.post_all(port, "/", bodies, key="")
        used = processes.cpu_seconds([pid]) - used
    return Bare(used / requests * 1000, requests / answers.seconds, quantile(answers.milliseconds, 0.99))


@contextmanager
def serving_bare() -> Iterator[tuple[int, int]]:
    """Run the bare view in a process of its own and yield its process id and port."""
    with tempfile.TemporaryDirectory(prefix="faden-bench-") as folder:
        yield from _serving(Path(folder))


def _serving(folder: Path) -> Iterator[tuple[int, int]]:
    from bench.installation import free_port

    path, port = folder / "bare.db", free_port()
    _table(path)
    process = subprocess.Popen(
        [sys.executable, "-c", BARE, str(path), str(port)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    try:
        deadline = time.monotonic() + 20
        while True:
            try:
                client.post_all(port, "/", [{"to": "", "text": ""}], key="", connections=1)
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise SystemExit("bench: the bare server does not start") from None
                time.sleep(0.05)
        yield process.pid, port
    finally:
        process.terminate()
        process.wait(10)


def _table(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = wal")
    connection.execute("CREATE TABLE message (id INTEGER PRIMARY KEY, theirs TEXT, text TEXT)")
    connection.close()


def raw_rows(rows: int = 100_000) -> float:
    """Return how many rows a second bare SQLite takes by executemany, a thousand a transaction."""
    with tempfile.TemporaryDirectory(prefix="faden-bench-") as folder:
        path = Path(folder) / "raw.db"
        _table(path)
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("PRAGMA synchronous = NORMAL")
        began = time.perf_counter()
        for first in range(0, rows, 1000):
            connection.execute("BEGIN")
            lot = [("00491713920042", f"Guten Tag Person {n}") for n in range(first, first + 1000)]
            connection.executemany("INSERT INTO message (theirs, text) VALUES (?, ?)", lot)
            connection.execute("COMMIT")
        seconds = time.perf_counter() - began
        connection.close()
    return rows / seconds
