"""Grey messages: taken by the carrier, and no report since. It is asked what became of them, less and less often."""

import logging
from datetime import datetime, timedelta

from sms import exchange, health, queue, receiving
from sms.carriers.contract import CannotSay, Carrier, Feature, FindResult, Found, TextReport
from sms.clock import now
from sms.models import CarrierHealth, Message

log = logging.getLogger(__name__)

FIRST_AFTER = timedelta(minutes=10)
"""Reports come within seconds mostly; one that is this late has probably been lost."""
ROUND = timedelta(seconds=10)
MOST = 50
"""Questions to one carrier a round: a tenth of its rate, and at most so many, must not crowd out what is to be sent."""
ASKING = timedelta(seconds=60)
"""Longer than one question may take: after it, whoever has asked is gone."""
NEVER = datetime.fromisoformat("9999-01-01T00:00:00+00:00")
"""For what need not be asked about again: no report will come, and the message stays grey."""


def askable() -> dict[str, Carrier]:
    """Return the carriers that can be asked what became of a text, by name."""
    return {n: c for n, c in exchange.carriers().items() if Feature.find_report in c.features}


def sweep() -> None:
    """Ring for the carriers that grey messages are to be asked about: called every second by every worker."""
    moment, closed = now(), health.closed()
    rested = {row.carrier for row in CarrierHealth.select() if row.grey_at is None or row.grey_at <= moment}
    for name in askable():
        if name in rested and name not in closed and to_ask_about(name, 1):
            queue.later("ask_about_grey", name, priority=queue.LOW)


def to_ask_about(name: str, limit: int) -> list[Message]:
    """Return a carrier's grey messages whose time has come: those asked about before, then those never asked about."""
    # Each of the two is a range of the index.
    grey = (Message.status == "sent") & (Message.carrier == name)
    again = Message.select().where(grey, Message.ask_at <= now()).order_by(Message.ask_at).limit(limit)
    found = list(again)
    fresh = Message.select().where(grey, Message.ask_at.is_null(), Message.sent_at <= now() - FIRST_AFTER)
    return found + list(
        fresh.order_by(Message.sent_at).limit(limit - len(found)) if len(found) < limit else ()
    )


def ask_about_grey(name: str) -> int:
    """Ask one carrier about some of its grey messages, where no other process does; returns about how many."""
    moment = now()
    rested = CarrierHealth.grey_at.is_null() | (CarrierHealth.grey_at <= moment)
    mine = CarrierHealth.update(grey_at=moment + ROUND).where(CarrierHealth.carrier == name, rested)
    if name not in askable() or not mine.execute():
        return 0
    messages = to_ask_about(name, min(MOST, max(1, int(exchange.current().configs[name].rate))))
    return sum(ask(message) for message in messages if _mine(message))


def _mine(message: Message) -> bool:
    """Claim a question: of two processes one asks."""
    before = Message.ask_at.is_null() if message.ask_at is None else Message.ask_at == message.ask_at
    same = (Message.id == message.id) & (Message.status == "sent") & before
    return bool(Message.update(ask_at=now() + ASKING).where(same).execute())


def ask(message: Message) -> bool:
    """Ask once, outside any transaction: what the carrier knows counts as its report; else it is asked later.

    False where it cannot be asked at all.
    """
    carrier = exchange.carrier(message.carrier)
    if carrier is None or not message.carrier_reference or message.channel != "sms":
        _again_at(message, NEVER)
        return False
    answer = _asked(carrier, message)
    if isinstance(answer, Found) and answer.status in ("delivered", "undelivered", "failed"):
        receiving.receive_report(message.carrier, _report(message, answer))
    else:
        # Found on its way, not found, or no answer: wait as long again as has passed.
        passed = now() - (message.sent_at or now())
        lost = isinstance(answer, CannotSay) and not answer.for_now
        over = lost or passed * 2 > carrier.reports_kept
        _again_at(message, NEVER if over else now() + max(passed, FIRST_AFTER))
    return True


def _asked(carrier: Carrier, message: Message) -> FindResult:
    try:
        return carrier.find_report(message.carrier_reference, message.ours)
    except Exception as error:
        log.exception("carrier %s raised on the report of message %s", carrier.name, message.id)
        return CannotSay(type(error).__name__)


def _report(message: Message, found: Found) -> TextReport:
    assert found.status in ("delivered", "undelivered", "failed")
    return TextReport(
        message.carrier_reference, message.key, found.status, found.code, found.reason, "asked for"
    )


def _again_at(message: Message, moment: datetime) -> None:
    Message.update(ask_at=moment).where(Message.id == message.id, Message.status == "sent").execute()
