"""Who takes part: pasted lines, chosen contacts, a time, a keyword, bad input."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as budget
from hypothesis import strategies as st

from sms import clock, contacts, suppression
from sms.clock import now
from sms.models import Expectation, Sender
from sms.modules.survey import asking, enrolling, surveys
from sms.modules.survey.models import Run, Start, Survey, Version
from sms.refusal import Conflict, NotFound, Refused
from tests.carrier_side import POOL
from tests.survey.surveys_for_tests import MARGARETHE, NELE, TORSTEN, made, run_of, says, told, work

YES_NO = {"questions": [{"key": "q", "name": "Wieder", "type": "yesno", "text": "Kommen Sie wieder?"}]}


@pytest.fixture(autouse=True)
def _noon(app):
    """Surveys are asked by day."""
    clock.shift(datetime(2026, 11, 23, 11, tzinfo=UTC) - now())


def test_five_thousand_lines_with_forty_wrong_ones(account):
    good = [f"0171 {3_000_000 + n}" for n in range(4_960)]
    wrong = [
        "0171 12",
        "kein Anschluss",
        "110",
        "030 23125640",
        "+49 900 1234567",
        "0180 5123456",
        "=1+1",
        "+1 212 555 01",
    ] * 5
    lines = good[:]
    for n, line in enumerate(wrong):
        lines.insert(n * 100, line)
    reading = enrolling.read_lines(made(account, YES_NO), "\n".join(lines))
    assert (len(reading.people), len(reading.wrong), len(reading.twice)) == (4_960, 40, 0)
    assert [w.text for w in reading.wrong] == wrong
    assert all(lines[w.line - 1] == w.text for w in reading.wrong)
    assert {w.code for w in reading.wrong if w.text == "030 23125640"} == {"landline_not_asked"}


def test_doubles_are_asked_once_however_they_are_written(account):
    reading = enrolling.read_lines(
        made(account, YES_NO), "0171 39200 42\n\n+49 171 3920042\n00491713920033; Torsten Wieczorek\n"
    )
    assert [(p.number, p.line, p.name) for p in reading.people] == [
        (MARGARETHE, 1, ""),
        (TORSTEN, 4, "Torsten Wieczorek"),
    ]
    assert [(w.line, w.code, w.params) for w in reading.twice] == [(3, "number_twice", {"line": 1})]


@pytest.mark.parametrize(
    "line",
    ["0171 39200 42;Nele Hagedorn", "0171 39200 42\tNele Hagedorn", '"0171/3920042", "Nele  Hagedorn"'],
)
def test_a_name_may_stand_behind_the_number_and_becomes_the_contacts(account, line):
    enrolling.start(made(account, YES_NO), line)
    work()
    assert contacts.find(account, MARGARETHE).name == "Nele Hagedorn"


def test_many_new_people_with_names_are_asked_in_one_lot(account, caplog):
    enrolling.start(made(account, YES_NO), f"{MARGARETHE}; Frau S.\n{TORSTEN}; Herr W.\n{NELE}; Nele")
    work()
    assert all(told(number) == ["Kommen Sie wieder?"] for number in (MARGARETHE, TORSTEN, NELE))
    assert [line for line in caplog.messages if "tried by itself" in line] == []


def test_a_test_to_a_number_that_nobody_knows_uses_the_name_of_who_tries(account, anna):
    draft = {"questions": [{"key": "q", "type": "yesno", "text": "Guten Tag {name}, alles gut?"}]}
    enrolling.try_out(made(account, draft), MARGARETHE, anna)
    work()
    assert told(MARGARETHE) == [f"Guten Tag {anna.name}, alles gut?"]
    assert contacts.find(account, MARGARETHE).name == ""


def test_a_test_says_which_placeholder_nobody_fills(account, anna):
    draft = {"questions": [{"key": "q", "type": "yesno", "text": "Hallo {quatsch}, alles gut?"}]}
    with pytest.raises(Refused) as refused:
        enrolling.try_out(made(account, draft), MARGARETHE, anna)
    assert (refused.value.field, refused.value.code) == ("number", "no_value_for")
    assert not Run.select().exists()


def test_a_name_does_not_replace_one_that_is_known(account):
    contact, _ = contacts.find_or_add(account, MARGARETHE)
    contacts.save(contact, "Margarethe Schößler", {})
    enrolling.start(made(account, YES_NO), "0171 39200 42; Frau S.")
    work()
    assert contacts.find(account, MARGARETHE).name == "Margarethe Schößler"


def test_who_lacks_a_value_for_a_placeholder_is_named_before_anything_is_sent(account):
    contact, _ = contacts.find_or_add(account, MARGARETHE)
    contacts.save(contact, "Margarethe", {"Anrede": "Frau"})
    draft = {
        "questions": [
            {"key": "q", "type": "yesno", "text": "Guten Tag {anrede} {Name}, alles gut bei {praxis}?"}
        ]
    }
    started = enrolling.start(made(account, draft), [MARGARETHE, TORSTEN, f"{NELE}; Nele"])
    assert [(w.line, w.code, w.params["names"]) for w in started.reading.wrong] == [
        (2, "no_value_for", "anrede, Name"),
        (3, "no_value_for", "anrede"),
    ]
    work()
    assert told(MARGARETHE) == ["Guten Tag Frau Margarethe, alles gut bei Praxis Dr. Lindner?"]


def test_a_value_that_is_gone_when_it_is_needed_ends_the_survey_there(account):
    contact, _ = contacts.find_or_add(account, MARGARETHE)
    contacts.save(contact, "", {"Anrede": "Frau"})
    draft = {"questions": [{"key": "q", "type": "yesno", "text": "{Anrede}?"}]}
    enrolling.start(made(account, draft), [MARGARETHE], at=now() + timedelta(hours=1))
    contacts.save(contact, "", {})
    clock.shift(timedelta(hours=2))
    work()
    assert (run_of(MARGARETHE).state, run_of(MARGARETHE).why) == ("failed", "placeholder_unknown")
    assert Start.get().done


def test_blocked_numbers_are_left_out_and_named(account):
    suppression.suppress(account, TORSTEN, "sms")
    started = enrolling.start(made(account, YES_NO), [MARGARETHE, TORSTEN])
    assert [(w.line, w.code) for w in started.reading.wrong] == [(2, "opted_out")]
    assert (Start.get().total, Start.get().done) == (1, False)


@pytest.mark.parametrize("numbers", ["", "\n \n", "110\n0171 12"])
def test_with_nobody_to_ask_nothing_starts(account, numbers):
    survey = made(account, YES_NO)
    with pytest.raises(Refused) as refusal:
        enrolling.start(survey, numbers)
    assert (refusal.value.field, refusal.value.code) == ("numbers", "nobody_to_ask")
    assert (Survey.get().state, Start.select().count(), Version.select().count()) == ("draft", 0, 0)


def test_an_unfinished_survey_does_not_start_and_says_where_it_is_unfinished(account):
    survey = made(
        account,
        {"questions": [{"key": "a", "type": "choice", "text": "Was?"}, {"key": "b", "type": "yesno"}]},
    )
    with pytest.raises(surveys.Unfinished) as refusal:
        enrolling.start(survey, [MARGARETHE])
    assert [(p.question, p.code) for p in refusal.value.problems] == [
        ("a", "too_few_options"),
        ("b", "empty"),
    ]
    assert refusal.value.field == "questions.a.options"


def test_a_sender_that_takes_no_replies_is_refused(account):
    Sender.create(account=account, kind="alphanumeric", value="PRAXIS", created_at=now())
    Sender.create(account=account, kind="own_mobile", value="+491713920099", created_at=now())
    for sender in ("PRAXIS", "0171 39200 99"):
        with pytest.raises(Refused, match="sender_without_replies"):
            made(account, YES_NO, sender=sender)
    assert made(account, YES_NO, sender=POOL[1]).sender == POOL[1]


def test_times_in_the_past_beyond_a_year_or_after_the_end_are_refused(account):
    survey = made(account, YES_NO, ends_at=now() + timedelta(days=2))
    for at, code in (
        (now(), "in_the_past"),
        (now() + timedelta(days=400), "too_far"),
        (now() + timedelta(days=3), "ends_before_start"),
    ):
        with pytest.raises(Refused, match=code):
            enrolling.start(survey, [MARGARETHE], at=at)


def test_a_start_at_a_time_waits_for_it(account):
    enrolling.start(made(account, YES_NO), [MARGARETHE], at=now() + timedelta(hours=1))
    work()
    assert told(MARGARETHE) == []
    clock.shift(timedelta(hours=1))
    work()
    assert told(MARGARETHE) == ["Kommen Sie wieder?"]


def test_chosen_contacts_are_asked_and_another_accounts_are_not(account, other_account):
    mine, _ = contacts.find_or_add(account, MARGARETHE)
    theirs, _ = contacts.find_or_add(other_account, TORSTEN)
    enrolling.start_contacts(made(account, YES_NO), [mine.id, theirs.id])
    assert [r.number for r in Run.select()] == [MARGARETHE]


def test_surveys_of_another_account_are_not_there(account, other_account):
    with pytest.raises(NotFound):
        surveys.of(other_account, made(account, YES_NO).id)


@pytest.mark.parametrize("word", ["STOP", "Hilfe", "x", "!?", "a" * 31, "abmelden"])
def test_words_that_mean_something_else_are_no_keyword(account, word):
    with pytest.raises(Refused, match="bad_keyword"):
        made(account, YES_NO, keyword=word)


def test_a_keyword_belongs_to_one_survey_of_an_account(account, other_account):
    made(account, YES_NO, keyword="Umfrage")
    with pytest.raises(Refused, match="keyword_taken"):
        made(account, YES_NO, keyword="UMFRAGE")
    assert made(other_account, YES_NO, keyword="Umfrage").keyword == "umfrage"


def test_a_survey_without_a_way_in_is_not_opened(account):
    with pytest.raises(Refused, match="no_way_in"):
        enrolling.open_door(made(account, YES_NO))


def test_a_running_survey_is_not_deleted_and_an_ended_one_goes_with_everything(account):
    survey = made(account, YES_NO)
    enrolling.start(survey, [MARGARETHE])
    with pytest.raises(Conflict):
        asking.delete(surveys.of(account, survey.id))
    asking.end(surveys.of(account, survey.id))
    asking.delete(surveys.of(account, survey.id))
    assert not Run.select().exists()


def test_a_draft_that_is_being_tried_out_can_be_deleted_and_nothing_waits_any_more(account):
    survey = made(account, YES_NO)
    enrolling.try_out(survey, MARGARETHE)
    work()
    assert Expectation.select().exists()
    asking.delete(surveys.of(account, survey.id))
    assert not Expectation.select().exists()


def test_a_copy_has_the_questions_but_not_the_keyword(account):
    survey = made(account, YES_NO, keyword="umfrage", quota=5)
    copied = surveys.copy(survey, "Noch einmal")
    assert (copied.draft, copied.quota, copied.keyword, copied.state) == (survey.draft, 5, "", "draft")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"name": " "}, "empty"), ({"name": "x" * 101}, "too_long"), ({"name": "a\0b"}, "control_character"), ({"quota": -1}, "bad_number"),
        ({"quota": "5"}, "bad_number"), ({"trigger": {"event": "", "days": 1}}, "unknown_event"), ({"trigger": {"event": "x", "days": -1}}, "bad_number"),
        ({"trigger": {"event": "x", "days": 1, "time": "25:00"}}, "bad_clock"), ({"ends_at": datetime(2020, 1, 1, tzinfo=UTC)}, "in_the_past"),
        ({"sender": "0171 39200 98"}, "sender_not_owned"),
    ],
)  # fmt: skip
def test_settings_that_cannot_be_kept_are_refused_and_nothing_is_changed(account, change, code):
    survey = made(account, YES_NO)
    with pytest.raises(Refused, match=code):
        surveys.save(survey, **change)
    assert Survey.get().name == "Zufriedenheit"


@budget(max_examples=60, suppress_health_check=list(HealthCheck))
@given(
    st.text(max_size=300)
    | st.lists(
        st.sampled_from(["0171 39200 42", "0049 171 39200 33", "110", ";", "\t", '"', "=cmd"]), max_size=8
    ).map("\n".join)
)
def test_any_paste_is_read_and_every_line_is_accounted_for(account, text):
    survey = Survey.get_or_none() or made(account, YES_NO)
    reading = enrolling.read_lines(survey, text)
    filled = [n for n, line in enumerate(text.splitlines(), 1) if line.strip()]
    assert (
        sorted([p.line for p in reading.people] + [w.line for w in (*reading.wrong, *reading.twice)])
        == filled
    )


@budget(max_examples=40, suppress_health_check=list(HealthCheck))
@given(
    st.recursive(
        st.none() | st.booleans() | st.text(max_size=20) | st.integers(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=6,
    )
)
def test_any_draft_can_be_kept(account, data):
    survey = surveys.create(account, "Entwurf")
    surveys.save(
        survey, draft={"questions": [data, {"key": data, "text": data, "options": data}], "closing": data}
    )
    assert Survey.get_by_id(survey.id).draft is not None


def test_who_comes_by_keyword_and_has_no_name_is_asked_without_it(account):
    draft = {
        "questions": [{"key": "q", "type": "yesno", "text": "Guten Tag {name}, alles gut?"}],
        "closing": "{Name}, danke für {quatsch} alles!",
    }
    enrolling.open_door(made(account, draft, keyword="feedback"))
    says(MARGARETHE, "Feedback", POOL[0])
    says(MARGARETHE, "ja", run_of(MARGARETHE).ours)
    assert told(MARGARETHE) == ["Guten Tag, alles gut?", "Danke für alles!"]
    contact, _ = contacts.find_or_add(account, TORSTEN)
    contacts.save(contact, "Torsten", {})
    says(TORSTEN, "Feedback", POOL[0])
    assert told(TORSTEN) == ["Guten Tag Torsten, alles gut?"]


def test_a_placeholder_is_in_doubt_until_somebody_has_a_value_for_it(account):
    survey = made(account, {"questions": [{"key": "q", "type": "yesno", "text": "{Anrede} {name}?"}]})
    assert [(p.field, p.code) for p in enrolling.doubts(survey)] == [("text", "not_asked_without_value")]
    surveys.save(survey, keyword="feedback")
    assert [p.code for p in enrolling.doubts(survey)] == ["left_out_without_value"]
    contact, _ = contacts.find_or_add(account, MARGARETHE)
    contacts.save(contact, "", {"anrede": "Frau"})
    assert enrolling.doubts(survey) == []
