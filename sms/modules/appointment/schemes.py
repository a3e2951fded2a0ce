"""Reminder rules as an account keeps them: one scheme, checked as a whole, counted up with every change."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from peewee import fn

from sms import checking, quiet
from sms.clock import now
from sms.db import database
from sms.gsm import segments
from sms.gsm.fold import fold
from sms.models import Account
from sms.modules.appointment import saying
from sms.modules.appointment.models import Appointment, Scheme
from sms.modules.appointment.plan import BadPeriod, read_period
from sms.refusal import Refused
from sms.understanding import optout

USUAL_NAME = {"de": "Standard-Erinnerung", "en": "Standard reminder"}
MOST_RULES = 10
MOST_WORDS, LONGEST_WORD = 10, 30
MOST_CUTOFF = 14 * 24
MOST_CALL_AFTER = 24 * 60
_key = re.compile(r"\w{1,20}", re.ASCII)
_clock = re.compile(r"([01]?\d|2[0-3])(?:[:.]([0-5]\d))?(?: ?Uhr)?", re.ASCII | re.IGNORECASE)


def usual(account: Account) -> Scheme:
    """Return a scheme with what most practices want, not stored: the day before at ten, while nobody has answered."""
    rule = {"key": "r1", "before": "P1D", "at": "10:00", "channel": "sms", "when": "open"}
    moment = now()
    return Scheme(
        account=account, name=USUAL_NAME["en" if account.locale.startswith("en") else "de"], rules=[rule],
        text=saying.usual("reminder", account.locale), answers={}, created_at=moment, updated_at=moment,
    )  # fmt: skip


def of(account: Account) -> Scheme | None:
    """Return the account's scheme, active or not; None before its first."""
    return Scheme.select().where(Scheme.account == account).order_by(Scheme.id).first()  # type: ignore[no-any-return]


def create(account: Account, rules: Sequence[Mapping[str, Any]]) -> Scheme:
    """Store the usual scheme with these rules."""
    scheme = usual(account)
    scheme.rules = [dict(rule) for rule in rules]
    scheme.save(force_insert=True)
    return scheme


def save(account: Account, scheme: Scheme) -> Scheme:
    """Store a checked scheme; reminders that an older version has planned are planned anew in the background."""
    with database.atomic():
        newest = Scheme.select(fn.MAX(Scheme.version)).where(Scheme.account == account).scalar() or 0
        scheme.version, scheme.updated_at = newest + 1, now()
        scheme.save(force_insert=scheme.id is None)
    return scheme


def checked_rule(number: int, amount: str, unit: str, at: str, channel: str, when: str) -> dict[str, str]:
    """Return rule `number` (from 0) as it is stored; raises Refused at `rules.<number>`."""
    field = f"rules.{number}"
    text = amount.strip()
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise Refused(field, "bad_amount")
    days = unit == "days"
    before = f"P{int(text)}D" if days else f"PT{int(text)}H"
    try:
        read_period(before)
    except BadPeriod:
        raise Refused(field, "too_early") from None
    hour = ""
    if days and at.strip():
        match = _clock.fullmatch(at.strip())
        if match is None:
            raise Refused(field, "bad_clock")
        hour = f"{int(match[1]):02}:{match[2] or '00'}"
    return {
        "key": "", "before": before, "at": hour, "channel": channel if channel in ("voice", "both") else "sms",
        "when": "always" if when == "always" else "open",
    }  # fmt: skip


def with_keys(rules: Sequence[dict[str, str]], kept: Sequence[str]) -> list[dict[str, str]]:
    """Give rules the keys that they had, and new ones a fresh key: by its key a rule knows what it has sent."""
    taken: set[str] = set()
    keyed: list[dict[str, str]] = []
    fresh = (f"r{n}" for n in range(1, 10_000))
    for rule, key in zip(rules, kept, strict=True):
        if not _key.fullmatch(key) or key in taken:
            key = next(one for one in fresh if one not in taken and one not in kept)
        taken.add(key)
        keyed.append({**rule, "key": key})
    return keyed


def checked_text(account: Account, field: str, text: str, known: Sequence[str], *, needed: bool) -> str:
    """Return a text that can be sent with the known placeholders; raises Refused at `field`."""
    text = segments.normalise(text)
    if not text.strip():
        if needed:
            raise Refused(field, "empty")
        return ""
    if trouble := segments.problem(text):
        raise Refused(field, trouble, limit=segments.MAX_CHARACTERS)
    missing = checking.preview(account, text, None, None, dict.fromkeys(known, "x")).missing
    if missing:
        raise Refused(field, "placeholder_unknown", names=", ".join(missing))
    return text


def checked_words(role: str, written: str, taken: Sequence[str] = ()) -> list[str]:
    """Return the words of an answer, parted by commas and none that another has `taken`; raises Refused at `words_<role>`."""
    words = [word.strip() for word in written.split(",") if word.strip()]
    if len(words) > MOST_WORDS:
        raise Refused(f"words_{role}", "too_many", limit=MOST_WORDS)
    if any(len(word) > LONGEST_WORD for word in words):
        raise Refused(f"words_{role}", "too_long", limit=LONGEST_WORD)
    if stops := next((word for word in words if optout.is_stop(word)), None):
        raise Refused(f"words_{role}", "opts_out", word=stops)
    others = {fold(word) for word in taken}
    if twice := next((word for word in words if fold(word) in others), None):
        raise Refused(f"words_{role}", "word_twice", word=twice)
    return words


def checked_cutoff(written: str) -> int:
    """Return the cut-off in minutes for hours as written; raises Refused at `cutoff`."""
    text = written.strip() or "0"
    if not (text.isascii() and text.isdigit() and int(text) <= MOST_CUTOFF):
        raise Refused("cutoff", "bad_cutoff", limit=MOST_CUTOFF)
    return int(text) * 60


def checked_call_after(written: str) -> int:
    """Return after how many minutes without an answer a text is followed by a call; raises Refused at `call_after`."""
    text = written.strip() or "30"
    if not (text.isascii() and text.isdigit() and 0 < int(text[:9]) <= MOST_CALL_AFTER):
        raise Refused("call_after", "bad_call_after", limit=MOST_CALL_AFTER)
    return int(text)


def checked_quiet(since: str, until: str) -> str:
    """Return quiet hours as "20:00-08:00", "" for none; raises Refused at `quiet`."""
    return quiet.written_span(since, until, "quiet")


def known_names(account: Account) -> list[str]:
    """Return every placeholder that a reminder can fill: its own, the account's, and the fields of recent appointments."""
    own = [
        "Name",
        "Wochentag",
        "Datum",
        "Uhrzeit",
        "Termin",
        "Titel",
        "weekday",
        "date",
        "time",
        "appointment",
        "title",
        "Kalenderlink",
        "calendar_link",
    ]
    recent = (
        Appointment.select(Appointment.fields)
        .where(Appointment.account == account)
        .order_by(Appointment.start.desc(), Appointment.id.desc())
        .limit(50)
    )
    fields = {name for row in recent for name in (row.fields or {})}
    return [*own, "Praxis", "account", *sorted(fields - set(own))]
