"""A speech server on loopback that speaks Google's wire format over TLS, and misbehaves where it is told to."""

import base64
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HERE = Path(__file__).parent
CERTIFICATE = HERE / "loopback.pem"
MP3 = (HERE / "guten_tag.mp3").read_bytes()


class SpeechServer(ThreadingHTTPServer):
    """Keeps the bodies it was sent; `manner` is how it answers."""

    daemon_threads = True
    manner = "speak"
    elsewhere = ""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.bodies: list[str] = []
        self.connections = 0
        self.stopped = threading.Event()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE)
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    @property
    def origin(self) -> str:
        return f"https://127.0.0.1:{self.server_port}"

    def process_request(self, request, client_address) -> None:
        self.connections += 1
        super().process_request(request, client_address)

    def handle_error(self, request, client_address) -> None:
        """A client that refuses our certificate is what some tests want; no traceback."""


class Answer(BaseHTTPRequestHandler):
    server: SpeechServer

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        self.server.bodies.append(self.rfile.read(length).decode())
        getattr(self, f"_{self.server.manner}")()

    def _speak(self) -> None:
        self._send(200, _rpc(base64.b64encode(MP3).decode()))

    def _no_audio(self) -> None:
        self._send(200, _rpc(""))

    def _not_mp3(self) -> None:
        self._send(200, _rpc(base64.b64encode(b"<html>sorry</html>" * 40).decode()))

    def _empty(self) -> None:
        self._send(200, b"")

    def _sorry(self) -> None:
        self._send(429, b"unusual traffic")

    def _endless(self) -> None:
        self.send_response(200)
        self.end_headers()
        while not self.server.stopped.is_set():
            self.wfile.write(b"x" * 65536)

    def _drip(self) -> None:
        """Each byte comes in time for a socket's own timeout; only a limit for the whole ends it."""
        self.wfile.write(b"HTTP/1.0 200 OK\r\n")
        while not self.server.stopped.is_set():
            self.wfile.write(b"X-Slow: yes\r\n")
            time.sleep(0.05)

    def _redirect(self) -> None:
        self.send_response(307)
        self.send_header("Location", self.server.elsewhere)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Tests print nothing."""


def _rpc(audio: str) -> bytes:
    return f')]}}\'\n\n[["wrb.fr","jQ1olc","[\\"{audio}\\"]",null,null,null,"generic"]]\n'.encode()


@contextmanager
def speech_server() -> Iterator[SpeechServer]:
    """Serve on a free port until the end of the block."""
    server = SpeechServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.stopped.set()
        server.shutdown()
        server.server_close()
