"""The control API of tests and demos: what a phone sees and does, and how the network misbehaves."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from sms.gsm import msisdn
from sms.sandbox import faults, phones
from sms.sandbox.phones import Phone, double_zero
from sms.sandbox.rest import network
from sms.sandbox.store import Row

control = Blueprint("control", __name__, url_prefix="/api")

LONGEST_BODY = 1600
LONGEST_CALL = 60.0
"""Seconds until the answer to a call placed here comes even if the call is not over."""


class BadInput(Exception):
    """A sentence that says what is wrong, with its HTTP status (422 unless said otherwise)."""

    def __init__(self, sentence: str, status: int = 422) -> None:
        super().__init__(sentence)
        self.status = status


@control.errorhandler(BadInput)
def bad_input(error: BadInput) -> tuple[Response, int]:
    """Answer with the sentence."""
    return jsonify(error=str(error)), error.status


@control.errorhandler(HTTPException)
def no_page(error: HTTPException) -> tuple[Response, int]:
    """Answer other errors as JSON too."""
    return jsonify(error=error.description), error.code or 500


@control.get("/account")
def account() -> Response:
    """Return the made-up account, its numbers and where it takes callbacks."""
    net = network()
    numbers = [
        {"number": double_zero(n.number), "sms": n.sms, "voice": n.voice} for n in net.numbers.values()
    ]
    ways = {f"{way}_url": net.address(way) for way in ("inbound", "status", "voice")}
    return jsonify(sid=net.sid, token=net.token, numbers=numbers, **ways)


@control.get("/phones/<path:number>")
def show_phone(number: str) -> Response:
    """Return a phone with everything that happened on it, oldest first."""
    return jsonify(phone_json(phones.find(network().store, _number(number))))


@control.put("/phones/<path:number>")
def change_phone(number: str) -> Response:
    """Change how a phone behaves; what is not named stays."""
    e164, changes = _number(number), _changes(_json())
    phone = phones.change(network().store, e164, **changes)
    network().jobs.nudge()
    network().feed.ring()
    return jsonify(phone_json(phone))


@control.delete("/phones")
def forget() -> Response:
    """Forget everything."""
    network().forget()
    return Response(status=204)


@control.post("/phones/<path:number>/messages")
def write(number: str) -> tuple[Response, int]:
    """Let a phone send a text to one of the account's numbers."""
    phone, body = phones.find(network().store, _number(number)), _json()
    text = body.get("body")
    if not isinstance(text, str) or not text:
        raise BadInput("body: a text is missing")
    if len(text) > LONGEST_BODY:
        raise BadInput(f"body: a text has at most {LONGEST_BODY} characters")
    if "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise BadInput("body: no phone can write these characters")
    to = our_number(body.get("to"), "sms")
    _can_act(phone)
    if phone.landline:
        raise BadInput(f"{double_zero(phone.number)} is a landline and cannot send texts")
    return jsonify(message_json(network().texts.write(phone, to, text))), 201


@control.post("/phones/<path:number>/calls")
def dial(number: str) -> tuple[Response, int]:
    """Let a phone call one of the account's numbers; answers when the call is over."""
    phone, body = phones.find(network().store, _number(number)), _json()
    to = our_number(body.get("to"), "voice")
    _can_act(phone)
    call = network().calls.dial(phone, to, real_time=False)
    network().calls.join(call["sid"], LONGEST_CALL)
    return jsonify(call_json(network().calls.get(call["sid"]))), 201


@control.route("/faults", methods=["GET", "PUT"])
def misbehave() -> Response:
    """Set, or show, how the REST API misbehaves."""
    if request.method == "PUT":
        body = _json()
        chosen = {kind: body[kind] for kind in faults.KINDS if kind in body}
        count = body.get("count")
        if not chosen or set(body) - {*faults.KINDS, "count"}:
            raise BadInput("expected messages or calls with a mode, and perhaps count")
        for kind, mode in chosen.items():
            if mode not in faults.MODES:
                raise BadInput(f"{kind}: expected one of {', '.join(faults.MODES)}")
        if count is not None and (
            not isinstance(count, int) or isinstance(count, bool) or not 0 < count < 10**9
        ):
            raise BadInput("count: expected a whole number above 0")
        for kind, mode in chosen.items():
            network().faults.set(kind, mode, count)
    active = network().faults.active()
    return jsonify({kind: fault["mode"] for kind, fault in active.items()} | {"remaining": active})


def our_number(raw: Any, channel: str) -> str:
    """Return the account's number a phone wants to reach; raises BadInput."""
    if not isinstance(raw, str):
        raise BadInput("to: one of the account's numbers is missing")
    found = msisdn.parse(raw)
    ours = network().numbers.get(found.e164 or "")
    if ours is None:
        raise BadInput(f"to: {raw[:40]} is none of the account's numbers")
    if not getattr(ours, channel):
        raise BadInput(f"to: {double_zero(ours.number)} takes no {'texts' if channel == 'sms' else 'calls'}")
    return ours.number


def phone_json(phone: Phone) -> dict[str, Any]:
    """Return a phone as the contract shows it."""
    return {
        "number": double_zero(phone.number),
        "name": phone.name,
        "landline": phone.landline,
        "state": phone.state,
        "answer": phone.answer,
        "reports": phone.reports,
        "digits": phone.digits,
        "machine": phone.machine,
        "blocks": phone.blocks,
        "messages": [message_json(row) for row in network().texts.of(phone.number)],
        "calls": [call_json(row) for row in network().calls.of(phone.number)],
    }


def call_json(row: Row) -> dict[str, Any]:
    """Return a call from the phone's side: what was heard, pressed and recorded."""
    net = network()
    heard = net.store.rows("SELECT * FROM heard WHERE call = ? ORDER BY id", row["sid"])
    recorded = net.store.rows("SELECT sid, seconds FROM recording WHERE call = ? ORDER BY id", row["sid"])
    return {
        "sid": row["sid"],
        "direction": "outgoing" if row["direction"] == "inbound" else "incoming",
        "from": double_zero(row["caller"]),
        "to": double_zero(row["called"]),
        "at": rfc3339(row["created_at"]),
        "answered_at": rfc3339(row["answered_at"]),
        "ended_at": rfc3339(row["ended_at"]),
        "status": row["status"],
        "answered_by": row["answered_by"],
        "seconds": round(row["seconds"], 1),
        "heard": [_heard_json(sound) for sound in heard],
        "digits": row["digits"],
        "recorded": [
            {"url": net.recording_url(one["sid"]), "seconds": round(one["seconds"], 1)} for one in recorded
        ],
        "errors": json.loads(row["errors"]),
    }


def _heard_json(row: Row) -> dict[str, Any]:
    known = {name: row[name] for name in ("url", "text") if row[name] is not None}
    return {"kind": row["kind"], **known, "seconds": round(row["seconds"], 2)}


def message_json(row: Row) -> dict[str, Any]:
    """Return a text from the phone's side: incoming is what it received."""
    return {
        "sid": row["sid"],
        "direction": "outgoing" if row["direction"] == "inbound" else "incoming",
        "from": double_zero(row["sender"]),
        "to": double_zero(row["recipient"]),
        "body": row["body"],
        "at": rfc3339(row["arrived_at"]),
    }


def rfc3339(at: float | None) -> str | None:
    """Return a moment as 2026-11-21T21:40:00.123Z."""
    if at is None:
        return None
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _number(raw: str) -> str:
    found = msisdn.parse(raw)
    if found.e164 is None:
        raise BadInput(f"{raw[:40]} is no phone number")
    return found.e164


def _json() -> dict[str, Any]:
    body = request.get_json(silent=True, force=True)
    if not isinstance(body, dict):
        raise BadInput("expected a JSON object")
    return body


def _can_act(phone: Phone) -> None:
    if phone.state in ("off", "no-network"):
        raise BadInput(f"{double_zero(phone.number)} is switched off or without network", 409)


def _one_of(*words: str) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and value in words


FIELDS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "state": (_one_of(*phones.STATES), f"one of {', '.join(phones.STATES)}"),
    "answer": (_one_of(*phones.ANSWERS), f"one of {', '.join(phones.ANSWERS)}"),
    "reports": (_one_of(*phones.REPORTS), f"one of {', '.join(phones.REPORTS)}"),
    "digits": (
        lambda value: isinstance(value, str) and len(value) <= 100 and not set(value) - set("0123456789*#"),
        "keys of a telephone: 0-9, * and #",
    ),
    "machine": (lambda value: isinstance(value, bool), "true or false"),
    "blocks": (lambda value: isinstance(value, bool), "true or false"),
    "speech": (lambda value: isinstance(value, str) and len(value) <= 500, "at most 500 characters"),
    "name": (lambda value: isinstance(value, str) and len(value) <= 80, "at most 80 characters"),
}


def _changes(body: dict[str, Any]) -> dict[str, Any]:
    for name, value in body.items():
        if name not in FIELDS:
            raise BadInput(f"{name} is no property of a phone. Known: {', '.join(FIELDS)}")
        fits, expected = FIELDS[name]
        if not fits(value):
            raise BadInput(f"{name}: expected {expected}")
    return body
