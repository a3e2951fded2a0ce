"""Many messages at once: the same refusals and the same rows as one by one, duplicates held, memory flat."""

import json
import random
import threading
import tracemalloc
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from sms import bulk, clock, contacts, exchange, gathering, outbox, queue, search, sending, suppression
from sms.bulk import Accepted
from sms.checking import Wanted
from sms.db import database
from sms.models import (
    Account,
    Change,
    Contact,
    ContactNumber,
    Conversation,
    Message,
    Route,
    Sender,
    StatusEvent,
    Unindexed,
    Usage,
)
from sms.refusal import Conflict, Refused
from tests.carrier_side import MARGARETHE, TORSTEN

COMPARED = (Contact, ContactNumber, Conversation, Message, StatusEvent, Change, Route, Usage, Unindexed)
MADE_UP = {"key", "trace"}


@pytest.fixture(autouse=True)
def _carriers(settings, database_file):
    exchange.connect(settings)


@pytest.fixture(autouse=True)
def _still(monkeypatch):
    """Let time stand still at noon, so that two ways of storing can be told apart by nothing else."""
    noon = clock.now().replace(hour=11, minute=0, second=0, microsecond=0) + timedelta(days=1)
    for name in ("bulk", "checking", "contacts", "quota", "routing", "sending", "idempotency"):
        monkeypatch.setattr(f"sms.{name}.now", lambda: noon)
    return noon


def wanted(count: int, seed: int = 7) -> list[Wanted]:
    """Messages as programs and modules ask for them: good ones, and every way to be wrong."""
    rng = random.Random(seed)
    soon = clock.now() + timedelta(days=5)
    numbers = [f"0171392{n:04d}" for n in range(20, 60)] + ["030 23125 640", "03023125641", "+43 664 1234567"]
    made = []
    for n in range(count):
        one: dict[str, Any] = {
            "to": rng.choice(numbers),
            "text": rng.choice(
                ("Hallo", "Grüße an {name}", "😀 {{x}}", "Ihr Termin: {tag}, " + "bitte " * 40)
            ),
            "source": rng.choice(("api", "survey", "agent")),
            "automated": rng.random() < 0.5,
            "fields": rng.choice((None, {"name": "Anna", "tag": f"am {n % 7}."}, {})),
            "sender": rng.choice(("", "", "", "PRAXIS", "+49301234567")),
        }
        if rng.random() < 0.25:
            one |= rng.choice(
                (
                    {"to": "110"}, {"to": "0900 1234567"}, {"text": ""}, {"text": "a" * 1501}, {"text": "\x07"},
                    {"sender": "Müller"}, {"channel": "fax"}, {"channel": "sms", "to": "030 23125 640"},
                    {"channel": "voice"}, {"send_at": soon}, {"send_at": clock.now() - timedelta(days=9)},
                    {"send_at": clock.now() + timedelta(days=999)}, {"reference": "A-1"}, {"reference": "r" * 101},
                    {"to": TORSTEN}, {"unless_answered": True, "send_at": soon}, {"exempt": True, "to": TORSTEN},
                )
            )  # fmt: skip
        made.append(Wanted(**one))
    return made


def rows(table: type) -> list[dict[str, Any]]:
    """All rows of a table, without the words that are made up anew each time, ids counted from the first."""
    found = list(table.select().order_by(*table._meta.get_primary_keys()).dicts())
    return [{name: value for name, value in row.items() if name not in MADE_UP} for row in found]


def told(outcome: Any) -> Any:
    if isinstance(outcome, Exception):
        return type(outcome).__name__, getattr(outcome, "field", ""), outcome.code, outcome.params
    return outcome.id, outcome.status


def one_by_one(account: Account, lot: list[Wanted]) -> Iterator[Any]:
    for one in lot:
        try:
            values = {
                name: getattr(one, name) for name in one.__slots__ if name not in ("to", "text", "trace")
            }
            yield sending.send(account, one.to, one.text, **values)
        except (Refused, Conflict) as refusal:
            yield refusal


@pytest.mark.parametrize("limit", [100_000, 150])
@pytest.mark.parametrize("lot", [300, 7])
def test_300_messages_at_once_are_stored_and_refused_like_one_by_one(account, limit, lot):
    account.daily_parts = limit
    Sender.create(
        account=account, kind="virtual", value="+49301234567", is_default=False, created_at=clock.now()
    )
    suppression.suppress(account, TORSTEN, "sms")
    contacts.save(contacts.find_or_add(account, "+491713920021")[0], "Frau Koch", {"tag": "Montag"})
    messages = wanted(300)
    (answers, stored) = tried(one_by_one(account, messages))
    (same_answers, same_stored) = tried(bulk.send_many(account, messages, lot=lot))
    assert len({a[2] for a in answers if len(a) == 4}) >= (10 if limit > 150 else 11)
    assert any(a[2] == "daily_limit" for a in answers if len(a) == 4) == (limit == 150)
    first, second = without_ids(answers, stored), without_ids(same_answers, same_stored)
    assert first[0] == second[0]
    for table in COMPARED:
        assert first[1][table] == second[1][table], table
    assert first[2] == second[2]


def tried(outcomes: Iterator[Any]) -> tuple[list[Any], dict[type, list[dict[str, Any]]]]:
    """Store in a transaction that is taken back; return what was told and what was stored."""
    with database.atomic() as transaction:
        found = [told(outcome) for outcome in outcomes], {t: rows(t) for t in COMPARED}
        transaction.rollback()
    return found


def without_ids(answers: list[Any], stored: dict[type, list[dict[str, Any]]]) -> Any:
    """Name each row by its place in its table: PostgreSQL gives other ids the second time."""
    places = {
        t: {row["id"]: n for n, row in enumerate(stored[t])} for t in COMPARED if "id" in t._meta.fields
    }
    entries = sorted(row.pop("entry") for row in stored[Unindexed])
    for table, found in stored.items():
        for row in found:
            row.pop("id", None)
            for name, of in (("contact", Contact), ("conversation", Conversation), ("message", Message)):
                if name in row:
                    row[name] = places[of].get(row[name], row[name])
            for name in ("last_message", "last_outgoing"):
                if name in row:
                    row[name] = places[Message].get(row[name], row[name])
        if table in (Contact, ContactNumber, Conversation, Route):
            found.sort(key=lambda row: json.dumps(row, default=str))
    messages = [(places[Message][a[0]], a[1]) if len(a) == 2 else a for a in answers]
    return messages, stored, len(entries)


def test_a_lot_rings_once_for_all_that_is_due(account, monkeypatch):
    rung: list[tuple[str, int]] = []
    monkeypatch.setattr(queue, "_ring", lambda name, args, delay, priority: rung.append((name, priority)))
    lot = [Wanted(to=f"0171392{n:04d}", text="Hallo", source="api", automated=True) for n in range(50)]
    lot += [Wanted(to="030 23125 640", text="Hallo", source="api")]
    assert all(isinstance(o, Accepted) for o in bulk.send_many(account, lot))
    assert sorted(rung) == [("deliver", queue.LOW), ("make_calls", queue.HIGH)]


def test_what_belongs_to_a_lot_is_stored_with_it_or_not_at_all(account):
    lot = [
        Wanted(to=MARGARETHE, text="Hallo", source="survey"),
        Wanted(to="110", text="Hallo", source="survey"),
    ]
    seen: list[Any] = []
    (accepted, refused) = bulk.accept(account, lot, within=seen.extend)
    assert seen == [accepted, refused]
    with pytest.raises(ZeroDivisionError):
        bulk.accept(account, [Wanted(to=TORSTEN, text="Hallo")], within=lambda outcomes: 1 // 0)
    assert [m.theirs for m in Message.select()] == [MARGARETHE]


def test_a_hundred_thousand_need_no_more_memory_than_a_lot(account):
    account.daily_parts = 10**6

    def many(count: int) -> Iterator[Wanted]:
        for n in range(count):
            yield Wanted(to=f"+4915{n % 40 + 100000000}", text=f"Nummer {n}", source="campaign")

    def peak(count: int) -> int:
        tracemalloc.start()
        for outcome in bulk.send_many(account, many(count)):
            assert isinstance(outcome, Accepted)
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used

    peak(600)
    assert peak(5000) < 1.3 * peak(1500)


# Duplicates


def machine(account: Account, text: str = "Ihr Termin ist morgen.", **more: Any) -> Message:
    more = {"source": "appointment", **more}
    return sending.send(account, more.pop("to", MARGARETHE), text, **more)


@pytest.fixture
def _moving(monkeypatch):
    """Let time move again."""
    for name in ("bulk", "checking", "contacts", "quota", "routing", "sending", "idempotency"):
        monkeypatch.setattr(f"sms.{name}.now", clock.now)


@pytest.mark.usefixtures("_moving")
class TestDuplicates:
    def test_the_same_from_the_same_machine_within_three_minutes_is_held(self, account):
        first, second = machine(account), machine(account)
        assert (first.status, second.status) == ("queued", "scheduled")
        assert (second.next_at, second.reason) == (None, "duplicate")
        assert sending.is_held(second)
        assert not sending.is_held(first)
        assert StatusEvent.select().where(StatusEvent.message == second).get().detail.startswith("held")
        assert Usage.get().parts == 1

    @pytest.mark.parametrize(
        "other",
        [
            {"text": "Ihr Termin ist übermorgen."},
            {"to": TORSTEN},
            {"source": "survey"},
            {"source": "api"},
            {"source": "agent"},
            {"source": "system", "exempt": True},
        ],
    )
    def test_another_text_number_or_source_and_a_person_s_is_not(self, account, other):
        machine(account)
        assert machine(account, **other).status == "queued"

    def test_a_program_s_message_is_held_only_where_a_machine_has_started_it(self, account):
        account.quiet_text = ""
        for automated in (False, False, True):
            made = machine(account, source="api", automated=automated)
            assert sending.is_held(made) == automated

    def test_after_three_minutes_it_may_be_said_again(self, account):
        machine(account)
        clock.shift(timedelta(seconds=179))
        assert sending.is_held(machine(account))
        clock.shift(timedelta(seconds=181))
        assert not sending.is_held(machine(account))

    def test_what_is_planned_counts_when_it_goes_out(self, account):
        day = clock.now().replace(hour=11, minute=0, second=0, microsecond=0) + timedelta(days=2)
        one, other = (machine(account, send_at=day + timedelta(days=n)) for n in (0, 1))
        assert [m.next_at for m in (one, other)] == [day, day + timedelta(days=1)]
        assert sending.is_held(machine(account, send_at=day + timedelta(seconds=100)))
        assert not sending.is_held(machine(account))

    def test_what_was_not_said_may_be_said_again(self, account):
        sending.cancel(machine(account))
        assert not sending.is_held(machine(account))

    def test_a_lot_that_holds_the_same_twice_sends_it_once(self, account):
        lot = [Wanted(to=MARGARETHE, text="Hallo", source="survey") for _ in range(3)]
        outcomes = list(bulk.send_many(account, lot))
        assert [o.status for o in outcomes] == ["queued", "scheduled", "scheduled"]

    def test_held_is_held_until_a_person_decides(self, account, anna):
        machine(account)
        held = machine(account)
        clock.shift(timedelta(days=3))
        outbox.sweep()
        held = Message.get_by_id(held.id)
        assert sending.is_held(held)
        sending.release_held(held, anna)
        released = Message.get_by_id(held.id)
        assert (released.status, released.reason) == ("queued", "")
        assert released.next_at <= clock.now()
        with pytest.raises(Conflict):
            sending.release_held(released, anna)

    def test_a_person_may_discard_it(self, account, anna):
        machine(account)
        held = machine(account)
        sending.cancel(held, anna)
        assert Message.get_by_id(held.id).status == "cancelled"

    def test_released_it_counts_against_the_day(self, account, anna):
        account.daily_parts = 1
        account.save()
        machine(account)
        held = machine(account)
        with pytest.raises(Refused) as refused:
            sending.release_held(Message.get_by_id(held.id), anna)
        assert refused.value.code == "daily_limit"
        assert sending.is_held(Message.get_by_id(held.id))

    def test_a_new_text_stays_held_and_a_new_time_does_not(self, account, anna):
        machine(account)
        held = machine(account)
        sending.edit_scheduled(held, "Ihr Termin ist heute.", None, anna)
        assert sending.is_held(Message.get_by_id(held.id))
        sending.edit_scheduled(held, "Ihr Termin ist heute.", clock.now() + timedelta(hours=1), anna)
        assert not sending.is_held(Message.get_by_id(held.id))


# The index, written later


def test_what_was_sent_is_found_once_the_worker_has_looked(account):
    search.catch_up()
    message = sending.send(account, MARGARETHE, "Terminbestätigung")
    assert search.conversations_matching(account.id, "bestaetigung") == set()
    assert Unindexed.select().where(Unindexed.entry == message.id).exists()
    search.sweep()
    assert search.conversations_matching(account.id, "bestaetigung") == {message.conversation_id}
    assert search.conversations_matching(account.id, "0171 3920042") == {message.conversation_id}
    assert Unindexed.select().count() == 0


def test_a_person_s_own_words_do_not_wait_behind_a_backlog(account, anna, monkeypatch):
    lot = [Wanted(to=f"0171392{n:04d}", text="Massentext", source="campaign") for n in range(30)]
    assert len(list(bulk.send_many(account, lot))) == 30
    mine = sending.send(account, MARGARETHE, "Eigenes Wort", by=anna)
    monkeypatch.setattr(search, "LOT", 5)
    monkeypatch.setattr(search, "SWEEP_SECONDS", 0)
    search.sweep()
    assert search.conversations_matching(account.id, "eigenes") == {mine.conversation_id}
    assert Unindexed.select().count() > 30


def test_an_index_that_breaks_off_is_exact_afterwards(account, monkeypatch):
    message = sending.send(account, MARGARETHE, "Nur einmal")
    real = search._bodies_of_contacts
    monkeypatch.setattr(search, "_bodies_of_contacts", lambda ids: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        search.sweep()
    monkeypatch.setattr(search, "_bodies_of_contacts", real)
    assert Unindexed.select().where(Unindexed.entry == message.id).exists()
    search.catch_up()
    sql = "SELECT count(*) FROM search_index WHERE rowid > 0"
    assert database.execute_sql(sql).fetchone()[0] == 1


def test_who_is_erased_before_the_index_was_written_stands_nowhere(account):
    sending.send(account, MARGARETHE, "Vertraulich")
    found = contacts.find(account, MARGARETHE)
    assert found is not None
    contacts.erase(found)
    search.catch_up()
    assert database.execute_sql("SELECT count(*) FROM search_index").fetchone()[0] == 0
    assert Unindexed.select().count() == 0


# Those who come at once


def at_once(account: Account, lot: list[Wanted]) -> list[Any]:
    """Send each message in a thread of its own, all at the same moment, and return what each was told."""
    together, told_to = threading.Barrier(len(lot)), [None] * len(lot)

    def send(place: int) -> None:
        with database.connection_context():
            together.wait(20)
            try:
                told_to[place] = sending.accepted(account, lot[place])
            except Exception as error:
                told_to[place] = error

    threads = [threading.Thread(target=send, args=(place,)) for place in range(len(lot))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert gathering.accepting.idle()
    return told_to


def lot_of(count: int) -> list[Wanted]:
    return [
        Wanted(to=f"0171392{n + 20:04d}", text=f"Nummer {n}", source="api", trace=f"t-{n}")
        for n in range(count)
    ]


def test_messages_that_come_at_once_are_accepted_together_and_each_is_told_its_own(account, monkeypatch):
    lots: list[int] = []
    real = bulk.accept
    monkeypatch.setattr(bulk, "accept", lambda account, lot: (lots.append(len(lot)), real(account, lot))[1])
    lot = lot_of(10)
    lot[3].to = "110"
    outcomes = at_once(account, lot)
    assert isinstance(outcomes.pop(3), Refused)
    assert [(o.row["text"], o.row["trace"]) for o in outcomes] == [
        (w.text, w.trace) for w in lot if w.to != "110"
    ]
    assert sum(lots) == 10
    assert Message.select().count() == 9


def test_one_whose_message_breaks_everything_breaks_nobody_else_s(account, monkeypatch):
    real = bulk.accept

    def breaking(account: Account, lot: list[Wanted]) -> Any:
        if any(one.text == "Nummer 5" for one in lot):
            raise RuntimeError("the disk is full")
        return real(account, lot)

    monkeypatch.setattr(bulk, "accept", breaking)
    outcomes = at_once(account, lot_of(10))
    assert isinstance(outcomes.pop(5), RuntimeError)
    assert all(isinstance(outcome, Accepted) for outcome in outcomes)
    assert Message.select().count() == 9
