"""What service managers get: units and a compose file whose commands and settings are there."""

import re
import shutil
import subprocess
from configparser import RawConfigParser
from pathlib import Path

import pytest

from sms import config

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
UNITS = sorted(DEPLOY.glob("*.service"))


def unit(path: Path) -> RawConfigParser:
    parsed = RawConfigParser(strict=False)
    parsed.optionxform = str  # type: ignore[assignment,method-assign]
    parsed.read_string(path.read_text("utf-8"))
    return parsed


def test_there_is_a_unit_for_each_process_but_the_pretend_network():
    assert [path.name for path in UNITS] == [
        "faden-smpp@.service",
        "faden-web.service",
        "faden-worker.service",
    ]


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_unit_runs_a_command_that_there_is(path: Path, app):
    service = unit(path)["Service"]
    for line in filter(None, (service.get("ExecStart"), service.get("ExecStartPre"))):
        python, *flask = line.split(" --app app ")[0].split()
        words = line.split(" --app app ")[1].split()
        assert (python, flask) == ("/opt/faden/.venv/bin/python", ["-m", "flask"])
        command = app.cli.get_command(None, words[0])
        assert command is not None, words
        if len(words) > 1 and hasattr(command, "commands"):
            assert words[1] in command.commands


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_unit_restarts_what_dies_and_gives_it_time_to_finish(path: Path):
    service = unit(path)["Service"]
    assert service["Restart"] == "always"
    assert int(service["TimeoutStopSec"]) > 10
    assert "KillSignal" not in service  # SIGTERM, which every process of ours takes


@pytest.mark.optional("systemd's own check of its units")
@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_finds_nothing_wrong_with_the_units(tmp_path: Path):
    for path in UNITS:
        text = path.read_text("utf-8").replace("/opt/faden/", f"{ROOT}/")
        (tmp_path / path.name.replace("@.", "@main.")).write_text(text)
    ran = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *sorted(map(str, tmp_path.glob("*.service")))],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    about_ours = [line for line in ran.stderr.splitlines() if "faden" in line]
    assert (ran.returncode, about_ours) == (0, [])


def test_the_settings_of_the_example_are_settings(tmp_path: Path):
    text = (DEPLOY / "faden.env").read_text("utf-8")
    named = re.findall(r"^(?:# )?([A-Z_]+)=", text, re.MULTILINE)
    assert {name for name in named if name.startswith("FADEN_")} <= set(config.KNOWN)
    assert {"HOST", "PORT", "FADEN_PUBLIC_URL", "FADEN_CARRIERS"} <= set(named)
    values = dict(re.findall(r"^([A-Z_]+)=(.*)$", text, re.MULTILINE))
    own = {name: value for name, value in values.items() if name not in ("FADEN_CARRIERS",)}
    loaded = config.load({**own, "FADEN_DATA": str(tmp_path), "FADEN_SECRET_KEY": "x"})
    assert (loaded.public_url, loaded.log) == ("https://sms.example.com", "text")


def test_the_compose_files_commands_are_there(app):
    text = (DEPLOY / "compose.yaml").read_text("utf-8")
    commands = [words.split(", ") for words in re.findall(r"^ +command: \[(.+)\]$", text, re.MULTILINE)]
    assert sorted(words[0] for words in commands) == ["db", "web", "worker"]
    assert all(app.cli.get_command(None, words[0]) for words in commands)
    assert "migrate" in app.cli.get_command(None, "db").commands


def test_the_image_holds_what_it_copies_and_nothing_secret():
    text = (DEPLOY / "Dockerfile").read_text("utf-8")
    copied = re.findall(r"^COPY (\S+) \S+$", text, re.MULTILINE)
    assert copied == ["requirements.lock", "app.py", "sms", "voice"]
    assert all((ROOT / name).exists() for name in copied)
    let_in = [line[1:] for line in (ROOT / ".dockerignore").read_text().split() if line.startswith("!")]
    assert sorted(let_in) == sorted(copied)
    assert "USER faden" in text
