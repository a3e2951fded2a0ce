"""`make run` with real carriers: no sandbox, a process for each link, and texts that go out and come back."""

import json
import os
import re
import signal
import sqlite3
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from tests.carriers.places import CENTRE, ENVIRONMENT, SECRET_OF_CALLBACKS, VOICE, WEBSMS
from tests.carriers.websms_network import WebsmsNetwork
from tests.crowd import PATIENCE, crowd
from tests.peers.smsc import Centre, missing, smsc
from tests.test_run import API_KEY, PASSWORD, Run, eventually, sign_in

pytestmark = [pytest.mark.alone, pytest.mark.timeout(600)]

CALLS_ONLY = f'numbers = [{{ number = "{VOICE}", sms = false, voice = true }}]'


@pytest.fixture(scope="module")
def centre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Centre]:
    if reason := missing():
        pytest.skip(reason)
    with smsc(tmp_path_factory.mktemp("smsc") / "log", "--dlr-delay", "60") as running:
        yield running


@pytest.fixture(scope="module")
def network() -> Iterator[WebsmsNetwork]:
    made = WebsmsNetwork()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def run(centre: Centre, network: WebsmsNetwork, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Texts go by the link, calls by the other carrier."""
    folder = tmp_path_factory.mktemp("carriers")
    carriers = folder / "carriers.toml"
    websms = re.sub("numbers = .*", f"priority = 2\n{CALLS_ONLY}", WEBSMS % network.url)
    carriers.write_text(CENTRE % centre.port + websms)
    environ = {
        **ENVIRONMENT,
        "FADEN_CARRIERS": str(carriers),
        "FADEN_DEMO_PASSWORD": PASSWORD,
        "FADEN_DEMO_API_KEY": API_KEY,
    }
    started = Run(folder / "data", environ).up()
    network.inbound_url = (
        f"http://127.0.0.1:{started.port}/carriers/websms/inbound?secret={SECRET_OF_CALLBACKS}"
    )
    yield started
    started.kill()


def ask(run: Run, method: str, path: str, body: Any = None) -> Any:
    request = urllib.request.Request(
        f"http://127.0.0.1:{run.port}/api/v1{path}",
        None if body is None else json.dumps(body).encode(),
        {"Authorization": f"Bearer {API_KEY}", "Content-Type": "application/json"},
        method=method,
    )
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        return json.loads(answer.read())


def rows(run: Run, sql: str) -> list[Any]:
    with sqlite3.connect(run.data / "faden.db") as database:
        return database.execute(sql).fetchall()


def becomes(run: Run, message: Any, status: str, seconds: float = 30) -> None:
    eventually(lambda: ask(run, "GET", f"/messages/{message['id']}")["status"] == status, seconds)


def test_every_link_has_a_process_and_there_is_no_sandbox(run: Run) -> None:
    assert set(run.tree()) == {"supervisor", "web", "worker", "smpp centre"}
    assert "Phones" not in run.said()
    assert "/sign-in" not in sign_in(run, PASSWORD)
    assert (run.data / "log" / "smpp-centre.log").is_file()


def test_a_text_goes_out_by_the_link_and_its_answer_comes_back(run: Run, centre: Centre) -> None:
    question = ask(run, "POST", "/messages", {"to": "0171 3920016", "text": "Kommen Sie?"})
    becomes(run, question, "delivered")
    assert centre.texts("+491713920016") == ["Kommen Sie?"]
    # 16: the phone answers with what it got.
    thread = f"/conversations/{question['conversation_id']}/messages"
    answers = eventually(
        lambda: [m for m in ask(run, "GET", thread)["items"] if m["direction"] == "incoming"], 10
    )
    assert [(m["text"], m["answers"]) for m in answers] == [("Kommen Sie?", question["id"])]


def test_a_landline_is_called_by_the_carrier_that_speaks(run: Run, network: WebsmsNetwork) -> None:
    message = ask(run, "POST", "/messages", {"to": "030 23125600", "text": "Ihr Termin ist am Dienstag."})
    becomes(run, message, "delivered")
    (words,) = network.heard("+493023125600")
    assert words.endswith("Ihr Termin ist am Dienstag.")


def test_a_link_whose_process_dies_is_kept_by_a_new_one(run: Run, centre: Centre) -> None:
    # The worker has seen the link: else it takes the two moments without one for an illness.
    eventually(lambda: rows(run, "SELECT 1 FROM carrier_probe WHERE carrier = 'centre' AND ok"), PATIENCE)
    old = run.tree()["smpp centre"]
    os.kill(old, signal.SIGKILL)
    message = ask(run, "POST", "/messages", {"to": "0171 3920000", "text": "Noch da?"})
    eventually(lambda: run.tree().get("smpp centre", old) != old, PATIENCE)
    assert "smpp centre has ended (exit code -9)" in run.said()
    eventually(lambda: centre.state()["binds"], 2 * PATIENCE)
    becomes(run, message, "delivered")
    assert centre.texts("+491713920000") == ["Noch da?"]


def test_what_is_on_its_way_is_answered_before_the_end(run: Run, centre: Centre) -> None:
    eventually(lambda: centre.state()["binds"], 2 * PATIENCE)
    centre.mode(respDelay=700)
    sent = [
        ask(run, "POST", "/messages", {"to": "0171 3920000", "text": f"Zum Schluss {n}"}) for n in range(3)
    ]
    eventually(lambda: any(bind["inflight"] for bind in centre.state()["binds"]), PATIENCE)
    assert run.down(signal.SIGTERM) < 10 * crowd(1)
    assert "Traceback" not in run.said() + (run.data / "log" / "smpp-centre.log").read_text()
    ids = ",".join(str(message["id"]) for message in sent)
    left = rows(run, f"SELECT status FROM message WHERE id IN ({ids})")
    assert {status for (status,) in left} <= {"queued", "sent", "delivered"}, "nothing is left in doubt"
    assert any(status != "queued" for (status,) in left)
    assert eventually(lambda: centre.state()["binds"] == [], PATIENCE) is True
