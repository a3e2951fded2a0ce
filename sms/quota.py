"""How much an account may send on one day of its own zone."""

from datetime import date
from zoneinfo import ZoneInfo

from sms.clock import now
from sms.models import Account, Usage
from sms.refusal import Refused


def today(account: Account) -> date:
    """Return the present day in the account's zone."""
    return now().astimezone(ZoneInfo(account.zone)).date()


def used(account: Account) -> int:
    """Return how many parts (a call counts as one) the account has sent today."""
    usage = Usage.get_or_none(Usage.account == account, Usage.day == today(account))
    return 0 if usage is None else usage.parts + usage.calls


def count(account: Account, parts: int, calls: int = 0) -> None:
    """Count parts and calls against today inside the caller's transaction; raises Refused over the limit."""
    if used(account) + parts + calls > account.daily_parts:
        raise Refused("text", "daily_limit", limit=account.daily_parts)
    Usage.insert(account=account, day=today(account), parts=parts, calls=calls).on_conflict(
        conflict_target=[Usage.account, Usage.day],
        update={Usage.parts: Usage.parts + parts, Usage.calls: Usage.calls + calls},
    ).execute()
