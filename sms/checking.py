"""Checking: what a message would become, and whether it can be sent at all. Reads, stores nothing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sms import contacts, logbook, quiet, routing
from sms.clock import now
from sms.gsm import msisdn, placeholders, segments, sender_id
from sms.models import Account, Conversation, User
from sms.refusal import Refused

FURTHEST = timedelta(days=366)
LONGEST_REFERENCE = 100


@dataclass(frozen=True)
class Preview:
    """What a text would become: the one computation behind the meter, the API's preview and the stored message."""

    text: str
    segments: segments.Segments
    missing: tuple[str, ...]
    to: msisdn.Number | None
    sender: sender_id.SenderId | None


@dataclass(slots=True, kw_only=True)
class Wanted:
    """A message as it is asked for (see `sending.send`).

    `conversation` is known where an agent answers in it; `seen` the newest message that agent's page shows; `exempt`
    is for the one confirmation of an opt-out. `answering` is for what a module says to somebody who has just written:
    behind what persons write, before what a machine starts, and it may say the same twice. `again` is for what may say
    the same twice because its module sees to it that nobody is asked twice by accident. `trace` is the request's id in
    the logs.
    """

    to: str
    text: str
    sender: str = ""
    channel: str = "auto"
    send_at: datetime | None = None
    fields: Mapping[str, Any] | None = None
    reference: str | None = None
    by: User | None = None
    source: str = "agent"
    automated: bool = False
    unless_answered: bool = False
    undo: bool = False
    conversation: Conversation | None = None
    seen: int | None = None
    exempt: bool = False
    answering: bool = False
    again: bool = False
    trace: str = field(default_factory=logbook.trace)


@dataclass(slots=True)
class Checked:
    """A message that can be sent: `their` number (E.164), and None for `moment` where it may go out at once."""

    wanted: Wanted
    their: str
    channel: str
    sender: sender_id.SenderId
    text: str
    encoding: str
    parts: int
    moment: datetime | None
    moved_from: datetime | None


def preview(
    account: Account,
    text: str,
    to: str | None = None,
    sender: str | None = None,
    fields: Mapping[str, Any] | None = None,
) -> Preview:
    """Compute what would be sent, storing nothing; never refuses a number or sender, it tells about them."""
    number = None if to is None else msisdn.parse(to, account.region)
    kind = None if sender is None else routing.classify(account, sender)
    e164 = number and number.e164
    known = contacts.filling(account, [e164]).get(e164) if e164 and "{" in text else None
    filled, missing = _filled(account, text, known, fields)
    return Preview(filled, segments.count(filled), missing, number, kind)


def _filled(
    account: Account, text: str, known: Mapping[str, Any] | None, given: Mapping[str, Any] | None
) -> tuple[str, tuple[str, ...]]:
    """Return a text as it is sent, and the placeholders in it that have no value.

    They may name the contact's own fields and name (`known`), and what the request brings (`given`).
    """
    text = segments.normalise(text)
    if "{" not in text:
        return text, ()
    fields = {"account": account.name, "praxis": account.name, **(known or {}), **(given or {})}
    filled = placeholders.fill(text, fields)
    return segments.normalise(filled.text), filled.missing


class Desk:
    """What the messages of one account are checked against; a sender is looked up once however many have it."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.moment = now()
        self._senders: dict[str, sender_id.SenderId] = {}
        self._days: dict[tuple[str, str, datetime], datetime] = {}

    def check(self, lot: Sequence[Wanted]) -> list[Checked | Refused]:
        """Return for each message what would be stored of it, or why it cannot be sent."""
        numbers = [msisdn.parse(wanted.to, self.account.region) for wanted in lot]
        filling = self._filling(zip(lot, numbers, strict=True))
        checked: list[Checked | Refused] = []
        for wanted, number in zip(lot, numbers, strict=True):
            try:
                checked.append(self._checked(wanted, number, filling.get(number.e164 or "")))
            except Refused as refusal:
                checked.append(refusal)
        return checked

    def _filling(self, lot: Iterable[tuple[Wanted, msisdn.Number]]) -> Mapping[str, Mapping[str, Any]]:
        named = {number.e164 for wanted, number in lot if number.e164 and "{" in wanted.text}
        return contacts.filling(self.account, named) if named else {}

    def _checked(self, wanted: Wanted, number: msisdn.Number, known: Mapping[str, Any] | None) -> Checked:
        """Check a request field by field."""
        if number.e164 is None or number.channel is None:
            raise Refused("to", number.error or "invalid")
        text, counted = self.text(wanted, known)
        sender = self.sender(wanted.sender)
        channel = channel_for(number, wanted.channel)
        send_at = time_for(wanted.send_at, self.moment)
        moment = self._in_the_day(channel, number.e164, send_at) if wanted.automated else send_at
        if wanted.reference is not None and len(wanted.reference) > LONGEST_REFERENCE:
            raise Refused("reference", "too_long", limit=LONGEST_REFERENCE)
        return Checked(
            wanted, number.e164, channel, sender, text, counted.encoding, 0 if channel == "voice" else counted.parts,
            moment, (send_at or self.moment) if moment != send_at else None,
        )  # fmt: skip

    def text(self, wanted: Wanted, known: Mapping[str, Any] | None) -> tuple[str, segments.Segments]:
        """Return the text to be sent and its parts; a program that names no fields may send braces as they are."""
        text, missing = _filled(self.account, wanted.text, known, wanted.fields)
        if missing and (wanted.source != "api" or wanted.fields is not None):
            raise Refused("text", "placeholder_unknown", names=", ".join(missing))
        if trouble := segments.problem(text):
            raise Refused("text", trouble, limit=segments.MAX_CHARACTERS)
        return text, segments.count(text)

    def sender(self, raw: str) -> sender_id.SenderId:
        """Return the sender that is named, or the account's default one."""
        found = self._senders.get(raw)
        if found is None:
            found = self._senders[raw] = routing.classify(self.account, raw)
        if found.error:
            raise Refused("sender", f"sender_{found.error}", suggestion=found.suggestion)
        return found

    def _in_the_day(self, channel: str, their: str, wanted: datetime | None) -> datetime | None:
        """Move what a machine starts out of the quiet hours; None where it may go out at once."""
        start, zone = wanted or self.moment, quiet.zone_of(their, self.account)
        day = channel, zone.key, start
        moment = self._days.get(day)
        if moment is None:
            moment = self._days[day] = quiet.allowed_in(self.account, channel, zone, start)
        return wanted if moment == start else moment


def channel_for(number: msisdn.Number, wanted: str) -> str:
    """Return the channel that reaches a number; raises Refused for one that does not."""
    if wanted == "auto":
        return number.channel or "sms"
    if wanted not in ("sms", "voice"):
        raise Refused("channel", "unknown_channel")
    if wanted == "sms" and number.channel == "voice":
        raise Refused("channel", "landline_needs_voice")
    return wanted


def time_for(send_at: datetime | None, moment: datetime) -> datetime | None:
    """Return the chosen time of a message; raises Refused where it has passed or is too far away."""
    if send_at is None:
        return None
    if send_at <= moment:
        raise Refused("send_at", "in_the_past")
    if send_at > moment + FURTHEST:
        raise Refused("send_at", "too_far")
    return send_at
