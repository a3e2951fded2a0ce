"""What a link brings, octet by octet: nothing is lost, nothing is told twice, every receipt finds its message."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from sms import clock, config, receiving, sending, smpp_incoming
from sms.carriers.smpp import user_reference
from sms.models import Inbound, Message
from tests.carriers.scripted_smsc import BIND, DELIVER, SUBMIT, ScriptedSmsc, message, pdu, tlv
from tests.carriers.smpp.bound import OUR, Practice, settings_for

THEIR = "+491713920042"
ADDRESSES = {"source": (1, 1, THEIR[1:].encode()), "to": (1, 1, OUR[1:].encode())}


@pytest.fixture
def centre() -> Iterator[ScriptedSmsc]:
    made = ScriptedSmsc()
    yield made
    made.stop()


@pytest.fixture
def settings(tmp_path: Path, centre: ScriptedSmsc) -> config.Settings:
    return settings_for(tmp_path / "data", centre.port)


@pytest.fixture
def practice(database_file: Path, settings: config.Settings, account) -> Iterator[Practice]:
    """A bound practice that has written to the recipient, so that answers have an owner."""
    made = Practice(settings).start()
    made.question = sending.send(account, THEIR, "Kommen Sie?")  # type: ignore[attr-defined]
    made.becomes(made.question, "sent")  # type: ignore[attr-defined]
    yield made
    made.stop()


def text(words: bytes, *optional: bytes, esm_class: int = 0, coding: int = 0) -> bytes:
    return message(words, *optional, esm_class=esm_class, coding=coding, **ADDRESSES)


def part(number: int, total: int, words: bytes, reference: int = 7, coding: int = 0) -> bytes:
    header = bytes((5, 0, 3, reference, total, number))
    return text(header + words, esm_class=0x40, coding=coding)


def shown(practice: Practice) -> list[str]:
    return [m.text for m in practice.received(THEIR)]


# Texts that come again


def test_a_text_that_comes_again_on_the_next_link_is_the_same_text(
    practice: Practice, centre: ScriptedSmsc
) -> None:
    assert centre.deliver(text(b"Ja")) == 0
    again(practice, centre)
    assert centre.deliver(text(b"Ja")) == 0
    assert centre.deliver(text(b"Nein")) == 0
    assert shown(practice) == ["Ja", "Nein"]


def test_the_same_words_on_one_link_are_two_texts(practice: Practice, centre: ScriptedSmsc) -> None:
    for _ in range(2):
        assert centre.deliver(text(b"Ja")) == 0
    assert shown(practice) == ["Ja", "Ja"]


def test_the_same_pdu_twice_is_one_text(practice: Practice, centre: ScriptedSmsc) -> None:
    for _ in range(2):
        centre.send(pdu(DELIVER, 5, 0, text(b"Ja")))
    practice.until(lambda: len(centre.of(DELIVER | 0x80000000)) == 2)
    assert shown(practice) == ["Ja"]


def test_the_same_words_on_another_day_are_another_text(practice: Practice, centre: ScriptedSmsc) -> None:
    centre.deliver(text(b"Ja"))
    again(practice, centre)
    clock.shift(timedelta(days=1))
    centre.deliver(text(b"Ja"))
    assert shown(practice) == ["Ja", "Ja"]


def test_a_part_that_comes_again_after_its_text_was_shown_is_no_new_text(
    practice: Practice, centre: ScriptedSmsc
) -> None:
    for number, words in ((1, b"eins "), (2, b"zwei")):
        assert centre.deliver(part(number, 2, words)) == 0
    again(practice, centre)
    assert centre.deliver(part(2, 2, b"zwei")) == 0
    clock.shift(timedelta(hours=2))
    practice.bind.incoming.sweep()
    assert shown(practice) == ["eins zwei"]


# Long texts


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 2, 1), (2, 3, 1), (1, 1, 2, 2, 3)])
def test_parts_make_a_text_in_any_order(
    order: tuple[int, ...], practice: Practice, centre: ScriptedSmsc
) -> None:
    words = {1: b"eins ", 2: b"zwei ", 3: b"drei"}
    for number in order:
        assert centre.deliver(part(number, 3, words[number])) == 0
    assert shown(practice) == ["eins zwei drei"]


def test_a_character_that_was_cut_in_two_is_whole_again(practice: Practice, centre: ScriptedSmsc) -> None:
    octets = "Gern 😀 €".encode("utf-16-be")
    centre.deliver(part(1, 2, octets[:12], coding=8))
    centre.deliver(part(2, 2, octets[12:], coding=8))
    assert shown(practice) == ["Gern 😀 €"]


def test_parts_wait_in_the_database_for_the_next_process(
    practice: Practice, centre: ScriptedSmsc, settings: config.Settings
) -> None:
    centre.deliver(part(1, 2, b"eins "))
    practice.stop()
    next_one = Practice(settings).start()
    centre.deliver(part(2, 2, b"zwei"))
    next_one.stop()
    assert shown(practice) == ["eins zwei"]


def test_a_text_whose_part_never_comes_is_shown_with_its_gap(
    practice: Practice, centre: ScriptedSmsc
) -> None:
    centre.deliver(part(1, 3, b"eins"))
    centre.deliver(part(3, 3, b"drei"))
    assert shown(practice) == []
    clock.shift(smpp_incoming.PART_WAITS * 1.1)
    practice.until(lambda: shown(practice))
    assert shown(practice) == ["eins […] drei"]
    assert not Inbound.select().where(Inbound.kind == "part").exists()


def test_a_reference_that_comes_round_again_mixes_no_two_texts(
    practice: Practice, centre: ScriptedSmsc
) -> None:
    centre.deliver(part(1, 2, b"alt"))
    centre.deliver(part(1, 2, b"neu "))
    centre.deliver(part(2, 2, b"und ganz"))
    assert shown(practice) == ["alt […] ", "neu und ganz"]


def test_texts_of_two_people_with_one_reference_stay_apart(practice: Practice, centre: ScriptedSmsc) -> None:
    other = {"source": (1, 1, b"491713920043"), "to": ADDRESSES["to"]}
    header = bytes((5, 0, 3, 7, 2, 2))
    centre.deliver(part(1, 2, b"eins "))
    centre.deliver(message(header + b"fremd", esm_class=0x40, **other))
    assert shown(practice) == []
    centre.deliver(part(2, 2, b"zwei"))
    assert shown(practice) == ["eins zwei"]


def test_what_cannot_be_stored_is_not_acknowledged(
    practice: Practice, centre: ScriptedSmsc, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError("disk full")

    with monkeypatch.context() as broken:
        broken.setattr(receiving, "receive_text", full)
        assert centre.deliver(text(b"Ja")) == 0x64
        assert centre.deliver(part(1, 1, b"Ja")) == 0x64
    assert centre.deliver(text(b"Ja")) == 0
    assert shown(practice) == ["Ja"]


# Receipts


def receipt(reference: str, state: str = "DELIVRD", *optional: bytes, error: str = "000") -> bytes:
    words = f"id:{reference} sub:001 dlvrd:001 stat:{state} err:{error} text:"
    return text(words.encode(), *optional, esm_class=4)


def ours(sent: Message) -> bytes:
    return tlv(0x0204, user_reference(Message.get_by_id(sent.id).key).to_bytes(2, "big"))


def sent(
    practice: Practice, centre: ScriptedSmsc, account, reference: str | int | None, status: str
) -> Message:
    """A message whose submit the centre answers like this."""
    centre.answers = [reference]
    made = sending.send(account, THEIR, f"Nachricht mit {reference}")
    return practice.becomes(made, status)


def test_a_receipt_finds_its_message_by_the_id_of_the_answer(
    practice: Practice, centre: ScriptedSmsc, account
) -> None:
    first = sent(practice, centre, account, "a-1", "sent")
    second = sent(practice, centre, account, "a-2", "sent")
    centre.deliver(receipt("a-2"))
    practice.becomes(second, "delivered")
    centre.deliver(receipt("a-1", "UNDELIV", error="011"))
    found = practice.becomes(first, "undelivered")
    assert (found.reason, found.error) == ("unreachable", "011 UNDELIV")


@pytest.mark.parametrize(
    ("answered", "reported"), [("12AB", "4779"), ("4779", "12ab"), ("0000004779", "4779")]
)
def test_a_receipt_finds_its_message_whatever_the_spelling(
    answered: str, reported: str, practice: Practice, centre: ScriptedSmsc, account
) -> None:
    made = sent(practice, centre, account, answered, "sent")
    centre.deliver(receipt(reported))
    practice.becomes(made, "delivered")


def test_an_id_of_somebody_else_in_another_spelling_is_not_taken(
    practice: Practice, centre: ScriptedSmsc, account
) -> None:
    made = sent(practice, centre, account, "12AB", "sent")
    stranger = {"source": (1, 1, b"491713920043"), "to": ADDRESSES["to"]}
    centre.deliver(message(b"id:4779 stat:DELIVRD", esm_class=4, **stranger))
    assert Message.get_by_id(made.id).status == "sent"


def test_a_lost_id_is_made_up_for_by_our_own_number(
    practice: Practice, centre: ScriptedSmsc, account
) -> None:
    lost = sent(practice, centre, account, None, "unknown")
    other = sent(practice, centre, account, None, "unknown")
    centre.deliver(receipt("never-heard-of", "DELIVRD", ours(lost)))
    found = practice.becomes(lost, "delivered")
    assert found.carrier_reference == "never-heard-of"
    assert Message.get_by_id(other.id).status == "unknown"


def test_without_id_and_number_the_only_text_it_can_mean_is_meant(
    practice: Practice, centre: ScriptedSmsc, account
) -> None:
    lost = sent(practice, centre, account, None, "unknown")
    centre.deliver(receipt("never-heard-of"))
    practice.becomes(lost, "delivered")


def test_where_it_could_mean_two_it_means_none(practice: Practice, centre: ScriptedSmsc, account) -> None:
    lost = [sent(practice, centre, account, None, "unknown") for _ in range(2)]
    centre.deliver(receipt("never-heard-of"))
    assert [Message.get_by_id(m.id).status for m in lost] == ["unknown", "unknown"]
    clock.shift(smpp_incoming.RECEIPT_WAITS * 1.1)
    practice.until(lambda: not Inbound.select().where(Inbound.kind == "report").exists())
    assert [Message.get_by_id(m.id).status for m in lost] == ["unknown", "unknown"]


def test_a_receipt_that_is_faster_than_the_answer_waits_for_it(
    practice: Practice, centre: ScriptedSmsc, account
) -> None:
    first = sent(practice, centre, account, "x-1", "sent")
    centre.answers = [None, None]
    both = [sending.send(account, THEIR, f"Eilig {n}") for n in range(2)]
    practice.until(lambda: len(centre.of(SUBMIT)) == 4)
    assert centre.deliver(receipt("x-3")) == 0
    assert Inbound.select().where(Inbound.kind == "report").count() == 1
    for seen, reference in zip(centre.of(SUBMIT)[-2:], ("x-2", "x-3"), strict=True):
        centre.send(pdu(SUBMIT | 0x80000000, seen.sequence, 0, reference.encode() + b"\0"))
    practice.until(lambda: "delivered" in [Message.get_by_id(m.id).status for m in both], hurry=True)
    by_reference = {
        m.carrier_reference: m.status for m in Message.select().where(Message.direction == "outgoing")
    }
    assert (by_reference["x-3"], by_reference["x-2"]) == ("delivered", "sent")
    assert Message.get_by_id(first.id).status == "sent"


def test_the_failure_of_an_early_part_is_the_failure_of_the_text(
    practice: Practice, centre: ScriptedSmsc, account
) -> None:
    centre.answers = ["p-1", "p-2"]
    made = sending.send(account, THEIR, "a" * 200)
    practice.becomes(made, "sent")
    centre.deliver(receipt("p-1", "UNDELIV", ours(made)))
    practice.becomes(made, "undelivered")


def test_receipts_without_any_id_find_their_messages_by_our_number(
    practice: Practice, centre: ScriptedSmsc, account
) -> None:
    lost = [sent(practice, centre, account, None, "unknown") for _ in range(2)]
    for made in lost:
        parameters = tlv(0x0427, b"\x02"), ours(made)
        assert centre.deliver(text(b"", *parameters, esm_class=4)) == 0
    for made in lost:
        practice.becomes(made, "delivered")


@pytest.mark.parametrize(
    ("source", "to"),
    [
        ((2, 1, b"01713920042"), (0, 1, b"01713920090")),
        ((0, 0, b"491713920042"), (1, 1, b"00491713920090")),
        ((1, 1, b"+491713920042"), (0, 0, b"491713920090")),
    ],
)
def test_numbers_in_any_spelling_are_the_same_people(
    source: tuple[int, int, bytes],
    to: tuple[int, int, bytes],
    practice: Practice,
    centre: ScriptedSmsc,
    account,
) -> None:
    assert centre.deliver(message(b"Ja", source=source, to=to)) == 0
    (answer,) = practice.received(THEIR)
    assert (answer.theirs, answer.ours, answer.answers) == (THEIR, OUR, practice.question.id)
    lost = sent(practice, centre, account, None, "unknown")
    body = message(b"id:z-9 stat:DELIVRD", ours(lost), esm_class=4, source=source, to=to)
    assert centre.deliver(body) == 0
    practice.becomes(lost, "delivered")


@pytest.mark.parametrize(
    "states", [("DELIVRD", "ENROUTE"), ("DELIVRD", "DELIVRD"), ("DELIVRD", "UNDELIV"), ("DELIVRD", "UNKNOWN")]
)
def test_a_late_or_doubled_receipt_never_moves_a_message_back(
    states: tuple[str, ...], practice: Practice, centre: ScriptedSmsc, account
) -> None:
    made = sent(practice, centre, account, "b-1", "sent")
    for state in states:
        assert centre.deliver(receipt("b-1", state)) == 0
    assert Message.get_by_id(made.id).status == "delivered"


def test_a_receipt_in_the_words_of_a_phone_is_a_text(
    practice: Practice, centre: ScriptedSmsc, account
) -> None:
    made = sent(practice, centre, account, "c-1", "sent")
    centre.deliver(text(b"id:c-1 sub:001 dlvrd:001 stat:DELIVRD err:000 text:"))
    assert Message.get_by_id(made.id).status == "sent"
    assert len(practice.received(THEIR)) == 1


def test_a_receipt_that_cannot_be_used_yet_is_kept(
    practice: Practice, centre: ScriptedSmsc, account, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = sent(practice, centre, account, "d-1", "sent")

    def busy(*_: object) -> None:
        raise OSError("database is locked")

    with monkeypatch.context() as broken:
        broken.setattr(receiving, "receive_report", busy)
        assert centre.deliver(receipt("d-1")) == 0
        assert Message.get_by_id(made.id).status == "sent"
    practice.becomes(made, "delivered", hurry=True)


def again(practice: Practice, centre: ScriptedSmsc) -> None:
    """Cut the link and wait for the next one."""
    before = len(centre.of(BIND))
    centre.cut()
    practice.until(lambda: len(centre.of(BIND)) > before and practice.bind.session.bound.is_set())
