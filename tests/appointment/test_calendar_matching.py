"""Which event of a calendar is which appointment, whatever the calendar does with its UIDs."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from sms.modules.appointment.found import Found
from sms.modules.appointment.matching import Known, match

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2027, 3, 1, 8, tzinfo=UTC)
ANNA, BERND, CLARA = "+491713920041", "+491713920042", "+491713920043"


def known(id: int, uid: str, number: str, day: int, title="Kontrolle", there=True) -> Known:
    return Known(id, uid, number, NOW + timedelta(days=day), title, there)


def found(uid: str, number: str | None, day: int, title="Kontrolle") -> Found:
    return Found(uid, NOW + timedelta(days=day), BERLIN, number, title)


def same(matched) -> dict[int, str]:
    return {id: event.reference for id, event in matched.same.items()}


def test_the_uid_tells_whatever_else_has_changed():
    matched = match([known(1, "a", ANNA, 1)], [found("a", ANNA, 5, "Krone")], NOW)
    assert same(matched) == {1: "a"}
    assert not matched.renews


def test_new_uids_at_the_same_times_are_the_same_appointments():
    there = [known(1, "a1", ANNA, 1), known(2, "b1", BERND, 1), known(3, "c1", "", 2, "Besprechung")]
    events = [found("b2", BERND, 1), found("c2", None, 2, "Besprechung"), found("a2", ANNA, 1)]
    matched = match(there, events, NOW)
    assert same(matched) == {1: "a2", 2: "b2", 3: "c2"}
    assert matched.renews
    assert not matched.new and not matched.missing


def test_one_that_was_moved_in_a_calendar_with_new_uids_stays_the_same():
    there = [known(1, "a1", ANNA, 1), known(2, "b1", BERND, 1), known(3, "c1", CLARA, 1)]
    events = [found("a2", ANNA, 1), found("b2", BERND, 4), found("c2", CLARA, 1)]
    matched = match(there, events, NOW)
    assert same(matched) == {1: "a2", 2: "b2", 3: "c2"}
    assert not matched.missing


def test_the_only_appointment_renewed_and_moved_at_once_stays_the_same():
    matched = match([known(1, "a1", ANNA, 1)], [found("a2", ANNA, 2)], NOW)
    assert same(matched) == {1: "a2"}


def test_of_a_series_with_new_uids_the_one_that_moved_is_the_one_without_its_time():
    there = [known(n, f"old{n}", ANNA, 7 * n) for n in range(1, 6)]
    days = [7, 14, 22, 28, 35]
    matched = match(there, [found(f"new{n}", ANNA, day) for n, day in enumerate(days, 1)], NOW)
    assert same(matched) == {n: f"new{n}" for n in range(1, 6)}


def test_with_uids_that_stay_a_new_one_is_no_moved_one():
    there = [known(1, "a", ANNA, 1), known(2, "b", ANNA, 8), known(3, "c", BERND, 8)]
    matched = match(there, [found("b", ANNA, 8), found("c", BERND, 8), found("d", ANNA, 43)], NOW)
    assert [one.id for one in matched.missing] == [1]
    assert [one.reference for one in matched.new] == ["d"]


def test_events_that_are_numbered_anew_are_told_by_person_and_time():
    """UIDs 1, 2, 3 in the order of time: when the first is over, every number means somebody else."""
    there = [known(1, "1", ANNA, -2), known(2, "2", BERND, 1), known(3, "3", CLARA, 2)]
    matched = match(there, [found("1", BERND, 1), found("2", CLARA, 2), found("3", ANNA, 9)], NOW)
    assert same(matched) == {2: "1", 3: "2"}
    assert [one.reference for one in matched.new] == ["3"]


def test_a_number_that_was_added_by_hand_does_not_make_it_another():
    matched = match([known(1, "a1", ANNA, 1)], [found("a2", None, 1)], NOW)
    assert same(matched) == {1: "a2"}


def test_two_people_at_one_time_are_two():
    there = [known(1, "a1", ANNA, 1, "Mia"), known(2, "b1", ANNA, 1, "Ben")]
    matched = match(there, [found("x", ANNA, 1, "Ben"), found("y", ANNA, 1, "Mia")], NOW)
    assert same(matched) == {1: "y", 2: "x"}


def test_what_is_over_is_not_missing_and_what_was_called_off_is_no_longer_waited_for():
    there = [known(1, "a", ANNA, -1), known(2, "b", BERND, 1, there=False)]
    assert match(there, [], NOW).missing == []
    assert match(there, [found("b", BERND, 1)], NOW).same.keys() == {2}


def test_a_number_that_stands_in_every_event_joins_nothing():
    there = [known(n, f"old{n}", ANNA, n % 300 + 1, "Termin") for n in range(2000)]
    events = [found(f"new{n}", ANNA, 400 + n % 300, "Termin") for n in range(2000)]
    assert match(there, events, NOW, renews=True).same == {}


events = st.builds(
    found,
    st.sampled_from("abcdef"),
    st.sampled_from([ANNA, BERND, None]),
    st.integers(-1, 4),
    st.sampled_from(["Kontrolle", "Krone"]),
)


def taken_in(there: list[Known], matched) -> list[Known]:
    """What is known after a reading."""
    gone = {one.id for one in matched.missing}
    names = {e.reference for e in (*matched.same.values(), *matched.new)}
    kept = []
    for one in there:
        if event := matched.same.get(one.id):
            kept.append(Known(one.id, event.reference, event.number or one.number, event.start, event.title))
        else:
            uid = f"~{one.id}" if one.uid in names else one.uid
            kept.append(replace(one, there=one.there and one.id not in gone, uid=uid))
    fresh = [
        Known(len(there) + n, e.reference, e.number or "", e.start, e.title)
        for n, e in enumerate(matched.new, 1)
    ]
    return kept + fresh


@given(st.lists(st.lists(events, max_size=6, unique_by=lambda e: e.reference), max_size=4), st.booleans())
def test_every_event_is_one_appointment_and_a_second_reading_changes_nothing(readings, renewing):
    there: list[Known] = []
    renews = False
    for number, reading in enumerate(readings):
        said = [replace(e, reference=f"{e.reference}{number}") for e in reading] if renewing else reading
        matched = match(there, said, NOW, renews)
        assert len(matched.same) + len(matched.new) == len(said)
        assert len({e.reference for e in matched.same.values()}) == len(matched.same)
        there, renews = taken_in(there, matched), matched.renews
        again = match(there, said, NOW, renews)
        assert not again.new and not again.missing
        assert taken_in(there, again) == there
