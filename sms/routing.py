"""Which number a message leaves from, by which carrier, and whose a reply is."""

from dataclasses import dataclass
from datetime import timedelta

from sms import exchange
from sms.clock import now
from sms.exchange import OurNumber
from sms.gsm import msisdn, sender_id
from sms.models import Account, Route, Sender
from sms.refusal import Refused

RELEASED_AFTER = timedelta(days=30)
"""A pool number that two persons have not used for so long may serve another account to the same recipient."""


@dataclass(frozen=True)
class Choice:
    """A sender as offered in a menu; an empty `value` is the pool."""

    value: str
    kind: str
    label: str
    can_reply: bool
    can_call: bool
    default: bool


@dataclass(frozen=True)
class Way:
    """How a message goes out: what the recipient sees and the carrier that takes it."""

    ours: str
    carrier: str


def owned_numbers(account: Account) -> dict[str, str]:
    """Return the numbers this account may send from, E.164 to kind: its own senders and the pool it shares."""
    pool = {n.number: "pool" for n in exchange.numbers() if n.pool}
    own = {s.value: s.kind for s in _senders(account) if s.kind != "alphanumeric"}
    return pool | own


def _senders(account: Account) -> list[Sender]:
    return list(Sender.select().where(Sender.account == account).order_by(Sender.kind, Sender.value))


def senders(account: Account) -> list[Choice]:
    """Return what an agent can choose from, the pool first; one of them is the default."""
    own = _senders(account)
    pool = Choice("", "pool", "", True, False, not any(s.is_default for s in own))
    return [pool, *(_choice(s) for s in own)]


def _choice(sender: Sender) -> Choice:
    can_reply, can_call = sender_id.CAN_REPLY_AND_CALL[sender.kind]
    label = sender.value if sender.kind == "alphanumeric" else msisdn.parse(sender.value).display
    return Choice(sender.value, sender.kind, label, can_reply, can_call, sender.is_default)


def classify(account: Account, raw: str) -> sender_id.SenderId:
    """Tell what kind of sender `raw` is for this account; nothing means the account's default."""
    return sender_id.classify(raw or default_sender(account), owned_numbers(account))


def default_sender(account: Account) -> str:
    """Return the sender used where none is named: E.164, an alphanumeric id, or nothing for the pool."""
    sender = Sender.get_or_none(Sender.account == account, Sender.is_default)
    return "" if sender is None else sender.value


def way_for_text(account: Account, sender: sender_id.SenderId, their: str) -> Way:
    """Return sender and carrier of a text, inside the sending transaction; raises Refused where there is none."""
    if sender.kind == "alphanumeric":
        return Way(sender.value or "", _carrier_of_texts())
    if sender.value is not None:
        known = exchange.number(sender.value)
        if known is not None and not known.sms:
            raise Refused("sender", "no_number")
        return Way(sender.value, _take(account, sender.value, their))
    return _pool(account, their, [n for n in exchange.numbers() if n.pool and n.sms])


def way_for_call(account: Account, sender: sender_id.SenderId, their: str) -> Way:
    """Return caller id and carrier of a call; an alphanumeric sender is spoken, the caller id is a voice number."""
    own = exchange.number(sender.value) if sender.value and sender.kind != "alphanumeric" else None
    if own is not None and own.voice:
        return Way(own.number, _take(account, own.number, their))
    return _pool(account, their, [n for n in exchange.numbers() if n.pool and n.voice])


def _carrier_of_texts() -> str:
    for number in exchange.numbers():
        if number.sms:
            return number.carrier
    for name in exchange.carriers():
        return name
    raise Refused("sender", "no_number")


def _take(account: Account, our: str, their: str) -> str:
    """Use one certain number; a pool number that another account uses with this recipient is refused."""
    known = exchange.number(our)
    if known is not None and known.pool and not _claim(account, known, their):
        raise Refused("sender", "number_in_use")
    return known.carrier if known else _carrier_of_texts()


def renew(account: Account, ours: str, their: str, channel: str) -> Way:
    """Return the way of a message that has waited, inside the transaction: its own sender where that may still be used.

    Raises Refused where the pool has no number for it.
    """
    number = exchange.number(ours)
    voice = channel == "voice"
    if number is None and not ours.startswith("+"):
        return Way(ours, _carrier_of_texts())
    if number is not None and number.pool and _claim(account, number, their):
        return Way(ours, number.carrier)
    if (number is None or not number.pool) and ours in owned_numbers(account):
        return Way(ours, number.carrier if number else _carrier_of_texts())
    return _pool(account, their, [n for n in exchange.numbers() if n.pool and (n.voice if voice else n.sms)])


def _pool(account: Account, their: str, numbers: list[OurNumber]) -> Way:
    """Keep a contact's number; else take the first free one, else the one released longest ago."""
    by_number = {n.number: n for n in numbers}
    mine = (
        Route.select()
        .where(Route.account == account, Route.their == their, Route.our.in_(list(by_number) or [""]))
        .order_by(Route.current.desc(), Route.used_at.desc())
        .first()
    )
    if mine is not None:
        Route.update(used_at=now(), current=True).where(Route.id == mine.id).execute()
        return Way(mine.our, by_number[mine.our].carrier)
    for number in numbers:
        if _claim(account, number, their):
            return Way(number.number, number.carrier)
    raise Refused("sender", "pool_exhausted" if numbers else "no_number")


def _claim(account: Account, number: OurNumber, their: str) -> bool:
    """Own the pair (our number, their number), so that its replies have one owner; False where another account does."""
    moment = now()
    added = (
        Route.insert(our=number.number, their=their, account=account, carrier=number.carrier, used_at=moment)
        .on_conflict_ignore()
        .as_rowcount()
        .execute()
    )
    if added:
        return True
    pair = (Route.our == number.number) & (Route.their == their)
    free = (Route.account == account) | (Route.used_at <= moment - RELEASED_AFTER)
    taken = Route.update(account=account, carrier=number.carrier, used_at=moment, current=True)
    return bool(taken.where(pair & free).execute())


def owner_of_reply(our: str, their: str) -> Account | None:
    """Return whose thread a text or call from `their` to `our` number belongs to.

    An own number belongs to its account, a pool number to the account that writes with this recipient; where
    nobody does, to the installation's first account, whose people look after the pool. None without accounts.
    """
    own = Sender.select().where(Sender.value == our, Sender.kind != "alphanumeric").first()
    if own is not None:
        return own.account
    route = Route.get_or_none(Route.our == our, Route.their == their)
    if route is not None:
        return route.account
    return Account.select().order_by(Account.id).first()


def remember_reply(account: Account, our: str, their: str, carrier: str) -> None:
    """Answer on the number that was written to: make the pair stick, inside the receiving transaction."""
    number = exchange.number(our)
    if number is not None and number.pool and _claim(account, number, their):
        Route.update(current=False).where(
            Route.account == account, Route.their == their, Route.our != our
        ).execute()
