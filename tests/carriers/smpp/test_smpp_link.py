"""The link, against a centre that follows a script: every answer is one outcome, and a lost link comes back."""

import ssl
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from sms.carriers import build, smpp_session
from sms.carriers.contract import (
    CannotSay,
    Carrier,
    CarrierConfigError,
    Feature,
    Outcome,
    OutcomeKind,
    Reason,
    WebhookError,
    WebhookRequest,
)
from sms.carriers.smpp import Smpp, user_reference
from sms.carriers.smpp_codes import STATUSES
from sms.carriers.smpp_pdu import Delivered
from sms.carriers.smpp_session import Endpoint, Pace, Session, Store
from sms.config import CarrierConfig
from tests.carriers.conftest import CALL, SINCE, TEXT
from tests.carriers.scripted_smsc import (
    BIND,
    CUT,
    DELIVER,
    ENQUIRE,
    GENERIC_NACK,
    SILENCE,
    SUBMIT,
    UNBIND,
    Answer,
    ScriptedSmsc,
    message,
    pdu,
    tlv,
)
from tests.crowd import PATIENCE, crowd

Opened = Callable[..., Smpp]


def configured(number: int, **options: object) -> Smpp:
    own = {"host": "127.0.0.1", "port": number, "system_id": "sms", "password": "secret"}
    carrier = build(CarrierConfig("centre", "smpp", options={**own, "response_seconds": 0.5, **options}))
    assert isinstance(carrier, Smpp)
    return carrier


@pytest.fixture
def centre() -> Iterator[ScriptedSmsc]:
    made = ScriptedSmsc()
    yield made
    made.stop()


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits between attempts are the product's; here the order of things counts."""
    monkeypatch.setattr(smpp_session, "BACKOFF", (0.05, 0.1))
    monkeypatch.setattr(smpp_session, "REFUSED_WAIT", 0.2)
    monkeypatch.setattr(smpp_session, "PAUSES", (0.1, 0.4))
    monkeypatch.setattr(smpp_session, "LEAVE_SECONDS", 0.5)


@pytest.fixture
def opened(centre: ScriptedSmsc) -> Iterator[Opened]:
    """Make adapters with an open session; `bound=False` where the bind is not to succeed."""
    made: list[Smpp] = []

    def make(
        store: Store = lambda batch, link: [0] * len(batch),
        rate: float = 10_000,
        bound: bool = True,
        **options: object,
    ) -> Smpp:
        carrier = configured(centre.port, reconnect_seconds=0.05, **options)
        made.append(carrier)
        session = carrier.open(rate, store)
        assert not bound or session.bound.wait(5)
        return carrier

    yield make
    for carrier in made:
        carrier.close()


ANSWERS: list[tuple[str, Answer, OutcomeKind, str | None, Reason | None]] = [
    # what came back -> kind, code, reason
    ("taken", "id-1", OutcomeKind.accepted, None, None),
    ("taken without an id", 0, OutcomeKind.accepted, None, None),
    ("a carrier's own refusal", 0x0401, OutcomeKind.rejected, "0x00000401", Reason.other),
    ("an answer without a body", pdu(0x80000004, 0, 0x58).replace(b"\0\0\0\x58\0\0\0\0", b"\0\0\0\x58SEQ!"), OutcomeKind.throttled, "ESME_RTHROTTLED", Reason.network),
    ("not understood", struct.pack(">LLL", 16, GENERIC_NACK, 3) + b"SEQ!", OutcomeKind.auth, "ESME_RINVCMDID", Reason.setup),
    ("not understood, but well", struct.pack(">LLL", 16, GENERIC_NACK, 0) + b"SEQ!", OutcomeKind.unknown, None, Reason.network),
    ("silence", SILENCE, OutcomeKind.unknown, None, Reason.network),
    ("cut", CUT, OutcomeKind.unknown, None, Reason.network),
    ("another number", pdu(0x80000004, 9_999, 0, b"id-1\0"), OutcomeKind.unknown, None, Reason.network),
    ("octets that are no PDU", b"HTTP/1.1 400 Bad Request\r\n\r\n", OutcomeKind.unknown, None, Reason.network),
    ("half an answer", struct.pack(">LL", 20, 0x80000004), OutcomeKind.unknown, None, Reason.network),
]  # fmt: skip
ANSWERS += [
    (meaning.name, code, meaning.kind, meaning.name, meaning.reason)
    for code, meaning in STATUSES.items()
    if code
]


@pytest.mark.parametrize(
    ("answer", "kind", "code", "reason"), [row[1:] for row in ANSWERS], ids=[row[0] for row in ANSWERS]
)
def test_every_answer_of_the_centre_is_one_outcome(
    answer: Answer,
    kind: OutcomeKind,
    code: str | None,
    reason: Reason | None,
    centre: ScriptedSmsc,
    opened: Opened,
) -> None:
    centre.answer = answer
    outcome = opened().send_text(TEXT)
    assert (outcome.kind, outcome.code, outcome.reason) == (kind, code, reason)
    assert len(centre.of(SUBMIT)) == 1, "sent once, whatever happens"


def test_an_accepted_text_has_the_centres_reference(centre: ScriptedSmsc, opened: Opened) -> None:
    centre.answers = ["0a1B-7"]
    assert opened().send_text(TEXT) == Outcome(OutcomeKind.accepted, "0a1B-7")
    body = centre.of(SUBMIT)[0].body
    assert body.endswith(tlv(0x0204, struct.pack(">H", user_reference(TEXT.key))))
    assert b"\x01\x014917139200100\0\x01\x014917139200540\0" in body


@pytest.mark.parametrize(
    ("sender", "octets"),
    [("MUELLER", b"\x05\x00MUELLER\0"), ("80888", b"\x03\x0080888\0"), ("+49171", b"\x01\x0149171\0")],
)
def test_each_kind_of_sender_has_its_type(
    sender: str, octets: bytes, centre: ScriptedSmsc, opened: Opened
) -> None:
    opened().send_text(replace(TEXT, sender=sender))
    assert centre.of(SUBMIT)[0].body.startswith(b"\0" + octets)


def test_a_text_that_cannot_be_written_down_never_leaves(centre: ScriptedSmsc, opened: Opened) -> None:
    assert opened().send_text(replace(TEXT, text="half a \ud83d")).kind is OutcomeKind.rejected
    assert opened().send_text(replace(TEXT, text="")).kind is OutcomeKind.rejected
    assert centre.of(SUBMIT) == []


# Long texts

LONG = replace(TEXT, text="a" * 400)


def test_the_receipt_is_asked_for_the_last_part_and_of_the_others_only_a_failure(
    centre: ScriptedSmsc, opened: Opened
) -> None:
    centre.answers = ["id-1", "id-2", "id-3"]
    outcome = opened(window=1).send_text(LONG)
    assert outcome == Outcome(OutcomeKind.accepted, "id-3")
    asked = [seen.body.split(b"4917139200540\0")[1][5] for seen in centre.of(SUBMIT)]
    assert asked == [2, 2, 1]


def test_a_refusal_of_the_first_part_is_the_outcome_of_the_text(centre: ScriptedSmsc, opened: Opened) -> None:
    centre.answer = 0x0B
    assert opened().send_text(LONG).kind is OutcomeKind.rejected
    assert len(centre.of(SUBMIT)) == 1


def test_a_later_part_that_was_not_taken_is_submitted_again(centre: ScriptedSmsc, opened: Opened) -> None:
    centre.answers = ["id-1", 0x58, "id-2", "id-3"]
    outcome = opened(window=1).send_text(LONG)
    assert outcome.kind is OutcomeKind.accepted
    parts = [seen.body for seen in centre.of(SUBMIT)]
    assert len(parts) == 4
    assert len(set(parts)) == 3


@pytest.mark.parametrize("lost", [SILENCE, 0x0B])
def test_a_text_of_which_only_a_part_was_taken_is_never_sent_again(
    lost: Answer, centre: ScriptedSmsc, opened: Opened
) -> None:
    centre.answers = ["id-1", lost]
    outcome = opened().send_text(LONG)
    assert outcome.kind is OutcomeKind.unknown
    assert (outcome.detail or "").startswith("2 of 3 parts were taken")
    assert len(centre.of(SUBMIT)) == 3


def test_a_long_text_may_go_as_one(centre: ScriptedSmsc, opened: Opened) -> None:
    opened(long_messages="payload").send_text(LONG)
    (seen,) = centre.of(SUBMIT)
    assert tlv(0x0424, b"a" * 400) in seen.body


# The link


def test_without_a_session_nothing_is_taken(centre: ScriptedSmsc) -> None:
    outcome = configured(centre.port).send_text(TEXT)
    assert (outcome.kind, outcome.retry_after) == (OutcomeKind.throttled, 5.0)
    assert centre.seen == []


def test_nobody_listening_means_that_nothing_was_taken(centre: ScriptedSmsc, opened: Opened) -> None:
    centre.stop()
    carrier = opened(bound=False)
    outcome = carrier.send_text(TEXT)
    assert (outcome.kind, outcome.reason) == (OutcomeKind.temporary, Reason.network)
    assert carrier.probe().kind is OutcomeKind.temporary


@pytest.mark.parametrize("code", [0x0D, 0x0E, 0x0F])
def test_a_refused_bind_stops_the_channel(code: int, centre: ScriptedSmsc, opened: Opened) -> None:
    centre.bind = code
    carrier = opened(bound=False)
    assert carrier.session is not None
    until(lambda: carrier.session.refused)
    for outcome in (carrier.probe(), carrier.send_text(TEXT)):
        assert (outcome.kind, outcome.reason) == (OutcomeKind.auth, Reason.setup)
        assert outcome.code == STATUSES[code].name
    assert centre.of(SUBMIT) == []
    centre.bind = 0
    assert carrier.session.bound.wait(5), "the account may be in order again"
    assert carrier.probe().kind is OutcomeKind.accepted


@pytest.mark.parametrize("answer", [CUT, SILENCE], ids=["hangs up", "silence"])
def test_a_centre_that_says_nothing_to_a_bind_is_asked_again(
    answer: Answer, centre: ScriptedSmsc, opened: Opened
) -> None:
    centre.bind = answer
    carrier = opened(bound=False)
    until(lambda: len(centre.of(BIND)) >= 2)
    assert carrier.send_text(TEXT).kind is OutcomeKind.temporary
    centre.bind = 0
    assert carrier.session is not None
    assert carrier.session.bound.wait(5)


def test_a_cut_link_comes_back_and_goes_on(centre: ScriptedSmsc, opened: Opened) -> None:
    carrier = opened()
    for _ in range(3):
        centre.cut()
        until(lambda: carrier.probe().kind is not OutcomeKind.accepted)
        until(lambda: carrier.probe().kind is OutcomeKind.accepted)
        assert carrier.send_text(TEXT).kind is OutcomeKind.accepted
    assert len(centre.of(BIND)) == 4


def test_every_text_on_its_way_when_the_link_is_cut_is_unknown(centre: ScriptedSmsc, opened: Opened) -> None:
    centre.answer = SILENCE
    carrier = opened(response_seconds=5.0)
    with ThreadPoolExecutor(5) as pool:
        waiting = [pool.submit(carrier.send_text, replace(TEXT, key=f"k{n}")) for n in range(5)]
        until(lambda: len(centre.of(SUBMIT)) == 5)
        centre.cut()
        assert {future.result(5).kind for future in waiting} == {OutcomeKind.unknown}


def test_a_fault_of_our_own_costs_a_link_and_no_more(
    centre: ScriptedSmsc, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    carrier = opened()

    def broken(*_: object) -> None:
        raise AttributeError("a mistake")

    with monkeypatch.context() as patched:
        patched.setattr(carrier.session, "_take", broken)
        centre.send(pdu(ENQUIRE, 78))
        until(lambda: carrier.probe().kind is not OutcomeKind.accepted)
    until(lambda: carrier.probe().kind is OutcomeKind.accepted)
    assert carrier.send_text(TEXT).kind is OutcomeKind.accepted


def test_when_the_centre_asks_us_to_leave_we_do_and_come_back(centre: ScriptedSmsc, opened: Opened) -> None:
    opened()
    centre.send(pdu(UNBIND, 77))
    assert centre.wait(UNBIND | 0x80000000, 77).status == 0
    until(lambda: len(centre.of(BIND)) == 2)


def test_a_sign_of_life_is_given_and_asked_for(centre: ScriptedSmsc, opened: Opened) -> None:
    opened(enquire_seconds=0.1)
    centre.send(pdu(ENQUIRE, 78))
    assert centre.wait(ENQUIRE | 0x80000000, 78).status == 0
    until(lambda: len(centre.of(ENQUIRE)) >= 3)
    assert len(centre.of(BIND)) == 1


def test_a_link_that_gives_no_sign_of_life_is_left(centre: ScriptedSmsc, opened: Opened) -> None:
    centre.enquire = SILENCE
    opened(enquire_seconds=0.1, response_seconds=0.2)
    until(lambda: len(centre.of(BIND)) >= 2)


def test_an_unanswered_text_puts_the_link_to_the_test_at_once(centre: ScriptedSmsc, opened: Opened) -> None:
    centre.answer = SILENCE
    opened(enquire_seconds=200.0).send_text(TEXT)
    centre.wait(ENQUIRE)
    assert len(centre.of(BIND)) == 1


def test_what_nobody_knows_is_refused_by_its_number(centre: ScriptedSmsc, opened: Opened) -> None:
    carrier = opened()
    centre.send(pdu(0x7777, 79))
    assert centre.wait(GENERIC_NACK, 79).status == 3
    centre.send(pdu(SUBMIT, 80, 0, b"\0" * 40))
    assert centre.wait(GENERIC_NACK, 80).status == 3
    centre.send(pdu(0x0102, 81))  # alert_notification wants no answer
    assert carrier.send_text(TEXT).kind is OutcomeKind.accepted


def test_the_window_is_never_overrun(centre: ScriptedSmsc, opened: Opened) -> None:
    centre.answer = SILENCE
    carrier = opened(window=3, response_seconds=0.6)
    with ThreadPoolExecutor(8) as pool:
        for n in range(8):
            pool.submit(carrier.send_text, replace(TEXT, key=f"k{n}"))
        until(lambda: len(centre.of(SUBMIT)) == 3)
        time.sleep(0.2)
        assert len(centre.of(SUBMIT)) == 3


def test_the_rate_is_kept_by_all_threads_together(centre: ScriptedSmsc, opened: Opened) -> None:
    carrier = opened(rate=20)
    began = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(carrier.send_text, [replace(TEXT, key=f"k{n}") for n in range(9)]))
    assert 0.38 <= time.monotonic() - began < 5 * crowd()


def test_after_too_fast_nothing_leaves_for_a_while(centre: ScriptedSmsc, opened: Opened) -> None:
    carrier = opened()
    assert carrier.session is not None
    centre.answers = [0x58]
    assert carrier.send_text(TEXT).kind is OutcomeKind.throttled
    assert not carrier.session.ready()
    began = time.monotonic()
    assert carrier.send_text(TEXT).kind is OutcomeKind.accepted
    assert time.monotonic() - began >= 0.05
    assert carrier.session.ready()


def test_pauses_grow_while_the_centre_complains_and_shrink_after_it_took_something() -> None:
    pace = Pace(100)
    pace.too_fast(0.0)
    pace.too_fast(0.05)
    assert pace.paused(0.09)
    assert not pace.paused(0.1), "answers to what was on its way count once"
    pace.too_fast(0.1)
    assert pace.paused(0.29)
    assert not pace.paused(0.31)
    pace.too_fast(0.31)
    pace.too_fast(0.8)
    assert pace.paused(1.19)
    assert not pace.paused(1.21), "no longer than the longest"
    pace.well()
    pace.too_fast(2.0)
    assert not pace.paused(2.1)


def test_leaving_waits_for_answers_and_unbinds(centre: ScriptedSmsc, opened: Opened) -> None:
    centre.answer = SILENCE
    carrier = opened(response_seconds=5.0)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(carrier.send_text, TEXT)
        seen = centre.wait(SUBMIT)
        closing = threading.Thread(target=carrier.close)
        closing.start()
        time.sleep(0.1)
        centre.send(pdu(0x80000004, seen.sequence, 0, b"late\0"))
        assert waiting.result(PATIENCE) == Outcome(OutcomeKind.accepted, "late")
        closing.join(PATIENCE)
    assert len(centre.of(UNBIND)) == 1
    assert carrier.send_text(TEXT).kind is OutcomeKind.throttled


def test_leaving_has_an_end_even_where_no_answer_comes(centre: ScriptedSmsc, opened: Opened) -> None:
    centre.answer = SILENCE
    carrier = opened(response_seconds=20.0)
    assert carrier.session is not None
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(carrier.send_text, TEXT)
        centre.wait(SUBMIT)
        began = time.monotonic()
        carrier.session.stop(0.2)
        assert waiting.result(PATIENCE).kind is OutcomeKind.unknown
    assert time.monotonic() - began < 15
    assert carrier.send_text(TEXT).kind is OutcomeKind.temporary, "the loop has ended, nothing left"


# Coming in


def test_what_comes_is_acknowledged_only_after_it_is_stored(centre: ScriptedSmsc, opened: Opened) -> None:
    storing, stored = threading.Event(), threading.Event()

    def store(batch: Sequence[Delivered], link: str) -> list[int]:
        storing.set()
        assert stored.wait(5)
        return [0] * len(batch)

    opened(store)
    centre.send(pdu(DELIVER, 5, 0, message(b"Ja")))
    assert storing.wait(5)
    assert centre.of(DELIVER | 0x80000000) == []
    stored.set()
    assert centre.wait(DELIVER | 0x80000000, 5).status == 0


def test_what_could_not_be_stored_comes_again(centre: ScriptedSmsc, opened: Opened) -> None:
    def fail(batch: Sequence[Delivered], link: str) -> list[int]:
        raise OSError("disk full")

    opened(fail)
    assert centre.deliver(message(b"Ja")) == 0x64


def test_what_waits_is_stored_in_one_go_and_in_order(centre: ScriptedSmsc, opened: Opened) -> None:
    first = threading.Event()
    batches: list[list[bytes]] = []

    def store(batch: Sequence[Delivered], link: str) -> list[int]:
        assert first.wait(5)
        batches.append([delivered.content for delivered in batch])
        return [number % 2 for number in range(len(batch))]

    opened(store)
    words = [b"%d" % number for number in range(120)]
    for sequence, word in enumerate(words, 1):
        centre.send(pdu(DELIVER, sequence, 0, message(word)))
    centre.send(pdu(ENQUIRE, 500))
    centre.wait(ENQUIRE | 0x80000000, 500)
    first.set()
    until(lambda: len(centre.of(DELIVER | 0x80000000)) == 120)
    assert [word for batch in batches for word in batch] == words
    assert max(len(batch) for batch in batches) == smpp_session.BATCH
    expected = [number % 2 for batch in batches for number in range(len(batch))]
    assert [seen.status for seen in centre.of(DELIVER | 0x80000000)] == expected


def test_what_cannot_be_read_does_not_come_again(centre: ScriptedSmsc, opened: Opened) -> None:
    got: list[Delivered] = []
    opened(lambda batch, link: got.extend(batch) or [0] * len(batch))  # type: ignore[func-returns-value]
    assert centre.deliver(message(b"Ja")[:-1]) == 0x65
    assert centre.deliver(message(b"Nein")) == 0
    assert [delivered.content for delivered in got] == [b"Nein"]


def test_texts_go_out_while_one_that_came_is_being_stored(centre: ScriptedSmsc, opened: Opened) -> None:
    stored = threading.Event()
    carrier = opened(lambda batch, link: [0 if stored.wait(5) else 1])
    centre.send(pdu(DELIVER, 5, 0, message(b"Ja")))
    assert carrier.send_text(TEXT).kind is OutcomeKind.accepted
    stored.set()
    assert centre.wait(DELIVER | 0x80000000, 5).status == 0


def test_a_pdu_in_single_octets_is_a_pdu(centre: ScriptedSmsc, opened: Opened) -> None:
    opened()
    for octet in pdu(DELIVER, 5, 0, message(b"Ja")):
        centre.send(bytes((octet,)))
    assert centre.wait(DELIVER | 0x80000000, 5).status == 0


def test_each_link_has_a_name_of_its_own(centre: ScriptedSmsc, opened: Opened) -> None:
    names: list[str] = []
    carrier = opened(lambda batch, link: names.append(link) or [0])  # type: ignore[func-returns-value]
    centre.deliver(message(b"a"))
    centre.deliver(message(b"b"))
    centre.cut()
    until(lambda: len(centre.of(BIND)) == 2 and carrier.probe().kind is OutcomeKind.accepted)
    centre.deliver(message(b"c"))
    assert names[0] == names[1] != names[2]


# TLS


def test_the_link_may_be_tls_and_the_name_is_checked(centre: ScriptedSmsc, tmp_path: Path) -> None:
    certificate = Path("tests/voice/loopback.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    centre.wrap(context)
    carrier = configured(centre.port, tls="on", tls_ca_file=str(certificate), host=host_of(certificate))
    session = carrier.open(1000, lambda batch, link: [0])
    assert session.bound.wait(5), session.trouble
    assert carrier.send_text(TEXT).kind is OutcomeKind.accepted
    carrier.close()
    stranger = configured(centre.port, tls="on")
    session = stranger.open(1000, lambda batch, link: [0])
    until(lambda: session.trouble)
    assert isinstance(session.trouble, ssl.SSLCertVerificationError)
    stranger.close()


def host_of(certificate: Path) -> str:
    """The name in a certificate that this machine reaches itself under."""
    text = subprocess.run(
        ["openssl", "x509", "-in", str(certificate), "-noout", "-ext", "subjectAltName"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return "127.0.0.1" if "127.0.0.1" in text else "localhost"


# What it is


def test_it_says_what_it_can_and_what_it_cannot(centre: ScriptedSmsc) -> None:
    carrier: Carrier = configured(centre.port)
    assert carrier.features == {Feature.sms, Feature.alpha_sender, Feature.reports, Feature.incoming}
    assert carrier.place_call(CALL).kind is OutcomeKind.rejected
    assert carrier.find_sent(TEXT, SINCE) == CannotSay("it has no list of what was sent", for_now=False)
    request = WebhookRequest("POST", "https://sms.praxis.example/carriers/centre/inbound")
    assert carrier.verify(request) is False
    for parse in (carrier.parse_text, carrier.parse_report, carrier.parse_call_report):
        with pytest.raises(WebhookError):
            parse(request)
    assert carrier.acknowledge().status == 204
    carrier.close()


def test_another_process_can_tell_whether_the_centre_is_there(centre: ScriptedSmsc) -> None:
    assert configured(centre.port).probe().kind is OutcomeKind.accepted
    centre.stop()
    assert configured(centre.port).probe().kind is OutcomeKind.temporary


def test_no_password_is_shown() -> None:
    assert "secret" not in repr(Endpoint("h", 1, "sms", "secret"))
    assert "secret" not in repr(Session(Endpoint("h", 1, "sms", "secret"), lambda batch, link: [0]))


@pytest.mark.parametrize(
    ("option", "value", "line"),
    [
        ("host", "", "host is missing"),
        ("host", "a b", "host is not right"),
        ("password", "longer than eight", "password is not right"),
        ("system_id", "longer-than-fifteen", "system_id is not right"),
        ("tls", "yes", "tls is not right"),
        ("alphabet", "ebcdic", "alphabet is not right"),
        ("long_messages", "fax", "long_messages is not right"),
        ("response_seconds", 21, "response_seconds is a number"),
        ("window", 0, "window is a number"),
        ("window", 26, "window is a number above 0 and at most 25"),
        ("tls_ca_file", "/nowhere.pem", "tls_ca_file is not right: No such file"),
        ("tls_ca_file", __file__, "tls_ca_file is not right: "),
        ("window", 2.5, "window is a whole number"),
        ("port", 70_000, "port is a number"),
    ],
)
def test_a_wrong_table_is_named_in_one_line(option: str, value: object, line: str) -> None:
    with pytest.raises(CarrierConfigError) as wrong:
        configured(2775, **{"tls": "on", option: value})
    assert line in str(wrong.value)


def until(true: Callable[[], object], seconds: float = PATIENCE) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)
