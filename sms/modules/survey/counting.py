"""Counters of what happened in a survey, added up in memory and written in one statement at the end of a transaction."""

import math
from collections import Counter
from datetime import date
from itertools import chain

from sms import statements

_ADD = (
    "INSERT INTO survey_count (version_id, question, name, day, n) VALUES {rows} "
    "ON CONFLICT (version_id, question, name, day) DO UPDATE SET n = survey_count.n + excluded.n"
)
BASE = 1.05
"""Times to the first answer are counted in buckets that grow by 5 %: so exact is their median."""


class Tally:
    """What is to be added to the counters: by version, day, question and name."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[int, str, str, date]] = Counter()

    def add(self, version: int, day: date, name: str, question: str = "", n: int = 1) -> None:
        """Count something that happened on a day of the account; a negative `n` takes it back."""
        self.counts[version, question, name[:80], day] += n

    def write(self) -> None:
        """Add everything to the table, inside the caller's transaction; always in one order, so that nobody deadlocks."""
        rows = [(v, q, name, day.isoformat(), n) for (v, q, name, day), n in sorted(self.counts.items()) if n]
        if rows:
            places = ", ".join(["(?, ?, ?, ?, ?)"] * len(rows))
            statements.run(_ADD.format(rows=places), *chain(*rows))
        self.counts.clear()


def bucket(seconds: float) -> str:
    """Return the name under which a time to the first answer is counted."""
    return f"t:{round(math.log(max(1.0, seconds), BASE))}"


def median(buckets: dict[str, int]) -> float | None:
    """Return the median of the counted times in seconds, within 2.5 %; None where nobody has answered."""
    whole = sum(buckets.values())
    if whole <= 0:
        return None
    passed = 0
    for power, n in sorted((int(name[2:]), n) for name, n in buckets.items()):
        passed += n
        if passed * 2 >= whole:
            return float(BASE**power)
    return None
