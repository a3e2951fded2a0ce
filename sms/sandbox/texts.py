"""Texts: from the customer to a phone with its reports, and from a phone to the customer."""

import threading
from typing import TYPE_CHECKING, Any

from sms import clock
from sms.gsm import segments
from sms.sandbox import phones
from sms.sandbox.phones import Phone
from sms.sandbox.store import Row
from sms.sandbox.webhooks import Params

if TYPE_CHECKING:
    from sms.sandbox.network import Network

RANK = {"queued": 0, "sent": 1, "undelivered": 2, "delivered": 2}
SOON = 0.03
"""Seconds between the POST's answer and the radio: as a rule the answer is there first."""
STEP = 0.1
LATE = 5.0
PATIENCE = {"off": 2.0, "no-network": 900.0}
"""Seconds that a text waits for a phone (a real network: days) before it is given up."""

UNREACHABLE = 30003
BLOCKED = 30004

FIRST_TRY = 3.0
"""Seconds that a control request waits for its webhook, so that a test may look at once."""


class Texts:
    """The life of every text; each step is a job, so a restart goes on with the next one."""

    def __init__(self, network: "Network") -> None:
        self._net = network
        self._posted: dict[str, threading.Event] = {}
        for kind, handler in (
            ("text-send", self._send),
            ("text-wait", self._wait),
            ("text-report", self._report),
            ("text-in", self._post_inbound),
        ):
            network.jobs.handle(kind, handler)

    def accept(self, sender: str, to: str, body: str, callback: str | None) -> Row:
        """Take a text from the REST API; it is on its way once this returns."""
        sid = self._store_message("outbound-api", to, sender, to, body, "queued", callback)
        self._net.feed.log("text-accepted", to, sid=sid)
        return self.get(sid)

    def write(self, phone: Phone, to: str, body: str) -> Row:
        """Send a text from a phone to one of the customer's numbers and wait shortly for its webhook."""
        posted = threading.Event()
        sid = self._store_message("inbound", phone.number, phone.number, to, body, "received", None, posted)
        self._net.feed.ring()
        posted.wait(FIRST_TRY)
        self._posted.pop(sid, None)
        return self.get(sid)

    def get(self, sid: str) -> Row:
        """Return one message; raises KeyError."""
        row = self._net.store.row("SELECT * FROM message WHERE sid = ?", sid)
        if row is None:
            raise KeyError(sid)
        return row

    def of(self, phone: str) -> list[Row]:
        """Return what a phone's owner sees: texts that have arrived and texts written, oldest first."""
        return self._net.store.rows(
            "SELECT * FROM message WHERE phone = ? AND arrived_at IS NOT NULL ORDER BY arrived_at, id", phone
        )

    def _store_message(
        self,
        direction: str,
        phone: str,
        sender: str,
        to: str,
        body: str,
        status: str,
        callback: str | None,
        posted: threading.Event | None = None,
    ) -> str:
        sid, now = self._net.new_sid("SM"), clock.now().timestamp()
        inbound = direction == "inbound"
        if posted:
            self._posted[sid] = posted
        with self._net.store.transaction():
            self._net.store.insert(
                "message",
                sid=sid,
                direction=direction,
                phone=phone,
                sender=sender,
                recipient=to,
                body=body,
                parts=segments.count(body).parts,
                status=status,
                callback=callback,
                created_at=now,
                updated_at=now,
                sent_at=now if inbound else None,
                arrived_at=now if inbound else None,
            )
            self._net.jobs.add("text-in" if inbound else "text-send", {"sid": sid}, 0 if inbound else SOON)
        return sid

    def _send(self, job: dict[str, Any]) -> None:
        message = self.get(job["sid"])
        phone = phones.find(self._net.store, message["phone"])
        self._move(message, "sent")
        if phone.reachable:
            self._arrive(message)
            return self._plan(message, phone, "delivered")
        if phone.state == "reject":
            return self._plan(message, phone, "undelivered", BLOCKED)
        until = clock.now().timestamp() + PATIENCE[phone.state]
        with self._net.store.transaction():
            if phone.reports in ("normal", "late", "twice"):
                self._net.jobs.add("text-report", {"sid": message["sid"], "reports": [["sent", None, 0]]})
            self._net.jobs.add("text-wait", {"sid": message["sid"], "until": until}, STEP)
        return None

    def _wait(self, job: dict[str, Any]) -> None:
        message = self.get(job["sid"])
        phone = phones.find(self._net.store, message["phone"])
        if phone.reachable:
            self._arrive(message)
            self._plan(message, phone, "delivered", after_wait=True)
        elif clock.now().timestamp() >= job["until"]:
            self._plan(message, phone, "undelivered", UNREACHABLE, after_wait=True)
        else:
            self._net.jobs.add("text-wait", job, STEP)

    def _plan(
        self, message: Row, phone: Phone, end: str, error: int | None = None, after_wait: bool = False
    ) -> None:
        """Line up the reports as this phone's network gives them: [status, error, seconds before] each."""
        first: list[list[Any]] = [] if after_wait else [["sent", None, 0]]
        plans: dict[str, list[list[Any]]] = {
            "normal": [*first, [end, error, STEP]],
            "late": [*first, [end, error, LATE]],
            "twice": [*first, *first, [end, error, STEP], [end, error, 0]],
            "reversed": [[end, error, 0], ["sent", None, STEP]],
            # The network knows, and tells who asks, but never calls back.
            "never": [[end, error, STEP]],
        }
        reports = plans[phone.reports]
        job = {"sid": message["sid"], "reports": reports, "silent": phone.reports == "never"}
        self._net.jobs.add("text-report", job, float(reports[0][2]))

    def _report(self, job: dict[str, Any]) -> None:
        """Give the first of the planned reports, then plan the rest: they never overtake each other."""
        message = self.get(job["sid"])
        (status, error, _), *rest = job["reports"]
        self._move(message, status, error)
        if status != "sent":
            kind = "text-delivered" if status == "delivered" else "text-undelivered"
            self._net.feed.log(kind, message["phone"], status=status, error=error)
        if message["callback"] and not job.get("silent"):
            self._net.call_back(
                message["callback"], self._report_params(message, status, error), message["phone"]
            )
        if rest:
            self._net.jobs.add("text-report", {**job, "reports": rest}, float(rest[0][2]))

    def _report_params(self, message: Row, status: str, error: int | None) -> Params:
        params = {
            "MessageSid": message["sid"],
            "SmsSid": message["sid"],
            "MessageStatus": status,
            "SmsStatus": status,
            "AccountSid": self._net.sid,
            "From": message["sender"],
            "To": message["recipient"],
            "ApiVersion": "2010-04-01",
        }
        if status in ("delivered", "undelivered"):
            params["RawDlrDoneDate"] = clock.now().strftime("%y%m%d%H%M")
        return {**params, "ErrorCode": str(error)} if error else params

    def _move(self, message: Row, status: str, error: int | None = None) -> None:
        """Only forward: a report that comes out of order changes nothing."""
        now = clock.now().timestamp()
        before = [name for name, rank in RANK.items() if rank < RANK[status]]
        self._net.store.run(
            f"""UPDATE message SET status = ?, error = ?, updated_at = ?, sent_at = COALESCE(sent_at, ?)
            WHERE sid = ? AND status IN ({", ".join("?" * len(before))})""",
            status,
            error,
            now,
            now,
            message["sid"],
            *before,
        )

    def _arrive(self, message: Row) -> None:
        now = clock.now().timestamp()
        self._net.store.run(
            "UPDATE message SET arrived_at = ? WHERE sid = ? AND arrived_at IS NULL", now, message["sid"]
        )
        self._net.store.run("UPDATE phone SET thread = '' WHERE number = ?", message["phone"])
        self._net.feed.ring()

    def _post_inbound(self, job: dict[str, Any]) -> None:
        message = self.get(job["sid"])
        self._net.feed.log(
            "text-in",
            message["phone"],
            body=message["body"],
            characters=len(message["body"]),
            parts=message["parts"],
        )
        params = {
            "MessageSid": message["sid"],
            "SmsSid": message["sid"],
            "SmsMessageSid": message["sid"],
            "SmsStatus": "received",
            "AccountSid": self._net.sid,
            "From": message["sender"],
            "To": message["recipient"],
            "Body": message["body"],
            "NumMedia": "0",
            "NumSegments": str(message["parts"]),
            "FromCountry": "DE",
            "ToCountry": "DE",
            "ApiVersion": "2010-04-01",
        }
        self._net.call_back(self._net.address("inbound"), params, message["phone"])
        if posted := self._posted.get(job["sid"]):
            posted.set()
