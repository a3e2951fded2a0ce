"""A transaction that takes its change's id early and commits late."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from sms.db import database
from sms.models import Account, log_change


class Late:
    """Runs on a thread of its own; its change is of the kind "contact"."""

    def __init__(self, account: int, conversation: int) -> None:
        self._logged, self._commit = threading.Event(), threading.Event()
        self._of = account, conversation
        self._thread = threading.Thread(target=self._write)
        self._thread.start()
        assert self._logged.wait(5)

    def _write(self) -> None:
        account, conversation = self._of
        with database.connection_context(), database.atomic():
            log_change(account, "contact", conversation)
            self._logged.set()
            self._commit.wait(30)

    def commit(self) -> None:
        """Commit, and return when that is done."""
        self._commit.set()
        self._thread.join()


@pytest.fixture
def late(account: Account, request: Any) -> Iterator[Late]:
    """One that has taken its id by now; PostgreSQL only, as SQLite lets nobody else write meanwhile."""
    talk = request.getfixturevalue("talk")
    with database.atomic():
        log_change(account.id, "read", talk.id)
    made = Late(account.id, talk.id)
    yield made
    made.commit()
