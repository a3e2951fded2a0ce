"""Carriers: contract.py, wire.py for those who speak HTTP, and one file for each kind, found by its name."""

import importlib
import importlib.util
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from sms.carriers.contract import Carrier, CarrierConfigError, Setting


class CarrierConfigLike(Protocol):
    """What `build` reads of a carrier's table in the configuration."""

    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def numbers(self) -> Sequence[Any]: ...
    @property
    def options(self) -> Mapping[str, Any]: ...


def build(config: CarrierConfigLike) -> Carrier:
    """Make the adapter of a configured carrier; raises CarrierConfigError with one clear line."""
    where = f"carrier {config.name}"
    module = _module(config.kind, where)
    options = read_options(module.SETTINGS, config.options, where)
    carrier: Carrier = module.build(config.name, config.numbers, options)
    return carrier


def settings_of(kind: str) -> tuple[Setting, ...]:
    """Return the settings a kind of carrier knows; raises CarrierConfigError if there is no such kind."""
    found: tuple[Setting, ...] = _module(kind, "carrier").SETTINGS
    return found


def read_options(settings: Sequence[Setting], given: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Check options against a kind's settings and fill in defaults; raises CarrierConfigError."""
    known = {setting.name: setting for setting in settings}
    for name in given:
        if name not in known:
            raise CarrierConfigError(f"{where}: {name} is no setting of it. Known: {', '.join(known)}")
    return {name: _read(setting, given.get(name), where) for name, setting in known.items()}


def _module(kind: str, where: str) -> Any:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", kind) or not importlib.util.find_spec(f"{__name__}.{kind}"):
        raise CarrierConfigError(f"{where}: there is no kind of carrier called {kind!r}")
    module = importlib.import_module(f"{__name__}.{kind}")
    if not hasattr(module, "SETTINGS"):
        raise CarrierConfigError(f"{where}: {kind!r} is no kind of carrier")
    return module


def _read(setting: Setting, value: Any, where: str) -> Any:
    if value is None or value == "":
        if setting.required:
            raise CarrierConfigError(f"{where}: {setting.name} is missing ({setting.description})")
        value = setting.default
    if setting.many:
        return _several(setting, value, where)
    if value is None:
        return None
    return _number(setting, value, where) if setting.number else _text(setting, value, where)


def _several(setting: Setting, value: Any, where: str) -> tuple[str, ...]:
    parts = value.split(",") if isinstance(value, str) else value or ()
    if not isinstance(parts, list | tuple):
        raise CarrierConfigError(f"{where}: {setting.name} is a list of strings")
    stripped = [part.strip() if isinstance(part, str) else part for part in parts]
    found = tuple(_text(setting, part, where) for part in stripped if part != "")
    if setting.required and not found:
        raise CarrierConfigError(f"{where}: {setting.name} is missing ({setting.description})")
    return found


def _text(setting: Setting, value: Any, where: str) -> str:
    # The value itself is never in the line: it may be a secret.
    if not isinstance(value, str) or (setting.pattern and not re.fullmatch(setting.pattern, value)):
        raise CarrierConfigError(f"{where}: {setting.name} is not right, expected {setting.description}")
    return value


def _number(setting: Setting, value: Any, where: str) -> float:
    most = setting.maximum or sys.float_info.max
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= most:
        limit = f" and at most {most:g}" if setting.maximum else ""
        raise CarrierConfigError(
            f"{where}: {setting.name} is a number above 0{limit} ({setting.description})"
        )
    return float(value)
