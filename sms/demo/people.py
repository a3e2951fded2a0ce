"""The demo account: its people, how they sign in, and its API key."""

import secrets
from dataclasses import dataclass

from peewee import IntegrityError

from sms import accounts, prices
from sms.config import ConfigError, Settings
from sms.db import database
from sms.models import Account, Message, User

PRACTICE = "Praxis Dr. Lindner"
EMAIL = "demo@faden.example"
TEAM = (
    (EMAIL, "Anna Weber", "operator"),
    ("jonas@faden.example", "Jonas Krüger", "agent"),
    ("miriam@faden.example", "Miriam Aydın", "agent"),
)
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


@dataclass(frozen=True)
class SignIn:
    """How to come in; password and key are None where they were made up, and shown, at an earlier start."""

    account: Account
    password: str | None
    api_key: str | None

    def lines(self) -> list[str]:
        """Return what is printed at the start."""
        return [
            f"  Sign in   {EMAIL}",
            f"  Password  {self.password or 'as shown at the first start; FADEN_DEMO_PASSWORD sets another'}",
            f"  API key   {self.api_key or 'as shown at the first start; FADEN_DEMO_API_KEY adds another'}",
        ]


def prepare(settings: Settings) -> SignIn:
    """Make the demo account with its people where it is missing; raises ConfigError for a key that is taken."""
    with database.connection_context(), database.atomic():
        anna = accounts.find_user_by_email(EMAIL)
        account = anna.account if anna else _found()
        password = _password(account, settings.demo_password, fresh=anna is None)
        api_key = _api_key(account, settings.demo_api_key, fresh=anna is None)
    return SignIn(account, password, api_key)


def _found() -> Account:
    account = accounts.add_account(PRACTICE)
    accounts.change_account(account, price_part=prices.EURO * 75 // 1000, price_minute=prices.EURO // 10)
    for email, name, role in TEAM:
        accounts.add_user(account, email, name=name, role=role)
    return account


def _password(account: Account, wanted: str | None, fresh: bool) -> str | None:
    password = wanted or ("-".join(_letters(4) for _ in range(3)) if fresh else None)
    if password is None:
        return None
    for email, _, _ in TEAM:
        user = accounts.find_user_by_email(email)
        if user is not None and user.account_id == account.id and not _opens(user, password):
            accounts.set_password(user, password)
    return password


def _opens(user: User, password: str) -> bool:
    return bool(user.password_hash) and accounts.verify_password(user, password)


def _letters(count: int) -> str:
    return "".join(secrets.choice(LETTERS) for _ in range(count))


def _api_key(account: Account, wanted: str | None, fresh: bool) -> str | None:
    if wanted is None:
        return accounts.add_api_key(account, "Demo")[1] if fresh else None
    owner = accounts.account_for_key(wanted)
    if owner is None:
        try:
            with database.atomic():
                accounts.add_api_key(account, "Demo", wanted)
        except IntegrityError:
            raise ConfigError("FADEN_DEMO_API_KEY: this key was revoked; choose another one") from None
    elif owner.id != account.id:
        raise ConfigError("FADEN_DEMO_API_KEY: this key belongs to another account")
    return wanted


def account() -> Account:
    """Return the demo account that `prepare` has made."""
    anna = accounts.find_user_by_email(EMAIL)
    assert anna is not None, "people.prepare(settings) comes first"
    return anna.account  # type: ignore[no-any-return]


def conversations_are_there(settings: Settings) -> bool:
    """Tell whether the demo account has messages, so that its conversations need not be played (again)."""
    with database.connection_context():
        anna = accounts.find_user_by_email(EMAIL)
        return anna is None or Message.select().where(Message.account == anna.account).exists()
