"""Which number a message leaves from, by which carrier, and whose a reply is."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain
from typing import NamedTuple

from peewee import chunked

from sms import exchange, health, statements
from sms.carriers.contract import Feature
from sms.clock import now
from sms.db import to_ms
from sms.exchange import OurNumber
from sms.gsm import msisdn, sender_id
from sms.models import Account, Route
from sms.refusal import Refused

RELEASED_AFTER = timedelta(days=30)
"""A pool number that two persons have not used for so long may serve another account to the same recipient."""
USE_NOTED_EVERY = timedelta(hours=1)
AT_ONCE = 150
"""Rows a statement: six values each stay below what an old SQLite takes."""


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


class _Own(NamedTuple):
    kind: str
    value: str
    is_default: bool


def owned_numbers(account: Account) -> dict[str, str]:
    """Return the numbers this account may send from, E.164 to kind: its own senders and the pool it shares."""
    return _owned(_senders(account))


def _owned(own: Iterable[_Own]) -> dict[str, str]:
    pool = {n.number: "pool" for n in exchange.numbers() if n.pool}
    return pool | {s.value: s.kind for s in own if s.kind != "alphanumeric"}


def _senders(account: Account) -> list[_Own]:
    sql = "SELECT kind, value, is_default FROM sender WHERE account_id = ? ORDER BY kind, value"
    return [_Own(kind, value, bool(default)) for kind, value, default in statements.run(sql, account.id)]


def senders(account: Account) -> list[Choice]:
    """Return what an agent can choose from, the pool first; one of them is the default."""
    own = _senders(account)
    pool = Choice("", "pool", "", True, False, not any(s.is_default for s in own))
    return [pool, *(_choice(s) for s in own)]


def _choice(sender: _Own) -> Choice:
    can_reply, can_call = sender_id.CAN_REPLY_AND_CALL[sender.kind]
    label = sender.value if sender.kind == "alphanumeric" else msisdn.parse(sender.value).display
    return Choice(sender.value, sender.kind, label, can_reply, can_call, sender.is_default)


def classify(account: Account, raw: str) -> sender_id.SenderId:
    """Tell what kind of sender `raw` is for this account; nothing means the account's default."""
    own = _senders(account)
    return sender_id.classify(raw or _default(own), _owned(own))


def default_sender(account: Account) -> str:
    """Return the sender used where none is named: E.164, an alphanumeric id, or nothing for the pool."""
    return _default(_senders(account))


def _default(own: Iterable[_Own]) -> str:
    return next((s.value for s in own if s.is_default), "")


def _one(found: dict[str, Way | Refused], their: str) -> Way:
    way = found[their]
    if isinstance(way, Refused):
        raise way
    return way


def ways(
    account: Account, sender: sender_id.SenderId, theirs: Collection[str], voice: bool = False
) -> dict[str, Way | Refused]:
    """Return the way to each recipient (E.164) from one sender, inside the transaction, in a handful of queries.

    The first healthy carrier by priority that can carry it; a number of the account's own waits for its carrier.
    """
    named = None if voice and sender.kind == "alphanumeric" else sender.value
    number = exchange.number(named) if named else None
    if named is None or (voice and not (number and number.voice)):
        return _from_the_pool(account, theirs, pool_numbers(voice))
    if number is None:
        return {their: _named(named, their) for their in theirs}
    if not voice and not number.sms:
        return dict.fromkeys(theirs, Refused("sender", "no_number"))
    if not number.pool:
        return dict.fromkeys(theirs, _way(number))
    taken = _claim(account, dict.fromkeys(theirs, number))
    return {t: _way(number) if t in taken else Refused("sender", "number_in_use") for t in theirs}


def _way(number: OurNumber) -> Way:
    return Way(number.number, number.carrier)


def pool_numbers(voice: bool = False) -> list[OurNumber]:
    """Return the pool's numbers that can text (or call), those of the first carrier first."""
    able = carriers_that(Feature.voice if voice else Feature.sms)
    return [n for n in exchange.numbers() if n.pool and n.carrier in able and (n.voice if voice else n.sms)]


def carriers_that(feature: Feature) -> list[str]:
    """Return the carriers with a feature, first priority first."""
    return [name for name, carrier in exchange.carriers().items() if feature in carrier.features]


def _named(sender: str, their: str, avoid: Collection[str] = ()) -> Way | Refused:
    """Return the way of a sender that is no number of ours: a word, or a mobile of the account's people."""
    able = carriers_that(Feature.sms)
    if not sender.startswith("+"):
        able = [name for name in carriers_that(Feature.alpha_sender) if name in able]
    if not able:
        return Refused("sender", "no_number")
    return Way(sender, min(able, key=lambda name: _rank(name, their, avoid)))


def _rank(name: str, their: str, avoid: Collection[str] = ()) -> int:
    """Return 0 for a carrier that takes this recipient's messages now; the higher, the less it should have them."""
    there = exchange.carriers()
    if name not in there:
        return health.WORST + 1
    if len(there) == 1:
        return 0
    return max(health.rank(name, their), health.RELUCTANT if name in avoid else 0)


def renew(account: Account, ours: str, their: str, channel: str) -> Way:
    """Return the way of a message that has waited, inside the transaction: its own sender where that may still be used.

    A pool number whose carrier takes nothing gives way to another. Raises Refused where the pool has no number for it.
    """
    number = exchange.number(ours)
    well = number is not None and number.pool and not _rank(number.carrier, their)
    if number is not None and well and _claim(account, {their: number}):
        return _way(number)
    return _one(_anew(account, ours, [their], channel), their)


def moved(
    account: Account,
    ours: str,
    theirs: Collection[str],
    channel: str,
    before: str,
    avoid: Collection[str] = (),
) -> dict[str, Way]:
    """Return the ways of messages that wait for the carrier `before`, to one that is better off and not to be avoided.

    `ours` is what they were to leave from. Inside the transaction, in a handful of queries; who stays is left out.
    """
    found = _anew(account, ours, theirs, channel, avoid)
    return {
        their: way
        for their, way in found.items()
        if isinstance(way, Way)
        and way.carrier != before
        and _rank(way.carrier, their, avoid) < _rank(before, their, avoid)
    }


def _anew(
    account: Account, ours: str, theirs: Collection[str], channel: str, avoid: Collection[str] = ()
) -> dict[str, Way | Refused]:
    """Find the ways of messages that were to leave from `ours`: own numbers stay, names go by any carrier, else the pool."""
    number = exchange.number(ours)
    if number is None and (not ours.startswith("+") or ours in owned_numbers(account)):
        return {their: _named(ours, their, avoid) for their in theirs}
    if number is not None and not number.pool and ours in owned_numbers(account):
        return dict.fromkeys(theirs, _way(number))
    return _from_the_pool(account, theirs, pool_numbers(channel == "voice"), avoid)


def _from_the_pool(
    account: Account, theirs: Collection[str], numbers: list[OurNumber], avoid: Collection[str] = ()
) -> dict[str, Way | Refused]:
    """Keep each contact's number while its carrier is well; else the first free one whose carrier is better off.

    The number a contact was moved to for a while is not the one it keeps: with its carrier well again, it is
    written to from its own, unless it has answered meanwhile (`remember_reply`).
    """
    found: dict[str, Way | Refused] = {}
    better: dict[str, list[OurNumber]] = {}
    kept = _kept(account, theirs, numbers, avoid)
    for their in theirs:
        mine = kept.get(their)
        limit = _rank(mine[0].carrier, their, avoid) if mine else health.WORST + 1
        ranked = [(rank, n) for n in numbers if (rank := _rank(n.carrier, their, avoid)) < limit]
        better[their] = [number for _, number in sorted(ranked, key=lambda pair: pair[0])]
    while wanted := {their: left.pop(0) for their, left in better.items() if left}:
        for their in _claim(account, wanted, kept):
            found[their] = _way(wanted[their])
            better[their] = []
    _note_use([kept[their] for their in theirs if their in kept and their not in found])
    for their in theirs:
        if their not in found:
            nothing = Refused("sender", "pool_exhausted" if numbers else "no_number")
            found[their] = _way(kept[their][0]) if their in kept else nothing
    return found


class _Stuck(NamedTuple):
    """A number that a contact has been written to from; `used_at` in milliseconds."""

    id: int
    our: str
    their: str
    current: bool
    used_at: int


_Kept = tuple[OurNumber, _Stuck]


def _kept(
    account: Account, theirs: Collection[str], numbers: list[OurNumber], avoid: Collection[str]
) -> dict[str, _Kept]:
    """Return the number that each contact has by now, the best where several have served it."""
    by_number = {n.number: n for n in numbers}
    rows = statements.run(
        "SELECT id, our, their, current, used_at FROM route "
        f"WHERE account_id = ? AND {statements.among('their')} AND {statements.among('our')}",
        *(account.id, statements.listed(theirs), statements.listed(by_number)),
    )
    found: dict[str, _Kept] = {}
    for row in map(_Stuck._make, rows):
        mine = by_number[row.our], row
        if row.their not in found or _merit(mine, avoid) < _merit(found[row.their], avoid):
            found[row.their] = mine
    return found


def _merit(kept: _Kept, avoid: Collection[str]) -> tuple[int, bool, int]:
    number, row = kept
    return _rank(number.carrier, row.their, avoid), not row.current, -row.used_at


def _note_use(kept: list[_Kept]) -> None:
    """Keep routes from being released; not with every message, as RELEASED_AFTER is days."""
    moment = now()
    stale = [row.id for _, row in kept if row.used_at <= to_ms(moment - USE_NOTED_EVERY)]
    if stale:
        sql = f"UPDATE route SET used_at = ? WHERE {statements.among('id')}"
        statements.run(sql, to_ms(moment), statements.listed(stale))


_CLAIM = (
    "INSERT INTO route (our, their, account_id, carrier, current, used_at) VALUES {rows} "
    "ON CONFLICT (our, their) DO UPDATE SET account_id = excluded.account_id, carrier = excluded.carrier, "
    "current = excluded.current, used_at = excluded.used_at "
    "WHERE route.account_id = excluded.account_id OR route.used_at <= ? RETURNING their"
)


def _claim(account: Account, wanted: Mapping[str, OurNumber], kept: Collection[str] = ()) -> set[str]:
    """Own pairs (our number, their number), so that their replies have one owner; return the recipients that were free.

    It becomes the number a recipient keeps, but for those who have one (`kept`) and are only moved for a while.
    """
    moment = now()
    claimed: set[str] = set()
    # Always in one order, so that two transactions never wait for each other.
    for some in chunked(sorted(wanted.items()), AT_ONCE):
        rows = [
            (number.number, their, account.id, number.carrier, their not in kept, to_ms(moment))
            for their, number in some
        ]
        sql = _CLAIM.format(rows=", ".join(["(?, ?, ?, ?, ?, ?)"] * len(rows)))
        released = to_ms(moment - RELEASED_AFTER)
        claimed |= {row[0] for row in statements.run(sql, *chain(*rows), released).fetchall()}
    return claimed


def owner_of_reply(our: str, their: str) -> Account | None:
    """Return whose thread a text or call from `their` to `our` number belongs to.

    An own number belongs to its account, a pool number to the account that writes with this recipient; where
    nobody does, to the installation's first account, whose people look after the pool. None without accounts.
    """
    sql = (
        f"SELECT {statements.columns(Account, 'account')} FROM account WHERE id = COALESCE("
        "(SELECT account_id FROM sender WHERE value = ? AND kind <> 'alphanumeric' ORDER BY id LIMIT 1), "
        "(SELECT account_id FROM route WHERE our = ? AND their = ?), (SELECT MIN(id) FROM account))"
    )
    return statements.one(Account, sql, our, our, their)  # type: ignore[no-any-return]


def remember_reply(account: Account, our: str, their: str, carrier: str) -> None:
    """Answer on the number that was written to: make the pair stick, inside the receiving transaction."""
    number = exchange.number(our)
    if number is None or not number.pool or _sticks(account, our, their):
        return
    if _claim(account, {their: number}):
        Route.update(current=False).where(
            Route.account == account, Route.their == their, Route.our != our
        ).execute()


def _sticks(account: Account, our: str, their: str) -> bool:
    """True where the pair is the recipient's one present number already, and was in use a moment ago."""
    sql = "SELECT our, current, used_at FROM route WHERE account_id = ? AND their = ?"
    present = [(number, at) for number, current, at in statements.run(sql, account.id, their) if current]
    return [number for number, _ in present] == [our] and present[0][1] > to_ms(now() - USE_NOTED_EVERY)
