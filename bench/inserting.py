"""100,000 machine-made messages: personalised, checked, counted in parts, routed and stored by `bulk.send_many`."""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench import floors
from bench.figures import Figure

ROOT = Path(__file__).parent.parent
MESSAGES = 100_000
HOW = (
    f"bulk.send_many over a generator of {MESSAGES:,} messages to as many new people, each with their name filled in, on SQLite, "
    "in one process; floor: two columns into bare SQLite by executemany"
)
FLAT = "peak memory of that process at the end, over its peak after the first 20,000 messages"


def figures() -> list[Figure]:
    """Measure to new people and, the same again, to known ones; raises SystemExit where one was not stored."""
    floor = floors.raw_rows()
    done = subprocess.run(
        [sys.executable, "-m", "bench.inserting"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"bench: {done.stderr.strip().splitlines()[-1]}")
    found = json.loads(done.stdout.splitlines()[-1])
    return [
        Figure(f"{MESSAGES:,} messages inserted, new people", found["new"], 20_000, "/s", True, floor, HOW),
        Figure(
            f"{MESSAGES:,} messages inserted, known people", found["known"], 20_000, "/s", True, floor, HOW
        ),
        Figure("memory while inserting, growth", found["growth"], 1.2, "x", how=FLAT),
        Figure("memory while inserting, peak", found["peak"], None, "MB", how=FLAT),
    ]


def _measure() -> dict[str, float]:
    from sms import accounts, config, db, exchange, migrate
    from sms.models import Account

    with tempfile.TemporaryDirectory(prefix="faden-bench-") as folder:
        settings = config.load({"FADEN_DATA": folder, "FADEN_SECRET_KEY": "b" * 40, "PORT": "64000"})
        db.connect(settings.database_url)
        accounts.use_secret(settings.secret_key)
        exchange.connect(settings)
        migrate.up()
        with db.database.connection_context():
            account = accounts.add_account("Messung")
            Account.update(daily_parts=2_000_000_000, quiet_text="").execute()
            account = Account.get_by_id(account.id)
            new, early = _insert(account, "Ihr Termin ist morgen")
            known, _ = _insert(account, "Ihr Rezept liegt bereit")
        db.database.close_all()  # type: ignore[attr-defined]
    peak = _peak()
    return {"new": new, "known": known, "growth": peak / early, "peak": peak}


def _insert(account: object, what: str) -> tuple[float, float]:
    """Return messages a second, and the peak of memory (MB) after the first 20,000."""
    from sms import bulk
    from sms.models import Message

    before, early, stored = Message.select().count(), 0.0, 0
    began = time.perf_counter()
    for outcome in bulk.send_many(account, _wanted(what)):  # type: ignore[arg-type]
        if not isinstance(outcome, bulk.Accepted):
            raise SystemExit(f"a message was refused: {outcome!r}")
        stored += 1
        if stored == 20_000:
            early = _peak()
    seconds = time.perf_counter() - began
    if Message.select().count() - before != MESSAGES or stored != MESSAGES:
        raise SystemExit(f"LOST MESSAGES: {Message.select().count() - before} of {MESSAGES} were stored")
    return MESSAGES / seconds, early


def _wanted(what: str) -> Iterator[object]:
    from sms.checking import Wanted

    for n in range(MESSAGES):
        name = {"name": f"Person {n}"}
        yield Wanted(
            to=f"+49171{3000000 + n:07d}",
            text=f"Guten Tag {{name}}, {what}.",
            fields=name,
            source="campaign",
            automated=True,
        )


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    print(json.dumps(_measure()))
