"""websms, going out: every answer of the network ends in one outcome, and each request is sent once."""

import base64
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sms.carriers import build
from sms.carriers.contract import (
    CannotSay,
    Carrier,
    CarrierConfigError,
    Feature,
    Outcome,
    OutcomeKind,
    OutgoingCall,
    OutgoingText,
    Reason,
    RecordingError,
    WebhookError,
    WebhookRequest,
)
from sms.carriers.websms_codes import CODES, HTTP_STATUS
from sms.config import CarrierConfig, Number
from tests.carriers.conftest import CALL, SINCE, TEXT
from tests.carriers.scripted import CUT, SILENCE, Answer, Drip, http
from tests.carriers.scripted_json import ScriptedJson

TOKEN = "t0ken-of-the-practice"
SECRET = "a-secret_of-32-letters-or-so"
TRANSFER = "0056b1ae0002fa1ee2e5"
TAKEN = http(200, {"statusCode": 2000, "statusMessage": "OK", "transferId": TRANSFER, "smsCount": 1})
SPOKEN = replace(CALL, words="Guten Tag. Ihr Termin ist morgen um neun Uhr.")

Adapter = Callable[..., Carrier]


def says(code: object, message: str = "", status: int = 200, *headers: str) -> bytes:
    """An answer as websms writes it when it does not take a message."""
    return http(status, {"statusCode": code, "statusMessage": message}, *headers)


@pytest.fixture
def network() -> Iterator[ScriptedJson]:
    made = ScriptedJson()
    yield made
    made.stop()


@pytest.fixture
def adapter() -> Iterator[Adapter]:
    """Make websms adapters that talk to an address; short time limits unless a test says otherwise."""
    made: list[Carrier] = []

    def make(base_url: str, numbers: tuple[Number, ...] = (), **options: object) -> Carrier:
        own = {"access_token": TOKEN, "callback_secret": SECRET, "connect_timeout": 2.0, "read_timeout": 0.5}
        config = CarrierConfig(
            "websms", "websms", numbers=numbers, options={**own, "base_url": base_url, **options}
        )
        made.append(build(config))
        return made[-1]

    yield make
    for carrier in made:
        carrier.close()


@pytest.fixture
def carrier(network: ScriptedJson, adapter: Adapter) -> Carrier:
    return adapter(network.url)


ANSWERS: list[tuple[str, Answer, OutcomeKind, str | None, Reason | None]] = [
    # what came back -> kind, code, reason
    ("taken", TAKEN, OutcomeKind.accepted, None, None),
    ("queued", http(200, {"statusCode": 2001, "transferId": TRANSFER}), OutcomeKind.accepted, None, None),
    ("code as text", http(200, {"statusCode": "2000", "transferId": TRANSFER}), OutcomeKind.accepted, None, None),
    ("no transferId", says(2000), OutcomeKind.unknown, None, Reason.other),
    ("an odd transferId", http(200, {"statusCode": 2000, "transferId": 7}), OutcomeKind.unknown, None, Reason.other),
    ("taken, but 400", http(400, {"statusCode": 2000, "transferId": TRANSFER}), OutcomeKind.unknown, "2000", Reason.other),
    ("taken, but 500", http(500, {"statusCode": 2000, "transferId": TRANSFER}), OutcomeKind.unknown, "2000", Reason.network),
    ("no code", http(200, {"transferId": TRANSFER}), OutcomeKind.unknown, "200", Reason.other),
    ("true is no code", says(True), OutcomeKind.unknown, "200", Reason.other),
    ("a list", http(200, []), OutcomeKind.unknown, "200", Reason.other),
    ("null", http(200, "null"), OutcomeKind.unknown, "200", Reason.other),
    ("html", http(200, "<html>ok</html>"), OutcomeKind.unknown, "200", Reason.other),
    ("half of the JSON", http(200, '{"statusCode": 20'), OutcomeKind.unknown, "200", Reason.other),
    ("a thousand brackets", http(200, "[" * 100_000), OutcomeKind.unknown, "200", Reason.other),
    ("a success of tomorrow", says(2099), OutcomeKind.unknown, "2099", Reason.other),
    ("a refusal of tomorrow", says(4999), OutcomeKind.rejected, "4999", Reason.other),
    ("a failure of tomorrow", says(5999), OutcomeKind.unknown, "5999", Reason.other),
    ("401 with its code", says(4001, status=401), OutcomeKind.auth, "4001", Reason.setup),
    ("401 without a body", http(401, ""), OutcomeKind.auth, "401", Reason.setup),
    ("400 with its code", says(4002, status=400), OutcomeKind.rejected, "4002", Reason.bad_number),
    ("400 without a body", http(400, ""), OutcomeKind.rejected, "400", Reason.other),
    ("403 of a proxy", http(403, "<h1>Forbidden</h1>"), OutcomeKind.auth, "403", Reason.setup),
    ("404", http(404, "no"), OutcomeKind.auth, "404", Reason.setup),
    ("too large", http(413, ""), OutcomeKind.rejected, "413", Reason.too_long),
    ("too fast", http(429, ""), OutcomeKind.throttled, "429", Reason.network),
    ("429 whatever it says", says(4002, status=429), OutcomeKind.throttled, "4002", Reason.network),
    ("request timeout", http(408, ""), OutcomeKind.unknown, "408", Reason.network),
    ("500", http(500, ""), OutcomeKind.unknown, "500", Reason.network),
    ("500 with a refusal", says(4002, status=500), OutcomeKind.unknown, "4002", Reason.network),
    ("503 of a proxy", http(503, "<h1>later</h1>"), OutcomeKind.unknown, "503", Reason.network),
    ("503 of websms itself", says(5003, status=503), OutcomeKind.temporary, "5003", Reason.network),
    ("redirect", http(302, "", "Location: http://127.0.0.1:9/"), OutcomeKind.auth, "302", Reason.setup),
    ("see other", http(303, "", "Location: http://127.0.0.1:9/"), OutcomeKind.unknown, "303", Reason.other),
    ("closed without a word", CUT, OutcomeKind.unknown, None, Reason.network),
    ("cut in the body", TAKEN[:-10], OutcomeKind.unknown, None, Reason.network),
    ("no HTTP at all", b"220 smtp.example ESMTP\r\n", OutcomeKind.unknown, None, Reason.network),
    ("silence", SILENCE, OutcomeKind.unknown, None, Reason.network),
    ("endless", http(200, " " * 1_100_000), OutcomeKind.unknown, None, Reason.network),
]  # fmt: skip


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
    network: ScriptedJson,
    carrier: Carrier,
) -> None:
    network.answer = answer
    outcome = carrier.send_text(TEXT) if what == "text" else carrier.place_call(SPOKEN)
    assert (outcome.kind, outcome.code, outcome.reason) == (kind, code, reason)
    assert len(network.seen) == 1, "sent once, whatever happens"
    if kind is OutcomeKind.accepted:
        assert outcome == Outcome(OutcomeKind.accepted, TRANSFER)


@pytest.mark.parametrize("code", [code for code in CODES if code >= 4000])
@pytest.mark.parametrize("status", [200, 400])
def test_every_code_of_the_table_decides(
    status: int, code: int, network: ScriptedJson, carrier: Carrier
) -> None:
    network.answer = says(code, "whatever they write today", status)
    outcome = carrier.send_text(TEXT)
    meaning = CODES[code]
    assert (outcome.kind, outcome.reason, outcome.detail) == (meaning.kind, meaning.reason, meaning.text)
    assert outcome.code == str(code)


def test_nothing_is_accepted_but_by_a_code_that_is_confirmed() -> None:
    accepted = {code for code, meaning in CODES.items() if meaning.kind is OutcomeKind.accepted}
    assert accepted == {code for code, meaning in CODES.items() if meaning.confirmed} == {2000, 2001}
    assert all(kind is not OutcomeKind.accepted for kind, _ in HTTP_STATUS.values())


def test_nobody_listening_means_that_nothing_was_taken(network: ScriptedJson, carrier: Carrier) -> None:
    network.stop()
    outcome = carrier.send_text(TEXT)
    assert (outcome.kind, outcome.reason) == (OutcomeKind.temporary, Reason.network)


def test_an_answer_that_drips_is_given_up(network: ScriptedJson, adapter: Adapter) -> None:
    network.answer = Drip(http(200, " " * 1000), pause=0.02)
    began = datetime.now(UTC)
    outcome = adapter(network.url, connect_timeout=0.3, read_timeout=0.3).send_text(TEXT)
    assert outcome.kind is OutcomeKind.unknown
    assert (datetime.now(UTC) - began).total_seconds() < 8


def test_retry_after_is_handed_on(network: ScriptedJson, carrier: Carrier) -> None:
    network.answer = says(4023, "slow down", 429, "Retry-After: 7")
    assert carrier.send_text(TEXT).retry_after == 7.0


def test_a_text_that_cannot_be_written_down_never_leaves(network: ScriptedJson, carrier: Carrier) -> None:
    assert carrier.send_text(replace(TEXT, text="half a \ud83d")).kind is OutcomeKind.rejected
    assert network.seen == []


def test_the_detail_of_an_outcome_tells_neither_number_nor_text_nor_secret(
    network: ScriptedJson, carrier: Carrier
) -> None:
    wrote = (
        f"Cannot send '{TEXT.text}' to {TEXT.to} (0171 / 39 200 540), report to ?secret={SECRET}\n\x1b[31m"
    )
    network.answer = says(4999, wrote)
    outcome = carrier.send_text(TEXT)
    for secret in (TEXT.text, TEXT.to, "39200540", "39 200 540", TOKEN, SECRET):
        assert secret not in repr(outcome)
    assert "\n" not in (outcome.detail or "")
    assert (outcome.detail or "").startswith("Cannot send '...' to ...")


def test_a_text_is_sent_as_websms_wants_it(network: ScriptedJson, carrier: Carrier) -> None:
    network.answer = TAKEN
    carrier.send_text(TEXT)
    seen = network.seen[0]
    assert (seen.method, seen.path, seen.query) == ("POST", "/rest/smsmessaging/text", [])
    assert seen.headers["content-type"] == "application/json"
    assert seen.headers["authorization"] == f"Bearer {TOKEN}"
    assert network.bodies == [
        {
            "recipientAddressList": ["4917139200540"],
            "messageContent": TEXT.text,
            "senderAddress": "4917139200100",
            "senderAddressType": "international",
            "clientMessageId": "k3y",
            "notificationCallbackUrl": f"{TEXT.status_url}&secret={SECRET}",
        }
    ]


@pytest.mark.parametrize(
    ("sender", "expected"),
    [
        ("+4917139200100", {"senderAddress": "4917139200100", "senderAddressType": "international"}),
        ("MUELLER", {"senderAddress": "MUELLER", "senderAddressType": "alphanumeric"}),
        ("Praxis24", {"senderAddress": "Praxis24", "senderAddressType": "alphanumeric"}),
        ("80888", {"senderAddress": "80888", "senderAddressType": "shortcode"}),
        ("", {}),
    ],
)
def test_each_kind_of_sender_is_named(
    sender: str, expected: dict[str, str], network: ScriptedJson, carrier: Carrier
) -> None:
    network.answer = TAKEN
    carrier.send_text(replace(TEXT, sender=sender))
    sent = network.bodies[0]
    assert {name: sent[name] for name in sent if name.startswith("sender")} == expected


def test_every_character_arrives_as_it_was_written(network: ScriptedJson, carrier: Carrier) -> None:
    network.answer = TAKEN
    words = 'Grüße 😀 "€" \\ {x} \n' + "ü" * 1400
    carrier.send_text(replace(TEXT, text=words))
    assert network.bodies[0]["messageContent"] == words


def test_the_carrier_speaks_the_words_of_a_call_itself(network: ScriptedJson, carrier: Carrier) -> None:
    network.answer = TAKEN
    assert carrier.place_call(SPOKEN) == Outcome(OutcomeKind.accepted, TRANSFER)
    sent = network.bodies[0]
    assert sent["messageType"] == "voice"
    assert sent["messageContent"] == SPOKEN.words
    assert sent["recipientAddressList"] == ["493023125001"]
    assert sent["notificationCallbackUrl"] == f"{CALL.status_url}&secret={SECRET}"
    assert CALL.answer_url not in str(sent), "nothing is asked when somebody picks up"


def test_a_call_without_words_never_leaves(network: ScriptedJson, carrier: Carrier) -> None:
    assert isinstance(CALL, OutgoingCall)
    outcome = carrier.place_call(CALL)
    assert (outcome.kind, outcome.reason) == (OutcomeKind.rejected, Reason.setup)
    assert network.seen == []


def test_the_words_of_a_call_are_not_in_its_repr() -> None:
    assert SPOKEN.words not in repr(SPOKEN)


def test_user_and_password_sign_in_as_well(network: ScriptedJson, adapter: Adapter) -> None:
    network.answer = TAKEN
    adapter(network.url, access_token="", user="praxis", password="größer:als").send_text(TEXT)
    expected = base64.b64encode("praxis:größer:als".encode()).decode()
    assert network.seen[0].headers["authorization"] == f"Basic {expected}"


def test_the_accounts_of_the_machine_sign_nothing_in(
    network: ScriptedJson, adapter: Adapter, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    network.answer = TAKEN
    adapter(network.url).send_text(TEXT)
    assert network.seen[0].headers["authorization"] == f"Bearer {TOKEN}"


WRONG = [
    ("no way in", {"access_token": ""}, "either access_token or user and password"),
    ("two ways in", {"user": "a", "password": "b"}, "either access_token or user and password"),
    ("half a way in", {"access_token": "", "user": "a"}, "user and password belong together"),
    ("no secret", {"callback_secret": ""}, "callback_secret is missing"),
    ("a short secret", {"callback_secret": "geheim"}, "callback_secret is not right"),
    ("a secret with a slash", {"callback_secret": "geheim/geheim/geheim"}, "callback_secret is not right"),
    ("no network", {"callback_addresses": "1.2.3.4.5"}, "callback_addresses is not right"),
    ("a name", {"callback_addresses": "websms.example"}, "callback_addresses is not right"),
]


@pytest.mark.parametrize(("options", "line"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_a_wrong_table_is_named_in_one_line(options: dict[str, object], line: str, adapter: Adapter) -> None:
    with pytest.raises(CarrierConfigError) as wrong:
        adapter("http://127.0.0.1:1", **options)
    assert str(wrong.value).startswith("carrier websms: ")
    assert line in str(wrong.value)
    assert "geheim" not in str(wrong.value)


def test_it_says_what_it_can_and_what_it_cannot(carrier: Carrier) -> None:
    assert carrier.features == {
        Feature.sms,
        Feature.voice,
        Feature.speaks,
        Feature.alpha_sender,
        Feature.reports,
        Feature.incoming,
    }
    assert carrier.find_sent(TEXT, SINCE) == CannotSay("it has no list of what was sent", for_now=False)
    assert carrier.find_call(CALL, SINCE) == CannotSay("it has no list of calls", for_now=False)
    with pytest.raises(RecordingError):
        carrier.fetch_recording("https://api.websms.com/recording")
    request = WebhookRequest("POST", "https://sms.praxis.example/carriers/websms/voice/answer")
    for ask in (
        carrier.parse_call_answer,
        carrier.parse_incoming_call,
        carrier.parse_keys,
        carrier.parse_recording,
    ):
        with pytest.raises(WebhookError):
            ask(request)
    with pytest.raises(WebhookError):
        carrier.render([], str)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (says(2000), OutcomeKind.accepted),
        (says(4001, status=401), OutcomeKind.auth),
        (says(5003, status=503), OutcomeKind.temporary),
        (http(500, ""), OutcomeKind.unknown),
        (http(200, "<html>"), OutcomeKind.unknown),
    ],
)
def test_a_probe_tells_whether_the_carrier_knows_us_and_sends_nothing(
    answer: Answer, kind: OutcomeKind, network: ScriptedJson, adapter: Adapter
) -> None:
    network.answer = answer
    assert adapter(network.url, numbers=(Number("+4917139200100"),)).probe().kind is kind
    assert network.bodies[0]["test"] is True
    assert network.bodies[0]["recipientAddressList"] == ["4917139200100"]


def test_only_a_probe_is_a_test(network: ScriptedJson, carrier: Carrier) -> None:
    network.answer = TAKEN
    carrier.send_text(TEXT)
    carrier.place_call(SPOKEN)
    assert all("test" not in body for body in network.bodies)


def test_many_threads_share_one_adapter(adapter: Adapter) -> None:
    network = ScriptedJson(answer=TAKEN)
    carrier = adapter(network.url, read_timeout=10.0)
    texts = [OutgoingText(TEXT.to, TEXT.sender, f"{n}", f"k{n}", TEXT.status_url) for n in range(40)]
    threads = [threading.Thread(target=carrier.send_text, args=(text,)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    network.stop()
    assert sorted(body["clientMessageId"] for body in network.bodies) == sorted(text.key for text in texts)
