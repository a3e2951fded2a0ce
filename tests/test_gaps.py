"""Changes that are committed out of order: each is handed out once, none is skipped, and the settled id is no lie."""

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from sms.gaps import GIVEN_UP, SURELY_WRITING, Gaps


@dataclass
class Server:
    """PostgreSQL as far as it matters: ids and transaction numbers come before the commit, in any order."""

    next_id: int = 1
    next_transaction: int = 1
    committed: set[int] = field(default_factory=set)
    running: dict[int, set[int]] = field(default_factory=dict)

    def begin(self) -> int:
        number, self.next_transaction = self.next_transaction, self.next_transaction + 1
        self.running[number] = set()
        return number

    def write(self, number: int) -> None:
        self.running[number].add(self.next_id)
        self.next_id += 1

    def snapshot(self) -> tuple[int, int]:
        return min(self.running, default=self.next_transaction), self.next_transaction


@dataclass
class Reader:
    server: Server
    gaps: Gaps = field(default_factory=Gaps)
    handed: list[int] = field(default_factory=list)

    def read(self, at: float, limit: int = 1000) -> None:
        snapshot = self.server.snapshot()
        late = [
            i for i in sorted(self.server.committed) if any(g.first <= i <= g.last for g in self.gaps.open)
        ]
        if self.gaps.open:
            self.gaps.saw(late, at)
            self.gaps.close(*snapshot, at)
        fresh = [i for i in sorted(self.server.committed) if i > self.gaps.cursor][:limit]
        self.gaps.saw(fresh, at)
        self.handed += late + fresh


STEPS = st.lists(
    st.tuples(st.sampled_from(["begin", "write", "commit", "roll back", "read", "wait"]), st.integers(0, 7)),
    max_size=80,
)


@given(STEPS, st.integers(1, 3))
def test_each_committed_change_is_handed_out_once_in_whatever_order(steps, limit):
    server = Server()
    reader, at = Reader(server), 0.0
    for what, which in steps:
        running = sorted(server.running)
        number = running[which % len(running)] if running else None
        if what == "begin":
            server.begin()
        elif what == "read":
            reader.read(at, limit)
        elif what == "wait":
            at += SURELY_WRITING / 2
        elif number is not None and what == "write":
            server.write(number)
        elif number is not None:
            ids = server.running.pop(number)
            server.committed |= ids if what == "commit" else set()
        assert len(reader.handed) == len(set(reader.handed))
        pending = server.committed.union(*server.running.values()) - set(reader.handed)
        assert all(i > reader.gaps.settled for i in pending)
    for number in list(server.running):
        server.committed |= server.running.pop(number)
    for _ in range(200):
        at += SURELY_WRITING
        reader.read(at, limit)
    assert sorted(reader.handed) == sorted(server.committed)
    assert reader.gaps.open == []


def test_a_gap_stays_open_while_the_transaction_runs_that_may_fill_it():
    gaps = Gaps(4)
    gaps.saw([6], at=0)
    assert (gaps.cursor, gaps.settled) == (6, 4)
    gaps.close(oldest=90, next_one=100, at=SURELY_WRITING)
    gaps.close(oldest=99, next_one=120, at=SURELY_WRITING * 2)
    assert gaps.settled == 4
    gaps.close(oldest=100, next_one=130, at=SURELY_WRITING * 3)
    assert gaps.settled == 6


def test_an_id_that_was_taken_a_moment_before_its_transaction_has_a_number_is_waited_for():
    gaps = Gaps(4)
    gaps.saw([6], at=0)
    gaps.close(oldest=100, next_one=100, at=0.01)
    assert gaps.settled == 4
    gaps.saw([5], at=0.02)
    assert gaps.settled == 6


def test_a_gap_is_given_up_where_somebody_elses_transaction_never_ends():
    gaps = Gaps(4)
    gaps.saw([6], at=0)
    gaps.close(oldest=1, next_one=100, at=GIVEN_UP - 1)
    assert gaps.settled == 4
    gaps.close(oldest=1, next_one=100, at=GIVEN_UP)
    assert gaps.settled == 6
