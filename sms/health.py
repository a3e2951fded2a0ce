"""How the carriers stand, in a table so that all processes agree: what closes one, and who should have a message.

`closed()` are the carriers that take nothing now, `stop()` closes one that refuses our account, `may_try()` lets
one text through to a carrier that is closed because it is sick. Who is sick is judged in judging.py.
"""

from datetime import datetime, timedelta
from typing import NamedTuple
from zlib import crc32

from sms.clock import now
from sms.db import database
from sms.models import CarrierHealth, CarrierTurn

FRESH = timedelta(seconds=0.5)
"""So old may be what a process knows of the carriers: they are asked about for every text."""
TRY_EVERY = timedelta(seconds=20)
"""A sick carrier gets one text so often, in all processes together: where there is no other, nothing is lost."""
LONGEST_STOP = timedelta(minutes=5)
"""A carrier that goes on refusing our account is left alone longer each time, up to this."""

RELUCTANT, SICK, STOPPED, WORST = 1, 2, 3, 4
"""Ranks above 0: the higher, the less a carrier should have a message; one that a person has paused is the last."""


class Standing(NamedTuple):
    """How a carrier stands: its state as shown, and how much per cent of what it could take it is given."""

    state: str
    reason: str
    share: int
    until: datetime | None


class _Known(NamedTuple):
    database: object
    at: datetime
    standings: dict[str, Standing]


_known: _Known | None = None


def standings() -> dict[str, Standing]:
    """Return how the carriers stand of which anything is known; half a second old at most."""
    global _known
    moment = now()
    known = _known
    if known is None or known.database is not database.obj or not timedelta(0) <= moment - known.at < FRESH:
        known = _known = _Known(database.obj, moment, _read())
    return known.standings


def _read() -> dict[str, Standing]:
    columns = (
        CarrierHealth.carrier,
        CarrierHealth.state,
        CarrierHealth.reason,
        CarrierHealth.share,
        CarrierHealth.until,
        CarrierHealth.paused,
    )
    return {row.carrier: _standing(row) for row in CarrierHealth.select(*columns)}


def _standing(row: CarrierHealth) -> Standing:
    return Standing(shown(row), row.reason, row.share, row.until)


def shown(row: CarrierHealth) -> str:
    """Return a carrier's state as people see it: a person's pause stands above what the machine judges."""
    return "paused" if row.paused else row.state


def forget() -> None:
    """Read the carriers' health anew at the next question; for whoever has just written it."""
    global _known
    _known = None


def closed() -> frozenset[str]:
    """Return the carriers that take nothing now: paused by a person, stopped because of auth, or sick."""
    moment = now()
    return frozenset(name for name, standing in standings().items() if is_closed(standing, moment))


def is_closed(standing: Standing, moment: datetime) -> bool:
    """True where a carrier that stands so takes nothing at that moment."""
    if standing.state == "stopped":
        return standing.until is None or standing.until > moment
    return standing.state in ("paused", "sick")


def rank(name: str, their: str) -> int:
    """Return 0 where a carrier should have this recipient's messages now, else how much it should not (1 to 4).

    One that recovers takes the same recipients each time, so that nobody's sender goes to and fro.
    """
    standing = standings().get(name)
    if standing is None or standing.state in ("up", "degraded"):
        return 0
    if standing.state == "recovering":
        return 0 if crc32(their.encode()) % 100 < standing.share else RELUCTANT
    if standing.state == "stopped" and not is_closed(standing, now()):
        return RELUCTANT
    return {"sick": SICK, "stopped": STOPPED}.get(standing.state, WORST)


def may_try(name: str) -> bool:
    """Tell once every TRY_EVERY, to one process, that a sick carrier may be given one text all the same.

    Ask only where a text waits for it: the chance is used up by asking. False for one paused or stopped.
    """
    standing = standings().get(name)
    if standing is None or standing.state != "sick":
        return False
    moment = now()
    due = CarrierHealth.try_at.is_null() | (CarrierHealth.try_at <= moment)
    sick = (CarrierHealth.carrier == name) & (CarrierHealth.state == "sick") & ~CarrierHealth.paused
    return bool(CarrierHealth.update(try_at=moment + TRY_EVERY).where(sick & due).execute())


def stop(name: str, until: datetime, reason: str) -> None:
    """Close a carrier that refuses our account, in all processes, until a moment or later; `reason` is for people."""
    with database.atomic():
        row = row_of(name)
        if row.state == "stopped":
            # Half as long again as it has gone on: nobody mends an account by the hundred refusals.
            until = max(until, now() + min((now() - row.since) / 2, LONGEST_STOP))
        turn(row, "stopped", "auth", reason, until=until)


def turn(
    row: CarrierHealth,
    state: str,
    reason: str = "",
    detail: str = "",
    share: int = 100,
    until: datetime | None = None,
) -> None:
    """Write a carrier's new state, and its history where it differs, inside the caller's transaction."""
    before = row.state
    values = {"state": state, "reason": reason, "detail": detail[:200], "share": share, "until": until}
    if before != state:
        values["since"] = now()
    # Guarded by the state it came from: of two processes that see the same, one writes the history.
    same = (CarrierHealth.carrier == row.carrier) & (CarrierHealth.state == before)
    changed = CarrierHealth.update(**values).where(same).execute()
    if changed and before != state:
        note(row.carrier, before, state, reason, detail)
    forget()


def note(
    name: str, before: str, after: str, reason: str = "", detail: str = "", user: int | None = None
) -> None:
    """Write down that a carrier came from one state to another."""
    CarrierTurn.create(
        carrier=name, at=now(), before=before, after=after, reason=reason, detail=detail[:200], user=user
    )


def row_of(name: str) -> CarrierHealth:
    """Return a carrier's row, made at the first question."""
    row = CarrierHealth.get_or_none(CarrierHealth.carrier == name)
    if row is None:
        CarrierHealth.insert(carrier=name, since=now()).on_conflict_ignore().execute()
        row = CarrierHealth.get_by_id(name)
    return row  # type: ignore[no-any-return]


def pause(name: str, by: int) -> bool:
    """Let a person (by id) close a carrier until it is resumed; False where it was paused already."""
    with database.atomic():
        row = row_of(name)
        open_ = (CarrierHealth.carrier == name) & ~CarrierHealth.paused
        values = {"paused": True, "paused_by": by, "paused_at": now()}
        changed = CarrierHealth.update(**values).where(open_).execute()
        if changed:
            note(name, row.state, "paused", "person", user=by)
        forget()
    return bool(changed)


def resume(name: str, by: int) -> bool:
    """Let a person open a paused carrier again; it stands as it is judged. False where it was not paused."""
    with database.atomic():
        row = row_of(name)
        paused = (CarrierHealth.carrier == name) & CarrierHealth.paused
        values = {"paused": False, "paused_by": None, "paused_at": None, "judge_at": None}
        changed = CarrierHealth.update(**values).where(paused).execute()
        if changed:
            note(name, "paused", row.state, "person", user=by)
        forget()
    return bool(changed)
