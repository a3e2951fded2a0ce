"""A backup taken while messages are being written, put back into an empty place: whole and readable."""

import os
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sms import backup, config, contacts, db, exchange, migrate, sending
from sms.db import database
from sms.models import Account, Change, Conversation, Message
from sms.refusal import Impossible
from tests.carrier_side import MARGARETHE
from tests.database import KIND, empty, environment

ROOT = Path(__file__).parent.parent


@pytest.fixture
def elsewhere(settings: config.Settings, tmp_path: Path) -> Iterator[config.Settings]:
    """An installation in which nothing is yet."""
    data = tmp_path / "elsewhere"
    data.mkdir()
    if KIND == "sqlite":
        yield replace(settings, data=data, database_url=f"sqlite:///{data / 'faden.db'}")
    else:
        with empty() as url:
            yield replace(settings, data=data, database_url=url)
            database.close_all()


@pytest.fixture
def talk(app, account, settings) -> Conversation:
    sound = settings.audio / "ab" / "ab12.wav"
    sound.parent.mkdir(parents=True)
    sound.write_bytes(b"RIFF")
    (settings.data / "secret_key").write_text("kept for the sessions")
    return contacts.find_or_add(account, MARGARETHE, "Margarethe Schößler")[1]


class Writers:
    """Threads that write notes, each with its change in one transaction, until told to stop."""

    def __init__(self, talk: Conversation, anna, threads: int = 3) -> None:
        self.stop = threading.Event()
        self.wrote = [0] * threads
        self.threads = [threading.Thread(target=self._write, args=(n, talk, anna)) for n in range(threads)]

    def _write(self, place: int, talk: Conversation, anna) -> None:
        while not self.stop.is_set():
            with database.connection_context():
                sending.add_note(talk, f"Notiz {place}.{self.wrote[place]}", anna)
            self.wrote[place] += 1

    def __enter__(self) -> "Writers":
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop.set()
        for thread in self.threads:
            thread.join()


def test_a_backup_while_messages_are_written_is_whole_and_hinders_nobody(
    talk, anna, settings, elsewhere, tmp_path
):
    file = tmp_path / "backup.tar"
    with Writers(talk, anna) as writers:
        while min(writers.wrote) < 5:
            pass
        before = Message.select().count()
        found = backup.backup(replace(settings, environ={}), file)
        at_end = list(writers.wrote)
        while min(writers.wrote) < max(at_end) + 3:  # nobody was left behind
            pass
    assert file.stat().st_mode & 0o077 == 0
    assert found.audio == 1
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".faden")] == []
    db.connect(elsewhere.database_url)
    backup.restore(elsewhere, file)
    with database.connection_context():
        assert migrate.missing() == []
        notes = Message.select().count()
        assert before <= notes <= sum(at_end) + 3
        # One transaction each: both halves are there, for every one.
        assert Change.select().where(Change.kind == "message").count() == notes
        texts = {m.text for m in Message.select()}
        assert all(f"Notiz 0.{n}" in texts for n in range(5))
        exchange.connect(elsewhere)
        account = Account.get()
        assert sending.send(account, MARGARETHE, "Und weiter").id
    assert (elsewhere.audio / "ab" / "ab12.wav").read_bytes() == b"RIFF"
    assert (elsewhere.data / "secret_key").read_text() == "kept for the sessions"


def test_a_place_that_is_not_empty_is_not_restored_into(talk, settings, tmp_path):
    file = tmp_path / "backup.tar"
    backup.backup(settings, file)
    with pytest.raises(Impossible, match="already|not empty"):
        backup.restore(settings, file)
    with pytest.raises(Impossible, match="there already"):
        backup.backup(settings, file)
    database.connect(reuse_if_open=True)
    assert Conversation.get_by_id(talk.id)


def test_what_is_no_backup_is_refused_in_one_line(app, elsewhere, tmp_path):
    file = tmp_path / "backup.tar"
    db.connect(elsewhere.database_url)
    for content in (b"", b"nonsense" * 100):
        file.write_bytes(content)
        with pytest.raises(Impossible, match="cannot be restored"):
            backup.restore(elsewhere, file)
    evil = tmp_path / "evil.tar"
    with tarfile.open(evil, "w") as archive:
        archive.add(__file__, "../../outside.py")
    with pytest.raises(Impossible):
        backup.restore(elsewhere, evil)
    assert not (tmp_path / "outside.py").exists()


def test_a_refused_restore_leaves_the_place_as_empty_as_it_was(settings, elsewhere, tmp_path):
    file = tmp_path / "backup.tar"
    file.write_bytes(b"nonsense" * 100)
    refused = command(elsewhere, "restore", str(file))
    assert refused.returncode == 2
    assert len(refused.stderr.splitlines()) == 1
    assert list(elsewhere.data.iterdir()) == []


def test_a_refused_restore_touches_nothing_of_an_installation_that_is_there(settings, elsewhere, tmp_path):
    file = tmp_path / "backup.tar"
    file.write_bytes(b"nonsense" * 100)
    (elsewhere.data / "secret_key").write_text("whoever is signed in stays so")
    assert command(elsewhere, "restore", str(file)).returncode == 2
    assert (elsewhere.data / "secret_key").read_text() == "whoever is signed in stays so"


def command(where: config.Settings, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the database in a process of its own, as whoever looks after the installation does."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("FADEN_")}
    own = {k: v for k, v in environment(where).items() if k != "FADEN_SECRET_KEY"}
    program = [sys.executable, "-m", "flask", "--app", "app", "db", *words]
    return subprocess.run(program, cwd=ROOT, env={**clean, **own}, capture_output=True, text=True, timeout=60)


def test_the_commands_do_it_and_say_so(talk, settings, elsewhere, tmp_path):
    file = str(tmp_path / "backup.tar")
    made = command(settings, "backup", file)
    assert (made.returncode, made.stderr) == (0, "")
    assert "and 1 audio files as of" in made.stdout
    put = command(elsewhere, "restore", file)
    assert (put.returncode, put.stderr) == (0, "")
    again = command(elsewhere, "restore", file)
    assert again.returncode == 2
    assert again.stderr.startswith("Error: ")
    assert (elsewhere.data / "secret_key").read_text() == "kept for the sessions"
    db.connect(elsewhere.database_url)
    with database.connection_context():
        assert Conversation.get_by_id(talk.id)
