"""{Name} in a reminder is the person's name, and a text without one is still a sentence."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from sms import clock, contacts
from sms.modules.appointment import diary, reminding, saying, schemes
from sms.modules.appointment.found import Found
from sms.modules.appointment.models import Scheme
from tests.appointment.test_setup import FORM
from tests.survey.surveys_for_tests import MARGARETHE, take_everything, told

BERLIN = ZoneInfo("Europe/Berlin")
NINE = datetime(2027, 3, 30, 7, 0, tzinfo=UTC)
UNKNOWN = "+491713920099"


@pytest.fixture(autouse=True)
def _two_days_before(app):
    clock.shift(NINE - timedelta(days=2) - clock.now())


def _reminded(account, number, **more) -> list[str]:
    scheme = schemes.usual(account)
    scheme.text = "Guten Tag {Name}, bis {Uhrzeit} Uhr."
    schemes.save(account, scheme)
    diary.put(account, Found("T-1", NINE, BERLIN, number, **more), "api")
    clock.shift(timedelta(days=1, hours=2))
    reminding.work()
    take_everything()
    return told(number)


def test_a_reminder_names_the_contact(account):
    contacts.find_or_add(account, UNKNOWN, "Zoë Müßig", "closed")
    assert _reminded(account, UNKNOWN, fields={"Name": "Z."}) == ["Guten Tag Zoë Müßig, bis 09:00 Uhr."]


def test_a_reminder_names_whom_the_appointment_names_where_no_contact_does(account):
    assert _reminded(account, UNKNOWN, fields={"Patientin": "Zoë Müßig"}) == [
        "Guten Tag Zoë Müßig, bis 09:00 Uhr."
    ]


def test_a_reminder_goes_out_where_nobody_knows_the_name(account):
    assert _reminded(account, UNKNOWN) == ["Guten Tag, bis 09:00 Uhr."]


@pytest.mark.parametrize(
    ("text", "without"),
    [
        ("Guten Tag {Name}, bis morgen.", "Guten Tag, bis morgen."),
        ("{name}, bitte kommen Sie.", "Bitte kommen Sie."),
        ("Hallo { NAME }! Bis morgen", "Hallo! Bis morgen"),
        ("Bis morgen, liebe {Name}", "Bis morgen, liebe"),
        ("Geschweift: {{name}}", "Geschweift: {{name}}"),
    ],
)
def test_a_name_that_nobody_knows_leaves_no_hole(text, without):
    assert saying.addressed(text, {"name": ""}) == without
    assert saying.addressed(text, {"name": "Anna"}) == text


def test_the_name_is_offered_and_can_be_used_at_once(account, owner_client):
    assert 'value="insert:Name"' in owner_client.get("/appointments/setup").text
    text = {"text": "Guten Tag {Name}, bis {Uhrzeit} Uhr.", "said_confirm": "Danke, {Name}!"}
    shown = owner_client.post("/appointments/setup/preview", data=FORM | text).text
    assert "Guten Tag Erika Mustermann, bis 09:00 Uhr." in shown
    assert owner_client.post("/appointments/setup", data=FORM | text).status_code == 303
    assert Scheme.get().text == text["text"]


def test_the_preview_says_why_it_foretells_nothing(account, owner_client):
    diary.put(account, Found("T-1", NINE, BERLIN, MARGARETHE), "api")
    shown = owner_client.post("/appointments/setup/preview", data=FORM | {"text": "Am {Trmin}"}).text
    assert "Kein Wert für Trmin" in shown
