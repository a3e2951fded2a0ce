"""One or several of the options offered: by number, letter, place or text, with small slips, never by guess.

Every word of an answer points to a set of options or means nothing; an answer counts where all of it points to one.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from sms.understanding import numerals, yesno
from sms.understanding.answer import Understood, taken, unclear
from sms.understanding.comment import without_comment
from sms.understanding.lexicon import Atom, Lexicon, allowed, slips, spelled
from sms.understanding.tokens import Token, tokens_of
from sms.understanding.words import CHOICE, DOUBT, MULTICHOICE, NEGATION, POLITE, TRAPS, YES_NO
from sms.understanding.yesno import DOUBTS, HARMLESS

_CHOICE = {**{"odd": TRAPS["odd"]}, **POLITE, **NEGATION, **{"yes": YES_NO["yes"], "no": YES_NO["no"]}}
_PLACES = {
    "last": "letzte, der letzte, die letzte, das letzte, letztere, letzteres, last, last one, the last one, the last"
}
_ABBREVIATED = {
    **dict(zip(("mo", "di", "mi", "do", "fr", "sa", "so"),
               ("montag", "dienstag", "mittwoch", "donnerstag", "freitag", "samstag", "sonntag"), strict=True)),
    **dict(zip(("mon", "tue", "wed", "thu", "fri", "sat", "sun"),
               ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"), strict=True)),
}  # fmt: skip
_MODIFIERS = frozenset(
    [
        "sehr",
        "nicht",
        "kein",
        "keine",
        "keinen",
        "keiner",
        "ohne",
        "eher",
        "ganz",
        "gar",
        "wenig",
        "weniger",
        "mehr",
        "viel",
        "ziemlich",
        "kaum",
        "un",
        "nie",
        "niemals",
        "immer",
        "selten",
        "oft",
        "manchmal",
        "fast",
        "halb",
        "teilweise",
        "etwas",
        "besonders",
        "absolut",
        "voellig",
        "voll",
        "ueberhaupt",
        "not",
        "very",
        "no",
        "never",
        "less",
        "more",
        "rather",
        "quite",
        "somewhat",
        "always",
        "sometimes",
        "unter",
        "ueber",
        "ab",
        "bis",
        "vor",
        "nach",
        "minus",
        "plus",
        "mindestens",
        "hoechstens",
        "under",
        "over",
        "below",
        "above",
        "before",
        "after",
    ]
)
"""Words of an option that change what it says: "zufrieden" is neither "sehr zufrieden" nor "nicht zufrieden"."""
_FUNCTION_WORDS = frozenset(
    [
        "der",
        "die",
        "das",
        "den",
        "dem",
        "des",
        "ein",
        "eine",
        "einen",
        "einer",
        "einem",
        "und",
        "oder",
        "mit",
        "im",
        "in",
        "am",
        "an",
        "auf",
        "bei",
        "per",
        "durch",
        "von",
        "vom",
        "zum",
        "zur",
        "zu",
        "fuer",
        "um",
        "es",
        "ist",
        "the",
        "a",
        "an",
        "of",
        "and",
        "or",
        "with",
        "to",
        "by",
        "at",
        "on",
        "for",
        "is",
        "aus",
        "ich",
        "wir",
        "mein",
        "meine",
        "mal",
        "uhr",
    ]
)
_NONE_WORDS = frozenset(["keine", "keins", "keines", "nichts", "none", "nothing"])
_LIMITS = frozenset(["ueber", "unter", "ab", "bis", "over", "under", "vor", "nach"])
_AGREEING = frozenset(["gerne", "gern", "klar"])
_SHORTEST_PREFIX = 3


@dataclass(frozen=True)
class Offer:
    """The options of a question, prepared for reading answers to it."""

    options: tuple[str, ...]
    keys: tuple[tuple[str, ...], ...]
    joined: tuple[str, ...]
    words: dict[str, frozenset[int]]
    single: Lexicon
    several: Lexicon
    near: frozenset[int]
    yes: int | None
    no: int | None
    dontknow: int | None


@lru_cache(maxsize=512)
def offer(options: tuple[str, ...]) -> Offer:
    """Return the options prepared; numbers of options are 1-based."""
    tokens = [tokens_of(option) for option in options]
    keys = tuple(_keys(list_of) for list_of in tokens)
    words: dict[str, set[int]] = {}
    for at, list_of in enumerate(tokens, 1):
        for key in {*keys[at - 1], *(t.raw for t in list_of if t.kind == "number")}:
            words.setdefault(key, set()).add(at)
    phrases: dict[str, list[tuple[str, int]]] = {"option": []}
    for at, list_of in enumerate(tokens, 1):
        plain = all(t.kind == "word" for t in list_of)
        if plain and list_of and keys.count(keys[at - 1]) == 1:
            phrases["option"].append((" ".join(t.raw for t in list_of), at))
    said = [_polarity(option) for option in options]
    base = (_CHOICE, DOUBT, CHOICE, _PLACES)
    return Offer(
        options, keys, tuple("".join(key) for key in keys),
        {word: frozenset(found) for word, found in words.items()},
        Lexicon(*base, phrases), Lexicon(*base, MULTICHOICE, phrases), _near(["".join(key) for key in keys]),
        _only(said, "yes"), _only(said, "no"), _only(said, "dontknow"),
    )  # fmt: skip


def read_one(text: str, options: tuple[str, ...]) -> Understood:
    """Return the 1-based number of the option that was chosen."""
    offered = offer(options)
    if (whole := _whole(text, tokens_of(text), offered)) is not None:
        return whole
    atoms = _unnamed(offered.single.atoms(text), offered)
    if (whole := _whole(text, _core(atoms), offered)) is not None:
        return whole
    atoms = _without_remark(atoms, offered)
    found = _chosen(_prepared(atoms, offered.yes is not None), offered)
    if isinstance(found, frozenset):
        return (
            taken(min(found), "option") if len(found) == 1 else unclear("several" if found else "no_answer")
        )
    return _by_meaning(text, offered) or unclear(found)


def read_several(text: str, options: tuple[str, ...]) -> Understood:
    """Return the sorted 1-based numbers of the options that were chosen; [] where somebody says none of them."""
    offered = offer(options)
    if (whole := _whole(text, tokens_of(text), offered)) is not None:
        return Understood(whole.outcome, [whole.value], whole.why) if whole.outcome == "value" else whole
    atoms = _lettered(_prepared(_unnamed(offered.several.atoms(text), offered)))
    everything = _all_or_none(atoms, offered)
    if everything is not None:
        return everything
    found = _union(atoms, offered)
    if isinstance(found, str):
        return unclear(found)
    return taken(sorted(found), "options") if found else unclear("no_answer")


def _core(atoms: list[Atom]) -> list[Token]:
    """Return the pieces of an answer without greeting, thanks and signature."""
    courtesies = ("polite", "greet", "sign", "title", "name", "\n")
    return [token for atom in atoms if atom.label not in courtesies for token in atom.tokens]


def _whole(text: str, tokens: Sequence[Token], offered: Offer) -> Understood | None:
    """Return the option that the whole answer repeats; figures that are also another option's number are unclear."""
    keys = _keys(tokens)
    joined = "".join(keys)
    same = {at for at, key in enumerate(offered.keys, 1) if key == keys and key}
    if not same and len(joined) > 3 and not joined.isdigit():
        same = {at for at, key in enumerate(offered.joined, 1) if key == joined}
    if len(same) != 1:
        return unclear("several") if same else None
    if "?" in text and "?" not in offered.options[min(same) - 1]:
        return unclear("question")
    if len(keys) == 1 and keys[0].isdigit():
        same |= {int(keys[0])} if 1 <= int(keys[0][:9]) <= len(offered.options) else set()
    if len(keys) == 1 and len(keys[0]) == 1 and keys[0].isalpha():
        same |= _letter(keys[0], offered) or set()
    return taken(min(same), "option") if len(same) == 1 else unclear("several")


def _keys(tokens: Sequence[Token]) -> tuple[str, ...]:
    """Return what a text is compared by: words and emoji as they are, numbers as figures, "&" and "+" as "und"."""
    found: list[str] = []
    for token in tokens:
        if token.kind == "number":
            found.extend("bis" if part == "-" else part for part in re.findall(r"\d+|-", token.raw))
        elif token.kind == "word":
            value = numerals.cardinal(token.key)
            found.append(spelled(token.key) if value is None else numerals.written(value))
        elif token.kind == "emoji":
            found.append(token.key)
        elif token.raw in "&+":
            found.append("und")
        elif token.raw == "-" and found and found[-1].isdigit():
            found.append("bis")
        elif token.raw in "<>%=/":
            found.append(token.raw)
    return tuple(found)


def _near(joined: list[str]) -> frozenset[int]:
    """Return the options that look so like another one that a slip could turn one into the other."""
    pairs = [(a, b) for a in range(len(joined)) for b in range(a) if slips(joined[a], joined[b]) <= 2]
    return frozenset(at + 1 for pair in pairs for at in pair)


def _polarity(option: str) -> str | None:
    labels = {atom.label for atom in yesno.LEXICON.atoms(option)}
    said = labels & {"yes", "no", "dontknow"}
    return said.pop() if len(said) == 1 else ("mixed" if said else None)


def _only(said: list[str | None], meaning: str) -> int | None:
    """Return the option with this meaning where there is exactly one, and none that mixes meanings."""
    return said.index(meaning) + 1 if said.count(meaning) == 1 and "mixed" not in said else None


def _prepared(atoms: list[Atom], keep_thumbs: bool = False) -> list[Atom]:
    """Drop courtesies and what only introduces a number, and read number words."""
    found: list[Atom] = []
    spoken = any(atom.tokens[0].kind != "emoji" and atom.label not in HARMLESS for atom in atoms)
    for at, atom in enumerate(atoms):
        before = found[-1] if found else None
        after = atoms[at + 1] if at + 1 < len(atoms) else None
        if atom.label in HARMLESS - {",", "-", ".", ";", "\n", "(", ")", ":"}:
            continue
        if spoken and not keep_thumbs and atom.label == "yes" and atom.tokens[0].kind == "emoji":
            continue
        if before is not None and atom.label == "th" and atom.glued and before.label == "figures":
            continue
        if before is not None and atom.key == "one" and before.label in ("ordinal", "last"):
            continue
        found.append(Atom("letter", None, atom.tokens) if _is_letter(atom, after) else atom)
    return found


def _without_remark(atoms: list[Atom], offered: Offer) -> list[Atom]:
    """Leave out a remark behind the answer, unless one of its words could be another option."""
    kept = without_comment(atoms, frozenset(["figures", "option", "letter"]))
    dropped = [atom for atom in atoms[len(kept) :] if atom.tokens[0].kind == "word"]
    names_option = any(
        _holding(spelled(atom.key), offered) for atom in dropped if atom.key not in _FUNCTION_WORDS
    )
    return atoms if names_option else kept


def _unnamed(atoms: list[Atom], offered: Offer) -> list[Atom]:
    """Take a capitalised last word for a name only on a line of its own: in "Internet, Zeitung" it is an answer."""
    found: list[Atom] = []
    for at, atom in enumerate(atoms):
        by_itself = atom.value != "last" or (at > 0 and found[-1].label in ("name", "\n"))
        is_name = by_itself and not _holding(spelled(atom.key), offered)
        found.append(atom if atom.label != "name" or is_name else Atom("unknown", None, atom.tokens))
    return found


def _lettered(atoms: list[Atom]) -> list[Atom]:
    """Read several letters as places in the list; a single one might be the start of an option."""
    letters = [atom for atom in atoms if atom.label == "letter"]
    if len(letters) < 2 or not all("a" <= atom.key <= "z" for atom in letters):
        return atoms
    places = {id(atom): str(ord(atom.key) - ord("a") + 1) for atom in letters}
    return [Atom("figures", places[id(a)], a.tokens) if id(a) in places else a for a in atoms]


def _is_letter(atom: Atom, after: Atom | None) -> bool:
    """True for a letter that names an option; "a" before a word may be the English article."""
    token = atom.tokens[0]
    if token.kind != "word" or len(atom.tokens) > 1 or len(token.key) > 1 or token.key in "iu":
        return False
    word_behind = after is not None and after.tokens[0].kind == "word" and len(after.key) > 1
    return not (
        token.raw == "a" and word_behind and after is not None and after.label in ("unknown", "odd", "good")
    )


def _chosen(atoms: list[Atom], offered: Offer) -> frozenset[int] | str:
    """Return the options that the whole answer points to, or why it points to none."""
    labels = frozenset(atom.label for atom in atoms)
    if doubt := next((why for label, why in DOUBTS.items() if label in labels), None):
        return doubt
    negations = [atom for atom in atoms if atom.label in ("neg", "no")]
    whole_option = any(atom.label == "option" for atom in atoms)
    if len(negations) > (0 if whole_option else 1) or any(
        atom.label == "no" or atom.key not in offered.words for atom in negations
    ):
        return "negation"
    pointed: list[frozenset[int]] = []
    words: list[Atom] = []
    for at, atom in enumerate(_without_detail(atoms)):
        if _is_word_of_option(atom, offered):
            words.append(atom)
            continue
        target = _target(atom, atoms, at, offered)
        if target is None:
            return "unknown_words"
        if target:
            pointed.append(target)
    if words:
        target = _by_words(words, offered)
        if target is None:
            return "unknown_words"
        if target:
            pointed.append(target)
    if not pointed:
        return "no_answer"
    return _agreed(pointed)


def _agreed(pointed: list[frozenset[int]]) -> frozenset[int]:
    """Return what all agree on; where they do not, everything, which is unclear."""
    common = frozenset.intersection(*pointed)
    return common if common else frozenset().union(*pointed) | {0, -1}


def _without_detail(atoms: list[Atom]) -> list[Atom]:
    """Leave out what follows a whole option as its detail: "Empfehlung von Freunden"."""
    for at, atom in enumerate(atoms):
        behind = atoms[at + 1 : at + 5]
        if atom.label != "option" or not behind or behind[0].key not in ("von", "vom", "durch"):
            continue
        if all(a.label in ("unknown", "fill") for a in atoms[at + 1 :]) and len(atoms[at + 1 :]) <= 4:
            return atoms[: at + 1]
    return atoms


_Nothing: frozenset[int] = frozenset()


def _target(atom: Atom, atoms: list[Atom], at: int, offered: Offer) -> frozenset[int] | None:
    """Return which options a piece points to: an empty set where it says nothing, None where it is not understood."""
    if atom.label == "option":
        return frozenset([atom.value])
    if atom.label == "figures":
        return _numbered(atom, atoms, at, offered)
    if atom.label == "number":
        return _by_number(atom.value, numerals.written(atom.value), offered)
    if atom.label == "ordinal":
        return _in_range(atom.value, offered)
    if atom.label == "last":
        return frozenset([len(offered.options)])
    if atom.label == "letter":
        return _letter(atom.key, offered)
    if offered.yes is not None and (atom.label == "yes" or atom.key in _AGREEING):
        return frozenset([offered.yes])
    if atom.label == "fill":
        return _Nothing if atom.key != "uhr" or "uhr" in offered.words else None
    if atom.label == "-" or atom.label in HARMLESS or atom.label in ("#", "="):
        return _Nothing
    return None


def _numbered(atom: Atom, atoms: list[Atom], at: int, offered: Offer) -> frozenset[int] | None:
    before, after = atoms[at - 1] if at else None, atoms[at + 1] if at + 1 < len(atoms) else None
    dashed = any(a is not None and a.label == "-" for a in (before, after)) and _is_span(atoms, at)
    limited = before is not None and before.key in _LIMITS and before.key not in offered.words
    glued = atom.glued and before is not None and before.tokens[-1].kind == "word"
    if dashed or limited or glued:
        return None
    raw = atom.value
    if raw.isdigit():
        return _by_number(Decimal(raw), raw.lstrip("0") or "0", offered) if len(raw) < 10 else None
    return offered.words.get(raw)


def _is_span(atoms: list[Atom], at: int) -> bool:
    """True where a dash before or behind figures is a minus or joins them to others."""
    joins_before = (
        at > 0
        and atoms[at - 1].label == "-"
        and (at < 2 or atoms[at].glued or atoms[at - 2].label == "figures")
    )
    joins_behind = at + 2 < len(atoms) and atoms[at + 1].label == "-" and atoms[at + 2].label == "figures"
    return joins_before or joins_behind


def _by_number(value: Decimal, written: str, offered: Offer) -> frozenset[int] | None:
    """Return the option of this number, and those that hold the number in their text."""
    named = offered.words.get(written, _Nothing)
    if value == int(value) and 1 <= value <= len(offered.options):
        return named | {int(value)}
    return named or None


def _in_range(place: int, offered: Offer) -> frozenset[int] | None:
    return frozenset([place]) if 1 <= place <= len(offered.options) else None


def _letter(letter: str, offered: Offer) -> frozenset[int] | None:
    """Return the option of this letter, unless the letter could be meant as the start of another option."""
    place = ord(letter) - ord("a") + 1
    if not 1 <= place <= min(len(offered.options), 26):
        return None
    starting = {at for at, key in enumerate(offered.joined, 1) if key.startswith(letter)}
    # Alone it could be either; beside another piece it stands for its place only ("a. abends" is unclear).
    return frozenset([place]) if starting <= {place} else frozenset([place, 0])


def _is_word_of_option(atom: Atom, offered: Offer) -> bool:
    """True for a word that must be looked for in the options, whatever else it could mean."""
    if atom.tokens[0].kind != "word" or len(atom.tokens) > 1 or len(atom.key) == 1:
        return False
    if offered.yes is not None and (atom.label == "yes" or atom.key in _AGREEING):
        return atom.key in offered.words
    if atom.label in ("unknown", "odd", "yes", "good", "neg"):
        return True
    return atom.label == "fill" and spelled(atom.key) in offered.words


def _by_words(words: list[Atom], offered: Offer) -> frozenset[int] | None:
    """Return the options that hold all these words; modifiers must be the same on both sides."""
    keys = [spelled(atom.key) for atom in words]
    found: frozenset[int] | None = None
    told_apart = False
    for atom, key in zip(words, keys, strict=True):
        # A word with a meaning of its own is no beginning and no slip of another: "morgen" is not "Morgens".
        holding = _holding(key, offered) if atom.label != "odd" else _exactly(key, offered)
        if not holding:
            if atom.label == "fill":
                continue
            return None
        told_apart = told_apart or (key not in _FUNCTION_WORDS and len(key) > 1)
        found = holding if found is None else found & holding
    if not told_apart:
        return _Nothing
    said = frozenset(keys) & _MODIFIERS
    fitting = [
        at
        for at in found or ()
        if said == frozenset(offered.keys[at - 1]) & _MODIFIERS or _is_start_of(keys, offered.keys[at - 1])
    ]
    exact = [at for at in fitting if sorted(keys) == sorted(offered.keys[at - 1])]
    return frozenset(exact or fitting) or None


def _is_start_of(keys: list[str], option: tuple[str, ...]) -> bool:
    return len(keys) < len(option) and tuple(keys) == option[: len(keys)]


def _exactly(key: str, offered: Offer) -> frozenset[int]:
    known = offered.words.get(key, _Nothing)
    return known or offered.words.get(_ABBREVIATED.get(key, ""), _Nothing)


def _holding(key: str, offered: Offer) -> frozenset[int]:
    """Return the options that hold a word, its beginning, or it with a slip."""
    key = _ABBREVIATED.get(key, key) if _ABBREVIATED.get(key) in offered.words else key
    if key in offered.words:
        return offered.words[key]
    if len(key) >= _SHORTEST_PREFIX:
        started = [found for word, found in offered.words.items() if word.startswith(key)]
        if started:
            return frozenset().union(*started)
    near = [word for word in offered.words if 0 < slips(key, word) <= _allowed(key, word)]
    if len(near) != 1 or offered.words[near[0]] & offered.near:
        return _Nothing
    return offered.words[near[0]]


def _allowed(key: str, word: str) -> int:
    """Return how many slips may lie between what was typed and a word of an option; figures never."""
    return allowed(max(len(key), len(word))) if min(len(key), len(word)) > 3 and word.isalpha() else 0


def _by_meaning(text: str, offered: Offer) -> Understood | None:
    """Return the option that says yes, no or "don't know" where the answer says just that in other words."""
    if offered.yes is None and offered.no is None and offered.dontknow is None:
        return None
    said = yesno.read(text)
    place = {"yes": offered.yes, "no": offered.no}.get(said.value) if said.outcome == "value" else None
    if said.why == "no_answer":
        labels = {atom.label for atom in yesno.LEXICON.atoms(text)} - HARMLESS
        place = offered.dontknow if labels == {"dontknow"} else None
    return None if place is None else taken(place, "meaning")


def _all_or_none(atoms: list[Atom], offered: Offer) -> Understood | None:
    """Read "alle", "alle außer 2" and "keine davon"."""
    labels = [atom.label for atom in atoms if atom.label not in HARMLESS and atom.label != "fill"]
    options = len(offered.options)
    if labels == ["all"] and (atoms_of := [a for a in atoms if a.label == "all"]):
        beide = atoms_of[0].key in ("beide", "beides")
        return unclear("several") if beide and options != 2 else taken(list(range(1, options + 1)), "all")
    if labels in (["all", "number"], ["all", "figures"]):
        count = next(a.value for a in atoms if a.label in ("number", "figures"))
        return (
            taken(list(range(1, options + 1)), "all")
            if str(count) == str(options)
            else unclear("unknown_words")
        )
    if labels == ["none"]:
        none_of = [at for at, key in enumerate(offered.keys, 1) if set(key) & _NONE_WORDS]
        return unclear("several") if len(none_of) > 1 else taken(none_of, "none")
    if labels[:2] == ["all", "without"]:
        start = next(at for at, atom in enumerate(atoms) if atom.label == "without")
        left_out = _union(atoms[start + 1 :], offered)
        if isinstance(left_out, str) or not 0 < len(left_out) < options:
            return unclear("unknown_words")
        return taken([at for at in range(1, options + 1) if at not in left_out], "all")
    return None


_BETWEEN = frozenset(["and", ",", ";", "+", "&", "/", "\n"])


def _union(atoms: list[Atom], offered: Offer) -> frozenset[int] | str:
    """Return all options that the parts of an answer name, or why one of the parts is not understood."""
    labels = frozenset(atom.label for atom in atoms)
    if doubt := next((why for label, why in DOUBTS.items() if label in labels), None):
        return doubt
    if labels & {"neg", "no", "none", "all", "without"}:
        return "negation" if labels & {"neg", "no"} else "several"
    found: set[int] = set()
    for part in _parts(atoms):
        one = _part(part, offered)
        if one is None:
            return "unknown_words"
        found |= one
    return frozenset(found)


def _parts(atoms: list[Atom]) -> list[list[Atom]]:
    """Cut an answer at commas, "und" and the like; figures as "1,3" or "1/3" are cut as well."""
    parts: list[list[Atom]] = [[]]
    for atom in atoms:
        if atom.label == "figures" and re.fullmatch(r"\d+(?:[,/]\d+)+", atom.value) and len(parts[-1]) == 0:
            pieces = re.split(r"[,/]", atom.value)
            parts[-1:] = [[Atom("figures", piece, atom.tokens)] for piece in pieces] + [[]]
        elif atom.label in _BETWEEN:
            parts.append([])
        else:
            parts[-1].append(atom)
    return [part for part in parts if any(a.label not in HARMLESS and a.label != "fill" for a in part)]


def _part(atoms: list[Atom], offered: Offer) -> frozenset[int] | None:
    """Return the options of one part: one that all of it agrees on ("1 Empfang"), or several of a kind in a row ("1 3")."""
    content = [atom for atom in atoms if atom.label not in HARMLESS - {"-"} and atom.label != "fill"]
    whole = _chosen(atoms, offered)
    if isinstance(whole, frozenset) and len(whole) == 1:
        return whole
    kinds = {"word" if atom.label in ("unknown", "odd") else atom.label for atom in content}
    kinds = {"word" if kind == "option" else kind for kind in kinds}
    singles = len(content) == sum(len(a.key) == 1 and a.tokens[0].kind == "word" for a in content)
    if len(content) < 2 or (len(kinds) > 1 and not singles):
        return None
    found: set[int] = set()
    for atom in content:
        one = _chosen([atom], offered)
        if isinstance(one, str) or len(one) != 1:
            return None
        found |= one
    return frozenset(found)
