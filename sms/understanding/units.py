"""Units that people name beside a number, and what one is in another: "2,5 Stunden" are 150 minutes."""

from decimal import Decimal
from typing import NamedTuple

from sms.understanding.tokens import fold


class _Unit(NamedTuple):
    """What is measured, and how many of its smallest unit this one is."""

    kind: str
    size: Decimal


_NAMES = {
    ("time", "1"): "s sek sec sekunde sekunden second seconds",
    ("time", "60"): "min mins minute minuten minutes",
    ("time", "3600"): "h std stunde stunden hour hours",
    ("time", "86400"): "tag tage tagen day days",
    ("time", "604800"): "woche wochen week weeks",
    ("months", "1"): "monat monate monaten month months",
    ("months", "12"): "jahr jahre jahren year years",
    ("mass", "0.001"): "mg",
    ("mass", "1"): "g gr gramm",
    ("mass", "500"): "pfund",
    ("mass", "1000"): "kg kilo kilos kilogramm",
    ("mass", "1000000"): "t tonne tonnen",
    ("length", "1"): "mm millimeter",
    ("length", "10"): "cm zentimeter",
    ("length", "100"): "dm",
    ("length", "1000"): "m meter metern",
    ("length", "1000000"): "km kilometer kilometern",
    ("volume", "1"): "ml milliliter",
    ("volume", "10"): "cl",
    ("volume", "100"): "dl",
    ("volume", "1000"): "l liter",
    ("euro", "1"): "€ eur euro euros",
    ("franc", "1"): "chf franken",
    ("dollar", "1"): "$ usd dollar dollars",
    ("pound sterling", "1"): "£ gbp pounds",
    ("percent", "1"): "% prozent percent",
    ("degree", "1"): "° grad c celsius",
    ("people", "1"): "person personen people persons leute mann teilnehmer",
    ("child", "1"): "kind kinder kindern children kids",
    ("guest", "1"): "gast gaeste guests",
    ("tablet", "1"): "tablette tabletten",
    ("point", "1"): "punkt punkte pkt points",
    ("star", "1"): "stern sterne stars",
}  # fmt: skip
_UNITS = {
    name: _Unit(kind, Decimal(size)) for (kind, size), names in _NAMES.items() for name in names.split()
}
_COUNTING = frozenset(["stueck", "stk", "st", "mal", "x", "times", "items", "pieces", "pcs"])
"""Words that count whatever is asked for."""


def factor(named: str, wanted: str) -> Decimal | None:
    """Return by what a number in `named` becomes one in `wanted`; None where they measure different things."""
    name, own = fold(named), fold(wanted)
    if name == own or name in _COUNTING:
        return Decimal(1)
    from_, to = _UNITS.get(name), _UNITS.get(own)
    if from_ is to is None:
        return Decimal(1)  # "8 Enkel" where grandchildren are asked for
    if from_ is None or to is None or from_.kind != to.kind:
        return None
    return from_.size / to.size
