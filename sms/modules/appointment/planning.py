"""Reminders of an appointment as rows: computed anew whenever the appointment or the rules change, never kept stale.

Every function works inside the caller's transaction.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sms import quiet
from sms.clock import now
from sms.modules.appointment.models import REMINDED, Appointment, Reminder, Scheme
from sms.modules.appointment.plan import Before, plan, read_period

INSERTED_AT_ONCE = 80
"""Rows of one INSERT: what the oldest SQLite takes as parameters."""
EARLY = timedelta(minutes=1)
"""So much before the quiet hours goes out what was moved to their beginning: at it, they have begun."""


@dataclass(frozen=True)
class Rule:
    """One rule of a scheme, read."""

    key: str
    before: Before
    channel: str
    always: bool


def rules_of(scheme: Scheme) -> list[Rule]:
    """Return the rules of a scheme."""
    return [_rule(values) for values in scheme.rules]


def _rule(values: dict[str, Any]) -> Rule:
    before = read_period(values["before"])
    if values.get("at"):
        before = Before(before.days, before.elapsed, time.fromisoformat(values["at"]))
    return Rule(values["key"], before, values.get("channel", "sms"), values.get("when", "open") == "always")


def scheme_for(account_id: int) -> Scheme | None:
    """Return the scheme by which an account reminds, None where none is active."""
    return (  # type: ignore[no-any-return]
        Scheme.select().where(Scheme.account == account_id, Scheme.active).order_by(Scheme.id).first()
    )


def replan(appointments: Iterable[Appointment], scheme: Scheme | None) -> None:
    """Bring the reminders of appointments to what the scheme says now; what has gone out stays as it is."""
    by_id = {one.id: one for one in appointments}
    there: dict[int, dict[tuple[str, datetime], Reminder]] = {id: {} for id in by_id}
    for reminder in Reminder.select().where(Reminder.appointment.in_(list(by_id) or [0])):
        there[reminder.appointment_id][reminder.rule, reminder.start] = reminder
    fresh = [new for id, one in by_id.items() for new in _replan(one, scheme, there[id])]
    Reminder.bulk_create(fresh, INSERTED_AT_ONCE)
    version = 0 if scheme is None else scheme.version
    Appointment.update(planned_by=version).where(
        Appointment.id.in_(list(by_id) or [0]), Appointment.planned_by != version
    ).execute()


def _replan(
    appointment: Appointment, scheme: Scheme | None, there: dict[tuple[str, datetime], Reminder]
) -> list[Reminder]:
    """Bring the reminders of one appointment to what they should be, and return those that are still to be stored."""
    planned = [] if scheme is None else wanted(appointment, scheme)
    wished = {(r.rule, r.start): r for r in planned}
    for key, reminder in there.items():
        if reminder.state == "planned" and key not in wished:
            end(reminder, "cancelled", _why_not(reminder, appointment))
    for key, reminder in wished.items():
        if key in there:
            _renew(there[key], reminder)
    return [reminder for key, reminder in wished.items() if key not in there]


def _why_not(reminder: Reminder, appointment: Appointment) -> str:
    if reminder.start != appointment.start:
        return "moved"
    if appointment.state == "cancelled":
        return "cancelled"
    return "not_wanted" if appointment.state == "open" else "answered"


def wanted(appointment: Appointment, scheme: Scheme) -> list[Reminder]:
    """Return the reminders that a scheme (stored or not) wants for an appointment, none of them stored."""
    if appointment.state not in REMINDED or not appointment.number:
        return []
    zone, moment = ZoneInfo(appointment.zone), now()
    rules = [rule for rule in rules_of(scheme) if rule.always or appointment.state == "open"]
    planned = plan(
        appointment.start,
        zone,
        [r.before for r in rules],
        quiet.read_span(scheme.quiet),
        scheme.on_quiet,
        moment,
    )
    return [
        Reminder(
            appointment=appointment,
            rule=rule.key,
            start=appointment.start,
            at=_at(reminder.moment, reminder.moved_from, scheme, zone),
            moved_from="" if reminder.moved_from is None else f"{reminder.moved_from:%Y-%m-%dT%H:%M}",
            channel=rule.channel,
            state="planned" if reminder.skipped is None else "skipped",
            reason=reminder.skipped or "",
        )
        for rule, reminder in zip(rules, planned, strict=True)
    ]


def _at(moment: datetime, moved_from: datetime | None, scheme: Scheme, zone: ZoneInfo) -> datetime:
    span = quiet.read_span(scheme.quiet)
    at_their_beginning = span is not None and moment.astimezone(zone).time() == span[0]
    return moment - EARLY if moved_from is not None and at_their_beginning else moment


def _renew(there: Reminder, wanted: Reminder) -> None:
    """Change a reminder that has not gone out; what was cancelled comes back where it is wanted again."""
    again = there.state in ("planned", "cancelled") or (
        there.state == "skipped" and there.reason != "opted_out"
    )
    names = ("at", "moved_from", "channel", "state", "reason")
    same = all(getattr(there, name) == getattr(wanted, name) for name in names) and there.done_at is None
    # What is due at this very moment, or waits for a free number, is not too late because somebody looked at it.
    waits = there.state == "planned" and (there.at == wanted.at or there.reason == "in_line")
    if not again or same or (waits and wanted.reason == "too_late"):
        return
    for name in names:
        setattr(there, name, getattr(wanted, name))
    there.done_at = None
    there.save()


def end(reminder: Reminder, state: str, reason: str = "", message: int | None = None) -> bool:
    """Close a planned reminder by a guarded UPDATE; False where somebody was faster."""
    changed = (
        Reminder.update(state=state, reason=reason, message=message, done_at=now())
        .where(Reminder.id == reminder.id, Reminder.state == "planned")
        .execute()
    )
    return bool(changed)
