"""The survey of the demo: the practice asks its patients how it was, ready to be started."""

from typing import Any

from sms.models import Account
from sms.modules.survey import surveys
from sms.modules.survey.models import Survey

NAME = "Zufriedenheit nach der Behandlung"
DRAFT: dict[str, Any] = {
    "questions": [
        {
            "key": "zufriedenheit", "name": "Zufriedenheit", "type": "scale", "scale": "1-5", "low": "sehr", "high": "gar nicht",
            "text": "Guten Tag, wie zufrieden waren Sie mit Ihrer Behandlung gestern? "
            "Antworten Sie mit einer Zahl von 1 (sehr) bis 5 (gar nicht).",
            "branches": [{"answers": ["4", "5"], "to": "schlecht"}],
            "next": "empfehlung",
        },
        {
            "key": "schlecht", "name": "Was lief schlecht?", "type": "text", "notify": True,
            "text": "Das tut uns leid. Was können wir besser machen? Schreiben Sie einfach drauflos.",
        },
        {
            "key": "empfehlung", "name": "Empfehlung", "type": "yesno",
            "text": "Würden Sie uns weiterempfehlen? Antworten Sie mit JA oder NEIN.",
        },
        {
            "key": "gefunden", "name": "Aufmerksam geworden", "type": "choice",
            "options": ["Empfehlung", "Internet", "Krankenkasse"],
            "text": "Wie haben Sie uns gefunden? A Empfehlung, B Internet, C Krankenkasse",
        },
    ],
    "closing": "Vielen Dank für Ihre Hilfe! Ihre {praxis}",
    "reminders": 1,
}  # fmt: skip


def prepare(account: Account) -> None:
    """Put the survey of the design into the demo account, once."""
    if not Survey.select().where(Survey.account == account).exists():
        surveys.save(surveys.create(account, NAME, DRAFT), keyword="UMFRAGE")
