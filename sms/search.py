"""Search over all messages and contacts of an account: folded trigrams, so that "termin" finds "Terminbestätigung"."""

import re
import time
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from peewee import Expression, ModelSelect

from sms import statements
from sms.db import database, is_sqlite
from sms.gsm import msisdn
from sms.gsm.fold import fold
from sms.models import Contact, Conversation, Message, Unindexed

SHORTEST = 3
"""A trigram index cannot see shorter words; those are looked for in the rows that the longer ones leave."""
READ_FOR_SHORT = 2_000
"""Where every word is shorter, so many of the account's newest messages, and of its newest contacts, are read."""
MOST_WORDS = 8
LOT = 100
"""Rows that are indexed in one transaction: some 10 ms of SQLite's write lock."""
SWEEP_SECONDS, PAUSE_SECONDS = 0.5, 0.01
LONGEST_PART = 9
"""More digits than this are a whole number, which is looked for in its one international spelling."""


def _owner(account_id: int) -> str:
    """A token of the account inside the indexed text: without it, another account's frequent word costs 62-92 ms.

    In private-use characters, which nobody types and `_plain` drops: else "000" would find every row.
    """
    return "\ue00a" + "".join(chr(0xE000 + int(digit)) for digit in f"{account_id:06d}") + "\ue00a"


def _plain(text: str) -> str:
    """Return a text as it is indexed and looked for: folded, without NUL and private-use characters."""
    return "".join(c for c in fold(text) if c != "\0" and not "\ue000" <= c <= "\uf8ff")


def note(rows: Iterable[int]) -> None:
    """Note rows (message ids, minus contact ids) for the index, in the transaction that stores them.

    Taking a text apart costs more than storing it, so the worker does it a moment later (`catch_up`).
    """
    statements.insert_values(Unindexed, ["entry"], [(row,) for row in rows])


def note_again(rows: Iterable[int]) -> None:
    """Note rows that may be noted already, in the transaction that changes them."""
    # Updated, not left alone: so the row stays locked, and nobody indexes what is older than this transaction.
    statements.run_many(
        "INSERT INTO unindexed (entry) VALUES (?) ON CONFLICT (entry) DO UPDATE SET entry = excluded.entry",
        [(row,) for row in rows],
    )


def sweep() -> None:
    """Index what was noted, in the worker and for half a second at most; pauses let other writers in."""
    end = time.monotonic() + SWEEP_SECONDS
    while _index_lot() == LOT and time.monotonic() < end:
        time.sleep(PAUSE_SECONDS)


def catch_up() -> None:
    """Index everything that was noted."""
    while _index_lot():
        pass


def _index_lot() -> int:
    """Index some rows, the newest first so that a backlog hides nobody's own words; returns how many.

    In one transaction: whenever a process dies, a row is either noted or in the index.
    """
    if statements.run("SELECT 1 FROM unindexed LIMIT 1").fetchone() is None:
        return 0
    with database.atomic():
        lock = "" if is_sqlite() else " FOR UPDATE SKIP LOCKED"
        newest = statements.run(
            f"SELECT entry FROM unindexed ORDER BY entry DESC LIMIT {LOT}{lock}"
        ).fetchall()
        rows = [row for (row,) in newest]
        bodies = _bodies_of_messages([r for r in rows if r > 0]) | _bodies_of_contacts(
            [-r for r in rows if r < 0]
        )
        listed = statements.listed(rows)
        statements.run(f"DELETE FROM search_index WHERE {statements.among('rowid')}", listed)
        # In rising order, as FTS5 writes its buffer out whenever a row comes before the last one.
        sql = "INSERT INTO search_index (rowid, body) VALUES (?, ?)"
        statements.run_many(sql, sorted(bodies.items()))
        statements.run(f"DELETE FROM unindexed WHERE {statements.among('entry')}", listed)
    return len(rows)


def _bodies_of_messages(ids: list[int]) -> dict[int, str]:
    """Return what stands in the index of messages; an erased one has nothing there."""
    sql = f"SELECT id, account_id, text FROM message WHERE {statements.among('id')}"
    rows = statements.run(sql, statements.listed(ids)).fetchall() if ids else []
    return {id: f"{_owner(account)} {_plain(text)}" for id, account, text in rows if text}


def _bodies_of_contacts(ids: list[int]) -> dict[int, str]:
    found = list(Contact.select().where(Contact.id.in_(ids))) if ids else []
    numbers: dict[int, list[str]] = {contact.id: [] for contact in found}
    sql = f"SELECT contact_id, number FROM contact_number WHERE {statements.among('contact_id')} ORDER BY id"
    for id, number in statements.run(sql, statements.listed(numbers)).fetchall() if found else ():
        numbers[id].append(number)
    return {-contact.id: _body_of_contact(contact, numbers[contact.id]) for contact in found}


def _body_of_contact(contact: Contact, numbers: list[str]) -> str:
    words = [contact.name, *(str(v) for v in (contact.fields or {}).values())]
    spelled = [n.lstrip("+") for n in numbers] + ["0" + n[3:] for n in numbers if n.startswith("+49")]
    return f"{_owner(contact.account_id)} {_plain(' '.join(words))} {' '.join(spelled)}"


def index_message(message: Message) -> None:
    """Index (again) a message's words at once, in the transaction that stores it."""
    forget(message.id)
    statements.run_many(
        "INSERT INTO search_index (rowid, body) VALUES (?, ?)",
        [(message.id, f"{_owner(message.account_id)} {_plain(message.text)}")] if message.text else [],
    )


def index_contact(contact: Contact) -> None:
    """Index (again) a contact's name, numbers and own fields at once; contacts live under negative row ids."""
    forget(-contact.id)
    bodies = _bodies_of_contacts([contact.id])
    statements.run_many("INSERT INTO search_index (rowid, body) VALUES (?, ?)", list(bodies.items()))


def forget(row: int) -> None:
    """Remove one row (a message id, or minus a contact id) from the index and from what is noted for it."""
    # In this order: whoever indexes the row just now has locked its note.
    statements.run("DELETE FROM unindexed WHERE entry = ?", row)
    statements.run("DELETE FROM search_index WHERE rowid = ?", row)


def _p() -> str:
    return "?" if is_sqlite() else "%s"


def conversations_matching(account_id: int, query: str, limit: int = 400) -> set[int]:
    """Return ids of conversations whose contact or newest messages hold every word of the query."""
    rows = _matching(account_id, query, limit)
    messages = [row for row in rows if row > 0]
    contacts = [-row for row in rows if row < 0]
    found = set()
    if messages:
        found |= _ids(
            Message.select(Message.conversation),
            (Message.account == account_id) & Message.id.in_(messages),
        )
    if contacts:
        found |= _ids(
            Conversation.select(Conversation.id),
            (Conversation.account == account_id) & Conversation.contact.in_(contacts),
        )
    return found


def contacts_matching(account_id: int, query: str, limit: int = 400) -> set[int]:
    """Return ids of contacts whose name, numbers or own fields hold every word; another account's may be among them."""
    return {-row for row in _matching(account_id, query, limit) if row < 0}


def excerpts(account_id: int, query: str, conversations: Sequence[int], limit: int = 400) -> dict[int, str]:
    """Return the newest message text of each conversation that holds every word of the query, by conversation id."""
    words = _as_words(query)
    rows = (
        [row for row in _rows(account_id, list(words), limit) if row > 0] if words and conversations else []
    )
    found = (
        Message.select(Message.conversation, Message.text)
        .where(
            Message.account == account_id,
            Message.id.in_(rows or [0]),
            Message.conversation.in_(conversations),
        )
        .order_by(Message.id)
        .tuples()
    )
    return dict(found)


@lru_cache(maxsize=4096)
def _folded(character: str) -> str:
    return _plain(character)


def hits(text: str, query: str) -> list[tuple[int, int]]:
    """Return where the query's words stand in a text, as (start, end) in it, in order and apart from each other."""
    folded, places = "", []
    for place, character in enumerate(text):
        piece = _folded(character)
        folded += piece
        places += [place] * len(piece)
    spans = sorted(
        (places[m.start()], places[m.end() - 1] + 1)
        for word in _as_words(query)
        for m in re.finditer(re.escape(word), folded)
    )
    apart: list[tuple[int, int]] = []
    for start, end in spans:
        if apart and start <= apart[-1][1]:
            apart[-1] = (apart[-1][0], max(end, apart[-1][1]))
        else:
            apart.append((start, end))
    return apart


def _matching(account_id: int, query: str, limit: int) -> list[int]:
    """Return row ids for the query's words, and for the phone number that it may be in whatever spelling."""
    found: list[int] = []
    for words in dict.fromkeys((_as_number(query), _as_words(query))):
        if words:
            found += _rows(account_id, list(words), limit)
    return found


def _as_words(query: str) -> tuple[str, ...]:
    return tuple(_plain(query).split()[:MOST_WORDS])


def _as_number(query: str) -> tuple[str, ...]:
    """Return the digits of a number, whole or in part, as contacts are indexed: 49171... and 0171..."""
    typed = _plain(query).strip()
    if not typed or not set(typed) <= set("0123456789+-/(). "):
        return ()
    whole = msisdn.parse(typed).e164
    digits = "".join(c for c in typed.replace("(0)", "") if c.isdigit())
    part = digits.removeprefix("00") if typed.startswith("00") else digits
    if whole and len(part) > LONGEST_PART:
        return (whole.lstrip("+"),)
    return (part,) if len(part) >= SHORTEST else ()


def _ids(query: ModelSelect, where: Expression) -> set[int]:
    return {row[0] for row in query.where(where).distinct().tuples()}


def _rows(account_id: int, words: list[str], limit: int) -> list[int]:
    long = [w for w in words if len(w) >= SHORTEST]
    short = [w for w in words if len(w) < SHORTEST]
    if is_sqlite() and long:
        terms = [_owner(account_id), *long]
        match = " AND ".join('"' + t.replace('"', '""') + '"' for t in terms)
        where, values = "search_index MATCH ?", [match]
    elif long:
        where, values, short = f"body LIKE {_p()}", [f"{_owner(account_id)}%"], words
    else:
        where, values = _newest(account_id)
    for word in short:
        where += f" AND body LIKE {_p()} ESCAPE '\\'"
        values.append(f"%{_escaped(word)}%")
    # Sorted by rowid, not rank: on common words 0.2 ms against 150 ms at a million rows.
    sql = f"SELECT rowid FROM search_index WHERE {where}"
    order = f"ORDER BY rowid DESC LIMIT {int(limit)}"
    contacts = f"{sql} AND rowid < 0"
    if is_sqlite():
        found = _found(f"{sql} {order}", values) + _found(f"{contacts} {order}", values)
    else:
        found = _planned(f"{sql} {order}", f"{contacts} LIMIT {int(limit)}", values, by_index=bool(long))
    return [row[0] for row in found]


def _found(sql: str, values: list[Any]) -> list[Any]:
    return database.execute_sql(sql, values).fetchall()  # type: ignore[no-any-return]


def _planned(newest: str, contacts: str, values: list[Any], by_index: bool) -> list[Any]:
    """Run both queries on PostgreSQL, planned anew for these words: a plan kept for all words reads everything.

    Of words it knows how frequent they are in messages, takes contacts for as talkative, and would read all of them:
    `by_index` leaves it only their own trigrams.
    """
    with database.atomic():
        database.execute_sql("SET LOCAL plan_cache_mode = force_custom_plan")
        found = _found(newest, values)
        if by_index:
            database.execute_sql("SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off")
        found += _found(contacts, values)
        database.execute_sql(
            "SET LOCAL plan_cache_mode = auto; SET LOCAL enable_seqscan = on; SET LOCAL enable_indexscan = on"
        )
    return found


def _newest(account_id: int) -> tuple[str, list[Any]]:
    """Return the condition that a row is one of the account's newest messages or contacts: no index sees short words."""
    ids = [
        f"SELECT {id} FROM (SELECT id FROM {table} WHERE account_id = {_p()} ORDER BY id DESC LIMIT {READ_FOR_SHORT}) AS newest"
        for id, table in (("id", "message"), ("-id", "contact"))
    ]
    return f"rowid IN ({' UNION ALL '.join(ids)})", [account_id, account_id]


def _escaped(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
