"""Appointments out of a table: CSV as Excel writes it in Germany and elsewhere. Pure."""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from zoneinfo import ZoneInfo

from sms import wallclock
from sms.gsm import msisdn
from sms.gsm.fold import fold
from sms.modules.appointment.found import (
    LONGEST_REFERENCE,
    Found,
    Mistake,
    Reading,
    one_line,
)
from sms.refusal import Refused

MOST_LINES = 20_000
LONGEST_FIELD = 1_500

HEADINGS: dict[str, tuple[str, ...]] = {
    "reference": ("reference", "referenz", "id", "nr", "terminnummer", "terminnr", "terminid", "uid", "schluessel", "key"),
    "start": ("start", "beginn", "termin", "datumuhrzeit", "zeitpunkt", "startzeit", "von", "begin", "appointment", "datetime"),
    "date": ("datum", "date", "tag", "startdatum", "termindatum"),
    "time": ("uhrzeit", "zeit", "time", "terminzeit", "starttime"),
    "number": (
        "number", "nummer", "telefon", "telefonnummer", "handy", "handynummer", "mobil", "mobilnummer", "mobiltelefon",
        "rufnummer", "tel", "phone", "mobile", "cell", "sms",
    ),
    "title": ("title", "titel", "betreff", "leistung", "behandlung", "bezeichnung", "subject", "terminart", "anlass"),
    "end": ("end", "ende", "bis", "endzeit"),
    "minutes": ("dauer", "minuten", "duration", "minutes", "dauermin"),
}  # fmt: skip
"""What a column may be called, folded: German and English; every other column is an own field of the appointment."""

MONTHS = ("jan", "feb", "mar mae", "apr", "mai may", "jun", "jul", "aug", "sep", "okt oct", "nov", "dez dec")
"""How a month's name begins, folded: German and English."""

_day = re.compile(r"(?:\w{2,10}\.?,?\s+)?(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4}|\d{2})")
_day_by_name = re.compile(r"(?:\w{2,10}\.?,?\s+)?(\d{1,2})\.?\s+([^\W\d_]{3,9})\.?\s+(\d{4}|\d{2})")
_iso_day = re.compile(r"(\d{4})-(\d\d)-(\d\d)")
_hour = re.compile(r"(\d{1,2})(?:[:.](\d\d))?(?:[:.](\d\d))?(?:\s*Uhr|\s*([ap])\.?m\.?)?", re.IGNORECASE)


class NotATable(ValueError):
    """The bytes are no table with a heading that names at least a start and a number; `code` tells why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def read(
    data: bytes,
    zone: ZoneInfo,
    region: str = "DE",
    since: datetime | None = None,
    until: datetime | None = None,
    columns: Mapping[str, str] | None = None,
) -> Reading:
    """Return the appointments of a table, each line by itself; what is wrong with a line names it, from 1.

    `columns` maps headings to what they mean where the names do not say it; `since` and `until` (aware) leave out
    what starts before or at and after them. Raises NotATable.
    """
    rows = _rows(data)
    heading = next(rows, None)
    if heading is None:
        raise NotATable("empty_file")
    meanings = meanings_of(heading[1], columns or {})
    if not {"start", "date"} & set(meanings):
        raise NotATable("no_start_column")
    found: dict[str, Found] = {}
    mistakes: list[Mistake] = []
    for line, cells in rows:
        try:
            one = _appointment(dict(zip(meanings, cells, strict=False)), zone, region)
        except Refused as refused:
            mistakes.append(Mistake(line, refused.code, dict(refused.params), refused.field))
            continue
        if one.reference in found:
            mistakes.append(Mistake(line, "twice", {"reference": one.reference}))
        elif (since is None or one.start >= since) and (until is None or one.start < until):
            found[one.reference] = one
            if one.number is None:
                mistakes.append(Mistake(line, "without_number"))
    return Reading(list(found.values()), mistakes)


def heading_of(data: bytes) -> list[str]:
    """Return the names of a table's columns as they stand in its first line; raises NotATable."""
    first = next(_rows(data), None)
    if first is None:
        raise NotATable("empty_file")
    return first[1]


def meanings_of(heading: list[str], columns: Mapping[str, str]) -> list[str]:
    """Return what each column means: a key of HEADINGS, or its own heading where it is an own field."""
    meanings: list[str] = []
    for name in heading:
        meaning = columns.get(name) or _meaning(name)
        meanings.append(name.strip() if meaning is None or meaning in meanings else meaning)
    return meanings


def _meaning(name: str) -> str | None:
    plain = re.sub(r"[^a-z0-9]", "", fold(name))
    return next((meaning for meaning, names in HEADINGS.items() if plain in names), None)


def _rows(data: bytes) -> Iterator[tuple[int, list[str]]]:
    """Yield (line, cells) of every line that says something; a line break within quotes belongs to its cell."""
    text = _decoded(data)
    if "\0" in text:
        raise NotATable("not_a_table")
    # Excel's own first line, by which it tells itself the delimiter.
    told = re.match(r"sep=(.)\r?\n", text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=told[1] if told else _delimiter(text))
    try:
        for number, cells in enumerate(reader, 1):
            if number > MOST_LINES:
                raise NotATable("too_many_lines")
            if any(cell.strip() for cell in cells) and not (told and number == 1):
                yield number, [cell.strip() for cell in cells]
    except csv.Error:
        raise NotATable("not_a_table") from None


def _decoded(data: bytes) -> str:
    """Decode by the byte order mark, else as UTF-16 or UTF-8, else as Excel in Germany saves it (Windows-1252)."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    if (
        data[1:2] == b"\0" and data[:1].isascii()
    ):  # UTF-16 without its mark: every other byte of a heading is nothing
        return data.decode("utf-16-le", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _delimiter(text: str) -> str:
    """Return what parts the first line into the most columns; a semicolon where nothing does."""
    first = text.lstrip().partition("\n")[0]
    return max(";,\t|", key=first.count)


def _appointment(cells: dict[str, str], zone: ZoneInfo, region: str) -> Found:
    start = _moment(_start(cells), zone)
    number = _number(cells.get("number", ""), region)
    own = {name: value[:LONGEST_FIELD] for name, value in cells.items() if name not in HEADINGS and name}
    reference = cells.get("reference", "")
    if len(reference) > LONGEST_REFERENCE:
        raise Refused("reference", "too_long", limit=LONGEST_REFERENCE)
    title = one_line(cells.get("title", ""))
    return Found(
        reference=reference or _made_up(start, number, title, own),
        start=start,
        zone=zone,
        number=number,
        title=title,
        end=_end(cells, start, zone),
        fields=own,
    )


def _made_up(start: datetime, number: str | None, title: str, own: Mapping[str, str]) -> str:
    """Name a line that has no reference by what it says, so that the same file twice is the same appointments."""
    who = number or "|".join([title, *own.values()])
    return "t-" + sha256(f"{start.isoformat()}|{who}".encode()).hexdigest()[:24]


def _number(raw: str, region: str) -> str | None:
    if not raw:
        return None
    number = msisdn.parse(raw, region)
    if number.e164 is None or number.channel is None:
        raise Refused("number", number.error or "invalid")
    return number.e164


def _start(cells: Mapping[str, str]) -> str:
    """Return when a line begins, as it is written: one column with both, or a day and an hour."""
    whole = cells.get("start") or f"{cells.get('date', '')} {cells.get('time', '')}".strip()
    if cells.get("start") and (cells.get("date") or "") and _hour.fullmatch(cells["start"]):
        whole = f"{cells['date']} {cells['start']}"
    elif cells.get("start") and cells.get("time") and _only_day(cells["start"]):
        whole = f"{cells['start']} {cells['time']}"
    if not whole:
        raise Refused("start", "empty")
    return whole


def _moment(text: str, zone: ZoneInfo) -> datetime:
    """Return a written moment as UTC; one that names its offset means that, any other the wall clock of the zone."""
    if re.search(r"[Tt ]\d\d:\d\d.*([Zz]|[+-]\d\d:\d\d)$", text):
        return wallclock.read(text, zone.key, "start")
    return wallclock.from_local(_read_local(text), zone.key, "start")


def _only_day(text: str) -> bool:
    return any(one.fullmatch(text) for one in (_day, _iso_day, _day_by_name))


def _read_local(text: str) -> datetime:
    match = _day.match(text) or _iso_day.match(text) or _day_by_name.match(text)
    if match is None:
        raise Refused("start", "bad_time")
    hour = _hour.fullmatch(re.sub(r"^[\s,T]*(?:(?:um|at)\s+)?", "", text[match.end() :]))
    if hour is None:
        raise Refused("start", "no_hour" if not text[match.end() :].strip() else "bad_time")
    day, month, year = match.groups()[::-1] if match.re is _iso_day else match.groups()
    try:
        return datetime(
            int(year) + (2000 if len(year) == 2 else 0), _month(month), int(day),
            _of_24(int(hour[1]), hour[4]), int(hour[2] or 0), int(hour[3] or 0),
        )  # fmt: skip
    except ValueError:
        raise Refused("start", "bad_time") from None


def _month(written: str) -> int:
    """Return a month by its number or by its name; raises ValueError."""
    if written.isdigit():
        return int(written)
    begins = fold(written)[:3]
    return 1 + next((n for n, names in enumerate(MONTHS) if begins in names.split()), 12)


def _of_24(hour: int, half: str | None) -> int:
    """Return an hour of the day of 24 hours; raises ValueError for an hour that no half of the day has."""
    if half is None:
        return hour
    if not 1 <= hour <= 12:
        raise ValueError(hour)
    return hour % 12 + (12 if half in "pP" else 0)


def _end(cells: Mapping[str, str], start: datetime, zone: ZoneInfo) -> datetime | None:
    """Return the end where the line tells one that makes sense; it is only for show, so a bad one is left out."""
    duration, text = cells.get("minutes", ""), cells.get("end", "")
    if match := re.match(r"\d{1,4}", duration):
        return start + timedelta(minutes=int(match[0]))
    if not text:
        return None
    local = start.astimezone(zone).replace(tzinfo=None)
    try:
        end = wallclock.existing(
            _read_local(f"{local:%Y-%m-%d} {text}" if _hour.fullmatch(text) else text), zone
        )
    except Refused:
        return None
    return end if end > start else None
