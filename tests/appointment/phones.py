"""A practice that reminds by phone, and what its tests need to see of it."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sms import clock
from sms.models import Account, Message
from sms.modules.appointment import diary
from sms.modules.appointment.found import Found
from sms.modules.appointment.models import Appointment, Reminder, Scheme

BERLIN = ZoneInfo("Europe/Berlin")
NINE = datetime(2027, 3, 30, 7, 0, tzinfo=UTC)
"""Nine o'clock of a Tuesday in Berlin."""
ILSE, MARGARETHE, TORSTEN = "+493023125640", "+491713920042", "+491713920033"


def it_is(moment: datetime) -> None:
    """Set the clock."""
    clock.shift(moment - clock.now())


def scheme_of(account: Account, channel: str = "voice", **more: Any) -> Scheme:
    """Remind a day before at ten, by a channel, while nobody has answered."""
    rule = {"key": "r1", "before": "P1D", "at": "10:00", "channel": channel, "when": "open"}
    usual = {"name": "Standard", "rules": [rule], "quiet": "20:00-08:00", "cutoff_minutes": 0}
    moment = clock.now()
    return Scheme.create(account=account, created_at=moment, updated_at=moment, **usual | more)


def put(account: Account, number: str = ILSE, start: datetime = NINE, reference: str = "T-1") -> Appointment:
    """Put an appointment into the diary."""
    return diary.put(account, Found(reference, start, BERLIN, number), "api")[0]


def as_now(appointment: Appointment) -> Appointment:
    """The appointment as it is stored."""
    return Appointment.get_by_id(appointment.id)


def reminders(appointment: Appointment) -> dict[str, tuple[str, str]]:
    """State and reason of each reminder, by its rule."""
    rows = Reminder.select().where(Reminder.appointment == appointment).order_by(Reminder.id)
    return {r.rule: (r.state, r.reason) for r in rows}


def events() -> list[str]:
    """Kinds of the events in all threads, oldest first; not that a thread is open again."""
    rows = Message.select().where(Message.channel == "event").order_by(Message.id)
    return [m.data["kind"] for m in rows if m.data["kind"] != "status"]


TEN_THE_DAY_BEFORE = NINE - timedelta(hours=23)
