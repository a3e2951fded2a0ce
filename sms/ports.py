"""Whether an address can be listened on: asked before anything is started."""

import os
import socket


class PortTaken(Exception):
    """Another program listens on the address already."""


def refuse_taken(host: str, port: int) -> None:
    """Raise PortTaken, with a sentence for the operator, where host:port cannot be listened on."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
            trial.listen(1)
        except OSError as error:
            raise PortTaken(
                f"port {port} on {host} cannot be used: {os.strerror(error.errno or 0)}"
            ) from None
