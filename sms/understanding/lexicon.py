"""Words and phrases of an answer labelled by what they mean: longest phrase first, then repeated letters, then small typing errors."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sms.understanding import numerals
from sms.understanding.tokens import Token, key_of, tokens_of
from sms.understanding.words import REAL_WORDS, SPELLINGS, Table

_EMOJI = {
    "yes": "👍✅✔☑👌🆗",
    "no": "👎❌🚫✖🙅",
    "dontknow": "🤷",
    "hedge": "🤔🙄😐😕😬😏",
    "ask": "❓❔⁉",
    "star": "⭐🌟★",
    "polite": (
        "😀😃😄😁😆😅😂🤣😊☺🙂😉😌😍🥰😘😗😙😚🤗😎🤩🥳😇🙏👋🌞☀🌻🌷🌸🌹💐🌼❤🧡💛💚💙💜💕💖💗💓💞♥🎉🎊🙌👏💪🍀✨🎄🎅"
        "😢😭😞😔☹🙁😟😩🥺😥😓🙈🤒🤧🤕😷🤭🫶💯😋😜🌈🐣🤝"
    ),
}
_BY_EMOJI = {c: label for label, all_of_it in _EMOJI.items() for c in all_of_it}
_NEVER_GUESSED = frozenset(
    [
        "fill",
        "unit",
        "comma",
        "minus",
        "multiplier",
        "part",
        "half",
        "before",
        "past",
        "fixed",
        "quarter",
        "threequarters",
        "next",
        "coming",
        "feast",
        "bye",
        "verb",
        "state",
        "want",
        "request",
        "odd",
        "title",
        "good",
        "bad",
        "option",
        "neg",
        "soft",
    ]
)
"""A slip is forgiven where the word carries an answer; a filler guessed at would only hide an unknown word."""
_SHORTEST_TYPO = 5
_TWO_TYPOS = 10


@dataclass(frozen=True)
class Atom:
    """A piece of meaning: a label, its value where it has one, and the tokens it was read from."""

    label: str
    value: Any
    tokens: tuple[Token, ...]

    @property
    def glued(self) -> bool:
        return self.tokens[0].glued

    @property
    def raw(self) -> str:
        return self.tokens[0].raw

    @property
    def key(self) -> str:
        return self.tokens[0].key


class Lexicon:
    """A vocabulary: where two tables know a phrase, the later one counts."""

    def __init__(self, *tables: Table | Mapping[str, Iterable[tuple[str, Any]]]) -> None:
        self._phrases: dict[tuple[str, ...], tuple[str, Any]] = {}
        self._longest: dict[str, int] = {}
        for table in tables:
            for label, phrases in table.items():
                for phrase, value in _entries(phrases):
                    self._add(label, phrase, value)
        self._by_letter: dict[str, list[str]] = {}
        for words in self._phrases:
            if len(words) == 1 and len(words[0]) >= _SHORTEST_TYPO:
                self._by_letter.setdefault(words[0][0], []).append(words[0])
        self._guess = lru_cache(maxsize=2048)(self._nearest)

    def _add(self, label: str, phrase: str, value: Any) -> None:
        for spelling in (phrase, _without_umlauts(phrase)):
            key = tuple(spelled(key_of(word)) for word in spelling.split())
            if spelling is phrase or key not in self._phrases:
                self._phrases[key] = (label, value)
                self._longest[key[0]] = max(len(key), self._longest.get(key[0], 0))

    def atoms(self, text: str) -> list[Atom]:
        """Return the pieces of an answer in order; what nobody knows is labelled "unknown"."""
        return named(list(self._read(tokens_of(text))))

    def label(self, *words: str) -> str | None:
        """Return what a phrase, given as folded words, is labelled; None where it is not in the vocabulary."""
        found = self._phrases.get(words)
        return found and found[0]

    def _read(self, tokens: list[Token]) -> Iterator[Atom]:
        at = 0
        in_signature = False
        while at < len(tokens):
            length, label, value = self._at(tokens, at, in_signature)
            in_signature = in_signature or label == "sign"
            yield Atom(label, value, tuple(tokens[at : at + length]))
            at += length

    def _at(self, tokens: list[Token], at: int, in_signature: bool) -> tuple[int, str, Any]:
        token = tokens[at]
        if token.kind == "number":
            return 1, "figures", token.raw
        if token.kind == "emoji":
            return 1, _BY_EMOJI.get(token.key, "unknown"), None
        if token.kind == "mark":
            return 1, token.raw, None
        return self._word(tokens, at, in_signature)

    def _word(self, tokens: list[Token], at: int, in_signature: bool) -> tuple[int, str, Any]:
        words = _run(tokens, at, 9)
        if compound := _compound(words):
            return compound
        for length in range(min(self._longest.get(words[0], 0), len(words)), 0, -1):
            if found := self._phrases.get(tuple(words[:length])):
                return length, *found
        if number := _number(words):
            return number
        if in_signature:
            return 1, "unknown", None
        label, value = self._guess(words[0])
        return 1, label, value

    def _nearest(self, word: str) -> tuple[str, Any]:
        """Return what a misspelt word is: one with letters repeated, else the only one a small slip away."""
        if word in REAL_WORDS:
            return "unknown", None
        for limit in (2, 1):
            if (short := _squeezed(word, limit)) != word:
                if found := self._phrases.get((spelled(short),)):
                    return found
                if (number := numerals.cardinal(short)) is not None:
                    return "number", number
        if len(word) <= _SHORTEST_TYPO:
            return "unknown", None
        near = [w for w in self._by_letter.get(word[:1], ()) if slips(word, w) <= allowed(len(word))]
        meanings = {self._phrases[(w,)] for w in near}
        meaning = meanings.pop() if len(meanings) == 1 else ("unknown", None)
        return meaning if meaning[0] not in _NEVER_GUESSED else ("unknown", None)


def _entries(phrases: str | Iterable[tuple[str, Any]]) -> Iterable[tuple[str, Any]]:
    return [(p.strip(), None) for p in phrases.split(",")] if isinstance(phrases, str) else phrases


def spelled(key: str) -> str:
    """Return the standard spelling of a folded word."""
    return SPELLINGS.get(key, key)


def _without_umlauts(phrase: str) -> str:
    """Return how a phrase looks on a keyboard without umlauts, when dots are left out: naturlich."""
    if phrase.isascii():
        return phrase
    decomposed = unicodedata.normalize("NFD", phrase)
    return "".join(c for c in decomposed if c != "\u0308")


def _run(tokens: list[Token], at: int, most: int) -> list[str]:
    words = []
    for token in tokens[at : at + most]:
        if token.kind != "word":
            break
        words.append(spelled(token.key))
    return words


def _compound(words: list[str]) -> tuple[int, str, Any] | None:
    """Return length, label and value of a number that dictation tore apart: "ein und zwanzig"."""
    if len(words) < 3 or words[1] != "und" or not numerals.is_unit(words[0]) or not numerals.is_ten(words[2]):
        return None
    ten = numerals.cardinal(words[2]) or Decimal(0)
    return 3, "number", ten + numerals.unit_value(words[0])


def _number(words: list[str]) -> tuple[int, str, Any] | None:
    """Return length, label and value of a number in words: "zwei", "dritte", "fünfmal"."""
    first = words[0]
    if (value := numerals.cardinal(first)) is not None:
        return 1, "number", value
    if (place := numerals.ordinal(first)) is not None:
        return 1, "ordinal", place
    if (often := numerals.times(first)) is not None:
        return 1, "times", often
    return None


def _squeezed(word: str, limit: int) -> str:
    """Return the word with no letter more than `limit` times in a row: neeee -> nee, ne; noeoeoe -> noe."""
    word = _stretched_umlaut.sub(r"\1", word)
    kept: list[str] = []
    for c in word:
        if kept[-limit:] != [c] * limit:
            kept.append(c)
    return "".join(kept)


def allowed(length: int) -> int:
    """Return how many slips a word of so many letters may hold."""
    if length < _SHORTEST_TYPO:
        return 0
    return 1 if length < _TWO_TYPOS else 2


def slips(a: str, b: str) -> int:
    """Return the edit distance with swapped neighbours as one slip; a change of the first letter counts two.

    People hit a wrong key within a word; another first letter mostly makes another word (passt, hasst; un-).
    """
    if abs(len(a) - len(b)) > 2:
        return 3
    if not a or not b:
        return len(a) + len(b)
    start = [0, *(j + 1 for j in range(1, len(b) + 1))]
    before, row = start, start
    for i, x in enumerate(a, 1):
        older, before = before, row
        row = [i + 1]
        for j, y in enumerate(b, 1):
            left_out, added = before[j] + 1 + (i == 1), row[j - 1] + 1 + (j == 1)
            changed = before[j - 1] + (0 if x == y else 1 + (i == j == 1))
            cost = min(left_out, added, changed)
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
    return row[-1]


_BREAKS = frozenset([",", ".", ";", "!", "-", "\n", "polite"])
_MOST_NAMES = 4


def named(atoms: list[Atom]) -> list[Atom]:
    """Label as "name" the unknown words that can only be names: after a greeting, a title, a regards, or at the end."""
    found = list(atoms)
    signing = False
    for at, atom in enumerate(found):
        before = _before(found, at)
        signing = signing or atom.label == "sign"
        if atom.label != "unknown" or atom.tokens[0].kind != "word":
            continue
        follows = before in ("greet", "title") or (before == "name" and atom.tokens[0].capital)
        if signing or follows:
            found[at] = Atom("name", None, atom.tokens)
    return _hyphenated(_signed(found))


def _before(atoms: list[Atom], at: int) -> str:
    """Return the label before a place; the point of "Dr." does not count."""
    abbreviated = at > 1 and atoms[at - 1].label == "." and atoms[at - 2].label == "title"
    return "title" if abbreviated else atoms[at - 1].label if at else ""


def _hyphenated(atoms: list[Atom]) -> list[Atom]:
    """Count the hyphen of "Karl-Heinz" to the name."""
    found = list(atoms)
    for at in range(1, len(found) - 1):
        if found[at].label == "-" and found[at - 1].label == found[at + 1].label == "name":
            found[at] = Atom("name", None, found[at].tokens)
    return found


def _signed(atoms: list[Atom]) -> list[Atom]:
    """Label as names the last words of an answer where they are unknown, capitalised and set off: "2, Anna Müller"."""
    end = len(atoms)
    while end and atoms[end - 1].label in (".", "!", "polite", "\n"):
        end -= 1
    start = end
    while start and (
        atoms[start - 1].label == "unknown" or (atoms[start - 1].label in ("-", ".") and start < end)
    ):
        start -= 1
    while start < end and atoms[start].label in ("-", "."):
        start += 1
    run = atoms[start:end]
    words = [atom for atom in run if atom.label == "unknown"]
    if not 0 < len(words) <= _MOST_NAMES or not all(_could_be_name(atom.tokens[0]) for atom in words):
        return atoms
    if not start or atoms[start - 1].label not in _BREAKS:
        return atoms
    if atoms[start - 1].label == "." and start > 1 and atoms[start - 2].label in ("figures", "number"):
        return atoms
    return atoms[:start] + [Atom("name", "last", atom.tokens) for atom in run] + atoms[end:]


_stretched_umlaut = re.compile(r"([aou]e)\1+")
_no_name = re.compile(
    "absag|verschieb|storn|buch|verleg|termin|aender|meld|kuend|lehn|spaet|frueh|stunde|minute"
)


def _could_be_name(token: Token) -> bool:
    return token.kind == "word" and token.capital and len(token.key) > 1 and not _no_name.search(token.key)
