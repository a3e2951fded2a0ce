"""The flow of a survey: what is asked next, after which answer, in which words. Pure: preview and running survey share it.

A flow is data (JSON) that `read` makes questions of. `step` takes the state of one participant and what has happened,
and returns the next state with what is to be done; nothing is sent or stored here.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from sms.gsm.fold import fold
from sms.modules.survey import words
from sms.understanding import Understood, optout, understand

_word = re.compile(r"\w+")

TYPES = ("yesno", "choice", "multichoice", "scale", "number", "date", "text")
SCALES = {"1-5": (1, 5), "1-10": (1, 10), "nps": (0, 10), "grade": (1, 6)}
"""The scales on offer with their ends: NPS is 0 to 10, a German school grade 1 (best) to 6."""
GRADES = ("sehr gut", "gut", "befriedigend", "ausreichend", "mangelhaft", "ungenuegend")
_BESIDE_GRADE = frozenset(["note", "schulnote", "die", "ein", "eine", "es", "das", "war", "ist", "danke"])
WHEN_UNCLEAR = ("skip", "end", "agent")
FOLLOWING, END = "", "end"
"""Where a question may lead besides another question: to the one below it (the last one: to the end), or to the end."""
NONE_CHOSEN = "0"
"""The value of "none of them" to a question with several choices."""
MOST_ASKED = 60
"""Questions after which one participant's survey ends: whatever the branches say, nobody is asked for ever."""


@dataclass(frozen=True)
class Branch:
    """A rule: these answers, or answers between two bounds (number, date; both included), lead to `to`."""

    answers: tuple[str, ...] = ()
    least: str | None = None
    most: str | None = None
    to: str = END


@dataclass(frozen=True)
class Question:
    """One question: a text message, what counts as an answer, and where each answer leads.

    `low` and `high` are the owner's words for the ends of a scale (1 = sehr, 5 = gar nicht).
    """

    key: str
    name: str = ""
    text: str = ""
    type: str = "text"
    scale: str = "1-5"
    options: tuple[str, ...] = ()
    least: str | None = None
    most: str | None = None
    unit: str = ""
    low: str = ""
    high: str = ""
    retries: int = 1
    unclear: str = ""
    when_unclear: str = "skip"
    branches: tuple[Branch, ...] = ()
    next: str = FOLLOWING
    notify: bool = False

    @property
    def bounds(self) -> tuple[Decimal | None, Decimal | None]:
        """The smallest and largest possible number, None where there is no limit."""
        if self.type == "scale":
            low, high = SCALES.get(self.scale, SCALES["1-5"])
            return Decimal(low), Decimal(high)
        return _decimal(self.least), _decimal(self.most)

    @property
    def title(self) -> str:
        """What the question is called in charts and exports: its name, else the beginning of its text."""
        return self.name or words.beginning(self.text) or self.key


@dataclass(frozen=True)
class Flow:
    """Everything that is frozen when a survey starts.

    `reminders` are sent to who has not answered, `reminder_hours` after the question and each other; after
    `expires_hours` without an answer a participant's survey is over.
    """

    questions: tuple[Question, ...] = ()
    closing: str = ""
    reminders: int = 0
    reminder_hours: int = 24
    reminder_text: str = ""
    expires_hours: int = 48

    def question(self, key: str) -> Question | None:
        """Return the question with this key."""
        return next((q for q in self.questions if q.key == key), None)

    def after(self, question: Question, to: str) -> Question | None:
        """Return the question a target means, seen from `question`; None for the end."""
        if to != FOLLOWING:
            return None if to == END else self.question(to)
        keys = [q.key for q in self.questions]
        at = keys.index(question.key) + 1
        return self.questions[at] if at < len(keys) else None


@dataclass(frozen=True)
class State:
    """Where one participant stands: `phase` new, asking, paused, finished, ended, opted_out or expired."""

    phase: str = "new"
    at: str = ""
    tries: int = 0
    asked: int = 0


@dataclass(frozen=True)
class Event:
    """What has happened: begin, reply, remind, pause, resume, opt_out, expire. A reply has its text and its day."""

    kind: str
    text: str = ""
    today: date | None = None


@dataclass(frozen=True)
class Action:
    """What is to be done.

    ask: send `text` (how: question, again, reminder, resumed); say: send the closing text; record: keep the answer to
    `question`; hand_over: put the thread before the agents; finish: it is over (how: finished, ended, opted_out, expired).
    """

    kind: str
    question: str = ""
    text: str = ""
    how: str = ""
    answer: Understood | None = None
    raw: str = ""


Stepped = tuple[State, tuple[Action, ...]]


def read(data: Any) -> Flow:
    """Return the flow of JSON data; what is missing or of a wrong type gets its default, so a draft is always readable."""
    given = data if isinstance(data, Mapping) else {}
    questions = given.get("questions")
    made = [_question(q, n) for n, q in enumerate(questions, 1)] if isinstance(questions, list) else []
    usual = Flow()
    return Flow(
        questions=tuple(made),
        closing=_text(given.get("closing")),
        reminders=_whole(given.get("reminders"), usual.reminders),
        reminder_hours=_whole(given.get("reminder_hours"), usual.reminder_hours),
        reminder_text=_text(given.get("reminder_text")),
        expires_hours=_whole(given.get("expires_hours"), usual.expires_hours),
    )


def _question(data: Any, number: int) -> Question:
    given = data if isinstance(data, Mapping) else {}
    usual = Question("")
    return Question(
        key=_text(given.get("key")) or f"q{number}",
        name=_text(given.get("name")),
        text=_text(given.get("text")),
        type=_text(given.get("type")) or usual.type,
        scale=_text(given.get("scale")) or usual.scale,
        options=tuple(_text(o) for o in _list(given.get("options"))),
        least=_bound(given.get("least")),
        most=_bound(given.get("most")),
        unit=_text(given.get("unit")),
        low=_text(given.get("low")),
        high=_text(given.get("high")),
        retries=_whole(given.get("retries"), usual.retries),
        unclear=_text(given.get("unclear")),
        when_unclear=_text(given.get("when_unclear")) or usual.when_unclear,
        branches=tuple(_branch(b) for b in _list(given.get("branches"))),
        next=_text(given.get("next")),
        notify=given.get("notify") is True,
    )


def _branch(data: Any) -> Branch:
    given = data if isinstance(data, Mapping) else {}
    answers = tuple(dict.fromkeys(_text(a) for a in _list(given.get("answers"))))
    return Branch(answers, _bound(given.get("least")), _bound(given.get("most")), _text(given.get("to")))


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []


def _text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    # What no database can hold: NUL and halves of characters.
    text = str(value).replace("\0", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text.strip()


def _bound(value: Any) -> str | None:
    return _text(value) or None


def _whole(value: Any, usual: int) -> int:
    try:
        return int(_text(value)[:9])
    except ValueError:
        return usual


def _decimal(text: str | None) -> Decimal | None:
    try:
        found = None if text is None else Decimal(text.replace(",", "."))
    except InvalidOperation:
        return None
    return found if found is not None and found.is_finite() else None


def dump(flow: Flow) -> dict[str, Any]:
    """Return the flow as JSON data: `read(dump(flow)) == flow`; what has its default is left out."""
    usual = Flow()
    plain = ("closing", "reminders", "reminder_hours", "reminder_text", "expires_hours")
    rest = {n: getattr(flow, n) for n in plain if getattr(flow, n) != getattr(usual, n)}
    return {"questions": [_dump_question(q) for q in flow.questions], **rest}


def _dump_question(question: Question) -> dict[str, Any]:
    usual = Question("")
    names = [n for n in Question.__dataclass_fields__ if n not in ("key", "type", "branches")]
    found: dict[str, Any] = {"key": question.key, "type": question.type}
    for name in names:
        value = getattr(question, name)
        if value != getattr(usual, name):
            found[name] = list(value) if isinstance(value, tuple) else value
    if question.branches:
        found["branches"] = [_dump_branch(b) for b in question.branches]
    return found


def _dump_branch(branch: Branch) -> dict[str, Any]:
    bounds = {"least": branch.least, "most": branch.most}
    answers = {"answers": list(branch.answers)} if branch.answers else {}
    return {**answers, **{n: v for n, v in bounds.items() if v is not None}, "to": branch.to}


def value_text(value: Any) -> str:
    """Return a value as it is stored, counted and exported: yes, 2, "1,3", 36.5, 2026-03-28."""
    if isinstance(value, list | tuple):
        return ",".join(str(v) for v in value) or NONE_CHOSEN
    return str(value)


def values_of(question: Question, stored: str) -> list[str]:
    """Return what a stored value counts as: each chosen option of several, else the value itself."""
    return stored.split(",") if question.type == "multichoice" else [stored]


def make_sense(question: Question, text: str, locale: str, today: date | None) -> Understood:
    """Return what an answer to this question means; free text is taken as it stands."""
    if question.type != "text":
        least, most = question.bounds
        meant = understand(
            question.type, text, locale=locale, options=question.options, min=least, max=most, unit=question.unit,
            today=today,
        )  # fmt: skip
        return _with_ends(question, text, _graded(question, text, meant))
    if optout.is_stop(text):
        return Understood("opt_out", None, "opt_out")
    return Understood("value", text.strip(), "text") if text.strip() else Understood("unclear", None, "empty")


def _graded(question: Question, text: str, meant: Understood) -> Understood:
    """Read a school grade by its name: befriedigend; "Note gut"."""
    if question.type != "scale" or question.scale != "grade" or meant.outcome != "unclear":
        return meant
    said = " ".join(word for word in _words(text) if word not in _BESIDE_GRADE)
    return Understood("value", GRADES.index(said) + 1, "grade") if said in GRADES else meant


def _with_ends(question: Question, text: str, meant: Understood) -> Understood:
    """Read the owner's words for the ends of a scale: gar nicht; 5, gar nicht. With another number they contradict it."""
    if question.type != "scale" or not (question.low or question.high) or meant.outcome == "opt_out":
        return meant
    said = _words(text)
    numbers = [word for word in said if word.isdigit()]
    ends = zip(question.bounds, (question.low, question.high), strict=True)
    rest = [word for word in said if not word.isdigit()]
    named = [str(value) for value, meaning in ends if rest and _words(meaning) == rest]
    if len(named) != 1:
        return meant
    if numbers and numbers != named:
        return Understood("unclear", None, "contradiction")
    return Understood("value", int(named[0]), "scale_end")


def _words(text: str) -> list[str]:
    return _word.findall(fold(text))


def leads_to(flow: Flow, question: Question, stored: str) -> Question | None:
    """Return the question that follows an answer; None for the end. The first rule that fits counts."""
    fitting = (b for b in question.branches if _fits(question, b, stored))
    branch = next(fitting, None)
    return flow.after(question, question.next if branch is None else branch.to)


def _fits(question: Question, branch: Branch, stored: str) -> bool:
    if question.type not in ("number", "date"):
        return not set(branch.answers).isdisjoint(values_of(question, stored))
    if stored in branch.answers:
        return True
    if branch.least is None and branch.most is None:
        return False
    if question.type == "date":
        return (branch.least or "") <= stored <= (branch.most or "9999-12-31")
    value, least, most = _decimal(stored), _decimal(branch.least), _decimal(branch.most)
    return value is not None and (least is None or value >= least) and (most is None or value <= most)


def step(flow: Flow, state: State, event: Event, locale: str) -> Stepped:
    """Return the next state and what is to be done. What comes in a phase that has no use for it changes nothing."""
    happened = _STEPS.get((state.phase, event.kind))
    return (state, ()) if happened is None else happened(flow, state, event, locale)


def _begin(flow: Flow, state: State, event: Event, locale: str) -> Stepped:
    return _go(flow, state, flow.questions[0] if flow.questions else None)


def _go(flow: Flow, state: State, question: Question | None, *before: Action) -> Stepped:
    """Ask the question, or end where there is none."""
    if question is None or state.asked >= MOST_ASKED:
        return _end(flow, state, "finished", *before)
    asking = State("asking", question.key, 0, state.asked + 1)
    return asking, (*before, Action("ask", question.key, question.text, "question"))


def _end(flow: Flow, state: State, how: str, *before: Action) -> Stepped:
    closing = (Action("say", text=flow.closing),) if flow.closing else ()
    return replace(state, phase=how, at="", tries=0), (*before, *closing, Action("finish", how=how))


def _reply(flow: Flow, state: State, event: Event, locale: str) -> Stepped:
    question = flow.question(state.at)
    if question is None:
        return _end(flow, state, "ended")
    meant = make_sense(question, event.text, locale, event.today)
    if meant.outcome == "opt_out":
        return _opt_out(flow, state, event, locale)
    record = Action("record", question.key, how=meant.outcome, answer=meant, raw=event.text)
    if meant.outcome == "value":
        notice = (Action("hand_over", question.key, how="notify"),) if question.notify else ()
        return _go(flow, state, leads_to(flow, question, value_text(meant.value)), record, *notice)
    if state.tries < question.retries:
        text = question.unclear or words.ask_again(question, locale)
        again = Action("ask", question.key, text, "again")
        return replace(state, tries=state.tries + 1), (again,)
    return _give_up(flow, state, question, record)


def _give_up(flow: Flow, state: State, question: Question, record: Action) -> Stepped:
    if question.when_unclear == "agent":
        return replace(state, phase="paused"), (record, Action("hand_over", question.key, how="unclear"))
    if question.when_unclear == "end":
        return _end(flow, state, "ended", record)
    return _go(flow, state, flow.after(question, question.next), record)


def _remind(flow: Flow, state: State, event: Event, locale: str) -> Stepped:
    question = flow.question(state.at)
    if question is None:
        return state, ()
    text = flow.reminder_text or words.reminder(question, locale)
    return state, (Action("ask", question.key, text, "reminder"),)


def _pause(flow: Flow, state: State, event: Event, locale: str) -> Stepped:
    return replace(state, phase="paused"), ()


def _resume(flow: Flow, state: State, event: Event, locale: str) -> Stepped:
    question = flow.question(state.at)
    if question is None:
        return _end(flow, state, "ended")
    return replace(state, phase="asking", tries=0), (Action("ask", question.key, question.text, "resumed"),)


def _opt_out(flow: Flow, state: State, event: Event, locale: str) -> Stepped:
    return replace(state, phase="opted_out", at="", tries=0), (Action("finish", how="opted_out"),)


def _expire(flow: Flow, state: State, event: Event, locale: str) -> Stepped:
    return replace(state, phase="expired", at="", tries=0), (Action("finish", how="expired"),)


_STEPS = {
    ("new", "begin"): _begin,
    ("asking", "reply"): _reply,
    ("asking", "remind"): _remind,
    ("asking", "pause"): _pause,
    ("paused", "resume"): _resume,
    **{(phase, "opt_out"): _opt_out for phase in ("new", "asking", "paused")},
    **{(phase, "expire"): _expire for phase in ("new", "asking", "paused")},
}
"""By phase and event; whatever is not here changes nothing."""


@dataclass(frozen=True)
class Played:
    """A survey played to the present: the lines said so far as (who: ours or theirs, text), state and answers by key."""

    lines: tuple[tuple[str, str], ...]
    state: State
    answers: Mapping[str, Understood] = field(default_factory=dict)


def play(flow: Flow, replies: Iterable[str], locale: str, today: date | None = None) -> Played:
    """Play a survey with these replies, as the preview shows it; replies after its end lead to nothing."""
    lines: list[tuple[str, str]] = []
    answers: dict[str, Understood] = {}
    state, actions = step(flow, State(), Event("begin"), locale)
    _say(lines, answers, actions)
    for text in replies:
        lines.append(("theirs", text))
        state, actions = step(flow, state, Event("reply", text, today), locale)
        _say(lines, answers, actions)
    return Played(tuple(lines), state, answers)


def _say(lines: list[tuple[str, str]], answers: dict[str, Understood], actions: Iterable[Action]) -> None:
    for action in actions:
        if action.kind in ("ask", "say"):
            lines.append(("ours", action.text))
        elif action.kind == "record" and action.answer is not None:
            answers[action.question] = action.answer
