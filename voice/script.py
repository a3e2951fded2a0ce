"""The call script as data, and the pure state machine that writes it; no carrier's dialect in here.

A call is a walk through named states. Each state yields a `Turn`: the steps to perform now and what has
happened. `Gather.action`, `Record.action` and `Redirect.to` name the state to ask for next:

| state      | function        | when                                                                   |
|------------|-----------------|------------------------------------------------------------------------|
| (answered) | `outgoing`      | our call was answered                                                  |
| "keys"     | `on_key`        | a key was pressed, at any time while the message or the prompt plays   |
| "heard"    | `on_heard`      | the message was played and no key was pressed                          |
| (called)   | `incoming`      | somebody calls our caller id                                           |
| "recorded" | `on_recorded`   | that caller has left a message                                         |

The caller of this module turns the names into addresses, keeps the number of turns taken so far, and acts on
`Turn.outcome`. A message that asks for something brings a `Menu` of its own keys; 9 opts out in every call.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from voice import language
from voice.ear import prepare

MAX_TURNS = 5
"""So many keys a call answers with more speech; after that it says goodbye, so no call goes on for ever."""

MISSES = 1
"""So often a menu is read again to who pressed nothing, or a key that it does not have; then the call ends."""

REPEATING = "0*"
"""Keys that repeat the message where it has a menu: 1 means something else there."""

RECORD_SECONDS = 120
FIRST_PAUSE = 0.8
"""Seconds between lifting the receiver and the first word: the hand is still on its way to the ear."""


@dataclass(frozen=True)
class Pause:
    """Silence, in seconds."""

    seconds: float


@dataclass(frozen=True)
class Play:
    """Audio at an address that the carrier can fetch; `words` are a caption for a network that shows one."""

    url: str
    words: str = ""


@dataclass(frozen=True)
class Say:
    """Words for the carrier's own voice, already prepared for the ear."""

    text: str
    locale: str


@dataclass(frozen=True)
class Gather:
    """Perform `steps` while waiting for keys; a key interrupts them and leads to `action`."""

    steps: tuple["Step", ...]
    action: str
    digits: int = 1
    timeout: int = 5


@dataclass(frozen=True)
class Record:
    """Record the other side for up to `max_seconds`, then `action`; where nothing was said, the next step."""

    action: str
    max_seconds: int
    finish_on: str = "#"
    beep: bool = True


@dataclass(frozen=True)
class Redirect:
    """Go on with another state of this call."""

    to: str


@dataclass(frozen=True)
class Hangup:
    """End the call."""


Step: TypeAlias = Pause | Play | Say | Gather | Record | Redirect | Hangup
Script: TypeAlias = tuple[Step, ...]


class Outcome(StrEnum):
    """What a turn means for the message; the caller acts on it."""

    LISTENING = "listening"
    """The message is being read to a person."""
    ON_MACHINE = "on_machine"
    """The message is being left on an answering machine: it counts as answered."""
    NOT_HEARD = "not_heard"
    """A fax, or a machine that is not ready: nothing was said, the attempt counts as not answered."""
    REPEAT = "repeat"
    CALL_BACK = "call_back"
    OPTED_OUT = "opted_out"
    WRONG_KEY = "wrong_key"
    CHOSEN = "chosen"
    """A key of the message's own menu was pressed."""
    NO_KEY = "no_key"
    """Nobody chose from the menu: it is read once more."""
    HEARD = "heard"
    """Played to the end, or repeated often enough: goodbye was said."""
    INTRODUCED = "introduced"
    """Somebody called our number and hears what it is."""
    MESSAGE_LEFT = "message_left"


@dataclass(frozen=True)
class Turn:
    """The steps to perform now and what has happened to bring them about."""

    steps: Script
    outcome: Outcome


@dataclass(frozen=True)
class Menu:
    """The keys of a message that asks for something: the words that explain them, and for each what is said back."""

    prompt: str
    replies: Mapping[str, str]


PHRASES: Mapping[str, Mapping[str, str]] = {
    "prompt": {
        "de": "Zum Wiederholen drücken Sie die 1, für einen Rückruf die 2, "
        "um keine Anrufe mehr zu erhalten die 9.",
        "en": "To hear this again, press 1. To ask for a call back, press 2. "
        "To receive no more calls, press 9.",
    },
    "wrong_key": {
        "de": "Diese Taste ist leider nicht belegt.",
        "en": "Sorry, that key does nothing here.",
    },
    "call_back": {
        "de": "Vielen Dank. Ihr Wunsch nach einem Rückruf wird weitergegeben. Auf Wiederhören.",
        "en": "Thank you. We have passed on that you would like a call back. Goodbye.",
    },
    "opted_out": {
        "de": "In Ordnung. Sie erhalten keine weiteren Anrufe mehr. Auf Wiederhören.",
        "en": "All right. You will receive no more calls. Goodbye.",
    },
    "goodbye": {
        "de": "Vielen Dank. Auf Wiederhören.",
        "en": "Thank you. Goodbye.",
    },
    "introduction": {
        "de": "Guten Tag. Von dieser Nummer werden Sprach-SMS verschickt. Das sind kurze Nachrichten, "
        "die am Telefon vorgelesen werden. Sie können nach dem Ton eine Nachricht hinterlassen. "
        "Wenn Sie fertig sind, legen Sie einfach auf.",
        "en": "Hello. This number sends voice text messages. These are short messages that are read out "
        "over the phone. You can leave a message after the tone. When you have finished, just hang up.",
    },
    "named_introduction": {
        "de": "Guten Tag. Von dieser Nummer werden Sprach-SMS von {sender} verschickt. Das sind kurze "
        "Nachrichten, die am Telefon vorgelesen werden. Sie können nach dem Ton eine Nachricht "
        "hinterlassen. Wenn Sie fertig sind, legen Sie einfach auf.",
        "en": "Hello. This number sends voice text messages from {sender}. These are short messages that are "
        "read out over the phone. You can leave a message after the tone. When you have finished, "
        "just hang up.",
    },
    "nothing_left": {
        "de": "Es war leider nichts zu hören. Auf Wiederhören.",
        "en": "Sorry, there was nothing to be heard. Goodbye.",
    },
    "message_left": {
        "de": "Vielen Dank. Ihre Nachricht wird weitergegeben. Auf Wiederhören.",
        "en": "Thank you. Your message will be passed on. Goodbye.",
    },
}
"""Every phrase of a call beside announcement and text, in both languages."""


def phrase(name: str, locale: str, sender: str | None = None) -> str:
    """Return one phrase of the table; `sender` fills the name where the phrase has one."""
    return PHRASES[name][language(locale)].replace("{sender}", sender or "")


@dataclass(frozen=True)
class Speech:
    """What a call can say: the message's words, and for any words the address of the audio we hold of them."""

    words: str = ""
    audio: Mapping[str, str] = field(default_factory=dict)
    captions: bool = False

    def of(self, words: str, locale: str) -> Play | Say:
        """Return the audio of these words, or the words for the carrier's own voice where we hold none."""
        url = self.audio.get(words)
        if url:
            return Play(url, words if self.captions else "")
        return Say(prepare(words, locale), language(locale))


def outgoing_phrases(locale: str, menu: Menu | None = None) -> tuple[str, ...]:
    """Return all the words, beside the message, for which an outgoing call wants audio."""
    own = ("prompt", "call_back") if menu is None else ()
    told = () if menu is None else (menu.prompt, *menu.replies.values())
    return (*told, *(phrase(name, locale) for name in (*own, "wrong_key", "opted_out", "goodbye")))


def incoming_phrases(locale: str, sender_name: str | None = None) -> tuple[str, ...]:
    """Return all the words for which a call to our number wants audio."""
    return (
        introduction(locale, sender_name),
        phrase("nothing_left", locale),
        phrase("message_left", locale),
    )


def introduction(locale: str, sender_name: str | None = None) -> str:
    """Return what somebody hears who calls our number; `sender_name` as it is spoken."""
    name = " ".join((sender_name or "").split())
    return phrase("named_introduction" if name else "introduction", locale, name)


def outgoing(speech: Speech, locale: str, answered_by: str | None = None, menu: Menu | None = None) -> Turn:
    """Return the first turn of our call; `answered_by` is the carrier's machine detection, None without it.

    "machine_end_*" hears the message once, after the beep; "machine_start" and "fax" hear nothing.
    """
    kind = answered_by or "human"
    if kind == "fax" or kind == "machine_start":
        return Turn((Hangup(),), Outcome.NOT_HEARD)
    message = speech.of(speech.words, locale)
    if kind.startswith("machine_end"):
        return Turn((Pause(FIRST_PAUSE), message, Hangup()), Outcome.ON_MACHINE)
    return Turn((Pause(FIRST_PAUSE), *_listen(speech, locale, message, menu)), Outcome.LISTENING)


def on_key(digit: str, speech: Speech, locale: str, turns: int = 0) -> Turn:
    """Answer a key of a message without a menu; `turns` is the number of keys this call has answered before."""
    if digit == "2":
        return _farewell("call_back", speech, locale, Outcome.CALL_BACK)
    if digit == "9":
        return _farewell("opted_out", speech, locale, Outcome.OPTED_OUT)
    if turns >= MAX_TURNS:
        return on_heard(speech, locale)
    if digit == "1":
        return Turn(_listen(speech, locale, speech.of(speech.words, locale)), Outcome.REPEAT)
    wrong = speech.of(phrase("wrong_key", locale), locale)
    return Turn(_listen(speech, locale, wrong), Outcome.WRONG_KEY)


def on_menu_key(digit: str, menu: Menu, speech: Speech, locale: str, turns: int, misses: int) -> Turn:
    """Answer a key of a message with a menu; `turns` this call has taken before, `misses` of them without a choice."""
    if digit == "9":
        return _farewell("opted_out", speech, locale, Outcome.OPTED_OUT)
    if digit in menu.replies:
        return Turn((speech.of(menu.replies[digit], locale), Hangup()), Outcome.CHOSEN)
    if turns >= MAX_TURNS:
        return _farewell("goodbye", speech, locale, Outcome.HEARD)
    if digit in REPEATING:
        return Turn(_listen(speech, locale, speech.of(speech.words, locale), menu), Outcome.REPEAT)
    wrong = speech.of(phrase("wrong_key", locale), locale)
    if misses >= MISSES:
        goodbye = speech.of(phrase("goodbye", locale), locale)
        return Turn((wrong, goodbye, Hangup()), Outcome.WRONG_KEY)
    return Turn(_listen(speech, locale, wrong, menu), Outcome.WRONG_KEY)


def is_choice(digit: str, menu: Menu) -> bool:
    """Tell whether a key does something where this menu is read; what does nothing is a miss."""
    return digit == "9" or digit in REPEATING or digit in menu.replies


def on_heard(speech: Speech, locale: str, menu: Menu | None = None, turns: int = 0, misses: int = 0) -> Turn:
    """The message was heard to its end: say goodbye; a menu from which nobody has chosen is read once more."""
    if menu is not None and misses < MISSES and turns < MAX_TURNS:
        return Turn(_listen(speech, locale, speech.of(speech.words, locale), menu), Outcome.NO_KEY)
    return _farewell("goodbye", speech, locale, Outcome.HEARD)


def incoming(sender_name: str | None, locale: str, speech: Speech | None = None) -> Turn:
    """Tell somebody who calls our number what it is, and record a message after the tone."""
    voice = speech or Speech()
    return Turn(
        (
            Pause(FIRST_PAUSE),
            voice.of(introduction(locale, sender_name), locale),
            Record("recorded", RECORD_SECONDS),
            voice.of(phrase("nothing_left", locale), locale),
            Hangup(),
        ),
        Outcome.INTRODUCED,
    )


def on_recorded(locale: str, speech: Speech | None = None) -> Turn:
    """Thank the caller for the message left."""
    return _farewell("message_left", speech or Speech(), locale, Outcome.MESSAGE_LEFT)


def _listen(speech: Speech, locale: str, first: Step, menu: Menu | None = None) -> Script:
    """Say something and the keys' meaning; a key cuts it short, silence leads to "heard"."""
    prompt = speech.of(menu.prompt if menu is not None else phrase("prompt", locale), locale)
    return (Gather((first, prompt), "keys"), Redirect("heard"))


def _farewell(name: str, speech: Speech, locale: str, outcome: Outcome) -> Turn:
    return Turn((speech.of(phrase(name, locale), locale), Hangup()), outcome)
