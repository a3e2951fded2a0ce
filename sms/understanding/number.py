"""A decimal number with or without its unit: "1.234,50 €", "siebzig Kilo", "anderthalb"."""

import re
from collections.abc import Sequence
from decimal import Decimal

from sms.understanding import numerals, units
from sms.understanding.answer import Understood, taken, unclear
from sms.understanding.lexicon import Atom, Lexicon
from sms.understanding.words import DOUBT, NEGATION, POLITE, TRAPS, YES_NO
from sms.understanding.yesno import HARMLESS, doubt_of

_NUMBER = {
    "fill": (
        "ich, wir, es, sind, bin, ist, war, waren, habe, haben, hatte, hatten, wiege, messe, wohne, nummer, zahl, antwort, meine antwort, insgesamt, zusammen, "
        "genau, also, dann, nur, leider, leider nur, alt, groß, schwer, lang, entfernt, pro tag, pro woche, pro monat, pro jahr, am tag, in der woche, im monat, im jahr, i, i'm, am, it's, is, have, "
        "we, old, my answer is, da, dort, bei mir, von mir, bei uns, mein gewicht, meine größe, exakt, gerade, ja"
    ),
    "unit": (
        "kg, kilo, kilos, kilogramm, g, gramm, gr, mg, t, tonne, tonnen, pfund, lb, lbs, m, meter, metern, km, kilometer, kilometern, cm, zentimeter, mm, millimeter, qm, dm, quadratmeter, "
        "kubikmeter, l, liter, ml, milliliter, cl, dl, eur, euro, euros, cent, cents, ct, chf, franken, usd, dollar, dollars, gbp, pounds, prozent, percent, grad, grad celsius, c, celsius, stück, "
        "stueck, stk, st, mal, x, times, person, personen, leute, kind, kinder, kindern, gäste, gast, erwachsene, erwachsener, teilnehmer, jahr, jahre, jahren, year, years, monat, monate, monaten, month, months, "
        "woche, wochen, week, weeks, tag, tage, tagen, day, days, stunde, stunden, std, h, hour, hours, minute, minuten, min, mins, minutes, sekunde, sekunden, sek, sec, s, seconds, punkt, punkte, pkt, points, "
        "stern, sterne, stars, zimmer, tabletten, tablette, kwh, kw, kcal, bpm, mmhg, km h, people, persons, guests, children, kids, items, pieces, pcs, miles, mile, mi, ft, feet, inches, kunden, mitarbeiter, mann"
    ),
    "comma": "komma, point",
    "minus": "minus",
    "article": "ein, eine, einen, a, an",
    "and": "and, und",
    "hundred": "hundred",
}
_MULTIPLIERS = {
    "multiplier": [
        *((word, Decimal(10**6)) for word in ("million", "millionen", "mio", "millions")),
        *((word, Decimal(10**9)) for word in ("milliarde", "milliarden", "mrd", "billion")),
        *((word, Decimal(1000)) for word in ("tausend", "tsd", "thousand")),
    ]
}
LEXICON = Lexicon(TRAPS, POLITE, NEGATION, {"no": YES_NO["no"]}, DOUBT, _NUMBER, _MULTIPLIERS)
_SYMBOLS = frozenset("€$£%°")
_CURRENCIES = frozenset(["eur", "euro", "chf", "usd", "gbp"])
_BESIDE = HARMLESS - {"-"} | {"fill", "unit", "number", "times", "=", "#"} | _SYMBOLS
_MEASURES = _SYMBOLS | {"unit"}
_HALF = frozenset(["halbe", "halber", "halben", "halbes"])
_ONE = frozenset(["ein", "eine", "einen", "einem", "ne", "nen", "a", "an"])
_AFTER_PRICE = frozenset(["-"])
_like_date = re.compile(r"\d{1,2}\.\d{1,2}")


def read(text: str, locale: str, least: Decimal | None, most: Decimal | None, unit: str = "") -> Understood:
    """Return the number as a decimal string; least and most bound it, both included.

    Where a `unit` is asked for, an answer in another one is converted, or unclear where that cannot be.
    """
    atoms = _signed(_multiplied(_pointed(_joined(_figures(LEXICON.atoms(text), locale)))))
    if unit:
        atoms = _spoken_parts(atoms)
    present = frozenset(atom.label for atom in atoms)
    if doubt := doubt_of(present):
        return unclear(doubt)
    if present & {"neg", "no"}:
        return unclear("negation")
    numbers = [atom for atom in atoms if atom.label in ("number", "times")]
    if not numbers:
        return unclear("no_answer")
    if len(numbers) > 1:
        return unclear("several")
    if not _is_plain(atoms):
        return unclear("unknown_words")
    value = numbers[0].value
    if unit:
        factors = {units.factor(name, unit) for name in _units_in(atoms)}
        if None in factors or len(factors) > 1:
            return unclear("other_unit")
        value = (value * (factors.pop() or 1) if factors else value).normalize()
    if (least is not None and value < least) or (most is not None and value > most):
        return unclear("out_of_range")
    return taken(numerals.written(value), "number")


def _units_in(atoms: Sequence[Atom]) -> list[str]:
    """Return what stands for a unit: known ones, signs of money, and the noun that is counted."""
    named = [atom.key if atom.label == "unit" else atom.label for atom in atoms if atom.label in _MEASURES]
    at = next(i for i, atom in enumerate(atoms) if atom.label in ("number", "times"))
    return named + [atom.key for atom in atoms[at + 1 : at + 2] if atom.label == "unknown"]


def _spoken_parts(atoms: list[Atom]) -> list[Atom]:
    """Read the number that is no figure: "eine Stunde", "eine halbe Stunde", "ne halbe Stunde"."""
    found = list(atoms)
    for at, atom in enumerate(found[:-1]):
        if atom.key in _HALF and found[at + 1].label == "unit":
            found[at] = Atom("number", Decimal("0.5"), atom.tokens)
            if at and found[at - 1].key in _ONE:
                found[at - 1] = Atom("fill", None, found[at - 1].tokens)
        elif atom.key in _ONE and found[at + 1].label == "unit":
            found[at] = Atom("number", Decimal(1), atom.tokens)
    return found


def _figures(atoms: Sequence[Atom], locale: str) -> list[Atom]:
    found: list[Atom] = []
    for at, atom in enumerate(atoms):
        if atom.label != "figures":
            found.append(atom)
            continue
        behind = atoms[at + 1] if at + 1 < len(atoms) else None
        dated = (
            behind is not None and behind.label == "." and behind.glued and _like_date.fullmatch(atom.value)
        )
        text = atom.value
        if is_fraction(atom, found):
            found.pop()
            text = f"0{'.' if locale == 'en' else ','}{text}"
        value = None if dated or _is_glued_to_letters(atoms, at) else numerals.figures(text, locale)
        found.append(
            Atom("unknown", None, atom.tokens) if value is None else Atom("number", value, atom.tokens)
        )
    return found


def is_fraction(atom: Atom, before: Sequence[Atom]) -> bool:
    """True for the 5 of ",5": the mark hangs on the figures and on nothing before it."""
    if not before or before[-1].label not in (",", ".") or not atom.glued or not atom.value.isdigit():
        return False
    return len(before) == 1 or not before[-1].glued or before[-2].label in ('"', "'", "(", "\n", "-", "+")


def _is_glued_to_letters(atoms: Sequence[Atom], at: int) -> bool:
    before = atoms[at - 1] if at else None
    return (
        before is not None and atoms[at].glued and before.tokens[-1].kind == "word" and before.label != "unit"
    )


def _joined(atoms: list[Atom]) -> list[Atom]:
    """Join what is written in parts: "10 000", "twenty-one", "a hundred and five"."""
    found: list[Atom] = []
    for atom in atoms:
        found.append(atom)
        while _join_last(found):
            pass
    return found


def _join_last(found: list[Atom]) -> bool:
    last = found[-1]
    if last.label == "hundred" and len(found) > 1 and found[-2].label in ("number", "article"):
        times = found[-2].value if found[-2].label == "number" else Decimal(1)
        found[-2:] = [Atom("number", times * 100, (*found[-2].tokens, *last.tokens))]
        return True
    if last.label != "number" or len(found) < 2:
        return False
    before = found[-2]
    if (
        before.label == "number"
        and last.raw == "000"
        and before.value == int(before.value)
        and before.tokens[-1].kind == "number"
    ):
        found[-2:] = [Atom("number", before.value * 1000, (*before.tokens, *last.tokens))]
        return True
    gap = 2 if before.label in ("-", "and") and len(found) > 2 else 1
    base = found[-1 - gap]
    if base.label != "number" or not all(t.kind == "word" for t in (base.tokens[-1], last.tokens[0])):
        return False
    ends_on_ten = numerals.is_ten(base.tokens[-1].key) and before.label != "and" and 1 <= last.value <= 9
    ends_on_hundred = base.tokens[-1].key == "hundred" and before.label != "-" and last.value < 100
    if not (ends_on_ten or ends_on_hundred):
        return False
    found[-1 - gap :] = [Atom("number", base.value + last.value, (*base.tokens, *last.tokens))]
    return True


def _pointed(atoms: list[Atom]) -> list[Atom]:
    """Join a spoken decimal: "eins Komma fünf"."""
    for at in range(1, len(atoms) - 1):
        whole, comma, part = atoms[at - 1 : at + 2]
        if (
            comma.label == "comma"
            and whole.label == part.label == "number"
            and _is_whole(whole)
            and _is_whole(part)
        ):
            value = Decimal(f"{int(whole.value)}.{int(part.value)}")
            return [*atoms[: at - 1], Atom("number", value, (*whole.tokens, *part.tokens)), *atoms[at + 2 :]]
    return atoms


def _is_whole(atom: Atom) -> bool:
    return bool(atom.value == int(atom.value) and atom.value < 10**9)


def _multiplied(atoms: list[Atom]) -> list[Atom]:
    for at in range(1, len(atoms)):
        before, atom = atoms[at - 1], atoms[at]
        if atom.label == "multiplier" and before.label in ("number", "article"):
            times = before.value if before.label == "number" else Decimal(1)
            joined = Atom("number", times * atom.value, (*before.tokens, *atom.tokens))
            return [*atoms[: at - 1], joined, *atoms[at + 1 :]]
    return atoms


def _signed(atoms: list[Atom]) -> list[Atom]:
    """Give a number its sign: "-5", "minus fünf", "+5"; a dash with a space behind it is no sign."""
    for at in range(len(atoms) - 1):
        sign, number = atoms[at], atoms[at + 1]
        if number.label != "number":
            continue
        starts = at == 0 or not sign.glued or atoms[at - 1].label in ("\n", '"', "(", "'")
        if sign.label == "minus" or (sign.label == "-" and number.glued and starts):
            return [
                *atoms[:at],
                Atom("number", -number.value, (*sign.tokens, *number.tokens)),
                *atoms[at + 2 :],
            ]
        if sign.label == "+" and number.glued and starts:
            return [*atoms[:at], *atoms[at + 1 :]]
    return atoms


def _is_plain(atoms: list[Atom]) -> bool:
    """True where all that stands round the number is a unit, a name or a courtesy."""
    at = next(i for i, atom in enumerate(atoms) if atom.label in ("number", "times"))
    if any(atom.label == "unit" and atom.key not in _CURRENCIES for atom in atoms[:at]):
        return False
    rest = [*atoms[:at], *_behind(atoms[at + 1 :])]
    return all(atom.label in _BESIDE for atom in rest)


def _behind(atoms: list[Atom]) -> list[Atom]:
    """Leave out ",-" of a price and one noun that is counted: "12 Enkel"."""
    if len(atoms) > 1 and atoms[0].label in (",", ".") and atoms[1].label == "-":
        after = 3 if len(atoms) > 2 and atoms[2].label == "-" else 2
        return atoms[after:]
    if atoms and atoms[0].label == "unknown" and atoms[0].tokens[0].capital and not atoms[0].glued:
        noun = atoms[0].tokens[0]
        if noun.kind == "word" and len(noun.key) > 3 and not noun.key.endswith(("tel", "teln", "stel")):
            return atoms[1:]
    return atoms
