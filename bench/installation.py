"""A demo installation of our own, started for one benchmark and ended after it."""

import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType

import requests

ROOT = Path(__file__).parent.parent
PASSWORD, API_KEY = "bench-bench-bench", "fdn_bench_key"


class Installation:
    """What `make run` starts, with data in a folder of its own; use it in a `with`."""

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="faden-bench-")
        self.port = _free_port()
        self.url, self.sandbox = f"http://127.0.0.1:{self.port}", f"http://127.0.0.1:{self.port + 1}"
        self.api = requests.Session()
        self.api.headers["Authorization"] = f"Bearer {API_KEY}"

    def __enter__(self) -> "Installation":
        self.first_start = self.start()
        self.stop()
        self.next_start = self.start()
        return self

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

    def _ready(self) -> bool:
        try:
            return (
                requests.get(f"{self.url}/readyz", timeout=2).ok
                and requests.get(f"{self.sandbox}/healthz", timeout=2).ok
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

    def cpu_seconds(self, name: str) -> float:
        """Return the processor seconds that one of our children has used so far (Linux; 0 elsewhere)."""
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                words = (folder / "cmdline").read_bytes().split(b"\0")
                stat = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if name.encode() in words and b"sms.tether" in words and int(stat[1]) == self.process.pid:
                return (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")
        return 0.0


def _free_port() -> int:
    while True:
        with socket.socket() as one, socket.socket() as two:
            one.bind(("127.0.0.1", 0))
            try:
                two.bind(("127.0.0.1", one.getsockname()[1] + 1))
            except (OSError, OverflowError):
                continue
            return int(one.getsockname()[1])
