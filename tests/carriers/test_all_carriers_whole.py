"""One table for all carriers, from our outbox to the phone and back: what an agent sees is the same everywhere."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sms import clock, config, sending, suppression
from sms.models import Attempt, Message, StatusEvent
from tests.carriers.places import (
    CENTRE,
    WEBSMS,
    AtTheCentre,
    AtTheSandbox,
    AtWebsms,
    Place,
    settings_of,
)
from tests.carriers.websms_network import WebsmsNetwork
from tests.peers.smsc import missing, smsc

KINDS: dict[str, type[Place]] = {"twilio": AtTheSandbox, "websms": AtWebsms, "smpp": AtTheCentre}


@pytest.fixture(scope="module", params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def network(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The other side, where it is more than a part of the test."""
    if kind == "websms":
        made = WebsmsNetwork()
        yield made
        made.stop()
    elif kind == "smpp":
        if reason := missing():
            pytest.skip(reason)
        with smsc(tmp_path_factory.mktemp("smsc") / "log", "--dlr-delay", "60") as centre:
            yield centre
    else:
        yield None


@pytest.fixture
def settings(kind: str, network: Any, tmp_path: Path) -> config.Settings:
    if kind == "websms":
        return settings_of(tmp_path, WEBSMS % network.url)
    return settings_of(tmp_path, CENTRE % network.port if kind == "smpp" else "")


@pytest.fixture
def place(kind: str, network: Any, settings: config.Settings, app: Any) -> Iterator[Any]:
    made = KINDS[kind](app, settings, *([] if network is None else [network]))
    yield made
    made.stop()


OUTCOMES = [
    # how it goes -> status, reason, how often the phone shows it, attempts
    ("delivered", "delivered", "", 1, 1),
    ("not reached", "undelivered", "unreachable", None, 1),
    ("refused on the way", "failed", "filtered", None, 1),
    ("no report", "sent", "", 1, 1),
    ("bad number", "failed", "bad_number", 0, 1),
    ("opted out", "failed", "opted_out", 0, 1),
    ("too fast", "delivered", "", 1, None),
    ("lost answer", "delivered", "", 1, 1),
    ("cut", "delivered", "", 1, 1),
    ("report first", "delivered", "", 1, 1),
    ("report twice", "delivered", "", 1, 1),
    ("later told less", "delivered", "", 1, 1),
]


CASES = [(kind, *row) for kind, at in KINDS.items() for row in OUTCOMES if row[0] in at.NUMBERS]
"""What a network cannot play its adapter's own tests do."""


@pytest.mark.parametrize(
    ("kind", "how", "status", "reason", "shown", "attempts"),
    CASES,
    ids=[f"{row[0]}: {row[1]}" for row in CASES],
    indirect=["kind"],
)
def test_however_it_goes_it_is_sent_once_and_told_truly(
    how: str, status: str, reason: str, shown: int | None, attempts: int | None, place: Any, account: Any
) -> None:
    number, text = place.number(how), f"Ihr Termin ist morgen ({how}). Grüße €"
    message = sending.send(account, number, text)
    found = place.becomes(message, status, hurry=how == "too fast")
    assert found.reason == reason
    for _ in range(5):
        place.work()
    assert place.texts(number).count(text) == shown or shown is None
    assert Attempt.select().where(Attempt.message == message).count() == attempts or attempts is None
    told = [
        e.status for e in StatusEvent.select().where(StatusEvent.message == message).order_by(StatusEvent.id)
    ]
    assert told.count(status) == 1, "a doubled report is told once"
    assert Message.get_by_id(message.id).status == status, "nothing moves it back"


@pytest.mark.parametrize("kind", ["websms"], indirect=True)
def test_who_has_opted_out_at_the_carrier_is_not_written_to_again(place: Any, account: Any) -> None:
    number = place.number("opted out")
    place.becomes(sending.send(account, number, "Noch einmal"), "failed")
    assert suppression.is_suppressed(account, number)


@pytest.mark.parametrize("kind", ["websms", "smpp"], indirect=True)
def test_a_carrier_in_trouble_is_tried_again_later(place: Any, account: Any) -> None:
    message = sending.send(account, place.number("in trouble"), "Geht es schon?")
    place.until(lambda: Message.get_by_id(message.id).attempts == 1)
    found = place.becomes(message, "queued")
    assert found.reason == "network"
    assert found.next_at > clock.now()


TEXTS = ["a" * 160, "ä€" * 120, "😀 Привет " * 30, "Zeile\nund noch eine"]


@pytest.mark.parametrize("text", TEXTS, ids=["full", "long", "unicode", "lines"])
def test_a_text_arrives_as_one_and_as_it_was_written(text: str, place: Any, account: Any) -> None:
    number = place.number("delivered")
    place.becomes(sending.send(account, number, text), "delivered")
    assert place.texts(number)[-1] == text


@pytest.mark.parametrize("text", [*TEXTS, "Ja, gern"], ids=["full", "long", "unicode", "lines", "short"])
def test_an_answer_lands_in_its_thread_once(text: str, place: Any, account: Any) -> None:
    number = place.number("delivered")
    question = sending.send(account, number, "Kommen Sie?")
    place.becomes(question, "delivered")
    place.text(number, text)
    mine = (Message.direction == "incoming") & (Message.theirs == number)
    place.until(lambda: Message.select().where(mine).exists())
    (answer,) = Message.select().where(mine)
    assert (answer.text, answer.conversation, answer.answers) == (text, question.conversation, question.id)


def test_stop_is_obeyed_and_confirmed_once(place: Any, account: Any) -> None:
    number = place.number("delivered")
    place.becomes(sending.send(account, number, "Werbung"), "delivered")
    before = len(place.texts(number))
    place.text(number, "STOP")
    place.until(lambda: suppression.is_suppressed(account, number))
    place.until(lambda: len(place.texts(number)) > before)
    for _ in range(5):
        place.work()
    assert len(place.texts(number)) == before + 1
