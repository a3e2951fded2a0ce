"""How crowded this machine is: limits of time mean a machine of one's own."""

import os


def crowd() -> float:
    """Return how many programs want each core: where others work as well, everything takes so much longer."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
