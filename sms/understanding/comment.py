"""A reason or remark behind an answer that is already clear: "2, weil die Wartezeit zu lang war"."""

from collections.abc import Sequence

from sms.understanding.lexicon import Atom

_SEPARATORS = frozenset([",", ";", "-", "\n", ":", "!", "("])
_DANGER = frozenset(
    ["figures", "number", "ordinal", "times", "letter", "option", "yes", "no", "hedge", "dontknow", "ask", "?", "or", "but", "odd",
     "all", "none", "without", "defer", "cancel", "move", "moverequest", "cant", "confirm", "able", "request", "^", "%", "/", "+", "<", ">", "=", "to", "minus", "plus", "neg", "star"]
)  # fmt: skip
_MAY_BE_REASONED = frozenset(["neg", "odd"])
_TURNS = frozenset(
    ["ach", "doch", "besser", "lieber", "sondern", "eher", "meine", "meinte", "stopp", "stop", "halt", "bzw", "besser", "actually", "wait", "rather",
     "mehr", "gelogen", "uebertrieben", "untertrieben", "waere", "wuerde", "haette", "weniger", "hoechstens", "mindestens", "korrigiere", "korrigiert", "vertan", "wobei", "obwohl", "tendenz", "quasi", "mean", "wars"]
)  # fmt: skip
_SHORTEST = 3
"""Words from which on a remark is a sentence; less may be a unit or a second thought."""


def without_comment(
    atoms: Sequence[Atom], answers: frozenset[str], *, reasons_only: bool = False
) -> list[Atom]:
    """Return the atoms up to a harmless remark behind the first of the labels in `answers`; else all of them."""
    first = next((at for at, atom in enumerate(atoms) if atom.label in answers), None)
    if first is None:
        return list(atoms)
    for at in range(first + 1, min(first + 4, len(atoms))):
        starts = _is_start(atoms, at)
        if starts and (starts == "reason" or not reasons_only) and _is_remark(atoms[at:], starts == "reason"):
            return list(atoms[:at])
        if atoms[at].label not in (".", ")", ",", "-", "option", "\n"):
            break
    return list(atoms)


def _is_start(atoms: Sequence[Atom], at: int) -> str | None:
    atom = atoms[at]
    if atom.label == "because":
        return "reason"
    if atom.label in _SEPARATORS:
        behind = next((a for a in atoms[at:] if a.label not in _SEPARATORS), None)
        if behind is not None and behind.label in ("because", "but"):
            return "reason"
        # "2-3" and "2-" are for the reader of numbers to judge.
        return (
            "remark" if atom.label != "-" or not atoms[at + 1 : at + 2] or not atoms[at + 1].glued else None
        )
    return None


def _is_remark(atoms: Sequence[Atom], reasoned: bool) -> bool:
    words = [atom for atom in atoms if atom.tokens[0].kind == "word"]
    judges = any(atom.label in ("good", "bad") for atom in words)
    if sum(len(atom.tokens) for atom in words) < _SHORTEST - judges:
        return False
    start = 1 if reasoned and words[0].label in ("because", "but") else 0
    labels = {atom.label for atom in atoms if atom not in words[:start]}
    danger = _DANGER - _MAY_BE_REASONED if reasoned else _DANGER
    if any(len(token.key) == 1 for atom in words for token in atom.tokens):
        return False  # perhaps the letter of an option
    spoken = {token.key for atom in words for token in atom.tokens}
    return not labels & danger and not spoken & _TURNS and any(a.label == "unknown" for a in words)
