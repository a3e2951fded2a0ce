"""Counting the queries that one request needs."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from sms.db import database


class Counted:
    number = 0


@pytest.fixture
def count_queries(monkeypatch: pytest.MonkeyPatch) -> Callable[[], object]:
    """Count what is asked of the database within a `with` block; savepoints and pragmas too."""

    @contextmanager
    def counting() -> Iterator[Counted]:
        counted, real = Counted(), database.obj.execute_sql

        def execute_sql(sql: str, *args: object, **more: object) -> object:
            counted.number += 1
            return real(sql, *args, **more)

        monkeypatch.setattr(database.obj, "execute_sql", execute_sql)
        try:
            yield counted
        finally:
            monkeypatch.setattr(database.obj, "execute_sql", real)

    return counting
