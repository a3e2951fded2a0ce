"""How easy a password is to guess: common words, runs, years and the person's own names hardly count.

A list and a few rules in place of a dictionary of megabytes: what an attacker tries first is refused
(NIST SP 800-63B, 5.1.1.2: compare with common, repeated, sequential and context-specific words).
"""

import re
import unicodedata
from collections.abc import Iterable

ENOUGH = 6
"""Independent pieces a password needs; a word of the list, a run, a year or an own name is one piece."""
SHORTEST_WORD = 3
_BETWEEN = " ._-@"
"""What joins words; it costs no guess."""

_WORDS = """
    password passwort kennwort passwd geheim secret login einloggen anmelden willkommen welcome hello hallo admin
    administrator root user benutzer gast guest test demo master super chef boss changeme letmein trustno qwerty
    qwertz asdf yxcv zxcv iloveyou love liebe ichliebedich schatz schatzi baby engel angel princess prinzessin
    sonne sunshine stern monkey dragon drache football fussball baseball basketball hockey soccer batman superman
    starwars pokemon hund hunde katze katzen pferd maus spatz summer sommer winter herbst fruehling autumn spring
    januar februar maerz april mai juni juli august september oktober november dezember montag dienstag mittwoch
    donnerstag freitag samstag sonntag monday tuesday wednesday thursday friday saturday sunday berlin hamburg
    muenchen koeln frankfurt dresden leipzig stuttgart deutschland germany bayern dortmund schalke arschloch
    ficken scheisse fuck shit michael thomas andreas stefan daniel alexander christian martin peter klaus anna
    maria julia sandra sabine claudia nicole michelle jessica ashley charlie jordan hunter shadow freedom whatever
    computer internet samsung google facebook handy telefon phone office buero praxis firma arbeit company faden
    1q2w3e4r 1q2w3e4r5t 1qay2wsx zaq12wsx sms sicher sicherheit security mein meine dein ist das the and und ich
"""
_COMMON = frozenset(_WORDS.split())
_ROWS = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "qwertzuiopasdfghjklyxcvbnm",
    "qwertyuiopasdfghjklzxcvbnm",
)
_LOOKALIKES = str.maketrans("@4301!$57", "aaeoiisst")
_year = re.compile(r"19[3-9]\d|20[0-4]\d")
_same = re.compile(r"(.)\1{2,}")


def is_easy(password: str, own: Iterable[str] = ()) -> bool:
    """Tell whether a password is one of the first that somebody would try; `own`: names, addresses of its person."""
    words = _COMMON | {word for text in own for word in _words(text)}
    plain = _folded(password)
    return min(_pieces(plain, words), _pieces(plain.translate(_LOOKALIKES), words)) < ENOUGH


def _folded(text: str) -> str:
    """Return a text without case, accents and the two ways to write an umlaut."""
    for umlaut, letters in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss")):
        text = unicodedata.normalize("NFC", text).lower().replace(umlaut, letters)
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


def _words(text: str) -> list[str]:
    return [word for word in re.findall(r"[a-z0-9]+", _folded(text)) if len(word) >= SHORTEST_WORD]


def _pieces(text: str, words: frozenset[str] | set[str]) -> int:
    """Count what has to be guessed, from left to right and longest first; what came before costs nothing again."""
    seen: set[str] = set()
    count, at = 0, 0
    while at < len(text):
        piece = _piece(text, at, words)
        if piece not in seen and piece not in _BETWEEN:
            count += 1
        seen.add(piece)
        at += len(piece)
    return count


def _piece(text: str, at: int, words: frozenset[str] | set[str]) -> str:
    """Return the longest thing at `at` that is guessed as a whole; a single character where there is none."""
    rest = text[at:]
    found = [m[0] for pattern in (_year, _same) if (m := pattern.match(rest))]
    found += [word for word in words if rest.startswith(word)]
    found += [rest[:length] for row in _ROWS if (length := _run(rest, row)) >= SHORTEST_WORD]
    return max(found, key=len, default=rest[0])


def _run(text: str, row: str) -> int:
    """Return how many characters from the start of `text` follow a row of the keyboard or the alphabet, either way."""
    longest = 0
    for line in (row, row[::-1]):
        length = 0
        while length < len(text) and text[: length + 1] in line:
            length += 1
        longest = max(longest, length)
    return longest
