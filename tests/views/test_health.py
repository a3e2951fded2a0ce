"""/healthz, /readyz and /metrics: what watches over an installation asks these."""

from datetime import timedelta

import pytest

from sms import clock, db, exchange, figures, queue, worker
from sms.models import Message


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


def test_without_carriers_nothing_is_ready(browser, working, monkeypatch):
    monkeypatch.setattr(exchange, "carriers", dict)
    assert browser.get("/readyz").json["checks"]["carriers"] == "No carrier is configured."


def figure(text: str, name: str) -> float:
    return next(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(name + " "))


@pytest.fixture(autouse=True)
def _count_anew(monkeypatch):
    monkeypatch.setattr(figures, "_finished", None)


def test_metrics_tell_messages_by_status_and_how_long_one_waits(browser, api):
    for number in ("0171 3920051", "0171 3920052"):
        api.post("/api/v1/messages", {"to": number, "text": "Hallo"})
    Message.update(status="delivered").where(Message.id == 1).execute()
    clock.shift(timedelta(seconds=90))
    text = browser.get("/metrics").get_data(as_text=True)
    assert figure(text, 'faden_messages{status="queued"}') == 1
    assert figure(text, 'faden_messages{status="delivered"}') == 1
    assert 89 < figure(text, "faden_oldest_queued_seconds") < 100
    assert figure(text, "faden_queue_jobs") >= 0
    assert figure(text, "faden_live_pages") == 0


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


def test_what_has_just_been_counted_is_not_counted_again(api, account):
    figures.outbox()
    api.post("/api/v1/messages", {"to": "0171 3920051", "text": "Hallo"})
    Message.update(status="delivered").execute()
    assert figures.outbox().messages["delivered"] == 0
    clock.shift(timedelta(seconds=61))
    assert figures.outbox().messages["delivered"] == 1
