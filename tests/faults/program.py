"""Faden's web process and worker, each of which kills itself where the plan says, and is started again.

Run as a program with the plan as JSON: {"web": [[place, times], ...], "worker": [...]}. A place is `module:function@when`;
a process dies by SIGKILL at the first of the places that it has come to so many times, and its successor is armed with
the rest. `when` is `start` or `end` of the function, `wire` (the carrier has the request, its answer was not read),
`before-commit` or `after-commit` of a transaction that the function ends. Each death is told on standard output.
Everything is imported once; a process is a fork of that and begins within some hundredths of a second.
"""

import contextvars
import gc
import importlib
import json
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

_armed: dict[str, int] = {}
_will = -1
"""Where a process that dies writes down at which place."""
_dying = threading.Lock()
_doing: contextvars.ContextVar[str] = contextvars.ContextVar("doing", default="")


def come_to(when: str) -> None:
    """Note that the function which runs has come this far; die where the plan says so."""
    place = f"{_doing.get()}@{when}"
    if place not in _armed:
        return
    _armed[place] -= 1
    if _armed[place] == 0:
        _dying.acquire()  # of two threads one dies first, and alone
        os.write(_will, place.encode())
        os.kill(os.getpid(), signal.SIGKILL)


def watch(place: str) -> None:
    """Let a function, named as in the plan, tell how far it has come."""
    module, name = place.split(":")
    owner = importlib.import_module(module)
    real = getattr(owner, name)

    def watched(*args: Any, **kwargs: Any) -> Any:
        token = _doing.set(place)
        try:
            come_to("start")
            value = real(*args, **kwargs)
            come_to("end")
            return value
        finally:
            _doing.reset(token)

    setattr(owner, name, watched)


def watch_around(owner: Any, name: str, before: str, after: str = "") -> None:
    """Let a method tell when it begins and ends, whatever function it is called from."""
    real = getattr(owner, name)

    def watched(self: Any, *args: Any, **kwargs: Any) -> Any:
        come_to(before)
        value = real(self, *args, **kwargs)
        come_to(after)
        return value

    setattr(owner, name, watched)


def arm(plan: list[tuple[str, int]], will: int) -> None:
    """Die at any of these places; called in the process that is to die."""
    global _will
    from sms.db import database

    _will = will
    for place, times in plan:
        _armed.setdefault(place, times)
    for function in {place.split("@")[0] for place in _armed}:
        watch(function)
    watch_around(HTTPResponse, "begin", "wire")
    watch_around(type(database.obj), "commit", "before-commit", "after-commit")


class Role:
    """One program, its process of the moment, and where its processes are still to die."""

    def __init__(self, name: str, work: Callable[[], None], plan: list[tuple[str, int]]):
        self.name, self.work, self.plan = name, work, plan
        self.pid = 0
        self.read, self.will = os.pipe()

    def start(self) -> None:
        self.pid = os.fork()
        if self.pid == 0:
            try:
                self._run()
            finally:
                os._exit(3)

    def _run(self) -> None:
        from sms import config, db, exchange, queue

        settings = config.load()
        log = os.open(settings.data / f"{self.name}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        for stream in (1, 2):
            os.dup2(log, stream)
        db.connect(settings.database_url)
        queue.connect(settings.queue_url, settings.data)
        exchange.connect(settings)
        if self.plan:
            arm(self.plan, self.will)
        threading.Thread(target=follow_clock, args=(settings.data / "clock",), daemon=True).start()
        self.work()
        os._exit(0)

    def died(self, status: int) -> None:
        """Tell how it ended; what was to be killed is started again."""
        if not os.WIFSIGNALED(status) or not self.plan:
            tell("ended", self.name, os.waitstatus_to_exitcode(status))
            self.pid = 0
            return
        place = os.read(self.read, 1000).decode()
        self.plan.remove(next(death for death in self.plan if death[0] == place))
        tell("died", self.name, place)
        self.start()


def follow_clock(file: Path) -> None:
    """Keep this process's clock as far ahead as the test has written."""
    from sms import clock

    while True:
        if file.exists():
            clock._shift = timedelta(seconds=float(file.read_text() or 0))
        time.sleep(0.02)


def tell(*words: object) -> None:
    """Tell the test in one line."""
    os.write(1, (json.dumps(words) + "\n").encode())


def main() -> None:
    """Run both programs until standard input ends."""
    from app import create_app
    from sms import config, queue, server, tally, worker
    from sms.logbook import open_logbook
    from sms.tasks import sweeps  # noqa: F401 - imported here, not in every process
    from sms.views.live_stream import events

    settings = config.load()
    application = create_app(settings)
    assert queue._huey is not None
    queue._huey.storage.close()
    worker.TICK_SECONDS = 0.1
    # The test lets time run a hundred times faster, and a transaction takes as long as ever.
    tally.SETTLED = timedelta(minutes=15)
    open_logbook()

    def work() -> None:
        assert queue._huey is not None
        worker.work(queue._huey)

    def serve() -> None:
        server.serve(application, settings.host, settings.port, {"/events": events})

    gc.collect()
    gc.freeze()  # what all processes share is not copied by looking for garbage in it
    plan = json.loads(sys.argv[1])
    roles = [Role("web", serve, plan["web"]), Role("worker", work, plan["worker"])]
    for role in roles:
        role.start()
    tell("started")
    while not select.select([0], [], [], 0.01)[0]:
        look_after(roles)
    for role in roles:
        if role.pid:
            role.plan.clear()
            os.kill(role.pid, signal.SIGTERM)
    while any(role.pid for role in roles):
        look_after(roles)
        time.sleep(0.01)


def look_after(roles: list[Role]) -> None:
    """Start again what has died."""
    pid, status = os.waitpid(-1, os.WNOHANG) if any(role.pid for role in roles) else (0, 0)
    for role in roles:
        if pid and role.pid == pid:
            role.died(status)


if __name__ == "__main__":
    main()
