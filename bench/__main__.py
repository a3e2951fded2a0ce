"""`make bench`: prints one table, ratios first, and writes it to bench/results/. `make bench ONLY="live scale"` runs parts."""

import sys
import time
from collections.abc import Callable
from pathlib import Path

from bench import felt, inserting, live, scale, surveys, throughput, window
from bench.figures import Figure, keep, table

PARTS: dict[str, Callable[[], list[Figure]]] = {
    "felt": felt.figures,
    "throughput": throughput.figures,
    "inserting": inserting.figures,
    "window": window.figures,
    "live": live.figures,
    "scale": scale.figures,
    "surveys": surveys.figures,
}


def main(wanted: list[str]) -> None:
    """Measure these parts (none: all), each against installations and databases of its own."""
    if unknown := [name for name in wanted if name not in PARTS]:
        raise SystemExit(f"bench: no part is called {', '.join(unknown)}; there are {', '.join(PARTS)}")
    parts = [name for name in PARTS if name in wanted] or list(PARTS)
    figures: list[Figure] = []
    for name in parts:
        began = time.perf_counter()
        print(f"bench: {name} ...", flush=True)
        figures += PARTS[name]()
        print(f"bench: {name} took {time.perf_counter() - began:.0f} s", flush=True)
    print(f"\n{table(figures)}")
    path = keep(figures, parts)
    print(f"written to {path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path}")


if __name__ == "__main__":
    main(" ".join(sys.argv[1:]).split())
