"""What the worker looks after once a second, by state: nothing depends on a nudge having arrived."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from sms import (
    answering,
    calling,
    failover,
    grey,
    idempotency,
    inbox,
    judging,
    live,
    media,
    mornings,
    outbox,
    probing,
    queue,
    receiving,
    search,
    tally,
)
from sms.clock import now
from sms.modules import modules

log = logging.getLogger(__name__)

TIDY_EVERY = timedelta(days=1)
_tidied_at: datetime | None = None


def tick() -> None:
    """Run every sweep once; one that fails is logged and does not keep the others from running."""
    for sweep in (
        mornings.sweep,
        outbox.sweep,
        calling.sweep,
        receiving.sweep,
        probing.sweep,
        judging.sweep,
        failover.sweep,
        grey.sweep,
        idempotency.sweep,
        tally.sweep,
        search.sweep,
        wake,
        fetch_recordings,
        ring_for_tidying,
        *_module_ticks(),
    ):
        try:
            sweep()
        except Exception:
            log.exception("sweep %s failed", sweep.__qualname__)


def _module_ticks() -> list[Callable[[], None]]:
    return [m.tick for m in modules().values() if m.tick is not None]


def wake() -> None:
    """Open snoozed conversations whose time has come."""
    inbox.wake(now())


def fetch_recordings() -> None:
    """Fetch recordings that an interrupted job has left, or that the carrier did not have yet."""
    for call in answering.recordings_to_fetch():
        queue.later("fetch_recording", call.id)


def ring_for_tidying() -> None:
    """Have removed what has served its time: when a worker starts, then once a day."""
    global _tidied_at
    if _tidied_at is None or now() >= _tidied_at + TIDY_EVERY:
        _tidied_at = now()
        queue.later("tidy", priority=queue.LOW)


@queue.job
def tidy() -> None:
    """Remove audio that nothing refers to any more, changes that no page will ask for, and old probes."""
    media.tidy()
    live.forget_old()
    probing.forget_old()
