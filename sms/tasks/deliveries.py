"""Texts on their way out, and questions about what nobody has reported."""

import threading

from sms import calling, delivery
from sms.models import Message
from sms.modules import modules
from sms.queue import job

_asking = threading.Lock()


@job
def deliver() -> None:
    """Deliver the texts that are due."""
    delivery.pump()


@job
def ask_carriers() -> None:
    """Ask about texts and calls of unknown outcome; one thread at most, however slowly a carrier answers."""
    if not _asking.acquire(blocking=False):
        return
    try:
        delivery.ask_about_unknown()
        calling.ask_about_unknown()
    finally:
        _asking.release()


@job
def tell_module(message_id: int) -> None:
    """Tell the module that sent a message of its new status."""
    message = Message.get_or_none(Message.id == message_id)
    module = None if message is None else modules().get(message.source)
    if module is not None and module.on_report is not None:
        module.on_report(message)
