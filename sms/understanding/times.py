"""A time of day: "14.15 Uhr", "viertel nach acht", "abends um 8". Read like a day, see dates.py.

German hours count to 24 and are also said on twelve: "8 Uhr" is eight in the morning, but "um drei" and "halb drei" may be the
afternoon and stay unclear until somebody says so. English hours without am or pm stay unclear up to twelve.
"""

import re
from collections.abc import Callable
from typing import Any

from sms.understanding.answer import Understood, taken, unclear
from sms.understanding.dates import DAY_WORDS
from sms.understanding.lexicon import Atom, Lexicon
from sms.understanding.words import DOUBT, NEGATION, POLITE, YES_NO
from sms.understanding.yesno import HARMLESS, doubt_of

_PARTS: dict[str, list[tuple[str, Any]]] = {
    "part": [
        *((word, "am") for word in (
            "früh", "morgens", "in der früh", "am morgen", "heute morgen", "heute früh", "morgen früh", "vormittag", "vormittags", "am vormittag", "in the morning", "morning", "am")),
        *((word, "noon") for word in ("mittag", "mittags", "am mittag", "at lunchtime")),
        *((word, "pm") for word in ("nachmittag", "nachmittags", "am nachmittag", "in the afternoon", "afternoon", "pm")),
        *((word, "evening") for word in ("abend", "abends", "am abend", "in the evening", "evening", "tonight")),
        *((word, "night") for word in ("nachts", "in der nacht", "at night")),
    ],
    "fixed": [("mitternacht", (0, 0)), ("midnight", (0, 0)), ("noon", (12, 0)), ("midday", (12, 0))],
}  # fmt: skip
_TIME = {
    "clock": "uhr, h, uhrzeit",
    "oclock": "o'clock",
    "half": "halb, halber",
    "quarter": "viertel, quarter, a quarter",
    "threequarters": "dreiviertel, drei viertel",
    "past": "nach, past",
    "before": "vor, to",
    "halfpast": "half past",
    "at": "um, at",
    "minutes": "minuten, min, minutes",
    "fill": (
        "ich, wir, es, kann, könnte, können, würde, ginge, geht, gehen, passt, passt mir, passt mir gut, passt gut, passt uns, wäre, wäre gut, wäre super, mir, uns, gut, super, perfekt, ist, also, dann, "
        "am, den, an, on, ja, gerne, gern, ok, okay, klar, am besten, bei mir, für mich, komme, bin, da, i, can, could, would, works, work, be, is, it, it's, that, fine, good, genau, punkt, pünktlich, "
        "please, schon, der, die, termin"
    ),
}
_DAYS = {label: DAY_WORDS[label] for label in ("day", "weekday")}
LEXICON = Lexicon(POLITE, NEGATION, DOUBT, {"no": YES_NO["no"]}, _TIME, _DAYS, _PARTS)
_CODES = {
    "clock": "z", "oclock": "Z", "half": "H", "quarter": "V", "threequarters": "D", "past": ">", "before": "<", "halfpast": "K", "at": "b",
    "minutes": "u", "fill": "f", "day": "d", "weekday": "d", "part": "p", "fixed": "x", "number": "n", ".": ".", ",": ",",
}  # fmt: skip
_EARLIEST_SAID, _EARLIEST_WRITTEN = 7, 5
"""Hours from which on a German time without a part of the day is the morning's, said ("um 7") and written ("5:30")."""

Clock = tuple[int, int, bool]
"""Hour, minute, and whether it was written in figures with its minutes."""


def read(text: str, locale: str) -> Understood:
    """Return the time as HH:MM on 24 hours."""
    atoms = LEXICON.atoms(text)
    labels = frozenset(atom.label for atom in atoms)
    if doubt := doubt_of(labels):
        return unclear(doubt)
    if labels & {"neg", "no"}:
        return unclear("negation")
    clocks = _clocks(atoms)
    if isinstance(clocks, str):
        return unclear(clocks)
    parts = {atom.value for atom in atoms if atom.label == "part"}
    if len(parts) > 1:
        return unclear("contradiction")
    english = locale == "en" and "clock" not in labels
    if len(clocks) != 1:
        return unclear("several" if clocks else "no_answer")
    time = _of_day(clocks[0], next(iter(parts), None), english)
    return unclear("half_of_day") if time is None else taken(time, "time")


def _clocks(atoms: list[Atom]) -> list[Clock] | str:
    code = "".join(_code(atom) for atom in atoms)
    found: list[Clock] = []
    at = 0
    while at < len(code):
        for pattern, build in _PATTERNS:
            if match := pattern.match(code, at):
                clock = build(atoms[at : match.end()], match.group())
                if clock is None or not _exists(clock):
                    return "no_such_time"
                found.append(clock)
                at = match.end()
                break
        else:
            if code[at] not in "fpdb .,":
                return "unknown_words"
            at += 1
    return found


def _exists(clock: Clock) -> bool:
    hour, minute, _ = clock
    return (0 <= hour <= 23 and 0 <= minute <= 59) or (hour, minute) == (24, 0)


def _code(atom: Atom) -> str:
    if atom.label == "figures":
        return _figures_code(atom.value)
    if atom.label == "number" and atom.value != int(atom.value):
        return "?"
    if atom.label in _CODES:
        return _CODES[atom.label]
    return " " if atom.label in HARMLESS - {"-"} else "?"


def _figures_code(text: str) -> str:
    if text.isdigit():
        return {1: "n", 2: "n", 4: "g"}.get(len(text), "?")
    if re.fullmatch(r"\d{1,2}:\d\d", text):
        return "q"
    if re.fullmatch(r"\d{1,2}\.\d\d", text):
        # "11.11." may be a day, "9.30." and "9.00." cannot.
        return "r" if 1 <= int(text[-2:]) <= 12 else "q"
    return "j" if re.fullmatch(r"\d{1,2},\d\d", text) else "?"


def _of_day(clock: Clock, part: str | None, english: bool) -> str | None:
    """Return HH:MM for an hour and the part of the day that was said; None where it could be two times."""
    hour, minute, written = clock
    hour = _hour(hour, written, part, english)
    return None if hour < 0 else f"{hour % 24:02}:{minute:02}"


def _hour(hour: int, written: bool, part: str | None, english: bool) -> int:
    if part is None:
        if hour in (0, 24) or hour > 12:
            return hour
        if english and not (written and hour >= _EARLIEST_SAID):
            return -1
        return hour if hour >= (_EARLIEST_WRITTEN if written else _EARLIEST_SAID) else -1
    if part == "am":
        return hour % 12 if english and hour == 12 else (hour if hour <= 12 else -1)
    if part == "noon":
        return {11: 11, 12: 12, 13: 13, 14: 14, 1: 13, 2: 14}.get(hour, -1)
    if part == "pm":
        return _afternoon(hour, english)
    if part == "evening":
        return hour if 17 <= hour <= 23 else (hour + 12 if 5 <= hour <= 11 else -1)
    return {10: 22, 11: 23, 12: 24}.get(hour, hour if hour <= 5 or hour >= 22 else -1)


def _afternoon(hour: int, english: bool) -> int:
    if english:
        return 12 if hour == 12 else (hour + 12 if 1 <= hour <= 11 else -1)
    if hour >= 12:
        return hour if hour <= 23 else -1
    return hour + 12 if 1 <= hour <= 11 else -1


def _number(atom: Atom) -> int:
    return int(atom.value)


def _pair(atoms: list[Atom], code: str) -> Clock:
    figures = next(atom for atom in atoms if atom.label == "figures")
    hour, minute = re.split(r"[:.,]", figures.value)
    return int(hour), int(minute), True


def _four(atoms: list[Atom], code: str) -> Clock:
    text = next(atom for atom in atoms if atom.label == "figures").value
    return int(text[:2]), int(text[2:]), True


def _hours(atoms: list[Atom], code: str) -> Clock | None:
    if "nn" in code and not all(len(atom.raw) == 2 for atom in atoms if atom.label in ("figures", "number")):
        return None  # only "14 15 Uhr"
    numbers = [_number(atom) for atom in atoms if atom.label in ("figures", "number")]
    return numbers[0], numbers[1] if len(numbers) > 1 else 0, len(numbers) > 1


def _before_hour(hour: int, minute: int) -> Clock | None:
    """Return a time said on twelve hours, `minute` of them possibly before the hour."""
    if not 1 <= hour <= 12:
        return None
    total = hour * 60 + minute
    # "halb eins" is after twelve.
    return (12 if total < 60 else total // 60), total % 60, False


def _part_of_hour(atoms: list[Atom], code: str) -> Clock | None:
    """Read "halb neun" (8:30), "viertel neun" (8:15) and "dreiviertel neun" (8:45), which count towards the hour."""
    minutes = {"H": -30, "V": -45, "D": -15}[code.lstrip("b")[0]]
    hour = next(_number(atom) for atom in atoms if atom.label in ("figures", "number"))
    return _before_hour(hour, minutes)


def _from_hour(atoms: list[Atom], code: str) -> Clock | None:
    """Read "viertel nach acht", "zehn vor neun", "fünf vor halb neun" and "half past two"."""
    code = code.lstrip("b")
    numbers = [_number(atom) for atom in atoms if atom.label in ("figures", "number")]
    away = 30 if code[0] == "K" else (15 if code[0] == "V" else numbers[0])
    if not 0 < away < 31:
        return None
    away = -away if "<" in code else away
    return _before_hour(numbers[-1], away - (30 if "H" in code else 0))


def _fixed(atoms: list[Atom], code: str) -> Clock:
    hour, minute = next(atom for atom in atoms if atom.label == "fixed").value
    return hour, minute, True


_PATTERNS: list[tuple[re.Pattern[str], Callable[[list[Atom], str], Clock | None]]] = [
    (re.compile(pattern), build)
    for pattern, build in [
        (r"b?qz?|b?rz|b?r(?!\.)", _pair),
        (r"b?jz", _pair),
        (r"b?gz?", _four),
        (r"b?Vu?[<>]nz?|b?nu?[<>]H?nz?|b?Knz?", _from_hour),
        (r"b?[HVD]nz?", _part_of_hour),
        (r"b?nzn(?:u)?(?![n<>zZ])|b?nnz", _hours),
        (r"b?n[zZ]?(?![n<>])", _hours),
        (r"b?x", _fixed),
    ]
]
