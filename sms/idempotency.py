"""Idempotency-Key: a request that comes again within 24 hours gets the answer of the first one and does nothing."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sms import statements
from sms.clock import now
from sms.db import database, to_ms
from sms.models import Account, Idempotency
from sms.refusal import Conflict

KEPT = timedelta(hours=24)
SWEPT_EVERY = timedelta(hours=1)
LONGEST_KEY = 255

_swept_at: datetime | None = None


@dataclass(frozen=True)
class Answer:
    """An HTTP status and a body as it went out; `repeated` tells that nothing was done this time."""

    status: int
    body: str
    repeated: bool = False


def digest(*parts: str) -> str:
    """Return the fingerprint of a request: the same only where every part is the same."""
    whole = "\0".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()


def once(account: Account, key: str, fingerprint: str, work: Callable[[], tuple[int, str]]) -> Answer:
    """Do `work` and keep its answer, or return the kept one; raises Conflict("key_reused") for another request.

    The key is written first, in the transaction of the work: of two requests at once the second waits for the
    first. Work that raises leaves no key behind, so a corrected request may use it again.
    """
    with database.atomic():
        if not _take(account, key, fingerprint):
            return _kept(account, key, fingerprint)
        status, body = work()
        _keep(account, key, status, body)
    return Answer(status, body)


def begin(account: Account, key: str, fingerprint: str) -> Answer | None:
    """Note that long work begins, or return its kept answer where it has ended; raises Conflict("key_reused").

    Each step of such work needs a key of its own (`step`) and `once`, in a transaction of its own: after a crash
    the same request goes on where it stopped. `finish` keeps the answer.
    """
    with database.atomic():
        if _take(account, key, fingerprint):
            return None
        kept = _kept(account, key, fingerprint)
    return kept if kept.status else None


def step(key: str, fingerprint: str, number: int) -> str:
    """Return the key of one step of long work; no program can choose such a key, as § is not ASCII."""
    return f"§{digest(key, fingerprint)}§{number}"


def finish(account: Account, key: str, status: int, body: str) -> Answer:
    """Keep the answer of work that was begun; where another request was faster, its answer counts."""
    with database.atomic():
        _keep(account, key, status, body)
        sql = "SELECT status, answer FROM idempotency WHERE account_id = ? AND key = ?"
        return Answer(*statements.run(sql, account.id, key).fetchone())


def _take(account: Account, key: str, fingerprint: str) -> bool:
    """Write a key; False where it was there: of two transactions at once the second waits here for the first."""
    moment = now()
    statements.run(
        "DELETE FROM idempotency WHERE account_id = ? AND key = ? AND created_at <= ?",
        *(account.id, key, to_ms(moment - KEPT)),
    )
    written = statements.run(
        "INSERT INTO idempotency (account_id, key, digest, status, answer, created_at) VALUES (?, ?, ?, 0, '', ?) "
        "ON CONFLICT (account_id, key) DO NOTHING",
        *(account.id, key, fingerprint, to_ms(moment)),
    )
    return bool(written.rowcount)


def _keep(account: Account, key: str, status: int, body: str) -> None:
    """Write the answer of a key, unless it has one."""
    sql = "UPDATE idempotency SET status = ?, answer = ? WHERE account_id = ? AND key = ? AND status = 0"
    statements.run(sql, status, body, account.id, key)


def _kept(account: Account, key: str, fingerprint: str) -> Answer:
    sql = "SELECT digest, status, answer FROM idempotency WHERE account_id = ? AND key = ?"
    digest_, status, answer = statements.run(sql, account.id, key).fetchone()
    if digest_ != fingerprint:
        raise Conflict("key_reused")
    return Answer(status, answer, repeated=True)


def sweep() -> int:
    """Forget answers older than 24 hours, looking for them once an hour; returns how many there were."""
    global _swept_at
    if _swept_at is not None and abs(now() - _swept_at) < SWEPT_EVERY:
        return 0
    _swept_at = now()
    return int(Idempotency.delete().where(Idempotency.created_at <= now() - KEPT).execute())
