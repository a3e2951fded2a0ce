"""Calls on their way out, and what callers have said."""

from sms import answering, calling
from sms.models import Call
from sms.queue import job


@job
def make_calls() -> None:
    """Place the calls that are due."""
    calling.pump()


@job
def fetch_recording(call_id: int) -> None:
    """Fetch the recording of one incoming call, unless it is here already."""
    call = Call.get_or_none(Call.id == call_id)
    if call is not None:
        answering.fetch_recording(call)
