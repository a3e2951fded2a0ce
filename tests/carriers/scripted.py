"""A carrier that follows a script: a socket on loopback that answers byte for byte what a test says."""

import json
import socket
import threading
import time
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

CUT = b""
"""Take the request, then close without a word."""
SILENCE = None
"""Take the request and say nothing."""


@dataclass(frozen=True)
class Drip:
    """Send these bytes one after the other, this many seconds apart."""

    answer: bytes
    pause: float
    at_once: bytes = b""
    """What comes before them without a pause."""


Answer = bytes | Drip | None


@dataclass(frozen=True)
class Seen:
    """A request as it came."""

    method: str
    path: str
    query: list[tuple[str, str]]
    form: list[tuple[str, str]]
    headers: dict[str, str]


@dataclass
class Scripted:
    """Answers every request with `answer`, or with the next of `answers` while there are some."""

    answer: Answer = b""
    answers: list[Answer] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._stopped = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        try:
            # Closing alone leaves the port open for as long as accept() waits.
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._listener.close()
        self._thread.join(5)

    def reply_to(self, request: Seen) -> Answer:
        return self.answers.pop(0) if self.answers else self.answer

    def _accept(self) -> None:
        while not self._stopped.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            request = _read(connection)
            if request is None:
                return
            self.seen.append(request)
            answer = self.reply_to(request)
            try:
                self._send(connection, answer)
            except OSError:
                pass

    def _send(self, connection: socket.socket, answer: Answer) -> None:
        if answer is SILENCE:
            self._stopped.wait(5)
        elif isinstance(answer, Drip):
            connection.sendall(answer.at_once)
            for position in range(len(answer.answer)):
                connection.sendall(answer.answer[position : position + 1])
                time.sleep(answer.pause)
        else:
            connection.sendall(answer)


def http(status: int, body: object, *headers: str) -> bytes:
    """A raw HTTP answer: a str goes out as it is, anything else as JSON."""
    content = (body if isinstance(body, str) else json.dumps(body)).encode()
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(content)}", "Connection: close", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


def twilio_error(status: int, code: int, message: str = "", *headers: str) -> bytes:
    """An error as Twilio writes it."""
    body = {"code": code, "message": message, "more_info": f"https://x/{code}", "status": status}
    return http(status, body, *headers)


def _read(connection: socket.socket) -> Seen | None:
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65536)
        if not part:
            return None
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    while len(body) < int(headers.get("content-length", 0)):
        body += connection.recv(65536)
    method, target, _ = first.split(" ")
    parts = urlsplit(target)
    return Seen(method, parts.path, parse_qsl(parts.query), parse_qsl(body.decode()), headers)
