"""A demo installation of our own, started for one benchmark and ended after it."""

import os
import re
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from types import TracebackType

import requests

ROOT = Path(__file__).parent.parent
PASSWORD, API_KEY = "bench-bench-bench", "fdn_bench_key"
TOML = """
[[carrier]]
name = "nothing"
kind = "twilio"
rate = 100000
numbers = ["+491713920010"]
base_url = "{origin}"
account_sid = "AC00000000000000000000000000000001"
auth_token_env = "NOTHING_TOKEN"
"""


class Installation:
    """What `make run` starts, with data in a folder of its own; use it in a `with`.

    With `carrier`, the origin of one that speaks Twilio's protocol, that one takes all texts and no sandbox runs.
    """

    def __init__(self, carrier: str | None = None) -> None:
        self.carrier = carrier
        self.folder = tempfile.TemporaryDirectory(prefix="faden-bench-")
        self.port = free_port()
        self.url, self.sandbox = f"http://127.0.0.1:{self.port}", f"http://127.0.0.1:{self.port + 1}"
        self.api = requests.Session()
        self.api.headers["Authorization"] = f"Bearer {API_KEY}"

    def __enter__(self) -> "Installation":
        self.first_start = self.start()
        return self

    def start_again(self) -> float:
        """End everything, start it once more, and return the seconds until it was ready."""
        self.stop()
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self.folder.cleanup()

    def start(self) -> float:
        """Start everything and return the seconds until it was ready."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("FADEN_")}
        own = {
            "FADEN_DATA": f"{self.folder.name}/data",
            "PORT": str(self.port),
            "FADEN_DEMO_PASSWORD": PASSWORD,
            "FADEN_DEMO_API_KEY": API_KEY,
            **self._with_carrier(),
        }
        began = time.perf_counter()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "sms"],
            cwd=ROOT,
            env={**clean, **own},
            stdout=subprocess.DEVNULL,
        )
        while not self._ready():
            if self.process.poll() is not None or time.perf_counter() - began > 120:
                raise SystemExit("bench: the installation does not start")
            time.sleep(0.02)
        return time.perf_counter() - began

    def _with_carrier(self) -> dict[str, str]:
        if self.carrier is None:
            return {}
        path = Path(self.folder.name) / "carriers.toml"
        path.write_text(TOML.format(origin=self.carrier), "utf-8")
        return {"FADEN_CARRIERS": str(path), "NOTHING_TOKEN": "0123456789abcdef0123456789abcdef"}

    def _ready(self) -> bool:
        try:
            ready = requests.get(f"{self.url}/readyz", timeout=2).ok
            return ready and (
                self.carrier is not None or requests.get(f"{self.sandbox}/healthz", timeout=2).ok
            )
        except requests.RequestException:
            return False

    def stop(self) -> None:
        """End everything."""
        self.process.terminate()
        self.process.wait(timeout=15)

    def browser(self) -> requests.Session:
        """Return a session that is signed in as the demo's person."""
        session = requests.Session()
        page = session.get(f"{self.url}/sign-in", timeout=10).text
        found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
        assert found, "the sign-in has no token"
        form = {"email": "demo@faden.example", "password": PASSWORD, "csrf_token": found[1]}
        session.post(f"{self.url}/sign-in", data=form, timeout=10).raise_for_status()
        return session

    @property
    def database(self) -> Path:
        """The installation's SQLite file."""
        return Path(self.folder.name) / "data" / "faden.db"

    def unlimited(self) -> None:
        """Lift the account's daily limit, which a benchmark would reach in seconds."""
        with closing(sqlite3.connect(self.database, timeout=30)) as connection:
            connection.execute("UPDATE account SET daily_parts = 2000000000")
            connection.commit()

    def unsettled(self) -> int:
        """Return how many messages are still queued or on their way."""
        with closing(sqlite3.connect(self.database, timeout=30)) as connection:
            sql = "SELECT COUNT(*) FROM message WHERE status IN ('queued', 'sending')"
            return int(connection.execute(sql).fetchone()[0])


def free_port() -> int:
    """Return a port that is free together with the one after it."""
    while True:
        with socket.socket() as one, socket.socket() as two:
            one.bind(("127.0.0.1", 0))
            try:
                two.bind(("127.0.0.1", one.getsockname()[1] + 1))
            except (OSError, OverflowError):
                continue
            return int(one.getsockname()[1])
