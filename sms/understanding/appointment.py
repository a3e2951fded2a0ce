"""The answer to an appointment reminder: confirm, cancel or reschedule, by code word, number or in one's own words."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from sms.understanding import numerals
from sms.understanding.answer import Understood, taken, unclear
from sms.understanding.comment import without_comment
from sms.understanding.lexicon import Atom, Lexicon, spelled
from sms.understanding.tokens import key_of, tokens_of
from sms.understanding.words import APPOINTMENT, DOUBT, NEGATION, POLITE, TRAPS, YES_NO
from sms.understanding.yesno import HARMLESS, doubt_of, is_bound, is_negation

ROLES = ("confirm", "cancel", "reschedule")
DEFAULT_WORDS: Mapping[str, tuple[str, ...]] = {
    "confirm": ("JA", "1"),
    "cancel": ("NEIN", "2"),
    "reschedule": ("VERSCHIEBEN", "3"),
}
"""What a reminder offers where its rule names no words."""

_BUILT_IN = {
    "yes": "confirm", "able": "confirm", "confirm": "confirm", "no": "cancel", "cancel": "cancel", "cant": "cancel",
    "move": "reschedule", "moverequest": "reschedule",
}  # fmt: skip
_CODED = {role: f"code:{role}" for role in ROLES}
_TABLES = (TRAPS, POLITE, NEGATION, DOUBT, YES_NO, APPOINTMENT)
_PLAIN = Lexicon(*_TABLES)
_WEAK = frozenset(["yes", "no", "able"])
_SPLITS = frozenset([",", ".", ";", "!", "\n", ":"])
_BESIDE = frozenset(
    ["fill", "good", "verb", "state", "soft", "doch", "want", "bye", "soon", "excuse", "bad", "decline", "request", "?", "neg", "able", "cant"]
)  # fmt: skip
_MEANINGS = frozenset([*_BUILT_IN, *_CODED.values()])
_WISHES = _MEANINGS - {"no", "able", "cant"}
_REFUSALS = frozenset(["no", "cancel", "cant"])
_AUXILIARIES = frozenset(["werde", "werden", "kann", "koennen"])
_TIME_WORDS = frozenset(
    ["naechste", "naechsten", "woche", "monat", "morgen", "uebermorgen", "spaeter", "frueher", "am", "um", "uhr", "montag", "dienstag", "mittwoch", "donnerstag", "freitag", "samstag", "sonntag"]
)  # fmt: skip
_BEFORE_OTHER_TIME = frozenset(["no", "neg", "cant", "verb", "able", ",", ".", "!", "fill", "soft"])
_ATTENDING = frozenset(["kommen", "wahrnehmen", "einhalten", "teilnehmen", "erscheinen"])


class _Words(NamedTuple):
    lexicon: Lexicon
    numbers: dict[Decimal, str]
    crossed: bool


def read(text: str, words: Mapping[str, Iterable[str]] | None) -> Understood:
    """Return "confirm", "cancel" or "reschedule"; `words` are the code words of each that the reminder named."""
    given = words or DEFAULT_WORDS
    vocabulary = _vocabulary(tuple((role, tuple(given.get(role) or ())) for role in ROLES))
    atoms = [_counted(atom, vocabulary) for atom in vocabulary.lexicon.atoms(text)]
    atoms = _paired(
        [_uncrossed(atom, vocabulary) for atom in without_comment(atoms, _REFUSALS, reasons_only=True)]
    )
    clauses = _clauses(atoms)
    labels = [atom.label for clause in clauses for atom in clause]
    if not labels:
        return unclear("no_answer")
    if _is_doubled(atoms) or _is_taken_back(labels):
        return unclear("several")
    if (other := _other_time(atoms)) is not None:
        return other
    readings = [_clause(clause) for clause in clauses]
    if None in readings:
        return unclear(doubt_of(frozenset(labels)) or ("negation" if "neg" in labels else "unknown_words"))
    return _combined(set().union(*(reading for reading in readings if reading)), frozenset(labels))


@lru_cache(maxsize=512)
def _vocabulary(words: tuple[tuple[str, tuple[str, ...]], ...]) -> _Words:
    """Return the vocabulary with an account's own words, which count more than what a word means otherwise."""
    own: dict[str, list[tuple[str, None]]] = {}
    numbers: dict[Decimal, str] = {}
    crossed = False
    for role, phrases in words:
        for phrase in phrases:
            keys = tuple(spelled(key_of(token.raw)) for token in tokens_of(phrase) if token.kind == "word")
            figures = phrase.strip().strip(".)(")
            if figures.isdigit() and len(figures) < 10:
                numbers[Decimal(figures)] = role
            elif len(keys) == 1 and (value := numerals.cardinal(keys[0])) is not None:
                numbers[value] = role
            elif keys:
                built_in = _BUILT_IN.get(_PLAIN.label(*keys) or "")
                crossed = crossed or (built_in is not None and built_in != role)
                if built_in != role:
                    own.setdefault(_CODED[role], []).append((" ".join(keys), None))
    return _Words(Lexicon(*_TABLES, own) if own else _PLAIN, numbers, crossed)


def _counted(atom: Atom, vocabulary: _Words) -> Atom:
    """Give a number the meaning that the reminder gave it."""
    if atom.label == "figures" and atom.value.isdigit() and len(atom.value) < 10:
        role = vocabulary.numbers.get(Decimal(atom.value))
    elif atom.label == "number":
        role = vocabulary.numbers.get(atom.value)
    else:
        return atom
    return atom if role is None else Atom(_CODED[role], "number", atom.tokens)


def _uncrossed(atom: Atom, vocabulary: _Words) -> Atom:
    """Take yes and no their usual meaning where the reminder turned it round ("JA to cancel")."""
    return Atom("unknown", None, atom.tokens) if vocabulary.crossed and atom.label in _WEAK else atom


def _paired(atoms: list[Atom]) -> list[Atom]:
    """Join verbs that German tears apart: "sage den Termin ab", "nehme den Termin wahr"."""
    found = list(atoms)
    for first, second, label in (
        ("sage", "ab", "cancel"),
        ("sage", "zu", "confirm"),
        ("nehme", "wahr", "able"),
    ):
        starts = [at for at, atom in enumerate(found) if atom.label == first]
        ends = [at for at, atom in enumerate(found) if atom.label == second]
        if starts and ends and starts[0] < ends[0]:
            found[starts[0]] = Atom(label, None, found[starts[0]].tokens)
            found[ends[0]] = Atom("fill", None, found[ends[0]].tokens)
    return [
        Atom("fill", None, a.tokens) if a.label in ("zu", "wahr") and a.key in ("zu", "ein") else a
        for a in found
    ]


def _clauses(atoms: list[Atom]) -> list[list[Atom]]:
    clauses: list[list[Atom]] = [[]]
    for atom in atoms:
        if atom.label in _SPLITS:
            clauses.append([])
        elif atom.label not in HARMLESS:
            clauses[-1].append(atom)
    return [clause for clause in clauses if clause]


def _is_doubled(atoms: list[Atom]) -> bool:
    """True where two numbers are given: "1 2"."""
    return len({atom.label for atom in atoms if atom.value == "number"}) > 1


def _other_time(atoms: list[Atom]) -> Understood | None:
    """Read the wish for another time, "kann nicht, lieber morgen"; None where none is named, as in "lieber nicht"."""
    at = next(
        (at for at, (atom, then) in enumerate(pairwise(atoms)) if atom.key == "lieber" and _is_time(then)),
        None,
    )
    if at is None:
        return None
    before, behind = atoms[:at], atoms[at + 1 :]
    is_plain = all(_is_time(atom) for atom in behind) and all(
        atom.label in _BEFORE_OTHER_TIME for atom in before
    )
    return taken("reschedule", "words") if is_plain else unclear("contradiction")


def _is_time(atom: Atom) -> bool:
    return all(token.key in _TIME_WORDS or token.key.isdigit() for token in atom.tokens)


def _is_taken_back(labels: list[str]) -> bool:
    """True where a no comes behind a wish: "absagen nein"."""
    wishes = [at for at, label in enumerate(labels) if label in _WISHES]
    return bool(wishes) and "no" in labels[wishes[0] :]


def _clause(clause: list[Atom]) -> set[str] | None:
    """Return what a clause says: meanings, an empty set for nothing; None where it is not understood."""
    clause = [_statement(atom) if at else atom for at, atom in enumerate(clause)]
    labels = [atom.label for atom in clause]
    if set(labels) & {"cancel", "move", "moverequest"}:
        clause = [
            Atom("fill", None, atom.tokens) if atom.key in ("gern", "gerne") else atom for atom in clause
        ]
        labels = [atom.label for atom in clause]
    if any(is_negation(atom) for atom in clause) and set(labels) & (_MEANINGS | {"verb"}) - {"no"}:
        labels = ["neg" if is_negation(atom) else atom.label for atom in clause]
    if any(atom.label == "neg" and atom.key.startswith("kein") for atom in clause):
        return None
    if "neg" in labels and any(atom.key == "stimmt" for atom in clause):
        return None
    if set(labels) & _WISHES and any(_is_vow(atom) for atom in clause):
        return None
    present = frozenset(labels)
    if not present <= _BESIDE | _MEANINGS:
        return None
    if "neg" in present:
        return _negated(labels, present)
    said = {
        _BUILT_IN.get(label) or label.removeprefix("code:")
        for label in present & (_MEANINGS - {"cant", "moverequest", "no"})
    }
    keys = {token.key for atom in clause for token in atom.tokens}
    if keys & _AUXILIARIES and keys & _ATTENDING and clause[0].key not in _AUXILIARIES:
        said.add("confirm")
    if keys & {"bin", "sind"} and "da" in keys and clause[0].key not in ("bin", "sind"):
        said.add("confirm")
    if "cant" in present:
        said.add("cant")
    if "no" in present:
        said.add("no")
    if (
        "moverequest" in present
        or ("reschedule" in said and present & {"want", "request"})
        or ("reschedule" in said and present & {"soft"})
    ):
        said = (said - {"reschedule"}) | {"moverequest"}
    if "doch" in [atom.key for atom in clause] and said & {"no", "confirm"}:
        return None
    if present & {"?", "request"} and "moverequest" not in said:
        return None
    if "bye" in present:
        said.add("bye")
    if "excuse" in present:
        said.add("excuse")
    return said


def _is_vow(atom: Atom) -> bool:
    """True for a no that also negates what follows: "auf keinen Fall absagen"; a plain "nein" does not."""
    return atom.label == "no" and (
        len(atom.tokens) > 1 or atom.key in ("nie", "niemals", "keinesfalls", "keineswegs", "never")
    )


def _statement(atom: Atom) -> Atom:
    """Take "kann ich" for a question only at the start: "den Termin kann ich wahrnehmen"."""
    is_inverted = atom.label == "request" and len(atom.tokens) == 2 and atom.tokens[0].key in _AUXILIARIES
    return Atom("verb", None, atom.tokens) if is_inverted else atom


def _negated(labels: list[str], present: frozenset[str]) -> set[str] | None:
    """Return {"cant"} for "komme leider nicht"; a code word or a wish that is negated says nothing for certain."""
    if "no" in present and not present & _WISHES and "?" not in present:
        return {"no"}
    meanings = present & (_WISHES | {"no"})
    verbs = sum(label in ("able", "verb") for label in labels)
    if (
        meanings
        or "?" in present
        or "request" in present
        or labels.count("neg") > max(verbs, 0)
        or not is_bound(labels)
    ):
        return None
    return {"cant"}


def _combined(said: set[str], labels: frozenset[str]) -> Understood:
    firm = said - {"bye", "excuse"}
    if "?" in labels and firm - {"moverequest", "cant"}:
        return unclear("question")
    if not firm:
        return taken("confirm", "words") if "bye" in said and "excuse" not in said else unclear("no_answer")
    if firm == {"confirm"}:
        return (
            unclear("contradiction")
            if "excuse" in said or ("soft" in labels and "neg" not in labels)
            else taken("confirm", "words")
        )
    if firm <= {"no", "cancel", "cant"}:
        return taken("cancel", "words")
    if firm <= {"moverequest", "reschedule"} or (
        "moverequest" in firm and firm <= {"moverequest", "cant", "no"}
    ):
        return taken("reschedule", "words")
    if firm == {"cant", "reschedule"}:
        return taken("reschedule", "words")
    return unclear("contradiction")
