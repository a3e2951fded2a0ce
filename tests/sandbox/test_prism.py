"""The same SDK calls to Prism, which serves Twilio's own document, and to the sandbox: what Prism refuses, it refuses."""

import pytest
import requests
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from sms.config import load
from tests.peers.prism import missing, prism
from tests.ports import free_port
from tests.sandbox.pretend import HERTA, KURT, OUR_NUMBER, OUR_VOICE, Sandbox

SM, CA, RE = (f"{prefix}{7:032x}" for prefix in ("SM", "CA", "RE"))
URI = "http://127.0.0.1:9/twiml"
TEXT = {"to": KURT, "from_": OUR_NUMBER, "body": "Guten Tag"}
CALL = {"to": HERTA, "from_": OUR_VOICE, "url": URI}


@pytest.fixture(scope="module")
def document(tmp_path_factory):
    if reason := missing():
        pytest.skip(reason)
    with prism(tmp_path_factory.mktemp("prism") / "log") as origin:
        yield origin


def outcome(call, client):
    """The HTTP status that a call ends with; 200 for whatever was taken."""
    try:
        call(client)
    except TwilioRestException as refusal:
        return refusal.status
    except TwilioException as page:  # the SDK's pages know no better: (words, response)
        return page.args[1].status_code
    return 200


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    """One for all cases here, which only look at what is refused; its callbacks lead nowhere."""
    data, port = tmp_path_factory.mktemp("sandbox"), free_port(2)
    made = Sandbox(
        load({"FADEN_DATA": str(data), "PORT": str(port), "FADEN_PUBLIC_URL": "http://127.0.0.1:9"})
    )
    yield made
    made.stop()


@pytest.fixture
def judge(document, sandbox):
    """Make a call on both; returns what the document says and what the sandbox says."""

    def both(call, sid=None):
        clients = []
        for origin in (document, sandbox.url):
            client = Client(sid or sandbox.account["sid"], sandbox.account["token"],
                            http_client=TwilioHttpClient(timeout=10))  # fmt: skip
            client.api.base_url = origin
            clients.append(client)
        return outcome(call, clients[0]), outcome(call, clients[1])

    return both


TAKEN = {
    "a text": lambda c: c.messages.create(**TEXT),
    "a text with its report": lambda c: c.messages.create(**TEXT, status_callback=f"{URI}?a=1&b=%20#x"),
    "a text with numbers and flags": lambda c: c.messages.create(
        **TEXT, validity_period=60, attempt=1, max_price="0.5", provide_feedback=True, smart_encoded=False
    ),
    "a text with words from lists": lambda c: c.messages.create(
        **TEXT, content_retention="retain", address_retention="obfuscate", risk_check="disable"
    ),
    "a call": lambda c: c.calls.create(**CALL),
    "a call with everything": lambda c: c.calls.create(
        **CALL, method="GET", status_callback=URI, status_callback_method="POST", timeout=25,
        status_callback_event=["initiated", "ringing", "answered", "completed"],
        machine_detection="DetectMessageEnd", machine_detection_timeout=10, record=False, time_limit=600,
    ),
    "a list of texts": lambda c: c.messages.page(to=KURT, from_=OUR_NUMBER, page_size=20),
    "a list of calls": lambda c: c.calls.page(to=HERTA, status="busy", page_size=1000),
    "a list of recordings": lambda c: c.recordings.page(call_sid=CA),
}  # fmt: skip

REFUSED = {
    "a text to nobody": lambda c: c.messages.create(to=None, body="x", from_=OUR_NUMBER),
    "a report to no address": lambda c: c.messages.create(**TEXT, status_callback="no address"),
    "a report to a path": lambda c: c.messages.create(**TEXT, status_callback="/status"),
    "a short service id": lambda c: c.messages.create(**TEXT, messaging_service_sid="MG1"),
    "a service id of another kind": lambda c: c.messages.create(**TEXT, messaging_service_sid="AC" + 32 * "0"),
    "an application id with a letter too far": lambda c: c.messages.create(**TEXT, application_sid="AP" + 32 * "g"),
    "an unknown schedule": lambda c: c.messages.create(**TEXT, schedule_type="later"),
    "a moment that is none": lambda c: c.messages.create(**TEXT, send_at="tomorrow"),
    "a validity in words": lambda c: c.messages.create(**TEXT, validity_period="an hour"),
    "a validity with a fraction": lambda c: c.messages.create(**TEXT, validity_period="1.5"),
    "a price in words": lambda c: c.messages.create(**TEXT, max_price="cheap"),
    "a flag that is none": lambda c: c.messages.create(**TEXT, force_delivery="perhaps"),
    "an unknown retention": lambda c: c.messages.create(**TEXT, content_retention="forget"),
    "an unknown address retention": lambda c: c.messages.create(**TEXT, address_retention="forget"),
    "an unknown traffic type": lambda c: c.messages.create(**TEXT, traffic_type="paid"),
    "an unknown risk check": lambda c: c.messages.create(**TEXT, risk_check="maybe"),
    "a short content id": lambda c: c.messages.create(**TEXT, content_sid="HX"),
    "a text with a bad id": lambda c: c.messages("SM7").fetch(),
    "a text with an id of another kind": lambda c: c.messages(CA).fetch(),
    "a text's update to an unknown status": lambda c: c.messages(SM).update(status="sent"),
    "a text's deletion with a bad id": lambda c: c.messages("SM7").delete(),
    "a page of no size": lambda c: c.messages.page(page_size=0),
    "a page too large": lambda c: c.messages.page(page_size=1001),
    "a page before the first": lambda c: c.messages.page(page_number=-1),
    "a page size in words": lambda c: c.messages.page(page_size="many"),
    "texts of a day that is none": lambda c: c.messages.page(date_sent="Monday"),
    "a call to nobody": lambda c: c.calls.create(to=None, from_=OUR_VOICE, url=URI),
    "a call from nobody": lambda c: c.calls.create(to=HERTA, from_=None, url=URI),
    "a call with PATCH": lambda c: c.calls.create(**CALL, method="PATCH"),
    "a call with no address": lambda c: c.calls.create(**CALL | {"url": "twiml"}),
    "a call with a bad report": lambda c: c.calls.create(**CALL, status_callback="status"),
    "a call with a bad report method": lambda c: c.calls.create(**CALL, status_callback_method="PUT"),
    "a call with a bad fallback": lambda c: c.calls.create(**CALL, fallback_url="::"),
    "a call with a bad fallback method": lambda c: c.calls.create(**CALL, fallback_method="DELETE"),
    "a call ringing for a while": lambda c: c.calls.create(**CALL, timeout="long"),
    "a call that may be recorded": lambda c: c.calls.create(**CALL, record="maybe"),
    "a call with a time limit in words": lambda c: c.calls.create(**CALL, time_limit="1h"),
    "a call with detection in words": lambda c: c.calls.create(**CALL, machine_detection_timeout="soon"),
    "a call with a bad detection report": lambda c: c.calls.create(**CALL, async_amd_status_callback="x y"),
    "a call over a short trunk": lambda c: c.calls.create(**CALL, byoc="BY1"),
    "a call with a bad id": lambda c: c.calls("CA7").fetch(),
    "a call's update to ringing": lambda c: c.calls(CA).update(status="ringing"),
    "a call's update to no address": lambda c: c.calls(CA).update(url="twiml"),
    "calls of an unknown status": lambda c: c.calls.page(status="asleep"),
    "calls of a bad parent": lambda c: c.calls.page(parent_call_sid="CA7"),
    "calls since no moment": lambda c: c.calls.page(start_time="yesterday"),
    "a recording with a bad id": lambda c: c.recordings("RE7").fetch(),
    "recordings of a bad call": lambda c: c.recordings.page(call_sid="7"),
    "recordings of no day": lambda c: c.recordings.page(date_created="today"),
}  # fmt: skip


@pytest.mark.parametrize("name", TAKEN)
def test_what_the_document_allows_is_taken(judge, name):
    assert judge(TAKEN[name]) == (200, 200)


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_document_forbids_is_refused(judge, name):
    document, ours = judge(REFUSED[name])
    assert document == 422, "the document allows it: the case proves nothing"
    assert ours in (400, 404)


NASTY = (
    *(
        "",
        " ",
        "x",
        "1",
        "-1",
        "1.5",
        "1e3",
        "+1",
        "01",
        "0x10",
        "9" * 30,
        "\u0663",
        "NaN",
        "true",
        "True",
        "TRUE",
    ),
    *(
        "http://",
        "//x/y",
        "mailto:a@b",
        "http://a b",
        "http://x/%zz",
        "http://[x",
        "http://x/{a}",
        "http://x/\xfc",
    ),
    *(
        "2026-13-01T00:00:00Z",
        "2026-01-01",
        "2026-01-01T00:00:00",
        "2026-02-30T00:00:00Z",
        "2026-01-01T24:00:00Z",
    ),
    *("MG" + 32 * "0" + "\n", "AP" + 31 * "0", "retain ", "Discard"),
)
FIELDS = ("StatusCallback", "ProvideFeedback", "ValidityPeriod", "MaxPrice", "SendAt", "ApplicationSid")
FIELDS += ("ContentRetention", "MessagingServiceSid")


@pytest.mark.parametrize("field", FIELDS)
def test_no_nasty_value_passes_that_the_document_forbids(document, sandbox, field):
    path = f"/2010-04-01/Accounts/{sandbox.account['sid']}/Messages.json"
    session = requests.Session()
    session.auth = sandbox.auth
    form = {"To": KURT, "From": OUR_NUMBER, "Body": "x"}
    answers = {
        value: [
            session.post(o + path, data={**form, field: value}, timeout=10) for o in (document, sandbox.url)
        ]
        for value in NASTY
    }
    assert any(theirs.status_code == 422 for theirs, _ in answers.values())
    assert [v for v, (theirs, ours) in answers.items() if theirs.status_code >= 400 > ours.status_code] == []
    assert all(ours.status_code < 500 for _, ours in answers.values())


def test_an_account_id_of_the_wrong_shape_is_refused(judge):
    document, ours = judge(lambda c: c.messages.page(), sid="AC7")
    assert (document, ours) == (422, 401)


def test_requests_without_a_form_or_a_name_are_refused_alike(document, sandbox):
    path = f"/2010-04-01/Accounts/{sandbox.account['sid']}/Messages.json"
    for origin in (document, sandbox.url):
        nobody = requests.post(origin + path, data={"To": KURT}, timeout=10)
        assert nobody.status_code == 401
        json = requests.post(origin + path, json={"To": KURT}, auth=sandbox.auth, timeout=10)
        assert json.status_code == 415


def test_every_resource_has_the_properties_of_the_document(document, sandbox):
    client = Client(*sandbox.auth, http_client=TwilioHttpClient(timeout=10))
    client.api.base_url = document
    ours = sandbox.client()
    for create in (lambda c: c.messages.create(**TEXT), lambda c: c.calls.create(**CALL)):
        theirs, mine = (create(c) for c in (client, ours))
        assert set(vars(theirs)) == set(vars(mine))
    for path in ("Messages", "Calls", "Recordings"):
        pages = [
            requests.get(f"{origin}/2010-04-01/Accounts/{sandbox.account['sid']}/{path}.json",
                         auth=sandbox.auth, timeout=10).json()
            for origin in (document, sandbox.url)
        ]  # fmt: skip
        assert set(pages[0]) <= set(pages[1])
        for theirs, mine in zip(pages[0][path.lower()], pages[1][path.lower()], strict=False):
            assert set(theirs) <= set(mine)
