"""Shows that a web process lives and how many pages follow it: one row, written every few seconds."""

import logging
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sms.db import database
from sms.models import Heartbeat
from sms.worker import HEARTBEAT_SECONDS, beat

log = logging.getLogger(__name__)


@contextmanager
def beating(kind: str, detail: Callable[[], str]) -> Iterator[None]:
    """Write a heartbeat with what `detail` tells for as long as the block runs; then it is taken back."""
    name, ending = f"{kind}:{socket.gethostname()}:{os.getpid()}"[:60], threading.Event()
    heart = threading.Thread(target=_beat_until, args=(ending, name, detail), name="heart", daemon=True)
    heart.start()
    try:
        yield
    finally:
        ending.set()
        heart.join(timeout=2)
        with database.connection_context():
            Heartbeat.delete().where(Heartbeat.name == name).execute()


def _beat_until(ending: threading.Event, name: str, detail: Callable[[], str]) -> None:
    while not ending.is_set():
        try:
            with database.connection_context():
                beat(name, detail())
        except Exception:  # a database that is away comes back
            log.exception("the heartbeat failed")
        ending.wait(HEARTBEAT_SECONDS)
