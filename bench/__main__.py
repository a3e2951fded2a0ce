"""`make bench`: prints one table, ratios first, and writes it to bench/results/."""

import json
import os
import platform
import random
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.installation import Installation
from bench.streams import Streams
from sms.gsm import segments

RESULTS = Path(__file__).parent / "results"
PAGES = 50


@dataclass(frozen=True)
class Figure:
    """One measured value beside what it should be; `ratio` above 1 is better than it has to be."""

    name: str
    measured: float
    target: float | None
    unit: str
    larger_is_better: bool = False

    @property
    def ratio(self) -> float | None:
        if self.target is None or not self.measured:
            return None
        return self.measured / self.target if self.larger_is_better else self.target / self.measured


def main() -> None:
    """Measure everything against an installation of our own."""
    figures = [_segments()]
    with Installation() as faden:
        figures += [
            Figure("first start, packages installed", faden.first_start, 60, "s"),
            Figure("next start", faden.next_start, 5, "s"),
            *_accept(faden),
            *_end_to_end(faden),
            *_pages(faden),
            *_live(faden),
        ]
    _print(figures)
    _keep(figures)


def _segments() -> Figure:
    rng = random.Random(7)  # noqa: S311 - texts to count, no secrets
    texts = ["".join(rng.choices("abcdefgh äöüß€{}🙂 .,", k=rng.randint(20, 700))) for _ in range(2000)]
    began = time.perf_counter()
    for text in texts:
        segments.count(text)
    return Figure(
        "texts counted (20 to 700 characters)", len(texts) / (time.perf_counter() - began), 2000, "/s", True
    )


def _timed(act: Callable[[int], object], times: int) -> list[float]:
    """Return the milliseconds of each call, sorted; the first few warm up and do not count."""
    for n in range(5):
        act(-1 - n)
    taken = []
    for n in range(times):
        began = time.perf_counter()
        act(n)
        taken.append((time.perf_counter() - began) * 1000)
    return sorted(taken)


def _quantile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def _send(faden: Installation, to: str, text: str) -> str:
    answer = faden.api.post(f"{faden.url}/api/v1/messages", json={"to": to, "text": text}, timeout=20)
    answer.raise_for_status()
    return str(answer.json()["id"])


def _accept(faden: Installation) -> list[Figure]:
    taken = _timed(lambda n: _send(faden, f"01713920{200 + n % 90}", f"Messung {n}"), 200)
    _calm(faden)
    return [
        Figure("message accepted by the API, median", statistics.median(taken), 50, "ms"),
        Figure("message accepted by the API, p99", _quantile(taken, 0.99), None, "ms"),
    ]


def _calm(faden: Installation) -> None:
    """Wait until nothing is queued any more."""
    deadline = time.monotonic() + 120
    query = f"{faden.url}/api/v1/messages?status=queued&limit=1"
    while faden.api.get(query, timeout=10).json()["items"]:
        if time.monotonic() > deadline:
            raise SystemExit("bench: the queue does not empty")
        time.sleep(0.1)


def _end_to_end(faden: Installation) -> list[Figure]:
    number, taken = "00491713920255", []
    for n in range(40):
        word = f"Ende zu Ende {n}."
        began = time.perf_counter()
        _send(faden, number, word)
        while not any(m["body"] == word for m in _phone(faden, number)):
            if time.perf_counter() - began > 20:
                raise SystemExit("bench: a text does not arrive")
            time.sleep(0.01)
        taken.append(time.perf_counter() - began)
    return [
        Figure("API to the phone, median", statistics.median(taken), 1, "s"),
        Figure("API to the phone, p99", _quantile(taken, 0.99), None, "s"),
    ]


def _phone(faden: Installation, number: str) -> list[dict[str, str]]:
    return faden.api.get(f"{faden.sandbox}/api/phones/{number}", timeout=10).json()["messages"]  # type: ignore[no-any-return]


def _pages(faden: Installation) -> list[Figure]:
    browser = faden.browser()
    thread = _a_conversation(faden, browse=True)
    inbox = _timed(lambda n: browser.get(f"{faden.url}/?view=all", timeout=10), 60)
    one = _timed(lambda n: browser.get(f"{faden.url}/conversations/{thread}", timeout=10), 60)
    return [
        Figure("inbox page, median", statistics.median(inbox), 100, "ms"),
        Figure("thread page, median", statistics.median(one), 100, "ms"),
    ]


def _a_conversation(faden: Installation, browse: bool = False) -> int:
    items = faden.api.get(f"{faden.url}/api/v1/conversations?limit=200", timeout=10).json()["items"]
    named = (
        [c for c in items if c["name"]] if browse else [c for c in items if c["number"] == "00491713920255"]
    )
    return int(named[0]["id"])


def _live(faden: Installation) -> list[Figure]:
    browser = faden.browser()
    cookie = "; ".join(f"{c.name}={c.value}" for c in browser.cookies)
    streams = Streams(faden.port, cookie, _a_conversation(faden), PAGES).start()
    time.sleep(1)
    idle = _idle_cpu(faden)
    waits = []
    for n in range(30):
        word = f"Live {n:03d}"
        streams.expect(word.encode())
        _send(faden, "00491713920255", word)
        committed = time.perf_counter()
        deadline = committed + 10
        while len(streams.seen[word.encode()]) < PAGES and time.perf_counter() < deadline:
            time.sleep(0.005)
        waits += [(moment - committed) * 1000 for moment in streams.seen[word.encode()]]
        waits += [10_000.0] * (PAGES - len(streams.seen[word.encode()]))
        time.sleep(0.3)
    streams.stop()
    return [
        Figure(f"change on {PAGES} open pages, p99", max(_quantile(waits, 0.99), 0.1), 300, "ms"),
        Figure(f"change on {PAGES} open pages, median", max(statistics.median(waits), 0.1), None, "ms"),
        Figure(f"web with {PAGES} idle pages, of one core", idle * 100, 5, "%"),
    ]


def _idle_cpu(faden: Installation, seconds: float = 10) -> float:
    before = faden.cpu_seconds("web")
    time.sleep(seconds)
    return (faden.cpu_seconds("web") - before) / seconds


def _print(figures: list[Figure]) -> None:
    print(f"\n{'ratio':>7}  {'measured':>12}  {'target':>10}  what")
    for figure in figures:
        ratio = "" if figure.ratio is None else f"{figure.ratio:.1f}x"
        target = "" if figure.target is None else f"{figure.target:g} {figure.unit}"
        print(f"{ratio:>7}  {figure.measured:>9.3g} {figure.unit:<2}  {target:>10}  {figure.name}")
    print("\nratio: how many times better than it has to be")


def _keep(figures: list[Figure]) -> None:
    RESULTS.mkdir(parents=True, exist_ok=True)
    moment = datetime.now(UTC)
    kept = {
        "at": moment.isoformat(timespec="seconds"),
        "machine": {"cores": os.cpu_count(), "load": os.getloadavg()[0], "python": platform.python_version()},
        "figures": [{"ratio": figure.ratio, **asdict(figure)} for figure in figures],
    }
    path = RESULTS / f"{moment:%Y-%m-%d-%H%M%S}.json"
    path.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", "utf-8")
    print(f"written to {path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path}")


if __name__ == "__main__":
    main()
