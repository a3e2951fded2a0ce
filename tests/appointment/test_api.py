"""Appointments for programs, as the documents describe them."""

import pytest

from sms.modules.appointment.models import Appointment

ICS = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:a@x\r\nDTSTART;TZID=Europe/Berlin:20260330T090000\r\n"
    "SUMMARY:Kontrolle 0171 3920054\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:b@x\r\nDTSTART:kaputt\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)
CSV = "reference;start;number;title\nT1;30.03.2026 09:00;0171 3920054;Füllung\nT2;29.03.2026 02:30;0171 3920054;x\n"


def _put(api, **more):
    wanted = {
        "reference": "T-1",
        "number": "0171 3920054",
        "start": "2027-03-30T09:00",
        "zone": "Europe/Berlin",
    }
    return api.post("/api/v1/appointments", wanted | more)


def test_an_appointment_is_added_once_and_then_moved(api):
    first, again = _put(api), _put(api, start="2027-03-31T10:00", title="Kontrolle")
    assert (first.status_code, again.status_code) == (201, 200)
    (one,) = api.get("/api/v1/appointments").json["items"]
    assert one["start"] == "2027-03-31T10:00"
    assert one["start_utc"] == "2027-03-31T08:00Z"
    assert (one["number"], one["state"], one["title"]) == ("00491713920054", "open", "Kontrolle")


def test_a_cancelled_one_stays_cancelled_until_it_is_put_again(api):
    _put(api)
    assert api.delete("/api/v1/appointments/T-1").json["state"] == "cancelled"
    assert api.delete("/api/v1/appointments/T-1").status_code == 200
    assert api.delete("/api/v1/appointments/none").status_code == 404
    assert _put(api).json["state"] == "open"


def test_a_reference_may_contain_a_slash(api):
    _put(api, reference="2027/17")
    assert api.delete("/api/v1/appointments/2027/17").status_code == 200


REFUSED = [
    ({"start": "2027-03-28T02:30"}, "start", "time_gap"),
    ({"start": "morgen"}, "start", "bad_time"),
    ({"start": "9999-06-01T12:00"}, "start", "bad_time"),
    ({"zone": "Mitte/Erde"}, "zone", "unknown_zone"),
    ({"number": "12ab"}, "number", "letters"),
    ({"number": "0043 1 5125555"}, "number", "foreign_landline"),
    ({"reference": " "}, "reference", "empty"),
    ({"reference": "x" * 201}, "reference", "too_long"),
    ({"end": "2027-03-30T08:00"}, "end", "end_before_start"),
]


@pytest.mark.parametrize(("wrong", "field", "code"), REFUSED)
def test_what_cannot_be_used_is_refused_at_its_field(api, wrong, field, code):
    answer = _put(api, **wrong)
    assert answer.status_code == 422
    assert [(e["field"], e["code"]) for e in answer.json["errors"]] == [(field, code)]
    assert Appointment.select().count() == 0


def test_the_list_is_pages_in_the_order_of_time(api):
    for number in range(5):
        _put(api, reference=f"T-{number}", start=f"2027-04-0{5 - number}T09:00")
    first = api.get("/api/v1/appointments?limit=3&from=2027-04-02&to=2027-04-05T09:00").json
    assert [one["reference"] for one in first["items"]] == ["T-3", "T-2", "T-1"]
    rest = api.get(
        "/api/v1/appointments?limit=3&cursor=" + api.get("/api/v1/appointments?limit=3").json["next_cursor"]
    )
    assert [one["reference"] for one in rest.json["items"]] == ["T-1", "T-0"]
    assert api.get("/api/v1/appointments?state=open").json["next_cursor"] is None
    assert api.get("/api/v1/appointments?state=nonsense").status_code == 422


def test_other_accounts_see_nothing_of_it(api, other_api):
    _put(api)
    assert other_api.get("/api/v1/appointments").json["items"] == []
    assert other_api.delete("/api/v1/appointments/T-1").status_code == 404


def _import(api, data: str, kind: str, query: str = ""):
    return api.open("POST", f"/api/v1/appointments/import{query}", data=data.encode(), content_type=kind)


def test_a_dry_run_of_a_calendar_stores_nothing(api):
    answer = _import(api, ICS, "text/calendar", "?dry_run=1")
    assert answer.json["appointments"] == [
        {
            "reference": "a@x", "start": "2026-03-30T09:00", "start_utc": "2026-03-30T07:00Z", "zone": "Europe/Berlin",
            "number": "00491713920054", "title": "Kontrolle 0171 3920054", "cancelled": False,
        }
    ]  # fmt: skip
    assert [(e["uid"], e["code"]) for e in answer.json["errors"]] == [("b@x", "bad_event")]
    assert Appointment.select().count() == 0


def test_a_table_is_taken_line_by_line_and_twice_is_once(api):
    for _ in range(2):
        answer = _import(api, CSV, "text/csv")
        assert [one["reference"] for one in answer.json["appointments"]] == ["T1"]
        assert [(e["line"], e["code"]) for e in answer.json["errors"]] == [(3, "time_gap")]
        assert "01:59" in answer.json["errors"][0]["message"]
    assert Appointment.select().count() == 1


def test_what_is_no_file_of_appointments_is_refused(api):
    assert _import(api, "<html>", "text/calendar").status_code == 422
    assert _import(api, "<html>", "text/csv").status_code == 422
    assert _import(api, "<html>", "text/html").status_code == 415
    assert _import(api, "", "text/csv").status_code == 422
    assert _import(api, "x" * 8_000_001, "text/csv").status_code == 413


def test_a_plan_tells_what_is_moved_and_what_is_left_out(api):
    body = {
        "start": "2026-03-30T09:00",
        "zone": "Europe/Berlin",
        "rules": [{"before": "P1D"}, {"before": "PT2H"}, {"before": "P30D"}],
        "quiet": "20:00-08:00",
        "on_quiet": "skip",
        "now": "2026-03-10T00:00:00Z",
    }
    assert api.post("/api/v1/appointments/plan", body).json == {
        "reminders": [
            {"before": "P1D", "at": "2026-03-29T09:00", "at_utc": "2026-03-29T07:00Z"},
            {"before": "PT2H", "at": "2026-03-30T07:00", "at_utc": "2026-03-30T05:00Z", "skipped": "quiet"},
            {
                "before": "P30D",
                "at": "2026-02-28T09:00",
                "at_utc": "2026-02-28T08:00Z",
                "skipped": "too_late",
            },
        ]
    }
    for wrong, field in (
        ({"rules": [{"before": "1 day"}]}, "rules.0.before"),
        ({"quiet": "immer"}, "quiet"),
        ({"start": "2026-03-29T02:30"}, "start"),
    ):
        answer = api.post("/api/v1/appointments/plan", body | wrong)
        assert (answer.status_code, answer.json["errors"][0]["field"]) == (422, field)
