"""In which order tests run, and what a skipped one means: in continuous integration a failure, unless it is marked optional."""

import os
from collections import Counter
from collections.abc import Generator
from typing import Any

import pytest
from hypothesis import settings

STRICT = os.environ.get("CI", "").lower() in ("1", "true", "yes")
DATABASE = os.environ.get("FADEN_TEST_DATABASE") or "sqlite"
"""The database of this run. On any other than SQLite only those tests run that have to do with a database."""

# A slow moment of a busy machine is no finding; in continuous integration the same examples come every time.
# On a second database they are fewer: what parses and computes is the same there.
settings.register_profile(
    "faden", deadline=None, derandomize=STRICT, max_examples=100 if DATABASE == "sqlite" else 25
)
settings.load_profile("faden")


def pytest_configure(config: pytest.Config) -> None:
    """Name the marks of this project."""
    config.addinivalue_line("markers", "optional(why): may be skipped even where CI=true")
    config.addinivalue_line("markers", "alone: measures time or starts everything; runs beside no other test")
    config.addinivalue_line(
        "markers", "sqlite: is about SQLite, or the same on any database; runs there alone"
    )
    config.addinivalue_line("markers", "postgresql: is about PostgreSQL; runs there alone")
    config.addinivalue_line(
        "markers", "both: runs on every database although it opens it by itself or in a browser"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Choose the tests that this run's database is about, and put those last that drive a browser."""
    chosen = [item for item in items if _belongs(item)]
    config.hook.pytest_deselected(items=[item for item in items if not _belongs(item)])
    items[:] = chosen
    # Playwright's event loop stays, and no asyncio.run() works beside it. Long files first: so no process of the
    # run is left alone with one at the end.
    browsing = Counter(item.path for item in items if "chromium" in getattr(item, "fixturenames", ()))
    items.sort(key=lambda item: (item.path in browsing, -browsing[item.path]))


def _belongs(item: pytest.Item) -> bool:
    """Whether a test has to do with the database of this run."""
    if DATABASE == "sqlite":
        return not item.get_closest_marker("postgresql")
    if item.get_closest_marker("both"):
        return True
    if item.get_closest_marker("sqlite"):
        return False
    needs = getattr(item, "fixturenames", ())
    return "template" in needs and "chromium" not in needs


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[Any]) -> Generator[None, Any, Any]:
    """Turn a skip into a failure where CI=true: a check that does not run proves nothing."""
    report = yield
    expected = hasattr(report, "wasxfail") or item.get_closest_marker("optional")
    if STRICT and report.skipped and not expected:
        _fail(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Generator[None, Any, Any]:
    """The same for whole files that skip themselves."""
    report = yield
    if STRICT and report.skipped:
        _fail(report)
    return report


def _fail(report: Any) -> None:
    why = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    report.outcome, report.longrepr = "failed", f"required where CI=true, but {why}"
