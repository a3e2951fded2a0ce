"""What a survey costs, in the set-up and before a start: in euros where the account knows its price, else in SMS alone."""

import re

import pytest
from flask.testing import FlaskClient

from sms import accounts
from sms.models import Account
from tests.survey.surveys_for_tests import MARGARETHE, NELE, TORSTEN, made

PEOPLE = "\n".join((MARGARETHE, TORSTEN, NELE))
FREE = {
    "questions": [{"key": "a", "name": "A", "type": "yesno", "text": "Kommen Sie?", "retries": 0}],
    "closing": "Danke!",
}
"""One question and the thanks: two SMS to each person, whatever they answer."""


@pytest.fixture
def browser(owner_client: FlaskClient) -> FlaskClient:
    return owner_client


def cost_in(html: str) -> str:
    """The words about cost in a page or in an answer to a keystroke."""
    found = re.search(r'id="cost">(.*?)</p>', html, re.DOTALL)
    assert found
    return found[1].replace("\xa0", " ").strip()


def test_the_set_up_says_what_a_person_costs(browser: FlaskClient, account: Account) -> None:
    accounts.change_account(account, price_part=7_500)
    survey = made(account, FREE)
    page = browser.get(f"/surveys/{survey.id}").get_data(as_text=True)
    assert cost_in(page) == "Bis zu 2 SMS je Person, etwa 0,15 €."
    browser.post("/settings/quick", data={"locale": "en"})
    page = browser.get(f"/surveys/{survey.id}").get_data(as_text=True)
    assert cost_in(page) == "At most 2 SMS to each person, about €0.15."


def test_without_a_price_it_says_how_many_sms_and_no_euros(browser: FlaskClient, account: Account) -> None:
    survey = made(account, FREE)
    assert cost_in(browser.get(f"/surveys/{survey.id}").get_data(as_text=True)) == "Bis zu 2 SMS je Person."
    start = browser.post(f"/surveys/{survey.id}/start", data={"numbers": PEOPLE, "do": "check"})
    assert "insgesamt 6 SMS." in start.get_data(as_text=True)
    assert "€" not in start.get_data(as_text=True)


def test_a_start_says_what_everybody_costs_together_and_with_all_reminders(
    browser: FlaskClient, account: Account
) -> None:
    accounts.change_account(account, price_part=7_500)
    survey = made(account, {**FREE, "reminders": 2})
    start = browser.post(f"/surveys/{survey.id}/start", data={"numbers": PEOPLE, "do": "check"})
    words = start.get_data(as_text=True).replace("\xa0", " ")
    assert "insgesamt 6 SMS, etwa 0,45 €; mit Erinnerungen und Nachfragen bis zu 12 (0,90 €)." in words
