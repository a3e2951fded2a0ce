"""Ports for servers that are started in a moment: nobody else takes them before.

A port that the system hands out is given back before its server listens, and a connection that leaves this machine may
get it meanwhile. These lie below those that the system hands out, and a lock keeps each for one test process.
"""

import fcntl
import os
import random
import socket
import tempfile
from pathlib import Path
from typing import TextIO

FIRST, LAST = 12_000, 31_999
"""Linux hands out ports from 32,768 on."""
LOCKS = Path(tempfile.gettempdir()) / f"faden-test-ports-{os.getuid()}"

_random = random.SystemRandom()
_locks: dict[int, TextIO] = {}


def free_port(together: int = 1) -> int:
    """Return a port on loopback that is free together with so many - 1 after it; theirs is this process until it ends."""
    LOCKS.mkdir(exist_ok=True)
    for _ in range(1000):
        port = _random.randrange(FIRST, LAST - together)
        wanted = range(port, port + together)
        if all(_take(each) for each in wanted):
            return port
    raise RuntimeError("no port is free")


def _take(port: int) -> bool:
    """Lock a port where no other test process has it and nobody listens."""
    if port in _locks:
        return False
    lock = (LOCKS / str(port)).open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
    except OSError:
        lock.close()
        return False
    _locks[port] = lock
    return True
