"""Texts on their way out, and questions about what nobody has reported."""

import logging

from sms import calling, pump, unknown
from sms.models import Message
from sms.modules import modules
from sms.queue import job, single

log = logging.getLogger(__name__)


@job
def deliver() -> None:
    """Deliver the texts that are due."""
    pump.ring()


@job
@single
def ask_carriers() -> None:
    """Ask about texts and calls of unknown outcome, however slowly a carrier answers."""
    unknown.ask_about_unknown()
    calling.ask_about_unknown()


@job
def tell_modules(message_ids: list[int]) -> None:
    """Tell the modules that sent these messages of their new status; one that fails takes no other's news along."""
    # Read to the end first: in the middle of a read, SQLite refuses to begin a write once another process has written.
    for message in list(Message.select().where(Message.id.in_(message_ids)).order_by(Message.id)):
        module = modules().get(message.source)
        if module is None or module.on_report is None:
            continue
        try:
            module.on_report(message)
        except Exception:
            log.exception("module %s failed at the report of message %s", module.name, message.id)
