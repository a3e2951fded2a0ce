"""The only clock: aware UTC datetimes that tests, and who tries Faden out, move instead of waiting."""

from datetime import UTC, datetime, timedelta

_shift = timedelta(0)


def now() -> datetime:
    """Return the present moment as an aware UTC datetime, moved by what was shifted."""
    return datetime.now(UTC) + _shift


def set_ahead(by: timedelta) -> None:
    """Let the clock of this process go ahead of the machine's by a timedelta (FADEN_CLOCK)."""
    global _shift
    _shift = by


def shift(by: timedelta) -> None:
    """Move the clock of this process forward (or back) by a timedelta; tests only."""
    global _shift
    _shift += by


def reset() -> None:
    """Put the clock back to the machine's own time."""
    set_ahead(timedelta(0))
