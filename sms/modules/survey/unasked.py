"""Who has not been asked: who waits for the first question and for what, and who never gets it and why."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from peewee import JOIN, SQL, Expression, fn

from sms import statements
from sms.clock import now
from sms.db import to_ms
from sms.models import Contact
from sms.modules.survey.models import Count, LeftOut, Run, Start, Survey, Version

WAITING = ("turn", "time", "paused", "in_line", "daily_limit", "quiet", "carrier")
"""For what somebody waits: their turn, the chosen time, the survey to go on, another question's answer, tomorrow's quota
of messages, the end of the quiet hours, the carrier.
"""


class Progress(NamedTuple):
    """How far a start is: `done` of `total` people have their first question or never will; `waiting` says for what."""

    start: Start
    done: int
    total: int
    waiting: dict[str, int]


class Unasked(NamedTuple):
    """Somebody who has not been asked: where in the list, as written or by number (E.164), the code that says why.

    `line` is that of the paste, where the paste is why. `failed`: a question had left but did not get through.
    """

    place: str
    text: str
    number: str
    name: str
    line: int | None
    code: str
    params: dict[str, Any]
    at: datetime
    conversation: int | None
    failed: bool = False


# Only who is still to be asked is looked at, by the partial index over open runs: its condition must stand as it is there.
_WAITING = """
SELECT r.start_id,
  CASE WHEN r.state = 'asking' THEN CASE m.status WHEN 'scheduled' THEN 'quiet' ELSE 'carrier' END
       WHEN r.why <> '' THEN r.why WHEN r.due_at > ? THEN 'time' ELSE 'turn' END AS reason, COUNT(*)
FROM survey_run r LEFT JOIN message m ON m.id = r.message
WHERE r.survey_id = ? AND r.state IN ('planned', 'asking', 'paused') AND NOT r.test
  AND ((r.state = 'planned' AND r.asked = 0)
    OR (r.state = 'asking' AND r.asked = 1 AND m.status IN ('scheduled', 'queued', 'sending')))
GROUP BY 1, 2
"""
ON_THE_WAY = ("quiet", "carrier")
"""What somebody waits for whose question is written already, and who is therefore not in the list."""


def progress(survey: Survey) -> list[Progress]:
    """Return each start in which somebody still waits for the first question, newest first."""
    waiting: dict[int, dict[str, int]] = {}
    for start, reason, n in statements.run(_WAITING, to_ms(now()), survey.id).fetchall():
        # A paused survey asks nobody, whatever else they might wait for.
        reason = "paused" if survey.state == "paused" and reason not in ON_THE_WAY else reason
        theirs = waiting.setdefault(start, {})
        theirs[reason] = theirs.get(reason, 0) + n
    starts = Start.select().where(Start.id.in_(list(waiting) or [0])).order_by(Start.id.desc())
    return [_progress(start, waiting[start.id]) for start in starts]


def _progress(start: Start, waiting: dict[str, int]) -> Progress:
    ordered = {reason: waiting[reason] for reason in WAITING if reason in waiting}
    return Progress(start, max(0, start.total - sum(ordered.values())), start.total, ordered)


def count(survey: Survey) -> int:
    """Return how many never will be asked, from counters and an index; who still waits is not among them."""
    starts = (Start.survey == survey) & (Start.kind != "test")
    skipped = Start.select(fn.COALESCE(fn.SUM(Start.skipped), 0)).where(starts).scalar()
    left_out = LeftOut.select().join(Start).where(starts).count()
    failed = (
        Count.select(fn.COALESCE(fn.SUM(Count.n), 0))
        .join(Version)
        .where(Version.survey == survey, Count.question == "", Count.name == "failed")
        .scalar()
    )
    return int(skipped) + int(left_out) + int(failed)


def reasons(survey: Survey) -> dict[str, int]:
    """Return how many have not been asked, by code, the most frequent first."""
    found: Counter[str] = Counter()
    runs = Run.select(Run.state, Run.why, Run.due_at > now(), fn.COUNT(Run.id)).where(*_not_asked(survey))
    for state, why, later, n in runs.group_by(SQL("1"), SQL("2"), SQL("3")).tuples():
        found[_code(survey, state, why, bool(later))] += n
    lines = LeftOut.select(LeftOut.code, fn.COUNT(LeftOut.id)).join(Start).where(Start.survey == survey)
    for code, n in lines.group_by(LeftOut.code).tuples():
        found[code] += n
    return dict(found.most_common())


def _not_asked(survey: Survey) -> list[Expression]:
    waits = (Run.state == "planned") & (Run.asked == 0)
    return [Run.survey == survey, ~Run.test, waits | Run.state.in_(("skipped", "failed"))]


def _code(survey: Survey, state: str, why: str, later: bool) -> str:
    if state != "planned":
        return why or state
    if survey.state == "paused":
        return "paused"
    return why or ("time" if later else "turn")


def listed(survey: Survey, limit: int, before: str = "", code: str = "") -> list[Unasked]:
    """Return those who have not been asked, newest first and then the lines left out, of one reason or of all.

    `before` is the place of the last one seen.
    """
    kind, number = before[:1], int(before[1:]) if before[1:].isascii() and before[1:].isdigit() else 0
    found: list[Unasked] = []
    if kind != "l":
        found += _runs(survey, limit, number, code)
    if len(found) < limit:
        found += _lines(survey, limit - len(found), number if kind == "l" else 0, code)
    return found


def _runs(survey: Survey, limit: int, before: int, code: str) -> list[Unasked]:
    moment = now()
    query = Run.select(Run, Contact).join(Contact, JOIN.LEFT_OUTER).where(*_not_asked(survey))
    if before:
        query = query.where(Run.id < before)
    found: list[Unasked] = []
    for run in query.where(*_of_code(survey, code, moment)).order_by(Run.id.desc()).limit(limit):
        later = run.due_at is not None and run.due_at > moment
        name = (run.contact.name if run.contact_id else "") or (run.fields or {}).get("name", "")
        found.append(
            Unasked(
                f"r{run.id}", "", run.number, name, None, _code(survey, run.state, run.why, later),
                {}, run.ended_at or run.created_at, run.conversation_id, run.state == "failed",
            )
        )  # fmt: skip
    return found


def _of_code(survey: Survey, code: str, moment: datetime) -> list[Expression]:
    """Return what makes a run one of this reason: `_code` the other way round."""
    if not code:
        return []
    over = (Run.state != "planned") & ((Run.why == code) | ((Run.why == "") & (Run.state == code)))
    if survey.state == "paused":
        return [over | (Run.state == "planned") if code == "paused" else over]
    if code == "time":
        return [over | ((Run.state == "planned") & (Run.why == "") & (Run.due_at > moment))]
    if code == "turn":
        return [over | ((Run.state == "planned") & (Run.why == "") & (Run.due_at <= moment))]
    return [over | ((Run.state == "planned") & (Run.why == code))]


def _lines(survey: Survey, limit: int, after: int, code: str) -> list[Unasked]:
    query = LeftOut.select(LeftOut, Start).join(Start).where(Start.survey == survey, LeftOut.id > after)
    if code:
        query = query.where(LeftOut.code == code)
    return [
        Unasked(
            f"l{row.id}", row.text, row.number, "", row.line, row.code, row.params or {}, row.start.created_at, None
        )
        for row in query.order_by(LeftOut.id).limit(limit)
    ]  # fmt: skip


def everybody(survey: Survey, at_once: int = 500) -> Iterator[Unasked]:
    """Yield all of `listed`, some hundreds at a time."""
    before = ""
    while some := listed(survey, at_once, before):
        yield from some
        before = some[-1].place
