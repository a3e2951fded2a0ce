"""Faden's own processes, which die as planned or are told to stop, beside a pretend network that stays."""

import json
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sms import clock, config
from sms.sandbox.app import create_app as create_sandbox
from sms.sandbox.serve import Running
from tests.crowd import PATIENCE
from tests.database import environment
from tests.network import Town, settings  # noqa: F401

ROOT = Path(__file__).parents[2]


class Mortals:
    """The web process and the worker that die as planned, and time as they know it."""

    def __init__(self, settings: config.Settings, deaths: dict[str, list[tuple[str, int]]]):  # noqa: F811
        self.settings, self.deaths = settings, deaths
        self.died: list[tuple[str, str]] = []
        self.ended: list[list[Any]] = []
        self.shifted = 0.0
        environ = {**os.environ, **environment(settings), "PORT": str(settings.port), "PYTHONPATH": str(ROOT)}
        self.program = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.program", json.dumps(deaths)],
            cwd=ROOT, env=environ | {"FADEN_VOICE_ENGINES": "espeak"}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        self.reading = threading.Thread(target=self._read, daemon=True)
        self.reading.start()

    def _read(self) -> None:
        assert self.program.stdout is not None
        for line in self.program.stdout:
            what, *words = json.loads(line)
            if what == "died":
                self.died.append((words[0], words[1]))
            elif what == "ended":
                self.ended.append(words)

    def to_come(self) -> Counter[str]:
        """The places at which somebody is still to die."""
        planned = Counter(place for deaths in self.deaths.values() for place, _ in deaths)
        return planned - Counter(place for _, place in self.died)

    def pass_time(self, seconds: float) -> None:
        """Move everybody's clock on, the network's too."""
        self.shifted += seconds
        clock.shift(timedelta(seconds=seconds))
        part = self.settings.data / "clock.part"
        part.write_text(str(self.shifted))
        part.replace(self.settings.data / "clock")

    def stop(self) -> list[list[Any]]:
        """End both as a service manager does; returns each with its exit code."""
        assert self.program.stdin is not None
        self.program.stdin.close()
        self.program.wait(PATIENCE)
        self.reading.join(PATIENCE)
        return self.ended


@pytest.fixture
def town(
    database_file: str,
    settings: config.Settings,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Town]:
    """The pretend network alone; Faden is somewhere else."""
    # It does not give up: time passes quickly here, and the web process is dead for a good part of it.
    monkeypatch.setattr("sms.sandbox.network.RETRIES", (1.0,) * 10_000)
    running = Running(create_sandbox(settings), "127.0.0.1", settings.port + 1).start()
    yield Town(running.url, settings.public_url)
    running.stop()
