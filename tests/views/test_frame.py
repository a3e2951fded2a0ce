"""What every page and every answer wears, and the pages for everything that goes wrong."""

import json
import logging
import re
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from sms.config import Settings, load
from sms.db import database
from sms.models import User
from sms.refusal import Conflict, Refused
from tests.browser import problems
from tests.conftest import Program


@pytest.fixture
def trouble(app: Flask) -> Flask:
    """The application with pages that go wrong in every way, and faults shown as people see them."""
    from sms.views.gate import public

    app.config["PROPAGATE_EXCEPTIONS"] = False
    app._got_first_request = False

    @public
    def fault() -> str:
        raise RuntimeError("geheim: 00491713920010")

    @public
    def late() -> str:
        raise Conflict("too_late_to_cancel", status="sent")

    @public
    def refused() -> str:
        raise Refused("text", "too_long", limit=1500)

    @public
    def half() -> str:
        "\ud800".encode()
        return ""

    for view in (fault, late, refused, half):
        app.add_url_rule(f"/test/{view.__name__}", view.__name__, view, methods=["GET", "POST"])
        app.add_url_rule(f"/api/test/{view.__name__}", f"api_{view.__name__}", view)
    return app


def test_every_answer_carries_the_security_headers(visitor: FlaskClient) -> None:
    for path in ("/sign-in", "/nowhere", "/healthz", "/static/css/tokens.css", "/api/v1/messages"):
        headers = visitor.get(path).headers
        csp = headers["Content-Security-Policy"]
        assert "default-src 'none'" in csp
        assert "frame-ancestors 'none'" in csp
        assert "unsafe" not in csp
        assert re.search(r"script-src 'nonce-[\w-]{20,}';", csp)
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"


def test_no_two_answers_share_a_nonce(visitor: FlaskClient) -> None:
    policies = {visitor.get("/sign-in").headers["Content-Security-Policy"] for _ in range(5)}
    assert len(policies) == 5


def test_plain_http_gets_no_hsts_and_https_does(visitor: FlaskClient, tmp_path: Path) -> None:
    from app import create_app

    assert "Strict-Transport-Security" not in visitor.get("/healthz").headers
    https = load({"FADEN_DATA": str(tmp_path / "other"), "FADEN_PUBLIC_URL": "https://sms.example.com"})
    secure = create_app(https)
    assert "max-age=31536000" in secure.test_client().get("/healthz").headers["Strict-Transport-Security"]
    assert secure.config["SESSION_COOKIE_SECURE"]
    assert secure.config["REMEMBER_COOKIE_SECURE"]


def test_session_cookie_is_out_of_reach_for_scripts_and_other_sites(visitor: FlaskClient) -> None:
    cookie = visitor.get("/sign-in").headers["Set-Cookie"]
    assert cookie.startswith("faden=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_pages_are_not_kept_by_caches_and_fingerprinted_files_are(client: FlaskClient) -> None:
    page = client.get("/settings/profile")
    assert page.headers["Cache-Control"] == "no-store"
    sheet = re.search(r'href="(/static/css/tokens\.css\?v=\w{12})"', page.get_data(as_text=True))
    assert sheet
    kept = client.get(sheet[1])
    assert kept.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert client.get("/static/css/nothing.css?v=1").headers["Cache-Control"] != kept.headers["Cache-Control"]


def test_process_is_alive_without_a_database(visitor: FlaskClient) -> None:
    database.close()
    try:
        answer = visitor.get("/healthz")
        assert answer.status_code == 200
        assert database.is_closed()
    finally:
        database.connect(reuse_if_open=True)


def test_connection_goes_back_to_the_pool_after_a_page_and_after_a_fault(trouble: Flask) -> None:
    database.close()
    try:
        browser = trouble.test_client()
        for path in ("/sign-in", "/nowhere", "/test/fault"):
            browser.get(path)
            assert database.is_closed(), path
    finally:
        database.connect(reuse_if_open=True)


@pytest.mark.parametrize("locale", ["de", "en"])
@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/nowhere", 404),
        ("/test/fault", 500),
        ("/test/late", 409),
        ("/test/refused", 422),
        ("/test/half", 422),
    ],
)
def test_errors_are_pages_in_the_readers_language(
    trouble: Flask, path: str, status: int, locale: str
) -> None:
    answer = trouble.test_client().get(path, headers={"Accept-Language": locale})
    assert answer.status_code == status
    assert f'<html lang="{locale}"' in answer.get_data(as_text=True)
    assert problems(answer) == []


def test_fault_shows_a_reference_and_nothing_else(trouble: Flask, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "sms.errors"):
        page = trouble.test_client().get("/test/fault").get_data(as_text=True)
    reference = re.search(r'<strong class="num">(\w{8})</strong>', page)
    assert reference
    assert "geheim" not in page
    assert "Traceback" not in page
    assert f"fault {reference[1]} at GET fault" in caplog.text


def test_conflict_says_what_came_first(trouble: Flask) -> None:
    page = trouble.test_client().get("/test/late").get_data(as_text=True)
    assert "Zu spät: Diese Nachricht ist schon unterwegs." in page


def test_errors_of_fragments_go_beside_the_page(trouble: Flask) -> None:
    answer = trouble.test_client().get("/test/late", headers={"HX-Request": "true"})
    assert answer.status_code == 409
    assert answer.headers["HX-Retarget"] == "#notices"
    assert answer.headers["HX-Reswap"] == "innerHTML"
    html = answer.get_data(as_text=True)
    assert "<html" not in html
    assert 'role="alert"' in html


@pytest.mark.parametrize(
    ("path", "status"), [("/api/nowhere", 404), ("/api/test/fault", 500), ("/api/test/late", 409)]
)
def test_errors_for_programs_are_problems(trouble: Flask, path: str, status: int) -> None:
    answer = trouble.test_client().get(path)
    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"
    body = json.loads(answer.data)
    assert body["status"] == status
    assert body["title"]
    assert "geheim" not in answer.get_data(as_text=True)


def test_ended_session_in_a_fragment_offers_the_way_back(visitor: FlaskClient) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "http://localhost/conversations/7?view=mine"}
    answer = visitor.post("/conversations/7/messages", data={"text": "Guten Tag"}, headers=headers)
    assert answer.status_code == 401
    html = answer.get_data(as_text=True)
    assert 'href="/sign-in?next=/conversations/7?view%3Dmine"' in html
    assert "data-keep-typed" in html


def test_wrong_method_names_the_right_ones(client: FlaskClient) -> None:
    answer = client.post("/settings/team/1/nothing")
    assert answer.status_code == 404
    answer = client.get("/sign-out")
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]


def test_megabyte_of_text_is_too_large(client: FlaskClient) -> None:
    answer = client.post("/settings/profile", data={"name": "A" * 1_100_000})
    assert answer.status_code == 413
    assert "mehr als ein Megabyte" in answer.get_data(as_text=True)


@pytest.mark.parametrize("junk", [b"%00", b"%ff", b"%ed%a0%80", b"\xff", b"%c3"])
def test_bytes_that_are_no_text_are_refused(client: FlaskClient, anna: User, junk: bytes) -> None:
    body = b"name=Anna" + junk
    answer = client.post("/settings/profile", data=body, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 422
    assert "Zeichen, die kein Text sind" in answer.get_data(as_text=True)
    assert User.get_by_id(anna.id).name == "Anna Weber"


def test_bytes_that_are_no_text_are_refused_in_addresses_too(client: FlaskClient) -> None:
    assert client.get("/settings/senders/preview.wav?spoken=%00").status_code in (403, 422)
    assert client.get("/inbox?q=%ff").status_code == 422


def test_form_of_an_old_page_is_told_so_and_changes_nothing(client: FlaskClient, anna: User) -> None:
    answer = client.post("/settings/profile", data={"name": "X", "csrf_token": "alt"}, csrf=False)
    assert answer.status_code == 400
    assert "Diese Seite war zu lange offen." in answer.get_data(as_text=True)
    assert User.get_by_id(anna.id).name == "Anna Weber"


def test_pages_follow_the_persons_language_then_the_accounts(client: FlaskClient, anna: User) -> None:
    english_browser = {"Accept-Language": "en"}
    page = client.get("/settings/profile", headers=english_browser).get_data(as_text=True)
    assert '<html lang="de"' in page
    User.update(locale="en").where(User.id == anna.id).execute()
    assert '<html lang="en"' in client.get("/settings/profile").get_data(as_text=True)


def test_programs_are_spoken_to_in_english_unless_they_ask(api: Program) -> None:
    assert (
        "There is no such address" in api.get("/api/v1/nowhere").get_data(as_text=True)
        or api.get("/api/v1/nowhere").json["title"].isascii()
    )


def test_theme_is_the_persons(client: FlaskClient, anna: User) -> None:
    assert "data-theme" not in client.get("/settings/profile").get_data(as_text=True)
    client.post(
        "/settings/quick", data={"theme": "dark"}, headers={"Referer": "http://localhost/settings/profile"}
    )
    assert 'data-theme="dark"' in client.get("/settings/profile").get_data(as_text=True)
    client.post("/settings/quick", data={"theme": "system"})
    assert "data-theme" not in client.get("/settings/profile").get_data(as_text=True)


def test_rail_shows_phones_in_the_demo_only(client: FlaskClient, settings: Settings) -> None:
    page = client.get("/settings/profile").get_data(as_text=True)
    assert f'href="{settings.sandbox_url}/"' in page


def test_proofreader_finds_what_is_wrong(app: Flask) -> None:
    bad = (
        "<!doctype html><html><head><title></title></head><body><h1>A</h1><h1>B</h1>"
        '<p id="x" style="color:red"></p><p id="x"></p><input name="n"><label for="gone">L</label>'
        '<script>1</script><button onclick="x()">b</button></div></body></html>'
    )
    app.add_url_rule("/test/bad", "bad", lambda: bad)
    app.view_functions["bad"].is_public = True  # type: ignore[attr-defined]
    found = " ".join(problems(app.test_client().get("/test/bad")))
    for word in (
        "style",
        "twice",
        "no label",
        "gone",
        "nonce",
        "onclick",
        "no title",
        "lang",
        "2 h1",
        "closes nothing",
    ):
        assert word in found, word
