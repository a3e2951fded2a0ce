"""Reading what stands at an address that a customer gives, and not being led inside by it (SSRF).

What counts is where the connection really leads: the address is looked up once, every number it stands for is checked,
and the connection is made to a number that was checked, for every redirect anew. No proxy is used: behind one nobody
could say where a connection leads.
"""

import socket
import ssl
import time
from collections.abc import Iterable
from http.client import IncompleteRead
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, NamedTuple
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit, urlunsplit

from sms.carriers import wire

PORTS = (80, 443, 8080, 8443)
"""Where public addresses may lead: other ports belong to other services. An inside network that is named has all."""
LONGEST = 2_000
REDIRECTS = 5
CONNECT_SECONDS, ANSWER_SECONDS, ALL_SECONDS = 5.0, 15.0, 30.0
"""To connect, to answer and again to send the body; and after so long no further address is asked."""
MOVED = (301, 302, 303, 307, 308)
NAT64 = ip_network("64:ff9b::/96")
"""IPv4 written as IPv6 (RFC 6052): where it is translated, it leads to the IPv4 address in its last four bytes."""

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address


class Unreadable(Exception):
    """Nothing can be read there: `code` says why, `params` fill its sentence; `again` are seconds the host asked for."""

    def __init__(self, code: str, again: float | None = None, **params: Any) -> None:
        super().__init__(code)
        self.code, self.params, self.again = code, params, again


class Page(NamedTuple):
    """What stands at an address; `body` None where it is still what it was."""

    body: bytes | None
    etag: str = ""
    modified: str = ""
    host: str = ""
    redirected: bool = False


class _Forbidden(OSError):
    """A connection that must not be made."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def address(raw: str) -> str:
    """Return an address as it is kept: http or https, its host in ASCII; webcal means https. Raises Unreadable."""
    parts = _parts(raw.strip())
    port = f":{parts.port}" if parts.port else ""
    who, found, _ = parts.netloc.rpartition("@")
    netloc = f"{who}{found}{_host(parts)}{port}"
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    return urlunsplit((parts.scheme, netloc, path, quote(parts.query, safe="%/?:@!$&'()*+,;=~-._"), ""))


def shown(kept: str) -> str:
    """Return an address without what is secret in it: https://calendar.example.com/…"""
    parts = urlsplit(kept)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname}{port}/…"


def read(
    kept: str, *, limit: int, etag: str = "", modified: str = "", networks: Iterable[Network] = ()
) -> Page:
    """Return what stands at an address, at most `limit` bytes; raises Unreadable.

    `etag` and `modified` are those of the last time: where nothing has changed since, there is no body. `networks`
    are inside ones that may be read all the same.
    """
    within = tuple(networks)
    until = time.monotonic() + ALL_SECONDS
    here, first = kept, _origin(_parts(kept))
    for hop in range(REDIRECTS + 1):
        parts = _parts(here)
        lines = {"Accept": "text/calendar, */*;q=0.5", "Accept-Encoding": "gzip"}
        # What is known of the first address says nothing about another one.
        if hop == 0:
            lines |= {n: v for n, v in (("If-None-Match", etag), ("If-Modified-Since", modified)) if v}
        who = _who(parts) if _origin(parts) == first else None
        answer = _ask(parts, lines, who, within, limit)
        if answer.status not in MOVED:
            return _page(answer, parts, hop > 0)
        here = _onwards(here, answer)
        if time.monotonic() > until:
            raise Unreadable("address_slow")
    raise Unreadable("address_redirects", limit=REDIRECTS)


def _parts(raw: str) -> SplitResult:
    """Return the parts of an address; raises Unreadable where it is none."""
    head, _, tail = raw.partition("://")
    if head.lower() in ("webcal", "webcals"):
        raw = f"https://{tail}"
    try:
        if len(raw) > LONGEST or any(c <= " " or c == "\x7f" for c in raw):
            raise ValueError
        parts = urlsplit(raw)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
            raise ValueError
        _host(parts)
    except ValueError:  # also a port that is none, a bracket that stays open, a name that IDNA cannot write
        raise Unreadable("address_bad") from None
    return parts


def _host(parts: SplitResult) -> str:
    host = parts.hostname or ""
    if ":" in host:
        return f"[{ip_address(host)}]"
    return host.encode("idna").decode() if not host.isascii() else host


def _origin(parts: SplitResult) -> str:
    return f"{parts.scheme}://{_host(parts)}" + (f":{parts.port}" if parts.port else "")


def _who(parts: SplitResult) -> tuple[str, str] | None:
    return (unquote(parts.username), unquote(parts.password or "")) if parts.username else None


def _onwards(here: str, answer: wire.Answer) -> str:
    target = urljoin(here, answer.headers.get("Location", ""))
    try:
        there = address(target)
    except Unreadable:
        raise Unreadable("address_redirect_bad") from None
    if here.startswith("https:") and there.startswith("http:"):
        raise Unreadable("address_redirect_open")
    return there


def _page(answer: wire.Answer, parts: SplitResult, redirected: bool) -> Page:
    status, headers = answer.status, answer.headers
    if status == 304:
        return Page(None)
    if status == 200:
        etag, modified = headers.get("ETag", ""), headers.get("Last-Modified", "")
        return Page(answer.body, etag[:200], modified[:100], parts.hostname or "", redirected)
    if status in (401, 403, 407):
        raise Unreadable("address_sign_in")
    if status in (404, 410):
        raise Unreadable("address_gone")
    if status in (429, 503):
        raise Unreadable("address_busy", wire.retry_after(headers.get("Retry-After")))
    raise Unreadable("address_status", status=status)


def _ask(
    parts: SplitResult,
    lines: dict[str, str],
    who: tuple[str, str] | None,
    networks: tuple[Network, ...],
    limit: int,
) -> wire.Answer:
    def dial(target: tuple[str, int], seconds: float, *_: Any) -> socket.socket:
        return _connected(*target, seconds, networks)

    path = urlunsplit(("", "", parts.path or "/", parts.query, ""))
    try:
        line = wire.Wire(_origin(parts), (CONNECT_SECONDS, ANSWER_SECONDS), 0, dial)
        return line.fetch("GET", path, headers=lines, auth=who, limit=limit)
    except wire.Unsendable:
        raise Unreadable("address_bad") from None
    except wire.TooLong:
        raise Unreadable("address_large", limit=limit // 1_000_000) from None
    except (wire.Unreached, wire.Broken) as error:
        raise Unreadable(_why(error)) from error


def _why(error: OSError) -> str:
    """Return the code for a connection or an answer that failed."""
    cause = error.__cause__
    if isinstance(cause, _Forbidden):
        return cause.code
    if isinstance(cause, socket.gaierror | UnicodeError):
        return "address_unknown"
    if isinstance(cause, TimeoutError):
        return "address_slow"
    if isinstance(cause, ssl.SSLError):
        return "address_certificate"
    cut = isinstance(error, wire.Broken) and (cause is None or isinstance(cause, IncompleteRead))
    return "address_cut" if cut else "address_unreachable"


def _connected(host: str, port: int, seconds: float, networks: tuple[Network, ...]) -> socket.socket:
    """Connect to one of the numbers that a host stands for, none of which is inside; raises OSError."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError:  # a label that is too long or empty
        raise socket.gaierror(host) from None
    verdicts = [(_verdict(str(where[0]), port, networks), family, where) for family, *_, where in found]
    usable = [(family, where) for no, family, where in verdicts if not no]
    if not usable:
        raise _Forbidden(verdicts[0][0] if verdicts else "address_unknown")
    until, failed = time.monotonic() + seconds, OSError()
    for family, where in usable:
        try:
            return _to(family, where, max(0.1, until - time.monotonic()))
        except OSError as error:
            failed = error
    raise failed


def _to(family: int, where: Any, seconds: float) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.settimeout(seconds)
        made.connect(where)
    except BaseException:
        made.close()
        raise
    return made


def _verdict(number: str, port: int, networks: tuple[Network, ...]) -> str:
    """Return why nothing may be read at an IP address and port, as a code; nothing where it may."""
    ip = _meant(ip_address(number))
    if any(ip.version == network.version and ip in network for network in networks):
        return ""
    old_inside = isinstance(ip, IPv6Address) and ip.is_site_local
    if not ip.is_global or ip.is_multicast or ip.is_reserved or old_inside:
        return "address_inside"
    return "" if port in PORTS else "address_port"


def _meant(ip: Address) -> Address:
    """Return the address that one leads to: IPv4 can be wrapped into IPv6 in several ways."""
    if not isinstance(ip, IPv6Address):
        return ip
    inner = ip.ipv4_mapped or ip.sixtofour
    if inner is None and ip in NAT64:
        inner = IPv4Address(int(ip) & 0xFFFF_FFFF)
    return inner or ip
