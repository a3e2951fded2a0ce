"""The rules of a conversation: one question waits at a time, people come first, nobody is asked twice."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sms import clock, contacts, inbox, outbox, routing, sending, suppression
from sms import modules as registry
from sms.clock import now
from sms.db import database
from sms.models import Contact, Conversation, Expectation, Message, Sender
from sms.modules import Occasion, announce
from sms.modules.survey import answering, asking, enrolling, running, surveys
from sms.modules.survey.models import OPEN, Answer, Count, Run, Start
from sms.refusal import Conflict, NotFound, Refused
from tests.carrier_side import POOL
from tests.survey.surveys_for_tests import (
    MARGARETHE,
    NELE,
    TORSTEN,
    TWO,
    YES_NO,
    made,
    run_of,
    says,
    started,
    take_everything,
    told,
    work,
)


@pytest.fixture(autouse=True)
def _noon(app):
    """Surveys are asked by day."""
    clock.shift(datetime(2026, 11, 23, 11, tzinfo=UTC) - now())


def events(number=MARGARETHE):
    thread = contacts.find_or_add(contacts.Account.get(), number)[1]
    found = Message.select().where(Message.conversation == thread, Message.channel == "event")
    return [m.data["kind"] for m in found.order_by(Message.at, Message.id)]


def test_the_thread_says_what_happened_and_the_bubble_what_was_understood(account):
    survey = started(account)
    answer = says(MARGARETHE, "klar!", run_of(MARGARETHE).ours)
    assert events() == ["survey_started", "survey_finished"]
    chip = answer.data["chip"]
    assert (chip["label"], chip["value"]) == ("Wieder", "Ja")
    assert chip["href"].startswith(f"/surveys/{survey.id}/results")


@pytest.mark.parametrize("way", ["in a lot", "one by one", "by keyword"])
def test_that_a_survey_has_started_stands_above_its_first_question(account, way):
    made_ = made(account, YES_NO, keyword="feedback")
    if way == "by keyword":
        enrolling.open_door(made_)
        says(MARGARETHE, "Feedback", POOL[0])
    elif way == "one by one":
        enrolling.try_out(made_, MARGARETHE)
        work()
    else:
        enrolling.start(made_, [MARGARETHE])
        work()
    thread = run_of(MARGARETHE).conversation
    shown = Message.select().where(Message.conversation == thread).order_by(Message.at, Message.id)
    order = [m.channel for m in shown if m.direction != "incoming"]
    assert order == ["event", "sms"]


def test_a_survey_that_could_not_ask_has_not_started(account):
    survey = started(account, TORSTEN)
    suppression.suppress(account, MARGARETHE, "agent")
    with database.atomic():
        run = enrolling.join(survey, "keyword", MARGARETHE, now())
        answering.begin(running.locked(run.id))
    assert run_of(MARGARETHE).state == "skipped"
    assert "survey_started" not in events()


def test_events_are_said_in_the_language_of_who_reads_them(app, account):
    from flask_babel import force_locale

    from sms.views.event_words import event_words

    started(account)
    event = Message.get(Message.channel == "event")
    with app.test_request_context(), force_locale("de"):
        assert event_words(event.data, "", "survey", "de", "Europe/Berlin") == (
            "Umfrage ",
            "Zufriedenheit",
            " begonnen",
        )


def test_every_event_of_a_survey_has_words():
    said = set(registry.modules()["survey"].events)
    source = "".join(Path(module.__file__).read_text() for module in (running, answering, asking))
    written = re.findall(r'(?:add_event|_tell)\([^"]*"(survey_[a-z_]+)"', source)
    assert len(written) > 5
    assert set(written) <= said
    assert {f"survey_{how}" for how in ("finished", "ended", "opted_out", "expired", "failed")} <= said


def test_a_second_survey_takes_another_number_of_the_pool(account):
    started(account)
    first = run_of(MARGARETHE)
    started(account, draft=TWO)
    second = run_of(MARGARETHE)
    assert first.ours != second.ours
    assert {second.ours, first.ours} <= set(POOL)
    says(MARGARETHE, "nein", second.ours)
    says(MARGARETHE, "ja", first.ours)
    assert {a.run_id: a.value for a in Answer.select()} == {first.id: "yes", second.id: "no"}


def test_with_all_numbers_waiting_the_next_survey_queues_visibly_until_one_is_free(account):
    for _ in range(4):
        started(account)
    waiting = run_of(MARGARETHE)
    assert (waiting.state, waiting.why) == ("planned", "in_line")
    assert events()[-1] == "survey_waits"
    assert Expectation.select().count() == 3
    first = Run.select().order_by(Run.id).first()
    says(MARGARETHE, "ja", first.ours)
    clock.shift(running.LOOK_AGAIN)
    work()
    again = run_of(MARGARETHE)
    assert (again.state, again.ours) == ("asking", first.ours)
    assert events().count("survey_waits") == 1


def test_a_survey_from_an_own_number_waits_for_the_other_question_on_it(account):
    Sender.create(account=account, kind="virtual", value=POOL[2], created_at=now())
    Expectation.create(
        account=account, ours=POOL[2], theirs=MARGARETHE, module="reminder", subject="7", since=now()
    )
    started(account, sender=POOL[2])
    assert run_of(MARGARETHE).why == "in_line"
    Expectation.delete().execute()
    clock.shift(running.LOOK_AGAIN)
    work()
    assert (run_of(MARGARETHE).state, run_of(MARGARETHE).ours) == ("asking", POOL[2])


def test_an_account_with_a_name_as_sender_still_asks_from_a_number(account):
    Sender.create(account=account, kind="alphanumeric", value="PRAXIS", is_default=True, created_at=now())
    started(account, MARGARETHE, TORSTEN)
    assert {run_of(n).ours for n in (MARGARETHE, TORSTEN)} <= set(POOL)
    says(MARGARETHE, "ja", run_of(MARGARETHE).ours)
    assert told(MARGARETHE)[-1] == "Danke!"


def test_a_question_that_has_not_left_has_no_answer(account):
    survey = made(account, YES_NO)
    enrolling.start(survey, [MARGARETHE])
    asking.work()
    from sms import receiving
    from sms.carriers.contract import IncomingText
    from tests.carrier_side import sid

    receiving.receive_text("sandbox", IncomingText(sid(), MARGARETHE, run_of(MARGARETHE).ours, "ja"))
    assert not Answer.select().exists()
    take_everything()
    says(MARGARETHE, "ja", run_of(MARGARETHE).ours)
    assert Answer.get().value == "yes"


def test_two_answers_in_a_row_to_one_question_count_once(account):
    started(account, draft=TWO)
    ours = run_of(MARGARETHE).ours
    from sms import receiving
    from sms.carriers.contract import IncomingText
    from tests.carrier_side import sid

    for text in ("ja", "nein"):  # the second comes before the next question has left
        receiving.receive_text("sandbox", IncomingText(sid(), MARGARETHE, ours, text))
    assert [(a.question, a.value) for a in Answer.select()] == [("a", "yes")]
    assert Conversation.get().status == "open"


def test_the_same_text_is_asked_again_though_it_was_said_a_moment_ago(account):
    started(
        account,
        draft={
            "questions": [
                {"key": "q", "type": "yesno", "text": "Ja?", "retries": 3, "unclear": "Bitte JA oder NEIN."}
            ]
        },
    )
    for _ in range(3):
        says(MARGARETHE, "hm", run_of(MARGARETHE).ours)
    assert told(MARGARETHE) == ["Ja?", "Bitte JA oder NEIN.", "Bitte JA oder NEIN.", "Bitte JA oder NEIN."]


def test_what_an_agent_plans_for_later_does_not_pause_a_survey(account, anna):
    started(account)
    sending.reply(Conversation.get(), "Bis morgen!", by=anna, send_at=now() + timedelta(hours=1))
    assert run_of(MARGARETHE).state == "asking"
    sending.add_note(Conversation.get(), "Nett.", anna)
    assert run_of(MARGARETHE).state == "asking"


def test_an_agents_message_in_another_thread_pauses_nothing(account, anna):
    started(account, MARGARETHE, TORSTEN)
    _, talk = contacts.find_or_add(account, TORSTEN)
    sending.reply(talk, "Hallo", by=anna)
    assert (run_of(MARGARETHE).state, run_of(TORSTEN).state) == ("asking", "paused")


def test_pausing_takes_back_a_question_that_has_not_left(account, anna):
    enrolling.start(made(account, YES_NO), [MARGARETHE])
    asking.work()
    answering.pause(run_of(MARGARETHE), anna)
    take_everything()
    assert told(MARGARETHE) == []
    answering.resume(run_of(MARGARETHE), anna)
    take_everything()
    assert told(MARGARETHE) == ["Kommen Sie wieder?"]
    assert Count.get(Count.name == "asked").n == 1


def test_what_is_over_or_paused_cannot_be_paused_and_what_asks_not_resumed(account, anna):
    started(account)
    with pytest.raises(Conflict):
        answering.resume(run_of(MARGARETHE), anna)
    answering.pause(run_of(MARGARETHE), anna)
    with pytest.raises(Conflict):
        answering.pause(run_of(MARGARETHE), anna)
    answering.stop(run_of(MARGARETHE), anna)
    with pytest.raises(Conflict):
        answering.stop(run_of(MARGARETHE), anna)
    assert run_of(MARGARETHE).state == "ended"


def test_a_block_by_an_agent_ends_a_survey_too(account, anna):
    started(account)
    suppression.suppress(account, MARGARETHE, "agent", by=anna)
    assert run_of(MARGARETHE).state == "opted_out"
    assert not Expectation.select().exists()
    assert Count.get(Count.name == "opted_out").n == 1


def test_somebody_who_opts_out_before_being_asked_is_not_asked(account):
    survey = made(account, YES_NO)
    enrolling.start(survey, [MARGARETHE], at=now() + timedelta(hours=1))
    suppression.suppress(account, MARGARETHE, "sms")
    clock.shift(timedelta(hours=2))
    work()
    run = run_of(MARGARETHE)
    assert (run.state, run.why, told(MARGARETHE)) == ("skipped", "opted_out", [])
    assert not Count.select().exists()
    assert Start.get().done


def test_a_paused_survey_asks_nobody_and_goes_on_where_it_was(account):
    survey = made(account, TWO)
    enrolling.start(survey, [MARGARETHE, TORSTEN])
    work()
    asking.pause(survey)
    enrolled = run_of(MARGARETHE).ours
    says(MARGARETHE, "ja", enrolled)
    assert told(MARGARETHE) == ["Eins?"]
    assert run_of(MARGARETHE).state == "planned"
    with pytest.raises(Conflict):
        enrolling.start(surveys.of(account, survey.id), [NELE])
    work()
    asking.resume(surveys.of(account, survey.id))
    work()
    assert told(MARGARETHE) == ["Eins?", "Zwei?"]
    says(MARGARETHE, "nein", enrolled)
    assert run_of(MARGARETHE).state == "finished"
    assert told(TORSTEN) == ["Eins?"]


def test_a_survey_paused_in_the_quiet_hours_sends_nothing_in_the_morning(account):
    clock.shift(datetime(2026, 11, 23, 22, tzinfo=UTC) - now())
    survey = started(account)
    assert Message.get(Message.direction == "outgoing").status == "scheduled"
    asking.pause(survey)
    clock.shift(timedelta(hours=12))
    outbox.sweep()
    work()
    assert told(MARGARETHE) == []
    asking.resume(surveys.of(account, survey.id))
    work()
    assert told(MARGARETHE) == ["Kommen Sie wieder?"]


def test_after_its_end_a_survey_asks_nobody_and_a_late_answer_is_an_ordinary_message(account):
    survey = started(account, MARGARETHE, draft=TWO, ends_at=now() + timedelta(hours=2))
    enrolling.start(surveys.of(account, survey.id), [TORSTEN], at=now() + timedelta(hours=1, minutes=59))
    clock.shift(timedelta(hours=2))
    work()
    assert surveys.of(account, survey.id).state == "ended"
    assert (run_of(MARGARETHE).state, run_of(TORSTEN).state) == ("expired", "skipped")
    says(MARGARETHE, "ja", run_of(MARGARETHE).ours)
    assert not Answer.select().exists()
    assert told(TORSTEN) == []


def test_no_reminder_is_sent_that_the_night_would_move_beyond_the_end(account):
    clock.shift(timedelta(hours=6))  # 18:00 in Berlin
    draft = {**YES_NO, "reminders": 1, "reminder_hours": 3}
    survey = started(account, draft=draft, ends_at=now() + timedelta(hours=10))
    for _ in range(24):
        clock.shift(timedelta(hours=1))
        outbox.sweep()
        work()
    assert told(MARGARETHE) == ["Kommen Sie wieder?"]
    assert surveys.of(account, survey.id).state == "ended"


def test_when_as_many_have_finished_as_wanted_nobody_new_is_asked(account):
    survey = started(account, MARGARETHE, quota=1)
    says(MARGARETHE, "ja", run_of(MARGARETHE).ours)
    enrolling.start(surveys.of(account, survey.id), [TORSTEN])
    work()
    assert (run_of(TORSTEN).state, run_of(TORSTEN).why, told(TORSTEN)) == ("skipped", "quota", [])


def test_over_the_days_limit_the_rest_is_asked_tomorrow(account):
    contacts.Account.update(daily_parts=1).where(contacts.Account.id == account.id).execute()
    enrolling.start(made(contacts.Account.get_by_id(account.id), YES_NO), [MARGARETHE, TORSTEN])
    work()
    left = Run.get(Run.state == "planned")
    assert left.why == "daily_limit"
    clock.shift(timedelta(days=1))
    work()
    assert Run.select().where(Run.state == "asking").count() == 2


def test_a_running_survey_is_not_changed_under_its_participants(account):
    survey = started(account, draft=TWO)
    surveys.save(surveys.of(account, survey.id), draft=YES_NO)
    says(MARGARETHE, "ja", run_of(MARGARETHE).ours)
    assert told(MARGARETHE) == ["Eins?", "Zwei?"]
    enrolling.start(surveys.of(account, survey.id), [TORSTEN])
    work()
    assert told(TORSTEN) == ["Kommen Sie wieder?"]
    assert run_of(TORSTEN).version_id != run_of(MARGARETHE).version_id


def test_an_unchanged_survey_started_again_is_the_same_version(account):
    survey = started(account)
    says(MARGARETHE, "ja", run_of(MARGARETHE).ours)
    enrolling.start(surveys.of(account, survey.id), [TORSTEN, MARGARETHE])
    work()
    assert len({run.version_id for run in Run.select()}) == 1
    assert told(MARGARETHE) == ["Kommen Sie wieder?", "Danke!", "Kommen Sie wieder?"]


def test_a_question_that_does_not_get_through_ends_the_survey_for_this_person(account):
    enrolling.start(made(account, YES_NO), [MARGARETHE])
    asking.work()
    question = Message.get(Message.direction == "outgoing")
    question.advance("sending")
    question.advance("failed", reason="bad_number")
    answering.on_report(question)
    assert (run_of(MARGARETHE).state, run_of(MARGARETHE).why) == ("failed", "bad_number")
    assert not Expectation.select().exists()


def test_an_answer_finds_a_question_that_has_left_from_another_number(account):
    started(account)
    question = Message.get(Message.direction == "outgoing")
    other = next(n for n in POOL if n != question.ours)
    Message.update(ours=other).where(Message.id == question.id).execute()
    routing.remember_reply(account, other, MARGARETHE, "sandbox")
    says(MARGARETHE, "ja", other)  # faster than the report
    assert run_of(MARGARETHE).state == "finished"


def test_a_report_brings_the_waiting_along_to_the_new_number(account):
    started(account)
    question = Message.get(Message.direction == "outgoing")
    question.ours = next(n for n in POOL if n != question.ours)
    question.save()
    answering.on_report(question)
    assert (Expectation.get().ours, run_of(MARGARETHE).ours) == (question.ours, question.ours)


def test_erasing_a_person_in_the_middle_keeps_the_figures_and_nothing_of_theirs(account, anna):
    draft = {"questions": [{"key": "warum", "type": "text", "text": "Warum?"}, *TWO["questions"]]}
    survey = started(account, draft=draft)
    says(MARGARETHE, "Weil ich hier wohne.", run_of(MARGARETHE).ours)
    says(MARGARETHE, "ja", run_of(MARGARETHE).ours)
    contacts.erase(Contact.get(), anna)
    run = Run.get()
    assert (run.state, run.why, run.number, run.contact_id) == ("ended", "erased", "", None)
    assert {(a.question, a.raw, a.value) for a in Answer.select()} == {("warum", "", ""), ("a", "", "yes")}
    assert not Expectation.select().exists()
    work()
    from sms.modules.survey import export, results

    found = results.results(surveys.of(account, survey.id))
    assert (found.sent, found.questions[1].values) == (1, {"yes": 1})
    assert b"wohne" not in export.as_csv(surveys.of(account, survey.id))


def test_erasing_somebody_who_waits_to_be_asked_asks_nobody(account):
    _, talk = contacts.find_or_add(account, MARGARETHE)
    enrolling.start(made(account, YES_NO), [MARGARETHE], at=now() + timedelta(hours=1))
    contacts.erase(talk.contact)
    clock.shift(timedelta(hours=2))
    work()
    assert Run.get().state == "skipped"
    assert not Contact.select().exists()


def test_a_test_with_ones_own_phone_counts_nowhere_and_needs_no_start(account):
    survey = made(account, TWO)
    enrolling.try_out(survey, "0171 39200 42")
    work()
    says(MARGARETHE, "ja", run_of(MARGARETHE).ours)
    assert told(MARGARETHE) == ["Eins?", "Zwei?"]
    enrolling.try_out(survey, "0171 39200 42")  # once more from the beginning
    work()
    assert told(MARGARETHE)[2:] == ["Eins?"]
    for _ in range(2):
        says(MARGARETHE, "ja", run_of(MARGARETHE).ours)
    assert told(MARGARETHE)[-1] == "Danke!"
    assert not Count.select().exists()
    assert surveys.of(account, survey.id).state == "draft"


def test_an_occasion_of_another_module_starts_a_survey_a_day_later_on_the_wall_clock(account):
    survey = made(
        account,
        {"questions": [{"key": "q", "type": "yesno", "text": "War am {Termin} alles gut?"}]},
        trigger={"event": "appointment", "days": 1, "time": "16:00"},
    )
    enrolling.open_door(survey)
    visit = Occasion("appointment", MARGARETHE, now(), "A-1", {"Termin": "Montag"})
    announce(account, visit)
    announce(account, visit)
    announce(account, Occasion("birthday", TORSTEN, now(), "B-1"))
    announce(account, Occasion("appointment", NELE, now(), "A-2", {"Termin": "Montag"}))
    announce(account, Occasion("appointment", NELE, now(), "A-2", gone=True))
    assert [r.number for r in Run.select().where(Run.state.in_(OPEN))] == [MARGARETHE]
    clock.shift(timedelta(hours=27))
    work()
    assert told(MARGARETHE) == []
    clock.shift(timedelta(hours=1))
    work()
    assert told(MARGARETHE) == ["War am Montag alles gut?"]


def test_correcting_a_value_is_logged_and_counted(account, anna, stranger):
    survey = started(account)
    says(MARGARETHE, "nein", run_of(MARGARETHE).ours)
    answer = Answer.get()
    with pytest.raises(Refused):
        answering.correct(answer.id, account, "hm", anna)
    with pytest.raises(NotFound):
        answering.correct(answer.id, stranger.account, "ja", stranger)
    answering.correct(answer.id, account, "ja", anna)
    answer = Answer.get()
    assert (answer.raw, answer.understood, answer.value, answer.corrected_by) == ("nein", "no", "yes", anna)
    assert {
        c.name: c.n for c in Count.select().where(Count.question == "q", Count.name.startswith("v:"))
    } == {"v:no": 0, "v:yes": 1}
    assert events()[-1] == "survey_corrected"
    bubble = Message.get(Message.direction == "incoming")
    assert bubble.data["chip"]["value"] == "Ja"
    assert survey.id


def test_an_answer_worth_seeing_opens_the_thread(account, anna):
    draft = {
        "questions": [{"key": "q", "type": "text", "text": "Was können wir besser machen?", "notify": True}]
    }
    started(account, draft=draft)
    inbox.set_status(Conversation.get(), "closed", anna)
    says(MARGARETHE, "Die Musik!", run_of(MARGARETHE).ours)
    assert Conversation.get().status == "open"


def test_other_answers_do_not_bother_the_agents(account, anna):
    started(account)
    inbox.set_status(Conversation.get(), "closed", anna)
    says(MARGARETHE, "ja", run_of(MARGARETHE).ours)
    assert Conversation.get().status == "closed"


def test_nothing_is_done_while_nothing_is_due(account, monkeypatch):
    rung = []
    monkeypatch.setattr(asking.queue, "later", lambda name, **more: rung.append(name))
    survey = made(account, YES_NO)
    enrolling.start(survey, [MARGARETHE], at=now() + timedelta(hours=1))
    rung.clear()
    asking.tick()
    assert rung == []
    clock.shift(timedelta(hours=1))
    asking.tick()
    assert rung == ["ask_surveys"]
