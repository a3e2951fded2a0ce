"""The scripted carrier for requests that are JSON: it keeps their bodies as well."""

import json
import socket
from typing import Any

from tests.carriers.scripted import Scripted


class _Recorded:
    """A connection that remembers what was read from it."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection, self.read = connection, b""

    def recv(self, size: int) -> bytes:
        data = self.connection.recv(size)
        self.read += data
        return data

    def sendall(self, data: bytes) -> None:
        self.connection.sendall(data)

    def __enter__(self) -> "_Recorded":
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()


class ScriptedJson(Scripted):
    """Answers as a test says, and reads the JSON of each request."""

    def __post_init__(self) -> None:
        self._recorded: list[_Recorded] = []
        super().__post_init__()

    def _serve(self, connection: socket.socket) -> None:
        recorded = _Recorded(connection)
        self._recorded.append(recorded)
        super()._serve(recorded)  # type: ignore[arg-type] # as much of a socket as is used

    @property
    def bodies(self) -> list[Any]:
        """The JSON of each request, in the order in which they connected."""
        return [json.loads(recorded.read.partition(b"\r\n\r\n")[2]) for recorded in self._recorded]
