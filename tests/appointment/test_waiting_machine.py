"""Whatever happens in whatever order: a freed time never has two owners, and nobody holds two offers."""

from collections import Counter
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from sms import clock, receiving
from sms.carriers.contract import IncomingText
from sms.models import Account, Expectation, Message
from sms.modules.appointment import answers, diary, reminding, waiting
from sms.modules.appointment.models import Appointment, Offer, Slot, Waiting
from sms.refusal import Conflict, Refused
from tests.appointment.phones import NINE, it_is, put, scheme_of
from tests.carrier_side import sid
from tests.machines import Practice, play
from tests.survey.surveys_for_tests import take_everything

OWNERS = ("+491713920033", "+491713920034")
PEOPLE = ("+491713920042", "+491713920029", "+491713920012")


class FreedTimes(Practice):
    """Two appointments are declined, taken back and cancelled; three people wait, answer, leave and come back."""

    @initialize()
    def begin(self) -> None:
        self.account = Account.get()
        it_is(NINE - timedelta(hours=40))
        scheme_of(self.account, "sms", cutoff_minutes=30)
        self.left = [
            put(self.account, number, NINE + timedelta(hours=n), f"T-{n}") for n, number in enumerate(OWNERS)
        ]
        it_is(NINE - timedelta(hours=23))
        reminding.work()
        take_everything()
        for person in PEOPLE:
            waiting.add(self.account, person)

    @rule(which=st.integers(0, 1), state=st.sampled_from(("declined", "declined", "confirmed", "open")))
    def set(self, which: int, state: str) -> None:
        try:
            answers.set_state(self._now(which), state, "agent", None)
        except Conflict:
            assert waiting.is_given(self._now(which))

    @rule(
        which=st.integers(0, 1),
        how=st.sampled_from(("declined", "cancelled")),
        words=st.sampled_from(("Ja", "Nein", "")),
    )
    def becomes_free(self, which: int, how: str, words: str) -> None:
        """It is offered at once, and perhaps somebody answers at once."""
        self.set(which, how)
        self.work(0)
        if words:
            self.answer_an_offer(0, words)

    @rule(which=st.integers(0, 1))
    def cancel(self, which: int) -> None:
        diary.cancel(self.account, f"T-{which}")

    @rule(which=st.integers(0, 1))
    def comes_in_again(self, which: int) -> None:
        """A calendar that is read again still has it."""
        put(self.account, OWNERS[which], self._now(which).start, f"T-{which}")

    @rule(person=st.sampled_from(PEOPLE))
    def wait(self, person: str) -> None:
        try:
            waiting.add(self.account, person)
        except Refused as refusal:
            if refusal.code not in ("waits_already", "opted_out"):
                raise

    @rule(person=st.sampled_from(PEOPLE))
    def leave(self, person: str) -> None:
        for row in waiting.listing(self.account):
            if row.number == person:
                waiting.remove(self.account, row.id)

    @rule(
        person=st.sampled_from((*PEOPLE, *OWNERS)),
        words=st.sampled_from(("Ja", "Nein", "Vielleicht", "Stop")),
    )
    def answer(self, person: str, words: str) -> None:
        sent = Message.select().where(Message.theirs == person, Message.direction == "outgoing")
        if newest := sent.order_by(Message.id.desc()).first():
            self._says(newest, words)

    @rule(which=st.integers(0, 2), words=st.sampled_from(("Ja", "Ja", "Ja", "Nein")))
    def answer_an_offer(self, which: int, words: str) -> None:
        """Also one that has ended by now."""
        if offers := list(Offer.select().order_by(Offer.id.desc()).limit(which + 1)):
            self._says(Message.get_by_id(offers[-1].message), words)

    def _says(self, sent: Message, words: str) -> None:
        receiving.receive_text("sandbox", IncomingText(sid(), sent.theirs, sent.ours, words))
        take_everything()

    @rule(minutes=st.sampled_from((0, 0, 5, 15, 15, 60, 600)))
    def work(self, minutes: int) -> None:
        clock.shift(timedelta(minutes=minutes))
        waiting.work()
        take_everything()

    @rule()
    def a_worker_looks_twice(self) -> None:
        waiting.work()
        waiting.work()
        take_everything()

    def _now(self, which: int) -> Appointment:
        return Appointment.get_by_id(self.left[which].id)

    @invariant()
    def a_time_has_one_owner(self) -> None:
        rows = Appointment.select().where(Appointment.state.not_in(waiting.FREE))
        assert max(Counter(row.start for row in rows).values(), default=0) <= 1

    @invariant()
    def offers_and_times_agree(self) -> None:
        for slot in Slot.select():
            accepted = [o for o in slot.offer_set if o.state == "accepted"]
            assert len(accepted) == (slot.state == "given")
            assert (slot.given_to is not None) == (slot.state == "given")
            assert slot.state == "open" or not [o for o in slot.offer_set if o.state == "open"]

    @invariant()
    def nobody_holds_two_offers_and_who_holds_one_waits(self) -> None:
        held: Any = [o for o in Offer.select() if o.state == "open"]
        assert max(Counter(o.waiting.number for o in held).values(), default=0) <= 1
        assert all(o.waiting.done_at is None for o in held)
        expected = {e.theirs for e in Expectation.select() if e.subject.startswith(waiting.SUBJECT)}
        assert expected == {o.waiting.number for o in held}

    @invariant()
    def who_got_a_time_waits_no_more(self) -> None:
        for offer in Offer.select().where(Offer.state == "accepted"):
            assert Waiting.get_by_id(offer.waiting_id).done_at is not None


def test_a_freed_time_never_has_two_owners(app, template, settings):
    play(FreedTimes, template[0], settings, runs=40, steps=30)
