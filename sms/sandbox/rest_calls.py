"""Twilio's REST API for calls and what they recorded."""

import math
from typing import Any

from flask import Response, request

from sms.gsm import msisdn
from sms.sandbox import form
from sms.sandbox.call import FINAL
from sms.sandbox.calls import RING
from sms.sandbox.form import Refused
from sms.sandbox.rest import (
    ROOT,
    VERSION,
    answer,
    list_rows,
    network,
    one_row,
    read_form,
    read_recipient,
    rest,
    rfc2822,
    with_fault,
)
from sms.sandbox.store import Row

LONGEST_TWIML = 4000
LONGEST_RING = 600
MOMENT = 0.5
"""Seconds a change of a call may take until its thread has taken note and the answer can tell."""
CALLABLE = ("mobile", "landline", "landline_or_mobile", "voip")


@rest.post(f"{ROOT}/Calls.json")
def create_call() -> Response:
    """Take a call, or misbehave as told."""
    return with_fault("calls", _create_call)


def _create_call() -> Response:
    fields = read_form(form.CALL)
    if not fields.get("To", "").strip():
        raise Refused(400, 21201, "No 'To' number is specified")
    if not fields.get("From", "").strip():
        raise Refused(400, 21213, "'From' phone number is required")
    if not fields.get("Url") and not fields.get("Twiml"):
        raise Refused(400, 21205, "Either 'Url' or 'Twiml' is required")
    if len(fields.get("Twiml", "")) > LONGEST_TWIML:
        raise Refused(400, 21218, f"'Twiml' is longer than {LONGEST_TWIML} characters")
    recipient = read_recipient(fields["To"].strip())
    if recipient.kind not in CALLABLE:
        raise Refused(400, 21217, "Phone number does not appear to be valid")
    ring = int(fields.get("Timeout", RING))
    if not 1 <= ring <= LONGEST_RING:
        raise Refused(400, form.INVALID_PARAMETER, "Invalid 'Timeout' parameter: 1 to 600 seconds")
    settings = _settings(fields, ring)
    call = network().calls.place(_caller(fields["From"].strip()), recipient.e164 or "", settings)
    return answer(call_json(call), 201)


def _settings(fields: dict[str, str], ring: int) -> dict[str, Any]:
    return {
        "url": fields.get("Url"),
        "method": fields.get("Method", "POST"),
        "twiml": fields.get("Twiml"),
        "fallback_url": fields.get("FallbackUrl"),
        "fallback_method": fields.get("FallbackMethod", "POST"),
        "callback": fields.get("StatusCallback"),
        "callback_method": fields.get("StatusCallbackMethod", "POST"),
        "events": request.form.getlist("StatusCallbackEvent") or ["completed"],
        "timeout": ring,
        "machine_detection": fields.get("MachineDetection"),
        "reason": fields.get("CallReason"),
    }


def _caller(raw: str) -> str:
    found = msisdn.parse(raw)
    if not raw.startswith("+") or found.e164 is None:
        raise Refused(400, 21212, f"Invalid From Number (caller ID): {raw[:40]}")
    ours = network().numbers.get(found.e164)
    if ours is None or not ours.voice:
        raise Refused(400, 21210, f"'From' phone number not verified: {raw[:40]}")
    return ours.number


@rest.get(f"{ROOT}/Calls.json")
def list_calls() -> Response:
    """List calls, newest first, with Twilio's filters."""
    moments = {"StartTime": "answered_at", "EndTime": "ended_at"}
    return list_rows("calls", "call", form.CALL_LIST, call_json, moments)


@rest.get(f"{ROOT}/Calls/<item>.json")
def fetch_call(item: str) -> Response:
    """Return one call."""
    return answer(call_json(one_row("call", "CA", item)))


@rest.post(f"{ROOT}/Calls/<item>.json")
def update_call(item: str) -> Response:
    """Cancel a call, end it, or send it to another document."""
    call, fields = one_row("call", "CA", item), read_form(form.CALL_UPDATE)
    line = network().calls.line(item)
    if call["status"] in FINAL or line is None:
        raise Refused(400, 21220, "Call is not in-progress. Cannot redirect.")
    if fields.get("Url") or fields.get("Twiml"):
        if not call["answered_at"]:
            raise Refused(400, 21220, "Call is not in-progress. Cannot redirect.")
        where = ("url", fields["Url"]) if fields.get("Url") else ("twiml", fields["Twiml"])
        line.move(where)
    elif fields.get("Status") == "canceled" and call["answered_at"]:
        raise Refused(400, 21220, "Invalid call state: only a queued or ringing call can be canceled")
    elif fields.get("Status"):
        line.hang_up() if call["answered_at"] else line.cancel()
    network().calls.join(item, MOMENT)
    return answer(call_json(one_row("call", "CA", item)))


@rest.delete(f"{ROOT}/Calls/<item>.json")
def delete_call(item: str) -> Response:
    """Delete a call that is over."""
    call = one_row("call", "CA", item)
    if call["status"] not in FINAL:
        raise Refused(409, 20009, "The call is not over yet")
    network().store.run("DELETE FROM call WHERE id = ?", call["id"])
    return Response(status=204)


@rest.get(f"{ROOT}/Recordings.json")
def list_recordings() -> Response:
    """List recordings, newest first."""
    moments = {"DateCreated": "created_at"}
    return list_rows("recordings", "recording", form.RECORDING_LIST, recording_json, moments)


@rest.get(f"{ROOT}/Recordings/<item>.json")
def fetch_recording(item: str) -> Response:
    """Return one recording's description."""
    return answer(recording_json(one_row("recording", "RE", item)))


@rest.get(f"{ROOT}/Recordings/<item>")
@rest.get(f"{ROOT}/Recordings/<item>.wav")
def download_recording(item: str) -> Response:
    """Return the recording itself: WAV, 8 kHz, mono, 16 bit."""
    return Response(one_row("recording", "RE", item)["wav"], mimetype="audio/x-wav")


@rest.delete(f"{ROOT}/Recordings/<item>.json")
def delete_recording(item: str) -> Response:
    """Delete a recording."""
    recording = one_row("recording", "RE", item)
    network().store.run("DELETE FROM recording WHERE id = ?", recording["id"])
    return Response(status=204)


def call_json(row: Row) -> dict[str, Any]:
    """Return a call resource; every property of the OpenAPI document, in its types."""
    uri = f"/{VERSION}/Accounts/{network().sid}/Calls/{row['sid']}"
    over = row["ended_at"] is not None
    return {
        "account_sid": network().sid,
        "answered_by": row["answered_by"],
        "api_version": VERSION,
        "caller_name": None,
        "date_created": rfc2822(row["created_at"]),
        "date_updated": rfc2822(row["updated_at"]),
        "direction": row["direction"],
        "duration": str(math.ceil(row["seconds"])) if over else None,
        "end_time": rfc2822(row["ended_at"]),
        "forwarded_from": None,
        "from": row["caller"],
        "from_formatted": msisdn.parse(row["caller"]).display,
        "group_sid": None,
        "parent_call_sid": None,
        "phone_number_sid": None,
        "price": None,
        "price_unit": "USD",
        "queue_time": "0",
        "sid": row["sid"],
        "start_time": rfc2822(row["answered_at"]),
        "status": row["status"],
        "subresource_uris": {
            "recordings": f"/{VERSION}/Accounts/{network().sid}/Recordings.json?CallSid={row['sid']}"
        },
        "to": row["called"],
        "to_formatted": msisdn.parse(row["called"]).display,
        "trunk_sid": None,
        "uri": f"{uri}.json",
    }


def recording_json(row: Row) -> dict[str, Any]:
    """Return a recording resource."""
    uri = f"/{VERSION}/Accounts/{network().sid}/Recordings/{row['sid']}"
    return {
        "account_sid": network().sid,
        "api_version": VERSION,
        "call_sid": row["call"],
        "channels": 1,
        "conference_sid": None,
        "date_created": rfc2822(row["created_at"]),
        "date_updated": rfc2822(row["created_at"]),
        "duration": str(max(1, round(row["seconds"]))),
        "encryption_details": None,
        "error_code": None,
        "media_url": network().recording_url(row["sid"]),
        "price": None,
        "price_unit": "USD",
        "sid": row["sid"],
        "source": "RecordVerb",
        "start_time": rfc2822(row["created_at"]),
        "status": "completed",
        "subresource_uris": {},
        "uri": f"{uri}.json",
    }
