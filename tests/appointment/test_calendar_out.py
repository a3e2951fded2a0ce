"""What calendar programs and recipients are given: when, how it stands, and nothing of anybody else."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar

from sms import clock, contacts
from sms.models import Account
from sms.modules.appointment import answers, diary, feed, ics, saying
from sms.modules.appointment.found import Found
from sms.modules.appointment.models import Appointment, Feed, Scheme
from sms.modules.appointment.views import feeds

BERLIN = ZoneInfo("Europe/Berlin")
NINE = datetime(2027, 3, 30, 7, 0, tzinfo=UTC)
MARGARETHE = "+491713920042"


@pytest.fixture(autouse=True)
def _ten_days_before(app):
    clock.shift(NINE - timedelta(days=10) - clock.now())


def _put(account, reference="T-1", start=NINE, title="Kontrolle", number=MARGARETHE, **more) -> Appointment:
    return diary.put(account, Found(reference, start, BERLIN, number, title, **more), "api")[0]


@pytest.fixture
def address(account) -> str:
    return f"/appointments/feed/{feed.token(feed.make_new(account))}.ics"


def _events(data: bytes) -> dict[str, object]:
    return {str(e["SUMMARY"]): e for e in Calendar.from_ical(data).walk("VEVENT")}


def test_the_feed_says_when_what_for_and_how_it_stands(account, visitor, address):
    one = _put(account, end=NINE + timedelta(minutes=30))
    answers.set_state(_put(account, "T-2", title=""), "confirmed", "reply", None)
    diary.cancel(account, _put(account, "T-3").reference)
    answer = visitor.get(address)
    assert answer.mimetype == "text/calendar"
    events = _events(answer.data)
    assert set(events) == {"Offen: Kontrolle", "Bestätigt: Termin", "Abgesagt: Kontrolle"}
    first = events["Offen: Kontrolle"]
    assert first["DTSTART"].dt == datetime(2027, 3, 30, 9, 0, tzinfo=BERLIN)
    assert first["DTSTART"].params["TZID"] == "Europe/Berlin"
    assert first["DTEND"].dt - first["DTSTART"].dt == timedelta(minutes=30)
    assert [e["STATUS"] for e in events.values()] == ["TENTATIVE", "CONFIRMED", "CANCELLED"]
    assert str(first["UID"]) == f"appointment-{one.id}@127.0.0.1:64000"
    assert "BEGIN:VTIMEZONE" in answer.text


@pytest.mark.parametrize(
    ("title", "given_out"),
    [
        ("Frau Becker 0171 3920042", "Frau Becker"),
        ("Frau Becker (+49 171 3920042), Kontrolle", "Frau Becker, Kontrolle"),
        ("0171 3920042", "Termin"),
        ("0171 3920042 Becker", "Becker"),
        ("Zimmer 12, 3. Kontrolle 2027", "Zimmer 12, 3. Kontrolle 2027"),
    ],
)
def test_the_feed_gives_no_phone_number_out_that_stands_in_a_title(
    account, visitor, address, title, given_out
):
    _put(account, title=title)
    assert set(_events(visitor.get(address).data)) == {f"Offen: {given_out}"}


def test_the_feed_and_the_agenda_call_what_somebody_called_off_the_same(account, visitor, address):
    answers.set_state(_put(account), "declined", "reply", None)
    assert set(_events(visitor.get(address).data)) == {"Abgesagt: Kontrolle"}


def test_the_feed_speaks_the_accounts_language(account, visitor, address):
    Account.update(locale="en").execute()
    _put(account)
    assert "SUMMARY:Open: Kontrolle" in visitor.get(address, headers={"Accept-Language": "de"}).text


def test_the_feed_names_no_person_and_no_other_account(account, other_account, visitor, address):
    contacts.find_or_add(account, MARGARETHE, "Margarethe Schößler")
    _put(account, fields={"Arzt": "Dr. Hahn"})
    _put(other_account, "X", title="Inspektion")
    text = visitor.get(address).text
    for secret in ("1713920042", "Schößler", "Dr. Hahn", "Inspektion"):
        assert secret not in text


def test_what_has_not_changed_is_not_sent_again(account, visitor, address):
    one = _put(account)
    first = visitor.get(address)
    same = visitor.get(address, headers={"If-None-Match": first.headers["ETag"]})
    assert (same.status_code, same.data) == (304, b"")
    assert visitor.get(address, headers={"If-None-Match": "W/" + first.headers["ETag"]}).status_code == 304
    assert visitor.get(address).data == first.data
    answers.set_state(one, "confirmed", "reply", None)
    changed = visitor.get(address, headers={"If-None-Match": first.headers["ETag"]})
    assert changed.status_code == 200 and "Bestätigt" in changed.text


def test_a_moved_appointment_keeps_its_uid_and_its_sequence_rises(account, visitor, address):
    _put(account)
    before = next(iter(_events(visitor.get(address).data).values()))
    clock.shift(timedelta(minutes=1))
    _put(account, start=NINE + timedelta(hours=1))
    after = next(iter(_events(visitor.get(address).data).values()))
    assert (before["UID"], before["SEQUENCE"] < after["SEQUENCE"]) == (after["UID"], True)


def test_our_own_reader_reads_what_is_given_out_alike(account, visitor, address):
    starts = [NINE, datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)]
    clock.shift(starts[1] - timedelta(days=3) - clock.now())
    for n, start in enumerate(starts):
        _put(account, f"T-{n}", start)
    reading = ics.read(visitor.get(address).data, BERLIN, clock.now(), since=clock.now())
    assert [one.start for one in reading.appointments] == sorted(starts)


def test_a_forged_address_is_a_plain_page_that_nobody_lists(account, visitor, address):
    _put(account)
    for wrong in (address.replace("/feed/", "/feed/x"), address[:-6] + ".ics", "/appointments/feed/none.ics"):
        answer = visitor.get(wrong)
        assert (answer.status_code, answer.mimetype) == (404, "text/html")
        assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"


def test_who_guesses_is_kept_out_and_who_reads_too_often_is_told_to_wait(
    account, visitor, address, monkeypatch
):
    monkeypatch.setattr(feeds, "WRONG", feeds.RateLimitItemPerMinute(3, 15, namespace="g"))
    for _ in range(3):
        assert visitor.get("/appointments/feed/none.ics").status_code == 404
    answer = visitor.get("/k/none")
    assert answer.status_code == 429 and int(answer.headers["Retry-After"]) > 0
    clock.shift(timedelta(minutes=16))
    monkeypatch.setattr(feeds, "READINGS", feeds.RateLimitItemPerHour(2, namespace="r"))
    assert [visitor.get(address).status_code for _ in range(3)] == [200, 200, 429]


def test_it_is_noted_when_the_feed_was_read(account, visitor, address):
    assert Feed.get().read_at is None
    visitor.get(address)
    assert Feed.get().read_at is not None


def _card(one: Appointment) -> str:
    full = feed.card_address(one)
    assert full.startswith("http://127.0.0.1:64000/k/")
    return full.removeprefix("http://127.0.0.1:64000")


def test_a_recipient_gets_time_practice_and_place_and_nothing_else(account, visitor):
    contacts.find_or_add(account, MARGARETHE, "Margarethe Schößler")
    one = _put(account, end=NINE + timedelta(minutes=30), fields={"Ort": "Hauptstraße 1", "Arzt": "Dr. Hahn"})
    answer = visitor.get(_card(one))
    assert (answer.status_code, answer.mimetype) == (200, "text/calendar")
    assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"
    (event,) = _events(answer.data).values()
    assert (str(event["SUMMARY"]), str(event["LOCATION"])) == ("Praxis Dr. Lindner", "Hauptstraße 1")
    assert event["DTSTART"].dt == datetime(2027, 3, 30, 9, 0, tzinfo=BERLIN)
    for secret in ("Kontrolle", "1713920042", "Schößler", "Dr. Hahn", "T-1"):
        assert secret not in answer.text


def test_the_address_is_short_and_ends_with_a_letter_or_digit(account):
    for n in range(30):
        path = _card(_put(account, f"T-{n}"))
        assert len(path) <= len("/k/") + 16 + 1 + 2
        assert path[-1].isalnum()


def test_it_stands_in_a_text_by_its_placeholder(account):
    one = _put(account)
    assert saying.said(one, "Eintragen: {Kalenderlink}") == f"Eintragen: {feed.card_address(one)}"
    assert saying.said(one, "{calendar_link}") == feed.card_address(one)


def test_it_follows_a_move_and_says_that_it_is_called_off(account, visitor):
    path = _card(_put(account))
    _put(account, start=NINE + timedelta(hours=2))
    (event,) = _events(visitor.get(path).data).values()
    assert (event["DTSTART"].dt.hour, str(event["STATUS"])) == (11, "CONFIRMED")
    diary.cancel(account, "T-1")
    (event,) = _events(visitor.get(path).data).values()
    assert str(event["STATUS"]) == "CANCELLED"


def test_a_wrong_signature_another_appointment_and_another_person_lead_nowhere(account, visitor):
    one, two = _put(account), _put(account, "T-2")
    path = _card(one)
    signature = path.removeprefix("/k/").partition(".")[0]
    name = _card(two).partition(".")[2]
    changed = ("A" if signature[0] != "A" else "B") + signature[1:]
    for wrong in (f"{changed}.1", f"{signature}.{name}", f".{name}", f"{signature}.", "x", f"{signature}.zzzzz", "ä.1",
                  f"{signature}.{'z' * 99}", f"{signature}.-1", f"{signature}.1e"):  # fmt: skip
        answer = visitor.get(f"/k/{wrong}")
        assert (answer.status_code, answer.mimetype) == (404, "text/html"), wrong
    assert visitor.get(path).status_code == 200
    Appointment.update(number="+491713920033").where(Appointment.id == one.id).execute()
    assert visitor.get(path).status_code == 404
    Appointment.update(number="").where(Appointment.id == one.id).execute()
    assert visitor.get(path).status_code == 404


def test_it_ends_a_day_after_the_appointment(account, visitor):
    path = _card(_put(account, end=NINE + timedelta(hours=1)))
    clock.shift(timedelta(days=11))
    assert visitor.get(path).status_code == 200
    clock.shift(timedelta(hours=2))
    assert visitor.get(path).status_code == 404


def test_no_address_is_read_out_in_a_call(account):
    text = "Ihr Termin ist am {Termin}. In Ihren Kalender: {Kalenderlink}"
    assert saying.to_read(Scheme(account=account, name="x", text=text), "de") == "Ihr Termin ist am {Termin}."
