"""One audio format for carrier, browser and SIP: WAV, 8 kHz, mono, 16 bit. Parse, measure, convert."""

import struct
import sys
from array import array
from dataclasses import dataclass
from itertools import pairwise

import miniaudio

RATE = 8000
WIDTH = 2
PEAKS = 60

_FULL = 32767
_PCM = 1
_EXTENSIBLE = 0xFFFE
_CHUNK = 8192


class BadAudio(Exception):
    """These bytes are no audio that we can use; the message says why."""


@dataclass(frozen=True)
class Pcm:
    """Samples: signed 16 bit little-endian, `channels` interleaved, `rate` frames a second."""

    frames: bytes
    rate: int = RATE
    channels: int = 1

    @property
    def seconds(self) -> float:
        return len(self.frames) / (self.rate * self.channels * WIDTH)


def parse(data: bytes) -> Pcm:
    """Return the samples of a 16-bit PCM RIFF file; raises BadAudio. Tolerates the lengths of a stream."""
    if len(data) < 12 or data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise BadAudio("not a RIFF WAVE file")
    form: tuple[int, int, int, int] | None = None
    at = 12
    while at + 8 <= len(data):
        kind, size = data[at : at + 4], struct.unpack_from("<I", data, at + 4)[0]
        body = data[at + 8 : at + 8 + size]
        if kind == b"fmt " and len(body) >= 16:
            tag, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", body)
            form = (tag, channels, rate, bits)
        if kind == b"data":
            return _samples(form, body)
        at += 8 + size + size % 2
    raise BadAudio("no data chunk")


def _samples(form: tuple[int, int, int, int] | None, body: bytes) -> Pcm:
    if form is None:
        raise BadAudio("no format before the data")
    tag, channels, rate, bits = form
    if tag not in (_PCM, _EXTENSIBLE) or bits != 8 * WIDTH:
        raise BadAudio("not 16-bit PCM")
    if not 1 <= channels <= 2 or not 4000 <= rate <= 192000:
        raise BadAudio("implausible number of channels or rate")
    whole = len(body) - len(body) % (channels * WIDTH)
    return Pcm(body[:whole], rate, channels)


def write(frames: bytes) -> bytes:
    """Return a WAV file of samples that are already 8 kHz, mono, 16 bit."""
    head = struct.pack("<4sI4s4sIHHIIHH", b"RIFF", 36 + len(frames), b"WAVE", b"fmt ", 16, _PCM, 1, RATE,
                       RATE * WIDTH, WIDTH, 8 * WIDTH)  # fmt: skip
    return head + struct.pack("<4sI", b"data", len(frames)) + frames


def to_telephone(pcm: Pcm) -> bytes:
    """Return the samples as 8 kHz mono; miniaudio filters what lies above 4 kHz before it drops samples."""
    if pcm.rate == RATE and pcm.channels == 1:
        return pcm.frames
    signed = miniaudio.SampleFormat.SIGNED16
    return bytes(miniaudio.convert_frames(signed, pcm.channels, pcm.rate, pcm.frames, signed, 1, RATE))


def silence(seconds: float) -> bytes:
    """Return so many seconds of silent samples at 8 kHz."""
    return bytes(round(seconds * RATE) * WIDTH)


def levelled(frames: bytes, peak: float = 0.8) -> bytes:
    """Return samples whose loudest is `peak`, so that every engine is equally loud; at most four times louder."""
    samples = _array(frames)
    top = _loudest(samples)
    if not top:
        return frames
    gain = min(peak * _FULL / top, 4.0)
    return _bytes(array("h", (int(sample * gain) for sample in samples)))


def convert(data: bytes, max_bytes: int, max_seconds: float) -> bytes:
    """Return an untrusted WAV or MP3 recording as a WAV of our format, cut at `max_seconds`; raises BadAudio."""
    if len(data) > max_bytes:
        raise BadAudio(f"larger than {max_bytes} bytes")
    frames = decode(data, max_seconds)
    if not frames:
        raise BadAudio("no sound in it")
    return write(frames)


def decode(data: bytes, max_seconds: float) -> bytes:
    """Return WAV or MP3 bytes as samples at 8 kHz mono, in pieces up to `max_seconds`; raises BadAudio."""
    if not _looks_like_audio(data):
        raise BadAudio("neither WAV nor MP3")
    limit = round(max_seconds * RATE) * WIDTH
    frames = bytearray()
    try:
        stream = miniaudio.stream_memory(data, miniaudio.SampleFormat.SIGNED16, 1, RATE, _CHUNK)
        for piece in stream:
            frames += bytes(piece)
            if len(frames) >= limit:
                break
    except miniaudio.MiniaudioError as error:
        raise BadAudio(f"cannot be decoded: {error}") from None
    return bytes(frames[:limit])


def _looks_like_audio(data: bytes) -> bool:
    mp3 = data[:3] == b"ID3" or (len(data) > 2 and data[0] == 0xFF and data[1] & 0xE0 == 0xE0)
    return mp3 or (data[:4] == b"RIFF" and data[8:12] == b"WAVE")


def peaks(frames: bytes, count: int = PEAKS) -> tuple[float, ...]:
    """Return `count` values 0..1, the loudest sample of each slice, for drawing a waveform."""
    samples = _array(frames)
    if not samples:
        return (0.0,) * count
    edges = [len(samples) * i // count for i in range(count + 1)]
    slices = (samples[a:b] for a, b in pairwise(edges))
    return tuple(round(_loudest(s) / _FULL, 3) for s in slices)


def loudest(frames: bytes) -> float:
    """Return the loudest sample, 0..1."""
    return _loudest(_array(frames)) / _FULL


def _loudest(samples: array) -> int:
    return min(max(max(samples), -min(samples)), _FULL) if samples else 0


def _bytes(samples: array) -> bytes:
    if sys.byteorder == "big":
        samples.byteswap()
    return samples.tobytes()


def _array(frames: bytes) -> array:
    samples = array("h")
    samples.frombytes(frames[: len(frames) - len(frames) % WIDTH])
    if sys.byteorder == "big":
        samples.byteswap()
    return samples
