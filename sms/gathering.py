"""What comes at once is done together: one transaction for all that have come while the last one ran.

A commit costs more than a message. Whoever finds nobody at work works for all who wait, then hands over to the
first who has come meanwhile; who is alone waits for nobody.
"""

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar, cast

from sms import bulk
from sms.bulk import Outcome
from sms.checking import Wanted
from sms.db import database
from sms.models import Account

T = TypeVar("T")
R = TypeVar("R")


@dataclass(slots=True)
class _Ticket(Generic[T, R]):
    item: T
    done: bool = False
    outcome: R | None = None
    woken: threading.Event = field(default_factory=threading.Event)


@dataclass(slots=True)
class _Line(Generic[T, R]):
    """Those who wait while somebody is at work."""

    waiting: list[_Ticket[T, R]] = field(default_factory=list)
    at_work: bool = False


class Gathering(Generic[T, R]):
    """Does `work` for at most `most` things at once; it returns what became of each, in order, or raises for them all."""

    def __init__(self, work: Callable[[list[T]], list[R]], most: int):
        self._work, self._most = work, most
        self._lock = threading.Lock()
        self._lines: dict[Hashable, _Line[T, R]] = {}

    def do(self, key: Hashable, item: T) -> R:
        """Return what became of one thing, done together with others of this key that come at the same time."""
        if database.in_transaction():
            return self._work([item])[0]
        ticket, place = _Ticket[T, R](item), (database.obj, key)
        with self._lock:
            line = self._lines.setdefault(place, _Line())
            line.waiting.append(ticket)
            mine = not line.at_work
            line.at_work = True
        if not mine:
            ticket.woken.wait()
        if not ticket.done:
            try:
                ticket.outcome = self._for_all(line)
            finally:
                self._hand_over(place, line)
        return cast(R, ticket.outcome)

    def _for_all(self, line: _Line[T, R]) -> R:
        """Work for those who wait and return what became of the first; where that fails, for the first alone."""
        with self._lock:
            lot, line.waiting = line.waiting[: self._most], line.waiting[self._most :]
        try:
            first, *others = self._work([ticket.item for ticket in lot])
        except Exception:
            if len(lot) == 1:
                raise
            with self._lock:
                line.waiting[:0] = lot[1:]
            return self._work([lot[0].item])[0]
        for ticket, outcome in zip(lot[1:], others, strict=True):
            ticket.outcome, ticket.done = outcome, True
            ticket.woken.set()
        return first

    def _hand_over(self, place: Hashable, line: _Line[T, R]) -> None:
        """Wake the first who waits, to work for all who do; the last one leaves the line."""
        with self._lock:
            if line.waiting:
                line.waiting[0].woken.set()
            else:
                del self._lines[place]

    def idle(self) -> bool:
        """True while nobody works or waits."""
        return not self._lines


def _accept(lot: list[tuple[Account, Wanted]]) -> list[Outcome]:
    return bulk.accept(lot[0][0], [wanted for _, wanted in lot])


accepting = Gathering(_accept, bulk.LOT)


def accept(account: Account, wanted: Wanted) -> Outcome:
    """Accept one message, in one transaction with others of the account that come at the same time."""
    return accepting.do(account.id, (account, wanted))
