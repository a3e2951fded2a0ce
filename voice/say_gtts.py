"""Child process of voice.engines: words on stdin, MP3 on stdout, spoken by Google. Run as a file.

gTTS sends its requests with certificate checks switched off, without a time limit and following redirects, and
cuts German at English abbreviations. Only its request bodies and its answer format are used here; the sending is
done anew, with checks on. The parent ends this process when its time is up.
"""

import base64
import re
import sys
from urllib.parse import urlsplit

import requests
from gtts import gTTS

READ_TIMEOUT = 10
"""Seconds for one socket operation; the time limit for the whole is the parent's."""
MAX_BYTES = 8_000_000
_PIECE = 100
"""Google takes at most so many characters a request."""
_AUDIO = re.compile(rb'jQ1olc","\[\\"([A-Za-z0-9+/=]+)\\"\]')


def pieces(words: str) -> list[str]:
    """Cut into pieces of at most 100 characters, after a sentence where possible, else a comma, else a word."""
    found: list[str] = []
    rest = words.strip()
    while len(rest) > _PIECE:
        cut = _cut(rest[:_PIECE])
        found.append(rest[:cut].strip())
        rest = rest[cut:].strip()
    return [piece for piece in [*found, rest] if piece]


def _cut(window: str) -> int:
    for marks in (r"[.!?:;]\s", r",\s", r"\s"):
        ends = [m.end() for m in re.finditer(marks, window)]
        if ends and (ends[-1] > _PIECE // 3 or marks == r"\s"):
            return ends[-1]
    return len(window)


def speak(words: str, lang: str, origin: str) -> bytes:
    """Return MP3 audio; raises requests' errors, or ValueError where an answer holds no audio."""
    maker = gTTS(words, lang=lang, lang_check=False, pre_processor_funcs=[], tokenizer_func=pieces)
    return b"".join(_ask(body, origin) for body in maker.get_bodies())


def _ask(body: str, origin: str) -> bytes:
    url = f"{origin}/_/TranslateWebserverUi/data/batchexecute"
    headers = {**gTTS.GOOGLE_TTS_HEADERS, "Referer": origin}
    # requests.post verifies; a redirect could carry the text to somebody else
    with requests.post(
        url, data=body, headers=headers, timeout=READ_TIMEOUT, allow_redirects=False, stream=True
    ) as answer:
        if answer.status_code != requests.codes.ok:
            raise ValueError(f"status {answer.status_code}")
        return _audio(_limited(answer))


def _limited(answer: requests.Response) -> bytes:
    taken = bytearray()
    for chunk in answer.iter_content(16384):
        taken += chunk
        if len(taken) > MAX_BYTES:
            raise ValueError("answer too large")
    return bytes(taken)


def _audio(answer: bytes) -> bytes:
    found = _AUDIO.search(answer)
    if not found:
        raise ValueError("no audio in the answer")
    return base64.b64decode(found.group(1))


def main() -> None:
    """Speak stdin in the language of the first argument, at the origin of the second."""
    lang, origin = sys.argv[1], sys.argv[2]
    if urlsplit(origin).scheme != "https":
        sys.exit("only https")
    words = sys.stdin.buffer.read().decode("utf-8")
    try:
        sys.stdout.buffer.write(speak(words, lang, origin))
    except (requests.RequestException, ValueError, AssertionError) as error:
        # the class alone: an error's message may hold the request, and so the text
        sys.exit(type(error).__name__)


if __name__ == "__main__":
    main()
