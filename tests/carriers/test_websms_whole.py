"""A whole Faden at websms: voice messages that the carrier reads itself, and who may call us back."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from sms import calling, clock, config, sending, speaking
from sms.models import Call, Inbound, Message
from tests.carriers.places import POOL, SECRET_OF_CALLBACKS, VOICE, WEBSMS, AtWebsms, settings_of
from tests.carriers.websms_network import WebsmsNetwork
from tests.conftest import sign_in

ILSE = "+493023125600"
PAUSE = timedelta(seconds=10)


@pytest.fixture
def network() -> Iterator[WebsmsNetwork]:
    made = WebsmsNetwork()
    yield made
    made.stop()


@pytest.fixture
def carriers() -> str:
    return WEBSMS


@pytest.fixture
def settings(network: WebsmsNetwork, carriers: str, tmp_path: Path) -> config.Settings:
    return settings_of(tmp_path, carriers % network.url)


@pytest.fixture
def place(network: WebsmsNetwork, settings: config.Settings, app: Any) -> Iterator[AtWebsms]:
    made = AtWebsms(app, settings, network)
    yield made
    made.stop()


def calls(message: Message) -> list[Call]:
    return list(Call.select().where(Call.message == message).order_by(Call.id))


# Voice


def test_the_carrier_reads_announcement_and_text_aloud(place: AtWebsms, account: Any) -> None:
    message = sending.send(account, ILSE, "Ihr Termin ist am 24.12. um 14:30 Uhr.")
    done = place.becomes(message, "delivered")
    (words,) = place.network.heard(ILSE)
    assert words.startswith("Guten Tag. Sie haben eine Sprach-S M S erhalten, die Ihnen nun vorgelesen wird")
    assert "vierzehn Uhr dreißig" in words
    assert done.data["announcement"].startswith("Guten Tag. Sie haben eine Sprach-SMS erhalten")
    (asked,) = place.network.taken
    assert (asked["messageType"], asked["senderAddress"]) == ("voice", VOICE[1:])
    (call,) = calls(message)
    assert (call.status, call.heard, asked["clientMessageId"]) == ("completed", False, call.key)


def test_a_telephone_that_nobody_answers_rings_three_times(place: AtWebsms, account: Any) -> None:
    place.network.busy[ILSE[1:]] = 3
    message = sending.send(account, ILSE, "Ihr Termin ist am Dienstag.")
    for attempt in (1, 2, 3):
        place.until(lambda: len(calls(message)) >= attempt and calls(message)[attempt - 1].ended_at)  # noqa: B023
        assert len(place.network.heard(ILSE)) == attempt
        place.work()
        assert len(place.network.heard(ILSE)) == attempt, "the next call waits ten seconds"
        clock.shift(PAUSE)
    found = place.becomes(message, "undelivered")
    assert found.reason == "no_answer"
    first, second, third = calls(message)
    assert len({first.key, second.key, third.key}) == 3
    assert second.started_at >= first.ended_at + PAUSE
    assert third.started_at >= second.ended_at + PAUSE


def test_one_that_is_answered_at_the_second_call_rings_no_third_time(place: AtWebsms, account: Any) -> None:
    place.network.busy[ILSE[1:]] = 1
    message = sending.send(account, ILSE, "Ihr Termin ist am Dienstag.")
    place.until(lambda: calls(message) and calls(message)[0].ended_at)
    clock.shift(PAUSE)
    place.becomes(message, "delivered")
    clock.shift(timedelta(minutes=5))
    place.work()
    assert [c.status for c in calls(message)] == ["no-answer", "completed"]


def test_nothing_is_spoken_here_that_the_carrier_speaks(
    place: AtWebsms, account: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoken: list[str] = []
    monkeypatch.setattr(speaking, "audio_of", lambda account, words: spoken.append(words))
    place.becomes(sending.send(account, ILSE, "Ihr Termin ist am Dienstag."), "delivered")
    assert spoken == []


def test_a_lost_answer_to_a_call_is_settled_by_its_report(place: AtWebsms, account: Any) -> None:
    # 30 23125 6 07: the network takes the call and its answer never comes.
    message = sending.send(account, "+493023125607", "Ihr Termin ist am Dienstag.")
    place.becomes(message, "delivered")
    assert len(calls(message)) == 1
    assert calling.pump() == 0


# Who calls back


def post(place: AtWebsms, path: str, body: Any) -> int:
    data = json.dumps(body).encode()
    request = Request(place.settings.public_url + path, data, {"Content-Type": "application/json"})
    try:
        with urlopen(request, timeout=5) as answer:
            return int(answer.status)
    except HTTPError as refused:
        return refused.code


TEXT = {
    "messageType": "text",
    "notificationId": "0056b1ae0002fa1ee2e5",
    "senderAddress": "4917139200540",
    "recipientAddress": POOL[1:],
    "textMessageContent": "Ja",
}


@pytest.mark.parametrize("path", ["inbound", "status", "voice/status"])
@pytest.mark.parametrize("query", ["", "?secret=", "?secret=another-secret_of-32-letters"])
def test_without_the_secret_nothing_is_stored(path: str, query: str, place: AtWebsms) -> None:
    assert post(place, f"/carriers/websms/{path}{query}", TEXT) == 403
    assert not Inbound.select().exists()
    assert not Message.select().exists()


def test_the_same_text_again_changes_nothing(place: AtWebsms, account: Any) -> None:
    address = f"/carriers/websms/inbound?secret={SECRET_OF_CALLBACKS}"
    place.becomes(sending.send(account, "+4917139200540", "Kommen Sie?"), "delivered")
    assert [post(place, address, TEXT) for _ in range(3)] == [200, 200, 200]
    assert Message.select().where(Message.direction == "incoming").count() == 1


@pytest.mark.parametrize("carriers", [WEBSMS.replace("127.0.0.0/8", "192.0.2.0/24")])
def test_who_is_not_on_the_list_is_not_believed_with_the_secret_either(place: AtWebsms) -> None:
    assert post(place, f"/carriers/websms/inbound?secret={SECRET_OF_CALLBACKS}", TEXT) == 403


def test_every_callback_was_answered_as_the_carrier_wants(place: AtWebsms, account: Any) -> None:
    place.becomes(sending.send(account, "+4917139200500", "Eins"), "delivered")
    place.becomes(sending.send(account, ILSE, "Zwei"), "delivered")
    place.text("+4917139200500", "Drei")
    assert len(place.network.callbacks) >= 3
    for made in place.network.callbacks:
        assert (made.status, made.answer) == (200, {"statusCode": 2000, "statusMessage": "OK"})
    assert place.network.authorizations == {"Bearer t0ken"}


def test_it_is_said_that_no_keys_are_heard(place: AtWebsms, app: Any, owner: Any) -> None:
    browser = sign_in(app, owner)
    form = {"text": "Ihr Termin ist morgen.", "to": "030 23125600"}
    assert "keine Tasten im Anruf" in browser.post("/new/preview", data=form).get_data(as_text=True)
    page = browser.get("/settings/opt-outs").get_data(as_text=True)
    assert "Tasten im Anruf werden hier nicht gehört" in page
    assert "die 9 drückt" not in page
