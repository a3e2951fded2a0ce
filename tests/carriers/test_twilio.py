"""Going out: every answer of the network ends in one outcome, and each request is sent once."""

import base64
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from sms.carriers.contract import (
    CannotSay,
    Carrier,
    Found,
    NotThere,
    Outcome,
    OutcomeKind,
    OutgoingText,
    Reason,
    RecordingError,
)
from sms.carriers.twilio_codes import CODES
from tests.carriers.conftest import CALL, SID, SINCE, TEXT, TOKEN, Adapter
from tests.carriers.scripted import CUT, SILENCE, Answer, Drip, Scripted, Seen, http, twilio_error

SM = "SM" + "a" * 32
CA = "CA" + "b" * 32
TAKEN = http(201, {"sid": SM, "status": "queued", "error_code": None})

ANSWERS: list[tuple[str, Answer, OutcomeKind, str | None, Reason | None]] = [
    # what came back -> kind, code, reason
    ("queued", TAKEN, OutcomeKind.accepted, None, None),
    ("accepted", http(201, {"sid": SM, "status": "accepted"}), OutcomeKind.accepted, None, None),
    ("200 instead of 201", http(200, {"sid": SM, "status": "queued"}), OutcomeKind.accepted, None, None),
    ("no sid", http(201, {"status": "queued"}), OutcomeKind.unknown, None, Reason.other),
    ("empty sid", http(201, {"sid": "", "status": "queued"}), OutcomeKind.unknown, None, Reason.other),
    ("a list", http(201, []), OutcomeKind.unknown, None, Reason.other),
    ("null", http(201, "null"), OutcomeKind.unknown, None, Reason.other),
    ("html", http(201, "<html>ok</html>"), OutcomeKind.unknown, None, Reason.other),
    ("half of the JSON", http(201, '{"sid": "SM'), OutcomeKind.unknown, None, Reason.other),
    ("401", twilio_error(401, 20003), OutcomeKind.auth, "20003", Reason.setup),
    ("401 without a body", http(401, ""), OutcomeKind.auth, "401", Reason.setup),
    ("403 of a proxy", http(403, "<h1>Forbidden</h1>"), OutcomeKind.auth, "403", Reason.setup),
    ("404 account", twilio_error(404, 20404), OutcomeKind.auth, "20404", Reason.setup),
    ("404 of something else", http(404, "no"), OutcomeKind.auth, "404", Reason.setup),
    ("wrong number", twilio_error(400, 21211), OutcomeKind.rejected, "21211", Reason.bad_number),
    ("landline", twilio_error(400, 21614), OutcomeKind.rejected, "21614", Reason.landline),
    ("no sender", twilio_error(400, 21606), OutcomeKind.auth, "21606", Reason.bad_sender),
    ("country", twilio_error(400, 21408), OutcomeKind.auth, "21408", Reason.region),
    ("opted out", twilio_error(400, 21610), OutcomeKind.blocked, "21610", Reason.opted_out),
    ("too long", twilio_error(400, 21617), OutcomeKind.rejected, "21617", Reason.too_long),
    ("queue full", twilio_error(400, 21611), OutcomeKind.throttled, "21611", Reason.network),
    ("a code of tomorrow", twilio_error(400, 29999), OutcomeKind.rejected, "29999", Reason.other),
    ("a code as a string", http(400, {"code": "21610"}), OutcomeKind.blocked, "21610", Reason.opted_out),
    ("a code that is none", http(400, {"code": {"a": 1}}), OutcomeKind.rejected, "400", Reason.other),
    ("Prism's 422", http(422, {"title": "Invalid"}), OutcomeKind.rejected, "422", Reason.other),
    ("too large", http(413, ""), OutcomeKind.rejected, "413", Reason.too_long),
    ("too fast", twilio_error(429, 20429), OutcomeKind.throttled, "20429", Reason.network),
    ("429 whatever it says", twilio_error(429, 21211), OutcomeKind.throttled, "21211", Reason.network),
    ("request timeout", http(408, ""), OutcomeKind.unknown, "408", Reason.network),
    ("conflict", twilio_error(409, 20409), OutcomeKind.unknown, "20409", Reason.other),
    ("500", twilio_error(500, 20500), OutcomeKind.unknown, "20500", Reason.network),
    ("502 of a proxy", http(502, "<h1>Bad gateway</h1>"), OutcomeKind.unknown, "502", Reason.network),
    ("503", twilio_error(503, 20503), OutcomeKind.unknown, "20503", Reason.network),
    ("500 with a known code", twilio_error(500, 21211), OutcomeKind.unknown, "21211", Reason.network),
    ("redirect", http(302, "", "Location: http://127.0.0.1:9/"), OutcomeKind.auth, "302", Reason.setup),
    ("see other", http(303, "", "Location: http://127.0.0.1:9/"), OutcomeKind.unknown, "303", Reason.other),
    ("closed without a word", CUT, OutcomeKind.unknown, None, Reason.network),
    ("cut in the head", b"HTTP/1.1 201 Crea", OutcomeKind.unknown, None, Reason.other),
    ("cut in the body", TAKEN[:-10], OutcomeKind.unknown, None, Reason.network),
    ("no HTTP at all", b"220 smtp.example ESMTP\r\n", OutcomeKind.unknown, None, Reason.network),
    ("silence", SILENCE, OutcomeKind.unknown, None, Reason.network),
    ("endless", http(201, " " * 1_100_000), OutcomeKind.unknown, None, Reason.network),
]


@pytest.mark.parametrize(
    ("answer", "kind", "code", "reason"), [row[1:] for row in ANSWERS], ids=[row[0] for row in ANSWERS]
)
@pytest.mark.parametrize("what", ["text", "call"])
def test_every_answer_of_the_network_is_one_outcome(
    what: str,
    answer: Answer,
    kind: OutcomeKind,
    code: str | None,
    reason: Reason | None,
    network: Scripted,
    carrier: Carrier,
) -> None:
    network.answer = answer
    outcome = carrier.send_text(TEXT) if what == "text" else carrier.place_call(CALL)
    assert (outcome.kind, outcome.code, outcome.reason) == (kind, code, reason)
    assert len(network.seen) == 1, "sent once, whatever happens"
    if kind is OutcomeKind.accepted:
        assert outcome == Outcome(OutcomeKind.accepted, SM)


@pytest.mark.parametrize(("code", "meaning"), CODES.items(), ids=list(CODES))
def test_every_code_of_the_table_decides(code: str, meaning, network: Scripted, carrier: Carrier) -> None:
    network.answer = twilio_error(400, int(code), "whatever they write today")
    outcome = carrier.send_text(TEXT)
    assert (outcome.kind, outcome.reason, outcome.detail) == (meaning.kind, meaning.reason, meaning.text)


def test_a_text_that_fails_at_once_keeps_its_reference(network: Scripted, carrier: Carrier) -> None:
    network.answer = http(201, {"sid": SM, "status": "failed", "error_code": 21614})
    outcome = carrier.send_text(TEXT)
    assert (outcome.kind, outcome.reference, outcome.code) == (OutcomeKind.rejected, SM, "21614")


def test_problem_details_are_read_as_well(network: Scripted, carrier: Carrier) -> None:
    network.answer = http(400, {"type": "x", "title": "Opted out", "status": 400, "code": 21610})
    assert carrier.send_text(TEXT).kind is OutcomeKind.blocked


def test_nobody_listening_means_that_nothing_was_taken(network: Scripted, carrier: Carrier) -> None:
    network.stop()
    outcome = carrier.send_text(TEXT)
    assert (outcome.kind, outcome.reason) == (OutcomeKind.temporary, Reason.network)


def test_a_name_that_does_not_resolve_means_that_nothing_was_taken(adapter: Adapter) -> None:
    assert adapter("http://carrier.invalid").send_text(TEXT).kind is OutcomeKind.temporary


def test_an_answer_that_drips_is_given_up(network: Scripted, adapter: Adapter) -> None:
    network.answer = Drip(http(201, " " * 1000), pause=0.02)
    began = datetime.now(UTC)
    outcome = adapter(network.url, connect_timeout=0.3, read_timeout=0.3).send_text(TEXT)
    assert outcome.kind is OutcomeKind.unknown
    assert datetime.now(UTC) - began < timedelta(seconds=8)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), ("0", 0.0), ("-5", 0.0), ("999999", 3600.0), ("soon", None), ("nan", None), ("", None)],
)
def test_retry_after_is_handed_on(
    header: str, seconds: float | None, network: Scripted, carrier: Carrier
) -> None:
    network.answer = twilio_error(429, 20429, "slow down", f"Retry-After: {header}")
    assert carrier.send_text(TEXT).retry_after == seconds


def test_retry_after_may_be_a_date(network: Scripted, carrier: Carrier) -> None:
    moment = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    network.answer = twilio_error(429, 20429, "slow down", f"Retry-After: {moment}")
    assert 50 < (carrier.send_text(TEXT).retry_after or 0) <= 60


def test_a_text_that_cannot_be_written_down_never_leaves(network: Scripted, carrier: Carrier) -> None:
    broken = OutgoingText(TEXT.to, TEXT.sender, "half a \ud83d", TEXT.key, TEXT.status_url)
    assert carrier.send_text(broken).kind is OutcomeKind.rejected
    assert network.seen == []


def test_the_detail_of_an_outcome_tells_neither_number_nor_text_nor_secret(
    network: Scripted, carrier: Carrier
) -> None:
    message = f"Cannot send '{TEXT.text}' to {TEXT.to} (0171 / 39 200 540)\n\x1b[31mnow"
    network.answer = twilio_error(400, 29999, message)
    outcome = carrier.send_text(TEXT)
    for secret in (TEXT.text, TEXT.to, "39200540", "39 200 540", TOKEN):
        assert secret not in repr(outcome)
    assert "\n" not in (outcome.detail or "")
    assert (outcome.detail or "").startswith("Cannot send '...' to ...")


def test_a_text_is_sent_as_twilio_wants_it(network: Scripted, carrier: Carrier) -> None:
    network.answer = TAKEN
    carrier.send_text(TEXT)
    seen = network.seen[0]
    assert (seen.method, seen.path) == ("POST", f"/2010-04-01/Accounts/{SID}/Messages.json")
    assert sorted(seen.form) == [
        ("Body", TEXT.text),
        ("From", TEXT.sender),
        ("StatusCallback", TEXT.status_url),
        ("To", TEXT.to),
    ]


def test_a_call_is_placed_as_twilio_wants_it(network: Scripted, carrier: Carrier) -> None:
    network.answer = http(201, {"sid": CA, "status": "queued"})
    assert carrier.place_call(CALL) == Outcome(OutcomeKind.accepted, CA)
    assert sorted(network.seen[0].form) == [
        ("From", CALL.caller_id),
        ("MachineDetection", "DetectMessageEnd"),
        ("Method", "POST"),
        ("StatusCallback", CALL.status_url),
        ("StatusCallbackEvent", "answered"),
        ("StatusCallbackEvent", "completed"),
        ("StatusCallbackEvent", "initiated"),
        ("StatusCallbackEvent", "ringing"),
        ("StatusCallbackMethod", "POST"),
        ("Timeout", "25"),
        ("To", CALL.to),
        ("Url", CALL.answer_url),
    ]


def test_an_api_key_sends_while_the_account_stays_in_the_path(network: Scripted, adapter: Adapter) -> None:
    network.answer = TAKEN
    key = "SK" + "f" * 32
    adapter(network.url, api_key_sid=key, api_key_secret="s3cret").send_text(TEXT)
    assert network.seen[0].headers["authorization"].split()[1] == (
        base64.b64encode(f"{key}:s3cret".encode()).decode()
    )
    assert f"/Accounts/{SID}/" in network.seen[0].path


def test_the_first_of_several_tokens_signs_in(network: Scripted, adapter: Adapter) -> None:
    network.answer = TAKEN
    adapter(network.url, auth_token="new, old").send_text(TEXT)
    assert base64.b64decode(network.seen[0].headers["authorization"].split()[1]) == f"{SID}:new".encode()


def test_twilio_settings_of_the_environment_move_nothing(
    network: Scripted, adapter: Adapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWILIO_EDGE", "frankfurt")
    monkeypatch.setenv("TWILIO_REGION", "ie1")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    network.answer = TAKEN
    assert adapter(network.url).send_text(TEXT).kind is OutcomeKind.accepted


class Echo(Scripted):
    """Names each message after its text, so that a mixed-up answer shows."""

    def reply_to(self, request: Seen) -> Answer:
        return http(201, {"sid": dict(request.form)["Body"], "status": "queued"})


def test_many_threads_share_one_adapter(adapter: Adapter) -> None:
    network = Echo()
    carrier = adapter(network.url, read_timeout=10.0)
    texts = [OutgoingText(TEXT.to, TEXT.sender, f"SM{n}", f"{n}", TEXT.status_url) for n in range(120)]
    with ThreadPoolExecutor(24) as pool:
        outcomes = list(pool.map(carrier.send_text, texts))
    network.stop()
    assert [outcome.reference for outcome in outcomes] == [text.text for text in texts]


class Patient(BaseHTTPRequestHandler):
    """Keeps connections open and remembers from which port each request came."""

    protocol_version = "HTTP/1.1"
    ports: list[int] = []

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.ports.append(self.client_address[1])
        body = json.dumps({"sid": SM, "status": "queued"}).encode()
        self.send_response(201)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def test_one_connection_carries_many_requests(adapter: Adapter) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Patient)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    carrier = adapter(f"http://127.0.0.1:{server.server_port}")
    for _ in range(5):
        assert carrier.send_text(TEXT).kind is OutcomeKind.accepted
    carrier.close()
    server.shutdown()
    server.server_close()
    assert len(set(Patient.ports)) == 1


def test_closing_while_a_request_runs_breaks_nothing(network: Scripted, carrier: Carrier) -> None:
    network.answer = SILENCE
    outcomes: list[Outcome] = []
    thread = threading.Thread(target=lambda: outcomes.append(carrier.send_text(TEXT)))
    thread.start()
    carrier.close()
    thread.join(10)
    assert outcomes[0].kind is OutcomeKind.unknown


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (http(200, {"messages": [], "next_page_uri": None}), OutcomeKind.accepted),
        (twilio_error(401, 20003), OutcomeKind.auth),
        (http(500, ""), OutcomeKind.unknown),
        (http(200, "<html>"), OutcomeKind.unknown),
    ],
)
def test_a_probe_tells_whether_the_carrier_knows_us(
    answer: Answer, kind: OutcomeKind, network: Scripted, carrier: Carrier
) -> None:
    network.answer = answer
    assert carrier.probe().kind is kind
    assert network.seen[0].method == "GET"


def message(sid: str, seconds: float, **more: object) -> dict[str, object]:
    """One of Twilio's messages, made so many seconds after SINCE."""
    made = format_datetime(SINCE + timedelta(seconds=seconds))
    common = {
        "sid": sid,
        "body": TEXT.text,
        "date_created": made,
        "status": "sent",
        "direction": "outbound-api",
    }
    return {**common, "date_sent": None, "error_code": None, **more}


def page(*records: dict[str, object], more: bool = False) -> bytes:
    return http(200, {"messages": list(records), "next_page_uri": "/2010-04-01/x" if more else None})


FINDS = [
    ("nothing", page(), NotThere()),
    ("this one", page(message("SM1", 1)), Found("SM1", "sent")),
    ("only queued", page(message("SM1", 1, status="queued")), Found("SM1", None)),
    ("a clock that is behind", page(message("SM1", -59)), Found("SM1", "sent")),
    ("too old", page(message("SM1", -61)), NotThere()),
    ("another text", page(message("SM1", 1, body="Etwas anderes")), NotThere()),
    ("line ends of another kind", page(message("SM1", 1, body=f" {TEXT.text}\r\n")), Found("SM1", "sent")),
    ("an incoming one", page(message("SM1", 1, direction="inbound")), NotThere()),
    ("one that belongs to another message", page(message("SM-known", 1)), NotThere()),
    ("ours beside a known one", page(message("SM-known", 0), message("SM2", 5)), Found("SM2", "sent")),
    ("twice", page(message("SM2", 40), message("SM1", 2)), Found("SM1", "sent", others=("SM2",))),
    (
        "failed since",
        page(message("SM1", 1, status="undelivered", error_code=30005)),
        Found("SM1", "failed", "30005", Reason.bad_number),
    ),
    (
        "a full page of younger ones",
        page(message("SM1", 1, body="x"), more=True),
        CannotSay("more than 200 since then"),
    ),
    ("a full page back to the time", page(message("SM1", -90, body="x"), more=True), NotThere()),
    ("no date", page(message("SM1", 1, date_created=None)), CannotSay("a record without date or sid")),
    ("no list", http(200, {"a": 1, "b": 2}), CannotSay("TwilioException")),
    ("500", twilio_error(500, 20500), CannotSay("HTTP 500, code 20500")),
    ("silence", SILENCE, CannotSay("TimeoutError")),
]


@pytest.mark.parametrize(("answer", "expected"), [row[1:] for row in FINDS], ids=[row[0] for row in FINDS])
def test_a_lost_text_is_searched_for(
    answer: Answer, expected: object, network: Scripted, carrier: Carrier
) -> None:
    network.answer = answer
    assert carrier.find_sent(TEXT, SINCE, known={"SM-known"}) == expected
    assert network.seen[0].query == [("To", TEXT.to), ("From", TEXT.sender), ("PageSize", "200")]
    assert len(network.seen) == 1, "one page, never the whole history"


def test_a_lost_call_is_searched_for(network: Scripted, carrier: Carrier) -> None:
    made = format_datetime(SINCE + timedelta(seconds=2))
    call = {"sid": CA, "status": "in-progress", "direction": "outbound-api", "date_created": made}
    network.answer = http(200, {"calls": [call], "next_page_uri": None})
    assert carrier.find_call(CALL, SINCE) == Found(CA, "in-progress")
    assert carrier.find_call(CALL, SINCE, known={CA}) == NotThere()
    assert carrier.find_call(CALL, SINCE + timedelta(minutes=5)) == NotThere()


RECORDING = f"/2010-04-01/Accounts/{SID}/Recordings/RE" + "c" * 32


def test_a_recording_is_fetched_with_our_credentials(network: Scripted, carrier: Carrier) -> None:
    network.answer = http(200, "RIFF....WAVE")
    assert carrier.fetch_recording(network.url + RECORDING) == b"RIFF....WAVE"
    assert carrier.fetch_recording("https://api.twilio.com" + RECORDING) == b"RIFF....WAVE"
    assert [seen.path for seen in network.seen] == [RECORDING + ".wav"] * 2
    assert all("authorization" in seen.headers for seen in network.seen)


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254" + RECORDING,
        "https://api.twilio.com.evil.example" + RECORDING,
        "https://api.twilio.com@evil.example" + RECORDING,
        "https://api.twilio.com/2010-04-01/Accounts/" + "AC" + "9" * 32 + "/Recordings/RE1",
        "https://api.twilio.com" + RECORDING + "/../../Messages.json",
        "https://api.twilio.com" + RECORDING + "?x=1",
        "https://api.twilio.com" + RECORDING + "\n",
        "file:///etc/passwd",
        "",
    ],
)
def test_nothing_but_our_own_recordings_is_ever_fetched(
    url: str, network: Scripted, carrier: Carrier
) -> None:
    with pytest.raises(RecordingError) as refused:
        carrier.fetch_recording(url)
    assert not refused.value.temporary
    assert network.seen == []


@pytest.mark.parametrize(
    ("answer", "temporary"),
    [
        (http(404, ""), True),
        (http(503, ""), True),
        (http(401, ""), False),
        (http(302, "", "Location: http://169.254.169.254/"), False),
        (SILENCE, True),
        (CUT, True),
    ],
)
def test_a_recording_that_does_not_come_says_whether_to_ask_again(
    answer: Answer, temporary: bool, network: Scripted, carrier: Carrier
) -> None:
    network.answer = answer
    with pytest.raises(RecordingError) as failed:
        carrier.fetch_recording(network.url + RECORDING)
    assert failed.value.temporary is temporary
    assert len(network.seen) == 1


def test_a_recording_without_end_is_given_up(
    network: Scripted, carrier: Carrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sms.carriers.twilio.MAX_RECORDING", 1000)
    network.answer = http(200, "x" * 1001)
    with pytest.raises(RecordingError):
        carrier.fetch_recording(network.url + RECORDING)


def test_nothing_private_is_logged(
    network: Scripted, carrier: Carrier, caplog: pytest.LogCaptureFixture
) -> None:
    network.answers = [TAKEN, twilio_error(400, 21211, f"no {TEXT.to}"), CUT]
    with caplog.at_level("INFO"):
        for _ in range(3):
            carrier.send_text(TEXT)
        carrier.find_sent(TEXT, SINCE)
    for secret in (TEXT.text, TEXT.to, json.dumps(TEXT.to), TOKEN, "%2B491713920"):
        assert secret not in caplog.text
