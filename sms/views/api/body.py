"""Reading a JSON body so that nothing strange gets past this line: what it lets through is clean Unicode."""

import json
import math
from typing import Any

from flask import Request
from werkzeug.exceptions import RequestEntityTooLarge

from sms.views.api.problem import FieldError, Problem

LARGEST = 1_000_000
"""Bytes of a request body; a batch may have LARGEST_BATCH."""
LARGEST_BATCH = 8_000_000
DEEPEST = 16
LONGEST_INTEGER = 18


FLAW = "\ufffdflaw"
"""The name under which an item of a batch says what is wrong with its text, in the place of what came."""


def read_json(request: Request, largest: int, apart: str = "") -> Any:
    """Return the parsed body; raises Problem where it is not JSON, not Unicode, too large or too deep.

    The items of the list `apart` spoil no other: one that cannot be used is replaced by {FLAW: (field, code)}, which no JSON can say.
    """
    if request.mimetype != "application/json" and not request.mimetype.endswith("+json"):
        raise Problem("media-type", FieldError("", "media_type"), headers={"Accept-Post": "application/json"})
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise Problem("media-type", FieldError("", "bad_encoding"))
    value = _parsed(_text(_bytes(request, largest)))
    if apart and isinstance(value, dict) and isinstance(value.get(apart), list):
        value[apart] = [_or_its_flaw(item) for item in value[apart]]
    if wrong := _first_flaw(value):
        raise Problem("malformed" if wrong.code == "too_deep" else "invalid", wrong)
    return value


def _or_its_flaw(item: Any) -> Any:
    wrong = _first_flaw(item)
    return item if wrong is None else {FLAW: (wrong.field, wrong.code)}


def _bytes(request: Request, largest: int) -> bytes:
    request.max_content_length = largest
    try:
        return request.get_data(cache=False)
    except RequestEntityTooLarge:
        raise Problem("too-large", FieldError("", "too_large", {"limit": f"{largest:,}"})) from None


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Problem("malformed", FieldError("", "not_utf8", {"byte": error.start})) from None


def _parsed(text: str) -> Any:
    try:
        return json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_no_constant,
            parse_int=_integer,
            parse_float=_number,
        )
    except json.JSONDecodeError as error:
        where = {"line": error.lineno, "column": error.colno}
        raise Problem("malformed", FieldError("", "not_json", where)) from None
    except RecursionError:
        raise Problem("malformed", FieldError("", "too_deep")) from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            shown = name[:40].encode("ascii", "backslashreplace").decode()
            raise Problem("malformed", FieldError("", "duplicate_name", {"name": shown}))
        found[name] = value
    return found


def _no_constant(_: str) -> Any:
    raise Problem("malformed", FieldError("", "not_finite"))


def _integer(digits: str) -> int:
    if len(digits) > LONGEST_INTEGER:
        raise Problem("malformed", FieldError("", "number_too_long"))
    return int(digits)


def _number(digits: str) -> float:
    value = float(digits)
    return value if math.isfinite(value) else _no_constant(digits)


def _first_flaw(value: Any) -> FieldError | None:
    """Return where the value is nested too deeply or holds half a character; not by recursion."""
    waiting: list[tuple[tuple[str, ...], Any]] = [((), value)]
    while waiting:
        path, here = waiting.pop()
        if len(path) > DEEPEST:
            return FieldError("", "too_deep")
        if isinstance(here, str) and _halved(here):
            return FieldError(".".join(path), "surrogate")
        if isinstance(here, dict):
            if any(_halved(name) for name in here):
                return FieldError(".".join(path), "surrogate")
            waiting.extend(((*path, name[:80]), inner) for name, inner in here.items())
        elif isinstance(here, list):
            waiting.extend(((*path, str(at)), inner) for at, inner in enumerate(here))
    return None


def _halved(text: str) -> bool:
    if text.isascii():
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False
