"""What the page shows of a phone: its screen, its threads, the call it is in. Reads only."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sms import clock
from sms.gsm import msisdn
from sms.sandbox import phones
from sms.sandbox.network import Network
from sms.sandbox.phones import Phone, double_zero
from sms.sandbox.store import Row

ZONE = ZoneInfo("Europe/Berlin")
"""Where the phones are."""
SHOWN_TEXTS = 60
PAUSE = timedelta(minutes=30)
"""After so long without a text the next one gets a time above it."""


@dataclass(frozen=True)
class Bubble:
    """A text on the screen; `moment` is set where the time is shown above it."""

    body: str
    mine: bool
    moment: datetime | None


@dataclass(frozen=True)
class Heard:
    """A sound of the present call; `now` while it is being played."""

    key: int
    text: str | None
    seconds: float
    began: float
    media: str | None
    now: bool

    @property
    def began_ms(self) -> int:
        return round(self.began * 1000)


@dataclass(frozen=True)
class Talk:
    """The call that a phone rings with or speaks on."""

    sid: str
    ringing: bool
    outgoing: bool
    number: str
    reason: str | None
    attempt: int
    answered_ms: int
    recording: bool
    heard: list[Heard] = field(default_factory=list)
    bars: list[float] = field(default_factory=list)

    @property
    def sound(self) -> Heard | None:
        """The sound that is being played now."""
        return self.heard[-1] if self.heard and self.heard[-1].now else None


@dataclass(frozen=True)
class Handset:
    """One phone as the page shows it."""

    phone: Phone
    number: str
    title: str
    landline: bool
    thread: str
    thread_title: str
    can_answer: bool
    others: list[tuple[str, str]]
    bubbles: list[Bubble]
    talk: Talk | None
    missed: datetime | None
    """When the last call came, if nobody answered it."""

    @property
    def ident(self) -> str:
        return f"p{self.number}"

    @property
    def key(self) -> str:
        """Tells the page whether the same screen is showing, or another one."""
        if self.talk:
            return f"{'ring' if self.talk.ringing else 'talk'}-{self.talk.sid}"
        return f"texts-{self.thread}-{self.phone.state}"


def handsets(net: Network) -> list[Handset]:
    """Return the phones on the page, in their order."""
    return [handset(net, phone) for phone in phones.on_page(net.store)]


def handset(net: Network, phone: Phone) -> Handset:
    """Return one phone as the page shows it."""
    landline = phone.landline
    talk = _talk(net, phone)
    texts = [] if landline or talk else net.texts.of(phone.number)
    others = _counterparts(net, texts)
    thread = phone.thread if phone.thread in others else others[0]
    ours = net.numbers.get(thread)
    return Handset(
        phone=phone,
        number=double_zero(phone.number),
        title=phone.name or msisdn.parse(phone.number).display,
        landline=landline,
        thread=thread,
        thread_title=shown(thread),
        can_answer=ours is not None and ours.sms,
        others=[(other, shown(other)) for other in others],
        bubbles=_bubbles([text for text in texts if _counterpart(text) == thread][-SHOWN_TEXTS:]),
        talk=talk,
        missed=_missed(net, phone),
    )


def shown(party: str) -> str:
    """Return a number as a telephone shows it, 0171 39200 10; a sender's name stays as it is."""
    return msisdn.parse(party).display if party.startswith("+") else party


def wall_time(at: float) -> datetime:
    """Return a moment on the clocks of the phones."""
    return datetime.fromtimestamp(at, UTC).astimezone(ZONE)


def _counterparts(net: Network, texts: list[Row]) -> list[str]:
    """Return who this phone has texts with, the latest first; the first pool number where there is nobody."""
    found = dict.fromkeys(_counterpart(text) for text in reversed(texts))
    return list(found) or [next(number.number for number in net.numbers.values() if number.sms)]


def _counterpart(text: Row) -> str:
    party: str = text["recipient"] if text["direction"] == "inbound" else text["sender"]
    return party


def _bubbles(texts: list[Row]) -> list[Bubble]:
    bubbles, before = [], None
    for text in texts:
        moment = wall_time(text["arrived_at"])
        new = before is None or moment - before > PAUSE or moment.date() != before.date()
        bubbles.append(Bubble(text["body"], text["direction"] == "inbound", moment if new else None))
        before = moment
    return bubbles


def _missed(net: Network, phone: Phone) -> datetime | None:
    last = net.store.row("SELECT * FROM call WHERE phone = ? ORDER BY id DESC LIMIT 1", phone.number)
    if last is None or last["answered_at"] or last["ended_at"] is None or last["direction"] == "inbound":
        return None
    return wall_time(last["created_at"])


def _talk(net: Network, phone: Phone) -> Talk | None:
    row = net.calls.open_on(phone.number)
    if row is None or (row["status"] == "queued" and row["direction"] == "outbound-api"):
        return None
    outgoing = row["direction"] == "inbound"
    heard = _heard(net, row)
    playing = heard[-1] if heard and heard[-1].now else None
    return Talk(
        sid=row["sid"],
        ringing=row["answered_at"] is None,
        outgoing=outgoing,
        number=shown(row["called"] if outgoing else row["caller"]),
        reason=json.loads(row["settings"]).get("reason"),
        attempt=net.calls.attempt(row),
        answered_ms=round((row["answered_at"] or 0) * 1000),
        recording=bool(row["records"]),
        heard=heard,
        bars=net.sounds.bars(playing.media) if playing and playing.media else [],
    )


def _heard(net: Network, row: Row) -> list[Heard]:
    now = clock.now().timestamp()
    sounds = net.store.rows("SELECT * FROM heard WHERE call = ? ORDER BY id", row["sid"])
    return [
        Heard(
            s["id"],
            s["text"],
            s["seconds"],
            s["at"],
            s["media"],
            now=s is sounds[-1] and s["at"] + s["seconds"] > now,
        )
        for s in sounds
    ]
