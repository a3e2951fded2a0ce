"""What a carrier says is told in the language of who looks: known codes as a sentence, unknown words as a quotation."""

import re

import pytest

from sms import delivery, health, i18n, probing
from sms.carriers import smpp_codes, twilio_codes, websms_codes
from sms.carriers.contract import Outcome, OutcomeKind, Reason, code_and_words, in_a_line
from sms.models import CarrierHealth
from sms.views.carrier_words import REASONS, why
from tests.conftest import sign_in
from tests.views import practice

KNOWN = [
    *((code, meaning.reason, meaning.text) for code, meaning in twilio_codes.CODES.items()),
    *((str(code), meaning.reason, meaning.text) for code, meaning in websms_codes.CODES.items()),
    *((status.name, status.reason, status.name) for status in smpp_codes.STATUSES.values()),
]


@pytest.fixture
def talk(account, app):
    return practice.conversation(account)


def shown(client, talk, anna, outcome: Outcome) -> str:
    """Let a carrier answer so, and return how the thread says it."""
    message = practice.settle(practice.write_out(talk, "Hallo", anna), "sending")
    message.key = "k" * 32
    type(message).update(key=message.key).where(type(message).id == message.id).execute()
    delivery.settle(message, outcome)
    page = client.get(f"/conversations/{talk.id}").get_data(as_text=True)
    item = re.search(rf'<li [^>]*id="m-{message.id}".*?</li>', page, re.S)[0]
    return re.sub(r"<[^>]+>", "", re.search(r'<span class="st [^"]*">.*?</span>', item, re.S)[0]).strip()


def test_every_code_we_know_has_a_sentence_and_none_shows_our_english_words(app):
    with app.test_request_context(headers={"Accept-Language": "de"}):
        for code, reason, text in KNOWN:
            if reason in (None, Reason.other):
                continue
            sentence = why(reason.value, in_a_line(code, text))
            assert sentence == f"{i18n.gettext(REASONS[reason.value])} ({code})"
    unclear = {code for code, reason, _ in KNOWN if reason is Reason.other}
    assert unclear == {"ESME_RX_P_APPN", "ESME_RX_R_APPN"}


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (Outcome(OutcomeKind.rejected, code="21211", reason=Reason.bad_number, detail="Invalid 'To' number"),
         "Nicht zugestellt: diese Nummer gibt es nicht (21211)"),
        (Outcome(OutcomeKind.rejected, code="63999", reason=Reason.other, detail="Strange <things> happened"),
         "Nicht zugestellt: der Anbieter meldet „Strange &lt;things&gt; happened“ (63999)"),
        (Outcome(OutcomeKind.rejected, code="ESME_RX_P_APPN", reason=Reason.other, detail="ESME_RX_P_APPN"),
         "Nicht zugestellt: der Anbieter nennt keinen eindeutigen Grund (ESME_RX_P_APPN)"),
        (Outcome(OutcomeKind.rejected),
         "Nicht zugestellt: der Anbieter nennt keinen eindeutigen Grund"),
    ],
    ids=["known", "unknown", "unclear", "silent"],
)  # fmt: skip
def test_a_thread_says_in_german_why_a_message_failed(client, talk, anna, outcome, words):
    assert shown(client, talk, anna, outcome) == words


def test_a_line_is_taken_apart_as_it_was_put_together():
    assert code_and_words(in_a_line("21211", "Invalid 'To' number")) == ("21211", "Invalid 'To' number")
    assert code_and_words(in_a_line("ESME_RTHROTTLED", "ESME_RTHROTTLED")) == ("ESME_RTHROTTLED", "")
    assert code_and_words(in_a_line(None, "no answer in 30 s")) == ("", "no answer in 30 s")
    assert code_and_words(in_a_line(None, None)) == ("", "")
    assert len(in_a_line("21211", "x" * 500)) == 200


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (Outcome(OutcomeKind.temporary, detail="ConnectionRefusedError"),
         "zurzeit nicht angenommen, die Verbindung wurde abgelehnt"),
        (Outcome(OutcomeKind.auth, code="20003", detail="Authenticate"),
         "unser Konto wird abgelehnt, 20003, „Authenticate“"),
        (Outcome(OutcomeKind.unknown, code="503", detail="HTTP 503"), "keine eindeutige Antwort, 503, HTTP 503"),
    ],
    ids=["ours", "theirs", "number"],
)  # fmt: skip
def test_an_operator_reads_in_german_what_a_carrier_says(app, operator, outcome, words):
    health.row_of("sandbox")
    CarrierHealth.update(state="degraded", reason="probe", detail=probing.words(outcome)).execute()
    health.forget()
    page = sign_in(app, operator).get("/settings/carriers/sandbox/standing").get_data(as_text=True)
    assert f'<span class="num">{words}</span>' in page
