"""The databases of a test run: SQLite, or PostgreSQL where FADEN_TEST_DATABASE=postgresql says so.

Every test starts from the same template: a migrated database with people in it. SQLite copies its file. PostgreSQL
needs 100 ms to copy and drop a database; so each test process keeps a few, gives one a new name for every test (who is
left over from the last test finds nothing under the old one) and puts the rows back in place, in 2 to 15 ms.
"""

import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, TypeVar
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql
from redis import Redis

from sms import config, db, migrate

KIND = os.environ.get("FADEN_TEST_DATABASE") or "sqlite"
POSTGRES = os.environ.get("FADEN_TEST_POSTGRES_URL") or "postgresql://postgres@127.0.0.1:5432/postgres"
"""A server on which databases may be made and dropped; this one is asked for nothing else."""
REDIS = os.environ.get("FADEN_TEST_REDIS_URL") or "redis://127.0.0.1:6379"
"""A Redis of whose numbered databases each test process takes an empty one."""
OURS = "faden_test_"
RESTING = 2
"""Databases that rest before one of them is used again: its last connections need a moment to end."""

_numbers = itertools.count(1)
T = TypeVar("T")


class Source(Protocol):
    """Where the database of a test comes from."""

    def fill(self, settle: Callable[[], T]) -> T:
        """Make the template: migrated, and with what `settle` writes into it."""

    def fresh(self, settings: config.Settings) -> None:
        """Put the template's tables and rows where these settings say, whatever was there."""

    def done(self, settings: config.Settings) -> None:
        """Take back what `fresh` has made."""

    def close(self) -> None:
        """Leave nothing behind."""


def url(data: Path) -> str:
    """Return an address that no other test has; `Source.fresh` makes the database of it."""
    if KIND == "sqlite":
        return f"sqlite:///{data / 'faden.db'}"
    return _on_server(f"{OURS}{os.getpid()}_{next(_numbers)}")


def environment(settings: config.Settings) -> dict[str, str]:
    """Return what a process needs in its environment to work on the same data."""
    return {
        "FADEN_DATA": str(settings.data),
        "FADEN_DATABASE_URL": settings.database_url,
        "FADEN_QUEUE_URL": settings.queue_url,
        "FADEN_SECRET_KEY": settings.secret_key,
    }


def source(folder: Path) -> Source:
    """Return the source of the kind that this run is about; `folder` is for its files."""
    if KIND not in ("sqlite", "postgresql"):
        raise ValueError(f"FADEN_TEST_DATABASE is sqlite or postgresql, not {KIND}")
    return Sqlite(folder / "faden.db") if KIND == "sqlite" else Postgres()


def _filled(address: str, settle: Callable[[], T]) -> T:
    db.connect(address)
    migrate.up()
    with db.database.connection_context():
        made = settle()
        if db.is_sqlite():
            db.database.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    db.database.close_all()
    return made


class Sqlite:
    """A file that is copied."""

    def __init__(self, template: Path) -> None:
        self.template = template

    def fill(self, settle: Callable[[], T]) -> T:
        return _filled(f"sqlite:///{self.template}", settle)

    def fresh(self, settings: config.Settings) -> None:
        path = Path(settings.database_url.removeprefix("sqlite:///"))
        for old in path.parent.glob(f"{path.name}*"):
            old.unlink()
        shutil.copy(self.template, path)

    def done(self, settings: config.Settings) -> None:
        pass

    def close(self) -> None:
        pass


class Postgres:
    """Databases of one server; each remembers its first rows in a schema of its own, `pristine`."""

    def __init__(self) -> None:
        self.server = psycopg.connect(POSTGRES, autocommit=True)
        self.server.execute("SET synchronous_commit = off")
        _drop_orphans(self.server)
        self.template = f"{OURS}{os.getpid()}_template"
        self.free: list[str] = []
        self.used: set[str] = set()

    def fill(self, settle: Callable[[], T]) -> T:
        self._run("CREATE DATABASE {}", self.template)
        self.used.add(self.template)
        made = _filled(_on_server(self.template), settle)
        with psycopg.connect(_on_server(self.template), autocommit=True) as own:
            _remember_rows(own)
        return made

    def fresh(self, settings: config.Settings) -> None:
        name = _name(settings.database_url)
        if name in self.used:
            self._end_connections(name)
        elif len(self.free) > RESTING:
            self._end_connections(self.free[0])
            self._run("ALTER DATABASE {} RENAME TO {}", self.free.pop(0), name)
        else:
            self._run("CREATE DATABASE {} TEMPLATE {}", name, self.template)
            # A test's processes are killed, its server is not.
            self._run("ALTER DATABASE {} SET synchronous_commit = off", name)
        self.used.add(name)
        with psycopg.connect(settings.database_url, autocommit=True) as own:
            own.execute("SELECT pristine.reset()")

    def done(self, settings: config.Settings) -> None:
        name = _name(settings.database_url)
        if name in self.used:
            self._end_connections(name)
            self.used.remove(name)
            self.free.append(name)

    def close(self) -> None:
        for name in [*self.free, *self.used]:
            self._run("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)
        self.server.close()

    def _run(self, statement: str, *names: str) -> None:
        self.server.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    def _end_connections(self, name: str) -> None:
        self.server.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,)
        )


def _remember_rows(own: psycopg.Connection) -> None:
    """Copy every row into the schema `pristine` and write a function there that puts them back.

    It only looks into a table where neither has rows. Tables that a test has added are dropped.
    """
    own.execute("CREATE SCHEMA pristine")
    tables = [row[0] for row in own.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
    steps = []
    for table in tables:
        own.execute(
            sql.SQL("CREATE TABLE pristine.{0} AS TABLE public.{0}").format(sql.Identifier(table)),
        )
        steps.append(
            f'IF EXISTS (SELECT FROM public."{table}") THEN DELETE FROM public."{table}"; END IF;'
            f'IF EXISTS (SELECT FROM pristine."{table}") THEN'
            f'  INSERT INTO public."{table}" SELECT * FROM pristine."{table}"; END IF;'
        )
    for name, last in own.execute("SELECT sequencename, last_value FROM pg_sequences").fetchall():
        steps.append(f"PERFORM setval('public.\"{name}\"', {last or 1}, {str(last is not None).lower()});")
    own.execute(
        "CREATE FUNCTION pristine.reset() RETURNS void LANGUAGE plpgsql AS $do$ DECLARE added text; BEGIN"
        # No foreign key is checked and no row is deleted by a cascade while everything is put back.
        " SET LOCAL session_replication_role = replica;"
        " FOR added IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename NOT IN"
        "   (SELECT tablename FROM pg_tables WHERE schemaname = 'pristine')"
        " LOOP EXECUTE format('DROP TABLE public.%I CASCADE', added); END LOOP;"
        f" {' '.join(steps)} END $do$".encode()
    )


def _drop_orphans(server: psycopg.Connection) -> None:
    """Drop what test processes of this machine that were killed have left behind."""
    if urlsplit(POSTGRES).hostname not in ("127.0.0.1", "::1", "localhost"):
        return
    rows = server.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", (OURS,))
    for (name,) in rows.fetchall():
        pid = name.removeprefix(OURS).partition("_")[0]
        if pid.isdigit() and not Path(f"/proc/{pid}").exists():
            server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def empty() -> Iterator[str]:
    """Give the address of an empty PostgreSQL database, whatever this run is about; dropped at the end."""
    name = f"{OURS}{os.getpid()}_empty_{next(_numbers)}"
    with psycopg.connect(POSTGRES, autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield _on_server(name)
        finally:
            server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def redis() -> Iterator[str]:
    """Give an empty numbered database of the Redis server, which no other test process has; emptied at the end."""
    for number in range(15, 0, -1):
        address = f"{REDIS}/{number}"
        with Redis.from_url(address) as server:
            server.ping()
            if server.set(OURS, os.getpid(), nx=True, ex=900) and server.dbsize() == 1:
                try:
                    yield address
                finally:
                    server.flushdb()
                return
    raise RuntimeError(f"every database of {REDIS} is in use")


def missing() -> str:
    """Return why nothing can be tested on PostgreSQL, in one line; empty where a server answers."""
    try:
        psycopg.connect(POSTGRES, connect_timeout=5).close()
    except psycopg.Error as error:
        return f"No server answers at {_name_of_server()}: {str(error).splitlines()[0]}"
    return ""


def _name_of_server() -> str:
    parts = urlsplit(POSTGRES)
    return f"{parts.hostname}:{parts.port or 5432}"


def _on_server(name: str) -> str:
    return urlunsplit(urlsplit(POSTGRES)._replace(path=f"/{name}"))


def _name(address: str) -> str:
    return urlsplit(address).path.lstrip("/")


if __name__ == "__main__":
    print(found := missing())
    raise SystemExit(1 if found else 0)
