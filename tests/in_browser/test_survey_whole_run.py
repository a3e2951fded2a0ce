"""A survey from the first click to the export: real web, worker and sandbox, real Chromium, people who answer as they do.

An owner sets it up in the form and starts it; three phones answer unhelpfully, one is taken over by an agent and given
back, one unsubscribes, one finishes. The open pages show all of it without being loaded again.
"""

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.in_browser.conftest import shot
from tests.network import Town
from tests.test_run import API_KEY, PASSWORD, Run

pytestmark = [pytest.mark.alone, pytest.mark.sqlite, pytest.mark.timeout(300)]

SOON = 30_000
"""Milliseconds that a text, its answer and the change on an open page may take on a busy machine."""
FINISHES, TAKEN_OVER, STOPS = "00491713920084", "00491713920082", "00491713920083"


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Everything that `python -m sms` starts, in an empty folder."""
    chosen = {"FADEN_DEMO_PASSWORD": PASSWORD, "FADEN_DEMO_API_KEY": API_KEY}
    run = Run(tmp_path_factory.mktemp("practice") / "data", chosen).up()
    yield run
    run.down()


@pytest.fixture
def town(practice: Run) -> Town:
    return Town(f"http://127.0.0.1:{practice.port + 1}", f"http://127.0.0.1:{practice.port}")


@pytest.fixture
def owner(practice: Run, chromium: Browser) -> Iterator[Page]:
    """The owner of the demo's practice, signed in; nothing waits for the morning."""
    context = chromium.new_context(
        base_url=f"http://127.0.0.1:{practice.port}", locale="de-DE", viewport={"width": 1440, "height": 900}
    )
    page = context.new_page()
    page.set_default_timeout(SOON)
    page.goto("/sign-in")
    page.fill("[name=email]", "demo@faden.example")
    page.fill("[name=password]", PASSWORD)
    page.get_by_role("button", name="Anmelden").click()
    page.wait_for_url(lambda address: "/sign-in" not in address)
    page.goto("/settings/account")
    page.fill("[name=text_from]", "")
    page.fill("[name=text_to]", "")
    page.locator("#quiet").get_by_role("button", name="Speichern").click()
    page.wait_for_load_state()
    yield page
    context.close()


class Phone:
    """One of the people who are asked."""

    def __init__(self, town: Town, number: str) -> None:
        self.town, self.number = town, number
        self.heard = len(town.texts(number))

    def hears(self, words: str) -> None:
        """Wait for the next text, which begins so."""
        texts = self.town.until(
            lambda: (t := self.town.texts(self.number)) and len(t) > self.heard and t, SOON / 1000
        )
        assert texts[self.heard].startswith(words), texts
        self.heard += 1

    def says(self, words: str) -> None:
        """Answer on the number from which the last text came."""
        last = [m for m in self.town.phone(self.number)["messages"] if m["direction"] == "incoming"][-1]
        self.town.text(self.number, words, to=last["from"])


def set_up(page: Page) -> None:
    """Make a survey of three questions, one of them only for who is not content; ends on the form."""
    page.goto("/surveys")
    page.get_by_label("Name einer neuen Umfrage").fill("Nach der Behandlung")
    page.get_by_role("button", name="Neue Umfrage").click()
    _question(page, 1, "Wie zufrieden waren Sie? 1 = sehr, 5 = gar nicht", "scale:1-5", "Zufriedenheit")
    page.get_by_label("Bedeutung der 1").fill("sehr")
    page.get_by_label("Bedeutung der 5").fill("gar nicht")
    page.locator("#q1-retries").select_option("2")
    _question(page, 2, "Was können wir besser machen?", "text", "Besser")
    _question(page, 3, "Kommen Sie wieder?", "yesno", "Wieder")
    page.locator("#q-q1 summary").first.click()
    page.locator("#q-q1").get_by_role("button", name="+ Regel").click()
    page.wait_for_url("**focus=rule**")
    for answer in ("4", "5, gar nicht"):
        page.locator("#q-q1").get_by_role("checkbox", name=answer, exact=True).check()
    page.get_by_label("Ziel, Regel 1").select_option("q2")
    page.get_by_label("Ziel von Frage 1, sonst").select_option("q3")
    page.get_by_label("Schlusstext").fill("Vielen Dank!")
    expect(page.locator("#problems")).to_contain_text("kann starten")
    expect(page.locator("#played")).to_contain_text("Wie zufrieden waren Sie?")


def _question(page: Page, n: int, text: str, kind: str, name: str) -> None:
    page.get_by_role("button", name="Frage", exact=True).click()
    field = page.locator(f"#q{n}-text")
    expect(field).to_be_focused()
    if kind != "yesno":
        page.locator(f"#q{n}-kind").select_option(kind)
        page.wait_for_url(f"**open=q{n}**focus=kind**")
    field.fill(text)
    page.locator(f"#q{n}-name").fill(name)
    expect(page.locator(f"#t-q{n}")).to_have_text(name)


def start(page: Page) -> str:
    """Start it with three numbers, of which one is no number; returns the address of the results."""
    page.get_by_role("button", name="Umfrage starten").click()
    page.get_by_label("Nummern, eine je Zeile").fill(
        f"0171 3920084; Nele Hagedorn\n{TAKEN_OVER}\n+49 171 39200 83\nkeine Nummer"
    )
    page.get_by_role("button", name="Prüfen").click()
    expect(page.locator(".errs")).to_contain_text("keine Nummer")
    page.get_by_role("button", name="3 Personen fragen").click()
    page.wait_for_url("**/results")
    page.evaluate("window.stays = true")
    return page.url


def figure(page: Page, name: str, value: str) -> None:
    """Wait until a figure of the results page is so."""
    place = page.locator(".figures div").filter(has=page.get_by_text(name, exact=True))
    expect(place.locator("dd")).to_have_text(re.compile(f"^{value}"), timeout=SOON)


def test_a_survey_runs_from_the_form_to_the_export_without_a_reload(
    owner: Page, town: Town, tmp_path: Path
) -> None:
    nele, torsten, ilse = (Phone(town, number) for number in (FINISHES, TAKEN_OVER, STOPS))
    set_up(owner)
    results = start(owner)
    for phone in (nele, torsten, ilse):
        phone.hears("Wie zufrieden waren Sie?")
    figure(owner, "Gefragt", "3")
    figure(owner, "Nicht gefragt", "1")

    nele.says("hä?")
    nele.hears("Das haben wir leider nicht verstanden. Bitte antworten Sie mit einer Zahl von 1 (sehr)")
    nele.says("1 oder 2")
    nele.hears("Das haben wir leider nicht verstanden.")
    figure(owner, "Beantwortet", "0")
    nele.says("dann eine 2")
    nele.hears("Kommen Sie wieder?")
    figure(owner, "Beantwortet", "1")
    nele.says("vielleicht")
    nele.hears("Das haben wir leider nicht verstanden. Bitte antworten Sie mit JA oder NEIN.")
    nele.says("jo klar")
    nele.hears("Vielen Dank!")
    figure(owner, "Abgeschlossen", "1")

    ilse.says("STOP")
    ilse.hears("Sie erhalten keine Nachrichten mehr")
    figure(owner, "Abgemeldet", "1")

    agent = owner.context.new_page()
    agent.set_default_timeout(SOON)
    taken_over_and_given_back(agent, torsten)
    figure(owner, "Beantwortet", "2")
    expect(owner.locator("#q-q2")).to_contain_text("Die Wartezeit!", timeout=SOON)
    expect(owner.locator("#q-q1 .bars")).to_contain_text("5, gar nicht")
    figure(owner, "Rücklauf", "67")
    assert owner.evaluate("window.stays"), "the results were loaded again"
    shot(owner, "survey-whole-run")

    figure(owner, "Abgeschlossen", "1")
    exported(owner, tmp_path)
    owner.goto(results.replace("/results", "/not-asked"))
    expect(owner.locator(".errs")).to_contain_text("keine Nummer")


def taken_over_and_given_back(agent: Page, torsten: Phone) -> None:
    """An agent talks in between; what is said meanwhile is no answer."""
    agent.goto("/inbox?view=all")
    agent.goto(thread_of(agent, "0171 39200 82"))
    agent.evaluate("window.stays = true")
    agent.get_by_role("button", name="Übernehmen").click()
    expect(agent.locator("#banners")).to_contain_text("ist hier pausiert", timeout=SOON)
    agent.evaluate("window.stays = true")
    agent.locator("#answer").fill("Kurz von Mensch zu Mensch: Ihr Rezept liegt bereit.")
    agent.locator("#composer").get_by_role("button", name="Senden").first.click()
    torsten.hears("Kurz von Mensch zu Mensch")
    torsten.says("4 Wochen sollte es reichen")
    expect(agent.locator("#thread")).to_contain_text("4 Wochen sollte es reichen", timeout=SOON)
    expect(agent.locator("#banners")).to_contain_text("ist hier pausiert")
    assert agent.evaluate("window.stays"), "the thread was loaded again"
    agent.get_by_role("button", name="Fortsetzen").click()
    torsten.hears("Wie zufrieden waren Sie?")
    torsten.says("5, gar nicht!")
    torsten.hears("Was können wir besser machen?")
    expect(agent.locator("#thread")).to_contain_text("5, gar nicht", timeout=SOON)
    torsten.says("Die Wartezeit!")
    torsten.hears("Kommen Sie wieder?")
    expect(agent.locator("#banners")).to_contain_text("wartet hier auf eine Antwort", timeout=SOON)


def thread_of(page: Page, number: str) -> str:
    """Return the address of a person's thread, looked for as one would."""
    page.goto(f"/inbox?view=all&q={number.replace(' ', '+')}")
    found = page.locator("a[href*='/conversations/']").first
    return str(found.get_attribute("href"))


def exported(page: Page, tmp_path: Path) -> None:
    """The file says who said what, as it was said and as it was understood."""
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    path = tmp_path / "results.csv"
    download.value.save_as(path)
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = {row["Nummer"]: row for row in csv.DictReader(file, delimiter=";")}
    assert set(rows) == {FINISHES, TAKEN_OVER, STOPS}
    done, talked, left = rows[FINISHES], rows[TAKEN_OVER], rows[STOPS]
    assert [row["Stand"] for row in (done, talked, left)] == [
        "abgeschlossen",
        "wartet auf Antwort",
        "abgemeldet",
    ]
    assert (done["Name"], done["Zufriedenheit: im Wortlaut"], done["Zufriedenheit: Wert"]) == (
        "Nele Hagedorn", "dann eine 2", "2",
    )  # fmt: skip
    assert (done["Wieder: im Wortlaut"], done["Wieder: Wert"], done["Besser: im Wortlaut"]) == (
        "jo klar",
        "yes",
        "",
    )
    assert (talked["Zufriedenheit: in Worten"], talked["Besser: im Wortlaut"]) == (
        "5, gar nicht",
        "Die Wartezeit!",
    )
    assert left["Zufriedenheit: im Wortlaut"] == ""
