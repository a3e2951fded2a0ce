"""Which number a message leaves from, and that a reply always has exactly one owner."""

from datetime import timedelta

import pytest
from hypothesis import assume
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from sms import accounts, clock, delivery, exchange, outbox, receiving, routing, sending
from sms.carriers.contract import IncomingText, Outcome, OutcomeKind
from sms.models import Account, Message, Route, Sender
from sms.refusal import Refused
from tests.carrier_side import ILSE, MARGARETHE, POOL, TORSTEN, VOICE, sid
from tests.machines import Practice, play
from tests.outbox import claim_one


@pytest.fixture(autouse=True)
def _carriers(settings, database_file):
    exchange.connect(settings)


def test_a_contact_keeps_its_pool_number(account):
    first = sending.send(account, MARGARETHE, "Eins")
    sending.send(account, TORSTEN, "Jemand anderes")
    clock.shift(timedelta(days=400))
    assert sending.send(account, MARGARETHE, "Zwei").ours == first.ours


def test_two_accounts_never_share_a_number_for_the_same_person(account, other_account):
    mine = sending.send(account, MARGARETHE, "Praxis")
    theirs = sending.send(other_account, MARGARETHE, "Autohaus")
    assert mine.ours != theirs.ours
    assert {mine.ours, theirs.ours} <= set(POOL)
    assert sending.send(other_account, TORSTEN, "Ein anderer").ours == mine.ours


def test_a_number_that_another_account_uses_with_this_person_cannot_be_chosen(account, other_account):
    mine = sending.send(account, MARGARETHE, "Praxis")
    with pytest.raises(Refused) as refused:
        sending.send(other_account, MARGARETHE, "Autohaus", sender=mine.ours)
    assert (refused.value.field, refused.value.code) == ("sender", "number_in_use")
    assert Message.select().count() == 1


def test_an_exhausted_pool_says_so_and_stores_nothing(account, other_account):
    third, fourth = accounts.add_account("Drei"), accounts.add_account("Vier")
    for writer in (account, other_account, third):
        sending.send(writer, MARGARETHE, "Hallo")
    with pytest.raises(Refused) as refused:
        sending.send(fourth, MARGARETHE, "Hallo")
    assert (refused.value.field, refused.value.code) == ("sender", "pool_exhausted")
    assert Message.select().where(Message.account == fourth).count() == 0


def test_a_number_at_rest_for_thirty_days_may_serve_another_account(account, other_account):
    third, fourth = accounts.add_account("Drei"), accounts.add_account("Vier")
    oldest = sending.send(account, MARGARETHE, "Hallo")
    clock.shift(routing.RELEASED_AFTER + timedelta(minutes=1))
    for writer in (other_account, third):
        sending.send(writer, MARGARETHE, "Hallo")
    assert sending.send(fourth, MARGARETHE, "Hallo").status == "queued"
    owners = {r.our: r.account_id for r in Route.select().where(Route.their == MARGARETHE)}
    assert len(owners) == 3
    assert account.id not in owners.values()
    assert owners[oldest.ours] == other_account.id


def test_a_scheduled_message_leaves_from_another_number_where_its_own_was_taken_over(account, other_account):
    planned = sending.send(
        account, MARGARETHE, "Jahresuntersuchung", send_at=clock.now() + timedelta(days=60)
    )
    clock.shift(timedelta(days=40))
    taken_over = sending.send(other_account, MARGARETHE, "Autohaus")
    assert taken_over.ours == planned.ours
    clock.shift(timedelta(days=20, minutes=1))
    outbox.sweep()
    released = Message.get_by_id(planned.id)
    assert released.status == "queued"
    assert released.ours != taken_over.ours
    assert routing.owner_of_reply(released.ours, MARGARETHE) == account


def test_a_message_tried_again_much_later_finds_its_way_anew(account, anna, other_account):
    failed = sending.send(account, MARGARETHE, "Hallo")
    delivery.settle(claim_one(), Outcome(OutcomeKind.rejected))
    clock.shift(timedelta(days=40))
    sending.send(other_account, MARGARETHE, "Autohaus")
    again = sending.retry(Message.get_by_id(failed.id), by=anna)
    assert routing.owner_of_reply(again.ours, MARGARETHE) == account


def test_a_scheduled_message_for_which_no_number_is_left_fails_and_says_why(account, other_account):
    planned = sending.send(account, MARGARETHE, "Später", send_at=clock.now() + timedelta(days=60))
    clock.shift(timedelta(days=59))
    for name in ("Drei", "Vier"):
        sending.send(accounts.add_account(name), MARGARETHE, "Hallo")
    sending.send(other_account, MARGARETHE, "Hallo")
    clock.shift(timedelta(days=1, minutes=1))
    outbox.sweep()
    failed = Message.get_by_id(planned.id)
    assert (failed.status, failed.error) == ("failed", "pool_exhausted")


def test_a_call_leaves_from_a_number_that_can_be_called(account):
    assert sending.send(account, ILSE, "Guten Tag").ours == VOICE
    assert sending.send(account, ILSE, "Guten Tag", sender="PRAXIS").ours == VOICE


def test_a_text_never_leaves_from_a_number_that_only_talks(account):
    with pytest.raises(Refused) as refused:
        sending.send(account, MARGARETHE, "Hallo", sender=VOICE)
    assert refused.value.field == "sender"


def test_an_own_number_is_used_where_it_is_named_and_refused_to_others(account, other_account):
    Sender.create(account=account, kind="virtual", value="+491713920019", created_at=clock.now())
    assert sending.send(account, MARGARETHE, "Hallo", sender="0171 3920019").ours == "+491713920019"
    with pytest.raises(Refused) as refused:
        sending.send(other_account, MARGARETHE, "Hallo", sender="+491713920019")
    assert refused.value.code == "sender_not_owned"


def test_the_default_sender_is_used_where_none_is_named(account):
    Sender.create(
        account=account, kind="alphanumeric", value="PRAXIS", is_default=True, created_at=clock.now()
    )
    assert sending.send(account, MARGARETHE, "Hallo").ours == "PRAXIS"
    assert [c.value for c in routing.senders(account) if c.default] == ["PRAXIS"]


def test_a_text_to_a_pool_number_nobody_writes_from_belongs_to_the_first_account(account, other_account):
    assert routing.owner_of_reply(POOL[2], MARGARETHE) == account
    assert routing.owner_of_reply("+491713920099", MARGARETHE) == account


def test_after_an_unasked_text_another_account_gets_another_number(account, other_account):
    incoming = IncomingText(sid(), MARGARETHE, POOL[0], "Hallo")
    receiving.receive_text("sandbox", incoming)
    assert sending.send(other_account, MARGARETHE, "Autohaus").ours != POOL[0]
    assert sending.send(account, MARGARETHE, "Praxis").ours == POOL[0]


class ThreeAccountsOnePool(Practice):
    """Three accounts write to three people from a pool of three numbers; time passes; people answer."""

    people = st.sampled_from((MARGARETHE, TORSTEN, "+491713920043"))
    writers = st.integers(0, 2)

    @initialize()
    def found(self) -> None:
        self.last_writer: dict[tuple[str, str], int] = {}
        self.scheduled: list[Message] = []
        accounts.add_account("Eine dritte Firma")
        self.accounts = list(Account.select().order_by(Account.id))

    @rule(writer=writers, person=people, sender=st.sampled_from(("", "", *POOL)))
    def send(self, writer: int, person: str, sender: str) -> None:
        try:
            message = sending.send(self.accounts[writer], person, "Hallo", sender=sender)
        except Refused as refusal:
            if refusal.code not in ("number_in_use", "pool_exhausted"):
                raise
            return
        self.last_writer[message.ours, person] = writer

    @rule(writer=writers, person=people, days=st.integers(1, 70))
    def plan(self, writer: int, person: str, days: int) -> None:
        try:
            later = sending.send(
                self.accounts[writer], person, "Später", send_at=clock.now() + timedelta(days=days)
            )
        except Refused:
            return
        self.last_writer[later.ours, person] = writer
        self.scheduled.append(later)

    @rule(days=st.integers(1, 40))
    def wait(self, days: int) -> None:
        clock.shift(timedelta(days=days))
        outbox.sweep()
        for message in self.scheduled:
            now = Message.get_by_id(message.id)
            if message.status == "scheduled" and now.status == "queued":
                self.last_writer[now.ours, now.theirs] = next(
                    i for i, a in enumerate(self.accounts) if a.id == now.account_id
                )
            message.status = now.status

    @rule(person=people, ours=st.sampled_from(POOL))
    def answer(self, person: str, ours: str) -> None:
        assume((ours, person) in self.last_writer)
        owner = self.accounts[self.last_writer[ours, person]]
        message = receiving.receive_text("sandbox", IncomingText(sid(), person, ours, "Antwort"))
        assert message.account == owner
        assert message.conversation.account == owner

    @rule(person=people, ours=st.sampled_from(POOL))
    def write_unasked(self, person: str, ours: str) -> None:
        assume((ours, person) not in self.last_writer)
        message = receiving.receive_text("sandbox", IncomingText(sid(), person, ours, "Hallo?"))
        assert message.account == self.accounts[0]
        self.last_writer[ours, person] = 0

    @invariant()
    def every_pair_has_one_owner(self) -> None:
        pairs = [(r.our, r.their) for r in Route.select()]
        assert len(pairs) == len(set(pairs))


def test_a_reply_always_lands_with_the_account_that_wrote_last_from_that_number(app, template, settings):
    play(ThreeAccountsOnePool, template[0], settings, runs=15, steps=25)
