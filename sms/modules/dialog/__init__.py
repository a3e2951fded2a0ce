"""The dialog: an agent's conversation, and the end of the line for whatever no other module takes."""

from sms.inbox import reopen
from sms.models import Conversation, Message
from sms.modules import Module


def on_incoming(message: Message, conversation: Conversation) -> bool:
    """Put an incoming message before the agents: the thread opens, whether it was pending, snoozed or closed."""
    reopen(conversation)
    return True


module = Module(name="dialog", on_incoming=on_incoming, order=99)
