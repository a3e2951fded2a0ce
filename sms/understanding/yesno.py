"""Yes or no: every word of the answer must fit the one reading, else it is asked again."""

from collections.abc import Sequence
from itertools import pairwise

from sms.understanding.answer import Understood, taken, unclear
from sms.understanding.lexicon import Atom, Lexicon, spelled
from sms.understanding.words import DOUBT, NEGATION, POLITE, TRAPS, YES_NO

LEXICON = Lexicon(TRAPS, POLITE, NEGATION, DOUBT, YES_NO)

HARMLESS = frozenset(
    [
        "polite",
        "greet",
        "sign",
        "title",
        "name",
        ",",
        ".",
        ";",
        ":",
        "!",
        '"',
        "'",
        "(",
        ")",
        "[",
        "]",
        "-",
        "*",
        "_",
        "\n",
    ]
)
"""What stands round an answer without changing it."""

DOUBTS = {
    "?": "question",
    "ask": "question",
    "dontknow": "no_answer",
    "hedge": "hedged",
    "defer": "hedged",
    "but": "condition",
    "or": "several",
}

_WITH_YES = frozenset(["yes", "able", "verb", "state", "fill", "good", "soft", "doch"])
_WITH_NO = frozenset(["no", "neg", "able", "verb", "state", "fill", "bad", "soft", "doch", "decline"])
_VERBS = frozenset(["able", "verb", "state"])
_WITH_REFUSAL = _VERBS | {"neg", "fill", "soft", "doch"}


_SET_OFF = frozenset([",", ".", ";", "!", "-", "\n"])
_REASONS = frozenset(["weil", "denn", "because", "wegen"])
_SHORTEST_REMARK = 2
_FINITE = frozenset(["stimmt", "passt", "klappt", "geht", "basst"])
_AGAINST_NO = frozenset(
    [*DOUBTS, "yes", "odd", "figures", "number", "ordinal", "times", "%", "^", "/", "+", "star"]
)
_AGAINST_YES = _AGAINST_NO | {"no", "neg", "bad", "decline"}
_REASONABLE = frozenset(["neg", "odd", "bad"])


def read(text: str) -> Understood:
    """Return "yes" or "no" for an answer to a question that the reader does not see."""
    atoms = LEXICON.atoms(text)
    found = judge(atoms)
    return _remarked(atoms) or found if found.why == "unknown_words" else found


def judge(atoms: Sequence[Atom]) -> Understood:
    """Return the reading of labelled words."""
    labels = [atom.label for atom in unbound(atoms) if atom.label not in HARMLESS]
    present = frozenset(labels)
    if not present:
        return unclear("no_answer")
    if doubt := doubt_of(present):
        return unclear(doubt)
    if _is_inverted(atoms):
        return unclear("question")
    if _has_particle(atoms):
        return unclear("particle")
    if "yes" in present and present & {"no", "neg"}:
        return unclear("contradiction")
    if "no" in present:
        return _no(labels, present)
    if "neg" in present:
        return _refusal(labels, present)
    if present & {"yes", "able"}:
        return taken("yes", "words") if present <= _WITH_YES else unclear("unknown_words")
    return unclear("unknown_words")


def _remarked(atoms: Sequence[Atom]) -> Understood | None:
    """Return the answer that comes first and set off, where a harmless remark follows: "Nein, wir haben kein Auto"."""
    for at, atom in enumerate(atoms):
        if atom.label not in _SET_OFF and atom.key not in _REASONS and not atom.key.startswith("kein"):
            continue
        head = judge(atoms[:at])
        if head.outcome == "value":
            return head if head.why == "words" and _is_remark(atoms[at:], head.value) else None
    return None


def _is_remark(atoms: Sequence[Atom], value: str) -> bool:
    words = [atom for atom in atoms if atom.tokens[0].kind == "word"]
    if sum(len(atom.tokens) for atom in words) < _SHORTEST_REMARK:
        return False
    labels = {atom.label for atom in words if atom.key not in _REASONS}
    labels |= {atom.label for atom in atoms if atom.tokens[0].kind != "word"} - HARMLESS
    reasoned = words[0].key in _REASONS
    if value == "yes":
        return not labels & (_AGAINST_YES - _REASONABLE if reasoned else _AGAINST_YES)
    takes_back = labels & {"able", "good"} and "neg" not in labels
    return not takes_back and not labels & (_AGAINST_NO - _REASONABLE if reasoned else _AGAINST_NO)


def unbound(atoms: Sequence[Atom]) -> list[Atom]:
    """Return "leider nicht" as a negation where there is a verb that it negates: "passt leider nicht"."""
    if not any(atom.label in _VERBS for atom in atoms):
        return list(atoms)
    return [Atom("neg", None, atom.tokens) if is_negation(atom) else atom for atom in atoms]


def is_negation(atom: Atom) -> bool:
    """True for a refusal that is a negation itself: "leider nicht", "gar nicht"."""
    return atom.label == "no" and len(atom.tokens) > 1 and spelled(atom.tokens[-1].key) in ("nicht", "not")


def doubt_of(present: frozenset[str]) -> str | None:
    """Return why an answer with these labels is none, or None."""
    return next((why for label, why in DOUBTS.items() if label in present), None)


def _is_inverted(atoms: Sequence[Atom]) -> bool:
    """True for "stimmt das" and "passt es dann", a question whose mark was left out."""
    said = [atom for atom in atoms if atom.label not in HARMLESS][:2]
    return len(said) == 2 and said[0].key in _FINITE and said[1].key in ("das", "es")


def _has_particle(atoms: Sequence[Atom]) -> bool:
    """True for a "ja" that is none: "das ist ja gut"."""
    pairs = pairwise(atoms)
    return any(b.key == "ja" and b.label == "yes" and a.label in _VERBS for a, b in pairs)


def _no(labels: list[str], present: frozenset[str]) -> Understood:
    if "able" in present and "neg" not in present:
        return unclear("contradiction")
    if not present <= _WITH_NO | ({"good"} if "neg" in present else set()):
        return unclear("unknown_words")
    if labels[0] == "neg" or ("neg" in present and _negated(labels, "no")):
        return unclear("negation")
    # "Nein, doch" takes the no back.
    if labels[-1] == "doch":
        return unclear("contradiction")
    return taken("no", "words")


def is_bound(labels: list[str]) -> bool:
    """True where a negation can belong to a verb: "passt nicht", "nicht möglich", but not "nicht passt"."""
    at = labels.index("neg")
    return not _VERBS.isdisjoint(labels[:at]) or labels[at + 1 : at + 2] == ["verb"]


def _refusal(labels: list[str], present: frozenset[str]) -> Understood:
    verbs = sum(label in _VERBS for label in labels)
    plain = present <= _WITH_REFUSAL and labels.count("neg") <= verbs and not _negated(labels, "neg")
    says_so = is_bound(labels)
    return taken("no", "negation") if plain and says_so else unclear("negation")


def _negated(labels: list[str], what: str) -> bool:
    return any(a == "neg" and b == what for a, b in pairwise(labels))
