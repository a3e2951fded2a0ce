"""How fast and how cheaply the outbox moves texts: claim, hand over, settle, with the HTTP between.

One process with the pump of one carrier, as in a worker, against a carrier that does nothing in a process of its own
(which is not counted).
"""

import os
import resource
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bench.carrier import carrier, seen

TOML = """
[[carrier]]
name = "nothing"
kind = "{kind}"
rate = {rate}
numbers = ["+491713920010"]
base_url = "{origin}"
{options}
"""
OPTIONS = {
    "twilio": 'account_sid = "AC00000000000000000000000000000001"\nauth_token_env = "NOTHING_TOKEN"',
    "websms": 'access_token_env = "NOTHING_TOKEN"\ncallback_secret_env = "NOTHING_TOKEN"',
}


@dataclass(frozen=True)
class Moved:
    """So many texts, the seconds from the first claim to the last outcome, and the processor's."""

    texts: int
    seconds: float
    cpu_seconds: float

    @property
    def rate(self) -> float:
        return self.texts / self.seconds

    @property
    def cpu_ms(self) -> float:
        return self.cpu_seconds * 1000 / self.texts


def moving(texts: int, latency: float = 0.0, kind: str = "websms", rate: float = 100_000.0) -> Moved:
    """Let a pump of this process move so many texts that wait; raises SystemExit where one was lost or came twice."""
    with tempfile.TemporaryDirectory(prefix="faden-bench-") as folder, carrier(latency) as origin:
        _open(Path(folder), origin, kind, rate)
        _fill(texts)
        moved = _move(texts)
        came = seen(origin)
        _close()
    if (came["texts"], came["distinct"]) != (texts, texts):
        raise SystemExit(
            f"bench: of {texts} texts {came['texts']} came, {came['distinct']} of them different"
        )
    return moved


def _open(folder: Path, origin: str, kind: str, rate: float) -> None:
    from sms import config, db, exchange, migrate

    (folder / "carriers.toml").write_text(
        TOML.format(kind=kind, rate=rate, origin=origin, options=OPTIONS[kind])
    )
    settings = config.load(
        {
            "FADEN_DATA": str(folder / "data"),
            "FADEN_CARRIERS": str(folder / "carriers.toml"),
            "NOTHING_TOKEN": "0123456789abcdef0123456789abcdef",
            **({"FADEN_DATABASE_URL": url} if (url := os.environ.get("BENCH_DATABASE_URL")) else {}),
        }
    )
    db.connect(settings.database_url)
    exchange.connect(settings)
    migrate.up()
    db.database.connect()


def _close() -> None:
    from sms import db

    db.database.close()
    db.database.close_all()  # type: ignore[attr-defined]


def _fill(texts: int) -> None:
    """Store texts that are due, each to a number of its own, as `sending.send` would; without its doorbell."""
    from sms import accounts, contacts, statements
    from sms.clock import now
    from sms.db import database, to_ms
    from sms.models import Message
    from sms.sending import new_key

    accounts.use_secret("only-for-benchmarks-0123456789abcdef")
    account = accounts.add_account("Messung")
    talk = contacts.find_or_add(account, "+491713920042")[1]
    moment = to_ms(now())
    with database.atomic():
        statements.insert(
            Message,
            [
                {
                    "account_id": account.id, "conversation_id": talk.id, "direction": "outgoing", "channel": "sms",
                    "ours": "+491713920010", "theirs": f"+49171{number:07d}", "text": f"Ihr Termin ist morgen, Nr. {number}.",
                    "encoding": "GSM-7", "parts": 1, "status": "queued", "source": "api", "automated": False,
                    "carrier": "nothing", "key": new_key(), "priority": 10,
                    "created_at": moment, "at": moment, "next_at": moment,
                }
                for number in range(texts)
            ],
        )  # fmt: skip


def _move(texts: int) -> Moved:
    from sms import modules, pump

    modules.modules()  # imported once, as at a worker's start
    began, used = time.perf_counter(), _cpu()
    claimed = pump.work()
    moved = Moved(texts, time.perf_counter() - began, _cpu() - used)
    if claimed != texts:
        raise SystemExit(f"bench: {claimed} of {texts} texts were claimed")
    return moved


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    result = moving(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else "websms")
    print(
        f"{result.texts} texts in {result.seconds:.2f} s: {result.rate:.0f}/s, {result.cpu_ms:.3f} CPU-ms each"
    )
