"""Texts that come in at the same moment: taken in together, each with its own thread, and none spoiled by another."""

import threading
from collections.abc import Callable

import pytest

from sms import modules as module_registry
from sms import receiving
from sms.carriers.contract import IncomingText
from sms.clock import now
from sms.db import database
from sms.models import Account, Expectation, Inbound, Message
from sms.modules import Module
from tests.carrier_side import POOL, sid

pytestmark = pytest.mark.both

PEOPLE = [f"+49171392{n:04}" for n in range(12)]


def come(texts: list[IncomingText]) -> list[Message | None]:
    """Let each text come in by a thread of its own, all at the same moment; returns what each was told."""
    together: list[Message | None] = [None] * len(texts)
    ready = threading.Barrier(len(texts))

    def take(place: int) -> None:
        with database.connection_context():
            ready.wait(20)
            together[place] = receiving.receive_text("sandbox", texts[place])

    threads = [threading.Thread(target=take, args=(place,)) for place in range(len(texts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert receiving._receiving.idle()
    return together


def until(true: Callable[[], bool]) -> None:
    """Wait until something is so, for ten seconds at most."""
    for _ in range(2_000):
        if true():
            return
        threading.Event().wait(0.005)


def text(number: str, body: str = "Ja", reference: str = "") -> IncomingText:
    return IncomingText(reference or sid(), number, POOL[0], body)


@pytest.fixture
def lots(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many texts were considered in one transaction, each time; the first waits until all others have come."""
    sizes: list[int] = []
    real: Callable[..., None] = receiving._consider_all
    come_in = receiving._receiving

    def consider(taken: list[receiving._Taken]) -> None:
        sizes.append(len(taken))
        if len(sizes) == 1:
            until(
                lambda: len(taken) + sum(len(line.waiting) for line in come_in._lines.values()) >= len(PEOPLE)
            )
        real(taken)

    monkeypatch.setattr(receiving, "_consider_all", consider)
    return sizes


def waits_for(monkeypatch: pytest.MonkeyPatch, account: Account, on_reply: Callable[..., bool]) -> None:
    """Let a module wait for everybody's answer."""
    known = {**module_registry.modules(), "survey": Module(name="survey", on_reply=on_reply)}
    monkeypatch.setattr(receiving, "modules", lambda: known)
    for number in PEOPLE:
        Expectation.create(
            account=account, ours=POOL[0], theirs=number, module="survey", subject=number, since=now()
        )


def test_who_comes_while_somebody_is_at_work_is_taken_in_together_with_others(
    app: object, account: Account, lots: list[int]
) -> None:
    told = come([text(number, f"Hier {number}") for number in PEOPLE])
    assert len(lots) == 2
    assert sum(lots) == len(PEOPLE)
    assert [message and (message.theirs, message.text) for message in told] == [
        (number, f"Hier {number}") for number in PEOPLE
    ]
    assert Inbound.select().where(Inbound.handled_at.is_null(False)).count() == len(PEOPLE)


def test_one_that_breaks_a_module_spoils_no_other(
    app: object, account: Account, lots: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[str] = []

    def on_reply(message: Message, expectation: Expectation) -> bool:
        if message.theirs == PEOPLE[5]:
            raise RuntimeError("broken")
        taken.append(message.theirs)
        return True

    waits_for(monkeypatch, account, on_reply)
    come([text(number) for number in PEOPLE])
    assert set(taken) == set(PEOPLE) - {PEOPLE[5]}
    assert Inbound.select().where(Inbound.handled_at.is_null(False)).count() == len(PEOPLE)
    assert {m.conversation.status for m in Message.select().where(Message.theirs == PEOPLE[5])} == {"open"}


def test_one_text_that_comes_twelve_times_at_once_is_taken_once(
    app: object, account: Account, lots: list[int]
) -> None:
    told = come([text(PEOPLE[0], "Ja", "SMthesame")] * len(PEOPLE))
    assert len([message for message in told if message is not None]) == 1
    assert Message.select().where(Message.direction == "incoming").count() == 1


def test_an_answer_that_meets_a_lock_of_somebody_else_is_considered_once_more(
    app: object, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def on_reply(message: Message, expectation: Expectation) -> bool:
        seen.append(message.theirs)
        if len(seen) == 1:
            raise RuntimeError("deadlock detected")
        return True

    waits_for(monkeypatch, account, on_reply)
    (message,) = come([text(PEOPLE[0])])
    assert message is not None
    assert seen == [PEOPLE[0]] * 2
    assert message.conversation.status == "open"
