"""The network: wires memory, jobs, callbacks, texts and calls together, and starts and stops them."""

import secrets
from typing import Any

from sms.config import Settings
from sms.sandbox import account, phones
from sms.sandbox.calls import Calls
from sms.sandbox.faults import Faults
from sms.sandbox.feed import Feed
from sms.sandbox.jobs import Jobs
from sms.sandbox.sound import Sounds
from sms.sandbox.store import Store
from sms.sandbox.texts import Texts
from sms.sandbox.webhooks import Unreachable, Webhooks

RETRIES = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
"""Seconds until a callback that failed is tried again; long enough for a restart of the receiver."""

WAYS = {"inbound": "inbound", "status": "status", "voice": "voice/incoming"}


class Network:
    """Everything of one sandbox; `settings.data` holds its memory, `settings.public_url` gets its callbacks."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.sid, self.token = account.credentials(settings.data)
        self.numbers = {number.number: number for number in account.NUMBERS}
        self.store = Store(settings.data / "sandbox.db")
        self.feed = Feed(self.store)
        self.jobs = Jobs(self.store)
        self.webhooks = Webhooks(self.token)
        self.faults = Faults(self.store)
        self.sounds = Sounds(settings.data / "sandbox-sounds")
        self.texts = Texts(self)
        self.calls = Calls(self)
        self.jobs.handle("callback", self._call_back_again)

    def start(self) -> None:
        """Lay out the demo handsets the first time, then go on where the last run ended."""
        if self.store.run("INSERT OR IGNORE INTO note VALUES ('laid out', '1')"):
            phones.lay_out_demo(self.store)
        self.jobs.start()
        self.calls.resume()

    def stop(self) -> None:
        """End streams and threads; what is under way goes on at the next start."""
        self.feed.close()
        self.calls.stop()
        self.jobs.stop()
        self.store.close()

    def address(self, way: str) -> str:
        """Return where the customer takes inbound texts, status callbacks or voice calls (the WAYS)."""
        return f"{self.settings.public_url}/carriers/{account.NAME}/{WAYS[way]}"

    def new_sid(self, prefix: str) -> str:
        """Return a fresh Twilio id: two letters and 32 hexadecimal digits."""
        return prefix + secrets.token_hex(16)

    def call_back(self, url: str, params: dict[str, str], number: str, method: str = "POST") -> None:
        """Send a callback now; if that fails, remember to try again. `number` is the phone it is about."""
        self._try({"url": url, "params": params, "number": number, "method": method, "attempt": 0})

    def call_back_soon(
        self, url: str, params: dict[str, str], number: str, method: str = "POST", lane: str | None = None
    ) -> None:
        """Line up a callback as a job; within one lane they keep their order."""
        job = {"url": url, "params": params, "number": number, "method": method, "attempt": 0}
        self.jobs.add("callback", job, lane=lane)

    def recording_url(self, sid: str) -> str:
        """Return where a recording can be fetched with the account's id and token."""
        return f"{self.settings.sandbox_url}/2010-04-01/Accounts/{self.sid}/Recordings/{sid}"

    def forget(self) -> None:
        """Forget phones, texts, calls, faults and jobs; the demo handsets lie there again, empty."""
        self.calls.stop()
        self.store.empty()
        self.sounds.empty()
        phones.lay_out_demo(self.store)
        self.feed.ring()

    def _call_back_again(self, job: dict[str, Any]) -> None:
        self._try(job)

    def _try(self, job: dict[str, Any]) -> None:
        try:
            answer = self.webhooks.ask(job["method"], job["url"], job["params"])
            problem = "" if answer.status < 400 else f"HTTP {answer.status}"
            final = 400 <= answer.status < 500
        except Unreachable as error:
            problem, final = str(error), False
        if not problem:
            return
        self.feed.log("callback-failed", job["number"], problem=problem, code=11200)
        if not final and job["attempt"] < len(RETRIES):
            delay = RETRIES[job["attempt"]]
            self.jobs.add("callback", {**job, "attempt": job["attempt"] + 1}, delay)
