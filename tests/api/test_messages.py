"""Messages through the API: sending, looking, listing, cancelling, retrying."""

from datetime import UTC, datetime, timedelta

import pytest

from sms import clock, sending, suppression
from sms.clock import now
from sms.db import database
from sms.models import Call, Change, Contact, Message, StatusEvent
from sms.models.event import add_event
from sms.views.api import shapes
from tests.api.answers import conforms, problem_of

KOCH = "0171 3920054"
KOCH_SHOWN = "00491713920054"
DESK = "030 23125417"


def post(api, **fields):
    return api.post("/api/v1/messages", {"to": KOCH, "text": "Hallo Frau Koch", **fields})


def test_a_message_is_accepted_and_can_be_looked_at(api, account):
    answer = post(api, reference="A-4711", sender="PRAXIS")
    assert answer.status_code == 202
    message = conforms(answer.json, shapes.MessageShape)
    assert message["status"] == "queued"
    assert (message["to"], message["from"], message["sender"]) == (KOCH_SHOWN, "PRAXIS", "PRAXIS")
    assert (message["direction"], message["channel"], message["parts"]) == ("outgoing", "sms", 1)
    assert message["reference"] == "A-4711"
    assert [event["status"] for event in message["events"]] == ["queued"]
    assert answer.headers["Location"] == f"/api/v1/messages/{message['id']}"
    assert api.get(answer.headers["Location"]).json == message


def test_a_message_through_the_api_is_on_the_open_pages(api, account):
    message = post(api).json
    assert Change.select().where(Change.account == account, Change.message == message["id"]).count() == 1


def test_a_german_landline_is_called(api):
    message = post(api, to=DESK).json
    assert (message["channel"], message["to"], message["parts"]) == ("voice", "00493023125417", 0)


def test_a_mobile_can_be_called_too(api):
    assert post(api, channel="voice").json["channel"] == "voice"


def test_placeholders_are_filled_from_the_request_and_the_contact(api):
    api.put("/api/v1/contacts/" + KOCH_SHOWN, {"name": "Sabine Koch", "fields": {"Anrede": "Frau Koch"}})
    message = post(api, text="{Anrede}, Ihr Termin: {Zeit}", fields={"Zeit": "9:30"}).json
    assert message["text"] == "Frau Koch, Ihr Termin: 9:30"


def test_a_program_that_names_no_fields_may_send_braces(api):
    assert post(api, text="Code {A-17}").json["text"] == "Code {A-17}"


def test_times_are_rfc_3339_in_utc_with_milliseconds(api):
    assert post(api).json["created_at"].endswith("Z")
    assert len(post(api).json["created_at"]) == len("2026-11-21T09:00:00.000Z")


@pytest.mark.parametrize(
    ("fields", "field", "code"),
    [
        ({"to": "110"}, "to", "emergency"),
        ({"to": "+43 1 58058"}, "to", "foreign_landline"),
        ({"to": "0900 5 123456"}, "to", "premium"),
        ({"to": "keine"}, "to", "letters"),
        ({"to": ""}, "to", "empty"),
        ({"to": None}, "to", "not_a_text"),
        ({"text": ""}, "text", "empty"),
        ({"text": " \n\u200b"}, "text", "empty"),
        ({"text": "a" * 1501}, "text", "too_long"),
        ({"text": "a\x00"}, "text", "control_character"),
        ({"text": "Hallo {niemand}", "fields": {}}, "text", "placeholder_unknown"),
        ({"sender": "Müller"}, "sender", "sender_bad_character"),
        ({"sender": "PRAXISLINDNER"}, "sender", "sender_too_long"),
        ({"sender": "0171 3920099"}, "sender", "sender_not_owned"),
        ({"channel": "fax"}, "channel", "not_a_choice"),
        ({"to": DESK, "channel": "sms"}, "channel", "landline_needs_voice"),
        ({"send_at": "2020-01-01T00:00:00Z"}, "send_at", "in_the_past"),
        ({"send_at": "morgen"}, "send_at", "bad_time"),
        ({"send_at": 7}, "send_at", "not_a_text"),
        ({"reference": "x" * 101}, "reference", "too_long"),
        ({"reference": "x\x00"}, "reference", "control_character"),
        ({"automated": "yes"}, "automated", "not_a_boolean"),
        ({"automated": 1}, "automated", "not_a_boolean"),
        ({"txt": "typo"}, "txt", "unknown_field"),
        ({"fields": {str(n): "x" for n in range(101)}}, "fields", "too_many"),
    ],
)
def test_what_cannot_be_sent_is_refused_at_its_field_and_changes_nothing(api, account, fields, field, code):
    answer = post(api, **fields)
    problem = problem_of(answer, 422)
    assert [(e["field"], e["code"]) for e in problem["errors"]] == [(field, code)]
    assert Message.select().count() == Contact.select().count() == StatusEvent.select().count() == 0


def test_every_wrong_field_is_named_at_once(api):
    problem = problem_of(api.post("/api/v1/messages", {"to": 1, "txt": "x", "automated": None}), 422)
    assert {e["field"] for e in problem["errors"]} == {"to", "text", "txt", "automated"}


def test_a_number_that_opted_out_is_refused(api, account):
    suppression.suppress(account, "+491713920054", "sms", "STOP")
    assert problem_of(post(api), 422)["errors"][0]["code"] == "opted_out"


def test_null_for_an_optional_field_is_the_same_as_leaving_it_out(api):
    nothing = {"sender": None, "channel": None, "send_at": None, "fields": None, "reference": None}
    assert post(api, **nothing).status_code == 202


def test_a_message_for_later_is_scheduled_and_can_be_cancelled(api):
    at = (now() + timedelta(days=2)).replace(microsecond=0)
    message = post(api, send_at=at.isoformat()).json
    assert message["status"] == "scheduled"
    assert message["send_at"] == f"{at:%Y-%m-%dT%H:%M:%S}.000Z"
    answer = api.post(f"/api/v1/messages/{message['id']}/cancel")
    assert (answer.status_code, answer.json["status"]) == (200, "cancelled")
    assert answer.json["events"][-1]["status"] == "cancelled"


def test_a_time_without_offset_is_the_accounts_wall_clock(api):
    clock.shift(datetime(2027, 6, 1, tzinfo=UTC) - now())
    assert post(api, send_at="2027-06-02T12:00").json["send_at"] == "2027-06-02T10:00:00.000Z"


def test_a_time_in_the_gap_of_a_clock_change_is_refused_with_both_neighbours(api):
    problem = problem_of(post(api, send_at="2027-03-28T02:30"), 422)
    assert problem["errors"][0]["code"] == "time_gap"
    assert "01:59" in problem["errors"][0]["message"]
    assert "03:00" in problem["errors"][0]["message"]


@pytest.mark.parametrize("send_at", ["9999-12-31T23:59:59Z", "9999-12-31T23:59", "2400-01-01T00:00Z"])
def test_a_time_in_another_age_is_too_far_ahead(api, send_at):
    problem = problem_of(post(api, send_at=send_at), 422)
    assert problem["errors"][0]["code"] == "too_far"
    assert problem["errors"][0]["message"] == "This is too far in the future: at most one year."


def test_cancelling_twice_is_a_conflict_with_the_reason(api):
    message = post(api, send_at=(now() + timedelta(days=1)).isoformat()).json
    api.post(f"/api/v1/messages/{message['id']}/cancel")
    problem = problem_of(api.post(f"/api/v1/messages/{message['id']}/cancel"), 409)
    assert problem["errors"][0]["code"] == "too_late_to_cancel"


def test_only_what_did_not_get_through_can_be_tried_again(api):
    message = post(api).json
    problem = problem_of(api.post(f"/api/v1/messages/{message['id']}/retry"), 409)
    assert problem["errors"][0]["code"] == "too_late_to_retry"
    Message.update(status="failed", reason="network").where(Message.id == message["id"]).execute()
    shown = api.get(f"/api/v1/messages/{message['id']}").json
    assert shown["error_code"] == "network"
    assert len(shown["error"]) > 10
    again = api.post(f"/api/v1/messages/{message['id']}/retry")
    assert (again.status_code, again.json["status"], again.json["error"]) == (200, "queued", None)


def test_an_incoming_message_is_shown_from_the_recipients_side(api, account):
    sent = post(api).json
    row = Message.get_by_id(sent["id"])
    answer = Message.create(
        account=account, conversation=row.conversation, direction="incoming", channel="sms", ours=row.ours,
        theirs=row.theirs, text="Danke!", status="received", answers=row.id, created_at=now(), at=now(),
    )  # fmt: skip
    shown = conforms(api.get(f"/api/v1/messages/{answer.id}").json, shapes.MessageShape)
    assert (shown["direction"], shown["from"], shown["to"]) == ("incoming", KOCH_SHOWN, sent["from"])
    assert shown["answers"] == sent["id"]


def test_calls_are_listed_once_they_have_ended(api, account):
    sent = post(api, to=DESK).json
    row = Message.get_by_id(sent["id"])
    Call.delete().execute()
    for attempt, status in enumerate(["busy", "no-answer", "ringing"], 1):
        ended = None if status == "ringing" else now()
        Call.create(
            message=row, account=account, direction="outgoing", attempt=attempt, key=str(attempt), carrier="sandbox",
            ours=row.ours, theirs=row.theirs, status=status, started_at=now(), ended_at=ended, seconds=0,
        )  # fmt: skip
    calls = api.get(f"/api/v1/messages/{row.id}").json["calls"]
    assert [(c["attempt"], c["status"]) for c in calls] == [(1, "busy"), (2, "no-answer")]


def test_private_notes_are_not_told_to_programs(api, account, anna):
    row = Message.get_by_id(post(api).json["id"])
    note = sending.add_note(row.conversation, "Ruft morgen zurück", anna)
    problem_of(api.get(f"/api/v1/messages/{note.id}"), 404)
    assert [m["id"] for m in api.get("/api/v1/messages").json["items"]] == [row.id]
    thread = api.get(f"/api/v1/conversations/{row.conversation_id}/messages").json
    assert [m["id"] for m in thread["items"]] == [row.id]


@pytest.mark.parametrize("id", ["0", "7", "999999999999999999999999", "-1", "abc", "1.5"])
def test_a_message_that_is_not_there_is_404(api, id):
    problem_of(api.get(f"/api/v1/messages/{id}"), 404)


@pytest.mark.parametrize(("method", "tail"), [("GET", ""), ("POST", "/cancel"), ("POST", "/retry")])
def test_messages_of_another_account_are_404(api, other_api, method, tail):
    id = post(api, send_at=(now() + timedelta(days=1)).isoformat()).json["id"]
    problem_of(other_api.open(method, f"/api/v1/messages/{id}{tail}"), 404)
    assert api.get(f"/api/v1/messages/{id}").json["status"] == "scheduled"


def test_messages_are_listed_newest_first_in_pages_that_new_ones_do_not_move(api):
    ids = [post(api, text=f"Nummer {n}").json["id"] for n in range(5)]
    first = conforms(api.get("/api/v1/messages?limit=2").json, shapes.MessagePage)
    assert [m["id"] for m in first["items"]] == [ids[4], ids[3]]
    post(api, text="Nachzügler")
    second = api.get(f"/api/v1/messages?limit=2&cursor={first['next_cursor']}").json
    third = api.get(f"/api/v1/messages?limit=2&cursor={second['next_cursor']}").json
    assert [m["id"] for m in second["items"] + third["items"]] == [ids[2], ids[1], ids[0]]
    assert third["next_cursor"] is None


def test_messages_are_filtered_by_status_direction_and_time(api, account):
    early = post(api).json["id"]
    clock.shift(timedelta(hours=1))
    late = post(api, send_at=(now() + timedelta(days=1)).isoformat()).json

    def ids(query):
        return [m["id"] for m in api.get(f"/api/v1/messages?{query}").json["items"]]

    assert ids("status=scheduled") == [late["id"]]
    assert ids("direction=incoming") == []
    assert ids("direction=outgoing&status=queued") == [early]
    assert ids(f"since={late['created_at']}") == [late["id"]]
    assert ids("status=&direction=&since=&cursor=") == [late["id"], early]


@pytest.mark.parametrize(
    ("query", "field"),
    [("status=lost", "status"), ("direction=up", "direction"), ("since=gestern", "since"), ("limit=0", "limit"),
     ("limit=1001", "limit"), ("limit=x", "limit"), ("limit=99999999999999999999", "limit"), ("cursor=!", "cursor"),
     ("cursor=WzFd", "cursor"), ("cursor=WyJtIiwtMV0", "cursor"), ("cursor=%F0%9F", "cursor"), ("page=2", "page")],
)  # fmt: skip
def test_a_bad_parameter_is_refused_at_its_name(api, query, field):
    assert problem_of(api.get(f"/api/v1/messages?{query}"), 422)["errors"][0]["field"] == field


def test_a_list_of_messages_needs_a_fixed_number_of_queries(api, account, count_queries):
    for n in range(3):
        post(api, text=f"Nummer {n}")
    with count_queries() as few:
        api.get("/api/v1/messages")
    for n in range(20):
        post(api, to=f"0171 39200{n:02}", text=f"Nummer {n}")
    with count_queries() as many:
        assert len(api.get("/api/v1/messages").json["items"]) == 23
    assert many.number == few.number <= 4


def test_thread_events_that_count_as_incoming_are_no_messages(api, account):
    message = api.post("/api/v1/messages", {"to": "0171 39200 42", "text": "Hallo"}).json
    row = Message.get_by_id(message["id"])
    with database.atomic():
        event = add_event(row.conversation, "callback_wanted", source="recipient")
    Message.update(direction="incoming").where(Message.id == event.id).execute()
    assert [m["id"] for m in api.get("/api/v1/messages").json["items"]] == [row.id]
    thread = api.get(f"/api/v1/conversations/{row.conversation_id}/messages").json["items"]
    assert [m["id"] for m in thread] == [row.id]
    assert api.get(f"/api/v1/messages/{event.id}").status_code == 404


def test_what_a_machine_says_twice_is_held_and_the_answer_says_so(api, account):
    account.quiet_text = ""
    account.save()
    body = {"to": "0171 3920054", "text": "Ihr Termin ist morgen.", "automated": True}
    first, second = (api.post("/api/v1/messages", body).json for _ in range(2))
    assert (first["status"], first["error_code"]) == ("queued", None)
    assert (second["status"], second["error_code"], second["send_at"]) == ("scheduled", "duplicate", None)
    assert "3 minutes" in second["error"]
    assert api.get(f"/api/v1/messages/{second['id']}").json == second
    assert api.post(f"/api/v1/messages/{second['id']}/cancel").json["status"] == "cancelled"


def test_an_unknown_outcome_is_not_told_as_a_failure(api):
    made = api.post("/api/v1/messages", {"to": "0171 3920042", "text": "Kam das an?"}).json
    Message.update(status="unknown", reason="network").where(Message.id == made["id"]).execute()
    assert "may have been sent" in api.get(f"/api/v1/messages/{made['id']}").json["error"]


def test_a_reference_that_is_too_long_is_told_as_such(api):
    answer = api.post("/api/v1/messages", {"to": "0171 3920042", "text": "x", "reference": "r" * 2000})
    assert "too long" in answer.json["errors"][0]["message"].lower()
