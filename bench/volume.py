"""A practice of any size, made by bulk inserts: what lists, threads and search are measured against."""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from peewee import Model

from sms import accounts, search
from sms.clock import now
from sms.db import database, is_sqlite, to_ms
from sms.models import Account, Contact, ContactNumber, Conversation, Label, Labelling, Message, Reading, User

AT_ONCE = 20_000
LONG_THREADS, LONG = 20, 120
"""So many threads have so many messages whatever the size, so that the same page is compared with itself."""

FIRST = [
    "Anna",
    "Jonas",
    "Margarethe",
    "Torsten",
    "Ilse",
    "Mehmet",
    "Sofia",
    "Lukas",
    "Emma",
    "Piotr",
    "Aylin",
    "Hannes",
    "Greta",
    "Karl",
    "Nadja",
    "Ole",
]
LAST = [
    "Schmidt",
    "Krüger",
    "Schößler",
    "Yılmaz",
    "Brandt",
    "Lindner",
    "Weber",
    "Nowak",
    "Öztürk",
    "Baumann",
    "Fischer",
    "Groß",
    "Jäger",
    "Thiele",
]
TEXTS = (
    "Guten Tag {name}, Ihr Termin am {day}. um {hour}:30 Uhr ist bestätigt. Praxis Dr. Lindner",
    "Können wir den Termin auf {hour}:00 Uhr verschieben? Danke!",
    "Ihr Rezept liegt ab {hour} Uhr am Empfang bereit, Nummer {day}{hour}.",
    "Ja, das passt mir gut.",
    "Bitte denken Sie an Ihre Versichertenkarte und den Überweisungsschein, {name}.",
    "Ich verspäte mich um {day} Minuten, der Bus fährt nicht.",
    "Die Befunde sind da. Bitte rufen Sie uns zwischen {hour} und 17 Uhr zurück.",
    "Nein, leider nicht. Geht auch der {day}.?",
    "Herzlichen Dank und schöne Grüße",
)


@dataclass(frozen=True)
class Volume:
    """What was made: the account, who looks at it, and a thread that has the same length at every size."""

    account: int
    user: int
    thread: int
    conversations: int
    messages: int


def fill(messages: int, conversations: int) -> Volume:
    """Fill an empty, migrated database; every tenth conversation or so holds what makes a list interesting."""
    dice = random.Random(messages)  # noqa: S311 - pretend data, no secrets
    account = accounts.add_account("Praxis Dr. Lindner")
    users = [accounts.add_user(account, f"agent{n}@bench.example", f"{FIRST[n]} {LAST[n]}") for n in range(6)]
    User.update(role="owner").where(User.id == users[0].id).execute()
    labels = [Label.create(account=account, name=f"Label {n}", dye=n % 4 + 1) for n in range(4)]
    lengths = _lengths(messages, conversations)
    with database.atomic():
        _store(Contact, ({"id": n, **_contact(account, n)} for n in range(1, conversations + 1)))
        _store(ContactNumber, _numbers(account, conversations))
        _store(Conversation, _conversations(account, users, lengths, dice))
        _store(Reading, _readings(users, lengths, dice))
        _store(Labelling, _labellings(labels, conversations, dice))
        _store(Message, _messages(account, users, lengths))
    _index(account, conversations, lengths)
    _settle()
    return Volume(account.id, users[0].id, 1, conversations, messages)


def _lengths(messages: int, conversations: int) -> list[int]:
    """Return how many messages each conversation has: the first few have LONG, the others share the rest."""
    rest, others = messages - LONG * LONG_THREADS, conversations - LONG_THREADS
    each, more = divmod(rest, others)
    return [LONG] * LONG_THREADS + [each + 1] * more + [each] * (others - more)


def _number(n: int) -> str:
    return f"+4917{n * 387_420_489 % 10**9:09d}"  # each another one, spread over all there are


def _name(n: int) -> str:
    return f"{FIRST[n % len(FIRST)]} {LAST[n * 5 % len(LAST)]}{'' if n % 3 else f' {n}'}"


def _contact(account: Account, n: int) -> dict[str, Any]:
    return {
        "account": account.id,
        "number": _number(n),
        "name": _name(n),
        "fields": "{}",
        "created_at": to_ms(now()),
    }


def _numbers(account: Account, conversations: int) -> Iterator[dict[str, Any]]:
    for n in range(1, conversations + 1):
        yield {
            "id": n,
            "account": account.id,
            "contact": n,
            "number": _number(n),
            "kind": "mobile",
            "region": "DE",
        }


def _conversations(
    account: Account, users: list[User], lengths: list[int], dice: random.Random
) -> Iterator[dict[str, Any]]:
    begun, written = to_ms(now() - timedelta(days=400)), 0
    for n, length in enumerate(lengths, 1):
        written += length
        status = dice.choices(("open", "closed", "pending", "snoozed"), (30, 60, 5, 5))[0]
        yield {
            "id": n, "account": account.id, "contact": n, "status": status,
            "assignee": dice.choice([None, None, *(u.id for u in users)]),
            "snoozed_until": to_ms(now() + timedelta(days=9)) if status == "snoozed" else None,
            "incoming": _came_in(written, length), "seen": _came_in(written, length), "failed": dice.random() < 0.01,
            "preview": _text(written, n)[:160], "preview_kind": "out" if written % 2 else "in",
            "last_message": written, "last_outgoing": written if written % 2 else written - 1,
            "last_activity_at": to_ms(now()) - n * 61_000, "created_at": begun,
        }  # fmt: skip


def _came_in(last: int, length: int) -> int:
    """Return how many of a conversation's rows, of which `last` is the last, are even: those came in."""
    return last // 2 - (last - length) // 2


def _readings(users: list[User], lengths: list[int], dice: random.Random) -> Iterator[dict[str, Any]]:
    """The first agent has read four of five conversations, the others a few."""
    row, written = 0, 0
    for n, length in enumerate(lengths, 1):
        written += length
        for user in users[: 1 if n % 9 else 3]:
            row += 1
            seen = _came_in(written, length) if dice.random() < 0.8 else 0
            yield {"id": row, "user": user.id, "conversation": n, "seen": seen}


def _labellings(labels: list[Label], conversations: int, dice: random.Random) -> Iterator[dict[str, Any]]:
    for row, n in enumerate(range(1, conversations + 1, 4), 1):
        yield {"id": row, "conversation": n, "label": dice.choice(labels).id}


def _messages(account: Account, users: list[User], lengths: list[int]) -> Iterator[dict[str, Any]]:
    row, today = 0, to_ms(now())
    for n, length in enumerate(lengths, 1):
        last = today - n * 61_000
        for place in range(length):
            row += 1
            at = last - (length - 1 - place) * 3_600_000
            way = {"account": account.id, "conversation": n, "channel": "sms", "theirs": _number(n)}
            times = {"created_at": at, "at": at}
            text = {
                "id": row,
                "ours": "+491713920010",
                "text": _text(row, n),
                "encoding": "GSM-7",
                "parts": 1,
            }
            if row % 2:
                sent = {"carrier": "bench", "carrier_reference": f"SM{row:032d}", "key": f"k{row:021d}"}
                state = {"direction": "outgoing", "status": "delivered", "sent_at": at, "delivered_at": at}
                yield {**way, **times, **text, **sent, **state, "author": users[row % len(users)].id}
            else:
                came = {"carrier": "bench", "carrier_reference": f"IN{row:032d}"}
                yield {**way, **times, **text, **came, "direction": "incoming", "status": "received"}


def _text(row: int, n: int) -> str:
    return TEXTS[row % len(TEXTS)].format(name=_name(n), day=row % 28 + 1, hour=row % 9 + 8)


def _store(table: type[Model], rows: Iterable[dict[str, Any]]) -> None:
    """Insert rows in bulk; what a row does not name gets the table's default."""
    fields = list(table._meta.sorted_fields)
    usual = [f.default if not callable(f.default) else None for f in fields]
    columns = ", ".join(f'"{f.column_name}"' for f in fields)
    name = table._meta.table_name
    values = ([row.get(f.name, default) for f, default in zip(fields, usual, strict=True)] for row in rows)
    if is_sqlite():
        marks = ", ".join("?" * len(fields))
        database.obj.connection().executemany(f'INSERT INTO "{name}" ({columns}) VALUES ({marks})', values)
        return
    with database.obj.connection().cursor() as cursor:
        with cursor.copy(f'COPY "{name}" ({columns}) FROM STDIN') as copy:
            for row in values:
                copy.write_row(row)
        cursor.execute(
            f"SELECT setval(pg_get_serial_sequence('\"{name}\"', 'id'), (SELECT max(id) FROM \"{name}\"))"
        )


def _index(account: Account, conversations: int, lengths: list[int]) -> None:
    """Index what `search` would: folded words behind the account's own token."""
    owner, row = search._owner(account.id), 0

    def bodies() -> Iterator[tuple[int, str]]:
        nonlocal row
        for n in range(1, conversations + 1):
            number = _number(n)
            yield -n, f"{owner} {search._plain(_name(n))} {number[1:]} 0{number[3:]}"
        for n, length in enumerate(lengths, 1):
            for _ in range(length):
                row += 1
                yield row, f"{owner} {search._plain(_text(row, n))}"

    with database.atomic():
        if is_sqlite():
            sql = "INSERT INTO search_index (rowid, body) VALUES (?, ?)"
            database.obj.connection().executemany(sql, bodies())
            return
        with database.obj.connection().cursor() as cursor:
            cursor.execute("DROP INDEX search_index_body, search_index_contacts")
            with cursor.copy("COPY search_index (rowid, body) FROM STDIN") as copy:
                for body in bodies():
                    copy.write_row(body)
            words = "ON search_index USING gin (body gin_trgm_ops)"
            cursor.execute(f"CREATE INDEX search_index_body {words}")
            cursor.execute(f"CREATE INDEX search_index_contacts {words} WHERE rowid < 0")


def _settle() -> None:
    """Leave the database as it is after a while at rest: figures for the planner, and on SQLite an empty log."""
    if is_sqlite():
        database.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        return
    connection = database.obj.connection()
    connection.autocommit, before = True, connection.autocommit
    connection.execute("VACUUM ANALYZE")
    connection.autocommit = before
