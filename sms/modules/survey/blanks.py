"""Texts to people for whom a placeholder has no value: no hole is left where it stood."""

import re
from collections.abc import Mapping
from typing import Any


def without(text: str, fields: Mapping[str, Any] | None) -> str:
    """Return a text without the placeholders whose value is empty: "Guten Tag {name}, gut?" is "Guten Tag, gut?".

    Where a line began with one, what follows begins it: "{name}, wie war es?" is "Wie war es?".
    """
    for name in (name for name, value in (fields or {}).items() if value == ""):
        written = r"\s+".join(map(re.escape, name.split()))
        hole = rf"[ \t]*(?<!\{{)\{{[ \t]*{written}[ \t]*\}}(?!\}})"
        text = re.sub(rf"^{hole}[ \t,;:!–-]*(\w?)", _begins, text, flags=re.IGNORECASE | re.MULTILINE)
        text = re.sub(hole, "", text, flags=re.IGNORECASE)
    return text


def _begins(found: re.Match[str]) -> str:
    return found[1].upper()
