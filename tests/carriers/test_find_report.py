"""What became of a text that the carrier took: asked by its reference, whatever the wire does."""

import pytest

from sms.carriers.contract import CannotSay, Carrier, Feature, Found, NotThere, Reason
from tests.carriers.scripted import CUT, SILENCE, Answer, Scripted, http, twilio_error

SM = "SM" + "0123456789abcdef" * 2


def record(status: str, code: int | None = None) -> bytes:
    """The answer for one message, as Twilio writes it."""
    return http(200, {"sid": SM, "status": status, "error_code": code, "direction": "outbound-api"})


ANSWERS: list[tuple[str, Answer, str | None, Reason | None]] = [
    ("delivered", record("delivered"), "delivered", None),
    ("on its way", record("sent"), "sent", None),
    ("not there yet", record("queued"), None, None),
    ("gone wrong, may pass", record("undelivered", 30003), "undelivered", Reason.unreachable),
    ("gone wrong for good", record("failed", 30006), "failed", Reason.landline),
]


@pytest.mark.parametrize(
    ("answer", "status", "reason"), [row[1:] for row in ANSWERS], ids=[row[0] for row in ANSWERS]
)
def test_what_the_carrier_knows_of_a_text_reads_like_its_report(
    answer: Answer, status: str | None, reason: Reason | None, network: Scripted, carrier: Carrier
) -> None:
    network.answer = answer
    found = carrier.find_report(SM)
    assert isinstance(found, Found)
    assert (found.reference, found.status, found.reason) == (SM, status, reason)
    assert [request.path.endswith(f"/Messages/{SM}.json") for request in network.seen] == [True]


def test_a_text_that_was_removed_at_the_carrier_is_not_there(network: Scripted, carrier: Carrier) -> None:
    network.answer = twilio_error(404, 20404)
    assert carrier.find_report(SM) == NotThere()


@pytest.mark.parametrize(
    "answer",
    [http(500, ""), twilio_error(401, 20003), twilio_error(429, 20429), CUT, SILENCE, b"nonsense\r\n"],
    ids=["500", "401", "429", "cut", "silence", "no HTTP"],
)
def test_no_clear_answer_says_nothing_and_is_asked_for_again(
    answer: Answer, network: Scripted, carrier: Carrier
) -> None:
    network.answer = answer
    found = carrier.find_report(SM)
    assert isinstance(found, CannotSay)
    assert found.for_now


def test_it_says_that_it_can_be_asked(carrier: Carrier) -> None:
    assert Feature.find_report in carrier.features
