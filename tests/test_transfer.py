"""SQLite to PostgreSQL: every row arrives or none does, and the old database stays as it was."""

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from sms import clock, config, contacts, db, exchange, inbox, migrate, search, sending, transfer, worker
from sms.db import database
from sms.models import TABLES, Account, Change, Contact, Message, Usage
from sms.refusal import Impossible
from sms.transfer import copy_to
from tests.carrier_side import MARGARETHE, TORSTEN
from tests.database import empty

pytestmark = pytest.mark.sqlite
TRICKY = "Grüße 👋 \t\\N \\. {}; DROP TABLE message; -- 'x' \"y\" \u2028 Ende"


@pytest.fixture
def target() -> Iterator[str]:
    try:
        with empty() as url:
            yield url
    except psycopg.OperationalError:
        pytest.skip("no PostgreSQL server")


@pytest.fixture
def practice(app, account, other_account, anna) -> Account:
    """Something in most tables, with what is awkward to copy."""
    for number, name in ((MARGARETHE, "Margarethe Schößler"), (TORSTEN, "Torsten\0Brandt")):
        contact, talk = contacts.find_or_add(account, number, name)
        contacts.save(contact, "Margarethe Schößler", {"Kasse": "AOK", "Größe": "1,70"})
        sending.add_note(talk, "Ruft zurück", anna)
        sending.reply(talk, "Guten Tag", by=anna)
        inbox.save_draft(anna, talk, "reply", "angefangen")
    Message.update(text=TRICKY, data={"b": 1.0, "a": [None, True, "\0", 12345678901234567890]}).execute()
    Usage.insert(account=account, day=clock.now().date(), parts=3, calls=1).on_conflict_ignore().execute()
    # Ids of rows that are gone must not be given out again: the feed's are cursors.
    Change.insert(id=5000, account=account, kind="message", at=clock.now()).execute()
    return account


def digest(path: Path) -> str:
    database.close()
    database.close_all()
    return hashlib.sha256(path.read_bytes()).hexdigest()


def counted() -> dict[str, int]:
    return {table._meta.table_name: table.select().count() for table in TABLES}


def test_an_installation_goes_on_on_postgresql_as_it_was(practice, anna, settings: config.Settings, target):
    path = settings.data / "faden.db"
    before, held = counted(), digest(path)
    copied = copy_to(target)
    assert digest(path) == held
    assert {c.table: c.rows for c in copied}.items() >= before.items()
    assert {"search_index", *(history for history, _ in migrate.folders())} <= {c.table for c in copied}
    assert all(c.rows for c in copied if c.table in ("message", "contact", "draft", "usage", "search_index"))

    db.connect(target)
    with database.connection_context():
        exchange.connect(settings)
        assert counted() == before
        assert migrate.missing() == []
        assert {m.text for m in Message.select()} == {TRICKY}
        assert Message.select().first().data == {"b": 1.0, "a": [None, True, "", 12345678901234567890]}
        contact = Contact.select().order_by(Contact.id).first()
        assert contact.fields == {"Kasse": "AOK", "Größe": "1,70"}
        assert search.conversations_matching(practice.id, "schößler")
        newest = Message.select().order_by(Message.id.desc()).first()
        after = sending.send(practice, MARGARETHE, "Weiter geht es")
        assert after.id > newest.id
        assert Change.select().order_by(Change.id.desc()).first().id == 5001
    database.close_all()


def test_a_target_that_is_not_empty_is_refused_and_keeps_what_it_has(practice, target):
    copy_to(target)
    with pytest.raises(Impossible, match="not empty"):
        copy_to(target)
    db.connect(target)
    with database.connection_context():
        assert Account.select().count() == 2
    database.close_all()


def test_what_breaks_off_leaves_the_target_empty_so_that_it_can_be_done_again(practice, target, monkeypatch):
    real = transfer._canonical
    monkeypatch.setattr(transfer, "_canonical", lambda v, kind: id(v) if v == TRICKY else real(v, kind))
    with pytest.raises(Impossible, match="did not arrive as it was"):
        copy_to(target)
    monkeypatch.undo()
    assert sum(c.rows for c in copy_to(target)) > 20


def test_a_running_installation_is_not_copied_and_one_that_was_killed_is(practice, target):
    worker.beat("worker:here:1")
    with pytest.raises(Impossible, match=r"Faden is running \(worker:here:1\)"):
        copy_to(target)
    clock.shift(timedelta(minutes=1))
    assert copy_to(target)


@pytest.mark.parametrize("url", ["sqlite:////tmp/other.db", "mysql://x", "", "postgresql://127.0.0.1:1/x"])
def test_an_address_that_is_none_is_refused_in_one_line(practice, url):
    with pytest.raises(Impossible) as refused:
        copy_to(url)
    assert str(refused.value)
    with database.connection_context():
        assert db.is_sqlite()
        assert Account.select().count() == 2
