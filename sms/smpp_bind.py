"""The process of one SMPP bind: claims its own texts, hands them over the link, stores what comes back.

Workers leave these texts alone. A text is claimed like any other, by the guarded UPDATE that begins its attempt,
and only while the link is there and a place in the window is free; so whatever dies, dies as in a worker.
"""

import logging
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from types import FrameType

from sms import delivery, exchange, sending
from sms.carriers.contract import OutcomeKind
from sms.carriers.smpp import Smpp
from sms.clock import now
from sms.config import ConfigError
from sms.db import database
from sms.models import Heartbeat, Message
from sms.smpp_incoming import Incoming

log = logging.getLogger(__name__)

IDLE_SECONDS = 0.1
"""How often an idle bind looks for texts: so long, at most, waits a person's reply."""
TICK = timedelta(seconds=2)
"""How often it shows that it lives and looks again at what came in and waits."""
STOP_SECONDS = 6.0
"""For what is on its way to be answered, when we are told to stop."""


class NoSuchBind(ConfigError):
    """The name belongs to no carrier that speaks SMPP."""


def run(name: str) -> None:
    """Keep the bind of a configured carrier until SIGTERM or SIGINT; raises ConfigError where there is none."""
    bind = Bind(name)
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, bind.end)
    bind.serve()


class Bind:
    """One carrier's link with those who work for it."""

    def __init__(self, name: str) -> None:
        carrier = exchange.carrier(name)
        if not isinstance(carrier, Smpp):
            raise NoSuchBind(f"FADEN_CARRIERS: there is no carrier {name} of the kind smpp")
        self.name, self.carrier = name, carrier
        self.rate = exchange.current().configs[name].rate
        self.incoming = Incoming(carrier)
        self.ending = threading.Event()
        self._free = threading.Semaphore(carrier.window)
        self._ticked = now() - TICK

    def end(self, signum: int = 0, frame: FrameType | None = None) -> None:
        """Claim nothing more and leave."""
        self.ending.set()

    def serve(self) -> None:
        """Work until `end`; what is on its way then has some seconds to be answered."""
        self.session = self.carrier.open(self.rate, self.incoming.take)
        senders = ThreadPoolExecutor(self.carrier.window, f"smpp-{self.name}")
        try:
            while not self.ending.is_set():
                self._round(senders)
        finally:
            self.session.stop(STOP_SECONDS)
            senders.shutdown(wait=True)
            self.carrier.session = None
            with database.connection_context():
                Heartbeat.delete().where(Heartbeat.name == self._heart).execute()

    def _round(self, senders: ThreadPoolExecutor) -> None:
        """Look once; whatever fails, the next round comes."""
        try:
            with database.connection_context():
                self._tick()
                handed_over = self._hand_over(senders)
        except Exception:
            log.exception("a round of the bind %s failed", self.name)
            handed_over = 0
        if not handed_over:
            self.ending.wait(IDLE_SECONDS)

    def _tick(self) -> None:
        if now() - self._ticked >= TICK:
            self._ticked = now()
            self._beat()
            self.incoming.sweep()

    def _hand_over(self, senders: ThreadPoolExecutor) -> int:
        """Claim texts as long as the link would take them at once and nothing else is due; returns how many."""
        done = 0
        while self._may_claim() and self._free.acquire(timeout=IDLE_SECONDS):
            message = claim(self.name)
            if message is None:
                self._free.release()
                break
            senders.submit(self._deliver, message)
            done += 1
        return done

    def _may_claim(self) -> bool:
        return not self.ending.is_set() and self.session.ready() and now() - self._ticked < TICK

    def _deliver(self, message: Message) -> None:
        try:
            with database.connection_context():
                delivery.deliver(message)
        except Exception:
            # The row says `sending`; when its lease is over the sweep makes an unknown outcome of it.
            log.exception("message %s was handed over, but its outcome could not be written", message.id)
        finally:
            self._free.release()

    @property
    def _heart(self) -> str:
        return f"smpp:{self.name}"[:60]

    def _beat(self) -> None:
        """Show that this process lives, and in `detail` how its link is: ready, or why not."""
        state = self.carrier.probe()
        well = state.kind is OutcomeKind.accepted
        detail = "bound" if well else f"{state.kind.value}: {state.code or state.detail or ''}"
        Heartbeat.insert(name=self._heart, at=now(), detail=detail[:200]).on_conflict(
            conflict_target=[Heartbeat.name], update={Heartbeat.at: now(), Heartbeat.detail: detail[:200]}
        ).execute()


def claim(name: str) -> Message | None:
    """Take the next due text of one carrier: as `delivery.claim` does for those that any worker may hand over."""
    moment = now()
    if name in delivery._stopped(moment):
        return None
    while candidates := _due(name, moment):
        for candidate in candidates:
            if not sending.wait_for_the_day(candidate) and delivery._claimed(candidate, moment):
                return candidate
    return None


def _due(name: str, moment: datetime) -> list[Message]:
    return list(
        Message.select()
        .where(Message.status == "queued", Message.next_at <= moment, Message.channel == "sms")
        .where(Message.carrier == name)
        .order_by(Message.priority.desc(), Message.next_at, Message.id)
        .limit(5)
    )
