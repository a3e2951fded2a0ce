"""Which event of a calendar is which appointment: by its UID, and otherwise where UIDs are not what they should be. Pure.

Some programs write new UIDs at every reading, or number their events anew. So a UID that all at once means another
person at another time means nothing, and what no UID tells is told by number, start and title.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import NamedTuple

from sms.modules.appointment.found import Found

MOST_OF_A_PERSON = 100
"""Who has more appointments of one title is no person: the number of the practice stands in every event."""


@dataclass(frozen=True)
class Known:
    """An appointment as the last reading left it; `there`: the calendar had it then."""

    id: int
    uid: str
    number: str
    start: datetime
    title: str
    there: bool = True


class Matched(NamedTuple):
    """What a reading says of what is known: by the id of the known, new, and not there any more."""

    same: dict[int, Found]
    new: list[Found]
    missing: list[Known]
    ahead: int
    """Known appointments still to come: what is missing is a part of them."""
    renews: bool


def match(known: Iterable[Known], found: Iterable[Found], moment: datetime, renews: bool = False) -> Matched:
    """Return what became of each known appointment; `renews`: this calendar was seen to write new UIDs each time."""
    there = list(known)
    rest = {one.id: one for one in there}
    fresh = {event.reference: event for event in found}
    same: dict[int, Found] = {}

    def pair(one: Known, event: Found) -> None:
        same[one.id] = event
        del rest[one.id], fresh[event.reference]

    for one in there:
        if (event := fresh.get(one.uid)) and _may_be(one, event):
            pair(one, event)
    by_uid = len(same)
    for key_of_known, key_of_event in _EXACT:
        for one, event in _of_one_key(rest, fresh, key_of_known, key_of_event):
            pair(one, event)
    ahead = [one for one in there if one.there and one.start > moment]
    otherwise = len(same) - by_uid
    # Where no UID is left that was known, all of them were renewed; otherwise most of them must have been.
    renewed = bool(ahead) and by_uid * 2 < len(ahead) and (by_uid == 0 or otherwise * 2 > len(ahead))
    if renews or renewed:
        for one, event in _moved(rest, fresh, moment):
            if one.id in rest and event.reference in fresh:
                pair(one, event)
    missing = [one for one in rest.values() if one.there and one.start > moment]
    learned = renewed and len(same) > by_uid
    kept = renews and by_uid * 2 <= len(same)
    return Matched(same, list(fresh.values()), missing, len(ahead), learned or kept)


def seen(event: Found) -> str:
    """Return a digest of all that an event says beside its UID."""
    says = (
        event.start, event.end, event.zone.key, event.number, event.title, event.cancelled, sorted(event.fields.items()),
    )  # fmt: skip
    return sha256(repr(says).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _may_be(known: Known, event: Found) -> bool:
    """Another person at another time is another appointment, whatever its UID says."""
    another = bool(known.number and event.number) and known.number != event.number
    return not (another and known.start != event.start)


Key = Hashable | None
_EXACT: tuple[tuple[Callable[[Known], Key], Callable[[Found], Key]], ...] = (
    (lambda k: (k.number, k.start, k.title), lambda e: (e.number or "", e.start, e.title)),
    (
        lambda k: (k.number, k.start) if k.number and k.there else None,
        lambda e: (e.number, e.start) if e.number else None,
    ),
    # A number that a person has added by hand is not in the calendar.
    (lambda k: (k.start, k.title) if k.there else None, lambda e: None if e.number else (e.start, e.title)),
)


def _of_one_key(
    rest: dict[int, Known],
    fresh: dict[str, Found],
    key_of_known: Callable[[Known], Key],
    key_of_event: Callable[[Found], Key],
) -> list[tuple[Known, Found]]:
    """Return pairs of what has the same key, one to one in the order of both."""
    waiting: dict[Key, list[Known]] = defaultdict(list)
    for known in reversed(rest.values()):
        waiting[key_of_known(known)].append(known)
    waiting.pop(None, None)
    keyed = ((key_of_event(event), event) for event in fresh.values())
    return [(waiting[key].pop(), event) for key, event in keyed if waiting.get(key)]


def _moved(rest: dict[int, Known], fresh: dict[str, Found], moment: datetime) -> list[tuple[Known, Found]]:
    """Return pairs of what is still to come of the same person and title, the nearest in time first."""
    events: dict[tuple[str, str], list[Found]] = defaultdict(list)
    for event in fresh.values():
        if event.number and event.start > moment:
            events[event.number, event.title].append(event)
    known: dict[tuple[str, str], list[Known]] = defaultdict(list)
    for one in rest.values():
        if one.there and one.start > moment:
            known[one.number, one.title].append(one)
    pairs = [
        (one, event)
        for key in known.keys() & events.keys()
        if max(len(known[key]), len(events[key])) <= MOST_OF_A_PERSON
        for one in known[key]
        for event in events[key]
    ]
    return sorted(pairs, key=lambda p: (abs(p[0].start - p[1].start), p[0].start, p[0].id, p[1].reference))
