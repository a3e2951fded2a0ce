"""Programs that send, as quickly as answers come: plain HTTP over connections that are kept open."""

import asyncio
import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Answers:
    """Statuses by number of answers, the milliseconds each took, the seconds for all of them, and the last one's body."""

    statuses: dict[int, int]
    milliseconds: list[float]
    seconds: float
    last: bytes


def post_all(
    port: int, path: str, bodies: Iterable[Any], *, key: str, connections: int = 16, rate: float | None = None
) -> Answers:
    """POST every body once over so many connections; with a `rate` (a second) each waits for its turn."""
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {key}\r\n"
    requests = [_request(head, "application/json", json.dumps(body).encode()) for body in bodies]
    return asyncio.run(_send_all([port], requests, connections, rate))


def post_forms(
    ports: Sequence[int], path: str, forms: Iterable[tuple[bytes, Mapping[str, str]]], connections: int = 16
) -> Answers:
    """POST every form (its body and headers) once, over connections that are shared out among some ports."""
    requests = []
    for body, headers in forms:
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{lines}"
        requests.append(_request(head, "application/x-www-form-urlencoded", body))
    return asyncio.run(_send_all(ports, requests, connections, None))


async def _send_all(
    ports: Sequence[int], requests: Sequence[bytes], connections: int, rate: float | None
) -> Answers:
    statuses: dict[int, int] = {}
    taken: list[float] = []
    last = [b""]
    waiting = iter(enumerate(requests))
    began = time.perf_counter()

    async def one(port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for number, request in _each(waiting):
            if rate is not None:
                await asyncio.sleep(max(0, began + number / rate - time.perf_counter()))
            sent = time.perf_counter()
            writer.write(request)
            status, content = await _answer(reader)
            taken.append((time.perf_counter() - sent) * 1000)
            statuses[status] = statuses.get(status, 0) + 1
            last[0] = content
        writer.close()

    await asyncio.gather(*(one(ports[n % len(ports)]) for n in range(connections)))
    return Answers(statuses, taken, time.perf_counter() - began, last[0])


def _each(waiting: Iterator[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
    while (item := next(waiting, None)) is not None:
        yield item


def _request(head: str, kind: str, content: bytes) -> bytes:
    return f"{head}Content-Type: {kind}\r\nContent-Length: {len(content)}\r\n\r\n".encode() + content


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    status = int(head.split(b" ", 2)[1])
    at = head.find(b"content-length:")
    if at >= 0:
        return status, await reader.readexactly(int(head[at + 15 :].split(b"\r\n", 1)[0]))
    content = b""
    while size := int((await reader.readline()).strip() or b"0", 16):
        content += (await reader.readexactly(size + 2))[:-2]
    await reader.readline()
    return status, content
