"""PDUs: what we write is what the specification says, and whatever comes is read or refused."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smpplib import consts

from sms.carriers import smpp_pdu, smpp_receipt
from sms.carriers.contract import OutcomeKind
from sms.carriers.smpp import number_of, user_reference
from sms.carriers.smpp_codes import STATES, STATUSES, status
from sms.carriers.smpp_pdu import Address, Delivered, Malformed
from sms.carriers.smpp_text import Part
from tests.carriers.scripted_smsc import DELIVER, message, pdu, tlv

FROM, TO = Address(5, 0, "MUELLER"), Address(1, 1, "4917139200540")


def written(part: Part, report: int = 1) -> bytes:
    return smpp_pdu.submit(7, part, FROM, TO, user_reference=0x0102, report=report)


def test_a_submit_is_written_as_the_specification_says() -> None:
    body = (
        b"\0"  # service_type
        b"\x05\x00MUELLER\0"
        b"\x01\x014917139200540\0"
        b"\x00\x00\x00"  # esm_class, protocol_id, priority_flag
        b"\0\0"  # schedule_delivery_time, validity_period
        b"\x01\x00\x00\x00"  # registered_delivery, replace_if_present, data_coding, sm_default_msg_id
        b"\x02Hi" + tlv(0x0204, b"\x01\x02")
    )
    assert written(Part(b"Hi", 0)) == pdu(0x04, 7, 0, body)


def test_a_part_carries_its_header_and_says_so() -> None:
    header = bytes((5, 0, 3, 9, 2, 1))
    data = written(Part("ü".encode("utf-16-be"), 8, udh=header), report=2)
    body = data[16:]
    at = body.index(b"4917139200540\0") + 14
    assert body[at] == 0x40
    assert body[at + 5] == 2
    assert body[at + 7] == 8
    assert body[at + 9 : at + 9 + 9] == bytes((8,)) + header + b"\x00\xfc"


def test_parts_may_be_marked_by_parameters_and_long_ones_go_as_payload() -> None:
    marked = written(Part(b"A", 0, sar=(300, 2, 3)))
    for parameter in (tlv(0x020C, b"\x01\x2c"), tlv(0x020F, b"\x02"), tlv(0x020E, b"\x03")):
        assert parameter in marked
    whole = written(Part(b"A" * 1000, 0, payload=True))
    assert tlv(0x0424, b"A" * 1000) in whole
    assert whole[16:].split(b"4917139200540\0")[1][9] == 0


def test_a_bind_says_who_we_are_and_which_version_we_speak() -> None:
    body = b"sms\0secret\0type\0" + bytes((0x34, 0, 0)) + b"\0"
    assert smpp_pdu.bind(1, "sms", "secret", "type") == pdu(0x09, 1, 0, body)


@pytest.mark.parametrize(
    ("name", "code", "body"),
    [
        ("enquire_link", 0x15, b""),
        ("enquire_link_resp", 0x80000015, b""),
        ("unbind", 0x06, b""),
        ("deliver_sm_resp", 0x80000005, b"\0"),
        ("data_sm_resp", 0x80000103, b"\0"),
        ("generic_nack", 0x80000000, b""),
    ],
)
def test_what_needs_no_fields_is_short(name: str, code: int, body: bytes) -> None:
    assert smpp_pdu.plain(name, 9, 3) == pdu(code, 9, 3, body)


def delivered(body: bytes) -> Delivered:
    found = smpp_pdu.read(pdu(DELIVER, 5, 0, body)).delivered
    assert found is not None
    return found


def test_a_deliver_is_read() -> None:
    found = delivered(message(b"Ja \x1b\x65", coding=0))
    assert (found.sequence, found.content, found.coding, found.esm_class) == (5, b"Ja \x1b\x65", 0, 0)
    assert found.source == Address(1, 1, "4917139200540")
    assert found.destination == Address(1, 1, "4917139200100")
    assert "Ja" not in repr(found)


@pytest.mark.parametrize(
    "parameters",
    [
        tlv(0x1401, b"carrier's own"),
        tlv(0x0017, b"\0\0\0\1"),
        tlv(0x0427, b"\0\0\0\2"),
        tlv(0x0204, b""),
        tlv(0x1401, b"") * 50,
        b"\0",
        b"\x04\x27\x00\xff\x01",
    ],
    ids=["unknown", "of another command", "longer than usual", "empty", "many", "a stray NUL", "cut"],
)
def test_no_optional_parameter_spoils_the_rest(parameters: bytes) -> None:
    assert delivered(message(b"Hi", parameters)).content == b"Hi"


def test_a_payload_stands_in_for_an_empty_text_only() -> None:
    assert delivered(message(b"", tlv(0x0424, b"long"))).content == b"long"
    assert delivered(message(b"short", tlv(0x0424, b"long"))).content == b"short"


def test_a_data_sm_is_read_like_a_deliver_sm() -> None:
    body = b"\0\x01\x014917139200540\0\x01\x014917139200100\0\x00\x00\x08" + tlv(0x0424, b"\0A")
    found = smpp_pdu.read(pdu(0x103, 5, 0, body)).delivered
    assert found is not None
    assert (found.content, found.coding, found.source.value) == (b"\0A", 8, "4917139200540")


def test_an_answer_to_a_submit_names_a_reference_where_there_is_one() -> None:
    assert smpp_pdu.read(pdu(0x80000004, 7, 0, b"0a1B-x\0")).reference == "0a1B-x"
    assert smpp_pdu.read(pdu(0x80000004, 7, 0x58)).reference == ""
    assert smpp_pdu.read(pdu(0x80000004, 7, 8, b"\0")).reference == ""
    assert smpp_pdu.read(pdu(0x80000004, 7, 0, b"id\0" + tlv(0x1D, b"why"))).reference == "id"


def test_half_a_deliver_is_malformed() -> None:
    whole = message(b"Hello")
    for size in range(len(whole)):
        with pytest.raises(Malformed) as broken:
            smpp_pdu.read(pdu(DELIVER, 5, 0, whole[:size]))
        assert (broken.value.command, broken.value.sequence) == ("deliver_sm", 5)


def test_a_command_nobody_knows_is_refused_by_number() -> None:
    with pytest.raises(Malformed) as broken:
        smpp_pdu.read(pdu(0x7777, 5))
    assert (broken.value.command, broken.value.sequence) == ("generic_nack", 5)


@pytest.mark.parametrize("size", [0, 15, 70_001, 0xFFFFFFFF])
def test_a_length_that_cannot_be_is_not_waited_for(size: int) -> None:
    with pytest.raises(Malformed):
        smpp_pdu.length(struct.pack(">L", size))


COMMANDS = st.sampled_from([0x05, 0x103, 0x80000004, 0x80000009, 0x15, 0x102, 0x80000000, 0x7777])


@given(COMMANDS, st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.binary(max_size=120))
def test_any_pdu_is_read_or_malformed(command: int, code: int, sequence: int, body: bytes) -> None:
    try:
        found = smpp_pdu.read(pdu(command, sequence, code, body))
    except Malformed as broken:
        found = smpp_pdu.Pdu(broken.command, code, broken.sequence)
    assert (found.sequence, found.status) == (sequence, code)
    if found.delivered is not None:
        smpp_receipt.read(found.delivered)
        number_of(found.delivered.source)


@given(
    st.binary(max_size=254), st.lists(st.tuples(st.integers(0, 0xFFFF), st.binary(max_size=9)), max_size=4)
)
def test_every_well_formed_deliver_is_read_whole(text: bytes, parameters: list[tuple[int, bytes]]) -> None:
    found = delivered(message(text, *(tlv(*parameter) for parameter in parameters)))
    expected = dict(reversed(parameters))
    assert found.tlvs == expected
    assert found.content == (text or expected.get(0x0424, b""))


# Numbers

ADDRESSES = [
    ((1, 1, "4917139200540"), "+4917139200540"),
    ((1, 1, "+4917139200540"), "+4917139200540"),
    ((1, 1, "004917139200540"), "+4917139200540"),
    ((0, 0, "4917139200540"), "+4917139200540"),
    ((0, 1, "004917139200540"), "+4917139200540"),
    ((0, 1, "+4917139200540"), "+4917139200540"),
    ((0, 0, "017139200540"), "017139200540"),
    ((2, 1, "017139200540"), "017139200540"),
    ((2, 1, "17139200540"), "17139200540"),
    ((3, 0, "80888"), "80888"),
    ((0, 0, "80888"), "80888"),
    ((5, 0, "4917139200540"), "4917139200540"),
    ((5, 0, "PAYPAL"), "PAYPAL"),
    ((0, 0, ""), ""),
]


@pytest.mark.parametrize(("address", "number"), ADDRESSES)
def test_a_number_is_e164_where_its_type_or_form_says_so(address: tuple[int, int, str], number: str) -> None:
    assert number_of(Address(*address)) == number


@given(st.text())
def test_our_own_number_of_a_message_has_sixteen_bits(key: str) -> None:
    assert 0 <= user_reference(key) <= 0xFFFF


# Receipts

TEXT = b"id:0123456789 sub:001 dlvrd:001 submit date:2603300900 done date:2603300901 stat:DELIVRD err:000 text:Ja"
STATE_TLVS = tlv(0x001E, b"0123456789\0"), tlv(0x0427, b"\x02")

RECEIPTS = [
    ("text", (TEXT,), "0123456789", "DELIVRD", None, None),
    ("parameters", (b"", *STATE_TLVS), "0123456789", "DELIVRD", None, None),
    ("both, parameters first", (TEXT, tlv(0x001E, b"abc\0"), tlv(0x0427, b"\x05")), "abc", "UNDELIV", None, None),
    ("our number", (TEXT, tlv(0x0204, b"\x01\x02")), "0123456789", "DELIVRD", None, 0x0102),
    ("an error", (TEXT.replace(b"DELIVRD err:000", b"UNDELIV err:0a1"),), "0123456789", "UNDELIV", "0a1", None),
    ("an error of the network", (b"", *STATE_TLVS, tlv(0x0423, b"\x03\x00\x0b")), "0123456789", "DELIVRD", "11", None),
    ("no error of the network", (b"", *STATE_TLVS, tlv(0x0423, b"\x03\x00\x00")), "0123456789", "DELIVRD", None, None),
    ("capitals and blanks", (b"Id: 7 Stat: delivrd Err: 000",), "7", "DELIVRD", None, None),
    ("the state's name", (b"id:7 stat:DELIVERED",), "7", "DELIVRD", None, None),
    ("another name", (b"id:7 stat:UNDELIVERABLE",), "7", "UNDELIV", None, None),
    ("a word of tomorrow", (b"id:7 stat:DELIVERING",), "7", None, None, None),
    ("words in the text of the message", (b"id:7 stat:EXPIRED text:id:8 stat:DELIVRD",), "7", "EXPIRED", None, None),
    ("an id without NUL", (b"", tlv(0x001E, b"abc"), tlv(0x0427, b"\x02")), "abc", "DELIVRD", None, None),
    ("a state of tomorrow", (b"", tlv(0x001E, b"abc\0"), tlv(0x0427, b"\x63")), "abc", None, None, None),
    ("nothing at all", (b"",), "", None, None, None),
    ("an id with a blank in it", (b"", tlv(0x001E, b"a b\0"), tlv(0x0427, b"\x02")), "", "DELIVRD", None, None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("parts", "reference", "word", "error", "ours"), [r[1:] for r in RECEIPTS], ids=[r[0] for r in RECEIPTS]
)
def test_a_receipt_is_read(
    parts: tuple[bytes, ...], reference: str, word: str | None, error: str | None, ours: int | None
) -> None:
    receipt = smpp_receipt.read(delivered(message(*parts, esm_class=4)))
    assert receipt.reference == reference
    assert (receipt.state.word if receipt.state else None) == word
    assert (receipt.error, receipt.user_reference) == (error, ours)


@pytest.mark.parametrize(
    ("esm_class", "parameters", "expected"),
    [
        (0x04, (), True),
        (0x20, (), True),
        (0x44, (), True),
        (0x00, (tlv(0x001E, b"1\0"),), True),
        (0x00, (), False),
        (0x40, (), False),
        (0x03, (), False),
        (0x08, (), False),
    ],
)
def test_a_receipt_is_told_by_its_class_and_never_by_its_words(
    esm_class: int, parameters: tuple[bytes, ...], expected: bool
) -> None:
    assert smpp_receipt.is_receipt(delivered(message(TEXT, *parameters, esm_class=esm_class))) is expected


@pytest.mark.parametrize(
    ("reported", "answered"),
    [
        ("1795300735478000", "660cf4cbd0e70"),
        ("305419896", "12345678"),
        ("12345678", "305419896"),
        ("0123", "123"),
        ("255", "000000FF"),
        ("255", "ff"),
        ("FF", "255"),
        ("ab-C", "AB-C"),
        ("42", "0000000042"),
    ],
)
def test_an_id_is_found_in_the_spelling_of_the_answer(reported: str, answered: str) -> None:
    expected = f"{1795300735478000:x}" if answered == "660cf4cbd0e70" else answered
    assert expected in smpp_receipt.spellings(reported)
    assert smpp_receipt.spellings(reported)[0] == reported


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=64))
def test_the_own_spelling_of_an_id_comes_first(reference: str) -> None:
    found = smpp_receipt.spellings(reference)
    assert found[0] == reference
    assert len(set(found)) == len(found)


# Tables


def test_our_names_and_numbers_are_those_of_the_specification() -> None:
    for code, meaning in STATUSES.items():
        assert getattr(consts, f"SMPP_{meaning.name}") == code
    for state, meaning in STATES.items():
        assert len(meaning.word) <= 7
        assert state in range(1, 9)


def test_a_refusal_is_never_taken_for_an_acceptance() -> None:
    accepted = [code for code, meaning in STATUSES.items() if meaning.kind is OutcomeKind.accepted]
    assert accepted == [0]
    assert status(0x0400).kind is OutcomeKind.rejected
    assert status(0x0400).name == "0x00000400"
