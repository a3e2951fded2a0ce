"""The pages of surveys as the owner of a practice uses them, without JavaScript: set up, try out, start, read."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from sms import clock
from sms import modules as registry
from sms.clock import now
from sms.models import Account, User
from sms.modules import Module, Occasion, OccasionKind
from sms.modules.survey import demo, flow, surveys
from sms.modules.survey.models import Answer, Survey
from tests.conftest import sign_in
from tests.survey.surveys_for_tests import MARGARETHE, NELE, TORSTEN, made, run_of, says, told, work


@pytest.fixture(autouse=True)
def _noon(app: Flask) -> None:
    """Surveys are asked by day."""
    clock.shift(datetime(2026, 11, 23, 11, tzinfo=UTC) - now())


@pytest.fixture
def browser(owner_client: FlaskClient) -> FlaskClient:
    return owner_client


def text(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True)))


def as_form(survey: Survey, **more: Any) -> dict[str, Any]:
    """What a browser sends for a survey that nobody has touched."""
    draft = flow.read(survey.draft)
    form: dict[str, Any] = {
        "name": survey.name,
        "closing": draft.closing,
        "q": [q.key for q in draft.questions],
    }
    form |= {"reminders": str(draft.reminders), "keyword": survey.keyword}
    for q in draft.questions:
        kind = f"scale:{q.scale}" if q.type == "scale" else q.type
        form |= {
            f"{q.key}-kind": kind,
            f"{q.key}-text": q.text,
            f"{q.key}-name": q.name,
            f"{q.key}-next": q.next,
            f"{q.key}-low": q.low,
            f"{q.key}-high": q.high,
        }
        form |= {f"{q.key}-options": "\n".join(q.options), f"{q.key}-rules": str(len(q.branches))}
        form |= {f"{q.key}-retries": str(q.retries), f"{q.key}-when_unclear": q.when_unclear}
        if q.notify:
            form[f"{q.key}-notify"] = "1"
        for n, rule in enumerate(q.branches):
            form |= {f"{q.key}-{n}-answers": list(rule.answers), f"{q.key}-{n}-to": rule.to}
    return form | more


def again(survey: Survey) -> Survey:
    return Survey.get_by_id(survey.id)


def test_a_survey_is_made_saved_button_by_button_and_lost_is_nothing(
    browser: FlaskClient, account: Account
) -> None:
    made_at = browser.post("/surveys", data={"name": "Zufriedenheit"})
    assert made_at.status_code == 303
    address = made_at.headers["Location"]
    survey = surveys.listing(account)[0]
    browser.post(address, data=as_form(survey, do="add"))
    browser.post(address, data=as_form(again(survey), do="add", **{"q1-text": "Waren Sie zufrieden?"}))
    options = {"q2-kind": "choice", "q2-text": "Woher?", "q2-options": "Internet\nEmpfehlung"}
    browser.post(address, data=as_form(again(survey), **options, do="rule:q1"))
    browser.post(
        address, data=as_form(again(survey), **{"q1-0-answers": ["no"], "q1-0-to": "end"}, do="down:q1")
    )
    questions = flow.read(again(survey).draft).questions
    assert [q.key for q in questions] == ["q2", "q1"]
    assert questions[0].options == ("Internet", "Empfehlung")
    assert questions[1].branches == (flow.Branch(("no",), to="end"),)
    page = browser.get(address)
    assert page.status_code == 200
    assert "Waren Sie zufrieden?" in text(page)


def test_the_untouched_form_of_the_design_says_what_was_there(browser: FlaskClient, account: Account) -> None:
    survey = made(account)
    assert browser.post(f"/surveys/{survey.id}", data=as_form(survey)).status_code == 303
    assert flow.read(again(survey).draft) == flow.read(demo.DRAFT)
    html = browser.get(f"/surveys/{survey.id}").get_data(as_text=True)
    assert 'value="4" checked' in html
    assert 'value="3" checked' not in html


def test_removing_a_question_leaves_no_rule_that_leads_nowhere(
    browser: FlaskClient, account: Account
) -> None:
    survey = made(account)
    browser.post(f"/surveys/{survey.id}", data=as_form(survey, do="remove:schlecht"))
    first = flow.read(again(survey).draft).questions[0]
    assert first.branches == ()


def test_what_is_typed_is_saved_by_itself_and_tells_cost_and_what_is_missing(
    browser: FlaskClient, account: Account
) -> None:
    survey = made(account)
    form = as_form(survey, **{"zufriedenheit-text": ""})
    answer = browser.post(f"/surveys/{survey.id}", data=form, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert flow.read(again(survey).draft).questions[0].text == ""
    html = answer.get_data(as_text=True)
    assert 'hx-target="#problems"' in html
    assert "#q-zufriedenheit" in html


def test_one_setting_that_cannot_be_used_loses_no_other(browser: FlaskClient, account: Account) -> None:
    survey = made(account)
    form = as_form(survey, name="Neuer Name", keyword="STOP", quota="viele", closing="Danke!")
    answer = browser.post(f"/surveys/{survey.id}", data=form)
    assert answer.status_code == 422
    kept = again(survey)
    assert (kept.name, kept.keyword, flow.read(kept.draft).closing) == ("Neuer Name", "", "Danke!")
    html = answer.get_data(as_text=True)
    assert 'id="keyword-e"' in html
    assert 'value="viele"' in html


APPOINTMENT = OccasionKind("visited", "After the visit", ("Termin",))


@pytest.fixture
def calendar(monkeypatch: pytest.MonkeyPatch) -> Module:
    """Another module, which announces visits."""
    made = Module(name="calendar", occasions=(APPOINTMENT,))
    found = {**registry.modules(), "calendar": made}
    monkeypatch.setattr(registry, "modules", lambda: found)
    return made


def test_the_form_asks_a_day_after_an_event_that_another_module_announces(
    browser: FlaskClient, account: Account, calendar: Module
) -> None:
    survey = made(
        account, {"questions": [{"key": "q", "type": "yesno", "text": "War am {Termin} alles gut?"}]}
    )
    address = f"/surveys/{survey.id}"
    assert "After the visit" in text(browser.get(address))
    event = {"trigger": "on:visited", "trigger_days": "1", "trigger_time": "16:00"}
    browser.post(address, data=as_form(survey, **event))
    assert again(survey).trigger == {"event": "visited", "days": 1, "time": "16:00"}
    page = browser.get(address).get_data(as_text=True)
    assert '<option value="on:visited" selected>' in page
    assert 'data-insert="{Termin}"' in page
    assert (
        "Einschalten Die Umfrage geht dann von selbst hinaus. After the visit: 1 Tag später, 16:00."
        in text(browser.get(f"{address}/start"))
    )
    browser.post(f"{address}/start", data={"do": "open"})
    registry.announce(account, Occasion("visited", MARGARETHE, now(), "A-1", {"Termin": "Montag"}))
    work()
    assert told(MARGARETHE) == []
    clock.shift(timedelta(days=1, hours=5))
    work()
    assert told(MARGARETHE) == ["War am Montag alles gut?"]


def test_one_way_in_replaces_the_other(browser: FlaskClient, account: Account, calendar: Module) -> None:
    survey = made(account, keyword="UMFRAGE")
    address = f"/surveys/{survey.id}"
    browser.post(address, data=as_form(survey, trigger="on:visited", trigger_days="", trigger_time=""))
    assert (again(survey).keyword, again(survey).trigger) == ("", {"event": "visited", "days": 0, "time": ""})
    browser.post(address, data=as_form(survey, trigger="keyword", keyword="Umfrage"))
    assert (again(survey).keyword, again(survey).trigger) == ("umfrage", None)
    browser.post(address, data=as_form(survey, trigger="hand", keyword="Umfrage"))
    assert (again(survey).keyword, again(survey).trigger) == ("", None)


@pytest.mark.parametrize(
    ("typed", "place"),
    [
        ({"trigger": "on:visited", "trigger_days": "bald"}, "trigger_days"),
        ({"trigger": "on:visited", "trigger_days": "999"}, "trigger_days"),
        ({"trigger": "on:visited", "trigger_days": "1", "trigger_time": "25:00"}, "trigger_time"),
        ({"trigger": "on:nothing", "trigger_days": "1"}, "trigger"),
        ({"trigger": "keyword", "keyword": " "}, "keyword"),
    ],
)
def test_a_trigger_that_cannot_be_kept_says_so_beside_its_field_and_stays_as_typed(
    browser: FlaskClient, account: Account, calendar: Module, typed: dict[str, str], place: str
) -> None:
    survey = made(account)
    answer = browser.post(f"/surveys/{survey.id}", data=as_form(survey, **typed))
    assert answer.status_code == 422
    html = answer.get_data(as_text=True)
    assert f'id="{place}-e"' in html
    assert place == "trigger" or f'<option value="{typed["trigger"]}" selected>' in html
    assert again(survey).trigger is None


def test_a_survey_whose_event_nobody_announces_any_more_keeps_it(
    browser: FlaskClient, account: Account
) -> None:
    survey = made(account, trigger={"event": "gone", "days": 2, "time": ""})
    form = as_form(survey, trigger="on:gone", trigger_days="2", trigger_time="")
    assert browser.post(f"/surveys/{survey.id}", data=form).status_code == 303
    assert again(survey).trigger == {"event": "gone", "days": 2, "time": ""}


def test_the_ends_of_a_scale_have_the_words_of_the_owner(browser: FlaskClient, account: Account) -> None:
    survey = made(account, {"questions": [{"key": "q", "type": "scale", "text": "Wie war es?"}]})
    form = as_form(survey, **{"q-low": "sehr gut", "q-high": "gar {nicht}"})
    browser.post(f"/surveys/{survey.id}", data=form)
    ask(browser, survey, MARGARETHE, TORSTEN)
    says(MARGARETHE, "hä?", run_of(MARGARETHE).ours)
    assert told(MARGARETHE)[-1].endswith("mit einer Zahl von 1 (sehr gut) bis 5 (gar {nicht}).")
    says(MARGARETHE, "1", run_of(MARGARETHE).ours)
    assert "1, sehr gut" in text(browser.get(f"/surveys/{survey.id}/results"))
    too_long = as_form(again(survey), **{"q-low": "x" * 41}, do="check")
    assert 'id="q-low-e"' in browser.post(
        f"/surveys/{survey.id}", data=too_long, follow_redirects=True
    ).get_data(as_text=True)


def test_a_survey_that_is_not_finished_is_not_started_and_says_why_beside_the_field(
    browser: FlaskClient, account: Account
) -> None:
    draft = {"questions": [{"key": "a", "type": "choice", "text": "Woher?"}]}
    survey = made(account, draft)
    answer = browser.post(f"/surveys/{survey.id}", data=as_form(survey, do="start"), follow_redirects=True)
    assert 'id="a-options-e"' in answer.get_data(as_text=True)
    assert browser.get(f"/surveys/{survey.id}/start").status_code == 303


def test_an_empty_survey_says_so_and_starts_nothing(browser: FlaskClient, account: Account) -> None:
    survey = surveys.create(account, "Leer")
    answer = browser.post(f"/surveys/{survey.id}", data=as_form(survey, do="start"), follow_redirects=True)
    assert 'id="questions-e"' in answer.get_data(as_text=True)
    assert "mindestens eine Frage" in text(answer)
    begun = browser.post(f"/surveys/{survey.id}/start", data={"numbers": "0171 3920042", "do": "start"})
    assert begun.status_code == 303
    assert begun.headers["Location"].endswith("check=1#problems")
    assert again(survey).state == "draft"
    assert browser.get(f"/surveys/{survey.id}/results").status_code == 200


def test_a_hundred_and_sixty_choices_are_kept_and_refused_beside_their_field(
    browser: FlaskClient, account: Account
) -> None:
    survey = made(account, {"questions": [{"key": "a", "type": "choice", "text": "Woher?"}]})
    choices = [f"Weg Nr. {n}" for n in range(160)]
    form = as_form(survey, **{"a-options": "\n".join(choices)}, do="check")
    answer = browser.post(f"/surveys/{survey.id}", data=form, follow_redirects=True)
    html = answer.get_data(as_text=True)
    assert 'id="a-options-e"' in html
    assert "höchstens 26" in text(answer)
    assert "Weg Nr. 159</textarea>" in html
    assert flow.read(again(survey).draft).questions[0].options == tuple(choices)


def test_the_phone_follows_what_is_typed_and_keeps_what_was_answered(
    browser: FlaskClient, account: Account
) -> None:
    survey = made(account)
    form = as_form(survey, **{"empfehlung-text": "Kommen Sie wieder?", "replies": ["1"]})
    saved = browser.post(f"/surveys/{survey.id}", data=form, headers={"HX-Request": "true"})
    html = saved.get_data(as_text=True)
    assert 'hx-target="#played"' in html
    assert "Kommen Sie wieder?</li>" in html


def test_days_that_were_answered_are_drawn_with_a_table_behind(
    browser: FlaskClient, account: Account
) -> None:
    draft = {"questions": [
        {"key": "d", "name": "Tag", "type": "date", "text": "Wann?"},
        {"key": "j", "name": "Wieder", "type": "yesno", "text": "Wieder?"},
    ]}  # fmt: skip
    survey = made(account, draft)
    ask(browser, survey, MARGARETHE, TORSTEN, NELE)
    for number, day in ((MARGARETHE, "24.12."), (TORSTEN, "am 24.12.2026"), (NELE, "31.12.")):
        says(number, day, run_of(number).ours)
    says(MARGARETHE, "ja", run_of(MARGARETHE).ours)
    page = browser.get(f"/surveys/{survey.id}/results")
    html = page.get_data(as_text=True)
    assert html.count('<rect class="v" x="') == 2
    assert '<th scope="row">24. Dezember 2026</th><td class="r num">2</td>' in html
    assert "1 Ja 100 %" in text(page)


def test_the_phone_plays_the_flow_and_sends_nothing(browser: FlaskClient, account: Account) -> None:
    survey = made(account)
    address = f"/surveys/{survey.id}/preview"
    first = browser.post(address, data={"reply": "Note 4"}, headers={"HX-Request": "true"})
    assert "besser machen" in text(first)
    whole = browser.post(address, data={"replies": ["4", "Lange Wartezeit", "jo", "B"], "reply": ""})
    assert "Vielen Dank für Ihre Hilfe! Ihre Praxis Dr. Lindner" in text(whole)
    assert told(MARGARETHE) == []


def test_a_test_goes_to_ones_own_phone_and_a_landline_is_refused(
    browser: FlaskClient, account: Account
) -> None:
    survey = made(account)
    assert browser.post(f"/surveys/{survey.id}/try", data={"number": "0171 3920042"}).status_code == 303
    assert run_of(MARGARETHE).test
    refused = browser.post(f"/surveys/{survey.id}/try", data={"number": "030 23125417"})
    assert refused.status_code == 422
    assert 'id="number-e"' in refused.get_data(as_text=True)


def test_five_thousand_lines_show_what_is_wrong_and_the_good_ones_are_asked(
    browser: FlaskClient, account: Account
) -> None:
    survey = made(account)
    lines = [f"0171 39{n:05d}" for n in range(4959)] + ["keine Nummer"] * 40 + ["0171 3900000"]
    address = f"/surveys/{survey.id}/start"
    looked = browser.post(address, data={"numbers": "\n".join(lines), "do": "check"})
    assert looked.status_code == 200
    assert looked.get_data(as_text=True).count(">keine Nummer<") == 40
    assert "4959" in text(looked)
    started = browser.post(address, data={"numbers": "\n".join(lines), "do": "start"})
    assert started.status_code == 303
    second = browser.post(address, data={"numbers": "\n".join(lines), "do": "start"})
    assert second.status_code == 422
    assert again(survey).state == "running"


def test_contacts_are_found_and_added_to_the_numbers(browser: FlaskClient, account: Account) -> None:
    from tests.views.practice import conversation

    contact = conversation(account, MARGARETHE, "Margarethe Schößler").contact_id
    survey = made(account)
    address = f"/surveys/{survey.id}/start"
    found = browser.post(address, data={"numbers": "0171 3920033", "q": "Schößler", "do": "find"})
    assert f'name="contact" value="{contact}"' in found.get_data(as_text=True)
    added = browser.post(
        address, data={"numbers": "0171 3920033", "q": "Schößler", "contact": contact, "do": "add"}
    )
    assert f"0171 3920033\n{MARGARETHE}; Margarethe Schößler</textarea>" in added.get_data(as_text=True)


def ask(browser: FlaskClient, survey: Survey, *numbers: str) -> None:
    browser.post(f"/surveys/{survey.id}/start", data={"numbers": "\n".join(numbers), "do": "start"})
    work()


def test_results_are_read_filtered_exported_and_corrected(
    browser: FlaskClient, account: Account, client: FlaskClient
) -> None:
    survey = made(account)
    ask(browser, survey, MARGARETHE, TORSTEN, NELE)
    for number, words in (
        (MARGARETHE, ("4", "Fast 50 Minuten <gewartet>", "nein")),
        (TORSTEN, ("sehr gut, 1", "ja")),
    ):
        for word in words:
            says(number, word, run_of(number).ours)
    page = client.get(f"/surveys/{survey.id}/results")
    assert page.status_code == 200
    said = text(page)
    assert "67 %" in said
    assert "Fast 50 Minuten &lt;gewartet&gt;" in page.get_data(as_text=True)
    part = client.get(f"/surveys/{survey.id}/results", headers={"HX-Request": "true"}).get_data(as_text=True)
    assert "<html" not in part
    like = text(client.get(f"/surveys/{survey.id}/results?like=zufriedenheit=4"))
    assert "100 %" in like
    for broken in ("since=gestern", "like==", "like=x", "until=9999-99-99"):
        assert client.get(f"/surveys/{survey.id}/results?{broken}").status_code == 200
    assert client.get(f"/surveys/{survey.id}/export.csv").data.startswith(b"\xef\xbb\xbf")
    assert client.get(f"/surveys/{survey.id}/export.xlsx").data.startswith(b"PK")
    answer = Answer.get(Answer.run == run_of(MARGARETHE), Answer.question == "zufriedenheit")
    assert client.post(f"/surveys/answers/{answer.id}/correct", data={"value": "blau"}).status_code == 422
    assert client.post(f"/surveys/answers/{answer.id}/correct", data={"value": "5"}).status_code == 303
    assert Answer.get_by_id(answer.id).value == "5"
    assert "5" in text(client.get(f"/surveys/{survey.id}/answers/zufriedenheit"))
    assert client.get(f"/surveys/{survey.id}/answers/gibtesnicht").status_code == 404


def test_a_survey_is_paused_resumed_ended_copied_and_deleted(browser: FlaskClient, account: Account) -> None:
    survey = made(account, keyword="UMFRAGE")
    browser.post(f"/surveys/{survey.id}/start", data={"do": "open"})
    for verb, state in (("pause", "paused"), ("resume", "running"), ("end", "ended")):
        assert browser.post(f"/surveys/{survey.id}/{verb}").status_code == 303
        assert again(survey).state == state
    assert browser.post(f"/surveys/{survey.id}/pause").status_code == 409
    browser.post(f"/surveys/{survey.id}/copy")
    assert len(surveys.listing(account)) == 2
    assert browser.get("/surveys").status_code == 200
    browser.post(f"/surveys/{survey.id}/delete")
    assert len(surveys.listing(account)) == 1


def test_agents_read_results_but_do_not_set_up(app: Flask, anna: User, account: Account) -> None:
    survey = made(account)
    browser = sign_in(app, anna)
    assert browser.get(f"/surveys/{survey.id}/results").status_code == 200
    listed = browser.get("/surveys").get_data(as_text=True)
    assert f'href="/surveys/{survey.id}"' not in listed
    for method, path in (("GET", ""), ("POST", ""), ("GET", "/start"), ("POST", "/start"), ("POST", "/end")):
        assert browser.open(f"/surveys/{survey.id}{path}", method=method).status_code == 403


def test_while_it_runs_a_change_is_for_the_next_start_and_the_form_says_so(
    browser: FlaskClient, account: Account
) -> None:
    survey = made(account)
    ask(browser, survey, MARGARETHE)
    browser.post(f"/surveys/{survey.id}", data=as_form(again(survey), **{"empfehlung-text": "Ganz neu?"}))
    says(MARGARETHE, "1", run_of(MARGARETHE).ours)
    assert "Ganz neu?" not in told(MARGARETHE)
    assert "notice-accent" in browser.get(f"/surveys/{survey.id}").get_data(as_text=True)


@pytest.mark.parametrize(
    "form",
    [
        {"q": ["end", "../x", "ä", "a", "a"], "a-rules": "99999999", "a-kind": "nichts", "do": "up:a"},
        {"q": ["a"], "a-kind": "scale:7", "a-rules": "1", "a-0-to": "nirgends", "do": "unrule:a:9"},
        {"do": "fliegen"}, {"q": ["a"] * 100, "do": "add"}, {"expires_hours": "nie", "reminders": "-4"},
    ],
)  # fmt: skip
def test_whatever_a_form_holds_the_page_stays_there(
    browser: FlaskClient, account: Account, form: dict[str, Any]
) -> None:
    survey = made(account)
    answer = browser.post(f"/surveys/{survey.id}", data={"name": "X", **form})
    assert answer.status_code in (303, 422)
    assert browser.get(f"/surveys/{survey.id}?check=1").status_code == 200


def test_an_agent_takes_over_in_the_thread_resumes_and_ends(
    browser: FlaskClient, client: FlaskClient, account: Account
) -> None:
    survey = made(account)
    ask(browser, survey, MARGARETHE)
    run = run_of(MARGARETHE)
    thread = f"/conversations/{run.conversation_id}"
    assert f"/surveys/runs/{run.id}/pause" in client.get(thread).get_data(as_text=True)
    for verb, offered, gone in (
        ("pause", "resume", "pause"),
        ("resume", "pause", "resume"),
        ("stop", "", "stop"),
    ):
        assert client.post(f"/surveys/runs/{run.id}/{verb}").headers["Location"] == thread
        page = client.get(thread).get_data(as_text=True)
        assert not offered or f"/surveys/runs/{run.id}/{offered}" in page
        assert f"/surveys/runs/{run.id}/{gone}" not in page
    assert client.post(f"/surveys/runs/{run.id}/resume").status_code == 409


def test_the_chip_at_an_answer_leads_to_its_result(
    browser: FlaskClient, client: FlaskClient, account: Account
) -> None:
    survey = made(account)
    ask(browser, survey, MARGARETHE)
    run = run_of(MARGARETHE)
    says(MARGARETHE, "4", run.ours)
    page = client.get(f"/conversations/{run.conversation_id}").get_data(as_text=True)
    href = re.search(r'class="answer" href="([^"]+)"', page)
    assert href
    address, _, anchor = href[1].replace("&amp;", "&").partition("#")
    assert f'id="{anchor}"' in client.get(address).get_data(as_text=True)


def test_the_list_is_found_with_a_slash_behind_it_too(browser: FlaskClient) -> None:
    assert browser.get("/surveys/", follow_redirects=True).status_code == 200


def test_a_question_that_the_straight_way_reaches_too_is_not_said_to_need_an_answer(
    browser: FlaskClient, account: Account
) -> None:
    ask = {"type": "yesno", "text": "Ja?"}
    rule = [{"answers": ["no"], "to": "c"}]
    both = [{"key": "a", **ask, "branches": rule}, {"key": "b", **ask}, {"key": "c", **ask}]
    survey = made(account, {"questions": both})
    assert "nur nach" not in text(browser.get(f"/surveys/{survey.id}"))
    surveys.save(survey, draft={"questions": [both[0], {**both[1], "next": "end"}, both[2]]})
    assert "nur nach Ja?: Nein" in text(browser.get(f"/surveys/{survey.id}"))


def test_a_placeholder_that_nobody_fills_is_said_beside_its_text_and_hinders_no_start(
    browser: FlaskClient, account: Account
) -> None:
    survey = made(account, {"questions": [{"key": "a", "type": "yesno", "text": "Hallo {quatsch}, {}?"}]})
    page = text(browser.get(f"/surveys/{survey.id}?check=1"))
    assert page.count("Für {quatsch} hat noch niemand einen Wert.") == 2
    assert page.count("Eine einzelne oder leere Klammer wird so gesendet, wie sie dasteht.") == 2
    assert "Alles ist da" in page or "kann starten" in page
