"""Quiet hours: a machine waits for the morning where the recipient lives, through both clock changes."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import timezone

from sms import accounts, clock, exchange, mornings, outbox, quiet, sending
from sms.models import Account, Change, Message, StatusEvent
from sms.refusal import Refused
from tests.carrier_side import ILSE, MARGARETHE
from tests.outbox import claim_one

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def account(account, settings):
    exchange.connect(settings)
    return account


def practice(text: str = "20:00-08:00", voice: str = "20:00-08:00", zone: str = "Europe/Berlin") -> Account:
    return Account(zone=zone, quiet_text=text, quiet_voice=voice)


def berlin(text: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN, fold=fold).astimezone(UTC)


def at(text: str) -> None:
    """Move the clock to a time in Berlin."""
    clock.shift(berlin(text) - clock.now())


@pytest.mark.parametrize(
    ("moment", "allowed"),
    [
        ("2026-03-10 12:00", "2026-03-10 12:00"),
        ("2026-03-10 19:59:59", "2026-03-10 19:59:59"),
        ("2026-03-10 20:00", "2026-03-11 08:00"),
        ("2026-03-10 23:59", "2026-03-11 08:00"),
        ("2026-03-11 00:00", "2026-03-11 08:00"),
        ("2026-03-11 07:59:59", "2026-03-11 08:00"),
        ("2026-03-11 08:00", "2026-03-11 08:00"),
        ("2026-03-28 21:00", "2026-03-29 08:00"),  # the hour from 2 to 3 does not exist that night
        ("2026-10-24 21:00", "2026-10-25 08:00"),  # the hour from 2 to 3 comes twice that night
        ("2026-12-31 22:00", "2027-01-01 08:00"),
    ],
)
def test_the_night_is_quiet_and_the_day_is_not(moment, allowed):
    assert quiet.allowed_from(practice(), "sms", MARGARETHE, berlin(moment)) == berlin(allowed)


def test_a_night_that_ends_in_the_gap_ends_when_the_clocks_have_moved():
    night = practice("20:00-02:30")
    assert quiet.allowed_from(night, "sms", MARGARETHE, berlin("2026-03-28 23:00")) == berlin(
        "2026-03-29 03:00"
    )


def test_a_night_that_ends_in_the_hour_that_comes_twice_ends_the_first_time():
    night = practice("20:00-02:30")
    assert quiet.allowed_from(night, "sms", MARGARETHE, berlin("2026-10-24 23:00")) == berlin(
        "2026-10-25 02:30"
    )


def test_in_the_second_of_the_doubled_hours_nothing_is_moved_into_the_past():
    night, moment = practice("20:00-02:30"), berlin("2026-10-25 02:10", fold=1)
    assert quiet.allowed_from(night, "sms", MARGARETHE, moment) == berlin("2026-10-25 02:30", fold=1)


def test_the_recipients_zone_counts():
    noon = datetime(2026, 6, 1, 12, tzinfo=UTC)
    assert quiet.allowed_from(practice(), "sms", MARGARETHE, noon) == noon
    assert quiet.allowed_from(practice(), "sms", "+819012345678", noon) > noon
    assert str(quiet.zone_of("+12125550123", practice(zone="Europe/Vienna"))) == "America/New_York"
    assert str(quiet.zone_of("+18005550123", practice(zone="Europe/Vienna"))) == "Europe/Vienna"


@pytest.mark.parametrize("number", [ILSE, MARGARETHE, "+498001234567", "+49891234567", "+4915123456789"])
def test_all_of_germany_has_one_zone(number):
    """It is not looked up for each number, so the tables must go on saying the same."""
    assert timezone.time_zones_for_number(phonenumbers.parse(number)) == ("Europe/Berlin",)
    assert str(quiet.zone_of(number, practice(zone="America/New_York"))) == "Europe/Berlin"


def test_text_and_voice_have_hours_of_their_own():
    account, moment = practice(text="", voice="12:00-14:00"), berlin("2026-03-10 13:00")
    assert quiet.allowed_from(account, "sms", MARGARETHE, moment) == moment
    assert quiet.allowed_from(account, "voice", ILSE, moment) == berlin("2026-03-10 14:00")


@pytest.mark.parametrize("text", ["", "-", "20:00", "20:00-20:00", "25:00-08:00", "night"])
def test_hours_that_say_nothing_are_no_quiet_hours(text):
    assert quiet.read_span(text) is None


clocks = st.times().map(lambda t: t.replace(second=0, microsecond=0, tzinfo=None))
moments = st.datetimes(datetime(2026, 3, 27), datetime(2026, 3, 31)) | st.datetimes(
    datetime(2026, 10, 23), datetime(2026, 10, 27)
)


@given(moments, clocks, clocks)
def test_it_is_the_first_moment_that_is_not_quiet_and_never_an_earlier_one(naive, start, end):
    moment = naive.replace(tzinfo=UTC)
    account = practice(f"{start:%H:%M}-{end:%H:%M}")
    allowed = quiet.allowed_from(account, "sms", MARGARETHE, moment)
    span = quiet.read_span(account.quiet_text)
    assert allowed >= moment
    assert allowed <= moment + timedelta(hours=26)
    if span is None:
        assert allowed == moment
        return
    within = lambda m: quiet.within(m.astimezone(BERLIN).time(), span)  # noqa: E731
    assert not within(allowed)
    steps = int((allowed - moment) / timedelta(minutes=7))
    assert all(within(moment + timedelta(minutes=7 * n)) for n in range(steps))
    if allowed > moment:
        assert within(max(moment, allowed - timedelta(seconds=1)))


def test_a_machines_message_at_night_waits_and_shows_that_it_was_moved(account):
    at("2026-03-10 22:00")
    wanted = clock.now()
    message = sending.send(account, MARGARETHE, "Erinnerung", source="api", automated=True)
    assert message.status == "scheduled"
    assert message.at == berlin("2026-03-11 08:00")
    assert abs(message.data["moved_from"] - wanted.timestamp() * 1000) < 5000
    told = StatusEvent.get(StatusEvent.message == message)
    assert (told.status, told.detail) == ("scheduled", "moved out of the quiet hours")


def test_a_machines_message_planned_for_the_night_is_moved_to_its_end(account):
    at("2026-03-10 12:00")
    planned = berlin("2026-03-11 03:00")
    message = sending.send(account, MARGARETHE, "Erinnerung", automated=True, send_at=planned)
    assert message.at == berlin("2026-03-11 08:00")
    assert message.data["moved_from"] == planned.timestamp() * 1000


def test_a_person_may_write_at_any_hour(account, anna):
    at("2026-03-10 23:30")
    assert sending.send(account, MARGARETHE, "Bitte rufen Sie uns an", by=anna).status == "queued"


def test_a_backlog_does_not_run_into_the_night(account):
    at("2026-03-10 19:59")
    text = sending.send(account, MARGARETHE, "Erinnerung", automated=True)
    call = sending.send(account, ILSE, "Erinnerung", automated=True)
    person = sending.send(account, "+491713920043", "Antwort")
    clock.shift(timedelta(minutes=30))
    assert claim_one() == person
    assert claim_one() is None
    from sms import calling

    calling.pump()
    for message in (text, call):
        moved = Message.get_by_id(message.id)
        assert (moved.status, moved.next_at) == ("queued", berlin("2026-03-11 08:00"))
        assert moved.data["moved_from"]
        assert Change.select().where(Change.message == message.id, Change.kind == "status").exists()
    at("2026-03-11 08:00")
    assert claim_one() == text


def hours_become(account: Account, text: str = "20:00-08:00", voice: str = "20:00-08:00") -> None:
    """Change the quiet hours in the settings, and let the worker look after what waits."""
    mornings.sweep()
    accounts.change_account(account, quiet_text=text, quiet_voice=voice)
    mornings.sweep()
    outbox.sweep()


def test_what_waits_for_the_day_goes_out_once_there_are_no_quiet_hours_any_more(account):
    at("2026-03-10 22:00")
    text = sending.send(account, MARGARETHE, "Erinnerung", automated=True)
    call = sending.send(account, ILSE, "Erinnerung", automated=True)
    hours_become(account, text="")
    freed = Message.get_by_id(text.id)
    assert (freed.status, freed.at) == ("queued", freed.next_at)
    assert freed.at < berlin("2026-03-10 22:01")
    assert Change.select().where(Change.message == text.id, Change.kind == "status").exists()
    told = StatusEvent.select().where(StatusEvent.message == text).order_by(StatusEvent.id)
    assert [event.detail for event in told][1] == "the quiet hours have changed"
    assert claim_one() == text
    waiting = Message.get_by_id(call.id)
    assert (waiting.status, waiting.next_at) == ("scheduled", berlin("2026-03-11 08:00"))


def test_shorter_and_longer_quiet_hours_give_what_waits_their_own_end(account):
    at("2026-03-10 22:00")
    text = sending.send(account, MARGARETHE, "Erinnerung", automated=True)
    hours_become(account, text="21:00-06:30")
    assert Message.get_by_id(text.id).next_at == berlin("2026-03-11 06:30")
    hours_become(account, text="21:00-09:00")
    moved = Message.get_by_id(text.id)
    assert (moved.status, moved.next_at, moved.at) == ("scheduled", *[berlin("2026-03-11 09:00")] * 2)


def test_what_was_planned_for_the_night_keeps_its_time_once_the_night_is_free(account):
    at("2026-03-10 12:00")
    planned = berlin("2026-03-11 03:00")
    message = sending.send(account, MARGARETHE, "Erinnerung", automated=True, send_at=planned)
    hours_become(account, text="")
    kept = Message.get_by_id(message.id)
    assert (kept.status, kept.next_at) == ("scheduled", planned)


def test_a_backlog_that_was_moved_to_the_morning_is_due_at_once_without_quiet_hours(account):
    at("2026-03-10 19:59")
    text = sending.send(account, MARGARETHE, "Erinnerung", automated=True)
    clock.shift(timedelta(minutes=30))
    assert claim_one() is None
    hours_become(account, text="")
    assert claim_one() == text


def test_times_that_a_person_has_chosen_stay_when_the_quiet_hours_change(account, anna):
    at("2026-03-10 22:00")
    own = sending.send(account, MARGARETHE, "Morgen!", by=anna, send_at=berlin("2026-03-11 08:00"))
    edited = sending.send(account, "+491713920043", "Erinnerung", automated=True)
    sending.edit_scheduled(edited, "Erinnerung", berlin("2026-03-11 10:00"), anna)
    hours_become(account, text="", voice="")
    assert Message.get_by_id(own.id).next_at == berlin("2026-03-11 08:00")
    assert Message.get_by_id(edited.id).next_at == berlin("2026-03-11 10:00")


def test_a_worker_that_starts_finds_what_waits_for_hours_that_have_changed_meanwhile(account):
    at("2026-03-10 22:00")
    texts = [
        sending.send(account, f"+4917139{n:05d}", "Erinnerung", automated=True) for n in range(20000, 20003)
    ]
    accounts.change_account(account, quiet_text="")
    mornings._looked.clear()
    mornings.sweep()
    outbox.sweep()
    assert {Message.get_by_id(text.id).status for text in texts} == {"queued"}


@pytest.mark.parametrize(
    ("start", "end", "written"),
    [
        ("20:00", "08:00", "20:00-08:00"),
        ("20", "8 Uhr", "20:00-08:00"),
        (" 21.30uhr", "7.05", "21:30-07:05"),
        ("0", "23:59", "00:00-23:59"),
        ("", " ", ""),
    ],
)
def test_times_of_day_are_read_as_people_write_them(start: str, end: str, written: str) -> None:
    assert quiet.written_span(start, end, "text_from") == written


@given(st.text(max_size=8), st.text(max_size=8))
def test_any_two_texts_are_quiet_hours_that_can_be_kept_or_refused(start: str, end: str) -> None:
    try:
        written = quiet.written_span(start, end, "text_from")
    except Refused:
        return
    assert written == "" or quiet.read_span(written)
