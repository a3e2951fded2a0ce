"""The sentence for every code a verb or the number and text rules refuse with."""

from typing import Any

from sms import i18n


def N_(sentence: str) -> str:
    """Mark a sentence for translation where it stands; it is translated when it is said."""
    return sentence


SENTENCES = {
    "not_text": N_("This contains characters that are not text. Please type it again."),
}


def sentence(code: str, **params: Any) -> str:
    """Return what a person should read for a code, in the language of the moment; unknown codes say so plainly."""
    known = SENTENCES.get(code)
    if known is None:
        return i18n.gettext("This cannot be used (%(code)s).", code=code)
    return i18n.gettext(known, **params)
