"""HTTP as an adapter needs it: limits of time and size, and what a failure says about the other side."""

import math
import re
import ssl
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any, NamedTuple, cast
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError
from urllib3.exceptions import ProxyError as NoProxyError

from sms.carriers.contract import Outcome, OutcomeKind, Reason

MAX_ANSWER = 1_000_000
"""Bytes of an answer; a page of 200 messages at Twilio has about 240,000."""
MAX_PATIENCE = 3600.0
"""Seconds; a longer Retry-After is a mistake or an attack."""
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Unsendable(Exception):
    """The request could not even be written down; nothing has left."""


class Answer(NamedTuple):
    """What came back, whatever its status."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Wire:
    """One origin, one pool of connections for all threads; sends each request once, follows no redirect."""

    def __init__(self, base_url: str, timeouts: tuple[float, float], window: int) -> None:
        """`timeouts` in seconds: to connect, and to wait for an answer and again for its body.

        `window` requests may be in flight at once.
        """
        parts = urlsplit(base_url)
        self.scheme, self.netloc = parts.scheme, parts.netloc
        self.timeouts = timeouts
        self.session = _session(parts.hostname or "", window)

    @property
    def origin(self) -> str:
        """Scheme and host, as in `https://api.twilio.com`."""
        return f"{self.scheme}://{self.netloc}"

    def fetch(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        limit: int = MAX_ANSWER,
    ) -> Answer:
        """Ask for the path and query of `url` at our own origin; at most `limit` bytes are read.

        Raises Unsendable, or what requests raises; `failure` makes an outcome of either.
        """
        here = urlsplit(url)._replace(scheme=self.scheme, netloc=self.netloc).geturl()
        try:
            request = requests.Request(method.upper(), here, headers, None, data, params, auth)
            prepared = self.session.prepare_request(request)
        except (ValueError, requests.RequestException) as error:
            raise Unsendable(type(error).__name__) from None
        surroundings = self.session.merge_environment_settings(prepared.url, {}, True, None, None)
        answer = self.session.send(
            prepared, timeout=self.timeouts, allow_redirects=False, **cast(Any, surroundings)
        )
        with answer:
            return Answer(answer.status_code, answer.headers, _body(answer, limit, self.timeouts[1]))

    def close(self) -> None:
        """Give the connections back."""
        self.session.close()


def failure(error: Exception) -> Outcome:
    """Tell what provably never left this machine from what may have arrived; anything odd is unknown."""
    if isinstance(error, Unsendable):
        return Outcome(OutcomeKind.rejected, reason=Reason.other, detail=f"cannot be written down: {error}")
    causes = list(_causes(error))
    detail = type(causes[-1]).__name__
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return Outcome(OutcomeKind.auth, reason=Reason.setup, detail="the certificate is not trusted")
    if any(isinstance(cause, NewConnectionError | ConnectTimeoutError | NoProxyError) for cause in causes):
        return Outcome(OutcomeKind.temporary, reason=Reason.network, detail=detail)
    reason = Reason.network if isinstance(error, requests.RequestException) else Reason.other
    return Outcome(OutcomeKind.unknown, reason=reason, detail=detail)


def retry_after(value: str | None) -> float | None:
    """Read Retry-After, seconds or an HTTP date (RFC 9110, 10.2.3), as seconds from 0 to an hour."""
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        seconds = _until(value)
    return None if math.isnan(seconds) else min(max(seconds, 0.0), MAX_PATIENCE)


def masked(message: str, private: str = "") -> str:
    """Return a carrier's sentence as one short line without our text `private` and without full numbers."""
    cleaned = message.replace(private, "...") if private else message
    return re.sub(r"\+?\d[\d ()/-]{4,}\d", "...", " ".join(cleaned.split()))[:200]


def _session(host: str, window: int) -> requests.Session:
    session = requests.Session()
    for scheme in ("https://", "http://"):
        session.mount(scheme, HTTPAdapter(pool_connections=1, pool_maxsize=window, max_retries=0))
    # One session for all threads is safe as long as nothing is kept in it.
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    # A proxy of the environment leads outside, never to this machine itself.
    session.trust_env = host not in LOOPBACK
    return session


def _body(answer: requests.Response, limit: int, seconds: float) -> bytes:
    """Read a body of limited size in limited time: requests' own limit starts anew with every byte."""
    end = time.monotonic() + seconds
    body = bytearray()
    try:
        # read1 gives what has come so far; iter_content would wait for a whole chunk of a dripping answer.
        while part := answer.raw.read1(65536, decode_content=True):
            body += part
            if len(body) > limit or time.monotonic() > end:
                raise requests.ConnectionError("the answer is too long or too slow")
    except HTTPError as error:
        raise requests.ConnectionError(error) from None
    return bytes(body)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Walk from an exception of requests down into urllib3's and Python's own."""
    inner: Any = error
    while isinstance(inner, BaseException):
        yield inner
        reason = getattr(inner, "reason", None)
        nested = (part for part in inner.args if isinstance(part, BaseException))
        inner = reason if isinstance(reason, BaseException) else next(nested, None)


def _until(value: str) -> float:
    """Return the seconds from now to an HTTP date: its clock and the network's are the real ones."""
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return math.nan
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - datetime.now(UTC)).total_seconds()
