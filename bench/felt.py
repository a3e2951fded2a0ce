"""The demo as its users feel it: how soon it starts, answers, delivers, and shows a page."""

import random
import statistics
import time
from collections.abc import Callable

from bench.figures import Figure, quantile
from bench.installation import Installation
from sms.gsm import segments

PHONE = "00491713920255"
HOW = "the demo installation with its sandbox, asked one thing after another"


def figures() -> list[Figure]:
    """Measure a demo installation of its own."""
    with Installation() as faden:
        return [
            _segments(),
            Figure("first start, packages installed", faden.first_start, 60, "s", how=HOW),
            Figure("next start", faden.start_again(), 5, "s", how=HOW),
            *_accept(faden),
            *_to_the_phone(faden),
            *_pages(faden),
        ]


def _segments() -> Figure:
    rng = random.Random(7)  # noqa: S311 - texts to count, no secrets
    texts = ["".join(rng.choices("abcdefgh äöüß€{}🙂 .,", k=rng.randint(20, 700))) for _ in range(2000)]
    began = time.perf_counter()
    for text in texts:
        segments.count(text)
    rate = len(texts) / (time.perf_counter() - began)
    return Figure("texts counted (20 to 700 characters)", rate, 2000, "/s", True)


def _timed(act: Callable[[int], object], times: int) -> list[float]:
    """Return the milliseconds of each call; the first few warm up and do not count."""
    for n in range(5):
        act(-1 - n)
    taken = []
    for n in range(times):
        began = time.perf_counter()
        act(n)
        taken.append((time.perf_counter() - began) * 1000)
    return taken


def _send(faden: Installation, to: str, text: str) -> None:
    answer = faden.api.post(f"{faden.url}/api/v1/messages", json={"to": to, "text": text}, timeout=20)
    answer.raise_for_status()


def _accept(faden: Installation) -> list[Figure]:
    taken = _timed(lambda n: _send(faden, f"01713920{200 + n % 90}", f"Messung {n}"), 200)
    deadline = time.monotonic() + 120
    while faden.unsettled():
        if time.monotonic() > deadline:
            raise SystemExit("bench: LOST MESSAGES: the queue does not empty")
        time.sleep(0.1)
    return [Figure("message accepted by the API, median", statistics.median(taken), 50, "ms", how=HOW)]


def _to_the_phone(faden: Installation) -> list[Figure]:
    taken = []
    for n in range(40):
        word = f"Ende zu Ende {n}."
        began = time.perf_counter()
        _send(faden, PHONE, word)
        while word not in _texts(faden):
            if time.perf_counter() - began > 20:
                raise SystemExit("bench: LOST MESSAGE: a text does not arrive")
            time.sleep(0.01)
        taken.append(time.perf_counter() - began)
    return [
        Figure("API to the phone, median", statistics.median(taken), 1, "s", how=HOW),
        Figure("API to the phone, p99", quantile(taken, 0.99), None, "s", how=HOW),
    ]


def _texts(faden: Installation) -> list[str]:
    phone = faden.api.get(f"{faden.sandbox}/api/phones/{PHONE}", timeout=10).json()
    return [message["body"] for message in phone["messages"]]


def _pages(faden: Installation) -> list[Figure]:
    browser = faden.browser()
    items = faden.api.get(f"{faden.url}/api/v1/conversations?limit=200", timeout=10).json()["items"]
    thread = next(item["id"] for item in items if item["name"])
    inbox = _timed(lambda n: browser.get(f"{faden.url}/?view=all", timeout=10), 60)
    one = _timed(lambda n: browser.get(f"{faden.url}/conversations/{thread}", timeout=10), 60)
    return [
        Figure("inbox page, median", statistics.median(inbox), 100, "ms", how=HOW),
        Figure("thread page, median", statistics.median(one), 100, "ms", how=HOW),
    ]
