"""`python -m sms`: what `make run` starts. Ctrl-C ends it silently even while it is still reading its own files."""

import signal
import sys

signal.signal(signal.SIGINT, signal.SIG_DFL)


def main() -> None:
    """Hand over to the supervisor, which takes its time to import."""
    from sms.supervisor import main as supervise

    sys.exit(supervise())


main()
