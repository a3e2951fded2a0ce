"""One call: its row, its callbacks, its own clock, and what was heard, pressed and recorded."""

import json
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

from sms import clock
from sms.sandbox import phones
from sms.sandbox.phones import Phone
from sms.sandbox.store import Row
from sms.sandbox.webhooks import Params

if TYPE_CHECKING:
    from sms.sandbox.network import Network

FINAL = ("completed", "busy", "failed", "no-answer", "canceled")
SIP = {"completed": 200, "busy": 486, "no-answer": 487, "canceled": 487, "failed": 480}
"""The SIP answer that Twilio names with a final status, where nothing better is known."""


@dataclass(frozen=True)
class Recording:
    """What was recorded: Twilio's id, the address to fetch it from, its length in seconds."""

    sid: str
    url: str
    seconds: float


class Call:
    """One call as its own thread and the conversation see it; the row in the store is the truth."""

    def __init__(self, net: "Network", sid: str) -> None:
        self.net = net
        self.sid = sid
        self.settings: dict[str, Any] = json.loads(self.row["settings"])
        self._clock: float = self.row["seconds"]

    @property
    def row(self) -> Row:
        return self.net.calls.get(self.sid)

    def phone(self) -> Phone:
        """Return the phone at the other end as it is now."""
        return phones.find(self.net.store, self.row["phone"])

    def params(self, **more: str) -> Params:
        """Return the parameters that every request about this call carries."""
        row = self.row
        found = {
            "CallSid": self.sid,
            "AccountSid": self.net.sid,
            "From": row["caller"],
            "To": row["called"],
            "Caller": row["caller"],
            "Called": row["called"],
            "CallStatus": row["status"],
            "Direction": row["direction"],
            "ApiVersion": "2010-04-01",
        }
        if row["answered_by"]:
            found["AnsweredBy"] = row["answered_by"]
        return found | more

    def move(self, status: str, event: str, sip: int | None = None, **columns: Any) -> None:
        """Change the status and line up its callback, both or neither."""
        now = clock.now().timestamp()
        # "initiated" is a word of the callbacks; the resource is still queued then.
        columns |= {"updated_at": now} | ({"status": status} if status != "initiated" else {})
        with self.net.store.transaction():
            for column, value in columns.items():
                sql = f"UPDATE call SET {column} = ? WHERE sid = ?"
                self.net.store.run(sql, value, self.sid)
            self._line_up(status, event, sip)
        self.net.feed.log(f"call-{status}", self.row["phone"], sid=self.sid, **self._told(status))

    def _line_up(self, status: str, event: str, sip: int | None) -> None:
        if not self.settings.get("callback") or event not in self.settings.get("events", ["completed"]):
            return
        row = self.row
        params = self.params(
            CallStatus=status,
            CallbackSource="call-progress-events",
            SequenceNumber=str(row["sequence"]),
            Timestamp=format_datetime(clock.now()),
        )
        if status in FINAL:
            params["CallDuration"] = str(math.ceil(row["seconds"]))
            params["Duration"] = str(math.ceil(row["seconds"] / 60))
            params["SipResponseCode"] = str(sip or SIP[status])
        self.net.store.run("UPDATE call SET sequence = sequence + 1 WHERE sid = ?", self.sid)
        method = self.settings.get("callback_method") or "POST"
        self.net.call_back_soon(self.settings["callback"], params, row["phone"], method, lane=self.sid)

    def _told(self, status: str) -> dict[str, Any]:
        row = self.row
        return {
            "direction": row["direction"],
            "attempt": self.net.calls.attempt(row),
            "seconds": round(row["seconds"]) if status == "completed" else self._rang(row),
        }

    def _rang(self, row: Row) -> int:
        since = row["rings_since"]
        return round(clock.now().timestamp() - since) if since else 0

    # What happens on the line

    def elapsed(self) -> float:
        """Return the seconds on the call's own clock: pretended on phones that answer by themselves."""
        return self._clock

    @contextmanager
    def passing(self, seconds: float, real: bool) -> Iterator[None]:
        """Move the call's clock by what passes within: the real time, or the pretended seconds."""
        begun = time.monotonic()
        try:
            yield
        except BaseException:
            self._tick(time.monotonic() - begun)
            raise
        self._tick(time.monotonic() - begun if real else seconds)

    def _tick(self, seconds: float) -> None:
        self._clock += seconds
        self.net.store.run("UPDATE call SET seconds = ? WHERE sid = ?", self._clock, self.sid)

    def hear(
        self,
        kind: str,
        seconds: float,
        url: str | None = None,
        text: str | None = None,
        media: str | None = None,
    ) -> int:
        """Remember that a sound begins; returns its key."""
        at = clock.now().timestamp()
        key = self.net.store.insert(
            "heard", call=self.sid, kind=kind, url=url, text=text, media=media, seconds=seconds, at=at
        )
        self.net.feed.ring()
        return key

    def cut_short(self, key: int, seconds: float) -> None:
        """Remember how much of a sound was really heard."""
        self.net.store.run("UPDATE heard SET seconds = ? WHERE id = ?", round(seconds, 2), key)
        self.net.feed.ring()

    def next_digits(self, wanted: int) -> str:
        """Return the keys that a phone answering by itself presses next, at most so many."""
        pressed = len(self.row["digits"])
        return self.phone().digits[pressed : pressed + wanted]

    def note_digit(self, key: str) -> None:
        """Remember a key pressed."""
        self.net.store.run("UPDATE call SET digits = digits || ? WHERE sid = ?", key, self.sid)
        self.net.feed.log("call-key", self.row["phone"], sid=self.sid, key=key)

    def note_error(self, code: int, message: str) -> None:
        """Remember what Twilio's debugger would show."""
        with self.net.store.transaction():
            errors = [*json.loads(self.row["errors"]), {"code": code, "message": message}]
            self.net.store.run("UPDATE call SET errors = ? WHERE sid = ?", json.dumps(errors), self.sid)
        self.net.feed.log("call-error", self.row["phone"], sid=self.sid, code=code, message=message)

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Show on the page that what is said now is recorded."""
        self._show_recording(1)
        try:
            yield
        finally:
            self._show_recording(0)

    def _show_recording(self, on: int) -> None:
        self.net.store.run("UPDATE call SET records = ? WHERE sid = ?", on, self.sid)
        self.net.feed.ring()

    def keep_recording(self, audio: bytes, longest: float) -> Recording:
        """Keep a recording as telephone sound, cut at `longest` seconds."""
        data, seconds = self.net.sounds.recording(audio, longest)
        sid = self.net.new_sid("RE")
        now = clock.now().timestamp()
        self.net.store.insert("recording", sid=sid, call=self.sid, seconds=seconds, wav=data, created_at=now)
        self.net.feed.log("call-recorded", self.row["phone"], sid=self.sid, seconds=round(seconds))
        return Recording(sid, self.net.recording_url(sid), seconds)

    def report_recording(self, address: str, fields: Params) -> None:
        """Line up a recording's own callback."""
        params = {
            **fields,
            "AccountSid": self.net.sid,
            "CallSid": self.sid,
            "RecordingStatus": "completed",
            "RecordingChannels": "1",
            "RecordingSource": "RecordVerb",
        }
        self.net.call_back_soon(address, params, self.row["phone"])
