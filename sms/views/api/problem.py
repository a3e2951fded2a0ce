"""Every "no" of the API as RFC 9457 problem+json: one place that words refusals, conflicts and faults."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from dataclasses import field as default
from typing import Any

from flask import Response
from flask_babel import gettext as _
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from sms.refusal import Conflict, NotFound, Refused
from sms.wording import sentence

DOCS = "/api/docs"
MOST_ERRORS = 50


def later(text: str) -> str:
    """Mark a sentence for the catalogue; it is translated where it is used."""
    return text


KINDS: dict[str, tuple[int, str]] = {
    "malformed": (400, later("The request body cannot be read.")),
    "unauthorized": (401, later("A valid API key is needed.")),
    "not-found": (404, later("There is nothing here.")),
    "method-not-allowed": (405, later("This address does not know that method.")),
    "conflict": (409, later("It is too late for that, or something else came first.")),
    "too-large": (413, later("The request body is too large.")),
    "media-type": (415, later("The request body must be JSON.")),
    "invalid": (422, later("The request cannot be used as it is.")),
    "bad-request": (400, later("The request cannot be understood.")),
    "fault": (500, later("Something broke on our side.")),
}
"""The kinds of problem: the last part of `type`, with its status and its title."""

SENTENCES: dict[str, str] = {
    "missing": later("This field is missing."),
    "unknown_field": later("There is no such field."),
    "unknown_parameter": later("There is no such parameter here."),
    "not_a_text": later("A text is expected here."),
    "not_a_number": later("A whole number is expected here."),
    "not_a_boolean": later("true or false is expected here."),
    "not_an_object": later("A JSON object is expected here."),
    "not_a_list": later("A list is expected here."),
    "not_a_value": later("A text or a number is expected here."),
    "not_a_choice": later("Expected one of: %(choices)s."),
    "too_small": later("The smallest possible value is %(limit)s."),
    "too_big": later("The largest possible value is %(limit)s."),
    "bad_time": later("Expected a time like 2026-11-21T09:00:00Z (RFC 3339)."),
    "not_json": later("The body is not valid JSON (line %(line)s, column %(column)s)."),
    "not_utf8": later("The body is not valid UTF-8 (byte %(byte)s)."),
    "duplicate_name": later("The name %(name)s occurs twice in one object."),
    "not_finite": later("JSON knows no NaN and no infinity."),
    "too_deep": later("The body is nested too deeply."),
    "number_too_long": later("A number in the body has too many digits."),
    "bad_encoding": later("The body must be sent without Content-Encoding."),
    "media_type": later("Send the body as application/json."),
    "too_large": later("The body may have at most %(limit)s bytes."),
    "no_key": later("Send your API key as: Authorization: Bearer <key>."),
    "wrong_key": later("This API key is not known or has been revoked."),
    "no_such_path": later("There is no such address; see /api/docs."),
    "no_such_thing": later("It does not exist in this account."),
    "unknown_person": later("Nobody of this account has this id or e-mail address; none: not assigned."),
    "method_not_allowed": later("Possible methods: %(methods)s."),
    "bad_request": later("The request cannot be understood."),
    "fault": later("It has been logged as %(reference)s and will be looked at."),
}  # fmt: skip
"""What the API itself has to say; the codes of the verbs are worded in sms.wording."""

_PYDANTIC: dict[str, tuple[str, str]] = {
    "missing": ("missing", ""),
    "extra_forbidden": ("unknown_field", ""),
    "string_type": ("not_a_text", ""),
    "string_unicode": ("surrogate", ""),
    "string_too_long": ("too_long", "max_length"),
    "string_too_short": ("empty", ""),
    "int_type": ("not_a_number", ""),
    "int_parsing": ("not_a_number", ""),
    "int_parsing_size": ("not_a_number", ""),
    "int_from_float": ("not_a_number", ""),
    "bool_type": ("not_a_boolean", ""),
    "dict_type": ("not_an_object", ""),
    "model_type": ("not_an_object", ""),
    "list_type": ("not_a_list", ""),
    "too_long": ("too_many", "max_length"),
    "text_too_long": ("too_long", "limit"),
    "greater_than_equal": ("too_small", "ge"),
    "less_than_equal": ("too_big", "le"),
    "literal_error": ("not_a_choice", "expected"),
}
"""pydantic's kinds of error: our code, and which of its facts fills the sentence."""


@dataclass(frozen=True)
class FieldError:
    """What is wrong with one field; `field` is a dotted path, empty where no field is at fault."""

    field: str
    code: str
    params: Mapping[str, Any] = default(default_factory=dict)

    def as_json(self) -> dict[str, str]:
        """Return it as the API tells it, in the language of the request."""
        return {"field": self.field, "code": self.code, "message": worded(self.code, self.params)}


class Problem(Exception):
    """A request that gets a problem+json; `kind` is one of KINDS."""

    def __init__(self, kind: str, *errors: FieldError, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(kind)
        self.kind, self.errors, self.headers = kind, errors, dict(headers or {})


def worded(code: str, params: Mapping[str, Any]) -> str:
    """Return the sentence of a code in the language of the request."""
    if code in SENTENCES:
        return _(SENTENCES[code], **params)
    return sentence(code, **params)


def of_exception(error: Exception) -> Problem | None:
    """Return what an expected exception means to a program; None for a fault, which must propagate."""
    match error:
        case Problem():
            return error
        case ValidationError():
            return Problem("invalid", *field_errors(error))
        case Refused():
            return Problem("invalid", FieldError(error.field, error.code, error.params))
        case Conflict():
            return Problem("conflict", FieldError("", error.code, error.params))
        case NotFound():
            return Problem("not-found", FieldError("", "no_such_thing"))
        case HTTPException():
            return _of_http(error)
    return None


def _of_http(error: HTTPException) -> Problem | None:
    match error:
        case MethodNotAllowed():
            methods = ", ".join(sorted(error.valid_methods or ()))
            wrong = FieldError("", "method_not_allowed", {"methods": methods})
            return Problem("method-not-allowed", wrong, headers={"Allow": methods})
        case HTTPException(code=404):
            return Problem("not-found", FieldError("", "no_such_path"))
        case HTTPException(code=413):
            return Problem("too-large", FieldError("", "too_large", {"limit": "1,000,000"}))
        case HTTPException(code=code) if code is not None and 400 <= code < 500:
            return Problem("bad-request", FieldError("", "bad_request"))
    return None


def field_errors(error: ValidationError) -> list[FieldError]:
    """Return what pydantic found, one entry a field, in our words."""
    found: dict[str, FieldError] = {}
    for detail in error.errors(include_url=False, include_input=False)[:MOST_ERRORS]:
        path = ".".join(str(part)[:80] for part in detail["loc"] if part != "[key]")
        code, fact = _PYDANTIC.get(detail["type"], (detail["type"], ""))
        facts = detail.get("ctx") or {}
        name = "choices" if fact == "expected" else "limit"
        params = {name: str(facts[fact]).replace("'", "")} if fact else facts
        found.setdefault(path, FieldError(path, code, params))
    return list(found.values())


def response(problem: Problem) -> Response:
    """Return the problem as an HTTP answer."""
    status, title = KINDS[problem.kind]
    errors = [error.as_json() for error in problem.errors]
    body = {
        "type": f"{DOCS}#problem-{problem.kind}",
        "title": _(title),
        "status": status,
        "detail": detail(errors) or _(title),
        "errors": errors,
    }
    answer = Response(json.dumps(body, ensure_ascii=False), status, content_type="application/problem+json")
    answer.headers["Cache-Control"] = "no-store"
    answer.headers.extend(problem.headers)
    return answer


def detail(errors: Iterable[Mapping[str, str]]) -> str:
    """Return the errors as one line for people: "to: This is no phone number."."""
    return " ".join(f"{e['field']}: {e['message']}" if e["field"] else e["message"] for e in errors)[:1000]
