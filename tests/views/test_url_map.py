"""Every route of the application, found by itself: sign-in, role, CSRF token, and other accounts' things."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from sms import clock, contacts, labelling, senders, sending, suppression, template_texts
from sms.models import Account, ApiKey, Suppression, User
from sms.modules.appointment import diary, subscribing, waiting
from sms.modules.appointment.found import Found
from sms.modules.survey import enrolling, surveys
from sms.modules.survey.models import Answer
from tests.conftest import Program, sign_in

PUBLIC = {
    "static",
    "health.healthz",
    "signin.sign_in",
    "signin.enter",
    "signin.forgotten",
    "signin.send_link",
    "signin.choose_password",
    "signin.set_password",
    "devmail.mails",
    "appointment.give_out",
    "appointment.card",
}
"""What may be seen without a sign-in. Adding to this is a decision; that is why it stands here."""

OPEN_TO_PROGRAMS = {"api.openapi_json", "api.show_docs", "health.readyz", "health.metrics"}
"""What programs may read without a key."""

OWNERS = "/settings/"
EVERYBODYS = ("/settings/profile", "/settings/quick")
OPERATORS = "/settings/carriers"
OWNERS_SURVEYS = {
    "survey.create", "survey.edit", "survey.save", "survey.preview", "survey.try_out", "survey.start", "survey.begin",
    "survey.copy", "survey.pause", "survey.resume", "survey.end", "survey.delete",
}  # fmt: skip
"""What of surveys agents are kept from; they read results, and take over in their threads."""

OWNERS_CALENDARS = ("/appointments/calendars", "/appointments/feed")

OTHERS = {
    "name": "sandbox",
    "token": "none",
    "filename": "css/tokens.css",
    "number": "017139200",
    "key": "q1",
}
"""Arguments that are no ids of an account's things."""


@dataclass(frozen=True)
class Route:
    method: str
    path: str
    endpoint: str
    arguments: frozenset[str]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@pytest.fixture
def routes(app: Flask) -> list[Route]:
    return [
        Route(method, rule.rule, rule.endpoint, frozenset(rule.arguments))
        for rule in app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    ]


@pytest.fixture
def foreign(other_account: Account, stranger: User, app: Flask) -> dict[str, object]:
    """One of everything that belongs to another account, by the name of the argument that would lead to it."""
    message = sending.send(other_account, "0171 39200 33", "Ihr Wagen ist fertig.", by=stranger)
    contact, conversation = contacts.find_or_add(other_account, "+491713920033")
    suppression.suppress(other_account, "+491713920034", "agent")
    inspection = Found("HU-1", clock.now() + timedelta(days=3), ZoneInfo("Europe/Berlin"), "+491713920033")
    appointment = diary.put(other_account, inspection, "api")[0]
    waits = waiting.add(other_account, "+491713920035")
    calendar = subscribing.add(other_account, "Werkstatt", "https://kalender.example/werkstatt.ics")
    survey = surveys.create(other_account, "Werkstatt", {"questions": [{"key": "q1", "text": "Zufrieden?"}]})
    run = enrolling.try_out(survey, "+491713920033")
    answer = Answer.create(run=run, version=run.version_id, question="q1", raw="ja", answered_at=clock.now())
    return {
        "survey_id": survey.id,
        "run_id": run.id,
        "answer_id": answer.id,
        "reference": appointment.reference,
        "appointment_id": appointment.id,
        "calendar_id": calendar.id,
        "waiting_id": waits.id,
        "conversation_id": conversation.id,
        "message_id": message.id,
        "user_id": stranger.id,
        "sender_id": senders.add_name(other_account, "Autohaus").id,
        "template_id": template_texts.save(other_account, "Fertig", "Ihr Wagen ist fertig.").id,
        "label_id": labelling.save(other_account, "Werkstatt", 1).id,
        "suppression_id": Suppression.get(Suppression.account == other_account).id,
        "key_id": ApiKey.get(ApiKey.account == other_account).id,
    }


@pytest.fixture
def address(app: Flask, foreign: dict[str, object]) -> Callable[[Route], str]:
    """Builds the address of a route with another account's ids."""

    def build(route: Route) -> str:
        values = {name: _value(route, name, foreign) for name in route.arguments}
        with app.test_request_context():
            return app.url_map.bind("localhost").build(route.endpoint, values, method=route.method)

    return build


def _value(route: Route, name: str, foreign: dict[str, object]) -> object:
    if route.path.startswith("/api/") and name == "id":
        return foreign["conversation_id" if "/conversations/" in route.path else "message_id"]
    if route.path.startswith("/api/") and name == "number":
        return "00491713920033"
    return foreign.get(name) or OTHERS[name]


def is_keyed(route: Route) -> bool:
    machines = ("/api/", "/carriers/", "/media/")
    return route.path.startswith(machines) or route.endpoint in OPEN_TO_PROGRAMS


def behind_sign_in(routes: list[Route]) -> Iterator[Route]:
    return (r for r in routes if r.endpoint not in PUBLIC and not is_keyed(r))


def ask(client: FlaskClient, route: Route, path: str, **more: object) -> TestResponse:
    return client.open(path, method=route.method, **more)  # type: ignore[arg-type]


def test_every_argument_of_every_route_is_known_here(routes: list[Route], foreign: dict[str, object]) -> None:
    known = {*foreign, *OTHERS, "id"}
    unknown = {f"{r}: {name}" for r in routes for name in r.arguments - known}
    assert not unknown, "say in `foreign` what these are, so that other accounts' ids are tried"


def test_public_routes_are_all_there_and_no_more_are_marked(app: Flask, routes: list[Route]) -> None:
    endpoints = {r.endpoint for r in routes}
    assert endpoints >= PUBLIC | OPEN_TO_PROGRAMS
    marked = {e for e in endpoints if getattr(app.view_functions[e], "is_public", False)}
    assert marked <= PUBLIC | OPEN_TO_PROGRAMS


def test_every_page_asks_for_a_sign_in(
    visitor: FlaskClient, routes: list[Route], address: Callable[[Route], str]
) -> None:
    let_in = []
    for route in behind_sign_in(routes):
        answer = ask(visitor, route, address(route))
        if answer.status_code != 302 or not answer.headers["Location"].startswith("/sign-in?next="):
            let_in.append(f"{route}: {answer.status}")
    assert not let_in


def test_every_fragment_answers_an_ended_session_with_401_beside_the_page(
    visitor: FlaskClient, routes: list[Route], address: Callable[[Route], str]
) -> None:
    wrong = []
    for route in behind_sign_in(routes):
        answer = ask(visitor, route, address(route), headers={"HX-Request": "true"})
        if answer.status_code != 401 or answer.headers.get("HX-Retarget") != "#notices":
            wrong.append(f"{route}: {answer.status}")
    assert not wrong


def test_every_write_needs_the_csrf_token(
    app: Flask, operator: User, routes: list[Route], address: Callable[[Route], str]
) -> None:
    unprotected = []
    for route in routes:
        if route.method == "GET" or is_keyed(route):
            continue
        browser = sign_in(app, operator)
        answer = ask(browser, route, address(route), csrf=False)
        if answer.status_code != 400:
            unprotected.append(f"{route}: {answer.status}")
    assert not unprotected


def test_agents_are_kept_from_the_setup_and_owners_from_the_carriers(
    app: Flask, anna: User, owner: User, routes: list[Route], address: Callable[[Route], str]
) -> None:
    wrong = []
    for route in behind_sign_in(routes):
        needs_owner = route.path.startswith(OWNERS) and not route.path.startswith(EVERYBODYS)
        needs_owner = (
            needs_owner or route.endpoint in OWNERS_SURVEYS or route.path.startswith(OWNERS_CALENDARS)
        )
        needs_operator = route.path.startswith(OPERATORS)
        for user, forbidden in ((anna, needs_owner), (owner, needs_operator)):
            if not forbidden:
                continue
            answer = ask(sign_in(app, user), route, address(route))
            if answer.status_code != 403:
                wrong.append(f"{route} as {user.role}: {answer.status}")
    assert not wrong


def test_another_accounts_things_are_not_there(
    app: Flask,
    operator: User,
    routes: list[Route],
    address: Callable[[Route], str],
    foreign: dict[str, object],
) -> None:
    told = []
    for route in behind_sign_in(routes):
        if not route.arguments & foreign.keys():
            continue
        answer = ask(sign_in(app, operator), route, address(route))
        if answer.status_code != 404:
            told.append(f"{route}: {answer.status}")
    assert not told


def test_ids_that_no_database_can_hold_are_not_there(app: Flask, operator: User, routes: list[Route]) -> None:
    browser = sign_in(app, operator)
    wrong = []
    for route in behind_sign_in(routes):
        numbers = {name for name in route.arguments if name.endswith("_id")}
        if numbers:
            path = route.path
            for name in numbers:
                path = path.replace(f"<int:{name}>", "9" * 30)
            answer = ask(browser, route, path)
            if answer.status_code != 404:
                wrong.append(f"{route}: {answer.status}")
    assert not wrong


def test_programs_need_a_key_whatever_session_they_bring(
    app: Flask, operator: User, routes: list[Route], address: Callable[[Route], str]
) -> None:
    let_in = []
    browser = sign_in(app, operator)
    for route in routes:
        if not route.path.startswith("/api/") or route.endpoint in OPEN_TO_PROGRAMS:
            continue
        for headers in ({}, {"Authorization": "Bearer fdn_wrong"}, {"Authorization": "Basic eDp5"}):
            answer = ask(browser, route, address(route), headers=headers, json={})
            if answer.status_code != 401 or answer.mimetype != "application/problem+json":
                let_in.append(f"{route} {headers}: {answer.status}")
    assert not let_in


def test_another_accounts_things_are_not_there_for_programs(
    api: Program, routes: list[Route], address: Callable[[Route], str]
) -> None:
    told = []
    for route in routes:
        if not (route.path.startswith("/api/v1/") and route.arguments) or route.method == "PUT":
            continue
        answer = api.open(route.method, address(route))
        if answer.status_code != 404:
            told.append(f"{route}: {answer.status}")
    assert not told


def test_carriers_are_refused_without_a_signature(
    visitor: FlaskClient, routes: list[Route], address: Callable[[Route], str]
) -> None:
    let_in = []
    for route in routes:
        if not route.path.startswith("/carriers/"):
            continue
        for headers in ({}, {"X-Twilio-Signature": "AAAA"}):
            answer = ask(visitor, route, address(route), data={"MessageSid": "SM1"}, headers=headers)
            if answer.status_code != 403:
                let_in.append(f"{route} {headers}: {answer.status}")
    assert not let_in


def test_forged_media_addresses_lead_nowhere(visitor: FlaskClient) -> None:
    assert visitor.get("/media/none.wav").status_code == 404
