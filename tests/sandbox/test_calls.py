"""Calls: each TwiML verb, each way a phone behaves, driven by the official SDK."""

import wave
from datetime import timedelta
from io import BytesIO

import pytest
import requests
from twilio.base.exceptions import TwilioRestException

from sms import clock
from sms.sandbox import sound
from tests.sandbox.pretend import HERTA, ILSE, OUR_VOICE, until

EVENTS = ["initiated", "ringing", "answered", "completed"]


def call(sdk, customer, to=HERTA, **more):
    values = {
        "from_": OUR_VOICE,
        "url": f"{customer.url}/twiml",
        "status_callback": f"{customer.url}/status?ref=9",
        "status_callback_event": EVENTS,
    }
    return sdk.calls.create(to=to, **values | more)


def ended(sandbox, number=HERTA, count=1):
    def over():
        calls = sandbox.phone(number)["calls"]
        return calls if len(calls) == count and calls[-1]["ended_at"] else None

    return until(over)[-1]


@pytest.fixture
def audio(customer):
    customer.answers["/sprache.wav"] = (sound.tone(2.5), 200, "audio/wav")
    return f"{customer.url}/sprache.wav"


def test_a_call_is_answered_hears_the_audio_and_reports_every_step(sandbox, sdk, customer, audio):
    customer.twiml(
        "/twiml", "<Pause length='1'/>", f"<Play>{audio}</Play>", "<Say>Tschüss</Say>", "<Hangup/>"
    )
    placed = call(sdk, customer)
    assert (placed.status, placed.direction) == ("queued", "outbound-api")
    heard = ended(sandbox)
    assert heard["status"] == "completed"
    assert heard["heard"] == [
        {"kind": "play", "url": audio, "seconds": 2.5},
        {"kind": "say", "text": "Tschüss", "seconds": 1.0},
    ]
    assert heard["seconds"] == 4.5
    until(lambda: customer.statuses() == ["initiated", "ringing", "in-progress", "completed"])
    assert all(r.signed for r in customer.requests)
    reports = customer.at("/status")
    assert [r.form["SequenceNumber"] for r in reports] == ["0", "1", "2", "3"]
    assert reports[3].form["CallDuration"] == "5"
    fetched = customer.at("/twiml")[0].form
    assert (fetched["CallStatus"], fetched["To"], fetched["Direction"]) == (
        "in-progress",
        HERTA,
        "outbound-api",
    )
    resource = sdk.calls(placed.sid).fetch()
    assert (resource.status, resource.duration, resource._from) == ("completed", "5", OUR_VOICE)


def test_only_the_asked_events_are_reported(sandbox, sdk, customer):
    customer.twiml("/twiml", "<Hangup/>")
    call(sdk, customer, status_callback_event=["answered"])
    ended(sandbox)
    until(lambda: customer.statuses() == ["in-progress"])


def test_twiml_in_the_request_needs_no_address(sandbox, sdk, customer):
    call(sdk, customer, url=None, twiml="<Response><Say language='de-DE'>Direkt</Say></Response>")
    assert [h["text"] for h in ended(sandbox)["heard"]] == ["Direkt"]


@pytest.mark.parametrize(
    ("state", "status", "sip"),
    [("busy", "busy", "486"), ("reject", "busy", "603"), ("off", "failed", "480")],
)
def test_phones_that_do_not_answer(sandbox, sdk, customer, state, status, sip):
    sandbox.set(HERTA, state=state)
    call(sdk, customer)
    assert ended(sandbox)["status"] == status
    until(lambda: customer.statuses()[-1:] == [status])
    assert customer.at("/status")[-1].form["SipResponseCode"] == sip
    assert customer.at("/twiml") == []


def test_nobody_answers_within_the_timeout(sandbox, sdk, customer):
    sandbox.set(HERTA, state="no-answer")
    call(sdk, customer, timeout=25)
    until(lambda: customer.statuses() == ["initiated", "ringing"])
    clock.shift(timedelta(seconds=24))
    assert sandbox.phone(HERTA)["calls"][0]["status"] == "ringing"
    clock.shift(timedelta(seconds=1))
    assert ended(sandbox)["status"] == "no-answer"


def test_a_comment_before_a_play_tells_the_page_its_words(sandbox, sdk, customer, audio):
    customer.twiml("/twiml", f"<!-- Ihre Prothese ist fertig. --><Play>{audio}</Play><!-- Ende -->")
    call(sdk, customer)
    assert [h["text"] for h in ended(sandbox)["heard"]] == ["Ihre Prothese ist fertig."]


def test_gather_presses_the_phones_digits_after_the_prompt_and_posts_them(sandbox, sdk, customer, audio):
    sandbox.set(HERTA, digits="19")
    customer.twiml(
        "/twiml",
        f"<Gather numDigits='1' action='/keys?turn=1' timeout='5'><Play>{audio}</Play></Gather>",
        "<Say>nie</Say>",
    )
    customer.twiml("/keys?turn=1", "<Gather numDigits='1' action='keys?turn=2'><Say>Nochmal</Say></Gather>")
    customer.twiml("/keys?turn=2", "<Say>Danke</Say><Hangup/>")
    call(sdk, customer)
    heard = ended(sandbox)
    assert [h.get("text", h["kind"]) for h in heard["heard"]] == ["play", "Nochmal", "Danke"]
    assert heard["digits"] == "19"
    assert [r.form["Digits"] for r in customer.at("/keys")] == ["1", "9"]
    assert all(r.signed for r in customer.at("/keys"))


def test_gather_without_keys_falls_through_after_its_timeout(sandbox, sdk, customer):
    customer.twiml("/twiml", "<Gather action='/keys' timeout='4'><Say>Bitte</Say></Gather><Say>Nichts</Say>")
    call(sdk, customer)
    heard = ended(sandbox)
    assert [h["text"] for h in heard["heard"]] == ["Bitte", "Nichts"]
    assert heard["seconds"] == 6.0
    assert customer.at("/keys") == []


def test_gather_ends_with_its_finishing_key_or_asks_even_about_nothing(sandbox, sdk, customer):
    sandbox.set(HERTA, digits="42#7")
    customer.twiml("/twiml", "<Gather action='/keys'/>")
    customer.twiml("/keys", "<Gather action='/rest' numDigits='1'/>")
    customer.twiml("/rest", "<Gather action='/empty' actionOnEmptyResult='true'/>")
    call(sdk, customer)
    ended(sandbox)
    [keys], [rest], [empty] = (customer.at(path) for path in ("/keys", "/rest", "/empty"))
    assert (keys.form["Digits"], keys.form["FinishedOnKey"], rest.form["Digits"]) == ("42", "#", "7")
    assert empty.form["Digits"] == ""


def test_redirect_goes_on_with_the_other_document_and_does_not_come_back(sandbox, sdk, customer):
    customer.twiml("/twiml", "<Redirect>/weiter?a=1&amp;b=2</Redirect>", "<Say>nie</Say>")
    customer.twiml("/weiter?a=1&b=2", "<Redirect method='GET'>/ende</Redirect>")
    customer.twiml("/ende", "<Say>Ende</Say>")
    call(sdk, customer)
    assert [h["text"] for h in ended(sandbox)["heard"]] == ["Ende"]
    assert all(r.signed for r in customer.requests)


def test_redirecting_in_a_circle_ends(sandbox, sdk, customer):
    customer.twiml("/twiml", "<Redirect/>")
    call(sdk, customer)
    heard = ended(sandbox)
    assert heard["status"] == "completed"
    assert heard["errors"][0]["code"] == 11750


def test_a_caller_leaves_a_message_that_can_be_fetched_as_wav(sandbox, sdk, customer):
    path = "/carriers/sandbox/voice/incoming"
    customer.twiml(path, "<Say>Nach dem Ton</Say><Record action='/recorded' maxLength='120'/><Say>nie</Say>")
    customer.twiml("/recorded", "<Say>Danke</Say><Hangup/>")
    made = sandbox.post(f"/api/phones/{ILSE}/calls", to="030 23125 100").json()
    assert [h["text"] for h in made["heard"]] == ["Nach dem Ton", "Danke"]
    [posted] = [r for r in customer.at("/recorded") if r.form["From"] == ILSE]
    assert posted.signed
    assert posted.form["RecordingDuration"] == "3"
    [recorded] = made["recorded"]
    assert recorded["url"] == posted.form["RecordingUrl"]
    assert requests.get(recorded["url"], timeout=5).status_code == 401
    for suffix in ("", ".wav"):
        answer = requests.get(recorded["url"] + suffix, auth=sandbox.auth, timeout=5)
        with wave.open(BytesIO(answer.content)) as file:
            assert (file.getframerate(), file.getnchannels(), file.getnframes() / 8000) == (8000, 1, 3.0)
    [listed] = sdk.recordings.list(call_sid=made["sid"], limit=3)
    assert listed.sid == posted.form["RecordingSid"]


def test_a_call_to_us_can_be_rejected(sandbox, customer):
    customer.twiml("/carriers/sandbox/voice/incoming", "<Reject reason='busy'/>")
    assert sandbox.post(f"/api/phones/{HERTA}/calls", to=OUR_VOICE).json()["status"] == "busy"


@pytest.mark.parametrize(
    ("detection", "found"), [("Enable", "machine_start"), ("DetectMessageEnd", "machine_end_beep")]
)
def test_an_answering_machine_is_detected(sandbox, sdk, customer, detection, found):
    sandbox.set(HERTA, machine=True)
    customer.twiml("/twiml", "<Say>Auf Band</Say>")
    call(sdk, customer, machine_detection=detection)
    assert ended(sandbox)["answered_by"] == found
    assert customer.at("/twiml")[0].form["AnsweredBy"] == found
    sandbox.set(HERTA, machine=False)
    call(sdk, customer, machine_detection=detection)
    assert ended(sandbox, count=2)["answered_by"] == "human"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (("", 500, "text/xml"), 11200),
        (("<Response><Say>offen</Response>", 200, "text/xml"), 12100),
        (("<Antwort/>", 200, "text/xml"), 12102),
        (("<Response><Dial>+4930</Dial></Response>", 200, "text/xml"), 12200),
        (("hallo", 200, "text/plain"), 12300),
        (("<!DOCTYPE x [<!ENTITY a 'b'>]><Response><Say>&a;</Say></Response>", 200, "text/xml"), 12100),
    ],
)
def test_a_bad_document_ends_the_call_with_an_apology_and_twilios_code(sandbox, sdk, customer, answer, code):
    customer.answers["/twiml"] = answer
    call(sdk, customer)
    heard = ended(sandbox)
    assert [e["code"] for e in heard["errors"]] == [code]
    assert "application error" in heard["heard"][0]["text"]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (("", 404, "text/plain"), 11200),
        ((b"<html>", 200, "text/html"), 12300),
        ((b"RIFF nothing of the kind", 200, "audio/wav"), 12300),
        ((b"", 200, "audio/wav"), 12300),
    ],
)
def test_audio_that_is_none_is_not_heard_but_noted(sandbox, sdk, customer, answer, code):
    customer.answers["/kaputt.wav"] = answer
    customer.twiml("/twiml", "<Play>/kaputt.wav</Play><Say>Weiter</Say>")
    call(sdk, customer)
    heard = ended(sandbox)
    assert [e["code"] for e in heard["errors"]] == [code]
    assert [h["text"] for h in heard["heard"]] == ["Weiter"]


def test_the_fallback_address_is_asked_when_the_first_fails(sandbox, sdk, customer):
    customer.answers["/twiml"] = ("", 503, "text/xml")
    call(sdk, customer, fallback_url=customer.twiml("/notfalls", "<Say>Ersatz</Say>"))
    assert [h["text"] for h in ended(sandbox)["heard"]] == ["Ersatz"]


def test_a_ringing_call_can_be_cancelled_and_no_other(sandbox, sdk, customer):
    sandbox.set(HERTA, answer="manual")
    placed = call(sdk, customer)
    until(lambda: sdk.calls(placed.sid).fetch().status == "ringing")
    assert sdk.calls(placed.sid).update(status="canceled").status == "canceled"
    until(lambda: customer.statuses()[-1:] == ["canceled"])
    with pytest.raises(TwilioRestException) as refusal:
        sdk.calls(placed.sid).update(status="canceled")
    assert refusal.value.code == 21220


def test_a_person_on_the_phone_is_busy_for_others(sandbox, sdk, customer):
    sandbox.set(HERTA, answer="manual")
    first = call(sdk, customer)
    until(lambda: sdk.calls(first.sid).fetch().status == "ringing")
    call(sdk, customer)
    assert ended(sandbox, count=2)["status"] == "busy"


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"to": "110"}, 21211),
        ({"to": "+499001234567"}, 21217),
        ({"from_": "Praxis"}, 21212),
        ({"from_": "+491713920010"}, 21210),
        ({"url": "irgendwo"}, 21205),
        ({"url": None}, 21205),
        ({"method": "PATCH"}, 20422),
        ({"timeout": 601}, 20422),
        ({"status_callback": "ftp:/x"}, 21609),
    ],
)
def test_calls_that_twilio_refuses_are_refused(sandbox, sdk, customer, values, code):
    with pytest.raises(TwilioRestException) as refusal:
        call(sdk, customer, **values)
    assert (refusal.value.status, refusal.value.code) == (400, code)


def test_calls_are_listed_newest_first_by_number_and_status(sandbox, sdk, customer):
    customer.twiml("/twiml", "<Hangup/>")
    first, second = call(sdk, customer), call(sdk, customer)
    ended(sandbox, count=2)
    sandbox.set(HERTA, state="busy")
    call(sdk, customer)
    ended(sandbox, count=3)
    assert [c.sid for c in sdk.calls.list(to=HERTA, status="completed", limit=9)] == [second.sid, first.sid]
    assert sdk.calls.list(to=ILSE, limit=9) == []
