"""A backup is one file: the database as it was at one moment, the audio that it refers to, the secret key.

It is taken while Faden runs; nobody waits for it. A restore wants an empty place and says so where it is not.
"""

import json
import os
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from sms import config
from sms.clock import now
from sms.db import database, is_sqlite
from sms.queue import TABLES
from sms.refusal import Impossible

SQLITE, POSTGRES = "faden.db", "faden.pgdump"
KIND = {True: "SQLite", False: "PostgreSQL"}
MADE_UP = ("secret_key", "sandbox-account.json", "queue.db*")
"""What every start leaves in an empty FADEN_DATA."""


@dataclass(frozen=True)
class Contents:
    """What a backup holds: the moment it shows (RFC 3339), the kind of database, and how many audio files."""

    at: str
    database: str
    audio: int


def backup(settings: config.Settings, file: Path) -> Contents:
    """Write everything into a new file that only its owner can read; raises Impossible."""
    if file.exists():
        raise Impossible(f"{file} is there already.")
    if not file.parent.is_dir():
        raise Impossible(f"There is no folder {file.parent}.")
    with _beside(file) as folder:
        at = now().isoformat(timespec="seconds")
        dump = folder / (SQLITE if is_sqlite() else POSTGRES)
        (_dump_sqlite if is_sqlite() else _dump_postgres)(settings, dump)
        draft = folder / "backup.tar"
        # The audio after the database: whatever the rows refer to has been there by then.
        contents = _pack(draft, dump, settings, at)
        os.replace(draft, file)
    return contents


def restore(settings: config.Settings, file: Path) -> Contents:
    """Put a backup into the empty place of these settings; raises Impossible and leaves it as empty as it was."""
    try:
        return _restored(settings, file)
    except Impossible:
        if settings.fresh:
            _forget_the_start(settings.data)
        raise


def _forget_the_start(data: Path) -> None:
    """Remove what this start has made up in an empty folder, unless anything else has come to be there since."""
    made = [path for pattern in MADE_UP for path in data.glob(pattern)]
    if set(made) == set(data.iterdir()):
        for path in made:
            path.unlink(missing_ok=True)


def _restored(settings: config.Settings, file: Path) -> Contents:
    try:
        with _beside(settings.data / "restore") as folder, tarfile.open(file) as archive:
            contents = Contents(**json.loads(_text(archive, "contents.json")))
            if contents.database != KIND[is_sqlite()]:
                raise Impossible(
                    f"This is a backup of {contents.database}, and FADEN_DATABASE_URL means {KIND[is_sqlite()]}."
                )
            archive.extractall(folder, filter="data")
            (_restore_sqlite if is_sqlite() else _restore_postgres)(settings, folder)
            _put_back(settings, folder)
    except (OSError, tarfile.TarError, KeyError, ValueError) as error:
        raise Impossible(f"{file} cannot be restored: {str(error).partition(chr(10))[0]}") from None
    return contents


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """A folder on the same disk that only its owner can look into."""
    with tempfile.TemporaryDirectory(prefix=".faden-", dir=path.parent) as made:
        yield Path(made)


def _dump_sqlite(settings: config.Settings, dump: Path) -> None:
    # One reading transaction: the state of one moment, while others write. What was deleted is not in it.
    with closing(sqlite3.connect(database.obj.database)) as source:
        source.execute("VACUUM INTO ?", (str(dump),))


def _restore_sqlite(settings: config.Settings, folder: Path) -> None:
    path = Path(database.obj.database)
    if path.exists() and path.stat().st_size:
        raise Impossible(
            f"There is a database already: {path}. Restore into another FADEN_DATA, or move it away."
        )
    with closing(sqlite3.connect(folder / SQLITE)) as found:
        if found.execute("PRAGMA integrity_check").fetchone() != ("ok",):
            raise Impossible("The database in this backup is damaged.")
    for left in ("-wal", "-shm"):  # of a database that is gone: they would be taken for this one's
        path.with_name(path.name + left).unlink(missing_ok=True)
    os.replace(folder / SQLITE, path)


def _dump_postgres(settings: config.Settings, dump: Path) -> None:
    excluded = [f"--exclude-table={name}*" for name in TABLES]
    _run("pg_dump", settings, "--format=custom", f"--file={dump}", *excluded)


def _restore_postgres(settings: config.Settings, folder: Path) -> None:
    with database.connection_context():
        if tables := [t for t in database.get_tables() if not t.startswith(TABLES)]:
            raise Impossible(f"The database is not empty: there is a table {tables[0]}. Give it a new one.")
    _run("pg_restore", settings, "--exit-on-error", "--single-transaction", str(folder / POSTGRES))


def _run(program: str, settings: config.Settings, *words: str) -> None:
    """Run one of PostgreSQL's programs; the password goes by the environment, which only the owner can read."""
    if shutil.which(program) is None:
        raise Impossible(f"{program} is not installed; it is in PostgreSQL's client package.")
    parts = urlsplit(settings.database_url)
    where = urlunsplit(parts._replace(netloc=parts.netloc.replace(f":{parts.password}@", "@")))
    environ = {**os.environ, **({"PGPASSWORD": unquote(parts.password)} if parts.password else {})}
    command = [program, "--no-owner", "--no-privileges", f"--dbname={where}", *words]
    done = subprocess.run(command, env=environ, capture_output=True, text=True)
    if done.returncode:
        raise Impossible(f"{program}: {done.stderr.strip().splitlines()[-1]}")


def _pack(draft: Path, dump: Path, settings: config.Settings, at: str) -> Contents:
    with open(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as out:
        with tarfile.open(fileobj=out, mode="w") as archive:
            archive.add(dump, dump.name)
            dump.unlink()
            found = _pack_audio(archive, settings.audio)
            if "FADEN_SECRET_KEY" not in settings.environ:
                archive.add(settings.data / "secret_key", "secret_key")
            contents = Contents(at, KIND[is_sqlite()], found)
            note = draft.with_name("contents.json")
            note.write_text(json.dumps(vars(contents)))
            archive.add(note, note.name)
        out.flush()
        os.fsync(out.fileno())
    return contents


def _pack_audio(archive: tarfile.TarFile, audio: Path) -> int:
    found = 0
    for path in sorted(audio.rglob("*")):
        if path.is_file():
            try:
                archive.add(path, f"audio/{path.relative_to(audio)}")
                found += 1
            except FileNotFoundError:  # tidied away meanwhile, as nothing referred to it any more
                continue
    return found


def _text(archive: tarfile.TarFile, name: str) -> bytes:
    found = archive.extractfile(name)
    assert found is not None
    return found.read()


def _put_back(settings: config.Settings, folder: Path) -> None:
    for path in sorted((folder / "audio").rglob("*")):
        if path.is_file():
            place = settings.audio / path.relative_to(folder / "audio")
            place.parent.mkdir(parents=True, exist_ok=True)
            os.replace(path, place)
    if (folder / "secret_key").exists():
        # In place of the one that was made up for the empty installation.
        os.replace(folder / "secret_key", settings.data / "secret_key")
