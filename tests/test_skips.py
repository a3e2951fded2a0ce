"""A skipped test is a failure where CI=true."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SKIPPING = """
import pytest

def test_without_a_browser():
    pytest.skip("no browser")

@pytest.mark.optional("a database server of one's own")
def test_without_a_server():
    pytest.skip("no server")
"""


@pytest.mark.parametrize(("ci", "code"), [("true", 1), ("", 0)])
def test_skip_fails_in_continuous_integration_unless_it_is_optional(tmp_path: Path, ci: str, code: int):
    (tmp_path / "conftest.py").write_text((ROOT / "conftest.py").read_text())
    (tmp_path / "test_it.py").write_text(SKIPPING)
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-ra", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=tmp_path,
        env={**os.environ, "CI": ci},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == code, ran.stdout
    assert ("required where CI=true, but Skipped: no browser" in ran.stdout) == (code == 1)
    assert "1 failed, 1 skipped" in ran.stdout if code else "2 skipped" in ran.stdout


def test_a_whole_file_that_skips_itself_fails_too(tmp_path: Path):
    (tmp_path / "conftest.py").write_text((ROOT / "conftest.py").read_text())
    (tmp_path / "test_it.py").write_text("import pytest\npytest.skip('no node', allow_module_level=True)\n")
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=tmp_path,
        env={**os.environ, "CI": "true"},
        capture_output=True,
        text=True,
    )
    assert ran.returncode != 0
    assert "no node" in ran.stdout
