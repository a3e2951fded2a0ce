"""Tables as files that a spreadsheet opens and runs nothing of.

What a spreadsheet could take for a formula stays the text it is (OWASP, "CSV Injection").
"""

import csv
import io
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def as_csv(rows: Iterable[Iterable[Any]], decimal: str = ".") -> bytes:
    """Return rows as CSV: semicolons, CRLF, UTF-8 with a mark, as Excel in German expects it; no cell is a formula.

    `decimal` parts the decimals of numbers: a German Excel takes 2.5 for the second of May.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    for row in rows:
        writer.writerow([harmless(_written(cell, decimal)) for cell in row])
    return ("\ufeff" + out.getvalue()).encode("utf-8", "replace")


def _written(cell: Any, decimal: str) -> str:
    if isinstance(cell, float):
        return f"{Decimal(str(cell)):f}".replace(".", decimal)
    if isinstance(cell, datetime):
        return f"{cell:%Y-%m-%d %H:%M:%S}"
    return "" if cell is None else str(cell)


def harmless(text: str) -> str:
    """Put an apostrophe before what a spreadsheet would reckon with, unless it is a plain number."""
    if not text.lstrip(" ").startswith(_FORMULA) and not text.startswith(_FORMULA):
        return text
    return text if _is_number(text) else f"'{text}"


def _is_number(text: str) -> bool:
    digits = text.removeprefix("-").replace(",", ".").replace(".", "", 1)
    return digits.isascii() and digits.isdigit()
