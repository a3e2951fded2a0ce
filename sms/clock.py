"""The only clock: aware UTC datetimes that tests move instead of sleeping."""

from datetime import UTC, datetime, timedelta

_shift = timedelta(0)


def now() -> datetime:
    """Return the present moment as an aware UTC datetime, moved by what tests have shifted."""
    return datetime.now(UTC) + _shift


def shift(by: timedelta) -> None:
    """Move the clock of this process forward (or back) by a timedelta; tests only."""
    global _shift
    _shift += by


def reset() -> None:
    """Put the clock back to the machine's own time."""
    global _shift
    _shift = timedelta(0)
