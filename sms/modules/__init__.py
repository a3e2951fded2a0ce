"""The modules: one folder each, found by its name. This is the hook by which the core asks them."""

import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from sms.models import Account, Contact, Conversation, Expectation, Message
from voice.script import Menu


@dataclass(frozen=True)
class NavEntry:
    """An entry of the rail: the endpoint of its page, an icon of the sprite, a word (an English msgid)."""

    endpoint: str
    icon: str
    word: str


@dataclass(frozen=True)
class Occasion:
    """Something that one module tells the others of, about a person: its kind, their number (E.164) and when it is.

    `reference` tells one occasion from another of its kind; `fields` are values for placeholders. `gone`: called off.
    """

    kind: str
    number: str
    at: datetime
    reference: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    gone: bool = False


@dataclass(frozen=True)
class OccasionKind:
    """A kind of `Occasion` that a module announces: its name, how a form calls it (an English msgid such as "After the
    appointment"), and the placeholders for which it brings values.
    """

    kind: str
    words: str
    fields: tuple[str, ...] = ()


@dataclass(frozen=True)
class Banner:
    """What a module says above a thread: words (an English msgid with %(strong)s), and buttons as (path, msgid)."""

    words: str
    strong: str
    buttons: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Panel:
    """What a module says beside a thread: a title (an English msgid), when something is, in which zone, and what.

    `mark` is where it stands as (kind, icon, msgid) of the status mark; `why` and `line` are words already said.
    """

    title: str
    at: datetime
    zone: str
    line: str
    mark: tuple[str, str, str]
    why: str = ""
    href: str = ""


@dataclass(frozen=True)
class Module:
    """What a module's folder offers as `module` in its __init__; what it has no use for stays None.

    on_reply(message, expectation): an incoming message on a number and from a contact for which the module waits;
    True takes it, False leaves it to the dialog. Runs inside the receiving transaction.
    on_report(message): a message that the module sent (source = its name) has a new status.
    menu(message): the keys of a call that reads a message which the module sent, where it asks for something.
    on_key(message, key): one of these keys was pressed; once a call for each. Runs inside the transaction of the key.
    still_right(message): asked before each ring of such a call; False calls it off.
    on_opt_out(account, number): the person must not be written to any more; whatever runs ends.
    on_incoming(message, conversation): offered every other incoming message before the dialog takes it (keywords).
    on_sent_by_person(message): an agent has written in a thread. Runs inside the sending transaction.
    on_occasion(account, occasion): another module tells of something (`announce`).
    occasions: the kinds of occasions that this module itself announces.
    on_hours(account): its quiet hours or zone may have changed; what was put off because of them is looked at anew.
    on_erase(contact, numbers): a person is being erased, with these numbers. Runs inside the erasing transaction.
    banners(conversation): what stands above a thread, with what an agent can do about it.
    panels(conversation, numbers): what stands beside a thread about the person with these numbers.
    tick(): once a second in the worker.
    demo(account): put into the demo account what it should hold.
    sentences: what people read for the codes that the module refuses with; events: for the kinds of its events in a
    thread, filled with the event's facts, %(strong)s in bold, %(who)s the agent's name. Both are English msgids.
    """

    name: str
    on_reply: Callable[[Message, Expectation], bool] | None = None
    on_incoming: Callable[[Message, Conversation], bool] | None = None
    on_report: Callable[[Message], None] | None = None
    menu: Callable[[Message], Menu | None] | None = None
    on_key: Callable[[Message, str], None] | None = None
    still_right: Callable[[Message], bool] | None = None
    on_opt_out: Callable[[Account, str], None] | None = None
    on_sent_by_person: Callable[[Message], None] | None = None
    on_occasion: Callable[[Account, Occasion], None] | None = None
    occasions: tuple[OccasionKind, ...] = ()
    on_hours: Callable[[Account], None] | None = None
    on_erase: Callable[[Contact, list[str]], None] | None = None
    banners: Callable[[Conversation], list[Banner]] | None = None
    panels: Callable[[Conversation, Sequence[str]], list[Panel]] | None = None
    tick: Callable[[], None] | None = None
    demo: Callable[[Account], None] | None = None
    sentences: Mapping[str, str] = field(default_factory=dict)
    events: Mapping[str, str] = field(default_factory=dict)
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


def menu_of(message: Message) -> Menu | None:
    """Return the keys that the module which sent a message wants to be heard, None for the usual ones."""
    module = modules().get(message.source)
    return module.menu(message) if module is not None and module.menu is not None else None


def tell_key(message: Message, key: str) -> None:
    """Tell the module which sent a message of a key of its menu."""
    module = modules().get(message.source)
    if module is not None and module.on_key is not None:
        module.on_key(message, key)


def still_right(message: Message) -> bool:
    """Ask the module which sent a message whether it should still be read to somebody."""
    module = modules().get(message.source)
    return module is None or module.still_right is None or module.still_right(message)


def banners(conversation: Conversation) -> list[Banner]:
    """Return what the modules say above a thread."""
    return [b for module in modules().values() if module.banners for b in module.banners(conversation)]


def panels(conversation: Conversation, numbers: Sequence[str]) -> list[Panel]:
    """Return what the modules say beside a thread about the person with these numbers."""
    return [p for module in modules().values() if module.panels for p in module.panels(conversation, numbers)]


def occasions() -> dict[str, OccasionKind]:
    """Return what modules can announce, by kind, in the order of the modules."""
    return {each.kind: each for module in modules().values() for each in module.occasions}


def announce(account: Account, occasion: Occasion) -> None:
    """Tell every module of an occasion: modules never import each other."""
    for module in modules().values():
        if module.on_occasion is not None:
            module.on_occasion(account, occasion)
