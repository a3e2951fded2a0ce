"""smsc.mjs on free ports: a message centre written in another language by another library."""

import fcntl
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from tests.ports import free_port

SCRIPT = Path(__file__).with_name("smsc.mjs")
SECONDS_TO_START = 90
"""The first start on a machine installs the npm package; after that it takes half a second."""


def missing() -> str | None:
    """What keeps the centre from running here, in words for a skip; None if nothing does."""
    absent = [program for program in ("node", "npm") if shutil.which(program) is None]
    return f"smsc.mjs needs {' and '.join(absent)}" if absent else None


class Centre:
    """A running message centre: where to bind, and what a test may do to it."""

    def __init__(self, port: int, control: int) -> None:
        self.port, self.control = port, f"http://127.0.0.1:{control}"

    def state(self) -> Any:
        return requests.get(f"{self.control}/state", timeout=5).json()

    def phones(self, since: int = 0) -> list[dict[str, Any]]:
        """Every message as a phone shows it, its parts joined."""
        return list(requests.get(f"{self.control}/messages", params={"since": since}, timeout=5).json())

    def texts(self, number: str) -> list[str]:
        """What one phone shows; the number as E.164."""
        return [m["text"] for m in self.phones() if m["to"] == number.removeprefix("+")]

    def mode(self, **change: Any) -> None:
        self._do("mode", change)

    def text(self, sender: str, to: str, text: str, via: str = "udh") -> Any:
        """A phone sends a text; returns the statuses that its parts were acknowledged with."""
        return self._do("mo", {"from": sender, "to": to, "text": text, "via": via})

    def cut(self) -> None:
        self._do("cut", {})

    def unbind(self) -> None:
        self._do("unbind", {})

    def down(self, seconds: float) -> None:
        self._do("down", {"ms": int(seconds * 1000)})

    def _do(self, what: str, body: dict[str, Any]) -> Any:
        answer = requests.post(f"{self.control}/{what}", json=body, timeout=70)
        assert answer.status_code == 200, answer.text
        return answer.json()


@contextmanager
def smsc(log: Path, *flags: str) -> Iterator[Centre]:
    """Run the centre with its script's flags. Starts are one after the other: npm installs once."""
    home = Path(os.environ.get("SMSC_HOME") or Path.home() / ".cache/carrier-peers/smsc")
    home.mkdir(parents=True, exist_ok=True)
    with open(home / "lock", "w") as lock, open(log, "wb") as out:
        fcntl.flock(lock, fcntl.LOCK_EX)
        port, control = free_port(), free_port()
        command = ["node", str(SCRIPT), "--port", str(port), "--control", str(control), *flags]
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
        try:
            _wait(process, log)
            fcntl.flock(lock, fcntl.LOCK_UN)
            yield Centre(port, control)
        finally:
            process.terminate()
            process.wait(10)


def said(log: Path) -> list[dict[str, Any]]:
    """What the centre has printed."""
    return [json.loads(line) for line in log.read_text("utf-8").splitlines() if line.startswith("{")]


def _wait(process: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < end and process.poll() is None:
        if b'"listening"' in log.read_bytes():
            return
        time.sleep(0.05)
    raise RuntimeError(f"smsc.mjs did not start:\n{log.read_text('utf-8', 'replace')[-2000:]}")
