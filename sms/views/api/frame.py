"""What all calls share: a key opens an account, strict input, one shape of answers, one list for the documents."""

import json
import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_to_bytes

from flask import Blueprint, Response, current_app, request
from pydantic import BaseModel
from werkzeug.exceptions import HTTPException

from sms import accounts
from sms.models import Account
from sms.refusal import NotFound
from sms.views.api.body import LARGEST, read_json
from sms.views.api.problem import FieldError, Problem, of_exception, response

blueprint = Blueprint("api", __name__, url_prefix="/api")
VERSION = "/v1"
log = logging.getLogger("sms.api")

CONVERTERS = {"id": "<int:id>", "number": "<path:number>", "reference": "<path:reference>"}
"""How parameters in addresses are read; a number may contain a slash, as people write them, and so may a reference."""

LARGEST_ID = 2**63 - 1
REALM = 'Bearer realm="Faden API"'


@dataclass(frozen=True)
class Answer:
    """A status with a JSON body: an object, text that is JSON already, bytes of the call's `media`, or None for no body."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Call:
    """One call of the API: what is routed and what is documented are the same record."""

    method: str
    path: str
    view: Callable[..., Answer]
    summary: str
    body: type[BaseModel] | None = None
    documented_body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    shapes: Mapping[int, Any] = field(default_factory=dict)
    media: str = "application/json"
    apart: str = ""
    """A list in the body whose items are judged one by one."""
    takes: tuple[str, ...] = ()
    """Kinds of file that are the whole request body; the view reads it itself."""
    problems: tuple[int, ...] = ()
    headers: tuple[str, ...] = ()
    largest: int = LARGEST
    example: Any = None

    @property
    def name(self) -> str:
        return self.view.__name__

    @property
    def about(self) -> str:
        """What the view's docstring says to integrators."""
        return " ".join((self.view.__doc__ or "").split())


CALLS: list[Call] = []


def call(
    method: str, path: str, summary: str, **more: Any
) -> Callable[[Callable[..., Answer]], Callable[..., Answer]]:
    """Make a function a call of the API. It gets the account, then `body` and `query` where they are declared."""

    def register(view: Callable[..., Answer]) -> Callable[..., Answer]:
        made = Call(method, path, view, summary, **more)
        CALLS.append(made)
        rule = VERSION + path
        for name, converter in CONVERTERS.items():
            rule = rule.replace(f"{{{name}}}", converter)
        blueprint.add_url_rule(rule, made.name, _answering(made), methods=[method])
        return view

    return register


def _answering(made: Call) -> Callable[..., Response]:
    def answer(**path: Any) -> Response:
        try:
            return respond(_run(made, path), made.media)
        except Exception as error:
            problem = of_exception(error)
            if problem is None:
                raise
            return response(problem)

    return answer


def _run(made: Call, path: dict[str, Any]) -> Answer:
    account = _account()
    if path.get("id", 0) > LARGEST_ID:
        raise NotFound
    given: dict[str, Any] = dict(path)
    if made.query is not None:
        given["query"] = read_query(made.query)
    if made.body is not None:
        given["body"] = made.body.model_validate(read_json(request, made.largest, made.apart))
    return made.view(account, **given)


def _account() -> Account:
    """Return whose key this is; sessions do not count here, so no page can be made to use the API."""
    given = request.authorization
    if given is None or given.type != "bearer" or not given.token:
        raise Problem("unauthorized", FieldError("", "no_key"), headers={"WWW-Authenticate": REALM})
    account = accounts.account_for_key(given.token)
    if account is None:
        challenge = f'{REALM}, error="invalid_token"'
        raise Problem("unauthorized", FieldError("", "wrong_key"), headers={"WWW-Authenticate": challenge})
    return account


def read_query(model: type[BaseModel]) -> BaseModel:
    """Return the parameters of a list; an empty one counts as left out."""
    if broken := _not_utf8(request.query_string):
        raise Problem("invalid", *(FieldError(name[:80], "not_text") for name in broken[:10]))
    given = {name: value for name, value in request.args.items() if value != ""}
    known = {field.alias or name for name, field in model.model_fields.items()}
    unknown = [name for name in given if name not in known]
    if unknown:
        raise Problem("invalid", *(FieldError(name[:80], "unknown_parameter") for name in unknown[:10]))
    return model.model_validate(given)


def _not_utf8(query: bytes) -> list[str]:
    """Return the names of parameters whose bytes are no text; Werkzeug would show them as if they were quoted."""
    broken = []
    for pair in query.split(b"&"):
        try:
            unquote_to_bytes(pair).decode("utf-8")
        except UnicodeDecodeError:
            broken.append(pair.partition(b"=")[0].decode("ascii", "replace"))
    return broken


def respond(answer: Answer, media: str = "application/json") -> Response:
    """Return an answer as HTTP."""
    made = Response(status=answer.status)
    if answer.body is not None:
        made.set_data(answer.body if isinstance(answer.body, str | bytes) else as_json(answer.body))
        made.content_type = media
    else:
        del made.headers["Content-Type"]
    made.headers["Cache-Control"] = "no-store"
    made.headers.extend(answer.headers)
    return made


def as_json(value: Any) -> str:
    """Return the JSON text of an answer."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


@blueprint.before_app_request
def refuse_unknown_address() -> Response | None:
    """Unknown addresses and methods under /api are problems too; Flask finds no blueprint for them."""
    missed = request.routing_exception
    if missed is None or not (request.path + "/").startswith("/api/"):
        return None
    problem = of_exception(missed)
    return None if problem is None else response(problem)


@blueprint.errorhandler(HTTPException)
def show_http_error(error: HTTPException) -> Response | HTTPException:
    """Word what Werkzeug refuses before a call is reached."""
    problem = of_exception(error)
    return error if problem is None else response(problem)


@blueprint.errorhandler(Exception)
def show_fault(error: Exception) -> Response:
    """Log a fault with a reference; the answer names the reference and nothing else."""
    if current_app.config["PROPAGATE_EXCEPTIONS"]:
        raise error
    reference = secrets.token_hex(4)
    log.error("fault %s at %s %s", reference, request.method, request.endpoint, exc_info=error)
    return response(Problem("fault", FieldError("", "fault", {"reference": reference})))
