"""The first tables, and the full-text indexes that search stands on."""

from typing import Any

from peewee import Database

from sms.models import TABLES
from sms.search import create_indexes


def up(migrator: Any, db: Database) -> None:
    """Create every table of the first release."""
    db.create_tables(TABLES, safe=True)
    create_indexes(db)
