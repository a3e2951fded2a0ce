"""German for the ear: a table of patterns, applied from top to bottom, and the words they become."""

import re
from collections.abc import Callable
from functools import lru_cache
from re import Match

from num2words import num2words

from voice.spelling import DE, spell

Rule = tuple[re.Pattern[str], str | Callable[[Match[str]], str]]

MONTHS = (
    "Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November",
    "Dezember",
)  # fmt: skip
_MONTH_ABBREVIATIONS = {
    "jan": 1, "feb": 2, "febr": 2, "mär": 3, "mrz": 3, "apr": 4, "jun": 6, "jul": 7, "aug": 8, "sep": 9,
    "sept": 9, "okt": 10, "nov": 11, "dez": 12,
}  # fmt: skip
_WEEKDAYS = {
    "Mo": "Montag", "Di": "Dienstag", "Mi": "Mittwoch", "Do": "Donnerstag", "Fr": "Freitag", "Sa": "Samstag",
    "So": "Sonntag",
}  # fmt: skip

_ABBREVIATIONS = {
    r"z\.\s?B\.": "zum Beispiel",
    r"d\.\s?h\.": "das heißt",
    r"u\.\s?a\.": "unter anderem",
    r"u\.\s?U\.": "unter Umständen",
    r"z\.\s?T\.": "zum Teil",
    r"i\.\s?d\.\s?R\.": "in der Regel",
    r"i\.\s?A\.": "im Auftrag",
    r"o\.\s?g\.": "oben genannte",
    r"s\.\s?o\.": "siehe oben",
    r"s\.\s?u\.": "siehe unten",
    r"e\.\s?V\.": "e V",
    r"e\.\s?K\.": "e K",
    r"c/o": "bei",
    r"m\.\s?f\.\s?G\.|mfg": "mit freundlichen Grüßen",
    r"vlg|lg": "liebe Grüße",
    r"usw\.?": "und so weiter",
    r"etc\.?": "et cetera",
    r"bzw\.?": "beziehungsweise",
    r"bspw\.": "beispielsweise",
    r"ca\.?": "zirka",
    r"inkl\.?": "inklusive",
    r"exkl\.": "exklusive",
    r"zzgl\.": "zuzüglich",
    r"evtl\.?": "eventuell",
    r"ggf\.?": "gegebenenfalls",
    r"vgl\.": "vergleiche",
    r"mind\.": "mindestens",
    r"tgl\.": "täglich",
    r"wg\.": "wegen",
    r"zw\.": "zwischen",
    r"u\.(?=\s)": "und",
    r"abs\.": "Absatz",
    r"tel\.?": "Telefon",
    r"plz": "Postleitzahl",
    r"mwst\.?": "Mehrwertsteuer",
    r"dr\.(?:\s?(?:med|dent|vet|jur|rer|nat|phil|ing)\.)*": "Doktor",
    r"prof\.": "Professor",
    r"dipl\.-ing\.": "Diplomingenieur",
    r"hr\.": "Herr",
    r"hrn\.": "Herrn",
    r"frl\.": "Fräulein",
    r"fa\.": "Firma",
    r"whg\.": "Wohnung",
    r"bhf\.?": "Bahnhof",
    r"hbf\.?": "Hauptbahnhof",
    r"gmbh": "G m b H",
    r"o\.\s?ä\.": "oder ähnliches",
    r"nachm\.": "nachmittags",
    r"vorm\.": "vormittags",
    r"geb\.": "geboren",
    r"verschr\.": "verschreibungspflichtig",
    r"abt\.": "Abteilung",
    r"std\.?(?!\w)": "Stunden",
    r"mio\.?": "Millionen",
    r"mrd\.?": "Milliarden",
}

_LETTERED = frozenset(
    [
        "AOK",
        "EKG",
        "EU",
        "USA",
        "ADAC",
        "DAK",
        "IKK",
        "UKE",
        "ÖPNV",
        "OP",
        "ICE",
        "EDV",
        "IT",
        "ID",
        "AG",
        "AGB",
        "ASB",
        "UPS",
        "WC",
        "DIN",
        "ISO",
        "AU",
        "HNO",
        "EC",
        "HU",
        "USB",
        "LED",
    ]
)
_AS_WORDS = {"IBAN": "Iban", "PIN": "Pin", "TAN": "Tan", "WLAN": "W Lan", "TÜV": "Tüff", "OG": "Obergeschoss",
             "EG": "Erdgeschoss", "UG": "Untergeschoss", "DG": "Dachgeschoss", "BIC": "Bic"}  # fmt: skip

_UNITS: dict[str, tuple[str, str]] = {
    # how the unit is written: its words after "1" and after any other number
    r"km/h": ("ein Kilometer pro Stunde", "Kilometer pro Stunde"),
    r"km": ("ein Kilometer", "Kilometer"),
    r"cm": ("ein Zentimeter", "Zentimeter"),
    r"mm": ("ein Millimeter", "Millimeter"),
    r"m²|m2|qm": ("ein Quadratmeter", "Quadratmeter"),
    r"m³|m3": ("ein Kubikmeter", "Kubikmeter"),
    r"m": ("ein Meter", "Meter"),
    r"kg": ("ein Kilogramm", "Kilogramm"),
    r"mg": ("ein Milligramm", "Milligramm"),
    r"g": ("ein Gramm", "Gramm"),
    r"ml": ("ein Milliliter", "Milliliter"),
    r"l": ("ein Liter", "Liter"),
    r"kWh": ("eine Kilowattstunde", "Kilowattstunden"),
    r"kW": ("ein Kilowatt", "Kilowatt"),
    r"GB": ("ein Gigabyte", "Gigabyte"),
    r"MB": ("ein Megabyte", "Megabyte"),
    r"°\s?C": ("ein Grad Celsius", "Grad Celsius"),
    r"°|Grad": ("ein Grad", "Grad"),
    r"%|Prozent": ("ein Prozent", "Prozent"),
    r"‰": ("ein Promille", "Promille"),
    r"Stunden?|Std\.?|h": ("eine Stunde", "Stunden"),
    r"Minuten?|Min\.?|min\.?": ("eine Minute", "Minuten"),
    r"Sekunden?|Sek\.?|sek\.?": ("eine Sekunde", "Sekunden"),
    r"Stk\.?|St\.|Stück": ("ein Stück", "Stück"),
    r"Tage?n?|Tg\.": ("ein Tag", "Tage"),
    r"x|×": ("einmal", "mal"),
}

_MONEY = {
    # sign or code: the word, its hundredth part in the singular and in the plural
    "€": ("Euro", "Cent", "Cent"),
    "eur": ("Euro", "Cent", "Cent"),
    "euro": ("Euro", "Cent", "Cent"),
    "$": ("Dollar", "Cent", "Cent"),
    "usd": ("Dollar", "Cent", "Cent"),
    "£": ("Pfund", "Penny", "Pence"),
    "gbp": ("Pfund", "Penny", "Pence"),
    "chf": ("Franken", "Rappen", "Rappen"),
    "fr.": ("Franken", "Rappen", "Rappen"),
}

_NOUN_ENDINGS = {
    "er": "Stock Geburtstag Termin Tag Monat Advent Platz Versuch Teil Brief Anruf Besuch Januar Februar März April Mai Juni Juli "
    "August September Oktober November Dezember Gang Raum Schritt",
    "e": "Etage Mahnung Woche Rate Klasse Impfung Erinnerung Sitzung Dosis Person Stunde Nachricht Lieferung",
    "es": "OG UG Quartal Mal Obergeschoss Untergeschoss Halbjahr Kind Jahr Gespräch Paket",
}
_NOUNS = {noun: ending for ending, nouns in _NOUN_ENDINGS.items() for noun in nouns.split()}

_HALVES = {
    "e": "Tablette Stunde Tasse Packung Seite Million Flasche Dosis Portion",
    "es": "Jahr Glas Kilo Pfund Stück Dutzend",
    "er": "Liter Tag Meter Monat Teelöffel Esslöffel Löffel",
}

_WEAK = frozenset(
    [
        "am",
        "vom",
        "zum",
        "zur",
        "ab",
        "bis",
        "seit",
        "den",
        "dem",
        "beim",
        "im",
        "ihrem",
        "ihren",
        "unserem",
        "unseren",
        "einem",
        "einen",
        "jeden",
        "jedem",
        "diesem",
        "diesen",
        "nächsten",
        "kommenden",
        "ihres",
        "unseres",
        "des",
    ]
)
_POSSESSIVE = re.compile(r"(?i)\b(?:ihr|unser|mein|dein|sein|ein|kein)\s$")
_AFTER_DER = frozenset(["in", "an", "auf", "mit", "bei", "nach", "vor", "zu", "von", "seit", "ab", "aus"])

_NUMBER = r"\d{1,3}(?:\.\d{3})+(?:,\d+)?|\d+(?:,\d+)?"
_PLAIN_NUMBER = r"\d+(?:[.,]\d+)*"
_FREE = r"(?<![\w.,:/])"
"""Nothing before it that would make it part of something longer."""
_TO = r"\s?(?:-|–|—|bis)\s?"
_CLOCK = r"([01]?\d|2[0-4])"


@lru_cache(4096)
def cardinal(number: int, one: str = "eins") -> str:
    """Return the number in words, its final "eins" as `one` ("ein", "eine") demands."""
    words: str = num2words(number, lang="de")
    return words[:-4] + one if words.endswith("eins") else words


def ordinal(number: int, ending: str) -> str:
    """Return an inflected ordinal: (24, "en") is "vierundzwanzigsten"; num2words knows no inflection."""
    words: str = num2words(number, lang="de", to="ordinal")
    return words.replace(" ", "").removesuffix("e") + ending


def quantity(written: str, one: str = "eins") -> str:
    """Read "1.200", "3,5" or "12" as it is counted; what is too long to be counted digit by digit."""
    whole, _, part = written.replace(".", "").partition(",")
    if len(whole) > 12:
        return spell(written, DE)
    if not part:
        return cardinal(int(whole), one)
    return f"{cardinal(int(whole))} Komma {' '.join(DE.digits[int(d)] for d in part)}"


def year(number: int) -> str:
    """Return a year in words: 1999 is counted in hundreds, 2026 is not."""
    if 1100 <= number <= 1999:
        words: str = num2words(number, lang="de", to="year")
        return words
    return cardinal(number)


def _full_year(written: str) -> int:
    number = int(written)
    if len(written) > 2:
        return number
    return number + (1900 if number >= 70 else 2000)


def _case(before: str) -> str:
    """Return the ending of an ordinal after these words; "er" where no article or preposition rules it."""
    words = re.findall(r"\w+(?=\s)", before[-40:].lower()) if before[-1:].isspace() else []
    last = words[-1] if words else ""
    if last in {"und", "oder"} and len(words) > 1:
        last = "am" if words[-2].endswith("ten") else ""
    if last in _WEAK or (last == "der" and len(words) > 1 and words[-2] in _AFTER_DER):
        return "en"
    if last in {"der", "die", "das", "ihre", "unsere", "eine", "jede", "diese", "dieser", "dieses", "jeder"}:
        return "e"
    return "er"


def _date(found: Match[str]) -> str:
    weekday, day, month = found["weekday"], int(found["day"]), _month(found["month"])
    if not (1 <= day <= 31 and month):
        return found[0]
    ending = _case(found.string[: found.start()])
    if weekday:
        article, ending = ("den", "en") if ending == "en" else ("der", "e")
        start = f"{weekday}, {article} {ordinal(day, ending)}"
    else:
        start = ordinal(day, ending)
    words = f"{start} {MONTHS[month - 1]}"
    if found["year"]:
        words += " " + year(_full_year(found["year"]))
    return words + _stop(found)


def _stop(found: Match[str]) -> str:
    """Keep the full stop where the date's own dot also ended the sentence."""
    after = found.string[found.end() :]
    ends = not after.strip() or re.match(r"\s+(?!Uhr|um|ab|von)[A-ZÄÖÜ]", after)
    return "." if found[0].endswith(".") and ends else ""


def _month(written: str) -> int:
    """Return 1..12 for "11", "Nov." or "November", 0 for anything else."""
    if written.isdecimal():
        return int(written) if 1 <= int(written) <= 12 else 0
    word = written.rstrip(".").lower()
    names = [name.lower() for name in MONTHS]
    return names.index(word) + 1 if word in names else _MONTH_ABBREVIATIONS.get(word, 0)


def _iso_date(found: Match[str]) -> str:
    day, month = int(found[3]), int(found[2])
    if not (1 <= day <= 31 and 1 <= month <= 12):
        return found[0]
    return f"{ordinal(day, _case(found.string[: found.start()]))} {MONTHS[month - 1]} {year(int(found[1]))}"


def _date_range(found: Match[str]) -> str:
    return f"{ordinal(int(found[1]), 'en')} bis {found[2]}" if 1 <= int(found[1]) <= 31 else found[0]


def _two_dates(found: Match[str]) -> str:
    ending = _case(found.string[: found.start()])
    return f"{ordinal(int(found[1]), ending)} {found[2]} " if 1 <= int(found[1]) <= 31 else found[0]


def _half(found: Match[str]) -> str:
    ending = next((e for e, nouns in _HALVES.items() if found[1] in nouns.split()), "")
    return f"ein{'e' if ending == 'e' else ''} halb{ending} {found[1]}" if ending else f"einhalb {found[1]}"


def _dotted(found: Match[str]) -> str:
    """Read a version or a section: "2.10" is "zwei Punkt zehn"."""
    return " Punkt ".join(quantity(part) for part in found[0].split("."))


def clock(hour: str, minute: str | None) -> str:
    """Read a time of day: "vierzehn Uhr dreißig"."""
    words = f"{cardinal(int(hour), 'ein')} Uhr"
    return f"{words} {cardinal(int(minute))}" if minute and int(minute) else words


def _time_range(found: Match[str]) -> str:
    first = clock(found[1], found[2]) if found[2] else cardinal(int(found[1]))
    return f"{first} bis {clock(found[3], found[4])}"


def _time_with_seconds(found: Match[str]) -> str:
    return f"{clock(found[1], found[2])} und {cardinal(int(found[3]), 'eine')} Sekunden"


def _money(found: Match[str]) -> str:
    unit, part, parts = _MONEY[(found["before"] or found["after"]).lower()]
    sign = "minus " if found["sign"] else ""
    whole = found["whole"].replace(".", "")
    cents = int(found["cents"]) if (found["cents"] or "").isdecimal() else 0
    if len(whole) > 12:
        return f"{sign}{spell(whole, DE)} {unit}"
    if int(whole) == 0 and cents:
        return f"{sign}{cardinal(cents, 'ein')} {part if cents == 1 else parts}"
    words = f"{sign}{cardinal(int(whole), 'ein')} {unit}"
    return f"{words} {cardinal(cents)}" if cents else words


def _cents(found: Match[str]) -> str:
    return f"{quantity(found[1], 'ein')} Cent"


def _measured(found: Match[str]) -> str:
    sign = "minus " if found["sign"] else ""
    for written, (single, several) in _UNITS.items():
        if re.fullmatch(written, found["unit"]):
            if written.startswith("x"):
                return _times(found["number"])
            if found["number"] == "1":
                return sign + single
            one = single.split()[0]
            return f"{sign}{quantity(found['number'], one)} {_inflected(several, found['unit'])}"
    return found[0]


def _times(number: str) -> str:
    words = quantity(number, "ein")
    return words + ("mal" if "," not in number and len(words) < 12 else " mal")


def _inflected(several: str, written: str) -> str:
    return written if written.startswith("Tage") else several


def _numbered(found: Match[str]) -> str:
    """Read the number of an order, a customer, a room: long ones digit by digit."""
    value = found[3]
    short = value.isdecimal() and len(value) <= 3 and not value.startswith("0")
    return f"{found[1]}{found[2]}{cardinal(int(value)) if short else spell(value, DE)}"


def _secret(found: Match[str]) -> str:
    return f"{found[1]}{found[2]}{spell(found[3], DE)}"


def _phone(found: Match[str]) -> str:
    digits = sum(c.isdecimal() for c in found[0])
    return spell(found[0], DE) if digits >= 6 else found[0]


def _ordinal(found: Match[str]) -> str:
    noun, number = found[2], int(found[1])
    before = found.string[: found.start()]
    ending = _case(before)
    if ending == "er":
        ending = _NOUNS.get(noun, "er" if _POSSESSIVE.search(before) else "")
    return f"{ordinal(number, ending)} {noun}" if ending and number else found[0]


def _ordinal_after_article(found: Match[str]) -> str:
    if _case(found.string[: found.start()]) == "er" or not 0 < int(found[1]) < 1000:
        return found[0]
    return ordinal(int(found[1]), _case(found.string[: found.start()]))


def _plain(found: Match[str]) -> str:
    """Read a number that nothing explains: up to four digits counted, longer or with a leading zero spelled."""
    sign, written = found[1] or "", found[2]
    whole = written.split(",")[0]
    if "." not in written and (len(whole) > 4 or (len(whole) > 1 and whole.startswith("0"))):
        return f"{'minus ' if sign else ''}{spell(written, DE)}"
    if written.isdecimal() and 1900 <= int(written) <= 1999:
        return year(int(written))
    return ("minus " if sign else "") + quantity(written)


def _number_plate(found: Match[str]) -> str:
    return f"{' '.join(found[1])}, {' '.join(found[2])}, {spell(found[3], DE)}"


def _mixed(found: Match[str]) -> str:
    """Read "B12" as a name with a number, "COVID-19" as a word, "AB12-X9" letter by letter."""
    word = re.fullmatch(r"([A-Z]{4,})-?(\d{1,3})", found[0])
    if word and set(word[1]) & set("AEIOU"):
        return f"{word[1].capitalize()} {cardinal(int(word[2]))}"
    simple = re.fullmatch(r"([A-Z]{1,2})(\d{1,2})|([A-Z])(\d{3})", found[0])
    if simple and simple[3]:
        return f"{simple[3]} {cardinal(int(simple[4]))}"
    if simple and not simple[2].startswith("0"):
        return f"{' '.join(simple[1])} {cardinal(int(simple[2]))}"
    return spell(found[0], DE)


def _capitals(found: Match[str]) -> str:
    word = found[0]
    if word in _AS_WORDS:
        return _AS_WORDS[word]
    consonants = 2 <= len(word) <= 5 and not set(word) & set("AEIOUÄÖÜY")
    # engines spell what is written in capitals: JA is a word
    return " ".join(word) if word in _LETTERED or consonants else word.capitalize()


def _weekday(found: Match[str]) -> str:
    return _WEEKDAYS[found[1]]


def _second_weekday(found: Match[str]) -> str:
    return found[1] + _WEEKDAYS[found[2]]


def _weekday_range(found: Match[str]) -> str:
    return f"{_WEEKDAYS[found[1]]} bis {_WEEKDAYS[found[2]]}"


def _abbreviation(written: str, words: str) -> Rule:
    """Return the rule of one abbreviation; those that often end a sentence keep its full stop."""
    last = words in {"und so weiter", "et cetera", "Mehrwertsteuer", "unter anderem"}
    tail = r"(?:(?<=\.)(?=(\s+[A-ZÄÖÜ]|\s*$))|)" if last else "()"
    pattern = re.compile(rf"(?<![\w.])(?i:{written})(?!\w){tail}")
    return pattern, (lambda m: words + "." if m[1] is not None else words) if last else words


_WEEKDAY_NAMES = "|".join(_WEEKDAYS.values())
_WEEKDAY_SHORT = "|".join(_WEEKDAYS)
_MONTH_NAMES = "|".join([*MONTHS, *(f"{m.capitalize()}\\.?" for m in _MONTH_ABBREVIATIONS)])
_UNIT_NAMES = "|".join(_UNITS)
_MONEY_NAMES = r"€|EUR|Euro|\$|USD|£|GBP|CHF"
_CODE_VALUE = r"((?:[A-Z]{1,4}-?)?\d[\dA-Z]*(?:[ /-]?\d[\dA-Z]*)*)(?!\w)"
_AMOUNT = r"(?P<whole>\d{1,3}(?:\.\d{3})+|\d+)(?:[.,](?P<cents>\d{2}|--?|–|—)(?!\d))?"


def _compiled(*table: tuple[str, str | Callable[[Match[str]], str]]) -> list[Rule]:
    return [(re.compile(pattern), words) for pattern, words in table]


RULES: tuple[Rule, ...] = (
    *_compiled(
        # names of people and places
        (rf"(?<!\w)({_WEEKDAY_SHORT})\.?\s?[-–]\s?({_WEEKDAY_SHORT})\b\.?", _weekday_range),
        (
            rf"(?<!\w)({_WEEKDAY_SHORT})\.?(?=\s?(?:,|/|und|u\.|bis|oder)\s?(?:{_WEEKDAY_SHORT})(?!\w))",
            _weekday,
        ),
        (
            rf"((?:{_WEEKDAY_NAMES})(?:,|/|\sund|\su\.|\sbis|\soder)\s?)({_WEEKDAY_SHORT})\b\.?",
            _second_weekday,
        ),
        (rf"(?<!\w)({_WEEKDAY_SHORT})\.(?=,?\s*(?:\d|den|ab|von|um|und|bis))", _weekday),
        (rf"(?<!\w)({_WEEKDAY_SHORT})(?=,?\s*\d)", _weekday),
        (r"(?<!\w)Fr\.(?=\s*(?:Dr|Prof|[A-ZÄÖÜ][a-zäöüß]))", "Frau"),
        (r"(?<!\w)St\.(?=\s?[A-ZÄÖÜ])", "Sankt"),
        (r"(?<=[A-Za-zäöüß])str\.", "straße"),
        (r"(?<!\w)Str\.", "Straße"),
        (r"(\w)[*:_](innen|in)(?!\w)", r"\1 \2"),
        (r"(?i)(?<!\w)kd\.?-?nr\.?(?!\w)", "Kundennummer"),
        (r"(?i)(?<!\w)tel\.-?nr\.", "Telefonnummer"),
        (r"(?i)(?<!\w)(\w{3,})-?nr\.", r"\1nummer"),
        (r"(?i)(?<!\w)Nr(?=\s?\d)", "Nr."),
        (r"(?<=\d)(?:,-{1,2}|,–|,—)(?=\s?(?:€|EUR|Euro))", ""),
    ),
    *_compiled(
        # what has its own form is read before what is only a number
        (r"(?<![\w-])([A-ZÄÖÜ]{1,3})-([A-Z]{1,2}) ?(\d{1,4}[EH]?)(?!\w)", _number_plate),
        (rf"(?<=\d)\s?[-–]\s?(?={_PLAIN_NUMBER}\s?(?:{_MONEY_NAMES}|%|Cent|Prozent))", " bis "),
        (r"(?<=[€%])\s?[-–]\s?(?=\d)", " bis "),
        (r"(?i)(?<!\w)(Fax|Durchwahl|DW)(:?\s?)-(\d+)(?!\w)", _secret),
        (rf"(?<![\w.])(\d+)\.(\d)(?=\s?(?:{_UNIT_NAMES})(?!\w))", r"\1,\2"),
        (
            r"(?i)(?<!\w)(IBAN|PIN|P\.I\.N\.|TAN|\w*Code|\w*Kennwort|\w*Passwort|BIC)"
            r"(\s*(?:lautet|ist|:|=)?:?\s*)" + _CODE_VALUE.replace("A-Z", "A-Za-z"),
            _secret,
        ),
        (
            r"(?i)(?<!\w)(Nr\.|\w*nummer|Aktenzeichen|Az\.|Ticket|Postleitzahl|PLZ)"
            r"(\s*(?:lautet|ist|:|=)?:?\s*#?)" + _CODE_VALUE.replace("A-Z", "A-Za-z"),
            _numbered,
        ),
        (
            r"(?<![\w.,])(\d{4,10})(?=\s+(?:ist|lautet)\s+(?:Ihr|dein|der|die|Dein))",
            lambda m: spell(m[1], DE),
        ),
        (r"(?i)(?<!\w)Nr\.", "Nummer"),
        (
            rf"(?<![\w.,])(?P<sign>[-−])?(?P<before>€|EUR|\$|USD|£|CHF)\s?(?P<after>){_AMOUNT}(?![\w])",
            _money,
        ),
        (
            rf"(?<![\w.,])(?P<sign>(?<!\d)[-−])?{_AMOUNT}\s?(?P<before>)(?P<after>(?i:{_MONEY_NAMES}))(?!\w)",
            _money,
        ),
        (rf"(?<![\w.,])({_NUMBER})\s?(?:Cent|ct\.?|Ct\.?)(?!\w)", _cents),
        # times of day
        (rf"{_FREE}{_CLOCK}:([0-5]\d):([0-5]\d)(?:\s?Uhr)?(?![\w:])", _time_with_seconds),
        (
            rf"{_FREE}{_CLOCK}(?:[:.]([0-5]\d))?(?:\s?Uhr)?{_TO}{_CLOCK}(?:[:.]([0-5]\d))?\s?(?:Uhr|h)(?!\w)",
            _time_range,
        ),
        (rf"{_FREE}{_CLOCK}:([0-5]\d){_TO}{_CLOCK}:([0-5]\d)(?![\w:])", _time_range),
        (rf"{_FREE}{_CLOCK}[:.]([0-5]\d)\s?(?:Uhr|h)(?!\w)", lambda m: clock(m[1], m[2])),
        (rf"{_FREE}{_CLOCK}:([0-5]\d)(?![\w:])", lambda m: clock(m[1], m[2])),
        (rf"(?<![\w,:/]){_CLOCK}\s?Uhr(?!\w)", lambda m: clock(m[1], None)),
        (rf"(?i)(?:(?<=um )|(?<=ab )|(?<=bis )){_CLOCK}\s?h(?!\w)", lambda m: clock(m[1], None)),
        # dates
        (r"(?<![\w.-])(\d{4})-(\d{2})-(\d{2})(?![\w-])", _iso_date),
        (
            rf"(?<![\w.])(\d{{1,2}})\.{_TO}(\d{{1,2}}\.\s?(?:\d{{1,2}}\.|[JFMASOND]))",
            _date_range,
        ),
        (r"(?<=\d\.)\s?[-–]\s?(?=\d{1,2}\.\d{1,2}\.)", " bis "),
        (r"(?<=\.\d{4})\s?[-–]\s?(?=\d{1,2}\.\d{1,2}\.)", " bis "),
        (
            rf"(?<![\w.])(\d{{1,2}})\.\s(und|oder)\s(?=\d{{1,2}}\.\s?(?:\d{{1,2}}\.|{_MONTH_NAMES}))",
            _two_dates,
        ),
        (
            rf"(?<![\w.])(?:(?P<weekday>{_WEEKDAY_NAMES}),?\s+)?(?P<day>\d{{1,2}})\.\s?(?P<month>\d{{1,2}})\."
            r"(?P<year>\d{4}|\d{2}(?!\d))?(?!\d)",
            _date,
        ),
        (
            rf"(?<![\w.])(?:(?P<weekday>{_WEEKDAY_NAMES}),?\s+)?(?P<day>\d{{1,2}})\.\s?(?P<month>{_MONTH_NAMES})"
            r"(?!\w)(?:\s(?P<year>\d{4}))?",
            _date,
        ),
        (
            r"(?<=[ms] )(?P<weekday>)(?P<day>\d{1,2})\.(?P<month>\d{1,2})(?P<year>)(?![\w.,%€])",
            _date,
        ),
    ),
    *_compiled(
        # telephone
        (r"(?<![\w.,])(?:\+|00)\s?[1-9](?:[ \-/]?\(?\d+\)?){2,}(?!\w)", _phone),
        (r"(?<![\w.,])\(?0\d{1,5}\)?(?:\s?[/-]\s?|\s)\d[\d \-/]{2,}\d(?!\w)", _phone),
        (r"(?<![\w.,])0\d{5,}(?!\w)", _phone),
        (r"(?<![\w.,])(?:110|112|116\s?117|19\s?240)(?![\w.,]\d|\d)", lambda m: spell(m[0], DE)),
    ),
    *(_abbreviation(written, words) for written, words in _ABBREVIATIONS.items()),
    *_compiled(
        # amounts
        (r"(?<![\w.,-])\d{2,}(?:-\d+)*-0\d+(?:-\d+)*(?!\w)", lambda m: spell(m[0], DE)),
        (rf"{_FREE}({_NUMBER})\s?[-–]\s?(?=\d)(?![\d.,]+-)", r"\1 bis "),
        (
            rf"(?<![\w.,])(?P<sign>(?<!\d)[-−])?(?P<number>{_NUMBER})\s?(?P<unit>{_UNIT_NAMES})(?!\w)",
            _measured,
        ),
        (r"(?<!\w)(?:(?<![.,/])1/2|einhalb) ([A-ZÄÖÜ]\w+)", _half),
        (r"(\d+) einhalb(?!\w)", lambda m: f"{cardinal(int(m[1]), 'ein')}einhalb"),
        (r"(?<![\w.,/])1/2(?![\w/])", "einhalb"),
        (r"(?<![\w.,/])1/4(?![\w/])", "ein Viertel"),
        (r"(?<![\w.,/])3/4(?![\w/])", "drei Viertel"),
        (r"(?<![\w.,/])24/7(?![\w/])", "rund um die Uhr"),
        (r"(?<=\d)/(?:min|Min\.?|Minute)(?!\w)", " pro Minute"),
        (r"(?<=\d)/(?:h|Std\.?|Stunde)(?!\w)", " pro Stunde"),
        (r"(?i)(?<!\w)(RR|Blutdruck)(:?\s?\d{2,3})/(?=\d)", r"\1\2 zu "),
        (r"(?<=\d)/(?=\d)", " Schrägstrich "),
        (r"(?<![\w.,:])(\d{1,2}):(\d{1,2})(?![\w:])", r"\1 zu \2"),
        (r"(?<![\w.,])(\d{1,3})\.\s([A-ZÄÖÜ]\w+)", _ordinal),
        (r"(?<![\w.,])(\d{1,3})\.(?=\s[a-zäöüA-ZÄÖÜ])", _ordinal_after_article),
        (r"(?<![\w])(?=[A-Z0-9-]*[A-Z])(?=[A-Z0-9-]*\d)[A-Z0-9]+(?:-[A-Z0-9]+)*(?!\w)", _mixed),
        (r"(?<![\w.,])(?!\d{1,3}(?:\.\d{3})+(?!\d))\d{1,9}(?:\.\d{1,9}){1,4}(?![\w,])", _dotted),
        (rf"(?<![\w,])((?:(?<![\w\d])[-−])?)({_NUMBER})(?![\w])", _plain),
        (r"\d+", lambda m: f" {spell(m[0], DE)} "),
    ),
    *_compiled(
        # signs
        (r"(?i)\bmax\.", "maximal"),
        (r"(?i)\bmin\.", "mindestens"),
        (r"(?<!\w)[A-ZÄÖÜ]{2,}(?!\w)", _capitals),
        (r"\s?&\s?", " und "),
        (r"§§?", " Paragraf "),
        (r"\b(und|oder)/(und|oder)\b", r"\1 \2"),
        (r"(?<=Euro)\s?/\s?(?=[A-Z])|(?<=Cent)/(?=[A-Za-z])|(?<=mol)/(?=\w)", " pro "),
        (r"(?<=\w)\s?/\s?(?=\w)", " oder "),
        (r"(?<!\w)\+(?=\s?\w)|(?<=\s)\+(?=\s)", " plus "),
        (r"=", " gleich "),
        (r"%", " Prozent "),
        (r"€", " Euro "),
        (r"°", " Grad "),
        (r"@", " ät "),
        (r"#(?=\w)", ""),
    ),
)

UNREADABLE = "Die Nachricht enthält keinen Text, der sich vorlesen lässt."
PICTURES = "Die Nachricht besteht nur aus Bildzeichen."
EMOJI = {
    "👍": "Daumen hoch",
    "👎": "Daumen runter",
    "❤": "Herz",
    "♥": "Herz",
    "💙": "Herz",
    "💚": "Herz",
    "💛": "Herz",
    "💜": "Herz",
    "😘": "Kuss",
    "💋": "Kuss",
    "🎂": "Geburtstagskuchen",
    "🌹": "Rose",
    "💐": "Blumenstrauß",
    "🌷": "Tulpe",
    "🍀": "Glücksklee",
    "🎄": "Weihnachtsbaum",
}
LESS, MORE, HEART = "weniger als", "mehr als", "Herz"
