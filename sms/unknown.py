"""Texts whose outcome is unknown: the carrier is asked, and nothing is sent again that it may have taken."""

import logging
from datetime import datetime, timedelta

from peewee import ModelSelect

from sms import delivery, exchange, queue
from sms.carriers.contract import Feature, FindResult, Found, NotThere
from sms.clock import now
from sms.db import database
from sms.logbook import tracing
from sms.models import Attempt, Message

log = logging.getLogger(__name__)

ASK_UNTIL = timedelta(hours=4)
ASKING = timedelta(seconds=60)
"""Longer than one question may take: after it, whoever has asked is gone."""


def to_ask_about(moment: datetime) -> ModelSelect:
    """Return the texts whose outcome is unknown and whose time to ask has come (`lease_until`)."""
    return Message.select().where(
        Message.status == "unknown", Message.channel == "sms", Message.lease_until <= moment
    )


def ask_about_unknown() -> None:
    """Ask carriers about texts whose outcome is unknown and whose time to ask has come (`lease_until`)."""
    moment = now()
    for message in list(to_ask_about(moment).order_by(Message.lease_until).limit(20)):
        # Asking twice at once would count as two answers: only who moves the lease asks.
        mine = (Message.id == message.id) & (Message.status == "unknown") & (Message.lease_until <= moment)
        if Message.update(lease_until=now() + ASKING).where(mine).execute():
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
    with tracing(message.trace):
        answer = carrier.find_sent(delivery.outgoing(message), attempt.started_at, _known_references(message))
        log.info("message %s, %s was asked: %s", message.id, carrier.name, type(answer).__name__)
        with database.atomic():
            if delivery.is_current(message):
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
    reference = delivery.reference_for(message, found.reference)
    if message.advance(
        "sent", carrier_reference=reference, sent_at=now(), lease_until=None, reason="", error=""
    ):
        delivery.tell(message, "the carrier has it")
    ended = {"delivered_at": now()} if found.status == "delivered" else _why_found(found)
    if found.status in ("delivered", "undelivered", "failed") and message.advance(found.status, **ended):
        delivery.tell(message, found.code or "")


def _why_found(found: Found) -> dict[str, str]:
    return {"reason": found.reason.value if found.reason else "other", "error": found.code or ""}


def _send_again(message: Message) -> None:
    """Twice, and after a grace time, the carrier knew nothing of it: it was not taken and may go out again."""
    if message.put_back(next_at=now(), lease_until=None, reason="", error=""):
        delivery.tell(message, "the carrier does not know it")
        queue.later("deliver")


def _ask_later(message: Message, attempt: Attempt) -> None:
    """Wait as long again as has passed; after some hours it is a person's to decide."""
    passed = now() - attempt.started_at
    due = None if passed > ASK_UNTIL else now() + max(timedelta(seconds=30), passed)
    Message.update(lease_until=due).where(Message.id == message.id, Message.status == "unknown").execute()
