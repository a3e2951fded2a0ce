"""Calls on their way out, and what callers have said."""

from sms import calling, exchange
from sms.models import Call
from sms.queue import job


@job
def make_calls() -> None:
    """Place the calls that are due."""
    calling.pump()


@job
def fetch_recording(call_id: int) -> None:
    """Fetch the recording of one incoming call, unless it is here already."""
    call = Call.get_by_id(call_id)
    carrier = exchange.carrier(call.carrier)
    if carrier is not None and call.message_id is None and call.detail:
        calling.fetch_recording(call, carrier)
