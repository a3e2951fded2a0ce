"""Webhooks on a bad day: forged, replayed, broken, huge, and before our own request has been answered."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from sms import db, delivery, sending
from sms.carriers.contract import Outcome, OutcomeKind
from sms.models import Call, Change, Conversation, Inbound, Message, StatusEvent
from tests.carrier_side import MARGARETHE, POOL, CarrierSide, sid
from tests.outbox import claim_one

PATHS = (
    "inbound", "status", "voice/status", "voice/answer", "voice/keys", "voice/heard", "voice/incoming", "voice/recorded",
)  # fmt: skip


@pytest.fixture
def carrier(app: Any) -> Iterator[CarrierSide]:
    return CarrierSide(app)


@pytest.fixture
def sent(account, carrier: CarrierSide) -> Message:
    """A message that the carrier has taken."""
    message = sending.send(account, MARGARETHE, "Ihr Rezept liegt bereit.")
    claimed = claim_one()
    delivery.settle(claimed, Outcome(OutcomeKind.accepted, sid()))
    return Message.get_by_id(message.id)


def stored() -> tuple[int, ...]:
    return tuple(t.select().count() for t in (Inbound, Message, Conversation, Call, Change, StatusEvent))


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "headers", [{}, {"X-Twilio-Signature": "bm90IHRoZSBvbmU="}, {"X-Twilio-Signature": ""}]
)
def test_an_unsigned_callback_is_forbidden_and_leaves_nothing(carrier, account, path, headers):
    before = stored()
    body = f"MessageSid={sid()}&CallSid={sid('CA')}&From={MARGARETHE}&To={POOL[0]}&Body=Hallo"
    answer = carrier.send(f"/carriers/sandbox/{path}", body, headers)
    assert answer.status_code == 403
    assert answer.json["detail"] == "Signature missing or wrong. Nothing was stored."
    assert stored() == before


def test_a_signature_for_another_body_is_forbidden(carrier, account):
    form = {"MessageSid": sid(), "From": MARGARETHE, "To": POOL[0], "Body": "STOP"}
    good = carrier.post("/carriers/sandbox/inbound", form)
    assert good.status_code == 200
    headers = {"X-Twilio-Signature": good.request.headers["X-Twilio-Signature"]}
    changed = carrier.send("/carriers/sandbox/inbound", "MessageSid=SM1&From=%2B491713920042&Body=x", headers)
    assert changed.status_code == 403


def test_a_carrier_that_is_not_configured_is_unknown(carrier, account):
    assert carrier.post("/carriers/nobody/inbound", {"MessageSid": sid()}).status_code == 404


@pytest.mark.parametrize(
    "query", ["?a=%20b", "?a=%2Fb%3F", "?a=+b&a=2&c=", "?key=%C3%BC&x=%25", "?a=b%2bc", "?%61=b"]
)
def test_escapes_in_the_address_are_signed_as_they_stand(carrier, account, query):
    form = {"MessageSid": sid(), "From": MARGARETHE, "To": POOL[0], "Body": "Hallo"}
    assert carrier.post(f"/carriers/sandbox/inbound{query}", form).status_code == 200
    assert Message.get().text == "Hallo"


def test_escapes_in_the_path_are_signed_as_they_stand(carrier, account):
    form = {"MessageSid": sid(), "From": MARGARETHE, "To": POOL[0], "Body": "Hallo"}
    assert carrier.post("/carriers/sandb%6Fx/inbound", form).status_code in (200, 404)
    assert carrier.post("/carriers/sandbox/inbound", form).status_code == 200


def test_the_same_text_again_changes_nothing(carrier, account):
    form = {"MessageSid": sid(), "From": MARGARETHE, "To": POOL[0], "Body": "STOP"}
    assert carrier.post("/carriers/sandbox/inbound", form).status_code == 200
    before = stored()
    for _ in range(3):
        assert carrier.post("/carriers/sandbox/inbound", form).status_code == 200
    assert stored() == before


def test_the_same_report_again_changes_nothing(carrier, sent):
    assert carrier.report(sent, "delivered").status_code == 200
    before = stored()
    assert carrier.report(sent, "delivered").status_code == 200
    assert stored() == before


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "form",
    [
        {},
        {"nothing": "of use"},
        {"MessageSid": "", "CallSid": ""},
        {"MessageSid": "a b", "CallSid": "ü"},
        {"MessageSid": "x" * 5000, "CallSid": "x" * 5000},
    ],
)
def test_a_signed_callback_without_what_each_has_is_a_bad_request(carrier, account, path, form):
    before = stored()
    assert carrier.post(f"/carriers/sandbox/{path}?key=none", form).status_code == 400
    assert stored() == before


@pytest.mark.parametrize(
    "body", [b"\xff\xfe\x00", b"a=\xc3\xbc", b"{}", b"&".join([b"a=1"] * 600), b"%", b"=&=&"]
)
@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "application/json", "text/plain", ""])
def test_garbage_is_refused_and_never_a_fault(carrier, account, body, kind):
    before = stored()
    answer = carrier.send("/carriers/sandbox/inbound", body, {"X-Twilio-Signature": "x"}, content_type=kind)
    assert answer.status_code in (400, 403)
    assert stored() == before


def test_a_body_of_more_than_a_megabyte_is_refused(carrier, account):
    answer = carrier.send(
        "/carriers/sandbox/inbound", b"Body=" + b"x" * 1_100_000, {"X-Twilio-Signature": "x"}
    )
    assert answer.status_code == 413


def test_a_very_long_text_is_kept_in_part(carrier, account):
    assert carrier.text("a" * 200_000).status_code == 200
    assert len(Message.get().text) == 5000


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        ("Hallo\0 Welt", "Hallo Welt"),
        ("\0", ""),
        ("", ""),
        ("😀" * 3, "😀" * 3),
        ("u\u0308", "ü"),
        ("Zeile\r\nzwei", "Zeile\nzwei"),
        ("\u202eumgekehrt", "\u202eumgekehrt"),
    ],
)
def test_whatever_a_phone_can_send_is_kept(carrier, account, body, kept):
    assert carrier.text(body).status_code == 200
    assert Message.get().text == kept


def test_half_a_surrogate_pair_in_a_text_is_no_fault(carrier, account):
    body = f"MessageSid={sid()}&From=%2B491713920042&To=%2B491713920010&Body=%ED%A0%80"
    assert carrier.send("/carriers/sandbox/inbound", body, {"X-Twilio-Signature": "x"}).status_code == 403


@pytest.mark.parametrize(
    "sender", ["DHL", "12345", "Anonymous", "", "+266696687", "a" * 300, "\0", "Müller 24"]
)
def test_a_text_from_something_that_is_no_number_has_a_thread_too(carrier, account, sender):
    assert carrier.text("Ihre Sendung kommt heute.", sender).status_code == 200
    message = Message.get()
    assert message.text == "Ihre Sendung kommt heute."
    assert message.theirs
    assert message.conversation.contact.number == message.theirs


def test_reports_before_our_own_request_was_answered_count(account, carrier):
    message = sending.send(account, MARGARETHE, "Hallo")
    claimed = claim_one()
    reference = sid()
    assert carrier.report(message, "sent", reference).status_code == 200
    assert carrier.report(message, "delivered", reference).status_code == 200
    delivery.settle(claimed, Outcome(OutcomeKind.accepted, reference))
    settled = Message.get_by_id(message.id)
    assert (settled.status, settled.carrier_reference) == ("delivered", reference)


def test_a_report_of_a_failure_is_not_undone_by_the_late_answer_to_our_request(account, carrier):
    message = sending.send(account, MARGARETHE, "Hallo")
    claimed = claim_one()
    carrier.report(message, "undelivered", sid(), ErrorCode="30003")
    delivery.settle(claimed, Outcome(OutcomeKind.accepted, sid()))
    assert Message.get_by_id(message.id).status == "undelivered"


def test_a_report_for_a_message_nobody_knows_changes_nothing(carrier, account):
    before = stored()
    form = {"MessageSid": sid(), "MessageStatus": "delivered"}
    assert carrier.post("/carriers/sandbox/status?key=unheard-of", form).status_code == 200
    assert carrier.post("/carriers/sandbox/status", form).status_code == 200
    assert stored() == before


def test_a_report_without_our_key_is_found_by_the_carrier_s_reference(carrier, sent):
    form = {"MessageSid": sent.carrier_reference, "MessageStatus": "delivered"}
    assert carrier.post("/carriers/sandbox/status", form).status_code == 200
    assert Message.get_by_id(sent.id).status == "delivered"


def test_a_call_nobody_knows_is_unknown(carrier, account):
    for state in ("answer", "keys", "heard"):
        form = {"CallSid": sid("CA"), "From": "+493023125100", "To": "+493023125640", "Digits": "9"}
        assert carrier.post(f"/carriers/sandbox/voice/{state}?key=none", form).status_code == 404


def test_two_hundred_texts_at_once_all_arrive_once(app, account, carrier):
    """SQLite takes one writer at a time: whoever waits must not be told that the database is locked."""
    forms = [
        {"MessageSid": sid(), "From": f"+4917139200{n % 90 + 10}", "To": POOL[n % 3], "Body": f"Text {n}"}
        for n in range(200)
    ]
    sides = [CarrierSide(app) for _ in range(20)]

    def post(n: int) -> list[int]:
        """Send a twentieth of the texts, half of them twice."""
        own = forms[n::20] + forms[n::40]
        try:
            return [sides[n].post("/carriers/sandbox/inbound", form).status_code for form in own]
        finally:
            if not db.database.is_closed():
                db.database.close()

    with ThreadPoolExecutor(20) as crowd:
        statuses = [status for part in crowd.map(post, range(20)) for status in part]
    assert set(statuses) == {200}
    assert len(statuses) == 300
    assert sorted(m.text for m in Message.select()) == sorted(f["Body"] for f in forms)
    assert Conversation.select().count() == 90
