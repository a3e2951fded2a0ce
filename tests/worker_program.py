"""A worker with two jobs of its own, for test_worker; run as a program, or imported to ring the jobs."""

import time
from typing import Any

from sms import config, db, exchange, queue
from sms.logbook import open_logbook


@queue.job
def note(word: str, seconds: float = 0.0, rung_at: float = 0.0) -> None:
    """Write down that it began, and how long after it was rung, and that it ended."""
    db.database.execute_sql("SELECT 1")
    _write(f"{word} {time.time() - rung_at:.3f}")
    time.sleep(seconds)
    _write(f"{word} finished")


@queue.job
def count() -> None:
    """Say that it was rung."""
    _write("counted")


@queue.job
def fail() -> None:
    """Fail on purpose."""
    raise RuntimeError("on purpose")


def _write(line: str) -> None:
    with (config.load().data / "done").open("a") as file:
        file.write(line + "\n")


def main() -> None:
    """Work as `flask worker` does, and write down that it was told to stop."""
    from sms.worker import GracefulConsumer, work

    end = GracefulConsumer._end

    def noted(*words: Any) -> None:
        end(*words)
        _write("told to stop")

    GracefulConsumer._end = noted  # type: ignore[method-assign]
    open_logbook()
    settings = config.load()
    db.connect(settings.database_url)
    exchange.connect(settings)
    work(queue.connect(settings.queue_url, settings.data))
