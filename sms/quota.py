"""How much an account may send on one day of its own zone."""

from datetime import date
from zoneinfo import ZoneInfo

from sms import statements
from sms.clock import now
from sms.db import is_sqlite
from sms.models import Account
from sms.refusal import Refused


def today(account: Account) -> date:
    """Return the present day in the account's zone."""
    return now().astimezone(ZoneInfo(account.zone)).date()


def used(account: Account) -> int:
    """Return how many parts (a call counts as one) the account has sent today."""
    sql = "SELECT parts + calls FROM usage WHERE account_id = ? AND day = ?"
    row = statements.run(sql, account.id, today(account).isoformat()).fetchone()
    return 0 if row is None else int(row[0])


def room(account: Account) -> int:
    """Return how many parts are left today, inside the caller's transaction.

    On PostgreSQL the day's row is locked until its end: so two transactions of one account neither share the same room
    nor make the same contact twice. SQLite has one writer anyway.
    """
    return account.daily_parts - (used(account) if is_sqlite() else add(account, 0))


def count(account: Account, parts: int, calls: int = 0) -> None:
    """Count parts and calls against today inside the caller's transaction; raises Refused over the limit."""
    if parts + calls > room(account):
        raise Refused("text", "daily_limit", limit=account.daily_parts)
    add(account, parts, calls)


def add(account: Account, parts: int, calls: int = 0) -> int:
    """Count parts and calls that have their room inside the caller's transaction; returns what the day has used."""
    ((used,),) = statements.run(
        "INSERT INTO usage (account_id, day, parts, calls) VALUES (?, ?, ?, ?) ON CONFLICT (account_id, day) "
        "DO UPDATE SET parts = usage.parts + excluded.parts, calls = usage.calls + excluded.calls "
        "RETURNING parts + calls",
        *(account.id, today(account).isoformat(), parts, calls),
    ).fetchall()
    return int(used)
