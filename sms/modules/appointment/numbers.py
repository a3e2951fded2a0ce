"""What became of the appointments of each month, counted from the index alone, never from the rows.

Who is marked as missed is counted against all appointments of the month that are over and that nobody had called off.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sms import statements
from sms.clock import now
from sms.db import to_ms
from sms.models import Account
from sms.modules.appointment import agenda

CALLED_OFF = ("declined", "cancelled")
Group = tuple[str, str, bool, int]
"""State, what was answered, whether a reminder went out, and how many."""


@dataclass(frozen=True)
class Missed:
    """How many did not come, of how many appointments that are over."""

    n: int
    of: int

    @property
    def percent(self) -> float | None:
        """Return the rate in per cent, None where nothing is over."""
        return 100 * self.n / self.of if self.of else None


@dataclass(frozen=True)
class Month:
    """One month of an account's zone: every appointment is in one of the numbers that add up to `all`."""

    first: date
    all: int
    confirmed: int
    declined: int
    wants_to_move: int
    no_answer: int
    not_reminded: int
    cancelled: int
    missed_reminded: Missed
    missed_unreminded: Missed


def of_year(account: Account, year: int) -> list[Month]:
    """Return the months of a year."""
    return [of_month(account, date(year, n, 1)) for n in range(1, 13)]


def of_month(account: Account, first: date) -> Month:
    """Return the numbers of the month that begins on a day."""
    after = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    since, until = agenda.beginning(account, first), agenda.beginning(account, after)
    # Whoever is still to come has not come yet: what is over is counted by itself.
    between = min(max(now(), since), until)
    over, ahead = _groups(account, since, between), _groups(account, between, until)
    both = [*over, *ahead]
    kept = [group for group in both if group[0] != "cancelled"]
    return Month(
        first=first,
        all=_sum(both),
        confirmed=_sum(g for g in kept if g[1] == "confirmed"),
        declined=_sum(g for g in kept if _answer(g) == "declined"),
        wants_to_move=_sum(g for g in kept if g[1] == "wants_to_move"),
        no_answer=_sum(g for g in kept if not _answer(g) and g[2]),
        not_reminded=_sum(g for g in kept if not _answer(g) and not g[2]),
        cancelled=_sum(g for g in both if g[0] == "cancelled"),
        missed_reminded=_missed(over, reminded=True),
        missed_unreminded=_missed(over, reminded=False),
    )


def _answer(group: Group) -> str:
    return group[1] or ("declined" if group[0] == "declined" else "")


def _groups(account: Account, since: datetime, until: datetime) -> list[Group]:
    rows = statements.run(
        "SELECT state, answered, reminded, count(*) FROM appointment WHERE account_id = ? AND start >= ? AND start < ?"
        " GROUP BY state, answered, reminded",
        account.id, to_ms(since), to_ms(until),
    )  # fmt: skip
    return [(state, answered, bool(reminded), n) for state, answered, reminded, n in rows.fetchall()]


def _sum(groups: Iterable[Group]) -> int:
    return sum(group[3] for group in groups)


def _missed(over: list[Group], *, reminded: bool) -> Missed:
    expected = [g for g in over if g[0] not in CALLED_OFF and g[2] == reminded]
    return Missed(_sum(g for g in expected if g[0] == "no_show"), _sum(expected))
