"""What came of a survey, added up from counters: no answer is read for it, however many there are."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from peewee import JOIN, fn

from sms.models import Contact
from sms.modules.survey import counting, flow
from sms.modules.survey.flow import Question
from sms.modules.survey.models import Answer, Count, Run, Start, Survey, Version

MOST_VALUES = 1000
NEWEST = 20


@dataclass(frozen=True)
class OfQuestion:
    """One question's results: how many were asked, answered, were unclear; how often each value came.

    `versions` are those in which it was asked in this form. `mean` and `median` are of numbers, else None.
    """

    question: Question
    versions: tuple[int, ...]
    asked: int
    answered: int
    unclear: int
    values: Mapping[str, int]
    mean: float | None = None
    median: float | None = None

    @property
    def lost(self) -> int:
        """How many were asked and gave no answer at all (yet)."""
        return max(0, self.asked - self.answered - self.unclear)


@dataclass(frozen=True)
class Results:
    """A survey's results; `days` is how many first answers came on each day, `seconds` the median time to the first."""

    sent: int
    answered: int
    finished: int
    opted_out: int
    expired: int
    failed: int
    seconds: float | None
    days: Mapping[date, int]
    questions: tuple[OfQuestion, ...]

    @property
    def rate(self) -> float | None:
        """The share of those asked who have answered; None before anybody was asked."""
        return self.answered / self.sent if self.sent else None


def results(
    survey: Survey, since: date | None = None, until: date | None = None, like: tuple[str, str] | None = None
) -> Results:
    """Return the results of all versions, of some days (both included), or of those who gave an answer to a question.

    `like` is (question key, value); it is the one filter that reads answers.
    """
    versions = list(Version.select().where(Version.survey == survey).order_by(Version.number.desc()))
    started = {
        row.version_id
        for row in Start.select(Start.version).where(Start.survey == survey, Start.kind != "test")
    }
    asked = [v for v in versions if v.id in started]
    counts = _of_some(survey, since, until, *like) if like else _counted(asked, since, until)
    whole = _summed(counts, "")
    days = _days(asked, since, until)
    return Results(
        sent=whole["sent"],
        answered=whole["answered"],
        finished=whole["finished"],
        opted_out=whole["opted_out"],
        expired=whole["expired"],
        failed=whole["failed"],
        seconds=counting.median({name: n for name, n in whole.items() if name.startswith("t:")}),
        days=days,
        questions=tuple(_questions(asked, survey, counts)),
    )


Counts = dict[int, dict[str, dict[str, int]]]
"""By version, question and name."""


def _counted(versions: list[Version], since: date | None, until: date | None) -> Counts:
    found: Counts = defaultdict(lambda: defaultdict(lambda: defaultdict(int)))
    rows = Count.select(Count.version, Count.question, Count.name, fn.SUM(Count.n)).where(
        Count.version.in_([v.id for v in versions] or [0]), *_days_between(since, until)
    )
    for version, question, name, n in rows.group_by(Count.version, Count.question, Count.name).tuples():
        found[version][question][name] += int(n)
    return found


def _days_between(since: date | None, until: date | None) -> list[object]:
    return [
        *([Count.day >= since] if since is not None else []),
        *([Count.day <= until] if until is not None else []),
    ]


def _summed(counts: Counts, question: str) -> dict[str, int]:
    whole: dict[str, int] = defaultdict(int)
    for of_version in counts.values():
        for name, n in of_version.get(question, {}).items():
            whole[name] += n
    return whole


def _days(versions: list[Version], since: date | None, until: date | None) -> dict[date, int]:
    rows = (
        Count.select(Count.day, fn.SUM(Count.n))
        .where(
            Count.version.in_([v.id for v in versions] or [0]),
            Count.question == "",
            Count.name == "answered",
            *_days_between(since, until),
        )
        .group_by(Count.day)
        .order_by(Count.day)
    )
    return {day: int(n) for day, n in rows.tuples()}


def _questions(versions: list[Version], survey: Survey, counts: Counts) -> Iterable[OfQuestion]:
    """Yield the questions of the newest version in order, then those that only older ones had, or had otherwise."""
    flows = [(v.id, flow.read(v.flow)) for v in versions] or [(0, flow.read(survey.draft))]
    alike: dict[tuple[object, ...], tuple[Question, list[int]]] = {}
    for version, frozen in flows:
        for question in frozen.questions:
            form = (question.key, question.type, question.scale, question.options)
            alike.setdefault(form, (question, []))[1].append(version)
    for question, ids in alike.values():
        own = {v: counts[v] for v in ids if v in counts}
        yield _of_question(question, tuple(ids), _summed(own, question.key))


def _of_question(question: Question, versions: tuple[int, ...], named: Mapping[str, int]) -> OfQuestion:
    values = {name[2:]: n for name, n in named.items() if name.startswith("v:") and n > 0}
    ordered = dict(sorted(values.items(), key=lambda pair: _order(pair[0]))[:MOST_VALUES])
    mean, median = _middle(values) if question.type in ("scale", "number") else (None, None)
    return OfQuestion(
        question,
        versions,
        named.get("asked", 0),
        named.get("answered", 0),
        named.get("unclear", 0),
        ordered,
        mean,
        median,
    )


def _order(value: str) -> tuple[int, float, str]:
    try:
        return (0, float(value), "")
    except ValueError:
        return (1, 0.0, "" if value == "yes" else value)


def _middle(values: Mapping[str, int]) -> tuple[float | None, float | None]:
    """Return (mean, median) of numbers with how often each came."""
    numbers = sorted((float(value), n) for value, n in values.items())
    whole = sum(n for _, n in numbers)
    if not whole:
        return None, None
    return sum(value * n for value, n in numbers) / whole, _median(numbers, whole)


def _median(numbers: list[tuple[float, int]], whole: int) -> float:
    passed, low = 0, None
    for value, n in numbers:
        passed += n
        if low is not None:
            return (low + value) / 2
        if passed * 2 > whole:
            return value
        if passed * 2 == whole:
            low = value
    return numbers[-1][0]


def _of_some(survey: Survey, since: date | None, until: date | None, key: str, value: str) -> Counts:
    """Count those who gave one answer, from the answers themselves."""
    runs = _runs_like(survey, key, value)
    found: Counts = defaultdict(lambda: defaultdict(lambda: defaultdict(int)))
    rows = Answer.select(Answer.version, Answer.question, Answer.value, fn.COUNT(Answer.id)).where(
        Answer.run.in_(runs)
    )
    types = {
        (v.id, q.key): q
        for v in Version.select().where(Version.survey == survey)
        for q in flow.read(v.flow).questions
    }
    for version, question, given, n in rows.group_by(Answer.version, Answer.question, Answer.value).tuples():
        of_question = found[version][question]
        of_question["unclear" if given is None else "answered"] += n
        of_question["asked"] += n
        asked = types.get((version, question))
        if given is not None and asked is not None and asked.type != "text":
            for each in flow.values_of(asked, given):
                of_question[f"v:{each}"] += n
    states = (
        Run.select(Run.version, Run.state, fn.COUNT(Run.id))
        .where(Run.id.in_(runs))
        .group_by(Run.version, Run.state)
    )
    for version, state, n in states.tuples():
        for name in ("sent", "answered", state):
            found[version][""][name] += n
    return found


def _runs_like(survey: Survey, key: str, value: str) -> object:
    given = Answer.value == value
    chosen = (
        given
        | Answer.value.startswith(f"{value},")
        | Answer.value.endswith(f",{value}")
        | Answer.value.contains(f",{value},")
    )
    several = [
        v.id for v in Version.select().where(Version.survey == survey)
        for q in flow.read(v.flow).questions if q.key == key and q.type == "multichoice"
    ]  # fmt: skip
    ids = [v.id for v in Version.select(Version.id).where(Version.survey == survey)]
    fitting = (Answer.version.in_(several or [0]) & chosen) | given
    return (
        Answer.select(Answer.run)
        .join(Run)
        .where(Answer.version.in_(ids or [0]), Answer.question == key, fitting, ~Run.test)
    )


def texts(survey: Survey, of: OfQuestion, limit: int = NEWEST, before: int | None = None) -> list[Answer]:
    """Return the newest answers to a question with their runs and contacts, for the page's quotes and its list."""
    found = (
        Answer.select(Answer, Run, Contact)
        .join(Run)
        .join(Contact, JOIN.LEFT_OUTER)
        .where(
            Answer.version.in_(of.versions or [0]),
            Answer.question == of.question.key,
            ~Run.test,
            Answer.raw != "",
        )
    )
    if before is not None:
        found = found.where(Answer.id < before)
    return list(found.order_by(Answer.id.desc()).limit(limit))


def newest(survey: Survey) -> Answer | None:
    """Return the newest answer of all, for the page's live line."""
    return (  # type: ignore[no-any-return]
        Answer.select(Answer, Run)
        .join(Run)
        .where(Run.survey == survey, ~Run.test, Answer.raw != "")
        .order_by(Answer.id.desc())
        .first()
    )
