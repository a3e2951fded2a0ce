"""Digits, codes, phone numbers, web and e-mail addresses: what is read character by character."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby

_GROUP = 3
_LONG_PATH = 20


@dataclass(frozen=True)
class Alphabet:
    """The words of one language for single characters and for the parts of an address."""

    digits: tuple[str, ...]
    signs: Mapping[str, str]
    web_address: str
    """Stands for an address too long to be read; {host} is its spoken host."""
    endings: Mapping[str, str]
    """Top-level domains that are not read letter by letter."""


DE = Alphabet(
    ("null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun"),
    {"@": "ät", ".": "Punkt", "-": "Bindestrich", "_": "Unterstrich", "+": "plus", "/": "Schrägstrich"},
    "eine lange Internetadresse bei {host}",
    {"com": "komm", "info": "Info", "org": "org", "net": "net", "example": "Example"},
)
EN = Alphabet(
    ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    {"@": "at", ".": "dot", "-": "dash", "_": "underscore", "+": "plus", "/": "slash"},
    "a long web address at {host}",
    {"com": "com", "info": "info", "org": "org", "net": "net", "example": "example"},
)

TOP_LEVEL = "de|com|org|net|info|eu|at|ch|uk|io|app|me|gle|ly|berlin|hamburg|koeln|example|test"
_HOST = rf"(?:[a-z0-9äöü](?:[a-z0-9äöü-]{{0,40}}[a-z0-9äöü])?\.){{1,4}}(?:{TOP_LEVEL})(?![\w-])"
EMAIL = re.compile(rf"(?:mailto:)?([\w.+-]{{1,64}})@({_HOST})", re.IGNORECASE)
WEB = re.compile(
    rf"(?:https?://(?:www\.)?([^\s/?#<>]{{1,100}})|(?<![\w@.-])(?:www\.)?({_HOST}))(?::\d+)?"
    r"((?:[/?#][^\s<>]*)?)",
    re.IGNORECASE,
)


def spell(code: str, abc: Alphabet) -> str:
    """Read a code, PIN or phone number digit by digit and letter by letter, a pause after each group."""
    groups: list[str] = []
    for word in re.findall(r"[^\W_]+|\+", code):
        for kind, run in groupby(word, lambda c: "digit" if c.isdecimal() else "letter"):
            characters = list(run)
            groups += _groups(characters) if kind == "digit" else [" ".join(characters)]
    read = [" ".join(_character(c, abc) for c in group.split(" ")) for group in groups]
    return ", ".join(read).replace(f"{abc.signs['+']}, ", f"{abc.signs['+']} ")


def _groups(digits: list[str]) -> list[str]:
    """Cut a long run of digits into threes, the last of two to four: "2312555" is read 231, 2555."""
    if len(digits) <= _GROUP + 1:
        return [" ".join(digits)]
    return [" ".join(digits[:_GROUP]), *_groups(digits[_GROUP:])]


def _character(char: str, abc: Alphabet) -> str:
    if char.isdecimal():
        return abc.digits[int(char)]
    return abc.signs.get(char, char.upper() if len(char.upper()) == 1 else char)


def email(local: str, host: str, abc: Alphabet) -> str:
    """Read an e-mail address: known words as words, signs by their names."""
    return f"{_words(local, abc)} {abc.signs['@']} {_host(host, abc)}"


def web(host: str, path: str, abc: Alphabet) -> str:
    """Read a web address; of a long one only where it leads, for nobody can write it down."""
    path, stop = re.fullmatch(r"(.*?)([.,;:!?)\]]*)", path, re.DOTALL).groups()  # type: ignore[union-attr]
    spoken = _host(host.rstrip(".,;:!?)"), abc)
    tail = path.strip("/")
    if len(tail) > _LONG_PATH or re.search(r"[^\w/.-]", tail):
        return abc.web_address.format(host=spoken) + stop
    if not tail:
        return spoken + stop
    return f"{spoken} {abc.signs['/']} {_words(tail, abc)}{stop}"


def _host(host: str, abc: Alphabet) -> str:
    name, _, ending = host.rpartition(".")
    read = abc.endings.get(ending.lower(), " ".join(ending.upper()) if len(ending) < 3 else ending)
    return f"{_words(name, abc)} {abc.signs['.']} {read}" if name else _words(host, abc)


def _words(text: str, abc: Alphabet) -> str:
    parts = re.findall(r"\d+|[^\W\d_]+|[@._+/-]", text)
    return " ".join(spell(p, abc) if p.isdecimal() else abc.signs.get(p, p) for p in parts)
