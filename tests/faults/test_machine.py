"""Two carriers, processes that die, reports in any order, people who change their minds: three things always hold."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, initialize, invariant, multiple, rule

from sms import clock, delivery, exchange, failover, grey, health, outbox, receiving, sending, unknown
from sms.carriers.contract import CannotSay, Found, NotThere, Outcome, OutcomeKind, TextReport
from sms.models import Account, CarrierHealth, Message, User
from sms.refusal import Conflict
from tests.carrier_side import sid
from tests.counterpart import FIRST, SECOND, both, first, second, settings  # noqa: F401
from tests.machines import Practice, play

NUMBERS = ("+491713920042", "+491713920033")
RANK = {"scheduled": 0, "queued": 1, "sending": 2, "unknown": 3, "sent": 4}
FINAL = 5
NO = [
    OutcomeKind.rejected,
    OutcomeKind.temporary,
    OutcomeKind.throttled,
    OutcomeKind.unknown,
    OutcomeKind.auth,
]
names = st.sampled_from((FIRST, SECOND))


class Killed(BaseException):
    """Where a process dies, nothing after it happens and no open transaction is committed."""


class TwoCarriersAndMortals(Practice):
    """What a carrier has taken is decided when it is asked; everybody else finds out late, twice, or never."""

    messages = Bundle("messages")
    handed = Bundle("handed")

    @initialize()
    def open(self) -> None:
        health.forget()
        self.account = Account.select().order_by(Account.id).get()
        self.anna = User.get(User.account == self.account)
        self.taken: dict[str, tuple[str, str]] = {}  # key of an attempt -> carrier and its reference
        self.told: dict[str, str] = {}  # reference -> what became of it, as the carrier knows
        self.round: dict[str, tuple[int, int]] = {}  # key -> message and how often a person had asked by then
        self.asked: dict[int, int] = {}
        self.seen: dict[int, tuple[int, int]] = {}
        self.carriers = exchange.carriers()
        self.answers = True
        for name, carrier in self.carriers.items():
            carrier.find_sent = self._finder(name)  # type: ignore[method-assign]
            carrier.find_report = self._find_report  # type: ignore[method-assign]

    def _finder(self, name: str) -> Callable[..., Any]:
        def find(text: Any, since: Any, known: Any = frozenset()) -> Any:
            if not self.answers:
                return CannotSay("busy")
            carrier, reference = self.taken.get(text.key, ("", ""))
            return Found(reference, self.told.get(reference)) if carrier == name else NotThere()  # type: ignore[arg-type]

        return find

    def _find_report(self, reference: str, sender: str = "") -> Any:
        return Found(reference, self.told.get(reference)) if self.answers else CannotSay("busy")  # type: ignore[arg-type]

    @rule(target=messages, to=st.sampled_from(NUMBERS), later=st.booleans(), lot=st.integers(1, 3))
    def send(self, to: str, later: bool, lot: int) -> Any:
        at = clock.now() + timedelta(minutes=3) if later else None
        made = [sending.send(self.account, to, "Hallo", by=self.anna, send_at=at).id for _ in range(lot)]
        self.asked |= dict.fromkeys(made, 0)
        return multiple(*made)

    @rule(target=handed, name=names, most=st.integers(1, 4), taken=st.integers(0, 15), dies=st.booleans())
    def claim(self, name: str, most: int, taken: int, dies: bool) -> Any:
        """A worker claims a lot and hands it over; `taken` tells by its bits which of them the carrier takes.

        It may die before the claim is committed; that it dies afterwards is that nobody ever answers.
        """
        if dies:
            _killing("sms.pace.take", lambda: outbox.claim(name, most))
            return multiple()
        claimed = outbox.claim(name, most).texts
        for place, message in enumerate(claimed):
            self._hand(message, bool(taken >> place & 1))
        return multiple(*claimed)

    def _hand(self, message: Message, takes: bool) -> None:
        self.round[message.key] = (message.id, self.asked[message.id])
        if takes:
            self.taken[message.key] = message.carrier, sid()

    def _answer(self, message: Message, kind: OutcomeKind, lost: bool) -> Outcome:
        """What the worker hears: of a text that was taken that it was, or nothing; of another one anything else."""
        if message.key not in self.taken:
            return Outcome(kind)
        return (
            Outcome(OutcomeKind.unknown)
            if lost
            else Outcome(OutcomeKind.accepted, self.taken[message.key][1])
        )

    @rule(
        lot=st.lists(handed, min_size=1, max_size=4, unique_by=lambda m: m.key),
        kind=st.sampled_from(NO), lost=st.booleans(), dies=st.booleans(),
    )  # fmt: skip
    def answer(self, lot: list[Message], kind: OutcomeKind, lost: bool, dies: bool) -> None:
        """Answers come back, once or again, early or when the lease is long over; the worker may die writing them."""
        answers = [(message, self._answer(message, kind, lost)) for message in lot]
        if dies:
            _killing("sms.delivery.show_all", lambda: delivery.settle_all(answers))
            _killing("sms.delivery.log_change", lambda: delivery.settle_all(answers))
            return
        delivery.settle_all(answers)
        failover.after_outcomes(answers)

    @rule(
        message=handed,
        status=st.sampled_from(("sent", "delivered", "undelivered", "failed")),
        times=st.integers(1, 2),
    )
    def report(self, message: Message, status: Any, times: int) -> None:
        carrier, reference = self.taken.get(message.key, ("", ""))
        if reference:
            self.told.setdefault(reference, status)
            for _ in range(times):
                receiving.receive_report(carrier, TextReport(reference, message.key, status))

    @rule(message=messages, wish=st.sampled_from(("cancel", "send_now")))
    def change_ones_mind(self, message: int, wish: str) -> None:
        try:
            getattr(sending, wish)(Message.get_by_id(message), by=self.anna)
        except Conflict:
            return

    @rule(message=messages)
    def try_again(self, message: int) -> None:
        try:
            sending.retry(Message.get_by_id(message), by=self.anna)
        except Conflict:
            return
        self.asked[message] += 1
        self.seen.pop(message, None)

    @rule(name=names, state=st.sampled_from(("up", "sick", "recovering")))
    def fall_ill_or_recover(self, name: str, state: str) -> None:
        _judge(name, state)
        failover.sweep()

    @rule(seconds=st.sampled_from((1, 15, 40, 70, 900)), answers=st.booleans(), dies=st.booleans())
    def time_passes(self, seconds: int, answers: bool, dies: bool) -> None:
        clock.shift(timedelta(seconds=seconds))
        self.answers = answers
        if dies:
            _killing("sms.delivery.log_change", outbox.sweep)
        self._sweep()

    def _sweep(self) -> None:
        outbox.sweep()
        unknown.ask_about_unknown()
        for name in self.carriers:
            grey.ask_about_grey(name)

    @invariant()
    def a_status_only_moves_forward(self) -> None:
        """But for a text that was provably not taken, which is queued again."""
        for message in Message.select():
            now = (self.asked.get(message.id, 0), RANK.get(message.status, FINAL))
            before = self.seen.get(message.id, now)
            again = message.status in ("queued", "sending", "unknown") and before[1] < RANK["sent"]
            assert now >= before or again, (message.status, before)
            self.seen[message.id] = now

    @invariant()
    def a_message_is_taken_once_unless_a_person_asked_again(self) -> None:
        taken = [self.round[key] for key in self.taken]
        assert len(taken) == len(set(taken))

    @invariant()
    def nothing_waits_for_nobody(self) -> None:
        for message in Message.select():
            if message.status in ("queued", "scheduled"):
                assert message.next_at is not None
            if message.status == "sending":
                assert message.lease_until is not None

    def teardown(self) -> None:
        if hasattr(self, "carriers"):
            self._rest()
            for carrier in self.carriers.values():
                del carrier.find_sent, carrier.find_report
        super().teardown()

    def _rest(self) -> None:
        """Whatever has happened: with carriers that answer, every message comes to an end by itself."""
        self.answers = True
        for name in self.carriers:
            _judge(name, "up")
        for _ in range(14):
            clock.shift(timedelta(minutes=20))
            self._sweep()
            for name in self.carriers:
                while claimed := outbox.claim(name, 10).texts:
                    for message in claimed:
                        self._hand(message, True)
                    delivery.settle_all([(m, self._answer(m, OutcomeKind.unknown, False)) for m in claimed])
        self.a_message_is_taken_once_unless_a_person_asked_again()
        left = {m.status for m in Message.select() if not (m.status == "unknown" and m.lease_until is None)}
        assert left <= {"sent", "delivered", "undelivered", "failed", "cancelled"}, left


def _judge(name: str, state: str) -> None:
    """Let a carrier stand like this, as judging would."""
    values = {"state": state, "share": 50 if state == "recovering" else 100}
    CarrierHealth.insert(carrier=name, since=clock.now(), **values).on_conflict(
        conflict_target=[CarrierHealth.carrier], update=values
    ).execute()
    health.forget()


def _killing(place: str, work: Callable[[], Any]) -> None:
    """Do some work in a process that dies when it comes to a function."""
    from importlib import import_module

    module, name = place.rsplit(".", 1)
    owner = import_module(module)
    real = getattr(owner, name)

    def die(*args: Any, **kwargs: Any) -> None:
        raise Killed

    setattr(owner, name, die)
    try:
        work()
    except Killed:
        pass
    finally:
        setattr(owner, name, real)


def test_whoever_dies_and_whatever_carriers_do_three_things_hold(both, template, settings):  # noqa: F811
    play(TwoCarriersAndMortals, template[0], settings, runs=15, steps=30)
