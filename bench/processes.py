"""What processes cost, read from /proc (Linux): a process and all that it has started, however deep."""

import os
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


def family(root: int) -> list[int]:
    """Return a process and its descendants that live now."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found = [root]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found


def cpu_seconds(pids: list[int]) -> float:
    """Return the processor seconds that these have used so far, with those of their children that have ended."""
    return sum(_ticks(pid) for pid in pids) / TICK


def _ticks(pid: int) -> int:
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return sum(int(word) for word in words[11:15])


def pss_megabytes(pids: list[int]) -> float:
    """Return the memory of these, what they share counted once (proportional set size)."""
    total = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total / 1024


def named(root: int, name: str) -> list[int]:
    """Return those of the family that were started as this word (web, worker, sandbox)."""
    return [
        pid
        for pid in family(root)[1:]
        if name.encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    ]
