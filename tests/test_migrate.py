"""The migrations bring every table and every index that the models declare."""

from sms import migrate
from sms.db import database
from sms.models import TABLES


def test_a_new_database_lacks_nothing(database_file):
    assert migrate.missing() == []
    assert migrate.up() == []


def test_every_declared_index_is_there(database_file):
    """An index whose name exists already is silently left out: two of the same columns need two names."""
    for table in TABLES:
        declared = [index._name for index in table._meta.fields_to_index()]
        there = {index.name for index in database.get_indexes(table._meta.table_name)}
        assert len(declared) == len(set(declared)), table
        assert set(declared) <= there, table
