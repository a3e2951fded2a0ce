"""Voice messages: up to three calls, never two at once; what is said in them is in speaking and answering.

A `Call` row is the outbox: `planned` until a worker claims it, then `placing` while the carrier is asked. Whatever
dies in between leaves a row from which `sweep` goes on.
"""

import logging
from collections.abc import Collection
from datetime import datetime, timedelta

from sms import delivery, exchange, health, outbox, queue, sending, speaking, suppression
from sms.carriers.contract import (
    CallReport,
    Feature,
    FindResult,
    Found,
    NotThere,
    Outcome,
    OutcomeKind,
    OutgoingCall,
    Reason,
    in_a_line,
)
from sms.clock import now
from sms.db import database, is_sqlite
from sms.logbook import adopt, tracing
from sms.models import Call, Message, log_change
from sms.models.event import log_status
from sms.modules import still_right
from voice import attempts

log = logging.getLogger(__name__)

RING_SECONDS = 25
LEASE = timedelta(seconds=60)
GRACE = timedelta(seconds=60)
LONGEST_CALL = timedelta(minutes=10)
"""Without a report for so long after a call was placed, the carrier is asked what became of it."""
BACKOFF = tuple(timedelta(seconds=s) for s in (5, 15, 60, 300, 900))
SLOW_DOWN = timedelta(seconds=2)
ASK_UNTIL = timedelta(hours=4)

CALL_REASON = {"de": "Sprach-SMS", "en": "voice message"}

RANKS = {"planned": 0, "placing": 1, "unknown": 2, "queued": 3, "ringing": 4, "in-progress": 5}
NOT_RUNG = ("planned", "placing", "unknown")
TO_ASK = ("unknown", "queued", "ringing", "in-progress")
FINAL = ("busy", "no-answer", "failed", "completed", "canceled")
NOT_REACHED = {"busy": "busy", "no-answer": "no_answer", "failed": "unreachable", "canceled": "cancelled"}


def pump() -> int:
    """Start voice messages that are due and place planned calls; returns how many calls were placed."""
    with database.atomic():
        for message in outbox.keep_to_the_day(_due_messages(), now()):
            _start(message)
    return sum(_place(call) for call in _calls_to_place())


def _calls_to_place() -> list[Call]:
    """Return due calls of the carriers that take calls, and now and then one of a carrier that is sick."""
    closed = health.closed()
    calls = _due_calls("planned", without=closed)
    for name in closed:
        waiting = _due_calls("planned", without=set(exchange.carriers()) - {name})[:1]
        if waiting and health.may_try(name):
            calls += waiting
    return calls


def _due_messages() -> list[Message]:
    shut = [name for name in health.closed() if health.standings()[name].state != "sick"]
    due = (
        Message.select()
        .where(Message.status == "queued", Message.next_at <= now(), Message.channel == "voice")
        .where(Message.carrier.not_in(shut or [""]))
        .order_by(Message.priority.desc(), Message.next_at, Message.id)
        .limit(20)
    )
    return list(due if is_sqlite() else due.for_update("FOR UPDATE SKIP LOCKED"))


def _due_calls(*statuses: str, without: Collection[str] = ()) -> list[Call]:
    due = Call.select().where(Call.ended_at.is_null(), Call.due_at <= now(), Call.status.in_(statuses))
    return list(due.where(Call.carrier.not_in(list(without) or [""])).order_by(Call.due_at).limit(20))


def _start(message: Message) -> None:
    """Claim a voice message and plan its first call, in one transaction."""
    with database.atomic():
        if message.advance("sending", undo_until=None, attempts=message.attempts + 1):
            log_status(message)
            _plan(message, 1, now())
            log_change(message.account_id, "status", message.conversation_id, message.id)


def _plan(message: Message, attempt: int, due: datetime) -> Call:
    """Write down the next call; the first one uses the message's own key, so that everything finds it."""
    known = Call.select().where(Call.key == message.key).exists()
    return Call.create(
        message=message, account=message.account_id, direction="outgoing", attempt=attempt,
        key=sending.new_key() if known else message.key, carrier=message.carrier,
        ours=message.ours, theirs=message.theirs, status="planned", due_at=due,
    )  # fmt: skip


def _place(call: Call) -> bool:
    """Claim one planned call and have the carrier ring; False where another worker was faster, or nobody should ring."""
    if not still_right(call.message):
        _call_off(call)
        return False
    # Speaking takes a second: it is done before the telephone rings, not while somebody holds the receiver, and
    # before the claim, so that a process that dies over it leaves nothing in doubt.
    if not _carrier_speaks(call):
        speaking.of_call(call)
    moment = now()
    claimed = (
        Call.update(status="placing", due_at=moment + LEASE, started_at=moment, tries=Call.tries + 1)
        .where(Call.id == call.id, Call.status == "planned")
        .execute()
    )
    if not claimed:
        return False
    call = Call.get_by_id(call.id)
    with tracing(call.message.trace):
        outcome = _ring(call)
        log.info("call %s, %s: %s", call.id, call.carrier, outcome.kind.value)
        settle(call, outcome)
    return True


def _call_off(call: Call) -> None:
    """Make no call any more: the module that sent the message says that it has no use now."""
    with database.atomic():
        ended = {"ended_at": now(), "due_at": None, "detail": "not wanted any more"}
        mine = (Call.id == call.id) & (Call.status == "planned")
        if not Call.update(status="canceled", **ended).where(mine).execute():
            return
        message = call.message
        if message.put_back(next_at=None) and message.withdraw(now(), "not_wanted"):
            delivery.tell(message, "not wanted any more")


def _ring(call: Call) -> Outcome:
    message = call.message
    carrier = exchange.carrier(call.carrier)
    if carrier is None:
        return Outcome(OutcomeKind.auth, reason=Reason.setup, detail="carrier is not configured")
    if suppression.is_suppressed(message.account_id, message.theirs):
        return Outcome(OutcomeKind.blocked, reason=Reason.opted_out, detail="opted out meanwhile")
    try:
        return carrier.place_call(outgoing(call))
    except Exception as error:
        log.exception("carrier %s raised on call %s", carrier.name, call.id)
        return Outcome(OutcomeKind.unknown, detail=type(error).__name__)


def outgoing(call: Call) -> OutgoingCall:
    """Return a call as the carrier takes it."""
    return OutgoingCall(
        to=call.theirs,
        caller_id=call.ours,
        key=call.key,
        answer_url=exchange.callback(call.carrier, "voice/answer", key=call.key),
        status_url=exchange.callback(call.carrier, "voice/status", key=call.key),
        ring_seconds=RING_SECONDS,
        words=speaking.words_to_read(call.message) if _carrier_speaks(call) else "",
        reason=f"{call.account.name}, {CALL_REASON.get(call.account.locale, CALL_REASON['en'])}",
    )


def _carrier_speaks(call: Call) -> bool:
    carrier = exchange.carrier(call.carrier)
    return carrier is not None and Feature.speaks in carrier.features


def settle(call: Call, outcome: Outcome) -> None:
    """Write what the carrier said to placing a call, and go on with the message."""
    with database.atomic():
        if outcome.kind is OutcomeKind.accepted:
            _taken(call, outcome.reference, "queued")
        elif outcome.kind in (OutcomeKind.throttled, OutcomeKind.temporary):
            _place_later(call, outcome)
        elif outcome.kind is OutcomeKind.unknown:
            _move(call, "unknown", due_at=now() + GRACE, detail=(outcome.detail or "")[:200])
        elif outcome.kind is OutcomeKind.auth and outcome.reason not in (Reason.bad_sender, Reason.region):
            log.error("carrier %s refuses our account: %s %s", call.carrier, outcome.code, outcome.detail)
            health.stop(call.carrier, now() + delivery.STOPPED, in_a_line(outcome.code, outcome.detail))
            _plan_again(call, timedelta(seconds=30), outcome)
        else:
            _give_up(call, outcome)
        show(call)


def _taken(call: Call, reference: str | None, status: str) -> None:
    """The carrier has the call: keep its reference, even where a report was faster than the answer."""
    Call.update(carrier_reference=reference).where(
        Call.id == call.id, Call.carrier_reference.is_null()
    ).execute()
    _move(call, status, due_at=now() + LONGEST_CALL)


def _place_later(call: Call, outcome: Outcome) -> None:
    if outcome.kind is OutcomeKind.temporary and call.tries > len(BACKOFF):
        _give_up(call, outcome)
        return
    asked = timedelta(seconds=outcome.retry_after) if outcome.retry_after else SLOW_DOWN
    wait = asked if outcome.kind is OutcomeKind.throttled else BACKOFF[min(call.tries, len(BACKOFF)) - 1]
    _plan_again(call, wait, outcome)


def _plan_again(call: Call, wait: timedelta, outcome: Outcome) -> None:
    """Provably not rung: the same call is planned again, and counts as no attempt."""
    changes = {"status": "planned", "due_at": now() + wait, "detail": (outcome.detail or "")[:200]}
    Call.update(**changes).where(Call.id == call.id, Call.status.in_(NOT_RUNG)).execute()
    queue.later("make_calls", delay=wait)


def _give_up(call: Call, outcome: Outcome) -> None:
    if Call.get_by_id(call.id).status not in NOT_RUNG:
        return  # it rings, whatever the carrier said: its reports decide
    blocked = outcome.kind is OutcomeKind.blocked
    ended = {"ended_at": now(), "due_at": None, "detail": (outcome.detail or "")[:200]}
    _move(call, "canceled" if blocked else "failed", **ended)
    if blocked:
        suppression.suppress(call.message.account, call.theirs, "carrier")
    why = delivery.why(outcome)
    if call.message.advance("failed", **why):
        delivery.tell(call.message, why["error"])


def _move(call: Call, status: str, **values: object) -> bool:
    """Move a call forward by a guarded UPDATE; a late or repeated report changes nothing."""
    rank = len(RANKS) if status in FINAL else RANKS[status]
    before = [s for s, r in RANKS.items() if r < rank]
    changed = (
        Call.update(status=status, **values).where(Call.id == call.id, Call.status.in_(before)).execute()
    )
    if changed:
        call.status = status
        for name, value in values.items():
            setattr(call, name, value)
    return bool(changed)


def show(call: Call) -> None:
    """Let open pages show how the message of a call stands."""
    if call.message_id is not None:
        message = call.message
        log_change(message.account_id, "status", message.conversation_id, message.id)


def receive_report(carrier: str, report: CallReport) -> bool:
    """Take the progress of a call; a final status plans the next one or ends the message. False if it is old news."""
    with database.atomic():
        call = _reported(carrier, report)
        if call is None or call.direction == "incoming":
            return False
        adopt(call.message.trace)
        values: dict[str, object] = {}
        if report.answered_by:
            values["answered_by"] = report.answered_by
        if call.carrier_reference is None:
            values["carrier_reference"] = report.reference
        if report.status in FINAL:
            values |= {"ended_at": now(), "due_at": None, "seconds": report.seconds}
        if not call.digits and (report.seconds or 0) >= speaking.seconds_until_heard(call.message):
            values["heard"] = True  # hung up while the keys were being explained
        if not _move(call, report.status, **values):
            return False
        if report.status == "in-progress" and call.message.advance("sent", sent_at=now()):
            log_status(call.message, "answered")
        if report.status in FINAL:
            _conclude(call)
        show(call)
    return True


def _reported(carrier: str, report: CallReport) -> Call | None:
    if report.key:
        return Call.get_or_none(Call.key == report.key, Call.carrier == carrier)  # type: ignore[no-any-return]
    return Call.get_or_none(  # type: ignore[no-any-return]
        Call.carrier_reference == report.reference, Call.carrier == carrier
    )


def _conclude(call: Call) -> None:
    """After the end of a call: the next one in ten seconds, or the message is delivered or given up."""
    message = call.message
    made = _calls_of_this_round(message)
    step = attempts.next_attempt(
        [
            attempts.Attempt(c.started_at or c.due_at or now(), c.ended_at, c.status, c.answered_by or None)
            for c in made
        ]
    )
    if step.do == "call":
        due = step.at or now()
        _plan(message, call.attempt + 1, due)
        queue.later("make_calls", delay=due - now())
    elif step.do == "answered":
        _delivered(message, call)
    elif step.do == "given_up" and message.advance(
        "undelivered", reason=NOT_REACHED.get(call.status, "unreachable"), error=f"call {call.status}"
    ):
        delivery.tell(message, f"{len(made)} calls, last {call.status}")


def _calls_of_this_round(message: Message) -> list[Call]:
    """Return the calls since a person last asked for them: attempt numbers start at 1 again."""
    calls = list(Call.select().where(Call.message == message).order_by(Call.id))
    starts = [i for i, c in enumerate(calls) if c.attempt == 1]
    return calls[starts[-1] :] if starts else calls


def _delivered(message: Message, call: Call) -> None:
    moment = now()
    if message.advance(
        "delivered",
        delivered_at=moment,
        sent_at=message.sent_at or call.started_at or moment,
        reason="",
        error="",
    ):
        delivery.tell(message, "heard to the end" if call.heard else "answered")


def sweep() -> None:
    """Move calls on by state: place what is due, ask about what nobody reported; called every second, idempotent."""
    for call in _due_calls("placing"):
        settle(call, Outcome(OutcomeKind.unknown, detail="the worker ended during the call"))
    if _due_messages() or _due_calls("planned"):
        queue.later("make_calls")
    if _due_calls(*TO_ASK):
        queue.later("ask_carriers", priority=queue.LOW)


def ask_about_unknown() -> None:
    """Ask carriers about calls of which nothing was heard for too long."""
    for call in _due_calls(*TO_ASK):
        # Asking twice at once would count as two answers: only who moves the time asks.
        mine = (Call.id == call.id) & Call.ended_at.is_null() & (Call.due_at <= now())
        if Call.update(due_at=now() + LEASE).where(mine).execute():
            ask(call)


def ask(call: Call) -> FindResult | None:
    """Ask the carrier what became of a call and write it down."""
    carrier = exchange.carrier(call.carrier)
    started = call.started_at or now()
    if carrier is None:
        Call.update(due_at=now() + LONGEST_CALL).where(Call.id == call.id).execute()
        return None
    answer = carrier.find_call(outgoing(call), started, _known_references(call))
    with database.atomic():
        _believe(call, answer, now() - started)
        show(call)
    return answer


def _known_references(call: Call) -> frozenset[str]:
    others = (
        Call.select(Call.carrier_reference)
        .where(Call.carrier == call.carrier, Call.theirs == call.theirs, Call.id != call.id)
        .where(Call.carrier_reference.is_null(False))
        .order_by(Call.id.desc())
        .limit(100)
        .tuples()
    )
    return frozenset(row[0] for row in others)


def _believe(call: Call, answer: FindResult, passed: timedelta) -> None:
    if isinstance(answer, Found):
        _taken(call, answer.reference, "queued")
        status = answer.status or "queued"
        if status in FINAL or status in RANKS:
            receive_report(call.carrier, CallReport(answer.reference, call.key, status))  # type: ignore[arg-type]
        Call.update(due_at=now() + LONGEST_CALL).where(Call.id == call.id, Call.ended_at.is_null()).execute()
    elif isinstance(answer, NotThere) and call.status == "unknown" and call.asked >= 1:
        _plan_again(call, timedelta(0), Outcome(OutcomeKind.temporary, detail="the carrier does not know it"))
    elif passed > ASK_UNTIL:
        _move(call, "failed", ended_at=now(), due_at=None, detail="no report and no answer from the carrier")
        if call.message.advance(
            "unknown", reason="other", error="the carrier cannot say what became of the call"
        ):
            delivery.tell(call.message, "nobody knows")
    else:
        wait = max(timedelta(seconds=30), passed)
        Call.update(due_at=now() + wait, asked=Call.asked + 1).where(Call.id == call.id).execute()
