"""What was measured, beside what it should be and beside the floor: what the machine could do without us."""

import json
import os
import platform
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Figure:
    """One measured value; `ratio` above 1 is better than it has to be. `how` says in a sentence what was done."""

    name: str
    measured: float
    target: float | None
    unit: str
    larger_is_better: bool = False
    floor: float | None = None
    how: str = ""

    @property
    def ratio(self) -> float | None:
        if self.target is None or not self.measured:
            return None
        return self.measured / self.target if self.larger_is_better else self.target / self.measured


def quantile(values: Iterable[float], share: float) -> float:
    """Return the value below which a share of the values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def table(figures: list[Figure]) -> str:
    """Return the table, ratios first, and below it how each figure was measured."""
    lines = [f"{'ratio':>7}  {'measured':>13}  {'target':>11}  {'floor':>9}  what"]
    notes: list[str] = []
    for figure in figures:
        ratio = "" if figure.ratio is None else f"{figure.ratio:.1f}x"
        target = "" if figure.target is None else f"{figure.target:g} {figure.unit}"
        floor = "" if figure.floor is None else f"{figure.floor:.3g}"
        if figure.how and figure.how not in notes:
            notes.append(figure.how)
        mark = f" [{notes.index(figure.how) + 1}]" if figure.how else ""
        value = f"{figure.measured:.3g}" if figure.measured < 100 else f"{figure.measured:,.0f}"
        lines.append(
            f"{ratio:>7}  {value:>8} {figure.unit:<4}  {target:>11}  {floor:>9}  {figure.name}{mark}"
        )
    lines += ["", "ratio: how many times better than it has to be (below 1.0: not reached)"]
    lines += ["floor: what this machine does without Faden, measured in the same run", ""]
    return "\n".join([*lines, *(f"[{n}] {note}" for n, note in enumerate(notes, 1))])


def keep(figures: list[Figure], parts: list[str]) -> Path:
    """Write the run to bench/results/ as JSON and as the table; returns the JSON's path."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    moment = datetime.now(UTC)
    machine = {
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
    }
    kept = {
        "at": moment.isoformat(timespec="seconds"),
        "parts": parts,
        "machine": machine,
        "figures": [{"ratio": figure.ratio, **asdict(figure)} for figure in figures],
    }
    path = RESULTS / f"{moment:%Y-%m-%d-%H%M%S}.json"
    path.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", "utf-8")
    head = f"{kept['at']}, {machine['cores']} cores, load {machine['load']}, Python {machine['python']}"
    path.with_suffix(".txt").write_text(f"{head}\n\n{table(figures)}\n", "utf-8")
    return path
