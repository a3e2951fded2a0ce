"""Thousands of answers as people write them, each held against what a German speaker takes it for."""

import time
from collections import Counter, defaultdict

import pytest

from sms.understanding import KINDS, understand
from tests.understanding.cases import Case, cases, shown

CORPUS = list(cases("corpus"))
HELD_OUT = list(cases("held_out"))


def grouped(found: list[Case]) -> dict[str, list[Case]]:
    groups = defaultdict(list)
    for case in found:
        groups[f"{case.place} {case.kind}"].append(case)
    return groups


@pytest.mark.parametrize(
    ("place", "group"), list(grouped(CORPUS).items()), ids=lambda v: v if isinstance(v, str) else ""
)
def test_every_answer_of_the_corpus_is_read_as_a_person_reads_it(place: str, group: list[Case]) -> None:
    wrong = [(c.text, c.expected, shown(understand(c.kind, c.text, **c.setting))) for c in group]
    assert [(text, expected, got) for text, expected, got in wrong if got != expected] == []


def test_the_corpus_is_large_and_mostly_about_what_must_not_be_guessed() -> None:
    assert len(CORPUS) > 2000
    assert sum(case.expected == "unclear" for case in CORPUS) > 600
    assert {case.kind for case in CORPUS} == set(KINDS)
    repeated = Counter((c.kind, str(c.setting), c.text) for c in CORPUS)
    assert [case for case, count in repeated.items() if count > 2] == []


def test_no_answer_of_the_held_out_lists_gets_a_wrong_value() -> None:
    readings = [(case, shown(understand(case.kind, case.text, **case.setting))) for case in HELD_OUT]
    wrong = [(case.place, case.text, got) for case, got in readings if got not in (case.expected, "unclear")]
    assert wrong == []
    right = sum(got == case.expected for case, got in readings)
    assert right / len(HELD_OUT) > 0.95


def test_more_than_two_thousand_answers_a_second_are_read() -> None:
    for case in CORPUS:
        understand(case.kind, case.text, **case.setting)  # prepares the options of each question once
    start = time.process_time()
    for case in CORPUS:
        understand(case.kind, case.text, **case.setting)
    assert len(CORPUS) / (time.process_time() - start) > 2000
