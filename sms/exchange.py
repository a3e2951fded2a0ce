"""The carriers of this process: built once from the settings, shared by threads, with the numbers they bring."""

from dataclasses import dataclass

from sms import carriers as adapters
from sms import config
from sms.carriers.contract import Carrier, CarrierConfigError


@dataclass(frozen=True)
class OurNumber:
    """A number that recipients see and write to: E.164, the carrier it lives at and what it can do."""

    number: str
    carrier: str
    sms: bool
    voice: bool
    pool: bool


@dataclass(frozen=True)
class Exchange:
    """The carriers by name, first priority first, and what callbacks and media are reached under."""

    carriers: dict[str, Carrier]
    configs: dict[str, config.CarrierConfig]
    numbers: tuple[OurNumber, ...]
    public_url: str
    settings: config.Settings


_exchange: Exchange | None = None


def connect(settings: config.Settings) -> Exchange:
    """Build the carriers of the settings; raises ConfigError with one clear line."""
    global _exchange
    configs = config.carriers(settings)
    try:
        built = {c.name: adapters.build(c) for c in configs}
    except CarrierConfigError as error:
        raise config.ConfigError(f"FADEN_CARRIERS: {error}") from None
    numbers = tuple(OurNumber(n.number, c.name, n.sms, n.voice, n.pool) for c in configs for n in c.numbers)
    _exchange = Exchange(built, {c.name: c for c in configs}, numbers, settings.public_url, settings)
    return _exchange


def current() -> Exchange:
    """Return the exchange that `connect` made."""
    assert _exchange is not None, "exchange.connect(settings) comes first"
    return _exchange


def carrier(name: str) -> Carrier | None:
    """Return the carrier of that name, None where it is not configured (any more)."""
    return current().carriers.get(name)


def carriers() -> dict[str, Carrier]:
    """Return all carriers by name, first priority first."""
    return current().carriers


def numbers() -> tuple[OurNumber, ...]:
    """Return every number the carriers bring, in the order of the configuration."""
    return current().numbers


def number(e164: str) -> OurNumber | None:
    """Return one of our numbers by its E.164 spelling."""
    return next((n for n in numbers() if n.number == e164), None)


def callback(name: str, path: str, **query: str) -> str:
    """Return the public address under which carrier `name` reports; keys are URL-safe, so nothing needs escaping."""
    tail = "&".join(f"{key}={value}" for key, value in query.items())
    return f"{current().public_url}/carriers/{name}/{path}" + (f"?{tail}" if tail else "")
