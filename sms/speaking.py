"""What is said in a call: announcement and text of a voice message, and the audio of any words."""

import logging
from dataclasses import dataclass
from typing import Any

from sms import exchange, media
from sms.models import Account, Call, Message, Sender
from sms.modules import menu_of
from voice import announcement, script, store
from voice.ear import prepare
from voice.engines import NoAudio

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Spoken:
    """The words of a voice message and, where an engine could speak them, the digest of the audio."""

    words: str
    announcement: str
    audio: store.Audio | None


def engines(account: Account) -> tuple[str, ...]:
    """Return the chain of speech engines; text goes to Google only where the account has agreed."""
    chain = exchange.current().settings.voice_engines
    return tuple(e for e in chain if e != "gtts" or account.gtts_consent)


def spoken_sender(account: Account, sender: str) -> str:
    """Return how an alphanumeric sender is spoken: its spoken form where the account has one, else itself."""
    found = Sender.get_or_none(Sender.account == account, Sender.value == sender)
    return found.spoken if found is not None and found.spoken else sender


def announced(message: Message) -> str:
    """Return the announcement of a voice message, word for word."""
    return announcement.announcement(message.account.locale, _spoken_name(message))


def _spoken_name(message: Message) -> str | None:
    name = (message.data or {}).get("sender")
    return spoken_sender(message.account, name) if name else None


def spoken_words(message: Message) -> Spoken:
    """Return a voice message's words with their audio, spoken now or found; an engine's failure never fails the call."""
    opening = announced(message)
    words = opening + announcement.PARAGRAPH + message.text
    audio = audio_of(message.account, words)
    if audio is not None and (message.data or {}).get("audio", {}).get("digest") != audio.digest:
        facts = {
            "digest": audio.digest,
            "seconds": audio.seconds,
            "peaks": list(audio.peaks),
            "engine": audio.engine,
        }
        _remember(message, announcement=opening, audio=facts)
    return Spoken(words, opening, audio)


def words_to_read(message: Message) -> str:
    """Return all that a carrier which speaks itself is to read aloud: announcement and text, prepared for the ear."""
    opening = announced(message)
    if (message.data or {}).get("announcement") != opening:
        _remember(message, announcement=opening)
    return prepare(
        announcement.announced(message.account.locale, _spoken_name(message), message.text),
        message.account.locale,
    )


def _remember(message: Message, **facts: Any) -> None:
    message.data = {**(message.data or {}), **facts}
    Message.update(data=message.data).where(Message.id == message.id).execute()


def audio_of(account: Account, words: str) -> store.Audio | None:
    """Return the audio of any words in the account's language, None where no engine can speak them."""
    try:
        return store.speech(words, account.locale, engines(account), exchange.current().settings.audio)
    except NoAudio:
        log.warning("no speech engine could speak; the carrier's own voice will")
    except Exception:
        log.exception("speech failed; the carrier's own voice will do")
    return None


def speech(account: Account, words: str, phrases: tuple[str, ...]) -> script.Speech:
    """Return what a call can say, with an address for every utterance that we hold as audio."""
    held = {}
    for wanted in (words, *phrases):
        audio = audio_of(account, wanted) if wanted else None
        if audio is not None:
            held[wanted] = media.address(audio.digest)
    # Only the pretend network shows captions; a real carrier has no use for the words beside their audio.
    return script.Speech(words, held, captions=exchange.current().settings.sandbox)


def of_call(call: Call) -> script.Speech:
    """Return what a call of ours can say; whatever has no audio yet is spoken now."""
    phrases = script.outgoing_phrases(call.account.locale, menu_of(call.message))
    return speech(call.account, spoken_words(call.message).words, phrases)


def seconds_until_heard(message: Message) -> float:
    """Return seconds from the answer to the end of the words; without audio of ours, nobody can say."""
    audio = (message.data or {}).get("audio")
    return script.FIRST_PAUSE + float(audio["seconds"]) if audio else float("inf")
