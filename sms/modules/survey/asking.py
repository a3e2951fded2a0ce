"""The work of the background: ask whose turn it is, remind, give up, and end surveys whose time is over.

Everything is found by state, so a worker that dies in the middle leaves nothing behind but work: a question and the
note that it was asked are one transaction.
"""

import logging
from datetime import datetime, timedelta

from peewee import ModelSelect, fn

from sms import queue
from sms.clock import now
from sms.db import database, from_ms, to_ms
from sms.models import Message, User
from sms.modules.survey import answering, launching, running, surveys
from sms.modules.survey.flow import Event
from sms.modules.survey.models import OPEN, Count, Run, Survey, Version
from sms.refusal import Conflict

log = logging.getLogger(__name__)

BATCH = 50
"""Runs that are looked at in one transaction: the database is nobody else's for so long."""
FAULT = timedelta(minutes=15)
"""After so long a run is tried again at which something broke."""
LOT = 200
"""First questions in one transaction; they are written many at a time."""


def tick() -> None:
    """Have done what is due; once a second in the worker."""
    moment = now()
    if _work_is_due(moment):
        queue.later("ask_surveys", priority=queue.LOW)


def _work_is_due(moment: datetime) -> bool:
    over = Survey.select().where(Survey.state.in_(("running", "paused")), Survey.ends_at <= moment)
    return _due(moment).limit(1).exists() or over.exists()


@queue.job
@queue.single
def ask_surveys() -> None:
    """Do everything that is due now."""
    work()


def work() -> int:
    """Ask, remind and give up until nothing is due; returns how many runs were looked at."""
    moment = from_ms(to_ms(now()))  # as exact as rows are: what fell due in this very millisecond is due
    for survey in list(
        Survey.select().where(Survey.state.in_(("running", "paused")), Survey.ends_at <= moment)
    ):
        end(survey)
    done = 0
    further = (Run.state == "asking") | (Run.asked > 0) | Run.test
    while moved := _launch(moment) + _work_on(
        [r.id for r in _due(moment).where(further).limit(BATCH)], moment
    ):
        done += moved
    return done


def _launch(moment: datetime) -> int:
    """Ask a lot of people of one version their first question; who needs a closer look is looked at one by one."""
    first = _due(moment).where(Run.state == "planned", Run.asked == 0, ~Run.test)
    version = first.select(Run.version).limit(1).scalar()
    if version is None:
        return 0
    ids = [row.id for row in first.where(Run.version == version).limit(LOT)]
    if quota_is_full(Version.get_by_id(version).survey):
        return _work_on(ids, moment)
    try:
        with database.atomic():
            left = launching.ask_first(ids)
    except Exception:
        log.exception("a lot of first questions failed, each is tried by itself")
        left = ids
    return len(ids) - len(left) + _work_on(left, moment)


def _due(moment: datetime) -> ModelSelect:
    going = (Survey.state == "running") | Run.test
    return (
        Run.select(Run.id)
        .join(Survey)
        .where(Run.state.in_(("planned", "asking")), Run.due_at <= moment, going)
        .order_by(Run.due_at, Run.id)
    )


def _work_on(ids: list[int], moment: datetime) -> int:
    """Look at some runs in one transaction; where one of them fails, at each in its own."""
    if not ids:
        return 0
    try:
        with database.atomic():
            return sum(_look_at(run_id, moment) for run_id in ids)
    except Exception:
        log.exception("a batch of survey questions failed, each is tried by itself")
    return sum(_alone(run_id, moment) for run_id in ids)


def _alone(run_id: int, moment: datetime) -> int:
    try:
        with database.atomic():
            return _look_at(run_id, moment)
    except Exception:
        log.exception("run %s cannot go on", run_id)
    # Whatever broke, nobody is left out for it: it is tried again, and the log says why it had to be.
    Run.update(due_at=now() + FAULT).where(Run.id == run_id, Run.due_at.is_null(False)).execute()
    return 1


def _look_at(run_id: int, moment: datetime) -> int:
    """Do what is due for one run; 0 where somebody else was faster."""
    run = running.locked(run_id)
    if run is None or run.due_at is None or run.due_at > moment:
        return 0
    if run.state == "planned":
        _ask(run)
    elif run.state == "asking":
        _remind_or_give_up(run, moment)
    else:
        return 0
    return 1


def _ask(run: Run) -> None:
    if not run.test and run.started_at is None and quota_is_full(run.survey):
        return running.finish(run, "ended", "quota")
    return answering.begin(run)


def _remind_or_give_up(run: Run, moment: datetime) -> None:
    frozen = running.flow_of(run)
    if run.expires_at is not None and run.expires_at <= moment:
        running.happen(run, Event("expire"))
    elif run.reminded < frozen.reminders:
        run.reminded += 1
        running.happen(run, Event("remind"))
    else:
        run.due_at = run.expires_at
        run.save(only=[Run.due_at])


def quota_is_full(survey: Survey) -> bool:
    """True where as many have finished as the owner wanted."""
    if not survey.quota:
        return False
    return finished(survey) >= survey.quota


def finished(survey: Survey) -> int:
    """Return how many have finished a survey in all its versions."""
    counted = (
        Count.select(fn.COALESCE(fn.SUM(Count.n), 0))
        .join(Version)
        .where(Version.survey == survey, Count.question == "", Count.name == "finished")
    )
    return int(counted.scalar())


def pause(survey: Survey, by: User | None = None) -> None:
    """Send nothing more by itself until it is resumed; what waits to leave is taken back. Answers are kept."""
    with database.atomic():
        surveys.set_state(survey, "paused", ("running",))
    for run in _with_unsent_question(survey):
        with database.atomic():
            held = running.locked(run.id)
            if held is not None and held.state == "asking" and running.withdraw(held):
                held.state, held.due_at, held.asked_at = "planned", now(), None
                running.forget_waiting(held)
                held.save()


def _with_unsent_question(survey: Survey) -> list[Run]:
    unsent = (Message.id == Run.message) & Message.status.in_(("scheduled", "queued"))
    query = Run.select(Run.id).join(Message, on=unsent).where(Run.survey == survey, Run.state == "asking")
    return list(query)


def resume(survey: Survey, by: User | None = None) -> None:
    """Go on where a pause has stopped."""
    with database.atomic():
        surveys.set_state(survey, "running", ("paused",))
    queue.later("ask_surveys", priority=queue.LOW)


def end(survey: Survey, by: User | None = None) -> None:
    """End a survey for everybody: who has not answered is not asked any more; a late answer is an ordinary message."""
    with database.atomic():
        surveys.set_state(survey, "ended", ("running", "paused"), ends_at=None)
    wind_up(survey)


def delete(survey: Survey) -> None:
    """Remove a survey that was never started, or has ended, with everything that was answered; else Conflict."""
    if survey.state in ("running", "paused"):
        raise Conflict("survey_still_runs")
    with database.atomic():
        for row in list(Run.select(Run.id).where(Run.survey == survey, Run.state.in_(OPEN))):
            run = running.locked(row.id)
            if run is not None and run.state in OPEN:
                running.finish(run, "ended", "survey_over")
        surveys.changed(survey)
        survey.delete_instance()


def wind_up(survey: Survey) -> None:
    """Close the open runs of a survey that has ended, in batches."""
    while few := list(
        Run.select(Run.id).where(Run.survey == survey, Run.state.in_(OPEN), ~Run.test).limit(BATCH)
    ):
        with database.atomic():
            for row in few:
                run = running.locked(row.id)
                if run is not None and run.state in OPEN:
                    running.finish(run, "expired", "survey_over")
