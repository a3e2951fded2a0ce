"""What stands in each view: exact up to a thousand, by indexes that serve the question, the same on both databases."""

from datetime import timedelta

import pytest

from sms import contacts, inbox, totals
from sms.clock import now
from sms.db import database, is_sqlite, to_ms
from sms.models import Account, Conversation, Message, Reading


def make(account: Account, how_many: int, **values) -> None:
    """Insert conversations in bulk, as many as no test could open one by one."""
    from sms.models import Contact

    first = Conversation.select().count()
    with database.atomic():
        for start in range(first, first + how_many, 100):
            some = range(start, min(start + 100, first + how_many))
            people = [
                {"account": account, "number": f"+4915{n:09d}", "name": "", "created_at": now()} for n in some
            ]
            Contact.insert_many(people).execute()
        made = Contact.select(Contact.id).order_by(Contact.id.desc()).limit(how_many)
        ids = [contact.id for contact in made]
        own = {"account": account, "last_activity_at": now(), "created_at": now(), **values}
        for start in range(0, len(ids), 50):
            Conversation.insert_many([{"contact": id, **own} for id in ids[start : start + 50]]).execute()


def test_nothing_is_counted_further_than_a_thousand(client, account, anna):
    make(account, 1003, incoming=1, preview_kind="in")
    found = totals.counts(anna)
    assert [found[view] for view in ("open", "unassigned", "mine")] == [1000, 1000, 0]
    assert totals.unread_total(anna) == (1000, True)
    assert totals.waiting(anna).count == 1000
    page = client.get("/inbox?view=open").get_data(as_text=True)
    assert '<span class="n">999+</span>' in page
    assert "Mehr als 999 Gespräche warten auf Sie" in page


def test_unread_ones_beyond_the_thousand_newest_are_not_passed_over_in_silence(client, account, anna):
    make(account, 3, incoming=1)
    Reading.insert_many(
        {"user": anna, "conversation": row.id, "seen": 1}
        for row in Conversation.select(Conversation.id).where(Conversation.account == account)
    ).execute()
    talk = contacts.find_or_add(account, "+4917139200042")[1]
    Conversation.update(incoming=1).where(Conversation.id == talk.id).execute()
    page = client.get("/to-check").get_data(as_text=True)
    assert '<span class="count">1<span class="vh"> ungelesen</span>' in page
    moment = now() - timedelta(days=1)
    make(account, 1000, incoming=1, last_activity_at=moment)
    old = Conversation.select(Conversation.id).where(Conversation.last_activity_at == moment)
    Reading.insert_many({"user": anna, "conversation": row.id, "seen": 1} for row in old).execute()
    assert totals.unread_total(anna) == (1, True)
    page = client.get("/to-check").get_data(as_text=True)
    assert '<span class="count">1+<span class="vh"> ungelesen</span>' in page


def test_what_waits_longest_is_named_whoever_it_waits_for(account, anna, jonas):
    assert totals.waiting(anna) == totals.Waiting()
    talks = [contacts.find_or_add(account, f"+4917139200{n}", f"Person {n}")[1] for n in (10, 11, 12)]
    for minutes, talk in enumerate(talks):
        moment = to_ms(now()) - 3_600_000 + minutes * 60_000
        Conversation.update(preview_kind="in", last_activity_at=moment).where(
            Conversation.id == talk.id
        ).execute()
    inbox.assign(talks[0], jonas, jonas)
    inbox.assign(talks[2], anna, anna)
    found = totals.waiting(anna)
    assert (found.count, found.id, found.name) == (2, talks[1].id, "Person 11")
    assert (totals.waiting(jonas).count, totals.waiting(jonas).id) == (2, talks[0].id)


@pytest.mark.parametrize("status", ["pending", "snoozed", "closed"])
def test_only_open_conversations_are_unread_or_wait(account, anna, status):
    make(account, 2, incoming=3, preview_kind="in", status=status)
    assert totals.unread_total(anna) == (0, False)
    assert (totals.counts(anna)["open"], totals.waiting(anna).count) == (0, 0)


def test_each_count_is_served_by_an_index_that_holds_all_it_asks(database_file):
    """A new installation has no statistics: the planner must find these by themselves."""
    if not is_sqlite():
        return  # PostgreSQL plans by what the tables hold; bench/scale.py measures it
    plans = []
    for sql in (totals._COUNTS, f"SELECT {totals._UNREAD}, {totals._ANSWERED}", totals._WAITING):
        asked = sql.replace("ACCOUNT", "1").replace("PERSON", "1")
        plans += [row[3] for row in database.execute_sql(f"EXPLAIN QUERY PLAN {asked}").fetchall()]
    searched = " ".join(plan for plan in plans if "conversation" in plan or "message" in plan)
    for index in (
        "conversation_unread",
        "conversation_failed",
        "conversation_waiting",
        "message_unknown",
        "message_held",
    ):
        assert index in searched, index
    assert not [plan for plan in plans if plan.startswith("SCAN conversation")]


def test_messages_are_counted_where_they_are_to_be_checked(account, other_account, anna):
    talk = contacts.find_or_add(account, "+491713920042")[1]
    other = contacts.find_or_add(other_account, "+491713920042")[1]
    own = {"direction": "outgoing", "channel": "sms", "created_at": now(), "at": now()}
    for which, conversation, status, due in (
        (account, talk, "unknown", None), (account, talk, "scheduled", None), (account, talk, "scheduled", now()),
        (account, talk, "sent", None), (other_account, other, "unknown", None),
    ):  # fmt: skip
        Message.create(account=which, conversation=conversation, status=status, next_at=due, **own)
    assert totals.counts(anna)["check"] == 2
