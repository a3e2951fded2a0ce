"""English for the ear: a table of patterns, applied from top to bottom, and the words they become. British."""

import re
from collections.abc import Callable
from functools import lru_cache
from re import Match

from num2words import num2words

from voice.spelling import EN, spell

Rule = tuple[re.Pattern[str], str | Callable[[Match[str]], str]]

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_WEEKDAYS = {
    "Mon": "Monday", "Tue": "Tuesday", "Tues": "Tuesday", "Wed": "Wednesday", "Thu": "Thursday",
    "Thur": "Thursday", "Thurs": "Thursday", "Fri": "Friday", "Sat": "Saturday", "Sun": "Sunday",
}  # fmt: skip

_ABBREVIATIONS = {
    r"e\.\s?g\.": "for example",
    r"i\.\s?e\.": "that is",
    r"etc\.?": "et cetera",
    r"approx\.?": "approximately",
    r"appt\.?": "appointment",
    r"incl\.?": "including",
    r"excl\.": "excluding",
    r"vs\.?": "versus",
    r"tel\.?": "telephone",
    r"asap": "as soon as possible",
    r"rsvp": "please reply",
    r"min\.": "minimum",
    r"max\.": "maximum",
    r"dept\.": "department",
    r"ext\.": "extension",
    r"c/o": "care of",
    r"a\.\s?s\.\s?a\.\s?p\.": "as soon as possible",
    r"w/o": "without",
    r"w/(?=\s)": "with",
    r"mr\.?": "mister",
    r"mrs\.?": "missus",
    r"ms\.": "miz",
    r"prof\.": "professor",
    r"rd\.": "road",
    r"ave\.?": "avenue",
    r"apt\.": "apartment",
    r"pls|plz": "please",
    r"thx": "thanks",
}

_LETTERED = frozenset(
    [
        "USA",
        "UK",
        "EU",
        "ID",
        "IT",
        "AM",
        "PM",
        "NHS",
        "VAT",
        "GP",
        "ER",
        "ECG",
        "MRI",
        "UPS",
        "ATM",
        "USB",
        "LED",
        "PO",
        "AGM",
        "AI",
        "OK",
    ]
)
_AS_WORDS = {"PIN": "pin", "IBAN": "iban", "OK": "okay", "AM": "A M", "PM": "P M"}

_UNITS: dict[str, tuple[str, str]] = {
    r"km/h|kph": ("one kilometre an hour", "kilometres an hour"),
    r"mph": ("one mile an hour", "miles an hour"),
    r"km": ("one kilometre", "kilometres"),
    r"cm": ("one centimetre", "centimetres"),
    r"mm": ("one millimetre", "millimetres"),
    r"m²|m2|sqm": ("one square metre", "square metres"),
    r"m": ("one metre", "metres"),
    r"ft": ("one foot", "feet"),
    r"kg": ("one kilogram", "kilograms"),
    r"mg": ("one milligram", "milligrams"),
    r"g": ("one gram", "grams"),
    r"lbs?": ("one pound", "pounds"),
    r"ml": ("one millilitre", "millilitres"),
    r"l": ("one litre", "litres"),
    r"kWh": ("one kilowatt hour", "kilowatt hours"),
    r"GB": ("one gigabyte", "gigabytes"),
    r"MB": ("one megabyte", "megabytes"),
    r"°\s?C": ("one degree Celsius", "degrees Celsius"),
    r"°\s?F": ("one degree Fahrenheit", "degrees Fahrenheit"),
    r"°": ("one degree", "degrees"),
    r"%": ("one percent", "percent"),
    r"hrs?\.?|h": ("one hour", "hours"),
    r"mins?\.?": ("one minute", "minutes"),
    r"secs?\.?": ("one second", "seconds"),
    r"x|×": ("once", "times"),
}

_MONEY = {
    # sign or code: one of it, several, a hundredth, several hundredths
    "£": ("pound", "pounds", "penny", "pence"),
    "gbp": ("pound", "pounds", "penny", "pence"),
    "€": ("euro", "euros", "cent", "cents"),
    "eur": ("euro", "euros", "cent", "cents"),
    "euro": ("euro", "euros", "cent", "cents"),
    "euros": ("euro", "euros", "cent", "cents"),
    "$": ("dollar", "dollars", "cent", "cents"),
    "usd": ("dollar", "dollars", "cent", "cents"),
    "chf": ("franc", "francs", "centime", "centimes"),
}

_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_FREE = r"(?<![\w.,:/])"
_CLOCK = r"([01]?\d|2[0-4])"
_HALF = r"(?i:(?:am|pm)(?!\w)|a\.m\.|p\.m\.)"


@lru_cache(4096)
def cardinal(number: int) -> str:
    """Return the number in words."""
    words: str = num2words(number, lang="en_GB")
    return words.replace(",", "")


def ordinal(number: int) -> str:
    """Return the ordinal in words."""
    words: str = num2words(number, lang="en_GB", to="ordinal")
    return words.replace(",", "")


def quantity(written: str) -> str:
    """Read "1,200", "3.5" or "12" as it is counted; what is too long to be counted digit by digit."""
    whole, _, part = written.replace(",", "").partition(".")
    if len(whole) > 12:
        return spell(written, EN)
    if not part:
        return cardinal(int(whole))
    return f"{cardinal(int(whole))} point {' '.join(EN.digits[int(d)] for d in part)}"


def year(written: str) -> str:
    """Read a year in pairs, "twenty twenty-six"; two digits are of this century below 70."""
    number = int(written) if len(written) > 2 else int(written) + (1900 if int(written) >= 70 else 2000)
    if not 1100 <= number <= 2099:
        return cardinal(number)
    words: str = num2words(number, lang="en", to="year")
    return words


def _month(written: str) -> int:
    """Return 1..12 for "11", "Nov." or "November", 0 for anything else."""
    if written.isdecimal():
        return int(written) if 1 <= int(written) <= 12 else 0
    short = written[:3].lower()
    return next((i for i, name in enumerate(MONTHS, 1) if name[:3].lower() == short), 0)


def _date(found: Match[str]) -> str:
    day, month = int(found["day"]), _month(found["month"])
    if not (1 <= day <= 31 and month):
        return found[0]
    weekday = f"{_WEEKDAYS.get(found['weekday'], found['weekday'])}, " if found["weekday"] else ""
    before = found.string[: found.start()].lower()
    article = "" if not weekday and before.endswith("the ") else "the "
    words = f"{weekday}{article}{ordinal(day)} of {MONTHS[month - 1]}"
    return words + (f" {year(found['year'])}" if found["year"] else "")


def clock(hour: str, minute: str | None, half: str = "") -> str:
    """Read a time of day on twelve hours: "two thirty P M", "eight oh five", "nine o'clock"."""
    number, past = int(hour), int(minute or 0)
    letters = re.sub(r"[^apm]", "", half.lower()).upper()
    if not letters and (number > 12 or number == 0):
        letters = "PM" if 12 < number < 24 else "AM"
    words = cardinal((number - 1) % 12 + 1)
    if past:
        words += f" oh {cardinal(past)}" if past < 10 else f" {cardinal(past)}"
    if letters:
        return f"{words} {letters[0]} {letters[1]}"
    return words if past else f"{words} o'clock"


def _time(found: Match[str]) -> str:
    groups = [*found.groups(), ""]
    return clock(found[1], found[2], groups[2] or "")


def _half_range(found: Match[str]) -> str:
    first = cardinal(int(found[1])) if not found[2] else clock(found[1], found[2], found[3] or "")
    if found[3] and not found[2]:
        first = clock(found[1], None, found[3])
    return f"{first} to {clock(found[4], found[5], found[6])}"


def _money(found: Match[str]) -> str:
    single, several, part, parts = _MONEY[(found["before"] or found["after"]).lower()]
    sign = "minus " if found["sign"] else ""
    whole = found["whole"].replace(",", "")
    cents = int(found["cents"] or 0)
    if len(whole) > 12:
        return f"{sign}{spell(whole, EN)} {several}"
    if int(whole) == 0 and cents:
        return f"{sign}{cardinal(cents)} {part if cents == 1 else parts}"
    words = f"{sign}{cardinal(int(whole))} {single if int(whole) == 1 else several}"
    return f"{words} {cardinal(cents)}" if cents else words


def _measured(found: Match[str]) -> str:
    sign = "minus " if found["sign"] else ""
    for written, (single, several) in _UNITS.items():
        if re.fullmatch(written, found["unit"]):
            if found["number"] == "1":
                return sign + single
            if found["unit"] == "x" and found["number"] == "2":
                return "twice"
            return f"{sign}{quantity(found['number'])} {several}"
    return found[0]


def _numbered(found: Match[str]) -> str:
    value = found[3]
    short = value.isdecimal() and len(value) <= 3 and not value.startswith("0")
    return f"{found[1]}{found[2]}{cardinal(int(value)) if short else spell(value, EN)}"


def _phone(found: Match[str]) -> str:
    return spell(found[0], EN) if sum(c.isdecimal() for c in found[0]) >= 6 else found[0]


def _plain(found: Match[str]) -> str:
    """Read a number that nothing explains: up to four digits counted, longer or with a leading zero spelled."""
    sign, written = "minus " if found[1] else "", found[2]
    whole = written.split(".")[0]
    if "," not in written and (len(whole) > 4 or (len(whole) > 1 and whole.startswith("0"))):
        return sign + spell(written, EN)
    if written.isdecimal() and 1900 <= int(written) <= 2099:
        return year(written)
    return sign + quantity(written)


def _mixed(found: Match[str]) -> str:
    """Read "B12" as a name with a number, "COVID-19" as a word, "AB12-X9" letter by letter."""
    word = re.fullmatch(r"([A-Z]{4,})-?(\d{1,3})", found[0])
    if word and set(word[1]) & set("AEIOU"):
        return f"{word[1].capitalize()} {cardinal(int(word[2]))}"
    simple = re.fullmatch(r"([A-Z]{1,2})(\d{1,2})", found[0])
    if simple and not simple[2].startswith("0"):
        return f"{' '.join(simple[1])} {cardinal(int(simple[2]))}"
    return spell(found[0], EN)


def _capitals(found: Match[str]) -> str:
    word = found[0]
    if word in _AS_WORDS:
        return _AS_WORDS[word]
    consonants = 2 <= len(word) <= 5 and not set(word) & set("AEIOUY")
    # engines spell what is written in capitals: YES is a word
    return " ".join(word) if word in _LETTERED or consonants else word.capitalize()


def _weekday(found: Match[str]) -> str:
    return _WEEKDAYS[found[1]]


def _second_weekday(found: Match[str]) -> str:
    return found[1] + _WEEKDAYS[found[2]]


def _weekday_range(found: Match[str]) -> str:
    return f"{_WEEKDAYS[found[1]]} to {_WEEKDAYS[found[2]]}"


def _compiled(*table: tuple[str, str | Callable[[Match[str]], str]]) -> list[Rule]:
    return [(re.compile(pattern), words) for pattern, words in table]


_WEEKDAY_SHORT = "|".join(_WEEKDAYS)
_FULL_WEEKDAYS = "|".join(dict.fromkeys(_WEEKDAYS.values()))
_WEEKDAY_NAMES = "|".join([*dict.fromkeys(_WEEKDAYS.values()), *_WEEKDAYS])
_MONTH_NAMES = "|".join([*MONTHS, *(rf"{m[:3]}\.?" for m in MONTHS), r"Sept\.?"])
_UNIT_NAMES = "|".join(_UNITS)
_WEEKDAY_PART = rf"(?:(?P<weekday>{_WEEKDAY_NAMES})\.?,?\s+(?:the\s+)?)?"
_CODE_VALUE = r"((?:[A-Za-z]{1,4}-?)?\d[\dA-Za-z]*(?:[ /-]?\d[\dA-Za-z]*)*)(?!\w)"
_IS = r"(\s*(?:is|:|=)?:?\s*)"
_AMOUNT = r"(?P<whole>\d{1,3}(?:,\d{3})+|\d+)(?:[.,](?P<cents>\d{2})(?!\d))?"

RULES: tuple[Rule, ...] = (
    *_compiled(
        (rf"(?<!\w)({_WEEKDAY_SHORT})\.?\s?[-–]\s?({_WEEKDAY_SHORT})\b\.?", _weekday_range),
        (rf"(?<!\w)({_WEEKDAY_SHORT})\.?(?=\s?(?:,|/|and|or|to)\s?(?:{_WEEKDAY_SHORT})(?!\w))", _weekday),
        (rf"((?:{_FULL_WEEKDAYS})(?:,|/|\sand|\sor|\sto)\s?)({_WEEKDAY_SHORT})\b\.?", _second_weekday),
        (rf"(?<!\w)({_WEEKDAY_SHORT})\.?(?=,?\s*(?:\d|at|{_MONTH_NAMES}))", _weekday),
        (r"(?<!\w)Dr\.?(?=\s+[A-Z])", "Doctor"),
        (r"(?<!\w)St\.?(?=\s+[A-Z][a-z])(?<!\d St)", "Saint"),
        (r"(?<=[a-z] )St\.?(?!\w)", "Street"),
        (
            r"(?i)(?<!\w)(PIN|\w*code|password|IBAN|BIC|OTP)" + _IS + _CODE_VALUE,
            lambda m: f"{m[1]}{m[2]}{spell(m[3], EN)}",
        ),
        (
            r"(?i)(?<!\w)(No\.|\w*number|reference|ref\.?|ticket|invoice|order)" + _IS + r"#?" + _CODE_VALUE,
            _numbered,
        ),
        (r"(?<![\w.,])(\d{4,10})(?=\s+is\s+(?:your|the))", lambda m: spell(m[1], EN)),
        (
            r"(?<!\w)[Nn]o\.(?=\s?\w+)(?=\s?(?:\d|one|two|three|four|five|six|seven|eight|nine|zero|[a-z]+ty))",
            "number",
        ),
        (r"([£€$])(\d[\d.,]*)\s?[-–]\s?[£€$]?(?=\d)", r"\1\2 to \1"),
        (
            rf"(?<![\w.,])(?P<sign>[-−])?(?P<before>£|€|\$|EUR|USD|GBP|CHF)\s?(?P<after>){_AMOUNT}(?!\w)",
            _money,
        ),
        (
            rf"(?<![\w.,])(?P<sign>(?<!\d)[-−])?{_AMOUNT}\s?(?P<before>)(?P<after>£|€|EUR|USD|GBP|CHF|[Ee]uros?)(?!\w)",
            _money,
        ),
        (r"(?<![\w.,])(\d{1,2})p(?!\w)", lambda m: f"{cardinal(int(m[1]))} pence"),
        # times of day
        (
            rf"{_FREE}{_CLOCK}(?:[:.]([0-5]\d))?\s?({_HALF})?\s?(?:-|–|to)\s?{_CLOCK}(?:[:.]([0-5]\d))?\s?({_HALF})",
            _half_range,
        ),
        (rf"{_FREE}{_CLOCK}[:.]([0-5]\d)\s?({_HALF})", _time),
        (rf"{_FREE}{_CLOCK}()\s?({_HALF})", _time),
        (rf"(?<=\d)\s?[-–]\s?(?={_CLOCK}:[0-5]\d(?![\w:]))", " to "),
        (rf"{_FREE}{_CLOCK}:([0-5]\d)(?![\w:])", _time),
        (rf"{_FREE}{_CLOCK}\s?o'clock", lambda m: clock(m[1], None)),
        # dates, the day before the month
        (r"(?<=\d)\s?[-–]\s?(?=\d{1,2}[/.]\d{1,2}[/.])", " to "),
        (r"(?<![\w.-])(?P<weekday>)(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})(?![\w-])", _date),
        (
            rf"(?<![\w./]){_WEEKDAY_PART}(?P<day>\d{{1,2}})/(?P<month>\d{{1,2}})/(?P<year>\d{{4}}|\d{{2}})(?![\w/])",
            _date,
        ),
        (
            rf"(?<![\w./]){_WEEKDAY_PART}(?P<day>\d{{1,2}})\.(?P<month>\d{{1,2}})\.(?P<year>\d{{4}}|\d{{2}})?(?!\w)",
            _date,
        ),
        (
            rf"(?<![\w./]){_WEEKDAY_PART}(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\s(?:of\s)?(?P<month>{_MONTH_NAMES})(?!\w)"
            r"(?:,?\s(?P<year>\d{4})(?!\w))?",
            _date,
        ),
        (
            rf"(?<!\w){_WEEKDAY_PART}(?P<month>{_MONTH_NAMES})\s(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?![\w:])"
            r"(?:,?\s(?P<year>\d{4})(?!\w))?",
            _date,
        ),
        (r"(?<=[ny] )(?P<weekday>)(?P<day>\d{1,2})/(?P<month>\d{1,2})(?P<year>)(?![\w/])", _date),
        # telephone
        (r"(?<![\w.,])(?:\+|00)\s?[1-9](?:[ \-/]?\(?\d+\)?){2,}(?!\w)", _phone),
        (r"(?<![\w.,])\(?0\d{1,5}\)?(?:\s?[/-]\s?|\s)\d[\d \-/]{2,}\d(?!\w)", _phone),
        (r"(?<![\w.,])0\d{5,}(?!\w)", _phone),
        (r"(?<![\w.,])(?:999|112|111|911)(?![\w.,]\d|\d)", lambda m: spell(m[0], EN)),
    ),
    *((re.compile(rf"(?<![\w.])(?:{a})(?!\w)", re.IGNORECASE), words) for a, words in _ABBREVIATIONS.items()),
    *_compiled(
        (r"(?<![\w.,])(\d{1,3})(?:st|nd|rd|th)(?!\w)", lambda m: ordinal(int(m[1]))),
        (r"(?<![\w.,-])\d{2,}(?:-\d+)*-0\d+(?:-\d+)*(?!\w)", lambda m: spell(m[0], EN)),
        (rf"{_FREE}({_NUMBER})\s?[-–]\s?(?=\d)(?![\d.,]+-)", r"\1 to "),
        (
            rf"(?<![\w.,])(?P<sign>(?<!\d)[-−])?(?P<number>{_NUMBER})\s?(?P<unit>{_UNIT_NAMES})(?!\w)",
            _measured,
        ),
        (r"(?<![\w.,/])1/2(?![\w/])", "one half"),
        (r"(?<![\w.,/])1/4(?![\w/])", "a quarter"),
        (r"(?<![\w.,/])3/4(?![\w/])", "three quarters"),
        (r"(?<![\w.,/])24/7(?![\w/])", "around the clock"),
        (r"(?<![\w.,:])(\d{1,2}):(\d{1,2})(?![\w:])", r"\1 to \2"),
        (r"(?<![\w])(?=[A-Z0-9-]*[A-Z])(?=[A-Z0-9-]*\d)[A-Z0-9]+(?:-[A-Z0-9]+)*(?!\w)", _mixed),
        (r"#(?=\d)", "number "),
        (r"(?<![\w.,])(\d+),(\d{1,2})(?![\w,])", r"\1.\2"),
        (rf"(?<![\w.])((?:(?<![\w\d])[-−])?)({_NUMBER})(?![\w])", _plain),
        (r"\d+", lambda m: f" {spell(m[0], EN)} "),
        # signs
        (r"(?<!\w)[A-Z]{2,}(?!\w)", _capitals),
        (r"\s?&\s?", " and "),
        (r"\b(and|or)/(and|or)\b", r"\1 \2"),
        (r"(?<=\w)\s?/\s?(?=\w)", " or "),
        (r"(?<!\w)\+(?=\s?\w)|(?<=\s)\+(?=\s)", " plus "),
        (r"=", " equals "),
        (r"%", " percent "),
        (r"€", " euros "),
        (r"£", " pounds "),
        (r"°", " degrees "),
        (r"@", " at "),
        (r"#(?=\w)", ""),
    ),
)

UNREADABLE = "The message contains no text that can be read out."
PICTURES = "The message consists of pictures only."
EMOJI = {
    "👍": "thumbs up",
    "👎": "thumbs down",
    "❤": "heart",
    "♥": "heart",
    "💙": "heart",
    "💚": "heart",
    "💛": "heart",
    "💜": "heart",
    "😘": "kiss",
    "💋": "kiss",
    "🎂": "birthday cake",
    "🌹": "rose",
    "💐": "bunch of flowers",
    "🌷": "tulip",
    "🍀": "four-leaf clover",
    "🎄": "Christmas tree",
}
LESS, MORE, HEART = "less than", "more than", "heart"
