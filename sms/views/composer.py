"""The answer field: its meter, senders, numbers, templates and times."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import get_locale, ngettext
from flask_babel import gettext as _
from flask_login import current_user
from peewee import JOIN

from sms import answering, checking, inbox, routing, sending, wallclock
from sms.clock import now
from sms.gsm import msisdn, placeholders, segments
from sms.models import Account, ContactNumber, Conversation, Route, Suppression, Template, User
from sms.refusal import Refused
from sms.views import moments

blueprint = Blueprint("composer", __name__)

MOST_STITCHES = 5
DAY_BEGINS = 8
"""The hour before which nothing is offered to wake up at."""


@dataclass(frozen=True)
class Meter:
    """What a text costs, in words and stitches: one stitch a part, filled in steps of five per cent."""

    words: str
    label: str
    stitches: tuple[int, ...] = ()
    unicode: bool = False
    wrong: bool = False


@dataclass(frozen=True)
class Filled:
    """A template with the contact's values in it."""

    id: int
    name: str
    text: str


@dataclass(frozen=True)
class Placeholder:
    name: str
    value: str


@dataclass(frozen=True)
class Choice:
    """A sender as the menu offers it."""

    value: str
    label: str
    can_reply: bool


@dataclass(frozen=True)
class Number:
    """One of a contact's numbers in words."""

    number: str
    display: str
    shown: str
    kind: str
    words: str
    blocked: bool
    first: bool


@dataclass
class Composer:
    """The answer field of one conversation for one agent."""

    kind: str = "reply"
    reply: str = ""
    note: str = ""
    seen: int = 0
    to: str = ""
    sender: str = ""
    channel: str = ""
    at: str = ""
    unless_answered: bool = False
    locked: str = ""
    errors: list[str] = field(default_factory=list)
    conflict: dict[str, Any] | None = None
    senders: list[Choice] = field(default_factory=list)
    numbers: list[Number] = field(default_factory=list)
    some_blocked: bool = False
    templates: list[Filled] = field(default_factory=list)
    placeholders: list[Placeholder] = field(default_factory=list)
    meter: Meter = Meter("0/160", "")


def meter(
    account: Account, text: str, to: str | None, channel: str, fields: Mapping[str, Any] | None = None
) -> Meter:
    """Measure a text by the one computation that also sends it."""
    shown = checking.preview(account, text, to, None, fields)
    counted = shown.segments
    characters = segments.characters(shown.text)
    if shown.missing:
        words = _("No value for %(names)s", names=", ".join(shown.missing))
        return Meter(words, words, wrong=True)
    if characters > segments.MAX_CHARACTERS:
        words = _("%(n)s of %(limit)s characters: too long", n=characters, limit=segments.MAX_CHARACTERS)
        return Meter(words, words, wrong=True)
    if channel == "voice" or (channel != "sms" and shown.to is not None and shown.to.channel == "voice"):
        words = ngettext("read aloud, 1 character", "read aloud, %(num)d characters", characters)
        if not answering.keys_are_heard():
            words = f"{words} · {_('no keys in the call')}"
        return Meter(words, words)
    return _in_parts(counted)


def _in_parts(counted: segments.Segments) -> Meter:
    parts = counted.parts
    figures = f"{counted.units}/{counted.unit_limit}"
    label = ngettext(
        "%(units)s of %(limit)s characters, 1 SMS",
        "%(units)s of %(limit)s characters, %(num)d SMS",
        parts,
        units=counted.units,
        limit=counted.unit_limit,
    )
    if not parts:
        return Meter(figures, _("0 of %(limit)s characters", limit=counted.unit_limit))
    words = f"{figures} · {parts} SMS"
    if counted.unicode_because:
        because = _("“%(character)s” forces Unicode", character=counted.unicode_because[0])
        words, label = f"{words} · {because}", f"{label}, {because}"
    return Meter(words, label, _stitches(counted), bool(counted.unicode_because))


def _stitches(counted: segments.Segments) -> tuple[int, ...]:
    each = counted.unit_limit // counted.parts
    last = (counted.units - each * (counted.parts - 1)) / each
    filled = [100] * (counted.parts - 1) + [max(5, min(100, round(last * 20) * 5))]
    return tuple(filled[-MOST_STITCHES:])


def composer(conversation: Conversation, user: User, numbers: list[Number], seen: int) -> Composer:
    """Return the answer field of a conversation as this agent left it."""
    account = user.account
    kept = inbox.drafts(user, conversation)
    form = Composer(
        reply=kept.get("reply", ""),
        note=kept.get("note", ""),
        seen=seen,
        kind="note" if request.args.get("compose") == "note" else "reply",
        channel="voice" if request.args.get("channel") == "voice" else "",
        numbers=[n for n in numbers if not n.blocked],
        some_blocked=any(n.blocked for n in numbers),
    )
    form.locked = lock_words(conversation, numbers)
    if form.locked:
        return form
    _choose_ways(form, conversation, account)
    values = values_of(conversation, account)
    form.templates = filled_templates(account, values)
    form.placeholders = [Placeholder(name, str(value)) for name, value in values.items()]
    form.meter = meter(account, form.reply, form.to, form.channel)
    return form


def _choose_ways(form: Composer, conversation: Conversation, account: Account) -> None:
    usual, own = sending.answering(conversation, form.channel or "auto")
    form.to = _number_to_answer(usual, form)
    choices = routing.senders(account)
    form.sender = own or next((choice.value for choice in choices if choice.default), "")
    form.senders = sender_choices(account, form.to, choices)


def ways(conversation: Conversation, numbers: list[Number], to: str, sender: str) -> Composer:
    """Return their numbers and our senders to choose from; what the page has chosen stays chosen while it is there."""
    free = [n for n in numbers if not n.blocked]
    form = Composer(numbers=free, some_blocked=len(free) < len(numbers))
    _choose_ways(form, conversation, conversation.account)
    form.to = to if to in {n.number for n in free} else form.to
    form.sender = sender if sender in {s.value for s in form.senders} else form.sender
    return form


def _number_to_answer(usual: str, form: Composer) -> str:
    by_number = {n.number: n for n in form.numbers}
    if form.channel == "voice":
        landlines = [n.number for n in form.numbers if n.kind == "landline"]
        usual = landlines[0] if landlines else usual
    return usual if usual in by_number else next(iter(by_number), usual)


def lock_words(conversation: Conversation, numbers: list[Number]) -> str:
    """Return why nothing can be sent, with day and way; nothing where at least one number is free."""
    if not numbers or not all(n.blocked for n in numbers):
        return ""
    zone, locale = current_user.account.zone, get_locale().language
    row = (
        Suppression.select()
        .where(
            Suppression.account == conversation.account_id,
            Suppression.number.in_([n.number for n in numbers]),
        )
        .order_by(Suppression.created_at.desc())
        .first()
    )
    if row is None:
        return _("Blocked.")
    at = moments.local(row.created_at, zone).date()
    date = moments.in_words(at, moments.local(now(), zone).date(), locale)
    if row.source == "sms":
        return _("Unsubscribed with %(word)s on %(date)s.", word=(row.word or "STOP").upper(), date=date)
    if row.source == "voice":
        return _("Unsubscribed by key 9 in a call on %(date)s.", date=date)
    if row.source == "carrier":
        return _("Unsubscribed at the carrier on %(date)s.", date=date)
    return _("Blocked by a colleague on %(date)s.", date=date)


def numbers_of(conversation: Conversation) -> list[Number]:
    """Return a contact's numbers in words, the first one first, with those that are blocked marked; one query."""
    contact = conversation.contact
    blocked = (Suppression.account == ContactNumber.account) & (Suppression.number == ContactNumber.number)
    entries = list(
        ContactNumber.select(ContactNumber, Suppression.id.alias("blocked"))
        .join(Suppression, JOIN.LEFT_OUTER, on=blocked)
        .where(ContactNumber.contact == contact)
        .order_by(ContactNumber.id)
        .objects()
    )
    entries.sort(key=lambda e: e.number != contact.number)
    return [
        Number(
            e.number, _display(e.number), _shown(e.number), e.kind, kind_words(e.kind, e.region),
            e.blocked is not None, e.number == contact.number,
        )
        for e in entries
    ]  # fmt: skip


def _display(number: str) -> str:
    return msisdn.display(number) if number.startswith("+") else number


def _shown(number: str) -> str:
    return msisdn.shown(number) if number.startswith("+") else number


def kind_words(kind: str, region: str | None) -> str:
    """Return what a kind of number is called, with its country where that is not Germany."""
    known = {
        "mobile": _("Mobile"),
        "landline": _("Landline, read aloud"),
        "landline_or_mobile": _("Mobile or landline"),
        "voip": _("Internet phone, read aloud"),
    }
    words = known.get(kind, _("Number"))
    if not region or region in ("DE", "001"):
        return words
    country = get_locale().territories.get(region, region)
    return f"{words}, {country}"


def sender_choices(
    account: Account, their: str, choices: Sequence[routing.Choice] | None = None
) -> list[Choice]:
    """Return the senders to choose from; the pool shows the number that sticks to this recipient."""
    route = (
        Route.select(Route.our)
        .where(Route.account == account, Route.their == their)
        .order_by(Route.current.desc(), Route.used_at.desc())
        .first()
    )
    pool = _display(route.our) if route else _("pool number")
    return [Choice(s.value, s.label or pool, s.can_reply) for s in choices or routing.senders(account)]


def values_of(conversation: Conversation, account: Account) -> dict[str, Any]:
    """Return what placeholders can name in this conversation."""
    contact = conversation.contact
    own = {"name": contact.name} if contact.name else {}
    return own | dict(contact.fields or {}) | {"praxis": account.name}


def filled_templates(account: Account, values: Mapping[str, Any]) -> list[Filled]:
    """Return the account's templates with the values in them; a name without a value stays in braces."""
    found = Template.select().where(Template.account == account).order_by(Template.name)
    return [Filled(t.id, t.name, placeholders.fill(t.text, values).text) for t in found]


def send_times(zone: str) -> list[tuple[str, str]]:
    """Return the moments offered for sending later: today 17:00 while that is to come, tomorrow 08:00."""
    here = moments.local(now(), zone)
    today = here.replace(hour=17, minute=0, second=0, microsecond=0)
    tomorrow = (here + timedelta(days=1)).replace(hour=8, minute=0, second=0, microsecond=0)
    times = [(_("Today, 17:00"), today)] if today > here + timedelta(minutes=5) else []
    times.append((_("Tomorrow, 08:00"), tomorrow))
    return [(words, f"{at:%Y-%m-%dT%H:%M}") for words, at in times]


def snooze_times(zone: str) -> list[tuple[str, str]]:
    """Return the moments offered for snoozing: later today, tomorrow 8:00, Monday 8:00."""
    here = moments.local(now(), zone)
    later = (here + timedelta(hours=3)).replace(minute=0, second=0, microsecond=0)
    if later.hour < DAY_BEGINS:
        later = later.replace(hour=DAY_BEGINS)
    morning = (here + timedelta(days=1)).replace(hour=8, minute=0, second=0, microsecond=0)
    monday = morning + timedelta(days=(7 - morning.weekday()) % 7)
    times: list[tuple[str, datetime]] = []
    if later.date() == here.date():
        times.append((_("Later today, %(time)s", time=f"{later:%H:%M}"), later))
    times.append((_("Tomorrow, 08:00"), morning))
    if monday != morning:
        times.append((_("Monday, 08:00"), monday))
    return [(words, f"{at:%Y-%m-%dT%H:%M}") for words, at in times]


def soonest(zone: str) -> str:
    """Return the earliest minute a date field should offer."""
    return moments.for_input(now() + timedelta(minutes=1), zone)


def chosen_time(form: Mapping[str, str], zone: str, field_name: str = "send_at") -> datetime | None:
    """Return when a form asks to send; raises Refused.

    `when` is "now", a moment, or "at": the date field's. Enter in the date field names nothing and means the date.
    """
    when, at = form.get("when", ""), form.get("at", "")
    if when == "now" or (when == "" and not at.strip()):
        return None
    text = at if when in ("at", "") else when
    if not text.strip():
        raise Refused(field_name, "empty")
    return wallclock.read(text, zone, field_name)


@blueprint.post("/conversations/<int:conversation_id>/preview")
def preview(conversation_id: int) -> ResponseReturnValue:
    """The meter of what is being typed."""
    conversation = inbox.open_conversation(current_user.account_id, _id(conversation_id))
    form = request.form
    to = form.get("to") or conversation.contact.number
    found = meter(current_user.account, form.get("text", ""), to, form.get("channel") or "auto")
    return render_template("inbox/_meter.html", composer=Composer(meter=found))


def _id(number: int) -> int:
    """Keep ids within what a database column holds; a larger one is nobody's."""
    return number if number < 2**63 else 0
