"""SIGKILL at every named place, over and over: what was accepted arrives once, and nothing stands still.

Real processes (see program.py), the real pretend network, real telephones to count on. While messages, replies and calls
go to and fro, the web process and the worker die where the plan says, and are started again. Then no more dies, time is
moved on, and everything has to come to rest.
"""

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

import pytest

from sms import clock, config, tally
from sms.models import Attempt, Call, Inbound, Message, StatusEvent
from tests.conftest import API_KEY
from tests.faults.processes import Mortals, settings, town  # noqa: F401
from tests.network import OUR, Town

ROUNDS = 2
TRANSACTION = ("before-commit", "after-commit")
WORKER = {
    "sms.outbox:claim": ("start", *TRANSACTION),
    "sms.outbox:hand_over": ("start", "wire", "end"),
    "sms.delivery:settle_all": ("start", *TRANSACTION),
    "sms.outbox:_find_abandoned": TRANSACTION,
    "sms.outbox:_release_scheduled": TRANSACTION,
    "sms.unknown:ask": ("start", "wire", *TRANSACTION),
    "sms.calling:_start": ("start", "end"),
    "sms.calling:pump": TRANSACTION,
    "sms.calling:_place": ("start", "wire"),
    "sms.calling:settle": TRANSACTION,
    "sms.grey:ask_about_grey": ("start", "wire"),
    "sms.tally:_add": TRANSACTION,
}
WEB = {
    "sms.bulk:accept": ("start", "end"),
    "sms.idempotency:once": ("start", *TRANSACTION),
    "sms.receiving:receive_report": ("start", *TRANSACTION),
    "sms.receiving:receive_text": ("start", *TRANSACTION, "end"),
    "sms.receiving:_consider_all": ("start", *TRANSACTION),
    "sms.calling:receive_report": ("start", *TRANSACTION),
}
RARE = ("sms.grey:ask_about_grey", "sms.tally:_add", "sms.outbox:_release_scheduled")
PHONES = [f"004917139200{n:02}" for n in range(60, 75)]
SILENT = "00491713920099"
"""A phone of which the network never reports anything."""
HOUSES = [f"00493023125{n:03}" for n in range(200, 260)]
LONGEST = 140.0
"""Seconds for each half; a machine of its own needs a third."""


def plan(places: dict[str, tuple[str, ...]], chance: random.Random) -> list[tuple[str, int]]:
    """Every place ROUNDS times, in any order, each at one of the first times it is come to."""
    deaths = [
        (f"{function}@{when}", 1 if function in RARE else chance.randint(1, 2))
        for function, moments in places.items()
        for when in moments
        for _ in range(ROUNDS)
    ]
    chance.shuffle(deaths)
    return deaths


@pytest.fixture
def mortals(town: Town, settings: config.Settings) -> Iterator[Mortals]:  # noqa: F811
    chance = random.Random(20260327)
    both = Mortals(settings, {"web": plan(WEB, chance), "worker": plan(WORKER, chance)})
    yield both
    if both.program.poll() is None:
        both.stop()
    both.program.kill()


class Program:
    """A program that sends by the API and does not give up: each message until it has heard that it was accepted."""

    def __init__(self, url: str):
        self.url = url
        self.accepted: dict[str, int] = {}
        self.refused: list[str] = []
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self._send_all, daemon=True)
        self.thread.start()

    def _send_all(self) -> None:
        number = 0
        while not self.ending.wait(0.05):
            number += 1
            self._send(number, self._body(number))

    def _body(self, number: int) -> dict[str, Any]:
        if number % 6 == 0 and number // 6 <= len(HOUSES):
            return {"to": HOUSES[number // 6 - 1], "text": "Ihr Termin ist am Dienstag."}
        if number % 9 == 0:
            return {"to": SILENT, "text": f"Nachricht {number}"}
        later = {"send_at": (clock.now() + timedelta(minutes=5)).isoformat()} if number % 5 == 0 else {}
        return {"to": PHONES[number % len(PHONES)], "text": f"Nachricht {number}", **later}

    def _send(self, number: int, body: dict[str, Any]) -> None:
        headers = {
            "Authorization": f"Bearer {API_KEY}", "Content-Type": "application/json", "Idempotency-Key": f"key-{number}",
        }  # fmt: skip
        request = Request(f"{self.url}/api/v1/messages", json.dumps(body).encode(), headers)
        while not self.refused:
            try:
                with urlopen(request, timeout=20) as answer:
                    self.accepted[f"{body['to']} {body['text']}"] = json.load(answer)["id"]
                return
            except URLError as error:
                if getattr(error, "code", 0) in (400, 401, 403, 404, 409, 422):
                    self.refused.append(error.read().decode())  # type: ignore[attr-defined]
            except OSError:
                pass
            time.sleep(0.02)


@pytest.mark.alone
@pytest.mark.timeout(240)
def test_whoever_dies_wherever_every_message_arrives_once(mortals: Mortals, town: Town, database_file: str):  # noqa: F811
    town.set(SILENT, reports="never")
    for house in HOUSES:
        town.set(house, answer="auto")
    program, replies = Program(town.url), 0
    try:
        replies = _until_all_have_died(mortals, town, program)
    finally:
        program.ending.set()
        program.thread.join(25)
    assert not program.refused
    assert not program.thread.is_alive()
    _come_to_rest(mortals)
    _judge(town, program, replies)
    assert sorted(mortals.stop()) == [["web", 0], ["worker", 0]]


def _until_all_have_died(mortals: Mortals, town: Town, program: Program) -> int:
    """Let phones answer, the carrier stumble and time pass until the plan is done; returns how many replies were written."""
    began, replies, rounds = time.monotonic(), 0, 0
    while mortals.to_come():
        assert time.monotonic() - began < LONGEST, f"never came to {mortals.to_come()}"
        assert mortals.program.poll() is None and not mortals.ended, mortals.ended
        assert not program.refused, program.refused
        time.sleep(0.25)
        rounds += 1
        if replies < 60:
            town.text(PHONES[replies % len(PHONES)], f"Antwort {replies}", OUR)
            replies += 1
        if rounds % 4 == 0:
            town.misbehave(messages=("500", "cut", "429")[rounds // 4 % 3], count=1)
        # What is left at the end are places that are come to seldom: minutes after something else.
        mortals.pass_time(12 if len(mortals.to_come()) > 6 else 45)
    town.misbehave(messages="ok", calls="ok")
    return replies


def _come_to_rest(mortals: Mortals) -> None:
    """Let time pass until nothing is under way any more, but only while nothing is to be done at this moment."""
    step, began = 40.0, time.monotonic()
    while under_way := _under_way():
        assert time.monotonic() - began < LONGEST, under_way
        time.sleep(0.25)
        if not _due():
            mortals.pass_time(step)
            step = min(step * 1.1, 600.0)


def _under_way() -> list[Any]:
    done = ("delivered", "undelivered", "failed", "cancelled")
    messages = Message.select(Message.id, Message.status, Message.next_at, Message.lease_until)
    open_ = messages.where(Message.direction == "outgoing", Message.status.not_in(done))
    calls = Call.select(Call.id, Call.status).where(Call.ended_at.is_null())
    texts = Inbound.select(Inbound.id).where(Inbound.kind == "text", Inbound.handled_at.is_null())
    return [*open_.tuples(), *calls.tuples(), *texts.tuples()]


def _due() -> bool:
    queued = (Message.status == "queued") & (Message.next_at <= clock.now())
    leased = Message.status.in_(("sending", "unknown")) & (Message.lease_until <= clock.now())
    called = Call.ended_at.is_null() & (Call.due_at <= clock.now())
    return Message.select().where(queued | leased).exists() or Call.select().where(called).exists()


def _judge(town: Town, program: Program, replies: int) -> None:
    stored = Counter(f"{m.theirs.replace('+', '00')} {m.text}" for m in _outgoing())
    assert stored == Counter(list(program.accepted)), "what was accepted is there, once"
    heard: Counter[str] = Counter()
    for phone in (*PHONES, SILENT):
        heard.update(f"{phone} {text}" for text in town.texts(phone))
    assert heard == Counter(key for key in program.accepted if key.split()[0] not in HOUSES)
    called = {house: len(town.phone(house)["calls"]) for house in HOUSES}
    assert called == {house: int(any(key.startswith(house) for key in program.accepted)) for house in HOUSES}
    assert {m.status for m in _outgoing()} == {"delivered"}
    came = Counter(m.text for m in Message.select().where(Message.direction == "incoming"))
    assert came == Counter(f"Antwort {n}" for n in range(replies))
    for message in _outgoing():
        _judge_history(message)
    _judge_counters()


def _judge_counters() -> None:
    """Whoever died adding up: each outcome was counted once; an unknown one also where the answer came later."""
    clock.shift(timedelta(minutes=2))
    while tally.add_up():
        pass
    counted: Counter[str] = Counter()
    for row in tally.counts("attempt"):
        counted[row.word] += row.number
    there = Counter(a.outcome for a in Attempt.select().where(Attempt.outcome.is_null(False)))
    assert counted.pop("unknown", 0) >= there.pop("unknown", 0)
    assert counted == there


def _outgoing() -> list[Message]:
    return list(Message.select().where(Message.direction == "outgoing"))


def _judge_history(message: Message) -> None:
    """A status never goes back, but for what was provably not taken; one attempt at most was accepted."""
    events = [
        (e.status, e.detail)
        for e in StatusEvent.select().where(StatusEvent.message == message).order_by(StatusEvent.id)
    ]
    seen = [status for status, _ in events]
    assert seen[-1] == "delivered" and seen.count("delivered") == 1, events
    for status in ("sent", "delivered"):
        if status in seen:
            after = seen[seen.index(status) + 1 :]
            assert not set(after) & {"queued", "sending", "scheduled", "unknown", status}, events
    outcomes = Counter(a.outcome for a in Attempt.select().where(Attempt.message == message))
    assert outcomes["accepted"] <= 1, outcomes
