"""Folding of text for search, so that "mueller", "MÜLLER" and "Mu\u0308ller" are one word.

The written-out form is the common one: whoever types "muller" does not find "Müller", but "neue" stays
findable, which the other way round ("ue" -> "u") would mix up with "nue".
"""

import re
import unicodedata

_LETTERS = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "æ": "ae", "œ": "oe", "ø": "oe", "ł": "l", "đ": "d", "ı": "i"}
)
# Accents, and what is there but not seen: soft hyphen, zero width, direction marks.
_unseen = re.compile("[\u0300-\u036f\u00ad\u200b-\u200f\u2060\ufeff]")


def fold(text: str) -> str:
    """Return the text in its search form: casefolded, umlauts as ae oe ue, ß as ss, no accents."""
    if text.isascii():
        return text.lower()
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    text = unicodedata.normalize("NFKD", text.translate(_LETTERS))
    return unicodedata.normalize("NFC", _unseen.sub("", text))
