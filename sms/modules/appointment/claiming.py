"""What people answer to the offer of a free time: the first yes gets it."""

from zoneinfo import ZoneInfo

from sms import contacts, inbox, sending
from sms.clock import now
from sms.models import Account, Conversation, Expectation, Message, log_change
from sms.models.event import add_event
from sms.modules.appointment import answers, diary, saying, waiting
from sms.modules.appointment.found import Found
from sms.modules.appointment.models import Appointment, Offer, Reminder, Slot, Waiting
from sms.understanding import understand

KEPT_FIELDS = ("Behandler",)
"""What belongs to a time whoever comes; everything else is the other person's."""


def on_reply(message: Message, expectation: Expectation) -> bool:
    """Take an answer to an offer or to a reminder; False for anything else, which is an ordinary message."""
    if not expectation.subject.startswith(waiting.SUBJECT):
        return answers.on_reply(message, expectation)
    offer = waiting.offered_to(message.account, message.theirs)
    found = understand("yesno", message.text, locale=message.account.locale)
    if offer is None or found.outcome != "value":
        return False
    return _accept(offer, message) if found.value == "yes" else _decline(offer, message)


def _accept(offer: Offer, message: Message) -> bool:
    """Give a time to who has said yes; False where somebody else was faster, which they are told by then."""
    slot = waiting.hold(offer.slot_id)
    if not claim(slot, offer):
        return False
    appointment = _enter(slot, offer.waiting)
    Slot.update(state="given", given_to=appointment.id).where(Slot.id == slot.id).execute()
    waiting.tell_taken(slot, waiting.close_offers(Offer.slot == slot, "taken"))
    inbox.reopen(message.conversation)
    _tell(message.conversation, "appointment_from_waiting_list", appointment)
    if left := _thread_of(slot.account, slot.appointment.number):
        _tell(left, "appointment_given_away", slot.appointment)
    _say(message, "yours", slot)
    log_change(slot.account_id, "appointment")
    return True


def claim(slot: Slot, offer: Offer) -> bool:
    """Mark an offer as the one that is accepted; False where the time is taken, or the offer counts no more."""
    moment, left = now(), slot.appointment
    kept = left.start == slot.start and left.state not in waiting.FREE
    if slot.state != "open" or kept:
        return False
    there = Waiting.update(done_at=moment).where(Waiting.id == offer.waiting_id, Waiting.done_at.is_null())
    counts = (Offer.id == offer.id) & (Offer.state == "open") & (Offer.until > moment)
    if not Offer.select().where(counts).exists() or not there.execute():
        return False
    waiting.close_offers(Offer.id == offer.id, "accepted")
    return True


def _enter(slot: Slot, person: Waiting) -> Appointment:
    """Put the new appointment into the diary, with reminders like any other; it is confirmed where none would go out."""
    left = slot.appointment
    fields = {name: value for name, value in (left.fields or {}).items() if name in KEPT_FIELDS}
    if person.name:
        fields["name"] = person.name
    found = Found(
        f"waiting-{slot.id}-{person.id}", slot.start, ZoneInfo(left.zone), person.number,
        end=left.end, fields=fields,
    )  # fmt: skip
    appointment, _ = diary.put(slot.account, found, "waiting")
    planned = Reminder.select().where(Reminder.appointment == appointment, Reminder.state == "planned")
    if not planned.exists():
        answers.set_state(appointment, "confirmed", "reply", None)
    return appointment


def _decline(offer: Offer, message: Message) -> bool:
    """Offer the time to the next one; who has said no stays on the list."""
    slot = waiting.hold(offer.slot_id)
    if not waiting.close_offers(Offer.id == offer.id, "declined"):
        return False
    waiting.look_again(Slot.id == slot.id)
    _say(message, "not_this", slot)
    return True


def _say(message: Message, name: str, slot: Slot) -> None:
    sending.send(
        message.account, message.theirs, saying.usual(name, message.account.locale), sender=message.ours,
        channel="sms", source=waiting.MODULE, fields=waiting.values(slot), answering=True, again=True,
        conversation=message.conversation,
    )  # fmt: skip


def _tell(conversation: Conversation, kind: str, appointment: Appointment) -> None:
    strong = answers.in_words(appointment)
    add_event(conversation, kind, source=waiting.MODULE, appointment=appointment.id, strong=strong)


def _thread_of(account: Account, number: str) -> Conversation | None:
    found = contacts.threads(account, [number] if number else []).get(number)
    return None if found is None else Conversation.get_by_id(found)
