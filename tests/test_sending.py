"""Sending: what is refused and where, what is stored, what can be taken back, and a status that only moves forward."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, initialize, invariant, multiple, rule

from sms import (
    checking,
    clock,
    contacts,
    delivery,
    exchange,
    inbox,
    live,
    outbox,
    queue,
    receiving,
    sending,
    unknown,
)
from sms.carriers.contract import (
    CannotSay,
    Found,
    IncomingText,
    NotThere,
    Outcome,
    OutcomeKind,
    TextReport,
)
from sms.models import Account, Attempt, Change, Conversation, Message, Route, StatusEvent, User
from sms.refusal import Conflict, NotFound, Refused
from tests.carrier_side import ILSE, MARGARETHE, POOL, TORSTEN, sid
from tests.machines import Practice, play
from tests.outbox import claim_one


@pytest.fixture(autouse=True)
def _carriers(settings, database_file):
    exchange.connect(settings)


@pytest.fixture
def talk(account) -> Conversation:
    """A conversation with Margarethe."""
    return contacts.find_or_add(account, MARGARETHE, "Margarethe Schößler")[1]


def settled(message: Message, kind: OutcomeKind = OutcomeKind.accepted) -> Message:
    clock.shift(sending.UNDO)
    delivery.settle(claim_one(), Outcome(kind, sid() if kind is OutcomeKind.accepted else None))
    return Message.get_by_id(message.id)


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("to", {"to": ""}),
        ("to", {"to": "0900 1234567"}),
        ("to", {"to": "110"}),
        ("to", {"to": "+43 1 58858"}),
        ("to", {"to": "1" * 1000}),
        ("to", {"to": "\0"}),
        ("text", {"text": ""}),
        ("text", {"text": " \n "}),
        ("text", {"text": "a" * 1501}),
        ("text", {"text": "a\x07b"}),
        ("text", {"text": "a\ud800"}),
        ("text", {"text": "Guten Tag {vorname}"}),
        ("sender", {"sender": "Müller"}),
        ("sender", {"sender": "EINVIELZULANGER"}),
        ("sender", {"sender": "+491511234567"}),
        ("channel", {"channel": "fax"}),
        ("channel", {"to": ILSE, "channel": "sms"}),
        ("send_at", {"send_at": timedelta(seconds=-1)}),
        ("send_at", {"send_at": timedelta(days=400)}),
        ("reference", {"reference": "r" * 101}),
    ],
)
def test_what_cannot_be_sent_is_refused_at_its_field_and_leaves_nothing(account, field, values):
    given = {"to": MARGARETHE, "text": "Hallo", **values}
    if "send_at" in given:
        given["send_at"] = clock.now() + given["send_at"]
    before = live.newest()
    with pytest.raises(Refused) as refused:
        sending.send(account, given.pop("to"), given.pop("text"), **given)
    assert refused.value.field == field
    assert Message.select().count() == Conversation.select().count() == Route.select().count() == 0
    assert live.newest() == before


def test_the_numbers_type_decides_the_channel(account):
    assert sending.send(account, "0171 3920042", "Hallo").channel == "sms"
    assert sending.send(account, "030 23125 640", "Hallo").channel == "voice"
    assert sending.send(account, MARGARETHE, "Hallo", channel="voice").channel == "voice"


def test_stored_is_what_the_preview_has_shown(account):
    text = "Grüße {name}, u\u0308ber 5\u00a0€\r\n😀"
    contact, _ = contacts.find_or_add(account, MARGARETHE)
    contacts.save(contact, "Margarethe", {})
    shown = checking.preview(account, text, MARGARETHE, "")
    message = sending.send(account, MARGARETHE, text)
    assert (message.text, message.parts, message.encoding) == (
        shown.text, shown.segments.parts, shown.segments.encoding,
    )  # fmt: skip
    assert "Margarethe" in message.text


def test_a_program_that_names_no_fields_may_send_braces(account):
    assert sending.send(account, MARGARETHE, "{x}", source="api").text == "{x}"
    with pytest.raises(Refused):
        sending.send(account, MARGARETHE, "{x}", source="api", fields={})


def test_the_worker_is_told_after_the_commit_and_never_of_what_was_rolled_back(account, monkeypatch):
    from sms.db import database

    rung: list[str] = []
    monkeypatch.setattr(queue, "_ring", lambda name, *rest: rung.append(name))
    with database.atomic() as transaction:
        sending.send(account, MARGARETHE, "Hallo")
        assert rung == []
        transaction.rollback()
    assert rung == []
    sending.send(account, MARGARETHE, "Hallo")
    assert rung == ["deliver"]


def test_a_doorbell_that_fails_does_not_make_a_stored_message_look_refused(account, settings, monkeypatch):
    opened = queue.connect("sqlite", settings.data)
    monkeypatch.setattr(opened, "enqueue", lambda task: 1 / 0)
    assert sending.send(account, MARGARETHE, "Hallo").status == "queued"
    assert Message.select().count() == 1


def test_a_reply_can_be_taken_back_for_five_seconds(talk, anna):
    first = settled(sending.reply(talk, "Erstens", by=anna))
    wrong = sending.reply(talk, "Falsches Fenster", by=anna)
    assert wrong.undoable(clock.now())
    assert claim_one() is None
    sending.cancel(wrong, by=anna)
    shown = Conversation.get_by_id(talk.id)
    assert (shown.preview, shown.last_outgoing) == ("Erstens", first.id)
    clock.shift(timedelta(minutes=1))
    assert claim_one() is None


def test_a_failure_stays_before_the_agents_when_a_reply_after_it_is_taken_back(talk, anna):
    settled(sending.reply(talk, "Kommt nicht an", by=anna), OutcomeKind.rejected)
    assert Conversation.get_by_id(talk.id).failed
    sending.cancel(sending.reply(talk, "Falsches Fenster", by=anna), by=anna)
    assert Conversation.get_by_id(talk.id).failed


def test_what_is_on_its_way_cannot_be_cancelled(talk, anna):
    message = sending.reply(talk, "Unterwegs", by=anna)
    clock.shift(sending.UNDO)
    claim_one()
    with pytest.raises(Conflict) as conflict:
        sending.cancel(Message.get_by_id(message.id))
    assert conflict.value.code == "too_late_to_cancel"


def test_a_reply_to_a_number_of_somebody_else_is_unknown(talk, anna):
    contacts.find_or_add(talk.account, TORSTEN)
    with pytest.raises(NotFound):
        sending.reply(talk, "Verwechselt", by=anna, to=TORSTEN)
    assert Message.select().count() == 0


def test_a_scheduled_message_can_be_changed_sent_at_once_or_cancelled(talk, anna):
    tomorrow = clock.now().replace(microsecond=0) + timedelta(days=1)
    message = sending.reply(talk, "Morgen", by=anna, send_at=tomorrow)
    assert (message.status, message.at) == ("scheduled", tomorrow)
    sending.edit_scheduled(message, "Übermorgen", tomorrow + timedelta(days=1), by=anna)
    assert Message.get_by_id(message.id).text == "Übermorgen"
    sending.send_now(message, by=anna)
    assert claim_one() == message
    for act in (
        lambda: sending.edit_scheduled(message, "Zu spät", tomorrow, by=anna),
        lambda: sending.send_now(message, by=anna),
        lambda: sending.cancel(message, by=anna),
    ):
        with pytest.raises(Conflict):
            act()


def test_a_conversation_closed_meanwhile_stays_closed_when_the_clock_sends(talk, anna):
    sending.reply(talk, "Morgen", by=anna, send_at=clock.now() + timedelta(days=1))
    inbox.set_status(talk, "closed", anna)
    clock.shift(timedelta(days=1, minutes=1))
    outbox.sweep()
    assert Conversation.get_by_id(talk.id).status == "closed"
    sending.reply(Conversation.get_by_id(talk.id), "Doch noch etwas", by=anna)
    assert Conversation.get_by_id(talk.id).status == "open"


def test_two_workers_release_a_scheduled_message_once_and_neither_stumbles(talk, anna):
    first = sending.reply(talk, "Eins", by=anna, send_at=clock.now() + timedelta(hours=1))
    second = sending.reply(talk, "Zwei", by=anna, send_at=clock.now() + timedelta(hours=1))
    clock.shift(timedelta(hours=2))
    stale = list(Message.select().where(Message.status == "scheduled").order_by(Message.id))
    sending.send_now(Message.get_by_id(first.id))
    with pytest.raises(Conflict):
        sending.release(stale[0])
    outbox.sweep()
    assert {Message.get_by_id(m.id).status for m in (first, second)} == {"queued"}
    assert StatusEvent.select().where(StatusEvent.status == "queued").count() == 2


def test_a_colleague_who_was_faster_stops_the_answer(talk, anna, jonas):
    seen = sending.reply(talk, "Guten Tag", by=anna).id
    sending.reply(talk, "Ich mache das", by=jonas)
    with pytest.raises(Conflict) as conflict:
        sending.reply(talk, "Ich auch", by=anna, seen=seen)
    assert (conflict.value.code, conflict.value.params["name"]) == ("answered_meanwhile", "Jonas Krüger")
    assert Message.select().count() == 2


@pytest.mark.parametrize("happens", ["own", "undone", "incoming", "machine"])
def test_only_a_colleagues_answer_counts_as_faster(talk, anna, jonas, happens):
    seen = sending.reply(talk, "Guten Tag", by=anna).id
    if happens == "own":
        sending.reply(talk, "Nachtrag", by=anna)
    elif happens == "undone":
        sending.cancel(sending.reply(talk, "Doch nicht", by=jonas), by=jonas)
    elif happens == "incoming":
        receiving.receive_text("sandbox", IncomingText(sid(), MARGARETHE, POOL[0], "Ja?"))
    else:
        sending.send(talk.account, MARGARETHE, "Erinnerung", source="appointment")
    assert sending.reply(talk, "Meine Antwort", by=anna, seen=seen).status == "queued"


def test_an_undeliverable_text_can_go_out_as_a_call(account, anna):
    message = settled(sending.send(account, MARGARETHE, "Hallo", by=anna), OutcomeKind.rejected)
    contact = contacts.find(account, MARGARETHE)
    contacts.add_number(contact, ILSE)
    call = sending.retry(message, by=anna, channel="voice")
    assert (call.channel, call.theirs, call.conversation) == ("voice", ILSE, message.conversation)
    assert Message.get_by_id(message.id).status == "failed"


def test_a_note_reaches_colleagues_and_nobody_else(talk, anna):
    note = sending.add_note(talk, "Ruft zurück", by=anna)
    assert (note.direction, note.channel) == ("internal", "note")
    assert claim_one() is None
    with pytest.raises(Refused):
        sending.add_note(talk, "x\0", by=anna)


def test_every_change_of_a_message_is_on_the_feed(talk, anna):
    message = sending.reply(talk, "Hallo", by=anna, send_at=clock.now() + timedelta(hours=1))
    steps = [
        lambda: sending.edit_scheduled(message, "Hallo!", clock.now() + timedelta(hours=2), by=anna),
        lambda: sending.cancel(message, by=anna),
        lambda: sending.retry(message, by=anna),
    ]
    for step in steps:
        before = live.newest()
        step()
        assert Change.select().where(Change.id > before, Change.message == message.id).exists()


def test_a_report_that_comes_while_a_message_waits_to_go_out_again_keeps_it_from_that(account, monkeypatch):
    """The carrier's list may lag behind its own delivery; its report does not lie."""
    monkeypatch.setattr(exchange.carriers()["sandbox"], "find_sent", lambda *any: NotThere())
    message = settled(sending.send(account, MARGARETHE, "Nur einmal"), OutcomeKind.unknown)
    for _ in range(2):
        clock.shift(timedelta(minutes=10))
        unknown.ask_about_unknown()
        clock.shift(timedelta(minutes=10))
    assert Message.get_by_id(message.id).status == "queued"
    assert receiving.receive_report("sandbox", TextReport(sid(), message.key, "delivered"))
    assert claim_one() is None
    assert Message.get_by_id(message.id).status == "delivered"


@pytest.mark.parametrize("meanwhile", ["undelivered", "failed", "delivered"])
def test_a_report_that_comes_while_the_carrier_is_asked_counts_and_nothing_goes_out_again(
    account, monkeypatch, meanwhile
):
    message = settled(sending.send(account, MARGARETHE, "Nur einmal"), OutcomeKind.unknown)

    def ask(*any: Any) -> NotThere:
        if asked:
            receiving.receive_report("sandbox", TextReport(sid(), message.key, meanwhile))
        asked.append(1)
        return NotThere()

    asked: list[int] = []
    monkeypatch.setattr(exchange.carriers()["sandbox"], "find_sent", ask)
    for _ in range(2):
        clock.shift(timedelta(minutes=10))
        unknown.ask_about_unknown()
        clock.shift(timedelta(minutes=10))
    assert len(asked) == 2
    assert Message.get_by_id(message.id).status == meanwhile
    assert claim_one() is None


def test_an_answer_about_an_attempt_before_a_person_tried_again_counts_no_more(account, anna, monkeypatch):
    message = settled(sending.send(account, MARGARETHE, "Hallo"), OutcomeKind.unknown)

    def ask(*any: Any) -> Found:
        sending.retry(Message.get_by_id(message.id), by=anna)
        return Found(sid(), "delivered")

    monkeypatch.setattr(exchange.carriers()["sandbox"], "find_sent", ask)
    clock.shift(delivery.GRACE)
    unknown.ask_about_unknown()
    assert Message.get_by_id(message.id).status == "queued"


def test_an_outcome_of_an_attempt_before_a_person_tried_again_counts_no_more(account, anna):
    slow = sending.send(account, MARGARETHE, "Hallo")
    first = claim_one()
    clock.shift(outbox.LEASE)
    outbox.sweep()
    sending.retry(Message.get_by_id(slow.id), by=anna)
    second = claim_one()
    delivery.settle(first, Outcome(OutcomeKind.temporary))
    assert Message.get_by_id(slow.id).status == "sending"
    delivery.settle(second, Outcome(OutcomeKind.accepted, sid()))
    assert Message.get_by_id(slow.id).status == "sent"


def test_one_reference_for_two_messages_breaks_neither(account):
    one, two = (sending.send(account, to, "Hallo") for to in (MARGARETHE, TORSTEN))
    for _ in range(2):
        delivery.settle(claim_one(), Outcome(OutcomeKind.accepted, "SM-the-same"))
    assert {Message.get_by_id(m.id).status for m in (one, two)} == {"sent"}


def test_two_askers_at_once_are_one_answer(account, monkeypatch):
    asked = []
    monkeypatch.setattr(
        exchange.carriers()["sandbox"], "find_sent", lambda *any: asked.append(1) or NotThere()
    )
    message = settled(sending.send(account, MARGARETHE, "Hallo"), OutcomeKind.unknown)
    clock.shift(delivery.GRACE)
    for _ in range(3):
        unknown.ask_about_unknown()
    assert len(asked) == 1
    assert Message.get_by_id(message.id).status == "unknown"


RANK = {"scheduled": 0, "queued": 1, "sending": 2, "unknown": 3, "sent": 4}
FINAL = 5


class OutboxAndItsCarrier(Practice):
    """A carrier that tells the truth late, twice, in the wrong order or not at all; people who cancel and try again."""

    messages = Bundle("messages")
    handed = Bundle("handed")

    @initialize()
    def open(self) -> None:
        self.account = Account.select().order_by(Account.id).get()
        self.anna = User.get(User.account == self.account)
        self.taken: dict[str, str] = {}  # key of an attempt -> the carrier's reference, where it took it
        self.round: dict[str, tuple[int, int]] = {}  # key -> message and how often a person had asked by then
        self.asked: dict[int, int] = {}
        self.seen: dict[int, tuple[int, int]] = {}
        self.may_fall: set[int] = set()
        self.carrier = exchange.carriers()["sandbox"]
        self.answers = True
        self.carrier.find_sent = self._find  # type: ignore[method-assign]

    def _find(self, text: Any, since: Any, known: Any = frozenset()) -> Any:
        if not self.answers:
            return CannotSay("busy")
        return Found(self.taken[text.key], None) if text.key in self.taken else NotThere()

    @rule(target=messages, later=st.booleans())
    def send(self, later: bool) -> int:
        at = clock.now() + timedelta(minutes=3) if later else None
        message = sending.send(self.account, MARGARETHE, "Hallo", by=self.anna, send_at=at)
        self.asked[message.id] = 0
        return message.id

    @rule(target=handed, taken=st.booleans())
    def claim(self, taken: bool) -> Any:
        message = claim_one()
        if message is None:
            return multiple()
        self.round[message.key] = (message.id, self.asked[message.id])
        if taken:
            self.taken[message.key] = sid()
        return message

    @rule(message=handed, kind=st.sampled_from(sorted(OutcomeKind)))
    def answer(self, message: Message, kind: OutcomeKind) -> None:
        """The carrier's answer; one that took the message never says that it did not."""
        if message.key in self.taken:
            kind = kind if kind is OutcomeKind.unknown else OutcomeKind.accepted
        elif kind is OutcomeKind.accepted:
            kind = OutcomeKind.unknown
        if kind is OutcomeKind.blocked:
            kind = OutcomeKind.rejected
        self.may_fall.add(message.id)
        delivery.settle(message, Outcome(kind, self.taken.get(message.key)))

    @rule(message=handed, status=st.sampled_from(("sent", "delivered", "undelivered", "failed")))
    def report(self, message: Message, status: Any) -> None:
        if message.key in self.taken:
            receiving.receive_report("sandbox", TextReport(self.taken[message.key], message.key, status))

    @rule(message=messages)
    def cancel(self, message: int) -> None:
        try:
            sending.cancel(Message.get_by_id(message), by=self.anna)
        except Conflict:
            return

    @rule(message=messages)
    def send_now(self, message: int) -> None:
        try:
            sending.send_now(Message.get_by_id(message), by=self.anna)
        except Conflict:
            return

    @rule(message=messages)
    def try_again(self, message: int) -> None:
        try:
            sending.retry(Message.get_by_id(message), by=self.anna)
        except Conflict:
            return
        self.asked[message] += 1
        self.seen.pop(message, None)

    @rule(seconds=st.sampled_from((1, 40, 70, 600)), answers=st.booleans())
    def time_passes(self, seconds: int, answers: bool) -> None:
        clock.shift(timedelta(seconds=seconds))
        self.answers = answers
        self.may_fall |= {m.id for m in Message.select().where(Message.status == "unknown")}
        outbox.sweep()
        unknown.ask_about_unknown()

    @invariant()
    def a_status_only_moves_forward(self) -> None:
        for message in Message.select():
            now = (self.asked.get(message.id, 0), RANK.get(message.status, FINAL))
            before = self.seen.get(message.id, now)
            provably_not_taken = message.id in self.may_fall and message.status == "queued"
            assert now >= before or (provably_not_taken and before[1] < RANK["sent"]), message.status
            self.seen[message.id] = now
        self.may_fall.clear()

    @invariant()
    def a_message_is_taken_once_unless_a_person_asked_again(self) -> None:
        taken = [self.round[key] for key in self.taken]
        assert len(taken) == len(set(taken))

    @invariant()
    def nothing_waits_for_ever(self) -> None:
        for message in Message.select():
            if message.status in ("queued", "scheduled"):
                assert message.next_at is not None
            if message.status in ("sending", "unknown"):
                assert message.lease_until is not None

    def teardown(self) -> None:
        if hasattr(self, "carrier"):
            self._rest()
            del self.carrier.find_sent
        super().teardown()

    def _rest(self) -> None:
        """Whatever has happened: with a carrier that answers, every message comes to an end by itself."""
        self.answers = True
        for _ in range(12):
            clock.shift(timedelta(minutes=40))
            outbox.sweep()
            unknown.ask_about_unknown()
            while (message := claim_one()) is not None:
                self.round[message.key] = (message.id, self.asked[message.id])
                self.taken[message.key] = sid()
                delivery.settle(message, Outcome(OutcomeKind.accepted, self.taken[message.key]))
        self.a_message_is_taken_once_unless_a_person_asked_again()
        left = {m.status for m in Message.select()}
        assert left <= {"sent", "delivered", "undelivered", "failed", "cancelled"}, left
        assert Attempt.select().where(Attempt.ended_at.is_null()).count() <= len(self.round)


def test_whatever_the_carrier_does_a_message_goes_out_once_and_its_status_forward(app, template, settings):
    play(OutboxAndItsCarrier, template[0], settings, runs=12, steps=25)


def test_a_thread_that_a_machine_begins_is_nobodys_work_until_somebody_answers(account, app):
    machine = sending.send(account, "0171 3920061", "Ihr Termin ist morgen.", source="api", automated=True)
    person = sending.send(account, "0171 3920062", "Ihr Termin ist morgen.", source="api")
    assert (machine.conversation.status, person.conversation.status) == ("closed", "open")
