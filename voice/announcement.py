"""What a call says before the text, word for word."""

from voice import language
from voice.ear import readable

PARAGRAPH = "\n\n"
"""Between two paragraphs the synthesis leaves a pause; it stands between announcement and text."""

_ANONYMOUS = {
    "de": "Guten Tag. Sie haben eine Sprach-SMS erhalten, die Ihnen nun vorgelesen wird",
    "en": "Hello. You have received a voice text message, which will now be read to you",
}
_NAMED = {
    "de": "Guten Tag. Sie haben eine Sprach-SMS von {sender} erhalten, die Ihnen nun vorgelesen wird",
    "en": "Hello. You have received a voice text message from {sender}, which will now be read to you",
}


def announcement(locale: str, sender: str | None = None) -> str:
    """Return the announcement in German or English; `sender` is the spoken form of an alphanumeric sender."""
    name = " ".join((sender or "").split())
    if not name:
        return _ANONYMOUS[language(locale)]
    return _NAMED[language(locale)].format(sender=name)


def announced(locale: str, sender: str | None, text: str) -> str:
    """Return all the words of one call: announcement, paragraph break, text (or that there is none to read)."""
    return announcement(locale, sender) + PARAGRAPH + readable(text, locale)
