"""What came of a survey: counted as it happens, exported as it was said."""

import csv
import io
import zipfile
from datetime import UTC, date, datetime, timedelta

import pytest

from sms import clock, contacts, spreadsheet
from sms.clock import now
from sms.models import Message
from sms.modules.survey import asking, counting, enrolling, export, results, surveys
from sms.modules.survey.models import Answer, Count
from tests.api.conftest import count_queries as count_queries
from tests.survey.surveys_for_tests import MARGARETHE, NELE, TORSTEN, made, run_of, says, work

PEOPLE = (MARGARETHE, TORSTEN, NELE)
MIXED = {"questions": [
    {"key": "note", "name": "Note", "type": "scale", "text": "Note?", "retries": 0},
    {"key": "was", "name": "Was", "type": "multichoice", "options": ["Brot", "Käse"], "text": "Was?"},
    {"key": "km", "name": "Weg", "type": "number", "unit": "km", "text": "Wie weit?"},
    {"key": "warum", "name": "Warum", "type": "text", "text": "Warum?"},
]}  # fmt: skip


@pytest.fixture(autouse=True)
def _noon(app):
    """Surveys are asked by day."""
    clock.shift(datetime(2026, 11, 23, 11, tzinfo=UTC) - now())


@pytest.fixture
def survey(account):
    """Three people asked: one answers all of it, one something, one nothing."""
    made_ = made(account, MIXED)
    enrolling.start(made_, list(PEOPLE))
    work()
    clock.shift(timedelta(minutes=10))
    for answer in ("2", "1 und 2", "3,5", '=HYPERLINK("http://x")'):
        says(MARGARETHE, answer, run_of(MARGARETHE).ours)
    clock.shift(timedelta(days=1))
    for answer in ("keine Ahnung", "2"):
        says(TORSTEN, answer, run_of(TORSTEN).ours)
    return surveys.of(account, made_.id)


def test_the_figures_are_right(survey):
    found = results.results(survey)
    assert (found.sent, found.answered, found.finished, found.opted_out) == (3, 2, 1, 0)
    assert found.rate == pytest.approx(2 / 3)
    assert found.days == {date(2026, 11, 23): 1, date(2026, 11, 24): 1}
    note, was, km, warum = found.questions
    assert (note.asked, note.answered, note.unclear, note.lost, note.values, note.mean) == (
        3,
        1,
        1,
        1,
        {"2": 1},
        2.0,
    )
    assert (was.asked, was.answered, was.values) == (2, 2, {"1": 1, "2": 2})
    assert (km.asked, km.values, km.median) == (2, {"3.5": 1}, 3.5)
    assert (warum.asked, warum.answered, warum.values) == (1, 1, {})


def test_days_can_be_looked_at_by_themselves(survey):
    first = results.results(survey, until=date(2026, 11, 23))
    assert (first.sent, first.answered, first.questions[1].values) == (3, 1, {"1": 1, "2": 1})
    later = results.results(survey, since=date(2026, 11, 24))
    assert (later.sent, later.answered, later.questions[1].values) == (0, 1, {"2": 1})


@pytest.mark.parametrize(
    ("like", "answered", "values"),
    [
        (("note", "2"), 1, {"1": 1, "2": 1}),
        (("was", "2"), 2, {"1": 1, "2": 2}),
        (("was", "1"), 1, {"1": 1, "2": 1}),
        (("note", "5"), 0, {}),
    ],
)
def test_those_who_gave_an_answer_can_be_looked_at_by_themselves(survey, like, answered, values):
    found = results.results(survey, like=like)
    assert (found.answered, dict(found.questions[1].values)) == (answered, values)


def test_the_counters_agree_with_the_answers(survey):
    counted = {
        (c.question, c.name): c.n
        for c in Count.select().where(Count.name == "answered", Count.question != "")
    }
    held = {}
    for answer in Answer.select().where(Answer.value.is_null(False)):
        held[answer.question, "answered"] = held.get((answer.question, "answered"), 0) + 1
    summed = {}
    for (question, name), n in counted.items():
        summed[question, name] = summed.get((question, name), 0) + n
    assert {k: v for k, v in summed.items() if k in held}.keys() == held.keys()


def test_the_newest_words_come_first_with_their_threads(survey):
    of = results.results(survey).questions[3]
    (quote,) = results.texts(survey, of)
    assert (quote.raw, quote.run.contact.number) == ('=HYPERLINK("http://x")', MARGARETHE)
    assert quote.run.conversation_id == Message.get_by_id(quote.message).conversation_id
    assert results.newest(survey).raw == "2"


def test_a_question_that_was_changed_is_a_question_of_its_own(survey, account):
    draft = {"questions": [{**MIXED["questions"][0], "scale": "grade"}]}
    surveys.save(survey, draft=draft)
    enrolling.start(surveys.of(account, survey.id), ["0171 39200 81"])
    work()
    says("+491713920081", "6", run_of("+491713920081").ours)
    found = results.results(surveys.of(account, survey.id))
    assert [(of.question.scale, dict(of.values)) for of in found.questions if of.question.key == "note"] == [
        ("grade", {"6": 1}),
        ("1-5", {"2": 1}),
    ]
    assert (found.sent, found.answered) == (4, 3)


def test_a_draft_has_results_that_are_empty(account):
    found = results.results(made(account, MIXED))
    assert (found.sent, found.rate, found.seconds, [of.asked for of in found.questions]) == (
        0,
        None,
        None,
        [0, 0, 0, 0],
    )


@pytest.mark.parametrize(("seconds", "median"), [([60], 60), ([60, 3600, 7200], 3600), ([1, 1, 90_000], 1)])
def test_the_median_time_is_within_three_per_cent(seconds, median):
    buckets = {}
    for one in seconds:
        name = counting.bucket(one)
        buckets[name] = buckets.get(name, 0) + 1
    assert counting.median(buckets) == pytest.approx(median, rel=0.03)


def test_the_median_of_numbers(account):
    assert results._middle({"1": 2, "10": 1}) == (4.0, 1.0)
    assert results._middle({"1": 1, "2": 1}) == (1.5, 1.5)
    assert results._middle({}) == (None, None)


def read_csv(survey):
    text = export.as_csv(survey).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text), delimiter=";"))


def test_the_csv_holds_words_value_and_time_of_everybody_who_was_asked(survey, account, anna):
    contact, _ = contacts.find_or_add(account, MARGARETHE)
    contacts.save(contact, "Schößler; Margarethe", {})
    from sms.modules.survey import answering

    answering.correct(Answer.get(Answer.question == "km").id, account, "35", anna)
    raw = export.as_csv(survey)
    assert raw.startswith(b"\xef\xbb\xbf")
    assert b"\r\n" in raw
    head, *rows = read_csv(survey)
    assert head[:3] == ["Nummer", "Name", "Stand"]
    assert "Note: im Wortlaut" in head
    assert len(rows) == 3
    assert all(len(row) == len(head) for row in rows)
    first = dict(zip(head, rows[0], strict=True))
    assert (first["Nummer"], first["Name"], first["Stand"]) == (
        "00491713920042",
        "Schößler; Margarethe",
        "abgeschlossen",
    )
    assert (first["Was: im Wortlaut"], first["Was: Wert"], first["Was: in Worten"]) == (
        "1 und 2",
        "1,2",
        "Brot, Käse",
    )
    assert (first["Weg: im Wortlaut"], first["Weg: Wert"], first["Weg: berichtigt von"]) == (
        "3,5",
        "35",
        "Anna Weber",
    )
    assert first["Note: beantwortet um"] == "2026-11-23 12:10:00"
    assert first["Warum: im Wortlaut"] == '\'=HYPERLINK("http://x")'
    second = dict(zip(head, rows[1], strict=True))
    assert (second["Note: im Wortlaut"], second["Note: Wert"], second["Note: in Worten"]) == (
        "keine Ahnung",
        "",
        "unklar",
    )


@pytest.mark.parametrize(
    "evil", ["=1+1", "+49", "-2+3", "@SUM(A1)", "\t=1", "  =1", "\r=1", "=cmd|' /C calc'!A0"]
)
def test_nothing_in_a_csv_is_a_formula(evil):
    assert spreadsheet.harmless(evil).startswith("'")


@pytest.mark.parametrize("harmless", ["", "2", "-3", "-3.5", "a=b", "Nein, danke", "👍"])
def test_plain_cells_stay_as_they_are(harmless):
    assert spreadsheet.harmless(harmless) == harmless


def test_the_workbook_holds_texts_as_texts_and_numbers_as_numbers(survey):
    book = zipfile.ZipFile(io.BytesIO(export.as_xlsx(survey)))
    sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    assert "HYPERLINK" in sheet
    assert "00491713920042" in sheet
    assert "<v>3.5</v>" in sheet


def test_a_workbook_survives_whatever_people_write(survey):
    says(NELE, "3", run_of(NELE).ours)
    says(NELE, "beides", run_of(NELE).ours)
    Answer.update(raw="\x07 \ufffe ]]> <b> \U0001f44d" + "x" * 40_000).where(
        Answer.question == "note"
    ).execute()
    book = zipfile.ZipFile(io.BytesIO(export.as_xlsx(survey)))
    from xml.etree import ElementTree

    assert ElementTree.fromstring(book.read("xl/worksheets/sheet1.xml")) is not None


def test_reading_the_results_costs_the_same_few_queries_however_many_have_answered(survey, count_queries):
    with count_queries() as counted:
        results.results(survey)
    assert counted.number <= 5
    assert asking.finished(survey) == 1


@pytest.mark.parametrize(("locale", "written"), [("de", "3,5"), ("en", "3.5")])
def test_a_number_in_the_csv_is_written_as_the_language_of_the_account_writes_it(
    survey, account, locale, written
):
    account.locale = locale
    account.save()
    survey = surveys.of(account, survey.id)
    rows = read_csv(survey)
    assert rows[1][[title.split(": ")[0] for title in rows[0]].index("Weg") + 1] == written
    assert (
        "<v>3.5</v>"
        in zipfile.ZipFile(io.BytesIO(export.as_xlsx(survey))).read("xl/worksheets/sheet1.xml").decode()
    )


def test_small_and_negative_numbers_stay_plain_numbers():
    assert spreadsheet.as_csv([[-2.5, 0.00001, 4]], ",").decode("utf-8-sig") == "-2,5;0,00001;4\r\n"
