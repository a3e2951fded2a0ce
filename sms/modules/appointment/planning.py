"""Reminders of an appointment as rows: computed anew whenever the appointment or the rules change, never kept stale.

Every function works inside the caller's transaction.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sms import quiet, statements
from sms.clock import now
from sms.db import is_sqlite, to_ms
from sms.modules.appointment.models import CALL, REMINDED, Appointment, Reminder, Scheme
from sms.modules.appointment.plan import Before, plan, read_period

EARLY = timedelta(minutes=1)
"""So much before the quiet hours goes out what was moved to their beginning: at it, they have begun."""


@dataclass(frozen=True)
class Rule:
    """One rule of a scheme, read."""

    key: str
    before: Before
    channel: str
    always: bool


class Wanted(NamedTuple):
    """One reminder as a scheme wants it, in the words of the table."""

    appointment: Appointment
    rule: str
    start: datetime
    at: datetime
    moved_from: str
    channel: str
    state: str
    reason: str


class _Stored(NamedTuple):
    """One reminder as it is stored, moments as milliseconds."""

    id: int
    rule: str
    start: int
    at: int
    moved_from: str
    channel: str
    state: str
    reason: str
    done_at: int | None


@dataclass
class _Changes:
    """What has to be written so that reminders are as they should be: rows of values for each statement."""

    fresh: list[dict[str, Any]]
    renewed: list[tuple[Any, ...]]
    ended: list[tuple[Any, ...]]


def rules_of(scheme: Scheme) -> list[Rule]:
    """Return the rules of a scheme."""
    return [
        _rule(v["key"], v["before"], v.get("at") or "", v.get("channel", "sms"), v.get("when", "open"))
        for v in scheme.rules
    ]


@lru_cache(maxsize=256)
def _rule(key: str, before: str, at: str, channel: str, when: str) -> Rule:
    read = read_period(before)
    if at:
        read = Before(read.days, read.elapsed, time.fromisoformat(at))
    return Rule(key, read, channel, when == "always")


def scheme_for(account_id: int) -> Scheme | None:
    """Return the scheme by which an account reminds, None where none is active."""
    return (  # type: ignore[no-any-return]
        Scheme.select().where(Scheme.account == account_id, Scheme.active).order_by(Scheme.id).first()
    )


def hold(appointment: Appointment) -> None:
    """Bring an appointment to what is stored, and let nobody else change it until the transaction ends."""
    query = Appointment.select().where(Appointment.id == appointment.id)
    fresh = (query if is_sqlite() else query.for_update()).get()
    appointment.__data__.update(fresh.__data__)


def replan(appointments: Iterable[Appointment], scheme: Scheme | None) -> None:
    """Bring the reminders of appointments to what the scheme says now; what has gone out stays as it is."""
    by_id = {one.id: one for one in appointments}
    if not by_id:
        return
    there = _stored(by_id)
    changes = _Changes([], [], [])
    for id, one in by_id.items():
        _replan(one, scheme, there.get(id, {}), changes)
    _write(changes)
    version = 0 if scheme is None else scheme.version
    statements.run(
        f"UPDATE appointment SET planned_by = ? WHERE {statements.among('id')} AND planned_by <> ?",
        version, statements.listed(by_id), version,
    )  # fmt: skip
    for one in by_id.values():
        one.planned_by = version


def _stored(ids: Iterable[int]) -> dict[int, dict[tuple[str, int], _Stored]]:
    sql = (
        "SELECT appointment_id, id, rule, start, at, moved_from, channel, state, reason, done_at"
        f" FROM appointment_reminder WHERE {statements.among('appointment_id')}"
    )
    there: dict[int, dict[tuple[str, int], _Stored]] = {}
    for appointment_id, *values in statements.run(sql, statements.listed(ids)).fetchall():
        row = _Stored(*values)
        there.setdefault(appointment_id, {})[row.rule, row.start] = row
    return there


def _write(changes: _Changes) -> None:
    """Write what has changed; what somebody has sent or ended meanwhile stays as it is."""
    statements.insert(Reminder, changes.fresh)
    statements.run_many(
        "UPDATE appointment_reminder SET at = ?, moved_from = ?, channel = ?, state = ?, reason = ?, done_at = NULL"
        " WHERE id = ? AND state = ?",
        changes.renewed,
    )
    statements.run_many(
        "UPDATE appointment_reminder SET state = 'cancelled', reason = ?, done_at = ? WHERE id = ? AND state = 'planned'",
        changes.ended,
    )


def _replan(
    appointment: Appointment, scheme: Scheme | None, there: dict[tuple[str, int], _Stored], changes: _Changes
) -> None:
    """Note what brings the reminders of one appointment to what they should be."""
    planned = [] if scheme is None else wanted(appointment, scheme)
    start = to_ms(appointment.start)
    wished = {wish.rule for wish in planned}
    for stored in there.values():
        if stored.state == "planned" and (stored.start != start or not _belongs(stored, appointment, wished)):
            changes.ended.append((_why_not(stored, appointment, start), to_ms(now()), stored.id))
    for wish in planned:
        stored_before = there.get((wish.rule, start))
        if stored_before is None:
            changes.fresh.append(_row(wish, appointment.id, start))
        else:
            _renew(stored_before, wish, changes)


def _belongs(stored: _Stored, appointment: Appointment, wished: set[str]) -> bool:
    """Whether a reminder is one of the rules that are wanted, or the call after the text of one."""
    if stored.rule in wished:
        return True
    # The call is for who has not answered.
    return appointment.state == "open" and stored.rule.removesuffix(CALL) in wished


def _row(wish: Wanted, appointment_id: int, start: int) -> dict[str, Any]:
    return {
        "appointment_id": appointment_id, "rule": wish.rule, "start": start, "at": to_ms(wish.at),
        "moved_from": wish.moved_from, "channel": wish.channel, "state": wish.state, "reason": wish.reason,
    }  # fmt: skip


def _why_not(stored: _Stored, appointment: Appointment, start: int) -> str:
    if stored.start != start:
        return "moved"
    if appointment.state == "cancelled":
        return "cancelled"
    return "not_wanted" if appointment.state == "open" else "answered"


def wanted(appointment: Appointment, scheme: Scheme) -> list[Wanted]:
    """Return the reminders that a scheme (stored or not) wants for an appointment, none of them stored."""
    if appointment.state not in REMINDED or not appointment.number:
        return []
    zone, moment = ZoneInfo(appointment.zone), now()
    rules = [rule for rule in rules_of(scheme) if rule.always or appointment.state == "open"]
    span, on_quiet = quiet.read_span(scheme.quiet), scheme.on_quiet
    planned = plan(appointment.start, zone, [r.before for r in rules], span, on_quiet, moment)
    return [
        Wanted(
            appointment=appointment,
            rule=rule.key,
            start=appointment.start,
            at=_at(reminder.moment, reminder.moved_from, span, zone),
            moved_from="" if reminder.moved_from is None else f"{reminder.moved_from:%Y-%m-%dT%H:%M}",
            channel=rule.channel,
            state="planned" if reminder.skipped is None else "skipped",
            reason=reminder.skipped or "",
        )
        for rule, reminder in zip(rules, planned, strict=True)
    ]


def _at(moment: datetime, moved_from: datetime | None, span: quiet.Span | None, zone: ZoneInfo) -> datetime:
    if moved_from is None or span is None or moment.astimezone(zone).time() != span[0]:
        return moment
    return moment - EARLY


def _renew(stored: _Stored, wish: Wanted, changes: _Changes) -> None:
    """Note the change of a reminder that has not gone out; what was cancelled comes back where it is wanted again."""
    again = stored.state in ("planned", "cancelled") or (
        stored.state == "skipped" and stored.reason != "opted_out"
    )
    values = (to_ms(wish.at), wish.moved_from, wish.channel, wish.state, wish.reason)
    same = stored[3:8] == values and stored.done_at is None
    # What is due at this very moment, or waits for a free number, is not too late because somebody looked at it.
    waits = stored.state == "planned" and (stored.at == values[0] or stored.reason == "in_line")
    if not again or same or (waits and wish.reason == "too_late"):
        return
    changes.renewed.append((*values, stored.id, stored.state))


def end(reminder: Reminder, state: str, reason: str = "", message: int | None = None) -> bool:
    """Close a planned reminder by a guarded UPDATE; False where somebody was faster."""
    changed = (
        Reminder.update(state=state, reason=reason, message=message, done_at=now())
        .where(Reminder.id == reminder.id, Reminder.state == "planned")
        .execute()
    )
    if changed and state == "sent":
        note_reminded(reminder.appointment_id, reminder.start)
    return bool(changed)


def note_reminded(appointment_id: int, start: datetime) -> None:
    """Note at an appointment that a reminder of this time has gone out: so the month's numbers know it."""
    Appointment.update(reminded=True).where(
        Appointment.id == appointment_id, Appointment.start == start, ~Appointment.reminded
    ).execute()
