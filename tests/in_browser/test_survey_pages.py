"""Surveys in a real browser: drawn without faults, set up by keyboard, saved as one types, tried out on the phone."""

from datetime import UTC, datetime, timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from sms import clock
from sms.clock import now
from sms.models import Account, User
from sms.modules.survey import asking, enrolling, flow, surveys
from sms.modules.survey.models import Survey
from tests.in_browser.conftest import Site, Visitors, shot
from tests.survey.surveys_for_tests import (
    MARGARETHE,
    NELE,
    TORSTEN,
    made,
    run_of,
    says,
    take_everything,
    work,
)

ANNE, BERND, CLARA = "+491713920045", "+491713920046", "+491713920048"


@pytest.fixture
def owner(site: Site) -> User:
    return User.get_by_id(site.people.owner)


@pytest.fixture
def answered(account: Account) -> Survey:
    """A survey that three people were asked by day, two of whom have answered."""
    found = Survey.get_or_none(Survey.account == account, Survey.name == "Zufriedenheit")
    if found is not None:
        return found
    clock.shift(datetime(2026, 11, 23, 11, tzinfo=UTC) - now())
    survey = made(account)
    enrolling.start(survey, [MARGARETHE, TORSTEN, NELE, "keine Nummer", "030 23125417"])
    work()
    for words in ("4", "Fast 50 Minuten gewartet, obwohl ich einen Termin hatte.", "nein", "B"):
        says(MARGARETHE, words, run_of(MARGARETHE).ours)
    for words in ("1", "ja gerne"):
        says(TORSTEN, words, run_of(TORSTEN).ours)
    return surveys.of(account, survey.id)


def faults(page: Page) -> list[str]:
    """What axe-core finds, with the place of each."""
    found = Axe().run(page).response["violations"]
    return [f"{page.url} {v['id']}: {[n['html'][:160] for n in v['nodes'][:3]]}" for v in found]


@pytest.fixture
def of_all_kinds(account: Account) -> Survey:
    """A survey with every drawing that results have: a line over days, dates, a recommendation, yes and no."""
    found = Survey.get_or_none(Survey.account == account, Survey.name == "Alle Arten")
    if found is not None:
        return found
    clock.shift(datetime(2026, 11, 22, 11, tzinfo=UTC) - now())
    draft = {"questions": [
        {"key": "tag", "name": "Tag", "type": "date", "text": "Wann?"},
        {"key": "nps", "name": "Empfehlen", "type": "scale", "scale": "nps", "text": "Von 0 bis 10?"},
        {"key": "ja", "name": "Wieder", "type": "yesno", "text": "Wieder?"},
    ]}  # fmt: skip
    survey = surveys.create(account, "Alle Arten", draft)
    enrolling.start(survey, [ANNE])
    work()
    for words in ("24.12.", "3", "nein"):
        says(ANNE, words, run_of(ANNE).ours)
    clock.shift(timedelta(days=1))
    enrolling.start(survey, [BERND, CLARA])
    work()
    for words in ("nächsten Freitag", "10", "ja"):
        says(BERND, words, run_of(BERND).ours)
    says(CLARA, "3.2.2027", run_of(CLARA).ours)
    return surveys.of(account, survey.id)


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (1024, "dark"), (390, "light")])
def test_axe_finds_nothing_and_nothing_is_too_wide(
    visitors: Visitors, owner: User, answered: Survey, of_all_kinds: Survey, width: int, theme: str
) -> None:
    page = visitors.open(
        owner, "/surveys", viewport={"width": width, "height": 900}, color_scheme=theme, has_touch=width < 400
    )
    own = f"/surveys/{answered.id}"
    found = []
    pages = {
        "list": "/surveys", "setup": f"{own}?open=zufriedenheit", "start": f"{own}/start",
        "results": f"{own}/results", "answers": f"{own}/answers/zufriedenheit",
        "not-asked": f"{own}/not-asked", "kinds": f"/surveys/{of_all_kinds.id}/results",
    }  # fmt: skip
    for name, path in pages.items():
        page.goto(path)
        found += faults(page)
        shot(page, f"survey-{name}-{width}-{theme}")
        if page.evaluate("document.documentElement.scrollWidth - innerWidth") > 0:
            found.append(f"{name} is too wide at {width}")
    page.goto(f"{own}/start")
    page.fill("#numbers", "0171 3920077\nkeine Nummer\n0171 3920077")
    page.get_by_role("button", name="Prüfen").click()
    expect(page.get_by_role("button", name="1 Person fragen")).to_be_focused()
    found += faults(page)
    shot(page, f"survey-start-checked-{width}-{theme}")
    assert found == []
    assert visitors.complaints == []


def test_a_survey_is_set_up_by_keyboard_saved_as_one_types_and_played(
    visitors: Visitors, owner: User, account: Account
) -> None:
    page = visitors.open(owner, "/surveys")
    page.locator("#name").focus()
    page.keyboard.type("Wartezeit")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Frage", exact=True).focus()
    page.keyboard.press("Enter")
    page.locator("#q1-text").focus()
    page.keyboard.type("Mussten Sie lange warten?")
    survey = Survey.get(Survey.account == account, Survey.name == "Wartezeit")
    expect(page.locator("#t-q1")).to_have_text("Mussten Sie lange warten?")
    expect(page.locator("#m-q1")).to_contain_text("25/160")
    expect(page.locator("#played")).to_contain_text("Mussten Sie lange warten?")
    assert flow.read(Survey.get_by_id(survey.id).draft).questions[0].text == "Mussten Sie lange warten?"
    page.get_by_role("button", name="Frage", exact=True).focus()
    page.keyboard.press("Enter")
    page.locator("#q2-kind").select_option("text")
    page.wait_for_url("**open=q2**")
    page.locator("#q2-text").fill("Was können wir besser machen?")
    expect(page.locator("#problems")).to_contain_text("kann starten")
    page.get_by_role("button", name="Frage 2 nach oben").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**focus=up**")
    expect(page.get_by_role("button", name="Frage 1 nach oben")).to_be_focused()
    assert [q.key for q in flow.read(Survey.get_by_id(survey.id).draft).questions] == ["q2", "q1"]
    for words in ("Parkplätze", "vielleicht", "nee"):
        page.locator("#reply").fill(words)
        page.keyboard.press("Enter")
        expect(page.locator(".sms .mine").last).to_contain_text(words)
    expect(page.locator(".sms")).to_contain_text("JA oder NEIN")
    expect(page.locator(".sms")).to_contain_text("zu Ende")
    assert visitors.complaints == []


def test_a_question_is_dragged_into_its_place(visitors: Visitors, owner: User, account: Account) -> None:
    draft = {"questions": [{"key": k, "type": "text", "text": f"Frage {k}?"} for k in ("a", "b", "c")]}
    survey = surveys.create(account, "Gezogen", draft)
    page = visitors.open(owner, f"/surveys/{survey.id}")
    page.locator("#q-c [data-grip]").drag_to(page.locator("#q-a"))
    page.wait_for_url("**#problems")
    assert [q.key for q in flow.read(Survey.get_by_id(survey.id).draft).questions] == ["c", "a", "b"]
    assert visitors.complaints == []


def test_a_table_that_was_opened_stays_open_while_figures_come_in(
    visitors: Visitors, of_all_kinds: Survey, anna: User
) -> None:
    page = visitors.open(anna, f"/surveys/{of_all_kinds.id}/results")
    table = page.locator("#b-tag")
    table.locator("summary").click()
    expect(table.get_by_text("24. Dezember 2026")).to_be_visible()
    clock.shift(datetime(2026, 11, 23, 12, tzinfo=UTC) - now())
    says(CLARA, "7", run_of(CLARA).ours)
    expect(page.locator("#q-nps")).to_contain_text("2 von 3 haben geantwortet")
    expect(table.get_by_text("24. Dezember 2026")).to_be_visible()
    assert visitors.complaints == []


def test_results_follow_along(visitors: Visitors, answered: Survey, anna: User) -> None:
    page = visitors.open(anna, f"/surveys/{answered.id}/results")
    expect(page.locator(".figures")).to_contain_text("67")
    clock.shift(datetime(2026, 11, 23, 12, tzinfo=UTC) - now())
    says(NELE, "2", run_of(NELE).ours)
    expect(page.locator(".figures")).to_contain_text("100 %")
    assert visitors.complaints == []


@pytest.mark.parametrize("width", [1440, 390])
def test_an_agent_takes_over_and_gives_back_in_the_thread(
    visitors: Visitors, answered: Survey, anna: User, width: int
) -> None:
    run = run_of(TORSTEN)
    page = visitors.open(
        anna, f"/conversations/{run.conversation_id}", viewport={"width": width, "height": 900}
    )
    page.get_by_role("button", name="Übernehmen").click()
    expect(page.locator("#banners")).to_contain_text("ist hier pausiert")
    shot(page, f"survey-thread-{width}")
    assert faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    page.get_by_role("button", name="Fortsetzen").click()
    expect(page.locator("#banners")).to_contain_text("wartet hier auf eine Antwort")
    assert visitors.complaints == []


def test_an_agent_ends_a_survey_in_the_thread(visitors: Visitors, account: Account, anna: User) -> None:
    clock.shift(datetime(2026, 11, 23, 11, tzinfo=UTC) - now())
    survey = surveys.create(
        account, "Kurz", {"questions": [{"key": "a", "type": "text", "text": "Was fehlt Ihnen?"}]}
    )
    enrolling.start(survey, ["0171 3920044"])
    work()
    run = run_of("+491713920044")
    page = visitors.open(anna, f"/conversations/{run.conversation_id}")
    banner = page.locator("#banners").get_by_text("Kurz")
    expect(banner).to_be_visible()
    page.locator("#banners").get_by_role("button", name="Beenden").click()
    expect(banner).to_have_count(0)
    expect(page.locator("#thread")).to_contain_text("Umfrage Kurz vorzeitig beendet")
    assert run_of("+491713920044").state == "ended"
    assert visitors.complaints == []


def test_only_the_fields_of_the_chosen_trigger_are_there(
    visitors: Visitors, owner: User, account: Account
) -> None:
    survey = surveys.create(account, "Ausgelöst")
    page = visitors.open(owner, f"/surveys/{survey.id}")
    word, days = page.get_by_label("Stichwort"), page.get_by_label("Tage danach")
    expect(word).to_be_hidden()
    expect(days).to_be_hidden()
    page.get_by_label("Auslöser").select_option("keyword")
    expect(word).to_be_visible()
    word.fill("Meinung")
    expect(page.locator("#saved")).to_contain_text("Gespeichert")
    page.get_by_label("Auslöser").select_option("on:appointment_attended")
    expect(word).to_be_hidden()
    expect(days).to_have_value("1")
    page.get_by_label("Uhrzeit").fill("17:30")
    page.get_by_role("button", name="Prüfen und speichern").click()
    page.wait_for_url("**check=1**")
    expect(page.get_by_label("Uhrzeit")).to_have_value("17:30")
    kept = Survey.get_by_id(survey.id)
    assert (kept.keyword, kept.trigger) == ("", {"event": "appointment_attended", "days": 1, "time": "17:30"})
    assert visitors.complaints == []


def test_the_bar_of_a_start_moves_by_itself_and_says_who_waits_for_what(
    visitors: Visitors, account: Account, anna: User
) -> None:
    clock.shift(datetime(2026, 11, 23, 11, tzinfo=UTC) - now())
    survey = surveys.create(
        account, "Viele", {"questions": [{"key": "a", "type": "text", "text": "Was fehlt Ihnen?"}]}
    )
    enrolling.start(survey, [f"0171 391{n:04d}" for n in range(40)])
    page = visitors.open(anna, f"/surveys/{survey.id}/results")
    expect(page.locator(".progress-line")).to_contain_text("0 von 40")
    expect(page.locator(".progress-line")).to_contain_text("Es warten: 40")
    asking.work()
    expect(page.locator(".progress-line")).to_contain_text("Es warten: 40 auf dem Weg zum Anbieter")
    take_everything()
    expect(page.locator(".progress-line")).to_have_count(0)
    expect(page.locator(".figures")).to_contain_text("40")
    assert visitors.complaints == []


def test_the_banner_follows_when_an_agent_writes_and_when_the_survey_is_over(
    visitors: Visitors, account: Account, anna: User, jonas: User
) -> None:
    clock.shift(datetime(2026, 11, 23, 11, tzinfo=UTC) - now())
    survey = surveys.create(
        account, "Mitten drin", {"questions": [{"key": "a", "type": "text", "text": "Was fehlt Ihnen?"}]}
    )
    enrolling.start(survey, ["0171 3920043"])
    work()
    run = run_of("+491713920043")
    writing, watching = (visitors.open(who, f"/conversations/{run.conversation_id}") for who in (anna, jonas))
    for page in (writing, watching):
        expect(page.locator("#banners")).to_contain_text("wartet hier auf eine Antwort")
    writing.locator("#answer").fill("Ich kümmere mich selbst darum.")
    writing.locator("#send").click()
    expect(writing.locator("#thread")).to_contain_text("Ich kümmere mich selbst darum.")
    for page in (writing, watching):
        expect(page.locator("#banners")).to_contain_text("ist hier pausiert")
        expect(page.locator("#banners").get_by_role("button", name="Fortsetzen")).to_be_visible()
    watching.get_by_role("button", name="Fortsetzen").click()
    for page in (writing, watching):
        expect(page.locator("#banners")).to_contain_text("wartet hier auf eine Antwort")
    take_everything()
    says(run.number, "Nichts, danke.", run_of(run.number).ours)
    for page in (writing, watching):
        expect(page.locator("#banners").get_by_text("Mitten drin")).to_have_count(0)
    assert visitors.complaints == []
