"""Results as files, one row a participant: CSV that a German Excel opens rightly, and XLSX.

Neither runs anything: what a spreadsheet could take for a formula stays the text it is (OWASP, "CSV Injection").
"""

import io
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import xlsxwriter
from peewee import JOIN

from sms import i18n, spreadsheet
from sms.gsm import msisdn
from sms.models import Contact, User
from sms.modules.survey import results, words
from sms.modules.survey.models import Answer, Run, Survey
from sms.modules.survey.running import shown_value

AT_ONCE = 500
LONGEST_CELL = 32_767
"""Characters that a cell of Excel can hold."""


def N_(word: str) -> str:
    """Mark a word for translation; it is translated when it is written."""
    return word


PERSON = (N_("Number"), N_("Name"), N_("State"), N_("Asked at"), N_("First answer at"), N_("Ended at"))
OF_QUESTION = (N_("as written"), N_("value"), N_("in words"), N_("corrected by"), N_("answered at"))
STATES = {
    "asking": N_("waits for an answer"), "paused": N_("paused"), "planned": N_("not asked yet"),
    "finished": N_("finished"), "ended": N_("ended early"), "opted_out": N_("unsubscribed"),
    "expired": N_("no answer in time"), "failed": N_("not reached"),
}  # fmt: skip


def as_csv(survey: Survey) -> bytes:
    """Return the results as CSV: semicolons, CRLF, UTF-8 with a mark, as Excel in German expects them."""
    decimal = "," if words.language(survey.account.locale) == "de" else "."
    return spreadsheet.as_csv(_rows(survey), decimal)


def as_xlsx(survey: Survey) -> bytes:
    """Return the results as a workbook with one sheet; texts are texts, times are times of the account's zone."""
    out = io.BytesIO()
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(out, options)
    sheet = book.add_worksheet()
    bold, moment = book.add_format({"bold": True}), book.add_format({"num_format": "dd.mm.yyyy hh:mm"})
    sheet.freeze_panes(1, 1)
    sheet.set_column(0, 0, 16)
    for number, row in enumerate(_rows(survey)):
        for column, cell in enumerate(row):
            if isinstance(cell, datetime):
                sheet.write_datetime(number, column, cell, moment)
            elif isinstance(cell, int | float):
                sheet.write_number(number, column, cell)
            elif cell:
                sheet.write_string(number, column, _storable(str(cell)), *([bold] if number == 0 else []))
    book.close()
    return out.getvalue()


def _storable(text: str) -> str:
    """Drop what XML cannot hold."""
    return "".join(
        c for c in text if c in "\n\t" or ((c.isprintable() or c >= " ") and c not in "\ufffe\uffff")
    )[:LONGEST_CELL]


def _rows(survey: Survey) -> Iterator[list[Any]]:
    """Yield the heading, then everybody who was asked, in the order in which they were taken in."""
    locale, zone = survey.account.locale, ZoneInfo(survey.account.zone)
    asked = results.results(survey).questions
    titles = [f"{of.question.title}: {i18n.gettext(word, locale)}" for of in asked for word in OF_QUESTION]
    yield [*(i18n.gettext(word, locale) for word in PERSON), *titles]
    columns = {(version, of.question.key): at for at, of in enumerate(asked) for version in of.versions}
    for run, answers in _participants(survey):
        cells: list[Any] = [None] * len(titles)
        for answer in answers:
            at = columns.get((answer.version_id, answer.question))
            if at is not None:
                start = at * len(OF_QUESTION)
                cells[start : start + len(OF_QUESTION)] = _answer(answer, asked[at].question, locale, zone)
        yield [*_person(run, locale, zone), *cells]


def _person(run: Run, locale: str, zone: ZoneInfo) -> list[Any]:
    number = msisdn.shown(run.number) if run.number else ""
    name = run.contact.name if run.contact_id else ""
    state = i18n.gettext(STATES.get(run.state, run.state), locale)
    return [number, name, state, *(_local(m, zone) for m in (run.started_at, run.answered_at, run.ended_at))]


def _answer(answer: Answer, question: Any, locale: str, zone: ZoneInfo) -> list[Any]:
    value: Any = answer.value
    if value is not None and question.type in ("scale", "number"):
        value = float(value) if "." in value else int(value)
    said = shown_value(question, answer.value, locale) if question.type != "text" else None
    by = answer.corrected_by.name if answer.corrected_by_id else None
    return [
        answer.raw,
        value if question.type != "text" else None,
        said,
        by,
        _local(answer.answered_at, zone),
    ]


def _local(moment: datetime | None, zone: ZoneInfo) -> datetime | None:
    return None if moment is None else moment.astimezone(zone).replace(tzinfo=None, microsecond=0)


def _participants(survey: Survey) -> Iterator[tuple[Run, list[Answer]]]:
    """Yield each run with its answers, some hundreds at a time."""
    last = 0
    while True:
        runs = list(
            Run.select(Run, Contact)
            .join(Contact, JOIN.LEFT_OUTER)
            .where(Run.survey == survey, Run.id > last, ~Run.test, Run.started_at.is_null(False))
            .order_by(Run.id)
            .limit(AT_ONCE)
        )
        if not runs:
            return
        last = runs[-1].id
        theirs: dict[int, list[Answer]] = {}
        found = (
            Answer.select(Answer, User)
            .join(User, JOIN.LEFT_OUTER)
            .where(Answer.run.in_([r.id for r in runs]))
        )
        for answer in found:
            theirs.setdefault(answer.run_id, []).append(answer)
        for run in runs:
            yield run, theirs.get(run.id, [])
