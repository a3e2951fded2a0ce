"""The same words are spoken once, found again whole, and go when nobody needs them."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from voice import engines, store, wav

ENGINE = next((e for e in ("pico", "espeak") if e in engines.available()), None)
pytestmark = pytest.mark.skipif(ENGINE is None, reason="neither Pico nor espeak-ng is installed")
MP3 = (Path(__file__).parent / "guten_tag.mp3").read_bytes()
CHAIN = [ENGINE or "pico"]
WORDS = "Guten Tag, bis 14 Uhr."


def test_speech_is_a_playable_file_with_its_facts(tmp_path: Path):
    audio = store.speech(WORDS, "de", CHAIN, tmp_path / "audio")
    pcm = wav.parse(audio.path.read_bytes())
    assert audio.path.name == f"{audio.digest}.wav"
    assert audio.seconds == pytest.approx(pcm.seconds, abs=0.001)
    assert audio.engine == ENGINE
    assert len(audio.peaks) == 60
    assert max(audio.peaks) > 0.5


def test_the_same_words_are_spoken_once(tmp_path, monkeypatch):
    first = store.speech(WORDS, "de", CHAIN, tmp_path)
    monkeypatch.setattr(engines, "synthesise", lambda *_: pytest.fail("spoken again"))
    assert store.speech(WORDS, "de_DE", CHAIN, tmp_path) == first
    assert store.speech("Guten Tag, bis vierzehn Uhr.", "de", CHAIN, tmp_path) == first


def test_other_words_language_or_chain_are_other_audio(tmp_path):
    digests = {
        store.speech(words, locale, chain, tmp_path).digest
        for words, locale, chain in [
            (WORDS, "de", CHAIN),
            ("Guten Abend.", "de", CHAIN),
            (WORDS, "en", CHAIN),
            (WORDS, "de", ["nobody", *CHAIN]),
        ]
    }
    assert len(digests) == 4


def test_what_a_fallback_spoke_is_spoken_anew_a_day_later(tmp_path, monkeypatch):
    chain = ["nobody", *CHAIN]
    audio = store.speech(WORDS, "de", chain, tmp_path)
    monkeypatch.setitem(engines._ENGINES, "nobody", engines._ENGINES[CHAIN[0]])
    assert store.speech(WORDS, "de", chain, tmp_path).engine == ENGINE
    long_ago = time.time() - 86400 * 2
    os.utime(audio.path, (long_ago, long_ago))
    assert store.speech(WORDS, "de", chain, tmp_path).engine == "nobody"


def test_an_old_fallback_is_better_than_silence(tmp_path, monkeypatch):
    chain = ["nobody", *CHAIN]
    audio = store.speech(WORDS, "de", chain, tmp_path)
    long_ago = time.time() - 86400 * 2
    os.utime(audio.path, (long_ago, long_ago))
    monkeypatch.setattr(engines, "_ENGINES", {})
    assert store.speech(WORDS, "de", chain, tmp_path) == audio


def test_many_at_once_leave_one_whole_file(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: store.speech(WORDS, "de", CHAIN, tmp_path), range(8)))
    assert len({(a.digest, a.seconds) for a in found}) == 1
    assert sorted(p.suffix for p in tmp_path.iterdir()) == [".json", ".wav"]


@pytest.mark.parametrize("damage", ["cut", "no facts", "bad facts", "empty facts", "gone"])
def test_damaged_audio_is_spoken_anew(tmp_path, damage):
    audio = store.speech(WORDS, "de", CHAIN, tmp_path)
    facts = audio.path.with_suffix(".json")
    if damage == "cut":
        audio.path.write_bytes(audio.path.read_bytes()[:100])
    elif damage == "no facts":
        facts.unlink()
    elif damage == "gone":
        audio.path.unlink()
    else:
        facts.write_text("{" if damage == "bad facts" else "[]")
    assert store.find(audio.digest, tmp_path) is None
    assert store.speech(WORDS, "de", CHAIN, tmp_path) == audio
    assert wav.parse(audio.path.read_bytes()).seconds > 1


@pytest.mark.parametrize("digest", ["", "../../etc/passwd", "a" * 63, "A" * 64, "g" * 64, "a" * 64 + "/x"])
def test_only_a_digest_finds_a_file(tmp_path, digest):
    assert store.find(digest, tmp_path) is None


def test_failed_speech_leaves_nothing(tmp_path):
    with pytest.raises(engines.NoAudio):
        store.speech(WORDS, "de", ["nobody"], tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_write_that_fails_leaves_no_half_file(tmp_path, monkeypatch):
    def full(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="no space"):
        store.speech(WORDS, "de", CHAIN, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_only_what_is_old_and_unneeded_is_removed(tmp_path):
    needed, old, fresh = (
        store.speech(t, "de", CHAIN, tmp_path) for t in ("Eins bitte.", "Zwei bitte.", "Drei bitte.")
    )
    stray = tmp_path / ".x.part"
    stray.write_bytes(b"half")
    long_ago = time.time() - 86400 * 30
    for path in (
        needed.path,
        old.path,
        needed.path.with_suffix(".json"),
        old.path.with_suffix(".json"),
        stray,
    ):
        os.utime(path, (long_ago, long_ago))
    assert store.remove_unused(tmp_path, {needed.digest}, timedelta(days=7)) == 1
    assert store.find(needed.digest, tmp_path) == needed
    assert store.find(fresh.digest, tmp_path) == fresh
    assert store.find(old.digest, tmp_path) is None
    assert len(list(tmp_path.iterdir())) == 4


def test_audio_that_was_used_lately_is_not_removed(tmp_path):
    audio = store.speech(WORDS, "de", CHAIN, tmp_path)
    long_ago = time.time() - 86400 * 30
    for path in tmp_path.iterdir():
        os.utime(path, (long_ago, long_ago))
    store.speech(WORDS, "de", CHAIN, tmp_path)
    assert store.remove_unused(tmp_path, (), timedelta(days=7)) == 0
    assert store.find(audio.digest, tmp_path) == audio


def test_a_recording_is_kept_in_our_format_and_found_again(tmp_path):
    audio = store.keep_recording(MP3, tmp_path)
    assert audio.engine == "recording"
    assert 1 < audio.seconds < 2
    assert store.find(audio.digest, tmp_path) == audio
    assert store.keep_recording(MP3, tmp_path) == audio


@pytest.mark.parametrize("data", [b"", b"<html>not found</html>", b"RIFF\x00\x00\x00\x00WAVE"])
def test_a_recording_that_is_no_audio_leaves_nothing(tmp_path, data):
    with pytest.raises(wav.BadAudio):
        store.keep_recording(data, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_removing_from_a_folder_that_is_not_there_removes_nothing(tmp_path):
    assert store.remove_unused(tmp_path / "none", set(), timedelta(0)) == 0
