"""A whole run, with everything logged: one id leads from the request to the report, and nothing private is written."""

import io
import json
import logging
import re
from collections.abc import Iterator

import pytest

from sms import queue
from sms.logbook import Discreet, Structured
from sms.models import Message
from tests.conftest import API_KEY, PASSWORD
from tests.network import ILSE, MARGARETHE, TORSTEN, Town, settings, town  # noqa: F401

SECRET_WORDS = "Ihr Befund ist unauffällig"


class Log:
    """Everything that is logged at INFO and above, in the form that an installation has chosen."""

    def __init__(self, form: str):
        self.out, self.form = io.StringIO(), form
        self.handler = logging.StreamHandler(self.out)
        self.handler.setFormatter(
            Structured() if form == "json" else Discreet("%(levelname)s %(name)s: %(message)s")
        )

    @property
    def text(self) -> str:
        return self.out.getvalue()

    def lines_of(self, trace: str) -> list[str]:
        return [line for line in self.text.splitlines() if trace in line]


@pytest.fixture(params=["text", "json"])
def log(request: pytest.FixtureRequest) -> Iterator[Log]:
    log, root = Log(request.param), logging.getLogger()
    level = root.level
    # The server of these tests, not ours, writes whole addresses.
    log.handler.addFilter(lambda record: record.name != "werkzeug")
    root.addHandler(log.handler)
    root.setLevel(logging.INFO)
    yield log
    root.setLevel(level)
    root.removeHandler(log.handler)


def private(town: Town) -> list[str]:  # noqa: F811
    """What no log may hold: words, numbers in any spelling, keys, tokens."""
    token = town.ask("GET", "/api/account")["token"]
    numbers = [
        n
        for number in (MARGARETHE, TORSTEN, ILSE)
        for n in (number, number.replace("00", "+", 1), "0" + number[4:])
    ]
    keys = [m.key for m in Message.select() if m.key]
    return [SECRET_WORDS, "Befund", "Schade", "Lindner", "PRAXIS", API_KEY, PASSWORD, token, *numbers, *keys]


def test_a_whole_run_writes_nothing_private(api, account, town: Town, log: Log):  # noqa: F811
    for number in (MARGARETHE, TORSTEN):
        api.post("/api/v1/messages", {"to": number, "text": SECRET_WORDS, "sender": "PRAXIS"})
    for fault in ("500", "cut", "429"):
        town.misbehave(messages=fault, count=1)
        sent = api.post("/api/v1/messages", {"to": MARGARETHE, "text": SECRET_WORDS}).json
        town.work()
    town.set(ILSE, answer="auto", digits="9")
    voice = api.post("/api/v1/messages", {"to": ILSE, "text": SECRET_WORDS}).json
    town.work()
    town.text(MARGARETHE, "Schade")
    town.text(TORSTEN, "STOP")
    town.until(lambda: Message.select().where(Message.direction == "incoming").count() == 2)
    town.becomes(Message.get_by_id(voice["id"]), "delivered", 30)
    api.post("/api/v1/messages", {"to": TORSTEN, "text": SECRET_WORDS})
    api.post("/api/v1/messages", {"to": "0171 3920042x", "text": SECRET_WORDS})
    api.get("/api/v1/contacts/01713920042")
    api.client.post("/signin", data={"email": "anna.weber@praxis-lindner.example", "password": PASSWORD})
    assert sent["id"]
    _raise_with_everything()
    assert "may have been taken" in log.text
    assert [secret for secret in private(town) if secret in log.text] == []
    assert not re.search(r"(?<![\w.])\d{9,}\b", log.text), "a trace may have many digits, but letters too"


def _raise_with_everything() -> None:
    try:
        raise ValueError(f"cannot reach {MARGARETHE}")
    except ValueError:
        logging.getLogger("sms.probe").exception("a fault beside +491713920042 and 0171 3920042")


def test_one_id_leads_from_the_request_to_the_report(api, account, town: Town, log: Log):  # noqa: F811
    answer = api.post(
        "/api/v1/messages", {"to": MARGARETHE, "text": "Hallo"}, headers={"X-Request-ID": "order-17"}
    )
    assert answer.headers["X-Request-ID"] == "order-17"
    message = Message.get_by_id(answer.json["id"])
    assert message.trace == "order-17"
    town.work()
    assert any("accepted" in line for line in log.lines_of("order-17"))
    key = town.becomes(message, "delivered").key
    from tests.carrier_side import CarrierSide

    side = CarrierSide(api.client.application)
    again = side.post(
        f"/carriers/sandbox/status?key={key}", {"MessageSid": "SM1", "MessageStatus": "delivered"}
    )
    assert again.headers["X-Request-ID"] == "order-17"


def test_json_lines_are_objects_with_their_trace(api, account, town: Town, log: Log):  # noqa: F811
    if log.form != "json":
        log.handler.setFormatter(Structured())
    api.post("/api/v1/messages", {"to": MARGARETHE, "text": "Hallo"}, headers={"X-Request-ID": "order-18"})
    town.work()
    lines = [json.loads(line) for line in log.text.splitlines()]
    assert any(line.get("trace") == "order-18" and line["logger"] == "sms.outbox" for line in lines)


def test_each_job_has_an_id_of_its_own(settings, log: Log, monkeypatch):  # noqa: F811
    seen = []
    monkeypatch.setattr(queue, "_registered", {})
    monkeypatch.setattr(queue, "_huey", None)

    @queue.job
    def told() -> None:
        from sms.logbook import trace

        seen.append(trace())

    huey = queue.connect("sqlite", settings.data, immediate=True)
    queue._wrapped["told"]()
    queue._wrapped["told"]()
    huey.storage.close()
    assert len(set(seen)) == 2 and all(seen)
