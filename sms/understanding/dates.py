"""A day: "morgen", "24.12.", "nächsten Dienstag", "in zwei Wochen". Day before month; in doubt the future.

Each piece of the answer becomes one character, and what people write for a day is a few patterns over these characters.
An answer counts where the patterns and harmless words cover all of it and name one day.
"""

import calendar
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sms.understanding.answer import Understood, taken, unclear
from sms.understanding.lexicon import Atom, Lexicon
from sms.understanding.words import DOUBT, NEGATION, POLITE, YES_NO
from sms.understanding.yesno import HARMLESS, doubt_of

_WEEKDAYS = (
    "montag, mo, monday, mon", "dienstag, di, die, tuesday, tue, tues", "mittwoch, mi, wednesday, wed", "donnerstag, do, thursday, thu, thur, thurs",
    "freitag, fr, friday, fri", "samstag, sonnabend, sa, saturday, sat", "sonntag, sunday, sun",
)  # fmt: skip
_ONLY_BESIDE_A_DATE = (
    "montags",
    "dienstags",
    "mittwochs",
    "donnerstags",
    "freitags",
    "samstags",
    "sonntags, so",
)
_MONTHS = (
    "januar, jan, jänner, january", "februar, feb, feber, february", "märz, mrz, mär, march, mar", "april, apr", "mai, may", "juni, jun, june, juno",
    "juli, jul, july, julei", "august, aug", "september, sep, sept", "oktober, okt, october, oct", "november, nov", "dezember, dez, december, dec",
)  # fmt: skip


def _numbered(groups: Sequence[str], first: int) -> list[tuple[str, int]]:
    return [(word.strip(), at) for at, group in enumerate(groups, first) for word in group.split(",")]


DAY_WORDS: dict[str, list[tuple[str, Any]]] = {
    "day": [
        *((word, 0) for word in ("heute", "heut", "today", "heute morgen", "heute früh", "tonight")),
        *((word, 1) for word in ("morgen", "tomorrow", "morgen früh", "morgen in der früh")),
        *((word, 2) for word in ("übermorgen", "the day after tomorrow", "day after tomorrow")),
        ("gestern", -1), ("yesterday", -1), ("vorgestern", -2),
    ],
    "weekday": [pair for pair in _numbered(_WEEKDAYS, 0) if pair[0] != "die"],
    "beside": _numbered(_ONLY_BESIDE_A_DATE, 0),
    "month": _numbered(_MONTHS, 1),
    "feast": [
        ("heiligabend", (12, 24)), ("heilig abend", (12, 24)), ("heiligen abend", (12, 24)), ("silvester", (12, 31)), ("sylvester", (12, 31)),
        ("neujahr", (1, 1)), ("nikolaus", (12, 6)), ("christmas eve", (12, 24)), ("new year's eve", (12, 31)), ("new year's day", (1, 1)),
    ],
    "unit": [
        *((word, "day") for word in ("tag", "tage", "tagen", "day", "days")),
        *((word, "week") for word in ("woche", "wochen", "week", "weeks")),
        *((word, "month") for word in ("monat", "monate", "monaten", "month", "months")),
    ],
    "week": [
        *((word, 1) for word in ("nächste woche", "kommende woche", "next week", "der nächsten woche", "in der nächsten woche", "kommender woche", "nächster woche", "der kommenden woche")),
        *((word, 0) for word in ("diese woche", "dieser woche", "in dieser woche", "this week")),
        *((word, 2) for word in ("übernächste woche", "übernächster woche", "in der übernächsten woche")),
        *((word, -1) for word in ("letzte woche", "letzter woche", "vorige woche", "last week")),
    ],
}  # fmt: skip
_DATE = {
    "next": "nächsten, nächster, nächste, nächstes, next",
    "coming": "kommenden, kommender, kommende, coming, this coming",
    "this": "diesen, dieser, this",
    "afternext": "übernächsten, übernächster",
    "last": "letzten, letzter, last",
    "past": "vergangenen, vorigen",
    "in": "in",
    "article": "ein, eine, einem, einer, einen, a, one",
    "on": "am, den, der, dem, zum, the, on the, am tag",
    "of": "of",
    "th": "st, nd, rd, th",
    "daypart": (
        "früh, morgens, vormittag, vormittags, am vormittag, nachmittag, nachmittags, am nachmittag, mittag, mittags, am mittag, abend, abends, am abend, nacht, nachts, in der früh, "
        "am morgen, morning, in the morning, afternoon, in the afternoon, evening, in the evening, at noon, vormittgas"
    ),
    "at": "um, at",
    "clock": "uhr, h, pm, o'clock",
    "fill": (
        "ich, wir, es, kann, könnte, könnten, können, würde, würd, ginge, geht, gehen, geht es, ginge es, passt, passt mir, passt mir gut, passt gut, passt uns, wäre, wäre gut, wäre super, wär, mir, uns, gut, super, "
        "perfekt, ist, war, also, dann, noch, an, on, ja, gerne, gern, ok, okay, ja gerne, klar, am besten, bei mir, für mich, wäre mir recht, recht, lieb, komme, kommen, i, can, could, would, "
        "work, works, works for me, be, is, it, it's, that, fine, great, good, mein, meine, datum, geburtstag, ist der, da, schon, bereits, das, wunschtermin, termin"
    ),
}
LEXICON = Lexicon(POLITE, NEGATION, DOUBT, {"no": YES_NO["no"]}, _DATE, DAY_WORDS)

_CODES = {
    "day": "d", "weekday": "w", "beside": "v", "month": "m", "feast": "h", "unit": "u", "week": "W", "next": "x", "coming": "k", "this": "t",
    "afternext": "y", "last": "l", "past": "p", "in": "i", "article": "a", "on": "A", "of": "e", "th": "s", "daypart": "f", "at": "b", "clock": "z",
    "fill": "f", "number": "n", "ordinal": "o", ".": ".", ",": ",", "-": "-", "/": "/", "'": "'", "times": "?", "yes": "f", "soft": "f",
}  # fmt: skip
_YEAR_AHEAD = 10
_YEAR_BACK = 20


@dataclass(frozen=True)
class _Day:
    """A day that an answer names; `firm` where the weekday alone is only a check of another date."""

    on: date | None
    weekday: int | None = None


def read(text: str, today: date | None) -> Understood:
    """Return the day in ISO form; `today` is the day the answer was written, in the zone of who wrote it."""
    if today is None:
        return unclear("no_today")
    atoms = LEXICON.atoms(text)
    labels = frozenset(atom.label for atom in atoms)
    if doubt := doubt_of(labels):
        return unclear(doubt)
    if labels & {"neg", "no"}:
        return unclear("negation")
    days = _days(atoms, today)
    if isinstance(days, str):
        return unclear(days)
    return _one_day(days)


def _one_day(days: list[_Day]) -> Understood:
    named = {day.on for day in days if day.weekday is None}
    weekdays = {day.weekday for day in days if day.weekday is not None}
    if not named:
        named = {day.on for day in days}
    if None in named:
        return unclear("no_such_day")
    if not named:
        return unclear("no_answer")
    if len(named) > 1:
        return unclear("several")
    found = named.pop()
    if found is None or weekdays - {found.weekday()}:
        return unclear("contradiction")
    if not 1900 <= found.year <= 2199:
        return unclear("out_of_range")
    return taken(found.isoformat(), "date")


def _days(atoms: list[Atom], today: date) -> list[_Day] | str:
    code = "".join(_code(atom) for atom in atoms)
    days: list[_Day] = []
    at = 0
    while at < len(code):
        for pattern, build in _PATTERNS:
            match = pattern.match(code, at)
            if match:
                made = build(atoms[at : match.end()], match.group(), today)
                if made is not None:
                    days.append(made)
                at = match.end()
                break
        else:
            if code[at] not in "f .,A":
                return "unknown_words"
            at += 1
    return days


def _code(atom: Atom) -> str:
    if atom.label == "figures":
        return _figures_code(atom.value)
    if atom.label in _CODES:
        return _CODES[atom.label]
    return " " if atom.label in HARMLESS else "?"


def _figures_code(text: str) -> str:
    if text.isdigit():
        return "n" if len(text) <= 2 else ("N" if len(text) == 4 else "?")
    if re.fullmatch(r"\d{1,2}:\d\d", text):
        return "q"
    return "c"


def _number(atom: Atom) -> int:
    value = int(atom.value)
    return value if -(10**6) < value < 10**6 else -1


def _made(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _full_year(text: str, today: date) -> int | None:
    """Return the year of two or four figures; of two the one in a lifetime back or a few years ahead."""
    if len(text) == 4:
        return int(text)
    if len(text) != 2:
        return None
    near = today.year // 100 * 100 + int(text)
    if near <= today.year + _YEAR_AHEAD:
        return near
    return near - 100 if near > today.year + _YEAR_BACK else None


def _next(month: int, day: int, today: date) -> date | None:
    """Return the next such day, today included; None where the coming year has none (29 February)."""
    this_year = _made(today.year, month, day)
    if this_year is not None and this_year >= today:
        return this_year
    return _made(today.year + 1, month, day) if this_year is not None else None


def _cluster(atoms: list[Atom], code: str, today: date) -> _Day:
    text = atoms[0].value
    if re.fullmatch(r"\d{4}-\d{1,2}-\d{1,2}", text):
        year, month, day = map(int, text.split("-"))
        return _Day(_made(year, month, day))
    parts = re.split(r"[./-]", text)
    same_mark = len(set(re.findall(r"\D", text))) == 1
    if (
        not same_mark
        or not all(part.isdigit() and len(part) <= 4 for part in parts)
        or len(parts[0]) > 2
        or len(parts[1]) > 2
    ):
        return _Day(None)
    if len(parts) == 2 and "-" not in text and "," not in text and ":" not in text:
        return _Day(_dated(parts[0], parts[1], code, atoms, today))
    if len(parts) == 3:
        year_of = _full_year(parts[2], today)
        return _Day(None if year_of is None else _made(year_of, int(parts[1]), int(parts[0])))
    return _Day(None)


def _dated(day: str, month: str, code: str, atoms: list[Atom], today: date) -> date | None:
    year = _year_behind(atoms, today)
    if year == 0:
        return _next(int(month), int(day), today)
    return None if year is None else _made(year, int(month), int(day))


def _year_behind(atoms: list[Atom], today: date) -> int | None:
    """Return the year named by the last figures behind a day and month, 0 where there is none."""
    last = atoms[-1]
    if len(atoms) < 2 or last.label != "figures":
        return 0
    return _full_year(last.value, today)


def _day_month(atoms: list[Atom], code: str, today: date) -> _Day:
    """Read "28. März 2026", "dritter April", "24th of December", "3. 4."."""
    day = _number(atoms[0])
    at = next(i for i, c in enumerate(code) if i and c in "mno")
    month = _number(atoms[at])
    rest = [atom for atom in atoms[at + 1 :] if atom.label == "figures"]
    year = _full_year(rest[0].value, today) if rest else 0
    if year == 0:
        return _Day(_next(month, day, today) if 1 <= month <= 12 else None)
    return _Day(None if year is None else _made(year, month, day))


def _month_day(atoms: list[Atom], code: str, today: date) -> _Day:
    """Read "March 28th, 2026"."""
    month, day = _number(atoms[0]), _number(atoms[1])
    year = _full_year(atoms[-1].value, today) if code.endswith("N") else 0
    if year == 0:
        return _Day(_next(month, day, today))
    return _Day(None if year is None else _made(year, month, day))


def _of_month(atoms: list[Atom], code: str, today: date) -> _Day:
    """Read "am 3.": this month, or the next one where that day has passed."""
    number = next(atom for atom in atoms if atom.label in ("figures", "ordinal", "number"))
    day = _number(number)
    if day >= today.day:
        return _Day(_made(today.year, today.month, day))
    year, month = (today.year, today.month + 1) if today.month < 12 else (today.year + 1, 1)
    return _Day(_made(year, month, day))


def _named_day(atoms: list[Atom], code: str, today: date) -> _Day:
    return _Day(_plus(today, atoms[0].value))


def _feast(atoms: list[Atom], code: str, today: date) -> _Day:
    month, day = atoms[0].value
    return _Day(_next(month, day, today))


def _within(atoms: list[Atom], code: str, today: date) -> _Day:
    """Read "in zwei Wochen", "heute in 14 Tagen"; "in acht Tagen" may mean a week and is not taken."""
    start = _plus(today, atoms[0].value) if code[0] == "d" else today
    count, unit = atoms[-2], atoms[-1].value
    number = 1 if count.label == "article" else _number(count)
    if start is None or number < 1 or (unit == "day" and number == 8):
        return _Day(None)
    if unit == "month":
        return _Day(_months_later(start, number))
    return _Day(_plus(start, number * (7 if unit == "week" else 1)))


def _plus(day: date | None, days: int) -> date | None:
    try:
        return None if day is None else day + timedelta(days=days)
    except OverflowError:
        return None


def _months_later(day: date, months: int) -> date | None:
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    if not 1 <= year <= 9000 or day.day > calendar.monthrange(year, month + 1)[1]:
        return None
    return date(year, month + 1, day.day)


def _weekday(atoms: list[Atom], code: str, today: date) -> _Day:
    """Return the next such weekday, never today; "nächsten" only where it cannot mean the week after as well."""
    wanted = next(atom for atom in atoms if atom.label == "weekday").value
    ahead = (wanted - today.weekday() - 1) % 7 + 1
    same_week = today.weekday() + ahead < 7
    how = code[0]
    if how in "xy" and same_week:
        return _Day(None)
    if how == "y":
        ahead += 7
    if how == "t" and not same_week:
        return _Day(None)
    if how in "lp":
        back = (today.weekday() - wanted - 1) % 7 + 1
        this_week = today.weekday() - back >= 0
        return _Day(None if how == "l" and this_week else _plus(today, -back))
    return _Day(_plus(today, ahead), wanted if how == "w" else None)


def _in_week(atoms: list[Atom], code: str, today: date) -> _Day:
    """Read "nächste Woche Dienstag" and "Dienstag nächste Woche"."""
    week = next(atom for atom in atoms if atom.label == "week").value
    wanted = next(atom for atom in atoms if atom.label == "weekday").value
    return _Day(_plus(today, week * 7 + wanted - today.weekday()))


def _beside(atoms: list[Atom], code: str, today: date) -> _Day:
    return _Day(None, atoms[0].value)


def _nothing(atoms: list[Atom], code: str, today: date) -> None:
    """A time of day says nothing about the day."""


def _never(atoms: list[Atom], code: str, today: date) -> _Day:
    return _Day(None)


_Build = Callable[[list[Atom], str, date], _Day | None]
_PATTERNS: list[tuple[re.Pattern[str], _Build]] = [
    (re.compile(pattern), build)
    for pattern, build in [
        (r"b?nz(?:n(?![.smn]))?|b?qz?|b?cz|b[nc](?![.smn])|bN?z", _nothing),
        (r"w,?[ ,]*i[na]u", _never),
        (r"d?i[na]u", _within),
        (r"[no]\.?s?e?m\.?,?'?(?:N(?![smnNz])|n(?![.smnNz]))|[no]\.?s?e?m\.?", _day_month),
        (r"mns?\.?,? ?N|m[no]s?(?![smnN])", _month_day),
        (r"n\.n\.?(?:N|'?n)?(?![.smnNz])|n/n(?:/[Nn])?(?![/n])|oo", _day_month),
        (r"c\.?(?:'?[Nn](?![z.]))?", _cluster),
        (r"A[no](?:\.(?![nNmoz/w])|s(?!e?m)|(?![.snNmoz/w]))", _of_month),
        (r"d", _named_day),
        (r"h", _feast),
        (r"W[f,]*A?w|wA?W", _in_week),
        (r"[xktylp]w\.?|w\.?", _weekday),
        (r"v\.?", _beside),
    ]
]
