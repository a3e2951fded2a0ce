"""From the HTTP request to the carrier's answer, the whole embedded installation against a carrier that does nothing."""

import json
import time

from bench import client, floors, processes
from bench.carrier import carrier, seen
from bench.figures import Figure, quantile
from bench.installation import API_KEY, Installation

TEXTS, PEOPLE = 4000, 500
BATCHES, A_BATCH = 20, 1000
AT_RATE = 400

END_TO_END = (
    f"{TEXTS} POST /api/v1/messages over 16 connections to {PEOPLE} known people, SQLite and its queue as `make run` "
    "starts them, a carrier that does nothing in a process of its own (not counted); from the first request until "
    "every message is sent; processor time of supervisor, web and worker from /proc; floor: a Flask view with one insert"
)
PACED = f"the same at {AT_RATE} requests a second, what the installation must carry; closed loop: as fast as answers come"
BATCH = f"{BATCHES} POST /api/v1/messages/batch with {A_BATCH} messages each, one after the other, delivery running beside it"


def figures() -> list[Figure]:
    """Measure single messages and batches; raises SystemExit where one was lost or came twice."""
    bare = floors.bare_flask()
    with carrier() as origin, Installation(carrier=origin) as faden:
        faden.unlimited()
        sent = _warm_up(faden, origin)
        single, sent = _single(faden, origin, sent, bare)
        paced, sent = _paced(faden, origin, sent, bare)
        batch = _batch(faden, origin, sent)
    return [*single, *paced, *batch]


def _body(number: int, word: str = "Termin") -> dict[str, str]:
    return {
        "to": f"0049171{3920000 + number % PEOPLE:07d}",
        "text": f"Ihr {word} ist bestätigt, Nr. {number}.",
    }


def _post(faden: Installation, bodies: list[dict[str, str]], rate: float | None = None) -> client.Answers:
    answers = client.post_all(faden.port, "/api/v1/messages", bodies, key=API_KEY, rate=rate)
    if answers.statuses != {202: len(bodies)}:
        raise SystemExit(f"bench: not every message was accepted: {answers.statuses} {answers.last!r}")
    return answers


def _until_sent(faden: Installation, origin: str, texts: int, seconds: float = 240) -> None:
    """Wait until the carrier has so many texts in all and nothing is left to settle; fail where one is lost or doubled."""
    deadline = time.monotonic() + seconds
    while (came := seen(origin))["texts"] < texts or faden.unsettled():
        if time.monotonic() > deadline:
            raise SystemExit(f"bench: LOST MESSAGES: of {texts} accepted the carrier has {came['texts']}")
        time.sleep(0.05)
    if (came["texts"], came["distinct"]) != (texts, texts):
        raise SystemExit(
            f"bench: of {texts} texts {came['texts']} came, {came['distinct']} of them different"
        )


def _warm_up(faden: Installation, origin: str) -> int:
    before = seen(origin)["texts"]
    _post(faden, [_body(n, "erster Termin") for n in range(PEOPLE)])
    _until_sent(faden, origin, before + PEOPLE)
    return before + PEOPLE


def _single(faden: Installation, origin: str, sent: int, bare: floors.Bare) -> tuple[list[Figure], int]:
    pids = processes.family(faden.process.pid)
    used, began = processes.cpu_seconds(pids), time.perf_counter()
    answers = _post(faden, [_body(n) for n in range(TEXTS)])
    _until_sent(faden, origin, sent + TEXTS)
    seconds, used = time.perf_counter() - began, processes.cpu_seconds(pids) - used
    memory = processes.pss_megabytes(pids)
    p99 = quantile(answers.milliseconds, 0.99)
    return [
        Figure("CPU for 1,000 messages, end to end", used / TEXTS * 1000, 1.5, "s", floor=bare.cpu, how=END_TO_END),
        Figure("messages end to end", TEXTS / seconds, 400, "/s", True, bare.rate, END_TO_END),
        Figure("messages accepted meanwhile", TEXTS / answers.seconds, None, "/s", True, bare.rate, END_TO_END),
        Figure("memory of all processes (PSS)", memory, 200, "MB", how=END_TO_END),
        Figure("accept, 16 connections, closed loop, p99", p99, 50, "ms", floor=bare.p99, how=PACED),
    ], sent + TEXTS  # fmt: skip


def _paced(faden: Installation, origin: str, sent: int, bare: floors.Bare) -> tuple[list[Figure], int]:
    texts = AT_RATE * 6
    answers = _post(faden, [_body(n, "neuer Termin") for n in range(texts)], AT_RATE)
    _until_sent(faden, origin, sent + texts)
    p99 = quantile(answers.milliseconds, 0.99)
    name = f"accept, 16 connections, {AT_RATE} a second, p99"
    return [Figure(name, p99, 50, "ms", floor=bare.p99, how=PACED)], sent + texts


def _batch(faden: Installation, origin: str, sent: int) -> list[Figure]:
    bodies = [{"messages": [_body(n, f"Termin {batch}") for n in range(A_BATCH)]} for batch in range(BATCHES)]
    answers = client.post_all(faden.port, "/api/v1/messages/batch", bodies, key=API_KEY, connections=1)
    accepted = sum(1 for result in json.loads(answers.last)["results"] if "id" in result)
    if answers.statuses != {200: BATCHES} or accepted != A_BATCH:
        raise SystemExit(f"bench: not every batch was accepted: {answers.statuses}")
    _until_sent(faden, origin, sent + BATCHES * A_BATCH)
    rate = BATCHES * A_BATCH / answers.seconds
    return [Figure("messages accepted in batches", rate, 5000, "/s", True, how=BATCH)]
