"""Whatever a program sends: an answer or a problem, never a fault."""

import json
import string

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sms.models import Contact, Message
from sms.views.api import shapes
from sms.views.api.frame import CALLS
from tests.api.answers import conforms, problem_of

FEW = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))

odd = st.text(st.characters(codec=None, categories=None), max_size=40) | st.sampled_from(
    [
        "",
        "\0",
        "\ud800",
        "\udfff\ud800",
        "{",
        "{name}",
        "{{}}",
        "{" * 50,
        "+",
        "0",
        "110",
        "+4917139200542",
        "👍🏽",
        "a\r\n",
        "NaN",
    ]
)
scalar = st.none() | st.booleans() | st.integers() | st.floats() | odd
anything = st.recursive(
    scalar, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(odd, inner, max_size=4), max_leaves=8
)
NAMES = ["to", "text", "sender", "channel", "send_at", "fields", "reference", "automated", "messages", "name"]
message = st.fixed_dictionaries(
    {"to": st.sampled_from(["0171 3920054", "030 23125417"]) | scalar, "text": odd | st.just("Hallo {a}")},
    optional={
        "sender": st.just("PRAXIS") | scalar,
        "channel": st.sampled_from(["auto", "sms", "voice", "fax"]) | scalar,
        "send_at": st.sampled_from(["2027-03-28T02:30", "2026-12-01T00:00:00Z", "9999-12-31T23:59:59+00:00"])
        | scalar,
        "fields": st.dictionaries(odd, scalar, max_size=4) | anything,
        "reference": odd | anything,
        "automated": st.booleans() | anything,
    },
)
body = message | st.dictionaries(st.sampled_from(NAMES) | odd, anything, max_size=5) | anything


def dumps(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=True).encode()


def answered(answer) -> None:
    if answer.status_code >= 400:
        assert answer.status_code < 500
        problem_of(answer, answer.status_code)
    elif answer.data:
        json.loads(answer.data)


@FEW
@given(value=body)
def test_preview_answers_any_body(api, value):
    answer = api.post("/api/v1/preview", data=dumps(value), content_type="application/json")
    answered(answer)
    if answer.status_code == 200:
        conforms(answer.json, shapes.PreviewShape)


@FEW
@given(value=body)
def test_messages_answers_any_body_and_stores_only_what_it_accepts(api, value):
    before = Message.select().count()
    answer = api.post("/api/v1/messages", data=dumps(value), content_type="application/json")
    answered(answer)
    assert Message.select().count() == before + (answer.status_code == 202)
    if answer.status_code == 202:
        shown = conforms(answer.json, shapes.MessageShape)
        assert api.get(f"/api/v1/messages/{shown['id']}").json == shown


@FEW
@given(values=st.lists(body, max_size=6))
def test_a_batch_answers_each_of_any_bodies(api, values):
    before = Message.select().count()
    answer = api.post(
        "/api/v1/messages/batch", data=dumps({"messages": values}), content_type="application/json"
    )
    answered(answer)
    if answer.status_code == 200:
        results = answer.json["results"]
        assert len(results) == len(values)
        assert Message.select().count() == before + sum("id" in r for r in results)


@FEW
@given(value=body | st.fixed_dictionaries({"name": odd, "fields": st.dictionaries(odd, scalar, max_size=3)}))
def test_a_contact_takes_any_body(api, value):
    answered(api.put("/api/v1/contacts/00491713920054", data=dumps(value), content_type="application/json"))
    assert Contact.select().count() <= 1


@FEW
@given(
    raw=st.binary(max_size=60),
    kind=st.sampled_from(["application/json", "text/plain", "application/json; charset=x"]),
)
def test_any_bytes_are_answered(api, raw, kind):
    answered(api.post("/api/v1/preview", data=raw, content_type=kind))


@pytest.mark.parametrize("made", [c for c in CALLS if c.query is not None], ids=lambda c: c.name)
@FEW
@given(data=st.data())
def test_lists_answer_any_parameters(api, made, data):
    given_ = data.draw(
        st.dictionaries(
            st.sampled_from([*made.query.model_fields, "other"]),
            st.text(max_size=30)
            | st.sampled_from(
                ["1", "0", "-1", "none", "\0", "WyJtIiwxXQ", "WyJjIiw5OTk5OTk5OTk5OTk5OTk5OTksMV0"]
            ),
            max_size=4,
        )
    )
    clean = {name: value.encode("utf-8", "replace").decode() for name, value in given_.items()}
    answered(api.get("/api/v1" + made.path.replace("{id}", "1"), query_string=clean))


@FEW
@given(number=st.text(max_size=40) | st.text(string.digits + "+/ -()", max_size=30))
def test_contacts_answer_any_number(api, number):
    from urllib.parse import quote

    number = number.encode("utf-8", "replace").decode()
    address = "/api/v1/contacts/" + quote(number, safe="")
    for answer in (api.get(address), api.put(address, {}), api.delete(address)):
        if answer.status_code != 308:
            answered(answer)


@FEW
@given(key=st.text(st.characters(max_codepoint=255, blacklist_characters="\r\n"), max_size=300))
def test_any_idempotency_key_is_answered(api, key):
    answered(
        api.post(
            "/api/v1/messages", {"to": "0171 3920054", "text": "Hallo"}, headers={"Idempotency-Key": key}
        )
    )


@FEW
@given(key=st.text(st.characters(max_codepoint=255, blacklist_characters="\r\n"), max_size=100))
def test_any_authorization_is_answered(app, key):
    problem_of(app.test_client().get("/api/v1/messages", headers={"Authorization": key}), 401)
    problem_of(app.test_client().get("/api/v1/messages", headers={"Authorization": f"Bearer {key}"}), 401)
