"""HTTP as adapters need it: encrypted to whom we trust, limited, and sent once."""

import gzip
import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms.carriers.contract import OutcomeKind, Reason
from sms.carriers.wire import Unsendable, Wire, failure, masked, retry_after
from tests.carriers.scripted import Scripted, http


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


def ask(url: str, **more: object) -> object:
    wire = Wire(url, (2.0, 2.0), 4)
    try:
        return wire.fetch("POST", "https://elsewhere.example/path?x=1", **more)
    except Exception as error:
        return failure(error)
    finally:
        wire.close()


def test_a_certificate_that_nobody_vouches_for_stops_the_channel(stranger: str) -> None:
    outcome = ask(stranger, data={"Body": "geheim"})
    assert (outcome.kind, outcome.reason) == (OutcomeKind.auth, Reason.setup)


def test_a_server_that_speaks_no_tls_is_an_unknown_outcome(network: Scripted) -> None:
    network.answer = http(200, "")
    assert ask(network.url.replace("http:", "https:")).kind is OutcomeKind.unknown


def test_a_packed_answer_is_unpacked_and_limited(network: Scripted) -> None:
    packed = gzip.compress(b"x" * 300_000)
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n".encode()
    network.answer = head + packed
    assert ask(network.url).body == b"x" * 300_000
    assert ask(network.url, limit=200_000).kind is OutcomeKind.unknown


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


def test_a_header_that_breaks_the_line_never_leaves(network: Scripted) -> None:
    wire = Wire(network.url, (2.0, 2.0), 4)
    with pytest.raises(Unsendable):
        wire.fetch("GET", "/a", headers={"X-A": "b\r\nX-C: d"})
    wire.close()
    assert network.seen == []


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
