"""What comes from outside while a survey runs: answers, keywords, opt-outs, agents who take over, reports, erasure."""

import logging
from datetime import time

from sms import statements
from sms.clock import now
from sms.db import database
from sms.models import Account, Contact, Conversation, Expectation, Message, User
from sms.models.event import add_event
from sms.modules import Occasion
from sms.modules.survey import enrolling, flow, moments, running, surveys
from sms.modules.survey.counting import Tally
from sms.modules.survey.flow import Event
from sms.modules.survey.models import OPEN, Answer, LeftOut, Run, Start, Survey
from sms.refusal import Conflict, NotFound, Refused
from sms.understanding import optout

log = logging.getLogger(__name__)

LONGEST_KEYWORD_TEXT = 60


def on_reply(message: Message, expectation: Expectation) -> bool:
    """Take an answer on a number from which a question was asked; False where it can be none."""
    return _answered(message, int(expectation.subject))


def on_incoming(message: Message, conversation: Conversation) -> bool:
    """Take an answer to a question that has moved to another number, or a keyword by which somebody takes part."""
    return _answered_elsewhere(message) or _joined(message)


def _answered(message: Message, run_id: int) -> bool:
    run = running.locked(run_id, message)
    if (
        run is None
        or run.state != "asking"
        or (run.survey.state not in ("running", "paused") and not run.test)
    ):
        return False
    if not running.was_asked(run):
        return False
    today = moments.day_of(message.created_at, run.account.zone)
    running.happen(run, Event("reply", message.text, today), message)
    return True


def _answered_elsewhere(message: Message) -> bool:
    """A question that waited may leave from another number than it was to; the reply names the message it answers."""
    if not message.answers:
        return False
    run = Run.get_or_none(
        Run.conversation == message.conversation_id, Run.state == "asking", Run.message == message.answers
    )
    return run is not None and _answered(message, run.id)


def _joined(message: Message) -> bool:
    if len(message.text) > LONGEST_KEYWORD_TEXT or not message.theirs.startswith("+"):
        return False
    word = optout.normalised(message.text)
    if not word:
        return False
    survey = Survey.get_or_none(
        Survey.account == message.account_id, Survey.keyword == word, Survey.state == "running"
    )
    if survey is None:
        return False
    fields = enrolling.as_json(enrolling.left_open(survey, message.theirs))
    run = enrolling.join(survey, "keyword", message.theirs, now(), fields=fields)
    if run is None:
        return False
    begin(run, message)
    return True


def begin(run: Run, message: Message | None = None) -> None:
    """Ask a planned run its question, inside the caller's transaction; who is asked already is left out."""
    if not running.know_contact(run):
        return running.finish(run, "ended", "already_asked")
    return running.happen(run, Event("resume" if run.asked else "begin"), message)


def on_opt_out(account: Account, number: str) -> None:
    """End whatever runs with a number: an opt-out is no answer."""
    for run in running.open_runs(None, number, account.id):
        held = running.locked(run.id)
        if held is not None and held.state in OPEN:
            running.happen(held, Event("opt_out"))


def on_sent_by_person(message: Message) -> None:
    """An agent has written in the thread: surveys that wait for an answer there pause until somebody resumes them."""
    for run in _asking_in(message.conversation_id):
        pause(run, message.author, "agent")


def _asking_in(conversation_id: int) -> list[Run]:
    return list(Run.select().where(Run.conversation == conversation_id, Run.state == "asking"))


def open_in(conversation: Conversation) -> list[Run]:
    """Return the runs of a thread that are not over, for its banner: asking, paused, or waiting in line."""
    where = (Run.conversation == conversation) & Run.state.in_(OPEN)
    return list(Run.select(Run, Survey).join(Survey).where(where).order_by(Run.id))


def run_of(account: Account | int, run_id: int) -> Run:
    """Return a run of this account; raises NotFound, also for another account's."""
    run = Run.get_or_none(Run.id == run_id, Run.account == account)
    if run is None:
        raise NotFound
    return run  # type: ignore[no-any-return]


def pause(run: Run, by: User | None = None, why: str = "agent") -> None:
    """Let a person take over: the survey waits for no answer until it is resumed; Conflict where it does not ask."""
    with database.atomic():
        held = running.locked(run.id)
        if held is None or held.state != "asking":
            raise Conflict("run_not_asking")
        running.forget_waiting(held)
        held.why = why
        running.happen(held, Event("pause"))
        held.due_at = None
        held.save(only=[Run.due_at])
        running.withdraw(held)
        _tell(held, "survey_paused", by)


def resume(run: Run, by: User | None = None) -> None:
    """Ask the question that waited once more; Conflict where the run is not paused or the survey does not run."""
    with database.atomic():
        held = running.locked(run.id)
        if held is None or held.state != "paused":
            raise Conflict("run_not_paused")
        if held.survey.state != "running" and not held.test:
            raise Conflict("survey_state", state=held.survey.state)
        _tell(held, "survey_resumed", by)
        running.happen(held, Event("resume"), by=by)


def stop(run: Run, by: User | None = None) -> None:
    """End one person's survey because an agent says so; Conflict where it is over."""
    with database.atomic():
        held = running.locked(run.id)
        if held is None or held.state not in OPEN:
            raise Conflict("run_is_over")
        running.finish(held, "ended", "agent")


def _tell(run: Run, kind: str, by: User | None) -> None:
    if run.conversation_id is not None:
        add_event(
            run.conversation,
            kind,
            by=by,
            source=running.MODULE,
            survey=run.survey_id,
            run=run.id,
            strong=run.survey.name,
        )


def on_report(message: Message) -> None:
    """Follow a question that left from another number than planned, and end a run whose question did not get through."""
    # Told of every status of every message of ours: one look must do where nothing is to be done.
    sql = "SELECT id, ours FROM survey_run WHERE conversation_id = ? AND state = 'asking' AND message = ?"
    found = statements.run(sql, message.conversation_id, message.id).fetchone()
    if found is None or (message.status != "failed" and found[1] == message.ours):
        return
    with database.atomic():
        run = running.locked(found[0])
        if run is None or run.state != "asking":
            return
        if message.status == "failed" and run.answered_at is None:
            running.finish(run, "failed", message.reason or "failed")
        elif message.ours != run.ours:
            _follow(run, message)


def _follow(run: Run, message: Message) -> None:
    pair = (Expectation.ours == message.ours) & (Expectation.theirs == message.theirs)
    if Expectation.select().where(pair).exists():
        log.warning("run %s has moved to a number on which something else waits", run.id)
        return
    mine = (Expectation.module == running.MODULE) & (Expectation.subject == str(run.id))
    here = (Expectation.ours == run.ours) & (Expectation.theirs == run.number)
    Expectation.update(ours=message.ours).where(here, mine).execute()
    Run.update(ours=message.ours).where(Run.id == run.id).execute()


def on_occasion(account: Account, occasion: Occasion) -> None:
    """Let somebody take part after an event, at the time that each survey's trigger names; once for each reference."""
    if occasion.gone:
        return _called_off(account, occasion)
    waiting = Survey.select().where(
        Survey.account == account, Survey.state == "running", Survey.trigger.is_null(False)
    )
    for survey in list(waiting):
        trigger = survey.trigger or {}
        if trigger.get("event") != occasion.kind:
            continue
        clock = time.fromisoformat(trigger["time"]) if trigger.get("time") else None
        due = moments.on_the_clock(occasion.at, int(trigger.get("days") or 0), clock, account.zone)
        with database.atomic():
            enrolling.join(
                survey, "event", occasion.number, max(due, now()),
                occasion=occasion.reference[:60], fields=enrolling.as_json(occasion.fields),
            )  # fmt: skip
    return None


def _called_off(account: Account, occasion: Occasion) -> None:
    """Take back what was planned and nobody was asked yet."""
    where = (
        (Run.account == account) & (Run.number == occasion.number) & (Run.occasion == occasion.reference[:60])
    )
    for run in list(Run.select().where(where, Run.state == "planned", Run.asked == 0)):
        with database.atomic():
            held = running.locked(run.id)
            if held is not None and held.state == "planned":
                running.finish(held, "ended", "called_off")


def on_erase(contact: Contact, numbers: list[str]) -> None:
    """Forget a person, inside the erasing transaction: words, number and links go, what was counted stays."""
    where = (Run.account == contact.account_id) & ((Run.contact == contact) | Run.number.in_(numbers))
    for run in list(Run.select().where(where)):
        held = running.locked(run.id)
        if held is None:
            continue
        if held.state in OPEN:
            running.finish(held, "ended", "erased")
        frozen = running.flow_of(held)
        free = [q.key for q in frozen.questions if q.type == "text"]
        Answer.update(raw="", message=None).where(Answer.run == held).execute()
        Answer.update(value="", understood="").where(Answer.run == held, Answer.question.in_(free)).execute()
        Run.update(
            number="", ours="", fields=None, contact=None, conversation=None, message=None, why="erased"
        ).where(Run.id == held.id).execute()
    starts = Start.select(Start.id).join(Survey).where(Survey.account == contact.account_id)
    LeftOut.delete().where(LeftOut.start.in_(starts), LeftOut.number.in_(numbers)).execute()


def correct(answer_id: int, account: Account, value: str, by: User) -> Answer:
    """Replace a value that was read wrongly; written as it would be answered. Raises Refused for no possible value."""
    with database.atomic():
        answer = Answer.select().join(Run).where(Answer.id == answer_id, Run.account == account).first()
        if answer is None:
            raise NotFound
        run = running.locked(answer.run_id)
        if run is None:
            raise NotFound
        question = running.flow_of(run).question(answer.question)
        if question is None:
            raise NotFound
        meant = flow.make_sense(
            question, value, account.locale, moments.day_of(answer.answered_at, account.zone)
        )
        if meant.outcome != "value":
            raise Refused("value", "not_understood")
        _correct(run, question, answer, flow.value_text(meant.value), by)
    return answer  # type: ignore[no-any-return]


def _correct(run: Run, question: flow.Question, answer: Answer, value: str, by: User) -> None:
    locale, before = run.account.locale, answer.value
    tally = Tally()
    day = moments.day_of(answer.answered_at, run.account.zone)
    running.count_value(run, question, before, day, tally, -1)
    running.count_value(run, question, value, day, tally)
    answer.value, answer.corrected_by, answer.corrected_at = value, by, now()
    answer.save(only=[Answer.value, Answer.corrected_by, Answer.corrected_at])
    if not run.test:
        tally.write()
        surveys.changed(run.survey_id, run.account_id)
    message = Message.get_or_none(Message.id == answer.message)
    if message is not None:
        running.mark(message, run.survey, run, question, value)
    if run.conversation_id is not None:
        add_event(
            run.conversation, "survey_corrected", by=by, source=running.MODULE, survey=run.survey_id,
            strong=question.title, before=running.shown_value(question, before, locale),
            after=running.shown_value(question, value, locale),
        )  # fmt: skip
