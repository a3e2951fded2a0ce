"""The OpenAPI document and its page: complete, sound, readable without a key."""

import json
import re

import pytest

from sms import i18n
from sms.views.api.frame import CALLS
from sms.views.api.problem import KINDS, SENTENCES
from sms.views.api.shapes import REASONS

METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}
DIALECT = {
    "$ref", "type", "enum", "const", "properties", "required", "additionalProperties", "propertyNames", "items", "anyOf",
    "description", "default", "examples", "format", "minimum", "maximum", "minLength", "maxLength", "maxItems",
    "maxProperties", "title",
}  # fmt: skip
CONTRACT = {
    ("post", "/preview"), ("post", "/messages"), ("get", "/messages/{id}"), ("post", "/messages/{id}/cancel"),
    ("post", "/messages/{id}/retry"), ("get", "/messages"), ("get", "/conversations"), ("get", "/conversations/{id}"),
    ("get", "/conversations/{id}/messages"), ("get", "/contacts/{number}"), ("put", "/contacts/{number}"),
    ("delete", "/contacts/{number}"), ("post", "/messages/batch"),
}  # fmt: skip


@pytest.fixture
def document(app):
    answer = app.test_client().get("/api/v1/openapi.json")
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    return answer.json


def operations(document):
    return [(m, p, o) for p, item in document["paths"].items() for m, o in item.items()]


def walk(value, path="#"):
    yield path, value
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield from walk(item, f"{path}/{str(key).replace('~', '~0').replace('/', '~1')}")


def schemas(document):
    """Every schema of the document with its place."""

    def inside(path, schema):
        yield path, schema
        for name, inner in schema.get("properties", {}).items():
            yield from inside(f"{path}/{name}", inner)
        for key in ("items", "additionalProperties", "propertyNames"):
            if isinstance(schema.get(key), dict):
                yield from inside(f"{path}/{key}", schema[key])
        for at, inner in enumerate(schema.get("anyOf", [])):
            yield from inside(f"{path}/{at}", inner)

    for path, value in walk(document):
        if isinstance(value, dict) and isinstance(value.get("schema"), dict):
            yield from inside(f"{path}/schema", value["schema"])
    for name, schema in document["components"]["schemas"].items():
        yield from inside(f"#/components/schemas/{name}", schema)


def test_every_call_of_the_contract_is_documented_and_routed(app, document):
    assert {(m, p) for m, p, _ in operations(document)} >= CONTRACT
    routed = {
        (method.lower(), re.sub(r"<\w+:(\w+)>", r"{\1}", rule.rule).removeprefix("/api/v1"))
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/v1/") and rule.endpoint != "api.openapi_json"
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    assert routed == {(m, p) for m, p, _ in operations(document)}


def test_the_document_has_the_form_of_openapi_3_1(document):
    assert document["openapi"].startswith("3.1.")
    assert set(document) <= {
        "openapi",
        "jsonSchemaDialect",
        "info",
        "servers",
        "security",
        "tags",
        "paths",
        "components",
    }
    assert {"title", "version"} <= set(document["info"])
    ids = [o["operationId"] for _, _, o in operations(document)]
    assert len(ids) == len(set(ids)) == len(CALLS)
    tags = {tag["name"] for tag in document["tags"]}
    for method, path, operation in operations(document):
        assert method in METHODS
        assert path.startswith("/")
        assert set(operation) <= {
            "operationId",
            "summary",
            "description",
            "tags",
            "parameters",
            "requestBody",
            "responses",
        }
        assert set(operation["tags"]) <= tags
        assert operation["summary"]
        assert operation["description"]
        assert all(re.fullmatch(r"[1-5]\d\d", status) for status in operation["responses"])
        for answer in operation["responses"].values():
            assert "$ref" in answer or answer["description"]


def test_every_parameter_in_an_address_is_described(document):
    for _, path, operation in operations(document):
        described = [(p["name"], p["in"]) for p in operation.get("parameters", [])]
        assert len(described) == len(set(described))
        assert {n for n, where in described if where == "path"} == set(re.findall(r"\{(\w+)\}", path))
        assert all(p["required"] for p in operation.get("parameters", []) if p["in"] == "path")


def test_every_reference_leads_somewhere(document):
    known = {path for path, _ in walk(document)}
    references = [
        v["$ref"] for _, v in walk(document) if isinstance(v, dict) and isinstance(v.get("$ref"), str)
    ]
    assert references
    assert set(references) <= known


def test_schemas_use_only_words_of_json_schema_2020_12(document):
    seen = 0
    for path, schema in schemas(document):
        seen += 1
        assert set(schema) <= DIALECT, path
        kinds = schema.get("type", [])
        kinds = kinds if isinstance(kinds, list) else [kinds]
        assert set(kinds) <= {"string", "integer", "number", "boolean", "object", "array", "null"}, path
        assert set(schema.get("required", [])) <= set(schema.get("properties", {})), path
    assert seen > 100


def test_the_document_is_the_same_every_time(app, document):
    assert json.dumps(app.test_client().get("/api/v1/openapi.json").json) == json.dumps(document)


def test_the_page_shows_every_call_without_a_sign_in(visitor, document):
    page = visitor.get("/api/docs")
    html = page.get_data(as_text=True)
    assert page.status_code == 200
    for _, path, operation in operations(document):
        assert f'id="{operation["operationId"]}"' in html
        assert path in html
    assert "<script" not in html
    assert "$FADEN_API_KEY" in html


def test_every_kind_of_problem_is_explained_where_its_type_points(visitor):
    html = visitor.get("/api/docs").get_data(as_text=True)
    ids = re.findall(r'id="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    for kind in KINDS:
        assert f"problem-{kind}" in ids
    assert {target for target in re.findall(r'href="#([^"]+)"', html) if not target.startswith("i-")} <= set(
        ids
    )


@pytest.mark.parametrize(
    "sentence", [*SENTENCES.values(), *REASONS.values(), *(title for _, title in KINDS.values())]
)
def test_every_sentence_of_the_api_exists_in_german(app, sentence):
    assert i18n.gettext(sentence, "de") != sentence


def test_the_page_speaks_german(visitor):
    html = visitor.get("/api/docs", headers={"Accept-Language": "de"}).get_data(as_text=True)
    assert '<html lang="de"' in html
    assert "Erste Schritte" in html
