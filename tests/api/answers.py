"""Reading answers in tests: every one is held against the shape that the OpenAPI document promises."""

from typing import Any

from pydantic import TypeAdapter
from werkzeug.test import TestResponse

from sms.views.api import shapes


def problem_of(answer: TestResponse, status: int) -> dict[str, Any]:
    """Return the problem of a refusal after looking at its form."""
    assert answer.status_code == status, answer.get_data(as_text=True)
    assert answer.mimetype == "application/problem+json"
    assert answer.headers["Cache-Control"] == "no-store"
    problem = conforms(answer.get_json(), shapes.ProblemShape)
    assert problem["status"] == status
    assert problem["type"].startswith("/api/docs#problem-")
    assert problem["errors"]
    assert all("%(" not in error["message"] and "(%" not in error["message"] for error in problem["errors"])
    return problem


def conforms(value: Any, shape: Any) -> Any:
    """Return the value; fail where it lacks something of the shape, has more than it, or another type."""
    adapter = TypeAdapter(shape)
    # What the shape does not know is dropped in reading, so more than it shows as a difference.
    assert adapter.dump_python(adapter.validate_python(value, strict=True)) == value
    return value
