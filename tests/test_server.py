"""The web server on a real socket: raw targets, bodies, hang-ups, streams, and a quick end."""

import http.client
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms.bridge import client_address
from sms.logbook import loggable_path, mask_numbers
from tests.crowd import PATIENCE, crowd
from tests.ports import free_port

ROOT = Path(__file__).parent.parent
PROGRAM = """
import asyncio, sys, time
from flask import Flask, request
from sms.logbook import open_logbook
from sms.server import serve

open_logbook()
app = Flask("probe")
app.config["MAX_CONTENT_LENGTH"] = 100_000

@app.get("/healthz")
def healthz():
    return "ok"

@app.route("/echo", defaults={"rest": ""}, methods=["GET", "POST"])
@app.route("/echo/<path:rest>", methods=["GET", "POST"])
def echo(rest):
    seen = request.environ
    return {
        "raw": seen["RAW_URI"], "path": request.path, "args": request.args.to_dict(), "length": len(request.get_data()),
        "client": request.remote_addr, "headers": dict(request.headers), "form": request.form.to_dict(),
    }

@app.get("/slow/<float:seconds>")
def slow(seconds):
    print("begun", flush=True)
    time.sleep(seconds)
    return "late"

async def events(scope, receive, send):
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
    while True:
        await send({"type": "http.response.body", "body": b": still here\\n\\n", "more_body": True})
        await asyncio.sleep(0.1)

serve(app, "127.0.0.1", int(sys.argv[1]), {"/events": events})
"""


class Served:
    """A server of our own in another process."""

    def __init__(self, log: Path):
        self.port = free_port()
        self.log = log
        with log.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-c", PROGRAM, str(self.port)], cwd=ROOT, stdout=out, stderr=out
            )
        deadline = time.monotonic() + 2 * PATIENCE
        while self._silent():
            assert self.process.poll() is None, log.read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def _silent(self) -> bool:
        try:
            return self.ask("GET", "/healthz")[0] != 200
        except OSError:
            return True

    def ask(self, method: str, target: str, body: Any = None, **headers: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, target, body=body, headers=named)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def echo(self, target: str, method: str = "GET", **words: Any) -> dict[str, Any]:
        status, body = self.ask(method, target, **words)
        assert status == 200, body
        return json.loads(body)

    def raw(self, octets: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as wire:
            wire.sendall(octets)
            return b"".join(iter(lambda: wire.recv(65536), b""))

    def wait_for_log(self, words: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while words not in self.log.read_text():
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.05)

    def end(self, signum: int = signal.SIGTERM) -> float:
        started = time.monotonic()
        self.process.send_signal(signum)
        self.process.wait(timeout=PATIENCE)
        return time.monotonic() - started


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    server = Served(tmp_path_factory.mktemp("server") / "log")
    yield server
    server.end()


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Served]:
    """A server for this test alone, which may end it."""
    server = Served(tmp_path / "log")
    yield server
    if server.process.poll() is None:
        server.process.kill()


def test_raw_target_reaches_the_application_as_it_was_signed(served: Served):
    seen = served.echo("/echo/a%2Fb%20c?x=%41&y=1+2&x=2")
    assert seen["raw"] == "/echo/a%2Fb%20c?x=%41&y=1+2&x=2"
    assert seen["path"] == "/echo/a/b c"


def test_bytes_beyond_ascii_in_the_query_are_no_error(served: Served):
    answer = served.raw("GET /echo?q=grün HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    assert b" 200 " in answer.splitlines()[0]
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["args"] == {"q": "grün"}


def test_invalid_utf8_in_the_path_is_no_error(served: Served):
    assert served.echo("/echo/%ff%fe")["path"] == "/echo/\ufffd\ufffd"


def test_body_of_unknown_length_arrives_whole(served: Served):
    def pieces() -> Iterator[bytes]:
        yield b"text=Gut"
        yield b"en+Tag"

    seen = served.echo("/echo", "POST", body=pieces(), Content_Type="application/x-www-form-urlencoded")
    assert seen["form"] == {"text": "Guten Tag"}


@pytest.mark.parametrize("known_length", [True, False])
def test_body_over_the_limit_is_refused_with_413(served: Served, known_length: bool):
    big = b"x" * 150_000
    status, _ = served.ask("POST", "/echo", body=big if known_length else iter([big]))
    assert status == 413


def test_client_that_hangs_up_half_way_is_no_request(served: Served):
    with socket.create_connection(("127.0.0.1", served.port)) as wire:
        wire.sendall(b"POST /echo/halfway HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\ntext=half")
        time.sleep(0.2)
    served.wait_for_log("POST /echo/halfway hung up")


def test_header_with_underscore_cannot_pass_for_one_with_hyphen(served: Served):
    answer = served.raw(
        b"GET /echo HTTP/1.1\r\nHost: x\r\nX_Twilio_Signature: forged\r\nConnection: close\r\n\r\n"
    )
    assert b"forged" not in answer


def test_proxy_on_this_machine_names_the_client(served: Served):
    assert served.echo("/echo", X_Forwarded_For="203.0.113.9, 198.51.100.7")["client"] == "198.51.100.7"
    assert served.echo("/echo", X_Forwarded_For="nonsense")["client"] == "127.0.0.1"


def test_other_machines_cannot_choose_their_address():
    assert client_address({"REMOTE_ADDR": "192.0.2.1", "HTTP_X_FORWARDED_FOR": "10.0.0.1"}) == "192.0.2.1"


def test_fifty_requests_at_once_are_all_answered(served: Served):
    answers: list[int] = []

    def ask() -> None:
        answers.extend(served.ask("POST", "/echo", body=b"x" * 50_000)[0] for _ in range(4))

    threads = [threading.Thread(target=ask) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert answers == [200] * 200


def test_head_has_no_body(served: Served):
    assert served.ask("HEAD", "/healthz") == (200, "")


def test_log_names_no_query_no_number_and_no_token(served: Served):
    token = "tok" + "e" * 40
    served.ask("GET", f"/echo/00491713920042/{token}?text=geheim")
    served.wait_for_log("GET /echo/…42/toke… 200")
    assert "geheim" not in served.log.read_text()


def test_open_streams_and_running_requests_do_not_hold_up_the_end(own_server: Served):
    with socket.create_connection(("127.0.0.1", own_server.port)) as stream:
        stream.sendall(b"GET /events HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"text/event-stream" in stream.recv(1000)
        hanging = threading.Thread(target=lambda: _ignore(lambda: own_server.ask("GET", "/slow/30.0")))
        hanging.start()
        own_server.wait_for_log("begun")
        assert own_server.end() < 3 * crowd()
    assert own_server.process.returncode == 0


def test_request_that_is_nearly_done_is_finished_at_the_end(own_server: Served):
    got: list[tuple[int, str]] = []
    asking = threading.Thread(target=lambda: got.append(own_server.ask("GET", "/slow/1.0")))
    asking.start()
    own_server.wait_for_log("begun")
    own_server.end(signal.SIGINT)
    asking.join(PATIENCE)
    assert got == [(200, "late")]


def _ignore(act: Any) -> None:
    try:
        act()
    except (OSError, http.client.HTTPException):
        pass


@given(st.from_regex(r"(\+49|0049|0)1(5|6|7)[0-9]{8,9}", fullmatch=True))
def test_no_log_line_shows_a_whole_number(number: str):
    line = mask_numbers(f"call to {number} failed")
    assert number not in line
    assert line == f"call to …{number[-2:]} failed"


def test_times_and_small_numbers_stay_in_the_log():
    line = "2026-11-21 21:50:42,233 INFO web: GET /conversations/4711 200 12 ms"
    assert mask_numbers(line) == line


def test_paths_lose_what_opens_doors():
    assert loggable_path("/password/WzEsMF0.awIWuw.V0kQQudW9LMtWFB7HZEE6s4SHME") == "/password/WzEs…"
    assert loggable_path("/k/RMRB-yBDxX_51UZB.1") == "/k/RMRB…"
    assert loggable_path("/appointments/feed/WzEsMV0.hSWCoImi0X.ics") == "/appointments/feed/WzEs…"
