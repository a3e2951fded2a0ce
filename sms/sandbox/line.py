"""The wire of one call: what the person at the phone does to it, what the customer orders, and how time passes."""

import threading
import time
from collections import deque
from collections.abc import Callable

NAP = 0.25
"""Seconds between two looks at a phone that somebody may have switched meanwhile."""
BLINK = 0.03
"""Seconds that anything takes on a phone that answers by itself: its time is pretended."""


class HungUp(Exception):
    """The call is over: the person hung up, or the customer ended it."""


class Moved(Exception):
    """The customer has sent the call to another document."""


class Interrupted(Exception):
    """The sandbox is ending; the call is kept as it is."""


def never() -> bool:
    """Wait for nothing but the time."""
    return False


class Line:
    """Thread-safe; the call's own thread waits on it, everybody else acts on it."""

    def __init__(self, real_time: bool) -> None:
        self.real_time = real_time
        self.keys: deque[str] = deque()
        self.speech: deque[str] = deque()
        self.picked_up = False
        self.declined = False
        self.canceled = False
        self.document: tuple[str, str] | None = None
        self._hung_up = False
        self._interrupted = False
        self._change = threading.Condition()

    def pick_up(self) -> None:
        """Answer the ringing phone; from now on time is real, because a person listens."""
        self._act(picked_up=True, real_time=True)

    def decline(self) -> None:
        """Reject the ringing call."""
        self._act(declined=True)

    def cancel(self) -> None:
        """End a call that has not been answered."""
        self._act(canceled=True)

    def hang_up(self) -> None:
        """End the call."""
        self._act(_hung_up=True)

    def interrupt(self) -> None:
        """Stop the call's thread without ending the call."""
        self._act(_interrupted=True)

    def move(self, document: tuple[str, str]) -> None:
        """Send the call elsewhere: ("url", address) or ("twiml", text)."""
        self._act(document=document)

    def press(self, key: str) -> None:
        """Press a key."""
        with self._change:
            self.keys.append(key)
            self._change.notify_all()

    def say(self, text: str) -> None:
        """Say something into the phone."""
        with self._change:
            self.speech.append(text)
            self._change.notify_all()

    def wait(self, seconds: float, ready: Callable[[], bool] = never) -> bool:
        """Let seconds pass, pretended or real; True as soon as `ready`. Raises HungUp, Moved, Interrupted."""
        end = time.monotonic() + (seconds if self.real_time else min(seconds, BLINK))
        with self._change:
            while True:
                if self._interrupted:
                    raise Interrupted
                if self._hung_up:
                    raise HungUp
                if self.document:
                    raise Moved
                if ready():
                    return True
                left = end - time.monotonic()
                if left <= 0:
                    return False
                self._change.wait(min(left, NAP))

    def doze(self, seconds: float) -> None:
        """Let real seconds pass while the phone rings, at most a NAP, or until anything happens."""
        with self._change:
            if not (self.picked_up or self.declined or self.canceled or self._hung_up or self._interrupted):
                self._change.wait(min(max(seconds, 0), NAP))
            if self._interrupted:
                raise Interrupted

    @property
    def given_up(self) -> bool:
        """True where a ringing call was cancelled or its caller hung up."""
        return self.canceled or self._hung_up

    def _act(self, **changes: object) -> None:
        with self._change:
            for name, value in changes.items():
                setattr(self, name, value)
            self._change.notify_all()
