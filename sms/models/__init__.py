"""Tables and the rules about one row. They never enqueue and never call out."""

from peewee import Model

from sms.models.account import Account, ApiKey, User
from sms.models.carrier import CarrierHealth, CarrierProbe, CarrierTurn
from sms.models.change import Change, log_change
from sms.models.contact import Contact, ContactNumber, Route, Suppression
from sms.models.conversation import Conversation, Draft, Label, Labelling, Presence, Reading
from sms.models.message import Attempt, Call, Message, StatusEvent
from sms.models.pace import Pace
from sms.models.receipt import Expectation, Heartbeat, Idempotency, Inbound, Usage
from sms.models.sender import Sender, Template
from sms.models.tally import Tally, TallyMark
from sms.models.throttle import Throttle
from sms.models.unindexed import Unindexed

TABLES: tuple[type[Model], ...] = (
    Account, User, ApiKey, Contact, ContactNumber, Suppression, Route, Sender, Template,
    Conversation, Reading, Presence, Draft, Label, Labelling,
    Message, StatusEvent, Attempt, Call, Change,
    Idempotency, Inbound, Usage, Heartbeat, Expectation, Throttle, Pace,
    CarrierHealth, CarrierProbe, CarrierTurn, Tally, TallyMark, Unindexed,
)  # fmt: skip

__all__ = [
    "TABLES", "Account", "ApiKey", "Attempt", "Call", "CarrierHealth", "CarrierProbe", "CarrierTurn",
    "Change", "Contact", "ContactNumber", "Conversation", "Draft",
    "Expectation", "Heartbeat", "Idempotency", "Inbound", "Label", "Labelling", "Message", "Pace", "Presence", "Reading",
    "Route", "Sender", "StatusEvent", "Suppression", "Tally", "TallyMark", "Template", "Throttle", "Unindexed", "Usage", "User", "log_change",
]  # fmt: skip
