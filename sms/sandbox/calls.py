"""Calls: placeholder of the first slice."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sms.sandbox.network import Network


class Calls:
    def __init__(self, network: "Network") -> None:
        self._net = network

    def resume(self) -> None:
        pass

    def stop(self) -> None:
        pass

    def drop_all(self) -> None:
        pass
