"""Delivery receipts: what they say, in a text, in optional parameters or in both, and how ids are spelled.

Source: SMPP v3.4, appendix B (the text's form, which carriers vary) and 5.3.2 (optional parameters).
"""

import re
from dataclasses import dataclass

from sms.carriers.smpp_codes import STATES, WORDS, State
from sms.carriers.smpp_pdu import NETWORK_ERROR, RECEIPTED_ID, STATE, USER_REFERENCE, Delivered

KIND = 0b0011_1100
"""esm_class of a deliver_sm: which of these bits are set says what it is."""
FINAL, INTERMEDIATE = 0x04, 0x20

_FIELD = re.compile(r"\b(id|stat|err):\s*(\S*)", re.IGNORECASE)


@dataclass(frozen=True)
class Receipt:
    """What became of a submit: `user_reference` is our own number where the centre gives it back."""

    reference: str
    state: State | None
    error: str | None
    user_reference: int | None


def is_receipt(delivered: Delivered) -> bool:
    """Tell a receipt from a text of a phone; never by its words, which a phone could write as well."""
    kind = delivered.esm_class & KIND
    return kind in (FINAL, INTERMEDIATE) or RECEIPTED_ID in delivered.tlvs


def read(delivered: Delivered) -> Receipt:
    """Read a receipt; the optional parameters are believed before the text."""
    # The words before `text:` are ASCII in every alphabet that a centre may use by default.
    head = re.split(r"(?i)\btext:", delivered.content.decode("latin-1"), maxsplit=1)[0]
    said = {name.lower(): value for name, value in reversed(_FIELD.findall(head))}
    number = delivered.number(STATE)
    return Receipt(
        reference=_clean(delivered.word(RECEIPTED_ID) or said.get("id", "")),
        state=STATES.get(number) if number is not None else WORDS.get(said.get("stat", "").upper()),
        error=_error(said.get("err"), delivered.tlvs.get(NETWORK_ERROR)),
        user_reference=delivered.number(USER_REFERENCE),
    )


def spellings(reference: str) -> tuple[str, ...]:
    """Return the ways in which the answer may have spelled a receipt's id, its own spelling first.

    Centres answer in hex and report in decimal, or the other way round, with or without leading zeros.
    """
    found = [reference, reference.upper(), reference.lower(), reference.lstrip("0")]
    if re.fullmatch(r"[0-9]{1,40}", reference):
        in_hex = f"{int(reference):x}"
        found += [in_hex, in_hex.upper(), in_hex.zfill(8), in_hex.zfill(8).upper(), reference.zfill(10)]
    if re.fullmatch(r"[0-9a-fA-F]{1,40}", reference):
        in_decimal = str(int(reference, 16))
        found += [in_decimal, in_decimal.zfill(10)]
    return tuple(dict.fromkeys(spelling for spelling in found if spelling))


def _clean(reference: str) -> str:
    return reference if re.fullmatch(r"[\x21-\x7e]{1,64}", reference) else ""


def _error(word: str | None, network: bytes | None) -> str | None:
    """Return the network's error as digits; none where it is zero, which means that there was none."""
    found = word or ""
    if network is not None and len(network) == 3:
        found = str(int.from_bytes(network[1:], "big"))
    return found[:10] if re.fullmatch(r"[0-9A-Za-z]+", found) and found.strip("0") else None
