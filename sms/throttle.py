"""How often somebody may try a password: the `limits` library's fixed window over a table of the database.

The database and not memory, because several web processes answer one person, and a restart must not forgive.
"""

import hashlib
from datetime import datetime, timedelta

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter
from peewee import Case

from sms.clock import now
from sms.db import database, from_ms, to_ms
from sms.models.throttle import Throttle

SIGN_INS = RateLimitItemPerMinute(5, 15, namespace="sign-in")
"""Wrong passwords for one address from one place: five in a quarter of an hour."""
SIGN_INS_FROM_ONE_PLACE = RateLimitItemPerMinute(50, 15, namespace="place")
"""Wrong passwords from one place, whatever the address: room for an office behind one router."""
FORGOTTEN = RateLimitItemPerMinute(3, 60, namespace="forgotten")
"""Mails with a link to set the password, for one address."""


class _Rows(Storage):
    """The storage that `limits` asks for, on this project's database and clock."""

    STORAGE_SCHEME = ["faden"]

    @property
    def base_exceptions(self) -> tuple[type[Exception], ...]:
        return (OSError,)

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count one more, in a new window of `expiry` seconds where the last has ended; returns the count."""
        over = Throttle.until <= now()
        ends = now() + timedelta(seconds=expiry)
        row = (
            Throttle.insert(key=key, count=amount, until=ends)
            .on_conflict(
                conflict_target=[Throttle.key],
                update={
                    Throttle.count: Case(None, [(over, amount)], Throttle.count + amount),
                    Throttle.until: Case(None, [(over, to_ms(ends))], Throttle.until),
                },
            )
            .returning(Throttle.count)
            .execute()
        )
        counted = int(next(iter(row)).count)
        Throttle.delete().where(over).execute()
        return counted

    def get(self, key: str) -> int:
        row = Throttle.get_or_none(Throttle.key == key, Throttle.until > now())
        return int(row.count) if row else 0

    def get_expiry(self, key: str) -> float:
        row = Throttle.get_or_none(Throttle.key == key, Throttle.until > now())
        return to_ms(row.until if row else now()) / 1000

    def check(self) -> bool:
        return not database.is_closed()

    def reset(self) -> int | None:
        return int(Throttle.delete().execute())

    def clear(self, key: str) -> None:
        Throttle.delete().where(Throttle.key == key).execute()


_limiter = FixedWindowRateLimiter(_Rows())


def left(limit: RateLimitItem, *who: str) -> int:
    """Return how many attempts are left."""
    return max(0, int(_limiter.get_window_stats(limit, _name(who)).remaining))


def count(limit: RateLimitItem, *who: str) -> int:
    """Count one attempt and return how many are left."""
    _limiter.hit(limit, _name(who))
    return left(limit, *who)


def until(limit: RateLimitItem, *who: str) -> datetime:
    """Return the moment from which attempts are allowed again."""
    return from_ms(round(_limiter.get_window_stats(limit, _name(who)).reset_time * 1000))


def forgive(limit: RateLimitItem, *who: str) -> None:
    """Forget the attempts: the right person is in."""
    _limiter.clear(limit, _name(who))


def _name(who: tuple[str, ...]) -> str:
    """The table holds no addresses of people, only what tells one from another."""
    return hashlib.sha256("\0".join(who).encode("utf-8", "surrogatepass")).hexdigest()[:40]
