"""A whole number on a scale: "Note 2", "8 von 10", "eine glatte 1", "2-" among school grades."""

from collections.abc import Sequence
from decimal import Decimal

from sms.understanding.answer import Understood, taken, unclear
from sms.understanding.comment import without_comment
from sms.understanding.lexicon import Atom, Lexicon
from sms.understanding.number import is_fraction
from sms.understanding.words import DOUBT, NEGATION, POLITE, SCALE, TRAPS, YES_NO
from sms.understanding.yesno import HARMLESS, doubt_of

LEXICON = Lexicon(TRAPS, POLITE, NEGATION, {"yes": YES_NO["yes"], "no": YES_NO["no"]}, DOUBT, SCALE)
_BESIDE = HARMLESS | {"fill", "good", "bad", "plain", "=", "#", "number", "sad"}
_BEFORE_NUMBER = HARMLESS | {"fill", "from"}


def read(text: str, least: Decimal | None, most: Decimal | None) -> Understood:
    """Return the integer that was given; least and most are the ends of the scale."""
    atoms = without_comment(LEXICON.atoms(text), frozenset(["figures", "number"]))
    atoms = _stars(_numbers(atoms))
    atoms = _without_span(_out_of(atoms, most), least, most)
    if least == 1 and most == 6:
        atoms = _without_tendency(atoms)
    atoms = [atom for at, atom in enumerate(atoms) if not _is_thumb_beside(atoms, at)]
    present = frozenset(atom.label for atom in atoms)
    if doubt := doubt_of(present):
        return unclear(doubt)
    if "neg" in present:
        return unclear("negation")
    values = {atom.value for atom in atoms if atom.label == "number"}
    if not values:
        return unclear("no_answer")
    if len(values) > 1:
        return unclear("several")
    if not present <= _BESIDE or _has_sign(atoms):
        return unclear("unknown_words")
    value = values.pop()
    if value != int(value):
        return unclear("between")
    if (least is not None and value < least) or (most is not None and value > most):
        return unclear("out_of_range")
    return taken(int(value), "number")


def _stars(atoms: list[Atom]) -> list[Atom]:
    """Count a row of stars that is all there is: ⭐⭐⭐⭐ is 4; next to a figure one only decorates."""
    stars = [atom for atom in atoms if atom.label == "star"]
    others = [atom for atom in atoms if atom.label != "star"]
    if len(stars) > 1 and all(atom.label in HARMLESS for atom in others):
        return [*others, Atom("number", Decimal(len(stars)), stars[0].tokens)]
    numbers = {atom.value for atom in others if atom.label == "number"}
    agree = numbers == {Decimal(len(stars))} or (len(stars) == 1 and bool(numbers))
    return others if agree else atoms


def _numbers(atoms: Sequence[Atom]) -> list[Atom]:
    """Turn figures into numbers where they are one: "2", "2,0"; what is glued to letters or a span is not."""
    found: list[Atom] = []
    for at, atom in enumerate(atoms):
        if atom.label == "figures":
            found.extend(_figures(atom, atoms[:at], atoms[at + 1] if at + 1 < len(atoms) else None))
        else:
            found.append(atom)
    return found


def _figures(atom: Atom, ahead: Sequence[Atom], after: Atom | None) -> list[Atom]:
    before = ahead[-1] if ahead else None
    glued_letters = (
        atom.glued and before is not None and before.label != "fill" and before.tokens[0].kind == "word"
    ) or (after is not None and after.glued and after.tokens[0].kind == "word" and after.label != "fill")
    one_letter = (
        atom.glued and before is not None and len(before.key) == 1 and before.tokens[0].kind == "word"
    )
    if glued_letters or one_letter:
        return [Atom("unknown", None, atom.tokens)]
    if is_fraction(atom, ahead):
        return [Atom("unknown", None, atom.tokens)]
    if "/" in atom.value:
        first, _, second = atom.value.partition("/")
        return [_plain(first, atom), Atom("/", None, atom.tokens), _plain(second, atom)]
    return [_plain(atom.value, atom)]


def _plain(text: str, atom: Atom) -> Atom:
    whole, mark, zeros = text.replace(",", ".").partition(".")
    is_whole = whole.isdigit() and len(whole) < 10 and not zeros.strip("0") and len(zeros) < 3
    if is_whole and (not mark or zeros):
        return Atom("number", Decimal(whole), atom.tokens)
    return Atom("unknown", None, atom.tokens)


def _out_of(atoms: list[Atom], most: Decimal | None) -> list[Atom]:
    """Take the end of the scale out of "8 von 10", "8/10" and "8 out of 10"."""
    for at in range(1, len(atoms) - 1):
        divides = atoms[at].label in ("of", "from", "/")
        behind = next((atom for atom in reversed(atoms[:at]) if atom.label != "fill"), None)
        follows = behind is not None and behind.label == "number"
        if divides and follows and atoms[at + 1].label == "number" and atoms[at + 1].value == most:
            return atoms[:at] + atoms[at + 2 :]
    return atoms


def _without_span(atoms: list[Atom], least: Decimal | None, most: Decimal | None) -> list[Atom]:
    """Leave out the scale where it is named before the answer: "von 1 bis 5 eine 2", "Note 1 bis 6: 2"."""
    for at in range(len(atoms) - 3):
        first, to, last = atoms[at : at + 3]
        names_ends = first.label == last.label == "number" and (first.value, last.value) == (least, most)
        if names_ends and to.label in ("to", "or") and any(a.label == "number" for a in atoms[at + 3 :]):
            start = at - 1 if at and atoms[at - 1].label in ("from", "of") else at
            return atoms[:start] + atoms[at + 3 :]
    return atoms


def _without_tendency(atoms: list[Atom]) -> list[Atom]:
    """Leave out the tendency of a school grade: "2-" and "zwei plus" are still a two."""
    for at in range(len(atoms) - 1):
        is_tendency = atoms[at + 1].label in ("+", "-", "plus", "minus")
        rest = atoms[at + 2 :]
        if (
            atoms[at].label == "number"
            and is_tendency
            and all(a.label in _BESIDE - {"number", "-"} for a in rest)
        ):
            return atoms[: at + 1] + rest
    return atoms


def _is_thumb_beside(atoms: list[Atom], at: int) -> bool:
    atom = atoms[at]
    return (
        atom.label == "yes"
        and atom.tokens[0].kind == "emoji"
        and any(a.label == "number" for a in atoms[:at])
    )


def _has_sign(atoms: list[Atom]) -> bool:
    """True for "-2", "- 2" and "2-": a minus, a span that is not finished, or a list."""
    for at, atom in enumerate(atoms):
        if atom.label != "-":
            continue
        before = atoms[at - 1].label if at else ""
        after = atoms[at + 1].label if at + 1 < len(atoms) else ""
        if after in ("number", "") and before != "fill" and (before == "number" or after == "number"):
            return True
        if before == "number" and after in ("-", "+"):
            return True
    return False
