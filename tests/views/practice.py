"""A practice's morning for the tests of the inbox: conversations made by the real verbs, never by inserts."""

from datetime import timedelta

from sms import accounts, clock, contacts, inbox, receiving, search, sending
from sms.carriers.contract import IncomingText
from sms.models import Account, Conversation, Message, User

MOBILE = "+491713920042"
OTHER_MOBILE = "+491713920043"
LANDLINE = "+493023125417"

_references = iter(range(1, 10**9))


def conversation(account: Account, number: str = MOBILE, name: str = "Margarethe Schößler") -> Conversation:
    """Open a conversation with a person, whom the search knows as soon as the worker has looked."""
    talk = contacts.find_or_add(account, number, name)[1]
    search.catch_up()
    return talk


def write_in(text: str, number: str = MOBILE, to: str | None = None) -> Message:
    """Let a text come in from a phone, as the carrier's webhook does; the search knows it a moment later."""
    from sms import exchange

    ours = to or next(n.number for n in exchange.numbers() if n.sms)
    carrier = next(iter(exchange.carriers()))
    incoming = IncomingText(reference=f"SM{next(_references):032d}", sender=number, to=ours, text=text)
    message = receiving.receive_text(carrier, incoming)
    assert message is not None
    search.catch_up()
    return message


def write_out(talk: Conversation, text: str, by: User, **more) -> Message:
    """Answer in a conversation."""
    return sending.reply(talk, text, by=by, **more)


def settle(message: Message, *statuses: str, **values) -> Message:
    """Move a message forward as the delivery engine would."""
    for status in statuses:
        assert message.advance(status, **(values if status == statuses[-1] else {}))
    return message


def many(account: Account, by: User, how_many: int) -> None:
    """Make conversations with a text, an answer, a label and a draft each."""
    for n in range(how_many):
        number = f"+49171392{n:05d}"[:14]
        talk = contacts.find_or_add(account, number, f"Person {n}")[1]
        write_in(f"Hallo, hier ist Nummer {n}", number)
        sending.reply(talk, f"Guten Tag, Nummer {n}", by=by)
        inbox.add_label(talk, f"Label {n % 5}", by)
        inbox.save_draft(by, talk, "reply", f"Entwurf {n}")


def later(**by: float) -> None:
    """Let time pass on the project's clock."""
    clock.shift(timedelta(**by))


__all__ = [
    "LANDLINE",
    "MOBILE",
    "OTHER_MOBILE",
    "accounts",
    "conversation",
    "later",
    "many",
    "settle",
    "write_in",
    "write_out",
]
