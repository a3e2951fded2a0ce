"""Whoever tries Faden out may be ahead of time; whoever has carriers may not."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sms import config

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize(
    ("text", "ahead"),
    [("", timedelta()), ("+90m", timedelta(minutes=90)), ("36h", timedelta(hours=36)), (" +2d ", timedelta(days=2))],
)  # fmt: skip
def test_a_clock_is_ahead_by_minutes_hours_or_days(tmp_path, text, ahead):
    assert config.load({"FADEN_DATA": str(tmp_path), "FADEN_CLOCK": text}).ahead == ahead


@pytest.mark.parametrize("text", ["tomorrow", "-1d", "1.5h", "+2 weeks", "99999d"])
def test_another_clock_stops_the_start_with_a_line(tmp_path, text):
    with pytest.raises(config.ConfigError, match="FADEN_CLOCK"):
        config.load({"FADEN_DATA": str(tmp_path), "FADEN_CLOCK": text})


def test_nobody_with_carriers_is_ahead_of_time(tmp_path):
    (tmp_path / "carriers.toml").write_text("", "utf-8")
    with pytest.raises(config.ConfigError, match="FADEN_CARRIERS"):
        config.load(
            {
                "FADEN_DATA": str(tmp_path),
                "FADEN_CLOCK": "+1d",
                "FADEN_CARRIERS": str(tmp_path / "carriers.toml"),
            }
        )


def test_a_process_that_is_connected_is_ahead(tmp_path):
    program = "from sms import clock, config, running; running.connect(config.load()); print(clock.now().isoformat())"
    environ = {"FADEN_DATA": str(tmp_path), "FADEN_CLOCK": "+2d", "PATH": ""}
    told = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environ, capture_output=True, text=True, check=True
    ).stdout
    ahead = datetime.fromisoformat(told.strip()) - datetime.now(UTC)
    assert timedelta(days=2) - timedelta(minutes=1) < ahead <= timedelta(days=2)
