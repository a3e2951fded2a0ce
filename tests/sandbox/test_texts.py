"""Texts in both directions, with the official SDK and its RequestValidator."""

from datetime import timedelta

import pytest
from twilio.base.exceptions import TwilioRestException

from sms import clock
from tests.sandbox.pretend import HERTA, KURT, MARGARETHE, OUR_NUMBER, until


def send(sdk, customer, to=KURT, **more):
    values = {"body": "Guten Tag", "from_": OUR_NUMBER, "status_callback": f"{customer.url}/status?ref=7"}
    return sdk.messages.create(to=to, **values | more)


def test_a_text_arrives_at_the_phone_and_its_reports_come_signed_and_in_order(sandbox, sdk, customer):
    message = send(sdk, customer, body="Grüße aus der Praxis €")
    assert (message.status, message.direction, message.num_segments) == ("queued", "outbound-api", "1")
    until(lambda: customer.statuses() == ["sent", "delivered"])
    assert all(r.signed and r.path == "/status?ref=7" for r in customer.requests)
    assert customer.requests[1].form["MessageSid"] == message.sid
    [arrived] = sandbox.phone("0171/392 00 77")["messages"]
    assert arrived["at"].endswith("Z")
    assert arrived | {"at": ""} == {
        "sid": message.sid,
        "direction": "incoming",
        "from": "00491713920010",
        "to": "00491713920077",
        "body": "Grüße aus der Praxis €",
        "at": "",
    }
    assert sdk.messages(message.sid).fetch().status == "delivered"


def test_an_alphanumeric_sender_is_shown_as_it_is(sandbox, sdk, customer):
    send(sdk, customer, from_="DrLindner")
    [arrived] = until(lambda: sandbox.phone(KURT)["messages"])
    assert arrived["from"] == "DrLindner"


def test_a_phone_that_stays_off_brings_30003(sandbox, sdk, customer):
    sandbox.set(KURT, state="off")
    send(sdk, customer)
    until(lambda: customer.statuses() == ["sent"])
    clock.shift(timedelta(seconds=2))
    until(lambda: customer.statuses() == ["sent", "undelivered"])
    assert customer.requests[1].form["ErrorCode"] == "30003"
    assert sandbox.phone(KURT)["messages"] == []


def test_a_phone_switched_on_in_time_gets_the_text_that_waited(sandbox, sdk, customer):
    sandbox.set(KURT, state="off")
    send(sdk, customer)
    until(lambda: customer.statuses() == ["sent"])
    sandbox.set(KURT, state="on")
    until(lambda: customer.statuses() == ["sent", "delivered"])
    assert len(sandbox.phone(KURT)["messages"]) == 1


def test_a_phone_that_rejects_is_reported_as_blocked(sandbox, sdk, customer):
    sandbox.set(KURT, state="reject")
    message = send(sdk, customer)
    until(lambda: customer.statuses() == ["sent", "undelivered"])
    assert customer.requests[1].form["ErrorCode"] == "30004"
    assert sdk.messages(message.sid).fetch().error_code == 30004


@pytest.mark.parametrize(
    ("reports", "expected"),
    [
        ("twice", ["sent", "sent", "delivered", "delivered"]),
        ("reversed", ["delivered", "sent"]),
    ],
)
def test_reports_come_as_the_phones_network_gives_them(sandbox, sdk, customer, reports, expected):
    sandbox.set(KURT, reports=reports)
    message = send(sdk, customer)
    until(lambda: customer.statuses() == expected)
    assert sdk.messages(message.sid).fetch().status == "delivered"


def test_late_and_missing_reports_still_deliver_the_text(sandbox, sdk, customer):
    sandbox.set(KURT, reports="late")
    sandbox.set(MARGARETHE, reports="never")
    send(sdk, customer)
    send(sdk, customer, to=MARGARETHE)
    until(lambda: sandbox.phone(KURT)["messages"] and sandbox.phone(MARGARETHE)["messages"])
    until(lambda: customer.statuses() == ["sent"])
    clock.shift(timedelta(seconds=5))
    until(lambda: customer.statuses() == ["sent", "delivered"])
    assert {r.form["To"] for r in customer.requests} == {KURT}


def test_a_callback_that_fails_is_tried_again_and_a_refused_one_is_not(sandbox, sdk, customer):
    customer.answers["/status"] = [("", 500, "text/plain"), ("", 204, "text/plain"), ("", 403, "text/plain")]
    send(sdk, customer)
    until(lambda: sorted(customer.statuses()) == ["delivered", "sent", "sent"])
    assert sandbox.phone(KURT)["messages"]


def test_a_text_written_on_a_phone_is_posted_signed_to_the_inbound_address(sandbox, sdk, customer):
    answer = sandbox.post("/api/phones/0049 171 3920077/messages", to="0171 39200 10", body="Ja, 14:15 passt")
    assert answer.status_code == 201
    assert answer.json()["direction"] == "outgoing"
    [posted] = customer.at("/carriers/sandbox/inbound")
    assert posted.signed
    expected = {
        "From": KURT,
        "To": OUR_NUMBER,
        "Body": "Ja, 14:15 passt",
        "NumMedia": "0",
        "NumSegments": "1",
    }
    assert expected.items() <= posted.form.items()
    assert posted.form["MessageSid"] == answer.json()["sid"]
    [listed] = sdk.messages.list(from_=KURT, limit=5)
    assert (listed.direction, listed.status) == ("inbound", "received")


def test_lists_are_newest_first_filtered_and_paged(sandbox, sdk, customer):
    for n in range(5):
        send(sdk, customer, body=f"Nr. {n}")
    send(sdk, customer, to=MARGARETHE, body="andere")
    until(lambda: len(sandbox.phone(KURT)["messages"]) == 5)
    assert [m.body for m in sdk.messages.list(to=KURT, from_=OUR_NUMBER, limit=20)] == [
        "Nr. 4", "Nr. 3", "Nr. 2", "Nr. 1", "Nr. 0",
    ]  # fmt: skip
    assert [m.body for m in sdk.messages.list(to=KURT, page_size=2)] == [f"Nr. {n}" for n in (4, 3, 2, 1, 0)]
    today = sdk.messages.list(limit=1)[0].date_sent
    assert len(sdk.messages.list(to=KURT, date_sent=today.date())) == 5
    assert sdk.messages.list(to=KURT, date_sent_before=today.replace(year=2020)) == []


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"to": ""}, 21604),
        ({"to": "hello"}, 21211),
        ({"to": "01713920077"}, 21211),
        ({"to": HERTA}, 21614),
        ({"to": OUR_NUMBER}, 21266),
        ({"body": ""}, 21602),
        ({"body": "x" * 1601}, 21617),
        ({"from_": ""}, 21603),
        ({"from_": "MÜLLER"}, 21212),
        ({"from_": "Praxis Lindner"}, 21212),
        ({"from_": "12345"}, 21212),
        ({"from_": "+491713920099"}, 21606),
        ({"from_": "+493023125100"}, 21606),
        ({"status_callback": "no address"}, 21609),
    ],
)
def test_what_twilio_refuses_is_refused_with_its_code(sandbox, sdk, customer, values, code):
    with pytest.raises(TwilioRestException) as refusal:
        send(sdk, customer, **values)
    assert (refusal.value.status, refusal.value.code) == (400, code)


def test_a_person_who_blocked_us_is_21610(sandbox, sdk, customer):
    sandbox.set(KURT, blocks=True)
    with pytest.raises(TwilioRestException) as refusal:
        send(sdk, customer)
    assert refusal.value.code == 21610
