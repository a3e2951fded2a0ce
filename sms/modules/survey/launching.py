"""The first question to many people at once: the same rows as one by one, in a dozen statements a lot."""

import json
from collections.abc import Sequence
from typing import Any

from sms import bulk, exchange, routing, search, statements
from sms.bulk import Accepted
from sms.checking import Wanted
from sms.clock import now
from sms.db import from_ms, is_sqlite, to_ms
from sms.models import Change, Expectation, Message
from sms.modules.survey import moments, running, surveys
from sms.modules.survey.counting import Tally
from sms.modules.survey.models import Run, Start, Survey


def ask_first(ids: Sequence[int]) -> list[int]:
    """Ask planned runs of one version their first question, inside the caller's transaction; returns who is left.

    Left are those who need a closer look: somebody else waits for their answer, the contact is being asked by another
    number, nothing may be sent to them.
    """
    query = Run.select().where(Run.id.in_(ids), Run.state == "planned", Run.asked == 0).order_by(Run.id)
    runs = list(query if is_sqlite() else query.for_update(skip_locked=True))
    if not runs:
        return []
    survey, version = runs[0].survey, runs[0].version
    for run in runs:
        run.survey, run.version, run.account = survey, version, survey.account
    special = _special(survey, runs)
    plain = [run for run in runs if run.id not in special]
    senders = _senders(survey, [run.number for run in plain])
    question = running.flow_of(runs[0]).questions[0]
    wanted = [
        Wanted(
            to=run.number,
            text=question.text,
            sender=senders[run.number],
            channel="sms",
            fields=run.fields or {},
            source=running.MODULE,
            automated=True,
            again=True,
        )
        for run in plain
    ]
    outcomes = bulk.accept(survey.account, wanted) if wanted else []
    asked = [(run, o) for run, o in zip(plain, outcomes, strict=True) if isinstance(o, Accepted)]
    if asked:
        _note_asked(survey, question.key, asked)
    done = {run.id for run, _ in asked}
    return [run.id for run in runs if run.id not in done]


def _special(survey: Survey, runs: Sequence[Run]) -> set[int]:
    """Return the runs that cannot be asked like the others."""
    numbers = statements.listed([run.number for run in runs])
    waiting = statements.run(f"SELECT theirs FROM expectation WHERE {statements.among('theirs')}", numbers)
    busy = {row[0] for row in waiting}
    owner = dict(
        statements.run(
            f"SELECT number, contact_id FROM contact_number WHERE account_id = ? AND {statements.among('number')}",
            survey.account_id, numbers,
        ).fetchall()
    )  # fmt: skip
    open_with = statements.run(
        f"SELECT contact_id FROM survey_run WHERE survey_id = ? AND {statements.among('contact_id')} "
        "AND state IN ('planned', 'asking', 'paused')",
        survey.id, statements.listed(set(owner.values())),
    )  # fmt: skip
    asked = {row[0] for row in open_with}
    special = set()
    for run in runs:
        contact = owner.get(run.number)
        if run.number in busy or (contact is not None and contact in asked):
            special.add(run.id)
        if contact is not None:
            asked.add(contact)
    return special


def _senders(survey: Survey, numbers: Sequence[str]) -> dict[str, str]:
    """Return for each number the sender: the survey's, the account's where it takes replies, else a number of the pool."""
    if survey.sender:
        return dict.fromkeys(numbers, survey.sender)
    default = routing.default_sender(survey.account)
    if not default or routing.owned_numbers(survey.account).get(default) == "virtual":
        return dict.fromkeys(numbers, "")
    pool = [n.number for n in exchange.numbers() if n.pool and n.sms]
    sticky = statements.run(
        f"SELECT their, our FROM route WHERE account_id = ? AND current AND {statements.among('their')}",
        survey.account_id, statements.listed(numbers),
    )  # fmt: skip
    own = {their: our for their, our in sticky.fetchall() if our in pool}
    return {number: own.get(number) or (pool[0] if pool else "") for number in numbers}


_ASKED = (
    "UPDATE survey_run SET state = 'asking', why = '', asked = 1, tries = 0, reminded = 0, question = ?, contact_id = ?, "
    "conversation_id = ?, ours = ?, message = ?, asked_at = ?, expires_at = ?, due_at = ?, started_at = ? WHERE id = ?"
)


def _note_asked(survey: Survey, key: str, asked: Sequence[tuple[Run, Accepted]]) -> None:
    moment = now()
    threads = [accepted.row["conversation_id"] for _, accepted in asked]
    contacts = dict(
        statements.run(
            f"SELECT id, contact_id FROM conversation WHERE {statements.among('id')}",
            statements.listed(threads),
        ).fetchall()
    )
    rows = []
    for run, accepted in asked:
        row = accepted.row
        sent_at = from_ms(row["next_at"]) if row["next_at"] is not None else moment
        run.expires_at = moments.after_hours(sent_at, running.flow_of(run).expires_hours, survey.account.zone)
        due = running.next_look(run, sent_at)
        rows.append((
            key, contacts[row["conversation_id"]], row["conversation_id"], row["ours"], row["id"], to_ms(sent_at),
            to_ms(run.expires_at), to_ms(due), to_ms(moment), run.id,
        ))  # fmt: skip
    statements.run_many(_ASKED, rows)
    _expect(survey, asked, to_ms(moment))
    _tell(survey, asked, to_ms(moment))
    _name(asked, contacts)
    _count(survey, key, asked)


def _expect(survey: Survey, asked: Sequence[tuple[Run, Accepted]], moment: int) -> None:
    ids = statements.reserve_ids(Expectation, len(asked))
    rows = [
        {
            "id": id,
            "account_id": survey.account_id,
            "ours": accepted.row["ours"],
            "theirs": accepted.row["theirs"],
            "module": running.MODULE,
            "subject": str(run.id),
            "since": moment,
        }
        for id, (run, accepted) in zip(ids, asked, strict=True)
    ]
    statements.insert(Expectation, rows)


def _tell(survey: Survey, asked: Sequence[tuple[Run, Accepted]], moment: int) -> None:
    """Write the event that a survey has started into each thread, just above the question."""
    facts = json.dumps({"kind": "survey_started", "survey": survey.id, "strong": survey.name, "test": False})
    same: dict[str, Any] = {
        "account_id": survey.account_id, "direction": "internal", "channel": "event", "data": facts, "status": "received",
        "source": running.MODULE, "created_at": moment,
    }  # fmt: skip
    ids = statements.reserve_ids(Message, len(asked))
    threads = [accepted.row["conversation_id"] for _, accepted in asked]
    before = [accepted.row["created_at"] - 1 for _, accepted in asked]
    statements.insert(
        Message,
        [
            {**same, "id": id, "conversation_id": thread, "at": at}
            for id, thread, at in zip(ids, threads, before, strict=True)
        ],
    )
    change = {"account_id": survey.account_id, "kind": "message", "at": moment}
    statements.insert(
        Change, [{**change, "conversation": t, "message": id} for id, t in zip(ids, threads, strict=True)]
    )


def _name(asked: Sequence[tuple[Run, Accepted]], contacts: dict[int, int]) -> None:
    """Give contacts the names that stood beside their numbers, where they have none."""
    named = [
        (run.fields["name"], contacts[accepted.row["conversation_id"]])
        for run, accepted in asked
        if not run.test and run.fields and run.fields.get("name")
    ]
    statements.run_many("UPDATE contact SET name = ? WHERE id = ? AND name = ''", named)
    search.note_again(-contact for _, contact in named)


def _count(survey: Survey, key: str, asked: Sequence[tuple[Run, Accepted]]) -> None:
    tally, day = Tally(), moments.day_of(now(), survey.account.zone)
    tally.add(asked[0][0].version_id, day, "sent", n=len(asked))
    tally.add(asked[0][0].version_id, day, "asked", key, n=len(asked))
    tally.write()
    for start_id in {run.start_id for run, _ in asked}:
        here = sum(run.start_id == start_id for run, _ in asked)
        Start.update(asked=Start.asked + here).where(Start.id == start_id).execute()
    surveys.changed(survey)
