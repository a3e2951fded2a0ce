"""The calendar that an account gives out at a secret address, and the calendar file of one appointment for its recipient.

Both addresses are signed and kept nowhere. The account's holds the edition of its feed, so a new one ends the last;
a recipient's holds the appointment and, in the signature, the number: an appointment that goes to somebody else, or
a person who is erased, ends it.
"""

import hashlib
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from itsdangerous import BadSignature, Signer, URLSafeSerializer

from sms import exchange, i18n
from sms.clock import now
from sms.db import database
from sms.models import Account
from sms.modules.appointment.found import without_numbers
from sms.modules.appointment.models import Appointment, Feed
from sms.modules.appointment.wording import N_
from sms.modules.appointment.writing import Written, calendar

BACK, AHEAD = timedelta(days=30), timedelta(days=366)
MOST = 5_000
"""Appointments that are given out, the next ones first."""
REFRESH = "PT15M"
CARD_LIVES_ON = timedelta(days=1)
"""So long after its end the file of an appointment can still be had."""
NOTED_EVERY = timedelta(minutes=1)
LONGEST_TOKEN = 200
_card_name = re.compile(r"[1-9a-z][0-9a-z]{0,4}", re.ASCII)
PLACES = ("Ort", "Adresse", "location", "address")
"""Fields of an appointment that say where it is."""
STANDS = {
    "open": ("TENTATIVE", N_("Open")),
    "confirmed": ("CONFIRMED", N_("Confirmed")),
    "declined": ("CANCELLED", N_("Called off")),
    "wants_to_move": ("TENTATIVE", N_("Wants another time")),
    "cancelled": ("CANCELLED", N_("Cancelled")),
    "no_show": ("CONFIRMED", N_("Did not come")),
    "attended": ("CONFIRMED", N_("Came")),
}
"""How a state is called in a calendar: RFC 5545's STATUS, and the word before the title."""


def of_account(account: Account) -> Feed | None:
    """Return the feed that an account gives out, None where it gives out none."""
    return Feed.get_or_none(Feed.account == account, Feed.active)  # type: ignore[no-any-return]


def make_new(account: Account) -> Feed:
    """Give the calendar out at a new address; the last one ends."""
    with database.atomic():
        Feed.insert(account=account, edition=1, made_at=now(), read_at=None).on_conflict(
            conflict_target=[Feed.account],
            update={
                Feed.edition: Feed.edition + 1,
                Feed.active: True,
                Feed.made_at: now(),
                Feed.read_at: None,
            },
        ).execute()
    return Feed.get(Feed.account == account)  # type: ignore[no-any-return]


def end(account: Account) -> None:
    """Give the calendar out no more."""
    Feed.update(active=False).where(Feed.account == account).execute()


def token(feed: Feed) -> str:
    """Return what the secret address of a feed ends with."""
    return str(_feeds().dumps([feed.account_id, feed.edition]))


def asked(token: str) -> Feed | None:
    """Return the feed of a secret address; None for a forged one and one that has ended."""
    try:
        account_id, edition = _feeds().loads(token[:LONGEST_TOKEN])
    except (BadSignature, ValueError, TypeError):
        return None
    feed = Feed.get_or_none(Feed.account == account_id, Feed.edition == edition, Feed.active)
    if feed is not None and (feed.read_at is None or feed.read_at < now() - NOTED_EVERY):
        Feed.update(read_at=now()).where(Feed.id == feed.id).execute()
    return feed  # type: ignore[no-any-return]


def _feeds() -> URLSafeSerializer:
    return URLSafeSerializer(exchange.current().settings.secret_key, salt="appointment-feed")


def given_out(account: Account) -> list[Appointment]:
    """Return the appointments of an account's feed, in the order of time: those of a month ago and of a year ahead."""
    moment = now()
    rows = Appointment.select().where(
        Appointment.account == account, Appointment.start > moment - BACK, Appointment.start < moment + AHEAD
    )
    return list(rows.order_by(Appointment.start, Appointment.id).limit(MOST))


def mark(account: Account, appointments: Sequence[Appointment]) -> str:
    """Return the version of what a feed says (its ETag), without writing it."""
    rows = [(a.id, a.start, a.end, a.zone, a.title, a.state, a.state_at, a.moved_at) for a in appointments]
    says = repr((account.name, account.locale, _host(), rows))
    return hashlib.sha256(says.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def written(account: Account, appointments: Sequence[Appointment]) -> bytes:
    """Return the feed as a calendar file: when, what for and how it stands, and nothing of the person."""
    return calendar((_of_practice(account, one) for one in appointments), account.name, REFRESH)


def _of_practice(account: Account, one: Appointment) -> Written:
    status, word = STANDS[one.state]
    said = i18n.gettext(word, account.locale)
    title = without_numbers(one.title, account.region) or i18n.gettext(N_("Appointment"), account.locale)
    return _written(one, f"{said}: {title}", status)


def _written(one: Appointment, summary: str, status: str, location: str = "") -> Written:
    stamp = max(one.created_at, one.state_at, one.moved_at or one.created_at)
    uid = f"appointment-{one.id}@{_host()}"
    return Written(uid, one.start, one.end, ZoneInfo(one.zone), summary, status, stamp, location)


def _host() -> str:
    return exchange.current().public_url.partition("://")[2]


def card_address(appointment: Appointment) -> str:
    """Return the short address at which a recipient gets the calendar file of an appointment.

    One that is not stored has an address as long as any other, which leads nowhere.
    """
    if not appointment.id:
        return f"{exchange.current().public_url}/k/{'x' * 16}.0"
    name = _letters(appointment.id)
    # The signature may end with a sign that phones take for the end of a sentence, so it goes first.
    signature = _cards(appointment.number).get_signature(name).decode()
    return f"{exchange.current().public_url}/k/{signature}.{name}"


def card(token: str) -> Appointment | None:
    """Return the appointment of such an address; None for a forged one, and when the appointment is over."""
    signature, _, name = token.partition(".")
    if not _card_name.fullmatch(name) or not signature.isascii():
        return None
    one = Appointment.get_or_none(Appointment.id == int(name, 36))
    if one is None or not one.number or not _cards(one.number).verify_signature(name, signature):
        return None
    return one if _over_at(one) + CARD_LIVES_ON > now() else None


def card_file(one: Appointment) -> bytes:
    """Return the calendar file for a recipient: when, with whom and where, and not what for."""
    fields = one.fields or {}
    place = next((str(fields[name]) for name in PLACES if fields.get(name)), "")
    off = one.state in ("cancelled", "declined")
    return calendar([_written(one, one.account.name, "CANCELLED" if off else "CONFIRMED", place)])


def _over_at(one: Appointment) -> datetime:
    return one.end or one.start


def _cards(number: str) -> Signer:
    """Signs in 16 characters, 96 bits: an address in a text is paid for by the letter."""
    secret = exchange.current().settings.secret_key
    return Signer(secret, salt=f"appointment-card {number}", digest_method=_short)


def _short(data: bytes = b"") -> "hashlib.blake2b":
    return hashlib.blake2b(data, digest_size=12)


def _letters(number: int) -> str:
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    text = ""
    while number:
        number, rest = divmod(number, 36)
        text = digits[rest] + text
    return text
