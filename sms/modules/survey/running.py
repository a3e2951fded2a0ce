"""One participant's survey as it runs: what the flow wants done is sent, stored, counted and shown.

Every function here works inside the caller's transaction, on a run that `locked` has returned.
"""

import json
import logging
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from peewee import IntegrityError

from sms import awaiting, contacts, inbox, quiet, sending, statements
from sms.clock import now
from sms.db import database, from_ms, is_sqlite, to_ms
from sms.models import Contact, Message, User, log_change
from sms.models.event import add_event, log_status
from sms.modules.survey import blanks, flow, moments, surveys
from sms.modules.survey.counting import Tally, bucket
from sms.modules.survey.flow import Action, Event, Flow, State
from sms.modules.survey.models import OPEN, Run, Start, Survey, Version
from sms.refusal import Refused

log = logging.getLogger(__name__)

MODULE = "survey"
LOOK_AGAIN = timedelta(minutes=5)
"""So long a question waits where another one waits for this person's answer on every number."""
NOT_SENT = ("scheduled", "queued", "cancelled", "failed")
"""Statuses of a question that nobody can have answered."""


@lru_cache(maxsize=256)
def _flow(version_id: int, digest: str) -> Flow:
    return flow.read(Version.get_by_id(version_id).flow)


def flow_of(run: Run) -> Flow:
    """Return the frozen flow that a run follows."""
    if "digest" not in run.__dict__:
        sql = "SELECT digest FROM survey_version WHERE id = ?"
        run.__dict__["digest"] = statements.run(sql, run.version_id).fetchone()[0]
    return _flow(run.version_id, run.__dict__["digest"])


_RUN = (
    f"SELECT {statements.columns(Run, 'run')}, version.digest FROM survey_run AS run "
    "JOIN survey_version AS version ON version.id = run.version_id WHERE run.id = ?"
)
_SURVEY = (
    f"SELECT {statements.columns(Survey, 'survey')}, (SELECT status FROM message WHERE id = ?) FROM survey "
    "WHERE survey.id = ?"
)


def locked(run_id: int, message: Message | None = None) -> Run | None:
    """Return a run that nobody else changes until the transaction ends, with its survey.

    `message` is one of its thread, which knows account and conversation already.
    """
    found = statements.run(_RUN if is_sqlite() else f"{_RUN} FOR UPDATE OF run", run_id).fetchone()
    if found is None:
        return None
    run = statements.load(Run, found[:-1])
    # Only now: what others have changed while we waited for the run is seen.
    *survey, status = statements.run(_SURVEY, run.message, run.survey_id).fetchone()
    run.survey = statements.load(Survey, survey)
    run.__dict__.update(digest=found[-1], question_status=status, shown=(run.state, run.why))
    if message is not None and message.conversation_id == run.conversation_id:
        run.account, run.conversation = message.account, message.conversation
    return run  # type: ignore[no-any-return]


def was_asked(run: Run) -> bool:
    """True where the newest question of a run that `locked` has returned left us, so that it can have been answered."""
    return run.__dict__["question_status"] not in (None, *NOT_SENT)


def open_runs(survey: Survey | None, number: str, account: int | None = None) -> list[Run]:
    """Return the open runs of a number, of one survey or of all in an account."""
    whose = (Run.survey == survey) if survey is not None else (Run.account == account)
    return list(Run.select().where(whose, Run.number == number, Run.state.in_(OPEN)))


def happen(run: Run, event: Event, message: Message | None = None, by: User | None = None) -> None:
    """Let something happen to a run: the flow decides, and what it decides is done."""
    survey, version_flow = run.survey, flow_of(run)
    state, actions = flow.step(version_flow, _state(run), event, run.account.locale)
    if not actions and state.phase == run.state:
        return
    tally = Tally()
    _take_over(run, state)
    for action in actions:
        _DO[action.kind](run, survey, action, message, tally, by)
    _save(run)
    if not run.test:
        tally.write()
        surveys.changed(survey)


_SAVED = (
    "state", "why", "question", "tries", "asked", "reminded", "ours", "message", "due_at", "expires_at", "asked_at",
    "started_at", "answered_at", "ended_at",
)  # fmt: skip
_SAVE = f"UPDATE survey_run SET {', '.join(f'{name} = ?' for name in _SAVED)} WHERE id = ?"


def _save(run: Run) -> None:
    values = [getattr(run, name) for name in _SAVED]
    statements.run(_SAVE, *(to_ms(v) if isinstance(v, datetime) else v for v in values), run.id)
    _show(run)


def _show(run: Run) -> None:
    """Let open pages of the thread look at its banner again where it says something else now."""
    if run.conversation_id is not None and run.__dict__.get("shown") != (run.state, run.why):
        run.__dict__["shown"] = run.state, run.why
        log_change(run.account_id, "conversation", run.conversation_id)


def _state(run: Run) -> State:
    """Return the flow's view of a run; one that still owes a question has been held up since the answer before."""
    if run.state == "planned":
        return State("paused", run.question, run.tries, run.asked) if run.asked else State()
    return State(run.state, run.question, run.tries, run.asked)


def _take_over(run: Run, state: State) -> None:
    if run.asked != state.asked:
        run.reminded, run.asked_at = 0, None
    run.state = state.phase
    run.question, run.tries, run.asked = state.at, state.tries, state.asked


def _ask(
    run: Run, survey: Survey, action: Action, message: Message | None, tally: Tally, by: User | None
) -> None:
    if survey.state != "running" and not run.test:
        return _owe(run, now())
    first = run.started_at is None
    try:
        with database.atomic():
            if first:
                # Before the question, so that it stands above it; where nothing can be sent it is taken back.
                _tell_begun(run, survey)
            sent = _send_question(run, survey, action, message, by)
    except awaiting.Busy:
        _wait_in_line(run)
        return None
    except Refused as refusal:
        return _refused(run, refusal, tally)
    moment = now()
    run.ours, run.state, run.why = sent.ours, "asking", ""
    if action.how in ("question", "resumed"):
        # A reminder or a second asking may still wait when the answer to the first comes.
        run.message = sent.id
    if run.asked_at is None:
        tally.add(run.version_id, _day(run), "asked", action.question)
    if action.how != "reminder":
        run.asked_at = sent.next_at or moment
        run.expires_at = moments.after_hours(run.asked_at, flow_of(run).expires_hours, run.account.zone)
    run.due_at = next_look(run, sent.next_at or moment)
    if first:
        _begun(run, tally)
    return None


def _tell_begun(run: Run, survey: Survey) -> None:
    add_event(
        run.conversation, "survey_started", source=MODULE, survey=survey.id, strong=survey.name, test=run.test
    )


def _begun(run: Run, tally: Tally) -> None:
    run.started_at = now()
    tally.add(run.version_id, _day(run), "sent")
    Start.update(asked=Start.asked + 1).where(Start.id == run.start_id).execute()


def _send_question(
    run: Run, survey: Survey, action: Action, message: Message | None, by: User | None
) -> Message:
    """Send a question and wait for its answer on the number it leaves from; raises Busy or Refused."""
    # What follows an answer is part of a talk with a person; only what a machine starts waits for the day.
    by_machine = message is None and by is None
    text = blanks.without(action.text, run.fields)

    def send(sender: str) -> Message:
        return sending.send(
            run.account, run.number, text, sender=sender, channel="sms", source=MODULE,
            fields=run.fields or {}, automated=by_machine, answering=not by_machine, conversation=run.conversation,
            unless_answered=action.how == "reminder", again=action.how != "reminder",
        )  # fmt: skip

    return awaiting.ask(_senders(run, survey, message), send, lambda sent: _expect(run, sent))


def _senders(run: Run, survey: Survey, message: Message | None) -> list[str]:
    """Return the senders to try, in order: the number of the talk so far, else the survey's own, else the pool's."""
    if message is not None and message.ours == run.ours:
        return [run.ours]
    talk = run.ours or (message.ours if message is not None else "") or survey.sender
    return awaiting.senders(run.account, run.number, MODULE, str(run.id), talk, survey.sender)


def _expect(run: Run, sent: Message) -> None:
    """Let replies on this pair of numbers lead to this run; raises IntegrityError where another thing waits there."""
    if run.ours != sent.ours:
        forget_waiting(run)
    awaiting.expect(sent, MODULE, str(run.id))


def waits(run: Run) -> bool:
    """True while replies on the pair of numbers of a run lead to it."""
    return awaiting.waits(run.ours, run.number, MODULE, str(run.id))


def forget_waiting(run: Run) -> None:
    """Wait for no answer any more: what comes from now on is an ordinary message."""
    awaiting.forget(run.number, MODULE, str(run.id))


def next_look(run: Run, sent_at: datetime) -> datetime:
    """Return when to remind, or where no reminder is left, when to give up."""
    frozen = flow_of(run)
    if run.reminded >= frozen.reminders:
        return run.expires_at  # type: ignore[no-any-return]
    due = moments.after_hours(sent_at, frozen.reminder_hours, run.account.zone)
    # What the quiet hours would move beyond the end is not sent at all.
    allowed = quiet.allowed_from(run.account, "sms", run.number, due)
    ends = [m for m in (run.expires_at, run.survey.ends_at if not run.test else None) if m is not None]
    return min(ends) if any(allowed >= end for end in ends) else due


def _owe(run: Run, due: datetime) -> None:
    """Keep the question for later: the survey is paused, or something else comes first."""
    run.state, run.due_at, run.message = "planned", due, None
    forget_waiting(run)


def _wait_in_line(run: Run) -> None:
    """Queue visibly: another question waits for this person's answer on every number there is."""
    if run.why != "in_line":
        run.why = "in_line"
        add_event(
            run.conversation, "survey_waits", source=MODULE, survey=run.survey_id, strong=run.survey.name
        )
    _owe(run, now() + LOOK_AGAIN)


def _refused(run: Run, refusal: Refused, tally: Tally) -> None:
    if refusal.code == "daily_limit":
        run.why = "daily_limit"
        return _owe(run, moments.next_day(now(), run.account.zone))
    if refusal.code == "opted_out":
        return _finish(run, "opted_out", tally)
    log.warning("run %s of survey %s cannot be asked: %s", run.id, run.survey_id, refusal)
    run.why = refusal.code[:40]
    return _finish(run, "failed", tally)


def _say(
    run: Run, survey: Survey, action: Action, message: Message | None, tally: Tally, by: User | None
) -> None:
    if survey.state != "running" and not run.test:
        return
    try:
        with database.atomic():
            text = blanks.without(action.text, run.fields)
            sending.send(
                run.account, run.number, text, sender=run.ours, channel="sms", source=MODULE,
                fields=run.fields or {}, answering=True, conversation=run.conversation,
            )  # fmt: skip
    except Refused as refusal:
        log.warning("run %s of survey %s has no closing text: %s", run.id, run.survey_id, refusal)


_BEFORE = "SELECT value, answered_at FROM survey_answer WHERE run_id = ? AND question = ?"
_ANSWER = (
    "INSERT INTO survey_answer (run_id, version_id, question, raw, understood, value, why, message, asked_at, answered_at) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (run_id, question)"
)
_INSTEAD = (
    "DO UPDATE SET raw = excluded.raw, understood = excluded.understood, value = excluded.value, why = excluded.why, "
    "message = excluded.message, asked_at = excluded.asked_at, answered_at = excluded.answered_at, "
    "corrected_by_id = NULL, corrected_at = NULL"
)


def _record(
    run: Run, survey: Survey, action: Action, message: Message | None, tally: Tally, by: User | None
) -> None:
    assert action.answer is not None
    question = flow_of(run).question(action.question)
    assert question is not None
    moment = now()
    value = flow.value_text(action.answer.value) if action.answer.outcome == "value" else None
    answer = (
        run.id, run.version_id, question.key, action.raw, value, value, action.answer.why[:20],
        message.id if message else None, to_ms(run.asked_at) if run.asked_at else None, to_ms(moment),
    )  # fmt: skip
    if not statements.run(f"{_ANSWER} DO NOTHING", *answer).rowcount:
        before = statements.run(_BEFORE, run.id, question.key).fetchone()
        count_value(run, question, before[0], moments.day_of(from_ms(before[1]), run.account.zone), tally, -1)
        statements.run(f"{_ANSWER} {_INSTEAD}", *answer)
    count_value(run, question, value, moments.day_of(moment, run.account.zone), tally)
    if value is not None and run.answered_at is None:
        run.answered_at = moment
        tally.add(run.version_id, _day(run), "answered")
        if run.started_at is not None:
            tally.add(run.version_id, _day(run), bucket((moment - run.started_at).total_seconds()))
    if message is not None:
        mark(message, survey, run, question, value)


def count_value(
    run: Run, question: flow.Question, value: str | None, day: Any, tally: Tally, n: int = 1
) -> None:
    """Count a value, or with n = -1 take it back."""
    tally.add(run.version_id, day, "unclear" if value is None else "answered", question.key, n)
    if value is not None and question.type != "text":
        for each in flow.values_of(question, value):
            tally.add(run.version_id, day, f"v:{each}", question.key, n)


def mark(message: Message, survey: Survey, run: Run, question: flow.Question, value: str | None) -> None:
    """Put a chip on the bubble of an answer: what was understood, and where the result is."""
    chip = {
        "icon": "list-checks" if value is not None else "circle-dashed",
        "label": question.title,
        "value": shown_value(question, value, run.account.locale),
        "href": f"/surveys/{survey.id}/results?answer={run.id}#q-{question.key}",
        "run": run.id,
        "question": question.key,
    }
    message.data = {**(message.data or {}), "chip": chip}
    statements.run("UPDATE message SET data = ? WHERE id = ?", json.dumps(message.data), message.id)
    log_change(message.account_id, "message", message.conversation_id, message.id)


def shown_value(question: flow.Question, value: str | None, locale: str) -> str:
    """Return a value as a person reads it: Ja, the text of a choice, 24.12.2026, 3,5 km."""
    return flow.words.shown(question, value, locale)


def _hand_over(
    run: Run, survey: Survey, action: Action, message: Message | None, tally: Tally, by: User | None
) -> None:
    """Put the thread before the agents: an answer that they want to see, or one that nobody understands."""
    inbox.reopen(run.conversation)
    if action.how == "unclear":
        run.due_at, run.why = None, "unclear"
        forget_waiting(run)
        add_event(
            run.conversation,
            "survey_handed_over",
            source=MODULE,
            survey=survey.id,
            strong=survey.name,
            run=run.id,
        )


def _finished(
    run: Run, survey: Survey, action: Action, message: Message | None, tally: Tally, by: User | None
) -> None:
    _finish(run, action.how, tally)


def _finish(run: Run, how: str, tally: Tally) -> None:
    """End a run: nothing waits any more, what has not left is taken back, and the thread says so."""
    never_asked = run.started_at is None
    run.state, run.ended_at, run.due_at, run.question, run.tries = how, now(), None, "", 0
    forget_waiting(run)
    if how not in ("finished", "ended"):
        withdraw(run)
    if never_asked:
        if how != "failed":
            run.state = "skipped"
            run.why = run.why or how
        Start.update(skipped=Start.skipped + 1).where(Start.id == run.start_id).execute()
        return
    tally.add(run.version_id, _day(run), how)
    if run.conversation_id is not None:
        add_event(
            run.conversation, f"survey_{how}", source=MODULE, survey=run.survey_id, strong=run.survey.name
        )


def finish(run: Run, how: str, why: str = "") -> None:
    """End an open run for a reason of the survey's, not of the flow's: its end, a quota, a failed message."""
    tally = Tally()
    run.why = why or run.why
    _finish(run, how, tally)
    _save(run)
    if not run.test:
        tally.write()
        surveys.changed(run.survey_id, run.account_id)


def withdraw(run: Run) -> bool:
    """Take back questions and reminders of a run that have not left yet; True where there was one."""
    waiting = Message.select().where(
        Message.conversation == run.conversation_id,
        Message.theirs == run.number,
        Message.source == MODULE,
        Message.status.in_(("scheduled", "queued")),
        Message.ours == run.ours,
    )
    taken = False
    for message in list(waiting):
        if message.withdraw(now()):
            taken = True
            log_status(message, "the survey does not wait any more")
            log_change(message.account_id, "status", message.conversation_id, message.id)
    if taken:
        sending.restore_preview(run.conversation_id)
    return taken


def _day(run: Run) -> Any:
    return moments.day_of(now(), run.account.zone)


def know_contact(run: Run) -> bool:
    """Find or make the contact of a run that is about to begin; False where the person is being asked already."""
    if run.conversation_id is not None:
        return True
    name = "" if run.test else (run.fields or {}).get("name", "")
    contact, run.conversation = contacts.find_or_add(run.account, run.number, name, status="closed")
    if name and not contact.name:
        Contact.update(name=name).where(Contact.id == contact.id).execute()
    try:
        with database.atomic():
            Run.update(contact=contact, conversation=run.conversation).where(Run.id == run.id).execute()
    except IntegrityError:
        run.conversation = None
        return False
    run.contact = contact
    return True


_DO = {"ask": _ask, "say": _say, "record": _record, "hand_over": _hand_over, "finish": _finished}
