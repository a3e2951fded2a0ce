"""What carriers tell us: signature first, then stored, then acted on; a replay changes nothing."""

from collections.abc import Callable
from functools import partial
from typing import TypeVar
from urllib.parse import parse_qsl, quote

from flask import Blueprint, Response, abort, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import Forbidden

from sms import answering, calling, exchange, receiving
from sms.carriers.contract import Carrier, WebhookAnswer, WebhookError, WebhookRequest
from sms.models import Call
from sms.views import errors
from voice.script import Script

blueprint = Blueprint("carriers", __name__, url_prefix="/carriers/<name>")

T = TypeVar("T")


class WrongSignature(Forbidden):
    """A callback that was not signed by the carrier it names, or whose secret is another one."""


@blueprint.errorhandler(WrongSignature)
def refuse(error: WrongSignature) -> ResponseReturnValue:
    """Say what is wrong, for whoever reads it in the carrier's console or log."""
    return errors.show(403, "Signature missing or wrong. Nothing was stored.", code="bad_signature")


def _verified(name: str) -> tuple[Carrier, WebhookRequest]:
    """Return the carrier and its callback; 404 for a carrier we do not have, 403 for a wrong or missing signature."""
    carrier = exchange.carrier(name)
    if carrier is None:
        abort(404)
    callback = _callback()
    if not carrier.verify(callback):
        raise WrongSignature
    return carrier, callback


def _callback() -> WebhookRequest:
    """Return the request as it was signed: our public origin and the raw path, which Flask's request.url decodes."""
    body = request.get_data(cache=True)
    raw = request.environ.get("RAW_URI") or request.environ.get("REQUEST_URI") or _path_and_query()
    return WebhookRequest(
        method=request.method,
        url=exchange.current().public_url + raw,
        headers=dict(request.headers.items()),
        form=_pairs(body) if request.mimetype == "application/x-www-form-urlencoded" else (),
        query=_pairs(request.query_string),
        body=body,
        remote=request.remote_addr or "",
    )


def _path_and_query() -> str:
    query = request.query_string.decode("latin-1")
    return quote(request.path, safe="/-._~!$&'()*+,;=:@") + (f"?{query}" if query else "")


def _pairs(data: bytes) -> tuple[tuple[str, str], ...]:
    """Return all pairs in order, duplicates and empty values included: every one of them is signed."""
    try:
        return tuple(
            parse_qsl(data.decode("ascii"), keep_blank_values=True, errors="replace", max_num_fields=500)
        )
    except ValueError:
        abort(400)


def _read(parse: Callable[[WebhookRequest], T], callback: WebhookRequest) -> T:
    try:
        return parse(callback)
    except WebhookError:
        abort(400)


def _answer(answer: WebhookAnswer) -> Response:
    return Response(answer.body, answer.status, content_type=answer.content_type)


def _spoken(carrier: Carrier, script: Script, key: str = "") -> Response:
    url_for = partial(_state_url, carrier.name, key)
    return _answer(carrier.render(script, url_for))


def _state_url(name: str, key: str, state: str) -> str:
    query = {"key": key} if key else {}
    return exchange.callback(name, f"voice/{state}", **query)


@blueprint.post("/inbound")
def inbound(name: str) -> Response:
    """A text has arrived."""
    carrier, callback = _verified(name)
    receiving.receive_text(name, _read(carrier.parse_text, callback))
    return _answer(carrier.acknowledge())


@blueprint.post("/status")
def status(name: str) -> Response:
    """A delivery report."""
    carrier, callback = _verified(name)
    receiving.receive_report(name, _read(carrier.parse_report, callback))
    return _answer(carrier.acknowledge())


@blueprint.post("/voice/status")
def call_status(name: str) -> Response:
    """The progress of a call."""
    carrier, callback = _verified(name)
    calling.receive_report(name, _read(carrier.parse_call_report, callback))
    return _answer(carrier.acknowledge())


@blueprint.post("/voice/answer")
def call_answered(name: str) -> Response:
    """Our call was answered: what to say."""
    carrier, callback = _verified(name)
    answer = _read(carrier.parse_call_answer, callback)
    call = _call(name, answer.key, answer.reference)
    return _spoken(carrier, answering.answer(call, answer.answered_by), call.key)


@blueprint.post("/voice/keys")
def call_keys(name: str) -> Response:
    """A key was pressed."""
    carrier, callback = _verified(name)
    keys = _read(carrier.parse_keys, callback)
    call = _call(name, callback.param("key"), keys.reference)
    return _spoken(carrier, answering.press(call, keys.digits), call.key)


@blueprint.post("/voice/heard")
def call_heard(name: str) -> Response:
    """The message was played to its end."""
    carrier, callback = _verified(name)
    keys = _read(carrier.parse_keys, callback)
    call = _call(name, callback.param("key"), keys.reference)
    return _spoken(carrier, answering.heard(call), call.key)


@blueprint.post("/voice/incoming")
def call_incoming(name: str) -> Response:
    """Somebody calls one of our numbers."""
    carrier, callback = _verified(name)
    call = _read(carrier.parse_incoming_call, callback)
    return _spoken(carrier, answering.take_incoming(name, call.reference, call.caller, call.to))


@blueprint.post("/voice/recorded")
def call_recorded(name: str) -> Response:
    """A caller has left a message."""
    carrier, callback = _verified(name)
    said = _read(carrier.parse_recording, callback)
    return _spoken(carrier, answering.recorded(name, said.reference, said.url, said.seconds))


def _call(name: str, key: str | None, reference: str) -> Call:
    call = answering.find_call(name, key, reference)
    if call is None or call.message_id is None:
        abort(404)
    return call
