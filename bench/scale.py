"""Lists, threads and search with 100 times as much in the database: how much longer they take."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

from bench.figures import Figure

ROOT = Path(__file__).parent.parent
SMALL, LARGE = (10_000, 1_000), (1_000_000, 100_000)
POSTGRES = os.environ.get("BENCH_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432")
PAGES = {
    "list, open": "/inbox?view=open",
    "list, all": "/inbox?view=all",
    "list, mine": "/inbox?view=mine",
    "list, unread": "/inbox?view=open&unread=1",
    "list, later page": "/inbox/rows?view=all&cursor={cursor}",
    "thread": "/conversations/{thread}?view=open",
    "thread, older": "/conversations/{thread}/messages?before={before}",
    "search, word": "/inbox?q=versichertenkarte",
    "search, two words": "/inbox?q=rezept+empfang",
    "search, name": "/inbox?q=schoessler",
    "search, two letters": "/inbox?q=ja",
    "search, number": "/inbox?q={number}",
    "search, nothing found": "/inbox?q=terminverein",
}
TIMES = 25
HOW = (
    f"{LARGE[0]:,} messages in {LARGE[1]:,} conversations of one account over {SMALL[0]:,} in {SMALL[1]:,}: medians of {TIMES} "
    "whole answers of the Flask application in one process (no HTTP), the two sizes in turns; a ratio is the worst of its group"
)


def figures() -> list[Figure]:
    """Build both sizes on SQLite and, where a server answers, on PostgreSQL, and compare their pages."""
    found = []
    with tempfile.TemporaryDirectory(prefix="faden-bench-") as folder:
        found += _compared("SQLite", *(f"sqlite:///{folder}/{name}.db" for name in ("small", "large")))
    if not answers_at(POSTGRES):
        print("bench: no PostgreSQL at BENCH_POSTGRES_URL; its part is left out")
        return found
    with databases("faden_bench_small", "faden_bench_large") as urls:
        found += _compared("PostgreSQL", *urls)
    return found


def _compared(database: str, small: str, large: str) -> list[Figure]:
    built = time.perf_counter()
    for url, size in ((small, SMALL), (large, LARGE)):
        _child("fill", url, *map(str, size))
    built = time.perf_counter() - built
    few, many = _in_turns(small, large)
    worst = {group: _worst(few, many, group) for group in ("list", "thread", "search")}
    return [
        *(
            Figure(f"{database}: {group}, {page}: time at 1,000,000", ratio, 1.5, "x", how=HOW)
            for group, (ratio, page) in worst.items()
        ),
        *(
            Figure(f"{database}: {page}", many[page], None, "ms", floor=few[page], how=MILLISECONDS)
            for page in PAGES
        ),
        Figure(f"{database}: both sizes built in", built, None, "s"),
    ]


MILLISECONDS = "the same at 1,000,000 messages; floor: at 10,000"


def _worst(few: dict[str, float], many: dict[str, float], group: str) -> tuple[float, str]:
    ratios = [
        (many[page] / few[page], page.partition(", ")[2] or page)
        for page in PAGES
        if page.split(",")[0] == group
    ]
    return max(ratios)


def _in_turns(small: str, large: str) -> tuple[dict[str, float], dict[str, float]]:
    """Measure both sizes page by page, in two processes that take turns, so that a busy moment hits both."""
    found: list[dict[str, list[float]]] = [{}, {}]
    children = [_page_server(url) for url in (small, large)]
    try:
        for page in PAGES:
            for _ in range(5):
                for child, times in zip(children, found, strict=True):
                    times.setdefault(page, []).extend(_ask(child, page))
    finally:
        for child in children:
            child.kill()
            child.wait(10)
    few, many = ({page: median(times) for page, times in each.items()} for each in found)
    return few, many


def _page_server(url: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "bench.scale", "serve", url],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def _ask(child: "subprocess.Popen[str]", page: str) -> list[float]:
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(f"{page}\n")
    child.stdin.flush()
    answer = child.stdout.readline()
    if not answer:
        raise SystemExit(f"bench: the page {page!r} failed")
    return json.loads(answer)  # type: ignore[no-any-return]


def _child(*words: str) -> None:
    done = subprocess.run([sys.executable, "-m", "bench.scale", *words], cwd=ROOT, check=False)
    if done.returncode:
        raise SystemExit("bench: the data could not be built")


def answers_at(url: str) -> bool:
    """True where a server listens at an address."""
    parts = urlsplit(url)
    try:
        socket.create_connection((parts.hostname or "127.0.0.1", parts.port or 5432), 2).close()
    except OSError:
        return False
    return True


@contextmanager
def databases(*names: str) -> Iterator[list[str]]:
    """Make databases of these names on the PostgreSQL server, yield their addresses, and remove them."""
    import psycopg

    with psycopg.connect(f"{POSTGRES}/postgres", autocommit=True) as server:
        for name in names:
            server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            server.execute(f"CREATE DATABASE {name}")
        try:
            yield [f"{POSTGRES}/{name}" for name in names]
        finally:
            for name in names:
                server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _fill(url: str, messages: str, conversations: str) -> None:
    from bench import volume
    from sms import accounts, db, migrate

    db.connect(url)
    accounts.use_secret("only-for-benchmarks-0123456789abcdef")
    migrate.up()
    with db.database.connection_context():
        volume.fill(int(messages), int(conversations))
    db.database.close_all()  # type: ignore[attr-defined]


def _serve(url: str) -> None:
    """Answer each line, the name of a page, with the milliseconds of some whole answers."""
    with tempfile.TemporaryDirectory(prefix="faden-bench-") as folder:
        client, facts = _signed_in(url, folder)
        for line in sys.stdin:
            address = PAGES[line.strip()].format(**facts)
            taken = []
            for _ in range(TIMES // 5 + 1):
                began = time.perf_counter()
                answer = client.get(address, buffered=True)
                taken.append((time.perf_counter() - began) * 1000)
                if answer.status_code != 200:
                    raise SystemExit(f"bench: {address} answered {answer.status_code}")
            print(json.dumps(taken[1:]), flush=True)


def _signed_in(url: str, folder: str) -> tuple[Any, dict[str, Any]]:
    from app import create_app
    from sms import config, db, inbox, inbox_list
    from sms.models import Contact, User
    from sms.views import bubble

    environment = {
        "FADEN_DATA": folder,
        "FADEN_SECRET_KEY": "b" * 40,
        "PORT": "64000",
        "FADEN_DATABASE_URL": url,
    }
    app = create_app(config.load(environment))
    client = app.test_client()
    with db.database.connection_context():
        user = User.get_by_id(1)
        oldest = inbox.thread(inbox.open_conversation(user.account_id, 1))[0]
        facts = {
            "thread": 1,
            "before": bubble.seq(oldest),
            "cursor": inbox_list.rows(user, "all", limit=200).next_cursor,
            "number": Contact.get_by_id(777).number.lstrip("+"),
        }
    with client.session_transaction() as session:
        session["_user_id"], session["_fresh"] = user.get_id(), True
    return client, facts


if __name__ == "__main__":
    {"fill": _fill, "serve": _serve}[sys.argv[1]](*sys.argv[2:])
