"""The process of one SMPP bind: claims its own texts, hands them over the link, stores what comes back.

Workers leave these texts alone. Here they are moved by the same pump as there, while the link is ready; so whatever
dies, dies as in a worker.
"""

import logging
import signal
import threading
from datetime import timedelta
from types import FrameType

from sms import exchange, probing
from sms.carriers.contract import OutcomeKind
from sms.carriers.smpp import Smpp
from sms.clock import now
from sms.config import ConfigError
from sms.db import database
from sms.models import Heartbeat
from sms.pump import Pump
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
    """One carrier's link with those who work for it.

    The thread of `serve` alone claims texts and writes outcomes; `turn` keeps it and what comes in from writing at once.
    """

    def __init__(self, name: str) -> None:
        carrier = exchange.carrier(name)
        if not isinstance(carrier, Smpp):
            raise NoSuchBind(f"FADEN_CARRIERS: there is no carrier {name} of the kind smpp")
        self.name, self.carrier = name, carrier
        self.rate = exchange.current().configs[name].rate
        self.turn = threading.Lock()
        self.incoming = Incoming(carrier, self.turn)
        self.pump = Pump(carrier, lambda: self.session.ready(), IDLE_SECONDS)
        self._ticked = now() - TICK

    def end(self, signum: int = 0, frame: FrameType | None = None) -> None:
        """Claim nothing more and leave."""
        self.pump.end()
        self.pump.ring()

    def serve(self) -> None:
        """Work until `end`; what is on its way then has some seconds to be answered."""
        with database.connection_context():
            probing.let_restart(self.name)
        self.session = self.carrier.open(self.rate, self.incoming.store)
        try:
            while not self.pump.ending:
                self._round()
        finally:
            self.session.stop(STOP_SECONDS)
            self.pump.close()
            self.carrier.session = None
            with self.turn, database.connection_context():
                self.pump.settle()
                probing.let_restart(self.name)
                Heartbeat.delete().where(Heartbeat.name == self._heart).execute()

    def _round(self) -> None:
        """Write down what was answered, claim what may leave, and wait for news; whatever fails, the next round comes."""
        self.pump.news.clear()
        again: float | None = IDLE_SECONDS
        try:
            with self.turn, database.connection_context():
                _, again = self.pump.step()
                self._tick()
        except Exception:
            log.exception("a round of the bind %s failed", self.name)
        self.pump.rest(again)

    def _tick(self) -> None:
        if now() - self._ticked >= TICK:
            self._ticked = now()
            self._beat()
            self.incoming.sweep()

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
