"""The Idempotency-Key: one key, one message, whatever the network does."""

import threading
from datetime import timedelta

import pytest

from sms import bulk, clock, idempotency
from sms.models import Idempotency, Message
from tests.api.answers import problem_of
from tests.conftest import Program

BODY = {"to": "0171 3920054", "text": "Hallo Frau Koch"}


def post(api, body=BODY, key="k-1", path="/api/v1/messages"):
    return api.post(path, body, headers={"Idempotency-Key": key})


def test_the_same_key_and_body_give_the_same_answer_and_send_once(api):
    first, second = post(api), post(api)
    assert first.status_code == second.status_code == 202
    assert first.data == second.data
    assert second.headers["Idempotent-Replayed"] == "true"
    assert Message.select().count() == 1


def test_the_answer_stays_the_same_although_the_message_moves_on(api):
    first = post(api)
    Message.update(status="delivered").execute()
    assert post(api).json["status"] == first.json["status"] == "queued"


def test_the_order_of_names_and_the_blanks_make_no_other_body(api):
    post(api)
    body = b'{ "text" : "Hallo Frau Koch",\n "to":"0171 3920054" }'
    again = api.post(
        "/api/v1/messages", data=body, content_type="application/json", headers={"Idempotency-Key": "k-1"}
    )
    assert again.headers["Idempotent-Replayed"] == "true"


def test_the_same_key_with_another_body_is_409_and_sends_nothing(api):
    post(api)
    problem = problem_of(post(api, {**BODY, "text": "Etwas anderes"}), 409)
    assert problem["errors"][0]["field"] == "Idempotency-Key"
    assert Message.select().count() == 1


def test_another_account_may_use_the_same_key(api, other_api):
    assert post(api).json["id"] != post(other_api, {**BODY, "sender": "GARAGE"}).json["id"]
    assert Message.select().count() == 2


def test_after_24_hours_the_key_is_free_again(api):
    first = post(api)
    clock.shift(timedelta(hours=23, minutes=59))
    assert post(api).json["id"] == first.json["id"]
    clock.shift(timedelta(minutes=2))
    assert post(api).json["id"] != first.json["id"]
    assert Message.select().count() == 2


def test_a_refused_request_keeps_no_key(api):
    problem_of(post(api, {**BODY, "to": "110"}), 422)
    assert Idempotency.select().count() == 0
    assert post(api).status_code == 202


@pytest.mark.parametrize("key", ["", "x" * 256, "schlüssel", "a\tb"])
def test_a_key_that_cannot_be_kept_is_refused(api, key):
    problem = problem_of(post(api, key=key), 422)
    assert problem["errors"][0] == problem["errors"][0] | {"field": "Idempotency-Key", "code": "bad_key"}
    assert Message.select().count() == 0


def test_two_requests_at_once_with_one_key_send_one_message(app, api):
    answers, together = [], threading.Barrier(4)

    def run() -> None:
        together.wait()
        answers.append(post(Program(app.test_client())))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {a.status_code for a in answers} == {202}
    assert len({a.data for a in answers}) == 1
    assert Message.select().count() == 1


def test_a_whole_batch_can_have_a_key(api):
    batch = {"messages": [BODY, {**BODY, "to": "110"}]}
    first = post(api, batch, path="/api/v1/messages/batch")
    second = post(api, batch, path="/api/v1/messages/batch")
    assert first.data == second.data
    assert Message.select().count() == 1


def test_a_batch_that_broke_off_goes_on_where_it_stopped(api, monkeypatch):
    batch = {"messages": [{**BODY, "text": f"Nummer {n}"} for n in range(6)]}
    real, lots = bulk.accept, []

    def breaking(*args, **more):
        if len(lots) == 2:
            raise RuntimeError("the power fails")
        lots.append(1)
        return real(*args, **more)

    monkeypatch.setattr(bulk, "LOT", 2)
    monkeypatch.setattr(bulk, "accept", breaking)
    with pytest.raises(RuntimeError):
        post(api, batch, path="/api/v1/messages/batch")
    assert Message.select().count() == 4
    monkeypatch.setattr(bulk, "accept", real)
    answer = post(api, batch, path="/api/v1/messages/batch")
    assert len(answer.json["results"]) == 6
    assert [m.text for m in Message.select().order_by(Message.id)] == [f"Nummer {n}" for n in range(6)]
    assert post(api, batch, path="/api/v1/messages/batch").data == answer.data


def test_two_equal_batches_at_once_send_each_message_once(app, api):
    batch = {"messages": [{**BODY, "text": f"Nummer {n}"} for n in range(8)]}
    answers, together = [], threading.Barrier(2)

    def run() -> None:
        together.wait()
        answers.append(post(Program(app.test_client()), batch, path="/api/v1/messages/batch"))

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {a.status_code for a in answers} == {200}
    assert len({a.data for a in answers}) == 1
    assert Message.select().count() == 8


def test_a_key_for_another_batch_is_a_conflict(api):
    post(api, {"messages": [BODY]}, path="/api/v1/messages/batch")
    problem_of(post(api, {"messages": [BODY, BODY]}, path="/api/v1/messages/batch"), 409)
    assert Message.select().count() == 1


def test_one_key_for_two_addresses_is_a_conflict(api):
    post(api)
    problem_of(post(api, {"messages": []}, path="/api/v1/messages/batch"), 409)


def test_old_answers_are_forgotten(api, monkeypatch):
    monkeypatch.setattr(idempotency, "_swept_at", None)
    post(api)
    assert idempotency.sweep() == 0
    clock.shift(timedelta(hours=25))
    assert idempotency.sweep() == 1
    assert Idempotency.select().count() == 0
