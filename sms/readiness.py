"""Can this installation do its work? What /readyz answers, and why not."""

import logging
from collections.abc import Callable
from datetime import timedelta

from sms import exchange, health, migrate, queue
from sms.clock import now
from sms.db import database
from sms.models import Heartbeat

WORKER_SILENT_AFTER = timedelta(seconds=15)
log = logging.getLogger(__name__)


def checks() -> dict[str, str]:
    """Return what was looked at, each with "ok" or with one sentence that says what is wrong."""
    with database.connection_context():
        return {name: _checked(name, check) for name, check in _CHECKS.items()}


def without_database() -> dict[str, str]:
    """Return the answer where the database cannot even be opened."""
    return {"database": _UNREACHABLE["database"]}


def _checked(name: str, check: Callable[[], str]) -> str:
    try:
        return check()
    except Exception:  # whatever fails here is the answer, not a fault of the page
        log.exception("readiness: %s", name)
        return _UNREACHABLE[name]


def _database() -> str:
    database.execute_sql("SELECT 1").fetchone()
    return "ok"


def _migrations() -> str:
    missing = migrate.missing()
    return f"The database lacks {len(missing)} migrations; run: flask db migrate." if missing else "ok"


def _queue() -> str:
    queue.depth()
    return "ok"


def _worker() -> str:
    """One worker that is heard of and whose pumps all move is enough."""
    workers = Heartbeat.select().where(Heartbeat.name.startswith("worker")).order_by(Heartbeat.at.desc())
    heard_of = list(workers)
    if not heard_of:
        return "No worker is running."
    silent = now() - heard_of[0].at
    if silent > WORKER_SILENT_AFTER:
        return f"No worker has been heard of for {round(silent.total_seconds())} seconds."
    alive = [beat for beat in heard_of if now() - beat.at <= WORKER_SILENT_AFTER]
    if all(beat.detail for beat in alive):
        return f"The worker hangs: {alive[0].detail}."
    return "ok"


def _carriers() -> str:
    """One carrier that takes messages is enough; what a person has paused is no outage."""
    there = list(exchange.carriers())
    if not there:
        return "No carrier is configured."
    closed, standings = health.closed(), health.standings()
    ailing = [name for name in there if name in closed and standings[name].state != "paused"]
    if not ailing or not closed.issuperset(there):
        return "ok"
    told = ", ".join(f"{name} is {standings[name].state} ({_WHY[standings[name].reason]})" for name in ailing)
    return f"No carrier takes messages: {told}."


_WHY = {
    "probe": "it does not answer",
    "errors": "it does not take what it is given",
    "slow": "it answers too slowly",
    "auth": "it refuses our account",
    "": "it was judged so",
}


_CHECKS: dict[str, Callable[[], str]] = {
    "database": _database,
    "migrations": _migrations,
    "queue": _queue,
    "worker": _worker,
    "carriers": _carriers,
}
_UNREACHABLE = {
    "database": "The database cannot be reached.",
    "migrations": "The database's migrations cannot be read.",
    "queue": "The queue cannot be reached.",
    "worker": "The workers' heartbeats cannot be read.",
    "carriers": "The carriers are not set up.",
}
