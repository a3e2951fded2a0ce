"""A child of the supervisor: runs one `flask` command and ends with its parent, even one that was killed."""

import os
import signal
import sys
import threading
import time

LAST_SECONDS = 9.0
"""After this a child that does not end by itself is ended."""


def main() -> None:
    """Run `flask --app app` with this process's arguments while standard input stays open."""
    threading.Thread(target=_end_with_parent, name="tether", daemon=True).start()
    from flask.cli import main as flask

    sys.argv[1:1] = ["--app", "app"]
    flask()


def _end_with_parent() -> None:
    """The parent never writes; the pipe ends when it is gone."""
    while os.read(sys.stdin.fileno(), 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(LAST_SECONDS)
    os._exit(1)


if __name__ == "__main__":
    main()
