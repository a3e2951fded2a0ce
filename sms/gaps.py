"""Ids that come late: PostgreSQL gives them out before the commit, so a later id can be seen before an earlier one.

A reader that has seen 7 but not 6 keeps the gap and looks into it until 6 has come or never will: until every
transaction has ended that could have taken it. Pure: the database's answers are given to it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

SURELY_WRITING = 1.0
"""Seconds after which who has taken an id has written something and so has a transaction number: it takes microseconds."""
GIVEN_UP = 300.0
"""Seconds after which a gap is left, where somebody else's transaction never ends; ours last for seconds at most."""


@dataclass
class Gap:
    """Ids from `first` to `last` that were not there at `seen` (seconds); past `horizon` they never will be."""

    first: int
    last: int
    seen: float
    horizon: int | None = None


class Gaps:
    """What a reader has seen: everything up to `cursor` but for the open gaps."""

    def __init__(self, cursor: int = 0) -> None:
        self.cursor = cursor
        self.open: list[Gap] = []

    @property
    def settled(self) -> int:
        """The id up to which everything has been seen and nothing can appear any more."""
        return self.open[0].first - 1 if self.open else self.cursor

    def saw(self, ids: Iterable[int], at: float) -> None:
        """Note the ids of one reading, in ascending order, each seen for the first time."""
        for found in ids:
            if found > self.cursor:
                if found > self.cursor + 1:
                    self.open.append(Gap(self.cursor + 1, found - 1, at))
                self.cursor = found
            else:
                self._fill(found)

    def close(self, oldest: int, next_one: int, at: float) -> None:
        """Leave the gaps that nobody can fill any more.

        `oldest` is the oldest running transaction and `next_one` the next to start, as they were before a reading that
        looked into every gap; `at` is the moment of it.
        """
        kept = []
        for gap in self.open:
            if gap.horizon is None and at - gap.seen >= SURELY_WRITING:
                gap.horizon = next_one
            dead = gap.horizon is not None and oldest >= gap.horizon
            if not dead and at - gap.seen < GIVEN_UP:
                kept.append(gap)
        self.open = kept

    def _fill(self, found: int) -> None:
        for place, gap in enumerate(self.open):
            if gap.first <= found <= gap.last:
                parts = (
                    Gap(gap.first, found - 1, gap.seen, gap.horizon),
                    Gap(found + 1, gap.last, gap.seen, gap.horizon),
                )
                self.open[place : place + 1] = [part for part in parts if part.first <= part.last]
                return
