"""The migrations bring every table and every index that the models declare."""

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from peewee import IntegrityError

from sms import contacts, migrate
from sms.clock import now
from sms.db import database
from sms.models import TABLES, Message
from tests.database import KIND, empty

ROOT = Path(__file__).parent.parent


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


def test_the_migrations_end_where_the_tables_are(database_file):
    """0001 is frozen, so a column that a table gains needs a migration: installations have the old one."""
    for table in TABLES:
        declared = set(table._meta.columns)
        there = {column.name for column in database.get_columns(table._meta.table_name)}
        assert there == declared, table


def test_a_message_is_found_by_its_carriers_reference_along_the_index(database_file):
    if KIND != "sqlite":
        return  # PostgreSQL plans by what the tables hold
    for condition in ("= 'x'", "IN (SELECT value FROM json_each('[]'))"):
        sql = f"SELECT id FROM message WHERE carrier = 'c' AND direction = 'outgoing' AND carrier_reference {condition}"
        plan = " ".join(row[3] for row in database.execute_sql(f"EXPLAIN QUERY PLAN {sql}").fetchall())
        assert "message_reference" in plan, plan


def test_a_carriers_reference_names_one_message(database_file, account):
    talk = contacts.find_or_add(account, "+491713920042")[1]
    own = {"account": account, "conversation": talk, "channel": "sms", "status": "sent", "carrier": "c"}
    for reference in (None, None, "SM1"):
        Message.create(direction="outgoing", carrier_reference=reference, created_at=now(), at=now(), **own)
    with pytest.raises(IntegrityError), database.atomic():
        Message.create(direction="outgoing", carrier_reference="SM1", created_at=now(), at=now(), **own)


PROGRAM = """
import sys
from sms import db, migrate
db.connect(sys.argv[1])
print(len(migrate.up()))
"""


@pytest.mark.both
def test_processes_that_start_at_once_migrate_once(tmp_path):
    with ExitStack() as ending:
        url = f"sqlite:///{tmp_path / 'faden.db'}" if KIND == "sqlite" else ending.enter_context(empty())
        command = [sys.executable, "-c", PROGRAM, url]
        started = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(4)]
        said = [process.communicate(timeout=60)[0] for process in started]
        assert [process.returncode for process in started] == [0] * 4
        assert len([number for number in said if int(number)]) == 1
