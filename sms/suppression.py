"""Opt-out: which numbers an account must neither write to nor call, and the words that say so."""

import logging
from collections.abc import Iterable

from sms import statements
from sms.clock import now
from sms.db import database
from sms.models import (
    Account,
    ContactNumber,
    Conversation,
    Expectation,
    Message,
    Suppression,
    User,
    log_change,
)
from sms.models.event import add_event, log_status
from sms.modules import modules

log = logging.getLogger(__name__)

ASKED = ("sms", "voice")
"""Sources by which the person has asked; the others are the agents' and the carrier's."""

CONFIRMATION = {
    "de": "Sie erhalten keine Nachrichten mehr von {name}. Zum Wiederanmelden antworten Sie START.",
    "en": "You will receive no more messages from {name}. To subscribe again, reply START.",
}
WELCOME = {
    "de": "Sie erhalten wieder Nachrichten von {name}. Zum Abmelden antworten Sie STOP.",
    "en": "You will receive messages from {name} again. To unsubscribe, reply STOP.",
}


def worded(account: Account, words: dict[str, str]) -> str:
    """Return CONFIRMATION or WELCOME in the account's language and with its name."""
    return words.get(account.locale, words["en"]).format(name=account.name)


def is_suppressed(account: Account | int, number: str) -> bool:
    """True where this account must not send to or call the number (E.164)."""
    where = (Suppression.account == account) & (Suppression.number == number)
    return bool(Suppression.select().where(where).exists())


def among(account: Account, numbers: Iterable[str]) -> set[str]:
    """Return which of these numbers (E.164) this account must not send to or call."""
    sql = f"SELECT number FROM suppression WHERE account_id = ? AND {statements.among('number')}"
    return {row[0] for row in statements.run(sql, account.id, statements.listed(numbers))}


def has_opted_out(account: Account | int, number: str) -> bool:
    """True where the person has asked for it; a number that an agent has blocked does not unblock itself."""
    where = (Suppression.account == account) & (Suppression.number == number)
    return bool(Suppression.select().where(where, Suppression.source != "agent").exists())


def suppress(account: Account, number: str, source: str, word: str = "", by: User | None = None) -> bool:
    """Block a number and end whatever waits for it: messages, calls, modules; False where it was blocked already."""
    with database.atomic():
        added = _block(account, number, source, word)
        if added:
            _tell(_conversation(account, number), "opted_out", source, by)
    return added


def opt_out(account: Account, number: str, source: str, word: str = "") -> bool:
    """Block every number of the person who asked, by text or key; False where this number was blocked already.

    Who has said STOP with the mobile must not find the landline ringing.
    """
    with database.atomic():
        added = [_block(account, each, source, word) for each in _numbers_of_person(account, number)]
        if added[0]:
            _tell(_conversation(account, number), "opted_out", source, None)
    return added[0]


def _block(account: Account, number: str, source: str, word: str) -> bool:
    added = (
        Suppression.insert(account=account, number=number, source=source, word=word[:40], created_at=now())
        .on_conflict_ignore()
        .as_rowcount()
        .execute()
    )
    Expectation.delete().where((Expectation.account == account) & (Expectation.theirs == number)).execute()
    if added:
        _withdraw(_conversation(account, number), number)
        _end_modules(account, number)
    return bool(added)


def _numbers_of_person(account: Account, number: str) -> list[str]:
    """Return the number and every other one of the contact that has it."""
    own = ContactNumber.alias()
    others = (
        ContactNumber.select(ContactNumber.number)
        .join(own, on=(own.contact == ContactNumber.contact))
        .where((own.account == account) & (own.number == number) & (ContactNumber.number != number))
        .order_by(ContactNumber.id)
        .tuples()
    )
    return [number, *(row[0] for row in others)]


def inherit(account: Account, number: str, known: str) -> None:
    """Block a number that a contact gets added, where the person has opted out with the one we know."""
    before = Suppression.get_or_none(
        Suppression.account == account, Suppression.number == known, Suppression.source.in_(ASKED)
    )
    if before is not None:
        _block(account, number, before.source, before.word)


def _withdraw(conversation: Conversation | None, number: str) -> None:
    """Cancel what has not left for this number yet; a call that is planned finds the block when it is due."""
    waiting = Message.select().where(
        Message.conversation == conversation,
        Message.theirs == number,
        Message.status.in_(("scheduled", "queued")),
        Message.source != "system",
    )
    for message in list(waiting):
        if message.withdraw(now(), "opted_out"):
            log_status(message, "opted out")
            log_change(message.account_id, "status", message.conversation_id, message.id)


def _end_modules(account: Account, number: str) -> None:
    """Tell the modules; one that fails must not undo a block that somebody has asked for."""
    for module in modules().values():
        if module.on_opt_out is None:
            continue
        try:
            with database.atomic():
                module.on_opt_out(account, number)
        except Exception:
            log.exception("module %s failed at an opt-out", module.name)


def unsuppress(account: Account, number: str, source: str = "agent", by: User | None = None) -> bool:
    """Allow a number again; False where it was not blocked."""
    with database.atomic():
        where = (Suppression.account == account) & (Suppression.number == number)
        removed = Suppression.delete().where(where).execute()
        if removed:
            _tell(_conversation(account, number), "opted_in", source, by)
    return bool(removed)


def opt_in(account: Account, number: str) -> bool:
    """Allow every number of a person who has opted out and asks to be written to again; an agent's block stays."""
    with database.atomic():
        numbers = _numbers_of_person(account, number)
        where = (Suppression.account == account) & Suppression.number.in_(numbers)
        removed = Suppression.delete().where(where & (Suppression.source != "agent")).execute()
        if removed:
            _tell(_conversation(account, number), "opted_in", "sms", None)
    return bool(removed)


def listing(account: Account) -> list[Suppression]:
    """Return the account's blocked numbers, newest first."""
    where = Suppression.account == account
    return list(
        Suppression.select().where(where).order_by(Suppression.created_at.desc(), Suppression.id.desc())
    )


def _conversation(account: Account, number: str) -> Conversation | None:
    return (  # type: ignore[no-any-return]
        Conversation.select()
        .join(ContactNumber, on=(ContactNumber.contact == Conversation.contact))
        .where((ContactNumber.account == account) & (ContactNumber.number == number))
        .first()
    )


def _tell(conversation: Conversation | None, kind: str, source: str, by: User | None) -> None:
    if conversation is None:
        return
    add_event(conversation, kind, by=by, source=source)
    log_change(conversation.account_id, "conversation", conversation.id)
