"""What the numbers of SMPP mean to us.

Source: SMPP v3.4 issue 1.2, 5.1.3 (command_status), 5.2.28 (message_state) and appendix B (delivery receipts).
The first group is what centres were seen to answer and how they mean it; the others follow the specification's
own description of the code and are unconfirmed by any carrier.
"""

from collections.abc import Mapping
from typing import NamedTuple

from sms.carriers.contract import OutcomeKind, Reason, TextStatus


class Status(NamedTuple):
    """What a command_status in an answer to submit_sm or to a bind means."""

    name: str
    kind: OutcomeKind
    reason: Reason | None = None


class State(NamedTuple):
    """What a state in a delivery receipt means; no status says nothing new."""

    word: str
    status: TextStatus | None
    reason: Reason | None = None


REJECTED, AUTH = OutcomeKind.rejected, OutcomeKind.auth
THROTTLED, TEMPORARY, UNKNOWN = OutcomeKind.throttled, OutcomeKind.temporary, OutcomeKind.unknown

OK = 0x00
TRY_AGAIN = 0x64
"""What we answer where a deliver_sm could not be stored: the centre keeps it and comes again."""
NEVER = 0x65
"""What we answer to a deliver_sm that cannot be read, today or later."""
UNKNOWN_COMMAND = 0x03

STATUSES: Mapping[int, Status] = {
    OK: Status("ESME_ROK", OutcomeKind.accepted),
    0x08: Status("ESME_RSYSERR", TEMPORARY, Reason.network),
    0x0A: Status("ESME_RINVSRCADR", AUTH, Reason.bad_sender),
    0x0B: Status("ESME_RINVDSTADR", REJECTED, Reason.bad_number),
    0x0D: Status("ESME_RBINDFAIL", AUTH, Reason.setup),
    0x0E: Status("ESME_RINVPASWD", AUTH, Reason.setup),
    0x0F: Status("ESME_RINVSYSID", AUTH, Reason.setup),
    0x14: Status("ESME_RMSGQFUL", THROTTLED, Reason.network),
    0x45: Status("ESME_RSUBMITFAIL", TEMPORARY, Reason.network),
    0x58: Status("ESME_RTHROTTLED", THROTTLED, Reason.network),
    # unconfirmed
    0x01: Status("ESME_RINVMSGLEN", REJECTED, Reason.too_long),
    0x02: Status("ESME_RINVCMDLEN", REJECTED, Reason.setup),
    0x03: Status("ESME_RINVCMDID", AUTH, Reason.setup),
    0x04: Status("ESME_RINVBNDSTS", TEMPORARY, Reason.network),
    0x05: Status("ESME_RALYBND", TEMPORARY, Reason.network),
    0x06: Status("ESME_RINVPRTFLG", REJECTED, Reason.setup),
    0x07: Status("ESME_RINVREGDLVFLG", REJECTED, Reason.setup),
    0x15: Status("ESME_RINVSERTYP", AUTH, Reason.setup),
    0x43: Status("ESME_RINVESMCLASS", REJECTED, Reason.setup),
    0x48: Status("ESME_RINVSRCTON", AUTH, Reason.bad_sender),
    0x49: Status("ESME_RINVSRCNPI", AUTH, Reason.bad_sender),
    0x50: Status("ESME_RINVDSTTON", REJECTED, Reason.bad_number),
    0x51: Status("ESME_RINVDSTNPI", REJECTED, Reason.bad_number),
    0x53: Status("ESME_RINVSYSTYP", AUTH, Reason.setup),
    0x61: Status("ESME_RINVSCHED", REJECTED, Reason.setup),
    0x62: Status("ESME_RINVEXPIRY", REJECTED, Reason.setup),
    0x64: Status("ESME_RX_T_APPN", TEMPORARY, Reason.network),
    0x65: Status("ESME_RX_P_APPN", REJECTED, Reason.other),
    0x66: Status("ESME_RX_R_APPN", REJECTED, Reason.other),
    0xC0: Status("ESME_RINVOPTPARSTREAM", REJECTED, Reason.setup),
    0xC1: Status("ESME_ROPTPARNOTALLWD", REJECTED, Reason.setup),
    0xC2: Status("ESME_RINVPARLEN", REJECTED, Reason.setup),
    0xC3: Status("ESME_RMISSINGOPTPARAM", REJECTED, Reason.setup),
    0xC4: Status("ESME_RINVOPTPARAMVAL", REJECTED, Reason.setup),
    0xFE: Status("ESME_RDELIVERYFAILURE", REJECTED, Reason.unreachable),
    # An error that the centre itself does not know says nothing about the message either.
    0xFF: Status("ESME_RUNKNOWNERR", UNKNOWN, Reason.network),
}

STATES: Mapping[int, State] = {
    1: State("ENROUTE", "sent"),
    2: State("DELIVRD", "delivered"),
    3: State("EXPIRED", "undelivered", Reason.unreachable),
    4: State("DELETED", "failed", Reason.other),
    5: State("UNDELIV", "undelivered", Reason.unreachable),
    6: State("ACCEPTD", "sent"),
    7: State("UNKNOWN", None),
    8: State("REJECTD", "failed", Reason.filtered),
}
"""By message_state; the word is the one in a receipt's text."""

WORDS: Mapping[str, State] = {
    **{state.word: state for state in STATES.values()},
    # The states' own names, which some centres write instead of the seven letters of appendix B.
    "DELIVERED": STATES[2],
    "UNDELIVERABLE": STATES[5],
    "ACCEPTED": STATES[6],
    "REJECTED": STATES[8],
}


def status(code: int) -> Status:
    """Return what a command_status means; a carrier's own one (0x400 and up) is a refusal."""
    return STATUSES.get(code) or Status(f"0x{code:08X}", REJECTED, Reason.other)
