"""The hook by which the core asks its modules, and the dialog, which is the first of them."""

import re
import threading
from pathlib import Path

import pytest

from sms import contacts, inbox, mornings, queue, receiving, sending, tasks
from sms import modules as registry
from sms.carriers.contract import IncomingText
from sms.db import database
from sms.models import Account, Conversation, Message
from sms.modules import Module
from sms.tasks import deliveries, sweeps
from tests.carrier_side import MARGARETHE, POOL, TORSTEN, sid
from tests.outbox import claim_one


@pytest.fixture(autouse=True)
def _carriers(app):
    assert tasks.deliveries


def test_every_folder_is_a_module_and_the_dialog_is_asked_last(app):
    known = list(registry.modules().values())
    assert [m.name for m in known] == sorted(
        (m.name for m in known), key=lambda n: (registry.modules()[n].order, n)
    )
    assert known[-1].name == "dialog"


def test_the_dialog_takes_whatever_no_other_module_wants(account, anna):
    _, talk = contacts.find_or_add(account, MARGARETHE)
    inbox.set_status(talk, "closed", anna)
    receiving.receive_text("sandbox", IncomingText(sid(), MARGARETHE, POOL[0], "Hallo"))
    assert Conversation.get().status == "open"


def test_a_module_with_a_keyword_comes_before_the_dialog(account, anna, monkeypatch):
    def on_incoming(message: Message, conversation: Conversation) -> bool:
        return message.text == "GEWINNEN"

    game = Module(name="game", on_incoming=on_incoming, order=10)
    monkeypatch.setattr(receiving, "modules", lambda: {"game": game, **registry.modules()})
    _, talk = contacts.find_or_add(account, MARGARETHE)
    inbox.set_status(talk, "closed", anna)
    receiving.receive_text("sandbox", IncomingText(sid(), MARGARETHE, POOL[0], "GEWINNEN"))
    assert Conversation.get().status == "closed"
    receiving.receive_text("sandbox", IncomingText(sid(), MARGARETHE, POOL[0], "Hallo"))
    assert Conversation.get().status == "open"


def test_the_module_that_sent_a_message_is_told_of_its_status(account, monkeypatch):
    told: list[tuple[str, str]] = []
    survey = Module(name="survey", on_report=lambda m: told.append((m.source, m.status)))
    monkeypatch.setattr(deliveries, "modules", lambda: {"survey": survey})
    rung: list[tuple[str, tuple[list[int], ...]]] = []
    monkeypatch.setattr(queue, "_ring", lambda name, args, *rest: rung.append((name, args)))
    theirs = sending.send(account, MARGARETHE, "Frage 1", source="survey")
    sending.send(account, MARGARETHE, "Von einer Person")
    from sms import delivery
    from sms.carriers.contract import Outcome, OutcomeKind

    for _ in range(2):
        delivery.settle(claim_one(), Outcome(OutcomeKind.accepted, sid()))
    assert [r for r in rung if r[0] == "tell_modules"] == [("tell_modules", ([theirs.id],))]
    deliveries.tell_modules([theirs.id])
    assert told == [("survey", "sent")]
    deliveries.tell_modules([theirs.id + 1000])  # erased meanwhile


def test_a_module_that_fails_at_one_report_hears_of_the_next(account, monkeypatch):
    told: list[int] = []
    survey = Module(
        name="survey", on_report=lambda m: told.append(m.id) if told or m.id != first.id else 1 / 0
    )
    monkeypatch.setattr(deliveries, "modules", lambda: {"survey": survey})
    first, second = (sending.send(account, to, "Frage 1", source="survey") for to in (MARGARETHE, TORSTEN))
    deliveries.tell_modules([first.id, second.id])
    assert told == [second.id]


def written_by_somebody_else(account: Account) -> None:
    """Write over another connection, as another process does."""

    def write() -> None:
        with database.connection_context():
            Account.update(name=f"{account.name}.").where(Account.id == account.id).execute()

    thread = threading.Thread(target=write)
    thread.start()
    thread.join()


def test_a_module_may_write_at_a_report_though_others_have_written_meanwhile(account, monkeypatch):
    told: list[int] = []

    def on_report(message: Message) -> None:
        written_by_somebody_else(account)
        with database.atomic():
            Account.update(name="Praxis").where(Account.id == account.id).execute()
        told.append(message.id)

    monkeypatch.setattr(deliveries, "modules", lambda: {"survey": Module(name="survey", on_report=on_report)})
    ids = [sending.send(account, to, "Frage 1", source="survey").id for to in (MARGARETHE, TORSTEN)]
    deliveries.tell_modules(ids)
    assert told == ids


def test_the_look_at_the_quiet_hours_may_write_though_others_have_written_meanwhile(
    account, other_account, monkeypatch
):
    told: list[int] = []
    look_of = mornings._look_of

    def slow_look_of(one: Account) -> mornings._Looked:
        written_by_somebody_else(account)
        return look_of(one)

    listener = Module(name="survey", on_hours=lambda one: told.append(one.id))
    monkeypatch.setattr(mornings, "modules", lambda: {"survey": listener})
    monkeypatch.setattr(mornings, "_look_of", slow_look_of)
    mornings._looked.clear()
    mornings.sweep()
    assert told == [account.id, other_account.id]


def test_a_sweep_that_fails_does_not_keep_the_others_from_running(account, anna, monkeypatch):
    from datetime import timedelta

    from sms import clock, outbox

    _, talk = contacts.find_or_add(account, MARGARETHE)
    inbox.set_status(talk, "snoozed", anna, clock.now() + timedelta(minutes=1))
    ticked = []
    modules = {"survey": Module(name="survey", tick=lambda: ticked.append(1))}
    monkeypatch.setattr(sweeps, "modules", lambda: modules)
    monkeypatch.setattr(outbox, "_release_scheduled", lambda moment: 1 / 0)
    clock.shift(timedelta(minutes=2))
    sweeps.tick()
    assert Conversation.get().status == "open"
    assert ticked == [1]


def test_every_doorbell_that_is_rung_has_a_job(app):
    """A misspelt name would be found only when it rings."""
    source = Path(receiving.__file__).parent
    rung = {
        name
        for file in source.rglob("*.py")
        for name in re.findall(r"queue\.later\(\s*\"(\w+)\"", file.read_text("utf-8"))
    }
    assert {"deliver", "ask_carriers", "fetch_recording", "tell_modules", "tidy"} <= rung
    assert rung <= set(queue._registered)
