"""The agenda of a day: every appointment with what stands behind it, worked out from its reminders and their messages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sms import contacts, wallclock
from sms.clock import now
from sms.models import Account, Message, Suppression
from sms.modules.appointment import diary
from sms.modules.appointment.models import Appointment, Reminder
from sms.refusal import NotFound

MOST = 500
"""Appointments of one day that a page shows."""
LOST = ("failed", "undelivered")
OVER = ("declined", "cancelled")
UNSETTLED = ("no_answer", "planned", "unreachable", "not_reminded")
"""What may become of an appointment of which nobody has said anything."""
TO_DO = ("no_answer", "unreachable", "not_reminded", "wants_to_move")


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


def find(account: Account, appointment_id: int) -> Appointment:
    """Return an appointment of this account; raises NotFound."""
    found = Appointment.get_or_none(Appointment.account == account, Appointment.id == appointment_id)
    if found is None:
        raise NotFound
    return found  # type: ignore[no-any-return]


def day(account: Account, which: date) -> list[Row]:
    """Return the appointments of a day of the account's zone, in the order of time."""
    zone = ZoneInfo(account.zone)
    since, until = (
        wallclock.existing(datetime.combine(which + timedelta(days=n), time()), zone) for n in (0, 1)
    )
    found = diary.listed(account, since, until, None, None, MOST)
    numbers = {one.number for one in found if one.number}
    people, threads = contacts.filling(account, numbers), contacts.threads(account, numbers)
    standings = _standings(account, found)
    return [
        Row(
            appointment=one,
            standing=standings[one.id],
            local=one.start.astimezone(zone),
            name=str((people.get(one.number) or {}).get("name") or (one.fields or {}).get("name") or ""),
            conversation=threads.get(one.number),
            ahead=one.start > now(),
        )
        for one in found
    ]


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
    return {
        one.id: standing(one, reminders[one.id], messages, opted_out=one.number in opted_out) for one in found
    }


def standing(
    appointment: Appointment,
    reminders: Sequence[Reminder],
    messages: Mapping[int, Message],
    *,
    opted_out: bool = False,
) -> Standing:
    """Return where an appointment stands, by its state and, while that is open, by its reminders and their messages."""
    if appointment.state != "open":
        return Standing(appointment.state, appointment.state_at, appointment.how)
    if not appointment.number:
        return Standing("not_reminded", reason="no_number")
    current = [r for r in reminders if r.start == appointment.start]
    sent = [r for r in current if r.state == "sent"]
    planned = [r for r in current if r.state == "planned"]
    if opted_out:
        return Standing("not_reminded", reason="opted_out")
    if sent:
        newest = sent[-1]
        told = [messages[r.message] for r in sent if r.message in messages]
        lost = bool(told) and all(message.status in LOST for message in told)
        by_call = bool(told) and told[-1].channel == "voice"
        return Standing("unreachable" if lost else "no_answer", newest.done_at or newest.at, by_call=by_call)
    if planned:
        return Standing("planned", planned[0].at, by_call=planned[0].channel == "voice")
    reason = next((r.reason for r in reversed(current) if r.reason), "") or "no_rule"
    return Standing("not_reminded", reason=reason)
