"""The phones of the pretend network: who they belong to and how they behave."""

from dataclasses import dataclass
from typing import Any

from sms import clock
from sms.gsm import msisdn
from sms.sandbox.store import Row, Store

STATES = ("on", "off", "no-network", "busy", "no-answer", "reject")
"""`no-network` is the page's own: like `off`, but texts wait for the phone for many minutes."""
STATES_OF_CALLS = ("no-answer", "reject")
ANSWERS = ("auto", "manual")
REPORTS = ("normal", "late", "never", "twice", "reversed")

DEMO = (
    ("+491713920042", "Margarethe Schößler"),
    ("+491713920033", "Torsten Wieczorek"),
    ("+493023125640", "Ilse Brömmelkamp"),
)
"""The handsets that lie on the page from the start; a person picks up their calls."""


@dataclass(frozen=True)
class Phone:
    """One phone; a number never heard of is a phone that is on and answers by itself."""

    number: str
    name: str = ""
    state: str = "on"
    answer: str = "auto"
    reports: str = "normal"
    digits: str = ""
    speech: str = ""
    machine: bool = False
    blocks: bool = False
    on_page: bool = False
    thread: str = ""
    """Whose texts the page shows; empty: those of whoever wrote last."""

    @property
    def landline(self) -> bool:
        return msisdn.parse(self.number).kind == "landline"

    @property
    def reachable(self) -> bool:
        """True where a text arrives: a phone in a call, or one that nobody picks up, still takes texts."""
        return self.state not in ("off", "no-network", "reject")


def double_zero(number: str) -> str:
    """Return a number as the control API and the page show it, 0049...; a sender's name stays as it is."""
    return "00" + number[1:] if number.startswith("+") else number


def find(store: Store, number: str) -> Phone:
    """Return the phone of an E.164 number; it need not be known."""
    row = store.row("SELECT * FROM phone WHERE number = ?", number)
    return _phone(row) if row else Phone(number)


def on_page(store: Store) -> list[Phone]:
    """Return the phones that lie on the page, in the order they came."""
    return [_phone(row) for row in store.rows("SELECT * FROM phone WHERE on_page ORDER BY created_at, rowid")]


def change(store: Store, number: str, **changes: Any) -> Phone:
    """Set some of a phone's properties, getting to know the phone if need be."""
    with store.transaction():
        store.run(
            "INSERT OR IGNORE INTO phone (number, created_at) VALUES (?, ?)", number, clock.now().timestamp()
        )
        for column, value in changes.items():
            sql = f"UPDATE phone SET {column} = ? WHERE number = ?"
            store.run(sql, value, number)
    return find(store, number)


def lay_out_demo(store: Store) -> None:
    """Put the demo handsets on the page."""
    for number, name in DEMO:
        change(store, number, name=name, answer="manual", on_page=1)


def _phone(row: Row) -> Phone:
    flags: dict[str, Any] = {name: bool(row[name]) for name in ("machine", "blocks", "on_page")}
    words = {
        name: row[name]
        for name in ("number", "name", "state", "answer", "reports", "digits", "speech", "thread")
    }
    return Phone(**words, **flags)
