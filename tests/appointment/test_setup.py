"""Reminders are set up by a form that shows what it will do, keeps what was typed and says what is wrong where."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from sms import clock, contacts
from sms.modules.appointment import diary, reminding, schemes
from sms.modules.appointment.found import Found
from sms.modules.appointment.models import Reminder, Scheme
from tests.survey.surveys_for_tests import MARGARETHE, take_everything, told

BERLIN = ZoneInfo("Europe/Berlin")
NINE = datetime(2027, 3, 30, 7, 0, tzinfo=UTC)
FORM = {
    "active": "1", "sender": "", "text": "Ihr Termin am {Termin}. JA oder NEIN?", "quiet_from": "20", "quiet_to": "8:00",
    "on_quiet": "earlier", "cutoff": "24", "moved_text": "Neu: {Termin}", "cancelled_text": "",
    "rule_key": ["", ""], "rule_amount": ["3", "2"], "rule_unit": ["days", "hours"], "rule_at": ["10.00", ""],
    "rule_channel": ["sms", "voice"], "rule_when": ["always", "open"],
    "words_confirm": "JA, OK", "said_confirm": "Danke!", "words_cancel": "NEIN", "said_cancel": "",
    "words_reschedule": "", "said_reschedule": "", "said_too_late": "",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _ten_days_before(app):
    clock.shift(NINE - timedelta(days=10) - clock.now())


def test_what_is_typed_is_what_is_stored(account, owner_client):
    assert owner_client.post("/appointments/setup", data=FORM).status_code == 303
    scheme = schemes.of(account)
    assert scheme.rules == [
        {"key": "r1", "before": "P3D", "at": "10:00", "channel": "sms", "when": "always"},
        {"key": "r2", "before": "PT2H", "at": "", "channel": "voice", "when": "open"},
    ]
    assert (scheme.quiet, scheme.on_quiet, scheme.cutoff_minutes) == ("20:00-08:00", "earlier", 24 * 60)
    assert scheme.answers["confirm"] == {"words": ["JA", "OK"], "text": "Danke!"}
    page = owner_client.get("/appointments/setup").text
    assert "Ihr Termin am {Termin}. JA oder NEIN?" in page
    assert 'value="JA, OK"' in page


def test_a_rule_that_changes_plans_anew_and_one_that_goes_reminds_no_more(account, owner_client):
    owner_client.post("/appointments/setup", data=FORM)
    diary.put(account, Found("T-1", NINE, BERLIN, MARGARETHE), "api")
    clock.shift(timedelta(days=7, hours=2, minutes=5))
    reminding.work()
    take_everything()
    assert told(MARGARETHE) == ["Ihr Termin am Dienstag, 30. März, um 09:00 Uhr. JA oder NEIN?"]
    second = {name: value[1:] for name, value in FORM.items() if isinstance(value, list)}
    owner_client.post("/appointments/setup", data=FORM | second | {"rule_key": ["r2"], "rule_amount": ["4"]})
    reminding.work()
    states = {r.rule: (r.state, r.at) for r in Reminder.select()}
    assert states["r1"][0] == "sent"
    assert states["r2"] == ("planned", NINE - timedelta(hours=13, minutes=1))
    assert Scheme.get().version == 2


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"text": ""}, "Bitte"),
        ({"text": "x" * 1501}, "1500"),
        ({"text": "Am {Trmin}"}, "Trmin"),
        ({"said_confirm": "{wer}"}, "wer"),
        ({"rule_amount": ["0", "2"]}, "ganze Zahl"),
        ({"rule_amount": ["400", "2"]}, "Jahr"),
        ({"rule_at": ["25:00", ""]}, "aria-invalid"),
        ({"rule_key": [], "rule_amount": [], "rule_unit": []}, "mindestens eine"),
        ({"quiet_to": ""}, "aria-invalid"),
        ({"cutoff": "-1"}, "Stunden"),
        ({"words_confirm": "x" * 31}, "30"),
        ({"words_cancel": "NEIN, CANCEL"}, "beendet alle Nachrichten"),
        ({"words_cancel": "NEIN, ja"}, "„ja“ steht schon für eine andere Antwort"),
        ({"moved_text": "\u0001"}, "aria-invalid"),
    ],
)
def test_what_is_wrong_is_told_beside_it_and_nothing_is_lost(account, owner_client, wrong, words):
    answer = owner_client.post("/appointments/setup", data=FORM | {"said_cancel": "Bis bald"} | wrong)
    assert answer.status_code == 422
    assert words in answer.text
    assert "Bis bald" in answer.text
    assert schemes.of(account) is None


def test_the_next_reminders_name_people_as_their_table_does(account, owner_client):
    diary.put(account, Found("T-1", NINE, BERLIN, MARGARETHE, fields={"Name": "Zoë Müßig"}), "import")
    assert "Zoë Müßig" in owner_client.post("/appointments/setup/preview", data=FORM).text


def test_the_hour_of_a_rule_is_written_as_the_quiet_hours_are(account, owner_client):
    owner_client.post("/appointments/setup", data=FORM | {"rule_at": ["9 Uhr", ""]})
    assert schemes.of(account).rules[0]["at"] == "09:00"
    owner_client.post("/appointments/setup", data=FORM | {"rule_at": ["7", ""]})
    assert schemes.of(account).rules[0]["at"] == "07:00"


def test_the_form_changes_without_script(account, owner_client):
    more = owner_client.post("/appointments/setup", data=FORM | {"do": "add"})
    assert more.text.count('name="rule_amount"') == 3
    fewer = owner_client.post("/appointments/setup", data=FORM | {"do": "remove:0"})
    assert fewer.text.count('name="rule_amount"') == 1
    put_in = owner_client.post("/appointments/setup", data=FORM | {"do": "insert:Praxis"})
    assert "JA oder NEIN? {Praxis}" in put_in.text
    assert schemes.of(account) is None


def test_the_next_reminders_are_shown_before_they_count(account, owner_client):
    diary.put(account, Found("T-1", NINE, BERLIN, MARGARETHE), "api")
    shown = owner_client.post("/appointments/setup/preview", data=FORM).text
    assert "Ihr Termin am Dienstag, 30. März, um 09:00 Uhr." in shown
    assert shown.count("<li><span>") == 2
    broken = owner_client.post("/appointments/setup/preview", data=FORM | {"quiet_to": "", "text": "{Trmin}"})
    assert broken.status_code == 200


def test_agents_do_not_set_up_reminders(client):
    assert client.get("/appointments/setup").status_code == 403
    assert client.post("/appointments/setup", data=FORM).status_code == 403


def test_a_text_then_a_call_is_set_up_with_what_is_read(account, owner_client):
    more = {"rule_channel": ["sms", "both"], "call_after": "45", "spoken_text": "Ihr Termin ist am {Termin}."}
    assert owner_client.post("/appointments/setup", data=FORM | more).status_code == 303
    scheme = schemes.of(account)
    assert [rule["channel"] for rule in scheme.rules] == ["sms", "both"]
    assert (scheme.call_after_minutes, scheme.spoken_text) == (45, "Ihr Termin ist am {Termin}.")
    assert 'value="45"' in owner_client.get("/appointments/setup").text


@pytest.mark.parametrize("wrong", [{"call_after": "0"}, {"call_after": "gleich"}, {"spoken_text": "{Wer}"}])
def test_what_is_wrong_with_a_call_is_told_beside_it(account, owner_client, wrong):
    answer = owner_client.post("/appointments/setup", data=FORM | wrong)
    (field,) = wrong
    assert answer.status_code == 422
    assert f'id="{field}-e"' in answer.text
    assert schemes.of(account) is None


def test_the_preview_is_of_the_appointment_that_is_chosen(account, owner_client):
    diary.put(account, Found("T-1", NINE, BERLIN, MARGARETHE), "api")
    later, _new = diary.put(account, Found("T-2", NINE + timedelta(days=1), BERLIN, "+491713920029"), "api")
    shown = owner_client.post("/appointments/setup/preview", data=FORM | {"shown_for": str(later.id)}).text
    assert "Ihr Termin am Mittwoch, 31. März, um 09:00 Uhr." in shown
    assert "Ihr Termin am Dienstag" not in shown
    foreign = owner_client.post("/appointments/setup/preview", data=FORM | {"shown_for": "999999"}).text
    assert "Ihr Termin am Dienstag, 30. März, um 09:00 Uhr." in foreign


def test_the_next_run_says_when_how_many_and_what_it_costs(account, owner_client):
    for n, number in enumerate((MARGARETHE, "+491713920029", "")):
        diary.put(account, Found(f"T-{n}", NINE + timedelta(hours=n), BERLIN, number), "api")
    shown = owner_client.post("/appointments/setup/preview", data=FORM).text
    assert "2 Termine" in shown
    assert "2 SMS" in shown
    account.price_part = 7_500
    account.save()
    assert "etwa 0,15\xa0€" in owner_client.post("/appointments/setup/preview", data=FORM).text


def test_the_line_shows_every_rule_from_the_earliest_on(account, owner_client):
    turned = {name: value[::-1] for name, value in FORM.items() if isinstance(value, list)}
    shown = owner_client.post("/appointments/setup/preview", data=FORM | turned).text
    assert 'aria-label="3 Tage, 2 Std., dann der Termin"' in shown


def test_without_script_a_button_shows_what_is_typed_and_what_is_wrong(account, owner_client):
    diary.put(account, Found("T-1", NINE, BERLIN, MARGARETHE), "api")
    typed = FORM | {"do": "preview", "text": "Neu: {Termin}", "cutoff": "bald"}
    page = owner_client.post("/appointments/setup", data=typed)
    assert page.status_code == 200
    assert "Neu: Dienstag, 30. März, um 09:00 Uhr" in page.text
    assert 'id="cutoff-e"' in page.text
    assert schemes.of(account) is None


def test_a_name_with_a_brace_is_a_name(account, owner_client):
    diary.put(account, Found("T-1", NINE, BERLIN, MARGARETHE, "{Termin} {0} %s"), "api")
    shown = owner_client.post("/appointments/setup/preview", data=FORM | {"text": "Wegen {Titel}?"}).text
    assert "Wegen {Termin} {0} %s?" in shown


def _longest(page: str) -> str:
    """Return what stands under the text about how long it becomes, without its marks."""
    found = re.search(r'<div id="longest">(.*?)</div>', page, re.DOTALL)
    assert found is not None
    return re.sub(r"<[^>]+>", "", found[1]).strip()


def _put(account, reference, title="", number=MARGARETHE, **fields):
    diary.put(account, Found(reference, NINE, BERLIN, number, title, fields=fields), "api")


def test_the_page_is_headed_by_the_name_of_the_scheme(account, owner_client):
    assert "<h1>Standard-Erinnerung</h1>" in owner_client.get("/appointments/setup").text
    owner_client.post("/appointments/setup", data=FORM)
    Scheme.update(name="Recall & Prophylaxe").execute()
    assert "<h1>Recall &amp; Prophylaxe</h1>" in owner_client.get("/appointments/setup").text


def test_the_text_is_measured_with_the_longest_that_the_coming_appointments_bring(account, owner_client):
    _put(account, "T-1", "Kontrolle", Behandler="Dr. Hahn")
    _put(account, "T-2", "Kontrolle", "+491713920029", Behandler="Dr. Hartmann-Oberländer")
    text = "Termin bei {behandler}!"
    shown = owner_client.post("/appointments/setup/preview", data=FORM | {"text": text}).text
    length = len("Termin bei Dr. Hartmann-Oberländer!")
    assert (
        _longest(shown)
        == f"Im längsten Fall (Dr. Hartmann-Oberländer) sind es {length} Zeichen: weiterhin 1\xa0SMS."
    )
    assert "notice-warn" not in shown
    page = owner_client.post("/appointments/setup", data=FORM | {"text": text, "do": "preview"}).text
    assert _longest(page) == _longest(shown)


def test_a_name_that_makes_two_messages_of_one_is_warned_of_with_its_cause(account, owner_client):
    _put(account, "T-1", "Kontrolle", Behandler="Dr. Friederike Hahn")
    _put(account, "T-2", "Kontrolle", "+491713920029", Behandler="M. Aydın")
    text = "Ihr Termin bei {Behandler} steht an. " + "Bitte antworten Sie. " * 3
    shown = owner_client.post("/appointments/setup/preview", data=FORM | {"text": text}).text
    assert "(M. Aydın) sind es" in _longest(shown)
    assert _longest(shown).endswith("Zeichen: 2\xa0SMS. „ı“ erzwingt Unicode.")
    assert "notice-warn" in shown


def test_the_longest_may_be_the_name_of_a_contact(account, owner_client):
    _put(account, "T-1", name="Ute")
    _put(account, "T-2", number="+491713920029")
    contacts.find_or_add(account, "+491713920029", "Karl-Heinz von Rademacher")
    shown = owner_client.post("/appointments/setup/preview", data=FORM | {"text": "Hallo {name}"}).text
    assert "(Karl-Heinz von Rademacher) sind es 31 Zeichen" in _longest(shown)


@pytest.mark.parametrize("text", ["Bis bald!", "Bis bald, {Praxis}", "Siehe {Kalenderlink}", ""])
def test_a_text_with_nothing_of_an_appointment_in_it_is_as_long_for_everybody(account, owner_client, text):
    _put(account, "T-1", "Kontrolle")
    shown = owner_client.post("/appointments/setup/preview", data=FORM | {"text": text}).text
    assert _longest(shown) == ""


def test_nothing_is_said_of_the_longest_without_an_appointment_that_gets_a_text(account, owner_client):
    assert _longest(owner_client.get("/appointments/setup").text) == ""
    _put(account, "T-1", "Kontrolle", "+493023125640")
    _put(account, "T-2", "Prothese anpassen", "")
    assert _longest(owner_client.get("/appointments/setup").text) == ""


def test_the_meter_comes_with_every_preview(account, owner_client):
    shown = owner_client.post("/appointments/setup/preview", data=FORM | {"text": "Bis bald!"}).text
    assert '<hx-partial hx-target="#meter"' in shown
    assert "9/160 · 1 SMS" in shown
    assert owner_client.get("/appointments/setup").text.count('id="meter"') == 1


def test_stop_stands_among_the_answers_with_what_is_really_said_to_it(account, owner_client):
    page = owner_client.get("/appointments/setup").text
    row = page.split('<span class="key">STOP</span>')[1].split("</tr>")[0]
    assert f"Sie erhalten keine Nachrichten mehr von {account.name}." in row
    assert "<textarea" not in row
    assert "<input" not in row


def test_a_text_that_somebodys_title_makes_too_long_is_warned_of(account, owner_client):
    _put(account, "T-1", "Kontrolle")
    _put(account, "T-2", "Zahnersatz und Beratung", "+491713920029")
    text = "x" * 1485 + " {Titel}"
    shown = _longest(owner_client.post("/appointments/setup/preview", data=FORM | {"text": text}).text)
    assert shown == "Im längsten Fall (Zahnersatz und Beratung) ist der Text zu lang: höchstens 1500 Zeichen."
