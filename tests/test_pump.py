"""The pumps against a carrier in a process of its own: its window, its rate and its pauses count for all of us together."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bench.carrier import carrier, seen
from sms import (
    clock,
    config,
    contacts,
    delivery,
    exchange,
    health,
    outbox,
    pump,
    queue,
    sending,
    statements,
)
from sms.carriers.contract import Outcome, OutcomeKind, OutgoingText
from sms.db import database, to_ms
from sms.models import Account, Attempt, Message, StatusEvent, Suppression, User
from sms.pump import Pump
from sms.tasks import deliveries
from tests.carrier_side import MARGARETHE, TORSTEN, sid
from tests.crowd import PATIENCE, crowd
from tests.database import environment

ROOT = Path(__file__).parent.parent
TOKEN = {"NOTHING_TOKEN": "0123456789abcdef0123456789abcdef"}
OUR = "+49171392001"
"""The beginning of our numbers."""
WINDOW = 20


class Station:
    """A carrier that does nothing and takes its time for it, and texts that wait for it."""

    def __init__(self, settings: config.Settings, account: Account, origin: str) -> None:
        self.settings, self.account, self.origin = settings, account, origin

    def set(self, rate: float = 1000, **others: str) -> None:
        """Configure the carrier, with so many texts a second, and others by name and origin."""
        tables = [
            f'[[carrier]]\nname = "{name}"\nkind = "websms"\nrate = {rate}\nnumbers = ["{OUR}{number}"]\n'
            f'base_url = "{origin}"\naccess_token_env = "NOTHING_TOKEN"\ncallback_secret_env = "NOTHING_TOKEN"\n'
            for number, (name, origin) in enumerate({"nothing": self.origin, **others}.items())
        ]
        path = self.settings.data / "carriers.toml"
        path.write_text("\n".join(tables))
        self.settings = replace(self.settings, carriers_file=path, environ=TOKEN)
        exchange.connect(self.settings)

    @property
    def carrier(self) -> exchange.Carrier:
        return exchange.carriers()["nothing"]

    def fill(self, texts: int, same_number: bool = False, **values: object) -> None:
        """Let so many texts of a machine wait, as a campaign stores them."""
        talk = contacts.find_or_add(self.account, MARGARETHE)[1]
        moment = to_ms(clock.now())
        common = {
            "account_id": self.account.id, "conversation_id": talk.id, "direction": "outgoing", "channel": "sms",
            "ours": f"{OUR}0", "status": "queued", "source": "survey", "automated": True, "carrier": "nothing",
            "priority": 0, "created_at": moment, "at": moment, "next_at": moment, **values,
        }  # fmt: skip
        rows = [
            {
                **common,
                "key": sending.new_key(),
                "text": f"Nr. {n}",
                "theirs": MARGARETHE if same_number else f"+49171{n:07d}",
            }
            for n in range(texts)
        ]
        with database.atomic():
            statements.insert(Message, rows)

    def count(self, status: str) -> int:
        return Message.select().where(Message.status == status).count()

    def came(self) -> dict[str, int]:
        return seen(self.origin)

    def pumps(self, many: int) -> float:
        """Have so many pumps work at once, each as in a worker of its own; returns the seconds they took."""

        def run(each: Pump) -> None:
            with database.connection_context():
                each.run()
            each.close()

        threads = [threading.Thread(target=run, args=(Pump(self.carrier),)) for _ in range(many)]
        began = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        return time.monotonic() - began


@pytest.fixture(scope="module")
def slow_carrier() -> Iterator[str]:
    with carrier(0.02) as origin:
        yield origin


@pytest.fixture
def station(settings: config.Settings, account: Account, slow_carrier: str) -> Station:
    account.quiet_text = ""
    account.save()
    made = Station(settings, account, slow_carrier)
    made.set()
    return made


def until(true: Callable[[], object], seconds: float = PATIENCE) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


def test_workers_together_keep_to_the_carriers_window_and_hand_over_each_text_once(station: Station):
    before = station.came()
    station.fill(200)
    station.pumps(3)
    after = station.came()
    assert after["texts"] - before["texts"] == 200
    assert after["most_at_once"] <= WINDOW
    assert station.count("sent") == 200
    assert Attempt.select().where(Attempt.outcome == "accepted").count() == 200


def test_workers_together_keep_to_the_carriers_rate(station: Station):
    station.set(rate=100)
    station.fill(100)
    seconds = station.pumps(2)
    assert seconds >= 0.45, "a burst of half a second at once, the others one after the other"
    assert station.count("sent") == 100


def test_what_has_waited_for_its_turn_is_not_lost_for_the_rate(station: Station):
    """Permits are used up by what is claimed, not by what somebody has looked for."""
    station.set(rate=2)
    for _ in range(20):
        assert outbox.claim("nothing", 5, WINDOW).texts == []
    station.fill(3)
    assert len(outbox.claim("nothing", 5, WINDOW).texts) == 1
    assert outbox.claim("nothing", 5, WINDOW).texts == []
    clock.shift(timedelta(seconds=1))
    assert len(outbox.claim("nothing", 5, WINDOW).texts) == 1
    assert 0 < (outbox.claim("nothing", 5, WINDOW).again or 0) <= 0.5


def test_a_clock_that_was_put_back_does_not_stop_a_carrier(station: Station):
    station.set(rate=2)
    station.fill(3)
    clock.shift(timedelta(hours=1))
    assert len(outbox.claim("nothing", 1, WINDOW).texts) == 1
    clock.reset()
    assert len(outbox.claim("nothing", 1, WINDOW).texts) == 1


def test_a_carrier_that_recovers_is_given_a_part_of_its_rate(station: Station):
    station.set(rate=100)
    station.fill(100)
    with database.atomic():
        health.turn(health.row_of("nothing"), "recovering", share=10)
    assert len(outbox.claim("nothing", 100).texts) == 5


@pytest.mark.parametrize(
    ("state", "tried"), [("sick", [1, 0, 0]), ("stopped", [0, 0, 0]), ("paused", [0, 0, 0])]
)
def test_a_carrier_that_is_closed_gets_nothing_or_where_it_is_sick_a_text_to_try(
    station: Station, operator: User, state: str, tried: list[int]
):
    station.fill(10)
    if state == "paused":
        health.pause("nothing", operator.id)
    else:
        with database.atomic():
            health.turn(health.row_of("nothing"), state)
    assert [len(outbox.claim("nothing", 10).texts) for _ in range(3)] == tried


def test_a_carrier_that_finds_us_too_fast_gets_nothing_from_anybody_for_a_while(station: Station):
    station.fill(3)
    first, *_ = outbox.claim("nothing", 1, WINDOW).texts
    delivery.settle(first, Outcome(OutcomeKind.throttled, retry_after=5))
    assert outbox.claim("nothing", 5, WINDOW).texts == []
    clock.shift(timedelta(seconds=5))
    assert len(outbox.claim("nothing", 5, WINDOW).texts) == 3
    assert Message.get_by_id(first.id).attempts == 1


def test_a_dead_workers_places_in_the_window_are_free_again_long_before_its_leases_end(station: Station):
    station.fill(WINDOW + 5)
    assert len(outbox.claim("nothing", 100, WINDOW).texts) == WINDOW
    assert outbox.claim("nothing", 100, WINDOW).texts == []
    clock.shift(timedelta(seconds=25))
    assert len(outbox.claim("nothing", 100, WINDOW).texts) == 5
    assert station.count("sending") == WINDOW + 5


def test_texts_to_one_number_arrive_in_their_order(station: Station, monkeypatch: pytest.MonkeyPatch):
    arrived: list[str] = []

    def take(text: OutgoingText) -> Outcome:
        time.sleep(0.02 if text.text == "Nr. 0" else 0)
        arrived.append(text.text)
        return Outcome(OutcomeKind.accepted, sid())

    monkeypatch.setattr(station.carrier, "send_text", take)
    station.fill(10, same_number=True)
    station.pumps(1)
    assert arrived == [f"Nr. {n}" for n in range(10)]


def test_a_text_that_has_waited_too_long_in_its_worker_is_given_back_unharmed(station: Station):
    station.fill(1)
    (text,) = outbox.claim("nothing", 1, WINDOW).texts
    clock.shift(outbox.FRESH + timedelta(seconds=1))
    before = station.came()["texts"]
    outcome = outbox.hand_over(station.carrier, text)
    delivery.settle_all([(text, outcome)])
    again = Message.get_by_id(text.id)
    assert (again.status, again.attempts, station.came()["texts"]) == ("queued", 0, before)
    clock.shift(timedelta(seconds=1))
    (once_more,) = outbox.claim("nothing", 1, WINDOW).texts
    assert once_more.key != text.key, "each attempt has a key of its own"


def test_many_outcomes_at_once_are_written_as_one_by_one(station: Station):
    """All seven, with one reference twice and one report that was faster than the answer."""
    station.fill(12, source="api")
    texts = outbox.claim("nothing", 12, WINDOW).texts
    kinds = [OutcomeKind.accepted] * 5 + [kind for kind in OutcomeKind if kind is not OutcomeKind.accepted]
    references = ["r-0", "r-1", "r-2", "r-2", "r-4"]
    Message.update(status="delivered").where(Message.id == texts[4].id).execute()
    outcomes = [
        Outcome(kind, references[n] if n < 5 else None, retry_after=3) for n, kind in enumerate(kinds)
    ]
    delivery.settle_all(list(zip(texts, outcomes, strict=False)))
    stored = [Message.get_by_id(text.id) for text in texts[:11]]
    assert [m.status for m in stored] == [
        *("sent", "sent", "sent", "sent", "delivered"),
        *("failed", "failed", "queued", "queued", "unknown", "queued"),
    ]  # fmt: skip
    assert sorted(m.carrier_reference for m in stored[:5] if m.carrier_reference) == [
        "r-0",
        "r-1",
        "r-2",
        "r-4",
    ]
    assert [m.lease_until for m in stored[:4]] == [None] * 4
    ended = Attempt.select().where(Attempt.ended_at.is_null(False)).count()
    assert ended == 11
    told = [e.status for e in StatusEvent.select().where(StatusEvent.message == stored[0])]
    assert told == ["sending", "sent"]


def test_what_may_not_leave_holds_up_nothing_behind_it(station: Station):
    """300 recipients who have opted out, 300 texts in the quiet hours of another account, then one that may go."""
    station.fill(300)
    Suppression.insert_many(
        {"account": station.account, "number": f"+49171{n:07d}", "source": "sms", "created_at": clock.now()}
        for n in range(300)
    ).execute()
    berlin = clock.now().astimezone()
    night = Account.create(
        name="Nacht", zone="Europe/Berlin", created_at=clock.now(),
        quiet_text=f"{(berlin - timedelta(hours=6)):%H:%M}-{(berlin + timedelta(hours=6)):%H:%M}",
    )  # fmt: skip
    night.zone = "Etc/UTC"
    station.fill(300, account_id=night.id)
    sending.send(station.account, TORSTEN, "Darf los")
    Message.update(priority=0, automated=False).where(Message.text == "Darf los").execute()
    station.pumps(1)
    assert station.count("failed") == 300
    moved = Message.select().where(Message.status == "queued", Message.next_at > clock.now())
    assert moved.count() == 300
    assert all(message.data["moved_from"] for message in moved.limit(3))
    assert station.count("sent") == 1


@pytest.fixture
def worker(station: Station) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Start workers, each in a process of its own, with the queue that `later` rings."""
    queue.connect(station.settings.queue_url, station.settings.data)
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        environ = {**os.environ, **environment(station.settings), **TOKEN, "PYTHONPATH": str(ROOT)}
        environ["FADEN_CARRIERS"] = str(station.settings.carriers_file)
        command = [sys.executable, "-c", "from tests.worker_program import main; main()"]
        started.append(subprocess.Popen(command, cwd=ROOT, env=environ))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


@pytest.mark.alone
def test_a_persons_reply_overtakes_twenty_thousand_texts_of_a_machine(
    station: Station, worker: Callable[[], object]
):
    station.set(rate=50)
    station.fill(20_000)
    worker()
    until(lambda: station.came()["texts"] and station.count("sent") >= 60)
    taken = []
    for n in range(3):
        began = time.monotonic()
        reply = sending.send(station.account, TORSTEN, f"Antwort {n}")
        until(lambda message=reply: Message.get_by_id(message.id).status == "sent")
        taken.append(time.monotonic() - began)
        time.sleep(0.2)
    assert max(taken) < 1 * crowd(), taken


@pytest.mark.alone
def test_a_worker_that_is_told_to_stop_ends_its_calls_and_claims_nothing_more(
    station: Station, worker: Callable[[], subprocess.Popen[bytes]]
):
    before = station.came()["texts"]
    station.set(rate=100)
    station.fill(2_000)
    process = worker()
    until(lambda: station.count("sent") >= 20)
    process.terminate()
    assert process.wait(10) == 0
    assert station.count("sending") == 0
    assert 20 <= station.count("sent") == station.came()["texts"] - before < 1_900


def sent_by(name: str) -> int:
    return Message.select().where(Message.carrier == name, Message.status == "sent").count()


def test_a_slow_carrier_holds_up_neither_another_nor_a_job(station: Station):
    with carrier(1.0) as slow:
        station.set(slow=slow)
        station.fill(400, carrier="slow")
        station.fill(60)
        pump.start()
        try:
            began = time.monotonic()
            deliveries.deliver()
            assert time.monotonic() - began < 0.2 * crowd(), "calls are placed by the same threads"
            until(lambda: sent_by("nothing") == 60)
            assert sent_by("slow") < 400
        finally:
            pump.stop(5)
    left = {m.status for m in Message.select().where(Message.carrier == "slow")}
    assert left <= {"sent", "queued"}, "what was on its way has been answered, the rest waits"


def test_a_doorbell_that_rings_while_the_pump_works_is_heard(
    station: Station, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(queue, "_huey", None)
    pump.start()
    try:
        for n in range(20):
            message = sending.send(station.account, TORSTEN, f"Klingel {n}")
            pump.ring()
            if n % 4 == 3:
                until(lambda one=message: Message.get_by_id(one.id).status == "sent", 5)
        until(lambda: station.count("sent") == 20, 5)
    finally:
        pump.stop(5)


def test_a_pump_that_hangs_is_told_of_and_one_that_only_waits_is_not(
    station: Station, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(pump, "IDLE_SECONDS", 0.05)
    monkeypatch.setattr(pump, "STILL_SECONDS", 0.5)
    go_on, claim = threading.Event(), outbox.claim
    pump.start()
    try:
        begun = pump._pumps["nothing"].came_round
        until(lambda: pump._pumps["nothing"].came_round > begun + 0.6)
        assert pump.hanging() == ""
        monkeypatch.setattr(outbox, "claim", lambda *given: (go_on.wait(30), claim(*given))[1])
        pump.ring()
        until(pump.hanging)
        assert pump.hanging().startswith("nothing moves to nothing for ")
        go_on.set()
        until(lambda: pump.hanging() == "")
    finally:
        go_on.set()
        pump.stop(5)
