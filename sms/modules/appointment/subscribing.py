"""Calendars that are read from an address again and again, and what a reading changes in the diary.

A calendar is read by one process at a time: it is claimed in the database, read without any transaction, and what it
says is taken in a stretch at a time. Each event has beside it what it said when it was last taken in, so a reading
changes what the calendar has changed and nothing else: what people change here stays until the calendar says otherwise.
"""

import dataclasses
import logging
import secrets
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import islice
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from peewee import fn

from sms import exchange, outside, queue
from sms.clock import now
from sms.db import database
from sms.models import Account, log_change
from sms.modules.appointment import diary, ics, matching, numbering
from sms.modules.appointment.found import LONGEST_REFERENCE, Found, Reading, is_page
from sms.modules.appointment.matching import Known, Matched
from sms.modules.appointment.models import Appointment, Calendar, Entry, Reminder
from sms.refusal import Conflict, NotFound, Refused

log = logging.getLogger(__name__)

INTERVAL = timedelta(minutes=15)
LONGEST_WAIT = timedelta(hours=6)
"""After failure upon failure a calendar is still asked so often."""
LEASE = timedelta(minutes=5)
"""So long a reading belongs to who has begun it; each stretch that is taken in begins the time anew."""
WHOLE_EVERY = timedelta(days=1)
"""So often everything is looked at although nothing is new: series go on."""
BACK = timedelta(days=1)
"""So far back events count: today's have begun."""
LARGEST = 5_000_000
MOST_EVENTS = 10_000
MOST_CALENDARS = 20
AT_ONCE = 8
"""Calendars that are read beside each other: one that does not answer holds up no other."""
STRETCH = 100
"""Events that are taken in by one transaction."""
KEPT_MISTAKES = 50
LONGEST_NAME = 100
FROM_FILES = ("ics", "csv", "calendar")
CALLED_OFF_BY_IT = ("calendar", "import")

T = TypeVar("T")


class _Lost(Exception):
    """The reading has taken too long, and another process has begun anew."""


def add(account: Account, name: str, raw: str) -> Calendar:
    """Read a calendar from now on; raises Refused at `address` or `name`, Conflict where there are too many."""
    address = _checked_address(raw)
    if Calendar.select().where(Calendar.account == account).count() >= MOST_CALENDARS:
        raise Conflict("too_many_calendars", limit=MOST_CALENDARS)
    if Calendar.select().where(Calendar.account == account, Calendar.address == address).exists():
        raise Refused("address", "calendar_twice")
    with database.atomic():
        made = Calendar.create(
            account=account,
            name=_checked_name(name, address),
            address=address,
            next_at=now(),
            created_at=now(),
        )
        _tell(made)
    return made  # type: ignore[no-any-return]


def change(calendar: Calendar, name: str, raw: str) -> None:
    """Give a calendar another name, or another address where it has moved; no address leaves it. Raises Refused."""
    address = _checked_address(raw) if raw.strip() else calendar.address
    values: dict[str, Any] = {"name": _checked_name(name, address)}
    if address != calendar.address:
        values |= {"address": address, "etag": "", "modified": "", "digest": "", "next_at": now()}
    with database.atomic():
        Calendar.update(**values).where(Calendar.id == calendar.id).execute()
        _tell(calendar)


def _checked_address(raw: str) -> str:
    if not raw.strip():
        raise Refused("address", "empty")
    try:
        return outside.address(raw)
    except outside.Unreadable as no:
        raise Refused("address", no.code, **no.params) from None


def _checked_name(name: str, address: str) -> str:
    name = " ".join(name.split())
    if len(name) > LONGEST_NAME:
        raise Refused("name", "too_long", limit=LONGEST_NAME)
    return name or outside.shown(address).split("/")[2][:LONGEST_NAME]


def find(account: Account, calendar_id: int) -> Calendar:
    """Return a calendar of an account; raises NotFound."""
    found = Calendar.get_or_none(Calendar.id == calendar_id, Calendar.account == account)
    if found is None:
        raise NotFound
    return found  # type: ignore[no-any-return]


def of_account(account: Account) -> list[Calendar]:
    """Return the calendars of an account by name."""
    return list(Calendar.select().where(Calendar.account == account).order_by(Calendar.name, Calendar.id))


def read_soon(calendar: Calendar) -> None:
    """Read a calendar at once, not when its time has come."""
    with database.atomic():
        Calendar.update(next_at=now()).where(Calendar.id == calendar.id).execute()
        queue.later("read_calendars", priority=queue.LOW)


def read_all_anew(account: Account) -> None:
    """Look at every event of every calendar soon, as another rule reads them otherwise."""
    anew = Calendar.update(whole_at=None, digest="", next_at=now()).where(Calendar.account == account)
    anew.execute()


def remove(calendar: Calendar, keep: bool) -> int:
    """Read a calendar no more; its coming appointments stay, or are called off without a word to anybody.

    Returns how many were called off; one that another calendar has stays in any case.
    """
    off = 0
    with database.atomic():
        if not keep:
            ids = [row.appointment_id for row in _only_here(calendar)]
            for few in _in_stretches(ids, 500):
                off += _call_off(few)
        calendar.delete_instance()
        _tell(calendar)
    return off


def coming(calendar: Calendar) -> int:
    """Return how many appointments that are still to come only this calendar has."""
    return int(_only_here(calendar).count())


def _only_here(calendar: Calendar):  # type: ignore[no-untyped-def]
    other = Entry.alias()
    elsewhere = other.select(other.appointment).where(other.calendar != calendar.id, other.seen != "")
    return (
        Entry.select(Entry.appointment)
        .join(Appointment)
        .where(Entry.calendar == calendar, Appointment.start > now(), Appointment.state.in_(diary.STILL))
        .where(Entry.appointment.not_in(elsewhere))
    )


def _call_off(ids: list[int]) -> int:
    moment = now()
    Reminder.update(state="cancelled", reason="cancelled", done_at=moment).where(
        Reminder.appointment.in_(ids), Reminder.state == "planned"
    ).execute()
    off = Appointment.update(state="cancelled", how="agent", state_at=moment).where(Appointment.id.in_(ids))
    return int(off.execute())


def tick() -> None:
    """Have read what is due; once a second in the worker."""
    if _due(now()).exists():
        queue.later("read_calendars", priority=queue.LOW)


@queue.job
@queue.single
def read_calendars() -> None:
    """Read the calendars whose time has come."""
    work()


def work() -> int:
    """Read every calendar that is due and that nobody reads at the moment; returns how many."""
    done = 0
    while claimed := _claimed():
        done += len(claimed)
        with ThreadPoolExecutor(AT_ONCE, "calendar") as readers:
            reading = {readers.submit(_ask, one): one for one in claimed}
            for answer in as_completed(reading):
                _settle(reading[answer], answer)
    return done


def _due(moment: datetime):  # type: ignore[no-untyped-def]
    return Calendar.select().where(Calendar.next_at <= moment, _free(moment))


def _free(moment: datetime) -> Any:
    return Calendar.claimed_until.is_null() | (Calendar.claimed_until < moment)


def _claimed() -> list[Calendar]:
    """Claim what is due by a guarded UPDATE each: of several processes one gets it."""
    moment = now()
    found = list(_due(moment).order_by(Calendar.next_at, Calendar.id).limit(AT_ONCE))
    return [one for one in found if _claim(one, moment)]


def _claim(calendar: Calendar, moment: datetime) -> bool:
    calendar.claimed_until = moment + LEASE
    mine = Calendar.update(claimed_until=calendar.claimed_until, asked_at=moment).where(
        Calendar.id == calendar.id, Calendar.next_at <= moment, _free(moment)
    )
    return bool(mine.execute())


def _ask(calendar: Calendar) -> outside.Page:
    """Ask for a calendar, in a thread that holds no database connection."""
    whole = calendar.doubted or calendar.whole_at is None or calendar.whole_at < now() - WHOLE_EVERY
    known = {} if whole else {"etag": calendar.etag, "modified": calendar.modified}
    networks = exchange.current().settings.inside_networks
    return outside.read(calendar.address, limit=LARGEST, networks=networks, **known)


def _settle(calendar: Calendar, answer: "Future[outside.Page]") -> None:
    """Take in what came, or note what went wrong; the appointments of the last good reading stay."""
    try:
        _take_in(calendar, answer.result())
    except outside.Unreadable as no:
        _fail(calendar, no.code, no.params, no.again)
    except _Lost:
        log.warning("calendar %s is read by another process meanwhile", calendar.id)
    except Exception:
        log.exception("calendar %s cannot be taken in", calendar.id)
        _fail(calendar, "fault", {})


def _take_in(calendar: Calendar, page: outside.Page) -> None:
    body = page.body
    if body is None:
        _finish(calendar, {"good_at": now()})
        return
    marks = {"etag": page.etag, "modified": page.modified, "good_at": now()}
    digest = sha256(body).hexdigest()
    fresh = calendar.whole_at is not None and calendar.whole_at > now() - WHOLE_EVERY
    if digest == calendar.digest and fresh and not calendar.doubted:
        _finish(calendar, marks)
        return
    _finish(calendar, marks | {"digest": digest, "whole_at": now()} | merge(calendar, _read(calendar, page)))


def _read(calendar: Calendar, page: outside.Page) -> Reading:
    account, moment = calendar.account, now()
    assert page.body is not None
    try:
        return ics.read(
            page.body,
            ZoneInfo(account.zone),
            moment,
            account.region,
            moment - BACK,
            most=MOST_EVENTS,
            rule=numbering.of(account),
        )
    except ics.TooMany:
        raise outside.Unreadable("calendar_many", limit=MOST_EVENTS) from None
    except ics.TooHard:
        raise outside.Unreadable("calendar_hard") from None
    except ics.NotACalendar:
        if not is_page(page.body):
            raise outside.Unreadable("not_a_calendar") from None
        code = "calendar_leads_on" if page.redirected else "calendar_page"
        raise outside.Unreadable(code, host=page.host) from None


def merge(calendar: Calendar, reading: Reading) -> dict[str, Any]:
    """Bring the diary to what a claimed calendar says, and return the columns that tell of it.

    Where more than half of what is to come is missing at once, nothing is called off until it is still so at the next
    reading: a calendar that is emptied and a program that has broken down look alike.
    """
    account = calendar.account
    entries = {entry.id: entry for entry in Entry.select().where(Entry.calendar == calendar)}
    appointments = {one.id: one for one in Appointment.select().join(Entry).where(Entry.calendar == calendar)}
    known = [_known(entry, appointments[entry.appointment_id]) for entry in entries.values()]
    matched = matching.match(known, reading.appointments, now(), calendar.renews)
    there = {id: appointments[entry.appointment_id] for id, entry in entries.items()}
    changed = _keep_up(calendar, matched, entries, there)
    new = [event for event in matched.new if not event.cancelled]
    changed += _add(calendar, account, new, {one.reference for one in appointments.values()})
    doubted = len(matched.missing) if len(matched.missing) * 2 > matched.ahead and not calendar.doubted else 0
    if not doubted:
        changed += _miss(calendar, account, [entries[one.id] for one in matched.missing], there)
    titles = {one.reference: f"{one.local:%d.%m.%Y %H:%M} {one.title}" for one in reading.appointments}
    return {
        "events": sum(not one.cancelled for one in reading.appointments), "changed": changed, "renews": matched.renews,
        "unnumbered": sum(not one.number and not one.cancelled for one in reading.appointments),
        "mistakes": [
            [titles.get(str(m.place), str(m.place)), m.code, m.params] for m in reading.mistakes[:KEPT_MISTAKES]
        ],
        "mistaken": len(reading.mistakes),
        "doubted": doubted, "doubted_at": now() if doubted else None,
    }  # fmt: skip


def _known(entry: Entry, appointment: Appointment) -> Known:
    return Known(
        entry.id, entry.uid, appointment.number, appointment.start, appointment.title, bool(entry.seen)
    )


def _keep_up(
    calendar: Calendar, matched: Matched, entries: dict[int, Entry], there: dict[int, Appointment]
) -> int:
    """Change what the calendar has changed since it was last taken in; returns how many."""
    news = [
        (entries[id], event, matching.seen(event))
        for id, event in matched.same.items()
        if entries[id].uid != event.reference or entries[id].seen != matching.seen(event)
    ]
    changed = 0
    for few in _in_stretches(news, STRETCH):
        with _stretch(calendar):
            # A UID that another event has had is free: it has got another one, or is not there any more.
            _let_go(calendar, [event.reference for entry, event, _ in few if entry.uid != event.reference])
            said = [
                dataclasses.replace(event, reference=there[entry.id].reference)
                for entry, event, seen in few
                if entry.seen != seen and not _stays_off(there[entry.id], event)
            ]
            _put(calendar.account, said)
            changed += len(said)
            for entry, event, seen in few:
                Entry.update(uid=event.reference, seen=seen).where(Entry.id == entry.id).execute()
    return changed


def _stays_off(appointment: Appointment, event: Found) -> bool:
    """Tell whether a person has called off what the calendar still has, at the same time as then."""
    by_somebody = appointment.state == "cancelled" and appointment.how not in CALLED_OFF_BY_IT
    return by_somebody and appointment.start == event.start


def _let_go(calendar: Calendar, uids: list[str]) -> None:
    let_go = Entry.select(Entry.id).where(Entry.calendar == calendar, Entry.uid.in_(uids or [""]))
    for entry in list(let_go):
        Entry.update(uid=f"~{entry.id}").where(Entry.id == entry.id).execute()


def _add(calendar: Calendar, account: Account, new: list[Found], taken: set[str]) -> int:
    """Add appointments with what links them to the calendar, in one transaction a stretch; returns how many."""
    adoptable = _adoptable(account) if new else {}
    for few in _in_stretches(new, STRETCH):
        named = [(event, _named(event, taken, adoptable)) for event in few]
        with _stretch(calendar):
            _let_go(calendar, [event.reference for event in few])
            _put(account, [one for _, one in named])
            ids = _ids(account, [one.reference for _, one in named])
            Entry.insert_many(
                [
                    {
                        "calendar": calendar.id, "appointment": ids[one.reference], "uid": event.reference,
                        "seen": matching.seen(event),
                    }
                    for event, one in named
                ]
            ).execute()  # fmt: skip
    return len(new)


def _named(event: Found, taken: set[str], adoptable: dict[Any, list[str]]) -> Found:
    """Return an event under the reference that it gets in the diary: its UID, unless that is another one's here."""
    if same := adoptable.get((event.number, event.start, event.title)):
        reference = same.pop(0)
    elif event.reference in taken:
        reference = f"{event.reference[: LONGEST_REFERENCE - 13]}#{secrets.token_hex(6)}"
    else:
        reference = event.reference
    taken.add(reference)
    return dataclasses.replace(event, reference=reference)


def _adoptable(account: Account) -> dict[Any, list[str]]:
    """Return what came by file, or from a calendar that was removed, by what makes it the same: nobody gets it twice."""
    linked = Entry.select(Entry.id).where(Entry.appointment == Appointment.id)
    free = Appointment.select().where(
        Appointment.account == account, Appointment.start > now() - BACK, Appointment.source.in_(FROM_FILES)
    )
    found: dict[Any, list[str]] = {}
    for one in free.where(Appointment.number != "", ~fn.EXISTS(linked)):
        found.setdefault((one.number, one.start, one.title), []).append(one.reference)
    return found


def _ids(account: Account, references: list[str]) -> dict[str, int]:
    rows = Appointment.select(Appointment.id, Appointment.reference).where(
        Appointment.account == account, Appointment.reference.in_(references)
    )
    return {row.reference: row.id for row in rows}


def _put(account: Account, events: list[Found]) -> None:
    for _ in diary.put_many(account, events, "calendar"):
        pass


def _miss(calendar: Calendar, account: Account, gone: list[Entry], there: dict[int, Appointment]) -> int:
    """Call off what is not in the calendar any more, unless another calendar of the account has it."""
    off = 0
    for few in _in_stretches(gone, STRETCH):
        with _stretch(calendar):
            ids = [entry.appointment_id for entry in few]
            rows = Entry.select(Entry.appointment).where(
                Entry.appointment.in_(ids), Entry.calendar != calendar.id, Entry.seen != ""
            )
            elsewhere = {row.appointment_id for row in rows}
            for entry in few:
                Entry.update(seen="").where(Entry.id == entry.id).execute()
                if entry.appointment_id not in elsewhere:
                    diary.cancel(account, there[entry.id].reference, "calendar")
                    off += 1
    return off


class _stretch:
    """A transaction in which a claimed calendar is still ours; raises _Lost where it is not."""

    def __init__(self, calendar: Calendar) -> None:
        self.calendar, self.atomic = calendar, database.atomic()

    def __enter__(self) -> None:
        self.atomic.__enter__()
        until = now() + LEASE
        mine = Calendar.update(claimed_until=until).where(_mine(self.calendar)).execute()
        if not mine:
            self.atomic.__exit__(_Lost, _Lost(), None)
            raise _Lost
        self.calendar.claimed_until = until

    def __exit__(self, *error: Any) -> None:
        self.atomic.__exit__(*error)


def _mine(calendar: Calendar) -> Any:
    return (Calendar.id == calendar.id) & (Calendar.claimed_until == calendar.claimed_until)


def _finish(calendar: Calendar, values: dict[str, Any]) -> None:
    """Note a reading that went well, and when the next one is."""
    well = {"fault": "", "facts": {}, "failures": 0, "failing_since": None}
    _note(calendar, well | {"next_at": now() + INTERVAL} | values)


def _fail(calendar: Calendar, code: str, facts: dict[str, Any], again: float | None = None) -> None:
    """Note a reading that went wrong: the next one waits twice as long as the last, or as long as the host asks."""
    wait = min(INTERVAL * 2 ** min(calendar.failures, 10), LONGEST_WAIT)
    if again is not None:
        wait = min(max(wait, timedelta(seconds=again)), LONGEST_WAIT)
    values = {
        "fault": code, "facts": facts, "failures": calendar.failures + 1, "next_at": now() + wait,
        "failing_since": calendar.failing_since or now(),
    }  # fmt: skip
    log.info("calendar %s: %s, the %s. time in a row", calendar.id, code, calendar.failures + 1)
    _note(calendar, values)


def _note(calendar: Calendar, values: dict[str, Any]) -> None:
    with database.atomic():
        Calendar.update(claimed_until=None, **values).where(_mine(calendar)).execute()
        _tell(calendar)


def _tell(calendar: Calendar) -> None:
    log_change(calendar.account_id, "appointment")


def _in_stretches(all_of_them: list[T], size: int) -> Iterator[list[T]]:
    waiting = iter(all_of_them)
    while few := list(islice(waiting, size)):
        yield few
