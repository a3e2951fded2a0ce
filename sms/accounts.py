"""Accounts, the people who sign in to them, and the keys of programs."""

import hashlib
import re
import secrets
import unicodedata
from datetime import timedelta
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from itsdangerous import BadSignature, TimestampSigner, URLSafeTimedSerializer

from sms import guessable, statements
from sms.clock import now
from sms.db import database, to_ms
from sms.models import Account, ApiKey, User
from sms.models.account import ROLES
from sms.refusal import NotFound, Refused

LOCALES = ("de", "en")
SHORTEST_PASSWORD, LONGEST_PASSWORD = 10, 200
TOKEN_LIFE = timedelta(hours=48)
KEY_USE_KNOWN_TO = timedelta(minutes=1)
"""A key's last use is written at most this often: a write for every API call would cost more than the call."""

_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
"""Argon2id as the OWASP cheat sheet has it: 19 MiB, so that 24 threads at once need half a gigabyte, not one and a half."""
_email = re.compile(
    r"[^@\s\x00-\x1f,;:<>()\[\]\"\\]{1,64}@[a-z0-9äöüß](?:[a-z0-9äöüß.\-]{0,250}[a-z0-9äöüß])?"
)
_secret: str | None = None


class _Clock(TimestampSigner):
    """Signs with the project's clock, so that tests can let a link grow old."""

    def get_timestamp(self) -> int:
        return int(now().timestamp())


def use_secret(secret: str) -> None:
    """Set the key that signs one-time links; the application does so once, at its start."""
    global _secret
    _secret = secret


def add_account(name: str, *, zone: str = "Europe/Berlin", locale: str = "de") -> Account:
    """Open an account; raises Refused at name, zone or locale."""
    if not (name := _line("name", name, 100)):
        raise Refused("name", "empty")
    _check_place(zone, locale)
    return Account.create(name=name, zone=zone, locale=locale, created_at=now())


def change_account(account: Account, **values: Any) -> None:
    """Change an account's own settings (name, zone, locale, region, gtts_consent, daily_parts, quiet hours, prices)."""
    if "name" in values:
        values["name"] = _line("name", values["name"], 100)
        if not values["name"]:
            raise Refused("name", "empty")
    _check_place(values.get("zone", account.zone), values.get("locale", account.locale))
    Account.update(**values).where(Account.id == account.id).execute()
    for name, value in values.items():
        setattr(account, name, value)


def _check_place(zone: str, locale: str) -> None:
    if zone not in zones():
        raise Refused("zone", "unknown_zone")
    if locale not in LOCALES:
        raise Refused("locale", "unknown_locale")


@cache
def zones() -> tuple[str, ...]:
    """Return the names of all time zones of regions and cities, sorted."""
    places = (z for z in available_timezones() if "/" in z and not z.startswith("Etc/"))
    return (*sorted(places), "UTC")


def add_user(account: Account, email: str, name: str = "", role: str = "agent") -> User:
    """Add a person without a password; raises Refused at email (invalid_email, taken), name or role."""
    if role not in ROLES:
        raise Refused("role", "unknown_role")
    email = clean_email(email)
    name = _line("name", name, 100) or email.partition("@")[0]
    with database.atomic():
        if find_user_by_email(email):
            raise Refused("email", "taken")
        return User.create(account=account, email=email, name=name, role=role, created_at=now())


def clean_email(email: str) -> str:
    """Return the address as it is stored: trimmed, lower case; raises Refused('email', ...) where it is none."""
    email = unicodedata.normalize("NFC", email.strip()).lower()
    if not email:
        raise Refused("email", "empty")
    if len(email) > 254 or not _email.fullmatch(email):
        raise Refused("email", "invalid_email")
    return email


def _line(field: str, text: str, longest: int) -> str:
    """Return a one-line text without blanks around it; raises Refused where a control character hides in it."""
    text = unicodedata.normalize("NFC", text).strip()
    if any(unicodedata.category(c) in ("Cc", "Cs") for c in text):
        raise Refused(field, "control_character")
    if len(text) > longest:
        raise Refused(field, "too_long", limit=longest)
    return text


def change_profile(user: User, *, name: str, locale: str | None, theme: str | None) -> None:
    """Change what a person decides for herself: her name, her language (None: the account's), light or dark."""
    if not (name := _line("name", name, 100)):
        raise Refused("name", "empty")
    if locale not in (None, *LOCALES):
        raise Refused("locale", "unknown_locale")
    theme = theme if theme in ("light", "dark") else None
    User.update(name=name, locale=locale, theme=theme).where(User.id == user.id).execute()
    user.name, user.locale, user.theme = name, locale, theme


def colleague(account: Account, user_id: int) -> User:
    """Return the account's user of this id; raises NotFound."""
    user = User.get_or_none(User.id == user_id, User.account == account)
    if user is None:
        raise NotFound
    return user


def colleagues(account: Account) -> list[User]:
    """Return everybody of the account, those who can sign in first, by name."""
    return list(User.select().where(User.account == account).order_by(User.active.desc(), User.name, User.id))


def set_role(user: User, role: str) -> None:
    """Give a person another role; an account keeps at least one owner who can sign in."""
    if role not in ROLES:
        raise Refused("role", "unknown_role")
    with database.atomic():
        if role == "agent":
            _keep_an_owner(user)
        User.update(role=role).where(User.id == user.id).execute()
    user.role = role


def deactivate(user: User) -> None:
    """Take the right to sign in; open sessions end at once. The last owner stays."""
    with database.atomic():
        _keep_an_owner(user)
        User.update(active=False, epoch=User.epoch + 1).where(User.id == user.id).execute()
    user.active = False


def activate(user: User) -> None:
    """Let a person sign in again, with the password of before."""
    User.update(active=True).where(User.id == user.id).execute()
    user.active = True


def _keep_an_owner(user: User) -> None:
    others = User.select().where(
        User.account == user.account_id, User.id != user.id, User.active, User.role.in_(("owner", "operator"))
    )
    if user.role != "agent" and user.active and not others.exists():
        raise Refused("role", "last_owner")


def check_password(password: str, user: User | None = None) -> None:
    """Raise Refused('password', ...) for one that is too short, too long or one of the first to be tried.

    Where a person chooses it, `user` is that person: her name, address and account are the first to be tried too.
    """
    if len(password) < SHORTEST_PASSWORD:
        raise Refused("password", "password_too_short", limit=SHORTEST_PASSWORD)
    if len(password) > LONGEST_PASSWORD:
        raise Refused("password", "password_too_long", limit=LONGEST_PASSWORD)
    own = (user.name, user.email, user.account.name) if user else ()
    if len(set(password)) < 4 or guessable.is_easy(password, own):
        raise Refused("password", "password_too_simple")


def set_password(user: User, password: str) -> None:
    """Set a password (Argon2id). The epoch rises: older sessions, cookies and one-time links end."""
    hashed = _hasher.hash(_octets(password))
    User.update(password_hash=hashed, epoch=User.epoch + 1).where(User.id == user.id).execute()
    user.password_hash = hashed
    user.epoch = User.get_by_id(user.id).epoch


def verify_password(user: User | None, password: str) -> bool:
    """Compare a password in constant effort: an unknown or blocked user takes as long as a known one."""
    known = user is not None and user.active and user.password_hash
    try:
        _hasher.verify(
            user.password_hash if user and known else _nobody(), _octets(password[: LONGEST_PASSWORD + 1])
        )
    except (VerificationError, InvalidHashError):
        return False
    if user and known and _hasher.check_needs_rehash(user.password_hash):
        User.update(password_hash=_hasher.hash(_octets(password))).where(User.id == user.id).execute()
    return bool(known)


@cache
def _nobody() -> str:
    return _hasher.hash(secrets.token_bytes(16))


def _octets(password: str) -> bytes:
    """A Mac types ü as two characters, a phone as one: both are the same password."""
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")


def signed_in(user: User) -> None:
    """Note the moment of a sign-in."""
    User.update(signed_in_at=now()).where(User.id == user.id).execute()


def find_user(user_id_with_epoch: str) -> User | None:
    """Return the user of a session ("7.2": id and epoch) with the account, None once the session has ended."""
    number, _, epoch = user_id_with_epoch.partition(".")
    if not (_is_id(number) and _is_id(epoch)):
        return None
    found = User.select(User, Account).join(Account).where(User.id == int(number), User.active)
    user = found.first()
    return user if user and user.epoch == int(epoch) else None


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 16


def find_user_by_email(email: str) -> User | None:
    """Return the user who signs in with this address, in any case of letters."""
    email = unicodedata.normalize("NFC", email.strip()).lower()
    if any("\ud800" <= c <= "\udfff" or c == "\0" for c in email):
        return None
    return User.select(User, Account).join(Account).where(User.email == email).first()


def _links() -> URLSafeTimedSerializer:
    if _secret is None:
        raise RuntimeError("accounts.use_secret() was not called")
    return URLSafeTimedSerializer(_secret, salt="set-password", signer=_Clock)


def password_token(user: User) -> str:
    """Return the signed word of a one-time link: it lives 48 hours and dies with any change of the password."""
    return _links().dumps([user.id, user.epoch])  # type: ignore[no-any-return]


def user_for_token(token: str) -> User | None:
    """Return whose password a one-time link may set, None where it is forged, old or used."""
    try:
        number, epoch = _links().loads(token, max_age=int(TOKEN_LIFE.total_seconds()))
    except (BadSignature, ValueError, TypeError, UnicodeError):
        return None
    return find_user(f"{number}.{epoch}")


def add_api_key(account: Account, name: str, key: str | None = None) -> tuple[ApiKey, str]:
    """Make a program's key (or take a given one) and return it in clear, this once; only its SHA-256 is kept."""
    if not (name := _line("name", name, 100)):
        raise Refused("name", "empty")
    key = key or f"fdn_{secrets.token_urlsafe(32)}"
    row = ApiKey.create(account=account, name=name, prefix=key[:12], digest=_digest(key), created_at=now())
    return row, key


def api_keys(account: Account) -> list[ApiKey]:
    """Return the account's keys, newest first, revoked ones too."""
    return list(ApiKey.select().where(ApiKey.account == account).order_by(ApiKey.id.desc()))


def account_for_key(key: str) -> Account | None:
    """Return the account that a bearer key opens, None for an unknown or revoked one."""
    moment = now()
    row = statements.run(
        f"SELECT api_key.id, api_key.used_at, {statements.columns(Account, 'account')} FROM api_key "
        "JOIN account ON account.id = api_key.account_id WHERE api_key.digest = ? AND api_key.revoked_at IS NULL",
        _digest(key),
    ).fetchone()
    if row is None:
        return None
    id, used_at, *account = row
    if used_at is None or to_ms(moment - KEY_USE_KNOWN_TO) > used_at:
        ApiKey.update(used_at=moment).where(ApiKey.id == id).execute()
    return statements.load(Account, account)  # type: ignore[no-any-return]


def revoke_api_key(account: Account, id: int) -> None:
    """End a key at once; raises NotFound for another account's."""
    if not ApiKey.select().where(ApiKey.id == id, ApiKey.account == account).exists():
        raise NotFound
    ApiKey.update(revoked_at=now()).where(ApiKey.id == id, ApiKey.revoked_at.is_null()).execute()


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
