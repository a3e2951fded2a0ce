"""Many open pages: event streams in a process of their own that note when which words came in.

Lines in: `expect WORD`, `seen WORD`; lines out, as JSON: nothing, and the moments (CLOCK_MONOTONIC) at which pages heard it.
"""

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent


class Streams:
    """`count` live streams of one conversation, opened and heard by a process of their own."""

    def __init__(self, port: int, cookie: str, conversation: int, count: int):
        words = [str(port), cookie, str(conversation), str(count)]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bench.streams", *words],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        if self._line() != "open\n":
            self.stop()
            raise SystemExit(f"bench: not all of {count} streams were opened")

    def expect(self, word: str) -> None:
        """Note from now on when this word comes in."""
        self._say(f"expect {word}")

    def seen(self, word: str) -> list[float]:
        """Return the moments at which the pages heard a word."""
        self._say(f"seen {word}")
        return json.loads(self._line())  # type: ignore[no-any-return]

    def _say(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def stop(self) -> None:
        """Hang up."""
        self.process.kill()
        self.process.wait(10)


class _Pages:
    def __init__(self, port: int, cookie: str, conversation: int) -> None:
        self.port, self.cookie, self.conversation = port, cookie, conversation
        self.moments: dict[bytes, list[float]] = {}
        self.open = 0

    async def listen(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(
            f"GET /events?conversation={self.conversation} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"
            f"Cookie: {self.cookie}\r\nAccept: text/event-stream\r\n\r\n".encode()
        )
        heard: set[bytes] = set()
        opened = False
        while chunk := await reader.read(65536):
            moment = time.monotonic()
            if not opened and b"faden:ready" in chunk:
                self.open, opened = self.open + 1, True
            for word in [w for w in self.moments if w not in heard and w in chunk]:
                heard.add(word)
                self.moments[word].append(moment)


async def _run(port: int, cookie: str, conversation: int, count: int) -> None:
    pages, loop = _Pages(port, cookie, conversation), asyncio.get_running_loop()
    listening = []
    deadline = time.monotonic() + 120
    for opened in range(0, count, 25):
        listening += [asyncio.ensure_future(pages.listen()) for _ in range(min(25, count - opened))]
        while pages.open < len(listening):
            if time.monotonic() > deadline:
                return
            await asyncio.sleep(0.01)
    print("open", flush=True)
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        verb, word = line.split()
        if verb == "expect":
            pages.moments = {word.encode(): []}
        else:
            print(json.dumps(pages.moments[word.encode()]), flush=True)


if __name__ == "__main__":
    asyncio.run(_run(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
