"""Speech engines behind one call: words in, WAV 8 kHz mono 16 bit out. A chain, the first plausible audio wins.

Every engine runs in a child process with a time limit and gets the words through stdin: never through a shell,
never as an argument. Words are neutralised first, because SMS text is written by strangers.
"""

import importlib.util
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from voice import language, wav
from voice.announcement import PARAGRAPH

LEAD = 0.6
"""Seconds of silence before the first word; carriers swallow the first moments of a call."""
BETWEEN = 0.6
"""Seconds of silence between two paragraphs."""
TRAIL = 0.3
MAX_SECONDS = 600.0
MAX_PARAGRAPHS = 8
"""So many are spoken apart, each by a child process; what follows is one more."""
TIME_LIMITS = {"pico": 20.0, "espeak": 20.0, "gtts": 15.0}
"""Seconds one paragraph may take; Pico is fifty times faster than speech."""

GTTS_ORIGIN = "https://translate.google.com"

_HERE = Path(__file__).parent
_PICO_VOICES = {"de": "de-DE", "en": "en-GB"}
_PICO_SPEED = "0.9"
_ESPEAK_VOICES = {"de": "de", "en": "en-gb"}
_ESPEAK_SPEED = "140"
_FASTEST = 40.0
"""Characters a second that no voice exceeds: less audio than that has swallowed words."""
_SLOWEST = 2.5
_SILENT = 0.02
_MARKUP = re.compile(r"[<>\x00-\x09\x0b-\x1f\x7f-\x9f\\]|\[\[|\]\]")


class EngineFailed(Exception):
    """One engine gave no usable audio; the message names engine and reason, never the words."""


class NoAudio(Exception):
    """No engine of the chain gave usable audio; the message lists each reason."""


@dataclass(frozen=True)
class Spoken:
    """A WAV file as bytes, its length in seconds, the engine that spoke, 60 peaks of 0..1."""

    wav: bytes
    seconds: float
    engine: str
    peaks: tuple[float, ...]


def available() -> tuple[str, ...]:
    """Return the engines this machine has; gTTS counts as there, whether or not the network is."""
    return tuple(name for name, present in _PRESENT.items() if present())


def synthesise(text: str, locale: str, engines: Sequence[str]) -> Spoken:
    """Speak words prepared by voice.ear with the first engine that manages; raises NoAudio when none does."""
    reasons = []
    for engine in engines:
        try:
            return _spoken(text, locale, engine)
        except EngineFailed as error:
            reasons.append(str(error))
    raise NoAudio("; ".join(reasons) or "no engine in the chain")


def speak(engine: str, text: str, locale: str) -> bytes:
    """Speak one paragraph with one engine; returns WAV 8 kHz mono 16 bit, raises EngineFailed."""
    words = neutral(text)
    if not words:
        raise EngineFailed(f"{engine}: no words")
    if engine not in _ENGINES:
        raise EngineFailed(f"{engine}: no such engine")
    try:
        frames = _ENGINES[engine](words, language(locale))
    except wav.BadAudio as error:
        raise EngineFailed(f"{engine}: {error}") from None
    _demand_plausible(engine, words, frames)
    return wav.write(wav.levelled(frames))


def neutral(text: str) -> str:
    """Take away what an engine could read as markup or escape: Pico's `<genfile>` writes files."""
    sentences = re.sub(r"(?<=\w)\n\s*\n", ".\n\n", text)
    cleaned = _MARKUP.sub(" ", sentences).encode("utf-8", "ignore").decode("utf-8")
    return " ".join(cleaned.split())


def _spoken(text: str, locale: str, engine: str) -> Spoken:
    paragraphs = [p for p in text.split(PARAGRAPH, MAX_PARAGRAPHS - 1) if neutral(p)]
    if not paragraphs:
        raise EngineFailed(f"{engine}: no words")
    voiced = [wav.parse(speak(engine, p, locale)).frames for p in paragraphs]
    frames = wav.silence(LEAD) + wav.silence(BETWEEN).join(voiced) + wav.silence(TRAIL)
    seconds = wav.Pcm(frames).seconds
    if seconds > MAX_SECONDS:
        raise EngineFailed(f"{engine}: longer than {MAX_SECONDS:.0f} s")
    return Spoken(wav.write(frames), seconds, engine, wav.peaks(frames))


def _demand_plausible(engine: str, words: str, frames: bytes) -> None:
    seconds = wav.Pcm(frames).seconds
    if not len(words) / _FASTEST <= seconds <= 3 + len(words) / _SLOWEST:
        raise EngineFailed(f"{engine}: {seconds:.1f} s of audio for {len(words)} characters")
    if wav.loudest(frames) < _SILENT:
        raise EngineFailed(f"{engine}: silence")


def _pico(words: str, lang: str) -> bytes:
    argv = [sys.executable, "-I", str(_HERE / "say_pico.py"), _PICO_VOICES[lang], _PICO_SPEED]
    return wav.to_telephone(wav.Pcm(_child("pico", argv, words), 16000))


def _espeak(words: str, lang: str) -> bytes:
    binary = shutil.which("espeak-ng")
    if binary is None:
        raise EngineFailed("espeak: espeak-ng is not installed")
    argv = [binary, "--stdin", "--stdout", "-b", "1", "-v", _ESPEAK_VOICES[lang], "-s", _ESPEAK_SPEED]
    return wav.to_telephone(wav.parse(_child("espeak", argv, words)))


def _gtts(words: str, lang: str) -> bytes:
    argv = [sys.executable, "-I", str(_HERE / "say_gtts.py"), lang, GTTS_ORIGIN]
    return wav.decode(_child("gtts", argv, words), MAX_SECONDS)


def _child(engine: str, argv: list[str], words: str) -> bytes:
    """Run a child process to its end or to the time limit; returns its stdout, raises EngineFailed."""
    try:
        done = subprocess.run(
            argv, input=words.encode("utf-8"), capture_output=True, timeout=TIME_LIMITS[engine], check=False
        )
    except subprocess.TimeoutExpired:
        raise EngineFailed(f"{engine}: took longer than {TIME_LIMITS[engine]:.0f} s") from None
    except OSError as error:
        raise EngineFailed(f"{engine}: cannot be started: {error}") from None
    if done.returncode != 0:
        # our own gTTS child says one word; what others print may hold the words
        reason = done.stderr.decode("utf-8", "replace").strip() if engine == "gtts" else ""
        raise EngineFailed(f"{engine}: ended with {done.returncode} {reason[:40]}".rstrip())
    return done.stdout


_ENGINES: dict[str, Callable[[str, str], bytes]] = {"pico": _pico, "espeak": _espeak, "gtts": _gtts}
_PRESENT: dict[str, Callable[[], bool]] = {
    "gtts": lambda: importlib.util.find_spec("gtts") is not None,
    "pico": lambda: importlib.util.find_spec("py_nanotts") is not None,
    "espeak": lambda: shutil.which("espeak-ng") is not None,
}
