"""A worker against a carrier that takes its time: how full its window stays."""

import json
import subprocess
import sys
from pathlib import Path

from bench.figures import Figure

ROOT = Path(__file__).parent.parent
TEXTS, LATENCY, WINDOW = 3000, 0.05, 20
HOW = (
    f"one pump in a process of its own, {TEXTS} texts that wait, a carrier (websms' protocol) that answers each after "
    f"{LATENCY * 1000:g} ms; {WINDOW} at once are allowed; floor: window / latency, which nothing can exceed"
)
SCRIPT = "import json, sys; from bench.moving import moving; m = moving({}, {}); print(json.dumps([m.rate, m.cpu_ms]))"


def figures() -> list[Figure]:
    """Measure one slow carrier and one that answers at once; raises SystemExit where a text was lost or came twice."""
    slow, _ = _moved(TEXTS, LATENCY)
    quick, cost = _moved(TEXTS, 0.0)
    most = WINDOW / LATENCY
    return [
        Figure(f"worker, carrier answers in {LATENCY * 1000:g} ms", slow, 0.9 * most, "/s", True, most, HOW),
        Figure("worker, carrier answers at once", quick, None, "/s", True, how=HOW),
        Figure("CPU of 1,000 texts from claim to outcome", cost, None, "s", how=HOW),
    ]


def _moved(texts: int, latency: float) -> list[float]:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(texts, latency)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"bench: {done.stderr.strip().splitlines()[-1]}")
    return json.loads(done.stdout.splitlines()[-1])  # type: ignore[no-any-return]
