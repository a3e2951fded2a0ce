"""The outbox one text at a time: what a worker does in batches."""

from sms import exchange, outbox
from sms.models import Message


def claim_one() -> Message | None:
    """Claim the next text that is due, whichever carrier takes it; None where there is none."""
    for name in exchange.carriers():
        for message in outbox.claim(name, 1).texts:
            return message
    return None
