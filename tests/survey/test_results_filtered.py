"""Results of those who gave one answer, on some days: the right people, found by an index whatever else there is."""

from datetime import UTC, date, datetime, timedelta

import pytest
from flask.testing import FlaskClient

from sms import clock
from sms.clock import now
from sms.db import database
from sms.models import Account
from sms.modules.survey import enrolling, flow, results, surveys
from sms.modules.survey.models import Survey
from tests.survey.surveys_for_tests import MARGARETHE, NELE, TORSTEN, made, run_of, says, work

FLOW = {"questions": [
    {"key": "note", "name": "Note", "type": "scale", "text": "Note?"},
    {"key": "was", "name": "Was", "type": "multichoice", "options": ["Brot", "Käse", "Wein"], "text": "Was?"},
    {"key": "warum", "name": "Warum", "type": "text", "text": "Warum?"},
]}  # fmt: skip
MONDAY, TUESDAY = date(2026, 11, 23), date(2026, 11, 24)


@pytest.fixture
def survey(app: object, account: Account) -> Survey:
    """Margarethe answers on Monday, Torsten late on Tuesday, the same mark; Nele another one."""
    clock.shift(datetime(2026, 11, 23, 11, tzinfo=UTC) - now())
    survey = made(account, FLOW)
    enrolling.start(survey, [MARGARETHE, TORSTEN, NELE])
    work()
    answer(MARGARETHE, "2", "1 und 3", "Schnell")
    answer(NELE, "5", "2", "Das Warten")
    clock.shift(timedelta(days=1, hours=11))  # 23:00 in Berlin
    answer(TORSTEN, "2", "1", "Freundlich")
    return surveys.of(account, survey.id)


def answer(number: str, *words: str) -> None:
    for word in words:
        says(number, word, run_of(number).ours)


def test_an_answer_and_days_choose_those_who_gave_it_on_those_days(survey: Survey) -> None:
    both = results.results(survey, like=("note", "2"))
    assert (both.sent, both.answered, both.finished) == (2, 2, 2)
    assert both.days == {MONDAY: 1, TUESDAY: 1}
    monday = results.results(survey, MONDAY, MONDAY, ("note", "2"))
    assert (monday.finished, monday.days, monday.questions[1].values) == (1, {MONDAY: 1}, {"1": 1, "3": 1})
    tuesday = results.results(survey, since=TUESDAY, like=("note", "2"))
    assert (tuesday.finished, tuesday.days, tuesday.questions[1].values) == (1, {TUESDAY: 1}, {"1": 1})
    assert results.results(survey, until=MONDAY - timedelta(days=1), like=("note", "2")).sent == 0


def test_one_of_several_chosen_options_is_enough_and_no_other_is_taken_for_it(survey: Survey) -> None:
    assert results.results(survey, like=("was", "3")).finished == 1
    assert results.results(survey, like=("was", "1")).finished == 2
    assert results.results(survey, like=("was", "1,3")).finished == 1
    for sign in ("%", "_", "1_3", ""):
        assert results.results(survey, like=("was", sign)).finished == 0


def test_free_texts_are_counted_and_not_told_apart(survey: Survey) -> None:
    texts = results.results(survey, like=("note", "2")).questions[2]
    assert (texts.asked, texts.answered, texts.values) == (2, 2, {})


def test_no_day_and_no_value_that_a_browser_sends_breaks_the_page(
    survey: Survey, owner_client: FlaskClient
) -> None:
    for query in (
        "like=note=2&since=0001-01-01&until=9999-12-31", "since=0001-01-01&until=9999-12-31",
        "like=note=%00", "like=%00=2", "like=note=" + "2" * 3_000, "like=note=%ED%A0%80", "like=note='",
    ):  # fmt: skip
        assert owner_client.get(f"/surveys/{survey.id}/results?{query}").status_code in (200, 422), query


def test_a_survey_that_nobody_was_asked_has_nobody_who_gave_an_answer(app: object, account: Account) -> None:
    assert results.results(made(account, FLOW), like=("note", "2")).sent == 0
    assert results.newest(made(account, FLOW)) is None


def test_the_newest_answer_is_that_of_this_survey(survey: Survey, account: Account) -> None:
    other = made(account, FLOW)
    enrolling.start(other, [NELE])
    clock.shift(timedelta(hours=11))
    work()
    answer(NELE, "4")
    found, others = results.newest(survey), results.newest(other)
    assert found is not None
    assert others is not None
    assert (found.raw, others.raw) == ("Freundlich", "4")


@pytest.mark.sqlite
def test_neither_a_filter_nor_the_newest_answer_reads_all_answers(survey: Survey) -> None:
    given = results._Given("note", "2", MONDAY, TUESDAY, "Europe/Berlin")
    chosen, values = given.chosen({survey.version: flow.read(survey.draft)})
    for sql, filled in ((results._NEWEST, [survey.id]), (chosen, values)):
        plan = [row[3] for row in database.execute_sql(f"EXPLAIN QUERY PLAN {sql}", filled)]
        assert any("survey_answer_" in step for step in plan), plan
        assert not [step for step in plan if step.startswith(("SCAN answer", "SCAN given", "SCAN run"))], plan
