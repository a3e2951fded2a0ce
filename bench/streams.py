"""Many open pages: event streams in one thread that note when which words came in."""

import asyncio
import threading
import time


class Streams:
    """`count` live streams of one conversation; `seen[word]` are the moments at which each of them heard it."""

    def __init__(self, port: int, cookie: str, conversation: int, count: int):
        self.port, self.cookie, self.conversation, self.count = port, cookie, conversation, count
        self.seen: dict[bytes, list[float]] = {}
        self.open = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def start(self) -> "Streams":
        """Open all of them and return once each is being served."""
        self._thread.start()
        self._listeners = [
            asyncio.run_coroutine_threadsafe(self._listen(), self._loop) for _ in range(self.count)
        ]
        deadline = time.monotonic() + 30
        while self.open < self.count:
            if time.monotonic() > deadline:
                raise SystemExit(f"bench: only {self.open} of {self.count} streams were opened")
            time.sleep(0.02)
        return self

    def stop(self) -> None:
        """Hang up."""
        for listener in self._listeners:
            listener.cancel()
        time.sleep(0.2)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=5)

    def expect(self, word: bytes) -> None:
        """Note from now on when this word comes in."""
        self.seen[word] = []

    async def _listen(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(
            f"GET /events?conversation={self.conversation} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"
            f"Cookie: {self.cookie}\r\nAccept: text/event-stream\r\n\r\n".encode()
        )
        heard: set[bytes] = set()
        opened = False
        while chunk := await reader.read(65536):
            if not opened and b"faden:ready" in chunk:
                self.open, opened = self.open + 1, True
            for word in [w for w in self.seen if w not in heard and w in chunk]:
                heard.add(word)
                self.seen[word].append(time.perf_counter())
