"""A survey over the pretend phone network: real HTTP out, real webhooks back, unhelpful answers, an agent takes over."""

from datetime import UTC, datetime

import pytest

from sms import clock, sending
from sms.clock import now
from sms.models import Conversation
from sms.modules.survey import answering, asking, enrolling, results, surveys
from sms.modules.survey.models import Run
from tests.network import Town, settings, town  # noqa: F401
from tests.survey.surveys_for_tests import made

PHONE = "00491713920042"


@pytest.fixture(autouse=True)
def _noon(app):
    """Surveys are asked by day."""
    clock.shift(datetime(2026, 11, 23, 11, tzinfo=UTC) - now())


def test_a_survey_on_real_phones_with_unhelpful_answers_and_an_agent_in_between(town: Town, account, anna):
    survey = made(account)
    enrolling.start(survey, [PHONE])
    asking.work()

    def hears(count: int) -> str:
        texts = town.until(lambda: (t := town.texts(PHONE)) and len(t) >= count and t, working=True)
        assert len(texts) == count
        return texts[-1]

    def answers(text: str) -> None:
        sent = town.phone(PHONE)["messages"]
        town.text(PHONE, text, to=sent[-1]["from"] if sent[-1]["direction"] == "incoming" else sent[-1]["to"])

    assert hears(1).startswith("Guten Tag, wie zufrieden")
    answers("geht so")
    assert hears(2).startswith("Das haben wir leider nicht verstanden.")
    answers("eine glatte 2!")
    assert hears(3).startswith("Würden Sie uns")
    sending.reply(Conversation.get(), "Noch eine Frage zu Ihrem Termin ...", by=anna, seen=None)
    assert Run.get().state == "paused"
    clock.shift(sending.UNDO)
    assert hears(4).startswith("Noch eine")
    answers("ja?")
    answering.resume(Run.get(), anna)
    assert hears(5).startswith("Würden Sie uns")
    answers("aber klar")
    assert hears(6).startswith("Wie haben Sie uns gefunden")
    answers("Internt")
    assert hears(7).startswith("Vielen Dank")
    found = results.results(surveys.of(account, survey.id))
    assert (found.sent, found.answered, found.finished) == (1, 1, 1)
    assert [dict(of.values) for of in found.questions] == [{"2": 1}, {}, {"yes": 1}, {"2": 1}]


def test_a_phone_that_stops_is_left_alone(town: Town, account):
    enrolling.start(made(account), [PHONE])
    asking.work()
    town.until(lambda: town.texts(PHONE), working=True)
    town.text(PHONE, "STOP", to=Run.get().ours)
    town.until(lambda: Run.get().state == "opted_out")
    town.until(lambda: len(town.texts(PHONE)) == 2, working=True)
    assert town.texts(PHONE)[1].startswith("Sie erhalten keine Nachrichten mehr")
