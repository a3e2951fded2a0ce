"""A network that speaks websms' REST interface: it takes texts and calls, shows them on phones, reports and answers.

The last two digits of the recipient tell what becomes of a text, as with the message centre of the SMPP tests:
00 delivered · 01 not reached · 03 refused on the way · 04 no report · 05 bad number · 06 too fast, twice · 07 the
answer is lost · 08 the line is cut instead of an answer · 09 the report comes first · 10 every report twice ·
12 delivered, then on its way · 17 in trouble · 19 has opted out.
"""

import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any
from urllib.request import Request, urlopen

REFUSALS = {"05": (400, 4002), "17": (503, 5003), "19": (200, 4031)}
REPORTS = {"01": "undelivered", "03": "rejected"}


@dataclass
class Answered:
    """A callback that we made and what was answered."""

    body: dict[str, Any]
    status: int
    answer: Any


@dataclass
class WebsmsNetwork:
    """Listens on loopback until `stop`."""

    inbound_url: str = ""
    """Where texts from phones go; what an owner enters in websms' own interface."""
    taken: list[dict[str, Any]] = field(default_factory=list)
    authorizations: set[str] = field(default_factory=set)
    callbacks: list[Answered] = field(default_factory=list)
    busy: dict[str, int] = field(default_factory=dict)
    """Numbers whose telephone is not answered, and how many times more."""

    def __post_init__(self) -> None:
        self._numbers = count(1)
        self._ending = threading.Event()
        network = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                network._serve(self)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        self._ending.set()
        self._server.shutdown()
        self._server.server_close()

    def texts(self, number: str) -> list[str]:
        """What one phone shows; the number as E.164."""
        return [m["messageContent"] for m in self._to(number) if m.get("messageType") != "voice"]

    def heard(self, number: str) -> list[str]:
        """What was read aloud to one telephone, a line for each call."""
        return [m["messageContent"] for m in self._to(number) if m.get("messageType") == "voice"]

    def text(self, number: str, to: str, body: str) -> Answered:
        """A phone sends a text."""
        return self._call_back(
            self.inbound_url,
            {
                "messageType": "text",
                "notificationId": f"{next(self._numbers):020x}",
                "senderAddress": number.removeprefix("+"),
                "senderAddressType": "international",
                "recipientAddress": to.removeprefix("+"),
                "recipientAddressType": "international",
                "textMessageContent": body,
            },
        )

    def _to(self, number: str) -> list[dict[str, Any]]:
        return [m for m in list(self.taken) if m["recipientAddressList"] == [number.removeprefix("+")]]

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        asked = json.loads(handler.rfile.read(int(handler.headers["Content-Length"])))
        self.authorizations.add(handler.headers["Authorization"])
        (number,) = asked["recipientAddressList"]
        how = number[-2:]
        if how in REFUSALS:
            status, code = REFUSALS[how]
            return _say(handler, status, {"statusCode": code, "statusMessage": "no"})
        if how == "06" and self.busy.setdefault(number, 2):
            self.busy[number] -= 1
            return _say(handler, 429, {"statusCode": 4023, "statusMessage": "too fast"})
        transfer = f"{next(self._numbers):020x}"
        if asked.get("test"):
            return _say(handler, 200, {"statusCode": 2000, "transferId": transfer})
        self.taken.append(asked)
        if how == "09":
            self._report(asked, transfer, ["delivered"])
        else:
            threading.Thread(target=self._report_soon, args=(asked, transfer, how), daemon=True).start()
        if how == "07":
            self._ending.wait(3)
        if how in ("07", "08"):
            handler.close_connection = True
            return None
        return _say(handler, 200, {"statusCode": 2000, "statusMessage": "OK", "transferId": transfer})

    def _report_soon(self, asked: dict[str, Any], transfer: str, how: str) -> None:
        time.sleep(0.05)
        number = asked["recipientAddressList"][0]
        if asked.get("messageType") == "voice" and self.busy.get(number):
            self.busy[number] -= 1
            words = ["undelivered"]
        else:
            word = REPORTS.get(how, "delivered")
            words = {"04": [], "10": [word, word], "12": [word, "accepted"]}.get(how, ["accepted", word])
        self._report(asked, transfer, words)

    def _report(self, asked: dict[str, Any], transfer: str, words: list[str]) -> None:
        for word in words:
            body = {
                "messageType": "deliveryReport",
                "notificationId": f"{next(self._numbers):020x}",
                "transferId": transfer,
                "clientMessageId": asked.get("clientMessageId"),
                "senderAddress": asked["recipientAddressList"][0],
                "deliveryReportMessageStatus": word,
                "deliveredAs": "voice" if asked.get("messageType") == "voice" else "sms",
            }
            self._call_back(asked["notificationCallbackUrl"], body)

    def _call_back(self, url: str, body: dict[str, Any]) -> Answered:
        data = json.dumps(body).encode()
        request = Request(url, data, {"Content-Type": "application/json"}, method="POST")
        with urlopen(request, timeout=5) as answer:
            self.callbacks.append(Answered(body, answer.status, json.loads(answer.read())))
        return self.callbacks[-1]


def _say(handler: BaseHTTPRequestHandler, status: int, body: dict[str, Any]) -> None:
    data = json.dumps(body).encode()
    handler.send_response(status)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(data)))
    handler.end_headers()
    handler.wfile.write(data)
