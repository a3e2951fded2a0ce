"""The waiting list: a time that becomes free is offered by text to one person after the other, until somebody says yes.

The first is asked at once, the next as soon as that one says no, or after a quarter of an hour; what has been offered
still counts meanwhile. The first yes gets the time, whoever still holds an offer is told. Everything is found by
state. Whatever decides about a time holds the row of the appointment that left it (`hold`): so it has one owner.
"""

import logging
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from peewee import IntegrityError, prefetch

from sms import awaiting, queue, quiet, sending, suppression
from sms.clock import now
from sms.db import database
from sms.gsm import msisdn
from sms.models import Account, Message, log_change
from sms.modules.appointment import planning, reminding, saying
from sms.modules.appointment.models import Appointment, Offer, Scheme, Slot, Waiting
from sms.modules.appointment.reminding import MODULE
from sms.refusal import Conflict, NotFound, Refused

log = logging.getLogger(__name__)

SUBJECT = "offer/"
STEP = timedelta(minutes=15)
"""So long the next one waits for the answer of the one before."""
COUNTS = timedelta(hours=24)
"""So long an offer counts at most."""
LAST_OFFER = timedelta(hours=2)
LAST_ANSWER = timedelta(hours=1)
"""So long before it begins a time is offered, and may be taken: people have to get there."""
AGAIN = timedelta(minutes=5)
"""So long somebody is passed over whose every number waits for another answer."""
MOST = 1_000
LONGEST_NAME = 100
SHOWN = 50
"""Freed times that a page shows."""
FREE = ("declined", "cancelled")


def listing(account: Account) -> list[Waiting]:
    """Return who waits, in the order in which they are asked."""
    there = (Waiting.account == account) & Waiting.done_at.is_null()
    return list(Waiting.select().where(there).order_by(Waiting.created_at, Waiting.id))


def add(
    account: Account, number: str, name: str = "", days: Sequence[int] = (), since: str = "", until: str = ""
) -> Waiting:
    """Put somebody on the list, with the weekdays (1 is Monday) and hours wished for; raises Refused at the field."""
    parsed = msisdn.parse(number, account.region)
    if parsed.e164 is None or parsed.channel is None:
        raise Refused("number", parsed.error or "invalid")
    if parsed.channel != "sms":
        raise Refused("number", "offers_are_texts")
    if suppression.is_suppressed(account, parsed.e164):
        raise Refused("number", "opted_out")
    if len(name.strip()) > LONGEST_NAME:
        raise Refused("name", "too_long", limit=LONGEST_NAME)
    hours = _hours(since, until)
    with database.atomic():
        if len(listing(account)) >= MOST:
            raise Refused("number", "list_is_full", limit=MOST)
        try:
            with database.atomic():
                waiting = Waiting.create(
                    account=account, number=parsed.e164, name=" ".join(name.split()), created_at=now(),
                    days=sorted({day for day in days if 1 <= day <= 7}), from_hour=hours[0], until_hour=hours[1],
                )  # fmt: skip
        except IntegrityError:
            raise Refused("number", "waits_already") from None
        look_again(Slot.account == account)
        log_change(account.id, "appointment")
    return waiting  # type: ignore[no-any-return]


def _hours(since: str, until: str) -> tuple[str, str]:
    hours = tuple(f"{quiet.time_of_day(t, 'hours'):%H:%M}" if t.strip() else "" for t in (since, until))
    if all(hours) and hours[0] >= hours[1]:
        raise Refused("hours", "hours_reversed")
    return hours  # type: ignore[return-value]


def remove(account: Account, waiting_id: int) -> None:
    """Take somebody off the list; an offer that is open is withdrawn without a word. Raises NotFound."""
    with database.atomic():
        waiting = Waiting.get_or_none(Waiting.account == account, Waiting.id == waiting_id)
        if waiting is None:
            raise NotFound
        leave(account, waiting.number)


def leave(account: Account, number: str) -> None:
    """Ask a person no more, inside the caller's transaction."""
    mine = (Waiting.account == account) & (Waiting.number == number) & Waiting.done_at.is_null()
    waiting = Waiting.get_or_none(mine)
    if waiting is None:
        return
    Waiting.update(done_at=now()).where(mine).execute()
    slots = [offer.slot_id for offer in _open_offers(Offer.waiting == waiting)]
    close_offers(Offer.waiting == waiting, "withdrawn")
    look_again(Slot.id.in_(slots or [0]))
    log_change(account.id, "appointment")


def erase(account: Account, numbers: list[str]) -> None:
    """Forget people, inside the erasing transaction."""
    for number in numbers:
        leave(account, number)
    Waiting.update(number="", name="", days=[], from_hour="", until_hour="").where(
        Waiting.account == account, Waiting.number.in_(numbers or [""])
    ).execute()


def is_given(appointment: Appointment) -> bool:
    """Tell whether the time that an appointment has left belongs to somebody else by now."""
    return bool(Slot.select().where(_of(appointment), Slot.state == "given").exists())


def _of(appointment: Appointment):  # type: ignore[no-untyped-def]
    return (Slot.appointment == appointment.id) & (Slot.start == appointment.start)


def follow(appointment: Appointment) -> None:
    """Offer the time that an appointment leaves, take back what was offered where it is kept; after each new state."""
    if appointment.state in FREE:
        if _is_offered(appointment):
            free(appointment)
    elif slot := Slot.get_or_none(_of(appointment), Slot.state == "open"):
        close(slot)


def _is_offered(appointment: Appointment) -> bool:
    scheme = planning.scheme_for(appointment.account_id)
    wanted = "all" if scheme is None else scheme.offer_freed
    return wanted == "all" or (wanted == "declined" and appointment.state == "declined")


def free(appointment: Appointment) -> Slot | None:
    """Begin to offer a time, where somebody waits and there is time enough; None where it is offered to nobody."""
    soon = appointment.start - LAST_OFFER <= now()
    there = (Waiting.account == appointment.account_id) & Waiting.done_at.is_null()
    if soon or not Waiting.select().where(there).exists():
        return None
    live = Slot.get_or_none(_of(appointment), Slot.state != "closed")
    return live or Slot.create(  # type: ignore[no-any-return]
        account=appointment.account_id, appointment=appointment, start=appointment.start, next_at=now(), created_at=now()
    )  # fmt: skip


def to_be_asked(appointment: Appointment) -> int:
    """Return how many people would be asked for the time that an appointment has left; 0 where it comes too soon."""
    if appointment.start - LAST_OFFER <= now():
        return 0
    return len(_to_ask(Slot(account=appointment.account, appointment=appointment, start=appointment.start)))


def offer_by_hand(appointment: Appointment) -> None:
    """Offer the time of a declined or cancelled appointment because a person wants it; raises Conflict."""
    with database.atomic():
        planning.hold(appointment)
        if appointment.state not in FREE:
            raise Conflict("time_is_not_free")
        if free(appointment) is None:
            raise Conflict("nobody_to_offer_to")
        log_change(appointment.account_id, "appointment")


def close(slot: Slot) -> None:
    """Offer a time no more, and tell whoever holds an offer of it."""
    Slot.update(state="closed").where(Slot.id == slot.id, Slot.state == "open").execute()
    tell_taken(slot, close_offers(Offer.slot == slot, "withdrawn"))
    log_change(slot.account_id, "appointment")


def close_offers(which, state: str) -> list[Offer]:  # type: ignore[no-untyped-def]
    """End open offers and wait for no answer to them; returns those that this has ended."""
    ended = []
    for offer in _open_offers(which):
        mine = (Offer.id == offer.id) & (Offer.state == "open")
        if Offer.update(state=state, done_at=now()).where(mine).execute():
            ended.append(offer)
            awaiting.forget(offer.waiting.number, MODULE, subject_of(offer.waiting))
    return ended


def _open_offers(which) -> list[Offer]:  # type: ignore[no-untyped-def]
    return list(Offer.select().where(which, Offer.state == "open").order_by(Offer.id))


def subject_of(waiting: Waiting) -> str:
    """Return what an answer to an offer leads to."""
    return f"{SUBJECT}{waiting.account_id}/{waiting.number}"


def offered_to(account: Account, number: str) -> Offer | None:
    """Return the offer that a person holds."""
    return (  # type: ignore[no-any-return]
        Offer.select()
        .join(Waiting)
        .where(Waiting.account == account, Waiting.number == number, Offer.state == "open")
        .first()
    )


def open_offers(account: Account) -> dict[int, Offer]:
    """Return the offers that people hold, by who holds them on the list."""
    held = Offer.select().join(Slot).where(Slot.account == account, Offer.state == "open")
    return {offer.waiting_id: offer for offer in held}


def coming(account: Account) -> list[tuple[Slot, list[Offer]]]:
    """Return the freed times ahead in the order of time, newest tries last, each with its offers as they were made."""
    slots = list(
        Slot.select()
        .where(Slot.account == account, Slot.start > now())
        .order_by(Slot.start, Slot.id)
        .limit(SHOWN)
    )
    offers: dict[int, list[Offer]] = {slot.id: [] for slot in slots}
    made = Offer.select().where(Offer.slot.in_(list(offers) or [0])).order_by(Offer.id)
    for offer in prefetch(made, Waiting.select()):
        offers[offer.slot_id].append(offer)
    return [(slot, offers[slot.id]) for slot in slots]


def offer_by_itself(account: Account, what: str) -> None:
    """Set which freed times are offered without being asked: all, declined (by who had it), or never."""
    if what not in ("all", "declined", "never"):
        raise Refused("offer_freed", "unknown_choice")
    Scheme.update(offer_freed=what).where(Scheme.account == account).execute()


def tell_taken(slot: Slot, offers: list[Offer]) -> None:
    """Tell people that a time they were offered is taken."""
    for offer in offers:
        sent = Message.get_or_none(Message.id == offer.message)
        text = saying.usual("taken", slot.account.locale)
        try:
            sending.send(
                slot.account, offer.waiting.number, text, sender="" if sent is None else sent.ours, channel="sms",
                source=MODULE, fields=values(slot), automated=True, again=True,
            )  # fmt: skip
        except Refused as refusal:
            log.warning("offer %s: nobody is told that the time is taken: %s", offer.id, refusal)


def values(slot: Slot) -> dict[str, str]:
    """Return the placeholders of a free time: when it is, and nothing of whose it was."""
    bare = Appointment(
        account=slot.account, start=slot.start, zone=slot.appointment.zone, title="", fields={}
    )
    return saying.fields(slot.account, bare)


def not_delivered(message: Message) -> None:
    """Ask the next one at once, where an offer does not get through."""
    with database.atomic():
        for offer in close_offers(Offer.message == message.id, "failed"):
            look_again(Slot.id == offer.slot_id)
            log_change(message.account_id, "appointment")


def look_again(which) -> None:  # type: ignore[no-untyped-def]
    """Look at open free times now, before their moment has come."""
    Slot.update(next_at=now()).where(which, Slot.state == "open", Slot.next_at > now()).execute()


def look_at_put_off(account: Account) -> None:
    """Look now at free times that nobody is being asked about: they may have waited for the end of quiet hours."""
    asked = Offer.select(Offer.slot).where(Offer.state == "open")
    look_again((Slot.account == account) & Slot.id.not_in(asked))


def tick() -> None:
    """Have done what is due; once a second in the worker."""
    if _due().exists():
        queue.later("offer_free_times", priority=queue.LOW)


@queue.job
@queue.single
def offer_free_times() -> None:
    """Offer what is free now."""
    work()


def work() -> int:
    """Look at every free time that is due, each in a transaction of its own; returns how many."""
    ids = [slot.id for slot in _due()]
    for slot_id in ids:
        try:
            with database.atomic():
                _look_at(slot_id)
        except Exception:
            log.exception("free time %s cannot be offered", slot_id)
            Slot.update(next_at=now() + AGAIN).where(Slot.id == slot_id).execute()
    return len(ids)


def _due():  # type: ignore[no-untyped-def]
    return Slot.select().where(Slot.state == "open", Slot.next_at <= now()).order_by(Slot.next_at, Slot.id)


def hold(slot_id: int) -> Slot:
    """Return a free time as it is now, held until the transaction ends."""
    planning.hold(Slot.get_by_id(slot_id).appointment)
    return Slot.get_by_id(slot_id)  # type: ignore[no-any-return]


def _look_at(slot_id: int) -> None:
    """End offers whose time is up, ask the next person, and say when to look again."""
    slot, moment = hold(slot_id), now()
    if slot.state != "open" or slot.next_at > moment:
        return
    late = (Offer.slot == slot) & (Offer.until <= moment)
    ended = close_offers(late, "expired")
    if moment >= slot.start - LAST_ANSWER:
        close(slot)
        return
    moments = [slot.start - LAST_ANSWER, *_asked_next(slot, moment)]
    moments += [offer.until for offer in _open_offers(Offer.slot == slot)]
    Slot.update(next_at=min(m for m in moments if m > moment)).where(Slot.id == slot.id).execute()
    if ended or len(moments) > 1:
        log_change(slot.account_id, "appointment")


def _asked_next(slot: Slot, moment: datetime) -> Iterator[datetime]:
    """Ask the first who can be asked now; yields when to go on, and when those passed over can be asked."""
    if moment > slot.start - LAST_OFFER:
        return
    for waiting in _to_ask(slot):
        allowed = quiet.allowed_from(slot.account, "sms", waiting.number, moment)
        if allowed == moment and _ask(slot, waiting, moment):
            yield moment + STEP
            return
        yield max(allowed, moment + AGAIN) if allowed == moment else allowed


def _to_ask(slot: Slot) -> list[Waiting]:
    """Return whom a time suits and who has not been asked for it."""
    asked = (
        Offer.select(Offer.waiting)
        .join(Slot)
        .where(Slot.appointment == slot.appointment_id, Slot.start == slot.start, Offer.state != "withdrawn")
    )
    known = {offer.waiting_id for offer in asked}
    theirs = slot.appointment.number
    gone = suppression.among(slot.account, [w.number for w in listing(slot.account)])
    return [
        w
        for w in listing(slot.account)
        if w.id not in known and w.number not in gone and w.number != theirs and suits(w, slot)
    ]


def suits(waiting: Waiting, slot: Slot) -> bool:
    """Tell whether a time is on a day and in the hours that somebody wishes, by the account's clock."""
    local = slot.start.astimezone(ZoneInfo(slot.account.zone))
    hour = f"{local:%H:%M}"
    return (
        (not waiting.days or local.isoweekday() in waiting.days)
        and (not waiting.from_hour or hour >= waiting.from_hour)
        and (not waiting.until_hour or hour < waiting.until_hour)
    )


def _ask(slot: Slot, waiting: Waiting, moment: datetime) -> bool:
    """Offer a time to one person; False where it has to wait."""
    until = min(moment + COUNTS, slot.start - LAST_ANSWER)
    Offer.delete().where(Offer.slot == slot, Offer.waiting == waiting, Offer.state == "withdrawn").execute()
    try:
        with database.atomic():
            offer = Offer.create(slot=slot, waiting=waiting, until=until, created_at=moment)
            offer.message = _send(slot, waiting).id
            offer.save(only=[Offer.message])
    except (awaiting.Busy, IntegrityError):
        return False
    except Refused as refusal:
        log.warning("free time %s cannot be offered: %s", slot.id, refusal)
        Offer.create(
            slot=slot, waiting=waiting, until=until, created_at=moment, done_at=moment, state="failed"
        )
        return False
    return True


def _send(slot: Slot, waiting: Waiting) -> Message:
    scheme = planning.scheme_for(slot.account_id)
    own = "" if scheme is None else scheme.sender
    subject = subject_of(waiting)
    # Their own appointment is over: its number waits for nothing any more.
    if not reminding.reminded(slot.account, waiting.number):
        awaiting.forget(waiting.number, MODULE, f"{slot.account_id}/{waiting.number}")

    def send(sender: str) -> Message:
        return sending.send(
            slot.account, waiting.number, saying.usual("offer", slot.account.locale), sender=sender, channel="sms",
            source=MODULE, fields=values(slot), automated=True, again=True,
        )  # fmt: skip

    possible = awaiting.senders(slot.account, waiting.number, MODULE, subject, own, own)
    return awaiting.ask(possible, send, lambda sent: awaiting.expect(sent, MODULE, subject))
