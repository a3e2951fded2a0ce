"""Prism on a free port: Twilio's own OpenAPI document as a server that refuses what Twilio would refuse."""

import fcntl
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from tests.ports import free_port

ROOT = Path(__file__).parents[2]
SPECS = Path(os.environ.get("FADEN_TEST_SPECS") or ROOT / ".." / "shared" / "specs")
SPEC = SPECS / "twilio_api_v2010.json"
SCRIPT = Path(__file__).with_name("start-prism.sh")
SECONDS_TO_START = 90
"""The first start on a machine installs Prism from npm; after that it takes three seconds."""


def missing() -> str | None:
    """What keeps Prism from running here, in words for a skip; None if nothing does."""
    if not SPEC.is_file():
        return f"no {SPEC.name} in {SPECS} (FADEN_TEST_SPECS names the folder)"
    absent = [program for program in ("bash", "node", "npm") if shutil.which(program) is None]
    return f"Prism needs {' and '.join(absent)}" if absent else None


@contextmanager
def prism(log: Path, *flags: str) -> Iterator[str]:
    """Run Prism with the script's flags; yields its origin. Starts are one after the other: npm installs once."""
    home = Path(os.environ.get("PRISM_HOME") or Path.home() / ".cache/carrier-peers/prism")
    home.mkdir(parents=True, exist_ok=True)
    with open(home / "lock", "w") as lock, open(log, "wb") as out:
        fcntl.flock(lock, fcntl.LOCK_EX)
        port = free_port()
        command = ["bash", str(SCRIPT), str(SPEC), str(port), *flags]
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
        try:
            _wait(process, f"http://127.0.0.1:{port}", log)
            fcntl.flock(lock, fcntl.LOCK_UN)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(10)
            (home / f"spec-{port}.json").unlink(missing_ok=True)


def _wait(process: subprocess.Popen[bytes], origin: str, log: Path) -> None:
    end = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < end and process.poll() is None:
        try:
            requests.get(origin, timeout=2)
        except requests.RequestException:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"Prism did not start:\n{log.read_text('utf-8', 'replace')[-2000:]}")
