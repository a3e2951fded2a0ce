"""A restart forgets nothing, and the process starts and ends as `make run` needs it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from sms.config import ConfigError, load
from sms.sandbox.serve import serve
from tests.crowd import PATIENCE, crowd
from tests.ports import free_port
from tests.sandbox.pretend import HERTA, KURT, MARGARETHE, OUR_NUMBER, OUR_VOICE, until

ROOT = Path(__file__).parents[2]


def test_phones_texts_faults_and_the_account_are_still_there(sandbox, sdk, customer):
    sandbox.set(KURT, state="busy", reports="twice")
    sandbox.put("/api/faults", calls="500", count=3)
    sandbox.post(f"/api/phones/{MARGARETHE}/messages", to=OUR_NUMBER, body="Ja")
    before = [sandbox.phone(n) for n in (KURT, MARGARETHE)], sandbox.account, sandbox.get("/api/faults")
    sandbox.stop()
    sandbox.start()
    assert (
        [sandbox.phone(n) for n in (KURT, MARGARETHE)],
        sandbox.account,
        sandbox.get("/api/faults"),
    ) == before


def test_callbacks_still_to_be_sent_are_sent_after_the_restart(sandbox, sdk, customer):
    customer.answers["/status"] = ("", 503, "text/plain")
    sdk.messages.create(to=KURT, from_=OUR_NUMBER, body="x", status_callback=f"{customer.url}/status")
    until(lambda: {"sent", "delivered"} <= set(customer.statuses()))
    sandbox.stop()
    del customer.requests[:], customer.answers["/status"]
    sandbox.start()
    until(lambda: set(customer.statuses()) == {"sent", "delivered"})
    assert all(r.signed for r in customer.requests)


def test_a_text_on_its_way_arrives_after_the_restart(sandbox, sdk, customer):
    sandbox.set(KURT, state="no-network")
    sdk.messages.create(to=KURT, from_=OUR_NUMBER, body="wartet")
    until(lambda: sdk.messages.list(limit=1)[0].status == "sent")
    sandbox.stop()
    sandbox.start()
    assert sandbox.phone(KURT)["messages"] == []
    sandbox.set(KURT, state="on")
    until(lambda: [m["body"] for m in sandbox.phone(KURT)["messages"]] == ["wartet"])


def test_a_phone_goes_on_ringing_and_gives_up_when_its_time_is_over(sandbox, sdk, customer):
    sandbox.set(HERTA, answer="manual")
    call = sdk.calls.create(
        to=HERTA,
        from_=OUR_VOICE,
        twiml="<Response/>",
        timeout=2,
        status_callback=f"{customer.url}/status",
        status_callback_event=["initiated", "ringing", "answered", "completed"],
    )
    until(lambda: customer.statuses() == ["initiated", "ringing"])
    begun = time.monotonic()
    sandbox.stop()
    sandbox.start()
    assert sandbox.client().calls(call.sid).fetch().status == "ringing"
    until(lambda: customer.statuses() == ["initiated", "ringing", "no-answer"])
    assert time.monotonic() - begun < 4 * crowd()


def test_a_line_that_was_open_is_cut(sandbox, sdk, customer):
    sandbox.set(HERTA, answer="manual")
    placed = sdk.calls.create(
        to=HERTA, from_=OUR_VOICE, twiml="<Response><Pause length='60'/></Response>",
        status_callback=f"{customer.url}/status",
    )  # fmt: skip
    form = {"call": placed.sid, "act": "pick-up"}
    until(lambda: sdk.calls(placed.sid).fetch().status == "ringing")
    requests.post(f"{sandbox.url}/phones/{HERTA}/call", data=form, timeout=5)
    until(lambda: sdk.calls(placed.sid).fetch().status == "in-progress")
    sandbox.stop()
    sandbox.start()
    until(lambda: customer.statuses() == ["completed"])
    assert sandbox.client().calls(placed.sid).fetch().status == "completed"


def test_a_file_of_an_earlier_version_gets_its_new_columns(tmp_path):
    from sms.sandbox.store import Store

    path = tmp_path / "sandbox.db"
    store = Store(path)
    store.run("ALTER TABLE phone DROP COLUMN thread")
    store.insert("phone", number=KURT, created_at=1.0)
    store.close()
    assert Store(path).row("SELECT thread FROM phone")["thread"] == ""


@pytest.mark.parametrize("name", ["TWILIO_AUTH_TOKEN", "TWILIO_ACCOUNT_SID"])
def test_it_does_not_start_beside_real_credentials(tmp_path, name):
    with pytest.raises(ConfigError, match=name):
        serve(load({"FADEN_DATA": str(tmp_path), name: "real"}))


def test_it_does_not_start_beside_a_carriers_file(tmp_path):
    file = tmp_path / "carriers.toml"
    file.write_text("")
    with pytest.raises(ConfigError, match="FADEN_CARRIERS"):
        serve(load({"FADEN_DATA": str(tmp_path), "FADEN_CARRIERS": str(file)}))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_process_ends_cleanly_within_three_seconds_even_in_the_middle_of_things(tmp_path, number):
    port = free_port(2) + 1
    code = "from sms.config import load; from sms.sandbox.serve import serve; serve(load())"
    env = {"PATH": os.environ["PATH"], "FADEN_DATA": str(tmp_path), "PORT": str(port - 1)}
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=env, stderr=subprocess.PIPE)
    url = f"http://127.0.0.1:{port}"
    until(lambda: _alive(url))
    requests.put(f"{url}/api/faults", json={"messages": "timeout"}, timeout=5)
    account = requests.get(f"{url}/api/account", timeout=5).json()
    stream = requests.get(f"{url}/events", stream=True, timeout=5)
    with pytest.raises(requests.exceptions.ReadTimeout):
        requests.post(
            f"{url}/2010-04-01/Accounts/{account['sid']}/Messages.json",
            auth=(account["sid"], account["token"]),
            data={"To": KURT},
            timeout=0.3,
        )
    begun = time.monotonic()
    process.send_signal(number)
    _, errors = process.communicate(timeout=PATIENCE)
    stream.close()
    assert time.monotonic() - begun < 3 * crowd()
    assert (process.returncode, errors.decode()) == (0, "")


def _alive(url):
    try:
        return requests.get(f"{url}/healthz", timeout=1).ok
    except requests.RequestException:
        return False
