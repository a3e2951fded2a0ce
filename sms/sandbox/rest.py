"""Twilio's REST API: the wire protocol of messages, calls and recordings that the official SDK speaks."""

import json
import re
import socket
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, current_app, request
from werkzeug.exceptions import HTTPException

from sms.gsm import msisdn
from sms.sandbox import form, phones
from sms.sandbox.faults import NOT_TAKEN, SILENCE
from sms.sandbox.form import Refused
from sms.sandbox.network import Network
from sms.sandbox.store import Row

VERSION = "2010-04-01"
LONGEST_BODY = 1600
ROOT = f"/{VERSION}/Accounts/<sid>"

rest = Blueprint("rest", __name__)

_alphanumeric = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9][A-Za-z0-9 ]{0,10}").fullmatch


def network() -> Network:
    """Return the network of the present app."""
    found: Network = current_app.extensions["network"]
    return found


def answer(body: Mapping[str, Any], status: int = 200) -> Response:
    """Return JSON as Twilio writes it."""
    return Response(json.dumps(body), status, mimetype="application/json")


@rest.errorhandler(Refused)
def refused(error: Refused) -> Response:
    """Turn a refusal into Twilio's error body."""
    response = answer(error.body(), error.status)
    if error.status == 401:
        response.headers["WWW-Authenticate"] = 'Basic realm="Twilio API"'
    return response


@rest.errorhandler(HTTPException)
def not_ours(error: HTTPException) -> Response:
    """Give Werkzeug's own errors (404, 405, 413) Twilio's body too."""
    status = error.code or 500
    return refused(Refused(status, 20000 + status, error.name))


@rest.url_value_preprocessor
def only_our_account(endpoint: str | None, values: dict[str, Any] | None) -> None:
    """Let in requests with the account's id and token, for that account alone."""
    net, who = network(), request.authorization
    if who is None or who.type != "basic" or (who.username, who.password) != (net.sid, net.token):
        raise Refused(401, 20003, "Authenticate")
    if values is None or values.pop("sid") != net.sid:
        raise not_found()


def not_found() -> Refused:
    """Return the error for what does not exist."""
    return Refused(404, 20404, f"The requested resource {request.path} was not found")


@rest.post(f"{ROOT}/Messages.json")
def create_message() -> Response:
    """Take a text, or misbehave as told."""
    return with_fault("messages", _create_message)


def _create_message() -> Response:
    fields = read_form(form.MESSAGE)
    net, to, body = network(), fields.get("To", "").strip(), fields.get("Body", "")
    if not to:
        raise Refused(400, 21604, "A 'To' phone number is required.")
    if not fields.get("From") and not fields.get("MessagingServiceSid"):
        raise Refused(400, 21603, "A 'From' or 'MessagingServiceSid' parameter is required to send a message")
    if fields.get("MessagingServiceSid") or fields.get("ContentSid"):
        raise Refused(400, 21701, "The Messaging Service does not exist")
    if fields.get("MediaUrl"):
        raise Refused(400, 21620, "Invalid media URL(s): German numbers carry no MMS")
    if not body:
        raise Refused(400, 21602, "Message body is required.")
    if len(body) > LONGEST_BODY:
        raise Refused(400, 21617, "The concatenated message body exceeds the 1600 character limit.")
    recipient = read_recipient(to)
    if recipient.channel != "sms":
        raise Refused(400, 21614, f"'To' number is not a valid mobile number: {to[:40]}")
    sender = _text_sender(fields["From"].strip(), to)
    number = recipient.e164 or ""
    if sender == number:
        raise Refused(400, 21266, "'To' and 'From' number cannot be the same")
    if phones.find(net.store, number).blocks:
        raise Refused(400, 21610, "Attempt to send to unsubscribed recipient")
    message = net.texts.accept(sender, number, body, fields.get("StatusCallback"))
    return answer(message_json(message), 201)


@rest.get(f"{ROOT}/Messages.json")
def list_messages() -> Response:
    """List texts, newest first, with Twilio's filters."""
    return list_rows("messages", "message", form.MESSAGE_LIST, message_json, {"DateSent": "sent_at"})


@rest.get(f"{ROOT}/Messages/<item>.json")
def fetch_message(item: str) -> Response:
    """Return one text."""
    return answer(message_json(one_row("message", "SM|MM", item)))


@rest.post(f"{ROOT}/Messages/<item>.json")
def update_message(item: str) -> Response:
    """Redact a text's body; there are no scheduled texts that could be cancelled."""
    message, fields = one_row("message", "SM|MM", item), read_form(form.MESSAGE_UPDATE)
    if fields.get("Status"):
        raise Refused(400, 30409, "The message is not scheduled and cannot be canceled")
    if fields.get("Body", None) != "":
        raise Refused(400, 20001, "A message can only be redacted: Body must be empty")
    network().store.run("UPDATE message SET body = '' WHERE id = ?", message["id"])
    return answer(message_json(one_row("message", "SM|MM", item)))


@rest.delete(f"{ROOT}/Messages/<item>.json")
def delete_message(item: str) -> Response:
    """Delete a text that has come to its end."""
    message = one_row("message", "SM|MM", item)
    if message["status"] in ("queued", "sent"):
        raise Refused(409, 20009, "The message is not finished yet")
    network().store.run("DELETE FROM message WHERE id = ?", message["id"])
    return Response(status=204)


def read_form(table: Mapping[str, form.Check]) -> dict[str, str]:
    """Return the checked fields; only form encoding is understood, as at Twilio."""
    if request.mimetype != "application/x-www-form-urlencoded" and request.content_length:
        raise Refused(415, 20415, "Unsupported Media Type: application/x-www-form-urlencoded is expected")
    form.check(request.form, table)
    return {name: request.form[name] for name in request.form}


def read_recipient(to: str) -> msisdn.Number:
    """Return a recipient's number; raises Refused where it is none in E.164."""
    found = msisdn.parse(to)
    if not to.startswith("+") or found.e164 is None:
        raise Refused(400, 21211, f"Invalid 'To' Phone Number: {to[:40]}")
    return found


def _text_sender(sender: str, to: str) -> str:
    if _alphanumeric(sender):
        return sender
    found = msisdn.parse(sender)
    if not sender.startswith("+") or found.e164 is None:
        wrong = f"The 'From' number {sender[:40]} is not a valid phone number, shortcode, or alphanumeric sender ID."
        raise Refused(400, 21212, wrong)
    ours = network().numbers.get(found.e164)
    if ours is None or not ours.sms:
        wrong = (
            f"The 'From' phone number provided ({sender}) is not a valid message-capable Twilio phone number"
        )
        raise Refused(400, 21606, f"{wrong} for this destination ({to}).")
    return ours.number


def with_fault(kind: str, take: Callable[[], Response]) -> Response:
    """Take a request, or misbehave as the faults of its kind say."""
    mode = network().faults.take(kind)
    if mode == "429":
        raise Refused(429, 20429, "Too Many Requests")
    if mode == "500":
        raise Refused(500, 20500, "An internal server error has occurred")
    if mode not in NOT_TAKEN:
        taken = take()
        if mode == "ok":
            return taken
    if mode != "cut":
        _stay_silent()
    return _hang_up()


def _stay_silent() -> None:
    """Answer nothing for SILENCE seconds, or until the sandbox ends."""
    until = time.monotonic() + SILENCE
    while time.monotonic() < until and not network().feed.closed:
        time.sleep(0.2)


def _hang_up() -> Response:
    """Close the connection without an answer; the server names its socket for this."""
    line: socket.socket | None = request.environ.get("werkzeug.socket")
    if line is not None:
        line.shutdown(socket.SHUT_RDWR)
    return Response(status=500)


def one_row(table: str, prefix: str, item: str) -> Row:
    """Return the row of a Twilio id; raises Refused (404)."""
    found = network().store.row(f"SELECT * FROM {table} WHERE sid = ?", item)
    if not form.is_sid(prefix)(item) or found is None:
        raise not_found()
    return found


def list_rows(
    name: str,
    table: str,
    allowed: Mapping[str, form.Check],
    render: Callable[[Row], dict[str, Any]],
    moments: Mapping[str, str],
) -> Response:
    """Return one page of rows, newest first, and the address of the next."""
    form.check(request.args, {**allowed, **form.PAGE})
    where, values = _conditions(table, moments)
    size, page = int(request.args.get("PageSize", 50)), int(request.args.get("Page", 0))
    if token := request.args.get("PageToken"):
        last = one_row(table, "SM|MM|CA|RE", token.removeprefix("PA"))
        where, values = [*where, "id < ?"], [*values, last["id"]]
    condition = " AND ".join(where) or "1"
    sql = f"SELECT * FROM {table} WHERE {condition} ORDER BY id DESC LIMIT ?"
    found = network().store.rows(sql, *values, size + 1)
    rows, more = found[:size], len(found) > size
    return answer(
        {
            name: [render(row) for row in rows],
            "page": page,
            "page_size": size,
            "start": page * size,
            "end": page * size + max(len(rows) - 1, 0),
            "uri": _page_uri({}),
            "first_page_uri": _page_uri({"Page": "0", "PageToken": ""}),
            "previous_page_uri": None,
            "next_page_uri": _page_uri({"Page": str(page + 1), "PageToken": f"PA{rows[-1]['sid']}"})
            if more
            else None,
        }
    )


def _conditions(table: str, moments: Mapping[str, str]) -> tuple[list[str], list[Any]]:
    columns = {"message": ("sender", "recipient"), "call": ("caller", "called")}.get(table)
    where: list[str] = []
    values: list[Any] = []
    for field, column in zip(("From", "To"), columns or (), strict=False):
        if field in request.args:
            where.append(f"{column} = ?")
            values.append(_as_stored(request.args[field]))
    for field, column in {"Status": "status", "CallSid": "call"}.items():
        if field in request.args and table != "message":
            where.append(f"{column} = ?")
            values.append(request.args[field])
    for field, column in moments.items():
        for sign, operator in (("<", "<="), (">", ">=")):
            if bound := request.args.get(field + sign):
                where.append(f"{column} {operator} ?")
                values.append(form.moment(bound))
        if day := request.args.get(field):
            where.append(f"{column} >= ? AND {column} < ?")
            start = form.moment(day[:10] + "T00:00:00Z")
            values += [start, start + 86400]
    return where, values


def _as_stored(number: str) -> str:
    """Return a filter's number as E.164; a query's bare + arrives as a blank."""
    tidy = "+" + number.strip() if number.startswith(" ") else number.strip()
    return (msisdn.parse(tidy).e164 or tidy) if tidy.startswith("+") else tidy


def _page_uri(changes: Mapping[str, str]) -> str:
    query = dict(request.args.items()) | dict(changes)
    kept = {name: value for name, value in query.items() if value != ""}
    return request.path + (f"?{urlencode(kept)}" if kept else "")


def rfc2822(at: float | None) -> str | None:
    """Return a moment as Twilio writes it: Sat, 21 Nov 2026 21:40:00 +0000."""
    return format_datetime(datetime.fromtimestamp(int(at), UTC)) if at is not None else None


def message_json(row: Row) -> dict[str, Any]:
    """Return a message resource; every property of the OpenAPI document, in its types."""
    uri = f"/{VERSION}/Accounts/{network().sid}/Messages/{row['sid']}"
    return {
        "account_sid": network().sid,
        "api_version": VERSION,
        "body": row["body"],
        "date_created": rfc2822(row["created_at"]),
        "date_sent": rfc2822(row["sent_at"]),
        "date_updated": rfc2822(row["updated_at"]),
        "direction": row["direction"],
        "error_code": row["error"],
        "error_message": None,
        "from": row["sender"],
        "messaging_service_sid": None,
        "num_media": "0",
        "num_segments": str(row["parts"]),
        "price": None,
        "price_unit": "USD",
        "sid": row["sid"],
        "status": row["status"],
        "subresource_uris": {"media": f"{uri}/Media.json"},
        "to": row["recipient"],
        "uri": f"{uri}.json",
    }
