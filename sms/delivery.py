"""The outbox: claim by a guarded UPDATE, write the attempt, commit, call the carrier, write what it said.

The row is the truth and the queue a nudge: whatever dies in between leaves a row in a state from which `sweep`
moves it on.
"""

import logging
from datetime import datetime, timedelta

from peewee import ModelSelect

from sms import exchange, queue, sending, suppression
from sms.carriers.contract import (
    Carrier,
    Feature,
    FindResult,
    Found,
    NotThere,
    Outcome,
    OutcomeKind,
    OutgoingText,
    Reason,
)
from sms.clock import now
from sms.db import database
from sms.models import Attempt, Conversation, Message, log_change
from sms.models.event import log_status
from sms.refusal import Conflict, Refused

log = logging.getLogger(__name__)

BATCH = 20
LEASE = timedelta(seconds=60)
"""Longer than any carrier call may take (connect 5 s, read 15 s): after it, whoever claimed the row is gone."""
BACKOFF = tuple(timedelta(seconds=s) for s in (5, 15, 60, 300, 900, 3600))
"""Waits between attempts after `temporary`; after the last the message has failed."""
SLOW_DOWN = timedelta(seconds=2)
GRACE = timedelta(seconds=60)
"""So long a carrier may need until its own list shows what it has taken."""
ASK_UNTIL = timedelta(hours=4)

_stopped_until: dict[str, datetime] = {}
"""Carriers whose account or set-up is wrong, and until when nothing is handed to them."""


def pump(batch: int = BATCH) -> int:
    """Deliver texts that are due, a person's first, until a batch is done; returns how many were claimed."""
    done = 0
    while done < batch and (message := claim()) is not None:
        deliver(message)
        done += 1
    if done == batch:
        queue.later("deliver")
    return done


def claim() -> Message | None:
    """Take the next due text for this worker: queued -> sending, in one guarded UPDATE with its attempt."""
    moment = now()
    while candidates := _due(moment, _stopped(moment)):
        # Each of them is claimed here, moved to the morning, or gone: another worker was faster.
        for candidate in candidates:
            if not sending.wait_for_the_day(candidate) and _claimed(candidate, moment):
                return candidate
    return None


def _claimed(candidate: Message, moment: datetime) -> bool:
    with database.atomic():
        claimed = candidate.advance(
            "sending", lease_until=moment + LEASE, attempts=candidate.attempts + 1, undo_until=None
        )
        if claimed:
            _begin_attempt(candidate)
    return claimed


def _stopped(moment: datetime) -> list[str]:
    return [name for name, until in _stopped_until.items() if until > moment]


def _due(moment: datetime, stopped: list[str]) -> list[Message]:
    return list(
        Message.select()
        .where(
            Message.status == "queued",
            Message.next_at <= moment,
            Message.channel == "sms",
            Message.carrier.not_in(stopped or [""]),
        )
        .order_by(Message.priority.desc(), Message.next_at, Message.id)
        .limit(5)
    )


def _begin_attempt(message: Message) -> None:
    """Write the attempt before the call; every attempt has a key of its own, so a late report finds the right one."""
    if Attempt.select().where(Attempt.key == message.key).exists():
        message.key = sending.new_key()
        Message.update(key=message.key).where(Message.id == message.id).execute()
    Attempt.create(message=message, key=message.key, carrier=message.carrier, started_at=now())
    log_status(message)
    log_change(message.account_id, "status", message.conversation_id, message.id)


def deliver(message: Message) -> None:
    """Hand a claimed text to its carrier, outside any transaction, and write down the outcome."""
    carrier = exchange.carrier(message.carrier)
    if carrier is None:
        outcome = Outcome(OutcomeKind.auth, reason=Reason.setup, detail="carrier is not configured")
    elif suppression.is_suppressed(message.account_id, message.theirs) and message.source != "system":
        outcome = Outcome(OutcomeKind.blocked, reason=Reason.opted_out, detail="opted out meanwhile")
    else:
        outcome = _call(carrier, message)
    settle(message, outcome)


def _call(carrier: Carrier, message: Message) -> Outcome:
    try:
        return carrier.send_text(outgoing(message))
    except Exception as error:
        # An exception that an adapter does not map may have happened after the carrier took the message.
        log.exception("carrier %s raised on message %s", carrier.name, message.id)
        return Outcome(OutcomeKind.unknown, detail=type(error).__name__)


def outgoing(message: Message) -> OutgoingText:
    """Return a message as the carrier takes it."""
    address = exchange.callback(message.carrier, "status", key=message.key)
    return OutgoingText(message.theirs, message.ours, message.text, message.key, address)


def settle(message: Message, outcome: Outcome) -> None:
    """Write one outcome: the attempt, the message's next status, its history and its Change, in one transaction."""
    with database.atomic():
        Attempt.update(
            ended_at=now(), outcome=outcome.kind.value, carrier_reference=outcome.reference,
            detail=(outcome.detail or "")[:200],
        ).where(Attempt.key == message.key).execute()  # fmt: skip
        # Where a person has tried again meanwhile, this is the outcome of an attempt that no longer counts.
        moved = _is_current(message) and _SETTLE[outcome.kind](message, outcome)
        if not moved and outcome.reference:
            # The report was faster than the answer to our own request: keep the reference it lacks.
            _keep_reference(message, outcome.reference)
        if moved:
            tell(message, outcome.detail or outcome.code or "")


def _is_current(message: Message) -> bool:
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
    queue.later("tell_module", message.id) if message.source not in ("agent", "api", "system") else None


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
    return message.advance("failed", lease_until=None, **_why(outcome))


def _blocked(message: Message, outcome: Outcome) -> bool:
    suppression.suppress(message.account, message.theirs, "carrier")
    return message.advance("failed", lease_until=None, reason="opted_out", error=_why(outcome)["error"])


def _throttled(message: Message, outcome: Outcome) -> bool:
    wait = timedelta(seconds=outcome.retry_after) if outcome.retry_after else SLOW_DOWN
    return _requeue(message, min(wait, BACKOFF[-1]), outcome, attempts=message.attempts - 1)


def _temporary(message: Message, outcome: Outcome) -> bool:
    if message.attempts > len(BACKOFF):
        return _rejected(message, outcome)
    return _requeue(message, BACKOFF[message.attempts - 1], outcome)


def _requeue(message: Message, wait: timedelta, outcome: Outcome, attempts: int | None = None) -> bool:
    due = now() + wait
    values = {"attempts": message.attempts if attempts is None else attempts, **_why(outcome)}
    moved = message.put_back(next_at=due, lease_until=None, **values)
    if moved:
        queue.later("deliver", delay=wait)
    return moved


def _unknown(message: Message, outcome: Outcome) -> bool:
    moved = message.advance("unknown", lease_until=now() + GRACE, **_why(outcome))
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
    _stopped_until[message.carrier] = now() + timedelta(seconds=30)
    return _requeue(message, timedelta(seconds=30), outcome, attempts=message.attempts - 1)


_SETTLE = {
    OutcomeKind.accepted: _accepted,
    OutcomeKind.rejected: _rejected,
    OutcomeKind.blocked: _blocked,
    OutcomeKind.throttled: _throttled,
    OutcomeKind.temporary: _temporary,
    OutcomeKind.unknown: _unknown,
    OutcomeKind.auth: _auth,
}


def _why(outcome: Outcome) -> dict[str, str]:
    reason = outcome.reason.value if outcome.reason else "other"
    words = " ".join(w for w in (outcome.code, outcome.detail) if w)
    return {"reason": reason, "error": words[:200]}


def sweep() -> None:
    """Move on, by state, whatever a dead process or the time itself has left: called every second, idempotent."""
    moment = now()
    _release_scheduled(moment)
    _find_abandoned(moment)
    if _due(moment, _stopped(moment)):
        queue.later("deliver")
    if _to_ask_about(moment).exists():
        queue.later("ask_carriers", priority=queue.LOW)


def _release_scheduled(moment: datetime) -> None:
    due = Message.select().where(Message.status == "scheduled", Message.next_at <= moment).limit(500)
    for message in list(due):
        try:
            with database.atomic():
                _release(message)
        except Conflict:
            continue  # another worker or a person was faster
        except Refused as refusal:
            with database.atomic():
                if message.advance("failed", reason=Reason.setup.value, error=refusal.code):
                    tell(message, refusal.code)


def _release(message: Message) -> None:
    if not suppression.is_suppressed(message.account_id, message.theirs):
        sending.release(message)
    elif message.withdraw(now(), "opted_out"):
        tell(message, "opted out meanwhile")


def _find_abandoned(moment: datetime) -> None:
    """A text whose worker died may be with the carrier or not: its outcome is unknown, never simply resent."""
    lost = Message.select().where(
        Message.status == "sending", Message.channel == "sms", Message.lease_until <= moment
    )
    for message in list(lost):
        settle(message, Outcome(OutcomeKind.unknown, detail="the worker ended during the call"))


def _to_ask_about(moment: datetime) -> ModelSelect:
    return Message.select().where(
        Message.status == "unknown", Message.channel == "sms", Message.lease_until <= moment
    )


def ask_about_unknown() -> None:
    """Ask carriers about texts whose outcome is unknown and whose time to ask has come (`lease_until`)."""
    moment = now()
    for message in list(_to_ask_about(moment).order_by(Message.lease_until).limit(20)):
        # Asking twice at once would count as two answers: only who moves the lease asks.
        mine = (Message.id == message.id) & (Message.status == "unknown") & (Message.lease_until <= moment)
        if Message.update(lease_until=now() + LEASE).where(mine).execute():
            ask(message)


def ask(message: Message) -> FindResult | None:
    """Ask the carrier once about a text with unknown outcome and write down what it says; None if it cannot be asked."""
    carrier = exchange.carrier(message.carrier)
    attempt = Attempt.get_or_none(Attempt.key == message.key)
    if carrier is None or attempt is None or Feature.find_sent not in carrier.features:
        Message.update(lease_until=None).where(
            Message.id == message.id, Message.status == "unknown"
        ).execute()
        return None
    answer = carrier.find_sent(outgoing(message), attempt.started_at, _known_references(message))
    with database.atomic():
        if _is_current(message):
            _believe(message, attempt, answer)
    return answer


def _known_references(message: Message) -> frozenset[str]:
    """References of other messages to the same number: an equal text sent before must not be taken for this one."""
    rows = (
        Message.select(Message.carrier_reference)
        .where(Message.carrier == message.carrier, Message.theirs == message.theirs, Message.id != message.id)
        .where(Message.direction == "outgoing", Message.carrier_reference.is_null(False))
        .order_by(Message.id.desc())
        .limit(100)
        .tuples()
    )
    return frozenset(row[0] for row in rows)


def _believe(message: Message, attempt: Attempt, answer: FindResult) -> None:
    if isinstance(answer, Found):
        _adopt(message, answer)
        return
    if isinstance(answer, NotThere):
        Attempt.update(asked=Attempt.asked + 1).where(Attempt.id == attempt.id).execute()
        if attempt.asked + 1 >= 2:
            _send_again(message)
            return
    _ask_later(message, attempt)


def _adopt(message: Message, found: Found) -> None:
    """The carrier has it: take over its reference and whatever it already knows of the delivery."""
    if found.others:
        log.error("message %s was taken %s times by %s", message.id, len(found.others) + 1, message.carrier)
    reference = reference_for(message, found.reference)
    if message.advance(
        "sent", carrier_reference=reference, sent_at=now(), lease_until=None, reason="", error=""
    ):
        tell(message, "the carrier has it")
    ended = {"delivered_at": now()} if found.status == "delivered" else _why_found(found)
    if found.status in ("delivered", "undelivered", "failed") and message.advance(found.status, **ended):
        tell(message, found.code or "")


def _why_found(found: Found) -> dict[str, str]:
    return {"reason": found.reason.value if found.reason else "other", "error": found.code or ""}


def _send_again(message: Message) -> None:
    """Twice, and after a grace time, the carrier knew nothing of it: it was not taken and may go out again."""
    if message.put_back(next_at=now(), lease_until=None, reason="", error=""):
        tell(message, "the carrier does not know it")
        queue.later("deliver")


def _ask_later(message: Message, attempt: Attempt) -> None:
    """Wait as long again as has passed; after some hours it is a person's to decide."""
    passed = now() - attempt.started_at
    due = None if passed > ASK_UNTIL else now() + max(timedelta(seconds=30), passed)
    Message.update(lease_until=due).where(Message.id == message.id, Message.status == "unknown").execute()


def forget_stops() -> None:
    """Hand messages to every carrier again; for tests and when the configuration changes."""
    _stopped_until.clear()
