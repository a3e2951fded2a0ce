"""Contacts: found by any spelling of any of their numbers, made when first written to or heard of."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from sms import media, search, statements, suppression
from sms.clock import now
from sms.db import database, to_ms
from sms.gsm import msisdn
from sms.models import (
    Account,
    Call,
    Contact,
    ContactNumber,
    Conversation,
    Expectation,
    Idempotency,
    Inbound,
    Message,
    Route,
    User,
    log_change,
)
from sms.modules import modules
from sms.refusal import Conflict, NotFound, Refused

LONGEST_NAME, MOST_FIELDS, LONGEST_FIELD = 100, 40, 500


def find(account: Account, raw: str) -> Contact | None:
    """Return the contact that has this number, in any spelling, or None."""
    e164 = msisdn.parse(raw, account.region).e164
    return None if e164 is None else _with(account, e164)


def _with(account: Account, e164: str) -> Contact | None:
    entry = ContactNumber.get_or_none(ContactNumber.account == account, ContactNumber.number == e164)
    return None if entry is None else entry.contact


def find_or_add(
    account: Account, e164: str, name: str = "", status: str = "open"
) -> tuple[Contact, Conversation]:
    """Return the contact of a number (E.164) and its one conversation, both made (in this status) where there are none.

    What is no number (a short code, an alphanumeric sender) is taken as it is: its texts have a thread as well.
    """
    known = _thread_of(account, e164)
    if known is None:
        with database.atomic():
            if not threads(account, [e164]):
                open_threads(account, {e164: status}, name)
            known = _thread_of(account, e164)
    assert known is not None
    contact, conversation = known
    conversation.contact = contact
    return contact, conversation


def _thread_of(account: Account, e164: str) -> tuple[Contact, Conversation] | None:
    contact, conversation = statements.columns(Contact, "contact"), statements.columns(Conversation, "talk")
    row = statements.run(
        f"SELECT {contact}, {conversation} FROM contact_number AS entry "
        "JOIN contact ON contact.id = entry.contact_id JOIN conversation AS talk ON talk.contact_id = contact.id "
        "WHERE entry.account_id = ? AND entry.number = ?",
        account.id, e164,
    ).fetchone()  # fmt: skip
    if row is None:
        return None
    width = len(Contact._meta.sorted_fields)
    return statements.load(Contact, row[:width]), statements.load(Conversation, row[width:])


def filling(account: Account, numbers: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return what placeholders may name of the contacts with these numbers: their name and own fields, by number."""
    rows = statements.run(
        "SELECT entry.number, contact.name, contact.fields FROM contact_number AS entry "
        "JOIN contact ON contact.id = entry.contact_id "
        f"WHERE entry.account_id = ? AND {statements.among('entry.number')}",
        account.id, statements.listed(numbers),
    )  # fmt: skip
    return {
        number: {"name": name or None, **(json.loads(fields) if isinstance(fields, str) else fields or {})}
        for number, name, fields in rows
    }


def threads(account: Account, numbers: Iterable[str]) -> dict[str, int]:
    """Return the ids of the conversations that these numbers (E.164) have, by number."""
    rows = statements.run(
        "SELECT entry.number, conversation.id FROM contact_number AS entry "
        "JOIN conversation ON conversation.contact_id = entry.contact_id "
        f"WHERE entry.account_id = ? AND {statements.among('entry.number')}",
        account.id, statements.listed(numbers),
    )  # fmt: skip
    return dict(rows.fetchall())


def open_threads(account: Account, numbers: Mapping[str, str], name: str = "") -> dict[str, int]:
    """Make the contacts and conversations of numbers (E.164) that have none, inside the transaction.

    `numbers` gives the status of each conversation; returns their ids by number.
    """
    if not numbers:
        return {}
    moment = to_ms(now())
    sql = (
        f"SELECT number, contact_id FROM contact_number WHERE account_id = ? AND {statements.among('number')}"
    )
    known = dict(statements.run(sql, account.id, statements.listed(numbers)).fetchall())
    new = [number for number in numbers if number not in known]
    made = [
        {
            "id": id,
            "account_id": account.id,
            "number": number,
            "name": name,
            "fields": "{}",
            "created_at": moment,
        }
        for id, number in zip(statements.reserve_ids(Contact, len(new)), new, strict=True)
    ]
    statements.insert(Contact, made)
    statements.insert(ContactNumber, [_entry(account, contact) for contact in made])
    search.note(-contact["id"] for contact in made)
    known |= {contact["number"]: contact["id"] for contact in made}
    ids = statements.reserve_ids(Conversation, len(numbers))
    opened = [
        {
            "id": id,
            "account_id": account.id,
            "contact_id": known[number],
            "status": numbers[number],
            "last_activity_at": moment,
            "created_at": moment,
        }
        for id, number in zip(ids, numbers, strict=True)
    ]
    statements.insert(Conversation, opened)
    return dict(zip(numbers, ids, strict=True))


def _entry(account: Account, contact: Mapping[str, Any]) -> dict[str, Any]:
    number = msisdn.parse(contact["number"], account.region)
    return {
        "account_id": account.id,
        "contact_id": contact["id"],
        "number": contact["number"],
        "kind": number.kind,
        "region": number.region,
    }


def _remember_number(contact: Contact, value: str, number: msisdn.Number) -> ContactNumber:
    """Keep a number, or what writes to us in the place of one: a short code, a name, nobody."""
    return ContactNumber.create(
        account=contact.account_id,
        contact=contact,
        number=value,
        kind=number.kind,
        region=number.region,
    )


def save(contact: Contact, name: str, fields: dict[str, Any], by: User | None = None) -> None:
    """Store a contact's name and own fields; raises Refused at the one that cannot be kept."""
    clean_name, clean_fields = _clean_name(name), _clean_fields(fields)
    with database.atomic():
        contact.name, contact.fields = clean_name, clean_fields
        contact.save(only=[Contact.name, Contact.fields])
        search.index_contact(contact)
        _changed(contact, by)


def _clean_name(name: str) -> str:
    name = " ".join(name.split())
    if len(name) > LONGEST_NAME:
        raise Refused("name", "too_long", limit=LONGEST_NAME)
    return _printable("name", name)


def _clean_fields(fields: dict[str, Any]) -> dict[str, str]:
    if len(fields) > MOST_FIELDS:
        raise Refused("fields", "too_many", limit=MOST_FIELDS)
    kept = {}
    for key, value in fields.items():
        key, text = " ".join(str(key).split()), "" if value is None else str(value).strip()
        if not key or len(key) > 40 or any(c in key for c in "{}"):
            raise Refused("fields", "bad_field_name", name=key[:40])
        if len(text) > LONGEST_FIELD:
            raise Refused("fields", "too_long", limit=LONGEST_FIELD)
        kept[_printable("fields", key)] = _printable("fields", text)
    return kept


def _printable(field: str, text: str) -> str:
    if any((ord(c) < 32 and c != "\n") or 0xD800 <= ord(c) <= 0xDFFF for c in text):
        raise Refused(field, "control_character")
    return text


def add_number(contact: Contact, raw: str, by: User | None = None) -> ContactNumber:
    """Give a contact one more number; raises Refused for no usable number, Conflict where another contact has it."""
    account = contact.account
    number = msisdn.parse(raw, account.region)
    if number.e164 is None or number.channel is None:
        raise Refused("number", number.error or "invalid")
    with database.atomic():
        owner = _with(account, number.e164)
        if owner is not None:
            raise Refused("number", "number_taken", name=owner.name or msisdn.parse(owner.number).display)
        entry = _remember_number(contact, number.e164, number)
        suppression.inherit(account, number.e164, contact.number)
        search.index_contact(contact)
        _changed(contact, by)
        return entry


def remove_number(contact: Contact, number: str, by: User | None = None) -> None:
    """Take a further number away; the one the thread was opened with stays (Conflict)."""
    if number == contact.number:
        raise Conflict("first_number")
    with database.atomic():
        where = (ContactNumber.contact == contact) & (ContactNumber.number == number)
        if not ContactNumber.delete().where(where).execute():
            raise NotFound
        search.index_contact(contact)
        _changed(contact, by)


def erase(contact: Contact, by: User | None = None) -> None:
    """Erase a person: contact, thread, index, audio, and what webhooks and idempotency keys have kept of them.

    The opt-out stays, or it would be forgotten too.
    """
    account = contact.account_id
    with database.atomic():
        numbers = [n.number for n in ContactNumber.select().where(ContactNumber.contact == contact)]
        for module in modules().values():
            if module.on_erase is not None:
                module.on_erase(contact, numbers)
        conversation = Conversation.get_or_none(Conversation.contact == contact)
        audio = set() if conversation is None else _forget_messages(conversation)
        search.forget(-contact.id)
        _forget_numbers(account, numbers)
        contact.delete_instance()
        log_change(account, "erased", conversation.id if conversation else None, user=by.id if by else None)
    media.discard(audio)


def _forget_messages(conversation: Conversation) -> set[str]:
    """Take a thread out of the index and the stored webhooks; returns the digests of its audio."""
    audio = set()
    for message in Message.select().where(Message.conversation == conversation):
        search.forget(message.id)
        if digest := (message.data or {}).get("audio", {}).get("digest"):
            audio.add(digest)
        if message.direction == "incoming" and message.carrier_reference:
            # The row stays: without it, a captured webhook could bring the person back.
            Inbound.update(payload={}).where(
                Inbound.carrier == message.carrier, Inbound.reference == message.carrier_reference[:120]
            ).execute()
    return audio


def _forget_numbers(account: int, numbers: list[str]) -> None:
    Route.delete().where(Route.account == account, Route.their.in_(numbers)).execute()
    Expectation.delete().where(Expectation.account == account, Expectation.theirs.in_(numbers)).execute()
    Call.delete().where(Call.account == account, Call.theirs.in_(numbers)).execute()
    for number in (n for n in numbers if n.startswith("+")):
        # Kept as a key, so that the same request still does nothing.
        answers = (Idempotency.account == account) & Idempotency.answer.contains(msisdn.shown(number))
        Idempotency.update(answer="{}").where(answers).execute()


def listing(account: Account, query: str = "", limit: int = 50) -> list[Contact]:
    """Return contacts by name for a chooser; with a query those whose name, number or own fields hold it."""
    contacts = Contact.select().where(Contact.account == account)
    if query.strip():
        contacts = contacts.where(Contact.id.in_(search.contacts_matching(account.id, query)))
    return list(contacts.order_by(Contact.name, Contact.number).limit(limit))


def _changed(contact: Contact, by: User | None) -> None:
    conversation = Conversation.get_or_none(Conversation.contact == contact)
    if conversation is not None:
        log_change(contact.account_id, "contact", conversation.id, user=by.id if by else None)
