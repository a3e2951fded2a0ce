"""The demo's story as data: fiction only, in order, and fit to be sent on any day of the week."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms.demo import script
from sms.gsm import msisdn, placeholders, segments, sender_id

FICTION = re.compile(r"\+4917139200\d\d|\+493023125\d{3}")
moments = st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1)).map(lambda m: m.replace(tzinfo=UTC))


def test_every_number_is_reserved_for_fiction():
    for patient in script.PATIENTS:
        assert all(FICTION.fullmatch(number) for number in (patient.number, *patient.more))


@given(moments)
def test_story_is_told_in_order_and_is_over_now(now: datetime):
    times = [act.at for act in script.acts(now)]
    assert times == sorted(times)
    assert times[-1] < now
    assert times[0] > now - timedelta(days=8)


@given(moments)
def test_appointment_is_on_a_working_day_ahead(now: datetime):
    day = script.appointment_day(now)
    assert day.weekday() < 5
    assert 2 <= (day - now.astimezone(script.ZONE).date()).days <= 4


@given(moments)
def test_what_is_planned_and_snoozed_lies_ahead(now: datetime):
    assert all(act.until > now for act in script.acts(now) if act.until)


@pytest.mark.parametrize(
    "act", script.acts(datetime(2026, 11, 16, 9, tzinfo=UTC)), ids=lambda a: f"{a.what}-{a.at:%a%H%M}"
)
def test_every_text_can_be_sent(act: script.Act):
    if act.what in ("write", "answer", "call", "plan"):
        assert segments.problem(act.text) is None
        assert not placeholders.fill(act.text, {}).missing
        assert msisdn.parse(act.number).channel == ("voice" if act.what == "call" else "sms")


def test_alphanumeric_sender_is_a_legal_one():
    assert sender_id.classify(script.SENDER).error is None
