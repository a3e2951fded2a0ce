"""What goes into the logs: one line an event, never a full telephone number, never a token.

Every line of one request or job carries one id, the trace. A message keeps the trace of the request that brought it,
and the worker takes it up again, so that one id leads from the HTTP request to the carrier's answer.
"""

import json
import logging
import re
import secrets
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

NUMBER = re.compile(r"(?<![\w.])(\+|00)?\d{5,}(\d{2})(?![\w.])")
FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
LONGEST_SEGMENT = 17
"""A longer path segment is a token or an upload's name; a log needs neither."""
TRACE = re.compile(r"[\w.-]{6,36}", re.ASCII)
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)

_trace: ContextVar[str] = ContextVar("trace", default="")


def trace() -> str:
    """Return the id that the log lines of this request or job share; "" outside of both."""
    return _trace.get()


@contextmanager
def tracing(trace_id: str = "") -> Iterator[str]:
    """Give the block's log lines this id ("": one is made up) and yield it; afterwards the former one is back."""
    chosen = trace_id or secrets.token_hex(8)
    token = _trace.set(chosen)
    try:
        yield chosen
    finally:
        _trace.reset(token)


def adopt(trace_id: str) -> None:
    """Go on under the id of what this request turned out to be about ("": stay), until its block of `tracing` ends."""
    if trace_id and trace():
        _trace.set(trace_id)


def sane_trace(offered: str) -> str:
    """Return the id that a client offers, "" where it is none to write into every line or holds a number."""
    sane = UUID.fullmatch(offered) or (TRACE.fullmatch(offered) and mask_numbers(offered) == offered)
    return offered if sane else ""


class Traced:
    """A WSGI application whose every request has a trace: the client's X-Request-ID or one of ours, and it is answered."""

    def __init__(self, wsgi: Callable[..., Iterable[bytes]]):
        self.wsgi = wsgi

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        with tracing(sane_trace(environ.get("HTTP_X_REQUEST_ID", "")) or trace()):

            def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
                return start_response(status, [*headers, ("X-Request-ID", trace())], *more)

            return self.wsgi(environ, start)


class Discreet(logging.Formatter):
    """Formats a record, traceback included, with every telephone number cut to its last two digits."""

    def format(self, record: logging.LogRecord) -> str:
        first, newline, rest = mask_numbers(super().format(record)).partition("\n")
        return f"{first} [{chosen}]{newline}{rest}" if (chosen := trace()) else first + newline + rest


class Structured(logging.Formatter):
    """Formats a record as one line of JSON, as discreet as the text."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": mask_numbers(record.getMessage()),
        }
        if chosen := trace():
            line["trace"] = chosen
        if record.exc_info:
            line["error"] = mask_numbers(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False)


def mask_numbers(text: str) -> str:
    """Return the text with all but the last two digits of every run of seven and more digits hidden."""
    return NUMBER.sub(lambda found: f"…{found[2]}", text)


def loggable_path(path: str) -> str:
    """Return a URL's path without what could open a door: long segments are cut."""
    return "/".join(s if len(s) <= LONGEST_SEGMENT else f"{s[:4]}…" for s in path.split("/"))


def open_logbook(form: str = "text", level: int = logging.INFO) -> None:
    """Send this process's log to standard error as `text` or `json`; a second call changes nothing."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Structured() if form == "json" else Discreet(FORMAT))
    logging.basicConfig(level=level, handlers=[handler])
    logging.captureWarnings(True)
    # Nobody asks a line where in the source, in which thread and process it was written: a third of its cost.
    logging._srcfile = None  # type: ignore[attr-defined]
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    for noisy in ("huey", "urllib3", "twilio.http_client", "_granian", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
