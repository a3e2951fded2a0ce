"""A calendar is read from its address again and again: the diary follows it, and what is wrong with it is told."""

import os
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sms import clock, config, exchange, outside, queue
from sms.db import database
from sms.models import Message
from sms.modules.appointment import answers, diary, ics, reminding, subscribing
from sms.modules.appointment.models import Appointment, Calendar, Entry, Reminder
from sms.refusal import Conflict, NotFound, Refused
from tests.appointment.test_reminding import scheme  # noqa: F401
from tests.calendar_host import calendar, event, host  # noqa: F401
from tests.database import environment as database_of
from tests.survey.surveys_for_tests import take_everything

NINE = datetime(2027, 3, 30, 7, 0, tzinfo=UTC)
ANNA, BERND, CLARA = "0171 3920041", "0171 3920042", "0171 3920043"


@pytest.fixture(autouse=True)
def _ten_days_before():
    clock.shift(NINE - timedelta(days=10) - clock.now())


@pytest.fixture(autouse=True)
def _this_machine_may_be_read(app, monkeypatch):
    """The installation names its own loopback as a network that may be read."""
    here = (ip_network("127.0.0.1/32"),)
    loaded = exchange.current().settings
    monkeypatch.setattr(
        exchange, "_exchange", replace(exchange.current(), settings=replace(loaded, inside_networks=here))
    )


@pytest.fixture
def subscribed(app, account, host) -> Calendar:
    return subscribing.add(account, "Dr. Lindner", host.url())


def _read(calendar: Calendar) -> Calendar:
    """The next reading, as if its time had come."""
    subscribing.read_soon(calendar)
    subscribing.work()
    return Calendar.get_by_id(calendar.id)


def _diary() -> dict[str, tuple[str, str]]:
    return {
        one.title: (f"{one.start.astimezone(ZoneInfo('Europe/Berlin')):%d.%m. %H:%M}", one.state)
        for one in Appointment.select()
    }


def _three(anna="20270330T090000", bernd="20270331T100000", clara="20270401T110000", mark="") -> str:
    return calendar(
        event(f"a{mark}", anna, f"Anna {ANNA}"),
        event(f"b{mark}", bernd, f"Bernd {BERND}"),
        event(f"c{mark}", clara, f"Clara {CLARA}"),
    )


def test_appointments_come_in_from_an_address(account, host, subscribed):
    host.serve(_three())
    read = _read(subscribed)
    assert _diary()[f"Anna {ANNA}"] == ("30.03. 09:00", "open")
    assert {one.number for one in Appointment.select()} == {"+491713920041", "+491713920042", "+491713920043"}
    assert (read.events, read.changed, read.unnumbered, read.fault) == (3, 3, 0, "")
    assert timedelta(minutes=14) < read.next_at - read.good_at <= timedelta(minutes=16)


def test_it_is_read_when_its_time_has_come_and_not_before(host, subscribed):
    host.serve(_three())
    assert subscribing.work() == 1
    assert subscribing.work() == 0
    clock.shift(subscribing.INTERVAL - timedelta(seconds=30))
    assert subscribing.work() == 0
    clock.shift(timedelta(seconds=31))
    assert subscribing.work() == 1
    assert len(host.asked) == 2


def test_the_tick_of_the_worker_has_it_read(host, subscribed, settings):
    host.serve(_three())
    queue.connect("sqlite", settings.data, immediate=True)
    subscribing.tick()
    assert Appointment.select().count() == 3


def test_what_has_not_changed_is_not_sent_again_and_once_a_day_all_is_looked_at(host, subscribed):
    host.serve(_three())
    _read(subscribed)
    again = _read(subscribed)
    assert host.asked[1].headers["If-None-Match"]
    assert again.good_at and again.changed == 3
    clock.shift(timedelta(days=1, minutes=1))
    assert _read(subscribed).changed == 0
    assert "If-None-Match" not in host.asked[2].headers


def test_a_moved_one_is_moved_a_new_one_comes_and_one_that_is_gone_is_called_off(account, host, subscribed):
    host.serve(_three())
    _read(subscribed)
    host.serve(
        calendar(
            event("a", "20270330T150000", f"Anna {ANNA}"),
            event("b", "20270331T100000", f"Bernd {BERND}"),
            event("d", "20270402T080000", "Dora 0171 3920044"),
        )
    )
    assert _read(subscribed).changed == 3
    assert _diary() == {
        f"Anna {ANNA}": ("30.03. 15:00", "open"),
        f"Bernd {BERND}": ("31.03. 10:00", "open"),
        f"Clara {CLARA}": ("01.04. 11:00", "cancelled"),
        "Dora 0171 3920044": ("02.04. 08:00", "open"),
    }
    assert Appointment.get(Appointment.state == "cancelled").how == "calendar"


def test_one_that_comes_back_is_open_again(host, subscribed):
    host.serve(_three())
    _read(subscribed)
    host.serve(_three().replace(event("c", "20270401T110000", f"Clara {CLARA}"), ""))
    _read(subscribed)
    assert _diary()[f"Clara {CLARA}"][1] == "cancelled"
    host.serve(_three())
    _read(subscribed)
    assert _diary()[f"Clara {CLARA}"][1] == "open"
    assert Appointment.select().count() == 3


def test_a_status_of_cancelled_calls_off(host, subscribed):
    host.serve(calendar(event("a", "20270330T090000", f"Anna {ANNA}")))
    _read(subscribed)
    off = event("a", "20270330T090000", f"Anna {ANNA}", "STATUS:CANCELLED")
    host.serve(calendar(off, event("z", "20270330T090000", "Weg", "STATUS:CANCELLED")))
    _read(subscribed)
    assert _diary() == {f"Anna {ANNA}": ("30.03. 09:00", "cancelled")}


def test_new_uids_at_every_reading_make_no_second_appointment(host, subscribed, scheme):
    host.serve_each_time(lambda n: _three(mark=str(n)))
    for _ in range(4):
        read = _read(subscribed)
    assert Appointment.select().count() == 3
    assert Reminder.select().count() == 6
    assert read.renews and read.changed == 0


def test_one_moved_with_a_new_uid_stays_the_same_and_is_told_once(account, host, subscribed, scheme):
    times = ["20270330T090000", "20270330T090000", "20270330T150000", "20270330T150000"]
    host.serve_each_time(lambda n: _three(anna=times[n], mark=str(n)))
    _read(subscribed)
    anna = Appointment.get(Appointment.number == "+491713920041")
    clock.shift(timedelta(days=9, hours=2))
    reminding.work()
    take_everything()
    for _ in range(3):
        _read(subscribed)
    take_everything()
    assert Appointment.select().count() == 3
    assert Appointment.get_by_id(anna.id).start == NINE + timedelta(hours=6)
    texts = [m.text for m in Message.select().where(Message.direction == "outgoing").order_by(Message.id)]
    assert len(texts) == 2 and texts[1].startswith("Neu: Dienstag, 30. März, um 15:00")


def test_people_change_their_own_and_the_calendar_only_what_it_changes(account, host, subscribed):
    host.serve(_three())
    _read(subscribed)
    anna = Appointment.get(Appointment.number == "+491713920041")
    bernd = Appointment.get(Appointment.number == "+491713920042")
    answers.set_state(anna, "confirmed", "reply", None)
    diary.cancel(account, bernd.reference, "agent")
    host.serve(_three() + " ")
    clock.shift(timedelta(days=1))
    _read(subscribed)
    assert Appointment.get_by_id(anna.id).state == "confirmed"
    assert Appointment.get_by_id(bernd.id).state == "cancelled"
    changed = _three().replace(
        "DTSTART;TZID=Europe/Berlin:20270331", "LOCATION:2. OG\r\nDTSTART;TZID=Europe/Berlin:20270331"
    )
    host.serve(changed.replace(f"Bernd {BERND}", f"Herr Bernd {BERND}"))
    _read(subscribed)
    assert Appointment.get_by_id(bernd.id).state == "cancelled"
    host.serve(_three(bernd="20270331T120000"))
    _read(subscribed)
    assert Appointment.get_by_id(bernd.id).state == "open"


def test_a_calendar_that_is_suddenly_empty_is_believed_the_second_time(host, subscribed):
    host.serve(_three())
    _read(subscribed)
    host.serve(calendar())
    doubtful = _read(subscribed)
    assert doubtful.doubted == 3 and doubtful.doubted_at
    assert {state for _, state in _diary().values()} == {"open"}
    sure = _read(subscribed)
    assert sure.doubted == 0
    assert {state for _, state in _diary().values()} == {"cancelled"}


def test_a_calendar_that_has_lost_most_and_comes_to_itself_has_called_nothing_off(host, subscribed):
    host.serve(_three())
    _read(subscribed)
    host.serve(calendar(event("a", "20270330T090000", f"Anna {ANNA}")))
    assert _read(subscribed).doubted == 2
    host.serve(_three())
    assert _read(subscribed).doubted == 0
    assert {state for _, state in _diary().values()} == {"open"}


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        (lambda h: h.serve("<!DOCTYPE html><h1>Anmelden</h1>", kind="text/html"), "calendar_page"),
        (lambda h: h.places.clear(), "address_gone"),
        (lambda h: (h.redirect("/praxis.ics", "/login"), h.serve("<html>", "/login")), "calendar_leads_on"),
        (lambda h: h.redirect("/praxis.ics", "http://169.254.169.254/latest/meta-data"), "address_inside"),
        (lambda h: h.redirect("/praxis.ics", "http://localhost.localdomain.invalid/"), "address_unknown"),
        (lambda h: h.serve(_three()[:-40]), "not_a_calendar"),
        (lambda h: h.serve(""), "not_a_calendar"),
        (lambda h: h.serve("{}"), "not_a_calendar"),
        (lambda h: h.serve(b"\xff\xfe\x00" * 50), "not_a_calendar"),
        (lambda h: h.serve(b"BEGIN:VCALENDAR\r\n" + b"X" * 5_000_000), "address_large"),
        (lambda h: h.zipped(b"BEGIN:VCALENDAR\r\n" + b"X" * 60_000_000), "address_large"),
        (lambda h: h.serve("no", status=500), "address_status"),
    ],
)
def test_a_fault_is_told_and_the_last_good_state_stays(host, subscribed, broken, code):
    host.serve(_three())
    _read(subscribed)
    good = Calendar.get_by_id(subscribed.id).good_at
    clock.shift(timedelta(minutes=20))
    broken(host)
    bad = _read(subscribed)
    since = bad.failing_since
    assert (bad.fault, bad.failures, bad.good_at) == (code, 1, good)
    assert since and since > good
    assert {state for _, state in _diary().values()} == {"open"}
    clock.shift(timedelta(minutes=20))
    assert _read(subscribed).failing_since == since
    host.serve(_three(anna="20270330T093000"))
    well = _read(subscribed)
    assert (well.fault, well.failures, well.failing_since, well.events) == ("", 0, None, 3)


def test_after_failure_upon_failure_it_is_asked_more_seldom(host, subscribed):
    waits = []
    for _ in range(8):
        bad = _read(subscribed)
        waits.append(round((bad.next_at - bad.asked_at).total_seconds() / 60))
    assert waits == [15, 30, 60, 120, 240, 360, 360, 360]


def test_who_asks_to_come_later_is_asked_later(host, subscribed):
    host.serve("", status=503, headers={"Retry-After": "3000"})
    bad = _read(subscribed)
    assert round((bad.next_at - bad.asked_at).total_seconds()) == 3000


def test_what_is_wrong_with_one_event_is_told_and_spoils_no_other(host, subscribed):
    host.serve(
        calendar(
            event("a", "20270330T090000", f"Anna {ANNA}"),
            event("n", "20270331T090000", "Teambesprechung"),
            event("e", "20270331T090000", "Endlos", "RRULE:FREQ=SECONDLY"),
            event("x", "2027", "Kaputt"),
        )
    )
    read = _read(subscribed)
    assert (read.events, read.unnumbered) == (2, 1)
    assert {code for _, code, _ in read.mistakes} >= {"without_number", "too_many_occurrences"}
    assert ["31.03.2027 09:00 Teambesprechung", "without_number", {}] in read.mistakes


def test_too_many_appointments_are_refused_before_they_are_all_worked_out(host, subscribed, monkeypatch):
    monkeypatch.setattr(subscribing, "MOST_EVENTS", 500)
    host.serve(calendar(*[event(f"s{n}", "20270330T090000", "x", "RRULE:FREQ=DAILY") for n in range(100)]))
    assert _read(subscribed).fault == "calendar_many"
    assert Appointment.select().count() == 0


HOURS, MINUTES = ",".join(map(str, range(24))), ",".join(map(str, range(60)))


@pytest.mark.parametrize(
    "rule",
    [
        f"FREQ=DAILY;BYHOUR={HOURS};BYMINUTE={MINUTES};BYSECOND={MINUTES}",
        f"FREQ=YEARLY;BYMONTHDAY={','.join(map(str, range(1, 32)))};BYHOUR={HOURS};BYMINUTE={MINUTES}",
        "FREQ=MINUTELY",
        "FREQ=SECONDLY;INTERVAL=2",
    ],
)
def test_a_rule_that_means_every_minute_is_not_worked_out(host, subscribed, rule):
    host.serve(calendar(*[event(f"s{n}", "20270330T090000", "x", f"RRULE:{rule}") for n in range(300)]))
    read = _read(subscribed)
    assert (read.events, read.mistaken) == (0, 300)
    assert {code for _, code, _ in read.mistakes} == {"too_many_occurrences"}


def test_a_calendar_that_keeps_the_processor_busy_is_given_up(host, subscribed, monkeypatch):
    monkeypatch.setattr(ics, "MOST_SECONDS", 0.2)
    digits = "DESCRIPTION:" + "0171 3920041 99 " * 300
    host.serve(calendar(*[event(f"a{n}", "20270330T090000", "x", digits) for n in range(500)]))
    assert _read(subscribed).fault == "calendar_hard"
    assert Appointment.select().count() == 0


def test_a_series_goes_on_although_nothing_is_new(host, subscribed):
    host.serve(calendar(event("s", "20270330T090000", f"Physio {ANNA}", "RRULE:FREQ=WEEKLY")))
    _read(subscribed)
    before = Appointment.select().count()
    clock.shift(timedelta(days=15))
    _read(subscribed)
    assert Appointment.select().count() > before
    assert not Appointment.select().where(Appointment.state == "cancelled").exists()


def test_a_file_that_was_imported_by_hand_is_the_same_calendar(account, host, subscribed, scheme):
    reading = ics.read(
        _three(mark="hand").encode(), ZoneInfo("Europe/Berlin"), clock.now(), since=clock.now()
    )
    list(diary.put_many(account, reading.appointments, "ics"))
    host.serve(_three())
    _read(subscribed)
    assert Appointment.select().count() == 3


def test_two_calendars_with_the_same_appointment_hold_one_until_both_have_dropped_it(
    account, host, subscribed
):
    host.serve(_three())
    host.serve(_three(), "/zweiter.ics")
    second = subscribing.add(account, "Dr. Hahn", host.url("/zweiter.ics"))
    _read(subscribed), _read(second)
    assert Appointment.select().count() == 3
    without = _three().replace(event("c", "20270401T110000", f"Clara {CLARA}"), "")
    host.serve(without)
    _read(subscribed)
    assert _diary()[f"Clara {CLARA}"][1] == "open"
    host.serve(without, "/zweiter.ics")
    _read(second)
    assert _diary()[f"Clara {CLARA}"][1] == "cancelled"


def test_removing_a_calendar_keeps_its_appointments_or_calls_them_off_silently(
    account, host, subscribed, scheme
):
    host.serve(_three())
    _read(subscribed)
    assert subscribing.coming(subscribed) == 3
    subscribing.remove(subscribed, keep=True)
    assert {state for _, state in _diary().values()} == {"open"}
    assert Entry.select().count() == 0
    again = subscribing.add(account, "", host.url())
    assert again.name == f"127.0.0.1:{host.port}"
    _read(again)
    assert Appointment.select().count() == 3
    assert subscribing.remove(again, keep=False) == 3
    assert {state for _, state in _diary().values()} == {"cancelled"}
    assert {one.state for one in Reminder.select()} == {"cancelled"}
    assert Message.select().count() == 0


def test_addresses_are_checked_and_counted(account, other_account, host, subscribed, monkeypatch):
    for raw, code in (("", "empty"), ("keine Adresse", "address_bad"), (host.url(), "calendar_twice")):
        with pytest.raises(Refused) as no:
            subscribing.add(account, "x", raw)
        assert (no.value.field, no.value.code) == ("address", code)
    with pytest.raises(Refused) as no:
        subscribing.add(account, "x" * 101, host.url("/neu"))
    assert no.value.field == "name"
    with pytest.raises(NotFound):
        subscribing.find(other_account, subscribed.id)
    monkeypatch.setattr(subscribing, "MOST_CALENDARS", 1)
    with pytest.raises(Conflict):
        subscribing.add(account, "x", host.url("/neu"))


def test_another_address_takes_the_appointments_along(host, subscribed):
    host.serve(_three())
    _read(subscribed)
    host.places.clear()
    host.serve(_three(anna="20270330T150000"), "/neu.ics")
    subscribing.change(subscribed, "Praxis", host.url("/neu.ics"))
    subscribing.work()
    assert _diary()[f"Anna {ANNA}"] == ("30.03. 15:00", "open")
    assert Appointment.select().count() == 3


def test_several_workers_read_a_calendar_once(account, host, settings):
    host.serve(_three())
    for n in range(6):
        host.serve(_three(), f"/{n}.ics")
        subscribing.add(account, f"{n}", host.url(f"/{n}.ics"))
    start = threading.Barrier(4)

    def worker() -> None:
        with database.connection_context():
            start.wait()
            subscribing.work()

    threads = [threading.Thread(target=worker) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(asked.path for asked in host.asked) == [f"/{n}.ics" for n in range(6)]
    assert Appointment.select().count() == 3


PROGRAM = """
import sys
from sms import accounts, config, db, exchange
from sms.modules.appointment import subscribing
settings = config.load()
accounts.use_secret(settings.secret_key)
db.connect(settings.database_url)
exchange.connect(settings)
db.database.connect()
print("there", flush=True)
sys.stdin.readline()
print(subscribing.work())
"""


def test_several_processes_read_a_calendar_once(account, host, settings):
    for n in range(12):
        host.serve(_three(mark=f"{n}"), f"/{n}.ics")
        subscribing.add(account, f"{n}", host.url(f"/{n}.ics"))
    environment = (
        os.environ | database_of(settings) | {"FADEN_INSIDE_NETWORKS": "127.0.0.1/32", "PORT": "64000"}
    )
    pipe = subprocess.PIPE
    started = [
        subprocess.Popen([sys.executable, "-c", PROGRAM], env=environment, stdin=pipe, stdout=pipe, text=True)
        for _ in range(3)
    ]
    try:
        assert [process.stdout.readline() for process in started] == ["there\n"] * 3
        Calendar.update(next_at=datetime.now(UTC)).execute()  # the processes live in the machine's own time
        for process in started:
            process.stdin.write("go\n")
            process.stdin.flush()
        done = [int(process.communicate(timeout=60)[0]) for process in started]
    finally:
        for process in started:
            process.kill()
    assert sum(done) == 12
    assert sorted(asked.path for asked in host.asked) == sorted(f"/{n}.ics" for n in range(12))


def test_who_reads_holds_no_connection_and_so_no_transaction(host, subscribed, monkeypatch):
    seen = []
    real = outside.read

    def reading(*args, **more):
        seen.append(database.is_closed())
        return real(*args, **more)

    monkeypatch.setattr(outside, "read", reading)
    host.serve(_three())
    _read(subscribed)
    assert seen == [True]
    assert Appointment.select().count() == 3


def test_who_was_overtaken_writes_nothing_more(account, host, subscribed, monkeypatch):
    """A reading that takes longer than its lease belongs to the next process."""
    host.serve(_three())
    real = outside.read

    def slowly(*args, **more):
        page = real(*args, **more)
        clock.shift(subscribing.LEASE * 2)
        with database.connection_context():
            moment = clock.now()
            Calendar.update(claimed_until=moment + subscribing.LEASE).execute()
        return page

    monkeypatch.setattr(outside, "read", slowly)
    subscribing.work()
    assert Appointment.select().count() == 0
    assert Calendar.get().claimed_until is not None


def test_a_process_that_dies_leaves_the_calendar_to_the_next(host, subscribed):
    host.serve(_three())
    assert len(subscribing._claimed()) == 1
    assert subscribing.work() == 0
    clock.shift(subscribing.LEASE + timedelta(seconds=1))
    assert subscribing.work() == 1


days = st.sampled_from(["20270330", "20270331", "20270401"])
some = st.lists(
    st.tuples(st.sampled_from("abcde"), days, st.sampled_from(["Kontrolle", "Krone"]), st.sampled_from([ANNA, BERND, ""])),
    max_size=5,
    unique_by=lambda e: e[0],
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(st.lists(some, min_size=1, max_size=3), st.booleans())
def test_a_reading_that_is_taken_in_twice_changes_nothing(account, readings, renewing):
    with database.atomic() as undone:
        one = Calendar.create(
            account=account, name="x", address="http://x/", next_at=clock.now(), created_at=clock.now()
        )
        subscribing._claim(one, clock.now())
        for number, events in enumerate(readings):
            mark = str(number) if renewing else ""
            text = calendar(*[event(u + mark, f"{d}T090000", f"{t} {n}") for u, d, t, n in events])
            reading = ics.read(text.encode(), ZoneInfo("Europe/Berlin"), clock.now(), since=clock.now())
            for _ in range(2):  # the second time it is believed whatever is missing
                one.__data__.update(subscribing.merge(one, reading))
            before = _rows()
            one.__data__.update(subscribing.merge(one, reading))
            assert _rows() == before and one.changed == 0
            open_ones = Appointment.select().where(Appointment.state == "open").count()
            assert open_ones == len(reading.appointments)
        undone.rollback()


def _rows() -> list:
    return [sorted(map(str, table.select().dicts())) for table in (Appointment, Reminder, Entry)]


def test_the_setting_names_networks_or_stops_the_start(tmp_path):
    named = config.load({"FADEN_DATA": str(tmp_path), "FADEN_INSIDE_NETWORKS": "192.168.10.0/24, fd00::/8"})
    assert [str(n) for n in named.inside_networks] == ["192.168.10.0/24", "fd00::/8"]
    assert config.load({"FADEN_DATA": str(tmp_path)}).inside_networks == ()
    with pytest.raises(config.ConfigError):
        config.load({"FADEN_DATA": str(tmp_path), "FADEN_INSIDE_NETWORKS": "yes"})
