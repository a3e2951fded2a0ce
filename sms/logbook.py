"""What goes into the logs: one line an event, never a full telephone number, never a token."""

import logging
import re
import sys

NUMBER = re.compile(r"(?<![\w.])(\+|00)?\d{5,}(\d{2})(?![\w.])")
FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
LONGEST_SEGMENT = 20
"""A longer path segment is a token or an upload's name; a log needs neither."""


class Discreet(logging.Formatter):
    """Formats a record, traceback included, with every telephone number cut to its last two digits."""

    def format(self, record: logging.LogRecord) -> str:
        return mask_numbers(super().format(record))


def mask_numbers(text: str) -> str:
    """Return the text with all but the last two digits of every run of seven and more digits hidden."""
    return NUMBER.sub(lambda found: f"…{found[2]}", text)


def loggable_path(path: str) -> str:
    """Return a URL's path without what could open a door: long segments are cut."""
    return "/".join(s if len(s) <= LONGEST_SEGMENT else f"{s[:4]}…" for s in path.split("/"))


def open_logbook(level: int = logging.INFO) -> None:
    """Send this process's log to standard error; a second call changes nothing."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Discreet(FORMAT))
    logging.basicConfig(level=level, handlers=[handler])
    logging.captureWarnings(True)
    for noisy in ("huey", "urllib3", "twilio.http_client", "_granian", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
