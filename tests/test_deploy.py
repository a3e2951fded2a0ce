"""The scripts behind make: they say what is missing in one line, and do nothing twice."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TOOLS = ("sh", "cmp", "basename", "cp", "rm", "id", "cat")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder with the scripts and lock files, and nothing installed."""
    shutil.copytree(ROOT / "deploy", tmp_path / "clone" / "deploy")
    for lock in ROOT.glob("requirements*.lock"):
        shutil.copy(lock, tmp_path / "clone")
    return tmp_path / "clone"


def run(folder: Path, *words: str, path: str) -> subprocess.CompletedProcess[str]:
    environ = {"PATH": path, "HOME": str(folder)}
    return subprocess.run(["sh", *words], cwd=folder, env=environ, capture_output=True, text=True, timeout=60)


@pytest.fixture
def bare_path(tmp_path: Path) -> str:
    """A search path without any Python."""
    (tmp_path / "bin").mkdir()
    for tool in TOOLS:
        (tmp_path / "bin" / tool).symlink_to(shutil.which(tool))
    return str(tmp_path / "bin")


def pretend_installed(clone: Path, lock: str) -> None:
    (clone / ".venv" / "bin").mkdir(parents=True)
    (clone / ".venv" / "bin" / "python").symlink_to(sys.executable)
    shutil.copy(clone / lock, clone / ".venv" / lock)


@pytest.mark.parametrize("script", sorted(p.name for p in (ROOT / "deploy").glob("*.sh")))
def test_script_is_plain_sh(script: str):
    subprocess.run(["sh", "-n", ROOT / "deploy" / script], check=True)


def test_no_usable_python_is_told_in_one_line(clone: Path, bare_path: str):
    (Path(bare_path) / "python3").write_text("#!/bin/sh\nexit 1\n")
    (Path(bare_path) / "python3").chmod(0o755)
    script = (clone / "deploy" / "venv.sh").read_text().replace("/usr/bin/python3", "")
    (clone / "deploy" / "venv.sh").write_text(script)
    ran = run(clone, "deploy/venv.sh", "requirements.lock", path=bare_path)
    assert ran.returncode == 1
    assert len(ran.stderr.splitlines()) == 1
    assert "Python 3.11 or newer is needed" in ran.stderr


def test_what_is_installed_is_not_installed_again(clone: Path, bare_path: str):
    pretend_installed(clone, "requirements.lock")
    ran = run(clone, "deploy/venv.sh", "requirements.lock", path=bare_path)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


def test_folder_may_be_moved(clone: Path, bare_path: str):
    pretend_installed(clone, "requirements.lock")
    moved = clone.rename(clone.parent / "elsewhere")
    assert run(moved, "deploy/venv.sh", "requirements.lock", path=bare_path).returncode == 0


def test_changed_lock_file_is_installed_anew_with_its_hashes_checked(clone: Path, bare_path: str):
    pretend_installed(clone, "requirements.lock")
    python = clone / ".venv" / "bin" / "python"
    python.unlink()
    python.write_text(f'#!/bin/sh\necho "$@" >> {clone}/asked\n')
    python.chmod(0o755)
    (clone / "requirements.lock").write_text("flask==3.1.3 --hash=sha256:0\n")
    ran = run(clone, "deploy/venv.sh", "requirements.lock", path=bare_path)
    assert ran.returncode == 0, ran.stderr
    assert "installing the packages of requirements.lock" in ran.stderr
    assert "--require-hashes -r requirements.lock" in (clone / "asked").read_text()
    assert run(clone, "deploy/venv.sh", "requirements.lock", path=bare_path).stderr == ""


def test_packages_of_the_tests_contain_those_of_a_run():
    def pins(lock: str) -> set[str]:
        lines = (ROOT / lock).read_text().splitlines()
        return {line.split(" \\")[0].split(" ;")[0] for line in lines if line and line[0].isalnum()}

    assert pins("requirements.lock") <= pins("requirements-test.lock")
