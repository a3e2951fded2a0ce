"""The module's own migrations end where its tables are, on whichever database the tests run."""

from sms.db import database
from sms.modules.survey.models import TABLES


def test_the_migrations_bring_every_column_and_index_of_the_tables(database_file):
    for table in TABLES:
        declared = set(table._meta.columns)
        assert {column.name for column in database.get_columns(table._meta.table_name)} == declared, table
        names = [index._name for index in table._meta.fields_to_index()]
        there = {index.name for index in database.get_indexes(table._meta.table_name)}
        assert len(names) == len(set(names)), table
        assert set(names) <= there, table
