"""Voice messages: up to three calls, never two at once, and what happens in them.

A `Call` row is the outbox: `planned` until a worker claims it, then `placing` while the carrier is asked. Whatever
dies in between leaves a row from which `sweep` goes on.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from sms import contacts, delivery, exchange, media, queue, receiving, routing, sending, suppression
from sms.carriers.contract import (
    CallReport,
    FindResult,
    Found,
    NotThere,
    Outcome,
    OutcomeKind,
    OutgoingCall,
    Reason,
    RecordingError,
)
from sms.clock import now
from sms.db import database
from sms.inbox import reopen
from sms.models import Account, Call, Conversation, Message, Sender, log_change
from sms.models.event import add_event, log_status
from voice import announcement, attempts, script, store
from voice.engines import NoAudio
from voice.wav import BadAudio

log = logging.getLogger(__name__)

RING_SECONDS = 25
LEASE = timedelta(seconds=60)
GRACE = timedelta(seconds=60)
LONGEST_CALL = timedelta(minutes=10)
"""Without a report for so long after a call was placed, the carrier is asked what became of it."""
BACKOFF = tuple(timedelta(seconds=s) for s in (5, 15, 60, 300, 900))
SLOW_DOWN = timedelta(seconds=2)
ASK_UNTIL = timedelta(hours=4)

FETCH_AGAIN = tuple(timedelta(seconds=s) for s in (5, 15, 60, 300, 1800, 7200, 21600))
"""Waits between attempts to fetch a recording; after the last it is left with the carrier."""

CALL_REASON = {"de": "Sprach-SMS", "en": "voice message"}

RANKS = {"planned": 0, "placing": 1, "unknown": 2, "queued": 3, "ringing": 4, "in-progress": 5}
NOT_RUNG = ("planned", "placing", "unknown")
TO_ASK = ("unknown", "queued", "ringing", "in-progress")
FINAL = ("busy", "no-answer", "failed", "completed", "canceled")
NOT_REACHED = {"busy": "busy", "no-answer": "no_answer", "failed": "unreachable", "canceled": "cancelled"}


@dataclass(frozen=True)
class Spoken:
    """The words of a voice message and, where an engine could speak them, the digest of the audio."""

    words: str
    announcement: str
    audio: store.Audio | None


def pump() -> int:
    """Start voice messages that are due and place planned calls; returns how many calls were placed."""
    for message in _due_messages():
        if not sending.wait_for_the_day(message):
            _start(message)
    return sum(_place(call) for call in _due_calls("planned"))


def _due_messages() -> list[Message]:
    return list(
        Message.select()
        .where(Message.status == "queued", Message.next_at <= now(), Message.channel == "voice")
        .order_by(Message.priority.desc(), Message.next_at, Message.id)
        .limit(20)
    )


def _due_calls(*statuses: str) -> list[Call]:
    due = Call.select().where(Call.ended_at.is_null(), Call.due_at <= now(), Call.status.in_(statuses))
    return list(due.order_by(Call.due_at).limit(20))


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
    """Claim one planned call and have the carrier ring; False where another worker was faster."""
    # Speaking takes a second: it is done before the telephone rings, not while somebody holds the receiver, and
    # before the claim, so that a process that dies over it leaves nothing in doubt.
    _speech_of(call)
    moment = now()
    claimed = (
        Call.update(status="placing", due_at=moment + LEASE, started_at=moment, tries=Call.tries + 1)
        .where(Call.id == call.id, Call.status == "planned")
        .execute()
    )
    if not claimed:
        return False
    call = Call.get_by_id(call.id)
    settle(call, _ring(call))
    return True


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
        reason=f"{call.account.name}, {CALL_REASON.get(call.account.locale, CALL_REASON['en'])}",
    )


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
            _plan_again(call, timedelta(seconds=30), outcome)
        else:
            _give_up(call, outcome)
        _show(call)


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
    why = {"reason": outcome.reason.value if outcome.reason else "other"}
    why["error"] = " ".join(w for w in (outcome.code, outcome.detail) if w)[:200]
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


def _show(call: Call) -> None:
    if call.message_id is not None:
        message = call.message
        log_change(message.account_id, "status", message.conversation_id, message.id)


def receive_report(carrier: str, report: CallReport) -> bool:
    """Take the progress of a call; a final status plans the next one or ends the message. False if it is old news."""
    with database.atomic():
        call = _reported(carrier, report)
        if call is None or call.direction == "incoming":
            return False
        values: dict[str, object] = {}
        if report.answered_by:
            values["answered_by"] = report.answered_by
        if call.carrier_reference is None:
            values["carrier_reference"] = report.reference
        if report.status in FINAL:
            values |= {"ended_at": now(), "due_at": None, "seconds": report.seconds}
        if not call.digits and (report.seconds or 0) >= _speaking_time(call):
            values["heard"] = True  # hung up while the keys were being explained
        if not _move(call, report.status, **values):
            return False
        if report.status == "in-progress" and call.message.advance("sent", sent_at=now()):
            log_status(call.message, "answered")
        if report.status in FINAL:
            _conclude(call)
        _show(call)
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
        _show(call)
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


# What is said.


def engines(account: Account) -> tuple[str, ...]:
    """Return the chain of speech engines; text goes to Google only where the account has agreed."""
    chain = exchange.current().settings.voice_engines
    return tuple(e for e in chain if e != "gtts" or account.gtts_consent)


def spoken_sender(account: Account, sender: str) -> str:
    """Return how an alphanumeric sender is spoken: its spoken form where the account has one, else itself."""
    found = Sender.get_or_none(Sender.account == account, Sender.value == sender)
    return found.spoken if found is not None and found.spoken else sender


def announced(message: Message) -> str:
    """Return the announcement of a voice message, word for word."""
    name = (message.data or {}).get("sender")
    return announcement.announcement(
        message.account.locale, spoken_sender(message.account, name) if name else None
    )


def spoken_words(message: Message) -> Spoken:
    """Return a voice message's words with their audio, spoken now or found; an engine's failure never fails the call."""
    opening = announced(message)
    words = opening + announcement.PARAGRAPH + message.text
    audio = audio_of(message.account, words)
    if audio is not None and (message.data or {}).get("audio", {}).get("digest") != audio.digest:
        facts = {
            "digest": audio.digest,
            "seconds": audio.seconds,
            "peaks": list(audio.peaks),
            "engine": audio.engine,
        }
        message.data = {**(message.data or {}), "announcement": opening, "audio": facts}
        Message.update(data=message.data).where(Message.id == message.id).execute()
    return Spoken(words, opening, audio)


def audio_of(account: Account, words: str) -> store.Audio | None:
    """Return the audio of any words in the account's language, None where no engine can speak them."""
    try:
        return store.speech(words, account.locale, engines(account), exchange.current().settings.audio)
    except NoAudio:
        log.warning("no speech engine could speak; the carrier's own voice will")
    except Exception:
        log.exception("speech failed; the carrier's own voice will do")
    return None


def _speech(account: Account, words: str, phrases: tuple[str, ...]) -> script.Speech:
    """Return what a call can say, with an address for every utterance that we hold as audio."""
    held = {}
    for wanted in (words, *phrases):
        audio = audio_of(account, wanted) if wanted else None
        if audio is not None:
            held[wanted] = media.address(audio.digest)
    # Only the pretend network shows captions; a real carrier has no use for the words beside their audio.
    return script.Speech(words, held, captions=exchange.current().settings.sandbox)


# What happens in a call.


def find_call(carrier: str, key: str | None, reference: str) -> Call | None:
    """Return the call of a callback: by our key in its address, else by the carrier's reference."""
    by = Call.key == key if key else Call.carrier_reference == reference
    return Call.get_or_none(by, Call.carrier == carrier)  # type: ignore[no-any-return]


def answer(call: Call, answered_by: str | None) -> script.Script:
    """Somebody, or a machine, has picked up: return what to say."""
    account = call.account
    Call.update(answered_by=answered_by or call.answered_by, answered_at=call.answered_at or now()).where(
        Call.id == call.id
    ).execute()
    turn = script.outgoing(_speech_of(call), account.locale, _machine(answered_by))
    return turn.steps


def _machine(answered_by: str | None) -> str | None:
    """Say it in the script's words: our carriers wait for the tone before they tell of a machine."""
    return "machine_end_beep" if answered_by == "machine" else answered_by


def _speech_of(call: Call) -> script.Speech:
    return _speech(
        call.account, spoken_words(call.message).words, script.outgoing_phrases(call.account.locale)
    )


def heard(call: Call) -> script.Script:
    """The message was played to its end: say goodbye."""
    with database.atomic():
        Call.update(heard=True).where(Call.id == call.id).execute()
        _show(call)
    return script.on_heard(_speech_of(call), call.account.locale).steps


def press(call: Call, digits: str) -> script.Script:
    """A key was pressed: repeat, note a wish for a call back, opt out; return what to say."""
    if not digits:
        return heard(call)
    speech = _speech_of(call)
    with database.atomic():
        call = Call.get_by_id(call.id)
        turn = script.on_key(digits[:1], speech, call.account.locale, call.turns)
        Call.update(
            turns=Call.turns + 1,
            digits=(call.digits + digits)[:20],
            heard=call.heard or _had_time_to_hear(call),
        ).where(Call.id == call.id).execute()
        if digits[:1] in call.digits:
            pass  # pressed again, or told again: it has been acted on
        elif turn.outcome is script.Outcome.CALL_BACK:
            _want_call_back(call)
        elif turn.outcome is script.Outcome.OPTED_OUT:
            suppression.opt_out(call.account, call.theirs, "voice", "9")
        _show(call)
    return turn.steps


def _had_time_to_hear(call: Call) -> bool:
    """A key cuts the words short: they were heard to the end only where their time has passed since the answer."""
    return call.answered_at is not None and (now() - call.answered_at).total_seconds() >= _speaking_time(call)


def _speaking_time(call: Call) -> float:
    """Return seconds from the answer to the end of the words; without audio of ours, nobody can say."""
    audio = (call.message.data or {}).get("audio")
    return script.FIRST_PAUSE + float(audio["seconds"]) if audio else float("inf")


def _want_call_back(call: Call) -> None:
    """Put the wish into the thread as something unread that needs a person."""
    conversation = call.message.conversation
    event = add_event(conversation, "callback_wanted", source="recipient", number=call.theirs)
    _arrived(conversation, event)


def _arrived(conversation: Conversation, event: Message) -> None:
    """Let an event count as something that came in: unread, on top, and the conversation open."""
    Message.update(direction="incoming").where(Message.id == event.id).execute()
    event.direction = "incoming"
    receiving.arrived(conversation, event)
    reopen(conversation)


def take_incoming(carrier: str, reference: str, caller: str, to: str) -> script.Script:
    """Somebody calls one of our numbers: tell them what it is and record a message; the call shows in their thread."""
    their = receiving.number_of(caller)
    account = routing.owner_of_reply(to, their)
    if account is None:
        return (script.Hangup(),)
    with database.atomic():
        known = Call.get_or_none(Call.carrier_reference == reference, Call.carrier == carrier)
        if known is None:
            _begin_incoming(account, carrier, reference, their, to)
    speech = _speech(account, "", script.incoming_phrases(account.locale, account.name))
    return script.incoming(account.name, account.locale, speech).steps


def _begin_incoming(account: Account, carrier: str, reference: str, their: str, to: str) -> None:
    _, conversation = contacts.find_or_add(account, their)
    moment = now()
    event = add_event(conversation, "called_us", source="recipient", number=their)
    Call.create(
        account=account, direction="incoming", key=sending.new_key(), carrier=carrier,
        carrier_reference=reference, ours=to, theirs=their, status="in-progress", started_at=moment,
        ended_at=moment,
    )  # fmt: skip
    routing.remember_reply(account, to, their, carrier)
    _arrived(conversation, event)


def recorded(carrier: str, reference: str, url: str | None, seconds: int) -> script.Script:
    """The caller has spoken: have the recording fetched in the background, and thank them."""
    call = Call.get_or_none(
        Call.carrier_reference == reference, Call.carrier == carrier, Call.direction == "incoming"
    )
    if call is None:
        return (script.Hangup(),)
    with database.atomic():
        if url and call.message_id is None and call.seconds is None:
            Call.update(seconds=seconds, detail=url[:200], due_at=now()).where(
                Call.id == call.id, Call.seconds.is_null()
            ).execute()
            queue.later("fetch_recording", call.id)
    speech = _speech(call.account, "", script.incoming_phrases(call.account.locale, call.account.name))
    return script.on_recorded(call.account.locale, speech).steps


def fetch_recording(call: Call) -> Message | None:
    """Fetch what a caller has said and put it into the thread; None where it is not to be had (yet)."""
    carrier = exchange.carrier(call.carrier)
    if carrier is None or not _may_fetch(call):
        return None
    try:
        data = carrier.fetch_recording(call.detail)
        audio = store.keep_recording(data, exchange.current().settings.audio)
    except RecordingError as error:
        log.warning("the recording of call %s cannot be fetched: %s", call.id, error)
        _leave(call) if not error.temporary else None
        return None
    except BadAudio as error:
        log.error("the recording of call %s cannot be played: %s", call.id, error)
        _leave(call)
        return None
    with database.atomic():
        return _recorded(call, audio)


def _may_fetch(call: Call) -> bool:
    """Claim one attempt by moving the time of the next, so that two workers never fetch at once."""
    wait = FETCH_AGAIN[min(call.tries, len(FETCH_AGAIN) - 1)]
    due = (Call.due_at <= now()) & (Call.detail != "") & Call.message.is_null()
    later = Call.update(due_at=now() + wait, tries=Call.tries + 1)
    return bool(later.where(due, Call.id == call.id).execute())


def _leave(call: Call) -> None:
    """Give a recording up: the thread shows that somebody has called, and the log says why there is no more."""
    Call.update(detail="", due_at=None).where(Call.id == call.id).execute()


def _recorded(call: Call, audio: store.Audio) -> Message:
    _, conversation = contacts.find_or_add(call.account, call.theirs)
    moment = now()
    facts = {"digest": audio.digest, "seconds": audio.seconds, "peaks": list(audio.peaks)}
    message = Message.create(
        account=call.account_id, conversation=conversation, direction="incoming", channel="voice",
        ours=call.ours, theirs=call.theirs, data={"audio": facts}, status="received", source="recipient",
        carrier=call.carrier, carrier_reference=f"recording-{call.carrier_reference}"[:80],
        created_at=moment, at=moment,
    )  # fmt: skip
    Call.update(message=message, detail="", due_at=None).where(Call.id == call.id).execute()
    receiving.arrived(conversation, message)
    reopen(conversation)
    return message


def recordings_to_fetch() -> list[Call]:
    """Return incoming calls whose recording is to be fetched now; for the sweep."""
    return list(
        Call.select()
        .where(Call.direction == "incoming", Call.message.is_null(), Call.detail != "")
        .where(Call.due_at <= now(), Call.tries < len(FETCH_AGAIN))
        .where(Call.started_at > now() - timedelta(days=1))
        .limit(20)
    )
