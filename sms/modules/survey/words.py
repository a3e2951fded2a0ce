"""What a survey says by itself where the owner has left the words empty, in the recipient's language. Pure data."""

import re
from typing import TYPE_CHECKING

from sms.gsm.segments import MAX_CHARACTERS

if TYPE_CHECKING:
    from sms.modules.survey.flow import Question

LONGEST_BEGINNING = 60
"""Characters of a text that stands for the whole of it, in lists and on chips."""

_SORRY = {
    "de": "Das haben wir leider nicht verstanden.",
    "en": "Sorry, we did not understand that.",
}
_HOW = {
    "de": {
        "yesno": "Bitte antworten Sie mit JA oder NEIN.",
        "choice": "Bitte antworten Sie mit einer Zahl: {options}.",
        "multichoice": "Bitte antworten Sie mit einer oder mehreren Zahlen: {options}.",
        "scale": "Bitte antworten Sie mit einer Zahl von {least} bis {most}.",
        "number": "Bitte antworten Sie mit einer Zahl{unit}.",
        "number_between": "Bitte antworten Sie mit einer Zahl von {least} bis {most}{unit}.",
        "date": "Bitte antworten Sie mit einem Datum wie 24.12.",
        "text": "Bitte antworten Sie mit ein paar Worten.",
    },
    "en": {
        "yesno": "Please reply YES or NO.",
        "choice": "Please reply with a number: {options}.",
        "multichoice": "Please reply with one or more numbers: {options}.",
        "scale": "Please reply with a number from {least} to {most}.",
        "number": "Please reply with a number{unit}.",
        "number_between": "Please reply with a number from {least} to {most}{unit}.",
        "date": "Please reply with a date like 24 December.",
        "text": "Please reply with a few words.",
    },
}
_REMINDER = {
    "de": "Kurze Erinnerung an unsere Frage: {text}",
    "en": "A short reminder of our question: {text}",
}


def language(locale: str) -> str:
    """Return the language in which an account's recipients are spoken to: de or en."""
    return "en" if locale.startswith("en") else "de"


def ask_again(question: "Question", locale: str) -> str:
    """Return what is said after an unclear answer: that it was not understood, and what would be."""
    how = _HOW[language(locale)]
    least, most = question.bounds
    bounded = question.type == "number" and least is not None and most is not None
    hint = how["number_between" if bounded else question.type].format(
        options=", ".join(f"{n} {option}" for n, option in enumerate(question.options, 1)),
        least=_end(least, question.low, locale),
        most=_end(most, question.high, locale),
        unit=f" ({question.unit})" if question.unit else "",
    )
    return _cut(f"{_SORRY[language(locale)]} {_doubled(hint)}")


def reminder(question: "Question", locale: str) -> str:
    """Return a reminder of the question that waits."""
    return _cut(_REMINDER[language(locale)].replace("{text}", question.text))


def _end(number: object, meaning: str, locale: str) -> str:
    """Return an end of what can be answered, with the owner's words for it: 1 (sehr)."""
    return f"{_shown(number, locale)} ({meaning})" if meaning else _shown(number, locale)


def _shown(number: object, locale: str) -> str:
    text = "" if number is None else str(number)
    return text.replace(".", ",") if language(locale) == "de" else text


def _doubled(text: str) -> str:
    """Keep braces of an option from being read as a placeholder."""
    return re.sub(r"(\{[^{}\r\n]{1,80}\})", r"{\1}", text)


def _cut(text: str) -> str:
    return text if len(text) <= MAX_CHARACTERS else text[: MAX_CHARACTERS - 1] + "…"


def beginning(text: str) -> str:
    """Return a text on one line, cut after a word with "…" where it has more than 60 characters."""
    line = " ".join(text.split())
    if len(line) <= LONGEST_BEGINNING:
        return line
    kept = line[:LONGEST_BEGINNING]
    # A single word of that length has no better place to be cut.
    whole = kept.rpartition(" ")[0] or kept[:-1]
    return whole.rstrip(" ,;:–-") + "…"


_YES_NO = {"de": {"yes": "Ja", "no": "Nein"}, "en": {"yes": "Yes", "no": "No"}}
_UNCLEAR = {"de": "unklar", "en": "unclear"}
_NONE = {"de": "nichts davon", "en": "none of them"}


def shown(question: "Question", value: str | None, locale: str) -> str:
    """Return a stored value as a person reads it: Ja, the text of a choice, 24.12.2026, 3,5 km; None is unclear."""
    tongue = language(locale)
    if value is None:
        return _UNCLEAR[tongue]
    if question.type == "yesno":
        return _YES_NO[tongue].get(value, value)
    if question.type in ("choice", "multichoice"):
        return ", ".join(_option(question, each, tongue) for each in value.split(","))
    if question.type == "date" and tongue == "de":
        return ".".join(reversed(value.split("-")))
    if question.type == "number":
        return f"{_shown(value, locale)} {question.unit}".strip()
    return _on_scale(question, value) if question.type == "scale" else beginning(value)


def _on_scale(question: "Question", value: str) -> str:
    least, most = question.bounds
    meaning = {str(least): question.low, str(most): question.high}.get(value, "")
    return f"{value}, {meaning}" if meaning else value


def _option(question: "Question", value: str, tongue: str) -> str:
    if value == "0":
        return _NONE[tongue]
    at = int(value) - 1 if value.isascii() and value.isdigit() else -1
    return question.options[at] if 0 <= at < len(question.options) else value
