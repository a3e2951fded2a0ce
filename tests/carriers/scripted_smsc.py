"""A message centre that follows a script, octet by octet: written with struct alone, so that it checks our codec."""

import socket
import ssl
import struct
import threading
import time
from dataclasses import dataclass, field

from tests.crowd import PATIENCE

CUT = b""
"""Take the request, then close without a word."""
SILENCE = None
"""Take the request and say nothing."""

GENERIC_NACK, SUBMIT, DELIVER, UNBIND, BIND, ENQUIRE = 0x80000000, 0x04, 0x05, 0x06, 0x09, 0x15

Answer = int | bytes | str | None
"""A command_status, raw octets to send instead of an answer, an id to take the message under, or one of the above."""


@dataclass(frozen=True)
class Seen:
    """A PDU as it came."""

    command: int
    status: int
    sequence: int
    body: bytes


def pdu(command: int, sequence: int, status: int = 0, body: bytes = b"") -> bytes:
    """A PDU as it goes over the wire."""
    return struct.pack(">LLLL", 16 + len(body), command, status, sequence) + body


def tlv(tag: int, value: bytes) -> bytes:
    """An optional parameter."""
    return struct.pack(">HH", tag, len(value)) + value


def message(
    text: bytes,
    *optional: bytes,
    source: tuple[int, int, bytes] = (1, 1, b"4917139200540"),
    to: tuple[int, int, bytes] = (1, 1, b"4917139200100"),
    esm_class: int = 0,
    coding: int = 0,
) -> bytes:
    """The body of a deliver_sm."""
    addresses = b"".join(bytes((ton, npi)) + value + b"\0" for ton, npi, value in (source, to))
    flags = bytes((esm_class, 0, 0)) + b"\0\0" + bytes((0, 0, coding, 0))
    return b"\0" + addresses + flags + bytes((len(text),)) + text + b"".join(optional)


@dataclass
class ScriptedSmsc:
    """Answers each submit with `answer`, or with the next of `answers` while there are some."""

    answer: Answer = "id-1"
    answers: list[Answer] = field(default_factory=list)
    bind: Answer = 0
    enquire: Answer = 0
    seen: list[Seen] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._links: list[socket.socket] = []
        self._tls: ssl.SSLContext | None = None
        self._sequence = 1000
        self._news = threading.Condition()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def wrap(self, context: ssl.SSLContext) -> None:
        """Speak TLS from now on."""
        self._tls = context

    def stop(self) -> None:
        """Close everything."""
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._listener.close()
        self.cut()
        self._thread.join(5)

    def cut(self) -> None:
        """Close every connection."""
        for link in self._links:
            try:
                link.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def send(self, data: bytes) -> None:
        """Send octets over the newest connection."""
        self._links[-1].sendall(data)

    def deliver(self, body: bytes, seconds: float = PATIENCE) -> int:
        """Send a deliver_sm and return the status it is answered with."""
        self._sequence += 1
        self.send(pdu(DELIVER, self._sequence, 0, body))
        return self.wait(DELIVER | 0x80000000, self._sequence, seconds).status

    def of(self, command: int) -> list[Seen]:
        """All PDUs of a kind that have come."""
        return [seen for seen in self.seen if seen.command == command]

    def wait(self, command: int, sequence: int | None = None, seconds: float = PATIENCE) -> Seen:
        """Wait for a PDU of a kind (and number) and return it."""
        end = time.monotonic() + seconds
        with self._news:
            while True:
                hits = [s for s in self.of(command) if sequence in (None, s.sequence)]
                if hits:
                    return hits[-1]
                assert self._news.wait(end - time.monotonic()), f"no {command:#x} came"

    def _accept(self) -> None:
        while True:
            try:
                link, _ = self._listener.accept()
                link = self._tls.wrap_socket(link, server_side=True) if self._tls else link
            except ssl.SSLError:
                continue
            except OSError:
                return
            self._links.append(link)
            threading.Thread(target=self._serve, args=(link,), daemon=True).start()

    def _serve(self, link: socket.socket) -> None:
        with link, link.makefile("rb") as stream:
            while len(head := self._octets(stream, 16)) == 16:
                length, command, status, sequence = struct.unpack(">LLLL", head)
                seen = Seen(command, status, sequence, self._octets(stream, length - 16))
                with self._news:
                    self.seen.append(seen)
                    self._news.notify_all()
                if not self._reply(link, seen):
                    return

    @staticmethod
    def _octets(stream: object, size: int) -> bytes:
        try:
            return stream.read(size)  # type: ignore[attr-defined, no-any-return]
        except OSError:
            return b""

    def _reply(self, link: socket.socket, seen: Seen) -> bool:
        answer: Answer
        if seen.command == BIND:
            answer, body = self.bind, b"centre\0"
        elif seen.command == SUBMIT:
            answer, body = (self.answers.pop(0) if self.answers else self.answer), b""
        elif seen.command == ENQUIRE:
            answer, body = self.enquire, b""
        elif seen.command == UNBIND:
            answer, body = 0, b""
        else:
            return True
        if answer is SILENCE:
            return True
        if answer == CUT:
            link.shutdown(socket.SHUT_RDWR)
            return False
        if isinstance(answer, str):
            answer, body = 0, answer.encode() + b"\0"
        data = (
            answer
            if isinstance(answer, bytes)
            else pdu(seen.command | 0x80000000, seen.sequence, answer, body)
        )
        try:
            link.sendall(data.replace(b"SEQ!", struct.pack(">L", seen.sequence)))
        except OSError:
            return False
        return True
