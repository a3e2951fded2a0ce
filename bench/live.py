"""A thousand open pages on one web process: how soon they hear of a change, and what they cost while nothing happens."""

import statistics
import time

from bench import processes
from bench.figures import Figure, quantile
from bench.installation import Installation
from bench.streams import Streams

PAGES, CHANGES, IDLE = 1000, 40, 65.0
HOW = (
    f"{PAGES} event streams of one thread, heard by a process of its own; {CHANGES} notes written into the database from "
    "outside the web process; from the commit until a page has the rendered bubble, all pages, nearest-rank"
)
COST = f"the web process from /proc with {PAGES} streams open and {IDLE:g} s without a change (a ping each 20 s, a look at the session each 60 s)"


def figures() -> list[Figure]:
    """Measure on a demo installation of its own; raises SystemExit where a page misses a change."""
    with Installation() as faden:
        return measure(faden)


def measure(faden: Installation, count: int = PAGES) -> list[Figure]:
    """Open the pages, let them be idle, then tell them something."""
    browser = faden.browser()
    cookie = "; ".join(f"{c.name}={c.value}" for c in browser.cookies)
    web = processes.named(faden.process.pid, "web")
    without = processes.pss_megabytes(web)
    talk = faden.api.get(f"{faden.url}/api/v1/conversations?limit=1", timeout=10).json()["items"][0]["id"]
    streams = Streams(faden.port, cookie, int(talk), count)
    try:
        time.sleep(1)
        idle = _idle(web)
        waits, busy = _told(faden, streams, int(talk), count, web)
        memory = processes.pss_megabytes(web)
    finally:
        streams.stop()
    return [
        Figure(f"change on {count:,} open pages, p99", quantile(waits, 0.99), 300, "ms", how=HOW),
        Figure(f"change on {count:,} open pages, median", statistics.median(waits), None, "ms", how=HOW),
        Figure(f"web while all {count:,} pages hear of a change, CPU", busy * 1000, None, "ms", how=HOW),
        Figure(f"web with {count:,} idle pages, of one core", idle * 100, 15, "%", how=COST),
        Figure(f"memory of web with {count:,} pages (PSS)", memory, 150, "MB", floor=without, how=COST),
    ]


def _idle(web: list[int]) -> float:
    used = processes.cpu_seconds(web)
    time.sleep(IDLE)
    return (processes.cpu_seconds(web) - used) / IDLE


def _told(
    faden: Installation, streams: Streams, talk: int, count: int, web: list[int]
) -> tuple[list[float], float]:
    """Return the milliseconds from commit to arrival on every page, and the processor seconds of a change."""
    from sms import accounts, db, sending
    from sms.models import Conversation, User

    db.connect(f"sqlite:///{faden.database}")
    accounts.use_secret("only-for-benchmarks-0123456789abcdef")
    waits: list[float] = []
    used = processes.cpu_seconds(web)
    with db.database.connection_context():
        conversation = Conversation.get_by_id(talk)
        user = User.select().where(User.account == conversation.account_id).get()
        for n in range(CHANGES):
            word = f"Messung-{n:03d}-Ende"
            streams.expect(word)
            time.sleep(0.1)
            sending.add_note(conversation, word, user)
            committed = time.monotonic()
            heard = _heard(streams, word, count)
            if len(heard) < count:
                raise SystemExit(f"bench: LOST: {len(heard)} of {count} pages heard of a change")
            waits += [max(0.0, moment - committed) * 1000 for moment in heard]
    db.database.close_all()  # type: ignore[attr-defined]
    return waits, (processes.cpu_seconds(web) - used) / CHANGES


def _heard(streams: Streams, word: str, count: int) -> list[float]:
    deadline = time.monotonic() + 15
    time.sleep(0.3)
    while len(heard := streams.seen(word)) < count and time.monotonic() < deadline:
        time.sleep(0.1)
    return heard
