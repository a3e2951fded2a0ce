"""Audio from engines and from strangers: measured, converted, refused."""

import math
import struct
from array import array
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice import wav

MP3 = (Path(__file__).parent / "guten_tag.mp3").read_bytes()


def tone(seconds: float, rate: int = 8000, pitch: float = 440, loud: float = 0.5, channels: int = 1) -> bytes:
    steps = range(round(seconds * rate))
    samples = (int(loud * 32767 * math.sin(2 * math.pi * pitch * n / rate)) for n in steps)
    return array("h", (s for sample in samples for s in [sample] * channels)).tobytes()


def riff(
    frames: bytes, rate: int = 8000, channels: int = 1, bits: int = 16, tag: int = 1, size: int | None = None
):
    width = bits // 8
    form = struct.pack("<HHIIHH", tag, channels, rate, rate * channels * width, channels * width, bits)
    listed = b"LIST" + struct.pack("<I", 3) + b"abc\x00"
    data = b"data" + struct.pack("<I", len(frames) if size is None else size) + frames
    body = b"WAVE" + b"fmt " + struct.pack("<I", 16) + form + listed + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


def test_what_is_written_is_read_again():
    assert wav.parse(wav.write(tone(1))) == wav.Pcm(tone(1), 8000, 1)


def test_other_chunks_are_passed_over_and_a_stream_of_unknown_length_is_read_to_its_end():
    assert wav.parse(riff(tone(1), 22050, 2)).rate == 22050
    assert wav.parse(riff(tone(1), size=0x7FFFF000)).frames == tone(1)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"RIFF",
        b"ID3" + b"\x00" * 50,
        riff(tone(1))[:30],
        riff(tone(0.1), bits=8),
        riff(tone(0.1), tag=7),
        riff(tone(0.1), channels=0),
        riff(tone(0.1), channels=9),
        riff(tone(0.1), rate=1),
        b"RIFF\x00\x00\x00\x00WAVEdata\x04\x00\x00\x00abcd",
    ],
)
def test_what_is_no_16_bit_wav_is_refused(data):
    with pytest.raises(wav.BadAudio):
        wav.parse(data)


@pytest.mark.parametrize(("rate", "channels"), [(16000, 1), (22050, 1), (44100, 2), (48000, 2), (8000, 2)])
def test_resampling_keeps_length_and_loudness(rate, channels):
    frames = wav.to_telephone(wav.Pcm(tone(2, rate, channels=channels), rate, channels))
    assert wav.Pcm(frames).seconds == pytest.approx(2, abs=0.02)
    assert wav.loudest(frames) == pytest.approx(0.5, abs=0.06)


def test_a_pitch_above_the_telephone_band_does_not_come_back_as_another():
    frames = wav.to_telephone(wav.Pcm(tone(1, 16000, pitch=7000), 16000, 1))
    assert wav.loudest(frames[4000:-4000]) < 0.1


def test_peaks_draw_the_loud_and_the_silent_half():
    peaks = wav.peaks(wav.silence(1) + tone(1))
    assert len(peaks) == 60
    assert max(peaks[:30]) == 0
    assert min(peaks[31:]) == pytest.approx(0.5, abs=0.01)


@given(st.binary(max_size=400), st.integers(1, 80))
def test_peaks_are_always_so_many_values_between_nothing_and_all(frames, count):
    peaks = wav.peaks(frames, count)
    assert len(peaks) == count
    assert all(0 <= p <= 1 for p in peaks)


def test_levelling_makes_quiet_speech_as_loud_as_loud_speech_and_keeps_silence():
    assert wav.loudest(wav.levelled(tone(1, loud=0.3))) == pytest.approx(0.8, abs=0.01)
    assert wav.loudest(wav.levelled(tone(1, loud=1.0))) == pytest.approx(0.8, abs=0.01)
    assert wav.loudest(wav.levelled(tone(1, loud=0.01))) == pytest.approx(0.04, abs=0.01)
    assert wav.levelled(wav.silence(1)) == wav.silence(1)


class TestRecording:
    """What a caller has left, downloaded from a carrier: untrusted bytes."""

    def test_an_mp3_becomes_telephone_wav(self):
        pcm = wav.parse(wav.convert(MP3, 1_000_000, 120))
        assert (pcm.rate, pcm.channels) == (8000, 1)
        assert 1.2 < pcm.seconds < 2

    def test_a_stereo_wav_becomes_telephone_wav(self):
        pcm = wav.parse(wav.convert(riff(tone(1, 44100, channels=2), 44100, 2), 1_000_000, 120))
        assert pcm.seconds == pytest.approx(1, abs=0.05)
        assert wav.loudest(pcm.frames) > 0.4

    def test_a_telephone_wav_stays_as_it_is(self):
        assert wav.convert(wav.write(tone(1)), 1_000_000, 120) == wav.write(tone(1))

    def test_too_large_is_refused_before_it_is_decoded(self):
        with pytest.raises(wav.BadAudio, match="larger than"):
            wav.convert(MP3, len(MP3) - 1, 120)

    def test_too_long_is_cut(self):
        assert wav.parse(wav.convert(wav.write(tone(5)), 1_000_000, 2)).seconds == 2

    @pytest.mark.parametrize(
        "data", [b"", b"<html>404</html>", b"OggS" + b"\x00" * 99, b"fLaC" + b"\x00" * 99, b"ID3"]
    )
    def test_what_is_no_audio_is_refused(self, data):
        with pytest.raises(wav.BadAudio):
            wav.convert(data, 1_000_000, 120)

    @given(
        st.binary(max_size=600),
        st.sampled_from([b"ID3", b"\xff\xfb\x90", b"RIFF\x00\x00\x00\x00WAVE", MP3[:200], riff(b"")]),
    )
    def test_any_bytes_are_audio_or_refused(self, noise, start):
        try:
            data = wav.convert(start + noise, 1_000_000, 1)
        except wav.BadAudio:
            return
        assert 0 < wav.parse(data).seconds <= 1
