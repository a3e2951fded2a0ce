"""Programs that send, as quickly as answers come: plain HTTP over connections that are kept open."""

import asyncio
import json
import time
from collections.abc import Iterable, Iterator
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
    return asyncio.run(_post_all(port, path, list(bodies), key, connections, rate))


async def _post_all(
    port: int, path: str, bodies: list[Any], key: str, connections: int, rate: float | None
) -> Answers:
    statuses: dict[int, int] = {}
    taken: list[float] = []
    last = [b""]
    waiting = iter(enumerate(bodies))
    began = time.perf_counter()
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {key}\r\n"

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for number, body in _each(waiting):
            if rate is not None:
                await asyncio.sleep(max(0, began + number / rate - time.perf_counter()))
            sent = time.perf_counter()
            writer.write(_request(head, body))
            status, content = await _answer(reader)
            taken.append((time.perf_counter() - sent) * 1000)
            statuses[status] = statuses.get(status, 0) + 1
            last[0] = content
        writer.close()

    await asyncio.gather(*(one() for _ in range(connections)))
    return Answers(statuses, taken, time.perf_counter() - began, last[0])


def _each(waiting: Iterator[tuple[int, Any]]) -> Iterator[tuple[int, Any]]:
    while (item := next(waiting, None)) is not None:
        yield item


def _request(head: str, body: Any) -> bytes:
    content = json.dumps(body).encode()
    return (
        f"{head}Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n".encode() + content
    )


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
