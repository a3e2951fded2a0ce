"""Indexes by which a list, its counts and what is to be checked cost the same at any size."""

from typing import Any

from peewee import Database, SqliteDatabase

WAITING = "status = 'open' AND preview_kind IN ('in', 'voicemail', 'callback', 'call')"
INDEXES = (
    f"conversation_waiting ON conversation (account_id, assignee_id, status, last_activity_at, id)"
    f" WHERE {WAITING}",
    "conversation_unread ON conversation (account_id, status, last_activity_at DESC, id DESC, incoming)"
    " WHERE status = 'open' AND incoming > 0",
    "conversation_failed ON conversation (account_id, last_activity_at DESC, id DESC) WHERE failed",
    "message_unknown ON message (account_id, id) WHERE status = 'unknown'",
    "message_held ON message (account_id, id) WHERE status = 'scheduled' AND next_at IS NULL",
)
# PostgreSQL would look for a frequent word among all messages to find that no contact is called so.
CONTACTS = "search_index_contacts ON search_index USING gin (body gin_trgm_ops) WHERE rowid < 0"


def up(migrator: Any, db: Database) -> None:
    """Add them; the rows stay as they are."""
    for index in INDEXES if isinstance(db, SqliteDatabase) else (*INDEXES, CONTACTS):
        db.execute_sql(f"CREATE INDEX IF NOT EXISTS {index}")
