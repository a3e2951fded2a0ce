"""What stands at an address is read with limits, and no address leads inside, whatever it is called."""

import socket
import time
from ipaddress import ip_network

import pytest

from sms import outside
from sms.outside import Unreadable
from tests.calendar_host import host  # noqa: F401

HERE = (ip_network("127.0.0.1/32"),)
ROOM = 5_000_000


def why(address: str, networks=HERE, **more) -> str:
    with pytest.raises(Unreadable) as no:
        outside.read(outside.address(address), limit=more.pop("limit", ROOM), networks=networks, **more)
    return no.value.code


def test_what_stands_there_is_read_and_again_only_when_it_is_new(host):
    host.serve("eins")
    first = outside.read(host.url(), limit=ROOM, networks=HERE)
    assert first.body == b"eins"
    assert first.etag
    assert outside.read(host.url(), limit=ROOM, networks=HERE, etag=first.etag).body is None
    host.serve("zwei")
    assert outside.read(host.url(), limit=ROOM, networks=HERE, etag=first.etag).body == b"zwei"


def test_the_date_of_the_last_change_is_given_back_as_it_came(host):
    date = "Sun, 22 Nov 2026 04:00:00 GMT"
    host.serve("eins", headers={"Last-Modified": date})
    assert outside.read(host.url(), limit=ROOM, networks=HERE).modified == date
    outside.read(host.url(), limit=ROOM, networks=HERE, modified=date)
    assert host.asked[-1].headers["If-Modified-Since"] == date


@pytest.mark.parametrize(
    "name",
    [
        "127.0.0.1",
        "localhost",
        "127.1",
        "2130706433",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "0.0.0.0",
        "[::ffff:127.0.0.1]",
    ],
)
def test_no_spelling_of_this_machine_is_read(host, name):
    host.serve("geheim")
    assert why(host.url(name=name), networks=()) == "address_inside"
    assert host.asked == []


@pytest.mark.parametrize(
    "ip",
    [
        "10.0.0.1", "172.16.3.4", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "127.8.9.10", "224.0.0.1",
        "255.255.255.255", "240.0.0.1", "192.0.2.1", "198.18.0.1", "::", "::1", "fe80::1", "fc00::1", "fd00:ec2::254",
        "ff02::1", "2001:db8::1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2001::1", "::7f00:1", "fec0::1",
    ],
)  # fmt: skip
def test_inside_addresses_in_every_notation_are_known(ip):
    assert outside._verdict(ip, 443, ()) == "address_inside"


@pytest.mark.parametrize("ip", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_public_addresses_are_read_at_the_ports_of_the_web_only(ip):
    assert outside._verdict(ip, 443, ()) == ""
    for port in (22, 25, 6379, 5432, 3306, 11211):
        assert outside._verdict(ip, port, ()) == "address_port"


def test_a_network_that_is_named_may_be_read_and_no_other(host):
    host.serve("eins")
    assert outside.read(host.url(), limit=ROOM, networks=HERE).body == b"eins"
    assert why(host.url(), networks=(ip_network("127.0.0.2/32"),)) == "address_inside"
    mapped = host.url(name="[::ffff:127.0.0.1]")
    assert outside._verdict("::ffff:127.0.0.1", 22, HERE) == ""
    assert why(mapped, networks=(ip_network("::1/128"),)) == "address_inside"


def test_a_redirect_is_looked_at_like_the_first_address(host):
    host.redirect("/weiter", "http://169.254.169.254/latest/meta-data/")
    assert why(host.url("/weiter")) == "address_inside"
    host.redirect("/andere", host.url("/praxis.ics", name="127.0.0.2"))
    assert why(host.url("/andere")) == "address_inside"
    host.redirect("/datei", "file:///etc/passwd")
    assert why(host.url("/datei")) == "address_redirect_bad"
    host.redirect("/nirgends", "")
    assert why(host.url("/nirgends")) == "address_redirects"


def test_a_name_that_says_something_else_the_second_time_does_not_lead_inside(host, monkeypatch):
    """What was checked is what is connected to: the name is asked for once a connection."""
    host.serve("geheim")
    answers = iter(["93.184.216.34", "127.0.0.1", "127.0.0.1"])
    asked, connected = [], []

    def look_up(name, port, *args, **more):
        asked.append(name)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    def connect(family, where, seconds):
        connected.append(where[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setattr(outside, "_to", connect)
    assert why("http://wandert.example/praxis.ics", networks=()) == "address_unreachable"
    assert (asked, connected) == (["wandert.example"], ["93.184.216.34"])


def test_redirects_are_followed_and_end(host):
    host.redirect("/a", "/b", 301)
    host.redirect("/b", "praxis.ics", 307)
    host.serve("eins")
    page = outside.read(host.url("/a"), limit=ROOM, networks=HERE)
    assert (page.body, page.redirected) == (b"eins", True)
    host.redirect("/rund", "/rund")
    assert why(host.url("/rund")) == "address_redirects"
    assert sum(a.path == "/rund" for a in host.asked) == outside.REDIRECTS + 1


def test_a_password_is_for_its_own_host_alone(host):
    host.serve("eins", "/b")
    host.redirect("/a", host.url("/b", name="localhost"))
    networks = (*HERE, ip_network("::1/128"))
    kept = outside.address(host.url("/a").replace("//", "//praxis:ge%20heim@"))
    outside.read(kept, limit=ROOM, networks=networks)
    assert host.asked[0].headers["Authorization"] == "Basic cHJheGlzOmdlIGhlaW0="
    assert "Authorization" not in host.asked[1].headers
    assert "heim" not in outside.shown(kept)


def test_packed_answers_are_read_and_a_bomb_is_not(host):
    host.zipped(b"eins")
    assert outside.read(host.url(), limit=ROOM, networks=HERE).body == b"eins"
    assert host.asked[-1].headers["Accept-Encoding"] == "gzip"
    host.zipped(b"\0" * 50_000_000)
    assert why(host.url()) == "address_large"


def test_more_than_the_limit_is_not_read(host):
    host.serve(b"x" * 5_000_001)
    assert why(host.url()) == "address_large"
    host.serve(b"x" * 5_000_000)
    assert len(outside.read(host.url(), limit=ROOM, networks=HERE).body) == ROOM


def test_an_answer_that_drips_ends(host, monkeypatch):
    def drip(handler):
        handler.say(200, b"", {}, length=1000)
        while not host.ending.wait(0.05):
            handler.wfile.write(b"x")

    host.places["/praxis.ics"] = drip
    monkeypatch.setattr(outside, "ANSWER_SECONDS", 0.5)
    started = time.monotonic()
    assert why(host.url()) == "address_slow"
    assert time.monotonic() - started < 10


def test_an_answer_that_breaks_off_is_not_taken_for_whole(host):
    host.places["/praxis.ics"] = lambda h: h.say(200, b"halb", {}, length=1000)
    assert why(host.url()) == "address_cut"


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, "sign_in"),
        (403, "sign_in"),
        (404, "gone"),
        (410, "gone"),
        (429, "busy"),
        (503, "busy"),
        (500, "status"),
    ],
)
def test_every_refusal_has_its_word(host, status, code):
    host.serve("no", status=status, headers={"Retry-After": "120"} if code == "busy" else None)
    with pytest.raises(Unreadable) as no:
        outside.read(host.url(), limit=ROOM, networks=HERE)
    assert no.value.code == f"address_{code}"
    assert no.value.again == (120 if code == "busy" else None)


def test_nobody_there_is_told_from_a_name_that_is_none(host):
    closed = socket.create_server(("127.0.0.1", 0))
    port = closed.getsockname()[1]
    closed.close()
    assert why(f"http://127.0.0.1:{port}/") == "address_unreachable"
    assert why("http://gibt-es-nicht.invalid/") == "address_unknown"
    assert why(host.url().replace("http:", "https:")) in ("address_certificate", "address_unreachable")


@pytest.mark.parametrize(
    "raw",
    [
        "", "praxis.ics", "ftp://host/x", "file:///etc/passwd", "javascript:alert(1)", "http://", "https:///x",
        "http://host:99999/", "http://host:0/", "http://[::1/", "http://a b/", "http://host/\r\nX: y", "gopher://h/",
        "http://" + "a" * 3000, "http://ä..de/", "http://\ud800/",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused_at_once(raw):
    with pytest.raises(Unreadable) as no:
        outside.address(raw)
    assert no.value.code == "address_bad"


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        ("webcal://cal.example/a.ics?k=1", "https://cal.example/a.ics?k=1"),
        ("  HTTPS://Cal.Example ", "https://cal.example/"),
        ("https://kalender-müller.de/übersicht 1.ics".replace(" ", "%20"), "https://xn--kalender-mller-psb.de/%C3%BCbersicht%201.ics"),
        ("http://[2606:4700::1]:8080/a#frag", "http://[2606:4700::1]:8080/a"),
    ],
)  # fmt: skip
def test_addresses_are_kept_in_one_spelling(raw, kept):
    assert outside.address(raw) == kept
    assert outside.address(kept) == kept
