"""The bind with a database, against a centre in another language: each text once, and the truth about it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from sms import clock, config, delivery, exchange, health, outbox, probing, sending, smpp_bind, suppression
from sms.carriers.contract import Outcome
from sms.models import Attempt, CarrierHealth, Inbound, Message, StatusEvent
from sms.smpp_bind import Bind, NoSuchBind
from tests.carriers.smpp.bound import OUR, Practice, settings_for
from tests.database import environment
from tests.peers.smsc import Centre, missing, smsc

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def centre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Centre]:
    if reason := missing():
        pytest.skip(reason)
    with smsc(tmp_path_factory.mktemp("smsc") / "log", "--dlr-delay", "60") as running:
        yield running


@pytest.fixture
def settings(tmp_path: Path, centre: Centre) -> config.Settings:
    return settings_for(tmp_path / "data", centre.port)


@pytest.fixture
def practice(database_file: Path, settings: config.Settings, centre: Centre) -> Iterator[Practice]:
    centre.mode(submit="ok", count=0, dlr=None, enquire="answer", moOrder=None)
    made = Practice(settings).start()
    yield made
    made.stop()


def number(last: str) -> str:
    """A number from the range for fiction; its last two digits tell the centre what to do."""
    return f"+4917139200{last}"


OUTCOMES = [
    # last digits -> status, reason, what the phone shows
    ("00", "delivered", "", 1),
    ("01", "undelivered", "unreachable", 1),
    ("02", "undelivered", "unreachable", 1),
    ("03", "failed", "filtered", 1),
    ("04", "sent", "", 1),
    ("05", "failed", "bad_number", 0),
    ("06", "delivered", "", 1),
    ("07", "delivered", "", 1),
    ("08", "delivered", "", 1),
    ("09", "delivered", "", 1),
    ("10", "delivered", "", 1),
    ("11", "delivered", "", 1),
    ("12", "delivered", "", 1),
    ("13", "delivered", "", 1),
    ("14", "delivered", "", 1),
    ("15", "delivered", "", 1),
    ("16", "delivered", "", 1),
    ("18", "delivered", "", 1),
]


@pytest.mark.parametrize(("last", "status", "reason", "shown"), OUTCOMES)
def test_whatever_the_centre_does_the_text_is_sent_once_and_told_truly(
    last: str, status: str, reason: str, shown: int, account, practice: Practice, centre: Centre
) -> None:
    text = f"Ihr Termin {last} ist morgen. Grüße €"
    message = sending.send(account, number(last), text)
    found = practice.becomes(message, status, hurry=last in ("06", "18"))
    assert found.reason == reason
    assert centre.texts(number(last)).count(text) == shown
    assert Attempt.select().where(Attempt.message == message).count() == {"06": 3, "18": 2}.get(last, 1)
    told = [e.status for e in StatusEvent.select().where(StatusEvent.message == message)]
    assert told.count(status) == 1, "a doubled report is told once"


def test_a_centre_in_trouble_is_tried_again_later(account, practice: Practice) -> None:
    message = sending.send(account, number("17"), "Geht es schon?")
    practice.until(lambda: Message.get_by_id(message.id).attempts >= 1)
    found = practice.becomes(message, "queued")
    assert (found.attempts, found.reason) == (1, "network")
    assert found.next_at > clock.now()


def test_a_text_without_answer_and_report_is_unknown_and_never_sent_again(
    account, practice: Practice, centre: Centre
) -> None:
    centre.mode(submit="no_resp", count=1)
    message = sending.send(account, number("04"), "Kommt das an?")
    found = practice.becomes(message, "unknown")
    assert found.carrier_reference is None
    assert centre.texts(number("04")).count("Kommt das an?") == 1


@pytest.mark.parametrize("text", ["ä" * 400 + "€" * 100, "😀" * 200, "a" * 160, "Zeile\n" * 50], ids=len)
def test_a_long_text_arrives_as_one(text: str, account, practice: Practice, centre: Centre) -> None:
    message = sending.send(account, number("00"), text)
    practice.becomes(message, "delivered")
    shown = [m for m in centre.phones() if m["text"] == text]
    assert [m["parts"] for m in shown] == [message.parts]


def test_an_alphanumeric_sender_is_seen_on_the_phone(account, practice: Practice, centre: Centre) -> None:
    message = sending.send(account, number("00"), "Von wem ist das?", sender="MUELLER")
    practice.becomes(message, "delivered")
    assert [m["from"] for m in centre.phones() if m["text"] == "Von wem ist das?"] == ["MUELLER"]


# Coming in


@pytest.mark.parametrize("via", ["udh", "sar", "payload"])
@pytest.mark.parametrize(
    "text", ["Ja, gern.", "Grüße €" * 60, "Gern 😀 " * 40], ids=["short", "long", "unicode"]
)
@pytest.mark.parametrize("order", [None, "reverse"])
def test_an_answer_lands_in_its_thread(
    via: str, text: str, order: str | None, account, practice: Practice, centre: Centre
) -> None:
    question = sending.send(account, number("00"), f"Kommen Sie? {via} {len(text)} {order}")
    practice.becomes(question, "delivered")
    centre.mode(moOrder=order)
    assert set(centre.text("491713920000", OUR[1:], text, via)["acks"]) == {0}
    (answer,) = practice.received(number("00"))
    assert (answer.text, answer.theirs, answer.ours) == (text, number("00"), OUR)
    assert answer.conversation == question.conversation
    assert answer.answers == question.id


def test_who_says_stop_is_not_written_to_again(account, practice: Practice, centre: Centre) -> None:
    message = sending.send(account, number("15"), "Werbung")
    practice.until(lambda: practice.received(number("15")))
    assert practice.received(number("15"))[0].text == "STOP"
    practice.until(lambda: suppression.is_suppressed(account, number("15")))
    practice.becomes(message, "delivered")


def test_the_same_answer_twice_is_two_answers(account, practice: Practice, centre: Centre) -> None:
    practice.becomes(sending.send(account, number("00"), "Zweimal?"), "delivered")
    for _ in range(2):
        centre.text("491713920000", OUR[1:], "Ja")
    assert [m.text for m in practice.received(number("00"))] == ["Ja", "Ja"]


# The process


def test_the_bind_tells_by_its_heartbeat_how_it_is(practice: Practice, centre: Centre) -> None:
    practice.until(lambda: practice.heart() == "bound")
    centre.down(1.5)
    practice.until(lambda: practice.heart() not in ("bound", None))
    assert practice.heart().startswith("temporary: ")
    practice.until(lambda: practice.heart() == "bound")
    practice.stop()
    assert practice.heart() is None


def test_nobody_asks_for_a_link_that_is_being_restarted(practice: Practice, centre: Centre) -> None:
    practice.until(lambda: practice.heart() == "bound")
    health.row_of("centre")
    CarrierHealth.update(probe_at=clock.now()).execute()
    practice.stop()
    assert probing.probe_if_due("centre") is None
    assert CarrierHealth.get_by_id("centre").probe_at > clock.now() + timedelta(seconds=10)


def test_a_text_waits_for_the_link_and_is_not_tried_without_it(
    account, practice: Practice, centre: Centre
) -> None:
    centre.down(1.0)
    practice.until(lambda: not practice.bind.session.bound.is_set())
    message = sending.send(account, number("00"), "Gleich geht es wieder")
    found = practice.becomes(message, "delivered")
    assert found.attempts == 1


def test_a_persons_reply_goes_before_a_machines_backlog(
    account, practice: Practice, centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(practice.bind.session, "ready", lambda: False)
    machines = [sending.send(account, number("00"), f"Sammelnachricht {n}") for n in range(30)]
    Message.update(priority=0).where(Message.id.in_([m.id for m in machines])).execute()
    reply = sending.send(account, number("00"), "Antwort")
    since = len(centre.phones())
    monkeypatch.undo()
    practice.becomes(reply, "delivered")
    practice.becomes(machines[-1], "delivered")
    shown = [m["text"] for m in centre.phones(since)]
    assert "Antwort" in shown[:15], "no further back than the window and what waits for it"
    assert len(shown) == 31


def test_a_long_backlog_keeps_it_from_nothing_else(
    account, practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smpp_bind, "TICK", timedelta(seconds=0.1))
    beats = []
    monkeypatch.setattr(practice.bind, "_beat", lambda: beats.append(1))
    practice.bind.session._pace.gap = 0.02
    messages = [sending.send(account, number("00"), f"Rückstand {n}") for n in range(60)]
    practice.becomes(messages[-1], "delivered")
    assert len(beats) >= 5


def test_who_opts_out_while_a_text_waits_gets_none(
    account, practice: Practice, centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(practice.bind.session, "ready", lambda: False)
    message = sending.send(account, number("00"), "Zu spät")
    suppression.suppress(account, number("00"), "sms", "stop")
    # As if it had been released between the two: what waits is cancelled with the opt-out itself.
    Message.update(status="queued").where(Message.id == message.id).execute()
    monkeypatch.undo()
    assert practice.becomes(message, "failed").reason == "opted_out"
    assert Attempt.select().where(Attempt.message == message).count() == 0
    assert centre.texts(number("00")).count("Zu spät") == 0


def test_a_fault_in_one_round_loses_no_claimed_text(
    account, practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object) -> None:
        raise OSError("database is locked")

    monkeypatch.setattr(smpp_bind, "TICK", timedelta(0))
    monkeypatch.setattr(practice.bind, "_beat", busy)
    messages = [sending.send(account, number("00"), f"Trotzdem {n}") for n in range(3)]
    time.sleep(0.3)
    monkeypatch.undo()
    for message in messages:
        assert practice.becomes(message, "delivered").attempts == 1


def test_an_outcome_that_cannot_be_written_spoils_no_other(
    account, practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest, honest_all = delivery.settle, delivery.settle_all

    def settle(message: Message, outcome: Outcome) -> None:
        if message.text == "Verhext":
            raise OSError("disk full")
        honest(message, outcome)

    def settle_all(answers: Sequence[tuple[Message, Outcome]]) -> None:
        if any(message.text == "Verhext" for message, _ in answers):
            raise OSError("disk full")
        honest_all(answers)

    monkeypatch.setattr(delivery, "settle", settle)
    monkeypatch.setattr(delivery, "settle_all", settle_all)
    good = [sending.send(account, number("04"), f"Gut {n}") for n in range(5)]
    bad = sending.send(account, number("04"), "Verhext")
    for message in good:
        practice.becomes(message, "sent")
    assert Message.get_by_id(bad.id).status == "sending", "and it is tried again"
    monkeypatch.undo()
    practice.becomes(bad, "sent")
    assert practice.bind.pump.on_their_way == 0


def test_only_its_own_carriers_texts_are_claimed(account, practice: Practice) -> None:
    message = sending.send(account, number("00"), "Für einen anderen", send_at=None)
    practice.becomes(message, "delivered")
    assert outbox.claim("another", 5).texts == []


def test_a_name_that_is_no_bind_is_refused_in_one_line(practice: Practice) -> None:
    with pytest.raises(NoSuchBind) as refused:
        Bind("twilio")
    assert str(refused.value) == "FADEN_CARRIERS: there is no carrier twilio of the kind smpp"


def test_the_adapter_in_a_worker_takes_nothing(settings: config.Settings, account, centre: Centre) -> None:
    exchange.connect(settings)
    carrier = exchange.carrier("centre")
    assert carrier is not None
    assert carrier.probe().kind == "accepted"


PROGRAM = """
import os
from sms import config, db, exchange, smpp_bind
settings = config.load(os.environ)
db.connect(settings.database_url)
exchange.connect(settings)
smpp_bind.run("centre")
"""
"""What `flask --app app smpp centre` does, without loading the web pages."""


class Process:
    """The bind as a process of its own, which can be killed; it ends with its test."""

    def __init__(self, settings: config.Settings, request: pytest.FixtureRequest) -> None:
        environ = {**os.environ, **environment(settings), "CENTRE_PASSWORD": "secret"}
        environ |= {"FADEN_CARRIERS": str(settings.carriers_file), "PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen([sys.executable, "-c", PROGRAM], env=environ, cwd=ROOT)
        request.addfinalizer(self.process.kill)

    def end(self, signum: signal.Signals) -> int:
        self.process.send_signal(signum)
        return self.process.wait(15)


@pytest.mark.timeout(300)
def test_a_bind_that_is_killed_again_and_again_loses_no_text_and_sends_none_twice(
    account, settings: config.Settings, centre: Centre, request: pytest.FixtureRequest
) -> None:
    exchange.connect(settings)
    centre.mode(respDelay=40)
    texts = [f"Nummer {n}" for n in range(100)]
    messages = [sending.send(account, number("00"), text) for text in texts]
    mine = Message.id.in_([m.id for m in messages])
    since = len(centre.phones())
    for _ in range(2):
        process = Process(settings, request)
        arrived = len(centre.phones())
        end = time.monotonic() + 60  # a busy machine takes its time to start it
        while len(centre.phones()) < arrived + 12:
            assert time.monotonic() < end
            time.sleep(0.02)
        process.end(signal.SIGKILL)
    centre.mode(respDelay=0)
    process = Process(settings, request)
    end = time.monotonic() + 60
    while Message.select().where(mine, Message.status.in_(("queued", "sent"))).exists():
        assert time.monotonic() < end
        time.sleep(0.1)
    time.sleep(1)
    assert process.end(signal.SIGTERM) == 0
    shown = sorted(m["text"] for m in centre.phones(since) if m["text"] in texts)
    assert shown == sorted(set(shown)), "nothing twice"
    by_status = {m.text: m.status for m in Message.select().where(mine)}
    assert {text for text, status in by_status.items() if status == "delivered"} <= set(shown)
    # What a killed process had claimed is `sending`; when its lease is over, a person is told the truth about it.
    clock.shift(outbox.LEASE * 2)
    outbox.sweep()
    statuses = [m.status for m in Message.select().where(mine)]
    assert set(statuses) <= {"delivered", "unknown"}
    assert statuses.count("unknown") <= 2 * 15, "at most a window and what waits for it, for each kill"


def test_nothing_is_left_in_the_table_of_what_came(account, practice: Practice, centre: Centre) -> None:
    message = sending.send(account, number("10"), "a" * 400)
    practice.becomes(message, "delivered")
    practice.until(lambda: not Inbound.select().where(Inbound.kind == "report").exists())
