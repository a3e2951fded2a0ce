"""The diary: appointments come in, move, are cancelled, and say in what state they are."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from sms.clock import now
from sms.db import database, from_ms, to_ms
from sms.gsm import msisdn
from sms.models import Account, log_change
from sms.modules.appointment import planning, reminding
from sms.modules.appointment.found import LONGEST_REFERENCE, Found, one_line
from sms.modules.appointment.models import Appointment, Reminder
from sms.refusal import NotFound, Refused

BATCH = 200
"""Appointments that are written in one transaction: the database is nobody else's for so long."""
INSERTED_AT_ONCE = 60
"""Rows of one INSERT: what the oldest SQLite takes as parameters."""
STILL = ("open", "confirmed", "declined", "wants_to_move")
"""States of an appointment that can still be moved and cancelled."""


def checked_number(account: Account, raw: str) -> str:
    """Return a number (E.164) that can be reminded; raises Refused at `number`."""
    number = msisdn.parse(raw, account.region)
    if number.e164 is None or number.channel is None:
        raise Refused("number", number.error or "invalid")
    return number.e164


def checked_reference(raw: str) -> str:
    """Return a caller's own reference; raises Refused at `reference`."""
    reference = raw.strip()
    if not reference:
        raise Refused("reference", "empty")
    if len(reference) > LONGEST_REFERENCE:
        raise Refused("reference", "too_long", limit=LONGEST_REFERENCE)
    return reference


def put(account: Account, found: Found, source: str) -> tuple[Appointment, bool]:
    """Add an appointment or bring the one of its reference to what it is now; True where it is new."""
    with database.atomic():
        (appointment,), new = _put(account, [found], source)
        planning.replan([appointment], planning.scheme_for(account.id))
        log_change(account.id, "appointment")
    return appointment, bool(new)


def put_many(account: Account, found: Iterable[Found], source: str) -> Iterator[int]:
    """Take in many appointments, a batch in a transaction, and yield after each batch how many are done."""
    waiting, done = iter(found), 0
    while few := list(islice(waiting, BATCH)):
        with database.atomic():
            planning.replan(_put(account, few, source)[0], planning.scheme_for(account.id))
            log_change(account.id, "appointment")
        done += len(few)
        yield done


def _put(account: Account, few: list[Found], source: str) -> tuple[list[Appointment], set[str]]:
    """Add or change appointments; returns them as they are stored, and the references of those that are new."""
    there = _of_references(account, [one.reference for one in few])
    new = {one.reference: one for one in few if one.reference not in there}
    for one in few:
        if one.reference in there:
            _bring_up(there[one.reference], one)
    Appointment.bulk_create([_made(account, one, source) for one in new.values()], INSERTED_AT_ONCE)
    there |= _of_references(account, list(new))
    return list(there.values()), set(new)


def _of_references(account: Account, references: list[str]) -> dict[str, Appointment]:
    found = Appointment.select().where(
        Appointment.account == account, Appointment.reference.in_(references or [""])
    )
    return {one.reference: one for one in found}


def _bring_up(there: Appointment, found: Found) -> None:
    before = there.start, there.state
    _change(there, found)
    if before != (there.start, there.state):
        reminding.tell_of_change(there, before[0])


def _made(account: Account, found: Found, source: str) -> Appointment:
    moment = now()
    return Appointment(
        account=account, reference=found.reference, number=found.number or "", start=found.start, end=found.end,
        zone=found.zone.key, title=one_line(found.title), fields=dict(found.fields),
        state="cancelled" if found.cancelled else "open", state_at=moment, source=source, created_at=moment,
    )  # fmt: skip


def _change(there: Appointment, found: Found) -> None:
    values = ("number", "start", "end", "zone", "title", "fields", "state")
    before = [getattr(there, name) for name in values]
    start = from_ms(to_ms(found.start))  # as the database keeps it
    moved = there.start != start
    there.number = found.number or there.number
    there.start, there.end, there.zone = start, found.end, found.zone.key
    there.title, there.fields = one_line(found.title), dict(found.fields)
    if found.cancelled:
        if there.state in STILL:
            _set(there, "cancelled", "import")
    elif moved or there.state == "cancelled":
        # What was said of the old time says nothing of the new one.
        there.moved_at = now() if moved else there.moved_at
        _set(there, "open", "")
    if before != [getattr(there, name) for name in values]:
        there.save()


def _set(appointment: Appointment, state: str, how: str) -> None:
    if appointment.state != state:
        appointment.state, appointment.how, appointment.state_at = state, how, now()


def cancel(account: Account, reference: str, how: str = "api") -> Appointment:
    """Cancel the appointment of a reference, so that nobody is reminded of it; again is harmless. Raises NotFound."""
    with database.atomic():
        appointment = Appointment.get_or_none(
            Appointment.account == account, Appointment.reference == reference
        )
        if appointment is None:
            raise NotFound
        if appointment.state in STILL:
            _set(appointment, "cancelled", how)
            appointment.save()
            planning.replan([appointment], None)
            reminding.tell_of_change(appointment)
            log_change(account.id, "appointment")
    return appointment  # type: ignore[no-any-return]


def listed(
    account: Account,
    since: datetime | None,
    until: datetime | None,
    state: str | None,
    after: tuple[Any, ...] | None,
    limit: int,
) -> list[Appointment]:
    """Return appointments that start from `since` to before `until`, in the order of time, after a (start, id)."""
    where = [Appointment.account == account]
    if since is not None:
        where.append(Appointment.start >= since)
    if until is not None:
        where.append(Appointment.start < until)
    if state:
        where.append(Appointment.state == state)
    if after is not None:
        start, id = after
        where.append((Appointment.start > start) | ((Appointment.start == start) & (Appointment.id > id)))
    found = Appointment.select().where(*where).order_by(Appointment.start, Appointment.id).limit(limit)
    return list(found)


def reminders_of(appointments: list[Appointment]) -> Mapping[int, list[Reminder]]:
    """Return the reminders of each appointment, by its id, in the order of time."""
    rows = (
        Reminder.select()
        .where(Reminder.appointment.in_([a.id for a in appointments] or [0]))
        .order_by(Reminder.at, Reminder.id)
    )
    by_appointment: dict[int, list[Reminder]] = {a.id: [] for a in appointments}
    for reminder in rows:
        by_appointment[reminder.appointment_id].append(reminder)
    return by_appointment


def zone_named(name: str | None, usual: str) -> ZoneInfo:
    """Return a time zone by its name; raises Refused at `zone` where there is none of that name."""
    try:
        return ZoneInfo(name or usual)
    except (KeyError, OSError, ValueError):  # a name that is unknown, a folder, or a path
        raise Refused("zone", "unknown_zone") from None
