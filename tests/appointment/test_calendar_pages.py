"""The owner gives the address of a calendar, sees how it stands, and gives a calendar out."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

import pytest

from sms import clock, exchange
from sms.modules.appointment import feed, subscribing
from sms.modules.appointment.models import Appointment, Calendar
from tests.calendar_host import calendar, event, host  # noqa: F401
from tests.conftest import sign_in

NINE = datetime(2027, 3, 30, 7, 0, tzinfo=UTC)
ONE = calendar(event("a", "20270330T090000", "Kontrolle 0171 3920041"), event("b", "20270331T090000", "Team"))


@pytest.fixture(autouse=True)
def _ten_days_before(app, monkeypatch):
    clock.shift(NINE - timedelta(days=10) - clock.now())
    there = exchange.current()
    here = replace(there.settings, inside_networks=(ip_network("127.0.0.1/32"),))
    monkeypatch.setattr(exchange, "_exchange", replace(there, settings=here))


def _add(client, address, name="Dr. Lindner"):
    return client.post("/appointments/calendars", data={"name": name, "address": address})


def _page(client) -> str:
    return client.get("/appointments/calendars").text


def test_the_import_page_leads_owners_to_the_calendars_and_agents_not(owner_client, client):
    assert "/appointments/calendars" in owner_client.get("/appointments/import").text
    assert "/appointments/calendars" not in client.get("/appointments/import").text
    assert client.get("/appointments/calendars").status_code == 403


def test_a_calendar_is_added_read_and_shown(owner_client, host):
    host.serve(ONE)
    answer = _add(owner_client, host.url("/praxis.ics") + "?key=Xq7")
    assert answer.status_code == 303
    subscribing.work()
    page = _page(owner_client)
    assert "Dr. Lindner" in page and "Ist auf dem neuesten Stand" in page
    assert "2 Termine" in page and "1 ohne Telefonnummer" in page
    assert "Xq7" not in page and f"http://127.0.0.1:{host.port}/…" in page
    one = owner_client.get(f"/appointments/calendars/{Calendar.get().id}").text
    assert "31.03.2027 09:00 Team" in one and "Hier steht keine Telefonnummer" in one


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "Bitte füllen Sie dieses Feld aus."),
        ("mein Kalender", "Das ist keine Adresse"),
        ("file:///etc/passwd", "Das ist keine Adresse"),
    ],
)
def test_what_is_no_address_is_told_beside_it_and_stays(owner_client, typed, said):
    answer = _add(owner_client, typed, "Praxis <b>")
    assert answer.status_code == 422
    assert said in answer.text
    assert f'value="{typed}"' in answer.text and "Praxis &lt;b&gt;" in answer.text
    assert Calendar.select().count() == 0


def test_a_fault_is_a_sentence_with_since_when_and_when_again(owner_client, host):
    host.serve(ONE)
    _add(owner_client, host.url())
    subscribing.work()
    clock.shift(timedelta(minutes=20))
    host.redirect("/praxis.ics", "/login")
    host.serve("<html>Anmelden", "/login", kind="text/html")
    subscribing.work()
    page = _page(owner_client)
    assert "Die Adresse leitet zu einer Webseite von 127.0.0.1 weiter" in page
    assert re.search(
        r"Seit heute, \d\d:\d\d\. Zuletzt gelesen: heute, \d\d:\d\d\. Wird wieder gelesen: heute", page
    )
    assert Appointment.select().where(Appointment.state == "open").count() == 2


def test_an_address_that_leads_inside_is_told(owner_client, host):
    _add(owner_client, f"http://169.254.169.254:{host.port}/latest")
    subscribing.work()
    assert "Diese Adresse führt in ein internes Netz" in _page(owner_client)


def test_what_is_missing_all_at_once_is_asked(owner_client, host):
    host.serve(ONE)
    _add(owner_client, host.url())
    subscribing.work()
    host.serve(calendar())
    one = Calendar.get()
    assert owner_client.post(f"/appointments/calendars/{one.id}/read").status_code == 303
    subscribing.work()
    page = _page(owner_client)
    assert "2 Termine fehlen auf einmal" in page and "Jetzt lesen und glauben" in page
    owner_client.post(f"/appointments/calendars/{one.id}/read")
    subscribing.work()
    assert "fehlen auf einmal" not in _page(owner_client)
    assert {one.state for one in Appointment.select()} == {"cancelled"}


def test_removing_asks_what_happens_to_the_appointments(owner_client, host):
    host.serve(ONE)
    for choice, state in (("keep", "open"), ("off", "cancelled")):
        _add(owner_client, host.url())
        subscribing.work()
        one = Calendar.get()
        page = owner_client.get(f"/appointments/calendars/{one.id}").text
        assert "Was geschieht mit den 2 Terminen, die noch bevorstehen?" in page
        answer = owner_client.post(f"/appointments/calendars/{one.id}/remove", data={"appointments": choice})
        assert answer.status_code == 303
        assert {one.state for one in Appointment.select()} == {state}
        assert Calendar.select().count() == 0


def test_name_and_address_are_changed_and_a_bad_one_is_told(owner_client, host):
    host.serve(ONE)
    _add(owner_client, host.url())
    one = Calendar.get()
    bad = owner_client.post(f"/appointments/calendars/{one.id}", data={"name": "x" * 200, "address": ""})
    assert bad.status_code == 422 and "x" * 200 in bad.text
    owner_client.post(f"/appointments/calendars/{one.id}", data={"name": "Neu", "address": ""})
    assert (Calendar.get().name, Calendar.get().address) == ("Neu", host.url())


def test_another_accounts_calendar_is_not_there(app, stranger, owner_client, host):
    _add(owner_client, host.url())
    one = Calendar.get()
    other = sign_in(app, stranger)
    assert other.get(f"/appointments/calendars/{one.id}").status_code == 404
    for what in ("", "/read", "/remove"):
        assert other.post(f"/appointments/calendars/{one.id}{what}").status_code == 404
    assert Calendar.select().count() == 1


def test_the_page_brings_its_list_alone_for_live_updates(owner_client, host):
    _add(owner_client, host.url())
    part = owner_client.get("/appointments/calendars/list")
    assert "<html" not in part.text and "Wird gleich gelesen" in part.text


def test_the_calendar_that_is_given_out_has_one_address_at_a_time(owner_client, visitor, account):
    assert "/appointments/feed/" not in re.sub(r'action="[^"]*"', "", _page(owner_client))
    owner_client.post("/appointments/feed")
    first = feed.token(feed.of_account(account))
    assert f"http://127.0.0.1:64000/appointments/feed/{first}.ics" in _page(owner_client)
    assert visitor.get(f"/appointments/feed/{first}.ics").status_code == 200
    owner_client.post("/appointments/feed")
    second = feed.token(feed.of_account(account))
    assert visitor.get(f"/appointments/feed/{first}.ics").status_code == 404
    assert visitor.get(f"/appointments/feed/{second}.ics").status_code == 200
    owner_client.post("/appointments/feed/end")
    assert visitor.get(f"/appointments/feed/{second}.ics").status_code == 404
    owner_client.post("/appointments/feed")
    assert visitor.get(f"/appointments/feed/{second}.ics").status_code == 404


def test_another_rule_for_numbers_reads_calendars_anew_although_they_have_not_changed(owner_client, host):
    host.serve(calendar(event("a", "20270330T090000", "Kontrolle", "LOCATION:0171 3920041")))
    _add(owner_client, host.url())
    subscribing.work()
    assert Appointment.get().number == ""
    owner_client.post("/appointments/import/number", data={"part": "location", "word": ""})
    subscribing.work()
    assert Appointment.get().number == "+491713920041"
    assert Appointment.select().count() == 1
