"""The link to a message centre: bind, window, pace, answers in time, signs of life, and again after a loss.

One asyncio loop in a thread of its own holds the socket; other threads come in through `run`. What comes in is
stored by a second thread, in order and in batches, and acknowledged only when that has worked.
"""

import asyncio
import logging
import secrets
import ssl
import threading
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from typing import Any, TypeVar

from sms.carriers import smpp_pdu
from sms.carriers.contract import OutcomeKind
from sms.carriers.smpp_codes import NEVER, OK, TRY_AGAIN, UNKNOWN_COMMAND, status
from sms.carriers.smpp_pdu import Delivered, Malformed, Pdu

log = logging.getLogger(__name__)

T = TypeVar("T")
Store = Callable[[Sequence[Delivered], str], Sequence[int]]
"""Stores what came by the link of this name, and returns the status to answer each one with."""

BATCH = 50
"""So many deliver_sm that wait already are stored at once: one commit for all of them."""
BACKOFF = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
"""Seconds between attempts to bind."""
REFUSED_WAIT = 30.0
"""Seconds, at least, after a bind that was refused: knocking faster locks accounts."""
PAUSES = (1.0, 30.0)
"""Seconds without submits after the first ESME_RTHROTTLED, doubled with each further one up to the second."""
LONGEST_RUN = 90.0
"""Seconds after which a thread that waits for the loop gives up: the engine has, half a minute before."""
LEAVE_SECONDS = 3.0
"""For the centre to answer our unbind."""


@dataclass(frozen=True)
class Endpoint:
    """Where to bind and as whom; times in seconds, `rate` submits a second, `window` unanswered ones at once."""

    host: str
    port: int
    system_id: str
    password: str = field(repr=False)
    system_type: str = ""
    tls: ssl.SSLContext | None = None
    window: int = 10
    rate: float = 10.0
    connect_seconds: float = 5.0
    response_seconds: float = 20.0
    enquire_seconds: float = 30.0
    reconnect_seconds: float = 1.0


@dataclass(frozen=True)
class Reply:
    """What came of one submit: `status` None where no answer came; `left` whether it may have been taken then."""

    status: int | None
    reference: str = ""
    left: bool = True
    detail: str = ""


class BindRefused(Exception):
    """The centre is there and does not want us."""

    def __init__(self, code: int) -> None:
        super().__init__(status(code).name)
        self.code = code


class LinkLost(Exception):
    """The link is of no use any more, or never was."""


class Pace:
    """So many submits a second, and none for a while after the centre said that it was too fast."""

    def __init__(self, rate: float) -> None:
        self.gap = 1 / rate
        self._next = self._paused_until = self._pause = 0.0

    async def turn(self, until: float) -> bool:
        """Wait for a turn; False, and none taken, where it would come after `until` (the loop's time)."""
        loop = asyncio.get_running_loop()
        while True:
            now = loop.time()
            at = max(now, self._next, self._paused_until)
            if at > until:
                return False
            self._next = at + self.gap
            if at > now:
                await asyncio.sleep(at - now)
            if self._paused_until <= loop.time():
                return True

    def too_fast(self, now: float) -> None:
        """Pause; the answers to what was on its way already say nothing new."""
        if now < self._paused_until:
            return
        self._pause = min(max(self._pause * 2, PAUSES[0]), PAUSES[1])
        self._paused_until = now + self._pause

    def well(self) -> None:
        """Something was taken: the next pause is a short one again."""
        self._pause = 0.0

    def paused(self, now: float) -> bool:
        """Tell whether a pause is running."""
        return now < self._paused_until


class Link:
    """One connection and what is unanswered on it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.name = secrets.token_hex(4)
        self.pending: dict[int, asyncio.Future[Pdu]] = {}
        self.incoming: asyncio.Queue[tuple[str, Delivered]] = asyncio.Queue()
        self.doubt = asyncio.Event()
        self._sequence = count(1)

    def usable(self) -> bool:
        return not self.writer.is_closing() and not self.reader.at_eof()

    def answer(self, name: str, sequence: int, code: int = OK) -> None:
        if self.usable():
            self.writer.write(smpp_pdu.plain(name, sequence, code))

    async def ask(self, write: Callable[[int], bytes], seconds: float) -> Pdu:
        """Send a request and wait for its answer; raises TimeoutError, or LinkLost where the link ended first."""
        # 0x7FFFFFFF is the last number allowed; a link does not live so long, but the rule costs nothing.
        sequence = (next(self._sequence) - 1) % 0x7FFFFFFF + 1
        data = write(sequence)
        answer = asyncio.get_running_loop().create_future()
        self.pending[sequence] = answer
        self.writer.write(data)
        try:
            async with asyncio.timeout(seconds):
                return await answer
        finally:
            self.pending.pop(sequence, None)

    async def next_pdu(self) -> Pdu:
        head = await self.reader.readexactly(4)
        return smpp_pdu.read(head + await self.reader.readexactly(smpp_pdu.length(head) - 4))

    def end(self) -> None:
        """Close, and tell everyone who waits that no answer will come."""
        self.writer.close()
        for answer in self.pending.values():
            if not answer.done():
                answer.set_exception(LinkLost("the link was cut before the answer"))


class Session:
    """Keeps one transceiver bound until it is stopped; safe to use from any thread."""

    def __init__(self, endpoint: Endpoint, store: Store) -> None:
        """What `store` raises means that nothing of the batch was stored."""
        self.endpoint, self.store = endpoint, store
        self.bound = threading.Event()
        self.trouble: Exception | None = None
        """Why there is no link; None as long as there is one."""
        self.refused: int | None = None
        """The status of a bind that was refused."""
        self._link: Link | None = None
        self._ending = asyncio.Event()
        self._patience = 0.0
        self._window = asyncio.Semaphore(endpoint.window)
        self._pace = Pace(endpoint.rate)
        self._loop = asyncio.new_event_loop()
        self._storing = ThreadPoolExecutor(1, "smpp-store")
        self._thread = threading.Thread(target=self._run, name="smpp-link", daemon=True)

    def start(self) -> "Session":
        """Connect and bind in the background; `bound` tells when that has worked."""
        self._thread.start()
        return self

    def stop(self, seconds: float = 10.0) -> None:
        """Take no more submits, give what is on its way `seconds` to be answered, unbind and close."""
        self._patience = seconds
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._ending.set)
        self._thread.join(seconds + LEAVE_SECONDS)
        self._storing.shutdown(wait=True)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the link's loop and wait; raises LinkLost where there is no loop (any more)."""
        try:
            future = asyncio.run_coroutine_threadsafe(work, self._loop)
        except RuntimeError:
            work.close()
            raise LinkLost("the session has ended") from None
        return future.result(LONGEST_RUN)

    def ready(self) -> bool:
        """Tell whether a submit would leave at once: bound, and not told to slow down."""
        return self.bound.is_set() and not self._pace.paused(self._loop.time())

    async def submit(self, write: Callable[[int], bytes], until: float) -> Reply:
        """Send one submit_sm when window and pace allow, at `until` (the loop's time) at the latest; never raises."""
        try:
            async with asyncio.timeout_at(until):
                await self._window.acquire()
        except TimeoutError:
            return Reply(None, left=False, detail="the window stayed full")
        try:
            if not await self._pace.turn(until):
                return Reply(None, left=False, detail="more than the rate allows")
            return await self._submit(write)
        finally:
            self._window.release()

    # Within, on the loop

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._live())

    async def _live(self) -> None:
        failures = 0
        while not self._ending.is_set():
            try:
                await self._hold()
                failures = 0
            except Exception as error:
                # Whatever it was, the next link may do better: without this loop there would be none.
                failures = 1 if self.bound.is_set() else failures + 1
                if not self._ending.is_set():
                    self._note(error)
            self.bound.clear()
            if not self._ending.is_set():
                await self._within(self._ending.wait(), self._wait(failures))

    def _wait(self, failures: int) -> float:
        wait = BACKOFF[min(failures, len(BACKOFF)) - 1] if failures else 0.0
        wait = max(wait, self.endpoint.reconnect_seconds)
        return max(wait, REFUSED_WAIT) if self.refused is not None else wait

    def _note(self, error: Exception) -> None:
        self.trouble = error
        self.refused = error.code if isinstance(error, BindRefused) else None
        expected = isinstance(error, LinkLost | OSError | EOFError | Malformed)
        level = logging.WARNING if expected else logging.ERROR
        trace = None if expected or self.refused is not None else error
        log.log(
            level, "no link to %s: %s %s", self.endpoint.host, type(error).__name__, error, exc_info=trace
        )

    async def _hold(self) -> None:
        """Connect, bind and keep the link until it is lost or we leave; raises whatever ended it but leaving."""
        link = await self._connect()
        # One reader from the first octet to the last: cancelled in the middle of a PDU it could not go on.
        reading = asyncio.ensure_future(self._read(link))
        try:
            await self._bind(link, reading)
            self._link, self.trouble, self.refused = link, None, None
            self.bound.set()
            log.info("bound to %s", self.endpoint.host)
            await self._first(reading, self._enquire(link), self._store(link), self._leave(link))
        finally:
            self._link = None
            await _cancel(reading)
            link.end()

    async def _connect(self) -> Link:
        point = self.endpoint
        async with asyncio.timeout(point.connect_seconds):
            name = point.host if point.tls else None
            streams = await asyncio.open_connection(
                point.host, point.port, ssl=point.tls, server_hostname=name
            )
        return Link(*streams)

    async def _bind(self, link: Link, reading: "asyncio.Future[None]") -> None:
        point = self.endpoint

        def write(sequence: int) -> bytes:
            return smpp_pdu.bind(sequence, point.system_id, point.password, point.system_type)

        asking = asyncio.ensure_future(link.ask(write, point.response_seconds))
        try:
            await asyncio.wait((reading, asking), return_when=asyncio.FIRST_COMPLETED)
            if not asking.done():
                reading.result()  # some centres say no by hanging up
            answer = await asking
        finally:
            await _cancel(asking)
        if answer.status != OK:
            raise BindRefused(answer.status)

    async def _submit(self, write: Callable[[int], bytes]) -> Reply:
        link, loop = self._link, asyncio.get_running_loop()
        if link is None or not link.usable() or self._ending.is_set():
            return Reply(None, left=False, detail="no link")
        try:
            answer = await link.ask(write, self.endpoint.response_seconds)
        except TimeoutError:
            link.doubt.set()
            return Reply(None, detail=f"no answer in {self.endpoint.response_seconds:g} s")
        except LinkLost as lost:
            return Reply(None, detail=str(lost))
        if answer.status == OK and answer.command == "submit_sm_resp":
            self._pace.well()
        elif status(answer.status).kind is OutcomeKind.throttled:
            self._pace.too_fast(loop.time())
        if answer.status == OK and answer.command != "submit_sm_resp":
            return Reply(None, detail=f"answered with {answer.command}")
        return Reply(answer.status, answer.reference)

    async def _read(self, link: Link) -> None:
        while True:
            try:
                pdu = await link.next_pdu()
            except Malformed as broken:
                self._refuse(link, broken)
                continue
            except asyncio.IncompleteReadError:
                raise LinkLost("the centre hung up") from None
            self._take(link, pdu)

    def _refuse(self, link: Link, broken: Malformed) -> None:
        if broken.sequence == 0:
            # Not even its length makes sense: where the next one begins cannot be known.
            raise broken
        log.error("%s", broken)
        if broken.command == "generic_nack":
            link.answer("generic_nack", broken.sequence, UNKNOWN_COMMAND)
        elif not broken.command.endswith("_resp"):
            link.answer(f"{broken.command}_resp", broken.sequence, NEVER)

    def _take(self, link: Link, pdu: Pdu) -> None:
        if pdu.command == "generic_nack" or pdu.command.endswith("_resp"):
            waiting = link.pending.get(pdu.sequence)
            if waiting is not None and not waiting.done():
                waiting.set_result(pdu)
        elif pdu.command == "enquire_link":
            link.answer("enquire_link_resp", pdu.sequence)
        elif pdu.command == "unbind":
            link.answer("unbind_resp", pdu.sequence)
            raise LinkLost("the centre asked us to leave")
        elif pdu.delivered is not None:
            link.incoming.put_nowait((pdu.command, pdu.delivered))
        elif pdu.command != "alert_notification":
            link.answer("generic_nack", pdu.sequence, UNKNOWN_COMMAND)

    async def _store(self, link: Link) -> None:
        """Have what came stored, in its order, and answer only then."""
        loop = asyncio.get_running_loop()
        while True:
            batch = [await link.incoming.get()]
            while len(batch) < BATCH and not link.incoming.empty():
                batch.append(link.incoming.get_nowait())
            came = [delivered for _, delivered in batch]
            codes = await loop.run_in_executor(self._storing, self._stored, came, link.name)
            for (name, delivered), code in zip(batch, codes, strict=True):
                link.answer(f"{name}_resp", delivered.sequence, code)
                link.incoming.task_done()

    def _stored(self, batch: Sequence[Delivered], link: str) -> Sequence[int]:
        try:
            return self.store(batch, link)
        except Exception:
            log.exception("%d deliver_sm could not be stored; the centre keeps them", len(batch))
            return [TRY_AGAIN] * len(batch)

    async def _enquire(self, link: Link) -> None:
        """Ask for a sign of life every now and then, and at once after a submit without an answer."""
        while True:
            await self._within(link.doubt.wait(), self.endpoint.enquire_seconds)
            link.doubt.clear()
            try:
                await link.ask(_enquiry, self.endpoint.response_seconds)
            except TimeoutError:
                raise LinkLost("the centre does not answer enquire_link") from None

    async def _leave(self, link: Link) -> None:
        """When we end: let what is on its way be answered and what came be stored, then unbind."""
        await self._ending.wait()
        await self._within(self._settle(link), self._patience)
        try:
            await link.ask(lambda sequence: smpp_pdu.plain("unbind", sequence), LEAVE_SECONDS)
        except (TimeoutError, LinkLost):
            pass

    async def _settle(self, link: Link) -> None:
        while link.pending:
            await asyncio.wait(link.pending.values())
            await asyncio.sleep(0)
        await link.incoming.join()

    @staticmethod
    async def _within(work: Awaitable[Any], seconds: float) -> None:
        """Wait for something, but no longer than so many seconds."""
        try:
            async with asyncio.timeout(seconds):
                await work
        except TimeoutError:
            pass

    @staticmethod
    async def _first(*work: Awaitable[None]) -> None:
        """Run all until one ends, and end like it."""
        tasks = [asyncio.ensure_future(one) for one in work]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                await _cancel(task)
        for task in done:
            task.result()


def _enquiry(sequence: int) -> bytes:
    return smpp_pdu.plain("enquire_link", sequence)


async def _cancel(task: "asyncio.Future[Any]") -> None:
    task.cancel()
    await asyncio.wait((task,))
    if not task.cancelled():
        task.exception()  # seen: asyncio complains of an exception that nobody has looked at
