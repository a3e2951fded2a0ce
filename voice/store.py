"""The audio store: files named by what they say, so the same words are spoken once."""

import hashlib
import json
import os
import tempfile
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from voice import engines, language, wav
from voice.ear import prepare

FORMAT = 1
"""Goes up when the same words should sound different: new voice, volume, pauses."""

LARGEST_RECORDING = 20_000_000
LONGEST_RECORDING = 300.0
"""Bytes and seconds of a caller's message; the rest is cut."""

ASK_AGAIN = timedelta(days=1)
"""What a fallback spoke, because the first engine failed that day, is kept no longer than this."""


@dataclass(frozen=True)
class Audio:
    """A WAV file in the store: its name without suffix is `digest`; length in seconds; 60 peaks of 0..1."""

    path: Path
    digest: str
    seconds: float
    engine: str
    peaks: tuple[float, ...]


def speech(text: str, locale: str, chain: Sequence[str], folder: Path) -> Audio:
    """Return the audio of these words, spoken now or found in `folder`; raises engines.NoAudio."""
    words = prepare(text, locale)
    digest = _digest(words, language(locale), chain)
    found = find(digest, folder)
    if found and not _second_best(found, chain):
        _touch(found)
        return found
    try:
        return _keep(engines.synthesise(words, locale, chain), digest, folder)
    except engines.NoAudio:
        if found:
            return found
        raise


def _second_best(audio: Audio, chain: Sequence[str]) -> bool:
    """Tell whether another than the first engine spoke, long enough ago to ask the first one again."""
    return audio.engine != chain[0] and _older(audio.path, time.time() - ASK_AGAIN.total_seconds())


def _touch(audio: Audio) -> None:
    """Note on the sidecar that the audio is in use; the WAV keeps the time when it was spoken."""
    try:
        os.utime(audio.path.with_suffix(".json"))
    except OSError:
        # removed this moment, or a folder we may only read: who plays it finds out
        pass


def keep_recording(data: bytes, folder: Path) -> Audio:
    """Keep what a caller has said, untrusted WAV or MP3 bytes, in our format; raises wav.BadAudio."""
    clean = wav.convert(data, LARGEST_RECORDING, LONGEST_RECORDING)
    pcm = wav.parse(clean)
    spoken = engines.Spoken(clean, len(pcm.frames) / wav.WIDTH / wav.RATE, "recording", wav.peaks(pcm.frames))
    return _keep(spoken, hashlib.sha256(clean).hexdigest(), folder)


def find(digest: str, folder: Path) -> Audio | None:
    """Return the audio of this digest, None where it is not there or not whole."""
    if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
        return None
    path = folder / f"{digest}.wav"
    try:
        told = json.loads(path.with_suffix(".json").read_text("utf-8"))
        audio = Audio(path, digest, float(told["seconds"]), str(told["engine"]), tuple(told["peaks"]))
        return audio if path.stat().st_size == told["bytes"] else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def remove_unused(folder: Path, keep: Collection[str], older_than: timedelta) -> int:
    """Remove audio not in `keep` and not used for so long; returns the number of utterances removed."""
    limit = time.time() - older_than.total_seconds()
    removed = 0
    for path in folder.glob("*") if folder.is_dir() else ():
        if not path.is_file() or path.stem in keep:
            continue
        if not (_older(path, limit) and _older(path.with_suffix(".json"), limit)):
            continue
        path.unlink(missing_ok=True)
        removed += path.suffix == ".wav"
    return removed


def _older(path: Path, limit: float) -> bool:
    """Tell whether a file was last written before this moment; one that is not there was."""
    try:
        return path.stat().st_mtime < limit
    except FileNotFoundError:
        return True


def _digest(words: str, lang: str, chain: Sequence[str]) -> str:
    key = json.dumps([FORMAT, words, lang, list(chain)], ensure_ascii=True)
    return hashlib.sha256(key.encode("ascii")).hexdigest()


def _keep(spoken: engines.Spoken, digest: str, folder: Path) -> Audio:
    """Write the WAV first and the JSON last: who finds the JSON finds the whole WAV."""
    folder.mkdir(parents=True, exist_ok=True)
    seconds = round(spoken.seconds, 3)
    told = {
        "seconds": seconds,
        "engine": spoken.engine,
        "peaks": spoken.peaks,
        "bytes": len(spoken.wav),
    }
    path = folder / f"{digest}.wav"
    _write(path, spoken.wav)
    _write(path.with_suffix(".json"), json.dumps(told).encode("utf-8"))
    return Audio(path, digest, seconds, spoken.engine, spoken.peaks)


def _write(path: Path, data: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
