"""Figures of the whole installation, counted when somebody asks: what /metrics shows."""

from datetime import datetime, timedelta
from typing import NamedTuple

from peewee import fn

from sms.clock import now
from sms.models import Heartbeat, Message
from sms.models.message import STATUSES

OPEN = ("scheduled", "queued", "sending", "unknown")
"""Statuses with a partial index each: counting them costs next to nothing."""
COUNTED_EVERY = timedelta(seconds=60)
"""The others are counted by reading the whole table, so not for every question."""

_finished: tuple[datetime, dict[str, int]] | None = None


class Outbox(NamedTuple):
    """Messages by status, and how many seconds the longest waiting one is overdue (0 where none is)."""

    messages: dict[str, int]
    oldest_seconds: float


def outbox() -> Outbox:
    """Count messages; finished ones are up to a minute old."""
    counts = dict.fromkeys(STATUSES, 0) | _counted_finished()
    for status in OPEN:
        counts[status] = Message.select().where(Message.status == status).count()
    return Outbox(counts, _oldest_seconds())


def _counted_finished() -> dict[str, int]:
    global _finished
    if _finished is None or abs(now() - _finished[0]) >= COUNTED_EVERY:
        rows = (
            Message.select(Message.status, fn.COUNT(Message.id))
            .where(Message.direction != "internal", Message.status.not_in(OPEN))
            .group_by(Message.status)
            .tuples()
        )
        _finished = now(), dict(rows)
    return _finished[1]


def _oldest_seconds() -> float:
    due = (Message.status == "queued") & (Message.next_at <= now())
    oldest = Message.select(Message.next_at).where(due).order_by(Message.next_at).limit(1).first()
    return 0.0 if oldest is None else (now() - oldest.next_at).total_seconds()


def worker_silent_seconds() -> float | None:
    """Return how long ago the last worker showed that it lives; None where there is none."""
    newest = (
        Heartbeat.select().where(Heartbeat.name.startswith("worker")).order_by(Heartbeat.at.desc()).first()
    )
    return None if newest is None else (now() - newest.at).total_seconds()
