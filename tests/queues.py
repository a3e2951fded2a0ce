"""The queues of a test run: Huey beside the database of this run, and where it has none of its own kind."""

from collections.abc import Iterator

import pytest
from redis.exceptions import ConnectionError

from tests import database

KINDS = ["postgresql"] if database.KIND == "postgresql" else ["sqlite", "redis"]


@pytest.fixture(scope="module", params=KINDS)
def queue_url(request: pytest.FixtureRequest) -> Iterator[str | None]:
    """Where the queue is; None means on the database."""
    if request.param != "redis":
        yield "sqlite" if request.param == "sqlite" else None
        return
    try:
        with database.redis() as url:
            yield url
    except ConnectionError:
        pytest.skip("no Redis server")
