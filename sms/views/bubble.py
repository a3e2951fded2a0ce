"""One entry of a thread, in words: the same for a page, a form's answer and a live update."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple

from flask import render_template
from flask_babel import force_locale
from flask_babel import gettext as _

from sms.clock import now
from sms.db import to_ms
from sms.gsm import msisdn
from sms.models import Call, Message
from sms.models.message import AGAIN
from sms.modules import modules
from sms.sending import UNDO, is_held
from sms.views import moments
from sms.views.event_words import event_words
from sms.views.status_words import Status, call_status, status_of
from voice.announcement import announcement

DYES = {1: "t-petrol", 2: "t-clay", 3: "t-plum", 4: "t-moss"}
ANSWERABLE = ("sending", "sent", "delivered", "unknown", "undelivered")
"""Statuses in which a message may have reached somebody who answers it."""

WAVE_WIDTH, WAVE_HEIGHT = 240, 30


class Try(NamedTuple):
    """One ringing of the telephone: its number, time and what came of it."""

    number: int
    time: str
    status: Status


class Sound(NamedTuple):
    """What the player needs: the address, the length in words, one stroke of the waveform for each peak."""

    address: str
    length: str
    wave: tuple[str, ...]


@dataclass
class Bubble:
    """Everything `_bubble.html` shows; rendering it needs no query."""

    id: int
    seq: str
    kind: str  # text | voice | recording | note | event
    side: str  # in | out
    who: str  # same `who`, same group
    text: str
    time: str
    iso: str
    author: str = ""
    status: Status | None = None
    state: str = ""  # is-planned | is-sending | is-failed
    joined: bool = False
    acts: tuple[str, ...] = ()
    undo: int = 0  # milliseconds left
    chip: dict[str, str] | None = None
    answers: tuple[int, str] | None = None
    head: str = ""
    announced: str = ""
    sound: Sound | None = None
    tries: list[Try] = field(default_factory=list)
    words: tuple[str, str, str] = ("", "", "")


def seq(message: Message) -> str:
    """Return the place of a message in its thread: milliseconds and id."""
    return f"{to_ms(message.at)}-{message.id}"


def read_seq(text: str) -> tuple[datetime, int]:
    """Return (moment, id) of a place in a thread; raises ValueError for anything else."""
    from sms.db import from_ms

    milliseconds, message_id = (int(part) for part in text.split("-"))
    if not 0 <= message_id < 2**53 or not 0 <= milliseconds < 2**50:
        raise ValueError(text)
    return from_ms(milliseconds), message_id


def render_bubble(message: Message, locale: str, zone: str) -> str:
    """Return the `<li>` of one message in a language and zone; needs an application context, no request."""
    with force_locale(locale):
        note_answers([message])
        return render_template("inbox/_bubble.html", b=bubble(message, locale, zone))


def render_day(message: Message, locale: str, zone: str) -> str:
    """Return the divider of the day on which a message stands, to be put before its bubble."""
    with force_locale(locale):
        return render_template("inbox/_day.html", d=day(message, locale, zone))


class Day(NamedTuple):
    """A divider: its element id, its place before everything of its day, its words."""

    id: str
    seq: str
    words: str


def day(message: Message, locale: str, zone: str) -> Day:
    """Return the divider of the day on which a message stands."""
    at = moments.local(message.at, zone)
    start = at.replace(hour=0, minute=0, second=0, microsecond=0)
    title = moments.day_title(at.date(), moments.local(now(), zone).date(), locale)
    return Day(f"day-{at.date().isoformat()}", f"{to_ms(start) - 1}-0", title)


def entries(
    messages: Sequence[Message], locale: str, zone: str, new: int | None = None
) -> list[tuple[str, Any]]:
    """Return what stands in the thread, oldest first: ("day", Day), ("new", seq), ("bubble", Bubble)."""
    note_answers(messages)
    found: list[tuple[str, Any]] = []
    shown: date | None = None
    before: Bubble | None = None
    for message in messages:
        if moments.local(message.at, zone).date() != shown:
            shown = moments.local(message.at, zone).date()
            found.append(("day", day(message, locale, zone)))
            before = None
        if message.id == new:
            found.append(("new", seq(message)))
            before = None
        entry = bubble(message, locale, zone)
        entry.joined = _joins(before, entry)
        found.append(("bubble", entry))
        before = entry
    return found


def _joins(before: Bubble | None, entry: Bubble) -> bool:
    """The rule of grouping; thread.js has the same for what comes in live."""
    if before is None or entry.kind != "text" or before.kind != "text":
        return False
    return before.who == entry.who and entry.state != "is-planned" and before.state != "is-planned"


def note_answers(messages: Sequence[Message]) -> None:
    """Put (id, text) of the message that an incoming one answers at `.answered`, where it is not the one above it."""
    wanted: dict[int, list[Message]] = {}
    above: dict[tuple[str, str], int | None] = {}
    for message in messages:
        pair = (message.ours, message.theirs)
        if message.direction == "outgoing" and message.status in ANSWERABLE:
            above[pair] = message.id
        if not message.answers:
            continue
        if pair not in above:
            above[pair] = _above(message)
        if message.answers != above[pair]:
            wanted.setdefault(message.answers, []).append(message)
            # What is said in the same breath belongs to the same message and need not say so again.
            above[pair] = message.answers
    if not wanted:
        return
    for answered in Message.select(Message.id, Message.text).where(Message.id.in_(list(wanted))):
        for message in wanted[answered.id]:
            message.answered = (answered.id, " ".join(answered.text.split()))


def _above(message: Message) -> int | None:
    row = (
        Message.select(Message.id)
        .where(
            Message.conversation == message.conversation_id,
            Message.direction == "outgoing",
            Message.ours == message.ours,
            Message.theirs == message.theirs,
            Message.status.in_(ANSWERABLE),
            (Message.at < message.at) | ((Message.at == message.at) & (Message.id < message.id)),
        )
        .order_by(Message.at.desc(), Message.id.desc())
        .limit(1)
        .tuples()
        .first()
    )
    return row[0] if row else None


def bubble(message: Message, locale: str, zone: str) -> Bubble:
    """Return one entry in words; the locale must be the one in force."""
    build = _BUILDERS.get(message.channel, _text)
    entry = Bubble(
        id=message.id,
        seq=seq(message),
        kind="text",
        side="in" if message.direction == "incoming" else "out",
        who=_who(message),
        text=message.text,
        time=moments.clock(message.at, zone),
        iso=moments.local(message.at, zone).isoformat(timespec="seconds"),
        author=author(message),
    )
    build(entry, message, locale, zone)
    return entry


def _who(message: Message) -> str:
    if message.direction == "incoming":
        return f"in {message.theirs}"
    return f"out {message.author_id or message.source}"


def author(message: Message) -> str:
    """Return who wrote a message: a colleague's first name, the API, a module's own word."""
    if message.direction == "incoming":
        return ""
    if message.author_id and message.author is not None:
        return str(message.author.first_name)
    if message.source == "api":
        return _("API")
    if message.source in ("agent", "system", "dialog"):
        return _("Automatic")
    module = modules().get(message.source)
    return (
        _(module.nav.word) if module is not None and module.nav is not None else message.source.capitalize()
    )


def _text(entry: Bubble, message: Message, locale: str, zone: str) -> None:
    data = message.data or {}
    entry.chip = data.get("chip")
    entry.answers = getattr(message, "answered", None)
    if message.direction == "incoming":
        return
    _outgoing(entry, message, locale, zone)


def _outgoing(entry: Bubble, message: Message, locale: str, zone: str) -> None:
    entry.status = status_of(message, locale, zone)
    entry.state = _state(message)
    entry.acts = acts_of(message)
    if message.status == "scheduled" and message.next_at:
        entry.time = moments.planned(message.next_at, now(), zone, locale)
    if message.undoable(now()) and message.undo_until:
        entry.undo = max(1, to_ms(message.undo_until) - to_ms(now()))


def _state(message: Message) -> str:
    if message.status == "scheduled":
        return "is-planned"
    if message.status in ("queued", "sending"):
        return "is-sending"
    return {"failed": "is-failed", "cancelled": "is-withdrawn"}.get(message.status, "")


def acts_of(message: Message) -> tuple[str, ...]:
    """Return what a person may do with an outgoing message: the words of its buttons' addresses."""
    if is_held(message):
        return ("release", "cancel")
    if message.status == "scheduled":
        return ("edit", "now", "cancel")
    if message.status == "unknown":
        return (*(("check",) if message.channel == "sms" else ()), "retry", "sent", "give-up")
    if message.status in AGAIN and not _is_over(message):
        return ("retry", "voice") if message.channel == "sms" else ("retry",)
    return ()


def _is_over(message: Message) -> bool:
    """True for what was cancelled by an answer, and for what was undone: its text is in the answer field again."""
    if message.status != "cancelled":
        return False
    due = message.next_at or message.created_at
    return bool(message.reason) or due - message.created_at <= UNDO


def _voice(entry: Bubble, message: Message, locale: str, zone: str) -> None:
    number = msisdn.display(message.theirs) if message.theirs.startswith("+") else message.theirs
    number = number or _("an unknown number")
    data = message.data or {}
    entry.sound = _sound(message)
    if message.direction == "incoming":
        entry.kind = "recording"
        entry.head = _("Voice message from %(number)s", number=number)
        return
    entry.kind = "voice"
    entry.tries = [_try(call, zone) for call in getattr(message, "ringings", ())]
    entry.head = _("Voice call to %(number)s", number=number)
    entry.announced = data.get("announcement") or announcement(locale, data.get("sender"))
    _outgoing(entry, message, locale, zone)


def _sound(message: Message) -> Sound | None:
    """The address is written out, not built: a live update is rendered without a request."""
    held = (message.data or {}).get("audio") or {}
    if not held.get("digest"):
        return None
    seconds = float(held.get("seconds") or 0)
    length = f"{int(seconds // 60)}:{int(seconds % 60):02d}"
    return Sound(f"/messages/{message.id}/audio.wav", length, _wave(held.get("peaks") or ()))


def _wave(peaks: Iterable[float]) -> tuple[str, ...]:
    """Return one vertical stroke for each peak (0..1) in a box of 240 by 30."""
    values = list(peaks)
    step = WAVE_WIDTH / max(1, len(values))
    loudest = max([*values, 0.01])
    strokes = []
    for place, peak in enumerate(values):
        height = max(2.5, peak / loudest * (WAVE_HEIGHT - 4))
        strokes.append(f"M{step * (place + 0.5):.0f} {(WAVE_HEIGHT - height) / 2:.1f}v{height:.1f}")
    return tuple(strokes)


def _try(call: Call, zone: str) -> Try:
    moment = call.started_at or call.due_at
    time = moments.clock_with_seconds(moment, zone) if moment else ""
    return Try(call.attempt, time, call_status(call))


def _note(entry: Bubble, message: Message, locale: str, zone: str) -> None:
    entry.kind = "note"
    entry.author = message.author.first_name if message.author_id and message.author else _("Somebody")


def _event(entry: Bubble, message: Message, locale: str, zone: str) -> None:
    entry.kind = "event"
    data = message.data or {}
    who = message.author.name if message.author_id and message.author else ""
    entry.words = event_words(data, who, message.source, locale, zone)


_BUILDERS = {"voice": _voice, "note": _note, "event": _event, "sms": _text}
