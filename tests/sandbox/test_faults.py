"""How the REST API misbehaves on the wire, seen through the official SDK."""

import time

import pytest
import requests
from twilio.base.exceptions import TwilioRestException

from tests.crowd import crowd
from tests.sandbox.pretend import HERTA, KURT, OUR_NUMBER, OUR_VOICE, until


def send(client):
    return client.messages.create(to=KURT, from_=OUR_NUMBER, body="Hallo")


def arrived(sandbox):
    return [m["body"] for m in sandbox.phone(KURT)["messages"]]


@pytest.mark.parametrize(("mode", "status", "code"), [("429", 429, 20429), ("500", 500, 20500)])
def test_refusals_are_counted_and_nothing_is_taken(sandbox, sdk, mode, status, code):
    sandbox.put("/api/faults", messages=mode, count=2)
    for _ in range(2):
        with pytest.raises(TwilioRestException) as refusal:
            send(sdk)
        assert (refusal.value.status, refusal.value.code) == (status, code)
    assert sdk.messages.list(limit=5) == []
    send(sdk)
    until(lambda: arrived(sandbox) == ["Hallo"])


def test_without_a_count_it_lasts_until_told_otherwise(sandbox, sdk):
    sandbox.put("/api/faults", messages="500")
    for _ in range(3):
        with pytest.raises(TwilioRestException):
            send(sdk)
    assert sandbox.put("/api/faults", messages="ok").json()["messages"] == "ok"
    send(sdk)


def test_a_lost_answer_never_comes_but_the_text_arrives(sandbox):
    sandbox.put("/api/faults", messages="lost-answer", count=1)
    begun = time.monotonic()
    with pytest.raises(requests.exceptions.ReadTimeout):
        send(sandbox.client(timeout=1))
    assert time.monotonic() - begun < 3 * crowd()
    until(lambda: arrived(sandbox) == ["Hallo"])


def test_a_timeout_takes_nothing_and_stays_silent(sandbox):
    sandbox.put("/api/faults", messages="timeout", count=1)
    with pytest.raises(requests.exceptions.ReadTimeout):
        send(sandbox.client(timeout=1))
    until(lambda: requests.get(f"{sandbox.url}/api/faults", timeout=5).json()["messages"] == "ok")
    send(sandbox.client())
    until(lambda: arrived(sandbox) == ["Hallo"])
    assert len(sandbox.client().messages.list(limit=5)) == 1


def test_a_cut_closes_the_connection_without_a_byte_but_the_text_arrives(sandbox, sdk):
    sandbox.put("/api/faults", messages="cut", count=1)
    with pytest.raises(requests.exceptions.ConnectionError) as broken:
        send(sdk)
    assert "RemoteDisconnected" in str(broken.value)
    until(lambda: arrived(sandbox) == ["Hallo"])


def test_faults_of_calls_leave_texts_alone(sandbox, sdk, customer):
    sandbox.put("/api/faults", calls="cut", count=1)
    send(sdk)
    twiml = "<Response><Say>Hallo</Say></Response>"
    with pytest.raises(requests.exceptions.ConnectionError):
        sdk.calls.create(to=HERTA, from_=OUR_VOICE, twiml=twiml)
    until(lambda: [c["status"] for c in sandbox.phone(HERTA)["calls"]] == ["completed"])


def test_many_silent_requests_hold_up_nobody(sandbox):
    sandbox.put("/api/faults", messages="timeout")
    body = {"To": KURT, "From": OUR_NUMBER, "Body": "x"}
    for _ in range(40):
        with pytest.raises(requests.exceptions.ReadTimeout):
            requests.post(f"{sandbox.root}/Messages.json", data=body, auth=sandbox.auth, timeout=(2, 0.05))
    # Who hangs up so soon may not have been heard: so many are silent, however many were counted.
    sandbox.put("/api/faults", messages="ok")
    begun = time.monotonic()
    send(sandbox.client())
    assert time.monotonic() - begun < 1 * crowd()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"messages": "explode"},
        {"messages": "cut", "count": 0},
        {"calls": "cut", "count": "2"},
        {"texts": "ok"},
    ],
)
def test_faults_that_make_no_sense_are_refused_in_words(sandbox, body):
    answer = sandbox.put("/api/faults", **body)
    assert answer.status_code == 422
    assert "expected" in answer.json()["error"]
