"""Sound on the line: what was fetched is measured and kept for the page; what phones say is made here."""

import hashlib
import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import miniaudio

from voice import engines, wav

KINDS = ("audio/mpeg", "audio/mp3", "audio/wav", "audio/wave", "audio/x-wav", "audio/vnd.wave")
"""The content types of Twilio's <Play> that the sandbox can measure and play; others are error 12300."""
BARS = 44
"""Bars of the drawn wave, as in the design."""
LONGEST = 3600.0
CHARACTERS_A_SECOND = 14.0
"""How fast <Say> is reckoned to speak where it is not really spoken."""
TONE_SECONDS = 3.0
TONE_HERTZ = 440


class NoSound(Exception):
    """These bytes are no WAV or MP3; the message says why."""


@dataclass(frozen=True)
class Sound:
    """One sound kept under its digest: length in seconds, content type."""

    digest: str
    seconds: float


class Sounds:
    """A folder of sounds by digest."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def keep(self, data: bytes) -> Sound:
        """Measure WAV or MP3 bytes and keep them as a telephone hears them; raises NoSound."""
        try:
            frames = wav.decode(data, LONGEST)
        except (wav.BadAudio, miniaudio.MiniaudioError) as error:
            raise NoSound(str(error)) from None
        seconds = wav.Pcm(frames).seconds
        if not seconds:
            raise NoSound("no sound in it")
        digest = hashlib.sha256(data).hexdigest()[:32]
        path = self._path(digest)
        if not path.exists():
            draft = path.with_suffix(".part")
            draft.write_bytes(wav.write(frames))
            draft.replace(path)
        return Sound(digest, seconds)

    def path(self, digest: str) -> Path | None:
        """Return the file of a digest, or None where there is none."""
        found = self._path(digest)
        return found if digest.isalnum() and found.is_file() else None

    def recording(self, data: bytes, longest: float) -> tuple[bytes, float]:
        """Return a WAV file as telephone sound, cut at `longest` seconds, and its length."""
        frames = wav.decode(data, longest)
        return wav.write(frames), wav.Pcm(frames).seconds

    def bars(self, digest: str) -> list[float]:
        """Return BARS values 0..1 for drawing the sound."""
        path = self.path(digest)
        if path is None:
            return [0.3] * BARS
        return list(wav.peaks(wav.parse(path.read_bytes()).frames, BARS))

    def empty(self) -> None:
        """Throw all sounds away."""
        for file in self._folder.glob("*.wav"):
            file.unlink(missing_ok=True)

    def _path(self, digest: str) -> Path:
        return self._folder / f"{digest}.wav"


def spoken(text: str, chain: Sequence[str], locale: str = "de") -> bytes | None:
    """Return words as a WAV file, or None where no engine of this machine can speak them."""
    offline = [name for name in chain if name != "gtts"] or ["pico", "espeak"]
    try:
        return engines.synthesise(text, locale, offline).wav
    except engines.NoAudio:
        return None


def tone(seconds: float = TONE_SECONDS) -> bytes:
    """Return a WAV file with a plain tone: somebody says something, and nobody minds what."""
    count = round(seconds * wav.RATE)
    step = 2 * math.pi * TONE_HERTZ / wav.RATE
    return wav.write(array("h", (int(9000 * math.sin(step * n)) for n in range(count))).tobytes())


def reckoned(text: str) -> float:
    """Return the seconds it takes to say a text."""
    return max(1.0, round(len(text) / CHARACTERS_A_SECOND, 1))
