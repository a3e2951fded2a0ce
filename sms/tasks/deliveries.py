"""Texts on their way out."""

from sms import delivery
from sms.models import Message
from sms.modules import modules
from sms.queue import job


@job
def deliver() -> None:
    """Deliver the texts that are due."""
    delivery.pump()


@job
def tell_module(message_id: int) -> None:
    """Tell the module that sent a message of its new status."""
    message = Message.get_by_id(message_id)
    module = modules().get(message.source)
    if module is not None and module.on_report is not None:
        module.on_report(message)
