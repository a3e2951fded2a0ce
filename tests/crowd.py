"""How crowded this machine is: limits of time mean a machine of one's own."""

import os

PATIENCE = 30
"""Seconds that a test waits for a state: they pass only where it does not come, so a slow machine is no failure."""
HEAD_ROOM = 3.0
"""So much longer than its target may anything take here; how well a target is met is what `make bench` measures."""


def crowd(head_room: float = HEAD_ROOM) -> float:
    """Return by how much a limit of time is stretched: the head room, and more where more programs want each core."""
    return max(head_room, 2 * os.getloadavg()[0] / (os.cpu_count() or 1))
