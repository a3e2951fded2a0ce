"""What comes back: stored first, threaded, then opt-out, then the module that waits, then the dialog."""

import json
import logging
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any, NamedTuple

from sms import contacts, delivery, routing, search, sending, statements, suppression
from sms.carriers.contract import IncomingText, TextReport, in_a_line
from sms.clock import now
from sms.db import database, to_ms
from sms.gathering import Gathering
from sms.gsm import msisdn, segments
from sms.inbox import reopen
from sms.logbook import adopt, trace, tracing
from sms.models import Account, Attempt, Conversation, Expectation, Inbound, Message, log_change
from sms.modules import modules
from sms.refusal import Refused
from sms.understanding import optout

log = logging.getLogger(__name__)

ANSWER_WITHIN = timedelta(days=7)
LONGEST_INCOMING = 5_000
NOBODY = "anonymous"
"""Who calls or writes without showing a number."""
TOGETHER = 20
"""Texts that are considered in one transaction at most: the account's day is nobody else's for so long."""
ABANDONED = timedelta(seconds=30)
"""After so long without being considered, the process that stored a text is gone."""


class _Came(NamedTuple):
    """A text as it came in, with its request's id in the logs."""

    carrier: str
    text: IncomingText
    trace: str


class _Taken(NamedTuple):
    """A text that is stored and threaded, and waits to be considered."""

    inbound: Inbound
    message: Message


def receive_text(carrier: str, text: IncomingText) -> Message | None:
    """Take one incoming text; None where it was here before, or where no account can own it.

    It is stored and threaded in one transaction and considered in a second, together with others that come at the
    same time: whatever goes wrong with the second, the text is before the agents' eyes; one that a dying process left
    is considered by `sweep`.
    """
    return _receiving.do("texts", _Came(carrier, text, trace()))


def _receive(lot: list[_Came]) -> list[Message | None]:
    """Take some texts, those of one person in the order in which they came, everybody's in one: so nobody deadlocks."""
    order = sorted(range(len(lot)), key=lambda place: lot[place].text.sender)
    with database.atomic():
        taken = {place: _take(lot[place]) for place in order}
    if new := [found for found in taken.values() if found is not None]:
        _consider_all(new)
    return [found and found.message for _, found in sorted(taken.items())]


_receiving = Gathering(_receive, TOGETHER)


def _take(came: _Came) -> _Taken | None:
    carrier, text = came.carrier, came.text
    inbound = _store(carrier, "text", text.reference, {**asdict(text), "at": None, "raw": dict(text.raw)})
    if inbound is None:
        return None
    their = number_of(text.sender)
    account = routing.owner_of_reply(text.to, their)
    if account is None:
        log.error("an incoming text %s has no account to go to", text.reference)
        _handled(inbound)
        return None
    return _Taken(inbound, _threaded(came, account, their))


def _consider_all(taken: Sequence[_Taken]) -> None:
    """Consider some texts in one transaction; where that fails, each in its own."""
    try:
        with database.atomic():
            for one in taken:
                _consider_once(one)
    except Exception as error:
        log.warning("%d texts are considered one by one: %s", len(taken), error)
        for one in taken:
            _consider_safely(one)


def _consider_once(one: _Taken) -> None:
    # Only one of two workers goes on; the other finds it handled.
    if _handled(one.inbound):
        with tracing(one.message.trace):
            _consider(one.message.account, one.message.conversation, one.message)


def _consider_safely(one: _Taken) -> None:
    try:
        with database.atomic():
            _consider_once(one)
    except Exception:
        log.exception("incoming message %s could not be considered, agents take it", one.message.id)
        with database.atomic():
            _handled(one.inbound)
            reopen(one.message.conversation)


def _handled(inbound: Inbound) -> bool:
    sql = "UPDATE inbound SET handled_at = ? WHERE id = ? AND handled_at IS NULL"
    return bool(statements.run(sql, to_ms(now()), inbound.id).rowcount)


def sweep() -> None:
    """Consider texts that were stored but not considered, because a process died in between."""
    lost = Inbound.select().where(
        Inbound.kind == "text", Inbound.handled_at.is_null(), Inbound.received_at < now() - ABANDONED
    )
    for inbound in list(lost.limit(50)):
        message = Message.get_or_none(
            Message.carrier == inbound.carrier,
            Message.direction == "incoming",
            Message.carrier_reference == inbound.reference,
        )
        if message is None:
            _handled(inbound)
        else:
            _consider_all([_Taken(inbound, message)])


_STORE = (
    "INSERT INTO inbound (carrier, kind, reference, payload, received_at) VALUES (?, ?, ?, ?, ?) "
    "ON CONFLICT (carrier, kind, reference) DO NOTHING RETURNING id"
)


def _store(carrier: str, kind: str, reference: str, payload: dict[str, Any]) -> Inbound | None:
    """Keep a webhook before anything is made of it; None where carrier and reference were here before."""
    values = (carrier, kind, reference[:120], json.dumps(payload), to_ms(now()))
    made = statements.run(_STORE, *values).fetchall()
    return Inbound(id=made[0][0], carrier=carrier, kind=kind, reference=reference[:120]) if made else None


def number_of(raw: str) -> str:
    """Return the sender as E.164 where it is a number; a short code or a name stays as it is."""
    return msisdn.parse(raw).e164 or "".join(c for c in raw if c.isprintable()).strip()[:20] or NOBODY


def _threaded(came: _Came, account: Account, their: str) -> Message:
    text = came.text
    _, conversation = contacts.find_or_add(account, their)
    body = segments.normalise(_storable(text.text))[:LONGEST_INCOMING]
    counted = segments.count(body)
    moment = now()
    message = statements.store(Message(
        account=account, conversation=conversation, direction="incoming", channel="sms",
        ours=text.to[:20], theirs=their, text=body, encoding=counted.encoding, parts=counted.parts,
        status="received", source="recipient", carrier=came.carrier, carrier_reference=text.reference,
        answers=_answered_by(account, text.to, their), created_at=moment, at=moment, trace=came.trace,
    ))  # fmt: skip
    search.note([message.id])
    routing.remember_reply(account, text.to, their, came.carrier)
    arrived(conversation, message)
    return message


def _storable(text: str) -> str:
    """Drop what no database and no page can hold: NUL and unpaired surrogates."""
    return text.replace("\0", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _answered_by(account: Account, our: str, their: str) -> int | None:
    """Return the newest message of the last 7 days that left this number for that one."""
    sent = statements.run(
        "SELECT id FROM message WHERE ours = ? AND theirs = ? AND direction = 'outgoing' AND account_id = ? AND at > ? "
        "AND status IN ('sending', 'sent', 'delivered', 'unknown', 'undelivered') ORDER BY at DESC, id DESC LIMIT 1",
        our, their, account.id, to_ms(now() - ANSWER_WITHIN),
    ).fetchone()  # fmt: skip
    return None if sent is None else int(sent[0])


def arrived(conversation: Conversation, message: Message) -> None:
    """Count an incoming text or voice message, move its conversation to the top and show it."""
    statements.run(
        "UPDATE conversation SET incoming = incoming + 1, preview = ?, preview_kind = ?, last_message = ?, "
        "last_activity_at = ? WHERE id = ?",
        " ".join(message.text.split())[: sending.PREVIEW], sending.preview_kind(message), message.id,
        to_ms(message.created_at), conversation.id,
    )  # fmt: skip
    conversation.incoming += 1
    log_change(message.account_id, "message", conversation.id, message.id)


def _consider(account: Account, conversation: Conversation, message: Message) -> None:
    """Opt-out comes before every module; then the module that waits for an answer; then the others, the dialog last."""
    sending.answered(conversation)
    if optout.is_stop(message.text):
        # Confirmed once; a second STOP is not answered again.
        if suppression.opt_out(account, message.theirs, "sms", optout.normalised(message.text)):
            _confirm(account, conversation, message, suppression.CONFIRMATION)
        return
    if optout.is_start(message.text) and suppression.has_opted_out(account, message.theirs):
        suppression.opt_in(account, message.theirs)
        _confirm(account, conversation, message, suppression.WELCOME)
        return
    if not _taken_by_who_waits(account, message):
        _offer(conversation, message)


def _taken_by_who_waits(account: Account, message: Message) -> bool:
    pair = "SELECT * FROM expectation WHERE ours = ? AND theirs = ? AND account_id = ?"
    expectation = statements.one(Expectation, pair, message.ours, message.theirs, account.id)
    if expectation is None:
        return False
    module = modules().get(expectation.module)
    if module is None or module.on_reply is None:
        return False
    return module.on_reply(message, expectation)


def _offer(conversation: Conversation, message: Message) -> None:
    for module in modules().values():
        if module.on_incoming is not None and module.on_incoming(message, conversation):
            return


def _confirm(account: Account, conversation: Conversation, message: Message, words: dict[str, str]) -> None:
    """Answer from the number that was written to, exempt from the block that it announces."""
    if msisdn.parse(message.theirs, account.region).channel != "sms":
        return
    text = suppression.worded(account, words)
    own = message.ours if message.ours in routing.owned_numbers(account) else ""
    try:
        sending.send(
            account, message.theirs, text, sender=own, conversation=conversation, source="system", exempt=True
        )
    except Refused as refusal:
        log.warning("no confirmation of an opt-out: %s", refusal)


def receive_report(carrier: str, report: TextReport) -> bool:
    """Take a delivery report: forward only; a late, repeated or foreign one changes nothing and returns False."""
    if report.status is None:
        return False
    with database.atomic():
        message = _reported(carrier, report)
        if message is None:
            return False
        adopt(message.trace)
        values: dict[str, Any] = {"lease_until": None}
        if message.carrier_reference is None:
            values["carrier_reference"] = delivery.reference_for(message, report.reference)
        if report.status == "sent":
            values["sent_at"] = now()
        elif report.status == "delivered":
            values |= {"delivered_at": now(), "sent_at": message.sent_at or now(), "reason": "", "error": ""}
        else:
            values |= delivery.why(report)
        if not message.advance(report.status, **values):
            return False
        if report.reason == "opted_out":
            suppression.suppress(message.account, message.theirs, "carrier")
        delivery.tell(message, in_a_line(report.code, report.detail))
    return True


def _reported(carrier: str, report: TextReport) -> Message | None:
    """Find the message of a report: by our key, which the callback address carries, else by the carrier's reference.

    A report of an earlier attempt, before a person tried again, belongs to no message any more.
    """
    if report.key:
        attempt = Attempt.get_or_none(Attempt.key == report.key, Attempt.carrier == carrier)
        if attempt is not None:
            message = attempt.message
            return message if message.key == report.key else None  # type: ignore[no-any-return]
    return Message.get_or_none(  # type: ignore[no-any-return]
        Message.carrier == carrier,
        Message.direction == "outgoing",
        Message.carrier_reference == report.reference,
    )
