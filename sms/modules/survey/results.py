"""What came of a survey, added up from counters: no answer is read for it, however many there are."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, NamedTuple

from peewee import JOIN, fn

from sms import statements
from sms.db import from_ms, is_sqlite, to_ms
from sms.models import Contact
from sms.modules.survey import counting, flow, moments
from sms.modules.survey.flow import Flow, Question
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

    `like` is (question key, value); it is the one filter that reads answers, and the days are then those on which that
    one was given.
    """
    versions = list(Version.select().where(Version.survey == survey).order_by(Version.number.desc()))
    started = {
        row.version_id
        for row in Start.select(Start.version).where(Start.survey == survey, Start.kind != "test")
    }
    asked = [v for v in versions if v.id in started]
    flows = {v.id: flow.read(v.flow) for v in asked}
    if like:
        counts, days = _of_some(flows, _Given(*like, since, until, survey.account.zone))
    else:
        counts, days = _counted(asked, since, until), _days(asked, since, until)
    whole = _summed(counts, "")
    return Results(
        sent=whole["sent"],
        answered=whole["answered"],
        finished=whole["finished"],
        opted_out=whole["opted_out"],
        expired=whole["expired"],
        failed=whole["failed"],
        seconds=counting.median({name: n for name, n in whole.items() if name.startswith("t:")}),
        days=days,
        questions=tuple(_questions(flows or {0: flow.read(survey.draft)}, counts)),
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


def _questions(flows: Mapping[int, Flow], counts: Counts) -> Iterable[OfQuestion]:
    """Yield the questions of the newest version in order, then those that only older ones had, or had otherwise."""
    alike: dict[tuple[object, ...], tuple[Question, list[int]]] = {}
    for version, frozen in flows.items():
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


class _Given(NamedTuple):
    """An answer by which people are chosen: the question's key, its value, the days (both included) in a zone."""

    question: str
    value: str
    since: date | None
    until: date | None
    zone: str

    def chosen(self, flows: Mapping[int, Flow]) -> tuple[str, list[Any]]:
        """Return the SELECT of the runs that gave it, and what fills its places."""
        several = any(
            q.key == self.question and q.type == "multichoice" for f in flows.values() for q in f.questions
        )
        fits, value = (_ONE_OF, f",{self.value},") if several else (_ALIKE, self.value[:_INDEXED])
        within = "".join(f" AND given.answered_at {bound} {moment}" for bound, moment in self._bounds())
        sql = (
            "SELECT run.id, run.version_id, run.state, run.answered_at FROM survey_answer AS given "
            "JOIN survey_run AS run ON run.id = given.run_id "
            f"WHERE {statements.among('given.version_id')} AND given.question = ? AND {fits} AND NOT run.test{within}"
        )
        return sql.replace("{instr}", "instr" if is_sqlite() else "strpos"), [
            statements.listed(flows),
            self.question,
            value,
        ]

    def _bounds(self) -> Iterable[tuple[str, int]]:
        if self.since is not None:
            yield ">=", to_ms(moments.begin_of(max(self.since, _EARLIEST), self.zone))
        if self.until is not None:
            yield "<", to_ms(moments.begin_of(min(self.until, _LATEST) + timedelta(days=1), self.zone))


_EARLIEST, _LATEST = date(2000, 1, 1), date(9000, 1, 1)
"""Days beyond are as good as these: not every day has a moment that can be computed."""
_INDEXED = 40
_ALIKE = f"substr(given.value, 1, {_INDEXED}) = ?"
"""Values that people are chosen by are shorter; the index holds no more of a long text."""
_ONE_OF = "{instr}(',' || given.value || ',', ?) > 0"
_QUARTER = 15 * 60 * 1000
"""Milliseconds; the clocks of all zones differ by whole quarters of an hour."""


def _of_some(flows: Mapping[int, Flow], given: _Given) -> tuple[Counts, dict[date, int]]:
    """Count those who gave one answer, from the runs and answers themselves; and on how many days they first answered."""
    chosen, values = given.chosen(flows)
    counts: Counts = defaultdict(lambda: defaultdict(lambda: defaultdict(int)))
    days: dict[date, int] = defaultdict(int)
    runs = statements.run(
        f"WITH chosen AS ({chosen}) SELECT version_id, state, answered_at / {_QUARTER}, COUNT(*) FROM chosen "
        "GROUP BY 1, 2, 3", *values,
    )  # fmt: skip
    for version, state, quarter, n in runs.fetchall():
        for name in ("sent", "answered", state):
            counts[version][""][name] += n
        if quarter is not None:
            days[moments.day_of(from_ms(quarter * _QUARTER), given.zone)] += n
    _count_answers(flows, counts, chosen, values)
    return counts, dict(sorted(days.items()))


def _count_answers(flows: Mapping[int, Flow], counts: Counts, chosen: str, values: list[Any]) -> None:
    """Count what the chosen have answered to every question; of free texts only how many there are."""
    questions = {(version, q.key): q for version, frozen in flows.items() for q in frozen.questions}
    texts = {key for (_, key), q in questions.items() if q.type == "text"}
    answers = statements.run(
        f"WITH chosen AS MATERIALIZED ({chosen}) SELECT answer.version_id, answer.question, CASE WHEN answer.value IS NOT NULL "
        f"AND {statements.among('answer.question')} THEN '' ELSE answer.value END, COUNT(*) "
        # CROSS: SQLite keeps this order, and else may read every answer there is.
        "FROM chosen CROSS JOIN survey_answer AS answer WHERE answer.run_id = chosen.id GROUP BY 1, 2, 3",
        *values, statements.listed(texts),
    )  # fmt: skip
    for version, key, value, n in answers.fetchall():
        of_question, question = counts[version][key], questions.get((version, key))
        of_question["unclear" if value is None else "answered"] += n
        of_question["asked"] += n
        if value is not None and question is not None and question.type != "text":
            for each in flow.values_of(question, value):
                of_question[f"v:{each}"] += n


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


_NEWEST = """
    SELECT MAX(newest) FROM (
        SELECT (
            SELECT answer.id FROM survey_answer AS answer JOIN survey_run AS run ON run.id = answer.run_id
            WHERE answer.version_id = asked.version_id AND answer.question = asked.question
                AND answer.raw <> '' AND NOT run.test
            ORDER BY answer.id DESC LIMIT 1
        ) AS newest
        FROM (
            SELECT DISTINCT version_id, question FROM survey_count
            WHERE question <> '' AND version_id IN (SELECT id FROM survey_version WHERE survey_id = ?)
        ) AS asked
    ) AS found
"""


def newest(survey: Survey) -> Answer | None:
    """Return the newest answer of all, for the page's live line; each question's newest is the end of an index."""
    ((id,),) = statements.run(_NEWEST, survey.id).fetchall()
    return None if id is None else Answer.select(Answer, Run).join(Run).where(Answer.id == id).get()  # type: ignore[no-any-return]
