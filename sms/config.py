"""Settings: the only reader of the environment. A bad one stops the start with one clear line."""

import os
import re
import secrets
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

KNOWN = {
    "FADEN_DATA": "./data",
    "FADEN_DATABASE_URL": "sqlite:///faden.db in FADEN_DATA",
    "FADEN_QUEUE_URL": "sqlite",
    "FADEN_PUBLIC_URL": "http://HOST:PORT",
    "FADEN_SECRET_KEY": "made up once, kept in FADEN_DATA",
    "FADEN_CARRIERS": "the sandbox",
    "FADEN_MAIL_URL": "files under FADEN_DATA/mail",
    "FADEN_VOICE_ENGINES": "gtts,pico,espeak",
    "FADEN_INSIDE_NETWORKS": "none",
    "FADEN_CLOCK": "the machine's",
    "FADEN_LOG": "text",
    "FADEN_DEMO_PASSWORD": "made up, printed once",
    "FADEN_DEMO_API_KEY": "made up, printed once",
}
"""Every setting with its default in words; a test compares this with the README's table."""

Network = IPv4Network | IPv6Network

VOICE_ENGINES = ("gtts", "pico", "espeak")


class ConfigError(Exception):
    """One line that says which setting is wrong and what would be right."""


@dataclass(frozen=True)
class Number:
    """One of our numbers at a carrier: E.164 and what it can do."""

    number: str
    sms: bool = True
    voice: bool = True
    pool: bool = True


@dataclass(frozen=True)
class CarrierConfig:
    """One [[carrier]] table: `options` are the kind's own settings, secrets already resolved."""

    name: str
    kind: str
    priority: int = 1
    rate: float = 10.0
    numbers: tuple[Number, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Settings:
    data: Path
    host: str
    port: int
    database_url: str
    queue_url: str
    public_url: str
    secret_key: str
    carriers_file: Path | None
    mail_url: str | None
    voice_engines: tuple[str, ...]
    inside_networks: tuple[Network, ...]
    """Inside networks that customers' addresses may lead to all the same."""
    ahead: timedelta
    """So far the clock of a trial is ahead of the machine's."""
    log: str
    demo_password: str | None
    demo_api_key: str | None
    environ: Mapping[str, str] = field(repr=False, default_factory=dict)
    fresh: bool = False
    """True where nothing was in the folder of the data before these settings were read."""

    @property
    def sandbox(self) -> bool:
        """True where no real carrier is configured and the pretend phone network stands in."""
        return self.carriers_file is None

    @property
    def sandbox_url(self) -> str:
        return f"http://{loopback(self.host)}:{self.port + 1}"

    @property
    def audio(self) -> Path:
        return self.data / "audio"


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from an environment mapping; raises ConfigError with one clear line."""
    env = os.environ if environ is None else environ
    for name in env:
        if name.startswith("FADEN_") and not name.startswith("FADEN_TEST_") and name not in KNOWN:
            raise ConfigError(f"{name} is no setting of Faden. Known: {', '.join(KNOWN)}")
    data = Path(env.get("FADEN_DATA") or "./data").resolve()
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = not any(data.iterdir())
    host = env.get("HOST") or "127.0.0.1"
    port = _port(env.get("PORT") or "8000")
    return Settings(
        data=data,
        host=host,
        port=port,
        database_url=_database_url(env.get("FADEN_DATABASE_URL"), data),
        queue_url=_queue_url(env.get("FADEN_QUEUE_URL")),
        public_url=_origin(env.get("FADEN_PUBLIC_URL") or f"http://{loopback(host)}:{port}"),
        secret_key=env.get("FADEN_SECRET_KEY") or _kept_secret(data / "secret_key"),
        carriers_file=_file("FADEN_CARRIERS", env.get("FADEN_CARRIERS")),
        mail_url=_mail_url(env.get("FADEN_MAIL_URL")),
        voice_engines=_engines(env.get("FADEN_VOICE_ENGINES") or "gtts,pico,espeak"),
        inside_networks=_networks(env.get("FADEN_INSIDE_NETWORKS") or "none"),
        ahead=_ahead(env.get("FADEN_CLOCK"), bool(env.get("FADEN_CARRIERS"))),
        log=_log_form(env.get("FADEN_LOG") or "text"),
        demo_password=env.get("FADEN_DEMO_PASSWORD") or None,
        demo_api_key=env.get("FADEN_DEMO_API_KEY") or None,
        environ=env,
        fresh=fresh,
    )


def carriers(settings: Settings) -> tuple[CarrierConfig, ...]:
    """Read the carriers, first priority first; the sandbox is the only one where no file is set."""
    if settings.carriers_file is None:
        from sms.sandbox.account import carrier_config

        return (carrier_config(settings.data, settings.sandbox_url),)
    try:
        tables = tomllib.loads(settings.carriers_file.read_text("utf-8")).get("carrier", [])
    except (OSError, ValueError) as error:
        raise ConfigError(f"FADEN_CARRIERS: {settings.carriers_file} cannot be read: {error}") from None
    if not tables:
        raise ConfigError("FADEN_CARRIERS: the file has no [[carrier]] table")
    found = [_carrier(table, settings.environ) for table in tables]
    names = [c.name for c in found]
    if len(set(names)) < len(names):
        raise ConfigError("FADEN_CARRIERS: two carriers have the same name")
    return tuple(sorted(found, key=lambda c: c.priority))


def _carrier(table: dict[str, Any], env: Mapping[str, str]) -> CarrierConfig:
    own = dict(table)
    try:
        name, kind = str(own.pop("name")), str(own.pop("kind"))
    except KeyError as missing:
        raise ConfigError(f"FADEN_CARRIERS: a [[carrier]] has no {missing}") from None
    where = f"FADEN_CARRIERS, carrier {name}"
    if not name.isascii() or not name.replace("-", "").replace("_", "").isalnum():
        raise ConfigError(f"{where}: the name may have letters, digits, - and _ only")
    priority, rate = own.pop("priority", 1), own.pop("rate", 10)
    if not isinstance(priority, int) or not isinstance(rate, int | float) or rate <= 0:
        raise ConfigError(f"{where}: priority is a whole number, rate a number above 0")
    numbers = tuple(_number(entry, where) for entry in own.pop("numbers", []))
    return CarrierConfig(name, kind, priority, float(rate), numbers, _with_secrets(own, env, where))


def _with_secrets(own: dict[str, Any], env: Mapping[str, str], where: str) -> dict[str, Any]:
    options = {}
    for key, value in own.items():
        if not key.endswith("_env"):
            options[key] = value
        elif str(value) in env:
            options[key.removesuffix("_env")] = env[str(value)]
        else:
            raise ConfigError(f"{where}: {key} names {value}, which is not in the environment")
    return options


def _number(entry: Any, where: str) -> Number:
    from sms.gsm.msisdn import parse

    table = {"number": entry} if isinstance(entry, str) else dict(entry)
    parsed = parse(str(table.pop("number", "")))
    if parsed.e164 is None:
        raise ConfigError(f"{where}: numbers has an entry that is no phone number")
    unknown = set(table) - {"sms", "voice", "pool"}
    if unknown:
        raise ConfigError(f"{where}: a number may say sms, voice and pool, not {', '.join(sorted(unknown))}")
    return Number(parsed.e164, **{key: bool(value) for key, value in table.items()})


def loopback(host: str) -> str:
    """Return the host under which this machine reaches what listens on `host`."""
    if host in ("0.0.0.0", "::", ""):  # noqa: S104 - a wildcard is no address to call
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65535:
        raise ConfigError(f"PORT: {text!r} is no port between 1 and 65534")
    return int(text)


def _database_url(url: str | None, data: Path) -> str:
    if url is None or url == "":
        return f"sqlite:///{data / 'faden.db'}"
    if not url.startswith(("sqlite:///", "postgresql://")):
        raise ConfigError("FADEN_DATABASE_URL: expected sqlite:///PATH or postgresql://USER@HOST/NAME")
    return url


def _queue_url(url: str | None) -> str:
    if not url:
        return "sqlite"
    if url != "sqlite" and not url.startswith(("postgresql://", "redis://", "rediss://")):
        raise ConfigError("FADEN_QUEUE_URL: expected sqlite, postgresql://... or redis://...")
    return url


def _origin(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.path.strip("/") or parts.query:
        raise ConfigError("FADEN_PUBLIC_URL: expected an origin like https://sms.example.com, without a path")
    return f"{parts.scheme}://{parts.netloc}"


def _mail_url(url: str | None) -> str | None:
    if url and not url.startswith(("smtp://", "smtps://")):
        raise ConfigError("FADEN_MAIL_URL: expected smtp://[USER:PASSWORD@]HOST:PORT")
    return url or None


def _engines(text: str) -> tuple[str, ...]:
    engines = tuple(name.strip() for name in text.split(",") if name.strip())
    for name in engines:
        if name not in VOICE_ENGINES:
            raise ConfigError(f"FADEN_VOICE_ENGINES: {name!r} is none of {', '.join(VOICE_ENGINES)}")
    return engines


def _networks(text: str) -> tuple[Network, ...]:
    try:
        return () if text == "none" else tuple(ip_network(part.strip()) for part in text.split(","))
    except ValueError:
        raise ConfigError(
            "FADEN_INSIDE_NETWORKS: expected networks like 192.168.10.0/24,10.1.2.3/32, or none"
        ) from None


def _ahead(text: str | None, has_carriers: bool) -> timedelta:
    if not text:
        return timedelta()
    match = re.fullmatch(r"\+?(\d{1,4})([mhd])", text.strip(), re.ASCII)
    if match is None:
        raise ConfigError(f"FADEN_CLOCK: {text!r} is no time ahead like +90m, +36h or +2d")
    if has_carriers:
        raise ConfigError(
            "FADEN_CLOCK: only the pretend network can be ahead of time, and FADEN_CARRIERS is set"
        )
    return (
        int(match[1]) * {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}[match[2]]
    )


def _log_form(text: str) -> str:
    if text not in ("text", "json"):
        raise ConfigError(f"FADEN_LOG: {text!r} is neither text nor json")
    return text


def _file(setting: str, path: str | None) -> Path | None:
    if not path:
        return None
    if not Path(path).is_file():
        raise ConfigError(f"{setting}: {path} is no file")
    return Path(path).resolve()


def _kept_secret(path: Path) -> str:
    """Make up a secret once and keep it readable by its owner only; safe when two processes start at once."""
    try:
        with open(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48))
    except FileExistsError:
        pass
    return path.read_text().strip()
