"""One entry of a thread, in words: the same for a page, a form's answer and a live update."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple

from flask import render_template
from flask_babel import force_locale, ngettext
from flask_babel import gettext as _

from sms import health
from sms.clock import now
from sms.db import to_ms
from sms.gsm import msisdn
from sms.models import Call, Message
from sms.models.message import AGAIN
from sms.modules import modules
from sms.sending import UNDO, is_held
from sms.views import moments
from sms.views.event_words import event_words
from voice.announcement import announcement

DYES = {1: "t-petrol", 2: "t-clay", 3: "t-plum", 4: "t-moss"}
ANSWERABLE = ("sending", "sent", "delivered", "unknown", "undelivered")
"""Statuses in which a message may have reached somebody who answers it."""

WAVE_WIDTH, WAVE_HEIGHT = 240, 30


class Status(NamedTuple):
    """Look (st-ok, st-warn ..), icon of the sprite, words; `tick` for the two small marks."""

    look: str
    icon: str
    words: str

    @property
    def tick(self) -> bool:
        return self.icon in ("sent", "delivered")


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


def status_of(message: Message, locale: str, zone: str) -> Status:
    """Return how an outgoing message stands, in words."""
    if message.channel == "voice" and message.status in _VOICE:
        look, icon, words = _VOICE[message.status]
        return Status(look, icon, _with_reason(_(words), message, locale))
    if message.status == "queued":
        return _waiting(message, locale, zone)
    if message.status == "sent" and message.reason:
        return Status("st-warn", "triangle-alert", _with_reason(_("Delayed"), message, locale))
    if is_held(message):
        return Status("st-warn", "pause", _("Held back: the same text had just been sent"))
    if message.status == "scheduled" and message.unless_answered:
        return Status("st-plan", "clock", _("Planned, only if no answer comes"))
    if message.status == "cancelled" and message.reason == "answered":
        return Status("st-none", "x", _("Not sent, because an answer came"))
    look, icon, words = _SMS.get(message.status, ("st-none", "circle-dashed", message.status))
    return Status(look, icon, _with_reason(_(words), message, locale))


def _waiting(message: Message, locale: str, zone: str) -> Status:
    due = message.next_at
    if due is None or (due - now()).total_seconds() < 30:
        if message.carrier in health.closed():
            return Status("st-plan", "clock", _("Waits: the carrier takes nothing at the moment"))
        return Status("st-live", "loader-circle", _("Sending"))
    at = moments.planned(due, now(), zone, locale)
    if message.attempts:
        return Status("st-warn", "triangle-alert", _("Delayed, next try %(time)s", time=at))
    return Status("st-plan", "clock", _("Moved to %(time)s", time=at))


def _with_reason(words: str, message: Message, locale: str) -> str:
    if message.status not in ("undelivered", "failed", "sent"):
        return words
    why = _reasons().get(message.reason)
    return f"{words}: {why}" if why else words


def _reasons() -> dict[str, str]:
    return {
        "bad_number": _("this number does not exist"),
        "landline": _("a landline takes no text messages"),
        "bad_sender": _("the sender was not accepted"),
        "opted_out": _("the recipient has unsubscribed"),
        "too_long": _("the text is too long"),
        "region": _("this country is not enabled"),
        "filtered": _("held back by the network"),
        "unreachable": _("device cannot be reached"),
        "network": _("trouble in the network"),
        "setup": _("the carrier's set-up is wrong"),
        "no_answer": _("nobody answered"),
        "busy": _("busy"),
        "machine": _("an answering machine took the call"),
        "no_audio": _("the text could not be spoken"),
        "given_up": _("given up by a person"),
    }


def N_(word: str) -> str:
    """Mark a msgid in a table; it is translated where it is shown."""
    return word


_SMS = {
    "scheduled": ("st-plan", "clock", N_("Planned")),
    "sending": ("st-live", "loader-circle", N_("Sending")),
    "sent": ("st-none", "sent", N_("Sent, no delivery report")),
    "delivered": ("st-ok", "delivered", N_("Delivered")),
    "undelivered": ("st-warn", "triangle-alert", N_("Not delivered")),
    "failed": ("st-fail", "circle-x", N_("Not delivered")),
    "unknown": ("st-warn", "triangle-alert", N_("Sent? Check or send again")),
    "cancelled": ("st-none", "x", N_("Taken back")),
}
_VOICE = {
    "sending": ("st-live", "loader-circle", N_("Calling")),
    "sent": ("st-live", "loader-circle", N_("Calling")),
    "delivered": ("st-ok", "delivered", N_("Read aloud")),
    "undelivered": ("st-warn", "triangle-alert", N_("Not reached")),
    "failed": ("st-fail", "circle-x", N_("Not reached")),
    "unknown": ("st-warn", "triangle-alert", N_("Called? The carrier does not say")),
}


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
    return Try(call.attempt, time, _call_status(call))


def _call_status(call: Call) -> Status:
    if call.status == "completed":
        return _answered(call)
    if call.status == "no-answer" and call.seconds:
        return Status("st-none", "phone-missed", _("no answer after %(n)d s", n=round(call.seconds)))
    look, icon, words = _CALLS.get(call.status, ("st-none", "phone", call.status))
    return Status(look, icon, _(words))


def _answered(call: Call) -> Status:
    if call.answered_by.startswith(("machine", "fax")):
        return Status("st-none", "phone-missed", _("answering machine"))
    words = [_("answered, heard to the end") if call.heard else _("answered, hung up early")]
    if call.digits and not call.heard:
        words = [_("answered")]  # a key cut the words short: nobody hung up on them
    if again := call.digits.count("1"):
        words.append(ngettext("heard again once", "heard again %(num)d times", again))
    if "2" in call.digits:
        words.append(_("wants to be called back"))
    if "9" in call.digits:
        words.append(_("has unsubscribed"))
    return Status("st-ok" if call.heard or call.digits else "st-warn", "phone", ", ".join(words))


_CALLS = {
    "planned": ("st-plan", "clock", N_("planned")),
    "placing": ("st-live", "loader-circle", N_("dialling")),
    "queued": ("st-live", "loader-circle", N_("dialling")),
    "ringing": ("st-live", "phone-call", N_("ringing")),
    "in-progress": ("st-live", "phone-call", N_("being read aloud")),
    "busy": ("st-none", "phone-missed", N_("busy")),
    "no-answer": ("st-none", "phone-missed", N_("no answer")),
    "failed": ("st-fail", "phone-off", N_("call failed")),
    "canceled": ("st-none", "phone-off", N_("called off")),
    "unknown": ("st-warn", "triangle-alert", N_("the carrier does not say")),
}


def _note(entry: Bubble, message: Message, locale: str, zone: str) -> None:
    entry.kind = "note"
    entry.author = message.author.first_name if message.author_id and message.author else _("Somebody")


def _event(entry: Bubble, message: Message, locale: str, zone: str) -> None:
    entry.kind = "event"
    data = message.data or {}
    who = message.author.name if message.author_id and message.author else ""
    entry.words = event_words(data, who, message.source, locale, zone)


_BUILDERS = {"voice": _voice, "note": _note, "event": _event, "sms": _text}
