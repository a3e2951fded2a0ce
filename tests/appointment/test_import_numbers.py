"""Where the phone number of a calendar's event stands is a rule that the owner sees, tries and keeps."""

import io
from datetime import timedelta

import pytest

from sms.modules.appointment import numbering, subscribing
from sms.modules.appointment.found import NumberRule
from sms.modules.appointment.models import Calendar

EVENT = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART:20990330T070000Z\r\n"
    "SUMMARY:Schößler 0171 3920033\r\nDESCRIPTION:Fax: 030 23125417\\nTel: 0171/3920042\\nNotfall: 0171 3920029\r\n"
    "LOCATION:Raum 2\\, 0171 3920071\r\nCONTACT:0171 3920081\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)
RULES = [
    ({}, "00491713920033"),
    ({"part": "title"}, "00491713920033"),
    ({"part": "description"}, "00491713920042"),
    ({"part": "location"}, "00491713920071"),
    ({"part": "contact"}, "00491713920081"),
    ({"part": "anywhere", "word": "Tel:"}, "00491713920042"),
    ({"part": "description", "word": "notfall"}, "00491713920029"),
    ({"part": "description", "word": "Fax:"}, "00493023125417"),
    ({"part": "title", "word": "Tel:"}, None),
]


@pytest.mark.parametrize(("rule", "number"), RULES)
def test_a_calendar_is_read_by_the_rule_that_is_kept(api, owner_client, rule, number):
    if rule:
        assert owner_client.post("/appointments/import/number", data=rule).status_code == 303
    answer = api.post(
        "/api/v1/appointments/import?dry_run=1", data=EVENT.encode(), content_type="text/calendar"
    )
    assert [one["number"] for one in answer.json["appointments"]] == [number]


def test_the_page_of_a_file_follows_the_rule_too(account, client):
    numbering.save(account, NumberRule("location"))
    numbering.save(account, NumberRule("description", "Tel:"))
    sent = {"file": (io.BytesIO(EVENT.encode()), "termine.ics")}
    place = client.post("/appointments/import", data=sent, content_type="multipart/form-data").headers[
        "Location"
    ]
    page = client.get(place).text
    assert "0171 39200 42" in page
    assert "39200 71" not in page


def test_a_rule_is_tried_before_it_is_kept(account, owner_client):
    typed = {"part": "title", "word": "Mobil", "sample": "Tel 030 23125417, Mobil 0171 3920042"}
    live = owner_client.post("/appointments/import/number/try", data=typed)
    assert "Gefunden: 0171 39200 42" in live.text
    page = owner_client.post("/appointments/import/number", data=typed | {"do": "try"})
    assert "Gefunden: 0171 39200 42" in page.text
    assert 'value="Mobil"' in page.text
    nothing = owner_client.post("/appointments/import/number/try", data=typed | {"word": "Fax"})
    assert "keine erreichbare Rufnummer" in nothing.text
    assert numbering.of(account) == NumberRule()


@pytest.mark.parametrize(
    ("typed", "field"), [({"part": "foot"}, "part"), ({"part": "title", "word": "x" * 31}, "word")]
)
def test_what_is_wrong_with_a_rule_is_told_beside_it(account, owner_client, typed, field):
    answer = owner_client.post("/appointments/import/number", data=typed | {"sample": "Hallo 12"})
    assert answer.status_code == 422
    assert f'id="{field}-e"' in answer.text
    assert "Hallo 12" in answer.text
    assert numbering.of(account) == NumberRule()


def test_another_rule_has_the_calendars_read_anew(account, owner_client):
    calendar = subscribing.add(account, "Dr. Lindner", "https://calendar.example/praxis.ics")
    later = calendar.next_at + timedelta(hours=1)
    Calendar.update(digest="x", whole_at=later, next_at=later).execute()
    assert owner_client.post("/appointments/import/number", data={"part": "title"}).status_code == 303
    anew = Calendar.get()
    assert (anew.digest, anew.whole_at) == ("", None)
    assert anew.next_at < later


def test_only_owners_choose_the_rule(client):
    assert client.get("/appointments/import/number").status_code == 403
    assert client.post("/appointments/import/number", data={"part": "title"}).status_code == 403
