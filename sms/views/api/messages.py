"""Messages: send one or many, look at them, cancel and retry."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from flask import request
from flask.blueprints import BlueprintSetupState
from peewee import chunked
from pydantic import BaseModel, ValidationError

from sms import bulk, idempotency, inbox, sending, wallclock
from sms.checking import Wanted
from sms.models import Account, Message
from sms.models.message import CARRIED
from sms.refusal import Conflict, NotFound, Refused
from sms.views.api import pages, shapes
from sms.views.api.body import FLAW, LARGEST_BATCH
from sms.views.api.frame import Answer, as_json, blueprint, call
from sms.views.api.inputs import Batch, MessagesQuery, NewMessage, NewMessages
from sms.views.api.problem import FieldError, Problem, of_exception

EXAMPLE = {
    "to": "0171 3920054",
    "text": "Ihr Termin: morgen, 9:30 Uhr.",
    "sender": "PRAXIS",
    "reference": "A-4711",
}


@call(
    "POST", "/messages", "Send a message",
    body=NewMessage, shapes={202: shapes.MessageShape}, problems=(409, 413, 415, 422), headers=("Idempotency-Key",),
    example=EXAMPLE,
)  # fmt: skip
def send_message(account: Account, body: NewMessage) -> Answer:
    """Takes one message, to be sent now or at `send_at`, as SMS or as a call by the kind of the number.

    With an `Idempotency-Key` the same request gives the same answer for 24 hours and sends nothing again; the same
    key with another body is 409. A refused request keeps no key.
    """

    def work() -> Answer:
        made = sending.accepted(account, _wanted(account, body))
        location = {"Location": f"/api/v1/messages/{made.id}"}
        return Answer(202, shapes.message(made.message(), [made.status_event()]), location)

    return _once(account, body, work)


@call(
    "POST", "/messages/batch", "Send up to 1,000 messages",
    body=Batch, documented_body=NewMessages, shapes={200: shapes.BatchAnswerShape}, problems=(409, 413, 415, 422),
    headers=("Idempotency-Key",), largest=LARGEST_BATCH, apart="messages", example={"messages": [EXAMPLE]},
)  # fmt: skip
def send_batch(account: Account, body: Batch) -> Answer:
    """Each message is taken or refused by itself, and one that is refused spoils no other; results are in order.

    With an `Idempotency-Key` the whole batch is one request: sent again after a broken connection it goes on where
    it stopped.
    """
    key = _key()
    if key is None:
        return Answer(200, {"results": _send_all(account, body.messages)})
    with _naming_the_key():
        fingerprint = _fingerprint(body)
        kept = idempotency.begin(account, key, fingerprint)
        if kept is None:
            results = _send_in_steps(account, body.messages, key, fingerprint)
            kept = idempotency.finish(account, key, 200, as_json({"results": results}))
    return _told(kept, {})


@call(
    "GET", "/messages", "List messages",
    query=MessagesQuery, shapes={200: shapes.MessagePage}, problems=(422,),
)  # fmt: skip
def list_messages(account: Account, query: MessagesQuery) -> Answer:
    """Messages of both directions, newest first. Private notes of your agents are not among them."""
    where = [Message.account == account, Message.channel.in_(CARRIED)]
    if query.status:
        where.append(Message.status == query.status)
    if query.direction:
        where.append(Message.direction == query.direction)
    if query.since:
        where.append(Message.created_at >= wallclock.read(query.since, account.zone, "since"))
    if key := pages.decode(query.cursor, "m", 1):
        where.append(Message.id < key[0])
    rows = list(Message.select().where(*where).order_by(Message.id.desc()).limit(query.limit + 1))
    return Answer(200, pages.page(rows, query.limit, "m", lambda row: (row.id,), shapes.messages))


@call("GET", "/messages/{id}", "Look at a message", shapes={200: shapes.MessageShape}, problems=(404,))
def show_message(account: Account, id: int) -> Answer:
    """One message with its status, what happened to it so far, and each attempt to call."""
    return Answer(200, shapes.messages([_find(account, id)])[0])


@call(
    "POST", "/messages/{id}/cancel", "Cancel a message",
    shapes={200: shapes.MessageShape}, problems=(404, 409),
)  # fmt: skip
def cancel_message(account: Account, id: int) -> Answer:
    """Takes back a message that is scheduled or still waits; 409 where it is on its way."""
    message = _find(account, id)
    sending.cancel(message)
    return Answer(200, shapes.messages([message])[0])


@call(
    "POST", "/messages/{id}/retry", "Try a message again",
    shapes={200: shapes.MessageShape}, problems=(404, 409, 422),
)  # fmt: skip
def retry_message(account: Account, id: int) -> Answer:
    """Sends a message again that failed, was not delivered or was cancelled; 409 where it is under way or arrived."""
    message = sending.retry(_find(account, id))
    return Answer(200, shapes.messages([message])[0])


@blueprint.record
def allow_large_batches(state: BlueprintSetupState) -> None:
    """Tell the server that a batch may be larger than what else is sent."""
    state.app.config.setdefault("BODY_LIMITS", {})["/api/v1/messages/batch"] = LARGEST_BATCH


def _find(account: Account, id: int) -> Message:
    message = inbox.message_of(account, id)
    if message.channel not in CARRIED:
        raise NotFound
    return message


def _wanted(account: Account, body: NewMessage) -> Wanted:
    return Wanted(
        to=body.to,
        text=body.text,
        sender=body.sender or "",
        channel=body.channel or "auto",
        send_at=wallclock.read(body.send_at, account.zone, "send_at") if body.send_at else None,
        fields=body.fields,
        reference=body.reference,
        source="api",
        automated=body.automated,
    )


def _once(account: Account, body: BaseModel, work: Callable[[], Answer]) -> Answer:
    """Do the work, or where the request names a key that was used for the same work, give its answer again."""
    key = _key()
    if key is None:
        return work()
    headers: dict[str, str] = {}

    def keyed() -> tuple[int, str]:
        made = work()
        headers.update(made.headers)
        return made.status, as_json(made.body)

    with _naming_the_key():
        return _told(idempotency.once(account, key, _fingerprint(body), keyed), headers)


def _key() -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not 1 <= len(key) <= idempotency.LONGEST_KEY or not key.isascii() or not key.isprintable():
        raise Refused("Idempotency-Key", "bad_key")
    return key


def _fingerprint(body: BaseModel) -> str:
    return idempotency.digest(request.method, request.path, as_json(body.model_dump(mode="json")))


@contextmanager
def _naming_the_key() -> Iterator[None]:
    """Tell a key that was used for something else at the header that holds it."""
    try:
        yield
    except Conflict as conflict:
        raise Problem("conflict", FieldError("Idempotency-Key", conflict.code, conflict.params)) from None


def _told(kept: idempotency.Answer, headers: dict[str, str]) -> Answer:
    return Answer(
        kept.status, kept.body, headers | ({"Idempotent-Replayed": "true"} if kept.repeated else {})
    )


def _send_in_steps(account: Account, messages: list[Any], key: str, fingerprint: str) -> list[dict[str, Any]]:
    """Send a batch lot by lot; a lot keeps its results in its own transaction, and broken off it goes on after it."""
    results: list[dict[str, Any]] = []
    for number, some in enumerate(chunked(messages, bulk.LOT)):
        work = partial(_answer_lot, account, list(some))
        # The size is part of the name: with another one, the same number would be other messages.
        step = idempotency.step(f"{key}/{bulk.LOT}", fingerprint, number)
        results += json.loads(idempotency.once(account, step, "", work).body)
    return results


def _answer_lot(account: Account, messages: list[Any]) -> tuple[int, str]:
    return 200, as_json(_send_all(account, messages))


def _send_all(account: Account, messages: list[Any]) -> list[dict[str, Any]]:
    """Send messages and tell of each, in order, what became of it."""
    read = [_read(account, body) for body in messages]
    sent = bulk.send_many(account, [one for one in read if isinstance(one, Wanted)])
    return [_result(next(sent) if isinstance(one, Wanted) else one) for one in read]


def _read(account: Account, body: Any) -> Wanted | Exception:
    if isinstance(body, dict) and isinstance(flaw := body.get(FLAW), tuple):
        return Refused(*flaw)
    try:
        return _wanted(account, NewMessage.model_validate(body))
    except (ValidationError, Refused) as error:
        return error


def _result(outcome: bulk.Accepted | Exception) -> dict[str, Any]:
    if isinstance(outcome, bulk.Accepted):
        return {"id": outcome.id, "status": outcome.status}
    problem = of_exception(outcome)
    assert problem is not None
    return {"errors": [wrong.as_json() for wrong in problem.errors]}
