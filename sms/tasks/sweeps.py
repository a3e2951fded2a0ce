"""What the worker looks after once a second, by state: nothing depends on a nudge having arrived."""

import logging
from collections.abc import Callable

from sms import calling, delivery, idempotency, inbox, queue, receiving
from sms.clock import now
from sms.modules import modules

log = logging.getLogger(__name__)


def tick() -> None:
    """Run every sweep once; one that fails is logged and does not keep the others from running."""
    for sweep in (
        delivery.sweep,
        calling.sweep,
        receiving.sweep,
        idempotency.sweep,
        wake,
        fetch_recordings,
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
    for call in calling.recordings_to_fetch():
        queue.later("fetch_recording", call.id)
