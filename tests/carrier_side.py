"""The carrier's side of the wire: callbacks with its own signature, as the configured account's token makes it."""

import itertools
from typing import Any
from urllib.parse import urlencode

from flask import Flask
from flask.testing import FlaskClient
from twilio.request_validator import RequestValidator
from werkzeug.test import TestResponse

from sms import exchange
from sms.models import Call, Message
from sms.sandbox.account import credentials

POOL = ("+491713920010", "+491713920011", "+491713920012")
VOICE = "+493023125100"
MARGARETHE, TORSTEN, ILSE = "+491713920042", "+491713920033", "+493023125640"

_numbers = itertools.count(1)


def sid(letters: str = "SM") -> str:
    """Return a new reference as the carrier makes them."""
    return f"{letters}{next(_numbers):032x}"


class CarrierSide:
    """Posts what the carrier would post; every answer is the test's to judge."""

    def __init__(self, app: Flask) -> None:
        app.test_client_class = None
        self.client: FlaskClient = app.test_client()
        self.account, self.token = credentials(exchange.current().settings.data)
        self.origin = exchange.current().public_url

    def post(self, path: str, form: dict[str, Any] | None = None, **more: Any) -> TestResponse:
        """Post a form to a path of ours (query and all, as it stands on the wire), signed."""
        form = form or {}
        signature = RequestValidator(self.token).compute_signature(self.origin + path, form)
        headers = {"X-Twilio-Signature": signature, **more.pop("headers", {})}
        return self.send(path, urlencode(form), headers, **more)

    def send(self, path: str, body: str | bytes, headers: dict[str, str], **more: Any) -> TestResponse:
        """Post a raw body with these headers and nothing else."""
        bare, _, query = path.partition("?")
        return self.client.post(
            bare,
            data=body,
            query_string=query,
            headers=headers,
            content_type=more.pop("content_type", "application/x-www-form-urlencoded"),
            environ_overrides={"RAW_URI": path, "REQUEST_URI": path},
            **more,
        )

    def text(self, body: str, sender: str = MARGARETHE, to: str = POOL[0], **fields: Any) -> TestResponse:
        """A phone has sent a text to one of our numbers."""
        form = {"MessageSid": sid(), "From": sender, "To": to, "Body": body, "NumMedia": "0", **fields}
        return self.post("/carriers/sandbox/inbound", form)

    def report(self, message: Message, status: str, reference: str = "", **fields: Any) -> TestResponse:
        """A delivery report for a message, at the address that its present attempt has named."""
        key = Message.get_by_id(message.id).key
        form = {
            "MessageSid": reference or message.carrier_reference or f"SM{message.id:032x}",
            "MessageStatus": status,
            "AccountSid": self.account,
            **fields,
        }
        return self.post(f"/carriers/sandbox/status?key={key}", form)

    def call_report(self, call: Call, status: str, **fields: Any) -> TestResponse:
        """The progress of a call of ours."""
        form = {"CallSid": self.call_sid(call), "CallStatus": status, "AccountSid": self.account, **fields}
        return self.post(f"/carriers/sandbox/voice/status?key={call.key}", form)

    def in_call(self, call: Call, state: str, **fields: Any) -> TestResponse:
        """The question what to say in a call of ours: answer, keys, heard."""
        form = {"CallSid": self.call_sid(call), "From": call.ours, "To": call.theirs, **fields}
        return self.post(f"/carriers/sandbox/voice/{state}?key={call.key}", form)

    def call_sid(self, call: Call) -> str:
        """Return the carrier's reference of a call."""
        return call.carrier_reference or f"CA{call.id:032x}"
