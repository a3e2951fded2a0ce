"""A carrier that does nothing: takes every text over HTTP as Twilio and websms do, after a set time, in its own process.

It remembers what it was given, so that a measurement can tell whether a text was lost or came twice. `GET /seen`
returns {"texts", "distinct", "most_at_once"}; two texts are the same where recipient and body are.
"""

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs
from urllib.request import urlopen

ROOT = Path(__file__).parent.parent


class Seen:
    """What has come so far, and how much of it was unanswered at once."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.open, self.most = 0, 0

    def summary(self) -> dict[str, int]:
        return {"texts": len(self.texts), "distinct": len(set(self.texts)), "most_at_once": self.most}


class Connection(asyncio.Protocol):
    """One connection, kept open; each request is answered after `latency` seconds."""

    def __init__(self, seen: Seen, latency: float) -> None:
        self.seen, self.latency, self.data = seen, latency, b""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.data += data
        while (end := self.data.find(b"\r\n\r\n")) >= 0:
            head = self.data[:end].lower()
            at = head.find(b"content-length:")
            length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self.data) < end + 4 + length:
                return
            body = self.data[end + 4 : end + 4 + length]
            self.data = self.data[end + 4 + length :]
            self._request(head, body)

    def _request(self, head: bytes, body: bytes) -> None:
        if head.startswith(b"get /seen"):
            self._answer(200, self.seen.summary())
            return
        if head.startswith(b"get ") or b'"test": true' in body:  # only a question whether we are there
            self._answer(200, {"statusCode": 2000, "statusMessage": "OK", "messages": []})
            return
        self.seen.open += 1
        self.seen.most = max(self.seen.most, self.seen.open)
        if self.latency:
            asyncio.get_running_loop().call_later(self.latency, self._take, head, body)
        else:
            self._take(head, body)

    def _take(self, head: bytes, body: bytes) -> None:
        self.seen.open -= 1
        number = len(self.seen.texts) + 1
        if b"/rest/smsmessaging" in head:
            asked = json.loads(body)
            self.seen.texts.append(f"{asked['recipientAddressList'][0]} {asked['messageContent']}")
            self._answer(200, {"statusCode": 2000, "statusMessage": "OK", "transferId": f"nothing-{number}"})
            return
        form = parse_qs(body.decode())
        self.seen.texts.append(f"{form['To'][0]} {form['Body'][0]}")
        self._answer(201, {"sid": f"SM{number:032x}", "status": "queued", "num_segments": "1"})

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        head = f"HTTP/1.1 {status} OK\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
        self.transport.write(head.encode() + content)


@contextmanager
def carrier(latency: float = 0.0) -> Iterator[str]:
    """Run it in a process of its own and yield its origin; `latency` in seconds."""
    command = [sys.executable, "-m", "bench.carrier", str(latency)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait(10)


def seen(origin: str) -> dict[str, int]:
    """Return what the carrier has been given."""
    with urlopen(f"{origin}/seen", timeout=10) as answer:  # noqa: S310 - our own process
        return json.loads(answer.read())  # type: ignore[no-any-return]


async def _serve(latency: float) -> None:
    known = Seen()
    listener = socket.create_server(("127.0.0.1", 0), backlog=256)
    server = await asyncio.get_running_loop().create_server(lambda: Connection(known, latency), sock=listener)
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(float(sys.argv[1])))
