"""Messages that come at once are accepted together: one transaction for all that have come while the last one ran.

A commit costs more than a message. Whoever finds nobody at work accepts for all who wait, then hands over to the
first who has come meanwhile; who is alone waits for nobody.
"""

import threading
from dataclasses import dataclass, field

from sms import bulk
from sms.bulk import Outcome
from sms.checking import Wanted
from sms.db import database
from sms.models import Account


@dataclass(slots=True)
class _Ticket:
    wanted: Wanted
    outcome: Outcome | None = None
    woken: threading.Event = field(default_factory=threading.Event)


@dataclass(slots=True)
class _Line:
    """Those of one account who wait while somebody is at work."""

    waiting: list[_Ticket] = field(default_factory=list)
    at_work: bool = False


_lock = threading.Lock()
_lines: dict[tuple[object, int], _Line] = {}


def accept(account: Account, wanted: Wanted) -> Outcome:
    """Accept one message, in one transaction with others of the account that come at the same time."""
    if database.in_transaction():
        return bulk.accept(account, [wanted])[0]
    ticket, key = _Ticket(wanted), (database.obj, account.id)
    with _lock:
        line = _lines.setdefault(key, _Line())
        line.waiting.append(ticket)
        mine = not line.at_work
        line.at_work = True
    if not mine:
        ticket.woken.wait()
    if ticket.outcome is None:
        try:
            ticket.outcome = _work(account, line)
        finally:
            _hand_over(key, line)
    return ticket.outcome


def _work(account: Account, line: _Line) -> Outcome:
    """Accept what waits and return what became of the first; where that fails, the first alone."""
    with _lock:
        lot, line.waiting = line.waiting[: bulk.LOT], line.waiting[bulk.LOT :]
    try:
        first, *others = bulk.accept(account, [ticket.wanted for ticket in lot])
    except Exception:
        if len(lot) == 1:
            raise
        with _lock:
            line.waiting[:0] = lot[1:]
        return bulk.accept(account, [lot[0].wanted])[0]
    for ticket, outcome in zip(lot[1:], others, strict=True):
        ticket.outcome = outcome
        ticket.woken.set()
    return first


def _hand_over(key: tuple[object, int], line: _Line) -> None:
    """Wake the first who waits, to work for all who do; the last one leaves the line."""
    with _lock:
        if line.waiting:
            line.waiting[0].woken.set()
        else:
            del _lines[key]
