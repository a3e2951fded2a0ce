"""Child process of voice.engines: words on stdin, 16 kHz mono 16-bit samples on stdout. Run as a file.

A process of its own for each utterance, because Pico's output varies within one process and a crash in its C
code must not reach ours. It may write no file: Pico's markup can, and the ceiling below makes that impossible
even if a `<` should ever get past the neutralising of the words.
"""

import resource
import sys

from py_nanotts import NanoTTS

VOLUME = 0.5
"""Pico's own volume clips, and at 0.6 single samples still do; the loudness is evened out afterwards."""


def main() -> None:
    """Speak stdin with the voice and the speed named on the command line."""
    voice, speed = sys.argv[1], float(sys.argv[2])
    words = sys.stdin.buffer.read().decode("utf-8")
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.stdout.buffer.write(NanoTTS().speak(words, voice=voice, speed=speed, volume=VOLUME))


main()
