"""Calls: a phone rings, is picked up or not, hears what the customer's TwiML says; and phones that call us."""

import json
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sms import clock
from sms.sandbox.call import Call
from sms.sandbox.conversation import Conversation, Failed
from sms.sandbox.line import HungUp, Interrupted, Line
from sms.sandbox.phones import Phone
from sms.sandbox.store import Row

if TYPE_CHECKING:
    from sms.sandbox.network import Network

RING = 60
"""Seconds a phone rings where the request does not say: Twilio's default."""
SORRY = "We are sorry, an application error has occurred. Goodbye."
"""What Twilio says when the customer's document cannot be had."""
SORRY_SECONDS = 4.0
REJECTED = 603
SOON = 0.03
"""Seconds between the POST's answer and the first step: as a rule the answer is there first."""
JUST_NOW = 600.0
"""Seconds within which calls that nobody answered count as attempts of the same message."""


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
        queued = self.get(sid)
        self._begin(sid)
        return queued

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
            line.doze(SOON)
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
