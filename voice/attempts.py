"""Three calls, the next ten seconds after the end of the last, until one is answered. Pure: no clock, no rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

ATTEMPTS = 3
PAUSE = timedelta(seconds=10)

Verdict: TypeAlias = Literal["running", "answered", "try_again", "given_up"]

_ENDED: dict[str, Verdict] = {
    "completed": "answered",
    "busy": "try_again",
    "no-answer": "try_again",
    "failed": "try_again",
    # only we cancel a call, because the message was withdrawn
    "canceled": "given_up",
}
_NOBODY = frozenset({"machine_start", "fax"})
"""Who picked up, but heard nothing: the script hangs up on them."""


@dataclass(frozen=True)
class Attempt:
    """One call: aware UTC times, the last status the carrier told, and who answered where it detects that."""

    started_at: datetime
    ended_at: datetime | None = None
    status: str = "queued"
    answered_by: str | None = None


@dataclass(frozen=True)
class Next:
    """What to do about a voice message: call `at` this moment, wait for the running call, or nothing more."""

    do: Literal["call", "wait", "answered", "given_up"]
    at: datetime | None = None
    """With "call": not before this moment; None means at once."""


def verdict(attempt: Attempt) -> Verdict:
    """Return what one call has come to; a status that is not final means it is still running."""
    found = _ENDED.get(attempt.status, "running")
    if found == "answered" and attempt.answered_by in _NOBODY:
        return "try_again"
    return found


def next_attempt(attempts: Sequence[Attempt]) -> Next:
    """Return the next step after these calls, in the order they were made; never two calls at once."""
    verdicts = [verdict(a) for a in attempts]
    if "answered" in verdicts:
        return Next("answered")
    if "running" in verdicts:
        return Next("wait")
    if "given_up" in verdicts or len(attempts) >= ATTEMPTS:
        return Next("given_up")
    if not attempts:
        return Next("call")
    return Next("call", max(a.ended_at or a.started_at for a in attempts) + PAUSE)
