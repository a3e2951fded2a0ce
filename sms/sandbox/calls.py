"""Calls: a phone rings, is picked up or not, hears what the customer's TwiML says; and phones that call us."""

import json
import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

from sms import clock
from sms.sandbox import phones
from sms.sandbox.conversation import Conversation, Failed
from sms.sandbox.line import HungUp, Interrupted, Line
from sms.sandbox.phones import Phone
from sms.sandbox.store import Row
from sms.sandbox.webhooks import Params

if TYPE_CHECKING:
    from sms.sandbox.network import Network

RING = 60
"""Seconds a phone rings where the request does not say: Twilio's default."""
SORRY = "We are sorry, an application error has occurred. Goodbye."
"""What Twilio says when the customer's document cannot be had."""
SORRY_SECONDS = 4.0
FINAL = ("completed", "busy", "failed", "no-answer", "canceled")
SIP = {"completed": 200, "busy": 486, "no-answer": 487, "canceled": 487, "failed": 480}
REJECTED = 603
JUST_NOW = 600.0
"""Seconds within which calls that nobody answered count as attempts of the same message."""


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


class Calls:
    """All calls: each that is not over has a thread and a line."""

    def __init__(self, network: "Network") -> None:
        self._net = network
        self._lines: dict[str, Line] = {}
        self._threads: dict[str, threading.Thread] = {}
        self._lock = threading.Lock()

    def place(self, caller: str, called: str, settings: dict[str, Any]) -> Row:
        """Call a phone; the call is under way once this returns."""
        sid = self._new("outbound-api", called, caller, called, "queued", settings)
        self._begin(sid)
        return self.get(sid)

    def dial(self, phone: Phone, to: str, real_time: bool) -> Row:
        """Let a phone call one of the customer's numbers; in real time where a person listens at the page."""
        settings = {"url": self._net.address("voice"), "method": "POST"}
        sid = self._new("inbound", phone.number, phone.number, to, "ringing", settings)
        self._begin(sid, real_time)
        return self.get(sid)

    def join(self, sid: str, timeout: float) -> None:
        """Wait until a call is over, at most `timeout` seconds."""
        if thread := self._threads.get(sid):
            thread.join(timeout)

    def get(self, sid: str) -> Row:
        """Return one call; raises KeyError."""
        row = self._net.store.row("SELECT * FROM call WHERE sid = ?", sid)
        if row is None:
            raise KeyError(sid)
        return row

    def of(self, phone: str) -> list[Row]:
        """Return a phone's calls, oldest first."""
        return self._net.store.rows("SELECT * FROM call WHERE phone = ? ORDER BY id", phone)

    def open_on(self, phone: str) -> Row | None:
        """Return the call that a phone is ringing with or speaking on."""
        return self._net.store.row(
            "SELECT * FROM call WHERE phone = ? AND ended_at IS NULL ORDER BY answered_at IS NULL, id LIMIT 1",
            phone,
        )

    def line(self, sid: str) -> Line | None:
        """Return the line of a call that is not over."""
        return self._lines.get(sid)

    def attempt(self, row: Row) -> int:
        """Return the how-manieth call in a row this is that the phone has not answered."""
        attempt = 1
        for earlier in self._net.store.rows(
            "SELECT * FROM call WHERE phone = ? AND caller = ? AND id < ? AND created_at > ? ORDER BY id DESC",
            row["phone"],
            row["caller"],
            row["id"],
            row["created_at"] - JUST_NOW,
        ):
            if earlier["answered_at"]:
                break
            attempt += 1
        return attempt

    def resume(self) -> None:
        """Go on with the calls of an earlier run: phones ring on, lines that were open are cut."""
        for row in self._net.store.rows("SELECT sid FROM call WHERE ended_at IS NULL"):
            self._begin(row["sid"])

    def stop(self) -> None:
        """Stop the threads; the calls stay as they are."""
        with self._lock:
            lines, threads = list(self._lines.values()), list(self._threads.values())
        for line in lines:
            line.interrupt()
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join(0.5)

    def _new(
        self, direction: str, phone: str, caller: str, called: str, status: str, settings: dict[str, Any]
    ) -> str:
        sid, now = self._net.new_sid("CA"), clock.now().timestamp()
        self._net.store.insert(
            "call",
            sid=sid,
            direction=direction,
            phone=phone,
            caller=caller,
            called=called,
            status=status,
            settings=json.dumps(settings),
            created_at=now,
            updated_at=now,
        )
        return sid

    def _begin(self, sid: str, real_time: bool | None = None) -> None:
        call = Call(self._net, sid)
        line = Line(call.phone().answer == "manual" if real_time is None else real_time)
        thread = threading.Thread(target=self._run, args=(call, line), name=f"sandbox-{sid[:8]}", daemon=True)
        with self._lock:
            self._lines[sid], self._threads[sid] = line, thread
        thread.start()

    def _run(self, call: Call, line: Line) -> None:
        try:
            if call.row["answered_at"]:
                return self._finish(call, "completed")  # the restart has cut the line
            if call.row["direction"] == "inbound":
                return self._incoming(call, line)
            return self._outgoing(call, line)
        except (Interrupted, KeyError):
            return None
        finally:
            with self._lock:
                self._lines.pop(call.sid, None)
                self._threads.pop(call.sid, None)

    def _outgoing(self, call: Call, line: Line) -> None:
        outcome, sip = self._ring(call, line)
        if outcome != "answered":
            return self._finish(call, outcome, sip)
        self._answer(call)
        conversation = Conversation(call, line)
        return self._talk(call, lambda: conversation.run(conversation.open()))

    def _incoming(self, call: Call, line: Line) -> None:
        conversation = Conversation(call, line)
        try:
            document = conversation.open()
        except Failed:
            self._answer(call)
            return self._apologise(call, line)
        if document.verbs and document.verbs[0].name == "Reject":
            reason = document.verbs[0].get("reason", "rejected")
            return self._finish(call, "busy" if reason == "busy" else "no-answer")
        self._answer(call)
        return self._talk(call, lambda: conversation.run(document))

    def _ring(self, call: Call, line: Line) -> tuple[str, int | None]:
        if call.row["status"] == "queued":
            call.move("initiated", "initiated")
        phone = call.phone()
        if phone.state in ("off", "no-network"):
            return "failed", None
        if phone.state == "busy" or self._engaged(call, phone):
            return "busy", None
        if call.row["status"] == "queued":
            call.move("ringing", "ringing", rings_since=clock.now().timestamp())
        until = call.row["rings_since"] + call.settings.get("timeout", RING)
        while True:
            if line.given_up:
                return "canceled", None
            phone = call.phone()
            if line.declined or phone.state in ("reject", "busy"):
                return "busy", REJECTED
            if line.picked_up or (phone.state == "on" and phone.answer == "auto"):
                return "answered", None
            left = until - clock.now().timestamp()
            if left <= 0:
                return "no-answer", None
            line.doze(left)

    def _engaged(self, call: Call, phone: Phone) -> bool:
        """A person can hold one receiver; a phone that answers by itself takes any number of calls."""
        other = self.open_on(phone.number)
        return phone.answer == "manual" and other is not None and other["sid"] != call.sid

    def _answer(self, call: Call) -> None:
        detection = call.settings.get("machine_detection")
        answered_by = None
        if detection:
            machine = "machine_end_beep" if detection == "DetectMessageEnd" else "machine_start"
            answered_by = machine if call.phone().machine else "human"
        now = clock.now().timestamp()
        call.move("in-progress", "answered", answered_at=now, answered_by=answered_by)

    def _talk(self, call: Call, walk: Callable[[], None]) -> None:
        try:
            walk()
        except HungUp:
            pass
        except Failed:
            return self._apologise(call, self._lines.get(call.sid) or Line(real_time=False))
        return self._finish(call, "completed")

    def _apologise(self, call: Call, line: Line) -> None:
        call.hear("say", SORRY_SECONDS, text=SORRY)
        try:
            with call.passing(SORRY_SECONDS, line.real_time):
                line.wait(SORRY_SECONDS)
        except HungUp:
            pass
        self._finish(call, "completed")

    def _finish(self, call: Call, status: str, sip: int | None = None) -> None:
        call.move(status, "completed", sip, ended_at=clock.now().timestamp(), records=0)
