"""The pumps: each brings one carrier's due texts to it, and keeps as many on their way as its window and pace allow.

One thread a carrier claims texts and writes outcomes, many in one transaction; as many senders as the window has
places only wait for the carrier's answers, and hold no database connection meanwhile. So a slow carrier holds up
nobody but itself.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue

from sms import delivery, exchange, failover, outbox
from sms.carriers.contract import Carrier, Outcome, OutcomeKind
from sms.clock import now
from sms.db import database
from sms.models import Message

log = logging.getLogger(__name__)

QUICK = 0.001
"""Seconds that the first answer waits for others, so that they are written as one, while more texts wait."""
LAZY = 0.02
"""The same while no text waits: then nothing is lost by it. So long, at most, an outcome waits to be written."""
PATIENCE = 1.0
"""Seconds without news after which a pump that is rung looks around by itself."""

AFTER_FAILURE = 0.5
"""Seconds after which a pump tries again what the database has refused."""

IDLE_SECONDS = 2.0
"""How often a pump that nobody rings shows that it lives."""
STILL_SECONDS = 15.0
"""A pump that has not come round for so long hangs: no step of its own takes a tenth of that."""

Answer = tuple[Message, Outcome]


class Pump:
    """Moves one carrier's texts; `run` is for one thread at a time, the others only `ring`."""

    def __init__(
        self, carrier: Carrier, ready: Callable[[], bool] = lambda: True, patience: float = PATIENCE
    ) -> None:
        """`ready` tells whether the carrier would take a text at once; `patience` in seconds."""
        self.carrier, self.ready, self.patience = carrier, ready, patience
        self.window: int = getattr(carrier, "window", carrier.max_window)
        self.ending = False
        self.news = threading.Event()
        self.on_their_way = 0
        self._todo: SimpleQueue[Message | None] = SimpleQueue()
        self._done: SimpleQueue[Answer] = SimpleQueue()
        self._senders: list[threading.Thread] = []
        self._lines: dict[str, deque[Message]] = {}
        self._unwritten: list[Answer] = []
        self._write_at = self._not_before = 0.0
        self.came_round = time.monotonic()

    def ring(self) -> None:
        """Say that a text waits; never lost, whatever the pump does at the moment."""
        self.news.set()

    def end(self) -> None:
        """Claim nothing more; what is on its way is answered and written down. Safe in a signal handler."""
        self.ending = True

    def run(self) -> int:
        """Work until nothing more is due and all answers are written; returns how many texts were claimed."""
        claimed = 0
        while True:
            self.came_round = time.monotonic()
            self.news.clear()
            texts, again = self.step()
            claimed += len(texts)
            if not self.on_their_way and not self._unwritten and (again is None or again > PATIENCE):
                return claimed
            self.rest(again)

    def step(self) -> outbox.Claimed:
        """Claim what may leave, have it handed over, and write down what was answered; needs a database connection."""
        self._collect()
        if not all(outcome.kind is OutcomeKind.accepted for _, outcome in self._unwritten):
            self.settle()  # what a carrier refuses may change what leaves next
        claimed = self._claim()
        for message in claimed.texts:
            self._dispatch(message)
        # While more texts wait, places in the window are filled first, and outcomes are written a few at a time.
        many = len(self._unwritten) >= self.window // 2
        if many or claimed.again is None or time.monotonic() >= self._write_at:
            self.settle()
        return claimed

    def _claim(self) -> outbox.Claimed:
        if self.ending:
            return outbox.NOTHING
        room = self.window - self.on_their_way
        if room <= 0 or not self.ready():
            return outbox.Claimed([], self.patience)
        # A process of its own is its carrier's only one, and keeps the window by itself. Elsewhere the rows of all
        # processes count; of ours, those that are answered take no place any more.
        shared = 0 if self.carrier.own_process else self.window + len(self._unwritten)
        return outbox.claim(self.carrier.name, room, shared)

    def settle(self) -> None:
        """Write down all outcomes that are there, in one transaction; where that fails, each in one of its own."""
        self._collect()
        if not self._unwritten or time.monotonic() < self._not_before:
            return
        answers, self._unwritten = self._unwritten, []
        try:
            delivery.settle_all(answers)
        except Exception:
            log.exception("%d outcomes could not be written as one", len(answers))
            self._unwritten = [answer for answer in answers if not _settled_alone(answer)]
            self._not_before = time.monotonic() + AFTER_FAILURE
        failover.after_outcomes(answers)

    def rest(self, again: float | None) -> None:
        """Wait for news: an answer, a ring, or the time at which the carrier takes more; then a moment for others."""
        full = self.on_their_way >= self.window
        seconds = self.patience if again is None or full else min(again, self.patience)
        if self.news.wait(min(seconds, LAZY) if self._unwritten else seconds):
            time.sleep(LAZY if again is None else QUICK)

    def close(self) -> None:
        """Wait for the senders and let them go; their last answers are left to `settle`."""
        for _ in self._senders:
            self._todo.put(None)
        for sender in self._senders:
            sender.join()
        self._senders = []

    def _dispatch(self, message: Message) -> None:
        """Give a text to a sender; texts to one number go one after the other, so that they arrive in their order."""
        self.on_their_way += 1
        # Over a link of its own everything keeps its order anyway.
        if not self.carrier.own_process:
            line = self._lines.get(message.theirs)
            if line is not None:
                line.append(message)
                return
            self._lines[message.theirs] = deque()
        self._todo.put(message)
        if len(self._senders) < min(self.window, self.on_their_way):
            name = f"to-{self.carrier.name}-{len(self._senders)}"
            self._senders.append(threading.Thread(target=self._send, name=name, daemon=True))
            self._senders[-1].start()

    def _send(self) -> None:
        """Hand over one text after the other; on a thread of its own, without a database."""
        while (message := self._todo.get()) is not None:
            outcome = outbox.NOT_HANDED_OVER if self.ending else outbox.hand_over(self.carrier, message)
            self._done.put((message, outcome))
            self.news.set()

    def _collect(self) -> None:
        """Take in what the senders have brought, and send those on their way who wait for it."""
        while not self._done.empty():
            answer = self._done.get()
            self.on_their_way -= 1
            if not self._unwritten:
                self._write_at = time.monotonic() + LAZY
            self._unwritten.append(answer)
            self._next_in_line(answer[0].theirs)

    def _next_in_line(self, number: str) -> None:
        line = self._lines.get(number)
        if line:
            self._todo.put(line.popleft())
        elif line is not None:
            del self._lines[number]


def _settled_alone(answer: Answer) -> bool:
    """Write one outcome in a transaction of its own; False where that is to be tried again."""
    message, outcome = answer
    try:
        # As it is in the database: the attempt that was rolled back has left its traces in the object.
        current = Message.get_by_id(message.id)
        current.key = message.key
        delivery.settle(current, outcome)
    except Exception:
        log.exception("the outcome of message %s could not be written", message.id)
        # After its lease the sweep has made an unknown outcome of it.
        return bool(now() > message.lease_until)
    return True


_pumps: dict[str, Pump] = {}
"""Those of this process, by the name of their carrier; none where `start` was not called."""
_threads: list[threading.Thread] = []


def start() -> None:
    """Start a pump for each carrier whose texts the workers bring to it; each is on a thread of its own."""
    for carrier in _carriers():
        pump = _pumps[carrier.name] = Pump(carrier)
        _threads.append(
            threading.Thread(target=_keep_running, args=(pump,), name=f"pump-{carrier.name}", daemon=True)
        )
        _threads[-1].start()


def ring() -> None:
    """Have due texts delivered: by the pumps of this process; where none were started, here and now."""
    if not _pumps:
        work()
    for pump in _pumps.values():
        pump.ring()


def work() -> int:
    """Deliver here and now what is due, for each carrier in turn; returns how many texts were claimed."""
    claimed = 0
    for carrier in _carriers():
        pump = Pump(carrier)
        claimed += pump.run()
        pump.close()
    return claimed


def hanging() -> str:
    """Return which carriers' pumps of this process have stood still for long, in words; empty where all is well."""
    moment = time.monotonic()
    still = {name: moment - pump.came_round for name, pump in dict(_pumps).items()}
    told = [f"{name} for {seconds:.0f} seconds" for name, seconds in still.items() if seconds > STILL_SECONDS]
    return f"nothing moves to {', '.join(told)}" if told else ""


def end() -> None:
    """Claim nothing more in this process. Safe in a signal handler."""
    for pump in _pumps.values():
        pump.end()


def stop(seconds: float) -> None:
    """End the pumps; calls that are running get so many seconds to be answered and written down."""
    end()
    deadline = time.monotonic() + seconds
    for pump in _pumps.values():
        pump.ring()
    for thread in _threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    _pumps.clear()
    _threads.clear()


def _carriers() -> list[Carrier]:
    return [carrier for carrier in exchange.carriers().values() if not carrier.own_process]


def _keep_running(pump: Pump) -> None:
    """Run whenever it rings; whatever fails is logged and tried again."""
    failed = False
    while not pump.ending:
        rung = pump.news.wait(AFTER_FAILURE if failed else IDLE_SECONDS)
        pump.came_round = time.monotonic()
        if not rung and not failed:
            continue
        failed = False
        try:
            with database.connection_context():
                pump.run()
        except Exception:
            log.exception("the pump of %s failed", pump.carrier.name)
            failed = True
    pump.close()
