"""/healthz, /readyz and /metrics: what watches over an installation asks these."""

from datetime import timedelta
from pathlib import Path

import pytest

from sms import clock, db, exchange, queue, worker
from sms import health as carriers
from sms.models import Attempt, Call, CarrierHealth, Message, StatusEvent
from sms.views import health


@pytest.fixture
def browser(app):
    return app.test_client()


@pytest.fixture
def working(app):
    worker.beat("worker:test:1")


def test_a_process_that_answers_is_alive_whatever_its_database_does(browser, settings):
    db.database.close_all()
    db.connect("sqlite:////nowhere/at/all.db")
    assert browser.get("/healthz").status_code == 200


def test_an_installation_with_everything_in_place_is_ready(browser, working):
    answer = browser.get("/readyz")
    assert (answer.status_code, answer.json["status"], answer.json["reasons"]) == (200, "ready", [])
    assert set(answer.json["checks"]) == {"database", "migrations", "queue", "worker", "carriers"}


def test_without_a_worker_nothing_is_ready(browser):
    answer = browser.get("/readyz")
    assert answer.status_code == 503
    assert answer.json["reasons"] == ["No worker is running."]


def test_a_worker_that_fell_silent_is_told_after_15_seconds(browser, working):
    clock.shift(timedelta(seconds=14))
    assert browser.get("/readyz").status_code == 200
    clock.shift(timedelta(seconds=2))
    answer = browser.get("/readyz")
    assert answer.status_code == 503
    assert "16 seconds" in answer.json["reasons"][0]


def test_a_worker_that_lives_but_moves_nothing_is_told_and_another_one_is_enough(browser):
    worker.beat("worker:test:1", "nothing moves to sandbox for 21 seconds")
    answer = browser.get("/readyz")
    assert answer.status_code == 503
    assert answer.json["reasons"] == ["The worker hangs: nothing moves to sandbox for 21 seconds."]
    with db.database.connection_context():
        worker.beat("worker:test:2")
    assert browser.get("/readyz").status_code == 200


def test_a_database_that_cannot_be_opened_is_told_with_503(browser, working):
    db.database.close()
    db.connect("sqlite:////nowhere/at/all.db")
    answer = browser.get("/readyz")
    assert answer.status_code == 503
    assert answer.json["reasons"] == ["The database cannot be reached."]


def test_missing_tables_are_told_with_503(browser, working):
    db.database.execute_sql("DELETE FROM migration")
    answer = browser.get("/readyz")
    assert answer.status_code == 503
    assert "flask db migrate" in answer.json["checks"]["migrations"]


def test_a_queue_that_cannot_be_reached_is_told_without_its_secrets(browser, working, monkeypatch):
    def broken() -> int:
        raise OSError("redis://:secret@10.0.0.1 refused")

    monkeypatch.setattr(queue, "depth", broken)
    answer = browser.get("/readyz")
    assert answer.status_code == 503
    assert answer.json["checks"]["queue"] == "The queue cannot be reached."
    assert "secret" not in answer.get_data(as_text=True)


@pytest.mark.parametrize(
    ("state", "reason", "why"),
    [
        ("sick", "probe", "sandbox is sick (it does not answer)"),
        ("sick", "errors", "sandbox is sick (it does not take what it is given)"),
        ("sick", "slow", "sandbox is sick (it answers too slowly)"),
        ("stopped", "auth", "sandbox is stopped (it refuses our account)"),
    ],
)
def test_without_a_carrier_that_takes_messages_nothing_is_ready(browser, working, state, reason, why):
    CarrierHealth.insert(carrier="sandbox", since=clock.now(), state=state, reason=reason).execute()
    carriers.forget()
    answer = browser.get("/readyz")
    assert (answer.status_code, answer.json["reasons"]) == (503, [f"No carrier takes messages: {why}."])


@pytest.mark.parametrize("state", ["up", "degraded", "recovering"])
def test_a_carrier_that_takes_messages_is_enough(browser, working, state):
    CarrierHealth.insert(carrier="sandbox", since=clock.now(), state=state, share=10).execute()
    carriers.forget()
    assert browser.get("/readyz").status_code == 200


def test_a_carrier_that_a_person_has_paused_is_no_outage(browser, working, operator):
    carriers.pause("sandbox", operator.id)
    assert browser.get("/readyz").status_code == 200


def test_without_carriers_nothing_is_ready(browser, working, monkeypatch):
    monkeypatch.setattr(exchange, "carriers", dict)
    assert browser.get("/readyz").json["checks"]["carriers"] == "No carrier is configured."


def figure(text: str, name: str) -> float:
    return next(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(name + " "))


@pytest.fixture(autouse=True)
def _count_anew():
    health.installation.forget()


@pytest.fixture
def told(browser):
    """What /metrics says now, by name."""

    def ask(name: str) -> float:
        health.installation.forget()
        return figure(browser.get("/metrics").get_data(as_text=True), name)

    return ask


def send(api, number: str = "0171 3920051", **more) -> Message:
    answer = api.post("/api/v1/messages", {"to": number, "text": "Hallo", **more})
    return Message.get_by_id(answer.json["id"])


def test_metrics_tell_what_waits_by_lane_and_how_long(told, api):
    send(api)
    clock.shift(timedelta(seconds=90))
    due = {"status": "queued", "next_at": clock.now() - timedelta(seconds=30), "priority": 0}
    Message.update(**due).where(Message.id == send(api, "0171 3920052").id).execute()
    person = 'carrier="sandbox",channel="sms",lane="person"'
    machine = 'carrier="sandbox",channel="sms",lane="machine"'
    assert told('faden_messages{status="queued"}') == 2
    assert told(f"faden_queued_messages{{{person}}}") == 1
    assert 89 < told(f"faden_oldest_queued_seconds{{{person}}}") < 100
    assert 29 < told(f"faden_oldest_queued_seconds{{{machine}}}") < 40


def test_an_empty_queue_is_told_as_zero(told):
    assert told('faden_oldest_queued_seconds{carrier="sandbox",channel="sms",lane="person"}') == 0
    assert told("faden_queue_jobs") == 0
    assert told("faden_live_pages") == 0


def test_a_message_that_is_not_due_yet_is_not_overdue(told, api):
    message = send(api)
    Message.update(next_at=clock.now() + timedelta(hours=9)).where(Message.id == message.id).execute()
    lane = 'carrier="sandbox",channel="sms",lane="person"'
    assert told(f"faden_queued_messages{{{lane}}}") == 1
    assert told(f"faden_oldest_queued_seconds{{{lane}}}") == 0


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("sending", {"status": "sending", "lease_until": clock.now()}),
        ("asked", {"status": "unknown", "lease_until": clock.now()}),
        ("to_check", {"status": "unknown", "lease_until": None}),
        ("held", {"status": "scheduled", "next_at": None}),
        ("scheduled", {"status": "scheduled"}),
    ],
)
def test_metrics_tell_what_is_not_done_with(told, api, status, state):
    message = send(api)
    Message.update(**state).where(Message.id == message.id).execute()
    numbers = {
        name: told(f'faden_messages{{status="{name}"}}')
        for name in ("sending", "asked", "to_check", "held", "scheduled", "queued")
    }
    assert numbers == {**dict.fromkeys(numbers, 0), status: 1}


def test_metrics_tell_the_carriers_answers_and_how_long_they_took(told, api):
    message = send(api)
    ended = clock.now()
    Attempt.create(
        message=message, key="k1", carrier="sandbox", outcome="accepted", ended_at=ended,
        started_at=ended - timedelta(milliseconds=300),
    )  # fmt: skip
    accepted = 'carrier="sandbox",outcome="accepted"'
    name = "faden_handed_over_seconds"
    assert told(f'{name}_bucket{{carrier="sandbox",le="0.25",outcome="accepted"}}') == 0
    assert told(f'{name}_bucket{{carrier="sandbox",le="0.5",outcome="accepted"}}') == 1
    assert told(f'{name}_bucket{{carrier="sandbox",le="+Inf",outcome="accepted"}}') == 1
    assert told(f"{name}_count{{{accepted}}}") == 1
    assert told(f"{name}_sum{{{accepted}}}") == 0.3
    assert told(f'{name}_count{{carrier="sandbox",outcome="unknown"}}') == 0


def test_metrics_tell_what_became_of_messages_and_calls(told, api, account):
    message = send(api)
    StatusEvent.create(message=message, at=clock.now(), status="delivered", carrier="sandbox")
    for n, result in enumerate(("busy", "completed", "busy")):
        Call.create(
            message=message, account=account, direction="outgoing", key=f"k{n}", carrier="sandbox", ours="", theirs="",
            status=result, ended_at=clock.now(),
        )  # fmt: skip
    assert told('faden_message_statuses_total{carrier="sandbox",status="delivered"}') == 1
    assert told('faden_message_statuses_total{carrier="sandbox",status="failed"}') == 0
    assert told('faden_calls_total{carrier="sandbox",result="busy"}') == 2
    assert told('faden_calls_total{carrier="sandbox",result="completed"}') == 1


def test_metrics_tell_how_carriers_stand(told):
    assert told('faden_carrier_state{carrier="sandbox",state="up"}') == 1
    carriers.stop("sandbox", clock.now() + timedelta(minutes=1), "Authenticate")
    assert told('faden_carrier_state{carrier="sandbox",state="up"}') == 0
    assert told('faden_carrier_state{carrier="sandbox",state="stopped"}') == 1


def test_metrics_tell_which_processes_live(told, working):
    clock.shift(timedelta(seconds=10))
    worker.beat("worker:test:2")
    worker.beat("web:test:3", "17")
    worker.beat("web:test:4", "4")
    assert told('faden_processes{kind="worker"}') == 2
    assert told('faden_heartbeat_age_seconds{kind="worker"}') < 5
    assert told("faden_live_pages") == 21
    clock.shift(timedelta(seconds=10))
    assert told('faden_processes{kind="worker"}') == 1
    clock.shift(timedelta(minutes=1))
    assert told('faden_processes{kind="worker"}') == 0
    assert told("faden_live_pages") == 0


def test_without_any_worker_the_metrics_tell_so(told):
    assert told('faden_processes{kind="worker"}') == 0
    assert told('faden_heartbeat_age_seconds{kind="worker"}') == float("inf")


def test_what_has_just_been_counted_is_not_counted_again(browser, api):
    name = 'faden_messages{status="queued"}'
    assert figure(browser.get("/metrics").get_data(as_text=True), name) == 0
    send(api)
    assert figure(browser.get("/metrics").get_data(as_text=True), name) == 0
    health.installation.until = 0.0
    assert figure(browser.get("/metrics").get_data(as_text=True), name) == 1


def test_metrics_tell_how_long_requests_took_and_unknown_addresses_share_a_name(browser):
    browser.get("/made/up/1")
    browser.get("/made/up/2")
    browser.open("/healthz", method="HEAD")
    text = browser.get("/metrics").get_data(as_text=True)
    assert 'faden_http_request_seconds_count{endpoint="unknown",method="GET",status="404"}' in text
    assert 'faden_http_request_seconds_count{endpoint="health.healthz",method="HEAD",status="200"}' in text
    assert "/made/up" not in text


def test_metrics_hold_nothing_about_people(browser, api):
    api.put("/api/v1/contacts/01713920054", {"name": "Sabine Koch"})
    api.post("/api/v1/messages", {"to": "0171 3920054", "text": "Geheim", "sender": "PRAXIS"})
    text = browser.get("/metrics").get_data(as_text=True)
    for secret in ("3920054", "Koch", "Geheim", "PRAXIS", "Lindner"):
        assert secret not in text


def test_each_metric_is_documented_with_its_name(browser):
    readme = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    text = browser.get("/metrics").get_data(as_text=True)
    named = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE ")}
    named -= {"faden_http_request_seconds_created"}
    assert len(named) > 10
    assert [name for name in named if f"| `{name}` |" not in readme] == []


@pytest.mark.parametrize("path", ["/healthz", "/no/such/page", "/api/v1/messages"])
def test_every_answer_names_its_request(browser, path):
    mine = browser.get(path, headers={"X-Request-ID": "my-request-17"})
    assert mine.headers["X-Request-ID"] == "my-request-17"
    assert len(browser.get(path).headers["X-Request-ID"]) == 16
