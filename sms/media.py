"""Audio that a carrier fetches: addresses that are signed, expire, and need no escaping."""

from itsdangerous import BadSignature, URLSafeTimedSerializer

from sms import exchange
from voice import store

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
