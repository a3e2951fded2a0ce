"""At least a probe a minute: every carrier is asked whether it answers and knows us, by one process, and what it said is kept."""

import time
from datetime import UTC, datetime, timedelta

from peewee import chunked

from sms import exchange, health, queue
from sms.carriers.contract import Carrier, Outcome, OutcomeKind, in_a_line
from sms.clock import now
from sms.db import database
from sms.models import CarrierHealth, CarrierProbe, CarrierTurn, Heartbeat

EVERY = timedelta(seconds=50)
"""With the second question after a first failure, a carrier that is gone is passed over within a minute."""
EVERY_WHILE_CLOSED = timedelta(seconds=15)
AFTER_THE_FIRST_FAILURE = timedelta(seconds=5)
"""One failure may be chance: the second question tells."""
LONGEST = timedelta(seconds=60)
"""A probe takes less (connecting, waiting and reading end before): after it, whoever began it is gone."""
KEPT = timedelta(days=35)
TURNS_KEPT = timedelta(days=400)
HEARTBEAT_FRESH = timedelta(seconds=15)
RESTART = timedelta(seconds=15)
"""So long a process that keeps a link may need to come back, before anybody asks for it."""


def due_at(row: CarrierHealth) -> datetime:
    """Return when a carrier is to be asked again."""
    return row.probe_at or datetime.min.replace(tzinfo=UTC)


def sweep() -> None:
    """Ring for the carriers whose minute has passed: called every second by every worker."""
    moment = now()
    rows = {row.carrier: row for row in CarrierHealth.select()}
    for name in exchange.carriers():
        if name not in rows or due_at(rows[name]) <= moment:
            queue.later("probe_carrier", name, priority=queue.LOW)


def probe_if_due(name: str) -> CarrierProbe | None:
    """Ask a carrier where nobody else does and its minute has passed; None where somebody was faster."""
    moment = now()
    health.row_of(name)
    due = CarrierHealth.probe_at.is_null() | (CarrierHealth.probe_at <= moment)
    mine = CarrierHealth.update(probe_at=moment + LONGEST).where((CarrierHealth.carrier == name) & due)
    return probe(name) if mine.execute() else None


def probe(name: str) -> CarrierProbe | None:
    """Ask a carrier now, outside any transaction, and keep what it said; None where it is not configured."""
    carrier = exchange.carrier(name)
    if carrier is None:
        return None
    began = time.perf_counter()
    outcome = asked(carrier)
    ms = round((time.perf_counter() - began) * 1000)
    ok = outcome.kind in (OutcomeKind.accepted, OutcomeKind.throttled)
    with database.atomic():
        row = health.row_of(name)
        kept = CarrierProbe.create(carrier=name, at=now(), ok=ok, ms=ms, detail="" if ok else words(outcome))
        values = {"probe_at": now() + _wait(row, ok), "judge_at": None if not ok else row.judge_at}
        CarrierHealth.update(**values).where(CarrierHealth.carrier == name).execute()
        if outcome.kind is OutcomeKind.auth and row.state == "stopped":
            health.stop(name, now() + EVERY_WHILE_CLOSED * 2, words(outcome))
    return kept  # type: ignore[no-any-return]


def let_restart(name: str) -> None:
    """Leave a carrier that takes messages alone for RESTART: its link is being made, which is no sign of sickness."""
    moment = now() + RESTART
    sooner = CarrierHealth.probe_at.is_null() | (CarrierHealth.probe_at < moment)
    well = CarrierHealth.state.in_(("up", "degraded", "recovering"))
    health.row_of(name)
    CarrierHealth.update(probe_at=moment).where(CarrierHealth.carrier == name, well, sooner).execute()


def asked(carrier: Carrier) -> Outcome:
    """Ask a carrier whether it answers and knows us; one with a process of its own by that one's heartbeat."""
    if carrier.own_process:
        return _bound(carrier.name)
    try:
        return carrier.probe()
    except Exception as error:  # an adapter that raises is one that does not answer as it should
        return Outcome(OutcomeKind.unknown, detail=type(error).__name__)


def _bound(name: str) -> Outcome:
    """Read the heartbeat of the process that keeps a carrier's link: this one has none to ask over."""
    beat = Heartbeat.get_or_none(Heartbeat.name == f"smpp:{name}"[:60])
    if beat is None or now() - beat.at > HEARTBEAT_FRESH:
        return Outcome(OutcomeKind.temporary, detail="the process that keeps its link does not run")
    if beat.detail != "bound":
        return Outcome(OutcomeKind.temporary, detail=beat.detail or "no link")
    return Outcome(OutcomeKind.accepted)


def words(outcome: Outcome) -> str:
    """Return what a carrier said, in one line for people: kind, code and detail."""
    return in_a_line(outcome.kind.value, outcome.code, outcome.detail)


def _wait(row: CarrierHealth, ok: bool) -> timedelta:
    if not ok and row.state in ("up", "degraded", "recovering"):
        return AFTER_THE_FIRST_FAILURE
    return EVERY if row.state in ("up", "degraded") else EVERY_WHILE_CLOSED


def newest(name: str, limit: int) -> list[CarrierProbe]:
    """Return a carrier's last probes, newest first."""
    found = CarrierProbe.select().where(CarrierProbe.carrier == name)
    return list(found.order_by(CarrierProbe.at.desc(), CarrierProbe.id.desc()).limit(limit))


def forget_old() -> int:
    """Remove probes and turns that nobody is shown any more, some at a time; returns how many."""
    moment, removed = now(), 0
    for table, kept in ((CarrierProbe, KEPT), (CarrierTurn, TURNS_KEPT)):
        old = [row.id for row in table.select(table.id).where(table.at < moment - kept)]
        for some in chunked(old, 500):
            removed += table.delete().where(table.id.in_(list(some))).execute()
    return removed
