"""The process of one SMPP bind: claims its own texts, hands them over the link, stores what comes back.

Workers leave these texts alone. A text is claimed like any other, by the guarded UPDATE that begins its attempt,
and only while the link is there and a place in the window is free; so whatever dies, dies as in a worker.
"""

import logging
import queue
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from types import FrameType

from sms import delivery, exchange, sending, suppression
from sms.carriers.contract import Outcome, OutcomeKind
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
    """One carrier's link with those who work for it.

    The thread of `serve` alone claims texts and writes outcomes, many in one transaction; the senders only wait for
    answers, and hold no database connection meanwhile.
    """

    def __init__(self, name: str) -> None:
        carrier = exchange.carrier(name)
        if not isinstance(carrier, Smpp):
            raise NoSuchBind(f"FADEN_CARRIERS: there is no carrier {name} of the kind smpp")
        self.name, self.carrier = name, carrier
        self.rate = exchange.current().configs[name].rate
        self.turn = threading.Lock()
        self.incoming = Incoming(carrier, self.turn)
        self.ending = threading.Event()
        self._news = threading.Event()
        self._answered: queue.SimpleQueue[tuple[Message, Outcome]] = queue.SimpleQueue()
        self._on_their_way = 0
        self._ticked = now() - TICK

    def end(self, signum: int = 0, frame: FrameType | None = None) -> None:
        """Claim nothing more and leave."""
        self.ending.set()
        self._news.set()

    def serve(self) -> None:
        """Work until `end`; what is on its way then has some seconds to be answered."""
        self.session = self.carrier.open(self.rate, self.incoming.store)
        senders = ThreadPoolExecutor(self.carrier.window, f"smpp-{self.name}")
        try:
            while not self.ending.is_set():
                self._round(senders)
        finally:
            self.session.stop(STOP_SECONDS)
            senders.shutdown(wait=True)
            self.carrier.session = None
            with self.turn, database.connection_context():
                self._settle()
                Heartbeat.delete().where(Heartbeat.name == self._heart).execute()

    def _round(self, senders: ThreadPoolExecutor) -> None:
        """Write down what was answered, claim what may leave, and wait for news; whatever fails, the next round comes."""
        self._news.clear()
        try:
            with self.turn, database.connection_context():
                self._settle()
                self._tick()
                for message in self._claim():
                    senders.submit(self._send, message)
        except Exception:
            log.exception("a round of the bind %s failed", self.name)
        self._news.wait(IDLE_SECONDS)

    def _claim(self) -> list[Message]:
        """Claim as many texts as the window has room for, where they would leave at once."""
        room = self.carrier.window - self._on_their_way
        if self.ending.is_set() or not self.session.ready() or room <= 0:
            return []
        claimed = claim(self.name, room)
        self._on_their_way += len(claimed)
        return claimed

    def _send(self, message: Message) -> None:
        """Hand one text over and wait for the answer; on a thread of the senders, without a database."""
        self._answered.put((message, delivery._call(self.carrier, message)))
        self._news.set()

    def _settle(self) -> None:
        """Write down all outcomes that are there, in one transaction; where that fails, each in one of its own."""
        done = []
        while not self._answered.empty():
            done.append(self._answered.get())
        if not done:
            return
        self._on_their_way -= len(done)
        try:
            with database.atomic():
                for message, outcome in done:
                    delivery.settle(message, outcome)
        except Exception:
            log.exception("%d outcomes could not be written as one", len(done))
            for message, outcome in done:
                _settle_alone(message, outcome)

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


def claim(name: str, most: int) -> list[Message]:
    """Claim due texts of one carrier, in one transaction; otherwise as `delivery.claim` does for the workers."""
    moment = now()
    if name in delivery._stopped(moment) or not (due := _due(name, moment, most)):
        return []
    with database.atomic():
        return [candidate for candidate in due if _claimed(candidate, moment)]


def _claimed(candidate: Message, moment: datetime) -> bool:
    if _opted_out(candidate) or sending.wait_for_the_day(candidate):
        return False
    return delivery._claimed(candidate, moment)


def _due(name: str, moment: datetime, most: int) -> list[Message]:
    return list(
        Message.select()
        .where(Message.status == "queued", Message.next_at <= moment, Message.channel == "sms")
        .where(Message.carrier == name)
        .order_by(Message.priority.desc(), Message.next_at, Message.id)
        .limit(most)
    )


def _opted_out(message: Message) -> bool:
    """Let a text fail whose recipient has opted out since it was written; True if so."""
    if message.source == "system" or not suppression.is_suppressed(message.account_id, message.theirs):
        return False
    if message.advance("failed", reason="opted_out", error="opted out meanwhile"):
        delivery.tell(message, "opted out meanwhile")
    return True


def _settle_alone(message: Message, outcome: Outcome) -> None:
    try:
        # As it is in the database: the attempt that was rolled back has left its traces in the object.
        delivery.settle(Message.get_by_id(message.id), outcome)
    except Exception:
        # The row says `sending`; when its lease is over the sweep makes an unknown outcome of it.
        log.exception("the outcome of message %s could not be written", message.id)
