"""Audio: for carriers by a signed address that expires, for agents by the message it belongs to."""

from flask import Blueprint, Response, abort, send_file
from flask_login import current_user

from sms import exchange, inbox, media, speaking
from voice import store

blueprint = Blueprint("media", __name__)


@blueprint.get("/media/<token>.wav")
def signed(token: str) -> Response:
    """Audio that a carrier plays into a call."""
    audio = media.audio_of(token)
    if audio is None:
        abort(404)
    return _wav(audio)


@blueprint.get("/messages/<int:message_id>/audio.wav")
def of_message(message_id: int) -> Response:
    """Audio of a voice message in a thread; one that waits for its call is spoken now."""
    message = inbox.message_of(current_user.account_id, message_id)
    if message.channel != "voice":
        abort(404)
    held = (message.data or {}).get("audio", {}).get("digest", "")
    audio = store.find(held, exchange.current().settings.audio)
    if audio is None and message.direction == "outgoing":
        audio = speaking.spoken_words(message).audio
    if audio is None:
        abort(404)
    return _wav(audio)


def _wav(audio: store.Audio) -> Response:
    answer = send_file(audio.path, mimetype="audio/wav", conditional=True, max_age=3600)
    answer.headers["Cache-Control"] = "private, max-age=3600"
    return answer
