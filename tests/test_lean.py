"""Each process loads what it needs and no more: what only pages or another database need stays out of its memory."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sms import config
from tests.database import KIND, environment

ROOT = Path(__file__).parent.parent
PAGES = {"flask", "jinja2", "werkzeug", "pydantic", "granian", "wtforms"}
DRIVERS = {"psycopg", "redis"}

LOADED = "import json, sys; print(json.dumps([n for n, m in sys.modules.items() if m is not None and '.' not in n]))"
WORKER = """
from sms import config, tether
settings = config.load()
tether._leave_out_drivers(settings)
from sms import running, worker
running.connect(settings)
import sms.smpp_bind, sms.tasks.sweeps
from sms.modules import modules
modules()
"""


def loaded(program: str, settings: config.Settings) -> set[str]:
    """Return the packages that a program has loaded at its end."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("FADEN_")}
    done = subprocess.run(
        [sys.executable, "-c", program + LOADED],
        cwd=ROOT,
        env={**clean, **environment(settings)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))


def test_the_supervisor_loads_neither_tables_nor_pages(settings: config.Settings) -> None:
    found = loaded("import sms.supervisor\n", settings)
    assert not found & (PAGES | DRIVERS | {"peewee", "huey", "argon2", "phonenumbers"})


def test_a_worker_loads_no_pages(settings: config.Settings) -> None:
    found = loaded(WORKER, settings)
    assert {"peewee", "huey"} <= found
    assert not found & PAGES


@pytest.mark.skipif(KIND != "sqlite", reason="a database of PostgreSQL needs its driver")
def test_a_process_loads_no_driver_of_a_database_it_does_not_use(settings: config.Settings) -> None:
    assert not loaded(WORKER, settings) & DRIVERS
