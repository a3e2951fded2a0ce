"""The sandbox's memory: one SQLite file in FADEN_DATA, so that a restart forgets nothing."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Row = sqlite3.Row

SCHEMA = """
CREATE TABLE IF NOT EXISTS phone (
  number TEXT PRIMARY KEY,
  name TEXT NOT NULL DEFAULT '',
  state TEXT NOT NULL DEFAULT 'on',
  answer TEXT NOT NULL DEFAULT 'auto',
  reports TEXT NOT NULL DEFAULT 'normal',
  digits TEXT NOT NULL DEFAULT '',
  speech TEXT NOT NULL DEFAULT '',
  machine INTEGER NOT NULL DEFAULT 0,
  blocks INTEGER NOT NULL DEFAULT 0,
  on_page INTEGER NOT NULL DEFAULT 0,
  thread TEXT NOT NULL DEFAULT '',
  created_at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS message (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  sid TEXT NOT NULL UNIQUE,
  direction TEXT NOT NULL,
  phone TEXT NOT NULL,
  sender TEXT NOT NULL,
  recipient TEXT NOT NULL,
  body TEXT NOT NULL,
  parts INTEGER NOT NULL,
  status TEXT NOT NULL,
  error INTEGER,
  callback TEXT,
  created_at REAL NOT NULL,
  updated_at REAL NOT NULL,
  sent_at REAL,
  arrived_at REAL
);
CREATE INDEX IF NOT EXISTS message_phone ON message (phone, id);
CREATE TABLE IF NOT EXISTS call (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  sid TEXT NOT NULL UNIQUE,
  direction TEXT NOT NULL,
  phone TEXT NOT NULL,
  caller TEXT NOT NULL,
  called TEXT NOT NULL,
  status TEXT NOT NULL,
  settings TEXT NOT NULL,
  sequence INTEGER NOT NULL DEFAULT 0,
  answered_by TEXT,
  digits TEXT NOT NULL DEFAULT '',
  errors TEXT NOT NULL DEFAULT '[]',
  records INTEGER NOT NULL DEFAULT 0,
  created_at REAL NOT NULL,
  updated_at REAL NOT NULL,
  rings_since REAL,
  answered_at REAL,
  ended_at REAL,
  seconds REAL NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS call_phone ON call (phone, id);
CREATE INDEX IF NOT EXISTS call_open ON call (status) WHERE ended_at IS NULL;
CREATE TABLE IF NOT EXISTS heard (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  call TEXT NOT NULL,
  kind TEXT NOT NULL,
  url TEXT,
  text TEXT,
  media TEXT,
  seconds REAL NOT NULL,
  at REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS heard_call ON heard (call, id);
CREATE TABLE IF NOT EXISTS recording (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  sid TEXT NOT NULL UNIQUE,
  call TEXT NOT NULL,
  seconds REAL NOT NULL,
  wav BLOB NOT NULL,
  created_at REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS recording_call ON recording (call, id);
CREATE TABLE IF NOT EXISTS job (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  due REAL NOT NULL,
  kind TEXT NOT NULL,
  payload TEXT NOT NULL,
  lane TEXT
);
CREATE INDEX IF NOT EXISTS job_due ON job (due, id);
CREATE INDEX IF NOT EXISTS job_lane ON job (lane, id) WHERE lane IS NOT NULL;
CREATE TABLE IF NOT EXISTS fault (kind TEXT PRIMARY KEY, mode TEXT NOT NULL, remaining INTEGER);
CREATE TABLE IF NOT EXISTS event (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at REAL NOT NULL,
  number TEXT NOT NULL,
  kind TEXT NOT NULL,
  details TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS note (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""

TABLES = ("phone", "message", "call", "heard", "recording", "job", "fault", "event")


class Store:
    """One connection behind one lock: a pretend network is small, and nothing here waits while holding it."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._depth = 0
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.executescript(SCHEMA)
        self._add_missing_columns()

    def _add_missing_columns(self) -> None:
        """Bring a file of an earlier version up to date: columns are only ever added, with a default."""
        wanted = sqlite3.connect(":memory:")
        wanted.executescript(SCHEMA)
        for table in TABLES:
            present = {row["name"] for row in self._connection.execute(f"PRAGMA table_info({table})")}
            for _, name, kind, required, default, _ in wanted.execute(f"PRAGMA table_info({table})"):
                if name not in present:
                    rule = f"NOT NULL DEFAULT {default}" if required else ""
                    self._connection.execute(f"ALTER TABLE {table} ADD COLUMN {name} {kind} {rule}")
        wanted.close()

    def rows(self, sql: str, *values: Any) -> list[Row]:
        """Return all rows of a query."""
        with self._lock:
            return self._connection.execute(sql, values).fetchall()

    def row(self, sql: str, *values: Any) -> Row | None:
        """Return the first row of a query, or None."""
        with self._lock:
            found: Row | None = self._connection.execute(sql, values).fetchone()
            return found

    def run(self, sql: str, *values: Any) -> int:
        """Execute a statement and return the number of rows it changed."""
        with self._lock:
            return self._connection.execute(sql, values).rowcount

    def insert(self, table: str, **values: Any) -> int:
        """Insert a row and return its id."""
        columns, marks = ", ".join(values), ", ".join("?" * len(values))
        with self._lock:
            sql = f"INSERT INTO {table} ({columns}) VALUES ({marks})"
            return self._connection.execute(sql, tuple(values.values())).lastrowid or 0

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; nested blocks join the outermost one."""
        with self._lock:
            if self._depth:
                yield
                return
            self._connection.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            else:
                self._connection.execute("COMMIT")
            finally:
                self._depth -= 1

    def empty(self) -> None:
        """Forget every row of every table but the notes."""
        with self.transaction():
            for table in TABLES:
                self.run(f"DELETE FROM {table}")

    def close(self) -> None:
        """Close the file; the store cannot be used afterwards."""
        with self._lock:
            self._connection.close()
