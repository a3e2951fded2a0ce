"""The agenda: every appointment with what stands behind it, worked out from its reminders and their messages."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sms import contacts, wallclock
from sms.clock import now
from sms.models import Account, Message, Suppression
from sms.models.message import FINAL
from sms.modules.appointment import diary, reminding
from sms.modules.appointment.found import own_name
from sms.modules.appointment.models import Appointment, Reminder, Slot, Waiting
from sms.refusal import NotFound

AT_ONCE = 500
"""Appointments that are read in one stretch."""
LOST = ("failed", "undelivered")
OVER = ("declined", "cancelled")
UNSETTLED = (
    "calling",
    "no_answer",
    "planned",
    "call_planned",
    "unreachable",
    "not_reminded",
    "was_not_reminded",
)
"""What may become of an appointment of which nobody has said anything."""
TO_DO = ("no_answer", "unreachable", "not_reminded", "wants_to_move")
TAKEN_OFF = ("not_wanted", "answered", "moved", "cancelled")
"""Why a reminder left the plan, which says nothing of why nobody was reminded."""
GAP = timedelta(minutes=45)
"""So long a time without appointments is shown."""
Key = tuple[datetime, int]
"""The place of an appointment in the order of time: start and id."""


@dataclass(frozen=True)
class Standing:
    """Where an appointment stands: a state, or for an open one what its reminders have come to; since or for when."""

    kind: str
    at: datetime | None = None
    reason: str = ""
    by_call: bool = False


@dataclass(frozen=True)
class Row:
    """One appointment of the agenda with its person; `conversation` is None where there is no thread yet."""

    appointment: Appointment
    standing: Standing
    local: datetime
    name: str
    conversation: int | None
    ahead: bool

    @property
    def minutes(self) -> int | None:
        """How long it lasts, None where nobody said."""
        end = self.appointment.end
        return None if end is None else int((end - self.appointment.start).total_seconds() // 60)


@dataclass(frozen=True)
class Gap:
    """A time of a day in which nobody comes, on the wall clock."""

    since: datetime
    until: datetime


@dataclass(frozen=True)
class Stretch:
    """A page of the list: its rows, and whether there are others before and behind it."""

    rows: list[Row]
    earlier: bool
    later: bool


def find(account: Account, appointment_id: int) -> Appointment:
    """Return an appointment of this account; raises NotFound."""
    found = Appointment.get_or_none(Appointment.account == account, Appointment.id == appointment_id)
    if found is None:
        raise NotFound
    return found  # type: ignore[no-any-return]


def day(account: Account, which: date) -> list[Row]:
    """Return the appointments of a day of the account's zone, all of them, in the order of time."""
    since, until = (beginning(account, which + timedelta(days=n)) for n in (0, 1))
    return [row for few in _stretches(account, since, until) for row in rows_of(account, few)]


def beginning(account: Account, which: date) -> datetime:
    """Return the moment at which a day of the account's zone begins."""
    return wallclock.existing(datetime.combine(which, time()), ZoneInfo(account.zone))


def _stretches(account: Account, since: datetime, until: datetime) -> Iterator[list[Appointment]]:
    after: Key | None = None
    while few := diary.listed(account, since, until, None, after, AT_ONCE):
        yield few
        after = few[-1].start, few[-1].id


def stretch(
    account: Account, since: datetime, state: str | None, place: Key | None, backwards: bool, limit: int
) -> Stretch:
    """Return a page of the list: from `since`, behind a place, or (`backwards`) before it."""
    if place is None and not backwards:
        found = diary.listed(account, since, None, state, None, limit + 1)
        return Stretch(
            rows_of(account, found[:limit]), _any_before(account, state, (since, 0)), len(found) > limit
        )
    key = place or (since, 0)
    if backwards:
        found = _before(account, state, key, limit + 1)
        return Stretch(rows_of(account, found[:limit][::-1]), len(found) > limit, True)
    found = diary.listed(account, None, None, state, key, limit + 1)
    return Stretch(rows_of(account, found[:limit]), True, len(found) > limit)


def _before(account: Account, state: str | None, key: Key, limit: int) -> list[Appointment]:
    start, id = key
    where = [
        Appointment.account == account,
        (Appointment.start < start) | ((Appointment.start == start) & (Appointment.id < id)),
    ]
    if state:
        where.append(Appointment.state == state)
    newest = Appointment.select().where(*where).order_by(Appointment.start.desc(), Appointment.id.desc())
    return list(newest.limit(limit))


def _any_before(account: Account, state: str | None, key: Key) -> bool:
    return bool(_before(account, state, key, 1))


def rows_of(account: Account, found: list[Appointment]) -> list[Row]:
    """Return appointments as the agenda shows them, in a handful of queries for any number."""
    zone, moment = ZoneInfo(account.zone), now()
    numbers = {one.number for one in found if one.number}
    people, threads = contacts.filling(account, numbers), contacts.threads(account, numbers)
    standings = _standings(account, found)
    return [
        Row(
            appointment=one,
            standing=standings[one.id],
            local=one.start.astimezone(zone),
            name=str((people.get(one.number) or {}).get("name") or own_name(one.fields)),
            conversation=threads.get(one.number),
            ahead=one.start > moment,
        )
        for one in found
    ]


def with_gaps(rows: Sequence[Row]) -> list[Row | Gap]:
    """Return the rows of a day with the times between them in which nobody comes."""
    shown: list[Row | Gap] = []
    busy_until: datetime | None = None
    place = 0
    for row in rows:
        if row.standing.kind in OVER:
            shown.append(row)
            continue
        if busy_until is not None and row.local - busy_until >= GAP:
            # Before what was called off in it: the day is in the order of time.
            shown.insert(place, Gap(busy_until, row.local))
        shown.append(row)
        place = len(shown)
        busy_until = _busy_until(busy_until, row)
    return shown


def _busy_until(before: datetime | None, row: Row) -> datetime | None:
    """Return until when somebody is there, None where nobody said how long it takes."""
    if row.minutes is None:
        return None
    end = row.local + timedelta(minutes=row.minutes)
    return end if before is None else max(before, end)


def slots(appointment_ids: Sequence[int]) -> dict[int, str]:
    """Return what becomes of the times that appointments have left: open (offered now) or given, by their ids."""
    rows = Slot.select(Slot.appointment, Slot.state).where(
        Slot.appointment.in_(list(appointment_ids) or [0]), Slot.state != "closed"
    )
    return {row.appointment_id: row.state for row in rows}


def anybody_waits(account: Account) -> bool:
    """Tell whether somebody waits for a time that becomes free."""
    return bool(Waiting.select().where(Waiting.account == account, Waiting.done_at.is_null()).exists())


def shown(rows: Sequence[Row], which: str) -> list[Row]:
    """Return the rows of a filter: `open` nobody has said anything of, `todo` somebody should write or call; else all."""
    if which == "open":
        return [row for row in rows if row.standing.kind in UNSETTLED]
    if which == "todo":
        return [row for row in rows if is_to_do(row)]
    return list(rows)


def is_to_do(row: Row) -> bool:
    """Tell whether a person should write or call before the appointment."""
    return row.ahead and row.standing.kind in TO_DO


def _standings(account: Account, found: list[Appointment]) -> dict[int, Standing]:
    reminders = diary.reminders_of(found)
    ids = [r.message for rows in reminders.values() for r in rows if r.message is not None]
    messages = {m.id: m for m in Message.select().where(Message.id.in_(ids or [0]))}
    numbers = [one.number for one in found if one.number]
    gone = Suppression.select(Suppression.number).where(
        Suppression.account == account, Suppression.number.in_(numbers or [""])
    )
    opted_out = {row.number for row in gone}
    moment = now()
    return {
        one.id: standing(
            one, reminders[one.id], messages, opted_out=one.number in opted_out, ahead=one.start > moment
        )
        for one in found
    }


def standing(
    appointment: Appointment,
    reminders: Sequence[Reminder],
    messages: Mapping[int, Message],
    *,
    opted_out: bool = False,
    ahead: bool = True,
) -> Standing:
    """Return where an appointment stands, by its state and, while that is open, by its reminders and their messages."""
    if appointment.state != "open":
        return Standing(appointment.state, appointment.state_at, appointment.how)
    current = [r for r in reminders if r.start == appointment.start]
    sent = [r for r in current if r.state == "sent"]
    if opted_out and ahead:
        return _not_reminded("opted_out", ahead)
    if sent:
        return _reminded(sent, messages)
    if not appointment.number:
        return _not_reminded("no_number", ahead)
    if planned := [r for r in current if r.state == "planned"]:
        by_call = reminding.channel_of(appointment, planned[0].channel) == "voice"
        return Standing("call_planned" if by_call else "planned", planned[0].at, by_call=by_call)
    return _not_reminded(_reason(current), ahead)


def _reason(current: Sequence[Reminder]) -> str:
    """Return why no reminder of these went out; one that was taken off the plan explains less than any other."""
    reasons = [r.reason for r in reversed(current) if r.reason]
    told = next((reason for reason in reasons if reason not in TAKEN_OFF), "")
    return told or ("not_wanted" if reasons else "no_rule")


def _reminded(sent: Sequence[Reminder], messages: Mapping[int, Message]) -> Standing:
    told = [messages[r.message] for r in sent if r.message in messages]
    lost = bool(told) and all(message.status in LOST for message in told)
    by_call = bool(told) and told[-1].channel == "voice"
    kind = "calling" if by_call and told[-1].status not in FINAL else "unreachable" if lost else "no_answer"
    return Standing(kind, sent[-1].done_at or sent[-1].at, by_call=by_call)


def _not_reminded(reason: str, ahead: bool) -> Standing:
    return Standing("not_reminded" if ahead else "was_not_reminded", reason=reason)
