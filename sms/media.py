"""Audio that a carrier fetches: addresses that are signed, expire, and need no escaping."""

from collections.abc import Iterable
from datetime import timedelta

from itsdangerous import BadSignature, URLSafeTimedSerializer
from peewee import Expression

from sms import exchange
from sms.models import Message
from voice import store

UNUSED = timedelta(days=30)
LIFETIME = 24 * 3600
"""Seconds; a call that waits in a carrier's queue may fetch its audio hours later."""


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(exchange.current().settings.secret_key, salt="media")


def address(digest: str) -> str:
    """Return the public address of one utterance of the audio store."""
    return f"{exchange.current().public_url}/media/{_signer().dumps(digest)}.wav"


def audio_of(token: str) -> store.Audio | None:
    """Return the audio an address stands for; None where it is forged, expired or gone."""
    try:
        digest = _signer().loads(token, max_age=LIFETIME)
    except BadSignature:
        return None
    return store.find(str(digest), exchange.current().settings.audio)


def discard(digests: Iterable[str]) -> None:
    """Remove audio that no message refers to any more: two messages of the same words share one file."""
    for digest in digests:
        if Message.select().where(_of(digest)).exists():
            continue
        audio = store.find(digest, exchange.current().settings.audio)
        if audio is not None:
            audio.path.with_suffix(".json").unlink(missing_ok=True)
            audio.path.unlink(missing_ok=True)


def _of(digest: str) -> Expression:
    return (Message.channel == "voice") & (Message.data["audio"]["digest"] == digest)


def tidy() -> int:
    """Remove audio that nothing has referred to for a month (changed words, another engine); returns how much."""
    spoken = Message.select(Message.data).where(Message.channel == "voice", Message.data.is_null(False))
    keep = {m.data.get("audio", {}).get("digest", "") for m in spoken.iterator()}
    return store.remove_unused(exchange.current().settings.audio, keep, UNUSED)
