"""The control API as CONTRACT.md has it."""

import pytest
import requests

from tests.sandbox.pretend import HERTA, KURT, OUR_NUMBER


def test_the_account_names_its_numbers_and_where_it_takes_callbacks(sandbox, customer):
    account = sandbox.get("/api/account")
    assert len(account["sid"]) == 34
    assert {"number": "00493023125100", "sms": False, "voice": True} in account["numbers"]
    assert account["inbound_url"] == f"{customer.url}/carriers/sandbox/inbound"
    assert account["status_url"] == f"{customer.url}/carriers/sandbox/status"
    assert account["voice_url"] == f"{customer.url}/carriers/sandbox/voice/incoming"


@pytest.mark.parametrize("spelling", ["+491713920077", "00491713920077", "0171 39200 77", "(0171) 392-0077"])
def test_a_number_in_any_spelling_is_the_same_phone_and_an_unknown_one_is_on(sandbox, spelling):
    phone = sandbox.phone(requests.utils.quote(spelling, safe=""))
    expected = {"number": "00491713920077", "landline": False, "state": "on", "messages": [], "calls": []}
    assert expected.items() <= phone.items()


def test_a_slash_in_the_number_does_no_harm(sandbox):
    assert sandbox.phone("0171/3920077")["number"] == "00491713920077"
    assert sandbox.put("/api/phones/030/23125777", state="busy").json()["landline"] is True
    assert sandbox.post("/api/phones/0171/3920077/messages", to=OUR_NUMBER, body="Ja").status_code == 201


def test_what_is_not_named_in_a_change_stays(sandbox):
    sandbox.set(KURT, state="busy", digits="12")
    sandbox.set(KURT, reports="late")
    phone = sandbox.phone(KURT)
    assert (phone["state"], phone["digits"], phone["reports"], phone["answer"]) == (
        "busy",
        "12",
        "late",
        "auto",
    )


def test_everything_is_forgotten(sandbox):
    sandbox.set(KURT, state="off")
    sandbox.post(f"/api/phones/{HERTA}/calls", to="030 23125 100")
    sandbox.put("/api/faults", messages="500")
    assert requests.delete(f"{sandbox.url}/api/phones", timeout=5).status_code == 204
    assert sandbox.phone(KURT)["state"] == "on"
    assert sandbox.phone(HERTA)["calls"] == []
    assert sandbox.get("/api/faults")["messages"] == "ok"


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        (f"{KURT}/messages", {"to": OUR_NUMBER}, 422),
        (f"{KURT}/messages", {"to": OUR_NUMBER, "body": ""}, 422),
        (f"{KURT}/messages", {"to": OUR_NUMBER, "body": 7}, 422),
        (f"{KURT}/messages", {"to": OUR_NUMBER, "body": "x" * 1601}, 422),
        (f"{KURT}/messages", {"to": OUR_NUMBER, "body": "a\x00b"}, 422),
        (f"{KURT}/messages", {"to": OUR_NUMBER, "body": "\ud83d"}, 422),
        (f"{KURT}/messages", {"to": HERTA, "body": "x"}, 422),
        (f"{KURT}/messages", {"to": "DrLindner", "body": "x"}, 422),
        (f"{KURT}/messages", {"body": "x"}, 422),
        (f"{HERTA}/messages", {"to": OUR_NUMBER, "body": "x"}, 422),
        (f"{KURT}/calls", {"to": OUR_NUMBER}, 422),
        (f"{KURT}/calls", {}, 422),
        ("hallo/messages", {"to": OUR_NUMBER, "body": "x"}, 422),
    ],
)
def test_a_phone_that_is_told_nonsense_says_so(sandbox, customer, path, body, status):
    answer = sandbox.post(f"/api/phones/{path}", **body)
    assert answer.status_code == status
    assert answer.json()["error"]
    assert customer.requests == []


def test_a_phone_that_is_off_can_do_nothing(sandbox):
    sandbox.set(KURT, state="off")
    for path, body in (("messages", {"to": OUR_NUMBER, "body": "x"}), ("calls", {"to": "+493023125100"})):
        assert sandbox.post(f"/api/phones/{KURT}/{path}", **body).status_code == 409


@pytest.mark.parametrize(
    "change",
    [
        {"state": "asleep"},
        {"answer": 1},
        {"reports": None},
        {"digits": "12a"},
        {"machine": "yes"},
        {"volume": 11},
    ],
)
def test_unknown_properties_and_values_change_nothing(sandbox, change):
    answer = sandbox.put(f"/api/phones/{KURT}", **{"state": "busy"} | change)
    assert answer.status_code == 422
    assert sandbox.phone(KURT)["state"] == "on"


def test_a_body_that_is_no_json_is_refused(sandbox):
    answer = requests.put(f"{sandbox.url}/api/phones/{KURT}", data=b"\xff{", timeout=5)
    assert answer.status_code == 422
    assert requests.put(f"{sandbox.url}/api/phones/{KURT}", data=b"x" * 2_000_000, timeout=5).status_code in (
        413,
        422,
    )


def test_another_sites_page_cannot_write(sandbox):
    for method, path in (("PUT", f"/api/phones/{KURT}"), ("POST", f"/phones/{KURT}/state")):
        answer = requests.request(
            method,
            sandbox.url + path,
            json={"state": "off"},
            headers={"Origin": "https://evil.example"},
            timeout=5,
        )
        assert answer.status_code == 403
    assert sandbox.phone(KURT)["state"] == "on"
