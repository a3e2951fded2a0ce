"""What is wrong with a flow before it starts, and what it costs at most. Pure.

The thread line of a survey must end: no question without a way out, none that nobody is ever asked, no rule that
leads nowhere.
"""

import re
from collections.abc import Collection, Iterator
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from sms.gsm import placeholders, segments
from sms.gsm.fold import fold
from sms.modules.survey import words
from sms.modules.survey.flow import (
    END,
    FOLLOWING,
    NONE_CHOSEN,
    SCALES,
    TYPES,
    WHEN_UNCLEAR,
    Branch,
    Flow,
    Question,
)

MOST_QUESTIONS = 50
FEWEST_OPTIONS, MOST_OPTIONS, LONGEST_OPTION = 2, 26, 100
MOST_RETRIES = 5
MOST_REMINDERS = 5
LONGEST_HOURS = 24 * 60
LONGEST_NAME, LONGEST_UNIT, LONGEST_KEY, LONGEST_END = 100, 20, 40, 40
LARGEST_NUMBER = Decimal(10) ** 12

_key = re.compile(r"[A-Za-z0-9_-]+")
_in_pairs = re.compile(r"\{[\w -]+\}")


class Problem(NamedTuple):
    """What is wrong: the question ("" for the survey itself), its field, a stable code, what fills the sentence."""

    question: str
    field: str
    code: str
    params: dict[str, Any]


def problems(flow: Flow) -> list[Problem]:
    """Return everything that keeps a flow from being started, in the order of the form; none where it may start."""
    found = [*_of_survey(flow)]
    seen: set[str] = set()
    for question in flow.questions:
        if question.key in seen:
            found.append(Problem(question.key, "key", "key_twice", {}))
        seen.add(question.key)
        found += _of_question(flow, question)
    if not found:
        found += _of_ways(flow)
    return found


def _of_survey(flow: Flow) -> Iterator[Problem]:
    if not flow.questions:
        yield Problem("", "questions", "no_questions", {})
    if len(flow.questions) > MOST_QUESTIONS:
        yield Problem("", "questions", "too_many", {"limit": MOST_QUESTIONS})
    for name in ("closing", "reminder_text"):
        if text := getattr(flow, name):
            yield from _of_text("", name, text)
    for name, least, most in (
        ("reminders", 0, MOST_REMINDERS),
        ("reminder_hours", 1, LONGEST_HOURS),
        ("expires_hours", 1, LONGEST_HOURS),
    ):
        if not least <= getattr(flow, name) <= most:
            yield Problem("", name, "bad_number", {"least": least, "most": most})


def _of_text(key: str, field: str, text: str) -> Iterator[Problem]:
    if trouble := segments.problem(text):
        yield Problem(key, field, trouble, {"limit": segments.MAX_CHARACTERS})


def _of_question(flow: Flow, question: Question) -> Iterator[Problem]:
    key = question.key
    if not _key.fullmatch(key) or len(key) > LONGEST_KEY or key == END:
        yield Problem(key, "key", "bad_key_name", {})
    if len(question.name) > LONGEST_NAME:
        yield Problem(key, "name", "too_long", {"limit": LONGEST_NAME})
    yield from _of_text(key, "text", question.text)
    if question.unclear:
        yield from _of_text(key, "unclear", question.unclear)
    if question.type not in TYPES:
        yield Problem(key, "type", "unknown_type", {})
    if question.when_unclear not in WHEN_UNCLEAR:
        yield Problem(key, "when_unclear", "unknown_choice", {})
    if not 0 <= question.retries <= MOST_RETRIES:
        yield Problem(key, "retries", "bad_number", {"least": 0, "most": MOST_RETRIES})
    if len(question.unit) > LONGEST_UNIT:
        yield Problem(key, "unit", "too_long", {"limit": LONGEST_UNIT})
    yield from _of_type(question)
    yield from _of_branches(flow, question)


def _of_type(question: Question) -> Iterator[Problem]:
    if question.type in ("choice", "multichoice"):
        yield from _of_options(question)
    if question.type == "scale":
        yield from _of_scale(question)
    if question.type == "number":
        yield from _of_range(question.key, "least", question.least, question.most, "number")


def _of_scale(question: Question) -> Iterator[Problem]:
    if question.scale not in SCALES:
        yield Problem(question.key, "scale", "unknown_choice", {})
    for name in ("low", "high"):
        if len(getattr(question, name)) > LONGEST_END:
            yield Problem(question.key, name, "too_long", {"limit": LONGEST_END})


def _of_options(question: Question) -> Iterator[Problem]:
    key, options = question.key, question.options
    if len(options) < FEWEST_OPTIONS:
        yield Problem(key, "options", "too_few_options", {"limit": FEWEST_OPTIONS})
    if len(options) > MOST_OPTIONS:
        yield Problem(key, "options", "too_many_options", {"limit": MOST_OPTIONS})
        return
    if any(not option for option in options):
        yield Problem(key, "options", "empty_option", {})
    if any(len(option) > LONGEST_OPTION for option in options):
        yield Problem(key, "options", "too_long", {"limit": LONGEST_OPTION})
    folded = [" ".join(fold(option).split()) for option in options if option]
    twice = (
        next((o for n, o in enumerate(options) if o and folded.count(folded[n]) > 1), None)
        if all(options)
        else None
    )
    if twice is not None:
        yield Problem(key, "options", "option_twice", {"option": twice})


def _of_range(key: str, field: str, low: str | None, high: str | None, type: str) -> Iterator[Problem]:
    try:
        least, most = (None if bound is None else _bound(bound, type) for bound in (low, high))
    except (ValueError, ArithmeticError):
        yield Problem(key, field, "bad_bound" if type == "number" else "bad_date", {})
        return
    if least is not None and most is not None and least > most:
        yield Problem(key, field, "bounds_swapped", {"least": low, "most": high})


def _bound(text: str, type: str) -> Any:
    """Return a bound that can be compared; raises ValueError or ArithmeticError for none."""
    if type == "date":
        return date.fromisoformat(text)
    value = Decimal(text.replace(",", "."))
    if not value.is_finite() or abs(value) > LARGEST_NUMBER:
        raise ValueError(text)
    return value


def _of_branches(flow: Flow, question: Question) -> Iterator[Problem]:
    known = {FOLLOWING, END, *(q.key for q in flow.questions)}
    if question.next not in known:
        yield Problem(question.key, "next", "unknown_target", {})
    taken: set[str] = set()
    for number, branch in enumerate(question.branches):
        field = f"branches.{number}"
        if branch.to not in known:
            yield Problem(question.key, field, "unknown_target", {})
        yield from _of_rule(question, branch, field, taken)


def _of_rule(question: Question, branch: Branch, field: str, taken: set[str]) -> Iterator[Problem]:
    key = question.key
    if question.type == "text":
        yield Problem(key, field, "no_rules_on_text", {})
        return
    if question.type in ("number", "date"):
        if not branch.answers and branch.least is None and branch.most is None:
            yield Problem(key, field, "rule_without_answer", {})
        yield from _of_range(key, field, branch.least, branch.most, question.type)
        return
    if not branch.answers:
        yield Problem(key, field, "rule_without_answer", {})
    possible = answers_of(question)
    if possible and any(answer not in possible for answer in branch.answers):
        yield Problem(key, field, "rule_with_foreign_answer", {})
    if question.type != "multichoice":
        if both := taken.intersection(branch.answers):
            yield Problem(key, field, "answer_in_two_rules", {"answer": min(both)})
        taken.update(branch.answers)


def answers_of(question: Question) -> tuple[str, ...]:
    """Return every value an answer can have, in order; empty where there is no end of them (number, date, text)."""
    if question.type == "yesno":
        return ("yes", "no")
    if question.type == "scale" and question.scale in SCALES:
        least, most = SCALES[question.scale]
        return tuple(str(n) for n in range(least, most + 1))
    if question.type in ("choice", "multichoice"):
        numbers = tuple(str(n) for n in range(1, len(question.options) + 1))
        return (*numbers, NONE_CHOSEN) if question.type == "multichoice" else numbers
    return ()


def ways(flow: Flow, question: Question) -> list[Question | None]:
    """Return where a question can lead; None is the end."""
    found = {b.to: flow.after(question, b.to) for b in question.branches}
    if _goes_straight_on(question):
        found[question.next] = flow.after(question, question.next)
    if question.when_unclear == "end":
        found[END] = None
    return list(found.values())


def _goes_straight_on(question: Question) -> bool:
    """Tell whether anybody leaves a question without a rule; where each answer has one, only who is skipped does."""
    covered = {a for b in question.branches for a in b.answers}
    answers = answers_of(question)
    return not answers or not covered.issuperset(answers) or question.when_unclear == "skip"


def is_by_the_way(flow: Flow, question: Question) -> bool:
    """Tell whether a question is asked after certain answers only: it is not the first, and no straight way leads there."""
    straight = (
        flow.after(q, q.next) for q in flow.questions if q.key != question.key and _goes_straight_on(q)
    )
    return question != flow.questions[0] and question not in straight


def _of_ways(flow: Flow) -> Iterator[Problem]:
    lead = {q.key: [w.key if w else END for w in ways(flow, q)] for q in flow.questions}
    reached = _spread(flow.questions[0].key, lead)
    back: dict[str, list[str]] = {}
    for key, targets in lead.items():
        for target in targets:
            back.setdefault(target, []).append(key)
    ending = _spread(END, back)
    for question in flow.questions:
        if question.key not in reached:
            yield Problem(question.key, "next", "never_asked", {})
        elif question.key not in ending:
            yield Problem(question.key, "next", "no_way_out", {})


def _spread(start: str, lead: dict[str, list[str]]) -> set[str]:
    seen, waiting = {start}, [start]
    while waiting:
        for key in lead.get(waiting.pop(), ()):
            if key not in seen:
                seen.add(key)
                waiting.append(key)
    return seen


def placeholder_names(flow: Flow) -> tuple[str, ...]:
    """Return the placeholders that all texts of a flow name, each once, as first written."""
    found: dict[str, str] = {}
    for text in texts(flow):
        for name in placeholders.names(text):
            found.setdefault(name.casefold(), name)
    return tuple(found.values())


def doubts(flow: Flow, known: Collection[str], code: str) -> list[Problem]:
    """Return what hinders no start but may be a slip: placeholders that are not `known` (casefolded), and lone braces."""
    fields = [(q.key, name, getattr(q, name)) for q in flow.questions for name in ("text", "unclear")]
    found = []
    for key, field, text in [
        *fields,
        *(("", name, getattr(flow, name)) for name in ("closing", "reminder_text")),
    ]:
        if missing := [f"{{{n}}}" for n in placeholders.names(text) if n.casefold() not in known]:
            found.append(Problem(key, field, code, {"names": ", ".join(missing)}))
        if _has_lone_brace(text):
            found.append(Problem(key, field, "lone_brace", {}))
    return found


def _has_lone_brace(text: str) -> bool:
    filled = placeholders.fill(text, dict.fromkeys(placeholders.names(text), "")).text
    return not {"{", "}"}.isdisjoint(_in_pairs.sub("", filled))


def texts(flow: Flow) -> list[str]:
    """Return every text that may be sent as it was written by the owner."""
    asked = [text for q in flow.questions for text in (q.text, q.unclear)]
    return [text for text in (*asked, flow.closing, flow.reminder_text) if text]


class Cost(NamedTuple):
    """Messages and parts for one participant who understands every question, on the longest way; `most` with all repeats."""

    messages: int
    parts: int
    most: int


def cost(flow: Flow, locale: str = "de") -> Cost:
    """Return what one participant costs at most; placeholders count as they are written."""
    if not flow.questions:
        return Cost(0, 0, 0)
    messages, parts, most = _longest(flow, flow.questions[0], {}, frozenset(), locale)
    closing = segments.count(flow.closing).parts if flow.closing else 0
    return Cost(messages + bool(closing), parts + closing, most + closing)


def _longest(
    flow: Flow, question: Question, known: dict[str, Cost], on_the_way: frozenset[str], locale: str
) -> Cost:
    """Return the dearest way from a question to the end; a way that comes back to a question counts it once."""
    if question.key in known:
        return known[question.key]
    behind = Cost(0, 0, 0)
    for follower in ways(flow, question):
        if follower is not None and follower.key not in on_the_way | {question.key}:
            behind = max(
                behind, _longest(flow, follower, known, on_the_way | {question.key}, locale), key=_dearness
            )
    parts = segments.count(question.text).parts
    again = segments.count(question.unclear or words.ask_again(question, locale)).parts
    reminder = segments.count(flow.reminder_text or words.reminder(question, locale)).parts
    most = parts + again * max(0, question.retries) + reminder * max(0, flow.reminders)
    found = Cost(behind.messages + 1, behind.parts + parts, behind.most + most)
    known[question.key] = found
    return found


def _dearness(cost: Cost) -> tuple[int, int]:
    return cost.parts, cost.most
