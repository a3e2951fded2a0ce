"""The append-only feed that every live page follows."""

from peewee import CharField, ForeignKeyField, IntegerField

from sms.db import Moment, Table, database, to_ms
from sms.models.account import Account


class Change(Table):
    """Something an open page should show; its id is the cursor. Written in the transaction of what it tells."""

    account = ForeignKeyField(Account, on_delete="CASCADE", index=False)
    conversation = IntegerField(null=True)
    kind = CharField(max_length=12)  # message | status | conversation | presence | contact | a module's own
    message = IntegerField(null=True)
    user = IntegerField(null=True)  # who caused it, where a page leaves out its own
    at = Moment()

    class Meta:
        indexes = ((("account", "id"), False),)


def log_change(
    account: int,
    kind: str,
    conversation: int | None = None,
    message: int | None = None,
    user: int | None = None,
) -> None:
    """Append one change inside the caller's transaction; a write that rolls back shows nothing."""
    from sms.clock import now

    assert database.in_transaction(), "a change belongs to the transaction of what it tells"
    # Written by hand: peewee would put the same statement together anew for every visible write there is.
    sql = 'INSERT INTO "change" ("account_id", "kind", "conversation", "message", "user", "at") VALUES (?, ?, ?, ?, ?, ?)'
    values = (getattr(account, "id", account), kind, conversation, message, user, to_ms(now()))
    database.execute_sql(sql.replace("?", database.param), values)
