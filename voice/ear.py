"""Text for the eye into words for the ear, German and English."""

import re
import unicodedata

from voice import language

_SILENT = {
    "de": "Die Nachricht enthält keinen vorlesbaren Text.",
    "en": "The message contains no text that can be read out.",
}


def prepare(text: str, locale: str) -> str:
    """Return the words to speak; never empty, never with < or >."""
    lang = language(locale)
    words = unicodedata.normalize("NFC", text).replace("<", " ").replace(">", " ")
    words = words.replace("Sprach-SMS", "Sprach-S M S")
    words = "\n\n".join(p for p in (" ".join(x.split()) for x in re.split(r"\n\s*\n", words)) if p)
    return words if any(c.isalnum() for c in words) else _SILENT[lang]
