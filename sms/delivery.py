"""The outcome of handing a text over: what the carrier said becomes the message's next status, in one transaction."""

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import timedelta

from sms import exchange, health, pace, queue, statements, suppression
from sms.carriers.contract import Outcome, OutcomeKind, OutgoingText, Reason, TextReport, in_a_line
from sms.clock import now
from sms.db import database, is_sqlite, to_ms
from sms.models import Attempt, Change, Conversation, Message, StatusEvent, log_change
from sms.models.event import log_status
from sms.models.message import BEFORE
from sms.modules import modules
from sms.statements import among, listed

log = logging.getLogger(__name__)

BACKOFF = tuple(timedelta(seconds=s) for s in (5, 15, 60, 300, 900, 3600))
"""Waits between attempts after `temporary`; after the last the message has failed."""
SLOW_DOWN = timedelta(seconds=2)
GRACE = timedelta(seconds=60)
"""So long a carrier may need until its own list shows what it has taken."""
STOPPED = timedelta(seconds=30)
"""So long nothing is handed to a carrier that has refused our account."""


def outgoing(message: Message) -> OutgoingText:
    """Return a message as the carrier takes it."""
    address = exchange.callback(message.carrier, "status", key=message.key)
    return OutgoingText(message.theirs, message.ours, message.text, message.key, address)


def settle_all(answers: Sequence[tuple[Message, Outcome]]) -> None:
    """Write many outcomes in one transaction: those that say yes in a few statements, each other one by `settle`."""
    with database.atomic():
        taken = _plainly_taken(answers)
        _write_taken([answer for answer in answers if answer[0].key in taken])
        for message, outcome in answers:
            if message.key not in taken:
                settle(message, outcome)


def _plainly_taken(answers: Sequence[tuple[Message, Outcome]]) -> set[str]:
    """Return the keys of attempts that were accepted, still count, and brought a reference no other message has."""
    said_yes = [(m, o) for m, o in answers if o.kind is OutcomeKind.accepted and o.reference]
    if not said_yes:
        return set()
    lock = "" if is_sqlite() else " ORDER BY id FOR UPDATE"
    stored = statements.run(
        f"SELECT id, key, status FROM message WHERE {among('id')}{lock}",
        listed(message.id for message, _ in said_yes),
    ).fetchall()
    open_ = {(id, key) for id, key, status in stored if status in BEFORE["sent"]}
    counts = Counter((message.carrier, outcome.reference) for message, outcome in said_yes)
    for carrier in {message.carrier for message, _ in said_yes}:
        known = statements.run(
            "SELECT carrier, carrier_reference FROM message WHERE carrier = ? AND direction = 'outgoing' "
            f"AND {among('carrier_reference')}",
            carrier,
            listed(reference for name, reference in list(counts) if name == carrier),
        )
        counts.update(tuple(row) for row in known.fetchall())
    return {m.key for m, o in said_yes if (m.id, m.key) in open_ and counts[m.carrier, o.reference] == 1}


def _write_taken(answers: Sequence[tuple[Message, Outcome]]) -> None:
    """Write down that carriers have taken these texts: what `settle` does for one, with the same rows."""
    moment = to_ms(now())
    statements.run_many(
        "UPDATE attempt SET ended_at = ?, outcome = 'accepted', carrier_reference = ?, detail = ? WHERE key = ?",
        [(moment, o.reference, (o.detail or "")[:200], m.key) for m, o in answers],
    )
    statements.run_many(
        "UPDATE message SET status = 'sent', carrier_reference = ?, sent_at = ?, lease_until = NULL, "
        "reason = '', error = '' WHERE id = ?",
        [(outcome.reference, moment, message.id) for message, outcome in answers],
    )
    for message, outcome in answers:
        message.status, message.carrier_reference = "sent", outcome.reference
    tell_all([(message, outcome.detail or outcome.code or "") for message, outcome in answers])


def tell_all(news: Sequence[tuple[Message, str]]) -> None:
    """Note the new status of many messages, each with a detail, and show it on open pages: `tell` for what is well."""
    note_all(news)
    show_all([message for message, _ in news])
    _ring_modules([message for message, _ in news])


def note_all(news: Sequence[tuple[Message, str]]) -> None:
    """Note the present status of many messages in their history, inside the caller's transaction."""
    moment = to_ms(now())
    statements.insert(
        StatusEvent,
        [
            {
                "message_id": m.id,
                "at": moment,
                "status": m.status,
                "carrier": m.carrier,
                "detail": detail[:200],
            }
            for m, detail in news
        ],
    )


def show_all(messages: Iterable[Message]) -> None:
    """Have open pages show many messages anew, inside the caller's transaction."""
    moment = to_ms(now())
    statements.insert(
        Change,
        [
            {
                "account_id": m.account_id,
                "conversation": m.conversation_id,
                "kind": "status",
                "message": m.id,
                "at": moment,
            }
            for m in messages
        ],
    )


def settle(message: Message, outcome: Outcome) -> None:
    """Write one outcome: the attempt, the message's next status, its history and its Change, in one transaction."""
    with database.atomic():
        Attempt.update(
            ended_at=now(), outcome=outcome.kind.value, carrier_reference=outcome.reference,
            detail=(outcome.detail or "")[:200],
        ).where(Attempt.key == message.key).execute()  # fmt: skip
        # Where a person has tried again meanwhile, this is the outcome of an attempt that no longer counts.
        moved = is_current(message) and _SETTLE[outcome.kind](message, outcome)
        if not moved and outcome.reference:
            # The report was faster than the answer to our own request: keep the reference it lacks.
            _keep_reference(message, outcome.reference)
        if moved:
            tell(message, outcome.detail or outcome.code or "")


def is_current(message: Message) -> bool:
    """True unless a person has tried again meanwhile: then this is about an attempt that no longer counts."""
    return bool(Message.select().where(Message.id == message.id, Message.key == message.key).exists())


def _keep_reference(message: Message, reference: str) -> None:
    Message.update(carrier_reference=reference_for(message, reference)).where(
        Message.id == message.id, Message.key == message.key, Message.carrier_reference.is_null()
    ).execute()


def tell(message: Message, detail: str = "") -> None:
    """Note the new status, show it on open pages, and put what needs a person into the list."""
    log_status(message, detail)
    if message.status in ("failed", "undelivered") and message.source != "system":
        Conversation.update(failed=True).where(
            Conversation.id == message.conversation_id, Conversation.last_outgoing == message.id
        ).execute()
    log_change(message.account_id, "status", message.conversation_id, message.id)
    _ring_modules([message])


def _ring_modules(messages: Sequence[Message]) -> None:
    """Have the modules told that sent these messages, where they want to know."""
    eager = {name for name, module in modules().items() if module.on_report is not None}
    ids = [message.id for message in messages if message.source in eager]
    if ids:
        queue.later("tell_modules", ids, priority=queue.LOW)


def _accepted(message: Message, outcome: Outcome) -> bool:
    return message.advance(
        "sent",
        carrier_reference=reference_for(message, outcome.reference),
        sent_at=now(),
        lease_until=None,
        reason="",
        error="",
    )


def reference_for(message: Message, reference: str | None) -> str | None:
    """Return a carrier's reference, None where it has named the same one for another message: it would be no key."""
    where = (Message.carrier == message.carrier) & (Message.carrier_reference == reference)
    if Message.select().where(where, Message.direction == "outgoing", Message.id != message.id).exists():
        log.error("carrier %s has named one reference for two messages", message.carrier)
        return None
    return reference


def _rejected(message: Message, outcome: Outcome) -> bool:
    return message.advance("failed", lease_until=None, **why(outcome))


def _blocked(message: Message, outcome: Outcome) -> bool:
    suppression.suppress(message.account, message.theirs, "carrier")
    return message.advance("failed", lease_until=None, reason="opted_out", error=why(outcome)["error"])


def _throttled(message: Message, outcome: Outcome) -> bool:
    """Not taken as we are too fast: the whole carrier is given less, by all processes."""
    asked = timedelta(seconds=outcome.retry_after) if outcome.retry_after else SLOW_DOWN
    wait = min(asked, BACKOFF[-1])
    pace.slow_down(message.carrier, now() + wait)
    return _requeue(message, wait, outcome, attempts=message.attempts - 1)


def _temporary(message: Message, outcome: Outcome) -> bool:
    if message.attempts > len(BACKOFF):
        return _rejected(message, outcome)
    return _requeue(message, BACKOFF[message.attempts - 1], outcome)


def _requeue(message: Message, wait: timedelta, outcome: Outcome, attempts: int | None = None) -> bool:
    due = now() + wait
    values = {"attempts": message.attempts if attempts is None else attempts, **why(outcome)}
    # Nobody is rung for it: the sweep finds it within a second of its time.
    return message.put_back(next_at=due, lease_until=None, **values)


def _unknown(message: Message, outcome: Outcome) -> bool:
    moved = message.advance("unknown", lease_until=now() + GRACE, **why(outcome))
    if moved:
        log.warning("message %s may have been taken by %s: %s", message.id, message.carrier, outcome.detail)
    return moved


def _auth(message: Message, outcome: Outcome) -> bool:
    """Stop the carrier for a while and keep the queue: every further message would end the same way.

    A fault of this one message's sender or country (`bad_sender`, `region`) stops only the message.
    """
    if outcome.reason in (Reason.bad_sender, Reason.region):
        return _rejected(message, outcome)
    log.error("carrier %s refuses our account: %s %s", message.carrier, outcome.code, outcome.detail)
    health.stop(message.carrier, now() + STOPPED, in_a_line(outcome.code, outcome.detail))
    return _requeue(message, STOPPED, outcome, attempts=message.attempts - 1)


_SETTLE = {
    OutcomeKind.accepted: _accepted,
    OutcomeKind.rejected: _rejected,
    OutcomeKind.blocked: _blocked,
    OutcomeKind.throttled: _throttled,
    OutcomeKind.temporary: _temporary,
    OutcomeKind.unknown: _unknown,
    OutcomeKind.auth: _auth,
}


def why(said: Outcome | TextReport) -> dict[str, str]:
    """Return what a message keeps of why it did not get through: our word for it, and what the carrier said."""
    return {"reason": (said.reason or Reason.other).value, "error": in_a_line(said.code, said.detail)}
