"""How the REST API misbehaves on purpose."""

from sms.sandbox.store import Store

KINDS = ("messages", "calls")
MODES = ("ok", "429", "500", "timeout", "lost-answer", "cut")
NOT_TAKEN = ("429", "500", "timeout")
SILENCE = 60.0
"""Seconds without an answer with `timeout`; `lost-answer` stays silent for as long, then the line drops."""


class Faults:
    """What happens to the next POSTs of messages and of calls."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def set(self, kind: str, mode: str, count: int | None) -> None:
        """Misbehave for `count` POSTs, or until told otherwise where it is None."""
        if mode == "ok":
            self._store.run("DELETE FROM fault WHERE kind = ?", kind)
        else:
            self._store.run("INSERT OR REPLACE INTO fault VALUES (?, ?, ?)", kind, mode, count)

    def take(self, kind: str) -> str:
        """Return the mode for this POST and count it."""
        with self._store.transaction():
            fault = self._store.row("SELECT * FROM fault WHERE kind = ?", kind)
            if fault is None:
                return "ok"
            if fault["remaining"] is not None:
                self._store.run("UPDATE fault SET remaining = remaining - 1 WHERE kind = ?", kind)
                self._store.run("DELETE FROM fault WHERE kind = ? AND remaining <= 0", kind)
            mode: str = fault["mode"]
            return mode

    def active(self) -> dict[str, dict[str, str | int | None]]:
        """Return what is set: mode and remaining count by kind."""
        rows = {row["kind"]: row for row in self._store.rows("SELECT * FROM fault")}
        return {
            kind: {"mode": rows[kind]["mode"], "count": rows[kind]["remaining"]}
            if kind in rows
            else {"mode": "ok", "count": None}
            for kind in KINDS
        }
