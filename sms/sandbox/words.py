"""The table of events in words: what happened, and what Faden gets to know of it."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext

from sms.sandbox.handset import wall_time
from sms.sandbox.phones import double_zero
from sms.sandbox.store import Row

LONGEST = 60
HIDDEN = ("call-initiated",)
"""Steps that nobody at a phone would notice."""


@dataclass(frozen=True)
class Line:
    """One row: `tone` is ok, warn, fail or "" for what is merely so."""

    key: int
    at: datetime
    number: str
    what: str
    learned: str
    tone: str


def lines(events: list[Row]) -> list[Line]:
    """Return the events in the language of the request, in the order given."""
    return [_line(event) for event in events if event["kind"] not in HIDDEN]


def _line(event: Row) -> Line:
    details = json.loads(event["details"])
    kind: str = event["kind"]
    what, learned, tone = _text(kind, details) if not kind.startswith("call-") else _call(kind[5:], details)
    return Line(event["id"], wall_time(event["at"]), double_zero(event["number"]), what, learned, tone)


def _text(kind: str, details: dict[str, Any]) -> tuple[str, str, str]:
    if kind == "text-accepted":
        return _("Text accepted"), _("Reference %(reference)s", reference=details["sid"][:10] + "…"), ""
    if kind == "text-delivered":
        return _("Text delivered"), _("Delivery report %(status)s", status=details["status"]), "ok"
    if kind == "text-undelivered":
        told = _("Delivery report %(status)s", status=f"{details['status']}, {details['error']}")
        return _("Text not delivered"), told, "warn"
    if kind == "text-in":
        return _("Text sent: %(text)s", text=_short(details["body"])), _incoming(details), "ok"
    return _("Faden could not be told"), f"{details['code']} {details['problem']}", "fail"


def _incoming(details: dict[str, Any]) -> str:
    count = details["characters"]
    characters = ngettext("%(num)d character", "%(num)d characters", count)
    return _("Inbox, %(characters)s, %(parts)d SMS", characters=characters, parts=details["parts"])


def _call(kind: str, details: dict[str, Any]) -> tuple[str, str, str]:
    if kind == "key":
        return _("Key %(key)s pressed", key=details["key"]), f"Digits {details['key']}", ""
    if kind == "recorded":
        return _("Spoke after the tone"), _("Recording, %(seconds)d s", seconds=details["seconds"]), "ok"
    if kind == "error":
        return _("Something is wrong in the call"), f"{details['code']} {_short(details['message'])}", "fail"
    return _progress(kind, details)


def _progress(status: str, details: dict[str, Any]) -> tuple[str, str, str]:
    n, seconds = details["attempt"], details["seconds"]
    after = _("%(status)s after %(seconds)d s", status=status, seconds=seconds)
    if details["direction"] == "inbound":
        ours = {
            "in-progress": (_("Calls, is put through"), status, ""),
            "completed": (_("Has hung up"), after, "ok"),
        }
        return ours.get(status, (_("Calls, is not put through"), status, "warn"))
    words = {
        "ringing": (_("Call %(n)d rings", n=n), status, ""),
        "in-progress": (_("Call %(n)d answered", n=n), status, ""),
        "completed": (_("Call %(n)d over", n=n), after, "ok"),
        "no-answer": (_("Call %(n)d not answered", n=n), after, "warn"),
        "busy": (_("Call %(n)d: engaged", n=n), status, "warn"),
        "failed": (_("Call %(n)d: cannot be reached", n=n), status, "warn"),
        "canceled": (_("Call %(n)d withdrawn", n=n), status, ""),
    }
    return words[status]


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"
