"""The feed: a committed change reaches who listens, also from another process; one rolled back reaches nobody."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from sms import clock, contacts, live, sending
from sms.db import database
from sms.live import AT_MOST, Feed, Listener
from sms.models import Account, Change, Conversation, User, log_change
from tests.carrier_side import MARGARETHE
from tests.crowd import PATIENCE, crowd
from tests.late import late  # noqa: F401 - a fixture

ROOT = Path(__file__).parents[1]


class Ear:
    """A sink that notes what it hears and when."""

    def __init__(self, account: int, user: int = 0, conversation: int | None = None) -> None:
        self.listener = Listener(account, user, conversation, "de", "Europe/Berlin")
        self.heard: list[Change] = []
        self.at: list[float] = []
        self.news = threading.Event()

    def __call__(self, changes: list[Change]) -> None:
        self.heard += changes
        self.at += [time.monotonic()] * len(changes)
        self.news.set()

    def wait(self, count: int = 1, seconds: float = PATIENCE) -> None:
        end = time.monotonic() + seconds
        while len(self.heard) < count and time.monotonic() < end:
            time.sleep(0.002)


@pytest.fixture
def feed(app) -> Iterator[Feed]:
    made = Feed()
    yield made
    made.close()


@pytest.fixture
def talk(account) -> Conversation:
    return contacts.find_or_add(account, MARGARETHE, "Margarethe Schößler")[1]


def change(account: Account | int, count: int = 1) -> float:
    with database.atomic():
        for _ in range(count):
            log_change(account if isinstance(account, int) else account.id, "conversation", 1)
    return time.monotonic()


def test_a_committed_change_is_heard_at_once_and_by_its_account_only(feed, account, other_account):
    ear, stranger = Ear(account.id), Ear(other_account.id)
    feed.listen(ear)
    feed.listen(stranger)
    waits = []
    for n in range(1, 21):
        committed = change(account)
        ear.wait(n)
        waits.append(ear.at[-1] - committed)
    assert len(ear.heard) == 20
    assert sorted(waits)[-2] < 0.3 * crowd()
    assert stranger.heard == []


def test_what_is_rolled_back_is_never_heard(feed, account, talk, anna):
    ear = Ear(account.id)
    feed.listen(ear)
    with database.atomic() as transaction:
        sending.add_note(talk, "Doch nicht", anna)
        transaction.rollback()
    sending.add_note(talk, "Doch", anna)
    ear.wait()
    assert len(ear.heard) == 1


def test_a_change_belongs_to_a_transaction(account):
    with pytest.raises(AssertionError):
        log_change(account.id, "conversation", 1)


def test_another_process_is_heard_within_300_milliseconds(feed, account, settings):
    ear = Ear(account.id)
    feed.listen(ear)
    program = (
        "import sys, time\n"
        "from sms import db\n"
        "from sms.models import log_change\n"
        f"db.connect({settings.database_url!r}); db.database.connect()\n"
        "for n in range(5):\n"
        "    with db.database.atomic(): log_change(1, 'conversation', 1)\n"
        "    print(time.monotonic(), flush=True); time.sleep(0.1)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    ear.wait(5)
    committed = [float(line) for line in done.stdout.split()]
    waits = sorted(heard - at for heard, at in zip(ear.at, committed, strict=True))
    assert waits[-2] < 0.3 * crowd(), waits


@pytest.mark.postgresql
def test_a_change_that_is_committed_after_a_later_one_is_heard_too_and_each_once(feed, account, late):
    ear = Ear(account.id)
    feed.listen(ear)
    first = live.newest()
    change(account)
    ear.wait()
    assert [c.kind for c in ear.heard] == ["conversation"]
    assert feed.settled == first
    late.commit()
    committed = time.monotonic()
    ear.wait(2)
    assert [c.kind for c in ear.heard] == ["conversation", "contact"]
    assert ear.at[-1] - committed < 0.3 * crowd()
    assert feed.settled == live.newest()


@pytest.mark.postgresql
def test_a_feed_that_starts_in_between_hears_the_late_change(feed, account, late):
    change(account)
    ear = Ear(account.id)
    feed.listen(ear)
    late.commit()
    ear.wait()
    assert [c.kind for c in ear.heard] == ["contact"]


@pytest.mark.postgresql
def test_a_change_that_is_rolled_back_holds_up_the_cursor_for_a_moment_only(feed, account):
    ear = Ear(account.id)
    feed.listen(ear)
    with database.atomic() as transaction:
        log_change(account.id, "contact", 1)
        transaction.rollback()
    change(account)
    ear.wait()
    assert feed.settled == live.newest() - 2
    end = time.monotonic() + PATIENCE
    while feed.settled != live.newest() and time.monotonic() < end:
        time.sleep(0.05)
    assert feed.settled == live.newest()
    assert len(ear.heard) == 1


@pytest.mark.postgresql
def test_the_feed_goes_on_where_the_server_has_ended_its_connections(feed, account):
    ear = Ear(account.id)
    feed.listen(ear)
    change(account)
    ear.wait()
    database.execute_sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    change(account)
    ear.wait(2)
    assert len(ear.heard) == 2


def test_a_burst_longer_than_one_reading_is_heard_to_its_end(feed, account):
    ear = Ear(account.id)
    feed.listen(ear)
    change(account, live.AT_ONCE * 2 + 3)
    ear.wait(live.AT_ONCE * 2 + 3)
    ids = [c.id for c in ear.heard]
    assert len(ids) == live.AT_ONCE * 2 + 3
    assert ids == sorted(set(ids))


def test_one_listener_that_fails_does_not_deafen_the_others(feed, account):
    class Broken(Ear):
        def __call__(self, changes: list[Change]) -> None:
            raise RuntimeError("broken")

    ears = [Broken(account.id), Ear(account.id), Broken(account.id)]
    for ear in ears:
        feed.listen(ear)
    change(account)
    ears[1].wait()
    assert len(ears[1].heard) == 1


def test_who_leaves_hears_nothing_more_and_leaves_nothing_behind(feed, account):
    ear = Ear(account.id)
    feed.listen(ear)
    assert len(feed) == 1
    feed.leave(ear)
    feed.leave(ear)
    assert len(feed) == 0
    change(account)
    time.sleep(0.15)
    assert ear.heard == []


def test_what_was_missed_is_replayed_up_to_a_limit(app, account, other_account):
    start = live.newest()
    listener = Ear(account.id).listener
    assert live.missed(listener, start) == []
    change(other_account, 300)
    change(account, AT_MOST)
    assert len(live.missed(listener, start) or []) == AT_MOST
    change(account)
    assert live.missed(listener, start) is None


def test_old_changes_are_forgotten_and_a_page_that_was_away_for_longer_reloads(app, account):
    listener = Ear(account.id).listener
    change(account, 2500)
    asleep = live.newest() - 3
    clock.shift(live.KEPT + timedelta(hours=1))
    change(account, 2)
    assert live.forget_old() == 2500
    assert live.forget_old() == 0
    assert live.missed(listener, asleep) is None
    assert len(live.missed(listener, live.newest() - 2) or []) == 2


def test_the_newest_change_stays_so_that_no_cursor_is_given_twice(app, account):
    change(account, 3)
    newest = live.newest()
    clock.shift(live.KEPT * 2)
    live.forget_old()
    assert live.newest() == newest
    change(account)
    assert live.newest() == newest + 1


@pytest.mark.parametrize(
    ("kind", "here", "own", "meaning"),
    [
        ("message", True, False, {"bubble", "list"}),
        ("message", False, False, {"list"}),
        ("status", True, True, {"tick", "list"}),
        ("conversation", True, False, {"conversation", "list"}),
        ("presence", True, False, {"presence"}),
        ("presence", True, True, set()),
        ("presence", False, False, set()),
        ("read", False, True, {"list"}),
        ("read", False, False, set()),
        ("draft", False, False, set()),
        ("erased", True, False, {"reload", "list"}),
        ("something new", True, False, set()),
    ],
)
def test_what_a_change_means_to_a_page(kind, here, own, meaning):
    told = Change(kind=kind, conversation=7, user=3)
    listener = Listener(1, 3 if own else 4, 7 if here else 8, "de", "Europe/Berlin")
    assert set(live.concerns(told, listener)) == meaning


def test_each_kind_of_change_that_verbs_write_means_something(account, talk, anna):
    from sms import inbox

    contacts.save(talk.contact, "Margarethe", {})
    inbox.show_presence(anna, talk)
    inbox.save_draft(anna, talk, "reply", "x")
    inbox.set_status(talk, "pending", anna)
    sending.cancel(sending.reply(talk, "Hallo", by=anna))
    contacts.erase(talk.contact)
    assert User.get_by_id(anna.id)
    assert {c.kind for c in Change.select()} <= set(live._RULES)
