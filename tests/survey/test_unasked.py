"""Who was not asked, and why: counted, listed, downloaded; and how far a start is while people still wait."""

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from sms import clock, contacts, suppression
from sms.clock import now
from sms.models import Account, Message, User
from sms.modules.survey import asking, enrolling, surveys, unasked
from sms.modules.survey.models import LeftOut, Run
from tests.api.conftest import count_queries as count_queries
from tests.conftest import sign_in
from tests.survey.surveys_for_tests import MARGARETHE, NELE, TORSTEN, made, run_of, take_everything, work
from tests.survey.test_pages import text

ONE = {"questions": [{"key": "q", "type": "yesno", "text": "Waren Sie zufrieden?"}]}
OTHER = {"questions": [{"key": "q", "type": "yesno", "text": "Kommen Sie wieder?"}]}


@pytest.fixture(autouse=True)
def _noon(app: Flask) -> None:
    """Surveys are asked by day."""
    clock.shift(datetime(2026, 11, 23, 11, tzinfo=UTC) - now())


def block(account: Account, number: str) -> None:
    suppression.suppress(account, number, "agent")


def fail(number: str, reason: str) -> None:
    """The carrier refuses the newest text to a number."""
    from sms.modules.survey import answering

    message = Message.get(Message.theirs == number, Message.status == "queued")
    assert message.advance("sending")
    assert message.advance("failed", reason=reason)
    answering.on_report(Message.get_by_id(message.id))


def test_everybody_who_was_not_asked_is_there_with_the_reason(
    account: Account, owner_client: FlaskClient, other_account: Account
) -> None:
    survey = made(account, ONE)
    block(account, TORSTEN)
    lines = [MARGARETHE, "12", "030 23125417", "=1+1;Formel", TORSTEN, NELE, "0171 3920055"]
    enrolling.start(survey, lines)
    block(account, NELE)
    asking.work()
    fail(MARGARETHE, "unreachable")
    take_everything()
    found = unasked.reasons(surveys.of(account, survey.id))
    assert found == {
        "too_short": 1,
        "not_a_number": 1,
        "landline_not_asked": 1,
        "opted_out": 2,
        "unreachable": 1,
    }
    assert unasked.count(survey) == sum(found.values()) == 6
    assert [(r.line, r.code) for r in unasked.listed(survey, 50)] == [
        (None, "opted_out"), (None, "unreachable"), (2, "too_short"), (3, "landline_not_asked"),
        (4, "not_a_number"), (5, "opted_out"),
    ]  # fmt: skip
    page = owner_client.get(f"/surveys/{survey.id}/not-asked")
    said = text(page)
    for words in ("12 Zeile 2", "Das ist ein Festnetzanschluss", "hat sich abgemeldet",
                  "die Frage kam nicht an: Gerät nicht erreichbar"):  # fmt: skip
        assert words in said
    assert f'href="/conversations/{run_of(MARGARETHE).conversation_id}"' in page.get_data(as_text=True)
    some = text(owner_client.get(f"/surveys/{survey.id}/not-asked?why=too_short"))
    assert "12 Zeile 2" in some
    assert "030 23125417 Zeile" not in some
    file = owner_client.get(f"/surveys/{survey.id}/not-asked.csv")
    assert file.data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(file.data.decode("utf-8-sig")), delimiter=";"))
    assert len(rows) == 7
    assert rows[5][:2] == ["4", "'=1+1;Formel"]
    assert f'href="/surveys/{survey.id}/not-asked"' in owner_client.get(
        f"/surveys/{survey.id}/results"
    ).get_data(as_text=True)


def test_where_everybody_was_asked_nothing_is_offered(account: Account, client: FlaskClient) -> None:
    survey = made(account, ONE)
    enrolling.start(survey, [MARGARETHE])
    work()
    assert unasked.count(survey) == 0
    assert "Alle wurden gefragt." in text(client.get(f"/surveys/{survey.id}/not-asked"))
    assert "not-asked" not in client.get(f"/surveys/{survey.id}/results").get_data(as_text=True)


def test_a_value_that_was_gone_is_named_as_the_reason(account: Account, client: FlaskClient) -> None:
    contact, _ = contacts.find_or_add(account, MARGARETHE)
    contacts.save(contact, "", {"Anrede": "Frau"})
    survey = made(account, {"questions": [{"key": "q", "type": "yesno", "text": "{Anrede}?"}]})
    enrolling.start(survey, [MARGARETHE])
    contacts.save(contact, "", {})
    work()
    assert unasked.count(survey) == 1
    assert "für einen Platzhalter der Frage gab es keinen Wert" in text(
        client.get(f"/surveys/{survey.id}/not-asked")
    )


def test_another_account_sees_nobody(app: Flask, account: Account, stranger: User) -> None:
    survey = made(account, ONE)
    browser = sign_in(app, stranger)
    assert browser.get(f"/surveys/{survey.id}/not-asked").status_code == 404
    assert browser.get(f"/surveys/{survey.id}/not-asked.csv").status_code == 404


def test_many_are_shown_page_by_page_and_whatever_the_address_says(
    account: Account, client: FlaskClient
) -> None:
    survey = made(account, ONE)
    enrolling.start(survey, [MARGARETHE, *(f"falsch {n}" for n in range(250))])
    block(account, MARGARETHE)
    work()
    seen: list[Any] = list(unasked.everybody(survey, 60))
    assert len(seen) == len({row.place for row in seen}) == 251
    first = client.get(f"/surveys/{survey.id}/not-asked").get_data(as_text=True)
    assert first.count("<td>") == 2 * 100
    for place in ("x", "r", "l-1", "r²", "l99999999"):
        assert client.get(f"/surveys/{survey.id}/not-asked?before={place}&why=x").status_code == 200


def test_a_start_says_how_many_wait_and_for_what(account: Account, owner_client: FlaskClient) -> None:
    survey = made(account, ONE)
    enrolling.start(survey, [MARGARETHE, TORSTEN], at=now() + timedelta(hours=2))
    enrolling.start(survey, [NELE])
    (soon, later) = unasked.progress(survey)
    assert (soon.waiting, soon.done, soon.total) == ({"turn": 1}, 0, 1)
    assert (later.waiting, later.done, later.total) == ({"time": 2}, 0, 2)
    page = owner_client.get(f"/surveys/{survey.id}/results")
    assert '<progress max="2" value="0"' in page.get_data(as_text=True)
    assert "Es warten: 2 bis zur gewählten Zeit · Wer wartet" in text(page)
    asking.work()
    assert unasked.progress(survey)[0].waiting == {"carrier": 1}
    take_everything()
    assert [p.waiting for p in unasked.progress(survey)] == [{"time": 2}]
    asking.pause(survey)
    assert [p.waiting for p in unasked.progress(surveys.of(account, survey.id))] == [{"paused": 2}]
    assert "bis die Umfrage weitergeht" in text(owner_client.get(f"/surveys/{survey.id}/results"))
    asking.resume(survey)
    clock.shift(timedelta(hours=2))
    work()
    assert unasked.progress(survey) == []
    assert "<progress" not in owner_client.get(f"/surveys/{survey.id}/results").get_data(as_text=True)


def test_who_waits_for_a_free_number_is_counted_as_such(account: Account) -> None:
    first = made(account, ONE)
    sender = surveys.save(first, sender="").sender
    enrolling.start(first, [MARGARETHE])
    work()
    taken = run_of(MARGARETHE).ours
    second = made(account, OTHER, sender=sender)
    enrolling.start(second, [MARGARETHE])
    Run.update(state="planned", why="in_line", due_at=now()).where(Run.survey == second).execute()
    assert taken
    assert unasked.progress(second)[0].waiting == {"in_line": 1}
    assert unasked.reasons(second) == {"in_line": 1}
    assert [row.code for row in unasked.listed(second, 5, code="in_line")] == ["in_line"]


def test_at_night_people_wait_for_the_end_of_the_quiet_hours(account: Account) -> None:
    clock.shift(timedelta(hours=12))
    survey = made(account, ONE)
    enrolling.start(survey, [MARGARETHE, NELE])
    work()
    assert [(p.waiting, p.done) for p in unasked.progress(survey)] == [({"quiet": 2}, 0)]


def test_a_test_to_ones_own_phone_is_in_no_progress(account: Account) -> None:
    survey = made(account, ONE)
    enrolling.try_out(survey, MARGARETHE)
    assert unasked.progress(survey) == []
    assert unasked.count(survey) == 0


def test_erasing_a_person_removes_their_left_out_line(account: Account, owner: User) -> None:
    survey = made(account, ONE)
    contact, _ = contacts.find_or_add(account, TORSTEN)
    block(account, TORSTEN)
    enrolling.start(survey, [MARGARETHE, TORSTEN, "falsch"])
    assert LeftOut.select().count() == 2
    contacts.erase(contact, owner)
    assert [row.text for row in LeftOut.select()] == ["falsch"]


@pytest.mark.parametrize("many", [3, 300])
def test_progress_costs_the_same_few_queries_however_many_wait(
    account: Account, count_queries: Any, many: int
) -> None:
    survey = made(account, ONE)
    enrolling.start(survey, [f"0171 39{n:05d}" for n in range(many)])
    with count_queries() as seen:
        unasked.progress(survey)
        unasked.count(survey)
    assert seen.number <= 5
