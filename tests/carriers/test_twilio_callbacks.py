"""Callbacks: raw requests beside what they mean, and who may have sent them."""

import base64
import hashlib
import hmac
from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from sms.carriers.contract import (
    CallAnswer,
    CallKeys,
    CallRecording,
    CallReport,
    IncomingCall,
    IncomingText,
    Reason,
    TextReport,
    WebhookError,
    WebhookRequest,
)
from sms.carriers.twilio import Twilio
from sms.carriers.twilio_callbacks import Signatures
from sms.carriers.twilio_codes import ANSWERED_BY, CALL_STATUS, CODES, TEXT_STATUS
from tests.carriers.conftest import SID, TOKEN

ORIGIN = "https://sms.praxis.example"
SM = "SM" + "a" * 32
CA = "CA" + "b" * 32
FORM = "application/x-www-form-urlencoded"


def raw(path: str, body: str = "", method: str = "POST", **headers: str) -> WebhookRequest:
    """A callback as a server sees it, not yet signed."""
    url = ORIGIN + path
    query = tuple(parse_qsl(urlsplit(url).query, keep_blank_values=True))
    form = tuple(parse_qsl(body, keep_blank_values=True)) if method == "POST" else ()
    return WebhookRequest(method, url, {"Content-Type": FORM, **headers}, form, query, body.encode())


def sign(request: WebhookRequest, token: str = TOKEN, digest: str = "sha1") -> WebhookRequest:
    """Sign as Twilio's page on security says; written without the SDK, so that the two check each other."""
    values: dict[str, set[str]] = {}
    for name, value in request.form:
        values.setdefault(name, set()).add(value)
    signed = request.url + "".join(name + value for name in sorted(values) for value in sorted(values[name]))
    mac = hmac.new(token.encode(), signed.encode(), digest).digest()
    return replace(request, headers={**request.headers, "X-Twilio-Signature": base64.b64encode(mac).decode()})


@pytest.fixture(scope="module")
def twilio() -> Twilio:
    from sms.carriers import build
    from sms.config import CarrierConfig

    options = {"account_sid": SID, "auth_token": [TOKEN, "the-secondary-token"], "shared_key": "shared"}
    carrier = build(CarrierConfig("twilio", "twilio", options=options))
    assert isinstance(carrier, Twilio)
    return carrier


# Texts

INBOUND = (
    f"ToCountry=DE&SmsMessageSid={SM}&NumMedia=0&SmsSid={SM}&SmsStatus=received&Body=Ja%2C+gern%21+%F0%9F%98%80"
    f"&To=%2B4917139200100&NumSegments=1&MessageSid={SM}&AccountSid={SID}&From=%2B4917139200540&ApiVersion=2010-04-01"
)

TEXTS = [
    ("an answer", INBOUND, ("+4917139200540", "+4917139200100", "Ja, gern! 😀")),
    (
        "no text, only a picture",
        f"MessageSid={SM}&From=%2B491&To=%2B4917139200100&NumMedia=1",
        ("+491", "+4917139200100", ""),
    ),
    (
        "a short code",
        f"MessageSid={SM}&From=80888&To=%2B4917139200100&Body=x",
        ("80888", "+4917139200100", "x"),
    ),
    ("a name", f"MessageSid={SM}&From=PAYPAL&To=%2B4917139200100&Body=x", ("PAYPAL", "+4917139200100", "x")),
    ("another channel", f"MessageSid={SM}&From=whatsapp%3A%2B49171&To=&Body=x", ("whatsapp:+49171", "", "x")),
    (
        "the old name of the sid",
        f"SmsSid={SM}&From=%2B4917139200540&To=%2B49171&Body=x",
        ("+4917139200540", "+49171", "x"),
    ),
    (
        "white space stays",
        f"MessageSid={SM}&From=%2B4917139200540&To=1&Body=+a%0D%0Ab+",
        ("+4917139200540", "1", " a\r\nb "),
    ),
    ("NUL goes", f"MessageSid={SM}&From=%2B4917139200540&To=1&Body=a%00b", ("+4917139200540", "1", "ab")),
    (
        "not UTF-8",
        f"MessageSid={SM}&From=%2B4917139200540&To=1&Body=a%ff",
        ("+4917139200540", "1", "a\ufffd"),
    ),
]


@pytest.mark.parametrize(("body", "expected"), [row[1:] for row in TEXTS], ids=[row[0] for row in TEXTS])
def test_a_text_is_read(body: str, expected: tuple[str, str, str], twilio: Twilio) -> None:
    text = twilio.parse_text(raw("/carriers/twilio/inbound", body))
    assert isinstance(text, IncomingText)
    assert (text.reference, text.sender, text.to, text.text) == (SM, *expected)


def test_what_else_came_is_kept_without_text_numbers_and_account(twilio: Twilio) -> None:
    text = twilio.parse_text(raw("/carriers/twilio/inbound", INBOUND + "&OptOutType=STOP&WaId=4917139200540"))
    assert text.raw["OptOutType"] == "STOP"
    assert text.raw["ToCountry"] == "DE"
    for private in ("Ja, gern", "17139200540", "17139200100", SID):
        assert private not in str(text.raw)
    assert "Ja, gern" not in repr(text)


def test_a_text_may_come_by_get(twilio: Twilio) -> None:
    text = twilio.parse_text(raw(f"/carriers/twilio/inbound?{INBOUND}", method="GET"))
    assert (text.reference, text.sender, text.text) == (SM, "+4917139200540", "Ja, gern! 😀")


# Reports

REPORTS = [
    # status, code -> status, reason, may a machine send again
    ("queued", "", None, None, False),
    ("accepted", "", None, None, False),
    ("scheduled", "", None, None, False),
    ("sending", "", "sent", None, False),
    ("sent", "", "sent", None, False),
    ("delivered", "", "delivered", None, False),
    ("delivered", "30003", "delivered", None, False),
    ("read", "", "delivered", None, False),
    ("partially_delivered", "", "sent", None, False),
    ("canceled", "", "failed", Reason.other, False),
    ("undelivered", "", "undelivered", Reason.other, False),
    ("failed", "", "failed", Reason.other, False),
    ("undelivered", "30003", "undelivered", Reason.unreachable, False),
    ("undelivered", "30005", "failed", Reason.bad_number, False),
    ("undelivered", "30006", "failed", Reason.landline, False),
    ("undelivered", "30007", "failed", Reason.filtered, False),
    ("undelivered", "30008", "undelivered", Reason.network, False),
    ("failed", "30001", "undelivered", Reason.network, True),
    ("undelivered", "30017", "undelivered", Reason.network, True),
    ("undelivered", "30410", "undelivered", Reason.network, True),
    ("failed", "21610", "failed", Reason.opted_out, False),
    ("failed", "30002", "undelivered", Reason.setup, False),
    ("undelivered", "39999", "undelivered", Reason.other, False),
    ("failed", "39999", "failed", Reason.other, False),
    ("a word of tomorrow", "", None, None, False),
    ("", "", None, None, False),
]


@pytest.mark.parametrize(("word", "code", "status", "reason", "temporary"), REPORTS)
def test_a_report_is_read(
    word: str, code: str, status: str | None, reason: Reason | None, temporary: bool, twilio: Twilio
) -> None:
    body = f"MessageSid={SM}&MessageStatus={word.replace(' ', '+')}&From=%2B491&To=%2B492" + (
        f"&ErrorCode={code}" if code else ""
    )
    report = twilio.parse_report(raw("/carriers/twilio/status?key=k3y-_", body))
    assert (report.reference, report.key) == (SM, "k3y-_")
    assert (report.status, report.reason, report.temporary) == (status, reason, temporary)
    assert report.code == (code or None)
    assert (report.detail is None) == (code == "")


def test_a_report_without_our_key_is_a_report(twilio: Twilio) -> None:
    body = f"MessageSid={SM}&MessageStatus=delivered&key=forged"
    assert twilio.parse_report(raw("/carriers/twilio/status", body)) == TextReport(SM, None, "delivered")


def test_every_code_of_the_table_settles_a_report(twilio: Twilio) -> None:
    for code, meaning in CODES.items():
        body = f"MessageSid={SM}&MessageStatus=undelivered&ErrorCode={code}"
        report = twilio.parse_report(raw("/s", body))
        assert report.status == ("undelivered" if meaning.passing else "failed")
        assert report.detail == meaning.text
        assert report.temporary is meaning.resend


# Calls

CALLS = [
    ("queued", "", CallReport(CA, "k", "queued")),
    ("initiated", "&SequenceNumber=0", CallReport(CA, "k", "queued", sequence=0)),
    ("ringing", "&SequenceNumber=1", CallReport(CA, "k", "ringing", sequence=1)),
    ("in-progress", "&SequenceNumber=2", CallReport(CA, "k", "in-progress", sequence=2)),
    (
        "completed",
        "&CallDuration=17&AnsweredBy=human&SequenceNumber=3",
        CallReport(CA, "k", "completed", "human", 17, 3),
    ),
    ("completed", "&AnsweredBy=machine_end_beep", CallReport(CA, "k", "completed", "machine_end_beep")),
    ("completed", "&AnsweredBy=robot&CallDuration=x", CallReport(CA, "k", "completed", "unknown")),
    ("busy", "&SipResponseCode=486&CallDuration=0", CallReport(CA, "k", "busy", seconds=0)),
    ("no-answer", "", CallReport(CA, "k", "no-answer")),
    ("canceled", "", CallReport(CA, "k", "canceled")),
    ("failed", "", CallReport(CA, "k", "failed", reason=Reason.other)),
    ("failed", "&SipResponseCode=404", CallReport(CA, "k", "failed", code="404", reason=Reason.bad_number)),
    ("failed", "&SipResponseCode=503", CallReport(CA, "k", "failed", code="503", reason=Reason.network)),
]


@pytest.mark.parametrize(("word", "more", "expected"), CALLS)
def test_the_progress_of_a_call_is_read(word: str, more: str, expected: CallReport, twilio: Twilio) -> None:
    body = f"CallSid={CA}&AccountSid={SID}&From=%2B49301&To=%2B49302&CallStatus={word}{more}"
    assert twilio.parse_call_report(raw("/carriers/twilio/voice/status?key=k", body)) == expected


def test_who_answers_a_call_of_ours_is_read(twilio: Twilio) -> None:
    body = f"CallSid={CA}&From=%2B493023125100&To=%2B493023125001&CallStatus=in-progress&AnsweredBy=machine_end_silence"
    assert twilio.parse_call_answer(raw("/carriers/twilio/voice/answer?key=k", body)) == CallAnswer(
        CA, "k", "+493023125100", "+493023125001", "machine_end_silence"
    )


@pytest.mark.parametrize("caller", ["+493023125001", "anonymous", "", "+266696687"])
def test_a_caller_is_read(caller: str, twilio: Twilio) -> None:
    body = f"CallSid={CA}&From={caller.replace('+', '%2B')}&To=%2B493023125100&CallStatus=ringing"
    assert twilio.parse_incoming_call(raw("/carriers/twilio/voice/incoming", body)) == IncomingCall(
        CA, caller, "+493023125100"
    )


@pytest.mark.parametrize(
    ("digits", "expected"), [("1", "1"), ("%23", "#"), ("*", "*"), ("", ""), ("hangup", ""), ("1%0A", "")]
)
def test_keys_are_read(digits: str, expected: str, twilio: Twilio) -> None:
    body = f"CallSid={CA}&Digits={digits}"
    assert twilio.parse_keys(raw("/carriers/twilio/voice/keys", body)) == CallKeys(CA, expected)


def test_a_recording_is_read(twilio: Twilio) -> None:
    url = f"https://api.twilio.com/2010-04-01/Accounts/{SID}/Recordings/RE1"
    body = f"CallSid={CA}&RecordingUrl={url}&RecordingSid=RE1&RecordingDuration=12&Digits=hangup"
    assert twilio.parse_recording(raw("/r", body)) == CallRecording(CA, url, 12)
    assert twilio.parse_recording(raw("/r", f"CallSid={CA}")) == CallRecording(CA, None, 0)


PARSERS = [
    "parse_text",
    "parse_report",
    "parse_call_report",
    "parse_call_answer",
    "parse_incoming_call",
    "parse_keys",
    "parse_recording",
]


@pytest.mark.parametrize("parser", PARSERS)
@pytest.mark.parametrize(
    "body", ["", "a=b", "MessageSid=&CallSid=", f"MessageSid={'x' * 65}&CallSid={'x' * 65}"]
)
def test_a_callback_without_a_reference_is_said_to_be_none(parser: str, body: str, twilio: Twilio) -> None:
    with pytest.raises(WebhookError):
        getattr(twilio, parser)(raw("/x", body))


NAMES = [
    "MessageSid",
    "CallSid",
    "From",
    "To",
    "Body",
    "MessageStatus",
    "CallStatus",
    "ErrorCode",
    "Digits",
    "AnsweredBy",
    "CallDuration",
    "SequenceNumber",
    "RecordingUrl",
    "RecordingDuration",
    "SipResponseCode",
]
WORDS = st.one_of(
    st.text(st.characters(codec=None)),
    st.sampled_from(
        [SM, CA, *TEXT_STATUS, *CALL_STATUS, *ANSWERED_BY, *CODES, "+4917139200540", "\x00", "-1"]
    ),
)
ANY_PAIRS = st.lists(st.tuples(st.one_of(st.sampled_from(NAMES), st.text()), WORDS), max_size=12).map(tuple)


@pytest.mark.parametrize("parser", PARSERS)
@given(form=ANY_PAIRS, query=ANY_PAIRS, method=st.sampled_from(["GET", "POST"]))
def test_whatever_comes_is_read_or_refused(parser, form, query, method) -> None:
    twilio = Twilio.__new__(Twilio)
    try:
        event = getattr(twilio, parser)(WebhookRequest(method, "https://x/", {}, form, query, b""))
    except WebhookError:
        return
    assert 1 <= len(event.reference) <= 64
    str(getattr(event, "text", "")).encode()
    assert "\x00" not in str(getattr(event, "text", ""))


# Signatures

GOOD = sign(raw("/carriers/twilio/inbound?key=k", INBOUND))


def test_what_twilio_has_signed_is_twilios(twilio: Twilio) -> None:
    assert twilio.verify(GOOD)


def test_twilios_own_library_signs_alike() -> None:
    theirs = RequestValidator(TOKEN).compute_signature(GOOD.url, dict(GOOD.form))
    assert GOOD.header("x-twilio-signature") == theirs


def test_the_second_token_counts_during_a_rotation(twilio: Twilio) -> None:
    assert twilio.verify(sign(GOOD, "the-secondary-token"))
    assert not twilio.verify(sign(GOOD, "another-token"))
    assert not twilio.verify(sign(GOOD, ""))


def test_a_shared_key_signs_with_sha256(twilio: Twilio) -> None:
    settings = {"X-Twilio-Webhooks-Signature-Settings": "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256"}
    said = replace(GOOD, headers={**GOOD.headers, **settings})
    assert twilio.verify(sign(said, "shared", "sha256"))
    assert not twilio.verify(sign(GOOD, "shared", "sha256")), "the algorithm must be said"
    assert not twilio.verify(sign(said, TOKEN, "sha256")), "the token is no shared key"
    assert not twilio.verify(sign(said, "shared", "sha1"))


@pytest.mark.parametrize("algorithm", ["MD5", "", "HMAC_SHA512", "none", "\ud800"])
def test_an_algorithm_that_nobody_knows_is_refused_or_the_old_one(algorithm: str, twilio: Twilio) -> None:
    said = replace(
        GOOD, headers={**GOOD.headers, "X-Twilio-Webhooks-Signature-Settings": f"algorithm={algorithm}"}
    )
    assert twilio.verify(said) is (algorithm == "")


def without(request: WebhookRequest, header: str) -> WebhookRequest:
    return replace(request, headers={k: v for k, v in request.headers.items() if k != header})


FORGED = [
    ("no signature", without(GOOD, "X-Twilio-Signature")),
    ("empty signature", replace(GOOD, headers={"X-Twilio-Signature": ""})),
    ("no headers", replace(GOOD, headers={})),
    ("a signature of other characters", replace(GOOD, headers={"X-Twilio-Signature": "ü€\ud800"})),
    ("http", replace(GOOD, url=GOOD.url.replace("https", "http"))),
    ("case of the scheme", replace(GOOD, url=GOOD.url.replace("https", "HTTPS"))),
    ("case of the host", replace(GOOD, url=GOOD.url.replace("sms", "SMS"))),
    ("a slash more", replace(GOOD, url=GOOD.url.replace("inbound", "inbound/"))),
    ("another key", replace(GOOD, url=GOOD.url.replace("key=k", "key=l"))),
    ("a value more", replace(GOOD, form=(*GOOD.form, ("Body", "STOP")))),
    ("a field more", replace(GOOD, form=(*GOOD.form, ("Extra", "")))),
    ("a field less", replace(GOOD, form=GOOD.form[1:])),
    ("no field", replace(GOOD, form=())),
    ("another method", replace(GOOD, method="PUT")),
    ("GET with a form", replace(GOOD, method="GET")),
    ("no address", replace(GOOD, url="")),
    ("an address that is none", replace(GOOD, url="https://[::1")),
    ("half a character in the address", replace(GOOD, url=GOOD.url + "\ud800")),
    ("half a character in the form", replace(GOOD, form=(("Body", "\ud800"),))),
    (
        "JSON that nobody signed",
        sign(WebhookRequest("POST", ORIGIN + "/x", {"Content-Type": "application/json"}, (), (), b'{"a":1}')),
    ),
    (
        "JSON with its hash in the address",
        sign(
            WebhookRequest(
                "POST", f"{ORIGIN}/x?bodySHA256={hashlib.sha256(b'{}').hexdigest()}", {}, (), (), b'{"a":1}'
            )
        ),
    ),
]


@pytest.mark.parametrize("request_", [row[1] for row in FORGED], ids=[row[0] for row in FORGED])
def test_what_nobody_signed_like_this_is_not_twilios(request_: WebhookRequest, twilio: Twilio) -> None:
    assert twilio.verify(request_) is False


PORTS = [
    # signed -> seen
    ("https://a.example/x", "https://a.example/x", True),
    ("https://a.example/x", "https://a.example:443/x", True),
    ("https://a.example:443/x", "https://a.example/x", True),
    ("https://a.example/x", "https://a.example:8443/x", True),
    ("https://a.example:8443/x", "https://a.example:8443/x", True),
    ("https://a.example:8443/x", "https://a.example/x", False),
    ("http://127.0.0.1:64000/x?key=a", "http://127.0.0.1:64000/x?key=a", True),
    ("http://[::1]:64000/x", "http://[::1]:64000/x", True),
    ("http://[::1]/x", "http://[::1]:64000/x", True),
    ("https://user:pw@a.example/x", "https://user:pw@a.example:443/x", True),
    ("https://a.example", "https://a.example", True),
    ("https://a.example?b=:80", "https://a.example?b=:80", True),
    ("https://a.example/%C3%A4%2F?a=%20b+c", "https://a.example/%C3%A4%2F?a=%20b+c", True),
    ("https://a.example/%C3%A4%2F?a=%20b+c", "https://a.example/ä/?a=%20b+c", False),
]


@pytest.mark.parametrize(("signed", "seen", "good"), PORTS)
def test_only_the_port_of_an_address_is_forgiven(signed: str, seen: str, good: bool, twilio: Twilio) -> None:
    request = sign(replace(GOOD, url=signed))
    assert twilio.verify(replace(request, url=seen)) is good


def test_repeated_fields_are_all_signed(twilio: Twilio) -> None:
    request = sign(raw("/x", "MediaUrl=b&MediaUrl=a&MediaUrl=b&A=1"))
    assert twilio.verify(request)
    assert not twilio.verify(replace(request, form=request.form[1:2] + request.form[3:]))


def test_a_get_is_signed_by_its_address_alone(twilio: Twilio) -> None:
    request = sign(raw(f"/carriers/twilio/inbound?{INBOUND}", method="GET"))
    assert twilio.verify(request)
    assert not twilio.verify(replace(request, url=request.url.replace("Ja", "Na")))


SIGNATURES = Signatures((TOKEN, "old"), ("shared",))
URLS = st.from_regex(
    r"https?://[a-z]{1,8}(:[0-9]{2,4})?/[a-zA-Z0-9/_.%-]{0,12}(\?[a-z]{1,4}=[a-zA-Z0-9]{0,8})?",
    fullmatch=True,
)
PAIRS = st.lists(st.tuples(st.text(min_size=1), st.text()), max_size=6).map(tuple)


@given(
    st.text(),
    st.text(st.characters(codec=None)),
    st.dictionaries(
        st.sampled_from(["X-Twilio-Signature", "x-twilio-webhooks-signature-settings", "Content-Type"]),
        st.text(st.characters(codec=None)),
    ),
    ANY_PAIRS,
    ANY_PAIRS,
    st.binary(max_size=20),
)
def test_nothing_makes_the_check_fall_over(method, url, headers, form, query, body) -> None:
    assert SIGNATURES.verify(WebhookRequest(method, url, headers, form, query, body)) is False
    assert SIGNATURES.verify(WebhookRequest("POST", url, headers, form, query, b"")) is False


@given(URLS, PAIRS)
def test_everything_signed_is_accepted(url: str, pairs) -> None:
    assert SIGNATURES.verify(sign(WebhookRequest("POST", url, {}, pairs, (), b"")))


@given(URLS, PAIRS, st.data())
def test_one_flipped_bit_anywhere_is_refused(url: str, pairs, data) -> None:
    request = sign(WebhookRequest("POST", url, {}, pairs, (), b""))
    signature = request.header("X-Twilio-Signature")
    parts = [url, signature, *[part for pair in pairs for part in pair]]
    at = data.draw(st.sampled_from([n for n, part in enumerate(parts) if part]))
    place = data.draw(st.integers(0, len(parts[at]) - 1))
    flipped = chr(ord(parts[at][place]) ^ (1 << data.draw(st.integers(0, 6))))
    parts[at] = parts[at][:place] + flipped + parts[at][place + 1 :]
    rest = tuple(zip(parts[2::2], parts[3::2], strict=True))
    # Twilio signs a set of values per name: the same value twice is one.
    assume(len(set(rest)) == len(rest) == len(set(pairs)))
    changed = replace(request, url=parts[0], headers={"X-Twilio-Signature": parts[1]}, form=rest)
    assert changed != request
    assert SIGNATURES.verify(changed) is False
