"""What waits for the end of the quiet hours: looked at anew once an account's quiet hours or zone change."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sms import delivery, quiet, statements
from sms.clock import now
from sms.db import database, from_ms, to_ms
from sms.models import Account, Message
from sms.modules import modules
from sms.statements import among, listed

AT_ONCE = 200
"""Messages looked at in one transaction."""
LOTS_A_SECOND = 5

Hours = tuple[str, str, str]


@dataclass
class _Looked:
    """For which hours an account's messages were looked at, and which of them are still to come."""

    hours: Hours
    left: list[int]
    told: bool = False


_looked: dict[int, _Looked] = {}
"""By account. A worker that starts knows nothing and looks at everything once: no change of the hours is missed."""

# The sign keeps SQLite from reading all that the account has ever sent: only what waits is indexed by its status.
_WAITING = (
    "SELECT id FROM message WHERE status = ? AND next_at > ? AND automated AND data IS NOT NULL AND +account_id = ? "
    "ORDER BY id"
)
_MOVE = "UPDATE message SET next_at = ?, at = ?, data = ? WHERE id = ? AND status = ? AND next_at = ?"


def sweep() -> None:
    """Give a machine's messages that wait for the day the time that today's quiet hours allow; idempotent."""
    lots = LOTS_A_SECOND
    # Read to the end first: in the middle of a read, SQLite refuses to begin a write once another process has written.
    for account in list(Account.select().order_by(Account.id)):
        looked = _look_of(account)
        while looked.left and lots > 0:
            lots -= 1
            lot, looked.left = looked.left[:AT_ONCE], looked.left[AT_ONCE:]
            with database.atomic():
                _look_at(account, lot)
        if not looked.left and not looked.told:
            _tell_modules(account)
            looked.told = True


def _tell_modules(account: Account) -> None:
    with database.atomic():
        for module in modules().values():
            if module.on_hours is not None:
                module.on_hours(account)


def _look_of(account: Account) -> _Looked:
    hours = account.zone, account.quiet_text, account.quiet_voice
    looked = _looked.get(account.id)
    if looked is None or looked.hours != hours:
        looked = _looked[account.id] = _Looked(hours, _waiting(account))
    return looked


def _waiting(account: Account) -> list[int]:
    moment = to_ms(now())
    found = [statements.run(_WAITING, s, moment, account.id).fetchall() for s in ("scheduled", "queued")]
    return [row[0] for rows in found for row in rows]


def _look_at(account: Account, ids: Sequence[int]) -> None:
    """Move those of some messages that wait for nothing but the end of the quiet hours, inside a transaction."""
    moment = now()
    sql = f"SELECT {statements.columns(Message, 'message')} FROM message WHERE {among('id')}"
    rows = statements.run(sql, listed(ids)).fetchall()
    moved = [m for m in (statements.load(Message, row) for row in rows) if _move(account, m, moment)]
    delivery.note_all([(message, "the quiet hours have changed") for message in moved])
    delivery.show_all(moved)


def _move(account: Account, message: Message, moment: datetime) -> bool:
    """Move one message where it may go out at another time now; False where it stays or somebody else was faster."""
    facts = message.data or {}
    # A person or a retry has given any other time; that stays.
    if message.next_at is None or facts.get("moved_to") != to_ms(message.next_at):
        return False
    wanted = max(moment, from_ms(facts["moved_from"]))
    allowed = quiet.allowed_from(account, message.channel, message.theirs, wanted)
    if allowed == message.next_at:
        return False
    before, status = to_ms(message.next_at), message.status
    message.next_at, message.data = allowed, {**facts, "moved_to": to_ms(allowed)}
    # Only what is planned stands at its future time in the thread.
    message.at = allowed if status == "scheduled" else message.at
    stored = to_ms(allowed), to_ms(message.at), json.dumps(message.data)
    return bool(statements.run(_MOVE, *stored, message.id, status, before).rowcount)
