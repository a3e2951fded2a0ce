"""Who is sick: every ten seconds one worker judges each carrier by its probes and by what became of the last texts."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from statistics import median
from typing import NamedTuple

from sms import exchange, health, probing, statements
from sms.clock import now
from sms.db import database, from_ms, to_ms
from sms.models import CarrierHealth, CarrierTurn
from sms.statements import among, listed

EVERY = timedelta(seconds=10)
WINDOW = timedelta(minutes=2)
"""So far back attempts count."""
ATTEMPTS_READ = 5000
"""At most so many, the newest of all carriers: that is cheap by their ids, and enough to know."""
NO_ANSWER_OF_THEIRS = timedelta(seconds=55)
"""An attempt that seems to have taken longer was ended by our own worker's death: it says nothing of a carrier."""
GOOD = ("accepted", "rejected", "blocked")
BAD = ("temporary", "unknown")
"""`throttled` and `auth` are neither: the carrier answers, and they have consequences of their own."""

ENOUGH = 5
"""Fewer attempts say nothing."""
SICK_ERRORS, DEGRADED_ERRORS = 0.5, 0.1
TOO_SLOW, SLOW = 10.0, 3.0
"""Median seconds of an answer."""
PROBES_FAILED = 2
"""So many in a row, and a carrier is sick."""
PROVEN = 2
"""So many texts taken in a row prove more than a probe: a key may be allowed to send and not to read."""
RELAPSE = 2
"""So many bad attempts in a row, and one that recovers is sick again."""

HOLD, LONGEST_HOLD = timedelta(seconds=30), timedelta(minutes=15)
"""So long a sick carrier stays so, at least; doubled by every relapse within an hour."""
FIRST_SHARE = 10
RECOVERY = timedelta(minutes=3)
"""In this time its share grows to all of it."""


class Ended(NamedTuple):
    """A finished attempt: when it began, how many seconds it took, and its outcome."""

    began: datetime
    seconds: float
    outcome: str
    detail: str


class Evidence(NamedTuple):
    """What speaks for and against a carrier: outcomes oldest first, seconds they took, probes newest first."""

    outcomes: tuple[bool, ...] = ()
    seconds: float = 0.0
    probes: tuple[bool, ...] = ()
    probe_ms: int = 0
    probe_detail: str = ""
    bad_detail: str = ""

    @property
    def errors(self) -> float:
        """The share of attempts that went wrong, 0 to 1."""
        return self.outcomes.count(False) / len(self.outcomes) if self.outcomes else 0.0

    def failed_in_a_row(self) -> int:
        """How many of the newest attempts went wrong, until one that did not."""
        return _leading(reversed(self.outcomes))

    def probes_failed(self) -> int:
        """How many of the newest probes went wrong, until one that did not."""
        return _leading(self.probes)

    def silent(self) -> bool:
        """True where it does not answer probes; texts that it takes all the same count for more."""
        return self.probes_failed() >= PROBES_FAILED and not self.takes()

    def takes(self) -> bool:
        """True where it has taken the last texts."""
        last = self.outcomes[-PROVEN:]
        return len(last) == PROVEN and all(last)


def _leading(well: Iterable[bool]) -> int:
    count = 0
    for one in well:
        if one:
            break
        count += 1
    return count


class Verdict(NamedTuple):
    """A state with its reason (probe, errors, slow, auth) and one line for people."""

    state: str
    reason: str = ""
    detail: str = ""
    share: int = 100


def verdict(state: str, elapsed: timedelta, hold: timedelta, evidence: Evidence) -> Verdict:
    """Judge a carrier that has been in a state for so long; `hold` is how long it stays sick at least."""
    if state in ("sick", "stopped"):
        return _closed(state, elapsed, hold, evidence)
    if state == "recovering":
        return _recovering(elapsed, evidence)
    return _trouble(evidence) or Verdict("up")


def _closed(state: str, elapsed: timedelta, hold: timedelta, evidence: Evidence) -> Verdict:
    """Leave it closed until its time is over, it answers or takes texts, and the last one tried did not go wrong."""
    asked = evidence.probes[:PROBES_FAILED]
    answers = (all(asked) and (len(asked) == PROBES_FAILED or state == "stopped")) or evidence.takes()
    if elapsed < hold or not answers or evidence.failed_in_a_row():
        return Verdict(state)
    return Verdict("recovering", share=FIRST_SHARE)


def _recovering(elapsed: timedelta, evidence: Evidence) -> Verdict:
    if evidence.silent():
        return Verdict("sick", "probe", evidence.probe_detail)
    if evidence.failed_in_a_row() >= RELAPSE:
        return Verdict("sick", "errors", evidence.bad_detail)
    share = FIRST_SHARE + round((100 - FIRST_SHARE) * (elapsed / RECOVERY))
    return Verdict("up") if share >= 100 else Verdict("recovering", share=max(FIRST_SHARE, share))


def _trouble(evidence: Evidence) -> Verdict | None:
    """Return what is wrong with a carrier that takes messages; the worst first."""
    enough = len(evidence.outcomes) >= ENOUGH
    slow = evidence.seconds if enough else 0.0
    errors = evidence.errors if enough else 0.0
    if evidence.silent():
        return Verdict("sick", "probe", evidence.probe_detail)
    if errors >= SICK_ERRORS or evidence.failed_in_a_row() >= ENOUGH:
        return Verdict("sick", "errors", evidence.bad_detail)
    if slow >= TOO_SLOW:
        return Verdict("sick", "slow", f"{slow:.1f} s")
    if evidence.probes_failed():
        return Verdict("degraded", "probe", evidence.probe_detail)
    if errors >= DEGRADED_ERRORS:
        return Verdict("degraded", "errors", evidence.bad_detail)
    if slow >= SLOW or evidence.probe_ms >= SLOW * 1000:
        return Verdict("degraded", "slow", f"{max(slow, evidence.probe_ms / 1000):.1f} s")
    return None


def sweep() -> None:
    """Judge the carriers whose time has come: called every second by every worker; one of them judges."""
    moment = now()
    due = [
        row
        for row in CarrierHealth.select()
        if row.carrier in exchange.carriers()
        and not row.paused
        and (row.judge_at is None or row.judge_at <= moment)
    ]
    mine = [row for row in due if _mine(row, moment)]
    if mine:
        attempts = newest_attempts()
        for row in mine:
            judge(row, attempts.get(row.carrier, []))


def _mine(row: CarrierHealth, moment: datetime) -> bool:
    due = CarrierHealth.judge_at.is_null() | (CarrierHealth.judge_at <= moment)
    claimed = CarrierHealth.update(judge_at=moment + EVERY).where(CarrierHealth.carrier == row.carrier, due)
    return bool(claimed.execute())


def judge(row: CarrierHealth, attempts: Sequence[Ended]) -> None:
    """Judge one carrier and write its state where it is another one, or takes another share."""
    moment = now()
    if row.state == "stopped" and (row.until or moment) > moment:
        return
    closed = row.state in ("sick", "stopped", "recovering")
    found = evidence(row.carrier, attempts, row.since if closed else moment - WINDOW)
    said = verdict(row.state, moment - row.since, _hold(row), found)
    if row.state in ("sick", "stopped") and said.state == row.state:
        return  # its reason is why it came to be closed
    if (said.state, said.share, said.reason, said.detail) != (row.state, row.share, row.reason, row.detail):
        with database.atomic():
            health.turn(row, said.state, said.reason, said.detail, said.share)


def _hold(row: CarrierHealth) -> timedelta:
    """Return how long a sick carrier stays so at least; one that was stopped has a time of its own (`until`)."""
    if row.state != "sick":
        return timedelta(0)
    relapses = (
        CarrierTurn.select()
        .where(CarrierTurn.carrier == row.carrier, CarrierTurn.at > row.since - timedelta(hours=1))
        .where(CarrierTurn.before == "recovering", CarrierTurn.after == "sick")
        .count()
    )
    return min(HOLD * 2 ** min(relapses, 10), LONGEST_HOLD)


def newest_attempts() -> dict[str, list[Ended]]:
    """Return the finished attempts of the last minutes by carrier, oldest first."""
    found: dict[str, list[Ended]] = {}
    sql = f"""
SELECT carrier, started_at, ended_at, outcome, detail FROM attempt
WHERE id > (SELECT coalesce(max(id), 0) FROM attempt) - {ATTEMPTS_READ} AND started_at > ?
  AND ended_at IS NOT NULL AND {among("outcome")}
ORDER BY ended_at, id
"""
    rows = statements.run(sql, to_ms(now() - WINDOW), listed(GOOD + BAD))
    for carrier, started, ended, outcome, detail in rows.fetchall():
        seconds = (ended - started) / 1000
        if seconds < NO_ANSWER_OF_THEIRS.total_seconds():
            found.setdefault(carrier, []).append(Ended(from_ms(started), seconds, outcome, detail))
    return found


def evidence(name: str, attempts: Sequence[Ended], since: datetime) -> Evidence:
    """Gather what speaks for and against a carrier since a moment."""
    counted = [a for a in attempts if a.began >= since]
    bad = [a.detail for a in counted if a.outcome in BAD]
    probes = [p for p in probing.newest(name, PROBES_FAILED + 1) if p.at >= since]
    failed = [p.detail for p in probes if not p.ok]
    return Evidence(
        outcomes=tuple(a.outcome in GOOD for a in counted),
        seconds=median([a.seconds for a in counted]) if counted else 0.0,
        probes=tuple(p.ok for p in probes),
        probe_ms=probes[0].ms if probes else 0,
        probe_detail=failed[0] if failed else "",
        bad_detail=bad[-1] if bad else "",
    )
