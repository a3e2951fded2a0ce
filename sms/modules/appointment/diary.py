"""The diary: appointments come in, move, are cancelled, and say in what state they are."""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from peewee import IntegrityError

from sms import contacts, statements
from sms.clock import now
from sms.db import database, from_ms, is_sqlite, to_ms
from sms.gsm import msisdn
from sms.models import Account, User, log_change
from sms.modules.appointment import occasions, planning, reminding, telling, waiting
from sms.modules.appointment.found import LONGEST_REFERENCE, Found, one_line
from sms.modules.appointment.models import Appointment, Reminder
from sms.refusal import NotFound, Refused

BATCH = 200
"""Appointments that are written in one transaction: the database is nobody else's for so long."""
STILL = ("open", "confirmed", "declined", "wants_to_move")
"""States of an appointment that can still be moved and cancelled."""
KEPT = (
    "number", "start", "end", "zone", "title", "fields", "state", "state_at", "how", "answered", "reminded",
    "announced", "settles_at", "moved_at",
)  # fmt: skip
"""What a change of the diary may change; the rest of a row is not written back."""


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


def put(account: Account, found: Found, source: str, by: User | None = None) -> tuple[Appointment, bool]:
    """Add an appointment or bring the one of its reference to what it is now; True where it is new."""
    with database.atomic():
        (appointment,), new = _put_safely(account, [found], source, by)
        numbers = [appointment.number] if appointment.number else []
        for thread in contacts.threads(account, numbers).values():
            log_change(account.id, "conversation", thread)
    return appointment, bool(new)


def put_many(account: Account, found: Iterable[Found], source: str) -> Iterator[int]:
    """Take in many appointments, a batch in a transaction, and yield after each batch how many are done."""
    left, done = iter(found), 0
    while few := list(islice(left, BATCH)):
        _put_safely(account, few, source)
        done += len(few)
        yield done


def _put_safely(
    account: Account, few: list[Found], source: str, by: User | None = None
) -> tuple[list[Appointment], set[str]]:
    """Add or change appointments in one transaction; what somebody else adds at this moment is there the second time."""
    try:
        return _put_at_once(account, few, source, by)
    except IntegrityError:
        return _put_at_once(account, few, source, by)


def _put_at_once(
    account: Account, few: list[Found], source: str, by: User | None
) -> tuple[list[Appointment], set[str]]:
    with database.atomic():
        stored, new = _put(account, few, source, by)
        planning.replan(stored, planning.scheme_for(account.id))
        log_change(account.id, "appointment")
    return stored, new


def _put(
    account: Account, few: list[Found], source: str, by: User | None
) -> tuple[list[Appointment], set[str]]:
    """Add or change appointments; returns them as they are stored, and the references of those that are new."""
    there = _of_references(account, [one.reference for one in few])
    new = {one.reference: one for one in few if one.reference not in there}
    known = contacts.threads(account, {one.number for one in there.values()} - {""}) if there else {}
    for one in few:
        if one.reference in there:
            _bring_up(there[one.reference], one, source, by, known)
    made = [_made(account, one, source) for one in new.values()]
    _insert(made)
    return [*there.values(), *made], set(new)


def _of_references(account: Account, references: list[str]) -> dict[str, Appointment]:
    """Return the appointments of these references, which nobody else changes until the transaction ends."""
    found = Appointment.select().where(
        Appointment.account == account, Appointment.reference.in_(references or [""])
    )
    found = found.order_by(Appointment.id)
    return {one.reference: one for one in (found if is_sqlite() else found.for_update())}


def _insert(made: list[Appointment]) -> None:
    """Store new appointments and give each its id."""
    rows = []
    for id, one in zip(statements.reserve_ids(Appointment, len(made)), made, strict=True):
        one.id = id
        rows.append({
            "id": id, "account_id": one.account_id, "reference": one.reference, "number": one.number,
            "start": to_ms(one.start), "end": None if one.end is None else to_ms(one.end), "zone": one.zone,
            "title": one.title, "fields": json.dumps(one.fields), "state": one.state,
            "state_at": to_ms(one.state_at), "source": one.source, "created_at": to_ms(one.created_at),
            "settles_at": None if one.settles_at is None else to_ms(one.settles_at),
        })  # fmt: skip
    statements.insert(Appointment, rows)


def _bring_up(
    there: Appointment, found: Found, source: str, by: User | None, known: Mapping[str, int]
) -> None:
    before = there.start, there.state
    _change(there, found)
    if before == (there.start, there.state):
        return
    reminding.tell_of_change(there, before[0])
    waiting.follow(there)
    thread = known.get(there.number)
    if there.start != before[0]:
        telling.moved(thread, there, source, by)
    elif there.state == "cancelled":
        telling.cancelled(thread, there, source, by)


def _made(account: Account, found: Found, source: str) -> Appointment:
    moment = now()
    made = Appointment(
        account=account, reference=found.reference, number=found.number or "", start=from_ms(to_ms(found.start)),
        end=found.end, zone=found.zone.key, title=one_line(found.title), fields=dict(found.fields),
        state="cancelled" if found.cancelled else "open", state_at=moment, source=source, created_at=moment,
    )  # fmt: skip
    occasions.look_again(made)
    return made


def _change(there: Appointment, found: Found) -> None:
    before = {name: getattr(there, name) for name in KEPT}
    start = from_ms(to_ms(found.start))  # as the database keeps it
    moved = there.start != start
    if moved or (found.number and there.number != found.number):
        occasions.take_back(there)
    there.number = found.number or there.number
    there.start, there.end, there.zone = start, found.end, found.zone.key
    there.title, there.fields = one_line(found.title), dict(found.fields)
    if found.cancelled:
        if there.state in STILL:
            _set(there, "cancelled", "import")
    elif moved or (there.state == "cancelled" and not waiting.is_given(there)):
        # What was said of the old time says nothing of the new one.
        there.moved_at = now() if moved else there.moved_at
        there.answered, there.reminded = "", there.reminded and not moved
        _set(there, "open", "")
    if any(before[name] != getattr(there, name) for name in ("start", "end", "state", "number")):
        occasions.look_again(there)
    if changed := [name for name in KEPT if before[name] != getattr(there, name)]:
        there.save(only=[getattr(Appointment, name) for name in changed])


def _set(appointment: Appointment, state: str, how: str) -> None:
    if appointment.state != state:
        appointment.state, appointment.how, appointment.state_at = state, how, now()


def cancel(account: Account, reference: str, how: str = "api", by: User | None = None) -> Appointment:
    """Cancel the appointment of a reference, so that nobody is reminded of it; again is harmless. Raises NotFound."""
    with database.atomic():
        appointment = _of_references(account, [reference]).get(reference)
        if appointment is None:
            raise NotFound
        if appointment.state in STILL:
            _set(appointment, "cancelled", how)
            occasions.look_again(appointment)
            appointment.save(
                only=[getattr(Appointment, name) for name in ("state", "how", "state_at", "settles_at")]
            )
            planning.replan([appointment], None)
            reminding.tell_of_change(appointment)
            waiting.follow(appointment)
            number = appointment.number
            thread = contacts.threads(account, [number]).get(number) if number else None
            telling.cancelled(thread, appointment, how, by)
            log_change(account.id, "appointment")
    return appointment


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
