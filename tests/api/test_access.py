"""Who may use the API, and what happens to requests that are no requests of ours."""

import pytest

from sms import accounts
from sms.models import ApiKey, Message
from sms.views.api.frame import CALLS
from tests.api.answers import problem_of

ADDRESSES = [
    (c.method, "/api/v1" + c.path.replace("{id}", "1").replace("{number}", "01713920054")) for c in CALLS
]


@pytest.mark.parametrize(("method", "path"), ADDRESSES)
def test_every_call_needs_a_key(app, method, path):
    answer = app.test_client().open(path, method=method, json={})
    assert problem_of(answer, 401)["errors"][0]["code"] == "no_key"
    assert answer.headers["WWW-Authenticate"].startswith("Bearer ")


@pytest.mark.parametrize(("method", "path"), ADDRESSES)
def test_a_signed_in_person_is_no_program(app, client, method, path):
    with client.session_transaction() as session:
        known = dict(session)
    program = app.test_client()
    with program.session_transaction() as session:
        session.update(known)
    assert app.test_client().get("/").status_code == 302
    problem_of(program.open(path, method=method, json={}), 401)


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "Bearer x",
        "Basic eDp5",
        "Bearer é",
        "bearer\tx",
        "Digest a=b",
        "=",
        "Bearer " + "x" * 5000,
    ],
)
def test_a_header_that_is_no_key_is_401(app, header):
    answer = app.test_client().get("/api/v1/messages", headers={"Authorization": header})
    problem_of(answer, 401)


def test_a_revoked_key_opens_nothing(api, account):
    row = ApiKey.get(ApiKey.account == account)
    accounts.revoke_api_key(account, row.id)
    answer = api.get("/api/v1/messages")
    assert problem_of(answer, 401)["errors"][0]["code"] == "wrong_key"
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


def test_unknown_addresses_are_problems(api):
    for path in (
        "/api/v1",
        "/api/",
        "/api",
        "/api/v1/nothing",
        "/api/v2/messages",
        "/api/v1/messages/",
        "/api/v1/campaigns",
    ):
        assert problem_of(api.get(path), 404)["errors"][0]["code"] == "no_such_path", path


def test_a_wrong_method_names_the_right_ones(api):
    answer = api.put("/api/v1/messages", {})
    problem = problem_of(answer, 405)
    assert "POST" in problem["errors"][0]["message"]
    assert set(answer.headers["Allow"].split(", ")) >= {"GET", "POST"}


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "", "multipart/form-data; boundary=x"]
)
def test_a_body_that_is_not_declared_as_json_is_415(api, kind):
    answer = api.post("/api/v1/preview", data=b'{"text": "a"}', content_type=kind)
    problem_of(answer, 415)


@pytest.mark.parametrize(
    "kind", ["application/json", "application/json; charset=utf-8", "application/vnd.faden+json"]
)
def test_json_is_taken_by_any_of_its_names(api, kind):
    assert api.post("/api/v1/preview", data=b'{"text": "a"}', content_type=kind).status_code == 200


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "not_json"),
        (b"{", "not_json"),
        (b"{'text': 'a'}", "not_json"),
        (b'{"text": "a",}', "not_json"),
        (b'{"text": "a\x00"}', "not_json"),
        (b'{"text": "\xff"}', "not_utf8"),
        (b'{"text": "\xed\xa0\x80"}', "not_utf8"),
        ('{"text": "a"}'.encode("utf-16"), "not_utf8"),
        (b'{"text": "a", "text": "b"}', "duplicate_name"),
        (b'{"text": NaN}', "not_finite"),
        (b'{"text": -Infinity}', "not_finite"),
        (b'{"text": 1e999}', "not_finite"),
        (b'{"text": ' + b"9" * 5000 + b"}", "number_too_long"),
        (b'{"text": ' + b"[" * 50 + b"]" * 50 + b"}", "too_deep"),
        (b'{"text": ' + b"[" * 200_000 + b"]" * 200_000 + b"}", "too_deep"),
        (b'{"a":' * 90_000 + b"1" + b"}" * 90_000, "too_deep"),
    ],
)
def test_a_body_that_is_no_clean_json_is_400(api, body, code):
    answer = api.post("/api/v1/preview", data=body, content_type="application/json")
    assert problem_of(answer, 400)["errors"][0]["code"] == code


@pytest.mark.parametrize("body", [b"[]", b'"text"', b"null", b"7", b"true"])
def test_a_body_that_is_no_object_is_422(api, body):
    answer = api.post("/api/v1/preview", data=body, content_type="application/json")
    assert problem_of(answer, 422)["errors"][0]["code"] == "not_an_object"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b'{"text": "\\ud800"}', "text"),
        (b'{"text": "\\udc00\\ud800"}', "text"),
        (b'{"text": "a", "to": "\\ud800"}', "to"),
        (b'{"text": "a", "fields": {"\\ud800": "b"}}', "fields"),
        (b'{"\\ud800": "b"}', ""),
    ],
)
def test_half_a_character_is_refused_where_it_stands(api, body, field):
    answer = api.post("/api/v1/preview", data=body, content_type="application/json")
    assert [(e["field"], e["code"]) for e in problem_of(answer, 422)["errors"]] == [(field, "surrogate")]


def test_a_byte_order_mark_is_forgiven(api):
    body = b'\xef\xbb\xbf{"text": "a"}'
    assert api.post("/api/v1/preview", data=body, content_type="application/json").status_code == 200


def test_a_body_over_one_megabyte_is_413_and_stores_nothing(api):
    body = {"to": "0171 3920054", "text": "a", "fields": {"x": "y" * 1_000_000}}
    problem_of(api.post("/api/v1/messages", body), 413)
    assert Message.select().count() == 0


def test_a_compressed_body_is_told_that_it_cannot_be_read(api):
    answer = api.post("/api/v1/preview", {"text": "a"}, headers={"Content-Encoding": "gzip"})
    problem_of(answer, 415)


def test_problems_are_english_or_german_as_the_program_asks(api):
    english = problem_of(api.post("/api/v1/preview", {}), 422)
    german = problem_of(
        api.post("/api/v1/preview", {}, headers={"Accept-Language": "de-DE, de;q=0.9, en;q=0.5"}), 422
    )
    assert english["errors"][0]["message"] == "This field is missing."
    assert german["errors"][0]["message"] == "Diese Angabe fehlt."
    assert german["title"] == "Die Anfrage kann so nicht verwendet werden."
    assert english["errors"][0]["code"] == german["errors"][0]["code"]


def test_a_fault_is_a_problem_with_a_reference_and_no_trace(app, api, monkeypatch, caplog):
    def broken(*args: object, **more: object) -> None:
        raise RuntimeError("a secret detail")

    app.config["PROPAGATE_EXCEPTIONS"] = False
    monkeypatch.setattr("sms.checking.preview", broken)
    problem = problem_of(api.post("/api/v1/preview", {"text": "a"}), 500)
    assert "secret detail" not in str(problem)
    reference = caplog.records[-1].getMessage().split()[1]
    assert reference in problem["detail"]


def test_answers_are_not_kept_by_caches_and_set_no_cookie(api):
    answer = api.post("/api/v1/preview", {"text": "a"})
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in answer.headers
