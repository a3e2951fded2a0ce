"""How long a reminder becomes with what the coming appointments really bring: their names, titles and own fields."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from sms import checking, contacts
from sms.gsm import placeholders, segments
from sms.models import Account
from sms.modules.appointment import reminding, saying
from sms.modules.appointment.models import Appointment

_LINKS = ("kalenderlink", "calendar_link")
"""Filled with an address that is as long for everybody."""
_DATES = ("wochentag", "datum", "uhrzeit", "termin", "weekday", "date", "time", "appointment")


class Longest(NamedTuple):
    """The longest that a text becomes: with which values, its units and parts, the sign that forces Unicode or "", and whether it can be sent."""

    values: tuple[str, ...]
    units: int
    parts: int
    forced_by: str
    too_long: bool


def longest(account: Account, text: str, coming: Iterable[Appointment]) -> Longest | None:
    """Return the longest that a text becomes by SMS for one of these appointments; None where they put nothing into it."""
    wanted = [name for name in placeholders.names(text) if name.casefold() not in _LINKS]
    by_text = [one for one in coming if one.number and reminding.channel_of(one, "sms") == "sms"]
    if not wanted or not by_text:
        return None
    known = contacts.filling(account, {one.number for one in by_text})
    people = [(one, known.get(one.number) or {}) for one in by_text]
    whole = [person | saying.fields(account, one, person.get("name") or "") for one, person in people]
    measured = [found for values in whole if (found := _measured(account, text, wanted, values))]
    return max(measured, key=lambda one: (one.parts, one.units), default=None)


def _measured(account: Account, text: str, wanted: list[str], values: Mapping[str, Any]) -> Longest | None:
    shown = checking.preview(account, saying.addressed(text, values), fields=values)
    named = _named(wanted, values)
    if shown.missing or not named:
        return None
    counted = shown.segments
    too_long = segments.characters(shown.text) > segments.MAX_CHARACTERS
    return Longest(named, counted.units, counted.parts, "".join(counted.unicode_because[:1]), too_long)


def _named(wanted: list[str], values: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the values that make a text long, its date and hour only where there is nothing else."""
    held = {str(name).casefold(): str(value) for name, value in values.items() if value is not None}
    keys = [name.casefold() for name in wanted if held.get(name.casefold(), "").strip()]
    own = [key for key in keys if key not in _DATES]
    return tuple(dict.fromkeys(held[key] for key in own or keys))
