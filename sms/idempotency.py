"""Idempotency-Key: a request that comes again within 24 hours gets the answer of the first one and does nothing."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from peewee import IntegrityError

from sms.clock import now
from sms.db import database
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
    try:
        with database.atomic():
            _forget_expired(account, key)
            row = Idempotency.create(
                account=account, key=key, digest=fingerprint, status=0, answer="", created_at=now()
            )
            status, body = work()
            Idempotency.update(status=status, answer=body).where(Idempotency.id == row.id).execute()
            return Answer(status, body)
    except IntegrityError:
        # Not the work's own: a broken constraint there finds no kept answer below and is raised again.
        if (kept := _kept(account, key, fingerprint)) is not None:
            return kept
        raise


def begin(account: Account, key: str, fingerprint: str) -> Answer | None:
    """Note that long work begins, or return its kept answer where it has ended; raises Conflict("key_reused").

    Each step of such work needs a key of its own (`step`) and `once`, in a transaction of its own: after a crash
    the same request goes on where it stopped. `finish` keeps the answer.
    """
    with database.atomic():
        _forget_expired(account, key)
        Idempotency.insert(
            account=account, key=key, digest=fingerprint, status=0, answer="", created_at=now()
        ).on_conflict_ignore().execute()
    kept = _kept(account, key, fingerprint)
    return kept if kept is not None and kept.status else None


def step(key: str, fingerprint: str, number: int) -> str:
    """Return the key of one step of long work; no program can choose such a key, as § is not ASCII."""
    return f"§{digest(key, fingerprint)}§{number}"


def finish(account: Account, key: str, status: int, body: str) -> Answer:
    """Keep the answer of work that was begun; where another request was faster, its answer counts."""
    mine = (Idempotency.account == account) & (Idempotency.key == key)
    with database.atomic():
        Idempotency.update(status=status, answer=body).where(mine & (Idempotency.status == 0)).execute()
        row = Idempotency.get(mine)
    return Answer(row.status, row.answer)


def _forget_expired(account: Account, key: str) -> None:
    mine = (Idempotency.account == account) & (Idempotency.key == key)
    Idempotency.delete().where(mine & (Idempotency.created_at <= now() - KEPT)).execute()


def _kept(account: Account, key: str, fingerprint: str) -> Answer | None:
    row = Idempotency.get_or_none(Idempotency.account == account, Idempotency.key == key)
    if row is None:
        return None
    if row.digest != fingerprint:
        raise Conflict("key_reused")
    return Answer(row.status, row.answer, repeated=True)


def sweep() -> int:
    """Forget answers older than 24 hours, looking for them once an hour; returns how many there were."""
    global _swept_at
    if _swept_at is not None and abs(now() - _swept_at) < SWEPT_EVERY:
        return 0
    _swept_at = now()
    return int(Idempotency.delete().where(Idempotency.created_at <= now() - KEPT).execute())
