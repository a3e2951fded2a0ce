"""Google's voice: only over a verified connection, within a time limit, and every failure is the engine's."""

import time
from collections.abc import Iterator

import pytest

from tests.crowd import crowd
from tests.voice.loopback import CERTIFICATE, SpeechServer, speech_server
from voice import engines, say_gtts, wav

WORDS = "Guten Tag."


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[SpeechServer]:
    """A speech server whose certificate nobody has signed; `trusted` makes us trust it."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with speech_server() as found:
        monkeypatch.setattr(engines, "GTTS_ORIGIN", found.origin)
        yield found


@pytest.fixture
def trusted(server: SpeechServer, monkeypatch: pytest.MonkeyPatch) -> SpeechServer:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(CERTIFICATE))
    return server


def test_a_self_signed_server_is_refused_and_gets_no_text(server):
    with pytest.raises(engines.EngineFailed, match="SSLError"):
        engines.speak("gtts", WORDS, "de")
    assert server.connections > 0
    assert server.bodies == []


def test_a_trusted_server_speaks_telephone_wav(trusted):
    pcm = wav.parse(engines.speak("gtts", WORDS, "de"))
    assert (pcm.rate, pcm.channels) == (8000, 1)
    assert 1 < pcm.seconds < 3
    assert wav.loudest(pcm.frames) > 0.5
    assert "Guten%20Tag." in trusted.bodies[0]


def test_a_long_text_is_few_requests(trusted):
    text = "Ihr Termin bei Doktor Lindner ist am Montag um neun Uhr. " * 3
    engines._gtts(text.strip(), "de")
    assert len(trusted.bodies) == 3


@pytest.mark.parametrize("manner", ["no_audio", "not_mp3", "empty", "sorry"])
def test_an_answer_without_audio_is_a_failure(trusted, manner):
    trusted.manner = manner
    with pytest.raises(engines.EngineFailed):
        engines.speak("gtts", WORDS, "de")
    assert len(trusted.bodies) == 1


@pytest.mark.parametrize("manner", ["drip", "endless"])
def test_a_server_without_end_does_not_hold_us(trusted, manner, monkeypatch):
    monkeypatch.setitem(engines.TIME_LIMITS, "gtts", 2.0)
    trusted.manner = manner
    started = time.monotonic()
    with pytest.raises(engines.EngineFailed):
        engines.speak("gtts", WORDS, "de")
    assert time.monotonic() - started < 4 * crowd()
    assert len(trusted.bodies) == 1


def test_a_redirect_carries_the_text_to_nobody_else(trusted):
    with speech_server() as elsewhere:
        trusted.manner, trusted.elsewhere = "redirect", elsewhere.origin
        with pytest.raises(engines.EngineFailed):
            engines.speak("gtts", WORDS, "de")
        assert elsewhere.connections == 0


def test_plain_http_is_refused(monkeypatch):
    monkeypatch.setattr(engines, "GTTS_ORIGIN", "http://127.0.0.1:9")
    with pytest.raises(engines.EngineFailed, match="only https"):
        engines.speak("gtts", WORDS, "de")


def test_a_dead_server_is_a_failure_that_names_no_text(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(engines, "GTTS_ORIGIN", "https://127.0.0.1:9")
    with pytest.raises(engines.EngineFailed, match="ConnectionError") as failure:
        engines.speak("gtts", WORDS, "de")
    assert "Guten" not in str(failure.value)


@pytest.mark.skipif("pico" not in engines.available(), reason="py-nanotts has no wheel for this platform")
def test_its_failure_lets_the_next_engine_speak(server):
    assert engines.synthesise(WORDS, "de", ["gtts", "pico"]).engine == "pico"
    assert server.bodies == []


def test_pieces_end_at_sentences_and_lose_no_word():
    text = "Ihr Termin ist am Montag. " * 6 + "Wort " * 40 + "x" * 250
    pieces = say_gtts.pieces(text)
    assert all(0 < len(piece) <= 100 for piece in pieces)
    assert pieces[0].endswith("Montag.")
    assert "".join(pieces).replace(" ", "") == text.replace(" ", "")
