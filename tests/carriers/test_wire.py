"""HTTP as adapters need it: encrypted to whom we trust, limited, and sent once."""

import gzip
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms.carriers.contract import OutcomeKind, Reason
from sms.carriers.wire import Unsendable, Wire, failure, masked, retry_after
from tests.carriers.scripted import Drip, Scripted, http
from tests.crowd import PATIENCE, crowd


@pytest.fixture
def stranger(tmp_path: Path) -> Iterator[str]:
    """A server whose certificate nobody has signed but itself."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl makes the certificate of this test")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", *subject]
    subprocess.run([*make, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield f"https://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def ask(url: str, *, timeouts: tuple[float, float] = (2.0, 2.0), **more: object) -> object:
    wire = Wire(url, timeouts, 4)
    try:
        return wire.fetch("POST", "https://elsewhere.example/path?x=1", **more)
    except Exception as error:
        return failure(error)
    finally:
        wire.close()


def test_a_certificate_that_nobody_vouches_for_stops_the_channel(stranger: str) -> None:
    outcome = ask(stranger, data={"Body": "geheim"})
    assert (outcome.kind, outcome.reason) == (OutcomeKind.auth, Reason.setup)


def test_a_server_that_speaks_no_tls_has_not_got_the_request(network: Scripted) -> None:
    network.answer = http(200, "")
    outcome = ask(network.url.replace("http:", "https:"), data={"Body": "geheim"})
    assert outcome.kind is OutcomeKind.temporary
    assert not any("geheim" in repr(seen) for seen in network.seen)


@pytest.mark.parametrize("cause", ["nobody listens", "no such host"])
def test_without_a_connection_nothing_was_taken(cause: str, network: Scripted) -> None:
    network.stop()
    outcome = ask(network.url if cause == "nobody listens" else "http://nowhere.invalid")
    assert (outcome.kind, outcome.reason) == (OutcomeKind.temporary, Reason.network)


@pytest.mark.parametrize("part", ["head", "body"])
def test_a_dripping_answer_is_not_waited_for_without_end(part: str, network: Scripted) -> None:
    slow = b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 40
    full = http(200, "x" * 400)
    cut = full.index(b"\r\n\r\n") + 4
    network.answer = Drip(slow if part == "head" else full[cut:], 0.02, b"" if part == "head" else full[:cut])
    began = time.monotonic()
    assert ask(network.url, timeouts=(2.0, 0.3)).kind is OutcomeKind.unknown
    assert time.monotonic() - began < 1.5 * crowd()


def test_one_connection_is_used_again_and_one_that_was_closed_is_not() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        wire = Wire(f"http://127.0.0.1:{server.getsockname()[1]}", (2.0, 2.0), 4)
        closed = threading.Semaphore(0)
        threading.Thread(target=_serve_two_each, args=(server, closed), daemon=True).start()
        for _ in range(2):
            for _ in range(2):
                assert wire.fetch("GET", "/").status == 204
            assert closed.acquire(timeout=PATIENCE)
        wire.close()
        assert len(wire._idle) == 0


def _serve_two_each(server: socket.socket, closed: threading.Semaphore) -> None:
    """Answer two requests on each connection and close it without saying so before."""
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        with connection:
            for _ in range(2):
                if not connection.recv(65536):
                    break
                connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
        closed.release()


def test_the_proxy_of_the_environment_leads_outside(
    network: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", network.url.replace("//", "//praxis:geheim@"))
    network.answer = http(200, "x")
    assert ask("http://carrier.invalid").body == b"x"
    (seen,) = network.seen
    assert seen.headers["host"] == "carrier.invalid"
    assert seen.headers["proxy-authorization"] == "Basic cHJheGlzOmdlaGVpbQ=="


def test_a_proxy_that_refuses_has_passed_nothing_on(
    network: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", network.url)
    network.answer = http(403, "no")
    assert ask("https://carrier.invalid", data={"Body": "geheim"}).kind is OutcomeKind.temporary
    assert [seen.method for seen in network.seen] == ["CONNECT"]
    assert "geheim" not in repr(network.seen)


def test_no_proxy_leads_to_this_machine_itself(network: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    network.answer = http(200, "x")
    assert ask(network.url).body == b"x"


def test_a_packed_answer_is_unpacked_and_limited(network: Scripted) -> None:
    packed = gzip.compress(b"x" * 300_000)
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n".encode()
    network.answer = head + packed
    assert ask(network.url).body == b"x" * 300_000
    assert ask(network.url, limit=200_000).kind is OutcomeKind.unknown
    network.answer = head.replace(str(len(packed)).encode(), b"100") + packed[:100]
    assert ask(network.url).kind is OutcomeKind.unknown


def test_an_answer_in_chunks_is_put_together(network: Scripted) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    network.answer = head + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    assert ask(network.url).body == b"abcde"
    network.answer = head + b"3\r\nabc\r\n9\r\nd"
    assert ask(network.url).kind is OutcomeKind.unknown


def test_cookies_are_neither_kept_nor_sent(network: Scripted) -> None:
    network.answer = http(200, "", "Set-Cookie: a=b; Path=/")
    wire = Wire(network.url, (2.0, 2.0), 4)
    wire.fetch("GET", "/a")
    wire.fetch("GET", "/b")
    wire.close()
    assert [seen.path for seen in network.seen] == ["/a", "/b"]
    assert "cookie" not in network.seen[1].headers


@pytest.mark.parametrize(
    "broken",
    [
        {"headers": {"X-A": "b\r\nX-C: d"}},
        {"headers": {"X-A": "b\nX-C: d"}},
        {"headers": {"X A": "b"}},
        {"headers": {"X-A": "€"}},
        {"url": "/a b"},
        {"url": "/a\r\nX-C: d"},
        {"url": "/ä"},
        {"method": "GET /b HTTP/1.1\r\n"},
        {"data": {"Body": "\ud83d"}},
    ],
    ids=repr,
)
def test_what_breaks_the_line_never_leaves(broken: dict[str, Any], network: Scripted) -> None:
    wire = Wire(network.url, (2.0, 2.0), 4)
    with pytest.raises(Unsendable):
        wire.fetch(**{"method": "GET", "url": "/a", **broken})
    wire.close()
    assert network.seen == []


def test_a_form_has_lists_and_leaves_out_what_is_none(network: Scripted) -> None:
    network.answer = http(200, "")
    ask(network.url, data={"A": ["1", "ü &"], "B": None, "C": True}, params={"p": ["x", "y"]})
    (seen,) = network.seen
    assert seen.form == [("A", "1"), ("A", "ü &"), ("C", "True")]
    assert seen.query == [("x", "1"), ("p", "x"), ("p", "y")]
    assert seen.headers["content-type"] == "application/x-www-form-urlencoded"


def test_octets_go_out_as_they_are(network: Scripted) -> None:
    network.answer = http(200, "")
    ask(network.url, data=b"a=1&b=2")
    assert network.seen[0].form == [("a", "1"), ("b", "2")]
    assert "content-type" not in network.seen[0].headers


@given(st.text())
def test_any_retry_after_is_a_bearable_number_or_none(value: str) -> None:
    seconds = retry_after(value)
    assert seconds is None or 0 <= seconds <= 3600


@given(st.text(), st.from_regex(r"\+49171[0-9]{7,8}", fullmatch=True), st.text())
def test_no_full_number_survives_the_mask(before: str, number: str, after: str) -> None:
    line = masked(before + number + after)
    assert number not in line
    assert len(line) <= 200
    assert "\n" not in line


def test_an_exception_that_nobody_foresaw_is_an_unknown_outcome() -> None:
    assert failure(ZeroDivisionError("Body=geheim")).kind is OutcomeKind.unknown
    assert "geheim" not in repr(failure(ZeroDivisionError("Body=geheim")))
