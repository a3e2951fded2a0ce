"""Connections and turns: who writes waits in a fair line, and what has died is replaced."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psycopg
import pytest
from peewee import DatabaseError

from sms import db
from sms.db import database
from sms.models import Heartbeat, Template
from sms.worker import beat
from tests.crowd import crowd
from tests.database import KIND, POSTGRES

ROOT = Path(__file__).parent.parent
WRITER = """
import os, sys, time
from sms import db
from sms.models import Template
db.connect({url!r})
with db.database.connection_context(), db.database.atomic():
    Template.insert(account=1, name="half", text="x", created_at=0).execute()
    print("in", flush=True)
    time.sleep(60)
"""


class Crowd:
    """Threads that write one transaction after the other, or one statement; how long each had to wait."""

    def __init__(self, threads: int, seconds: float) -> None:
        self.waits: list[float] = []
        self.errors: list[Exception] = []
        self.end = time.monotonic() + seconds
        self.threads = [threading.Thread(target=self._write, args=(n, n % 4 == 0)) for n in range(threads)]
        for thread in self.threads:
            thread.start()

    def _write(self, place: int, alone: bool) -> None:
        try:
            with database.connection_context():
                while time.monotonic() < self.end:
                    began = time.monotonic()
                    if alone:
                        beat(f"one:{place}")
                    else:
                        with database.atomic():
                            beat(f"two:{place}")
                            beat(f"three:{place}")
                    self.waits.append(time.monotonic() - began)
        except Exception as error:
            self.errors.append(error)

    def done(self) -> "Crowd":
        for thread in self.threads:
            thread.join()
        return self


@pytest.mark.alone
def test_in_a_crowd_of_writers_nobody_waits_long(database_file):
    """Six worker threads and sixteen of the web at once; SQLite's own waiting let some lose for seconds."""
    crowded = Crowd(22 if KIND == "sqlite" else db.POSTGRES_CONNECTIONS - 1, 3).done()
    assert crowded.errors == []
    waits = sorted(crowded.waits)
    print(
        f"{len(waits)} writes, p99 {waits[int(len(waits) * 0.99)] * 1000:.0f} ms, max {waits[-1] * 1000:.0f} ms"
    )
    assert waits[-1] < 0.5 * crowd()


def test_a_process_that_dies_in_the_middle_of_a_transaction_holds_up_nobody(account, settings):
    program = WRITER.format(url=settings.database_url)
    with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"in\n"
        process.send_signal(signal.SIGKILL)
        process.wait()
    with database.atomic():
        Template.insert(account=account, name="whole", text="x", created_at=0).execute()
    assert [t.name for t in Template.select()] == ["whole"]


def test_a_transaction_that_fails_lets_the_next_one_write(account):
    @database.atomic()
    def fail(trouble: type[BaseException]) -> None:
        beat("lost")
        raise trouble

    for trouble in (RuntimeError, KeyboardInterrupt):
        with pytest.raises(trouble):
            fail(trouble)
    with pytest.raises(DatabaseError), database.atomic():
        database.execute_sql("INSERT INTO nowhere VALUES (1)")
    with pytest.raises(DatabaseError):
        database.execute_sql("INSERT INTO nowhere VALUES (1)")
    done = threading.Event()

    def write() -> None:
        with database.connection_context():
            beat("alone")
            with database.atomic():
                beat("kept")
        done.set()

    threading.Thread(target=write, daemon=True).start()
    assert done.wait(5)
    assert {h.name for h in Heartbeat.select()} == {"alone", "kept"}


@pytest.mark.sqlite
def test_the_file_of_the_turn_is_nobodys_but_the_owners(account, settings):
    beat("one")
    assert os.stat(settings.data / "faden.db-turn").st_mode & 0o022 == 0


@pytest.mark.postgresql
def test_a_connection_that_the_server_has_ended_is_replaced_before_it_is_used(account):
    database.close()
    for _ in range(3):
        with database.connection_context():
            me = database.execute_sql("SELECT pg_backend_pid()").fetchone()[0]
        with psycopg.connect(POSTGRES, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s)", (me,))
        time.sleep(0.2)
        with database.connection_context():
            assert Heartbeat.select().count() == 0
    database.connect()


@pytest.mark.postgresql
def test_more_threads_than_connections_wait_for_one(account):
    crowded = Crowd(db.POSTGRES_CONNECTIONS * 2, 1).done()
    assert crowded.errors == []


@pytest.mark.postgresql
def test_an_address_may_hold_what_an_address_may_hold(settings):
    """Escaped characters and parameters reach the driver as they are."""
    try:
        made = db.connect(f"{settings.database_url}?sslmode=prefer&connect_timeout=3")
        assert made.connect_params["application_name"] == "faden"
        assert "sslmode=prefer" in made.database
    finally:
        db.connect(settings.database_url)
