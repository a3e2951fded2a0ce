"""A child of the supervisor: runs one command and ends with its parent, even one that was killed."""

import os
import signal
import sys
import threading
import time

from sms import config

LAST_SECONDS = 9.0
"""After this a child that does not end by itself is ended."""
WITHOUT_PAGES = ("worker", "smpp")


def main() -> None:
    """Run the command of this process's arguments while standard input stays open."""
    threading.Thread(target=_end_with_parent, name="tether", daemon=True).start()
    words = sys.argv[1:]
    try:
        _leave_out_drivers(config.load())
        if words[0] in WITHOUT_PAGES:
            from sms import running

            running.alone(words)
            return
    except config.ConfigError as error:
        print(f"Error: {error}", file=sys.stderr)
        sys.exit(2)
    from flask.cli import main as flask

    sys.argv[1:1] = ["--app", "app"]
    flask()


def _leave_out_drivers(settings: config.Settings) -> None:
    """Have peewee and Huey find no driver of a database that this installation does not use: 17 MB a process.

    None in `sys.modules` is to an import what is not installed.
    """
    urls = (settings.database_url, settings.queue_url)
    for name, schemes in (("psycopg", ("postgresql://",)), ("redis", ("redis://", "rediss://"))):
        if not any(url.startswith(schemes) for url in urls):
            sys.modules[name] = None  # type: ignore[assignment]


def _end_with_parent() -> None:
    """The parent never writes; the pipe ends when it is gone."""
    while os.read(sys.stdin.fileno(), 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(LAST_SECONDS)
    os._exit(1)


if __name__ == "__main__":
    main()
