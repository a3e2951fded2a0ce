"""Counts the queries of a request, so that a page that grows with the account is noticed."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from peewee import Database

from sms import health


@contextmanager
def queries(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Collect every statement that is executed inside."""
    health.forget()  # known for half a second, so asked for by the one request or by the other
    seen: list[str] = []
    original = Database.execute_sql

    def noting(self, sql, params=None, *more, **named):
        seen.append(sql)
        return original(self, sql, params, *more, **named)

    with monkeypatch.context() as patch:
        patch.setattr(Database, "execute_sql", noting)
        yield seen
