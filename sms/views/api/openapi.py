"""The OpenAPI 3.1 document, put together from the calls themselves: what is routed is what is documented."""

import re
from functools import cache
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, models_json_schema

from sms.views.api.frame import CALLS, VERSION, Call
from sms.views.api.problem import KINDS
from sms.views.api.shapes import ProblemShape

REFS = "#/components/schemas/{model}"
AREAS = {
    "preview": "Preview",
    "messages": "Messages",
    "conversations": "Conversations",
    "contacts": "Contacts",
    "understand": "Answers",
}
"""The areas of the core, in order; those of modules follow under their own names."""
_PARAMETERS = {
    "id": {"name": "id", "in": "path", "required": True, "schema": {"type": "integer", "minimum": 1}},
    "number": {
        "name": "number",
        "in": "path",
        "required": True,
        "description": "A phone number in any spelling.",
        "schema": {"type": "string"},
        "example": "00491713920054",
    },
    "reference": {
        "name": "reference",
        "in": "path",
        "required": True,
        "description": "Your own reference.",
        "schema": {"type": "string"},
        "example": "T-4711",
    },
}
_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "1 to 255 printable ASCII characters. The same key and body give the same answer for 24 hours; "
    "the same key with another body is 409.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}
_ABOUT = """Send and receive text messages, and texts read aloud on the phone, from your own programs.

* Every call but this document needs an API key: `Authorization: Bearer <key>`.
* Numbers are taken in any spelling and given back as `0049...`; times are RFC 3339 in UTC.
* Lists are pages: pass `next_cursor` as `cursor` until it is null.
* Every refusal is `application/problem+json` (RFC 9457) with `errors: [{field, code, message}]`, in English, or in
  German with `Accept-Language: de`. `code` is stable, `message` is for people. A refused request has changed nothing.
"""


class _Untitled(GenerateJsonSchema):
    """Leaves out pydantic's titles, which only repeat the names."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


@cache
def document() -> dict[str, Any]:
    """Return the whole document as JSON data."""
    schemas, references = _schemas()
    return {
        "openapi": "3.1.0",
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "info": {"title": "Faden API", "version": "1.0.0", "description": _ABOUT},
        "servers": [{"url": f"/api{VERSION}"}],
        "security": [{"key": []}],
        "tags": [{"name": name} for name in _areas().values()],
        "paths": _paths(references),
        "components": {
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "An API key of the account."}
            },
            "schemas": schemas,
            "responses": {str(status): _problem(status, references) for status in sorted(_statuses())},
        },
    }


def _statuses() -> set[int]:
    return {status for made in CALLS for status in problems(made)}


def problems(made: Call) -> tuple[int, ...]:
    """Return the statuses with which a call may refuse."""
    reads = (400,) if made.body is not None else ()
    return tuple(sorted({401, *reads, *made.problems}))


References = dict[Any, dict[str, Any]]


def _schemas() -> tuple[dict[str, Any], References]:
    """Return all schemas by name, and for each model or shape how to refer to it."""
    bodies = [m for c in CALLS if (m := c.documented_body or c.body)]
    inputs: list[tuple[type[BaseModel], JsonSchemaMode]] = [(m, "validation") for m in dict.fromkeys(bodies)]
    shapes = dict.fromkeys(s for c in CALLS for s in c.shapes.values() if s is not None)
    adapters = [(shape, "serialization", TypeAdapter(shape)) for shape in [*shapes, ProblemShape]]
    of_inputs, found = models_json_schema(inputs, ref_template=REFS, schema_generator=_Untitled)
    of_shapes, more = TypeAdapter.json_schemas(
        adapters,  # type: ignore[arg-type]
        ref_template=REFS,
        schema_generator=_Untitled,
    )
    references: References = {model: schema for (model, _), schema in of_inputs.items()}
    references |= {shape: schema for (shape, _), schema in of_shapes.items()}
    return {**found.get("$defs", {}), **more.get("$defs", {})}, references


def _paths(references: References) -> dict[str, Any]:
    paths: dict[str, Any] = {}
    areas = list(_areas())
    for made in sorted(CALLS, key=lambda made: areas.index(_area(made))):
        paths.setdefault(made.path, {})[made.method.lower()] = _operation(made, references)
    return paths


def _areas() -> dict[str, str]:
    more = dict.fromkeys(_area(made) for made in CALLS)
    return AREAS | {area: area.capitalize() for area in more if area not in AREAS}


def _area(made: Call) -> str:
    return made.path.split("/")[1]


def _operation(made: Call, references: References) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": made.name,
        "summary": made.summary,
        "description": made.about,
        "tags": [_areas()[_area(made)]],
        "responses": _responses(made, references),
    }
    if parameters := _parameters(made):
        operation["parameters"] = parameters
    if body := made.documented_body or made.body:
        content: dict[str, Any] = {"schema": references[body]}
        if made.example is not None:
            content["example"] = made.example
        operation["requestBody"] = {"required": True, "content": {"application/json": content}}
    elif made.takes:
        file = {"schema": {"type": "string", "format": "binary"}}
        operation["requestBody"] = {"required": True, "content": dict.fromkeys(made.takes, file)}
    return operation


def _parameters(made: Call) -> list[dict[str, Any]]:
    in_path = [_PARAMETERS[name] for name in re.findall(r"\{(\w+)\}", made.path)]
    in_query = [] if made.query is None else _query(made.query)
    return in_path + in_query + [_IDEMPOTENCY_KEY for name in made.headers if name == "Idempotency-Key"]


def _query(model: type[BaseModel]) -> list[dict[str, Any]]:
    found = []
    for name, schema in model.model_json_schema()["properties"].items():
        plain = {key: value for key, value in schema.items() if key not in ("title", "description")}
        if options := [option for option in plain.pop("anyOf", []) if option != {"type": "null"}]:
            plain = options[0] | {key: value for key, value in plain.items() if value is not None}
        found.append(
            {"name": name, "in": "query", "description": schema.get("description", ""), "schema": plain}
        )
    return found


def _responses(made: Call, references: References) -> dict[str, Any]:
    answers: dict[str, Any] = {}
    for status, shape in made.shapes.items():
        answer: dict[str, Any] = {"description": _WORDS[status]}
        if shape is not None:
            answer["content"] = {"application/json": {"schema": references[shape]}}
        elif made.media != "application/json":
            answer["content"] = {made.media: {"schema": {"type": "string", "format": "binary"}}}
        answers[str(status)] = answer
    refusals = {str(status): {"$ref": f"#/components/responses/{status}"} for status in problems(made)}
    return answers | refusals


_WORDS = {200: "Done.", 201: "Added.", 202: "Taken; its status tells what becomes of it.", 204: "Erased."}


def _problem(status: int, references: References) -> dict[str, Any]:
    title = next(title for code, title in KINDS.values() if code == status)
    return {
        "description": title,
        "content": {"application/problem+json": {"schema": references[ProblemShape]}},
    }
