"""Text for the eye into words for the ear, German and English.

The order: one form of Unicode, addresses, then the language's own table (`ear_de`, `ear_en`), then whatever sign
is left over. The result holds no digit, no `<` and no `>`, and it is never empty.
"""

import re
import unicodedata
from types import ModuleType

from voice import ear_de, ear_en, language, spelling

_TABLES: dict[str, ModuleType] = {"de": ear_de, "en": ear_en}
_ALPHABETS = {"de": spelling.DE, "en": spelling.EN}

_FRACTIONS = {
    "de": {"½": "einhalb", "¼": "ein Viertel", "¾": "drei Viertel"},
    "en": {"½": "and a half", "¼": "a quarter", "¾": "three quarters"},
}
"""NFKC would make "1½" into 11/2."""

_SMILEY = re.compile(r"(?<![\w:])(?:[:;=8][-'o]?[)(\]\[DPpO*/|3\\]|\^\^|[xX]D)(?!\w)")
_HEART = re.compile(r"<3+(?!\s?[\d%€$°,.]\d?|\s?(?:kg|g|mg|l|ml|m|cm|km|h|x)\b)")
_LESS, _MORE = re.compile(r"<\s?(?=\d)"), re.compile(r">\s?(?=\d)")
_BULLET = re.compile(r"(?m)^\s*[-–—*•·]+\s+")
_ARROW = re.compile(r"-+>|=+>|<-+|<=+|[←-⇿➔-➾]")
_LINE_END = re.compile(r"(?<![.!?:;,\s])[ \t]*\n")
_PARAGRAPHS = re.compile(r"\n[^\S\n]*\n\s*")
_SPEAKABLE = frozenset("LMN")
_PUNCTUATION = ".,!?;:-'’"


def prepare(text: str, locale: str) -> str:
    """Return the words to speak, paragraphs kept apart by a blank line; never empty, never with < or >."""
    lang = language(locale)
    clean = _one_form(text, lang)
    spoken = [_paragraph(p, lang) for p in _PARAGRAPHS.split(clean)]
    words = "\n\n".join(p for p in spoken if p)
    return words or _instead(clean, lang)


def readable(text: str, locale: str) -> str:
    """Return the text, or where nothing in it can be read aloud, a sentence that says so."""
    lang = language(locale)
    clean = _one_form(text, lang)
    return text if any(_paragraph(p, lang) for p in _PARAGRAPHS.split(clean)) else _instead(clean, lang)


def _instead(clean: str, lang: str) -> str:
    table = _TABLES[lang]
    pictures = any(unicodedata.category(c) == "So" for c in clean) or _SMILEY.search(clean)
    phrase: str = table.PICTURES if pictures else table.UNREADABLE
    return phrase


def _one_form(text: str, lang: str) -> str:
    """Return one spelling of each character: no control characters, no half surrogates, fancy letters plain."""
    text = re.sub(r"\r\n?|[\u2028\u2029\v\f\x85]", "\n", text)
    for sign, words in _FRACTIONS[lang].items():
        text = re.sub(rf"\s?{sign}", f" {words}", text)
    # NFKC would read m² as m2: the unit tables know that spelling
    text = unicodedata.normalize("NFKC", text)
    return "".join(
        c for c in text if c == "\n" or unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Co", "Cn"}
    )


def _paragraph(text: str, lang: str) -> str:
    table = _TABLES[lang]
    text = _LINE_END.sub(".\n", _BULLET.sub("", text.strip()))
    text = _addresses(text, lang)
    text = _pictures(text, lang)
    for pattern, words in table.RULES:
        text = pattern.sub(words, text)
    text = _tidy("".join(map(_sign, text)))
    return text if any(unicodedata.category(c)[0] in "LN" for c in text) else ""


def _addresses(text: str, lang: str) -> str:
    abc = _ALPHABETS[lang]
    text = spelling.EMAIL.sub(lambda m: spelling.email(m[1], m[2], abc), text)
    return spelling.WEB.sub(lambda m: spelling.web(m[1] or m[2], m[3], abc), text)


def _pictures(text: str, lang: str) -> str:
    """Speak the few emoji that carry a meaning, drop faces and ornaments."""
    table = _TABLES[lang]
    text = _HEART.sub(f" {table.HEART} ", text)
    text = _ARROW.sub(", ", _SMILEY.sub(" ", text))
    text = _MORE.sub(f" {table.MORE} ", _LESS.sub(f" {table.LESS} ", text))
    for sign, words in table.EMOJI.items():
        # three thumbs are one thumb
        text = re.sub(rf"(?:{sign}[\uFE0F\U0001F3FB-\U0001F3FF]*\s*)+", f" {words} ", text)
    return text


def _sign(char: str) -> str:
    """Return a character as an engine may see it: letters, marks and plain punctuation; the rest is a pause."""
    if unicodedata.category(char)[0] in _SPEAKABLE or char in _PUNCTUATION:
        return char
    if char in "–—":
        return ", "
    if char in "()[]{}|•·…":
        return ", "
    return " "


def _tidy(text: str) -> str:
    """Close the gaps: one space between words, one mark at a time, none at the start."""
    text = " ".join(text.split())
    text = re.sub(r"\s+([.,!?;:])", r"\1", text)
    text = re.sub(r"[,;:]+(?=[.,!?;:])", "", text)
    text = re.sub(r"([.!?])[.,!?;:]+", r"\1", text)
    text = re.sub(r"-{2,}|\s-\s", ", ", text)
    return " ".join(
        re.sub(r"(?<!\w)-(?=\w)|(?<=\w)-(?!\w)|(?<!\w)'+|'+(?!\w)", " ", text).strip(" ,;:-").split()
    )
