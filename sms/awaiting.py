"""Who waits for a person's answer, on which of our numbers: at most one thing on each, so no answer lands in the wrong place.

Every function works inside the caller's transaction.
"""

from collections.abc import Callable, Sequence

from peewee import IntegrityError

from sms import exchange, routing, statements
from sms.clock import now
from sms.db import database
from sms.models import Account, Expectation, Message, Route
from sms.refusal import Refused


class Busy(Exception):
    """Every number from which this person could be asked waits for an answer to something else."""


def senders(
    account: Account, their: str, module: str, subject: str, preferred: str = "", own: str = ""
) -> list[str]:
    """Return the senders from which something may be asked, best first; empty where each waits for another answer.

    `preferred` is the number of the talk so far, `own` the one that was chosen for good; without either the pool's
    numbers, the contact's own first. An empty sender means whatever routing chooses.
    """
    taken = _taken(their, module, subject)
    owned = routing.owned_numbers(account)
    if preferred and preferred in owned and preferred not in taken:
        return [preferred]
    if own:
        return [] if own in taken else [own]
    default = routing.default_sender(account)
    if not taken and (not default or owned.get(default) == "virtual"):
        return [""]
    pool = [n.number for n in exchange.numbers() if n.pool and n.sms and n.number not in taken]
    sticky = {
        row.our
        for row in Route.select(Route.our).where(
            Route.account == account, Route.their == their, Route.current
        )
    }
    return sorted(pool, key=lambda number: number not in sticky)


def _taken(their: str, module: str, subject: str) -> set[str]:
    rows = Expectation.select(Expectation.ours, Expectation.module, Expectation.subject)
    return {
        row.ours
        for row in rows.where(Expectation.theirs == their)
        if (row.module, row.subject) != (module, subject)
    }


def ask(possible: Sequence[str], send: Callable[[str], Message], wait: Callable[[Message], None]) -> Message:
    """Send from the first of some senders on which no other answer is awaited; raises Busy, and Refused as `send` does.

    `send` sends from one sender, `wait` notes what its answer leads to, by `expect`.
    """
    for sender in possible:
        try:
            with database.atomic():
                sent = send(sender)
                wait(sent)
                return sent
        except IntegrityError:
            continue
        except Refused as refusal:
            if refusal.code != "number_in_use":
                raise
    raise Busy


def expect(sent: Message, module: str, subject: str) -> None:
    """Let replies to a message lead to this module's subject; raises IntegrityError where another thing waits there."""
    if waits(sent.ours, sent.theirs, module, subject):
        return
    Expectation.create(
        account=sent.account_id,
        ours=sent.ours,
        theirs=sent.theirs,
        module=module,
        subject=subject,
        since=now(),
    )


def waits(ours: str, theirs: str, module: str, subject: str) -> bool:
    """True while replies on this pair of numbers lead to this module's subject."""
    sql = "SELECT 1 FROM expectation WHERE ours = ? AND theirs = ? AND module = ? AND subject = ?"
    return statements.run(sql, ours, theirs, module, subject).fetchone() is not None


def forget(theirs: str, module: str, subject: str) -> None:
    """Wait for no answer of this person any more: what comes from now on is an ordinary message."""
    sql = "DELETE FROM expectation WHERE theirs = ? AND module = ? AND subject = ?"
    statements.run(sql, theirs, module, subject)
