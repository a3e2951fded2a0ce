"""The import page: a calendar or a table is shown as it is understood, and then taken in, a stretch at a time."""

import time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from flask import current_app, flash, redirect, render_template, request, url_for
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import current_user

from sms.clock import now
from sms.modules.appointment import diary, ics, kept, numbering, table
from sms.modules.appointment.found import Found, Mistake, Reading, is_page, own_name
from sms.modules.appointment.views import blueprint
from sms.modules.appointment.views.api import LARGEST_IMPORT
from sms.modules.appointment.wording import N_
from sms.refusal import Refused
from sms.views import moments
from sms.wording import NUMBERS, sentence

SHOWN, SHOWN_MISTAKES = 20, 100
STRETCH_SECONDS = 2.0
"""So long one request takes appointments in; then the page shows how far it is and asks for the next stretch."""
OWN = "own"
MEANINGS = {
    "reference": N_("Reference"),
    "start": N_("Day and time"),
    "date": N_("Day"),
    "time": N_("Hour"),
    "number": N_("Phone number"),
    "title": N_("What for"),
    "end": N_("End time"),
    "minutes": N_("Minutes"),
    OWN: N_("A field for placeholders"),
}


@blueprint.record
def allow_large_files(state: BlueprintSetupState) -> None:
    """Tell the server that a file may be larger than what else a page sends."""
    state.app.config.setdefault("BODY_LIMITS", {})["/appointments/import"] = LARGEST_IMPORT


@blueprint.url_value_preprocessor
def allow_large_form(endpoint: str | None, values: dict[str, Any] | None) -> None:
    """Let Flask read such a file, before the gate looks at the form for the first time."""
    if endpoint == "appointment.take_file":
        request.max_content_length = request.max_form_memory_size = LARGEST_IMPORT


@blueprint.get("/import")
def choose_file() -> ResponseReturnValue:
    """Where a file is chosen or a text is put in."""
    return render_template("appointment/import.html", error="", text="")


@blueprint.post("/import")
def take_file() -> ResponseReturnValue:
    """Keep a file and show how it is understood."""
    sent, text = request.files.get("file"), request.form.get("text", "")
    data = sent.read() if sent else b""
    data = data or text.encode()
    try:
        if not data.strip():
            raise Refused("file", "empty_file")
        _check(data)
    except Refused as no:
        error = sentence(no.code, **no.params)
        return render_template("appointment/import.html", error=error, text=text), 422
    token = kept.keep(_folder(), current_user.account_id, data)
    return redirect(url_for("appointment.show_file", token=token), 303)


def _folder() -> Path:
    return Path(current_app.extensions["faden"].data) / "imports"


def _is_calendar(data: bytes) -> bool:
    return data.removeprefix(b"\xef\xbb\xbf").lstrip()[:15].upper() == b"BEGIN:VCALENDAR"


def _check(data: bytes) -> None:
    """Refuse what can never be taken in; a column that is only named otherwise can be chosen on the next page."""
    if is_page(data):
        raise Refused("file", "file_is_page")
    try:
        _read(data, {})
    except Refused as no:
        if no.code != "no_start_column":
            raise


def _read(data: bytes, columns: dict[str, str]) -> tuple[Reading, str]:
    account = current_user.account
    zone = ZoneInfo(account.zone)
    try:
        if _is_calendar(data):
            return ics.read(data, zone, now(), account.region, now(), rule=numbering.of(account)), "ics"
        return table.read(data, zone, account.region, columns=columns), "csv"
    except ics.NotACalendar:
        raise Refused("file", "not_a_calendar") from None
    except table.NotATable as refused:
        raise Refused("file", refused.code, limit=table.MOST_LINES) from None


def _columns(data: bytes) -> tuple[list[str], dict[str, str]]:
    """Return a table's headings, and what the page says each means where it says anything."""
    if _is_calendar(data):
        return [], {}
    headings = table.heading_of(data)
    chosen: dict[str, str] = {}
    for n, name in enumerate(headings):
        meaning = request.values.get(f"column_{n}", "")
        if meaning in MEANINGS:
            chosen[name] = name if meaning == OWN else meaning
    return headings, chosen


@blueprint.get("/import/<token>")
def show_file(token: str) -> ResponseReturnValue:
    """What would be taken in, and what is wrong, line by line; nothing is stored."""
    data = kept.kept(_folder(), current_user.account_id, token)
    headings, chosen = _columns(data)
    try:
        reading, _kind = _read(data, chosen)
        error = ""
    except Refused as no:
        reading, error = Reading([], []), sentence(no.code, **no.params)
    meanings = [m if m in MEANINGS else OWN for m in table.meanings_of(headings, chosen)]
    events = (
        {}
        if headings
        else {one.reference: f"{one.local:%d.%m.%Y %H:%M} {one.title}" for one in reading.appointments}
    )
    mistakes = [
        (events.get(str(m.place), m.place), sentence(m.code, **m.params), _is_mild(m, bool(headings)))
        for m in reading.mistakes[:SHOWN_MISTAKES]
    ]
    return render_template(
        "appointment/dry_run.html",
        token=token,
        error=error,
        is_table=bool(headings),
        columns=list(zip(headings, meanings, strict=True)),
        meaning_words=MEANINGS,
        all=len(reading.appointments),
        shown=[_words(one) for one in reading.appointments[:SHOWN]],
        mistakes=mistakes,
        more=max(0, len(reading.mistakes) - SHOWN_MISTAKES),
        notes=_notes(reading),
    )


def _is_mild(mistake: Mistake, is_table: bool) -> bool:
    """Tell whether an appointment is taken in all the same; a line of a table with a wrong number is not."""
    return mistake.code == "without_number" or (not is_table and mistake.code in NUMBERS)


def _notes(reading: Reading) -> list[str]:
    """Say how many appointments are over, of which nobody is reminded, and how many of a calendar are left out."""
    over, moment = reading.over, now()
    past = sum(one.start <= moment for one in reading.appointments)
    notes = [ngettext(
        "%(num)d appointment is in the past: nobody is reminded of it.",
        "%(num)d appointments are in the past: nobody is reminded of them.", past,
    )] if past else []  # fmt: skip
    notes += [ngettext(
        "%(num)d event is in the past and is left out.", "%(num)d events are in the past and are left out.", over
    )] if over else []  # fmt: skip
    return notes


def _words(one: Found) -> dict[str, Any]:
    return {
        "when": f"{one.local:%d.%m.%Y %H:%M}", "number": one.number, "cancelled": one.cancelled, "past": one.start <= now(),
        "title": ", ".join(filter(None, [own_name(one.fields), one.title])),
    }  # fmt: skip


@blueprint.post("/import/<token>")
def take_in(token: str) -> ResponseReturnValue:
    """Take in a stretch of the file and show how far it is; at the end the agenda of its first day."""
    data = kept.kept(_folder(), current_user.account_id, token)
    _headings, chosen = _columns(data)
    began = time.monotonic()
    reading, kind = _read(data, chosen)
    done = _whole(request.form.get("done", ""))
    all_of_them, read = reading.appointments, time.monotonic()
    until = read + _stretch(read - began)
    start = done
    for count in diary.put_many(current_user.account, all_of_them[start:], kind):
        done = start + count
        if time.monotonic() > until:
            break
    if done < len(all_of_them):
        template = "_taking_in" if request.headers.get("HX-Request") else "taking_in"
        facts = {"token": token, "done": done, "all": len(all_of_them), "columns": _hidden()}
        return render_template(f"appointment/{template}.html", **facts)
    flash(
        ngettext("%(num)d appointment is taken in.", "%(num)d appointments are taken in.", len(all_of_them))
        if all_of_them
        else _("There was nothing to take in.")
    )
    address = _first_day(all_of_them)
    return (
        ("", 204, {"HX-Redirect": address}) if request.headers.get("HX-Request") else redirect(address, 303)
    )


def _stretch(reading: float) -> float:
    """Return the seconds of a stretch: each reads the file anew, so none is shorter than that took."""
    return max(STRETCH_SECONDS, reading)


def _hidden() -> list[tuple[str, str]]:
    return [(name, value) for name, value in request.form.items() if name.startswith("column_")]


def _first_day(found: list[Found]) -> str:
    """Return the address of the first day on which something of a file is to come."""
    coming = sorted(one.start for one in found if one.start > now())
    if not coming:
        return url_for("appointment.show")
    day = moments.local(coming[0], current_user.account.zone)
    return url_for("appointment.show", day=f"{day:%Y-%m-%d}")


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0
