"""The shared inbox: a fixed number of queries, complete pages, and what agents do with a conversation."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as profile
from hypothesis import strategies as st

from sms import clock, contacts, delivery, exchange, inbox, inbox_list, receiving, search, sending, totals
from sms.carriers.contract import IncomingText, Outcome, OutcomeKind
from sms.db import database, is_sqlite
from sms.models import (
    Account,
    Change,
    Contact,
    ContactNumber,
    Conversation,
    Draft,
    Label,
    Labelling,
    Message,
    User,
)
from sms.refusal import NotFound, Refused
from tests.carrier_side import MARGARETHE, POOL, TORSTEN, sid
from tests.outbox import claim_one


@pytest.fixture(autouse=True)
def _carriers(settings, database_file):
    exchange.connect(settings)


@pytest.fixture
def talk(account) -> Conversation:
    """A conversation with Margarethe."""
    return contacts.find_or_add(account, MARGARETHE, "Margarethe Schößler")[1]


def write_in(text: str = "Hallo", sender: str = MARGARETHE, to: str = POOL[0]) -> Message:
    message = receiving.receive_text("sandbox", IncomingText(sid(), sender, to, text))
    assert message is not None
    return message


def many(account: Account, by: User, first: int, last: int) -> None:
    """Rows as the verbs make them, in bulk: conversations with texts both ways, a label, a draft and an assignee."""
    moment, mine = clock.now(), {"account": account, "created_at": clock.now()}
    label = inbox.labels(account) or [Label.create(account=account, name="Rezept")]
    for n in range(first, last):
        number = f"+4917139{n:05d}"
        contact = Contact.create(number=number, name=f"Person {n}", **mine)
        ContactNumber.create(account=account, contact=contact, number=number, kind="mobile")
        search.index_contact(contact)
        talk = Conversation.create(
            contact=contact, last_activity_at=moment, incoming=2, assignee=by if n % 2 else None, **mine
        )
        written = {"conversation": talk, "theirs": number, "channel": "sms", "at": moment, **mine}
        out = Message.create(direction="outgoing", status="sent", author=by, text=f"Guten Tag {n}", **written)
        Message.create(direction="incoming", status="received", text=f"Hallo {n}", **written)
        Conversation.update(last_outgoing=out.id).where(Conversation.id == talk.id).execute()
        Labelling.create(conversation=talk, label=label[0])
        Draft.create(user=by, conversation=talk, kind="reply", text=f"Entwurf {n}", updated_at=moment)


class Queries:
    """Counts the statements that a block sends to the database."""

    def __enter__(self) -> "Queries":
        self.count, self.execute = 0, database.obj.execute_sql
        database.obj.execute_sql = self._counting
        return self

    def _counting(self, *given: Any, **named: Any) -> Any:
        self.count += 1
        return self.execute(*given, **named)

    def __exit__(self, *error: object) -> None:
        del database.obj.execute_sql


def complete(page: inbox_list.Page) -> list[tuple[Any, ...]]:
    """Touch everything that a list row shows."""
    return [
        (r.name, r.number, r.preview, r.preview_author, r.unread, r.assignee and r.assignee.initials,
         [label.name for label in r.labels], r.draft, r.status, r.failed)
        for r in page.items
    ]  # fmt: skip


def test_list_counts_and_thread_need_as_many_queries_for_300_rows_as_for_3(account, anna):
    with database.atomic():
        many(account, anna, 0, 3)
    talk = Conversation.select().order_by(Conversation.id).get()
    message = write_in("noch eine", talk.contact.number)

    def measure() -> tuple[int, ...]:
        found = []
        for look in (
            lambda: complete(inbox_list.rows(anna, "open", limit=400)),
            lambda: complete(inbox_list.rows(anna, "open", query="person", limit=400)),
            lambda: totals.counts(anna),
            lambda: totals.unread_total(anna),
            lambda: [m.author and m.author.name for m in inbox.thread(message.conversation, limit=400)],
        ):
            with Queries() as queries:
                look()
            found.append(queries.count)
        return tuple(found)

    few = measure()
    with database.atomic():
        many(account, anna, 3, 300)
        for n in range(300):
            sending.add_note(talk, f"Notiz {n}", anna)
    assert measure() == few
    # On PostgreSQL the search tells the planner how to plan it, in statements of their own.
    assert few == (4, 7 if is_sqlite() else 10, 1, 1, 1)
    assert len(inbox_list.rows(anna, "open", limit=400).items) == 300
    assert len(inbox.thread(talk, limit=400)) == 303


@profile(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(moments=st.lists(st.integers(0, 3), min_size=1, max_size=12), limit=st.integers(1, 5))
def test_pages_are_complete_and_without_doubles_also_under_ties(account, anna, moments, limit):
    Conversation.delete().execute()
    for n, minutes in enumerate(moments):
        _, talk = contacts.find_or_add(account, f"+4917139200{n:02d}")
        at = clock.now().replace(microsecond=0, second=0) - timedelta(minutes=minutes)
        Conversation.update(last_activity_at=at).where(Conversation.id == talk.id).execute()
    seen: list[int] = []
    cursor = None
    while True:
        page = inbox_list.rows(anna, "all", cursor=cursor, limit=limit)
        seen += [r.id for r in page.items]
        if page.next_cursor is None:
            break
        assert len(page.items) == limit
        cursor = page.next_cursor
    order = Conversation.select().order_by(Conversation.last_activity_at.desc(), Conversation.id.desc())
    assert seen == [c.id for c in order]


@given(st.text(max_size=30) | st.binary(max_size=20).map(lambda b: b.hex()))
def test_a_cursor_that_is_none_of_ours_is_refused(text):
    try:
        moment, number = inbox_list.read_cursor(text)
    except Refused as refused:
        assert refused.field == "cursor"  # noqa: PT017
    else:
        assert moment.tzinfo is not None
        assert number >= 0


def test_older_pages_of_a_thread_are_complete_under_ties(talk, anna):
    notes = [sending.add_note(talk, f"Notiz {n}", anna) for n in range(7)]
    Message.update(at=clock.now().replace(microsecond=0)).where(Message.channel == "note").execute()
    shown: list[int] = []
    before = None
    while page := inbox.thread(talk, before, 3):
        shown = [m.id for m in page] + shown
        before = page[0].at, page[0].id
    assert shown == [n.id for n in notes]


def test_each_view_holds_what_it_says_and_the_counts_agree(account, anna, jonas):
    people = [contacts.find_or_add(account, f"+4917139200{n:02d}")[1] for n in range(10, 17)]
    inbox.assign(people[0], anna, anna)
    inbox.assign(people[1], jonas, anna)
    inbox.set_status(people[2], "pending", anna)
    inbox.set_status(people[3], "snoozed", anna, clock.now() + timedelta(hours=1))
    inbox.set_status(people[4], "closed", anna)
    Conversation.update(failed=True).where(Conversation.id == people[4].id).execute()
    found = {view: {r.id for r in inbox_list.rows(anna, view).items} for view in inbox_list.VIEWS}
    ids = [p.id for p in people]
    assert found == {
        "mine": {ids[0]}, "open": {ids[0], ids[1], ids[5], ids[6]}, "all": set(ids),
        "unassigned": {ids[5], ids[6]}, "pending": {ids[2]}, "snoozed": {ids[3]}, "closed": {ids[4]},
        "failed": {ids[4]},
    }  # fmt: skip
    counted = {view: len(found[view]) for view in found if view in totals.COUNTED}
    assert totals.counts(anna) == counted | {"check": 0}
    assert totals.counts(jonas)["mine"] == 1


def test_another_account_s_conversations_are_nowhere(account, other_account, anna, stranger):
    contacts.find_or_add(other_account, MARGARETHE)
    theirs = Conversation.get()
    inbox.add_label(theirs, "Fremd", stranger)
    for view in inbox_list.VIEWS:
        assert inbox_list.rows(anna, view).items == []
    assert inbox_list.rows(anna, "all", label=Label.get().id).items == []
    assert inbox_list.rows(anna, "all", assignee=stranger.id).items == []
    assert sum(totals.counts(anna).values()) == totals.unread_total(anna).number == 0
    with pytest.raises(NotFound):
        inbox.open_conversation(account, theirs.id)
    with pytest.raises(NotFound):
        inbox.message_of(account, sending.send(other_account, TORSTEN, "Autohaus").id)


def test_a_colleague_of_another_account_cannot_be_given_a_conversation(talk, anna, stranger):
    with pytest.raises(NotFound):
        inbox.assign(talk, stranger, anna)
    assert Conversation.get().assignee is None


def test_a_label_of_another_account_changes_nothing(talk, anna, other_account, stranger):
    _, theirs = contacts.find_or_add(other_account, TORSTEN)
    foreign = inbox.add_label(theirs, "Fremd", stranger)
    inbox.remove_label(talk, foreign.id, anna)
    assert Labelling.select().count() == 1
    own = inbox.add_label(talk, "Fremd", anna)
    assert own.id != foreign.id


def test_unread_is_each_agents_own(talk, anna, jonas):
    write_in("Eins")
    write_in("Zwei")
    talk = Conversation.get()
    assert [inbox_list.rows(u, "open").items[0].unread for u in (anna, jonas)] == [2, 2]
    assert inbox.mark_read(anna, talk)
    assert not inbox.mark_read(anna, talk)
    assert [inbox_list.rows(u, "open").items[0].unread for u in (anna, jonas)] == [0, 2]
    assert [totals.unread_total(u).number for u in (anna, jonas)] == [0, 1]
    assert [r.id for r in inbox_list.rows(jonas, "open", unread=True).items] == [talk.id]
    assert inbox_list.rows(anna, "open", unread=True).items == []
    newest = write_in("Drei")
    assert inbox.first_unread(anna, Conversation.get()) == newest.id
    inbox.mark_read(anna, Conversation.get())
    assert inbox.mark_unread(anna, Conversation.get())
    assert inbox_list.rows(anna, "open").items[0].unread == 1


def test_a_colleague_who_looks_at_an_older_page_does_not_unread_for_all(talk, anna, jonas):
    write_in("Eins")
    stale = Conversation.get()
    write_in("Zwei")
    inbox.mark_read(jonas, Conversation.get())
    inbox.mark_read(anna, stale)
    assert Conversation.get().seen == 2


def test_a_snoozed_conversation_wakes_at_its_time_once(talk, anna):
    inbox.set_status(talk, "snoozed", anna, clock.now() + timedelta(hours=1))
    assert inbox.wake(clock.now()) == 0
    clock.shift(timedelta(hours=1, seconds=1))
    stale = Conversation.get()
    assert inbox.wake(clock.now()) == 1
    assert inbox.wake(clock.now()) == 0
    assert (Conversation.get().status, Conversation.get().snoozed_until) == ("open", None)
    assert stale.status == "snoozed"
    events = [e.data["status"] for e in Message.select().where(Message.channel == "event")]
    assert events == ["snoozed", "open"]


@pytest.mark.parametrize("until", [None, timedelta(0), timedelta(hours=-1)])
def test_a_snooze_without_a_time_to_come_is_refused(talk, anna, until):
    with pytest.raises(Refused):
        inbox.set_status(talk, "snoozed", anna, until if until is None else clock.now() + until)
    assert Conversation.get().status == "open"


def test_the_same_status_again_is_no_event(talk, anna):
    assert inbox.set_status(talk, "pending", anna)
    before = Change.select().count()
    assert not inbox.set_status(Conversation.get(), "pending", anna)
    assert Change.select().count() == before


def test_drafts_are_each_agents_own_and_their_kinds_apart(talk, anna, jonas):
    inbox.save_draft(anna, talk, "reply", "Sehr geehrte")
    inbox.save_draft(anna, talk, "note", "Notiz")
    inbox.save_draft(jonas, talk, "reply", "Hallo")
    inbox.save_draft(anna, talk, "reply", "Sehr geehrte Frau")
    assert inbox.drafts(anna, talk) == {"reply": "Sehr geehrte Frau", "note": "Notiz"}
    assert inbox_list.rows(anna, "open").items[0].draft == "Sehr geehrte Frau"
    inbox.save_draft(anna, talk, "reply", "  ")
    inbox.save_draft(anna, talk, "note", "x" * 9000)
    assert [len(t) for t in inbox.drafts(anna, talk).values()] == [inbox.LONGEST_DRAFT]
    assert Draft.select().count() == 2
    with pytest.raises(Refused):
        inbox.save_draft(anna, talk, "poem", "x")


def test_colleagues_see_who_reads_and_who_types_until_it_is_over(talk, anna, jonas):
    inbox.show_presence(jonas, talk)
    assert [(p.user, p.typing) for p in inbox.present(talk, anna)] == [(jonas, False)]
    inbox.show_presence(jonas, talk, typing=True)
    assert [p.typing for p in inbox.present(talk, anna)] == [True]
    assert inbox.present(talk, jonas) == []
    told = Change.select().where(Change.kind == "presence").count()
    inbox.show_presence(jonas, talk, typing=True)
    assert Change.select().where(Change.kind == "presence").count() == told
    clock.shift(inbox.TYPING_FOR)
    assert [p.typing for p in inbox.present(talk, anna)] == [False]
    clock.shift(inbox.READING_FOR)
    assert inbox.present(talk, anna) == []
    inbox.show_presence(jonas, talk)
    inbox.show_presence(jonas, talk, reading=False)
    assert inbox.present(talk, anna) == []


@pytest.mark.parametrize("name", ["", "  ", "x" * 41, "a\0b", "a\ud800"])
def test_a_label_needs_a_name_that_can_be_shown(talk, anna, name):
    with pytest.raises(Refused):
        inbox.add_label(talk, name, anna)
    assert Label.select().count() == 0


def test_the_list_shows_who_wrote_last_and_that_it_failed(talk, anna, jonas):
    sending.reply(talk, "Kommt nicht an", by=jonas)
    row = inbox_list.rows(anna, "open").items[0]
    assert (row.preview, row.preview_kind, row.preview_author) == ("Kommt nicht an", "out", "Jonas")
    assert inbox_list.rows(jonas, "open").items[0].preview_author == "you"
    clock.shift(sending.UNDO)
    delivery.settle(claim_one(), Outcome(OutcomeKind.rejected))
    assert [r.id for r in inbox_list.rows(anna, "failed").items] == [talk.id]
    sending.reply(talk, "Zweiter Versuch", by=anna)
    assert inbox_list.rows(anna, "failed").items == []
