"""What happens in a call: somebody picks up ours, presses keys, or calls one of our numbers and leaves a message."""

import logging
from datetime import timedelta

from sms import calling, contacts, exchange, queue, receiving, routing, sending, speaking, suppression
from sms.carriers.contract import Feature, RecordingError
from sms.clock import now
from sms.db import database
from sms.inbox import reopen
from sms.models import Account, Call, Conversation, Message
from sms.models.event import add_event
from sms.modules import menu_of, tell_key
from voice import script, store
from voice.wav import BadAudio

log = logging.getLogger(__name__)

FETCH_AGAIN = tuple(timedelta(seconds=s) for s in (5, 15, 60, 300, 1800, 7200, 21600))
"""Waits between attempts to fetch a recording; after the last it is left with the carrier."""


def keys_are_heard() -> bool:
    """Tell whether who is called can press keys: not where every carrier that calls reads the words by itself."""
    calling_ones = [c for c in exchange.carriers().values() if Feature.voice in c.features]
    return any(Feature.speaks not in c.features for c in calling_ones)


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
    menu = menu_of(call.message)
    turn = script.outgoing(speaking.of_call(call), account.locale, _machine(answered_by), menu)
    return turn.steps


def _machine(answered_by: str | None) -> str | None:
    """Say it in the script's words: our carriers wait for the tone before they tell of a machine."""
    return "machine_end_beep" if answered_by == "machine" else answered_by


def heard(call: Call) -> script.Script:
    """The message was played to its end: say goodbye, or read once more what can be chosen."""
    speech, menu = speaking.of_call(call), menu_of(call.message)
    with database.atomic():
        call = Call.get_by_id(call.id)
        turn = script.on_heard(speech, call.account.locale, menu, call.turns, _misses(call, menu))
        again = turn.outcome is script.Outcome.NO_KEY
        Call.update(heard=True, turns=Call.turns + again).where(Call.id == call.id).execute()
        calling.show(call)
    return turn.steps


def _misses(call: Call, menu: script.Menu | None) -> int:
    """Return how many turns of a call have brought nothing: silence, and keys that its menu does not have."""
    if menu is None:
        return 0
    return call.turns - sum(script.is_choice(digit, menu) for digit in call.digits)


def press(call: Call, digits: str) -> script.Script:
    """A key was pressed: repeat, note a wish for a call back, opt out, do what a menu says; return what to say."""
    if not digits:
        return heard(call)
    speech, menu = speaking.of_call(call), menu_of(call.message)
    with database.atomic():
        call = Call.get_by_id(call.id)
        turn = _turn(call, digits[:1], speech, menu)
        Call.update(
            turns=Call.turns + 1,
            digits=(call.digits + digits)[:20],
            heard=call.heard or _had_time_to_hear(call),
        ).where(Call.id == call.id).execute()
        # Pressed again, or told again by the carrier: it has been acted on.
        if digits[:1] not in call.digits:
            _act_on(call, turn.outcome, digits[:1])
        calling.show(call)
    return turn.steps


def _turn(call: Call, digit: str, speech: script.Speech, menu: script.Menu | None) -> script.Turn:
    if menu is None:
        return script.on_key(digit, speech, call.account.locale, call.turns)
    return script.on_menu_key(digit, menu, speech, call.account.locale, call.turns, _misses(call, menu))


def _act_on(call: Call, outcome: script.Outcome, digit: str) -> None:
    if outcome is script.Outcome.CALL_BACK:
        want_call_back(call.message)
    elif outcome is script.Outcome.OPTED_OUT:
        suppression.opt_out(call.account, call.theirs, "voice", "9")
    elif outcome is script.Outcome.CHOSEN:
        tell_key(call.message, digit)


def _had_time_to_hear(call: Call) -> bool:
    """A key cuts the words short: they were heard to the end only where their time has passed since the answer."""
    return call.answered_at is not None and (
        now() - call.answered_at
    ).total_seconds() >= speaking.seconds_until_heard(call.message)


def want_call_back(message: Message) -> None:
    """Put the wish for a call back into the thread of a message, as something unread that needs a person."""
    event = add_event(message.conversation, "callback_wanted", source="recipient", number=message.theirs)
    _arrived(message.conversation, event)


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
    speech = speaking.speech(account, "", script.incoming_phrases(account.locale, account.name))
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
    speech = speaking.speech(
        call.account, "", script.incoming_phrases(call.account.locale, call.account.name)
    )
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
