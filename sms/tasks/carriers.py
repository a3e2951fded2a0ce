"""Questions to carriers: whether they answer, and what became of texts that nobody has reported."""

from sms import grey, probing
from sms.queue import job


@job
def probe_carrier(name: str) -> None:
    """Ask a carrier whether it answers and knows us, unless another process does."""
    probing.probe_if_due(name)


@job
def ask_about_grey(name: str) -> None:
    """Ask a carrier about texts without a report, unless another process does."""
    grey.ask_about_grey(name)
