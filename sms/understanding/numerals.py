"""Numbers in words and figures, German and English: "einundzwanzig", "dritte", "1.234,50"."""

import re
from decimal import Decimal
from functools import lru_cache

_UNITS = {
    "null": 0, "ein": 1, "eins": 1, "zwei": 2, "zwo": 2, "drei": 3, "vier": 4, "fuenf": 5, "sechs": 6, "sieben": 7,
    "acht": 8, "neun": 9, "zehn": 10, "elf": 11, "zwoelf": 12, "dreizehn": 13, "vierzehn": 14, "fuenfzehn": 15,
    "sechzehn": 16, "siebzehn": 17, "achtzehn": 18, "neunzehn": 19,
}  # fmt: skip
_TENS = {
    "zwanzig": 20, "dreissig": 30, "vierzig": 40, "fuenfzig": 50, "sechzig": 60, "siebzig": 70, "achtzig": 80,
    "neunzig": 90,
}  # fmt: skip
_ENGLISH = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
    "seventeen": 17, "eighteen": 18, "nineteen": 19,
}  # fmt: skip
_ENGLISH_TENS = {
    "twenty": 20, "thirty": 30, "forty": 40, "fourty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80,
    "ninety": 90,
}  # fmt: skip
_MISSPELT = {
    "funf": 5, "fuemf": 5, "fumf": 5, "fuef": 5, "funef": 5, "fuenfe": 5, "viere": 4, "sechse": 6, "sex": 6, "seks": 6,
    "siebn": 7, "sibn": 7, "siben": 7, "neune": 9, "zehne": 10, "zwoa": 2, "zwee": 2, "oans": 1, "eens": 1, "zwie": 2,
    "zwelf": 12, "zwolf": 12, "elfe": 11, "drai": 3, "zwai": 2, "funfzehn": 15, "dreisig": 30, "dreizig": 30,
    "sechszehn": 16, "siebenzehn": 17, "sechszig": 60, "siebenzig": 70, "funfzig": 50, "dreissg": 30,
}  # fmt: skip
_HALVES = {"anderthalb": Decimal("1.5"), "einundeinhalb": Decimal("1.5")}
_ORDINALS = {
    "erst": 1, "zweit": 2, "dritt": 3, "siebt": 7, "acht": 8,
    "first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9,
    "tenth": 10, "eleventh": 11, "twelfth": 12,
}  # fmt: skip
_ending = re.compile(r"(?:e|er|es|en|em|ens)$")
_ENGLISH_ORDINALS = frozenset(key for key in _ORDINALS if key.endswith(("th", "first", "second", "third")))
_LONGEST_FIGURES = 15


@lru_cache(maxsize=4096)
def cardinal(word: str) -> Decimal | None:
    """Return the number that a folded word is, None for any other; "ein" and "eine" are articles, not numbers."""
    if word == "ein":
        return None
    if word in _HALVES:
        return _HALVES[word]
    if word in _MISSPELT:
        return Decimal(_MISSPELT[word])
    if word.endswith("einhalb") and len(word) > 7:
        whole = _german(word[:-7])
        return None if whole is None else whole + Decimal("0.5")
    for table in (_ENGLISH, _ENGLISH_TENS):
        if word in table:
            return Decimal(table[word])
    whole = _german(word)
    return None if whole is None else Decimal(whole)


def _german(word: str) -> int | None:
    """Return the value of a German number word below a million."""
    head, found, tail = word.partition("tausend")
    if not found:
        return _below_thousand(word)
    high = 1 if not head else _below_thousand(head)
    low = 0 if not tail else _below_thousand(tail.removeprefix("und"))
    return None if high is None or low is None or high == 0 else high * 1000 + low


def _below_thousand(word: str) -> int | None:
    head, found, tail = word.partition("hundert")
    if not found:
        return _below_hundred(word)
    high = 1 if not head else _UNITS.get(head)
    low = 0 if not tail else _below_hundred(tail.removeprefix("und"))
    return None if high is None or low is None or high == 0 else high * 100 + low


def _below_hundred(word: str) -> int | None:
    if word in _UNITS:
        return _UNITS[word]
    if word in _TENS:
        return _TENS[word]
    unit, found, ten = word.partition("und")
    if not found:
        return None
    low, high = _UNITS.get(unit), _TENS.get(ten)
    return None if low is None or high is None or not 1 <= low <= 9 else high + low


@lru_cache(maxsize=4096)
def ordinal(word: str) -> int | None:
    """Return which place a folded word names ("dritte" 3, "achtundzwanzigsten" 28, "second" 2), None for any other."""
    if word in _ENGLISH_ORDINALS:
        return _ORDINALS[word]
    stem = _ending.sub("", word)
    if stem == word:
        return None
    if stem in _ORDINALS and stem not in _ENGLISH_ORDINALS:
        return _ORDINALS[stem]
    if stem.endswith("st"):
        value = _german(stem[:-2])
        return value if value is not None and value >= 20 else None
    if stem.endswith("t"):
        value = _german(stem[:-1])
        return value if value is not None and 2 <= value < 20 and value not in (3, 7, 8) else None
    return None


def times(word: str) -> Decimal | None:
    """Return how often a folded word says: "fünfmal" 5; None for any other, also for "einmal"."""
    return cardinal(word[:-3]) if word.endswith("mal") and len(word) > 3 else None


def is_ten(word: str) -> bool:
    """True for twenty, thirty ... ninety, in either language."""
    return word in _TENS or word in _ENGLISH_TENS


def is_unit(word: str) -> bool:
    """True for one to nine, in either language, "ein" included as in "ein und zwanzig"."""
    return 1 <= _UNITS.get(word, _ENGLISH.get(word, 0)) <= 9


def unit_value(word: str) -> int:
    """Return one to nine of a word for which is_unit holds."""
    return _UNITS.get(word, _ENGLISH.get(word, 0))


def figures(text: str, locale: str) -> Decimal | None:
    """Return the value of figures as the locale writes them; None where they are no number or could be two.

    "1.234,50" and "1,234.50" say themselves which mark is which; of a single mark, de takes three digits after
    a point as thousands and any after a comma as decimals, en the other way round.
    """
    if sum(c.isdigit() for c in text) > _LONGEST_FIGURES:
        return None
    text = text.replace("'", "") if re.fullmatch(r"\d{1,3}(?:'\d{3})+(?:[.,]\d+)?", text) else text
    if re.fullmatch(r"\d+", text):
        return Decimal(text)
    if re.fullmatch(r"\d{1,3}(?:\.\d{3})+,\d+", text):
        return Decimal(text.replace(".", "").replace(",", "."))
    if re.fullmatch(r"\d{1,3}(?:,\d{3})+\.\d+", text):
        return Decimal(text.replace(",", ""))
    thousands, decimals = (".", ",") if locale == "de" else (",", ".")
    if re.fullmatch(rf"[1-9]\d{{0,2}}(?:\{thousands}\d{{3}})+", text):
        return Decimal(text.replace(thousands, ""))
    if re.fullmatch(rf"\d+\{decimals}\d+", text):
        return Decimal(text.replace(",", "."))
    # A German types "1.5" on a phone's number keys; an English "1,5" may be two numbers.
    if locale == "de" and re.fullmatch(r"\d+\.\d{1,2}|0\.\d+", text):
        return Decimal(text)
    return None


def written(value: Decimal) -> str:
    """Return a decimal without superfluous zeros: 1234.50 -> "1234.5"."""
    text = f"{value:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text
