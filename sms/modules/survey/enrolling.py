"""Who takes part: pasted numbers, chosen contacts, a keyword, an event; everybody once a start, whatever was pasted."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sms import queue, statements, suppression
from sms.clock import now
from sms.db import database, to_ms
from sms.gsm import msisdn
from sms.models import Account, Contact, ContactNumber, Suppression, User
from sms.modules import occasions
from sms.modules.survey import checking, flow, running, surveys
from sms.modules.survey.flow import Flow
from sms.modules.survey.models import OPEN, LeftOut, Run, Start, Survey, Version
from sms.refusal import Conflict, Refused

MOST_LINES = 100_000
LONGEST_LINE = 300
FURTHEST = timedelta(days=366)
MOST_LOOKED_AT = 1000
"""Contacts, newest first, in which own fields are looked for that a placeholder may name."""
OF_ACCOUNT = ("account", "praxis")
"""Placeholders that have a value for everybody."""

_separator = re.compile(r"[;\t]|,(?=\s*\D)")


@dataclass(frozen=True)
class Person:
    """Somebody to be asked: number (E.164), the line it stood on (from 1), a name where one was given."""

    number: str
    line: int = 0
    name: str = ""


@dataclass(frozen=True)
class Wrong:
    """A line that cannot be used: what stood there, why, what fills the sentence, and the number (E.164) if it is one."""

    line: int
    text: str
    code: str
    params: Mapping[str, Any]
    number: str = ""


@dataclass(frozen=True)
class Reading:
    """A paste as understood: who can be asked, which lines are wrong, and which name somebody a second time."""

    people: tuple[Person, ...]
    wrong: tuple[Wrong, ...]
    twice: tuple[Wrong, ...]


@dataclass(frozen=True)
class Started:
    """A start with those of its lines that were left out."""

    start: Start
    reading: Reading


def read_lines(survey: Survey, text: str | Sequence[str], flow_: Flow | None = None) -> Reading:
    """Read one number a line, with a name behind a semicolon, tab or comma where there is one; empty lines do not count.

    A line is wrong where its number takes no texts or has opted out, where the person is being asked already, or
    where a placeholder of the survey has no value for them.
    """
    lines = text.splitlines() if isinstance(text, str) else list(text)
    if len(lines) > MOST_LINES:
        raise Refused("numbers", "too_many", limit=MOST_LINES)
    account = survey.account
    people: dict[str, Person] = {}
    wrong: list[Wrong] = []
    twice: list[Wrong] = []
    for line, raw in enumerate(lines, 1):
        if not raw.strip():
            continue
        shown = raw.strip()[:LONGEST_LINE]
        piece, name = _split(shown)
        number = msisdn.parse(piece, account.region)
        if number.e164 is None or number.channel != "sms":
            wrong.append(Wrong(line, shown, _trouble(number), {}, number.e164 or ""))
        elif number.e164 in people:
            twice.append(Wrong(line, shown, "number_twice", {"line": people[number.e164].line}))
        else:
            people[number.e164] = Person(number.e164, line, name)
    shown_at = {p.line: lines[p.line - 1].strip()[:LONGEST_LINE] for p in people.values()}
    for person, code, params in _unusable(survey, people, flow_ or flow.read(survey.draft)):
        del people[person.number]
        wrong.append(Wrong(person.line, shown_at[person.line], code, params, person.number))
    wrong.sort(key=lambda w: w.line)
    return Reading(tuple(people.values()), tuple(wrong), tuple(twice))


def _trouble(number: msisdn.Number) -> str:
    return "landline_not_asked" if number.channel == "voice" else number.error or "not_a_number"


def _split(line: str) -> tuple[str, str]:
    number, *rest = _separator.split(line, maxsplit=1)
    name = " ".join("".join(c for c in "".join(rest) if c.isprintable()).strip(' "').split())
    return number.strip(' "'), name[:100]


def _unusable(
    survey: Survey, people: Mapping[str, Person], flow_: Flow
) -> list[tuple[Person, str, dict[str, Any]]]:
    """Return who cannot be asked, with code and facts, in a handful of queries for any number of people."""
    found: dict[str, tuple[Person, str, dict[str, Any]]] = {}
    numbers = list(people)
    for few in _chunks(numbers):
        blocked = Suppression.select(Suppression.number).where(
            Suppression.account == survey.account, Suppression.number.in_(few)
        )
        stopped = [row[0] for row in blocked.tuples()]
        for code, numbers_found in (("already_asked", _running(survey, few)), ("opted_out", stopped)):
            found |= {number: (people[number], code, {}) for number in numbers_found}
    for number, missing in _without_values(survey.account, people, flow_):
        found.setdefault(number, (people[number], "no_value_for", {"names": ", ".join(missing)}))
    return list(found.values())


def _without_values(
    account: Account, people: Mapping[str, Person], flow_: Flow
) -> Iterable[tuple[str, list[str]]]:
    wanted = [n for n in checking.placeholder_names(flow_) if n.casefold() not in OF_ACCOUNT]
    if not wanted:
        return
    known: dict[str, set[str]] = {}
    for few in _chunks(list(people)):
        rows = (
            ContactNumber.select(ContactNumber.number, Contact.name, Contact.fields)
            .join(Contact)
            .where(ContactNumber.account == account, ContactNumber.number.in_(few))
        )
        for row in rows:
            fields = {str(k).casefold() for k, v in (row.contact.fields or {}).items() if v is not None}
            known[row.number] = fields | ({"name"} if row.contact.name else set())
    for number, person in people.items():
        theirs = known.get(number, {"name"} if person.name else set())
        if missing := [name for name in wanted if name.casefold() not in theirs]:
            yield number, missing


def _chunks(values: Sequence[str], size: int = 500) -> Iterable[Sequence[str]]:
    return (values[at : at + size] for at in range(0, len(values), size))


def start(
    survey: Survey,
    numbers: str | Sequence[str],
    *,
    kind: str = "numbers",
    by: User | None = None,
    at: datetime | None = None,
) -> Started:
    """Freeze the survey and have everybody asked in the background, now or at a moment; the good lines are kept.

    Raises Unfinished or Refused where it cannot start, Refused at `numbers` where not one line can be used, and
    Conflict where it is paused. People who are being asked by it already are left out.
    """
    draft = surveys.demand_startable(survey)
    _demand_time(survey, at)
    if survey.state == "paused":
        raise Conflict("survey_paused")
    reading = read_lines(survey, numbers, draft)
    if not reading.people:
        raise Refused("numbers", "nobody_to_ask", **_first(reading))
    with database.atomic():
        made = _open(survey, kind, by, at)
        # From here on this survey is ours: whom another start has taken meanwhile is not asked a second time.
        reading = _still_free(survey, reading)
        _enrol(made, reading.people, at or now())
        _note_left_out(made, reading.wrong)
        surveys.changed(survey)
    queue.later("ask_surveys", priority=queue.LOW)
    return Started(made, reading)


def _note_left_out(start: Start, wrong: Sequence[Wrong]) -> None:
    """Keep with which lines nobody could be asked, inside the caller's transaction."""
    rows = [
        {"start_id": start.id, "line": w.line, "text": w.text, "number": w.number, "code": w.code, "params": as_json(w.params)}
        for w in wrong
    ]  # fmt: skip
    statements.insert(LeftOut, rows)


def _still_free(survey: Survey, reading: Reading) -> Reading:
    busy = {number for few in _chunks([p.number for p in reading.people]) for number in _running(survey, few)}
    if not busy:
        return reading
    wrong = [
        Wrong(p.line, p.number, "already_asked", {}, p.number) for p in reading.people if p.number in busy
    ]
    people = tuple(p for p in reading.people if p.number not in busy)
    if not people:
        raise Refused("numbers", "nobody_to_ask", count=len(reading.wrong) + len(wrong))
    return Reading(people, tuple(sorted([*reading.wrong, *wrong], key=lambda w: w.line)), reading.twice)


def _running(survey: Survey, numbers: Sequence[str]) -> list[str]:
    """Return which of some numbers are being asked by this survey."""
    where = (Run.account == survey.account_id) & Run.number.in_(numbers) & (Run.survey == survey)
    return [row[0] for row in Run.select(Run.number).where(where, Run.state.in_(OPEN)).tuples()]


def start_contacts(
    survey: Survey, contact_ids: Sequence[int], *, by: User | None = None, at: datetime | None = None
) -> Started:
    """Start with chosen contacts of the account, each by the number its thread was opened with; foreign ids are left out."""
    rows = [
        row
        for few in _chunks([str(i) for i in contact_ids])
        for row in Contact.select(Contact.number)
        .where(Contact.account == survey.account, Contact.id.in_([int(i) for i in few]))
        .order_by(Contact.id)
    ]
    return start(survey, [row.number for row in rows], kind="contacts", by=by, at=at)


def open_door(survey: Survey, by: User | None = None) -> None:
    """Start without asking anybody: from now on people take part by its keyword or its event."""
    surveys.demand_startable(survey)
    if not survey.keyword and not survey.trigger:
        raise Refused("keyword", "no_way_in")
    if survey.state == "paused":
        raise Conflict("survey_paused")
    with database.atomic():
        _open(survey, "keyword", by, None)
        surveys.changed(survey)


def try_out(survey: Survey, raw: str, by: User | None = None) -> Run:
    """Play the draft with one's own phone; it counts nowhere. A test that still runs with this number is ended.

    Raises what `start` raises, except that any state of the survey will do.
    """
    surveys.demand_startable(survey)
    number = msisdn.parse(raw, survey.account.region)
    if number.e164 is None or number.channel != "sms":
        raise Refused("number", _trouble(number))
    if suppression.is_suppressed(survey.account, number.e164):
        raise Refused("number", "opted_out")
    with database.atomic():
        for run in running.open_runs(survey, number.e164):
            if not run.test:
                raise Refused("number", "already_asked")
            running.finish(run, "ended", "test_again")
        version = surveys.freeze(survey)
        fields = _test_fields(survey, number.e164, by.name if by else "", flow.read(version.flow))
        made = _new_start(survey, version, "test", by, None)
        (run_id,) = _enrol(made, [Person(number.e164)], now(), test=True, fields=as_json(fields))
    queue.later("ask_surveys")
    return Run.get_by_id(run_id)  # type: ignore[no-any-return]


def _test_fields(survey: Survey, number: str, name: str, flow_: Flow) -> dict[str, str]:
    """Return what a test has to bring: the name of who tries, and for what an event will bring its own word."""
    lacking = [
        n for _, names in _without_values(survey.account, {number: Person(number)}, flow_) for n in names
    ]
    given = {n: name for n in lacking if n.casefold() == "name" and name}
    if survey.trigger:
        given |= {n: n for n in lacking if n not in given}
    if missing := [n for n in lacking if n not in given]:
        raise Refused("number", "no_value_for", names=", ".join(missing))
    return given


def join(
    survey: Survey, kind: str, number: str, at: datetime, occasion: str = "", **values: Any
) -> Run | None:
    """Let one person take part by keyword or event, inside the caller's transaction; None where they have already."""
    version = Version.get_by_id(survey.version)
    started = Start.get_or_none(Start.survey == survey, Start.version == version, Start.kind == kind)
    started = started or _new_start(survey, version, kind, None, None)
    own = ContactNumber.select(ContactNumber.contact).where(
        ContactNumber.account == survey.account_id, ContactNumber.number == number
    )
    busy = (Run.survey == survey) & Run.state.in_(OPEN) & ((Run.number == number) | Run.contact.in_(own))
    before = (Run.start == started) & (Run.number == number) & (Run.occasion == occasion)
    if Run.select().where(busy | before).exists():
        return None
    (run_id,) = _enrol(started, [Person(number)], at, occasion=occasion, **values)
    return Run.get_by_id(run_id)  # type: ignore[no-any-return]


def left_open(survey: Survey, number: str) -> dict[str, str]:
    """Return the placeholders for which who comes by keyword has no value, empty: whoever writes to us gets an answer."""
    frozen = flow.read(Version.get_by_id(survey.version).flow)
    lacking = _without_values(survey.account, {number: Person(number)}, frozen)
    return {name: "" for _, names in lacking for name in names}


def doubts(survey: Survey) -> list[checking.Problem]:
    """Return what hinders no start but may be a slip; a placeholder is known that anybody in the account can fill."""
    draft = flow.read(survey.draft)
    known = {"name", *OF_ACCOUNT, *map(str.casefold, _brought(survey))}
    if not known.issuperset(name.casefold() for name in checking.placeholder_names(draft)):
        known |= _fields_of_contacts(survey.account)
    return checking.doubts(
        draft, known, "left_out_without_value" if survey.keyword else "not_asked_without_value"
    )


def _brought(survey: Survey) -> tuple[str, ...]:
    kind = occasions().get((survey.trigger or {}).get("event", ""))
    return kind.fields if kind else ()


def _fields_of_contacts(account: Account) -> set[str]:
    newest = Contact.select(Contact.fields).where(Contact.account == account).order_by(Contact.id.desc())
    return {str(name).casefold() for row in newest.limit(MOST_LOOKED_AT) for name in row.fields or {}}


def as_json(fields: Mapping[str, Any]) -> str | None:
    """Return values for placeholders as they are stored; None where there are none."""
    return json.dumps(dict(fields)) if fields else None


def _demand_time(survey: Survey, at: datetime | None) -> None:
    moment = now()
    if at is not None and at <= moment:
        raise Refused("at", "in_the_past")
    if at is not None and at > moment + FURTHEST:
        raise Refused("at", "too_far")
    if survey.ends_at is not None and survey.ends_at <= (at or moment):
        raise Refused("ends_at", "ends_before_start")


def _first(reading: Reading) -> dict[str, Any]:
    """Return what is wrong with the first line, for the sentence that nobody is left."""
    return {"count": len(reading.wrong)}


def _open(survey: Survey, kind: str, by: User | None, at: datetime | None) -> Start:
    version = surveys.freeze(survey)
    surveys.set_state(
        survey,
        "running",
        ("draft", "running", "ended"),
        version=version.id,
        started_at=survey.started_at or now(),
    )
    return _new_start(survey, version, kind, by, at)


def _new_start(survey: Survey, version: Version, kind: str, by: User | None, at: datetime | None) -> Start:
    return Start.create(  # type: ignore[no-any-return]
        survey=survey, version=version, kind=kind, by=by, at=at, created_at=now()
    )


def _enrol(start: Start, people: Sequence[Person], due: datetime, **values: Any) -> Sequence[int]:
    """Write a planned run for everybody, inside the caller's transaction; returns their ids."""
    ids = statements.reserve_ids(Run, len(people))
    first = flow.read(start.version.flow).questions[0].key
    same = {
        "survey_id": start.survey_id, "version_id": start.version_id, "start_id": start.id,
        "account_id": start.survey.account_id, "question": first, "due_at": to_ms(due), "created_at": to_ms(now()),
        **values,
    }  # fmt: skip
    rows = [
        {
            **same,
            "id": id,
            "number": person.number,
            **({"fields": as_json({"name": person.name})} if person.name else {}),
        }
        for id, person in zip(ids, people, strict=True)
    ]
    statements.insert(Run, rows)
    Start.update(total=Start.total + len(rows)).where(Start.id == start.id).execute()
    start.total += len(rows)
    return ids
