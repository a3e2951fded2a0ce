"""A practice that sends and receives through a message centre: the bind runs in a thread of the test."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from sms import clock, config, exchange
from sms.models import Heartbeat, Message
from sms.smpp_bind import Bind
from tests.crowd import PATIENCE
from tests.database import url

OUR = "+491713920090"


def settings_for(data: Path, port: int, **options: object) -> config.Settings:
    """Settings whose only carrier is the centre at `port`."""
    own: dict[str, object] = {
        "name": "centre",
        "kind": "smpp",
        "rate": 500,
        "host": "127.0.0.1",
        "port": port,
        "system_id": "sms",
        "password_env": "CENTRE_PASSWORD",
        "response_seconds": 1,
        "reconnect_seconds": 0.1,
        "numbers": [OUR],
        **options,
    }
    lines = [f"{name} = {value!r}".replace("'", '"') for name, value in own.items()]
    file = data.parent / "carriers.toml"
    file.write_text("[[carrier]]\n" + "\n".join(lines) + "\n", "utf-8")
    environment = {
        "FADEN_DATA": str(data),
        "FADEN_DATABASE_URL": url(data),
        "FADEN_CARRIERS": str(file),
        "CENTRE_PASSWORD": "secret",
    }
    return config.load({**environment, "FADEN_SECRET_KEY": "only-for-tests-0123456789abcdefghij"})


class Practice:
    """What a test sees of it: the bind, its link, and what becomes of messages."""

    def __init__(self, settings: config.Settings) -> None:
        exchange.connect(settings)
        self.bind = Bind("centre")
        self._thread = threading.Thread(target=self.bind.serve, daemon=True)

    def start(self, bound: bool = True) -> "Practice":
        self._thread.start()
        if bound:
            self.until(lambda: self.bind.carrier.session and self.bind.carrier.session.bound.is_set())
        return self

    def stop(self) -> None:
        self.bind.end()
        self._thread.join(15)
        assert not self._thread.is_alive()

    def until(self, true: Callable[[], Any], seconds: float = PATIENCE, hurry: bool = False) -> Any:
        """Wait for something that the network brings about; in a hurry the clock runs faster than the machine's."""
        end = time.monotonic() + seconds
        while not (found := true()):
            assert time.monotonic() < end, "it did not happen"
            time.sleep(0.02)
            if hurry:
                clock.shift(timedelta(seconds=0.2))
        return found

    def becomes(self, message: Message, status: str, hurry: bool = False) -> Message:
        """Wait until a message has a status, and return it as it is then."""

        def there() -> bool:
            return str(Message.get_by_id(message.id).status) == status

        try:
            self.until(there, hurry=hurry)
        except AssertionError:
            found = Message.get_by_id(message.id)
            raise AssertionError(f"is {found.status} ({found.reason} {found.error}), not {status}") from None
        return Message.get_by_id(message.id)

    def received(self, sender: str) -> list[Message]:
        """Texts that have come in from a number, oldest first; a centre may still have others on their way."""
        mine = (Message.direction == "incoming") & (Message.theirs == sender)
        return list(Message.select().where(mine).order_by(Message.id))

    def heart(self) -> str | None:
        beat = Heartbeat.get_or_none(Heartbeat.name == "smpp:centre")
        return None if beat is None else str(beat.detail)
