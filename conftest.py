"""In which order tests run, and what a skipped one means: in continuous integration a failure, unless it is marked optional."""

import os
from collections.abc import Generator
from typing import Any

import pytest
from hypothesis import settings

STRICT = os.environ.get("CI", "").lower() in ("1", "true", "yes")


# A slow moment of a busy machine is no finding; in continuous integration the same examples come every time.
settings.register_profile("faden", deadline=None, derandomize=STRICT)
settings.load_profile("faden")


def pytest_configure(config: pytest.Config) -> None:
    """Name the marks of this project."""
    config.addinivalue_line("markers", "optional(why): may be skipped even where CI=true")
    config.addinivalue_line("markers", "alone: measures time or starts everything; runs beside no other test")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put files that drive a browser last: Playwright's event loop stays, and no asyncio.run() works beside it."""
    browsing = {item.path for item in items if "chromium" in getattr(item, "fixturenames", ())}
    items.sort(key=lambda item: item.path in browsing)


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
