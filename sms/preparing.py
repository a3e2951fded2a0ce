"""What happens once before the processes start: carriers and ports checked, tables made, the demo's people there.

It is done in a process of its own, which gives back all the memory it took: the supervisor lives as long as the
installation and needs none of it.
"""

import json
import os
import signal
import sys
import traceback
from typing import NamedTuple

from sms.config import ConfigError, Settings


class Prepared(NamedTuple):
    """What the supervisor has to know: the commands to run, how to sign in, and whether the demo is still to be played."""

    commands: list[str]
    sign_in: list[str]
    demo_missing: bool


def prepare_apart(settings: Settings) -> Prepared:
    """Prepare in a process of its own; raises ConfigError with what is wrong there, SystemExit where it fails."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _tell(settings, writing)
    os.close(writing)
    for signum in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, lambda number, frame: _give_up(child, number))
    with os.fdopen(reading) as pipe:
        told = json.loads(pipe.read() or "{}")
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if "refused" in told:
        raise ConfigError(told["refused"])
    if status or not told:
        raise SystemExit(1 if status >= 0 else 128 - status)
    return Prepared(**told)


def _give_up(child: int, signum: int) -> None:
    """End as whoever is told to, and leave nobody behind."""
    os.kill(child, signal.SIGKILL)
    raise SystemExit(128 + signum)


def _tell(settings: Settings, pipe: int) -> None:
    """Prepare and write the result; never returns, so that nothing of the parent's is done twice."""
    status = 1
    try:
        with os.fdopen(pipe, "w") as out:
            try:
                json.dump(prepare(settings)._asdict(), out)
            except ConfigError as error:
                json.dump({"refused": str(error)}, out)
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def prepare(settings: Settings) -> Prepared:
    """Check the carriers, bring the tables to this release, and make the demo's people; raises ConfigError."""
    from sms import accounts, db, exchange, migrate
    from sms.demo import people

    carriers = {} if settings.sandbox else exchange.connect(settings).carriers
    db.connect(settings.database_url)
    accounts.use_secret(settings.secret_key)
    migrate.up()
    sign_in = people.prepare(settings)
    missing = settings.sandbox and not people.conversations_are_there(settings)
    db.database.close_all()
    links = [f"smpp {name}" for name, carrier in carriers.items() if carrier.own_process]
    # With real carriers there is no sandbox, but one process for each link that has to be kept.
    return Prepared(
        ["web", "worker", *(["sandbox"] if settings.sandbox else links)], sign_in.lines(), missing
    )
