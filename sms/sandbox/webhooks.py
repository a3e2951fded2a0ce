"""Signed requests from the network to the customer's addresses, as Twilio makes them."""

import threading
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

import requests
from twilio.request_validator import RequestValidator

TIMEOUT = 15.0
"""Seconds until an answer must have begun: Twilio's own limit."""
LARGEST = 20_000_000
"""Bytes of a document or an audio file that are read before giving up."""

Params = dict[str, str]


class Unreachable(Exception):
    """No usable answer: refused, timed out, broken off or far too long; the text says which."""


@dataclass(frozen=True)
class Answer:
    """An HTTP answer: status, content type without parameters, the whole body."""

    status: int
    kind: str
    body: bytes


class Webhooks:
    """Posts forms and fetches documents, signed with the account's token."""

    def __init__(self, token: str) -> None:
        self._validator = RequestValidator(token)
        self._local = threading.local()

    def post(self, url: str, params: Params) -> Answer:
        """POST a form; raises Unreachable."""
        return self._ask("POST", url, params)

    def ask(self, method: str, url: str, params: Params) -> Answer:
        """POST a form, or GET with the parameters in the query; raises Unreachable."""
        if method == "POST":
            return self._ask("POST", url, params)
        joined = "&" if urlsplit(url).query else "?"
        return self._ask("GET", url + joined + urlencode(params), {})

    def fetch(self, url: str) -> Answer:
        """GET an audio file; raises Unreachable."""
        return self._ask("GET", url, {})

    def _ask(self, method: str, url: str, params: Params) -> Answer:
        if urlsplit(url).scheme not in ("http", "https"):
            raise Unreachable("not an http address")
        signature = self._validator.compute_signature(url, params)
        headers = {"X-Twilio-Signature": signature, "User-Agent": "TwilioProxy/1.1", "Accept": "*/*"}
        try:
            with self._session().request(
                method, url, data=params or None, headers=headers, timeout=TIMEOUT, stream=True
            ) as answer:
                return Answer(
                    answer.status_code,
                    answer.headers.get("Content-Type", "").partition(";")[0].strip().lower(),
                    _body(answer),
                )
        except requests.RequestException as error:
            raise Unreachable(type(error).__name__) from None

    def _session(self) -> requests.Session:
        """One connection pool a thread; a proxy of the environment is none of the network's business."""
        if not hasattr(self._local, "session"):
            self._local.session = requests.Session()
            self._local.session.trust_env = False
        session: requests.Session = self._local.session
        return session


def _body(answer: requests.Response) -> bytes:
    body = bytearray()
    for chunk in answer.iter_content(65536):
        body += chunk
        if len(body) > LARGEST:
            raise Unreachable("larger than 20 MB")
    return bytes(body)
