"""SMPP 3.4 on the wire: PDUs written and read by smpplib, with optional parameters read our own way.

smpplib refuses a whole PDU for one optional parameter that it does not expect, and reads past the end of one
whose length is not the usual; the specification wants the first ignored (3.3), and centres do both.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from smpplib import command, command_codes, consts, exceptions, smpp

from sms.carriers.smpp_text import UDHI, Part

HEADER = 16
LARGEST = 70_000
"""Octets of a PDU: a message_payload may hold 64 kB."""

USER_REFERENCE, RECEIPTED_ID, STATE, NETWORK_ERROR = 0x0204, 0x001E, 0x0427, 0x0423
PAYLOAD, SAR_REFERENCE, SAR_TOTAL, SAR_NUMBER = 0x0424, 0x020C, 0x020E, 0x020F


class Malformed(ValueError):
    """A PDU that cannot be read; `command` and `sequence` say what to answer."""

    def __init__(self, command: str, sequence: int) -> None:
        super().__init__(f"{command} cannot be read")
        self.command, self.sequence = command, sequence


class Address(NamedTuple):
    """A number or name with its type: TON 1 international, 2 national, 5 alphanumeric."""

    ton: int
    npi: int
    value: str


@dataclass(frozen=True)
class Delivered:
    """A deliver_sm: a text of a phone, a part of one, or a delivery receipt."""

    sequence: int
    source: Address
    destination: Address
    esm_class: int
    coding: int
    content: bytes = field(repr=False)
    tlvs: Mapping[int, bytes] = field(repr=False)

    def number(self, tag: int) -> int | None:
        """Return an optional parameter that is a whole number, None where it is absent or empty."""
        value = self.tlvs.get(tag)
        return int.from_bytes(value, "big") if value else None

    def word(self, tag: int) -> str:
        """Return an optional parameter that is a C string, empty where it is absent."""
        return self.tlvs.get(tag, b"").split(b"\0")[0].decode("latin-1")

    @property
    def sar(self) -> tuple[int, int, int] | None:
        """Reference, number and total where the parts of a long text are marked by optional parameters."""
        place = self.number(SAR_REFERENCE), self.number(SAR_NUMBER), self.number(SAR_TOTAL)
        return None if None in place else place  # type: ignore[return-value]


class Pdu(NamedTuple):
    """What came: `reference` is the message_id of a submit_sm_resp, `delivered` what a deliver_sm brings."""

    command: str
    status: int
    sequence: int
    reference: str = ""
    delivered: Delivered | None = None


def bind(sequence: int, system_id: str, password: str, system_type: str) -> bytes:
    """Write a bind_transceiver."""
    return _written(
        "bind_transceiver", sequence, system_id=system_id, password=password, system_type=system_type
    )


def submit(
    sequence: int, part: Part, source: Address, destination: Address, *, user_reference: int, report: int
) -> bytes:
    """Write a submit_sm; `report` is registered_delivery: 1 a receipt in any case, 2 only of a failure."""
    content = part.udh + part.content
    optional: dict[str, Any] = {"user_message_reference": user_reference}
    if part.sar is not None:
        reference, number, total = part.sar
        optional |= {"sar_msg_ref_num": reference, "sar_segment_seqnum": number, "sar_total_segments": total}
    optional |= {"message_payload": content} if part.payload else {"short_message": content}
    return _written(
        "submit_sm",
        sequence,
        source_addr_ton=source.ton,
        source_addr_npi=source.npi,
        source_addr=source.value,
        dest_addr_ton=destination.ton,
        dest_addr_npi=destination.npi,
        destination_addr=destination.value,
        esm_class=UDHI if part.udh else 0,
        registered_delivery=report,
        data_coding=part.coding,
        **optional,
    )


def plain(name: str, sequence: int, status: int = 0) -> bytes:
    """Write a PDU that needs no body: enquire_link, unbind, generic_nack and the answers to what comes in."""
    body = b"\0" if name in ("deliver_sm_resp", "data_sm_resp") else b""
    code = command_codes.get_command_code(name)
    return struct.pack(">LLLL", HEADER + len(body), code, status, sequence) + body


def length(head: bytes) -> int:
    """Return how many octets the PDU has whose first four are `head`; raises Malformed for a nonsensical number."""
    (found,) = struct.unpack(">L", head)
    if not HEADER <= found <= LARGEST:
        raise Malformed("generic_nack", 0)
    return int(found)


def read(data: bytes) -> Pdu:
    """Read one whole PDU; raises Malformed."""
    _, code, status, sequence = struct.unpack(">LLLL", data[:HEADER])
    try:
        name = command_codes.get_command_name(code)
    except exceptions.UnknownCommandError:
        raise Malformed("generic_nack", sequence) from None
    if name not in _READERS:
        return Pdu(name, status, sequence)
    body = _body(name, data, sequence) if len(data) > HEADER else None
    if name in ("deliver_sm", "data_sm"):
        if body is None:
            raise Malformed(name, sequence)
        return Pdu(name, status, sequence, delivered=_delivered(body, sequence))
    message_id = getattr(body, "message_id", None) or b""
    return Pdu(name, status, sequence, reference=message_id.decode("latin-1"))


class _Numbered:
    """What smpplib asks for sequence numbers."""

    def __init__(self, sequence: int) -> None:
        self.sequence = sequence

    def next_sequence(self) -> int:
        return self.sequence


class _Tolerant:
    """A mixin for smpplib's commands: takes every optional parameter as it comes, and no field from thin air."""

    tlvs: dict[int, bytes]

    def parse_optional_params(self, data: bytes) -> None:
        self.tlvs = {}
        at = 0
        while at + 4 <= len(data):
            tag, size = struct.unpack(">HH", data[at : at + 4])
            value = data[at + 4 : at + 4 + size]
            if len(value) < size:
                break
            self.tlvs.setdefault(tag, value)
            at += 4 + size

    def _parse_string(self, name: str, data: bytes, pos: int, length: int | None = None) -> tuple[bytes, int]:
        end = data.find(b"\0", pos)
        if end < 0:
            raise ValueError(f"{name} has no end")
        setattr(self, name, data[pos:end])
        return data, end + 1


class _DeliverSM(_Tolerant, command.DeliverSM):  # type: ignore[misc] # smpplib is untyped
    pass


class _DataSM(_Tolerant, command.DataSM):  # type: ignore[misc]
    pass


class _SubmitSMResp(_Tolerant, command.SubmitSMResp):  # type: ignore[misc]
    pass


_READERS: Mapping[str, Any] = {
    "deliver_sm": _DeliverSM,
    "data_sm": _DataSM,
    "submit_sm_resp": _SubmitSMResp,
}


def _written(name: str, sequence: int, **fields: Any) -> bytes:
    pdu = smpp.make_pdu(name, client=_Numbered(sequence), **fields)
    if name == "bind_transceiver":
        pdu.interface_version = consts.SMPP_VERSION_34
    return bytes(pdu.generate())


def _body(name: str, data: bytes, sequence: int) -> Any:
    pdu = _READERS[name](name, client=_Numbered(sequence))
    pdu.tlvs = {}
    if name == "deliver_sm":
        pdu.sm_length = None  # smpplib's 0 would hide that the PDU ends before it
    try:
        pdu.parse_params(data[HEADER:])
    except (struct.error, ValueError, TypeError):
        raise Malformed(name, sequence) from None
    return pdu


def _delivered(pdu: Any, sequence: int) -> Delivered:
    text = getattr(pdu, "short_message", None) or b""
    size = getattr(pdu, "sm_length", 0)
    if pdu.data_coding is None or size is None or len(text) < size:
        raise Malformed(pdu.command, sequence)
    return Delivered(
        sequence,
        Address(pdu.source_addr_ton, pdu.source_addr_npi, pdu.source_addr.decode("latin-1")),
        Address(pdu.dest_addr_ton, pdu.dest_addr_npi, pdu.destination_addr.decode("latin-1")),
        pdu.esm_class,
        pdu.data_coding,
        text or pdu.tlvs.get(PAYLOAD, b""),
        pdu.tlvs,
    )
