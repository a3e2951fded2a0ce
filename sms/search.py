"""Search over all messages and contacts of an account: folded trigrams, so that "termin" finds "Terminbestätigung"."""

import re
from collections.abc import Sequence

from peewee import Database, Expression, ModelSelect

from sms.db import database, is_sqlite
from sms.gsm import msisdn
from sms.gsm.fold import fold
from sms.models import Contact, ContactNumber, Conversation, Message

SHORTEST = 3
"""A trigram index cannot see shorter words; those are looked for in the rows that the longer ones leave."""
MOST_WORDS = 8
LONGEST_PART = 9
"""More digits than this are a whole number, which is looked for in its one international spelling."""


def create_indexes(db: Database) -> None:
    """Create the full-text index: FTS5 with trigrams on SQLite, pg_trgm on PostgreSQL."""
    if is_sqlite():
        db.execute_sql(
            "CREATE VIRTUAL TABLE IF NOT EXISTS search_index USING fts5(body, tokenize = 'trigram', detail = 'full')"
        )
        return
    db.execute_sql("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    db.execute_sql("CREATE TABLE IF NOT EXISTS search_index (rowid bigint PRIMARY KEY, body text NOT NULL)")
    db.execute_sql(
        "CREATE INDEX IF NOT EXISTS search_index_body ON search_index USING gin (body gin_trgm_ops)"
    )


def _owner(account_id: int) -> str:
    """A token of the account inside the indexed text: without it, another account's frequent word costs 62-92 ms.

    In private-use characters, which nobody types and `_plain` drops: else "000" would find every row.
    """
    return "\ue00a" + "".join(chr(0xE000 + int(digit)) for digit in f"{account_id:06d}") + "\ue00a"


def _plain(text: str) -> str:
    """Return a text as it is indexed and looked for: folded, without NUL and private-use characters."""
    return "".join(c for c in fold(text) if c != "\0" and not "\ue000" <= c <= "\uf8ff")


def index_message(message: Message) -> None:
    """Add a message's words to the index, in the transaction that stores it."""
    if message.text:
        _put(message.id, f"{_owner(message.account_id)} {_plain(message.text)}")


def index_contact(contact: Contact) -> None:
    """Index (again) a contact's name, numbers and own fields; contacts live under negative row ids."""
    numbers = [n.number for n in ContactNumber.select().where(ContactNumber.contact == contact)]
    words = [contact.name, *(str(v) for v in (contact.fields or {}).values())]
    spelled = [n.lstrip("+") for n in numbers] + ["0" + n[3:] for n in numbers if n.startswith("+49")]
    _put(-contact.id, f"{_owner(contact.account_id)} {_plain(' '.join(words))} {' '.join(spelled)}")


def forget(row: int) -> None:
    """Remove one row (a message id, or minus a contact id) from the index."""
    database.execute_sql(f"DELETE FROM search_index WHERE rowid = {_p()}", (row,))


def _put(row: int, body: str) -> None:
    forget(row)
    database.execute_sql(f"INSERT INTO search_index (rowid, body) VALUES ({_p()}, {_p()})", (row, body))


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


def hits(text: str, query: str) -> list[tuple[int, int]]:
    """Return where the query's words stand in a text, as (start, end) in it, in order and apart from each other."""
    folded, places = "", []
    for place, character in enumerate(text):
        piece = _plain(character)
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
    else:
        where, values = f"body LIKE {_p()}", [f"{_owner(account_id)}%"]
        short = words
    for word in short:
        where += f" AND body LIKE {_p()} ESCAPE '\\'"
        values.append(f"%{_escaped(word)}%")
    # Sorted by rowid, not rank: on common words 0.2 ms against 150 ms at a million rows.
    sql = f"SELECT rowid FROM search_index WHERE {where} ORDER BY rowid DESC LIMIT {int(limit)}"
    newest = [row[0] for row in database.execute_sql(sql, values).fetchall()]
    contacts = sql.replace(" ORDER BY", " AND rowid < 0 ORDER BY")
    return newest + [row[0] for row in database.execute_sql(contacts, values).fetchall()]


def _escaped(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
