"""What people mean by their answers to surveys and reminders (CONTRACT.md, POST /understand).

Pure: no clock, no database, no network. The rule is that a wrong value is worse than asking again: an answer counts only where every
word of it is known and fits one reading.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from sms.understanding import appointment, choice, dates, number, optout, scale, times, yesno
from sms.understanding.answer import Understood, taken, unclear
from sms.understanding.tokens import LONGEST

KINDS = ("yesno", "choice", "multichoice", "scale", "number", "date", "time", "appointment", "optout")
__all__ = ["KINDS", "Understood", "understand"]

Bound = int | float | Decimal | None


def understand(
    kind: str,
    text: str,
    *,
    locale: str,
    options: Sequence[str] = (),
    min: Bound = None,
    max: Bound = None,
    unit: str = "",
    words: Mapping[str, Iterable[str]] | None = None,
    today: date | datetime | None = None,
    zone: str | None = None,
) -> Understood:
    """Return what an answer means; raises ValueError for a kind that is none of KINDS, for no text.

    `locale` is de or en: how figures and hours are written. `min` and `max` bound scale and number, and a number is
    wanted in `unit`. `words` are the code words of an appointment reminder by role. `today` is a day, or an aware
    moment that `zone` (IANA) makes a day.
    """
    if kind not in KINDS:
        raise ValueError(f"unknown kind {kind!r}")
    if kind == "optout":
        return taken(optout.wish(text), "word")
    if optout.is_stop(text):
        return Understood("opt_out", None, "opt_out")
    if len(text) > LONGEST:
        return unclear("too_long")
    if not text.strip():
        return unclear("empty")
    if kind == "yesno":
        return yesno.read(text)
    if kind == "choice":
        return choice.read_one(text, tuple(options))
    if kind == "multichoice":
        return choice.read_several(text, tuple(options))
    if kind == "scale":
        return scale.read(text, _bound(min), _bound(max))
    if kind == "number":
        return number.read(text, locale, _bound(min), _bound(max), unit)
    if kind == "date":
        return dates.read(text, _day(today, zone))
    if kind == "time":
        return times.read(text, locale)
    return appointment.read(text, words)


def _bound(value: Bound) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def _day(today: date | datetime | None, zone: str | None) -> date | None:
    if isinstance(today, datetime):
        return (today.astimezone(ZoneInfo(zone)) if zone else today).date()
    return today
