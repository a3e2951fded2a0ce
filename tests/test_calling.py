"""Voice messages: three calls, never two at once, none forgotten and none repeated; and calls that come in."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from peewee import IntegrityError

from sms import (
    answering,
    calling,
    clock,
    contacts,
    exchange,
    inbox,
    inbox_list,
    sending,
    speaking,
    suppression,
)
from sms.carriers.contract import CannotSay, Found, NotThere, Outcome, OutcomeKind, Reason, RecordingError
from sms.models import Call, Change, Conversation, Message
from sms.refusal import Conflict
from tests.carrier_side import ILSE, MARGARETHE, VOICE, CarrierSide, sid
from voice import wav

SECOND = timedelta(seconds=1)
PAUSE = timedelta(seconds=10)


@pytest.fixture
def carrier(app) -> CarrierSide:
    return CarrierSide(app)


@pytest.fixture
def line(carrier, monkeypatch) -> "Line":
    """The carrier's line, which takes every call unless a test says otherwise."""
    made = Line()
    adapter = exchange.carriers()["sandbox"]
    monkeypatch.setattr(adapter, "place_call", made.place)
    monkeypatch.setattr(adapter, "find_call", made.find)
    # Speech has tests of its own; here the carrier's voice reads, which needs no engine.
    monkeypatch.setattr(speaking, "audio_of", lambda account, words: None)
    return made


class Line:
    def __init__(self) -> None:
        self.placed: list = []
        self.outcome: Callable[[], Outcome] = lambda: Outcome(OutcomeKind.accepted, sid("CA"))
        self.found: object = NotThere()

    def place(self, call):
        self.placed.append(call)
        return self.outcome()

    def find(self, call, since, known=frozenset()):
        return self.found


@pytest.fixture
def message(account, line) -> Message:
    """A voice message to Ilse that waits for the worker."""
    return sending.send(account, ILSE, "Ihr Termin ist am Dienstag.")


def calls(message: Message) -> list[Call]:
    return list(Call.select().where(Call.message == message).order_by(Call.id))


def ringing(message: Message) -> Call:
    """Let the worker place the call that is due, and return it."""
    calling.pump()
    return calls(message)[-1]


def status(message: Message) -> str:
    return str(Message.get_by_id(message.id).status)


def test_the_next_call_comes_exactly_ten_seconds_after_the_end_of_the_last(message, carrier, line):
    for attempt, ended in enumerate(("busy", "no-answer", "failed"), 1):
        call = ringing(message)
        assert (call.attempt, call.status) == (attempt, "queued")
        carrier.call_report(call, "ringing")
        clock.shift(timedelta(seconds=25))
        carrier.call_report(call, ended)
        end = Call.get_by_id(call.id).ended_at
        if attempt < 3:
            assert calls(message)[-1].due_at - end == PAUSE
            clock.shift(PAUSE - SECOND)
            assert calling.pump() == 0
            clock.shift(SECOND)
    assert len(line.placed) == 3
    after = Message.get_by_id(message.id)
    assert (after.status, after.reason) == ("undelivered", "unreachable")
    clock.shift(timedelta(hours=1))
    assert calling.pump() == 0
    assert Conversation.get().failed


def test_a_call_that_is_answered_ends_the_message(message, carrier, line):
    call = ringing(message)
    carrier.call_report(call, "ringing")
    carrier.in_call(call, "answer")
    carrier.call_report(call, "in-progress")
    assert status(message) == "sent"
    carrier.in_call(call, "heard")
    carrier.call_report(call, "completed", CallDuration="21")
    done = Message.get_by_id(message.id)
    assert (done.status, Call.get_by_id(call.id).seconds) == ("delivered", 21)
    clock.shift(timedelta(minutes=1))
    assert calling.pump() == 0


def test_the_announcement_comes_word_for_word_and_then_the_text(message, carrier):
    body = carrier.in_call(ringing(message), "answer").get_data(as_text=True)
    said = " ".join(re.findall(r"<Say[^>]*>([^<]*)</Say>", body))
    assert "Guten Tag. Sie haben eine Sprach-S M S erhalten, die Ihnen nun vorgelesen wird" in said
    assert said.index("vorgelesen wird") < said.index("Dienstag")
    assert "key=" in body


def test_never_two_calls_at_once_for_one_message(message, line):
    call = ringing(message)
    with pytest.raises(IntegrityError):
        calling._plan(message, 2, clock.now())
    calling.pump()
    assert [c.id for c in calls(message)] == [call.id]


def test_two_workers_place_a_planned_call_once(message, line):
    calling._start(message)
    planned = calls(message)[0]
    assert calling._place(planned)
    assert not calling._place(planned)
    assert len(line.placed) == 1


def test_a_restart_between_two_calls_forgets_none(message, carrier, line):
    carrier.call_report(ringing(message), "busy")
    # Nothing but the row knows of the next call; a worker that starts later finds it.
    clock.shift(timedelta(minutes=5))
    assert calling.pump() == 1
    assert [c.attempt for c in calls(message)] == [1, 2]


def test_a_call_whose_worker_died_is_asked_about_and_not_repeated(message, line):
    calling._start(message)
    call = calls(message)[0]
    Call.update(status="placing", due_at=clock.now() + calling.LEASE, started_at=clock.now()).execute()
    calling.pump()
    assert line.placed == []
    clock.shift(calling.LEASE + SECOND)
    calling.sweep()
    assert Call.get_by_id(call.id).status == "unknown"
    line.found = Found(sid("CA"), "ringing")
    clock.shift(calling.GRACE + SECOND)
    calling.ask_about_unknown()
    assert Call.get_by_id(call.id).status == "ringing"
    assert line.placed == []


def test_a_call_whose_answer_was_lost_is_asked_about_and_not_repeated(message, carrier, line):
    line.outcome = lambda: Outcome(OutcomeKind.unknown, detail="read timeout")
    call = ringing(message)
    assert call.status == "unknown"
    changes = Change.select().count()
    for _ in range(5):
        calling.sweep()
        calling.pump()
    assert Change.select().count() == changes
    assert len(line.placed) == 1
    reference = sid("CA")
    line.found = Found(reference, None)
    clock.shift(calling.GRACE + SECOND)
    calling.ask_about_unknown()
    found = Call.get_by_id(call.id)
    assert (found.status, found.carrier_reference) == ("queued", reference)


def test_a_call_the_carrier_twice_knows_nothing_of_is_placed_again(message, line):
    line.outcome = lambda: Outcome(OutcomeKind.unknown)
    call = ringing(message)
    clock.shift(calling.GRACE + SECOND)
    calling.ask_about_unknown()
    assert Call.get_by_id(call.id).status == "unknown"
    clock.shift(timedelta(minutes=5))
    calling.ask_about_unknown()
    line.outcome = lambda: Outcome(OutcomeKind.accepted, sid("CA"))
    calling.pump()
    assert (Call.get_by_id(call.id).status, len(line.placed), len(calls(message))) == ("queued", 2, 1)


def test_a_call_nobody_can_tell_about_ends_as_unknown_and_a_person_decides(message, anna, line):
    line.outcome = lambda: Outcome(OutcomeKind.unknown)
    line.found = CannotSay("busy")
    ringing(message)
    for _ in range(40):
        clock.shift(timedelta(minutes=20))
        calling.sweep()
        calling.ask_about_unknown()
    assert status(message) == "unknown"
    assert len(line.placed) == 1
    line.outcome = lambda: Outcome(OutcomeKind.accepted, sid("CA"))
    sending.retry(Message.get_by_id(message.id), by=anna)
    assert ringing(message).attempt == 1


def test_reports_before_our_own_request_was_answered_count(message, carrier, line):
    def busy_at_once() -> Outcome:
        call = calls(message)[0]
        carrier.call_report(call, "ringing")
        carrier.call_report(call, "busy")
        return Outcome(OutcomeKind.accepted, f"CA{call.id:032x}")

    line.outcome = busy_at_once
    calling.pump()
    first, second = calls(message)
    assert (first.status, first.carrier_reference) == ("busy", f"CA{first.id:032x}")
    assert (second.status, second.attempt) == ("planned", 2)


def test_late_and_doubled_reports_change_nothing(message, carrier, line):
    call = ringing(message)
    carrier.call_report(call, "in-progress")
    carrier.call_report(call, "completed")
    before = Change.select().count()
    for late in ("ringing", "initiated", "in-progress", "completed", "busy"):
        assert carrier.call_report(call, late).status_code == 200
    assert (Call.get_by_id(call.id).status, status(message)) == ("completed", "delivered")
    assert len(calls(message)) == 1
    assert Change.select().count() == before


def test_a_busy_carrier_counts_no_call(message, line):
    line.outcome = lambda: Outcome(OutcomeKind.throttled, retry_after=3)
    call = ringing(message)
    assert (call.status, call.due_at > clock.now()) == ("planned", True)
    line.outcome = lambda: Outcome(OutcomeKind.accepted, sid("CA"))
    clock.shift(4 * SECOND)
    calling.pump()
    assert [c.attempt for c in calls(message)] == [1]
    assert calls(message)[0].status == "queued"


def test_a_number_the_carrier_refuses_is_not_called_three_times(message, line):
    line.outcome = lambda: Outcome(OutcomeKind.rejected, code="21217", reason=Reason.bad_number)
    ringing(message)
    failed = Message.get_by_id(message.id)
    assert (failed.status, failed.reason, len(calls(message))) == ("failed", "bad_number", 1)


def test_a_refusal_of_a_call_that_rings_all_the_same_leaves_it_to_the_reports(message, carrier, line):
    def refused_but_ringing() -> Outcome:
        carrier.call_report(calls(message)[0], "ringing")
        return Outcome(OutcomeKind.rejected)

    line.outcome = refused_but_ringing
    call = ringing(message)
    assert (status(message), call.status) == ("sending", "ringing")
    carrier.call_report(call, "completed")
    assert status(message) == "delivered"


@pytest.mark.parametrize("word", ["machine_start", "fax"])
def test_a_machine_that_does_not_listen_counts_as_not_answered(message, carrier, line, word):
    call = ringing(message)
    body = carrier.in_call(call, "answer", AnsweredBy=word).get_data(as_text=True)
    assert "<Hangup" in body
    assert "<Say" not in body
    carrier.call_report(call, "completed", AnsweredBy=word)
    assert [c.status for c in calls(message)] == ["completed", "planned"]


def test_on_a_machine_that_listens_the_message_is_left(message, carrier, line):
    call = ringing(message)
    body = carrier.in_call(call, "answer", AnsweredBy="machine_end_beep").get_data(as_text=True)
    assert "Dienstag" in body
    assert "<Gather" not in body
    carrier.call_report(call, "completed", AnsweredBy="machine_end_beep")
    assert status(message) == "delivered"


def test_somebody_who_hangs_up_early_has_been_reached(message, carrier, line):
    call = ringing(message)
    carrier.in_call(call, "answer")
    carrier.call_report(call, "completed", CallDuration="2")
    assert status(message) == "delivered"
    assert not Call.get_by_id(call.id).heard


def test_key_one_repeats_and_not_for_ever(message, carrier, line):
    call = ringing(message)
    bodies = [carrier.in_call(call, "keys", Digits="1").get_data(as_text=True) for _ in range(7)]
    assert "Dienstag" in bodies[0]
    assert "Auf Wiederhören" in bodies[-1]
    assert "<Gather" not in bodies[-1]


def test_key_two_is_a_task_that_somebody_has_to_see(message, anna, carrier, line):
    conversation = message.conversation
    inbox.set_status(conversation, "closed", anna)
    call = ringing(message)
    for _ in range(3):  # pressed again, or told again
        carrier.in_call(call, "keys", Digits="2")
    event = Message.get(Message.channel == "event", Message.direction == "incoming")
    assert event.data == {"kind": "callback_wanted", "number": ILSE}
    row = inbox_list.rows(anna, "open").items[0]
    assert (row.unread, row.preview_kind, row.status) == (1, "callback", "open")


def test_key_nine_opts_out_on_every_channel_and_once(message, account, carrier, line):
    later = sending.send(account, ILSE, "Noch einer", send_at=clock.now() + timedelta(days=1))
    call = ringing(message)
    body = carrier.in_call(call, "keys", Digits="9").get_data(as_text=True)
    assert "keine weiteren Anrufe" in body
    carrier.call_report(call, "completed")
    assert suppression.is_suppressed(account, ILSE)
    assert (status(message), status(later)) == ("delivered", "cancelled")
    suppression.unsuppress(account, ILSE)
    carrier.in_call(call, "keys", Digits="9")  # a captured callback, sent again
    assert not suppression.is_suppressed(account, ILSE)


def test_an_opt_out_between_the_calls_stops_them(message, account, carrier, line):
    carrier.call_report(ringing(message), "busy")
    suppression.suppress(account, ILSE, "agent")
    clock.shift(PAUSE)
    calling.pump()
    assert len(line.placed) == 1
    stopped = Message.get_by_id(message.id)
    assert (stopped.status, stopped.reason, calls(message)[-1].status) == ("failed", "opted_out", "canceled")


def test_a_ringing_call_cannot_be_cancelled_and_says_so(message, anna, line):
    ringing(message)
    with pytest.raises(Conflict):
        sending.cancel(Message.get_by_id(message.id), by=anna)
    assert status(message) == "sending"


def test_a_call_still_waiting_can_be_cancelled(message, anna, line):
    sending.cancel(message, by=anna)
    assert calling.pump() == 0
    assert line.placed == []


def test_where_nothing_can_be_spoken_the_carriers_voice_reads(account, carrier, message, line, monkeypatch):
    other = sending.send(account, "+493023125641", "Auch Sie")

    def broken(words, *rest):
        raise RuntimeError("broken")

    monkeypatch.undo()
    monkeypatch.setattr(exchange.carriers()["sandbox"], "place_call", line.place)
    monkeypatch.setattr(speaking.store, "speech", broken)
    calling.pump()
    assert [c.to for c in line.placed] == [message.theirs, other.theirs]
    assert "Dienstag" in carrier.in_call(calls(message)[0], "answer").get_data(as_text=True)


# Calls that come in.


def incoming(carrier, caller: str = ILSE, reference: str = "") -> tuple[str, str]:
    reference = reference or sid("CA")
    form = {"CallSid": reference, "From": caller, "To": VOICE, "CallStatus": "ringing"}
    answer = carrier.post("/carriers/sandbox/voice/incoming", form)
    assert answer.status_code == 200
    return reference, answer.get_data(as_text=True)


def recorded(carrier, reference: str, seconds: int = 3) -> str:
    url = f"https://api.twilio.com/2010-04-01/Accounts/{carrier.account}/Recordings/RE{'0' * 32}"
    form = {"CallSid": reference, "RecordingUrl": url, "RecordingDuration": str(seconds)}
    return carrier.post("/carriers/sandbox/voice/recorded", form).get_data(as_text=True)


@pytest.fixture
def said(line, monkeypatch) -> list[object]:
    """What fetching a recording brings, one after the other: bytes or an error."""
    answers: list[object] = []

    def fetch(url: str) -> bytes:
        found = answers.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    monkeypatch.setattr(exchange.carriers()["sandbox"], "fetch_recording", fetch)
    return answers


def sound(seconds: int = 2) -> bytes:
    return wav.write(b"\x10\x20" * wav.RATE * seconds)


def test_who_calls_us_hears_what_this_is_and_can_leave_a_message(account, carrier, line):
    _, body = incoming(carrier)
    assert "Von dieser Nummer werden Sprach-S M S von Praxis" in body
    assert "Lindner verschickt" in body
    assert "<Record" in body
    event = Message.get(Message.channel == "event")
    assert event.data == {"kind": "called_us", "number": ILSE}
    conversation = Conversation.get()
    assert (conversation.incoming, conversation.preview_kind, conversation.status) == (1, "call", "open")


def test_the_same_call_again_is_one_call(account, carrier, line):
    reference, _ = incoming(carrier)
    incoming(carrier, reference=reference)
    assert Call.select().count() == 1
    assert Conversation.get().incoming == 1


def test_what_was_said_stands_in_the_thread_with_its_audio(account, carrier, said):
    reference, _ = incoming(carrier)
    assert "weitergegeben" in recorded(carrier, reference)
    said.append(sound())
    left = answering.fetch_recording(Call.get())
    assert (left.channel, left.direction, left.theirs) == ("voice", "incoming", ILSE)
    assert left.data["audio"]["seconds"] == pytest.approx(2, abs=0.1)
    assert Conversation.get().preview_kind == "voicemail"
    recorded(carrier, reference)  # told again
    assert answering.recordings_to_fetch() == []
    assert Message.select().where(Message.channel == "voice").count() == 1


def test_a_recording_that_is_not_ready_yet_is_fetched_later(account, carrier, said):
    reference, _ = incoming(carrier)
    recorded(carrier, reference)
    call = Call.get()
    said.extend([RecordingError("HTTP 404", temporary=True), sound()])
    assert answering.fetch_recording(call) is None
    assert answering.recordings_to_fetch() == []
    clock.shift(timedelta(seconds=6))
    assert answering.recordings_to_fetch() == [call]
    assert answering.fetch_recording(Call.get_by_id(call.id)) is not None


def test_a_recording_that_never_comes_is_not_asked_for_every_second(account, carrier, said):
    reference, _ = incoming(carrier)
    recorded(carrier, reference)
    said.extend(RecordingError("HTTP 503", temporary=True) for _ in range(50))
    for _ in range(600):
        for call in answering.recordings_to_fetch():
            answering.fetch_recording(call)
        clock.shift(timedelta(minutes=2))
    assert 50 - len(said) == len(answering.FETCH_AGAIN)


@pytest.mark.parametrize("bad", [b"", b"<html>", RecordingError("HTTP 403")])
def test_a_recording_that_cannot_be_had_leaves_the_call_in_the_thread(account, carrier, said, bad):
    reference, _ = incoming(carrier)
    recorded(carrier, reference)
    said.append(bad)
    assert answering.fetch_recording(Call.get()) is None
    clock.shift(timedelta(hours=1))
    assert answering.recordings_to_fetch() == []
    assert Message.get(Message.channel == "event").data["kind"] == "called_us"


def test_two_workers_fetch_a_recording_once(account, carrier, said):
    reference, _ = incoming(carrier)
    recorded(carrier, reference)
    call = Call.get()
    said.append(sound())
    assert answering.fetch_recording(call) is not None
    assert answering.fetch_recording(call) is None


@pytest.mark.parametrize("caller", ["", "Anonymous", "+266696687"])
def test_a_caller_without_a_number_is_heard_too(account, carrier, line, caller):
    _, body = incoming(carrier, caller)
    assert "<Record" in body
    assert Conversation.get().contact.number


def test_a_call_to_us_goes_to_the_account_that_called_from_that_number(account, other_account, carrier, line):
    sending.send(other_account, ILSE, "Ihr Wagen ist fertig")
    incoming(carrier)
    assert Message.get(Message.channel == "event").account == other_account


def test_the_thread_holds_a_voice_message_with_all_its_calls(message, anna, carrier, line):
    for _ in range(2):
        carrier.call_report(ringing(message), "busy")
        clock.shift(PAUSE)
    ringing(message)
    shown = next(m for m in inbox.thread(message.conversation) if m.id == message.id)
    assert [(c.attempt, c.status) for c in shown.ringings] == [(1, "busy"), (2, "busy"), (3, "queued")]


def test_a_voice_message_to_a_mobile_is_called_too(account, carrier, line):
    talk = contacts.find_or_add(account, MARGARETHE)[1]
    message = sending.send(account, MARGARETHE, "Hallo", channel="voice", conversation=talk)
    assert ringing(message).theirs == MARGARETHE


def test_a_key_pressed_early_does_not_mean_that_all_was_heard(message, carrier, line):
    call = ringing(message)
    carrier.in_call(call, "answer")
    Message.update(data={"audio": {"digest": "", "seconds": 12.0, "peaks": []}}).where(
        Message.id == message.id
    ).execute()
    clock.shift(timedelta(seconds=2))
    carrier.in_call(call, "keys", Digits="9")
    carrier.call_report(call, "completed", CallDuration="8")
    assert not Call.get_by_id(call.id).heard


def test_a_key_pressed_after_the_words_means_that_they_were_heard(message, carrier, line):
    call = ringing(message)
    carrier.in_call(call, "answer")
    Message.update(data={"audio": {"digest": "", "seconds": 12.0, "peaks": []}}).where(
        Message.id == message.id
    ).execute()
    clock.shift(timedelta(seconds=14))
    carrier.in_call(call, "keys", Digits="2")
    assert Call.get_by_id(call.id).heard
