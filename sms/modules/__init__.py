"""The modules: one folder each, found by its name. This is the hook by which the core asks them."""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from sms.models import Account, Conversation, Expectation, Message


@dataclass(frozen=True)
class NavEntry:
    """An entry of the rail: the endpoint of its page, an icon of the sprite, a word (an English msgid)."""

    endpoint: str
    icon: str
    word: str


@dataclass(frozen=True)
class Module:
    """What a module's folder offers as `module` in its __init__; what it has no use for stays None.

    on_reply(message, expectation): an incoming message on a number and from a contact for which the module waits;
    True takes it, False leaves it to the dialog. Runs inside the receiving transaction.
    on_report(message): a message that the module sent (source = its name) has a new status.
    on_opt_out(account, number): the person must not be written to any more; whatever runs ends.
    on_incoming(message, conversation): offered every other incoming message before the dialog takes it (keywords).
    tick(): once a second in the worker.
    """

    name: str
    on_reply: Callable[[Message, Expectation], bool] | None = None
    on_incoming: Callable[[Message, Conversation], bool] | None = None
    on_report: Callable[[Message], None] | None = None
    on_opt_out: Callable[[Account, str], None] | None = None
    tick: Callable[[], None] | None = None
    nav: NavEntry | None = None
    order: int = 50


@cache
def modules() -> dict[str, Module]:
    """Return every module by name, in the order in which they are asked."""
    found: list[Module] = []
    for info in pkgutil.iter_modules(__path__):
        package: Any = importlib.import_module(f"{__name__}.{info.name}")
        found.append(package.module)
    return {m.name: m for m in sorted(found, key=lambda m: (m.order, m.name))}
