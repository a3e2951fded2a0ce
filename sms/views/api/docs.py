"""/api/v1/openapi.json and /api/docs: the same document for programs and for people, no key needed."""

import json
import shlex
from typing import Any

from flask import Response, current_app, render_template
from markupsafe import Markup, escape

from sms.views.api.frame import VERSION, blueprint, respond
from sms.views.api.frame import Answer as JsonAnswer
from sms.views.api.openapi import document
from sms.views.api.problem import KINDS


@blueprint.get(f"{VERSION}/openapi.json")
def openapi_json() -> Response:
    """Return the OpenAPI 3.1 document."""
    answer = respond(JsonAnswer(200, document()))
    answer.headers["Cache-Control"] = "public, max-age=300"
    answer.headers["Access-Control-Allow-Origin"] = "*"
    return answer


@blueprint.get("/docs")
def show_docs() -> str:
    """Show the document as a page."""
    return render_template("api/docs.html", **_page(document(), _origin()))


def _origin() -> str:
    return str(current_app.extensions["faden"].public_url)


def _page(api: dict[str, Any], origin: str) -> dict[str, Any]:
    operations = [
        _operation(path, method, operation, api, origin + api["servers"][0]["url"])
        for path, methods in api["paths"].items()
        for method, operation in methods.items()
    ]
    areas = [(tag["name"], [o for o in operations if tag["name"] in o["tags"]]) for tag in api["tags"]]
    schemas = [(name, _properties(schema)) for name, schema in sorted(api["components"]["schemas"].items())]
    return {
        "areas": areas,
        "schemas": schemas,
        "schema_notes": {
            name: schema.get("description", "") for name, schema in api["components"]["schemas"].items()
        },
        "problems": [(kind, status, title) for kind, (status, title) in KINDS.items()],
        "base": origin + api["servers"][0]["url"],
    }


def _operation(
    path: str, method: str, operation: dict[str, Any], api: dict[str, Any], base: str
) -> dict[str, Any]:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    return {
        "name": operation["operationId"],
        "method": method.upper(),
        "path": path,
        "summary": operation["summary"],
        "description": coded(operation["description"]),
        "tags": operation["tags"],
        "parameters": [
            {**p, "words": type_words(p["schema"]), "schema": _link(p["schema"])}
            for p in operation.get("parameters", [])
        ],
        "body": _properties(_resolved(content["schema"], api)) if content else [],
        "answers": [
            _answer(status, answer)
            for status, answer in operation["responses"].items()
            if "$ref" not in answer
        ],
        "refusals": [status for status, answer in operation["responses"].items() if "$ref" in answer],
        "curl": curl(method.upper(), base + path, content.get("example")),
    }


def _answer(status: str, answer: dict[str, Any]) -> dict[str, str]:
    schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
    return {"status": status, "description": answer["description"], "schema": _named(schema)}


def curl(method: str, url: str, example: Any) -> str:
    """Return a command line that makes the call."""
    url = url.replace("{id}", "4711").replace("{number}", "00491713920054")
    lines = [
        f"curl {'' if method == 'GET' else f'-X {method} '}{url}",
        '-H "Authorization: Bearer $FADEN_API_KEY"',
    ]
    if example is not None:
        body = json.dumps(example, ensure_ascii=False)
        lines += ["-H 'Content-Type: application/json'", f"-d {shlex.quote(body)}"]
    return " \\\n  ".join(lines)


def coded(text: str) -> Markup:
    """Return a description as HTML: what stands in backticks is code, everything else is escaped."""
    pieces = (
        Markup("<code>{}</code>").format(piece) if at % 2 else escape(piece)
        for at, piece in enumerate(text.split("`"))
    )
    return Markup("").join(pieces)


def _resolved(schema: dict[str, Any], api: dict[str, Any]) -> dict[str, Any]:
    name = _named(schema)
    return api["components"]["schemas"][name] if name else schema  # type: ignore[no-any-return]


def _named(schema: dict[str, Any]) -> str:
    return str(schema.get("$ref", "")).rpartition("/")[2]


def _properties(schema: dict[str, Any]) -> list[dict[str, Any]]:
    needed = schema.get("required", [])
    return [
        {
            "name": name,
            "words": type_words(inner),
            "schema": _link(inner),
            "required": name in needed,
            "description": coded(inner.get("description", "")),
        }
        for name, inner in schema.get("properties", {}).items()
    ]


def _link(schema: dict[str, Any]) -> str:
    """Return the name of the schema that a property is, or is a list of."""
    for inner in (schema, schema.get("items", {}), *schema.get("anyOf", [])):
        if name := _named(inner):
            return name
    return ""


def type_words(schema: dict[str, Any]) -> str:
    """Return a schema in a few words: "integer", "list of string", "one of auto, sms, voice", "time or null"."""
    if name := _named(schema):
        return name
    if "anyOf" in schema:
        return " or ".join(type_words(inner) for inner in schema["anyOf"])
    if "enum" in schema:
        return "one of " + ", ".join(str(value) for value in schema["enum"])
    if "const" in schema:
        return str(schema["const"])
    kind = schema.get("type", "any")
    if kind == "array":
        return f"list of {type_words(schema.get('items', {}))}"
    if schema.get("format") == "date-time":
        return "time"
    return " or ".join(kind) if isinstance(kind, list) else str(kind)
