"""The senders of an account: names, own numbers, own mobiles, and what each lets a recipient do."""

from dataclasses import dataclass

from peewee import IntegrityError

from sms import exchange
from sms.clock import now
from sms.db import database
from sms.gsm import msisdn, sender_id
from sms.models import Account, Sender
from sms.refusal import NotFound, Refused

LONGEST_SPOKEN = 60


@dataclass(frozen=True)
class Reach:
    """What a recipient can do with a sender: reply (and is it read here), call (and who answers)."""

    can_reply: bool
    can_call: bool


def listing(account: Account) -> list[Sender]:
    """Return the account's own senders: numbers first, then names."""
    kinds = ("virtual", "own_mobile", "alphanumeric")
    own = Sender.select().where(Sender.account == account)
    return sorted(own, key=lambda s: (kinds.index(s.kind), s.value.lower()))


def find(account: Account, id: int) -> Sender:
    """Return the account's sender of this id; raises NotFound."""
    sender = Sender.get_or_none(Sender.id == id, Sender.account == account)
    if sender is None:
        raise NotFound
    return sender


def reach(sender: Sender) -> Reach:
    """Return what a recipient can do: a number of ours does what its carrier can, others what their kind can."""
    number = exchange.number(sender.value) if sender.kind == "virtual" else None
    if number is not None:
        return Reach(number.sms, number.voice)
    return Reach(*sender_id.CAN_REPLY_AND_CALL[sender.kind])


def pool_reach() -> Reach:
    """Return what a recipient can do with the pool's numbers."""
    pool = [n for n in exchange.numbers() if n.pool]
    return Reach(any(n.sms for n in pool), any(n.voice for n in pool))


def add_name(account: Account, value: str, spoken: str = "") -> Sender:
    """Add an alphanumeric sender; raises Refused('value', 'sender_...', suggestion=...)."""
    found = sender_id.classify(value.strip())
    if found.kind == "pool":
        raise Refused("value", "sender_empty")
    if found.kind != "alphanumeric":
        code = "only_digits" if found.error == "not_owned" else found.error
        raise Refused("value", f"sender_{code}", suggestion=found.suggestion)
    return _add(account, "alphanumeric", found.value or "", _spoken(spoken))


def add_number(account: Account, raw: str, *, vouched: bool = False) -> Sender:
    """Add a number that a carrier has set up for this account alone, or, where the operator vouches, an own mobile."""
    typed = msisdn.parse(raw.strip(), account.region)
    if typed.e164 is None:
        raise Refused("value", typed.error or "invalid")
    ours = exchange.number(typed.e164)
    if ours is not None and not ours.pool:
        if Sender.select().where(Sender.value == typed.e164, Sender.account != account).exists():
            raise Refused("value", "number_elsewhere")
        return _add(account, "virtual", typed.e164, "")
    if ours is not None:
        raise Refused("value", "in_pool")
    if not (vouched and typed.channel == "sms"):
        raise Refused("value", "not_ours")
    return _add(account, "own_mobile", typed.e164, "")


def _add(account: Account, kind: str, value: str, spoken: str) -> Sender:
    try:
        with database.atomic():
            return Sender.create(account=account, kind=kind, value=value, spoken=spoken, created_at=now())
    except IntegrityError:
        raise Refused("value", "sender_taken") from None


def _spoken(spoken: str) -> str:
    spoken = " ".join(spoken.split())
    if len(spoken) > LONGEST_SPOKEN:
        raise Refused("spoken", "too_long", limit=LONGEST_SPOKEN)
    if not spoken.isprintable():
        raise Refused("spoken", "control_character")
    return spoken


def set_spoken(sender: Sender, spoken: str) -> None:
    """Say how a name is spoken in the announcement (MUELLER -> "Müller"); empty: as it is spelled."""
    sender.spoken = _spoken(spoken)
    Sender.update(spoken=sender.spoken).where(Sender.id == sender.id).execute()


def set_default(account: Account, sender: Sender | None) -> None:
    """Make one sender the account's default; None means the pool."""
    with database.atomic():
        Sender.update(is_default=False).where(Sender.account == account).execute()
        if sender is not None:
            Sender.update(is_default=True).where(Sender.id == sender.id).execute()


def remove(sender: Sender) -> None:
    """Remove a sender; messages that went out with it keep it."""
    sender.delete_instance()
