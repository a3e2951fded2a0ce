"""Contacts: what the account knows about a person, and forgetting it."""

from sms import contacts, suppression
from sms.db import database
from sms.gsm import msisdn
from sms.models import Account, Contact
from sms.refusal import NotFound, Refused
from sms.views.api import shapes
from sms.views.api.frame import Answer, call
from sms.views.api.inputs import ContactChange


@call("GET", "/contacts/{number}", "Look at a contact", shapes={200: shapes.ContactShape}, problems=(404,))
def show_contact(account: Account, number: str) -> Answer:
    """The contact with this number, in any spelling."""
    return Answer(200, _shape(account, _find(account, number)))


@call(
    "PUT", "/contacts/{number}", "Add or change a contact",
    body=ContactChange, shapes={200: shapes.ContactShape, 201: shapes.ContactShape}, problems=(413, 415, 422),
    example={"name": "Sabine Koch", "fields": {"Anrede": "Frau Koch", "Kundennummer": "10234"}},
)  # fmt: skip
def put_contact(account: Account, number: str, body: ContactChange) -> Answer:
    """Adds a contact (201) or changes the one that has this number (200); what is left out stays as it is."""
    found = contacts.find(account, number)
    with database.atomic():
        contact = found or contacts.find_or_add(account, _usable(account, number))[0]
        name = contact.name if body.name is None else body.name
        fields = dict(contact.fields or {}) if body.fields is None else dict(body.fields)
        contacts.save(contact, name, fields)
    return Answer(200 if found else 201, _shape(account, contact))


@call("DELETE", "/contacts/{number}", "Erase a contact", shapes={204: None}, problems=(404,))
def erase_contact(account: Account, number: str) -> Answer:
    """Erases the person: contact, thread, messages and recordings. A wish not to be written to is kept."""
    contacts.erase(_find(account, number))
    return Answer(204)


def _find(account: Account, number: str) -> Contact:
    found = contacts.find(account, number)
    if found is None:
        raise NotFound
    return found


def _usable(account: Account, number: str) -> str:
    parsed = msisdn.parse(number, account.region)
    if parsed.e164 is None or parsed.channel is None:
        raise Refused("number", parsed.error or "invalid")
    return parsed.e164


def _shape(account: Account, contact: Contact) -> shapes.ContactShape:
    return shapes.contact(contact, suppression.is_suppressed(account, contact.number))
