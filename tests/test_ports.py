"""A port that a test starts its server on is nobody else's."""

import fcntl
import socket

import pytest

from tests import ports


def test_no_port_is_given_twice_and_each_is_free():
    found = [ports.free_port(2) for _ in range(50)]
    both = {port + n for port in found for n in (0, 1)}
    assert len(both) == 100
    for port in both:
        with socket.socket() as server:
            server.bind(("127.0.0.1", port))


def test_what_another_process_has_taken_or_listens_on_is_passed_over(monkeypatch: pytest.MonkeyPatch):
    locked, heard, free = (ports.free_port() for _ in range(3))
    for port in (locked, heard, free):
        ports._locks.pop(port).close()
    offered = iter([locked, heard, free])
    monkeypatch.setattr(ports._random, "randrange", lambda *_: next(offered))
    with socket.create_server(("127.0.0.1", heard)), (ports.LOCKS / str(locked)).open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert ports.free_port() == free
