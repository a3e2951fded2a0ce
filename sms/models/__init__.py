"""Tables and the rules about one row. They never enqueue and never call out."""

from peewee import Model

from sms.models.account import Account, ApiKey, User
from sms.models.change import Change, log_change
from sms.models.contact import Contact, ContactNumber, Route, Suppression
from sms.models.conversation import Conversation, Draft, Label, Labelling, Presence, Reading
from sms.models.message import Attempt, Call, Message, StatusEvent
from sms.models.receipt import Expectation, Heartbeat, Idempotency, Inbound, Usage
from sms.models.sender import Sender, Template
from sms.models.throttle import Throttle

TABLES: tuple[type[Model], ...] = (
    Account, User, ApiKey, Contact, ContactNumber, Suppression, Route, Sender, Template,
    Conversation, Reading, Presence, Draft, Label, Labelling,
    Message, StatusEvent, Attempt, Call, Change,
    Idempotency, Inbound, Usage, Heartbeat, Expectation, Throttle,
)  # fmt: skip

__all__ = [
    "TABLES", "Account", "ApiKey", "Attempt", "Call", "Change", "Contact", "ContactNumber", "Conversation", "Draft",
    "Expectation", "Heartbeat", "Idempotency", "Inbound", "Label", "Labelling", "Message", "Presence", "Reading",
    "Route", "Sender", "StatusEvent", "Suppression", "Template", "Throttle", "Usage", "User", "log_change",
]  # fmt: skip
