"""Accounts, the people who sign in, and the keys that programs use."""

from peewee import BooleanField, CharField, ForeignKeyField, IntegerField

from sms.db import Moment, Table

ROLES = ("agent", "owner", "operator")
DYES = 4


class Account(Table):
    """A customer of the installation; owns everything below and never sees another account."""

    name = CharField(max_length=100)
    zone = CharField(max_length=64, default="Europe/Berlin")
    locale = CharField(max_length=5, default="de")
    region = CharField(max_length=2, default="DE")
    gtts_consent = BooleanField(default=False)
    daily_parts = IntegerField(default=10_000)
    quiet_text = CharField(max_length=11, default="20:00-08:00")
    quiet_voice = CharField(max_length=11, default="20:00-08:00")
    price_part = IntegerField(null=True)  # in thousandths of a cent (`sms.prices`), None: not known
    price_minute = IntegerField(null=True)
    created_at = Moment()


class User(Table):
    """A person who signs in. `epoch` rises with the password: older sessions end."""

    account = ForeignKeyField(Account, backref="users", on_delete="CASCADE")
    email = CharField(max_length=254, unique=True)
    name = CharField(max_length=100)
    role = CharField(max_length=10, default="agent")
    password_hash = CharField(max_length=200, null=True)
    epoch = IntegerField(default=0)
    locale = CharField(max_length=5, null=True)
    theme = CharField(max_length=5, null=True)
    active = BooleanField(default=True)
    created_at = Moment()
    signed_in_at = Moment(null=True)

    @property
    def initials(self) -> str:
        """Two letters for the avatar: first and last word of the name."""
        words = self.name.split() or ["?"]
        return (words[0][:1] + (words[-1][:1] if len(words) > 1 else "")).upper()

    @property
    def first_name(self) -> str:
        return self.name.split()[0] if self.name.split() else self.name

    @property
    def dye(self) -> int:
        """One of four quiet avatar tints, 1 to 4, by id."""
        return (self.id - 1) % DYES + 1

    # Flask-Login's protocol; `epoch` in the id ends sessions when the password changes.
    is_authenticated = True
    is_anonymous = False

    @property
    def is_active(self) -> bool:
        return self.active

    def get_id(self) -> str:
        return f"{self.id}.{self.epoch}"


class ApiKey(Table):
    """A program's key: only its SHA-256 is kept; `prefix` lets a person recognise it."""

    account = ForeignKeyField(Account, backref="api_keys", on_delete="CASCADE")
    name = CharField(max_length=100)
    prefix = CharField(max_length=12)
    digest = CharField(max_length=64, unique=True)
    created_at = Moment()
    used_at = Moment(null=True)
    revoked_at = Moment(null=True)
