"""Appointments for programs: put, cancel, list, import, and what a reminder rule would do."""

from datetime import datetime
from typing import Annotated, Any, Literal, NotRequired
from zoneinfo import ZoneInfo

from flask import request
from flask.blueprints import BlueprintSetupState
from pydantic import Field
from typing_extensions import TypedDict

from sms import quiet, wallclock
from sms.clock import now
from sms.db import from_ms, to_ms
from sms.gsm import msisdn
from sms.models import Account
from sms.modules.appointment import diary, ics, numbering, table
from sms.modules.appointment.found import Found, Mistake, Reading, minutes
from sms.modules.appointment.models import STATES, Appointment, Reminder
from sms.modules.appointment.plan import BadPeriod, Before, plan, read_period
from sms.refusal import Refused
from sms.views.api import frame, pages
from sms.views.api.frame import Answer, call
from sms.views.api.inputs import Fields, Input, Line, Name, Number, Query
from sms.views.api.problem import FieldError, Problem, worded

LARGEST_IMPORT = 8_000_000
"""Bytes of a calendar or a table."""
MOST_RULES = 50
LATEST_YEAR = 2199
"""Nobody is reminded of what is later: it is a slip."""
CALENDAR = ("text/calendar", "application/ics")
TABLES = ("text/csv", "text/plain", "application/csv", "application/vnd.ms-excel")

Moment = Annotated[str, Field(max_length=100)]
Local = Annotated[Moment, Field(examples=["2026-03-30T09:00"])]
ZoneName = Annotated[Name, Field(examples=["Europe/Berlin"])]


class NewAppointment(Input):
    """An appointment under the caller's own reference."""

    reference: Annotated[Line, Field(description="Your own reference; the same one again moves it.")]
    number: Number
    start: Annotated[
        Local,
        Field(
            description="Wall clock of `zone`, or RFC 3339 with an offset. A time that does not exist is refused."
        ),
    ]
    zone: Annotated[ZoneName | None, Field(description="Without it: the account's.")] = None
    end: Local | None = None
    title: Line | None = None
    fields: Annotated[Fields | None, Field(description="Values for {placeholders} in the reminder.")] = None


class RuleShape(Input):
    """How long before the appointment: `P1D` is a day on the wall clock, `PT2H` two hours of elapsed time."""

    before: Annotated[str, Field(max_length=40, examples=["P1D", "PT2H"])]


class PlanRequest(Input):
    """An appointment and rules, to see what would happen."""

    start: Local
    zone: ZoneName | None = None
    rules: Annotated[list[RuleShape], Field(max_length=MOST_RULES)]
    quiet: Annotated[str | None, Field(max_length=20, examples=["20:00-08:00"])] = None
    on_quiet: Literal["earlier", "later", "skip"] | None = None
    now: Annotated[Moment | None, Field(description="What lies before it is `too_late`.")] = None


class PlannedShape(TypedDict):
    """One reminder as it would be planned."""

    before: str
    at: str
    at_utc: str
    moved_from: NotRequired[str]
    skipped: NotRequired[Literal["quiet", "too_late", "after_start"]]


class PlanShape(TypedDict):
    reminders: list[PlannedShape]


class ReminderShape(TypedDict):
    """One reminder of an appointment."""

    rule: str
    at: str
    state: Literal["planned", "sent", "skipped", "missed", "cancelled"]
    message_id: NotRequired[int]
    reason: NotRequired[str]


class AppointmentShape(TypedDict):
    """An appointment; `start` on the wall clock of `zone`."""

    reference: str
    start: str
    start_utc: str
    end: str | None
    zone: str
    number: str | None
    title: str
    state: Literal[STATES]  # type: ignore[valid-type]
    fields: dict[str, Any]
    reminders: list[ReminderShape]


class AppointmentPage(TypedDict):
    items: list[AppointmentShape]
    next_cursor: str | None


class FoundShape(TypedDict):
    """One appointment as it was read from a file."""

    reference: str
    start: str
    start_utc: str
    zone: str
    number: str | None
    title: str
    cancelled: bool


class MistakeShape(TypedDict):
    """What is wrong in a file: `line` of a table, `uid` of a calendar."""

    line: NotRequired[int]
    uid: NotRequired[str]
    code: str
    message: str


class ImportShape(TypedDict):
    appointments: list[FoundShape]
    errors: list[MistakeShape]


class AppointmentsQuery(Query):
    """Which appointments."""

    since: Annotated[
        Moment | None, Field(alias="from", description="Only those that start then or later.")
    ] = None
    until: Annotated[Moment | None, Field(alias="to", description="Only those that start before it.")] = None
    state: Literal[STATES] | None = None  # type: ignore[valid-type]


class ImportQuery(Query):
    """How a file is read."""

    dry_run: Annotated[bool, Field(description="True: nothing is stored.")] = False
    since: Annotated[Moment | None, Field(alias="from")] = None
    until: Annotated[Moment | None, Field(alias="to")] = None
    zone: Annotated[ZoneName | None, Field(description="Where the file names none.")] = None


@call(
    "POST", "/appointments", "Add or move an appointment",
    body=NewAppointment, shapes={200: AppointmentShape, 201: AppointmentShape}, problems=(413, 415, 422),
    example={"reference": "T-4711", "number": "0171 3920054", "start": "2026-03-30T09:00", "zone": "Europe/Berlin", "title": "Kontrolle"},
)  # fmt: skip
def put_appointment(account: Account, body: NewAppointment) -> Answer:
    """Adds the appointment (201), or changes the one of this reference (200): another start moves it.

    Reminders are planned by the account's rules, and computed anew whenever something changes.
    """
    zone = diary.zone_named(body.zone, account.zone)
    start = wallclock.read(body.start, zone.key, "start")
    if start.year > LATEST_YEAR:
        raise Refused("start", "bad_time")
    end = wallclock.read(body.end, zone.key, "end") if body.end else None
    if end is not None and end <= start:
        raise Refused("end", "end_before_start")
    found = Found(
        reference=diary.checked_reference(body.reference),
        start=start,
        zone=zone,
        number=diary.checked_number(account, body.number),
        title=body.title or "",
        end=end,
        fields={name: value for name, value in (body.fields or {}).items() if value is not None},
    )
    appointment, new = diary.put(account, found, "api")
    return Answer(201 if new else 200, _shapes([appointment])[0])


@call(
    "DELETE", "/appointments/{reference}", "Cancel an appointment",
    shapes={200: AppointmentShape}, problems=(404,),
)  # fmt: skip
def cancel_appointment(account: Account, reference: str) -> Answer:
    """Nobody is reminded of it any more; doing it again changes nothing."""
    return Answer(200, _shapes([diary.cancel(account, reference)])[0])


@call(
    "GET", "/appointments", "List appointments",
    query=AppointmentsQuery, shapes={200: AppointmentPage}, problems=(422,),
)  # fmt: skip
def list_appointments(account: Account, query: AppointmentsQuery) -> Answer:
    """Appointments in the order of time, each with its reminders."""
    zone = ZoneInfo(account.zone)
    key = pages.decode(query.cursor, "a", 2)
    rows = diary.listed(
        account,
        _bound(query.since, zone, "from"),
        _bound(query.until, zone, "to"),
        query.state,
        None if key is None else (from_ms(key[0]), key[1]),
        query.limit + 1,
    )
    return Answer(200, pages.page(rows, query.limit, "a", lambda row: (to_ms(row.start), row.id), _shapes))


@call(
    "POST", "/appointments/import", "Import a calendar or a table",
    query=ImportQuery, shapes={200: ImportShape}, problems=(413, 415, 422), largest=LARGEST_IMPORT,
    takes=("text/calendar", "text/csv"),
)  # fmt: skip
def import_appointments(account: Account, query: ImportQuery) -> Answer:
    """Takes iCalendar (text/calendar) or CSV (text/csv) with the columns reference, start, number and title.

    Each appointment is taken by itself: what is wrong with one is told under `errors` and spoils no other. One
    without a phone number is kept, and told there too.
    """
    zone = diary.zone_named(query.zone, account.zone)
    reading, kind = _read_file(account, query, zone)
    if not query.dry_run:
        for _ in diary.put_many(account, reading.appointments, kind):
            pass
    place = "uid" if kind == "ics" else "line"
    return Answer(
        200,
        {
            "appointments": [_found(one) for one in reading.appointments],
            "errors": [_mistake(mistake, place) for mistake in reading.mistakes],
        },
    )


@call(
    "POST", "/appointments/plan", "See what reminder rules would do",
    body=PlanRequest, shapes={200: PlanShape}, problems=(413, 415, 422),
    example={"start": "2026-03-30T09:00", "zone": "Europe/Berlin", "rules": [{"before": "P1D"}, {"before": "PT2H"}], "quiet": "20:00-08:00"},
)  # fmt: skip
def plan_reminders(account: Account, body: PlanRequest) -> Answer:
    """Nothing is stored. A day is a day on the wall clock, hours are elapsed time.

    A moment that the clock change leaves out moves to the next that exists; what falls into the quiet hours goes
    `earlier`, `later` (the usual way) or is skipped. `moved_from` tells where it would have been.
    """
    zone = diary.zone_named(body.zone, account.zone)
    start = wallclock.read(body.start, zone.key, "start")
    rules = [_before(rule.before, number) for number, rule in enumerate(body.rules)]
    span = quiet.read_span(body.quiet) if body.quiet else None
    if body.quiet and span is None:
        raise Refused("quiet", "bad_quiet")
    moment = wallclock.read(body.now, zone.key, "now") if body.now else None
    planned = plan(start, zone, rules, span, body.on_quiet or "later", moment)
    reminders: list[dict[str, Any]] = []
    for rule, reminder in zip(body.rules, planned, strict=True):
        shape = {
            "before": rule.before,
            "at": _wall(reminder.moment, zone),
            "at_utc": minutes(reminder.moment),
        }
        if reminder.moved_from is not None:
            shape["moved_from"] = _naive(reminder.moved_from)
        if reminder.skipped is not None:
            shape["skipped"] = reminder.skipped
        reminders.append(shape)
    return Answer(200, {"reminders": reminders})


@frame.blueprint.record
def allow_large_imports(state: BlueprintSetupState) -> None:
    """Tell the server that an import may be larger than what else is sent."""
    state.app.config.setdefault("BODY_LIMITS", {})["/api/v1/appointments/import"] = LARGEST_IMPORT


def _before(text: str, number: int) -> Before:
    try:
        return read_period(text)
    except BadPeriod:
        raise Refused(f"rules.{number}.before", "bad_period") from None


def _read_file(account: Account, query: ImportQuery, zone: ZoneInfo) -> tuple[Reading, str]:
    since, until = _bound(query.since, zone, "from"), _bound(query.until, zone, "to")
    data = request.get_data()
    if len(data) > LARGEST_IMPORT:
        raise Problem("too-large", FieldError("", "too_large", {"limit": f"{LARGEST_IMPORT:,}"}))
    told = request.mimetype
    looks_like_calendar = data.removeprefix(b"\xef\xbb\xbf").lstrip()[:15].upper() == b"BEGIN:VCALENDAR"
    if told not in CALENDAR + TABLES and not (looks_like_calendar or not told):
        raise Problem("media-type", FieldError("", "unknown_media"))
    try:
        if told in CALENDAR or looks_like_calendar:
            return ics.read(
                data, zone, now(), account.region, since, until, rule=numbering.of(account)
            ), "ics"
        return table.read(data, zone, account.region, since, until), "csv"
    except ics.NotACalendar:
        raise Refused("", "not_a_calendar") from None
    except table.NotATable as refused:
        raise Refused("", refused.code, limit=table.MOST_LINES) from None


def _bound(text: str | None, zone: ZoneInfo, field: str) -> datetime | None:
    """Read an end of a span: a day (its midnight) or a moment."""
    if not text:
        return None
    if len(text.strip()) == len("2026-03-30"):
        text = f"{text.strip()}T00:00"
    try:
        return wallclock.read(text, zone.key, field)
    except Refused as refused:
        if refused.code != "time_gap":
            raise
        return wallclock.existing(refused.params["time"], zone)


def _wall(moment: datetime, zone: ZoneInfo) -> str:
    return _naive(moment.astimezone(zone).replace(tzinfo=None))


def _naive(local: datetime) -> str:
    text = local.isoformat(timespec="seconds")
    return text.removesuffix(":00") if not local.second else text


def _found(one: Found) -> dict[str, Any]:
    return {
        "reference": one.reference,
        "start": _naive(one.local),
        "start_utc": minutes(one.start),
        "zone": one.zone.key,
        "number": None if one.number is None else msisdn.shown(one.number),
        "title": one.title,
        "cancelled": one.cancelled,
    }


def _mistake(mistake: Mistake, place: str) -> dict[str, Any]:
    return {place: mistake.place, "code": mistake.code, "message": worded(mistake.code, mistake.params)}


def _shapes(appointments: Any) -> list[dict[str, Any]]:
    reminders = diary.reminders_of(list(appointments))
    return [_shape(one, reminders[one.id]) for one in appointments]


def _shape(one: Appointment, reminders: list[Reminder]) -> dict[str, Any]:
    zone = ZoneInfo(one.zone)
    return {
        "reference": one.reference,
        "start": _wall(one.start, zone),
        "start_utc": minutes(one.start),
        "end": None if one.end is None else _wall(one.end, zone),
        "zone": one.zone,
        "number": msisdn.shown(one.number) if one.number else None,
        "title": one.title,
        "state": one.state,
        "fields": one.fields or {},
        "reminders": [_reminder(r) for r in reminders],
    }


def _reminder(reminder: Reminder) -> dict[str, Any]:
    shape = {"rule": reminder.rule, "at": minutes(reminder.at), "state": reminder.state}
    if reminder.message is not None:
        shape["message_id"] = reminder.message
    if reminder.reason:
        shape["reason"] = reminder.reason
    return shape
