"""`make run`: prepares the data, starts web, worker, sandbox or SMPP links, keeps them alive, ends them together."""

import fcntl
import http.client
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from contextlib import suppress
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import FrameType
from typing import IO, Any

from sms import config
from sms.ports import PortTaken, refuse_taken
from sms.preparing import Prepared, prepare_apart

ROOT = Path(__file__).parent.parent
READY_SECONDS = 100
DEMO_SECONDS = 45
"""Several times what the demo takes; a machine that needs more goes without the end of the story."""
STOP_SECONDS = 8.0
"""After this a child that has not ended is killed: all is gone within ten seconds."""
WORKER_FIRST_SECONDS = 6.5
"""So long the sandbox outlives the worker, which finishes the call it is in."""
LONGEST_BACK_OFF = 30.0
STEADY_SECONDS = 60.0
LOG_BYTES = 5_000_000


class Child:
    """One program of ours in a process group of its own, with its log and its back-off."""

    def __init__(self, words: str, settings: config.Settings):
        """`words` are the `flask` command to run, its argument included."""
        self.words, self.settings = words.split(), settings
        self.name = words
        self.failures = 0
        self.start_at = 0.0
        self.started_at = 0.0
        self.last_words: deque[str] = deque(maxlen=30)
        self.process: subprocess.Popen[bytes] | None = None
        self.log = _log_file(settings.data / "log" / f"{'-'.join(self.words)}.log")
        self._reader: threading.Thread | None = None

    def start(self) -> None:
        """Start the program; its standard input stays open as long as we live (sms.tether)."""
        self.last_words.clear()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "sms.tether", *self.words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=_environment(self.settings),
            start_new_session=True,  # Ctrl-C reaches us alone; we end the children in order
        )
        self.started_at = time.monotonic()
        assert self.process.stdout is not None
        self._reader = threading.Thread(target=self._read, args=(self.process.stdout,), daemon=True)
        self._reader.start()

    def _read(self, output: IO[bytes]) -> None:
        with output:
            for line in output:
                text = line.decode("utf-8", "replace").rstrip()
                self.last_words.append(text)
                self.log.emit(logging.makeLogRecord({"msg": text}))

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def signal(self, signum: int) -> None:
        """Send a signal to the program's whole group; one that is gone is none."""
        if self.process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signum)

    def bury(self) -> int:
        """Take note of the end: what the program has started ends too; returns its exit code."""
        assert self.process is not None
        code = self.process.wait()
        self.signal(signal.SIGKILL)
        if self.process.stdin is not None:
            self.process.stdin.close()
        if self._reader is not None:
            self._reader.join(timeout=1)
        self.process = None
        return code

    def plan_restart(self) -> float:
        """Set when to start again and return the seconds until then: doubled each time, small after a steady run."""
        if time.monotonic() - self.started_at > STEADY_SECONDS:
            self.failures = 0
        wait = min(0.5 * 2**self.failures, LONGEST_BACK_OFF)
        self.failures += 1
        self.start_at = time.monotonic() + wait
        return wait


class Supervisor:
    """Runs the children until somebody wants to stop."""

    def __init__(self, settings: config.Settings, prepared: Prepared):
        self.settings, self.prepared = settings, prepared
        self.children = [Child(words, settings) for words in prepared.commands]
        self.make, self.stopping = Make(), False
        for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(signum, self._stop)

    def _stop(self, signum: int, frame: FrameType | None) -> None:
        self.stopping = True

    def run(self, greeting: list[str]) -> int:
        """Start everything, greet once it is ready, keep it alive; returns the exit code."""
        self._play_demo()
        for child in self.children:
            if not self.stopping:
                child.start()
        if self._wait_until_ready():
            say(*greeting)
        while not self._wanted_to_stop():
            self._look_after_children()
            time.sleep(0.1)
        self._end()
        return 0

    def _wanted_to_stop(self) -> bool:
        self.stopping = self.stopping or self.make.has_ended()
        return self.stopping

    def _wait_until_ready(self) -> bool:
        """Wait for both doors; pages that answer while the worker still comes up are count as well."""
        deadline = time.monotonic() + READY_SECONDS
        while not self._wanted_to_stop() and time.monotonic() < deadline:
            self._look_after_children()
            if all(answers(self.settings.host, port, path) for port, path in self._doors()):
                return True
            time.sleep(0.05)
        if not self.stopping:
            say(f"Not ready after {READY_SECONDS} s; see {self.settings.data / 'log'}")
        return False

    def _doors(self) -> list[tuple[int, str]]:
        sandbox = [(self.settings.port + 1, "/healthz")] if self.settings.sandbox else []
        return [*sandbox, (self.settings.port, "/readyz")]

    def _play_demo(self) -> None:
        """Let the demo's story happen before anybody looks: with pretend phones only, and once."""
        if not self.prepared.demo_missing:
            return
        say("Preparing the demo (once, some seconds) …")
        player = Child("demo", self.settings)
        player.start()
        deadline = time.monotonic() + DEMO_SECONDS
        while player.running and not self._wanted_to_stop() and time.monotonic() < deadline:
            time.sleep(0.05)
        player.signal(signal.SIGTERM)
        code = player.bury()
        if code and not self.stopping:
            say(f"The demo data are incomplete (exit code {code}): {_last(player)}")

    def _look_after_children(self) -> None:
        for child in self.children:
            if child.process is not None and not child.running:
                self._note_end(child, child.bury())
            elif child.process is None and time.monotonic() >= child.start_at:
                child.start()

    def _note_end(self, child: Child, code: int) -> None:
        wait = child.plan_restart()
        say(f"{child.name} has ended (exit code {code}), starting again in {wait:g} s: {_last(child)}")

    def _end(self) -> None:
        """Web and worker first; the sandbox last, because a call that is finishing needs it."""
        say("", "Stopping …")
        begun = time.monotonic()
        last = [child for child in self.children if child.name == "sandbox"]
        first = [child for child in self.children if child not in last]
        _end_all(first, begun + (WORKER_FIRST_SECONDS if last else STOP_SECONDS))
        _end_all(last, begun + STOP_SECONDS)
        for child in self.children:
            child.signal(signal.SIGKILL)
            if child.process is not None:
                child.bury()
        say("Stopped.")


def _end_all(children: list[Child], deadline: float) -> None:
    for child in children:
        child.signal(signal.SIGTERM)
    while any(child.running for child in children) and time.monotonic() < deadline:
        time.sleep(0.05)


def _last(child: Child) -> str:
    said = [line for line in child.last_words if line.strip()]
    return (said[-1] if said else "it said nothing")[:300]


def _log_file(path: Path) -> RotatingFileHandler:
    path.parent.mkdir(parents=True, exist_ok=True)
    return RotatingFileHandler(path, maxBytes=LOG_BYTES, backupCount=2, encoding="utf-8")


def _environment(settings: config.Settings) -> dict[str, str]:
    own = {
        "FADEN_DATA": str(settings.data),
        "HOST": settings.host,
        "PORT": str(settings.port),
        "PYTHONUNBUFFERED": "1",
        # Many threads that each have a heap of their own keep twice the memory they need.
        "MALLOC_ARENA_MAX": os.environ.get("MALLOC_ARENA_MAX", "2"),
        "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH")))),
    }
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("FADEN_DEMO_")}
    return {**inherited, **own}


class Make:
    """The make that has started us, if one has: on Linux its end can be seen, which it does not tell."""

    def __init__(self) -> None:
        self.pid = os.getppid()
        self.started_us = self._status().get("Name") == "make"

    def has_ended(self) -> bool:
        """Tell whether make is gone, or got SIGINT alone.

        A terminal sends SIGINT to everybody; `kill -INT` of make does not, and make forwards only SIGTERM. Then it
        waits for us in its signal handler, and its status shows SIGINT as blocked.
        """
        if not self.started_us:
            return False
        blocked = int(self._status().get("SigBlk", "0"), 16)
        return os.getppid() != self.pid or bool(blocked & 1 << (signal.SIGINT - 1))

    def _status(self) -> dict[str, str]:
        try:
            lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        except OSError:
            return {}
        return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def answers(host: str, port: int, path: str) -> bool:
    """Tell whether GET on our own machine is answered with 200 within a second."""
    address = config.loopback(host)
    connection = http.client.HTTPConnection(address, port, timeout=1)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def say(*lines: str) -> None:
    """Print lines at once; a closed terminal is no reason to stop."""
    with suppress(OSError):
        for line in lines:
            print(line, flush=True)


def main() -> int:
    """Check, prepare, run; returns the exit code: 0 after Ctrl-C or SIGTERM, 2 where it cannot start."""
    try:
        settings = config.load()
        lock = _only_one(settings.data)
        _demand_ports(settings)
        prepared = prepare_apart(settings)
    except (config.ConfigError, PortTaken) as error:
        print(f"faden: {error}", file=sys.stderr)
        return 2
    with lock:
        return Supervisor(settings, prepared).run(_greeting(settings, prepared.sign_in))


def _only_one(data: Path) -> IO[Any]:
    lock = open(data / "run.lock", "w")  # noqa: SIM115 - held until the process ends
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise config.ConfigError(f"FADEN_DATA: {data} is in use by another `make run`") from None
    return lock


def _demand_ports(settings: config.Settings) -> None:
    for port in (settings.port, settings.port + 1)[: 2 if settings.sandbox else 1]:
        try:
            refuse_taken(settings.host, port)
        except PortTaken as taken:
            raise PortTaken(f"{taken}. Choose another one: PORT=8100 make run") from None


def _greeting(settings: config.Settings, sign_in: list[str]) -> list[str]:
    here = config.loopback(settings.host)
    lines = ["", "Faden is ready.", "", f"  Inbox     http://{here}:{settings.port}"]
    if settings.sandbox:
        lines.append(f"  Phones    {settings.sandbox_url}  (the pretend phone network)")
    return [*lines, *sign_in, f"  Data      {settings.data}, logs in log/", "", "Ctrl-C ends it."]
