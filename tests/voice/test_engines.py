"""The real engines, the chain behind which one of them speaks, and what strangers' texts cannot do."""

import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.crowd import crowd
from voice import engines, wav
from voice.announcement import announced
from voice.ear import prepare

PICO = "pico" in engines.available()
ESPEAK = shutil.which("espeak-ng") is not None
needs_pico = pytest.mark.skipif(not PICO, reason="py-nanotts has no wheel for this platform")
needs_espeak = pytest.mark.skipif(not ESPEAK, reason="espeak-ng is not installed")
LOCAL = [pytest.param("pico", marks=needs_pico), pytest.param("espeak", marks=needs_espeak)]
WORDS = "Guten Tag. Ihr Termin ist am Montag um neun Uhr."
SECRET = "Ihr Kennwort lautet Rumpelstilzchen"


@pytest.mark.parametrize("engine", LOCAL)
@pytest.mark.parametrize(
    ("locale", "words"), [("de", WORDS), ("en", "Hello. Your appointment is on Monday.")]
)
def test_an_engine_speaks_telephone_wav(engine, locale, words):
    data = engines.speak(engine, words, locale)
    pcm = wav.parse(data)
    assert (pcm.rate, pcm.channels) == (8000, 1)
    assert len(words) / 25 < pcm.seconds < len(words) / 5
    assert 0.7 < wav.loudest(pcm.frames) < 0.9


@needs_pico
def test_pico_speaks_the_same_words_the_same_way():
    assert engines.speak("pico", WORDS, "de") == engines.speak("pico", WORDS, "de")


@needs_pico
def test_speech_begins_with_more_than_half_a_second_of_silence():
    spoken = engines.synthesise(WORDS, "de", ["pico"])
    frames = wav.parse(spoken.wav).frames
    assert wav.loudest(frames[: int(0.6 * wav.RATE) * wav.WIDTH]) == 0
    assert wav.loudest(frames) > 0.5


@needs_pico
def test_announcement_and_text_are_spoken_with_a_pause_between():
    words = prepare(announced("de", "Müller", "Ihr Termin ist am Montag."), "de")
    together = engines.synthesise(words, "de", ["pico"]).seconds
    apart = sum(wav.parse(engines.speak("pico", p, "de")).seconds for p in words.split("\n\n"))
    assert together == pytest.approx(apart + engines.LEAD + engines.BETWEEN + engines.TRAIL, abs=0.01)


@needs_pico
def test_a_hundred_paragraphs_are_a_few_child_processes(monkeypatch):
    runs = []
    real = subprocess.run
    monkeypatch.setattr(subprocess, "run", lambda *a, **k: runs.append(a) or real(*a, **k))
    engines.synthesise("\n\n".join(["Guten Tag"] * 100), "de", ["pico"])
    assert len(runs) == engines.MAX_PARAGRAPHS


@pytest.mark.parametrize("engine", LOCAL)
def test_the_longest_text_is_spoken_within_seconds(engine):
    text = prepare("Ihr Termin ist am 24.12. um 14:30 Uhr. " * 38, "de")
    started = time.monotonic()
    spoken = engines.synthesise(text, "de", [engine])
    assert spoken.seconds > 60
    assert time.monotonic() - started < 15 * crowd()


class TestMarkup:
    @needs_pico
    def test_pico_writes_no_file_for_genfile(self, tmp_path: Path):
        evil = f'<genfile file="{tmp_path}/x.wav">Hallo Welt</genfile> und <play file="/etc/passwd"/> weiter'
        engines.speak("pico", evil, "de")
        engines.speak("pico", prepare(evil, "de"), "de")
        assert list(tmp_path.iterdir()) == []

    @needs_pico
    def test_without_our_ceiling_pico_would_have_written_it(self, tmp_path: Path):
        code = "import sys; from py_nanotts import NanoTTS; NanoTTS().speak(sys.argv[1], voice='de-DE')"
        evil = f'<genfile file="{tmp_path}/x.wav">Hallo Welt</genfile>'
        subprocess.run([sys.executable, "-c", code, evil], check=False, timeout=20)
        assert [p.stat().st_size > 1000 for p in tmp_path.iterdir()] == [True]

    @needs_pico
    def test_even_markup_that_reaches_pico_writes_no_audio(self, tmp_path: Path):
        evil = f'<genfile file="{tmp_path}/x.wav">Hallo Welt</genfile> und weiter'
        child = [sys.executable, "-I", str(Path(engines.__file__).parent / "say_pico.py"), "de-DE", "0.9"]
        subprocess.run(child, input=evil.encode(), capture_output=True, timeout=20, check=False)
        assert sum(p.stat().st_size for p in tmp_path.iterdir()) == 0

    @pytest.mark.parametrize("engine", LOCAL)
    @pytest.mark.parametrize(
        "text",
        [
            "-v en --stdin hallo",
            "$(touch /tmp/faden-was-here); `id` | cat",
            "[[h@lo:]] <speak><break time='9999s'/>hallo</speak> hallo hallo",
            "hallo \x00\x1b[31m \\pause=99999\\ welt",
            "halb \ud83d Paar",
        ],
    )
    def test_options_shell_and_escapes_are_only_words(self, engine, text):
        assert 0.2 < wav.parse(engines.speak(engine, text, "de")).seconds < 20
        assert not Path("/tmp/faden-was-here").exists()

    @given(st.text(st.characters(), max_size=200))
    def test_neutral_words_hold_no_markup_and_can_be_encoded(self, text):
        words = engines.neutral(text)
        assert not set("<>\\\x00\x1b") & set(words)
        assert "[[" not in words
        words.encode("utf-8")


class TestChain:
    @needs_pico
    def test_the_first_engine_that_manages_speaks(self):
        assert engines.synthesise(WORDS, "de", ["no-such-engine", "pico", "espeak"]).engine == "pico"

    @needs_espeak
    def test_without_espeak_on_the_path_the_engine_is_not_there(self, monkeypatch, tmp_path):
        assert "espeak" in engines.available()
        monkeypatch.setenv("PATH", str(tmp_path))
        assert "espeak" not in engines.available()
        with pytest.raises(engines.EngineFailed, match="not installed"):
            engines.speak("espeak", WORDS, "de")

    def test_no_engine_at_all_is_no_audio(self):
        with pytest.raises(engines.NoAudio):
            engines.synthesise(WORDS, "de", [])

    @pytest.mark.parametrize("text", ["", " ", "<>", "\n\n", "\x00"])
    def test_no_words_are_no_audio(self, text):
        with pytest.raises(engines.NoAudio, match="no words"):
            engines.synthesise(text, "de", ["pico", "espeak"])

    @needs_pico
    @pytest.mark.parametrize("text", ["🙂" * 40, "7" * 200], ids=["emoji", "digits"])
    def test_what_pico_swallows_is_a_failure(self, text):
        with pytest.raises(engines.EngineFailed, match=r"0\.[0-3] s of audio|ended with"):
            engines.speak("pico", text, "de")

    @pytest.mark.parametrize(
        "text", ["7" * 200, "0049" * 50, "9,99 € " * 60], ids=["digits", "number", "money"]
    )
    def test_what_pico_would_swallow_is_spoken_once_it_is_prepared(self, text):
        assert engines.synthesise(prepare(text, "de"), "de", ["pico"]).seconds > 10

    def test_an_engine_that_takes_too_long_is_ended(self, monkeypatch):
        monkeypatch.setitem(engines.TIME_LIMITS, "pico", 0.3)
        started = time.monotonic()
        with pytest.raises(engines.EngineFailed, match="longer than"):
            engines._child("pico", [sys.executable, "-c", "import time; time.sleep(60)"], WORDS)
        assert time.monotonic() - started < 3 * crowd()

    def test_a_crash_stays_in_the_child(self):
        with pytest.raises(engines.EngineFailed, match="ended with -6"):
            engines._child("pico", [sys.executable, "-c", "import os; os.abort()"], WORDS)

    @pytest.mark.parametrize("engine", ["pico", "espeak", "gtts"])
    def test_no_failure_repeats_the_text(self, engine):
        code = "import sys; sys.exit(sys.stdin.read())" if engine != "gtts" else "import sys; sys.exit(3)"
        with pytest.raises(engines.EngineFailed) as failure:
            engines._child(engine, [sys.executable, "-c", code], SECRET)
        assert "Rumpelstilzchen" not in str(failure.value)

    @pytest.mark.parametrize(
        ("frames", "reason"),
        [
            (wav.silence(3), "silence"),
            (b"", "0.0 s of audio"),
            (b"\x00\x40" * 400, "0.1 s of audio"),
            (b"\x00\x40" * 8000 * 60, "60.0 s of audio"),
        ],
    )
    def test_implausible_audio_is_refused(self, frames, reason):
        with pytest.raises(engines.EngineFailed, match=reason):
            engines._demand_plausible("pico", WORDS, frames)
