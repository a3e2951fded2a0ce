"""websms, coming in: raw callbacks beside what they mean, and who may have sent them."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms.carriers import build
from sms.carriers.contract import (
    CallReport,
    Carrier,
    IncomingText,
    Reason,
    TextReport,
    WebhookError,
    WebhookRequest,
)
from sms.carriers.websms_codes import ENDINGS
from sms.config import CarrierConfig

ORIGIN = "https://sms.praxis.example"
SECRET, OLD = "the-new-secret-of-2026", "the-old-secret-of-2025"
TRANSFER = "0056b1ae0002fa1ee2e5"


def raw(
    body: Any, path: str = f"/carriers/websms/inbound?secret={SECRET}", remote: str = ""
) -> WebhookRequest:
    url = ORIGIN + path
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    query = tuple(parse_qsl(urlsplit(url).query, keep_blank_values=True))
    return WebhookRequest("POST", url, {"Content-Type": "application/json"}, (), query, content, remote)


def websms(**options: object) -> Carrier:
    own = {"access_token": "t0ken", "callback_secret": [SECRET, OLD], **options}
    return build(CarrierConfig("websms", "websms", options=own))


@pytest.fixture(scope="module")
def carrier() -> Carrier:
    return websms()


# Who may have sent it

ADDRESSES = [
    ("as a parameter", f"/carriers/websms/inbound?secret={SECRET}", True),
    ("the old one", f"/carriers/websms/inbound?secret={OLD}", True),
    ("as part of the path", f"/carriers/websms/{SECRET}/inbound", True),
    ("as the last part of the path", f"/carriers/websms/inbound/{SECRET}", True),
    ("beside our key", f"/carriers/websms/status?key=k3y&secret={SECRET}", True),
    ("escaped", "/carriers/websms/inbound?secret=the%2Dnew-secret-of-2026", True),
    ("none", "/carriers/websms/inbound", False),
    ("empty", "/carriers/websms/inbound?secret=", False),
    ("almost", f"/carriers/websms/inbound?secret={SECRET[:-1]}", False),
    ("longer", f"/carriers/websms/inbound?secret={SECRET}x", False),
    ("another case", f"/carriers/websms/inbound?secret={SECRET.upper()}", False),
    ("under another name", f"/carriers/websms/inbound?key={SECRET}", False),
    ("in the fragment", f"/carriers/websms/inbound#{SECRET}", False),
    ("inside a longer part", f"/carriers/websms/x{SECRET}/inbound", False),
    ("no letters", "/carriers/websms/inbound?secret=%00%ff%f0%9f%98%80", False),
]


@pytest.mark.parametrize(("path", "good"), [row[1:] for row in ADDRESSES], ids=[row[0] for row in ADDRESSES])
def test_only_an_address_with_the_secret_is_believed(path: str, good: bool, carrier: Carrier) -> None:
    assert carrier.verify(raw({}, path)) is good


def test_the_secret_in_body_or_header_counts_for_nothing(carrier: Carrier) -> None:
    request = raw({"secret": SECRET}, "/carriers/websms/inbound")
    assert not carrier.verify(replace(request, headers={"secret": SECRET}, form=(("secret", SECRET),)))


CALLERS = [
    ("of the list", "192.0.2.7", True),
    ("one address of the list", "198.51.100.1", True),
    ("IPv6", "2001:db8::7", True),
    ("IPv4 spelled as IPv6", "::ffff:192.0.2.7", True),
    ("a neighbour", "198.51.100.2", False),
    ("another network", "203.0.113.5", False),
    ("nobody knows", "", False),
    ("no address", "websms.example", False),
]


@pytest.mark.parametrize(("remote", "good"), [row[1:] for row in CALLERS], ids=[row[0] for row in CALLERS])
def test_where_there_is_a_list_only_its_callers_are_believed(remote: str, good: bool) -> None:
    carrier = websms(callback_addresses="192.0.2.0/24, 198.51.100.1, 2001:db8::/32")
    assert carrier.verify(raw({}, remote=remote)) is good
    assert not carrier.verify(raw({}, "/carriers/websms/inbound?secret=wrong-wrong-wrong", remote))


def test_a_header_cannot_put_a_caller_on_the_list() -> None:
    carrier = websms(callback_addresses="192.0.2.0/24")
    request = replace(raw({}, remote="203.0.113.5"), headers={"X-Forwarded-For": "192.0.2.7"})
    assert not carrier.verify(request)


@given(path=st.text(), query=st.lists(st.tuples(st.text(), st.text())), remote=st.text())
def test_no_callback_makes_verify_raise(path: str, query: list[tuple[str, str]], remote: str) -> None:
    for carrier in (websms(), websms(callback_addresses="192.0.2.0/24")):
        request = WebhookRequest("POST", f"{ORIGIN}/{path}", {}, (), tuple(query), b"", remote)
        assert carrier.verify(request) in (True, False)


# Texts

INBOUND: dict[str, Any] = {
    "messageType": "text",
    "notificationId": "0131f4a10001a2b3c4d5",
    "senderAddress": "4917139200540",
    "senderAddressType": "international",
    "recipientAddress": "4917139200100",
    "recipientAddressType": "international",
    "textMessageContent": "Ja, gern! 😀",
    "messageFlashSms": False,
    "userDataHeaderPresent": False,
    "sentOn": "2026-03-30T09:00:00.000+02:00",
}

TEXTS = [
    ("an answer", {}, ("+4917139200540", "+4917139200100", "Ja, gern! 😀")),
    (
        "with a plus",
        {"senderAddress": "+4917139200540"},
        ("+4917139200540", "+4917139200100", "Ja, gern! 😀"),
    ),
    ("empty", {"textMessageContent": ""}, ("+4917139200540", "+4917139200100", "")),
    ("no text", {"textMessageContent": None}, ("+4917139200540", "+4917139200100", "")),
    (
        "a short code",
        {"recipientAddress": "80888", "recipientAddressType": "shortcode"},
        ("+4917139200540", "80888", "Ja, gern! 😀"),
    ),
    (
        "national",
        {"recipientAddress": "017139200100", "recipientAddressType": "national"},
        ("+4917139200540", "017139200100", "Ja, gern! 😀"),
    ),
    (
        "a name",
        {"senderAddress": "PAYPAL", "senderAddressType": "alphanumeric"},
        ("PAYPAL", "+4917139200100", "Ja, gern! 😀"),
    ),
    (
        "white space stays",
        {"textMessageContent": " a\r\nb "},
        ("+4917139200540", "+4917139200100", " a\r\nb "),
    ),
    ("NUL goes", {"textMessageContent": "a\x00b"}, ("+4917139200540", "+4917139200100", "ab")),
    ("half an emoji", {"textMessageContent": "a\ud83d"}, ("+4917139200540", "+4917139200100", "a\ufffd")),
]


@pytest.mark.parametrize(("change", "expected"), [row[1:] for row in TEXTS], ids=[row[0] for row in TEXTS])
def test_a_text_is_read(change: dict[str, Any], expected: tuple[str, str, str], carrier: Carrier) -> None:
    text = carrier.parse_text(raw({**INBOUND, **change}))
    assert isinstance(text, IncomingText)
    assert (text.sender, text.to, text.text) == expected
    assert text.reference == "0131f4a10001a2b3c4d5"


@pytest.mark.parametrize(
    ("sent_on", "expected"),
    [
        ("2026-03-30T09:00:00.000+02:00", datetime(2026, 3, 30, 7, tzinfo=UTC)),
        ("2026-03-30T07:00:00Z", datetime(2026, 3, 30, 7, tzinfo=UTC)),
        ("2026-03-30T07:00:00", None),
        ("yesterday", None),
        (7, None),
        (None, None),
    ],
)
def test_only_a_time_with_a_zone_is_a_moment(
    sent_on: object, expected: datetime | None, carrier: Carrier
) -> None:
    assert carrier.parse_text(raw({**INBOUND, "sentOn": sent_on})).at == expected


def test_what_else_came_is_kept_without_text_and_numbers(carrier: Carrier) -> None:
    text = carrier.parse_text(raw({**INBOUND, "transferId": TRANSFER, "surprise": "Ja, gern!"}))
    assert text.raw["transferId"] == TRANSFER
    for private in ("Ja, gern", "17139200540", "17139200100"):
        assert private not in str(text.raw)
    assert "Ja, gern" not in repr(text)


# Reports

REPORT: dict[str, Any] = {
    "messageType": "deliveryReport",
    "notificationId": "0131f4a10001a2b3c4d6",
    "transferId": TRANSFER,
    "clientMessageId": "k3y",
    "senderAddress": "4917139200540",
    "deliveryReportMessageStatus": "delivered",
    "deliveredOn": "2026-03-30T09:00:00.000+02:00",
    "deliveredAs": "sms",
}
STATUS = f"/carriers/websms/status?key=k3y&secret={SECRET}"
VOICE = f"/carriers/websms/voice/status?key=k3y&secret={SECRET}"

WORDS = [
    ("delivered", "delivered", "completed", None),
    ("undelivered", "undelivered", "no-answer", Reason.unreachable),
    ("expired", "undelivered", "no-answer", Reason.unreachable),
    ("deleted", "failed", "failed", Reason.other),
    ("rejected", "failed", "failed", Reason.filtered),
    ("accepted", None, "queued", None),
]


@pytest.mark.parametrize(("word", "text_status", "call_status", "reason"), WORDS)
def test_a_report_is_read(
    word: str, text_status: str | None, call_status: str, reason: Reason | None, carrier: Carrier
) -> None:
    body = {**REPORT, "deliveryReportMessageStatus": word}
    code = word if reason else None
    assert carrier.parse_report(raw(body, STATUS)) == TextReport(TRANSFER, "k3y", text_status, code, reason)
    assert carrier.parse_call_report(raw(body, VOICE)) == CallReport(
        TRANSFER, "k3y", call_status, code=code, reason=reason
    )


def test_every_word_of_the_table_is_proved() -> None:
    assert {row[0] for row in WORDS} == set(ENDINGS)


def test_the_key_comes_from_our_address_else_from_the_report(carrier: Carrier) -> None:
    elsewhere = {**REPORT, "clientMessageId": "0th3r"}
    assert carrier.parse_report(raw(elsewhere, STATUS)).key == "k3y"
    assert carrier.parse_report(raw(elsewhere, "/carriers/websms/status")).key == "0th3r"
    for odd in (None, "", 7, "a b", "x" * 65):
        report = {**REPORT, "clientMessageId": odd}
        assert carrier.parse_report(raw(report, "/carriers/websms/status")).key is None


BROKEN = [
    ("nothing", b""),
    ("no JSON", b"messageType=text"),
    ("a list", b"[]"),
    ("a number", b"7"),
    ("a thousand brackets", b"[" * 100_000),
    ("not UTF-8", b'{"messageType": "\xff"}'),
    ("too large", b" " * 200_001),
    ("no reference", {"messageType": "text", "deliveryReportMessageStatus": "delivered"}),
    ("a number as reference", {**INBOUND, **REPORT, "notificationId": 7, "transferId": 7, "messageType": "text"}),
    ("a reference with a blank", {**INBOUND, **REPORT, "messageType": "text", "notificationId": "a b", "transferId": "a b"}),
    ("another kind of thing", {**INBOUND, "messageType": "binary", "deliveryReportMessageStatus": "enroute"}),
]  # fmt: skip


@pytest.mark.parametrize("body", [row[1] for row in BROKEN], ids=[row[0] for row in BROKEN])
def test_what_lacks_the_necessary_is_refused(body: Any, carrier: Carrier) -> None:
    for parse in (carrier.parse_text, carrier.parse_report, carrier.parse_call_report):
        with pytest.raises(WebhookError):
            parse(raw(body))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(change=st.dictionaries(st.sampled_from(sorted({**INBOUND, **REPORT})), JSON))
def test_any_json_is_read_or_refused(change: dict[str, Any]) -> None:
    carrier = websms()
    for base, parse in (
        (INBOUND, carrier.parse_text),
        (REPORT, carrier.parse_report),
        (REPORT, carrier.parse_call_report),
    ):
        try:
            found = parse(raw({**base, **change}))
        except WebhookError:
            continue
        assert found.reference
        if isinstance(found, IncomingText):
            found.text.encode()
            assert "\x00" not in found.text + found.sender + found.to


def test_the_answer_is_the_one_that_stops_them_from_repeating(carrier: Carrier) -> None:
    answer = carrier.acknowledge()
    assert (answer.status, answer.content_type) == (200, "application/json")
    assert json.loads(answer.body)["statusCode"] == 2000
