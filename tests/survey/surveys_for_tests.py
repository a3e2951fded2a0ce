"""Surveys that tests play, and a practice whose carrier takes everything at once."""

from typing import Any

from sms import receiving
from sms.carriers.contract import IncomingText
from sms.models import Account, Message
from sms.modules.survey import asking, demo, enrolling, surveys
from sms.modules.survey.models import Run, Survey
from tests.carrier_side import sid

MARGARETHE, TORSTEN, NELE = "+491713920042", "+491713920033", "+491713920029"


YES_NO = {
    "questions": [{"key": "q", "name": "Wieder", "type": "yesno", "text": "Kommen Sie wieder?"}],
    "closing": "Danke!",
}
TWO = {"questions": [
    {"key": "a", "type": "yesno", "text": "Eins?"}, {"key": "b", "type": "yesno", "text": "Zwei?"},
], "closing": "Danke!"}  # fmt: skip


def made(account: Account, draft: dict[str, Any] | None = None, **settings: Any) -> Survey:
    """A survey, by default the one of the design."""
    return surveys.save(surveys.create(account, "Zufriedenheit", draft or demo.DRAFT), **settings)


def take_everything() -> None:
    """Let the carrier take what waits for it now."""
    waiting = Message.select().where(Message.status == "queued", Message.channel == "sms")
    for message in list(waiting):
        assert message.advance("sending")
        assert message.advance("sent", carrier_reference=sid())


def work() -> None:
    """Do what the worker does for surveys, and let the carrier take it."""
    asking.work()
    take_everything()


def says(number: str, text: str, to: str) -> Message:
    """A text comes in from a phone."""
    message = receiving.receive_text("sandbox", IncomingText(sid(), number, to, text))
    assert message is not None
    take_everything()
    return Message.get_by_id(message.id)


def told(number: str) -> list[str]:
    """What we have sent to a phone, oldest first."""
    sent = Message.select().where(
        Message.theirs == number, Message.direction == "outgoing", Message.status == "sent"
    )
    return [m.text for m in sent.order_by(Message.id)]


def run_of(number: str) -> Run:
    """The newest run of a number."""
    return Run.select().where(Run.number == number).order_by(Run.id.desc()).get()


def started(account: Account, *numbers: str, draft: dict[str, Any] | None = None, **settings: Any) -> Survey:
    """Start a survey to some numbers and ask its first question."""
    survey = made(account, draft or YES_NO, **settings)
    enrolling.start(survey, list(numbers or [MARGARETHE]))
    work()
    return survey
