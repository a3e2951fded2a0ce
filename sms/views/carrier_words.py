"""What carriers say, in the language of who looks: a sentence for what we know, their own words in quotation marks."""

import re

from flask_babel import gettext as _

from sms.carriers.contract import OutcomeKind, code_and_words
from sms.wording import N_

REASONS = {
    "bad_number": N_("this number does not exist"),
    "landline": N_("a landline takes no text messages"),
    "bad_sender": N_("the sender was not accepted"),
    "bad_text": N_("the text was not accepted"),
    "opted_out": N_("the recipient has unsubscribed"),
    "too_long": N_("the text is too long"),
    "region": N_("this country is not enabled"),
    "filtered": N_("held back by the network"),
    "unreachable": N_("device cannot be reached"),
    "network": N_("trouble in the network"),
    "setup": N_("the carrier's set-up is wrong"),
    "no_answer": N_("nobody answered"),
    "busy": N_("busy"),
    "machine": N_("an answering machine took the call"),
    "no_audio": N_("the text could not be spoken"),
    "given_up": N_("given up by a person"),
}
"""Message.reason in words; "other" is what a carrier has refused for a reason that no table of ours knows."""

KINDS = {
    OutcomeKind.rejected: N_("refused"),
    OutcomeKind.blocked: N_("recipient blocked"),
    OutcomeKind.throttled: N_("too fast"),
    OutcomeKind.temporary: N_("not taken for the moment"),
    OutcomeKind.unknown: N_("no clear answer"),
    OutcomeKind.auth: N_("our account is refused"),
}

OWN = {
    "the process that keeps its link does not run": N_("the process that keeps its link does not run"),
    "no link": N_("there is no link"),
    "the session has ended": N_("the link was lost"),
    "the session ended": N_("the link was lost"),
    "the centre hung up": N_("the carrier has ended the link"),
    "the centre asked us to leave": N_("the carrier has ended the link"),
    "the centre does not answer enquire_link": N_("the carrier does not answer on the link"),
    "the certificate is not trusted": N_("its certificate is not trusted"),
    "the answer is too long": N_("its answer cannot be read"),
    "the answer is cut": N_("its answer cannot be read"),
    "carrier is not configured": N_("it is not set up"),
    "the worker ended during the call": N_("our own process ended meanwhile"),
    "ConnectionRefusedError": N_("the connection was refused"),
    "ConnectionResetError": N_("the connection was cut"),
    "RemoteDisconnected": N_("the connection was cut"),
    "TimeoutError": N_("no answer in time"),
    "gaierror": N_("its name is unknown on the network"),
}
"""What our own adapters say of themselves, which is no carrier's word."""

PLAIN = re.compile(r"HTTP [0-9]{3}|[0-9.]+ s")


def why(reason: str, said: str) -> str:
    """Return why a message did not get through: a sentence and the carrier's code; for an unknown reason its own words."""
    code, words = code_and_words(said)
    known = REASONS.get(reason)
    if known is None and words and words != code:
        sentence = _("the carrier says “%(words)s”", words=words)
    else:
        sentence = _(known) if known else _("the carrier names no clear reason")
    return f"{sentence} ({code})" if code else sentence


def in_words(line: str) -> str:
    """Return a line that was kept of a carrier's probe or refusal (kind, code, words) for its operator."""
    first, _space, rest = line.partition(" ")
    kind = KINDS.get(OutcomeKind(first.rstrip(":"))) if first.rstrip(":") in KINDS else None
    code, words = code_and_words(rest if kind else line)
    found = [_(kind) if kind else "", code, _own(words)]
    return ", ".join(filter(None, found))


def _own(words: str) -> str:
    if words in OWN:
        return _(OWN[words])
    return words if not words or PLAIN.fullmatch(words) else _("“%(words)s”", words=words)
