"""What other modules are told of an appointment that is over: that somebody came, or did not.

Once for each appointment and time, by state: the row says what was told, and the telling is in the same transaction.
"""

import logging
from datetime import datetime, timedelta

from sms import queue
from sms.clock import now
from sms.db import database, is_sqlite
from sms.models import Account
from sms.modules import Occasion, OccasionKind, announce
from sms.modules.appointment import saying
from sms.modules.appointment.models import Appointment
from sms.modules.appointment.wording import N_

log = logging.getLogger(__name__)

ATTENDED, MISSED = "attended", "missed"
FIELDS = ("Datum", "Uhrzeit", "Termin", "Titel", "date", "time", "appointment", "title")
KINDS = (
    OccasionKind("appointment_attended", N_("After an appointment"), FIELDS),
    OccasionKind("appointment_missed", N_("After an appointment that was missed"), FIELDS),
)
GRACE = timedelta(hours=4)
"""So long after the end a practice has to note who did not come; then everybody else has."""
UNDO = timedelta(minutes=10)
"""So long a later note can be taken back before anybody is told."""
BATCH = 100
CAME = ("open", "confirmed", "attended")
"""States of who came, once it is over. Who wanted another time and got none is not asked how it was."""
NOTED = ("attended", "no_show")
"""What a person has noted is told however long it is over; what was imported when it was over long since is not."""


def look_again(appointment: Appointment) -> None:
    """Have an appointment looked at once it is over, or soon where it has changed since; the caller stores the row."""
    over, moment = (appointment.end or appointment.start) + GRACE, now()
    if over > moment:
        appointment.settles_at = over
    elif appointment.announced or appointment.settles_at is not None or appointment.state in NOTED:
        appointment.settles_at = moment + UNDO


def tick() -> None:
    """Have told what is due; once a second in the worker."""
    if _due().exists():
        queue.later("announce_appointments", priority=queue.LOW)


@queue.job
@queue.single
def announce_appointments() -> None:
    """Tell the other modules of the appointments that are over."""
    work()


def work() -> int:
    """Tell of every appointment that is due, each in a transaction of its own; returns how many were looked at."""
    done = 0
    while few := [row.id for row in _due().limit(BATCH)]:
        for id in few:
            _settle_safely(id)
        done += len(few)
    return done


def _due():  # type: ignore[no-untyped-def]
    return (
        Appointment.select(Appointment.id)
        .where(Appointment.settles_at <= now())
        .order_by(Appointment.settles_at)
    )


def _settle_safely(appointment_id: int) -> None:
    """Whatever fails is tried again later, and holds up no other."""
    try:
        with database.atomic():
            _settle(appointment_id)
    except Exception:
        log.exception("nobody is told of appointment %s", appointment_id)
        Appointment.update(settles_at=now() + UNDO).where(Appointment.id == appointment_id).execute()


def _settle(appointment_id: int) -> None:
    query = Appointment.select().where(Appointment.id == appointment_id, Appointment.settles_at <= now())
    appointment = (query if is_sqlite() else query.for_update()).first()
    if appointment is None:
        return
    told = _to_tell(appointment)
    if appointment.announced and appointment.announced != told:
        take_back(appointment)
    if told and appointment.announced != told:
        _tell(appointment, told)
    appointment.announced, appointment.settles_at = told, None
    appointment.save(only=[Appointment.announced, Appointment.settles_at])


def _to_tell(appointment: Appointment) -> str:
    if not appointment.number or appointment.start > now():
        return ""
    if appointment.state == "no_show":
        return MISSED
    return ATTENDED if appointment.state in CAME else ""


def take_back(appointment: Appointment) -> None:
    """Call off what was told of an appointment, as it stands before it changes; the caller stores the row."""
    if appointment.announced:
        _tell(appointment, appointment.announced, gone=True)
        appointment.announced = ""


def _tell(appointment: Appointment, what: str, gone: bool = False) -> None:
    account: Account = appointment.account
    values = saying.fields(account, appointment)
    announce(
        account,
        Occasion(
            kind=f"appointment_{what}",
            number=appointment.number,
            at=appointment.start,
            reference=reference(appointment.id, appointment.start),
            fields={name: values[name] for name in FIELDS},
            gone=gone,
        ),
    )


def reference(appointment_id: int, start: datetime) -> str:
    """Return the name by which an appointment at one time is told from any other."""
    return f"appointment-{appointment_id}-{start:%Y%m%dT%H%M}"
